package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// dataLong shows that no list of items reads more than a page, whichever way it
// goes, and that walking on finds every item once.
func dataLong(t *testing.T, s *store.Store) {
	const items, size = 30, 400_000 // 12 MB, three pages
	at := time.UnixMicro(1_000_000).UTC()
	update(t, s, func(tx *store.Tx) error {
		if err := tx.CreateProject(labeling.Project{ID: "p", Slug: "p", Name: "P", Overlap: 1, SchemaVersion: 1, CreatedAt: at}); err != nil {
			return err
		}
		if err := tx.CreateDataset(labeling.Dataset{ID: "d", Project: "p", Name: "d", Purpose: labeling.PurposeTraining, CreatedAt: at}); err != nil {
			return err
		}
		var batch []labeling.Item
		for n := range items {
			text := fmt.Sprintf("%02d ", n) + strings.Repeat("x", size)
			batch = append(batch, labeling.Item{ID: labeling.ItemID(fmt.Sprintf("i%02d", n)), Project: "p", Dataset: "d", Key: fmt.Sprintf("k%02d", n),
				Text: text, Content: ledger.DigestOf([]byte(text)), Status: labeling.StatusAccepted, Label: "x", CreatedAt: at})
		}
		_, _, err := tx.AddItems(batch)
		return err
	})
	view(t, s, func(tx *store.Tx) error {
		find := func(f labeling.ItemFilter, part labeling.Slice) func(last labeling.Item) ([]labeling.Item, error) {
			return func(last labeling.Item) ([]labeling.Item, error) {
				here := part
				if last.ID != "" && here.Before != 0 {
					here.Before = last.Seq
				} else if last.ID != "" {
					here.After = last.Seq
				}
				found, more, err := tx.FindItems("p", f, here)
				if len(found) > 0 && more == (found[len(found)-1].Key == "k29" || here.Before != 0 && found[len(found)-1].Key == "k00") {
					t.Errorf("%+v after %s: more = %v", f, found[len(found)-1].Key, more)
				}
				return found, err
			}
		}
		for name, walk := range map[string]func(last labeling.Item) ([]labeling.Item, error){
			"merged":           find(labeling.ItemFilter{}, labeling.Slice{Rows: 500}),
			"merged, back":     find(labeling.ItemFilter{}, labeling.Slice{Rows: 500, Before: 1 << 62}),
			"filtered":         find(labeling.ItemFilter{Label: "x"}, labeling.Slice{Rows: 500}),
			"filtered, back":   find(labeling.ItemFilter{Label: "x"}, labeling.Slice{Rows: 500, Before: 1 << 62}),
			"for an export":    func(last labeling.Item) ([]labeling.Item, error) { return tx.ItemsAfter("d", last.Seq, 5000) },
			"for a snapshot":   func(last labeling.Item) ([]labeling.Item, error) { return tx.AcceptedItems("d", last.Key, 5000) },
			"of a moved class": func(last labeling.Item) ([]labeling.Item, error) { return tx.ItemsLabeled("p", "x", last.Seq, 500) },
			"for a runner": func(last labeling.Item) (items []labeling.Item, err error) {
				texts, err := tx.DatasetTexts("d", false, last.Seq, 1000)
				for _, one := range texts {
					items = append(items, labeling.Item{Seq: one.Seq, ID: labeling.ItemID(one.Key), Key: one.Key, Text: one.Text})
				}
				return items, err
			},
		} {
			var last labeling.Item
			seen := map[string]bool{}
			for {
				found, err := walk(last)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				if len(found) == 0 {
					break
				}
				read := 0
				for _, i := range found {
					seen[i.Key] = true
					read += len(i.Text)
				}
				if read > ledger.MostRead+size+3 {
					t.Errorf("%s: %d bytes at once", name, read)
				}
				last = found[len(found)-1]
			}
			if len(seen) != items {
				t.Errorf("%s: %d of %d items", name, len(seen), items)
			}
		}
		short, more, err := tx.FindItems("p", labeling.ItemFilter{}, labeling.Slice{Rows: 500, Short: true})
		if err != nil || more || len(short) != items || !short[0].Cut || len(short[0].Text) != ledger.MostExcerpt {
			t.Errorf("beginnings: %d items, more %v (%v)", len(short), more, err)
		}
		texts, err := tx.ItemTexts([]labeling.DatasetID{"d"}, []string{"k01"})
		if one := texts["k01"]; err != nil || !one.Cut || len(one.Text) != ledger.MostExcerpt {
			t.Errorf("the text of a compared item: %d bytes, cut %v (%v)", len(one.Text), one.Cut, err)
		}
		return nil
	})
}
