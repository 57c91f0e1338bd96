package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/frontend/ui"
)

// framed renders a frame with a body as its children.
type framed struct{ frame, body templ.Component }

// Render writes the frame around the body.
func (f framed) Render(ctx context.Context, w io.Writer) error {
	return f.frame.Render(templ.WithChildren(ctx, f.body), w)
}

// render writes a page: the body in its frame, or the body alone where htmx
// swaps it into a page. It is rendered to memory first, so that an error while
// rendering is still answered as one.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, v view, body templ.Component) error {
	if wantsFragment(r) {
		return s.send(w, r, status, body)
	}
	component, err := s.frame(r, v, body)
	if err != nil {
		return err
	}
	return s.send(w, r, status, component)
}

// send writes a component as it is, for handlers that answer nothing but
// fragments.
func (s *Server) send(w http.ResponseWriter, r *http.Request, status int, component templ.Component) error {
	var b bytes.Buffer
	if err := component.Render(r.Context(), &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	sayLanguage(r.Context(), w.Header())
	w.Header().Set("Vary", "HX-Request, Accept-Language, Cookie")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	text := b.Bytes()
	if ui.LanguageOf(r.Context()).Dir == "ltr" || !bytes.Contains(text, []byte("\u202e")) { // the mirrored language is made of overrides
		text = markUnseen(text)
	}
	_, err := w.Write(s.pageBelow(text))
	return ignoreGone(err)
}

// renderJSON writes v, for plain routes that answer programs.
func renderJSON(w http.ResponseWriter, status int, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err := b.WriteTo(w)
	return ignoreGone(err)
}

// ignoreGone drops an error of writing: the other end went away, which is no
// fault of the handler and cannot be told to anybody.
func ignoreGone(error) error { return nil }

// seeOther sends the browser on after a form was taken.
func (s *Server) seeOther(w http.ResponseWriter, r *http.Request, path string) error {
	if isHTMX(r) {
		w.Header().Set("HX-Redirect", path)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// methods lists the methods that an address does take.
func (s *Server) methods(r *http.Request) (methods []string) {
	for _, method := range []string{GET, POST, PUT, PATCH, DELETE} {
		if s.mux.Match(chi.NewRouteContext(), method, r.URL.Path) {
			methods = append(methods, method)
		}
	}
	return methods
}
