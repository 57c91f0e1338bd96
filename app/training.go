package app

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"os"

	"github.com/adjudge/adjudge/backend/engine/local"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/backend/training/recipe"
	"github.com/adjudge/adjudge/compare"
)

// openTraining joins the queue, the recipes that ship and the local engine.
func (h *house) openTraining() error {
	book, err := recipe.Shipped()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var engines []training.Engine
	engine, err := local.New(local.Config{Root: h.data.file("jobs"), Data: h.data.path, Binary: self, Log: h.Log})
	switch {
	case err == nil:
		engines = append(engines, engine)
	case errors.Is(err, errors.ErrUnsupported): // the rest of the loop works without
		h.Log.Warn("no local engine", "error", err)
	default:
		return err
	}
	var traces training.Traces // not a nil of another type
	if h.Trace != nil {
		traces = attemptTraces{h.Trace}
	}
	h.training = training.New(training.Config{
		Update: store.In[training.Tx](h.store), View: store.From[training.Tx](h.store), NewID: newID, Now: h.store.Now,
		Secret: func() string { return "adjudge_attempt_" + rand.Text() }, Files: h.blobs, Predicted: h.predicted,
		Recipes: book, Engines: engines, Log: h.Log, Server: h.data.id, Traces: traces,
		Grew: func(project ledger.ProjectID, run compare.RunID) {
			h.hub.Notify(project, "run.grew", "run/"+string(run))
		},
	})
	return nil
}

// predicted keeps what a predict job answered.
func (h *house) predicted(ctx context.Context, job training.Job, rows iter.Seq2[compare.Prediction, error]) error {
	_, err := h.compare.AddPredictions(ctx, ledger.System(), compare.AddRequest{
		Project: job.Project, Model: job.Model, Job: string(job.ID), Attempt: job.Fence, Dataset: job.Dataset, Rows: rows,
	})
	return err
}
