package web

import (
	"context"
	"net/http"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// Keeper makes, checks and hands out checkpoints of the history.
type Keeper interface {
	MakeNow(context.Context, ledger.Actor) (ledger.Checkpoint, error)
	CheckNow(context.Context, ledger.Actor) (ledger.Checked, error)
	// Take returns the file that doctor --checkpoint reads.
	Take(context.Context, ledger.Actor) ([]byte, error)
}

// checkpointRoutes are the page about checkpoints.
func (s *Server) checkpointRoutes() []route {
	return []route{
		{GET, "/checkpoints", login, ledger.ActionAdminister, s.getCheckpoints},
		{GET, "/checkpoints/download", login, ledger.ActionAdminister, s.getCheckpointFile},
		{POST, "/checkpoints", login, ledger.ActionAdminister, s.postCheckpoint},
		{POST, "/checkpoints/check", login, ledger.ActionAdminister, s.postCheckpointCheck},
	}
}

func (s *Server) getCheckpoints(w http.ResponseWriter, r *http.Request) error {
	return s.showCheckpoints(w, r, nil)
}

func (s *Server) showCheckpoints(w http.ResponseWriter, r *http.Request, checked *ledger.Checked) error {
	ctx := r.Context()
	list, witnesses, err := s.Checkpoints(ctx, actorOf(r))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(ctx, "checkpoints.title"), Active: "history"},
		page.Checkpoints(page.CheckpointsView{List: list, Witnesses: witnesses, Checked: checked}))
}

func (s *Server) getCheckpointFile(w http.ResponseWriter, r *http.Request) error {
	raw, err := s.Keeper.Take(r.Context(), actorOf(r))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="checkpoints.jsonl"`)
	_, err = w.Write(raw)
	return ignoreGone(err)
}

func (s *Server) postCheckpoint(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Keeper.MakeNow(r.Context(), actorOf(r)); err != nil {
		return err
	}
	return s.seeOther(w, r, "/checkpoints")
}

func (s *Server) postCheckpointCheck(w http.ResponseWriter, r *http.Request) error {
	done, err := s.Keeper.CheckNow(r.Context(), actorOf(r))
	if err != nil {
		return err
	}
	return s.showCheckpoints(w, r, &done)
}
