package web

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"

	"github.com/a-h/templ"

	"github.com/adjudge/adjudge/frontend/static"
)

// frame puts a body into the frame that every page has.
func (s *Server) frame(_ *http.Request, v view, body templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if _, err := fmt.Fprintf(w, `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>%s · Adjudge</title><link rel="stylesheet" href="%s"></head><body><main>`,
			html.EscapeString(v.Title), static.Asset("app.css")); err != nil {
			return err
		}
		if err := body.Render(ctx, w); err != nil {
			return err
		}
		_, err := io.WriteString(w, "</main></body></html>")
		return err
	})
}

// renderProblem answers an error to a person.
func (s *Server) renderProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	body := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := fmt.Fprintf(w, `<div class="banner danger" role="alert"><div class="body"><strong>%s</strong><p>%s</p><p class="meta">Reference <code>%s</code></p></div></div>`,
			html.EscapeString(p.Title), html.EscapeString(p.Detail), html.EscapeString(p.Reference))
		return err
	})
	if err := s.render(w, r, p.Status, view{Title: p.Title}, body); err != nil {
		http.Error(w, "Internal error. Reference "+p.Reference, http.StatusInternalServerError)
	}
}
