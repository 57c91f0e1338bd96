package store_test

import (
	"fmt"
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/labeling"
)

// BenchmarkLeaseFrom60kJustImported offers twenty items of a shuffled queue of
// 60,000 that came in a moment ago, of which thirty people hold the first 600:
// Monday at nine.
func BenchmarkLeaseFrom60kJustImported(b *testing.B) {
	onBoth(b, benchLease)
}

func benchLease(b *testing.B, s *store.Store) {
	const items, group, leased = 60_000, 5000, 600
	storetest.Animals(b, s)
	query := labeling.OfferQuery{Project: "p1", Dataset: "d1", Person: "xan", Overlap: 1, Limit: 20}
	change := func(f func(*store.Tx) error) {
		b.Helper()
		if err := s.Update(b.Context(), f); err != nil {
			b.Fatal(err)
		}
	}
	change(func(tx *store.Tx) (err error) {
		query.Generation, err = tx.NewGeneration("p1")
		return err
	})
	for done := 0; done < items; done += group {
		change(func(tx *store.Tx) error {
			rows := make([]labeling.QueueRow, group)
			for n := range rows {
				seq, err := tx.CreateItem(storetest.Item("d1", fmt.Sprint(done+n)))
				if err != nil {
					return err
				}
				rows[n] = labeling.QueueRow{Item: seq, Rank: int64(uint32(done+n) * 2654435761)}
			}
			return tx.AddQueueRows(query.Generation, rows)
		})
	}
	s.Analyze(b.Context()) // as an import and a new order of the queue do
	for n := range 30 {
		change(func(tx *store.Tx) error {
			page := fmt.Sprint("page-", n)
			person := ledger.PersonID(fmt.Sprint("p", n))
			if err := tx.KeepHolder(labeling.Holder{Page: page, Project: "p1", Person: person, Beat: tx.Now()}); err != nil {
				return err
			}
			mine := query
			mine.Person, mine.Limit = person, leased/30
			found, err := tx.Offers(mine)
			for _, i := range found {
				if err == nil {
					err = tx.CreateLease(i.Seq, page)
				}
			}
			return err
		})
	}
	for b.Loop() {
		change(func(tx *store.Tx) error {
			found, err := tx.Offers(query)
			if err == nil && len(found) != query.Limit {
				err = fmt.Errorf("%d items are offered", len(found))
			}
			return err
		})
	}
}
