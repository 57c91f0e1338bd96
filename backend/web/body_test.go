package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// wireTown is a server of the town behind a real listener, which notes every
// request that net/http takes from a connection.
type wireTown struct {
	*Server
	address string

	mu   sync.Mutex
	seen []string // the paths, as they came
}

func newWireTown(t *testing.T, town *town) *wireTown {
	t.Helper()
	w := &wireTown{Server: New(town.deps())}
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.seen = append(w.seen, r.URL.Path)
		w.mu.Unlock()
		w.ServeHTTP(rw, r)
	}))
	t.Cleanup(front.Close)
	w.address = strings.TrimPrefix(front.URL, "http://")
	return w
}

func (w *wireTown) wasAsked(path string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.seen, path)
}

// hidden is what an attacker puts into a body: were the body's rest taken for a
// request, somebody would be answered it.
func hidden(at string) string {
	return "GET " + at + " HTTP/1.1\r\nHost: 127.0.0.1:8484\r\n\r\n"
}

// sendAll sends one request and, on the same connection, an honest last one. It
// returns the status of every answer that came.
func (w *wireTown) sendAll(t *testing.T, request string) (statuses []int) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.address)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		// A server that hangs up meanwhile is right to.
		_, _ = io.WriteString(conn, request+"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:8484\r\nConnection: close\r\n\r\n")
	}()
	from := bufio.NewReader(conn)
	for {
		answer, err := http.ReadResponse(from, nil)
		if err != nil {
			_ = conn.Close()
			<-sent
			return statuses
		}
		statuses = append(statuses, answer.StatusCode)
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
}

// attack is a body that holds a request of its own, at the place where a handler
// that stops at the limit of a body stops.
type attack struct{ kind, before, rest string }

func attacks() (short, long map[string]attack) {
	inside := hidden("/smuggled")
	rest := inside + strings.Repeat("x", 300<<10) // more than net/http reads on by itself
	filled := func(head string, n int) string { return head + strings.Repeat("a", n-len(head)) }
	const field = "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n"
	const plain, parts, object = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json"
	short = map[string]attack{"form": {plain, "name=x", inside}, "parts": {parts, field + "x\r\n--b--\r\n", inside}, "json": {object, `{"name":"x"} `, inside}}
	long = map[string]attack{"form": {plain, filled("name=", maxBody), rest}, "parts": {parts, filled(field, maxBody), rest}, "json": {object, filled(`{"name":"`, maxBody-1), rest}}
	return short, long
}

// framed are the ways in which a body says how long it is.
func (a attack) framed() map[string]string {
	return map[string]string{
		"length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s%s", len(a.before)+len(a.rest), a.before, a.rest),
		// Chunks that begin where the hidden request does.
		"chunks": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", len(a.before), a.before, len(a.rest), a.rest),
	}
}

