package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// snapshotRoutes are the pages about snapshots.
func (s *Server) snapshotRoutes() []route {
	return []route{
		{GET, "/projects/{project}/snapshots", login, ledger.ActionRead, s.getSnapshots},
		{POST, "/projects/{project}/snapshots", login, ledger.ActionSnapshot, s.postSnapshot},
		{GET, "/projects/{project}/snapshots/{snapshot}", login, ledger.ActionRead, s.getSnapshot},
		{GET, "/projects/{project}/snapshots/{snapshot}/diff", login, ledger.ActionRead, s.getSnapshotDiff},
	}
}

func (s *Server) getSnapshots(w http.ResponseWriter, r *http.Request) error {
	return s.showSnapshots(w, r, http.StatusOK, page.FormView{}, nil)
}

func (s *Server) showSnapshots(w http.ResponseWriter, r *http.Request, status int, form page.FormView, chosen []string) error {
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	v := page.SnapshotsView{Project: link, Form: form, Chosen: chosen, MayFreeze: actor.May(link.ID, ledger.ActionSnapshot)}
	var err error
	if v.Snapshots, err = s.Labeling.Snapshots(ctx, actor, link.ID); err != nil {
		return err
	}
	if v.Datasets, err = s.Labeling.Datasets(ctx, actor, link.ID); err != nil {
		return err
	}
	if v.Names, err = s.Identity.Names(ctx); err != nil {
		return err
	}
	return s.render(w, r, status, view{Title: ui.T(ctx, "snapshots.title"), Active: "snapshots"}, page.Snapshots(v))
}

func (s *Server) postSnapshot(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	snap, err := s.Labeling.CreateSnapshot(r.Context(), actorOf(r), projectOf(r).ID, labeling.CreateSnapshotRequest{Name: r.PostForm.Get("name"), Datasets: r.PostForm["dataset"]})
	if isRefusal(err) {
		return s.showSnapshots(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), typed(r, "name"), err), r.PostForm["dataset"])
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, page.SnapshotHref(linkOf(r), snap))
}

func (s *Server) getSnapshot(w http.ResponseWriter, r *http.Request) error {
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	snap, err := s.Labeling.Snapshot(ctx, actor, link.ID, chi.URLParam(r, "snapshot"))
	if err != nil {
		return err
	}
	v := page.SnapshotView{Project: link, Snapshot: snap, Looked: s.looked(r, review.LookSnapshot, string(snap.ID)), MayTrain: actor.May(link.ID, ledger.ActionTrain), MayTake: actor.May(link.ID, ledger.ActionExport), MayDel: actor.May(link.ID, ledger.ActionManage)}
	if v.Names, err = s.Identity.Names(ctx); err != nil {
		return err
	}
	if v.Hold, err = s.holdOf(r, erasure.Holdable{Kind: "snapshot", ID: string(snap.ID)}); err != nil {
		return err
	}
	all, err := s.Labeling.Snapshots(ctx, actor, link.ID)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.ID == snap.ID || other.State != labeling.SnapshotReady {
			continue
		}
		v.Others = append(v.Others, other)
		if snap.Digest != "" && other.Digest == snap.Digest && other.Number < snap.Number {
			v.Twin = other.Number
		}
	}
	if snap.State == labeling.SnapshotReady && !snap.Withheld {
		_, rows, err := s.Labeling.OpenSnapshot(ctx, actor, link.ID, string(snap.ID))
		if err != nil {
			return err
		}
		for row, err := range rows {
			if err != nil {
				return err
			}
			row.Text, _ = ledger.Excerpt(row.Text)
			if v.Rows = append(v.Rows, row); len(v.Rows) == 20 {
				break
			}
		}
	}
	return s.render(w, r, http.StatusOK, view{Title: snap.Title(), Active: "snapshots", Islands: islandsFor(v.Looked),
		Path: []ui.Crumb{{Text: ui.T(ctx, "snapshots.title"), Href: link.Href("snapshots")}, {Text: snap.Title(), User: true}}}, page.Snapshot(v))
}

// tabKinds are the changes that a tab of a difference lists.
var tabKinds = map[string][]labeling.DiffKind{
	"labels": {labeling.DiffRelabelled, labeling.DiffReworded},
	"items":  {labeling.DiffAdded, labeling.DiffRemoved},
}

func (s *Server) getSnapshotDiff(w http.ResponseWriter, r *http.Request) error {
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	q := r.URL.Query()
	v := page.DiffView{Project: link, Tab: q.Get("tab")}
	diff, err := s.Labeling.DiffSnapshots(ctx, actor, link.ID, labeling.DiffRequest{Before: q.Get("against"), After: chi.URLParam(r, "snapshot"), Limit: 500, Kinds: tabKinds[v.Tab]})
	if err != nil {
		return err
	}
	v.Diff = diff
	switch v.Tab {
	case "labels", "items", "balance":
	default:
		if v.Tab = "labels"; diff.Relabelled+diff.Reworded == 0 && diff.Added+diff.Removed > 0 {
			v.Tab = "items"
		}
	}
	if v.Names, err = s.Identity.Names(ctx); err != nil {
		return err
	}
	title := ui.T(ctx, "snapshots.diff.title", "before", diff.Before.Title(), "after", diff.After.Title())
	return s.render(w, r, http.StatusOK, view{Title: title, Active: "snapshots", Path: []ui.Crumb{{Text: ui.T(ctx, "snapshots.title"), Href: link.Href("snapshots")},
		{Text: diff.After.Title(), Href: page.SnapshotHref(link, diff.After), User: true}, {Text: ui.T(ctx, "snapshots.compare")}}}, page.Diff(v))
}
