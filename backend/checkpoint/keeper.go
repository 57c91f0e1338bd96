// Package checkpoint keeps signed heads of the history outside the database: in
// a file beside it that is only ever appended to, and with witnesses elsewhere (a
// Git repository, a mailbox), so that whoever can change the database cannot
// change what it was.
//
// A checkpoint is made every day and at once after each decision about a
// candidate, whichever way it went: a withdrawal that no checkpoint covers could be
// cut from the history unseen. Pushing is follow-up work, tried again until the
// witness has it.
package checkpoint

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// Kinds of follow-up work.
const (
	WorkDaily = "checkpoint.daily"
	WorkPush  = "checkpoint.push"
)

// File is the name of the file beside the data.
const File = "checkpoints.jsonl"

// Signer signs in the name of the installation.
type Signer interface {
	Sign(statement []byte) ([]byte, error)
	Hint() string
}

// Tx is what the keeper needs of a transaction.
type Tx interface {
	ledger.Recorder
	ledger.History
	work.Enqueuer
	// SaveCheckpoint adds a checkpoint.
	SaveCheckpoint(ledger.Checkpoint) error
	// Checkpoints returns those made after a moment, oldest first.
	Checkpoints(after time.Time) ([]ledger.Checkpoint, error)
	// LastCheckpoints returns the newest, newest first.
	LastCheckpoints(limit int) ([]ledger.Checkpoint, error)
	// Witnesses returns what is known of every witness that was ever pushed to.
	Witnesses() ([]ledger.Witness, error)
	// SaveWitness writes what is known of a witness.
	SaveWitness(ledger.Witness) error
}

// Pusher is a witness: a place outside that keeps what it is given.
type Pusher interface {
	// Name says which, without secrets.
	Name() string
	// Push brings checkpoints there, oldest first. One that is there stays.
	Push(context.Context, []ledger.Checkpoint) error
}

// Config is what a Keeper works with.
type Config struct {
	Update       func(context.Context, func(Tx) error) error
	View         func(context.Context, func(Tx) error) error
	Now          func() time.Time
	Signer       Signer
	Installation string
	Dir          string // where File stands
	Witnesses    []Pusher
	// Decisions are the kinds of the events after which a checkpoint is due at once,
	// and the reason that it gives for each.
	Decisions map[string]string
	// Key checks signatures, and EventHash finds the hash of an event and how many
	// there are, for CheckNow and Covers.
	Key       Verifier
	EventHash func(context.Context, int64) (ledger.Digest, int64, error)
	Log       *slog.Logger // nil for none
}

// Keeper makes checkpoints and brings them to the witnesses.
type Keeper struct {
	Config
	// pushing lets pushes of this server take turns: each brings what the one
	// before left, once. Between servers a lease does; see turn.
	pushing sync.Mutex
	holder  string
	writing sync.Mutex // the file beside the data
	newest  newest
}

// New returns a keeper.
func New(c Config) *Keeper {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Keeper{Config: c, holder: rand.Text()}
}

// order asks for the checkpoint of a day, or for a push.
type order struct {
	Day     string `json:"day,omitempty"`
	Witness string `json:"witness,omitempty"`
}

// Start asks for the checkpoint of today and for what a witness lacks, takes over
// what another server on the database made meanwhile, and records a clock that was
// set back since the last event.
func (k *Keeper) Start(ctx context.Context) error {
	// A file with a line that is no checkpoint, or a disk that takes none, keeps
	// nobody from labeling; gates and doctor say the one, the log the other.
	for _, mend := range []func() error{k.dropTorn, func() error { return k.Follow(ctx) }} {
		err := mend()
		switch {
		case errors.Is(err, errNotKept):
			k.Log.Error("write the file of checkpoints beside the data", "error", err)
		case err != nil && !fault.Is(err, fault.Invalid):
			return err
		}
	}
	if err := k.checkClock(ctx); err != nil {
		return err
	}
	return k.Update(ctx, func(tx Tx) error {
		day := k.Now().UTC().Format(time.DateOnly)
		return errors.Join(tx.Enqueue(work.Order{Kind: WorkDaily, Key: day, Payload: order{Day: day}}), k.enqueuePush(tx))
	})
}

