package store_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
)

// onBoth measures on a new database file and, where there is a server, on
// PostgreSQL.
func onBoth(b *testing.B, measure func(*testing.B, *store.Store)) {
	at := func(b *testing.B, address string) {
		s, err := store.Open(b.Context(), address, store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		measure(b, s)
	}
	b.Run("sqlite", func(b *testing.B) { at(b, filepath.Join(b.TempDir(), "adjudge.db")) })
	b.Run("postgres", func(b *testing.B) {
		at(b, storetest.Postgres(b))
	})
}

// BenchmarkUpdate measures durable updates, each with one event, by many people
// at once: how well commits in groups share their flushes.
func BenchmarkUpdate(b *testing.B) {
	for _, people := range []int{1, 20, 200} {
		b.Run(fmt.Sprintf("people=%d", people), func(b *testing.B) {
			s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "adjudge.db"), store.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var group sync.WaitGroup
			for range people {
				group.Go(func() {
					for left.Add(-1) >= 0 {
						err := s.Update(b.Context(), func(tx *store.Tx) error {
							return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: "annotation.submitted", Subject: ledger.Subject{Kind: "item", ID: "i"}, Payload: map[string]string{"class": "c"}})
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
		})
	}
}

// BenchmarkHistory1M reads pages of a history of a million events: the newest,
// one deep inside, and what each filter of the audit page chooses.
func BenchmarkHistory1M(b *testing.B) {
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "adjudge.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const events, group = 1_000_000, 5000
	people := []ledger.PersonID{"anna", "ben", "cleo", "dan"}
	for done := 0; done < events; done += group {
		if err := s.Update(b.Context(), func(tx *store.Tx) error {
			for i := done; i < done+group; i++ {
				kind := "annotation.submitted"
				if i%100_000 == 7 {
					kind = "role.granted"
				}
				if err := tx.Record(ledger.Entry{Actor: ledger.Actor{Person: people[i%4], Via: ledger.ViaLogin}, Project: ledger.ProjectID(fmt.Sprint("p", i%3)), Kind: kind,
					Subject: ledger.Subject{Kind: "item", ID: fmt.Sprint("i", i%50_000)}, Payload: map[string]string{"class": "c"}}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	var middle time.Time
	if err := s.View(b.Context(), func(tx *store.Tx) error {
		found, err := tx.Events(ledger.Filter{Before: events / 2, Limit: 1})
		middle = found[0].At
		return err
	}); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		f    ledger.Filter
	}{
		{"newest", ledger.Filter{Project: "p1"}},
		{"deep", ledger.Filter{Project: "p1", Before: 100_000}},
		{"rare kind", ledger.Filter{Project: "p1", Kind: "role.granted"}},
		{"rare kind of a person", ledger.Filter{Actor: "anna", Kind: "role.granted"}},
		{"person", ledger.Filter{Project: "p1", Actor: "cleo"}},
		{"record", ledger.Filter{Project: "p1", Subject: ledger.Subject{Kind: "item", ID: "i77"}}},
		{"period", ledger.Filter{Project: "p1", From: middle.Add(-time.Second), Until: middle}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := s.View(b.Context(), func(tx *store.Tx) error {
					_, err := tx.Events(c.f)
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
