package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// statuses is the one table from kinds of fault to HTTP.
var statuses = map[fault.Kind]struct {
	code  int
	title string
}{
	fault.Invalid:         {http.StatusUnprocessableEntity, "The request is not right"},
	fault.Unauthenticated: {http.StatusUnauthorized, "Nobody is signed in"},
	fault.Denied:          {http.StatusForbidden, "Not allowed"},
	fault.NotFound:        {http.StatusNotFound, "Not found"},
	fault.Conflict:        {http.StatusConflict, "Somebody else was first"},
	fault.Unmet:           {http.StatusUnprocessableEntity, "A rule is not met"},
	fault.TooLarge:        {http.StatusRequestEntityTooLarge, "Too large"},
	fault.Unavailable:     {http.StatusServiceUnavailable, "Not available right now"},
	fault.Internal:        {http.StatusInternalServerError, "Internal error"},
}

// Problem is the body of an answer that is an error (RFC 9457).
type Problem struct {
	Type      string         `json:"type" doc:"Always about:blank; kind says more"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail" doc:"What is wrong and what to do, for people"`
	Kind      fault.Kind     `json:"kind" enum:"invalid,unauthenticated,denied,not_found,conflict,unmet,too_large,unavailable,internal"`
	Reference string         `json:"reference" doc:"Quote it to whoever runs this server; it stands in the log"`
	Errors    []ProblemField `json:"errors,omitempty" doc:"The fields that are wrong"`
}

// ProblemField is one field that is wrong.
type ProblemField struct {
	Location string `json:"location"`
	Message  string `json:"message"`
}

// titleIn says the title in the language of ctx. English has longer titles on
// pages than for programs.
func (p *Problem) titleIn(ctx context.Context) string {
	if ui.LanguageOf(ctx) == ui.ChooseLanguage("", "") {
		return p.Title
	}
	return ui.T(ctx, "problem.title."+p.titleKey())
}

// titleKey is the last part of the key problem.title.<…> that says the title in
// the reader's language.
func (p *Problem) titleKey() string {
	if p.Status == http.StatusMethodNotAllowed {
		return "method"
	}
	return string(p.Kind)
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status; huma asks for it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType names the media type; huma asks for it.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// problemOf describes an error and logs what is for the log only.
func (s *Server) problemOf(ctx context.Context, err error) *Problem {
	c := callIn(ctx)
	if big, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = fault.As(fault.TooLarge, err, "The request carries more than %d bytes.", big.Limit)
	}
	kind := fault.KindOf(err)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		kind = fault.Unavailable // the browser went away; nobody reads the answer
	}
	status, known := statuses[kind]
	if !known {
		kind, status = fault.Internal, statuses[fault.Internal]
	}
	c.kind = kind
	p := &Problem{Type: "about:blank", Title: status.title, Status: status.code, Detail: page.Refusal(ctx, err), Kind: kind, Reference: c.id}
	p.Title = p.titleIn(ctx)
	if kind == fault.Internal {
		p.Detail = ui.Sentence(ctx, fault.Format("Something went wrong on our side. Quote the reference %s to whoever runs this server."), c.id)
		s.Log.LogAttrs(ctx, slog.LevelError, "internal error", slog.String("id", c.id), slog.String("route", c.pattern), slog.String("error", err.Error()))
		return p
	}
	s.logAway(ctx, err)
	fields := page.Refusals(ctx, err)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		p.Errors = append(p.Errors, ProblemField{Location: field, Message: fields[field]})
	}
	return p
}

// logAway writes down why something is not available: the person is told to try
// again, and only the log tells whoever runs the server what to mend.
func (s *Server) logAway(ctx context.Context, err error) {
	if _, many := errors.AsType[identity.TooMany](err); many || !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
		return // guessing has a line of its own, and a browser that went away is no news
	}
	c, cause := callIn(ctx), err.Error()
	cause = strings.ToValidUTF8(cause[:min(len(cause), 2000)], "") // it may hold a whole page that somebody else answered
	s.Log.LogAttrs(ctx, slog.LevelWarn, "not available", slog.String("id", c.id), slog.String("route", c.pattern), slog.String("error", cause))
}