// Daily is the handler of WorkDaily: it makes the checkpoint of a day, once, and
// asks for that of the next.
func (k *Keeper) Daily(ctx context.Context, payload json.RawMessage) error {
	var o order
	if err := json.Unmarshal(payload, &o); err != nil {
		return fault.As(fault.Invalid, err, "an unreadable order")
	}
	day, err := time.Parse(time.DateOnly, o.Day)
	if err != nil {
		return fault.As(fault.Invalid, err, "an unreadable order")
	}
	var made []ledger.Checkpoint
	if err := k.View(ctx, func(tx Tx) (err error) {
		made, err = tx.Checkpoints(day.Add(-time.Microsecond))
		return err
	}); err != nil {
		return err
	}
	// One that a key signed which is no longer here covers nothing here: as after a
	// restore without keys.
	if !slices.ContainsFunc(made, func(c ledger.Checkpoint) bool { return c.Key == k.Signer.Hint() }) {
		if _, err := k.Make(ctx, "daily"); err != nil {
			return err
		}
	}
	next := k.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	return k.Update(ctx, func(tx Tx) error {
		key := next.Format(time.DateOnly)
		return tx.Enqueue(work.Order{Kind: WorkDaily, Key: key, Payload: order{Day: key}, NotBefore: next})
	})
}

// AfterDecision makes a checkpoint where a decision has none behind it yet. It
// has the form of a handler, to be carried out after what signs decisions.
func (k *Keeper) AfterDecision(ctx context.Context, _ json.RawMessage) error {
	reason := ""
	err := k.View(ctx, func(tx Tx) error {
		reason = ""
		decisions, err := tx.Events(ledger.Filter{Kinds: slices.Sorted(maps.Keys(k.Decisions)), Limit: 1})
		if err != nil || len(decisions) == 0 {
			return err
		}
		last, err := tx.LastCheckpoints(1)
		if len(last) == 0 || last[0].Seq < decisions[0].Seq {
			reason = k.Decisions[decisions[0].Kind]
		}
		return err
	})
	if err != nil || reason == "" {
		return err
	}
	_, err = k.Make(ctx, reason)
	return err
}

// Make signs the head of the history as it is now, keeps it and asks to push it.
func (k *Keeper) Make(ctx context.Context, reason string) (ledger.Checkpoint, error) {
	c := ledger.Checkpoint{Installation: k.Installation, Hash: ledger.ZeroDigest, At: k.Now().UTC().Truncate(time.Microsecond), Reason: reason, Key: k.Signer.Hint()}
	err := k.View(ctx, func(tx Tx) error {
		events, err := tx.Events(ledger.Filter{Limit: 1})
		if len(events) > 0 {
			c.Seq, c.Hash = events[0].Seq, events[0].Hash
		}
		if err != nil {
			return err
		}
		// A witness is brought what is newer than what it has, so a server whose
		// clock is behind that of another must not make an older one.
		last, err := tx.LastCheckpoints(1)
		if len(last) > 0 && !c.At.After(last[0].At) {
			c.At = last[0].At.Add(time.Microsecond)
		}
		return err
	})
	if err != nil {
		return c, err
	}
	if c, err = Sign(k.Signer, c); err != nil {
		return c, err
	}
	// First the file: a checkpoint that only the file has is as good as any.
	if err := k.keep(c); err != nil {
		return c, err
	}
	return c, k.Update(ctx, func(tx Tx) error { return errors.Join(tx.SaveCheckpoint(c), k.enqueuePush(tx)) })
}

// Sign signs a checkpoint.
func Sign(s Signer, c ledger.Checkpoint) (ledger.Checkpoint, error) {
	statement, err := c.Statement()
	if err == nil {
		c.Envelope, err = s.Sign(statement)
	}
	return c, fault.Wrap(err, "sign a checkpoint")
}

