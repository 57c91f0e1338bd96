package storetest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// LabelingData shows what lists, search, bulk inserts and snapshots promise.
func LabelingData(t *testing.T) {
	t.Run("lists page in both directions under every filter", func(t *testing.T) {
		t.Parallel()
		Each(t, dataLists)
	})
	t.Run("a list of long texts ends early, says so, and goes on without a gap", func(t *testing.T) {
		t.Parallel()
		Each(t, dataLong)
	})
	t.Run("a key that is there is not added, and its content is told", func(t *testing.T) {
		t.Parallel()
		Each(t, dataKeys)
	})
	t.Run("keys are found and unique while the chunks of an import are merged", func(t *testing.T) {
		t.Parallel()
		Each(t, dataKeyRuns)
	})
}

// dataItems makes two datasets with 30 items each: every third has an answer,
// every fifth is in the trash, every seventh has a prediction that differs.
func dataItems(t *testing.T, s *store.Store) (items []labeling.Item) {
	t.Helper()
	at := time.UnixMicro(1_000_000).UTC()
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		items = nil
		if err := tx.CreateProject(labeling.Project{ID: "p", Slug: "p", Name: "P", Overlap: 1, SchemaVersion: 1, CreatedAt: at}); err != nil {
			return err
		}
		for d := range 2 {
			dataset := labeling.DatasetID(fmt.Sprint("d", d))
			if err := tx.CreateDataset(labeling.Dataset{ID: dataset, Project: "p", Name: string(dataset), Purpose: labeling.PurposeTraining, CreatedAt: at}); err != nil {
				return err
			}
			var batch []labeling.Item
			for i := range 30 {
				item := labeling.Item{ID: labeling.ItemID(fmt.Sprintf("%d-%02d", d, i)), Project: "p", Dataset: dataset, Key: fmt.Sprint(i), Text: fmt.Sprintf("Größe number %d of card%d", i, i%4), Status: labeling.StatusQueued, CreatedAt: at}
				item.Content = ledger.DigestOf([]byte(item.Text))
				if i%3 == 0 {
					item.Status, item.Label, item.Answers = labeling.StatusAccepted, "x", 1
				}
				batch = append(batch, item)
			}
			added, standing, err := tx.AddItems(batch)
			if err != nil || len(added) != 30 || len(standing) != 0 {
				return fmt.Errorf("%d added, %v standing: %w", len(added), standing, err)
			}
			var notes []labeling.Annotation
			for i, item := range added {
				if item.Label != "" {
					notes = append(notes, labeling.Annotation{ID: labeling.AnnotationID("a" + string(item.ID)), Project: "p", Dataset: dataset, Item: item.ID, Person: "ana", Kind: labeling.KindAnswer, Class: "x", State: labeling.AnnotationActive, At: at})
				}
				if i%7 == 0 {
					item.Model, item.ModelLabel, item.ModelScore = "m", "y", new(0.5)
				}
				if i%5 == 4 {
					item.Status = labeling.StatusTrashed
				}
				if err := tx.UpdateItem(item); err != nil {
					return err
				}
				items = append(items, item)
			}
			if err := tx.AddAnnotations(notes); err != nil {
				return err
			}
		}
		for {
			n, err := tx.IndexItems(7)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
		n, err := tx.Unindexed(10)
		if n != 0 {
			return fmt.Errorf("%d items are not indexed", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func dataLists(t *testing.T, s *store.Store) {
	items := dataItems(t, s)
	lives := func(i labeling.Item) bool { return i.Status != labeling.StatusTrashed }
	for name, c := range map[string]struct {
		filter labeling.ItemFilter
		lets   func(n int, i labeling.Item) bool
	}{
		"everything": {labeling.ItemFilter{}, func(_ int, i labeling.Item) bool { return lives(i) }},
		"a dataset":  {labeling.ItemFilter{Dataset: "d1"}, func(_ int, i labeling.Item) bool { return lives(i) && i.Dataset == "d1" }},
		"a status":   {labeling.ItemFilter{Status: labeling.StatusAccepted}, func(_ int, i labeling.Item) bool { return i.Status == labeling.StatusAccepted }},
		"the trash":  {labeling.ItemFilter{Status: labeling.StatusTrashed}, func(_ int, i labeling.Item) bool { return !lives(i) }},
		"a status of a dataset": {labeling.ItemFilter{Dataset: "d0", Status: labeling.StatusQueued}, func(_ int, i labeling.Item) bool {
			return i.Dataset == "d0" && i.Status == labeling.StatusQueued
		}},
		"a class":                 {labeling.ItemFilter{Label: "x"}, func(_ int, i labeling.Item) bool { return lives(i) && i.Label == "x" }},
		"a class of a dataset":    {labeling.ItemFilter{Label: "x", Dataset: "d1"}, func(_ int, i labeling.Item) bool { return lives(i) && i.Label == "x" && i.Dataset == "d1" }},
		"a person":                {labeling.ItemFilter{Person: "ana"}, func(n int, i labeling.Item) bool { return lives(i) && n%30%3 == 0 }},
		"nobody":                  {labeling.ItemFilter{Person: "bob"}, func(int, labeling.Item) bool { return false }},
		"a prediction":            {labeling.ItemFilter{Model: "y"}, func(_ int, i labeling.Item) bool { return lives(i) && i.ModelLabel == "y" }},
		"disagreement":            {labeling.ItemFilter{Disagrees: true}, func(_ int, i labeling.Item) bool { return lives(i) && i.Disagrees() }},
		"words":                   {labeling.ItemFilter{Search: "CARD1 number"}, func(n int, i labeling.Item) bool { return lives(i) && n%30%4 == 1 }},
		"the beginning of a word": {labeling.ItemFilter{Search: "größ"}, func(_ int, i labeling.Item) bool { return lives(i) }},
		"a beginning of many words": {labeling.ItemFilter{Search: "number 1"}, func(n int, i labeling.Item) bool {
			return lives(i) && strings.HasPrefix(strconv.Itoa(n%30), "1")
		}},
		"words that do not occur": {labeling.ItemFilter{Search: "card1 nothing"}, func(int, labeling.Item) bool { return false }},
		"signs only":              {labeling.ItemFilter{Search: `"*:()`}, func(int, labeling.Item) bool { return false }},
		"words of a class in disagreement": {labeling.ItemFilter{Search: "card", Label: "x", Disagrees: true}, func(_ int, i labeling.Item) bool {
			return lives(i) && i.Label == "x" && i.Disagrees()
		}},
	} {
		var want []labeling.ItemID
		for n, i := range items {
			if c.lets(n, i) {
				want = append(want, i.ID)
			}
		}
		view(t, s, func(tx *store.Tx) error {
			var forth, back []labeling.ItemID
			var last int64
			for {
				page, _, err := tx.FindItems("p", c.filter, labeling.Slice{After: last, Rows: 4})
				if err != nil || len(page) == 0 {
					if err != nil {
						return fmt.Errorf("%s: %w", name, err)
					}
					break
				}
				for _, i := range page {
					forth = append(forth, i.ID)
				}
				last = page[len(page)-1].Seq
			}
			for last++; ; {
				page, _, err := tx.FindItems("p", c.filter, labeling.Slice{Before: last, Rows: 4})
				if err != nil || len(page) == 0 {
					if err != nil {
						return fmt.Errorf("%s: %w", name, err)
					}
					break
				}
				for _, i := range page {
					back = append([]labeling.ItemID{i.ID}, back...)
				}
				last = page[len(page)-1].Seq
			}
			if fmt.Sprint(forth) != fmt.Sprint(want) {
				t.Errorf("%s: forth %v, want %v", name, forth, want)
			}
			if fmt.Sprint(back) != fmt.Sprint(want) {
				t.Errorf("%s: back %v, want %v", name, back, want)
			}
			n, err := tx.CountItems("p", c.filter, 1000)
			if err == nil && n != int64(len(want)) {
				t.Errorf("%s: counted %d, want %d", name, n, len(want))
			}
			return err
		})
	}
}

func dataKeys(t *testing.T, s *store.Store) {
	items := dataItems(t, s)
	again := labeling.Item{ID: "new", Project: "p", Dataset: "d0", Key: "3", Text: "other", Content: ledger.DigestOf([]byte("other")), Status: labeling.StatusQueued}
	fresh := again
	fresh.ID, fresh.Key = "fresh", "99"
	twice := fresh
	twice.ID = "twice"
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		added, standing, err := tx.AddItems([]labeling.Item{again, fresh, twice})
		if err != nil {
			return err
		}
		if len(added) != 1 || added[0].ID != "fresh" || standing["3"] != items[3].Content || standing["99"] != fresh.Content {
			t.Errorf("added %v, standing %v", added, standing)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *store.Tx) error {
		sets, err := tx.Datasets("p")
		if err == nil && sets[0].Items != 25 {
			t.Errorf("%d items are counted", sets[0].Items)
		}
		_, missing := tx.Import("nothing")
		if !fault.Is(missing, fault.NotFound) {
			t.Errorf("an import that is not there: %v", missing)
		}
		return err
	})
}
