package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/store"
)

// What an attacker would try at the door, one test each: guessing passwords,
// planted and stolen cookies, forms and calls from other sites, addresses that
// lead away, frames, tokens that travel further than they should, links that
// are opened by programs, and telling from an answer who has an account. What
// is tried with an OpenID Connect provider's answers stands in
// app/provider_test.go; what an address may be called in backend/outbound.

func TestAPlantedCookieIsWorthNothing(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	planted := "planted-by-somebody-else"
	got := cookieOf(t, post(s, "/sign-in", leadForm("/"), signedIn(s, planted)))
	if got.Value == planted {
		t.Error("the planted secret was taken over")
	}
	if w := ask(s, GET, "/account", signedIn(s, planted)); w.Code != 303 {
		t.Errorf("the planted secret signs in: %d", w.Code)
	}
	// Signing in again makes another login; the older one stays its own.
	again := cookieOf(t, post(s, "/sign-in", leadForm("/"), signedIn(s, got.Value)))
	if again.Value == got.Value {
		t.Error("a login is not renewed")
	}
}

func TestSigningOutEndsTheLoginItself(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	secret := town.cookie(t, "lead")
	w := post(s, "/sign-out", nil, signedIn(s, secret))
	if c := cookieOf(t, w); c.Value != "" || c.MaxAge >= 0 || w.Header().Get("Location") != "/sign-in" {
		t.Errorf("%d %+v", w.Code, c)
	}
	if w := ask(s, GET, "/account", signedIn(s, secret)); w.Code != 303 {
		t.Errorf("the old cookie still works: %d", w.Code)
	}
}

func TestWrongPasswordsAreAnsweredAlikeAndThenSlowly(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	wrong := func(username string) *httptest.ResponseRecorder {
		return post(s, "/sign-in", url.Values{"username": {username}, "password": {"wrong"}}, nil)
	}
	if a, b := wrong("lead"), wrong("nobody"); a.Code != 422 || b.Code != 422 || strings.ReplaceAll(a.Body.String(), `value="lead"`, "") != strings.ReplaceAll(b.Body.String(), `value="nobody"`, "") {
		t.Errorf("they differ: %d and %d", a.Code, b.Code)
	}
	for range 4 {
		wrong("lead")
	}
	if w := wrong("lead"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("the sixth: %d %v", w.Code, w.Header())
	}
	town.clock.at = town.clock.at.Add(2 * time.Minute)
	if w := post(s, "/sign-in", leadForm("/"), nil); w.Code != 303 {
		t.Errorf("after the pause: %d", w.Code)
	}
}

