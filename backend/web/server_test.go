package web

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/meter"
)

// closed is a server to whom everybody is a stranger.
func closed(t *testing.T, change func(*Deps)) *Server {
	t.Helper()
	nobody := func(context.Context, func(identity.Tx) error) error { return fault.New(fault.NotFound, "nobody") }
	d := Deps{
		Config: Config{DataID: "d1", Hosts: Hosts("8484", nil), Version: "test", Log: slog.New(slog.DiscardHandler), Now: time.Now},
		Identity: identity.New(identity.Config{Update: nobody, View: nobody, Now: time.Now, NewID: func() string { return "id" },
			Hashing: identity.Hashing{MemoryKiB: 8, Passes: 1, Threads: 1}}),
		Place: func(context.Context, string) (Place, error) { return Place{}, fault.New(fault.NotFound, "none") },
	}
	if change != nil {
		change(&d)
	}
	return New(d)
}

func ask(s http.Handler, method, target string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "127.0.0.1:8484"
	r.RemoteAddr = "192.0.2.7:1234"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestErrorsAreAnsweredInTheFormThatWasAskedFor(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	s.mux.Get("/stranger", s.answering(func(http.ResponseWriter, *http.Request) error { return io.ErrUnexpectedEOF }))
	s.mux.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("secret of the house") })
	s.mux.Get("/api/v1/stranger", s.answering(func(http.ResponseWriter, *http.Request) error { return io.ErrUnexpectedEOF }))

	for _, path := range []string{"/stranger", "/panic", "/api/v1/stranger"} {
		w := ask(s, GET, path, nil)
		if w.Code != 500 || strings.Contains(w.Body.String(), "EOF") || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if ref := w.Header().Get("X-Request-Id"); !strings.Contains(w.Body.String(), ref) {
			t.Errorf("%s does not quote its reference", path)
		}
	}
	w := ask(s, GET, "/api/v1/me", nil)
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if p.Status != 401 || p.Kind != fault.Unauthenticated || p.Detail == "" || p.Reference == "" || p.Type != "about:blank" {
		t.Errorf("problem = %+v", p)
	}
	if w := ask(s, DELETE, "/healthz", nil); w.Code != 405 || w.Header().Get("Allow") != "GET" {
		t.Errorf("wrong method: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestTheOpenAPIDocumentDeclaresVersion31(t *testing.T) {
	t.Parallel()
	w := ask(closed(t, nil), GET, "/api/v1/openapi.json", nil)
	var doc struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != 200 || !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Paths["/me"] == nil {
		t.Errorf("%d %v %s", w.Code, err, w.Body)
	}
}

func TestAForwardedAddressCountsOnlyFromAProxyOnThisMachine(t *testing.T) {
	t.Parallel()
	public, _ := url.Parse("https://adjudge.example")
	for name, c := range map[string]struct {
		url       *url.URL
		peer      string
		forwarded []string
		want      string
	}{
		"no proxy":                       {public, "192.0.2.7:1", nil, "192.0.2.7"},
		"a stranger writes the header":   {public, "192.0.2.7:1", []string{"10.0.0.1"}, "192.0.2.7"},
		"a proxy on this machine":        {public, "127.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		"what the proxy saw stands last": {public, "[::1]:1", []string{"10.0.0.1", "evil, 203.0.113.9"}, "203.0.113.9"},
		"a proxy that says nonsense":     {public, "127.0.0.1:1", []string{"unknown"}, "127.0.0.1"},
		"a server without an address":    {nil, "127.0.0.1:1", []string{"203.0.113.9"}, "127.0.0.1"},
	} {
		s := closed(t, func(d *Deps) { d.URL = c.url })
		r := httptest.NewRequest(GET, "/", nil)
		r.RemoteAddr = c.peer
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := s.address(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestHeadIsAnsweredWhereGetIs(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	if w := ask(s, http.MethodHead, "/healthz", nil); w.Code != 200 {
		t.Errorf("HEAD /healthz: %d", w.Code)
	}
}

func TestMetricsNameRoutesAndNeverPaths(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	s.Meter = meter.New("test", func(context.Context) (meter.Reading, bool) { return meter.Reading{FreeBytes: -1}, false })
	ask(s, GET, "/projects/secret-project/people", nil)
	ask(s, "BREW", "/secret-path", nil)
	w := ask(s, GET, "/metrics", func(r *http.Request) { r.RemoteAddr = "127.0.0.1:1" })
	body := w.Body.String()
	if w.Code != 200 || !strings.Contains(body, `adjudge_http_requests_total{method="GET",route="/projects/{project}/people",status="303"} 1`) || strings.Contains(body, "secret") || strings.Contains(body, "BREW") {
		t.Errorf("%d %s", w.Code, body)
	}
	if w := ask(s, GET, "/metrics", func(r *http.Request) { r.RemoteAddr = "127.0.0.1:1"; r.Header.Set("X-Forwarded-For", "203.0.113.9") }); w.Code != 401 {
		t.Errorf("through a proxy: %d", w.Code)
	}
}

func TestErrorsThatTheAPIFrameworkFindsHaveTheSameShape(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	secret := town.identity.OpenLocal()
	for body, status := range map[string]int{
		`{"name":`: 400, `{"nmae":"x"}`: 422, `{"name":1}`: 422, ``: 400,
	} {
		r := httptest.NewRequest(POST, "/api/v1/tokens", strings.NewReader(body))
		r.Host = "127.0.0.1:8484"
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+secret)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != status || p.Status != status ||
			w.Header().Get("Content-Type") != "application/problem+json" || p.Kind != fault.Invalid || p.Reference == "" || p.Title == "" || p.Detail == "" {
			t.Errorf("%s: %d %s (%v)", body, w.Code, w.Body, err)
		}
	}
}

func TestAnErrorSaysWhatBecameOfTheRequest(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	answer := func(err error) http.HandlerFunc {
		return s.answering(func(http.ResponseWriter, *http.Request) error { return err })
	}
	s.mux.Get("/broken", answer(io.ErrUnexpectedEOF))
	s.mux.Post("/broken", answer(io.ErrUnexpectedEOF))
	s.mux.Post("/refused", answer(fault.New(fault.Conflict, "Somebody was first.")))
	for _, c := range []struct{ method, path, says, retry string }{
		{GET, "/broken", "Nothing was changed", `href="/broken"`},
		{POST, "/broken", "Nobody can tell", ""},
		{POST, "/refused", "Nothing of it was stored", ""},
		{GET, "/nothing", "Nothing was changed", ""},
	} {
		body := ask(s, c.method, c.path, nil).Body.String()
		if !strings.Contains(body, c.says) || strings.Contains(body, "Try again") != (c.retry != "") || !strings.Contains(body, c.retry) {
			t.Errorf("%s %s: %s", c.method, c.path, body)
		}
		part := ask(s, c.method, c.path, func(r *http.Request) { r.Header.Set("HX-Request", "true") }).Body.String()
		if !strings.Contains(part, c.says) || strings.Contains(part, "<html") {
			t.Errorf("%s %s as a part: %s", c.method, c.path, part)
		}
	}
}