func TestNoBodyIsTakenForARequest(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	w := newWireTown(t, town)
	cookie := "Cookie: " + w.cookieName() + "=" + town.cookie(t, "owner") + "\r\n"
	bearer := "Authorization: Bearer " + town.token(t, "owner", "full") + "\r\n"
	// Who gets in, and who is turned away before anything is read.
	senders := map[access][]string{login: {cookie, ""}, either: {bearer, ""}, there: {cookie, bearer, ""}, token: {bearer, ""},
		attempt: {"Authorization: Bearer attempt-secret\r\n", ""}, none: {""}}
	// These end the login by which they are asked, or others of the same person.
	ends := []string{"/sign-out", "/lock", "/account/logins/end-others", "/account/password"}
	other := "Cookie: " + w.cookieName() + "=" + town.cookie(t, "lead") + "\r\n"
	short, long := attacks()
	routes := append(slices.Clone(w.routes), route{method: POST, pattern: "/no/such/page", access: none}, route{method: DELETE, pattern: "/sign-in", access: none}, route{method: GET, pattern: "/sign-in", access: none})
	slots, n := make(chan struct{}, 8), map[access]int{}
	var wait sync.WaitGroup
	send := func(rt route, sender, how string, a attack) {
		for framing, body := range a.framed() {
			if sender != "" || rt.access == none {
				n[rt.access]++
			}
			request := rt.method + " " + example(rt.pattern) + " HTTP/1.1\r\nHost: 127.0.0.1:8484\r\nContent-Type: " + a.kind + "\r\n" + sender + body
			slots <- struct{}{}
			wait.Go(func() {
				defer func() { <-slots }()
				// Its own answer, and that of the honest request unless the connection ended.
				got := w.sendAll(t, request)
				if len(got) > 2 || len(got) == 2 && got[1] != http.StatusOK {
					t.Errorf("%s %s (%s, %s) was answered %v", rt.method, rt.pattern, how, framing, got)
				}
				if sender != "" && sender != other && len(got) > 0 && got[0] == http.StatusUnauthorized {
					t.Errorf("%s %s (%s, %s) does not know %q", rt.method, rt.pattern, how, framing, sender)
				}
				if w.wasAsked("/smuggled") {
					t.Errorf("%s %s (%s, %s): what the body held was taken for a request", rt.method, rt.pattern, how, framing)
				}
			})
		}
	}
	for _, rt := range routes {
		if rt.method == GET && rt.pattern != "/sign-in" {
			continue // no handler of these reads a body; one stands for all
		}
		kinds := []string{"form"}
		if strings.HasPrefix(rt.pattern, apiPrefix) {
			kinds = []string{"json"}
		}
		if largeRoutes[rt.method+" "+rt.pattern] || rt.pattern == "/people/invite" {
			kinds = append(kinds, "parts")
		}
		who := senders[rt.access]
		if len(who) == 0 {
			t.Errorf("%s %s: nobody knows how to ask a route of access %q; add it to senders", rt.method, rt.pattern, rt.access)
			continue
		}
		if slices.Contains(ends, rt.pattern) {
			who = []string{other, ""}
		}
		for _, kind := range kinds {
			send(rt, who[0], kind, long[kind])
			for _, sender := range who {
				send(rt, sender, "short "+kind, short[kind])
			}
		}
	}
	wait.Wait()
	for a := range senders {
		if n[a] == 0 {
			t.Errorf("nobody who gets in asked a route of access %q", a)
		}
	}
	t.Logf("%v requests by who gets in", n)
}

// An answer that comes before the body ends the connection, or the body is
// skipped to its exact end.
func TestAnHonestRequestAfterARefusedOneIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWireTown(t, newTown(t))
	short := "POST /api/v1/projects HTTP/1.1\r\nHost: 127.0.0.1:8484\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n" + strings.Repeat("x", 100)
	if got := w.sendAll(t, short); !slices.Equal(got, []int{401, 200}) {
		t.Errorf("a short refused body: %v", got)
	}
}

// The same holds for the writers around the connection's own: the limit on a
// body reaches it through them.
func TestABodyOverTheLimitEndsTheConnection(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	for path, large := range map[string]bool{"/read": false, "/leave": true} {
		s.mux.Post(path, s.answering(func(w http.ResponseWriter, r *http.Request) error {
			r = Bounded(w, r, 10)
			if large {
				_, err := r.Body.Read(make([]byte, 1))
				return err
			}
			_, err := io.Copy(io.Discard, r.Body)
			return err
		}))
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "127.0.0.1:8484"
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	for path, ends := range map[string]bool{"/read": true, "/leave": false} {
		answer, err := http.Post(front.URL+path, "text/plain", strings.NewReader("twenty bytes or more"))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.Close != ends {
			t.Errorf("%s: the connection ends: %v", path, answer.Close)
		}
	}
}

func TestWhatWasTypedIsShownAgainOnRealRoutesToo(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	// This server has no room for projects, which is an internal error.
	page := post(s, "/projects", url.Values{"name": {"two hours of words"}}, signedIn(s, town.cookie(t, "lead"))).Body.String()
	if !strings.Contains(page, "two hours of words") {
		t.Errorf("the page lacks what was typed:\n%s", page)
	}
}