func TestALinkIsShownOnceAndFollowedOnce(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	owner := signedIn(s, town.cookie(t, "owner"))
	w := post(s, "/people", url.Values{"username": {"zoe"}}, owner)
	_, rest, found := strings.Cut(w.Body.String(), "http://127.0.0.1:8484/welcome?token=")
	if w.Code != 200 || !found {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	secret := rest[:43]
	if w := ask(s, GET, "/people", owner); strings.Contains(w.Body.String(), secret) {
		t.Error("the link is shown again")
	}
	for range 2 { // looking uses nothing up
		if w := ask(s, GET, "/welcome?token="+secret, nil); w.Code != 200 || !strings.Contains(w.Body.String(), "zoe") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	form := url.Values{"token": {secret}, "name": {""}, "password": {"short"}}
	w = post(s, "/welcome", form, nil)
	if body := w.Body.String(); w.Code != 422 || !strings.Contains(body, `id="password-error"`) || !strings.Contains(body, `id="name-error"`) {
		t.Fatalf("%d %s", w.Code, body)
	}
	form = url.Values{"token": {secret}, "name": {"Zoë"}, "password": {"a long enough one"}}
	if w := post(s, "/welcome", form, nil); w.Code != 303 || cookieOf(t, w).Value == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := post(s, "/welcome", form, nil); w.Code != 404 {
		t.Errorf("the second time: %d", w.Code)
	}
}

func TestOnlyTheServersOwnNamesAreAnswered(t *testing.T) {
	t.Parallel()
	public, _ := url.Parse("https://adjudge.example")
	s := closed(t, func(d *Deps) { d.Hosts = Hosts("8484", public) })
	for host, want := range map[string]int{
		"127.0.0.1:8484": 200, "localhost:8484": 200, "LOCALHOST:8484": 200, "[::1]:8484": 200, "adjudge.example": 200, "adjudge.example:443": 200,
		"127.0.0.1": 421, "127.0.0.1:8485": 421, "evil.example": 421, "adjudge.example.evil.example": 421, "adjudge.example:8484": 421, "": 421,
	} {
		if got := ask(s, GET, "/api/v1/version", func(r *http.Request) { r.Host = host }).Code; got != want {
			t.Errorf("Host %q answers %d, want %d", host, got, want)
		}
	}
}

// Kubernetes asks by the address of a pod, a load balancer by that of a machine.
func TestProbesAreAnsweredUnderAnyNameAndNothingElseIs(t *testing.T) {
	t.Parallel()
	below, _ := url.Parse("https://adjudge.example/labels/")
	works := func(context.Context) error { return nil }
	for where, s := range map[string]*Server{
		"":        closed(t, func(d *Deps) { d.Ready = works }),
		"/labels": closed(t, func(d *Deps) { d.Ready, d.URL, d.Hosts = works, below, Hosts("8484", below) }),
	} {
		for request, want := range map[string]int{
			"GET /healthz": 200, "GET /readyz": 200, "HEAD /healthz": 200, "HEAD /readyz": 200, "GET /healthz?verbose": 200,
			"POST /healthz": 421, "DELETE /readyz": 421, "OPTIONS /healthz": 421,
			"GET /healthz/": 421, "GET /healthz/x": 421, "GET //healthz": 421, "GET /%68ealthz": 421, "GET /readyz/../sign-in": 421, "GET /Readyz": 421,
			"GET /": 421, "GET /metrics": 421, "GET /sign-in": 421, "GET /static/app.css": 421, "GET /api/v1/version": 421, "GET /api/v1/me": 421,
		} {
			method, path, _ := strings.Cut(request, " ")
			for _, host := range []string{"10.244.1.7:8484", "[fd00::7]:8484", "evil.example", ""} {
				w := ask(s, method, where+path, func(r *http.Request) { r.Host = host })
				if w.Code != want {
					t.Errorf("%s below %q under Host %q answers %d, want %d", request, where, host, w.Code, want)
				}
				if body := w.Body.String(); want == 200 && method == GET && body != "ok\n" {
					t.Errorf("%s tells %q", request, body)
				}
			}
		}
	}
	// The proxy in front may have cut the path off.
	if w := ask(closed(t, func(d *Deps) { d.URL, d.Hosts = below, Hosts("8484", below) }), GET, "/healthz", func(r *http.Request) { r.Host = "10.244.1.7:8484" }); w.Code != 200 {
		t.Errorf("without the path of the public address: %d", w.Code)
	}
	broken := closed(t, func(d *Deps) {
		d.Ready = func(context.Context) error { return errors.New("dial tcp 10.0.0.5:5432: refused") }
	})
	w := ask(broken, GET, "/readyz", func(r *http.Request) { r.Host = "10.244.1.7:8484" })
	if body := w.Body.String(); w.Code != 503 || strings.Contains(body, "10.0.0.5") {
		t.Errorf("a broken server tells a probe %d %s", w.Code, body)
	}
}

func TestWritesFromOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	for name, c := range map[string]struct {
		headers map[string]string
		want    int
	}{
		"another site":                   {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"another subdomain":              {map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"another origin, an old browser": {map[string]string{"Origin": "http://evil.example"}, 403},
		"another port, an old browser":   {map[string]string{"Origin": "http://127.0.0.1:9999"}, 403},
		"the same origin":                {map[string]string{"Sec-Fetch-Site": "same-origin"}, 401},
		"a program":                      {nil, 401},
	} {
		got := ask(s, POST, "/sign-out", func(r *http.Request) {
			for k, v := range c.headers {
				r.Header.Set(k, v)
			}
		})
		if got.Code != c.want {
			t.Errorf("%s: %d, want %d", name, got.Code, c.want)
		}
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	for _, path := range []string{"/healthz", "/nothing-here", "/api/v1/me", "/api/v1/openapi.json"} {
		h := ask(s, GET, path, nil).Header()
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("X-Request-Id") == "" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
}

func TestNoLinkLeadsAwayAfterSigningIn(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/projects/p/items?q=a%26b": "/projects/p/items?q=a%26b", "/": "/", "": "/",
		"https://evil.example/": "/", "//evil.example/": "/", `/\evil.example`: "/", `\\evil.example`: "/", "/\t/evil.example": "/",
		"javascript:alert(1)": "/", "evil.example": "/", "/sign-in?next=/": "/", "/sign-out": "/", "http:/evil": "/", "/%5cevil.example": "/%5cevil.example",
	} {
		if got := localPath(next); got != want {
			t.Errorf("localPath(%q) = %q, want %q", next, got, want)
		}
	}
}

func TestAskingForALinkIsAnsweredAlike(t *testing.T) {
	t.Parallel()
	s := New(newTown(t).deps())
	body := func(name string) string {
		r := post(s, "/forgot", url.Values{"username": {name}}, nil)
		if r.Code != http.StatusOK {
			t.Errorf("%q: %d", name, r.Code)
		}
		return r.Body.String()
	}
	if known, unknown := body("lead"), body("nobody"); known != unknown || !strings.Contains(known, "in person") {
		t.Errorf("known and unknown names are answered differently:\n%s\n%s", known, unknown)
	}
}

// second is another server on the town's store: what one counts, all count.
func (town *town) second() *Server {
	d := town.deps()
	d.Identity = identity.New(identity.Config{
		Update: store.In[identity.Tx](town.store), View: store.From[identity.Tx](town.store), Now: town.clock.Now,
		NewID:   func() string { return "second-" + town.clock.at.String() },
		Hashing: identity.Hashing{MemoryKiB: 8, Passes: 1, Threads: 1},
	})
	return New(d)
}

func fromAddress(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address + ":1234" }
}

func TestGuessingIsSlowedByAccountAndByAddressOnAllServersTogether(t *testing.T) {
	t.Parallel()
	guess := func(s *Server, username, address string) int {
		return post(s, "/sign-in", url.Values{"username": {username}, "password": {"wrong"}}, fromAddress(address)).Code
	}
	t.Run("one account from one address", func(t *testing.T) {
		t.Parallel()
		town := newTown(t)
		servers := []*Server{New(town.deps()), town.second()}
		for i := range 5 {
			guess(servers[i%2], "lead", "192.0.2.1")
		}
		for i, s := range servers {
			if got := guess(s, "lead", "192.0.2.1"); got != http.StatusTooManyRequests {
				t.Errorf("server %d let a sixth guess through: %d", i, got)
			}
		}
		if w := post(servers[0], "/sign-in", leadForm("/"), fromAddress("192.0.2.2")); w.Code != http.StatusSeeOther {
			t.Errorf("somebody else's guesses keep the person out: %d", w.Code)
		}
	})
	t.Run("many accounts from one address", func(t *testing.T) {
		t.Parallel()
		town := newTown(t)
		servers := []*Server{New(town.deps()), town.second()}
		for i := range 50 {
			guess(servers[i%2], "name-"+strings.Repeat("x", i), "192.0.2.1")
		}
		for i, s := range servers {
			if got := guess(s, "another", "192.0.2.1"); got != http.StatusTooManyRequests {
				t.Errorf("server %d let a guess through after fifty: %d", i, got)
			}
		}
	})
	t.Run("one account from many addresses", func(t *testing.T) {
		t.Parallel()
		town := newTown(t)
		servers := []*Server{New(town.deps()), town.second()}
		for i := range 100 {
			guess(servers[i%2], "lead", "198.51.100."+strings.Repeat("1", i%3+1)+string(rune('0'+i%10)))
			town.clock.at = town.clock.at.Add(time.Second)
		}
		let := 0
		for i := range 20 {
			if guess(servers[i%2], "lead", "203.0.113."+string(rune('0'+i%10))) != http.StatusTooManyRequests {
				let++
			}
		}
		if let > 2 {
			t.Errorf("%d of twenty guesses from fresh addresses were let through after a hundred", let)
		}
	})
}

func TestAFormOnAnotherSiteSignsNobodyInOrOutOrAnywhere(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	lead := town.cookie(t, "lead")
	for _, target := range []string{"/sign-in", "/sign-in/oidc", "/sign-out", "/unlock", "/lock", "/welcome", "/first-start", "/forgot", "/confirm", "/account/password", "/projects/p1/people", "/api/v1/tokens"} {
		for name, evil := range map[string]func(*http.Request){
			"a form": func(r *http.Request) {
				r.Header.Set("Sec-Fetch-Site", "cross-site")
				r.Header.Set("Sec-Fetch-Mode", "navigate")
			},
			"a fetch": func(r *http.Request) {
				r.Header.Set("Sec-Fetch-Site", "cross-site")
				r.Header.Set("Sec-Fetch-Mode", "no-cors")
			},
			"an old browser":    func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.example") },
			"a sandboxed frame": func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "null") },
		} {
			w := post(s, target, leadForm("/"), func(r *http.Request) {
				signedIn(s, lead)(r)
				evil(r)
			})
			if w.Code != http.StatusForbidden || len(w.Result().Cookies()) > 0 {
				t.Errorf("%s to %s: %d, cookies %v", name, target, w.Code, w.Result().Cookies())
			}
		}
	}
	if w := ask(s, GET, "/account", signedIn(s, lead)); w.Code != http.StatusOK {
		t.Errorf("the login was ended from elsewhere: %d", w.Code)
	}
}

func TestNoPageOfAnyKindStandsInAFrame(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	lead := signedIn(s, town.cookie(t, "lead"))
	answers := map[string]*httptest.ResponseRecorder{
		"a page":           ask(s, GET, "/account", lead),
		"the sign-in page": ask(s, GET, "/sign-in", nil),
		"a redirect":       ask(s, GET, "/account", nil),
		"a page not there": ask(s, GET, "/nothing", lead),
		"a refusal":        ask(s, GET, "/people", lead),
		"a form refused":   post(s, "/sign-in", url.Values{}, nil),
		"the API":          ask(s, GET, "/api/v1/me", lead),
	}
	for name, w := range answers {
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, "frame-ancestors 'none'") || w.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s (%d) may be framed: %q", name, w.Code, csp)
		}
	}
}

