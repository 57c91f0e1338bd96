package store_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
)

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
