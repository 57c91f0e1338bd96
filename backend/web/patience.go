package web

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
)

// A client may be slow, but not idle: who holds a connection without moving
// anything over it holds memory, a file or a reader of the database for
// nothing. There is no limit on how long a whole request takes, for an upload of
// 10 GB over a weak line is an honest one.
const (
	// patience is how long a client has for the next leastMoved bytes.
	patience   = time.Minute
	leastMoved = 1 << 10
)

// patient gives up on clients that neither send nor take anything.
func (s *Server) patient(next http.Handler) http.Handler {
	limit := s.Patience
	if limit <= 0 {
		limit = patience
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		inner := r
		if r.Body != nil && r.Body != http.NoBody {
			body := &patientBody{ReadCloser: r.Body, control: c, limit: limit}
			body.renew()
			inner = withBody(r, body)
		}
		out := &patientWriter{ResponseWriter: w, control: c, limit: limit}
		next.ServeHTTP(out, inner)
		if !out.taken {
			out.renew() // what net/http still has to send; the next request begins with it, too
		}
	})
}

// patientBody ends with a fault when too little comes.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
	limit   time.Duration
	moved   int
}

func (b *patientBody) renew() {
	b.moved = 0
	_ = b.control.SetReadDeadline(time.Now().Add(b.limit)) // a test's writer has none
}

// Read reads on.
func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.moved += n
	switch {
	case err != nil && errors.Is(err, os.ErrDeadlineExceeded):
		err = fault.As(fault.Unavailable, err, "Nothing more came for too long, and the request was given up. Nothing was stored; check the connection and send it again.")
	case err != nil:
		// From here on net/http itself listens whether the client is still there.
		_ = b.control.SetReadDeadline(time.Time{})
	case b.moved >= leastMoved:
		b.renew()
	}
	return n, err
}

// patientWriter fails when too little is taken.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
	until   time.Time
	taken   bool // the connection has become a WebSocket's, with times of its own
}

func (w *patientWriter) renew() {
	w.until = time.Now().Add(w.limit)
	_ = w.control.SetWriteDeadline(w.until) // a test's writer has none
}

// Write writes on.
func (w *patientWriter) Write(p []byte) (int, error) {
	if time.Until(w.until) < w.limit*3/4 {
		w.renew()
	}
	return w.ResponseWriter.Write(p)
}

// Flush passes on what was written so far.
func (w *patientWriter) Flush() {
	w.renew()
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack hands over the connection, for WebSockets.
func (w *patientWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.taken = true
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
