package web

import (
	"context"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// getHistory shows the history of a project.
func (s *Server) getHistory(w http.ResponseWriter, r *http.Request) error {
	return s.showHistory(w, r, linkOf(r))
}

// getWholeHistory shows the history of the installation to its admins: of every
// project, and of what belongs to none, as sign-ins, people and tokens.
func (s *Server) getWholeHistory(w http.ResponseWriter, r *http.Request) error {
	return s.showHistory(w, r, page.ProjectLink{})
}

// historyFilter reads from the address what to show of the history. A date that
// is none filters nothing, and so does a record without its kind.
func historyFilter(q url.Values, project ledger.ProjectID) ledger.Filter {
	f := ledger.Filter{Project: project, Kind: clipped(q.Get("kind")), Actor: ledger.PersonID(clipped(q.Get("actor"))), Before: int64(max(0, number(q.Get("before"), 0)))}
	if kinds := review.Watch(f.Kind).Kinds(); kinds != nil {
		f.Kind, f.Kinds = "", kinds
	}
	if kind, id, named := strings.Cut(clipped(strings.TrimSpace(q.Get("record"))), ":"); named && kind != "" && id != "" {
		f.Subject = ledger.Subject{Kind: kind, ID: id}
	}
	f.From, _ = time.Parse(time.DateOnly, q.Get("from"))
	if until, err := time.Parse(time.DateOnly, q.Get("until")); err == nil {
		f.Until = until.AddDate(0, 0, 1)
	}
	return f
}

// checkHistoryQuery refuses, for programs and files, what the page only passes
// over: a filter that was mistyped must not send everything.
func checkHistoryQuery(q url.Values) error {
	for _, name := range []string{"from", "until"} {
		if _, err := time.Parse(time.DateOnly, q.Get(name)); q.Get(name) != "" && err != nil {
			return fault.Field(name, "%.40q is no day; write it as 2026-03-01.", q.Get(name))
		}
	}
	if record := q.Get("record"); record != "" && historyFilter(q, "").Subject.ID == "" {
		return fault.Field("record", "%.60q names no record; write its kind and its id, as item:… or candidate:….", record)
	}
	return nil
}

func (s *Server) showHistory(w http.ResponseWriter, r *http.Request, link page.ProjectLink) error {
	const size = 100
	ctx, actor := r.Context(), actorOf(r)
	q := r.URL.Query()
	v := page.HistoryView{Project: link, Kind: clipped(q.Get("kind")), Actor: clipped(q.Get("actor")), Record: clipped(q.Get("record")),
		From: clipped(q.Get("from")), Until: clipped(q.Get("until")), MayExport: actor.May(link.ID, ledger.ActionExport)}
	filter := historyFilter(q, link.ID)
	filter.Limit = size
	var err error
	var more bool
	if v.Rows, more, err = s.Review.History(ctx, actor, filter); err != nil {
		return err
	}
	var actors []ledger.PersonID
	if v.Kinds, actors, err = s.Review.Index(ctx, actor, link.ID); err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	v.People = names
	for _, id := range actors {
		if id != "" { // nobody: who was not signed in cannot be asked for by name
			v.Actors = append(v.Actors, id)
		}
	}
	plain := maps.Clone(q)
	plain.Del("before")
	v.Query = plain.Encode()
	if q.Has("before") {
		v.First = "?" + v.Query
	}
	if more {
		next := maps.Clone(plain)
		next.Set("before", strconv.FormatInt(v.Rows[len(v.Rows)-1].Seq, 10))
		v.Next = "?" + next.Encode()
	}
	if v.Names, err = s.Review.SubjectNames(ctx, actor, link.ID, v.Subjects()); err != nil {
		return err
	}
	if link.ID != "" {
		if v.Classes, err = s.classNames(ctx, actor, link.ID); err != nil {
			return err
		}
	}
	if v.Check, err = s.Review.CheckHistory(ctx, actor, link.ID, false); err != nil {
		return err
	}
	if v.Check.Problem != nil {
		v.Broken = page.Refusal(ctx, v.Check.Problem)
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(ctx, "history.title"), Active: "history", Main: "wide"}, page.History(v))
}

// postHistoryCheck has the whole chain checked, and shows the page with its filters
// again; postWholeHistoryCheck does so from the page of the installation.
func (s *Server) postHistoryCheck(w http.ResponseWriter, r *http.Request) error {
	return s.checkHistory(w, r, linkOf(r))
}

func (s *Server) postWholeHistoryCheck(w http.ResponseWriter, r *http.Request) error {
	return s.checkHistory(w, r, page.ProjectLink{})
}

func (s *Server) checkHistory(w http.ResponseWriter, r *http.Request, link page.ProjectLink) error {
	if _, err := s.Review.CheckHistory(r.Context(), actorOf(r), link.ID, true); err != nil {
		return err
	}
	return s.seeOther(w, r, page.HistoryView{Project: link, Query: r.URL.Query().Encode()}.Here())
}

// classNames maps the ids by which the history names classes to what they are
// called today.
func (s *Server) classNames(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) (map[string]string, error) {
	p, err := s.Labeling.Project(ctx, actor, string(project))
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, c := range p.Schema.Classes {
		names[string(c.ID)] = c.Name
	}
	return names, nil
}

// getHistoryFile sends the history of a project as a file, by the same filters
// as the page; getWholeHistoryFile that of the installation.
func (s *Server) getHistoryFile(w http.ResponseWriter, r *http.Request) error {
	return s.sendHistory(w, r, projectOf(r).ID, projectOf(r).Slug)
}

func (s *Server) getWholeHistoryFile(w http.ResponseWriter, r *http.Request) error {
	return s.sendHistory(w, r, "", "adjudge")
}

func (s *Server) sendHistory(w http.ResponseWriter, r *http.Request, project ledger.ProjectID, name string) error {
	ctx, q := r.Context(), r.URL.Query()
	f, err := review.ParseHistoryFormat(q.Get("format"))
	if err == nil {
		err = checkHistoryQuery(q)
	}
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	media := map[review.HistoryFormat]string{review.HistoryCSV: "text/csv; charset=utf-8", review.HistoryJSON: "application/json"}[f]
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + "-history." + string(f)}))
	out := &begun{w: w}
	err = s.Review.ExportHistory(ctx, actorOf(r), review.HistoryExport{
		Filter: historyFilter(q, project), Format: f, Names: func(id ledger.PersonID) string { return names[id] },
	}, out)
	if err != nil && out.wrote {
		panic(http.ErrAbortHandler) // nobody takes half a history for a whole one
	}
	return err
}
