package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/backend/work"
)

// ear collects the numbers of the events that a store announces.
type ear struct {
	mu   sync.Mutex
	seqs map[int64]int
	news chan struct{}
}

func listenTo(s *store.Store) *ear {
	e := &ear{seqs: map[int64]int{}, news: make(chan struct{}, 1)}
	s.OnEvents(func(events []ledger.Event) {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, event := range events {
			e.seqs[event.Seq]++
		}
		select {
		case e.news <- struct{}{}:
		default:
		}
	})
	return e
}

// hears waits until every event up to last was heard, and fails if one was
// heard twice.
func (e *ear) hears(t *testing.T, last int64) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		e.mu.Lock()
		heard := len(e.seqs)
		for seq, times := range e.seqs {
			if times > 1 {
				t.Errorf("event %d was announced %d times", seq, times)
			}
		}
		e.mu.Unlock()
		if int64(heard) == last {
			return
		}
		select {
		case <-e.news:
		case <-deadline:
			t.Fatalf("heard %d of %d events", heard, last)
		}
	}
}

func record(ctx context.Context, s *store.Store, n int) error {
	return s.Update(ctx, func(tx *store.Tx) error {
		return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: "counted", Subject: ledger.Subject{Kind: "n", ID: fmt.Sprint(n)}, Payload: map[string]int{"n": n}})
	})
}

func openTwo(t *testing.T) (a, b *store.Store, address string) {
	t.Helper()
	address = storetest.Postgres(t)
	return storetest.Open(t, address), storetest.Open(t, address), address
}

