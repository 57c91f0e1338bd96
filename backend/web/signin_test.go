package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

func post(s http.Handler, target string, form url.Values, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(POST, target, strings.NewReader(form.Encode()))
	r.Host, r.RemoteAddr = "127.0.0.1:8484", "192.0.2.7:1234"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func signedIn(s *Server, secret string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: s.cookieName(), Value: secret}) }
}

func cookieOf(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	// Beside the login, only what the browser is known by next time.
	cookies := slices.DeleteFunc(w.Result().Cookies(), func(c *http.Cookie) bool {
		return strings.HasSuffix(c.Name, "_known") && c.HttpOnly && c.SameSite == http.SameSiteLaxMode && c.MaxAge > 0 // Strict would not come back from a provider
	})
	if len(cookies) != 1 {
		t.Fatalf("%d %s: cookies %v", w.Code, w.Body, cookies)
	}
	return cookies[0]
}

func leadForm(next string) url.Values {
	return url.Values{"username": {"lead"}, "password": {"correct horse lead"}, "next": {next}}
}

func TestSigningInLeadsWhereOneWantedToGo(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	w := ask(s, GET, "/projects/p1/people?x=1", nil)
	if w.Code != 303 || w.Header().Get("Location") != "/sign-in?next=%2Fprojects%2Fp1%2Fpeople%3Fx%3D1" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Location"))
	}
	w = post(s, "/sign-in", leadForm("/projects/p1/people?x=1"), nil)
	if w.Code != 303 || w.Header().Get("Location") != "/projects/p1/people?x=1" {
		t.Errorf("%d %s", w.Code, w.Header().Get("Location"))
	}
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`} {
		if w := post(s, "/sign-in", leadForm(next), nil); w.Header().Get("Location") != "/" {
			t.Errorf("%q leads to %s", next, w.Header().Get("Location"))
		}
		if w := ask(s, GET, "/sign-in?next="+url.QueryEscape(next), nil); strings.Contains(w.Body.String(), "evil") {
			t.Errorf("the form carries %q", next)
		}
	}
	w = ask(s, GET, "/projects/p1/people", func(r *http.Request) {
		r.Header.Set("HX-Request", "true")
		r.Header.Set("HX-Current-URL", "http://127.0.0.1:8484/projects/p1/settings")
	})
	if w.Code != 401 || w.Header().Get("HX-Redirect") != "/sign-in?next=%2Fprojects%2Fp1%2Fsettings" {
		t.Errorf("a fragment: %d %v", w.Code, w.Header())
	}
}

func TestTheCookieIsAsStrictAsThePlaceAllows(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	public, _ := url.Parse("https://adjudge.example")
	for name, c := range map[string]struct {
		change   func(*Deps)
		cookie   string
		secure   bool
		sameSite http.SameSite
	}{
		"this machine":  {func(*Deps) {}, "adjudge_d1", false, http.SameSiteLaxMode},
		"a team server": {func(d *Deps) { d.URL = public }, "__Host-adjudge_d1", true, http.SameSiteLaxMode},
		"the desktop":   {func(d *Deps) { d.Desktop = true }, "adjudge_d1", false, http.SameSiteStrictMode},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := town.deps()
			c.change(&d)
			got := cookieOf(t, post(New(d), "/sign-in", leadForm("/"), nil))
			if got.Name != c.cookie || got.Secure != c.secure || got.SameSite != c.sameSite || !got.HttpOnly || got.Path != "/" || got.Domain != "" {
				t.Errorf("cookie = %+v", got)
			}
		})
	}
}

func TestTheLaunchLinkSignsInAndLeadsInside(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	link, err := town.identity.Launch(t.Context(), town.people["owner"])
	if err != nil {
		t.Fatal(err)
	}
	w := ask(s, GET, "/launch?token="+link+"&next=//evil.example", nil)
	if w.Code != 303 || w.Header().Get("Location") != "/" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Location"))
	}
	secret := cookieOf(t, w).Value
	if w := ask(s, GET, "/launch?token="+link, nil); w.Code != 404 {
		t.Errorf("the second time: %d", w.Code)
	}
	if w := ask(s, GET, "/launch?token="+link, signedIn(s, secret)); w.Code != 303 {
		t.Errorf("a reload: %d", w.Code)
	}
}

func TestRolesAreSavedFromTheMatrix(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	lead := signedIn(s, town.cookie(t, "lead"))
	annotator := string(town.people["annotator"])
	form := url.Values{"person": {annotator}, "role:" + annotator: {"annotator", "reviewer"}}
	if w := post(s, "/projects/p1/people/roles", form, lead); w.Code != 422 || !strings.Contains(w.Body.String(), "why the roles change") ||
		!strings.Contains(w.Body.String(), `value="reviewer" checked aria-label="annotator: Reviewer"`) {
		t.Errorf("without a reason: %d, or the ticks are lost", w.Code)
	}
	form.Set("reason", "knows the subject")
	if w := post(s, "/projects/p1/people/roles", form, lead); w.Code != 303 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	form = url.Values{"person": {annotator}, "role:" + annotator: {"admin"}, "reason": {"x"}}
	if w := post(s, "/projects/p1/people/roles", form, lead); w.Code != 403 {
		t.Errorf("a lead makes an admin: %d", w.Code)
	}
	members, err := town.identity.Members(t.Context(), ledger.System(), townProject)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if m.Person.ID == town.people["annotator"] && len(m.Roles) != 2 || m.Person.ID == town.people["lead"] && len(m.Roles) != 1 {
			t.Errorf("%s holds %v", m.Person.Name, m.Roles)
		}
	}
	if w := ask(s, GET, "/projects/p1/people", lead); w.Code != 200 || !strings.Contains(w.Body.String(), "Save roles") {
		t.Errorf("%d", w.Code)
	}
	if w := ask(s, GET, "/projects/p1/people", signedIn(s, town.cookie(t, "auditor"))); w.Code != 200 || strings.Contains(w.Body.String(), "Save roles") {
		t.Errorf("an auditor: %d", w.Code)
	}
}

func TestATokenIsShownOnce(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	me := signedIn(s, town.cookie(t, "approver"))
	w := post(s, "/tokens", url.Values{"name": {"CI"}, "scope": {"gate"}, "expires": {"30"}}, me)
	_, rest, found := strings.Cut(w.Body.String(), `data-copy="adj_`)
	if w.Code != 200 || !found {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	secret := "adj_" + rest[:43]
	if v, err := town.identity.AuthenticateToken(t.Context(), secret); err != nil || v.Actor.Scope != ledger.ScopeGate {
		t.Fatalf("%+v %v", v.Actor, err)
	}
	if w := ask(s, GET, "/tokens", me); strings.Contains(w.Body.String(), secret) {
		t.Error("the token is shown again")
	}
	for field, bad := range map[string]url.Values{
		"name":    {"name": {""}, "scope": {"gate"}, "expires": {"30"}},
		"scope":   {"name": {"x"}, "scope": {"all"}, "expires": {"30"}},
		"expires": {"name": {"x"}, "scope": {"gate"}, "expires": {"soon"}},
	} {
		if w := post(s, "/tokens", bad, me); w.Code != 422 || !strings.Contains(w.Body.String(), `id="`+field+`-error"`) {
			t.Errorf("%s: %d", field, w.Code)
		}
	}
	tokens, err := town.identity.Tokens(t.Context(), ledger.Actor{Person: town.people["approver"]}, false)
	if err != nil || len(tokens) != 1 {
		t.Fatal(tokens, err)
	}
	if w := post(s, "/tokens/"+string(tokens[0].ID)+"/revoke", nil, signedIn(s, town.cookie(t, "lead"))); w.Code != 404 {
		t.Errorf("somebody else revokes it: %d", w.Code)
	}
	if w := post(s, "/tokens/"+string(tokens[0].ID)+"/revoke", nil, me); w.Code != 303 {
		t.Errorf("revoke: %d", w.Code)
	}
	town.clock.at = town.clock.at.Add(31 * 24 * time.Hour)
}