func TestATokenInAnAddressTravelsNoFurther(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	w := post(s, "/people", url.Values{"username": {"zoe"}}, signedIn(s, town.cookie(t, "owner")))
	_, rest, found := strings.Cut(w.Body.String(), "http://127.0.0.1:8484/welcome?token=")
	if !found {
		t.Fatalf("%d: no link", w.Code)
	}
	secret := rest[:43]
	w = ask(s, GET, "/welcome?token="+secret, nil)
	if policy := w.Header().Get("Referrer-Policy"); w.Code != http.StatusOK || policy != "same-origin" && policy != "no-referrer" {
		t.Errorf("%d: the address would be told to other sites: %q", w.Code, policy)
	}
	if cache := w.Header().Get("Cache-Control"); cache != "no-store" {
		t.Errorf("the page is kept: %q", cache)
	}
	// Nothing on the page leads to another site, and no address on it holds the secret again.
	for _, attribute := range []string{`href="`, `src="`, `action="`} {
		for part := range strings.SplitSeq(w.Body.String(), attribute) {
			address, _, _ := strings.Cut(part, `"`)
			if strings.HasPrefix(address, "http") || strings.HasPrefix(address, "//") || strings.Contains(address, secret) {
				t.Errorf("the page leads to %s", address)
			}
		}
	}
}

