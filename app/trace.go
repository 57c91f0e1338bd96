package app

import (
	"context"
	"log/slog"

	"github.com/adjudge/adjudge/backend/outbound"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/trace"
	"github.com/adjudge/adjudge/backend/training"
)

// startTraces makes the tracer that the environment asks for and has the log say
// which trace a line belongs to; both as they were where it asks for none.
func startTraces(ctx context.Context, instance string, log *slog.Logger) (*trace.Tracer, *slog.Logger) {
	t := trace.Open(ctx, version(), instance, log)
	if t == nil {
		return nil, log
	}
	return t, slog.New(trace.Logs(log.Handler()))
}

// storeOptions are those with which the house opens its database.
func (h *house) storeOptions() store.Options {
	o := store.Options{Now: h.Now, Log: h.Log, Backups: h.data.file("backups"), Upgrading: h.tellUpgrade}
	if h.Trace != nil {
		o.Trace = h.Trace.Store
	}
	return o
}

// calls returns what sees the calls of a client to other servers.
func calls(t *trace.Tracer, c outbound.Config) outbound.Config {
	if t != nil {
		c.Trace = t.Call
	}
	return c
}

// attemptTraces tells a tracer about attempts in its own words.
type attemptTraces struct{ *trace.Tracer }

// Parent implements training.Traces.
func (t attemptTraces) Parent(j training.Job, a training.Attempt) string {
	return t.Tracer.Parent(tracedJob(j), tracedAttempt(a))
}

// Ended implements training.Traces.
func (t attemptTraces) Ended(j training.Job, a training.Attempt) {
	t.Tracer.Ended(tracedJob(j), tracedAttempt(a))
}

func tracedJob(j training.Job) trace.Job {
	return trace.Job{ID: string(j.ID), Kind: string(j.Kind), Recipe: j.Recipe, State: string(j.State), Cause: j.Cause, CreatedAt: j.CreatedAt, EndedAt: j.EndedAt}
}

func tracedAttempt(a training.Attempt) trace.Attempt {
	return trace.Attempt{
		Fence: a.Fence, Number: a.Number, Engine: a.Engine, State: string(a.State), Reason: string(a.Reason),
		Failed: a.State == training.Failed || a.State == training.Lost, Placed: a.PlacedAt, Started: a.StartedAt, Collect: a.CollectingAt, Ended: a.EndedAt,
	}
}
