//go:build e2e

package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"

	"github.com/adjudge/adjudge/backend/store"
)

// startNginx starts Debian's nginx with a certificate of its own, which passes
// requests below a path on to servers by turns, and returns its origin.
func startNginx(t *testing.T, path string, servers ...string) (origin string, trust *x509.CertPool) {
	t.Helper()
	return startNginxBuffering(t, "off", path, servers...)
}

// startNginxBuffering is startNginx with buffers for requests and answers "on" or "off".
func startNginxBuffering(t *testing.T, buffers, path string, servers ...string) (origin string, trust *x509.CertPool) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program = "/usr/sbin/nginx"; exec.Command(program, "-v").Run() != nil {
			t.Skip("nginx is not installed")
		}
	}
	dir, front := t.TempDir(), freePort(t)
	trust = certificate(t, dir)
	upstream := ""
	for _, server := range servers {
		upstream += "server " + server + "; "
	}
	conf := fmt.Sprintf(`pid %[1]s/pid; error_log %[1]s/error.log; worker_processes 1; daemon off; master_process off;
events { worker_connections 1024; }
http {
  access_log off; client_max_body_size 0;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream adjudge { %[3]s keepalive 32; }
  server {
    listen 127.0.0.1:%[2]s ssl;
    ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem;
    location %[4]s {
      proxy_pass http://adjudge;
      proxy_http_version 1.1; proxy_request_buffering %[5]s; proxy_buffering %[5]s;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }
  }
}`, dir, front, upstream, path, buffers)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := exec.Command(program, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log"))
	said := new(lockedBuffer)
	proxy.Stdout, proxy.Stderr = said, said
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = proxy.Process.Kill()
		_ = proxy.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Logf("nginx said:\n%s\n%.4000s", said, log)
		}
	})
	return "https://localhost:" + front, trust
}

// behindNginx starts a server on seeded data below https://localhost:PORT/labels/.
func behindNginx(t *testing.T, seed func(*store.Tx) error) *site {
	t.Helper()
	back := "127.0.0.1:" + freePort(t)
	origin, _ := startNginx(t, "/labels/", back)
	s := startSiteAt(t, back, seed, "--url", origin+"/labels/", "--trusted-proxy", "127.0.0.1")
	s.url = origin + "/labels"
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// certificate writes a certificate for localhost with its key, and returns who
// trusts it.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust := x509.NewCertPool()
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trust.AddCert(signed)
	return trust
}

func TestBehindNginxBelowAPathWithTLS(t *testing.T) {
	t.Parallel()
	s := behindNginx(t, seedItems(20, nil))
	ana := s.visit()
	if _, err := chromedp.Call(ana.ctx, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true}); err != nil {
		t.Fatal(err)
	}
	ana.open(s.firstLink())
	ana.arrive("ana", "Ana")
	if cookies := ask[string](ana, `document.cookie`); cookies != "" {
		t.Errorf("scripts see cookies: %s", cookies)
	}
	// Labeling: leases, answers and the socket go through.
	ana.open("/projects/news/label")
	ana.ready()
	ana.answer("1")
	ana.said("Saved: Sports. 1 of 20") // on the device
	ana.allSaved()
	opened := `new Promise(done => { const s = new WebSocket("wss://" + location.host + document.documentElement.dataset.base + "/projects/news/live?page=label"); s.onopen = () => done(true); s.onerror = () => done(false); })`
	if !ask[bool](ana, opened) {
		t.Error("no socket comes through")
	}
	if n := len(s.annotations(t)); n != 1 {
		t.Errorf("%d answers are stored", n)
	}
	// Every address on the pages, and every redirect, stays below the prefix.
	for _, path := range []string{"/", "/projects/news", "/projects/news/items", "/projects/news/import", "/projects/news/snapshots", "/projects/news/schema",
		"/projects/news/runs", "/projects/news/models", "/projects/news/compare", "/projects/news/candidates", "/projects/news/history", "/people", "/tokens"} {
		ana.open(path)
		if got := ana.path(); !strings.HasPrefix(got, "/labels/") {
			t.Errorf("%s led to %s", path, got)
		}
		outside := ask[[]string](ana, `[...document.querySelectorAll("*")].flatMap(e => [...e.attributes].filter(a => /^(href|src|action|formaction|hx-(get|post|put|patch|delete|push-url|replace-url)|data-src)$/.test(a.name) && /^\/(?!labels\/)/.test(a.value)).map(a => e.tagName + " " + a.name + "=" + a.value))`)
		if len(outside) > 0 {
			t.Errorf("%s leads outside: %v", path, outside)
		}
	}
}
