package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// keyChunks adds chunks of items whose keys come in no order, each in an Update
// of its own, and returns the keys that are in.
func keyChunks(t *testing.T, s *store.Store) []string {
	order := rand.New(rand.NewPCG(1, 2)).Perm(600)
	var keys []string
	chunk := func(from, to int) []labeling.Item {
		var items []labeling.Item
		for _, n := range order[from:to] {
			key := fmt.Sprintf("k%03d", n)
			items = append(items, labeling.Item{ID: labeling.ItemID(fmt.Sprintf("%s-%d", key, from)), Project: "p1", Dataset: "d1", Key: key, Text: key,
				Content: ledger.DigestOf([]byte(key)), Status: labeling.StatusAccepted, Label: "dog", Answers: 1})
		}
		return items
	}
	update(t, s, func(tx *store.Tx) error {
		if err := tx.CreateProject(Project()); err != nil {
			return err
		}
		return tx.CreateDataset(labeling.Dataset{ID: "d1", Project: "p1", Name: "train", Purpose: labeling.PurposeTraining})
	})
	for from := 0; from < 600; from += 100 {
		items := chunk(from, from+100)
		undone := errors.New("undone")
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			_, _, err := tx.AddItems(items)
			return errors.Join(undone, err)
		}); !errors.Is(err, undone) {
			t.Fatal(err)
		}
		update(t, s, func(tx *store.Tx) error {
			added, _, err := tx.AddItems(items)
			if len(added) != 100 {
				t.Errorf("%d of 100 were added after the same were rolled back", len(added))
			}
			return err
		})
		for _, i := range items {
			keys = append(keys, i.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

// keysFound fails unless every key leads to its item, alone and in order, and
// none can be added again.
func keysFound(t *testing.T, s *store.Store, when string, keys []string) {
	t.Helper()
	view(t, s, func(tx *store.Tx) error {
		for _, key := range keys {
			if item, err := tx.ItemKeyed("d1", key); err != nil || item.Text != key {
				t.Fatalf("%s: %s leads to %q: %v", when, key, item.Text, err)
			}
		}
		var walked []string
		for after := ""; ; after = walked[len(walked)-1] {
			page, err := tx.AcceptedItems("d1", after, 70)
			if err != nil || len(page) == 0 {
				if !slices.Equal(walked, keys) {
					t.Errorf("%s: a walk by key meets %d of %d items", when, len(walked), len(keys))
				}
				return err
			}
			for _, i := range page {
				walked = append(walked, i.Key)
			}
		}
	})
	update(t, s, func(tx *store.Tx) error {
		var again []labeling.Item
		for n, key := range keys {
			again = append(again, labeling.Item{ID: labeling.ItemID(fmt.Sprint("again-", n)), Project: "p1", Dataset: "d1", Key: key, Text: "other", Status: labeling.StatusQueued})
		}
		added, standing, err := tx.AddItems(again)
		if len(added) != 0 || len(standing) != len(keys) || standing[keys[0]] != ledger.DigestOf([]byte(keys[0])) {
			t.Errorf("%s: %d were added again, %d are said to stand", when, len(added), len(standing))
		}
		return err
	})
}

// dataKeyRuns shows that keys hold while chunks of an import are merged.
func dataKeyRuns(t *testing.T, s *store.Store) {
	keys := keyChunks(t, s)
	keysFound(t, s, "before merging", keys)
	for step := 0; ; step++ {
		moved := 0
		update(t, s, func(tx *store.Tx) (err error) {
			moved, err = tx.MergeKeys("", 150)
			return err
		})
		if moved == 0 {
			break
		}
		if step == 20 {
			t.Fatal("merging does not end")
		}
		if step == 1 {
			keysFound(t, s, "in the middle of merging", keys)
			update(t, s, func(tx *store.Tx) error {
				_, err := tx.CreateItem(labeling.Item{ID: "one", Project: "p1", Dataset: "d1", Key: "k5000", Text: "k5000", Content: ledger.DigestOf([]byte("k5000")), Status: labeling.StatusAccepted})
				return err
			})
			keys = append(keys, "k5000")
			slices.Sort(keys)
		}
	}
	keysFound(t, s, "after merging", keys)
}

func update(t *testing.T, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}