func TestTwoServersHearEachOthersEventsOnce(t *testing.T) {
	t.Parallel()
	a, b, _ := openTwo(t)
	one, other := listenTo(a), listenTo(b)
	var group sync.WaitGroup
	for n := range 100 {
		group.Go(func() {
			if err := record(t.Context(), []*store.Store{a, b}[n%2], n); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	one.hears(t, 100)
	other.hears(t, 100)
	if n, err := a.CheckHistory(t.Context()); n != 100 || err != nil {
		t.Errorf("the chain of both: %d, %v", n, err)
	}
}

func TestAServerWhoseListeningConnectionBreaksMissesNothing(t *testing.T) {
	t.Parallel()
	a, b, address := openTwo(t)
	other := listenTo(b)
	if err := record(t.Context(), a, 0); err != nil {
		t.Fatal(err)
	}
	other.hears(t, 1)
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	// Both listen; whoever is cut off comes back by itself.
	cut := `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query = 'LISTEN "adjudge ' || current_schema() || '"'`
	for n := range 20 {
		if n == 5 {
			var ended int
			if err := db.QueryRowContext(t.Context(), cut).Scan(&ended); err != nil || ended == 0 {
				t.Fatalf("ended %d listeners: %v", ended, err)
			}
		}
		if err := record(t.Context(), a, n+1); err != nil {
			t.Fatal(err)
		}
	}
	other.hears(t, 21)
}

func TestWorkOfOneServerWakesTheOtherAndIsClaimedOnce(t *testing.T) {
	t.Parallel()
	a, b, _ := openTwo(t)
	hearing(t, a, b) // for it looks once by itself when it begins to
	woken := make(chan struct{}, 100)
	b.OnWork(func() { woken <- struct{}{} })
	if err := a.Update(t.Context(), func(tx *store.Tx) error {
		for n := range 50 {
			if err := tx.Enqueue(work.Order{Kind: "count", Payload: n}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-woken:
	case <-time.After(time.Minute):
		t.Fatal("the other server was not woken")
	}
	var mu sync.Mutex
	claimed := map[int64]int{}
	var group sync.WaitGroup
	now := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	for n := range 8 {
		group.Go(func() {
			for {
				row, found, err := []*store.Store{a, b}[n%2].ClaimWork(t.Context(), now, now.Add(time.Minute))
				if err != nil {
					t.Error(err)
				}
				if !found {
					return
				}
				mu.Lock()
				claimed[row.ID]++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for id, times := range claimed {
		if times != 1 {
			t.Errorf("work %d was claimed %d times", id, times)
		}
	}
	if len(claimed) != 50 {
		t.Errorf("claimed %d of 50", len(claimed))
	}
}

// hearing waits until b hears what a tells.
func hearing(t *testing.T, a, b *store.Store) {
	t.Helper()
	heard := make(chan string, 8)
	b.OnTold(func(_, text string) {
		select {
		case heard <- text:
		default: // it was heard already
		}
	})
	deadline := time.After(time.Minute)
	for {
		if err := a.Tell(t.Context(), "hello"); err != nil { // again, in case nobody listens yet
			t.Fatal(err)
		}
		select {
		case text := <-heard:
			if text != "hello" {
				t.Errorf("heard %q", text)
			}
			return
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			t.Fatal("nothing was heard")
		}
	}
}

func TestWhatOneServerTellsTheOtherHears(t *testing.T) {
	t.Parallel()
	a, b, _ := openTwo(t)
	a.OnTold(func(_, text string) { t.Errorf("it heard itself: %s", text) })
	// Views keep their connections, all that there are for them.
	for range 100 {
		if err := a.View(t.Context(), func(*store.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	hearing(t, a, b)
}

// Thirty people write through two servers while the database crashes three
// times. Each tries again until acknowledged, as an outbox does, but does not
// send again what was acknowledged: every acknowledged number stands there, and
// none that was refused as unavailable stands there twice.
func TestACrashOfTheDatabaseLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	cluster := storetest.StartCluster(t)
	var stores [2]*store.Store
	for i := range stores {
		s, err := store.Open(t.Context(), cluster.Address, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		stores[i] = s
	}
	heard := [2]*ear{listenTo(stores[0]), listenTo(stores[1])}
	var next, refused atomic.Int64
	var done atomic.Bool
	var group sync.WaitGroup
	acknowledged := make([]atomic.Bool, 1_000_000)
	for person := range 30 {
		group.Go(func() {
			for !done.Load() {
				n := int(next.Add(1))
				s := stores[person%2]
				for {
					err := s.Update(t.Context(), func(tx *store.Tx) error {
						return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: "counted", Subject: ledger.Subject{Kind: "n", ID: fmt.Sprint(n)}})
					})
					if err == nil {
						acknowledged[n].Store(true)
						break
					}
					if !fault.Is(err, fault.Unavailable) {
						t.Errorf("answer %d: %v", n, err)
						return
					}
					refused.Add(1)
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	for range 3 {
		before := next.Load()
		for next.Load() < before+300 { // people are at work
			time.Sleep(5 * time.Millisecond)
		}
		cluster.Crash()
	}
	before := next.Load()
	for next.Load() < before+300 {
		time.Sleep(5 * time.Millisecond)
	}
	done.Store(true)
	group.Wait()
	stored := map[string]int{}
	if err := stores[0].WalkHistory(t.Context(), func(r ledger.Record) error {
		stored[r.Subject.ID]++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for n := range acknowledged {
		if acknowledged[n].Load() && stored[fmt.Sprint(n)] != 1 {
			t.Errorf("answer %d was acknowledged and stands there %d times", n, stored[fmt.Sprint(n)])
		}
	}
	length, err := stores[1].CheckHistory(t.Context())
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d answers, %d refusals meanwhile", length, refused.Load())
	for _, e := range heard {
		e.hears(t, length)
	}
}

// What came in at once is counted when it is said so, beside whatever else goes on.
func TestPostgresCountsWhatCameIn(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	s := storetest.Open(t, address)
	storetest.Animals(t, s, "a", "b", "c")
	s.Analyze(t.Context())
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var rows float64
	if err := db.QueryRowContext(t.Context(), `SELECT reltuples FROM pg_class WHERE oid = 'item'::regclass`).Scan(&rows); err != nil || rows != 3 {
		t.Errorf("%v items are counted (%v), want 3", rows, err)
	}
}
