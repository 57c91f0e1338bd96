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
// It also remembers the newest seal of every row that a gate rests on, so that such
// a row is held against the history without reading it again.
//
// A walk over a million events takes seconds, once per process, and goes on from
// there; what it keeps are the events that are remembered, half a kilobyte each, and
// as much for each of those rows.
type Walk struct {
	store *Store
	kinds []string // of the subjects that are remembered

	walking sync.Mutex // held by whoever goes on; guards what follows
	rows    map[[markSize]byte]*remembered
	finds   finds
	looks   int // how often the rows were held against what is remembered

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
	for n := -1; n != 0; {
		if err := w.store.View(ctx, func(tx *Tx) (err error) {
			n, err = w.step(tx)
			return err
		}); err != nil {
			return 0, fault.Wrap(err, "walk the history")
		}
	}
	return w.last.Seq, nil
}

// step goes on by a page of what a transaction sees, and returns how many events
// that were.
func (w *Walk) step(tx *Tx) (int, error) {
	page, err := tx.sealedAfter(w.last.Seq, walkPage)
	if err != nil || len(page) == 0 {
		return 0, err
	}
	last := w.last
	for _, e := range page {
		if err := e.Check(last, nil, nil); err != nil {
			return 0, fault.As(fault.Conflict, err, "The history does not verify: %v", err)
		}
		last = e.Event
	}
	for _, e := range page {
		seals, err := sealsOf(e.Seq, e.Rows, e.text, e.salts)
		if err != nil {
			return 0, err
		}
		w.remember(e.Seq, e.Kind == EventFound, seals)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = last
	for _, e := range page {
		if slices.Contains(w.kinds, e.Subject.Kind) {
			w.kept = append(w.kept, e.Event)
		}
	}
	return len(page), nil
}

// sealedEvent is an event with the seals that it commits to.
type sealedEvent struct {
	ledger.Event
	text, salts []byte
}

// sealedAfter returns events of the chain with their seals, oldest first.
func (tx *Tx) sealedAfter(seq int64, limit int) (events []sealedEvent, err error) {
	err = tx.some(newPurse(), `SELECT seq, at, actor, via, project, kind, subject_kind, subject, commitment, prev, hash, row_digest, row_salts, row_seals
		FROM event WHERE seq > $1 ORDER BY seq LIMIT $2`, []any{seq, limit}, func(scan func(...any) error) error {
		var e sealedEvent
		var at int64
		err := scan(&e.Seq, &at, &e.Actor, &e.Via, &e.Project, &e.Kind, &e.Subject.Kind, &e.Subject.ID, &e.Commitment, &e.Prev, &e.Hash, &e.Rows, &e.salts, &e.text)
		e.At = fromMicros(at)
		events = append(events, e)
		return err
	})
	return events, err
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
