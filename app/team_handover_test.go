package app

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/web"
)

// browserNative notes what the window opens in the system's browser.
type browserNative struct {
	web.Native
	opened chan string
}

func (n browserNative) OpenURL(_ context.Context, address string) error {
	n.opened <- address
	return nil
}

func (n browserNative) Raise(context.Context) error { return nil }

var digitsIn = regexp.MustCompile(`\d{3} \d{3}`)

// press presses a button of the window that leads to the provider, and returns
// the address that the browser opens.
func (w *teamWindow) press(path string, form url.Values, native browserNative) string {
	w.Helper()
	answer, body := w.sendForm(path, form)
	if answer.StatusCode != http.StatusOK || !strings.Contains(body, "/desktop/sign-in") {
		w.Fatalf("%s: %s\n%s", path, answer.Status, body)
	}
	select {
	case address := <-native.opened:
		if !strings.HasPrefix(address, w.base+"/desktop/browser?ticket=") || strings.Contains(address, "challenge") {
			w.Errorf("the browser is started with %s, which every user of this computer can read", address)
		}
		return address
	case <-time.After(patience):
		w.Fatal("no browser was opened")
		return ""
	}
}

func (w *teamWindow) sendForm(path string, form url.Values) (*http.Response, string) {
	w.Helper()
	return w.exchange("POST", path, form.Encode(), map[string]string{"Cookie": w.cookie.Name + "=" + w.cookie.Value, "Origin": w.base, "Content-Type": "application/x-www-form-urlencoded"})
}

// sayYes presses the button of the page that asks whether the window shall be
// signed in, and follows the way back to the window.
func (b *browser) sayYes(server string, at answerRead) (arrived string, end answerRead) {
	b.t.Helper()
	form := url.Values{}
	for _, field := range regexp.MustCompile(`type="hidden" name="(challenge|state|port|brief|confirm)" value="([^"]*)"`).FindAllStringSubmatch(at.text, -1) {
		form.Set(field[1], field[2])
	}
	away := b.post(server+handOverPath, form)
	to := refreshTo.FindStringSubmatch(away.text)
	if to == nil {
		b.t.Fatalf("the browser is not sent back: %d at %s\n%.900s", away.status, away.address, away.text)
	}
	arrived = strings.ReplaceAll(to[1], "&amp;", "&")
	return arrived, b.get(arrived)
}

// Nora has an account at the hospital alone. The window brings her sign-in from
// the browser, and her confirmation too.
func TestASignInAtAProviderIsBroughtToTheWindow(t *testing.T) {
	t.Parallel()
	p := startProvider(t, guest{Subject: "u-1", Username: "nora", Name: "Nora N."})
	server, _, stop := startServerWith(t, t.TempDir(), p.env(), p.flags()...)
	defer stop()
	native := browserNative{opened: make(chan string, 1)}
	w := openTeamWindow(t, server, nil, native)

	opened := w.press("/sign-in/oidc", url.Values{"next": {"/account"}}, native)
	_, waits := w.get("/desktop/sign-in")
	digits := digitsIn.FindString(waits)
	if digits == "" || !strings.Contains(waits, `http-equiv="refresh"`) {
		t.Errorf("the window shows\n%s", waits)
	}
	b := newBrowser(t)
	asked := b.get(opened) // the sign-in page of the server
	if asked.address.Path != "/sign-in" {
		t.Fatalf("the browser is at %s with %d", asked.address, asked.status)
	}
	asked = b.identify(p, b.setOut(server+"/sign-in/oidc", url.Values{"next": {asked.address.Query().Get("next")}}), "nora")
	if asked.address.Path != handOverPath || !strings.Contains(asked.text, "as Nora N. (nora)") || !strings.Contains(asked.text, digits) {
		t.Fatalf("the browser does not ask about Nora and %s: %s\n%.1500s", digits, asked.address, asked.text)
	}
	arrived, end := b.sayYes(server, asked)
	if end.status != http.StatusOK || !strings.Contains(end.text, "The Adjudge window is signed in") || !strings.Contains(end.text, "Nora N.") {
		t.Errorf("the browser ends at %d\n%s", end.status, end.text)
	}
	if _, body := w.get("/desktop/sign-in"); !strings.Contains(body, `content="0;url=/account"`) {
		t.Errorf("the window does not go on:\n%s", body)
	}
	if _, body := w.get("/api/v1/me"); !strings.Contains(body, `"username":"nora"`) {
		t.Errorf("the window is signed in as %s", body)
	}
	if name, _ := b.whoami(server); name != "" {
		t.Errorf("%s stays signed in in the browser, which was opened for the window alone", name)
	}
	if again := b.get(arrived); again.status != http.StatusForbidden {
		t.Errorf("the way back works twice: %d", again.status)
	}
	if again := b.get(opened); again.status != http.StatusForbidden {
		t.Errorf("the way out works twice: %d", again.status)
	}

	// What she signs in the window she confirms in the browser.
	opened = w.press("/confirm", url.Values{"next": {"/account"}}, native)
	asked = b.get(opened)
	asked = b.setOut(server+"/sign-in/oidc", url.Values{"next": {asked.address.Query().Get("next")}}) // known at the provider
	if asked.address.Path != handOverPath || !strings.Contains(asked.text, "Confirm with St. Mary") {
		t.Fatalf("the browser does not ask to confirm: %s\n%.1500s", asked.address, asked.text)
	}
	asked = b.identify(p, b.setOut(server+"/confirm", url.Values{"next": {asked.address.RequestURI()}}), "nora")
	if _, end = b.sayYes(server, asked); end.status != http.StatusOK || !strings.Contains(end.text, "Confirmed") {
		t.Errorf("the browser ends at %d\n%s", end.status, end.text)
	}
	w.get("/desktop/sign-in")
	if answer, body := w.sendForm("/account/password", url.Values{"password": {"a password of her own"}}); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the confirmation is worth nothing in the window: %s\n%.600s", answer.Status, body)
	}
}

