package web

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// checkAlways is up to how many events the page walks the whole chain unasked.
const checkAlways = 20_000

// getHistory shows the history of a project.
func (s *Server) getHistory(w http.ResponseWriter, r *http.Request) error {
	return s.showHistory(w, r, linkOf(r))
}

// getWholeHistory shows the history of the installation to its admins: of every
// project, and of what belongs to none, as sign-ins, people and tokens.
func (s *Server) getWholeHistory(w http.ResponseWriter, r *http.Request) error {
	return s.showHistory(w, r, page.ProjectLink{})
}

func (s *Server) showHistory(w http.ResponseWriter, r *http.Request, link page.ProjectLink) error {
	const size = 100
	ctx, actor := r.Context(), actorOf(r)
	q := r.URL.Query()
	v := page.HistoryView{Project: link, Kind: clipped(q.Get("kind")), Actor: clipped(q.Get("actor")), From: clipped(q.Get("from")), Until: clipped(q.Get("until"))}
	filter := ledger.Filter{Project: link.ID, Kind: v.Kind, Actor: ledger.PersonID(v.Actor), Before: int64(max(0, number(q.Get("before"), 0))), Limit: size}
	// A date that is none filters nothing.
	filter.From, _ = time.Parse(time.DateOnly, v.From)
	if until, err := time.Parse(time.DateOnly, v.Until); err == nil {
		filter.Until = until.AddDate(0, 0, 1)
	}
	var err error
	if v.Rows, err = s.Review.History(ctx, actor, filter); err != nil {
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
	if q.Has("before") {
		back := maps.Clone(q)
		back.Del("before")
		v.First = "?" + back.Encode()
	}
	if len(v.Rows) == size {
		q.Set("before", strconv.FormatInt(v.Rows[size-1].Seq, 10))
		v.Next = "?" + q.Encode()
	}
	if q.Has("check") || !q.Has("before") && len(v.Rows) > 0 && v.Rows[0].Seq <= checkAlways {
		if err := s.checkHistory(ctx, actor, link.ID, &v); err != nil {
			return err
		}
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(ctx, "history.title"), Active: "history", Main: "wide"}, page.History(v))
}

func (s *Server) checkHistory(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, v *page.HistoryView) error {
	events, err := s.Review.CheckHistory(ctx, actor, project)
	v.Checked, v.Events = true, events
	if fault.Is(err, fault.Conflict) {
		v.Broken = fault.Message(err)
		return nil
	}
	return err
}
