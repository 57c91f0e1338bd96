package storetest

import (
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// Project is a project with the classes cat and dog, as tests use it.
func Project() labeling.Project {
	return labeling.Project{ID: "p1", Slug: "animals", Name: "Animals", SchemaVersion: 1, Overlap: 1,
		CreatedAt: time.UnixMicro(1_000_001).UTC(),
		Schema:    labeling.Schema{Question: "Which?", Classes: []labeling.Class{{ID: "cat", Name: "Cat"}, {ID: "dog", Name: "Dog", Color: 1, Key: "d"}}}}
}

// Item is an item of a dataset, as tests use it.
func Item(dataset labeling.DatasetID, key string) labeling.Item {
	return labeling.Item{ID: labeling.ItemID(string(dataset) + "/" + key), Project: "p1", Dataset: dataset, Key: key, Text: "text of " + key,
		Content: ledger.DigestOf([]byte(key)), Status: labeling.StatusQueued, Meta: map[string]string{"source": "test"}, CreatedAt: time.UnixMicro(5).UTC()}
}

// Animals writes Project and its dataset "train" with the given items.
func Animals(t testing.TB, s *store.Store, keys ...string) {
	t.Helper()
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.CreateProject(Project()); err != nil {
			return err
		}
		if err := tx.CreateDataset(labeling.Dataset{ID: "d1", Project: "p1", Name: "train", Purpose: labeling.PurposeTraining, CreatedAt: time.UnixMicro(7).UTC()}); err != nil {
			return err
		}
		for _, key := range keys {
			if _, err := tx.CreateItem(Item("d1", key)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Labeling shows the promises of projects, datasets and items.
func Labeling(t *testing.T) {
	t.Run("a project comes back as it was written, by id and by slug", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			Animals(t, s)
			view(t, s, func(tx *store.Tx) error {
				for _, find := range []func() (labeling.Project, error){
					func() (labeling.Project, error) { return tx.Project("p1") },
					func() (labeling.Project, error) { return tx.ProjectBySlug("animals") },
				} {
					got, err := find()
					if err != nil {
						return err
					}
					equal(t, got, Project())
				}
				_, err := tx.Project("nope")
				if !fault.Is(err, fault.NotFound) {
					t.Errorf("a missing project: %v", err)
				}
				return nil
			})
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.CreateProject(Project()) }); !fault.Is(err, fault.Conflict) {
				t.Errorf("twice the same project: %v", err)
			}
		})
	})
	t.Run("an item comes back as it was written, and its key is taken", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			Animals(t, s, "a")
			view(t, s, func(tx *store.Tx) error {
				got, err := tx.ItemKeyed("d1", "a")
				want := Item("d1", "a")
				want.Seq = got.Seq
				equal(t, got, want)
				return err
			})
			err := s.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.CreateItem(Item("d1", "a")); return err })
			if !fault.Is(err, fault.Conflict) {
				t.Errorf("the same key again: %v", err)
			}
		})
	})
	t.Run("counts follow the items", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			Animals(t, s, "a", "b", "c")
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				for key, label := range map[string]labeling.ClassID{"a": "cat", "b": "dog"} {
					item, err := tx.ItemKeyed("d1", key)
					if err != nil {
						return err
					}
					item.Status, item.Label = labeling.StatusAccepted, label
					if err := tx.UpdateItem(item); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			view(t, s, func(tx *store.Tx) error {
				counts, err := tx.Counts("p1")
				if err != nil {
					return err
				}
				equal(t, counts, []labeling.Count{
					{Dataset: "d1", Status: labeling.StatusAccepted, Label: "cat", Items: 1},
					{Dataset: "d1", Status: labeling.StatusAccepted, Label: "dog", Items: 1},
					{Dataset: "d1", Status: labeling.StatusQueued, Items: 1},
				})
				datasets, err := tx.Datasets("p1")
				if err == nil && (len(datasets) != 1 || datasets[0].Items != 3 || datasets[0].Accepted != 2) {
					t.Errorf("datasets = %+v", datasets)
				}
				labeled, err := tx.ItemsLabeled("p1", "dog", 0, 10)
				if err == nil && (len(labeled) != 1 || labeled[0].Key != "b") {
					t.Errorf("labeled = %+v", labeled)
				}
				return err
			})
		})
	})
}
