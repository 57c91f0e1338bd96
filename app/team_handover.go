package app

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// A sign-in at a provider is brought to the window from the system's browser,
// where people can see whom they give their password to, and where the provider
// may know them already:
//
//  1. The window's form for it stops here. Here a verifier is made, and the
//     browser is sent to a one-time address of ours, which binds that browser by
//     a cookie and leads on to the server with the challenge.
//  2. There the person signs in and says yes to who will be signed in here.
//  3. The server sends the browser back to /desktop/arrive with a code, which is
//     exchanged for the login together with the verifier.
//
// Whoever else reads an address on this computer (a list of processes, a
// browser's history) has a ticket that was used, or a code without its verifier.

// bringTime is how long a person may take in the browser.
const bringTime = 10 * time.Minute

// handOverPath is the server's page for it (backend/web/handover.go).
const handOverPath = "/window/sign-in"

// bring is a sign-in that was begun in the window.
type bring struct {
	verifier string
	state    string // comes back from the server
	ticket   string // opens the way in the browser, "" once it did
	browser  string // the cookie of the browser that went
	confirm  bool   // for one signature
	left     bool   // the provider shall ask anew
	next     string // where the window goes on
	agent    string // of the window
	made     time.Time
	done     bool
	wrong    string // why it failed, for the window
}

func (t *team) bringCookie() string { return t.name + "_browser" }

// speaking answers in the language of the window's pages.
func (t *team) speaking(r *http.Request) context.Context {
	return ui.In(r.Context(), ui.ChooseLanguage(t.logins.value("adjudge_language_"), r.Header.Get("Accept-Language")))
}

// setsOut reports whether a request of the window begins a sign-in at a provider.
func (t *team) setsOut(r *http.Request) bool {
	local, below := strings.CutPrefix(r.URL.Path, strings.TrimRight(t.target.Path, "/"))
	return r.Method == http.MethodPost && below && (local == "/sign-in/oidc" || local == "/confirm" || local == "/account/oidc")
}

// setOut begins one, and shows the page that waits for it.
func (t *team) setOut(w http.ResponseWriter, r *http.Request) {
	ctx := t.speaking(r)
	r = web.Bounded(w, r, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form is too long.", http.StatusRequestEntityTooLarge)
		return
	}
	server := t.pages.server
	if strings.HasSuffix(r.URL.Path, "/account/oidc") {
		t.pages.show(w, http.StatusOK, teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "bring.linked"), Text: ui.T(ctx, "bring.linked.text", "server", server), Go: t.path("/account")})
		return
	}
	if secret := r.PostForm.Get("token"); secret != "" {
		at := t.target.JoinPath("/welcome")
		at.RawQuery = url.Values{"token": {secret}}.Encode()
		if err := t.open(r.Context(), at.String()); err != nil {
			t.pages.show(w, http.StatusBadGateway, teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "bring.failed"), Text: page.Refusal(ctx, err), Go: t.path("/sign-in")})
			return
		}
		t.pages.show(w, http.StatusOK, teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "bring.invited"), Text: ui.T(ctx, "bring.invited.text"), Go: t.path("/sign-in"), GoText: ui.T(ctx, "bring.sign-in")})
		return
	}
	if knows, err := t.knowsHandOver(r.Context()); err != nil {
		t.fail(w, r, err)
		return
	} else if !knows {
		t.pages.show(w, http.StatusBadGateway, teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "bring.old", "server", server), Text: ui.T(ctx, "bring.old.text", "server", server), Go: t.path("/sign-in")})
		return
	}
	b := &bring{
		verifier: randomSecret(), state: identity.Challenge(randomSecret()), ticket: randomSecret(), browser: randomSecret(),
		confirm: strings.HasSuffix(r.URL.Path, "/confirm"), left: r.PostForm.Get("fresh") != "", next: t.path(r.PostForm.Get("next")),
		agent: r.UserAgent(), made: time.Now(),
	}
	t.mu.Lock()
	t.bring = b // one at a time: an older one ends with it
	t.mu.Unlock()
	t.openTicket(r.Context(), b)
	if strings.Contains(r.Header.Get("Accept"), "application/json") { // a page that stays as it is
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"digits": identity.Digits(identity.Challenge(b.verifier))}) // the page waits regardless
		return
	}
	t.pages.moveOn(w, "/desktop/sign-in")
}

// open opens an address in the system's browser.
func (t *team) open(ctx context.Context, address string) error {
	if t.opener == nil {
		return fault.New(fault.Unavailable, "This window cannot open a browser.")
	}
	return t.opener.OpenURL(ctx, address)
}

// openTicket sends the browser to the way out of here.
func (t *team) openTicket(ctx context.Context, b *bring) {
	t.mu.Lock()
	ticket := b.ticket
	t.mu.Unlock()
	if err := t.open(ctx, "http://"+t.host+"/desktop/browser?ticket="+ticket); err != nil {
		t.mu.Lock()
		b.wrong = fault.Message(err)
		t.mu.Unlock()
	}
}

// knowsHandOver asks whether the server can hand a sign-in over: it has the page
// and refuses what is not asked well, or it is older than that.
func (t *team) knowsHandOver(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.target.JoinPath(handOverPath).String(), nil)
	if err != nil {
		return false, err
	}
	answer, err := t.proxy.Transport.RoundTrip(request)
	if err != nil {
		return false, err
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= http.StatusBadGateway && answer.StatusCode <= http.StatusGatewayTimeout {
		return false, errGateway
	}
	return answer.StatusCode != http.StatusNotFound && answer.StatusCode != http.StatusMethodNotAllowed, nil
}

