// Package work is the durable follow-up of a transaction: a row written beside
// the change that causes it, and a loop that carries it out after the commit,
// again and again until its handler succeeds.
//
// A handler must be idempotent: it may run twice for one row, after a crash or
// when a lease lapsed. It reports a Conflict, Invalid or NotFound fault to give
// up; any other error is tried again with growing pauses.
package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
)

// Order asks for follow-up work. Payload is encoded as JSON. Key, if set, makes
// the order unique among the rows not yet done: a second order of the same kind
// and key changes nothing.
type Order struct {
	Kind      string
	Key       string
	Payload   any
	NotBefore time.Time // zero: as soon as possible
}

// Enqueuer writes orders inside a transaction.
type Enqueuer interface {
	Enqueue(Order) error
}

// Row is an order as it is stored.
type Row struct {
	ID      int64
	Kind    string
	Payload json.RawMessage
	Tries   int // how often it was claimed, this time included
}

// Handler carries out one row. The context ends when the lease is lost or the
// process stops.
type Handler func(ctx context.Context, payload json.RawMessage) error

// Queue is the part of a store that the loop needs.
type Queue interface {
	// ClaimWork takes the oldest row that is due and not leased, and leases it
	// until the given time. It returns false when nothing is due.
	ClaimWork(ctx context.Context, now, until time.Time) (Row, bool, error)
	// ExtendWork renews a lease.
	ExtendWork(ctx context.Context, id int64, until time.Time) error
	// FinishWork removes a row that was carried out.
	FinishWork(ctx context.Context, id int64) error
	// DeferWork gives a row back until a later time and keeps the reason; a zero
	// time parks it for good.
	DeferWork(ctx context.Context, id int64, until time.Time, reason string) error
}

// Lease is how long a claimed row belongs to one loop without renewal.
const Lease = 30 * time.Second

// Loop carries out rows with a number of workers until its context ends.
type Loop struct {
	Queue    Queue
	Handlers map[string]Handler
	Workers  int           // 2 if zero
	Idle     time.Duration // pause when nothing is due; 1 s if zero. Wake cuts it short.
	Now      func() time.Time
	Log      *slog.Logger
	// Trace, if set, begins the span of a row and returns what ends it.
	Trace func(ctx context.Context, kind string, tries int) (context.Context, func(error))

	wake chan struct{}
	once sync.Once
}

func (l *Loop) init() { l.once.Do(func() { l.wake = make(chan struct{}, 1) }) }

// Wake makes an idle loop look at once, as after a commit that enqueued a row.
// It never blocks.
func (l *Loop) Wake() {
	l.init()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, then waits for the handlers in progress.
func (l *Loop) Run(ctx context.Context) {
	l.init()
	var group sync.WaitGroup
	for range max(l.Workers, 2) {
		group.Go(func() {
			for ctx.Err() == nil {
				if l.step(ctx) {
					l.Wake() // another worker may find more
					continue
				}
				idle := l.Idle
				if idle == 0 {
					idle = time.Second
				}
				select {
				case <-ctx.Done():
				case <-l.wake:
				case <-time.After(idle):
				}
			}
		})
	}
	group.Wait()
}

// step carries out one row and reports whether there was one.
func (l *Loop) step(ctx context.Context) bool {
	now := l.Now()
	row, found, err := l.Queue.ClaimWork(ctx, now, now.Add(Lease))
	if err != nil {
		if ctx.Err() == nil {
			l.Log.Error("claim work", "error", err)
		}
		return false
	}
	if !found {
		return false
	}
	handler, known := l.Handlers[row.Kind]
	if !known {
		l.give(ctx, ctx, row, fault.New(fault.Invalid, "no handler for work of kind %q", row.Kind))
		return true
	}
	held, release := context.WithCancel(ctx)
	defer release()
	stop := l.hold(held, release, row)
	end := func(error) {}
	traced := held
	if l.Trace != nil {
		traced, end = l.Trace(held, row.Kind, row.Tries)
	}
	err = handler(traced, row.Payload)
	stop()
	defer end(err)
	if err != nil {
		l.give(ctx, traced, row, err)
		return true
	}
	if err := l.Queue.FinishWork(context.WithoutCancel(ctx), row.ID); err != nil {
		l.Log.ErrorContext(traced, "finish work", "kind", row.Kind, "error", err)
	}
	return true
}

// hold renews the lease of a row until the returned function is called.
func (l *Loop) hold(ctx context.Context, lost context.CancelFunc, row Row) (stop func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(Lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := l.Queue.ExtendWork(ctx, row.ID, l.Now().Add(Lease)); err != nil {
					l.Log.Error("renew work", "kind", row.Kind, "error", err)
					lost()
				}
			}
		}
	})
	return func() { close(done); group.Wait() }
}

// givesUp reports whether trying again cannot help against an error.
func givesUp(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Invalid || kind == fault.NotFound || kind == fault.Conflict
}

// Both is the handler that carries out one and another in turn, the second whatever
// became of the first. The row is tried again as long as that may help one of them.
func Both(first, second Handler) Handler {
	return func(ctx context.Context, payload json.RawMessage) error {
		one, other := first(ctx, payload), second(ctx, payload)
		switch {
		case one == nil || other == nil || givesUp(one) == givesUp(other):
			return errors.Join(one, other)
		case givesUp(one):
			one, other = other, one
		}
		return fmt.Errorf("%w, and: %v", one, other) //nolint:errorlint // what is given up must not decide
	}
}

// give hands a failed row back: parked when trying again cannot help, else
// deferred by 1, 4, 9 … seconds, at most five minutes. traced is what its handler
// ran in, for the log.
func (l *Loop) give(ctx, traced context.Context, row Row, err error) {
	var until time.Time
	switch {
	case ctx.Err() != nil: // stopping: another loop may have it at once
		until = l.Now()
	case givesUp(err):
		l.Log.WarnContext(traced, "work given up", "kind", row.Kind, "tries", row.Tries, "error", err)
	default:
		until = l.Now().Add(min(time.Duration(row.Tries*row.Tries)*time.Second, 5*time.Minute))
		l.Log.WarnContext(traced, "work deferred", "kind", row.Kind, "tries", row.Tries, "error", err)
	}
	if err := l.Queue.DeferWork(context.WithoutCancel(ctx), row.ID, until, err.Error()); err != nil {
		l.Log.Error("defer work", "kind", row.Kind, "error", err)
	}
}
