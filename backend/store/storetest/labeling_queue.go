package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// queueIsOffered leases more and more of the head of a queue, and looks whether
// what is offered goes on behind it.
func queueIsOffered(t *testing.T) {
	t.Parallel()
	const items = 1400
	keys := make([]string, items)
	for n := range keys {
		keys[n] = fmt.Sprintf("%04d", n)
	}
	Each(t, func(t *testing.T, s *store.Store) {
		Animals(t, s, keys...)
		query := labeling.OfferQuery{Project: "p1", Dataset: "d1", Person: "ana", Overlap: 1, Limit: 20}
		var waiting []labeling.QueueItem
		change(t, s, func(tx *store.Tx) (err error) {
			if query.Generation, err = tx.NewGeneration("p1"); err != nil {
				return err
			}
			if waiting, err = tx.QueueItems("p1", 0, items); err != nil {
				return err
			}
			rows := make([]labeling.QueueRow, items)
			for n, i := range waiting { // the last first, and ranks of either sign
				rows[n] = labeling.QueueRow{Item: i.Seq, Rank: int64(items/2 - n)}
			}
			return tx.AddQueueRows(query.Generation, rows)
		})
		offered := func() (keys []string) {
			change(t, s, func(tx *store.Tx) error {
				found, err := tx.Offers(query)
				keys = nil
				for _, i := range found {
					keys = append(keys, i.Key)
				}
				return err
			})
			return keys
		}
		want := func(what string, got []string, n int, first string) {
			t.Helper()
			if len(got) != n || got[0] != first || !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(b, a) }) {
				t.Errorf("%s: %v are offered, want %d from %s", what, got, n, first)
			}
		}
		lease := func(from, to int) {
			change(t, s, func(tx *store.Tx) error {
				if err := tx.KeepHolder(labeling.Holder{Page: pageID(9), Project: "p1", Person: "bo", Beat: tx.Now()}); err != nil {
					return err
				}
				for n := from; n < to; n++ {
					if err := tx.CreateLease(waiting[items-1-n].Seq, pageID(9)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		want("a queue of which nothing is taken", offered(), 20, "1399")
		lease(0, 500)
		want("500 are taken", offered(), 20, "0899")
		lease(500, 1390)
		want("all but ten are taken", offered(), 10, "0009")
	})
}
