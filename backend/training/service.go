package training

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// Config is what the service is made of.
type Config struct {
	Update func(context.Context, func(Tx) error) error // one durable transaction
	View   func(context.Context, func(Tx) error) error // one consistent read
	NewID  func() string                               // UUIDv7
	Now    func() time.Time
	Secret func() string // a new token for an attempt; unguessable
	Files  Files
	// Predicted keeps the answers of a predict job. The same answers again must
	// change nothing.
	Predicted func(ctx context.Context, job Job, answers iter.Seq2[compare.Prediction, error]) error
	Recipes   Book
	Engines   []Engine // the first is the default
	Log       *slog.Logger
	// Server names this server among those that share the database: where the
	// files and processes of its attempts are.
	Server string
	// Traces shows operators what attempts do and how long that takes; nil where
	// nobody watches.
	Traces Traces
	// Grew hears that the log or the metrics of a run grew, so that open pages
	// look. It must not block; nil for nobody.
	Grew func(ledger.ProjectID, compare.RunID)
}

// Traces shows operators what happens. Its methods do not block.
type Traces interface {
	// Cause returns the W3C traceparent of what a caller is doing, or "".
	Cause(context.Context) string
	// Parent returns the traceparent of an attempt, for what its trainer tells
	// about itself. It is the same each time, on every server.
	Parent(Job, Attempt) string
	// Ended tells about an attempt that is over, with its job as that stands now.
	Ended(Job, Attempt)
}

// Files keeps bytes under their digest.
type Files interface {
	Put(context.Context, io.Reader) (ledger.Digest, int64, error)
	Open(context.Context, ledger.Digest) (io.ReadSeekCloser, error)
}

// The rhythm of attempts.
const (
	leaseTime = 30 * time.Second // how long an attempt is trusted without a sign of life
	leaseSkew = 30 * time.Second // added before an attempt is given up, for clocks that differ
	beatEvery = 5 * time.Second
	logLimit  = 64 << 20
)

// Service is what people, runners and the server itself can do with training.
type Service struct {
	Config
	wake chan struct{}
	logs logIndexes
}

// New returns a service. Its queue stands still until Dispatch runs.
func New(config Config) *Service {
	if config.Log == nil {
		config.Log = slog.Default()
	}
	return &Service{Config: config, wake: make(chan struct{}, 1)}
}

// Wake makes Dispatch look at the queue at once. It never blocks.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// cause returns what a new job remembers of the request that asks for it.
func (s *Service) cause(ctx context.Context) string {
	if s.Traces == nil {
		return ""
	}
	return s.Traces.Cause(ctx)
}

// ended tells about an attempt that was closed by a transaction that is durable.
func (s *Service) ended(e ending) {
	if s.Traces != nil {
		s.Traces.Ended(e.job, e.attempt)
	}
}

func (s *Service) grew(j Job) {
	if s.Grew != nil {
		s.Grew(j.Project, j.Run)
	}
}

// engine returns an engine by name; the default for none.
func (s *Service) engine(name string) (Engine, error) {
	for _, e := range s.Engines {
		if name == "" || e.Name() == name {
			return e, nil
		}
	}
	if name == "" {
		return nil, fault.New(fault.Unavailable, "This server has no engine to train on: the one that comes with it needs Linux or macOS.")
	}
	return nil, fault.Field("engine", "There is no engine %s.", name)
}

// record appends an event about a job.
func record(tx Tx, actor ledger.Actor, j Job, what string, payload map[string]any) error {
	if payload == nil {
		payload = map[string]any{}
	}
	payload["run"], payload["kind"] = j.Run, j.Kind
	return tx.Record(ledger.Entry{Actor: actor, Project: j.Project, Kind: "job." + what,
		Subject: ledger.Subject{Kind: "job", ID: string(j.ID)}, Payload: payload})
}

// saveJob stores a job and, where it is a training, how its run stands.
func saveJob(tx Tx, j Job, change func(*compare.Run)) error {
	if err := tx.UpdateJob(j); err != nil {
		return err
	}
	if j.Kind != KindTrain {
		return nil
	}
	run, err := tx.GetRun(j.Project, j.Run)
	if err != nil {
		return err
	}
	run.State, run.Reason, run.EndedAt = j.RunState(), j.Message, j.EndedAt
	if change != nil {
		change(&run)
	}
	return tx.UpdateRun(run)
}
