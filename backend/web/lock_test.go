package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
)

// lockedVisitor signs somebody in, locks their screen and returns their cookie.
func lockedVisitor(t *testing.T, town *town, s *Server, who string) *http.Cookie {
	t.Helper()
	cookie := &http.Cookie{Name: s.cookieName(), Value: town.cookie(t, who)}
	answer := ask(s, POST, "/lock", func(r *http.Request) {
		r.AddCookie(cookie)
		r.Header.Set("Accept", "application/json")
	})
	if answer.Code != http.StatusNoContent {
		t.Fatalf("lock: %d %s", answer.Code, answer.Body)
	}
	return cookie
}

func TestALockedScreenGetsInNowhere(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := declare(town.deps())
	open := map[string]bool{}
	for i, rt := range s.routes {
		if rt.pattern == "/lock" {
			continue
		}
		s.routes[i].handler = func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusTeapot)
			return nil
		}
	}
	s.mount()
	cookie := lockedVisitor(t, town, s, "lead")
	for _, rt := range s.routes {
		answer := ask(s, rt.method, example(rt.pattern), func(r *http.Request) { r.AddCookie(cookie) })
		if answer.Code == http.StatusTeapot {
			open[rt.pattern] = true
			if rt.access == login || rt.access == either || rt.access == there {
				t.Errorf("%s %s answers a locked screen", rt.method, rt.pattern)
			}
		}
		if rt.access == login && rt.method == GET && (answer.Code != http.StatusSeeOther || !strings.HasPrefix(answer.Header().Get("Location"), "/locked?next=")) {
			t.Errorf("%s leads to %d %s", rt.pattern, answer.Code, answer.Header().Get("Location"))
		}
	}
	if !open["/locked"] || !open["/unlock"] || !open["/sign-in"] {
		t.Errorf("no way back in: %v", open)
	}
}

func TestAScreenIsUnlockedByItsPersonOrTakenByAnother(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	cookie := lockedVisitor(t, town, s, "lead")
	sent := func(r *http.Request) { r.AddCookie(cookie) }
	if r := post(s, "/unlock", url.Values{"password": {"correct horse auditor"}, "next": {"/projects"}}, sent); r.Code != http.StatusUnprocessableEntity {
		t.Errorf("somebody else's password: %d", r.Code)
	}
	if r := post(s, "/unlock", url.Values{"password": {"correct horse lead"}, "next": {"//evil.example"}}, sent); r.Code != http.StatusSeeOther || r.Header().Get("Location") != "/" {
		t.Errorf("unlock: %d to %s", r.Code, r.Header().Get("Location"))
	}
	if r := ask(s, GET, "/api/v1/me", func(r *http.Request) { r.AddCookie(cookie) }); r.Code != http.StatusOK {
		t.Errorf("after unlocking: %d", r.Code)
	}
	cookie = lockedVisitor(t, town, s, "lead")
	taken := cookieOf(t, post(s, "/sign-in", url.Values{"username": {"auditor"}, "password": {"correct horse auditor"}}, sent))
	if _, err := town.identity.LockedPerson(t.Context(), cookie.Value); !fault.Is(err, fault.NotFound) {
		t.Errorf("the login before lives on: %v", err)
	}
	if _, err := town.identity.Authenticate(t.Context(), taken.Value); err != nil {
		t.Error(err)
	}
}
