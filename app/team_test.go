package app

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/frontend/ui"
)

// teamWindow is a window's way to a server, as a webview uses it: it has the
// window's cookie and nothing else.
type teamWindow struct {
	*testing.T
	team   *team
	base   string
	cookie *http.Cookie
}

func openTeamWindow(t *testing.T, server string, transport http.RoundTripper, native web.Native) *teamWindow {
	t.Helper()
	target, err := teamAddress(server)
	if err != nil {
		t.Fatal(err)
	}
	logins, err := openLogins(filepath.Join(t.TempDir(), "login.json"))
	if err != nil {
		t.Fatal(err)
	}
	tm := newTeam(target, "d1", logins, native, transport, slog.New(slog.DiscardHandler))
	tm.met = func(string) string { return "" }
	front := httptest.NewServer(tm)
	t.Cleanup(front.Close)
	tm.host = strings.TrimPrefix(front.URL, "http://")
	w := &teamWindow{T: t, team: tm, base: front.URL}
	link, err := tm.link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := w.get("/launch?token=" + link)
	for _, c := range answer.Cookies() {
		w.cookie = c
	}
	if w.cookie == nil || !w.cookie.HttpOnly || w.cookie.SameSite != http.SameSiteStrictMode {
		t.Fatalf("the window was given the cookie %+v", w.cookie)
	}
	if again, _ := w.bare("GET", "/launch?token="+link, nil); again.StatusCode != http.StatusForbidden {
		t.Errorf("a one-time link works twice: %s", again.Status)
	}
	return w
}

// bare asks without the window's cookie.
func (w *teamWindow) bare(method, path string, header map[string]string) (*http.Response, string) {
	w.Helper()
	return w.exchange(method, path, "", header)
}

func (w *teamWindow) exchange(method, path, sent string, header map[string]string) (*http.Response, string) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), method, w.base+path, strings.NewReader(sent))
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	if host := header["Host"]; host != "" {
		request.Host = host
	}
	answer, err := (&http.Transport{}).RoundTrip(request)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer, string(body)
}

func (w *teamWindow) ask(method, path string, header map[string]string) (*http.Response, string) {
	w.Helper()
	all := map[string]string{}
	if w.cookie != nil {
		all["Cookie"] = w.cookie.Name + "=" + w.cookie.Value + "; stray=1"
	}
	for name, value := range header {
		all[name] = value
	}
	return w.bare(method, path, all)
}

func (w *teamWindow) get(path string) (*http.Response, string) {
	w.Helper()
	return w.ask("GET", path, nil)
}

// serverOf starts a server and returns its address.
func serverOf(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAWindowOnATeamsServerIsABrowserAtThatServersAddress(t *testing.T) {
	t.Parallel()
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		if r.URL.Path == "/sign-in" {
			http.SetCookie(w, &http.Cookie{Name: "adjudge_x", Value: "secret", MaxAge: 3600, HttpOnly: true})
			http.SetCookie(w, &http.Cookie{Name: "flash", Value: "1"})
			w.Header().Set("Strict-Transport-Security", "max-age=1")
			w.Header().Set("Location", "http://"+r.Host+"/projects/a?b=c")
			w.WriteHeader(http.StatusSeeOther)
		}
		_, _ = io.WriteString(w, "the page")
	}))
	t.Cleanup(server.Close)
	w := openTeamWindow(t, server.URL, nil, nil)
	there := strings.TrimPrefix(server.URL, "http://")

	answer, _ := w.ask("POST", "/sign-in", map[string]string{"Origin": w.base, "Referer": w.base + "/sign-in?next=/x", "Sec-Fetch-Site": "same-origin"})
	if got.Host != there || got.Header.Get("Origin") != server.URL || got.Header.Get("Referer") != server.URL+"/sign-in?next=/x" {
		t.Errorf("the server sees Host %q, Origin %q, Referer %q", got.Host, got.Header.Get("Origin"), got.Header.Get("Referer"))
	}
	if got.Header.Get("Cookie") != "" {
		t.Errorf("the window's own cookie went to the server: %q", got.Header.Get("Cookie"))
	}
	if answer.Header.Get("Location") != "/projects/a?b=c" || answer.Header.Get("Strict-Transport-Security") != "" || len(answer.Cookies()) != 0 {
		t.Errorf("the window was answered %v", answer.Header)
	}
	if _, body := w.get("/"); body != "the page" || got.Header.Get("Cookie") != "adjudge_x=secret; flash=1" {
		t.Errorf("signed in, the server sees the cookies %q and the window %q", got.Header.Get("Cookie"), body)
	}
	w.ask("GET", "/", map[string]string{"Referer": "http://elsewhere.example/secret"})
	if got.Header.Get("Referer") != "" {
		t.Errorf("the server learns where the window was before: %q", got.Header.Get("Referer"))
	}

	info, err := os.Stat(w.team.logins.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the sign-in is kept as %v (%v)", info, err)
	}
	again, err := openLogins(w.team.logins.path)
	if err != nil || again.header(now()) != "adjudge_x=secret" {
		t.Errorf("the next window has the cookies %q (%v), want the lasting one", again.header(now()), err)
	}
	if again.header(now().Add(2*time.Hour)) != "" {
		t.Error("a cookie outlives its end")
	}
	if err := again.take([]*http.Cookie{{Name: "adjudge_x", MaxAge: -1}}, now()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(w.team.logins.path); !os.IsNotExist(err) {
		t.Errorf("after signing out the file stands there still (%v)", err)
	}
}

