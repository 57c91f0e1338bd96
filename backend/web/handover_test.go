package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/identity"
)

const (
	windowVerifier = "the verifier that only the window knows, 32 bytes and more"
	windowPort     = "41234"
)

func windowAsks() url.Values {
	return url.Values{"challenge": {identity.Challenge(windowVerifier)}, "state": {identity.Challenge("state")}, "port": {windowPort}}
}

var codeIn = regexp.MustCompile(`http-equiv="refresh" content="0;url=http://127\.0\.0\.1:41234/desktop/arrive\?code=([^&"]+)&amp;state=([^&"]+)"`)

// handedCode says yes in a browser that is signed in, and returns what is sent to
// the window.
func handedCode(t *testing.T, s *Server, secret string) string {
	t.Helper()
	w := post(s, handOverPath, windowAsks(), signedIn(s, secret))
	found := codeIn.FindStringSubmatch(w.Body.String())
	if w.Code != 200 || found == nil || found[2] != identity.Challenge("state") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return found[1]
}

func fetchBy(s *Server, code, verifier string, change func(*http.Request)) *httptest.ResponseRecorder {
	return post(s, handOverPath+"/fetch", url.Values{"code": {code}, "verifier": {verifier}}, func(r *http.Request) {
		r.Header.Set("Accept", "application/json")
		if change != nil {
			change(r)
		}
	})
}

func TestACodeForTheWindowIsGoodOnceForAMinuteAndForThatWindow(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	browser := town.cookie(t, "lead")

	// A thief has the code, from a list of processes or the browser's history.
	code := handedCode(t, s, browser)
	for what, w := range map[string]*httptest.ResponseRecorder{
		"another verifier": fetchBy(s, code, "a guess", nil),
		"no verifier":      fetchBy(s, code, "", nil),
		"a changed code":   fetchBy(s, code[:len(code)-2]+"AA", windowVerifier, nil),
		"no code":          fetchBy(s, "", windowVerifier, nil),
		"the challenge":    fetchBy(s, code, identity.Challenge(windowVerifier), nil),
	} {
		if w.Code != 422 || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: %d %v", what, w.Code, w.Result().Cookies())
		}
	}
	// None of it used the code up; the window has it, once.
	w := fetchBy(s, code, windowVerifier, nil)
	var said struct{ Name, Person string }
	if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != 200 || said.Person != string(town.people["lead"]) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	window := cookieOf(t, w).Value
	if window == browser {
		t.Error("window and browser share a login")
	}
	if w := ask(s, GET, "/account", signedIn(s, window)); w.Code != 200 {
		t.Errorf("the window is answered %d", w.Code)
	}
	if w := fetchBy(s, code, windowVerifier, nil); w.Code != 422 {
		t.Errorf("the second time: %d", w.Code)
	}
	late := handedCode(t, s, browser)
	town.clock.at = town.clock.at.Add(identity.HandOverLasts + time.Second)
	if w := fetchBy(s, late, windowVerifier, nil); w.Code != 422 {
		t.Errorf("after a minute: %d", w.Code)
	}
	// Only the newest code of a person is good.
	older := handedCode(t, s, browser)
	handedCode(t, s, browser)
	if w := fetchBy(s, older, windowVerifier, nil); w.Code != 422 {
		t.Errorf("an older code: %d", w.Code)
	}
}