func TestALinkThatAProgramOpensIsNotUsedUp(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	link, err := town.identity.Launch(t.Context(), town.people["owner"])
	if err != nil {
		t.Fatal(err)
	}
	w := post(s, "/people", url.Values{"username": {"zoe"}}, signedIn(s, town.cookie(t, "owner")))
	_, rest, found := strings.Cut(w.Body.String(), "http://127.0.0.1:8484/welcome?token=")
	if !found {
		t.Fatalf("%d: no link", w.Code)
	}
	for _, target := range []string{"/launch?token=" + link, "/welcome?token=" + rest[:43]} {
		for name, look := range map[string]struct {
			method string
			change func(*http.Request)
		}{
			"a scanner of mail":            {http.MethodHead, nil},
			"a browser that fetches ahead": {GET, func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch") }},
			"a browser that renders ahead": {GET, func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch;prerender") }},
			"an older one":                 {GET, func(r *http.Request) { r.Header.Set("Purpose", "prefetch") }},
		} {
			if w := ask(s, look.method, target, look.change); w.Code != http.StatusOK || len(w.Result().Cookies()) > 0 {
				t.Errorf("%s at %.8s: %d, cookies %v", name, target, w.Code, w.Result().Cookies())
			}
		}
	}
	if w := ask(s, GET, "/launch?token="+link, nil); w.Code != http.StatusSeeOther || cookieOf(t, w).Value == "" {
		t.Errorf("the person came too late: %d", w.Code)
	}
	form := url.Values{"token": {rest[:43]}, "name": {"Zoë"}, "password": {"a long enough one"}}
	if w := post(s, "/welcome", form, nil); w.Code != http.StatusSeeOther {
		t.Errorf("the invitation was used up by a look: %d", w.Code)
	}
}

func TestAStolenCookieIsWorthlessOnceItsLoginEnded(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, town *town, s *Server, secret string){
		"by signing out": func(_ *testing.T, _ *town, s *Server, secret string) { post(s, "/sign-out", nil, signedIn(s, secret)) },
		"by a new password": func(t *testing.T, _ *town, s *Server, _ string) {
			mine := cookieOf(t, post(s, "/sign-in", leadForm("/"), nil)).Value
			form := url.Values{"old_password": {"correct horse lead"}, "password": {"quite another one"}}
			if w := post(s, "/account/password", form, signedIn(s, mine)); w.Code != http.StatusSeeOther {
				t.Errorf("the password was not changed: %d", w.Code)
			}
		},
		"by another browser": func(t *testing.T, _ *town, s *Server, _ string) {
			mine := cookieOf(t, post(s, "/sign-in", leadForm("/"), nil)).Value
			post(s, "/account/logins/end-others", nil, signedIn(s, mine))
		},
		"by an admin": func(t *testing.T, town *town, s *Server, _ string) {
			post(s, "/people/"+string(town.people["lead"]), url.Values{"name": {"lead"}, "disabled": {"yes"}, "reason": {"left"}}, signedIn(s, town.cookie(t, "owner")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			town := newTown(t)
			s, other := New(town.deps()), town.second()
			stolen := town.cookie(t, "lead")
			if w := ask(other, GET, "/api/v1/me", signedIn(s, stolen)); w.Code != http.StatusOK {
				t.Fatalf("the cookie was never good: %d", w.Code)
			}
			end(t, town, s, stolen)
			for i, server := range []*Server{s, other} {
				if w := ask(server, GET, "/api/v1/me", signedIn(s, stolen)); w.Code != http.StatusUnauthorized {
					t.Errorf("server %d still takes it: %d", i, w.Code)
				}
			}
		})
	}
}