func TestNobodyButTheWindowUsesItsSignIn(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(server.Close)
	w := openTeamWindow(t, server.URL, nil, nil)
	for what, r := range map[string]struct {
		method, path string
		header       map[string]string
		mine         bool
		want         int
	}{
		"another program":                  {"GET", "/api/v1/projects", nil, false, http.StatusForbidden},
		"another program, writing":         {"POST", "/sign-out", nil, false, http.StatusForbidden},
		"a guessed cookie":                 {"GET", "/", map[string]string{"Cookie": "adjudge_window_d1=" + strings.Repeat("0", 64)}, false, http.StatusForbidden},
		"a page of another site, writing":  {"POST", "/sign-out", map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, true, http.StatusForbidden},
		"another port of this machine":     {"POST", "/sign-out", map[string]string{"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"}, true, http.StatusForbidden},
		"a name that was pointed here":     {"GET", "/", map[string]string{"Host": "evil.example"}, true, http.StatusMisdirectedRequest},
		"raising without the right secret": {"POST", "/desktop/raise", map[string]string{"Authorization": "Bearer x"}, true, http.StatusUnauthorized},
		"an old link":                      {"GET", "/launch?token=x", nil, false, http.StatusForbidden},
	} {
		send := w.bare
		if r.mine {
			send = w.ask
		}
		if answer, _ := send(r.method, r.path, r.header); answer.StatusCode != r.want {
			t.Errorf("%s: %s, want %d", what, answer.Status, r.want)
		}
	}
	if asked != 0 {
		t.Errorf("%d of them reached the server", asked)
	}
}

func TestAWebSocketReachesTheTeamsServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "http://"+r.Host {
			http.Error(w, "origin", http.StatusForbidden)
			return
		}
		conn, both, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		line, _ := both.ReadString('\n')
		_, _ = io.WriteString(conn, "heard "+line)
	}))
	t.Cleanup(server.Close)
	w := openTeamWindow(t, server.URL, nil, nil)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.team.host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, _ = fmt.Fprintf(conn, "GET /projects/a/live HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nCookie: %s=%s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", w.team.host, w.base, w.cookie.Name, w.cookie.Value)
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the socket was answered %v (%v)", answer, err)
	}
	_, _ = io.WriteString(conn, "hello\n")
	if line, err := in.ReadString('\n'); line != "heard hello\n" {
		t.Errorf("through the socket came %q (%v)", line, err)
	}
}

func TestAServerThatIsDownIsSaidAndTriedAgain(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	w := openTeamWindow(t, server.URL, nil, nil)
	server.Close()
	answer, body := w.get("/projects/a/items")
	if answer.StatusCode != http.StatusBadGateway || !strings.Contains(body, `http-equiv="refresh"`) || !strings.Contains(body, "does not answer") || !strings.Contains(body, "is kept on this computer") {
		t.Errorf("%s\n%s", answer.Status, body)
	}
	if _, body = w.get("/desktop/welcome"); !strings.Contains(body, `http-equiv="refresh"`) {
		t.Errorf("a window that opens meanwhile shows\n%s", body)
	}
	answer, body = w.ask("POST", "/projects/a/schema", map[string]string{"Origin": w.base})
	if strings.Contains(body, "http-equiv") || !strings.Contains(body, "go back") {
		t.Errorf("a form is sent again by itself: %s\n%s", answer.Status, body)
	}
	// What the outbox sends must come back as something that is tried later.
	answer, body = w.ask("PUT", "/api/v1/projects/a/annotations/1", map[string]string{"Accept": "application/json", "Origin": w.base})
	var problem struct{ Detail, Kind string }
	if err := json.Unmarshal([]byte(body), &problem); err != nil || answer.StatusCode < 500 || problem.Kind != "unavailable" {
		t.Errorf("the outbox is answered %s %s (%v)", answer.Status, body, err)
	}
}