// answering turns a function that returns errors into a handler.
func (s *Server) answering(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}

// fail answers an error: as problem+json to a program, as a fragment to htmx,
// as a page to everybody else. Who is not signed in is sent to do so.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	r = s.listener(r)
	p := s.problemOf(r.Context(), err)
	if written(w) {
		// Half an answer is on its way: cut it off rather than let it look whole.
		panic(http.ErrAbortHandler)
	}
	w.Header().Del("Content-Disposition")
	if p.Kind == fault.Unavailable {
		w.Header().Set("Retry-After", "5")
	}
	switch {
	case wantsJSON(r):
		if p.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="adjudge"`)
		}
		w.Header().Set("Content-Type", "application/problem+json")
		sayLanguage(r.Context(), w.Header())
		w.WriteHeader(p.Status)
		_ = json.NewEncoder(w).Encode(p)
	case p.Kind == fault.Unauthenticated && isHTMX(r):
		w.Header().Set("HX-Redirect", wayIn(err, current(r)))
		w.WriteHeader(p.Status)
	case p.Kind == fault.Unauthenticated && callIn(r.Context()).access == login && (r.Method == GET || r.Method == http.MethodHead):
		http.Redirect(w, r, wayIn(err, r.URL.RequestURI()), http.StatusSeeOther)
	default:
		s.renderProblem(w, r, p)
	}
}

// wayIn is where somebody whom an error turned away proves who they are.
func wayIn(err error, next string) string {
	if _, locked := identity.IsLocked(err); locked {
		return lockedAt(next)
	}
	return "/sign-in?next=" + url.QueryEscape(next)
}

func (s *Server) notFound(http.ResponseWriter, *http.Request) error {
	return fault.New(fault.NotFound, "There is nothing at this address.")
}

func (s *Server) notAllowed(w http.ResponseWriter, r *http.Request) error {
	r = s.listener(r)
	w.Header().Set("Allow", strings.Join(s.methods(r), ", "))
	s.renderProblem(w, r, &Problem{
		Type: "about:blank", Title: "Wrong method", Status: http.StatusMethodNotAllowed, Kind: fault.Invalid, Reference: callIn(r.Context()).id,
		Detail: ui.Sentence(r.Context(), fault.Format("This address does not take %s requests."), r.Method),
	})
	return nil
}

// listener returns the request with the language of whom an error is told to.
// Where no route was found, or it asks for nobody, the page of the error still
// shows who is there.
func (s *Server) listener(r *http.Request) *http.Request {
	c := callIn(r.Context())
	if c.visit.Person.ID == "" && !wantsJSON(r) {
		// A connection that went wrong ends the request's context, and no page is
		// drawn without one.
		if visit, err := s.byCookie(context.WithoutCancel(r.Context()), r); err == nil {
			c.visit = visit
		}
	}
	return r.WithContext(speakTo(r.Context(), c.visit))
}

func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.Header.Get("Accept"), "application/json") ||
		strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
}

func isHTMX(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// wantsFragment reports whether htmx swaps the answer into a part of the page.
func wantsFragment(r *http.Request) bool {
	return isHTMX(r) && r.Header.Get("HX-Request-Type") != "full" && r.Header.Get("HX-Boosted") == "" && r.Header.Get("HX-History-Restore-Request") == ""
}

// current returns the local path of the page from which htmx sent the request.
func current(r *http.Request) string {
	u, err := url.Parse(r.Header.Get("HX-Current-URL"))
	if err != nil {
		return "/"
	}
	return localPath(u.RequestURI())
}

// localPath returns next if it is a path on this server, else the start page:
// no link makes us send a person who just signed in to another site.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsAny(next, "\\\t\r\n") || strings.HasPrefix(u.Path, "/sign-") || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	return u.RequestURI()
}
