package web

import (
	"io"
	"net/http"
)

// What net/http handed out stays as it is. When a handler has answered, net/http
// looks into the request that it made, whether the body was read to its end or
// closed before: only then may the next request begin on the same connection.
// Behind another body it sees neither, and takes what is left of this body for
// a request, whose answer goes to whoever sends the next one through the same
// proxy. So a request is changed on a copy, never in place; a test over the
// sources (TestNobodyChangesARequestInPlace) holds it.

// withBody returns a copy of a request with another body.
func withBody(r *http.Request, body io.ReadCloser) *http.Request {
	inner := r.WithContext(r.Context())
	inner.Body = body
	return inner
}

// Bounded returns a copy of a request whose body fails after n bytes. The rest
// of a body that is longer is not read: the connection ends with the answer.
func Bounded(w http.ResponseWriter, r *http.Request, n int64) *http.Request {
	return withBody(r, http.MaxBytesReader(connection(w), r.Body, n))
}

// connection returns the writer that net/http made: no other can be told that
// the connection ends with this answer.
func connection(w http.ResponseWriter) http.ResponseWriter {
	for {
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = inner.Unwrap()
	}
}
