package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/web"
)

// team shows a team's server in the desktop window. The window stays on
// loopback, where native endpoints work and browser storage has an origin of
// its own, and every request is passed on to the server. The team's cookies
// never reach the window: they are kept here, and whoever asks on loopback must
// have the window's own cookie, which only a one-time link gives.
type team struct {
	target *url.URL // of the server; its path is the one below which that stands
	host   string   // 127.0.0.1:PORT, the only Host that is answered
	name   string   // of the window's own cookie
	secret string   // its value, new at every start
	raise  string   // token with which a second start finds this one
	logins *loginJar
	proxy  *httputil.ReverseProxy
	native http.Handler
	opener web.Native // opens the system's browser, and raises the window
	log    *slog.Logger
	pages  teamPages
	// met is told the server's version when it was reached, and returns the one
	// that the person was told of before.
	met     func(version string) (noted string)
	handler http.Handler

	mu    sync.Mutex
	links map[string]time.Time // one-time links that were not followed yet
	bring *bring               // a sign-in that a browser is asked for, nil for none
}

// launchTime is how long a one-time link to the window works.
const launchTime = time.Minute

// newTeam prepares the window's way to a server. client makes the requests; nil
// stands for the system's proxies and certificates.
func newTeam(target *url.URL, id string, logins *loginJar, native web.Native, client http.RoundTripper, log *slog.Logger) *team {
	if client == nil {
		client = teamTransport()
	}
	t := &team{
		target: target, name: "adjudge_window_" + id, secret: randomSecret(), raise: randomSecret(), logins: logins,
		log: log, links: map[string]time.Time{}, pages: teamPages{server: target.Host}, opener: native,
	}
	t.proxy = &httputil.ReverseProxy{
		Rewrite: t.rewrite, ModifyResponse: t.modify, ErrorHandler: t.fail, Transport: client,
		FlushInterval: -1, // logs and exports are shown as they come
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	guard := http.NewCrossOriginProtection()
	t.handler = guard.Handler(http.HandlerFunc(t.serve))
	t.native = web.NativeHandler(native, t.handler)
	return t
}

// teamTransport is the way to the server: the system's proxies and certificates,
// and no waiting for one that does not answer.
func teamTransport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	transport.DisableCompression = true // what the window asked for passes as it is
	transport.MaxIdleConnsPerHost = 16
	return transport
}

func randomSecret() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	return hex.EncodeToString(raw[:])
}

// ServeHTTP answers the window.
func (t *team) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A page of another site whose name was pointed here gets nothing.
	if r.Host != t.host {
		http.Error(w, "The desktop window does not answer under this name.", http.StatusMisdirectedRequest)
		return
	}
	t.handler.ServeHTTP(w, r)
}