// What others on this computer and other sites may try at the window's own end.
func TestOnlyTheBrowserThatWasSentBringsASignInBack(t *testing.T) {
	t.Parallel()
	var fetched int
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+handOverPath+"/fetch", func(w http.ResponseWriter, r *http.Request) {
		fetched++
		http.SetCookie(w, &http.Cookie{Name: "adjudge_x", Value: r.FormValue("code"), MaxAge: 60})
		_, _ = w.Write([]byte(`{"name":"Nora"}`))
	})
	mux.HandleFunc("GET "+handOverPath, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	})
	server := serverOf(t, mux)
	native := browserNative{opened: make(chan string, 1)}
	w := openTeamWindow(t, server, nil, native)
	opened := w.press("/sign-in/oidc", url.Values{"next": {"//evil.example/"}}, native)

	if answer, _ := w.bare("GET", strings.TrimPrefix(opened, w.base)+"x", nil); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a guessed ticket: %s", answer.Status)
	}
	answer, _ := w.bare("GET", strings.TrimPrefix(opened, w.base), nil)
	to, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to.String(), server+handOverPath+"?") || answer.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("the browser is sent to %v: %s", to, answer.Status)
	}
	var bound *http.Cookie
	for _, c := range answer.Cookies() {
		bound = c
	}
	if bound == nil || !bound.HttpOnly || bound.SameSite != http.SameSiteLaxMode || bound.Path != "/desktop/" {
		t.Fatalf("the browser is bound by %+v", bound)
	}
	asks := to.Query()
	if identity.ValidChallenge(asks.Get("challenge")) != nil || !strings.HasSuffix(w.base, ":"+asks.Get("port")) {
		t.Errorf("the server is asked %v", asks)
	}
	// Somebody else's sign-in is not planted here: not without the browser's
	// cookie, not with another state, not with another cookie.
	back := func(code, state string) string {
		return "/desktop/arrive?" + url.Values{"code": {code}, "state": {state}}.Encode()
	}
	mine := map[string]string{"Cookie": bound.Name + "=" + bound.Value}
	for what, r := range map[string]struct {
		path   string
		header map[string]string
	}{
		"another program":      {back("mallory", asks.Get("state")), nil},
		"another browser":      {back("mallory", asks.Get("state")), map[string]string{"Cookie": bound.Name + "=" + strings.Repeat("0", 64)}},
		"a link of a stranger": {back("mallory", asks.Get("challenge")), mine},
		"no state":             {back("mallory", ""), mine},
		"another name":         {back("mallory", asks.Get("state")), map[string]string{"Cookie": mine["Cookie"], "Host": "evil.example"}},
	} {
		if answer, _ := w.bare("GET", r.path, r.header); answer.StatusCode < 400 {
			t.Errorf("%s: %s", what, answer.Status)
		}
	}
	if fetched != 0 || w.team.logins.header(now()) != "" {
		t.Errorf("%d codes were taken; the window has %q", fetched, w.team.logins.header(now()))
	}
	if answer, body := w.bare("GET", back("nora", asks.Get("state")), mine); answer.StatusCode != http.StatusOK || w.team.logins.header(now()) != "adjudge_x=nora" {
		t.Errorf("the browser that was sent: %s %s", answer.Status, body)
	}
	if answer, _ := w.bare("GET", back("mallory", asks.Get("state")), mine); answer.StatusCode != http.StatusForbidden || fetched != 1 {
		t.Errorf("the second time: %s", answer.Status)
	}
	// It goes on inside, wherever the form wanted to lead.
	if _, body := w.get("/desktop/sign-in"); !strings.Contains(body, `content="0;url=/"`) {
		t.Errorf("the window goes on to\n%s", body)
	}
}

func TestAWindowSaysWhereAServerIsTooOldToSignItIn(t *testing.T) {
	t.Parallel()
	w := openTeamWindow(t, serverOf(t, http.NotFoundHandler()), nil, browserNative{})
	answer, body := w.sendForm("/sign-in/oidc", url.Values{})
	if answer.StatusCode != http.StatusBadGateway || !strings.Contains(body, "cannot sign in this window yet") || !strings.Contains(body, "with a password") {
		t.Errorf("%s\n%s", answer.Status, body)
	}
}

func TestWhatTheWindowSaysIsInItsPersonsLanguage(t *testing.T) {
	t.Parallel()
	w := openTeamWindow(t, serverOf(t, http.NotFoundHandler()), nil, browserNative{})
	answer, body := w.exchange("POST", "/sign-in/oidc", "", map[string]string{"Cookie": w.cookie.Name + "=" + w.cookie.Value, "Accept-Language": "de"})
	if answer.StatusCode != http.StatusBadGateway || !strings.Contains(body, `<html lang="de">`) || !strings.Contains(body, "kann dieses Fenster noch nicht anmelden") {
		t.Errorf("%s\n%s", answer.Status, body)
	}
}
