package store

import (
	"context"
	"slices"
	"sync"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Walk is what this process has seen of the history with its own eyes: it goes
// from the first event to the last by their hashes, each event once, and keeps in
// memory the events about kinds of things that it was asked to remember. What is
// changed in the database afterwards no longer agrees with what it remembers, and
// what was changed before breaks the chain when it passes.
//
// A walk over a million events takes seconds, once per process, and goes on from
// there; what it keeps are the events that are remembered, half a kilobyte each.
type Walk struct {
	store *Store
	kinds []string // of the subjects that are remembered

	walking sync.Mutex // held by whoever goes on

	mu   sync.Mutex // guards what follows
	last ledger.Event
	told ledger.Event   // the newest event that this process was told of
	kept []ledger.Event // only ever appended to
}

// NewWalk returns a walk that remembers the events about subjects of some kinds.
func NewWalk(s *Store, kinds ...string) *Walk {
	w := &Walk{store: s, kinds: kinds}
	s.OnEvents(func(events []ledger.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if newest := events[len(events)-1]; newest.Seq > w.told.Seq {
			w.told = newest
		}
	})
	return w
}

// walkPage is how many events are read at once. Between pages nothing is held.
const walkPage = 5000

// Go walks on to the end of the history, and returns how many events there are. It
// returns Conflict with what is wrong where the chain does not verify, where it no
// longer holds what this process has walked, or where it is shorter than what this
// process was told of.
func (w *Walk) Go(ctx context.Context) (int64, error) {
	w.walking.Lock()
	defer w.walking.Unlock()
	w.mu.Lock()
	last, told := w.last, w.told
	w.mu.Unlock()
	for _, known := range []ledger.Event{last, told} {
		if known.Seq == 0 {
			continue
		}
		hash, length, err := w.store.EventHash(ctx, known.Seq)
		if err != nil {
			return 0, err
		}
		if length < known.Seq {
			return 0, fault.New(fault.Conflict, "The history was cut: it holds %d events, and this server has seen %d.", length, known.Seq)
		}
		if hash != known.Hash {
			return 0, fault.New(fault.Conflict, "The history was rewritten: event %d or one before it is not the one that this server has seen.", known.Seq)
		}
	}
	for {
		var page []ledger.Event
		if err := w.store.View(ctx, func(tx *Tx) (err error) {
			page, err = tx.eventsAfter(last.Seq, walkPage)
			return err
		}); err != nil {
			return 0, fault.Wrap(err, "walk the history")
		}
		if len(page) == 0 {
			return last.Seq, nil
		}
		for _, e := range page {
			if err := e.Check(last, nil, nil); err != nil {
				return 0, fault.As(fault.Conflict, err, "The history does not verify: %v", err)
			}
			last = e
		}
		w.mu.Lock()
		w.last = last
		for _, e := range page {
			if slices.Contains(w.kinds, e.Subject.Kind) {
				w.kept = append(w.kept, e)
			}
		}
		w.mu.Unlock()
	}
}

// Passed walks on and returns the events that are remembered of the first length
// events, oldest first. They are not to be changed.
func (w *Walk) Passed(ctx context.Context) (events []ledger.Event, length int64, err error) {
	if length, err = w.Go(ctx); err != nil {
		return nil, length, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.kept)
	for n > 0 && w.kept[n-1].Seq > length { // another walked on meanwhile
		n--
	}
	return w.kept[:n:n], length, nil
}
