package checkpoint_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/checkpoint"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
)

func jumps(t *testing.T, s *store.Store) (found []ledger.Record) {
	t.Helper()
	if err := s.View(t.Context(), func(tx *store.Tx) (err error) {
		found, err = tx.Events(ledger.Filter{Kind: checkpoint.EventClock})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAClockThatIsSetWhileTheServerRunsIsAnEvent(t *testing.T) {
	t.Parallel()
	p := newPlace(t, storetest.SQLite(t))
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	readings := make(chan checkpoint.Reading, 5)
	for minute, set := range []time.Duration{0, 0, 4 * time.Second, -time.Hour, -time.Hour} {
		ran := time.Duration(minute) * time.Minute
		readings <- checkpoint.Reading{Wall: start.Add(ran + set), Ran: ran}
	}
	tick := make(chan time.Time)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.WatchClock(ctx, tick, func() checkpoint.Reading { return <-readings }, func(err error) { t.Error(err) })
	}()
	for range 4 {
		tick <- start
	}
	stop()
	<-done
	found := jumps(t, p.store)
	if len(found) != 1 || !strings.Contains(string(found[0].Payload), `"seconds":-3604`) {
		t.Errorf("recorded %+v", found)
	}
}

func TestAClockBehindTheLastEventIsAnEventAndTimesNeverGoBack(t *testing.T) {
	t.Parallel()
	path := storetest.SQLite(t)
	ahead := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	first, err := store.Open(t.Context(), path, store.Options{Now: func() time.Time { return ahead }})
	if err != nil {
		t.Fatal(err)
	}
	place{store: first}.record(t, "a")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, path) // its clock begins in March
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.record(t, "b")
	found := jumps(t, p.store)
	if len(found) == 0 || !strings.Contains(string(found[0].Payload), `"last":"2026-06-01T12:00:00Z"`) || !strings.Contains(string(found[0].Payload), `"seconds":-`) {
		t.Fatalf("%+v", found)
	}
	var last time.Time
	if err := p.store.WalkHistory(t.Context(), func(r ledger.Record) error {
		if r.At.Before(last) {
			t.Errorf("event %d is of %v, the one before of %v", r.Seq, r.At, last)
		}
		last = r.At
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.store.CheckHistory(t.Context()); err != nil {
		t.Error(err)
	}
}