func TestTheWayBackFromTheBrowserLeadsToThisComputerAlone(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	lead := signedIn(s, town.cookie(t, "lead"))
	for _, wrong := range []struct{ name, value string }{
		{"port", "80@evil.example"}, {"port", "evil.example"}, {"port", "0"}, {"port", "65536"}, {"port", "-1"}, {"port", "80/"}, {"port", ""},
		{"challenge", ""}, {"challenge", "short"}, {"challenge", `"><script>`}, {"challenge", identity.Challenge("x") + "="},
		{"state", ""}, {"state", "a&redirect=http://evil.example"}, {"state", strings.Repeat("a", 4000)},
	} {
		asks := windowAsks()
		asks.Set(wrong.name, wrong.value)
		asks.Set("redirect_uri", "http://evil.example")
		for _, w := range []*httptest.ResponseRecorder{ask(s, GET, handOverPath+"?"+asks.Encode(), lead), post(s, handOverPath, asks, lead)} {
			if w.Code != 422 || strings.Contains(w.Body.String(), "http-equiv") {
				t.Errorf("%s %.30q: %d", wrong.name, wrong.value, w.Code)
			}
		}
	}
	asks := windowAsks()
	asks.Set("redirect_uri", "http://evil.example")
	asks.Set("host", "evil.example")
	if w := post(s, handOverPath, asks, lead); w.Code != 200 || codeIn.FindString(w.Body.String()) == "" || strings.Contains(w.Body.String(), "evil") || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestALinkAloneSignsNobodyInToAWindow(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	lead := signedIn(s, town.cookie(t, "lead"))
	address := handOverPath + "?" + windowAsks().Encode()
	// Following it shows who would be signed in, and the digits to compare.
	w := ask(s, GET, address, lead)
	body := w.Body.String()
	if w.Code != 200 || codeIn.MatchString(body) || !strings.Contains(body, "as lead (lead)") || !strings.Contains(body, identity.Digits(identity.Challenge(windowVerifier))) {
		t.Errorf("%d %s", w.Code, body)
	}
	if !strings.Contains(w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("the page can be laid under another one")
	}
	// Neither does another site's form.
	for _, site := range []string{"cross-site", "same-site"} {
		w := post(s, handOverPath, windowAsks(), func(r *http.Request) { lead(r); r.Header.Set("Sec-Fetch-Site", site) })
		if w.Code != 403 || codeIn.MatchString(w.Body.String()) {
			t.Errorf("%s: %d", site, w.Code)
		}
	}
	// Whoever is not signed in does so first and comes back.
	w = ask(s, GET, address, nil)
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != 303 || to.Path != "/sign-in" || !strings.HasPrefix(to.Query().Get("next"), handOverPath+"?") || localPath(to.Query().Get("next")) == "/" {
		t.Errorf("%d %s", w.Code, to)
	}
	if w := post(s, handOverPath, windowAsks(), nil); w.Code == 200 {
		t.Errorf("without a login: %d", w.Code)
	}
}

func TestABrowserThatSignedInForTheWindowAloneIsSignedOutAgain(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	browser := town.cookie(t, "lead")
	asks := windowAsks()
	asks.Set("brief", "yes")
	w := post(s, handOverPath, asks, signedIn(s, browser))
	code := codeIn.FindStringSubmatch(w.Body.String())
	if code == nil || cookieOf(t, w).MaxAge >= 0 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(s, GET, "/account", signedIn(s, browser)); w.Code != 303 {
		t.Errorf("the browser is still signed in: %d", w.Code)
	}
	if w := fetchBy(s, code[1], windowVerifier, nil); w.Code != 200 {
		t.Errorf("the window was not signed in: %d %s", w.Code, w.Body)
	}
}

func TestALockedWindowIsOpenedOnlyByASignInFromAfterTheLock(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	browser := town.cookie(t, "lead")
	town.clock.at = town.clock.at.Add(time.Minute)
	window := lockedVisitor(t, town, s, "lead").Value
	atWindow := signedIn(s, window)
	if w := fetchBy(s, handedCode(t, s, browser), windowVerifier, atWindow); w.Code != 403 || len(w.Result().Cookies()) > 0 {
		t.Errorf("a browser that was open already unlocked the window: %d %s", w.Code, w.Body)
	}
	town.clock.at = town.clock.at.Add(time.Minute)
	w := fetchBy(s, handedCode(t, s, town.cookie(t, "lead")), windowVerifier, atWindow)
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(s, GET, "/account", signedIn(s, cookieOf(t, w).Value)); w.Code != 200 {
		t.Errorf("the window is answered %d", w.Code)
	}
	if w := ask(s, GET, "/locked", atWindow); w.Code != 303 {
		t.Errorf("the locked login is still there: %d", w.Code)
	}
}
