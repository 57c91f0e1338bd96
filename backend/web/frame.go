package web

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/static"
	"github.com/adjudge/adjudge/frontend/ui"
)

// view says how a page stands in its frame: a handler gives Title, Active and
// what else the page needs; the server adds who is there and where.
type view = page.FrameView

// frameView completes what a handler said about its page.
func (s *Server) frameView(r *http.Request, v view) (view, error) {
	c := callIn(r.Context())
	v.Desktop = s.Desktop
	v.Asset = asset
	if c.visit.Person.ID == "" {
		return v, nil
	}
	v.Person = page.PersonLink{ID: c.visit.Person.ID, Name: c.visit.Person.Name, Username: c.visit.Person.Username}
	v.Admin = c.visit.Actor.Admin
	if c.visit.Person.Linked {
		v.Provider, v.NoPassword = s.Identity.ProviderName(), s.Identity.ConfirmsByProvider(c.visit.Person)
	}
	v.Idle, v.TextSize = s.Identity.IdleLimit(c.visit.Person), c.visit.Person.TextSize
	for _, role := range ledger.Roles() {
		for _, held := range c.visit.Actor.Roles {
			if slices.Contains(held, role) && !slices.Contains(v.Anywhere, role) {
				v.Anywhere = append(v.Anywhere, role)
			}
		}
	}
	if c.place.ID != "" {
		v.Project = &page.ProjectLink{ID: c.place.ID, Slug: c.place.Slug, Name: c.place.Name}
		v.Roles = c.visit.Actor.Roles[c.place.ID]
	}
	if r.Method == http.MethodGet && s.Erasure != nil {
		undo, err := s.undoOf(r)
		if err != nil {
			return v, err
		}
		v.Undo = undo
	}
	if s.Projects == nil {
		return v, nil
	}
	places, err := s.Projects(r.Context(), c.visit.Actor)
	for _, p := range places {
		v.Projects = append(v.Projects, page.ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name})
	}
	return v, err
}

// asset returns the URL of a bundled file, "" where the bundle has none.
func asset(name string) string {
	if !static.Has(name) {
		return ""
	}
	return static.Asset(name)
}

// frame puts a body into the frame that every page has.
func (s *Server) frame(r *http.Request, v view, body templ.Component) (templ.Component, error) {
	full, err := s.frameView(r, v)
	if err != nil {
		return nil, err
	}
	return framed{page.Frame(full), body}, nil
}

// renderProblem answers an error to a person.
func (s *Server) renderProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	// A connection that went wrong ends the request's context, and no page is
	// drawn without one.
	r = r.WithContext(context.WithoutCancel(r.Context()))
	c := callIn(r.Context())
	title := ui.T(r.Context(), "problem.title."+p.titleKey())
	v := page.ProblemView{Title: title, Detail: p.Detail, Reference: p.Reference, Stored: stored(r, p), Sent: sent(cmp.Or(c.asked, r))}
	if c.place.ID != "" {
		v.Label = page.ProjectLink{Slug: c.place.Slug}.Href("label")
	}
	if v.Stored == "read" && (p.Kind == fault.Internal || p.Kind == fault.Unavailable) {
		v.Retry = r.URL.RequestURI()
	}
	body := page.Problem(v)
	if wantsFragment(r) {
		body = page.ProblemPart(v)
	}
	if err := s.render(w, r, p.Status, view{Title: title, Main: "narrow", Islands: []string{"problem"}}, body); err != nil {
		s.Log.LogAttrs(r.Context(), slog.LevelError, "render a problem", slog.String("id", p.Reference), slog.String("error", err.Error()))
		http.Error(w, "Internal error. Reference "+p.Reference, http.StatusInternalServerError)
	}
}

// mostSent is how much of a form that failed is shown again.
const mostSent = 64 << 10

// sent returns what somebody typed into the form that a request carried, so that
// an error does not cost them their words. What is secret is not shown again.
func sent(r *http.Request) []page.Pair {
	var fields []page.Pair
	size := 0
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		low := strings.ToLower(name)
		if name == "next" || strings.Contains(low, "password") || strings.Contains(low, "token") || strings.Contains(low, "secret") {
			continue
		}
		text := strings.TrimSpace(strings.Join(r.PostForm[name], "\n"))
		if size += len(name) + len(text); text == "" || size > mostSent {
			continue
		}
		fields = append(fields, page.Pair{Term: name, Text: strings.ToValidUTF8(text, "\uFFFD")})
	}
	return fields
}

// stored says what became of a request that failed: one that only looks changes
// nothing, a fault of a service takes its transaction back as a whole, and of
// anything else nobody can tell.
func stored(r *http.Request, p *Problem) string {
	switch {
	case r.Method == GET || r.Method == http.MethodHead:
		return "read"
	case p.Kind == fault.Internal || p.Kind == fault.Unavailable:
		return "unsure"
	}
	return "refused"
}