// leave is what the browser opens first: it is bound by a cookie, once, and sent
// on to the server.
func (t *team) leave(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	var b bring
	good := t.bring != nil && t.bring.ticket != "" && same(r.URL.Query().Get("ticket"), t.bring.ticket) && time.Since(t.bring.made) < bringTime
	if good {
		t.bring.ticket = ""
		b = *t.bring
	}
	t.mu.Unlock()
	if !good {
		t.refuseBring(w, r)
		return
	}
	// Lax: the way back comes from the server's own page.
	http.SetCookie(w, &http.Cookie{Name: t.bringCookie(), Value: b.browser, Path: "/desktop/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(bringTime.Seconds())})
	_, port, _ := strings.Cut(t.host, ":")
	query := url.Values{"challenge": {identity.Challenge(b.verifier)}, "state": {b.state}, "port": {port}}
	if b.confirm {
		query.Set("confirm", "yes")
	}
	if b.left {
		query.Set("left", "yes")
	}
	to := t.target.JoinPath(handOverPath)
	to.RawQuery = query.Encode()
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

// arrive is where the server sends that browser back to.
func (t *team) arrive(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	cookie, err := r.Cookie(t.bringCookie())
	t.mu.Lock()
	b := t.bring
	good := err == nil && b != nil && !b.done && b.ticket == "" && time.Since(b.made) < bringTime && same(cookie.Value, b.browser) && same(query.Get("state"), b.state)
	if good {
		b.done = true // once, whatever comes of it
	}
	t.mu.Unlock()
	if !good {
		t.refuseBring(w, r)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: t.bringCookie(), Path: "/desktop/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1})
	name, err := t.fetch(r.Context(), query.Get("code"), b.verifier, b.agent)
	ctx := ui.In(r.Context(), ui.ChooseLanguage("", r.Header.Get("Accept-Language")))
	t.mu.Lock()
	if err != nil {
		b.wrong = fault.Message(err)
	} else {
		b.verifier = ""
	}
	t.mu.Unlock()
	if t.opener != nil {
		_ = t.opener.Raise(r.Context()) // the page says where to go on
	}
	switch {
	case err != nil:
		t.pages.show(w, http.StatusBadGateway, teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "bring.failed"), Text: page.Refusal(ctx, err)})
	case b.confirm:
		t.pages.show(w, http.StatusOK, teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "bring.confirmed"), Text: ui.T(ctx, "bring.arrived.text", "name", name)})
	default:
		t.pages.show(w, http.StatusOK, teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "bring.arrived"), Text: ui.T(ctx, "bring.arrived.text", "name", name)})
	}
}

func (t *team) refuseBring(w http.ResponseWriter, r *http.Request) {
	ctx := ui.In(r.Context(), ui.ChooseLanguage("", r.Header.Get("Accept-Language")))
	t.pages.show(w, http.StatusForbidden, teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "bring.stranger"), Text: ui.T(ctx, "bring.stranger.text")})
}

// fetch exchanges the code for the login, which is kept here like every other
// cookie of the server, and returns whose it is.
func (t *team) fetch(ctx context.Context, code, verifier, agent string) (name string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTime)
	defer cancel()
	form := url.Values{"code": {code}, "verifier": {verifier}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.target.JoinPath(handOverPath, "fetch").String(), strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", agent)
	if cookies := t.logins.header(now()); cookies != "" {
		request.Header.Set("Cookie", cookies)
	}
	answer, err := t.proxy.Transport.RoundTrip(request)
	if err != nil {
		return "", fault.As(fault.Unavailable, err, "%s", t.pages.explain(ctx, err).Title)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return "", err
	}
	var said struct{ Name, Detail string }
	if err := json.Unmarshal(body, &said); err != nil {
		return "", fault.As(fault.Unavailable, err, "%s answered %d.", t.pages.server, answer.StatusCode)
	}
	if answer.StatusCode != http.StatusOK {
		return "", fault.New(fault.Denied, "%s", said.Detail)
	}
	return said.Name, t.logins.take(answer.Cookies(), now())
}

// waiting is the window's page meanwhile: it looks again by itself, and goes on
// when the sign-in is there.
func (t *team) waiting(w http.ResponseWriter, r *http.Request) {
	ctx := t.speaking(r)
	t.mu.Lock()
	var b bring
	current := t.bring
	if current != nil {
		b = *current
	}
	there, over := b.done && b.verifier == "", current == nil || b.wrong != "" || time.Since(b.made) >= bringTime
	again := r.Method == http.MethodPost && !b.done && !over
	if again {
		current.ticket, current.browser = randomSecret(), randomSecret()
	}
	if there || over {
		t.bring = nil
	}
	t.mu.Unlock()
	switch {
	case there:
		t.pages.moveOn(w, b.next)
	case over:
		page := teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "bring.failed"), Text: b.wrong, Go: t.path("/sign-in"), GoText: ui.T(ctx, "bring.sign-in")}
		if page.Text == "" {
			page.Text = ui.T(ctx, "bring.stranger.text")
		}
		t.pages.show(w, http.StatusOK, page)
	case again:
		t.openTicket(r.Context(), current)
		t.pages.moveOn(w, "/desktop/sign-in")
	default:
		t.pages.show(w, http.StatusOK, teamPage{
			Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "bring.title"), Text: ui.T(ctx, "bring.text", "server", t.pages.server), Digits: identity.Digits(identity.Challenge(b.verifier)),
			Look: true, Post: "/desktop/sign-in", PostText: ui.T(ctx, "bring.again"), Go: t.path("/sign-in"), GoText: ui.T(ctx, "bring.cancel"),
		})
	}
}