func TestBodiesAreLimited(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	w := post(s, "/sign-in", url.Values{"username": {strings.Repeat("x", maxBody)}}, nil)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a form: %d", w.Code)
	}
	r := httptest.NewRequest(POST, "/api/v1/tokens", strings.NewReader(`{"name":"`+strings.Repeat("x", maxBody)+`"}`))
	r.Host = "127.0.0.1:8484"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+town.identity.OpenLocal())
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	if rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("JSON: %d %s", rec.Code, rec.Body)
	}
}

// Wherever a link asks to go after signing in, the browser stays on this server.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/projects/a?b=c#d", "//evil.example", "/\\evil.example", "/%2f/evil.example", "https://evil.example/", "/..//evil.example", "/\t/evil.example", "///", "/a:b@c"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://here.example/sign-in")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		path := localPath(next)
		to, err := base.Parse(path)
		if err != nil || to.Scheme != "https" || to.Host != "here.example" || to.User != nil {
			t.Fatalf("%q leads to %v, %v", next, to, err)
		}
		// What a browser drops or reads as a slash must not make it another server.
		if plain := strings.NewReplacer("\\", "/", "\t", "", "\r", "", "\n", "").Replace(path); strings.HasPrefix(plain, "//") || !strings.HasPrefix(plain, "/") {
			t.Fatalf("%q becomes %q", next, path)
		}
	})
}

// Nobody gets in by a header that nobody was given.
func FuzzWhoSendsTheRequest(f *testing.F) {
	s := New(newTown(f).deps())
	for _, seed := range [][2]string{{"Bearer adj_x", ""}, {"bearer  ", "adjudge_d1="}, {"Basic YTpi", "adjudge_d1=x; adjudge_d1=y"}, {"Bearer \x00", `adjudge_d1="\xff"`}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, authorization, cookie string) {
		for _, access := range []access{login, token, either, there, attempt} {
			r := httptest.NewRequest(GET, "/", nil)
			r.Header.Set("Authorization", authorization)
			r.Header.Set("Cookie", cookie)
			if secret, _ := bearer(r); secret == "attempt-secret" {
				return // that one was given
			}
			var c call
			if err := s.identify(r, route{access: access}, &c); fault.KindOf(err) != fault.Unauthenticated {
				t.Fatalf("%s lets in %+v, %v", access, c.visit.Actor, err)
			}
		}
	})
}
