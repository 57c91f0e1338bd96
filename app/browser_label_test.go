//go:build e2e

package app

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// labelClasses are the classes of the project that labelSite makes.
var labelClasses = []string{"Sports", "Politics", "Science", "Music", "Film", "Food", "Travel", "Health", "Money", "Weather", "Law", "Art"}

// seedItems fills a database with the project "news" and its dataset "train".
func seedItems(n int, change func(*labeling.Project, []labeling.Item)) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		p := labeling.Project{ID: "0190aaaa-0000-7000-8000-000000000001", Slug: "news", Name: "News", SchemaVersion: 1, Overlap: 1, CreatedAt: tx.Now()}
		p.Schema.Question = "What is it about?"
		for i, name := range labelClasses {
			p.Schema.Classes = append(p.Schema.Classes, labeling.Class{ID: labeling.ClassID(strings.ToLower(name)), Name: name, Color: i % 10})
		}
		items := make([]labeling.Item, n)
		for i := range items {
			text := fmt.Sprintf("Item %d of the morning paper", i+1)
			items[i] = labeling.Item{ID: labeling.ItemID(fmt.Sprintf("0190bbbb-0000-7000-8000-%012d", i+1)), Project: p.ID, Dataset: "0190cccc-0000-7000-8000-000000000001",
				Key: fmt.Sprint(i + 1), Text: text, Content: ledger.DigestOf([]byte(text)), Status: labeling.StatusQueued, CreatedAt: tx.Now()}
		}
		if change != nil {
			change(&p, items)
		}
		if err := tx.CreateProject(p); err != nil {
			return err
		}
		if err := tx.CreateDataset(labeling.Dataset{ID: "0190cccc-0000-7000-8000-000000000001", Project: p.ID, Name: "train", Purpose: labeling.PurposeTraining, CreatedAt: tx.Now()}); err != nil {
			return err
		}
		if err := tx.CreateDataset(labeling.Dataset{ID: "0190cccc-0000-7000-8000-000000000002", Project: p.ID, Name: "test", Purpose: labeling.PurposeEvaluation, CreatedAt: tx.Now()}); err != nil {
			return err
		}
		for _, i := range items {
			if _, err := tx.CreateItem(i); err != nil {
				return err
			}
		}
		return nil
	}
}

// label opens the labeling page and waits until the first item can be answered.
func (v *visitor) label(query string) {
	v.t.Helper()
	v.open("/projects/news/label" + query)
	v.ready()
}

// ready waits until the item on the screen can be answered.
func (v *visitor) ready() { v.t.Helper(); v.wait(`document.querySelector("label-loop[data-ready]")`) }

// shown returns the text of the item on the screen.
func (v *visitor) shown() string {
	v.t.Helper()
	return v.text(".label-card:not([hidden]) .label-text")
}

// key presses a key as soon as the item can be answered, and waits for the next item.
func (v *visitor) answer(keys ...string) {
	v.t.Helper()
	for _, key := range keys {
		v.ready()
		before := v.shown()
		v.press(key)
		v.wait(fmt.Sprintf(`(document.querySelector(".label-card:not([hidden]) .label-text")?.innerText ?? "") !== %q`, before))
	}
}

// allSaved waits until the outbox is empty.
func (v *visitor) allSaved() { v.t.Helper(); v.waitText(`[data-part="saving"]`, "All saved") }

// annotations returns the active annotation of each item by its number.
func (s *site) annotations(t *testing.T) map[string]labeling.Annotation {
	t.Helper()
	found := map[string]labeling.Annotation{}
	s.look(t, func(db *store.Store) error {
		return db.View(t.Context(), func(tx *store.Tx) error {
			for n := 1; ; n++ {
				id := labeling.ItemID(fmt.Sprintf("0190bbbb-0000-7000-8000-%012d", n))
				if _, err := tx.Item(id); fault.Is(err, fault.NotFound) {
					return nil
				} else if err != nil {
					return err
				}
				all, err := tx.AnnotationsOf(id)
				if err != nil {
					return err
				}
				if len(all) > 1 {
					t.Errorf("item %d has %d active annotations", n, len(all))
				}
				for _, a := range all {
					found[fmt.Sprint(n)] = a
				}
			}
		})
	})
	return found
}

// submitted counts the answers in the history.
func (s *site) submitted(t *testing.T) (n int) {
	t.Helper()
	s.look(t, func(db *store.Store) error {
		return db.WalkHistory(t.Context(), func(r ledger.Record) error {
			if r.Kind == "annotation.submitted" {
				n++
			}
			return nil
		})
	})
	return n
}

// look opens the database beside the server.
func (s *site) look(t *testing.T, f func(*store.Store) error) {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(s.data, "adjudge.db"), store.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}
