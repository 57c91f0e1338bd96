//go:build e2e && monday

package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/adjudge/adjudge/backend/blob/blobtest"
	"github.com/adjudge/adjudge/backend/live"
	"github.com/adjudge/adjudge/backend/store"
)

// pair is two servers on one PostgreSQL and one bucket, behind nginx with TLS,
// which sends them requests by turns.
type pair struct {
	t        *testing.T
	url      string // as people reach it
	database string
	blobs    string
	keyFile  string
	trust    *x509.CertPool
	servers  [2]*site
}

// startPair starts two servers on a database that seed has filled.
// flags and environment variables are what both are told besides.
func startPair(t *testing.T, database string, seed func(*store.Tx) error, env []string, flags ...string) *pair {
	t.Helper()
	p := &pair{t: t, database: database, blobs: blobtest.Start(t).Address("files"), keyFile: filepath.Join(t.TempDir(), "secret")}
	if err := os.WriteFile(p.keyFile, []byte(strings.Repeat("monday ", 6)), 0o600); err != nil {
		t.Fatal(err)
	}
	if seed != nil {
		db, err := store.Open(t.Context(), database, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Update(t.Context(), seed), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	var at [2]string
	for i := range at {
		at[i] = "127.0.0.1:" + freePort(t)
	}
	p.url, p.trust = startNginx(t, "/", at[:]...)
	for i := range p.servers {
		s := &site{t: t, data: t.TempDir(), verb: "serve", env: append(p.environment(), env...),
			flags: append([]string{"--database", database, "--blobs", p.blobs, "--key-file", p.keyFile, "--url", p.url, "--trusted-proxy", "127.0.0.1"}, flags...)}
		p.servers[i] = s
		s.start(at[i])
		t.Cleanup(func() {
			s.end(syscall.SIGTERM)
			if t.Failed() {
				t.Logf("server %d said:\n%.6000s", i+1, s.output)
			}
		})
	}
	return p
}

// environment is what servers and commands are told beside their flags.
func (p *pair) environment() []string {
	return append(blobtest.Environment(), "ADJUDGE_DATABASE="+p.database, "ADJUDGE_BLOBS="+p.blobs, "ADJUDGE_KEY_FILE="+p.keyFile)
}

// seat is a person at a browser, with cookies of their own, at an address of their own.
type seat struct {
	t       *testing.T
	origin  string
	address string // that nginx sees them come from
	client  *http.Client
	me      struct{ ID, Username, Name string }
}

// seat opens an empty one that reaches the servers through nginx.
func (p *pair) seat(address string) *seat { return p.seatAt(p.url, address) }

// seatAt opens one on another origin, as on one server alone.
func (p *pair) seatAt(origin, address string) *seat {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.trust}, MaxIdleConnsPerHost: 4}
	p.t.Cleanup(transport.CloseIdleConnections)
	return &seat{t: p.t, origin: origin, address: address, client: &http.Client{Jar: jar, Transport: transport, Timeout: 15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// send sends a request and returns what came back; err says that nothing did.
func (b *seat) send(ctx context.Context, method, path, kind string, body io.Reader) (status int, answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, b.origin+path, body)
	if err != nil {
		return 0, nil, err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if b.address != "" {
		request.Header.Set("X-Forwarded-For", b.address)
	}
	response, err := b.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// post sends a form.
func (b *seat) post(path string, fields url.Values) (status int, page string) {
	b.t.Helper()
	status, answer, err := b.send(b.t.Context(), http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(fields.Encode()))
	if err != nil {
		b.t.Fatalf("%s: %v", path, err)
	}
	return status, string(answer)
}

// get gets a page.
func (b *seat) get(path string) (status int, page string) {
	b.t.Helper()
	status, answer, err := b.send(b.t.Context(), http.MethodGet, path, "", nil)
	if err != nil {
		b.t.Fatalf("%s: %v", path, err)
	}
	return status, string(answer)
}

// try asks the API and decodes what it answers, unless out is nil; err says that
// no answer came.
func (b *seat) try(ctx context.Context, method, path string, body, out any) (status int, err error) {
	var content io.Reader
	kind := ""
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		content, kind = bytes.NewReader(text), "application/json"
	}
	status, answer, err := b.send(ctx, method, "/api/v1"+path, kind, content)
	if err == nil && out != nil && status < 300 {
		err = json.Unmarshal(answer, out)
	}
	return status, err
}

// api is try for what must be answered well.
func (b *seat) api(method, path string, body, out any) {
	b.t.Helper()
	if status, err := b.try(b.t.Context(), method, path, body, out); err != nil || status >= 300 {
		b.t.Fatalf("%s %s: %d, %v", method, path, status, err)
	}
}

// whoami learns who is signed in.
func (b *seat) whoami() *seat {
	b.t.Helper()
	b.api(http.MethodGet, "/me", nil, &b.me)
	return b
}

// arrive takes a one-time link with a password.
func (b *seat) arrive(link, username, name string) *seat {
	b.t.Helper()
	at, err := url.Parse(link)
	if err != nil {
		b.t.Fatal(err)
	}
	status, page := b.post(at.Path, url.Values{"token": {at.Query().Get("token")}, "username": {username}, "name": {name}, "password": {password}})
	if status != http.StatusSeeOther {
		b.t.Fatalf("%s was not let in: %d\n%.2000s", username, status, page)
	}
	return b.whoami()
}

// arriveBy takes a one-time link with an account at the hospital's provider.
func (b *seat) arriveBy(at *provider, link, username string) *seat {
	b.t.Helper()
	where, err := url.Parse(link)
	if err != nil {
		b.t.Fatal(err)
	}
	following := *b.client
	following.CheckRedirect, following.Timeout = nil, time.Minute
	(&browser{Client: &following, t: b.t}).signInAt(at, b.origin, username, url.Values{"token": {where.Query().Get("token")}})
	return b.whoami()
}

// signIn signs in with a password and returns the status of the answer.
func (b *seat) signIn(username, secret string) int {
	b.t.Helper()
	status, _ := b.post("/sign-in", url.Values{"username": {username}, "password": {secret}})
	return status
}

// firstAdmin follows the link that the server printed which started last: a
// start without an admin makes the links of others before it worthless.
func (p *pair) firstAdmin(username, name string) *seat {
	p.t.Helper()
	return p.seat("").arrive(p.url+p.servers[1].firstLink(), username, name)
}

// via makes what a browser asks go to one server alone, past nginx, with the
// cookies that it has.
func (p *pair) via(b *seat, server int) *seat {
	p.t.Helper()
	direct := p.seatAt(p.servers[server].url, b.address)
	direct.client.Jar = forward{b.client.Jar, p.url}
	direct.me = b.me
	return direct
}

// forward hands out the cookies of another origin.
type forward struct {
	http.CookieJar
	origin string
}

func (f forward) Cookies(*url.URL) []*http.Cookie {
	at, _ := url.Parse(f.origin)
	return f.CookieJar.Cookies(at)
}

// socket is an open page's connection.
type socket struct {
	t      *testing.T
	conn   *websocket.Conn
	closed chan struct{}

	mu    sync.Mutex
	heard []live.Message
	at    time.Time // when it was closed
	err   error
}

// listen opens the socket of a page on one server.
func (p *pair) listen(b *seat, server int, project, page string) *socket {
	p.t.Helper()
	at, err := url.Parse(p.servers[server].url)
	if err != nil {
		p.t.Fatal(err)
	}
	public, _ := url.Parse(p.url)
	header := http.Header{"Origin": {"http://" + at.Host}}
	for _, c := range b.client.Jar.Cookies(public) {
		header.Add("Cookie", c.Name+"="+c.Value)
	}
	conn, response, err := websocket.DefaultDialer.DialContext(p.t.Context(), "ws://"+at.Host+"/projects/"+project+"/live?page="+page, header)
	if err != nil {
		p.t.Fatalf("no socket: %v (%v)", err, response)
	}
	_ = response.Body.Close()
	s := &socket{t: p.t, conn: conn, closed: make(chan struct{})}
	p.t.Cleanup(func() { _ = conn.Close() })
	go func() {
		defer close(s.closed)
		for {
			var m live.Message
			err := conn.ReadJSON(&m)
			s.mu.Lock()
			if err != nil {
				s.err, s.at = err, time.Now()
				s.mu.Unlock()
				return
			}
			s.heard = append(s.heard, m)
			s.mu.Unlock()
		}
	}()
	return s
}

// hears waits until the socket was told something.
func (s *socket) hears(what string, wanted func(live.Message) bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		for _, m := range s.heard {
			if wanted(m) {
				s.mu.Unlock()
				return
			}
		}
		heard, err := fmt.Sprintf("%+v", s.heard), s.err
		s.mu.Unlock()
		if time.Now().After(end) || err != nil {
			s.t.Fatalf("the socket never heard of %s (%v): %s", what, err, heard)
		}
	}
}

// ends waits until the server closes the socket and returns when it did.
func (s *socket) ends(within time.Duration) time.Time {
	s.t.Helper()
	select {
	case <-s.closed:
	case <-time.After(within):
		s.t.Errorf("the socket is open after %v", within)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// count asks the database for a number, behind the servers' backs.
func (p *pair) count(query string, args ...any) (n int) {
	p.t.Helper()
	db, err := sql.Open("pgx", p.database)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(p.t.Context(), query, args...).Scan(&n); err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
	return n
}