func TestAProviderThatTheWindowCannotFollowIsSaid(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://sso.example/authorize?state=s", http.StatusSeeOther)
	}))
	t.Cleanup(server.Close)
	w := openTeamWindow(t, server.URL, nil, nil)
	answer, body := w.get("/sign-in/oidc")
	if answer.Header.Get("Location") != "" || !strings.Contains(body, "sso.example") || !strings.Contains(body, "with a password") || strings.Contains(body, "http-equiv") {
		t.Errorf("%s\n%s", answer.Status, body)
	}
}

func TestAProxyThatMissesItsServerIsAServerThatIsDown(t *testing.T) {
	t.Parallel()
	ours := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if ours {
			w.Header().Set("X-Request-Id", "r")
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "their words")
	}))
	t.Cleanup(server.Close)
	w := openTeamWindow(t, server.URL, nil, nil)
	if _, body := w.get("/"); body != "their words" {
		t.Errorf("what the server itself says is shown as\n%s", body)
	}
	ours = false
	if _, body := w.get("/"); !strings.Contains(body, "does not answer") {
		t.Errorf("what a proxy says is shown as\n%s", body)
	}
}

func TestAWrongCertificateIsRefusedInWords(t *testing.T) {
	t.Parallel()
	reached := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(server.Close)
	known := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	transport := func(config *tls.Config) *http.Transport {
		tr := teamTransport()
		tr.TLSClientConfig = config
		return tr
	}
	port := server.URL[strings.LastIndexByte(server.URL, ':'):]
	for what, c := range map[string]struct {
		server string
		config *tls.Config
		says   string
	}{
		"of an unknown issuer": {server.URL, &tls.Config{}, "who issued it"},
		"of another name":      {"https://localhost" + port, &tls.Config{RootCAs: known}, "another name"},
		"that has expired":     {server.URL, &tls.Config{RootCAs: known, Time: func() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }}, "expired"},
	} {
		w := openTeamWindow(t, c.server, transport(c.config), nil)
		for _, path := range []string{"/", "/desktop/welcome"} {
			_, body := w.get(path)
			if !strings.Contains(body, c.says) || !strings.Contains(body, "nothing was sent") || strings.Contains(body, "http-equiv") || strings.Contains(body, "<a ") {
				t.Errorf("a certificate %s: %s shows\n%s", what, path, body)
			}
		}
	}
	if reached != 0 {
		t.Errorf("%d requests went through", reached)
	}
	w := openTeamWindow(t, server.URL, transport(&tls.Config{RootCAs: known}), nil)
	if answer, _ := w.get("/"); answer.StatusCode != http.StatusOK || reached != 1 {
		t.Errorf("with the right certificate: %s", answer.Status)
	}
}

func TestAWindowSaysWhatWorksWithAServerOfAnotherVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ there, here, says string }{
		{"v1.4.0", "v1.4.9", ""},
		{"v1.4.2-3-gabcdef", "1.4.0", ""},
		{"v1.5.0", "v1.4.9", "is newer than this window"},
		{"v2.0.0", "v1.9.0", "is newer than this window"},
		{"v1.3.0", "v1.4.0", "is older than this window"},
		{"v1.10.0", "v1.9.0", "is newer than this window"},
		{"", "v1.4.0", "is older than this window"},
		{"dev-0123abcd", "v1.4.0", ""},
		{"v1.3.0", "dev", ""},
	} {
		page := compareVersions(t.Context(), "team.example", c.there, c.here)
		if (page.Title == "") != (c.says == "") || !strings.Contains(page.Title, c.says) {
			t.Errorf("server %q, window %q: %q", c.there, c.here, page.Title)
		}
	}
	german := ui.In(t.Context(), ui.ChooseLanguage("de", ""))
	if page := compareVersions(german, "team.example", "v1.5.0", "v1.4.0"); page.Lang != "de" || page.Title != "team.example ist neuer als dieses Fenster" {
		t.Errorf("a German window says %q", page.Title)
	}
}

func TestAWindowSaysInGermanThatItsServerIsDown(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	w := openTeamWindow(t, server.URL, nil, nil)
	server.Close()
	_, body := w.exchange("GET", "/", "", map[string]string{"Accept": "text/html", "Accept-Language": "de-AT,de;q=0.9", "Cookie": w.cookie.Name + "=" + w.cookie.Value})
	for _, says := range []string{`<html lang="de">`, "antwortet nicht", "Jetzt noch einmal versuchen", "alle " + reloadSeconds + " Sekunden"} {
		if !strings.Contains(body, says) {
			t.Errorf("the page does not say %q:\n%s", says, body)
		}
	}
}

