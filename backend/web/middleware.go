package web

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"github.com/adjudge/adjudge/backend/fault"
)

// outside wraps the router in everything that concerns every request, the first
// named being the outermost.
func (s *Server) outside(inner http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(s.answering(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.Denied, "This request came from another site and was refused. Open the page here and try again.")
	}))
	compress := middleware.NewCompressor(5, "text/html", "application/json", "application/problem+json", "application/openapi+json", "text/plain").Handler
	return s.patient(s.observe(s.recoverPanics(s.headers(s.speak(s.checkHost(compressReads(compress, guard.Handler(inner))))))))
}

// compressReads compresses what people and programs read. What answers a write
// is short, and an answer of the labeling loop would spend more on it than on
// everything else before the store.
func compressReads(compress func(http.Handler) http.Handler, inner http.Handler) http.Handler {
	compressed := compress(inner)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			compressed.ServeHTTP(w, r)
		} else {
			inner.ServeHTTP(w, r)
		}
	})
}

// observe gives the request its reference, and writes one line to the log when
// it was answered: never the path, the query or a body, for they hold content.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{id: newReference(), host: r.Host}
		rec := &recorder{ResponseWriter: w}
		w.Header().Set("X-Request-Id", c.id)
		begin, ctx := time.Now(), r.Context()
		if s.Trace != nil {
			var end func(string, int, fault.Kind)
			ctx, end = s.Trace(r)
			over := false
			// A socket is answered when it is open, however long it stays so.
			rec.answered = func() {
				if !over {
					over = true
					end(c.pattern, rec.status(), c.kind)
				}
			}
			defer rec.answered() // deferred, for an answer that is cut off half-way ends by a panic
		}
		next.ServeHTTP(rec, r.WithContext(context.WithValue(ctx, callKey{}, c)))
		took := time.Since(begin)
		if s.Meter != nil {
			s.Meter.Request(r.Method, c.pattern, rec.status(), took)
		}
		level := slog.LevelInfo
		if c.pattern == "" || strings.HasPrefix(c.pattern, "/static/") || c.pattern == "/healthz" || c.pattern == "/readyz" {
			level = slog.LevelDebug
		}
		s.Log.LogAttrs(ctx, level, "request", slog.String("id", c.id), slog.String("method", r.Method), slog.String("route", c.pattern),
			slog.Int("status", rec.status()), slog.Int64("bytes", rec.bytes), slog.Duration("took", took), slog.String("person", string(c.visit.Actor.Person)))
	})
}

func newReference() string {
	var raw [10]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw[:]))
}

// recoverPanics turns a panic into an internal error with a reference.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			s.fail(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}()
		next.ServeHTTP(w, r)
	})
}

// policy allows what this origin serves and nothing else: no inline script or
// style, no eval, no foreign origin.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
	"media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		if s.secure() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// checkHost answers only under the names that are this server's: a page of
// another site whose name was pointed here (DNS rebinding) gets nothing. Probes
// are answered under any: those of Kubernetes and of load balancers name the
// address of one machine or pod, and there is nothing in the answer to protect.
func (s *Server) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isProbe(r) && !slices.Contains(s.Hosts, strings.ToLower(r.Host)) {
			http.Error(w, "This server does not answer under this name. Start it with --url and the address that people type.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isProbe tells whether somebody asks how the server is. A path that is written
// in another way, which the router would take for another, is no probe.
func isProbe(r *http.Request) bool {
	return (r.Method == GET || r.Method == http.MethodHead) && r.URL.RawPath == "" && (r.URL.Path == "/healthz" || r.URL.Path == "/readyz")
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	code  int
	bytes int64

	answered func() // called when a socket is open; nil where nobody watches
}

func (w *recorder) status() int {
	if w.code == 0 {
		return http.StatusOK
	}
	return w.code
}

// WriteHeader notes the status.
func (w *recorder) WriteHeader(code int) {
	if w.code == 0 && code >= http.StatusOK {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write counts the bytes.
func (w *recorder) Write(p []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Flush passes on what was written so far.
func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Hijack hands over the connection, for WebSockets.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.code = http.StatusSwitchingProtocols
	if w.answered != nil {
		w.answered()
	}
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// written reports whether an answer has begun, so that no error can be added.
func written(w http.ResponseWriter) bool {
	for {
		switch v := w.(type) {
		case *recorder:
			return v.code != 0
		case interface{ Unwrap() http.ResponseWriter }:
			w = v.Unwrap()
		default:
			return false
		}
	}
}