func (t *team) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/desktop/page.css":
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write([]byte(teamPageStyle))
	case r.URL.Path == "/desktop/raise":
		if !same(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), t.raise) {
			http.Error(w, "This is for the program that opened the window.", http.StatusUnauthorized)
			return
		}
		t.native.ServeHTTP(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/launch" && t.follow(r.URL.Query().Get("token")):
		http.SetCookie(w, &http.Cookie{Name: t.name, Value: t.secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		t.pages.moveOn(w, "/desktop/welcome?next="+url.QueryEscape(t.path(r.URL.Query().Get("next"))))
	case r.Method == http.MethodGet && r.URL.Path == "/desktop/browser":
		t.leave(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/desktop/arrive":
		t.arrive(w, r)
	case !t.ours(r):
		t.pages.stranger(t.speaking(r), w)
	case r.URL.Path == "/launch" && t.target.Path != "/launch":
		t.pages.moveOn(w, t.path("/")) // a reload of the first page
	case r.URL.Path == "/desktop/welcome":
		t.welcome(w, r)
	case r.URL.Path == "/desktop/sign-in":
		t.waiting(w, r)
	case t.setsOut(r):
		t.setOut(w, r)
	case strings.HasPrefix(r.URL.Path, "/desktop/"):
		t.native.ServeHTTP(w, r.WithContext(t.speaking(r)))
	default:
		t.proxy.ServeHTTP(w, r)
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// ours reports whether a request has the window's cookie.
func (t *team) ours(r *http.Request) bool {
	cookie, err := r.Cookie(t.name)
	return err == nil && same(cookie.Value, t.secret)
}

// link makes a one-time link that lets the window in.
func (t *team) link(context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	secret := randomSecret()
	t.links[secret] = time.Now()
	return secret, nil
}

// follow uses up a one-time link.
func (t *team) follow(secret string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	made, known := t.links[secret]
	delete(t.links, secret)
	return known && time.Since(made) < launchTime
}

// path returns a local path of the server below the path at which that stands.
func (t *team) path(local string) string {
	below := strings.TrimRight(t.target.EscapedPath(), "/")
	if !strings.HasPrefix(local, "/") || strings.HasPrefix(local, "//") || strings.ContainsAny(local, "\\\t\r\n") {
		local = "/"
	}
	if below != "" && (local == below || strings.HasPrefix(local, below+"/")) {
		return local
	}
	return below + local
}

// rewrite makes the window's request one of a browser at the server's own
// address: under its Host and Origin, and with its cookies rather than ours.
func (t *team) rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = t.target.Scheme, t.target.Host, t.target.Host
	p.Out.Header.Del("Cookie")
	if cookies := t.logins.header(now()); cookies != "" {
		p.Out.Header.Set("Cookie", cookies)
	}
	own, there := "http://"+t.host, t.target.Scheme+"://"+t.target.Host
	for _, name := range []string{"Origin", "Referer", "HX-Current-URL"} {
		value := p.In.Header.Get(name)
		switch {
		case value == own || strings.HasPrefix(value, own+"/"):
			p.Out.Header.Set(name, there+strings.TrimPrefix(value, own))
		case value != "" && value != "null" && name != "Origin":
			p.Out.Header.Del(name) // where else the window has been is not the server's business
		}
	}
}

// modify makes the server's answer one of the window's own address.
func (t *team) modify(r *http.Response) error {
	if err := t.logins.take(r.Cookies(), now()); err != nil {
		t.log.Error("the sign-in is not remembered", "error", err)
	}
	if r.StatusCode >= http.StatusBadGateway && r.StatusCode <= http.StatusGatewayTimeout && r.Header.Get("X-Request-Id") == "" {
		return errGateway // a proxy before the server says that the server does not answer
	}
	r.Header.Del("Set-Cookie")
	r.Header.Del("Strict-Transport-Security") // the window's own address has no https
	for _, name := range []string{"Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "HX-Replace-Url"} {
		to, err := url.Parse(r.Header.Get(name))
		if err != nil || to.Host == "" {
			continue
		}
		if to.Scheme == t.target.Scheme && to.Host == t.target.Host {
			to.Scheme, to.Host, to.User = "", "", nil
			r.Header.Set(name, to.String())
		} else {
			return elsewhere{to.Host}
		}
	}
	return nil
}

// elsewhere says that the server sends the window to another site, as for
// signing in by a provider. That site would send it back to the server's own
// address, where neither this window's sign-in nor its storage is.
type elsewhere struct{ host string }

func (e elsewhere) Error() string { return "the server sends the window to " + e.host }

var errGateway = errors.New("the proxy in front of the server gets no answer from it")

// fail answers what did not get through to the server.
func (t *team) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) {
		return // the window asks no more
	}
	t.log.Debug("no answer from the team's server", "error", err)
	t.pages.unreachable(t.speaking(r), w, r, err)
}

// teamAddress reads the address of a team's server as a person types it.
func teamAddress(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if text != "" && !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usage{fmt.Errorf("%q is no address of a server; it looks like https://adjudge.example.org", text)}
	}
	if u.Scheme == "http" && !atHome(u.Hostname()) {
		return nil, usage{fmt.Errorf("%s is not encrypted: passwords and answers could be read on their way; use https", text)}
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Path: strings.TrimRight(u.Path, "/")}, nil
}

// atHome reports whether a host is this machine, to which nothing is read on its way.
func atHome(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