func TestAWindowGoesOnOnlyToAnAdjudge(t *testing.T) {
	t.Parallel()
	answers := map[string]http.HandlerFunc{
		"this version": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/labels/api/v1/version" {
				_, _ = fmt.Fprintf(w, `{"name":"adjudge","version":%q}`, version())
			}
		},
		"before it had a version": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/labels/healthz" {
				http.NotFound(w, r)
				return
			}
			_, _ = io.WriteString(w, "ok\n")
		},
		"another program": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<h1>Welcome to nginx!</h1>") },
	}
	for what, says := range map[string]string{
		"this version":            `content="0;url=/labels/projects"`,
		"before it had a version": `is older than this window`,
		"another program":         "There is no Adjudge at",
	} {
		server := httptest.NewServer(answers[what])
		t.Cleanup(server.Close)
		w := openTeamWindow(t, server.URL+"/labels/", nil, nil)
		met := 0
		w.team.met = func(string) string { met++; return "another" }
		_, body := w.get("/desktop/welcome?next=" + url.QueryEscape("/projects"))
		if !strings.Contains(body, says) {
			t.Errorf("%s: the window shows\n%s", what, body)
		}
		if (met == 0) != (what == "another program") {
			t.Errorf("%s: remembered %d times", what, met)
		}
	}
}

// savingNative chooses a file in a folder without asking.
type savingNative struct {
	web.Native
	folder string
}

func (n savingNative) SaveAs(_ context.Context, name string) (web.NativeFile, error) {
	return createChosen(filepath.Join(n.folder, name))
}

func TestADownloadFromATeamsServerIsSavedByTheWindow(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "login=1" {
			t.Errorf("the download was asked for with the cookies %q", r.Header.Get("Cookie"))
		}
		w.Header().Set("Content-Disposition", `attachment; filename="labels.csv"`)
		_, _ = io.WriteString(w, "key,class\n")
		if r.URL.Query().Has("half") {
			panic(http.ErrAbortHandler)
		}
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(server.Close)
	folder := t.TempDir()
	w := openTeamWindow(t, server.URL, nil, savingNative{folder: folder})
	if err := w.team.logins.take([]*http.Cookie{{Name: "login", Value: "1"}}, now()); err != nil {
		t.Fatal(err)
	}
	path := "/desktop/save?path=" + url.QueryEscape("/projects/a/export.csv")
	answer, body := w.ask("POST", path, map[string]string{"Origin": w.base})
	text, err := os.ReadFile(filepath.Join(folder, "labels.csv"))
	if answer.StatusCode != http.StatusOK || string(text) != "key,class\n" {
		t.Errorf("%s %s: the file holds %q (%v)", answer.Status, body, text, err)
	}
	if answer, _ := w.bare("POST", path, nil); answer.StatusCode != http.StatusForbidden {
		t.Errorf("another program saves files: %s", answer.Status)
	}
}

func TestAnAddressOfATeamIsReadAsPeopleTypeIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://Team.example/labels/": "https://team.example/labels",
		"team.example":                 "https://team.example",
		" team.example:8443 ":          "https://team.example:8443",
		"http://127.0.0.1:8484":        "http://127.0.0.1:8484",
		"http://localhost:8484":        "http://localhost:8484",
		"http://team.example":          "",
		"ftp://team.example":           "",
		"https://user:pw@team.example": "",
		"":                             "",
		"https://":                     "",
	} {
		u, err := teamAddress(text)
		if (err != nil) != (want == "") || err == nil && u.String() != want {
			t.Errorf("%q is read as %v (%v), want %q", text, u, err, want)
		}
	}
	a, _ := teamAddress("https://team.example")
	b, _ := teamAddress("https://team.example/labels")
	if teamDir("d", a) == teamDir("d", b) {
		t.Error("two servers of one site share what the browser stored")
	}
}

func TestAWindowComesBackToTheServerThatItShowed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if got := rememberedServer(dir); got != "" {
		t.Errorf("a first start goes to %q", got)
	}
	for _, server := range []string{"https://team.example", ""} {
		if err := rememberServer(dir, server); err != nil {
			t.Fatal(err)
		}
		if got := rememberedServer(dir); got != server {
			t.Errorf("remembered %q, want %q", got, server)
		}
	}
}
