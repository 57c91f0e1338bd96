package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
)

// aboutPeople reports whether a route is about who is here, how they get in and
// what they may do.
func aboutPeople(pattern string) bool {
	path := strings.TrimPrefix(strings.TrimPrefix(pattern, apiPrefix), "/projects/{project}")
	return slices.ContainsFunc([]string{"/people", "/groups", "/access", "/tokens"}, func(room string) bool {
		return path == room || strings.HasPrefix(path, room+"/")
	})
}

// Every write about people, by each way in: a person at a browser and the
// command line on the server's machine get to the service, no token does.
func TestNoTokenReachesAWriteAboutPeople(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := declare(town.deps())
	for i := range s.routes {
		s.routes[i].handler = func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
	}
	s.mount()
	bearer := func(secret string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }
	}
	owner, local := town.cookie(t, "owner"), town.identity.OpenLocal()
	tokens := map[string]string{}
	for _, scope := range ledger.Scopes() {
		for _, who := range []string{"owner", "lead", "admin", "approver"} {
			tokens[who+" by a token of scope "+string(scope)] = town.token(t, who, scope)
		}
	}
	writes := 0
	for _, rt := range s.routes {
		if rt.method == GET || !aboutPeople(rt.pattern) {
			continue
		}
		writes++
		for name, secret := range tokens {
			if code := ask(s, rt.method, example(rt.pattern), bearer(secret)).Code; code != http.StatusForbidden && code != http.StatusUnauthorized {
				t.Errorf("%s %s lets in the %s: %d", rt.method, rt.pattern, name, code)
			}
		}
		if code := ask(s, rt.method, example(rt.pattern), signedIn(s, owner)).Code; code != http.StatusNoContent {
			t.Errorf("%s %s turns an admin at a browser away: %d", rt.method, rt.pattern, code)
		}
		if strings.HasPrefix(rt.pattern, apiPrefix) {
			if code := ask(s, rt.method, example(rt.pattern), bearer(local)).Code; code != http.StatusNoContent {
				t.Errorf("%s %s turns the command line of this machine away: %d", rt.method, rt.pattern, code)
			}
		}
	}
	if writes < 30 {
		t.Errorf("only %d writes are about people; is the rule of this test still right?", writes)
	}
}
