package store_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/labeling"
)

// Whatever is typed into the search field, neither index takes it for a broken
// query, and an item is found by its own words.
func FuzzSearch(f *testing.F) {
	at := time.UnixMicro(1_000_000).UTC()
	stores := []*store.Store{storetest.New(f)}
	if os.Getenv(storetest.PostgresVariable) != "" {
		stores = append(stores, storetest.Open(f, storetest.Postgres(f)))
	}
	const text = "Where is my card"
	for _, s := range stores {
		err := s.Update(f.Context(), func(tx *store.Tx) error {
			if err := tx.CreateProject(labeling.Project{ID: "p", Slug: "p", Name: "P", Overlap: 1, SchemaVersion: 1, CreatedAt: at}); err != nil {
				return err
			}
			if err := tx.CreateDataset(labeling.Dataset{ID: "d", Project: "p", Name: "d", Purpose: labeling.PurposeTraining, CreatedAt: at}); err != nil {
				return err
			}
			item := labeling.Item{ID: "i", Project: "p", Dataset: "d", Key: "k", Text: text, Content: ledger.DigestOf([]byte(text)), Status: labeling.StatusQueued, CreatedAt: at}
			if _, _, err := tx.AddItems([]labeling.Item{item}); err != nil {
				return err
			}
			_, err := tx.IndexItems(10)
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	for _, seed := range []string{text, "my car", `"*:()`, "NEAR(a b)", "a:b -c | !d & <->", "\u0301", "x\u0301 ㋿ 🦝", "é AND OR NOT", "0 1 2 3 4 5 6 7 8 9 10 11 12 13"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if strings.ContainsRune(typed, 0) || strings.ToValidUTF8(typed, "") != typed {
			return // refused before it comes this far
		}
		for _, s := range stores {
			err := s.View(t.Context(), func(tx *store.Tx) error {
				found, _, err := tx.FindItems("p", labeling.ItemFilter{Search: typed}, labeling.Slice{Rows: 10})
				if err == nil && (typed == text || typed == "my car") && len(found) != 1 {
					t.Errorf("%q finds %d items", typed, len(found))
				}
				if err == nil {
					_, err = tx.CountItems("p", labeling.ItemFilter{Search: typed}, 10)
				}
				return err
			})
			if err != nil {
				t.Fatalf("%q: %v", typed, err)
			}
		}
	})
}