func (k *Keeper) enqueuePush(tx Tx) error {
	var errs []error
	for _, w := range k.Witnesses {
		// Every order has a key of its own: one that is being carried out may
		// have looked before this checkpoint was there.
		errs = append(errs, tx.Enqueue(work.Order{Kind: WorkPush, Key: w.Name() + k.Now().Format(time.RFC3339Nano), Payload: order{Witness: w.Name()}}))
	}
	return errors.Join(errs...)
}

// Push is the handler of WorkPush: it brings a witness what it lacks.
func (k *Keeper) Push(ctx context.Context, payload json.RawMessage) error {
	var o order
	if err := json.Unmarshal(payload, &o); err != nil {
		return fault.As(fault.Invalid, err, "an unreadable order")
	}
	for _, w := range k.Witnesses {
		if w.Name() == o.Witness {
			return k.push(ctx, w)
		}
	}
	return nil // it is no witness any more
}

func (k *Keeper) push(ctx context.Context, w Pusher) error {
	k.pushing.Lock()
	defer k.pushing.Unlock()
	state, waiting, err := k.turn(ctx, w.Name())
	if err != nil || len(waiting) == 0 {
		return err
	}
	pushed := w.Push(ctx, waiting)
	state.Holder, state.HeldUntil = "", time.Time{}
	switch {
	case pushed == nil:
		state.Last, state.Pushed, state.Failed, state.Reason = waiting[len(waiting)-1].At, k.Now(), time.Time{}, ""
	case ctx.Err() == nil: // a server that stops in the middle says nothing about the witness
		state.Failed, state.Reason = k.Now(), fault.Message(pushed)
	}
	if err := k.Update(context.WithoutCancel(ctx), func(tx Tx) error { return tx.SaveWitness(state) }); err != nil {
		return err
	}
	if pushed != nil {
		// Whatever is wrong outside can be mended there, so it is tried again.
		return fault.As(fault.Unavailable, pushed, "The witness %s has not taken a checkpoint: %s", w.Name(), state.Reason)
	}
	return nil
}

// turnTime is how long a witness belongs to the server that brings it something:
// longer than any push may take, for a server that was stopped in the middle.
const turnTime = patience + time.Minute

// turn waits until no other server on the database brings a witness anything, and
// returns what it lacks then. Where that is something, the turn is this server's
// until it writes down how far the witness is.
func (k *Keeper) turn(ctx context.Context, name string) (state ledger.Witness, waiting []ledger.Checkpoint, err error) {
	for {
		taken := false
		err := k.Update(ctx, func(tx Tx) error {
			state, waiting, taken = ledger.Witness{Name: name}, nil, false
			known, err := tx.Witnesses()
			if err != nil {
				return err
			}
			for _, one := range known {
				if one.Name == name {
					state = one
				}
			}
			now := k.Now()
			if taken = state.Holder != "" && state.Holder != k.holder && now.Before(state.HeldUntil); taken {
				return nil
			}
			if waiting, err = tx.Checkpoints(state.Last); err != nil || len(waiting) == 0 {
				return err
			}
			state.Holder, state.HeldUntil = k.holder, now.Add(turnTime)
			return tx.SaveWitness(state)
		})
		if err != nil || !taken {
			return state, waiting, err
		}
		select {
		case <-ctx.Done():
			return state, nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// State is what a page shows.
type State struct {
	Checkpoints []ledger.Checkpoint // the newest, newest first
	Witnesses   []ledger.Witness
}

// State returns the newest checkpoints and how far each witness is. Only an
// admin of the installation may ask.
func (k *Keeper) State(ctx context.Context, actor ledger.Actor) (State, error) {
	var s State
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return s, err
	}
	return s, k.View(ctx, func(tx Tx) (err error) {
		if s.Checkpoints, err = tx.LastCheckpoints(50); err != nil {
			return err
		}
		known, err := tx.Witnesses()
		s.Witnesses = nil
		for _, w := range k.Witnesses {
			one := ledger.Witness{Name: w.Name()}
			for _, o := range known {
				if o.Name == one.Name {
					one = o
				}
			}
			waiting, err := tx.Checkpoints(one.Last)
			if err != nil {
				return err
			}
			one.Waiting = len(waiting)
			s.Witnesses = append(s.Witnesses, one)
		}
		return err
	})
}
