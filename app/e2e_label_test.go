//go:build e2e

package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

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

// answers returns the active answers of items by what they say: "1=sports".
func (s *site) annotations(t *testing.T) map[string]labeling.Annotation {
	t.Helper()
	db, err := store.Open(t.Context(), s.data+"/adjudge.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	found := map[string]labeling.Annotation{}
	err = db.View(t.Context(), func(tx *store.Tx) error {
		for n := 1; ; n++ {
			id := labeling.ItemID(fmt.Sprintf("0190bbbb-0000-7000-8000-%012d", n))
			if _, err := tx.Item(id); err != nil {
				return nil
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
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func labelSite(t *testing.T, n int, change func(*labeling.Project, []labeling.Item)) (*site, *visitor) {
	t.Helper()
	s := startSiteWith(t, seedItems(n, change))
	v := s.firstAdmin("Ana")
	return s, v
}

func TestLabelingByKeysAlone(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 30, func(_ *labeling.Project, items []labeling.Item) {
		items[3].ModelLabel, items[3].ModelScore, items[3].Model = "music", 0.83, "m"
	})
	ana.label("")
	ana.looks("label")
	if got := ana.text("#label-question"); got != "What is it about?" {
		t.Errorf("the question is %q", got)
	}
	ana.answer("1")
	ana.waitText(`[data-part="status"]`, "Saved: Sports. 1 of 30")
	if got := ask[string](ana, `document.activeElement.closest("[role=radiogroup]")?.getAttribute("aria-labelledby") ?? ""`); got != "label-question item-0190bbbb-0000-7000-8000-000000000002" {
		t.Errorf("the focus is in %q", got)
	}
	ana.answer("a") // the tenth class: Weather
	ana.ready()
	ana.press("ArrowDown", "ArrowDown")
	ana.answer("Enter")
	ana.ready()
	ana.looks("label-suggestion")
	ana.answer("Enter") // the suggestion, untouched
	ana.answer("Space") // skip
	ana.waitText(`[data-part="status"]`, "Skipped.")
	ana.ready()
	ana.press("Shift+Space")
	ana.wait(`document.querySelector("#label-skip").open`)
	ana.looks("label-skip")
	ana.click("button", "None fits")
	ana.wait(`!document.querySelector("#label-skip").open`)
	ana.ready()
	ana.press("/")
	ana.wait(`document.querySelector(".label-find").open`)
	ana.do("type", press("m"), press("o"), press("n"))
	ana.looks("label-find")
	before := ana.shown()
	ana.press("Enter")
	ana.wait(fmt.Sprintf(`document.querySelector(".label-card:not([hidden]) .label-text").innerText !== %q`, before))
	ana.waitText(`[data-part="status"]`, "Saved: Money.")
	ana.allSaved()
	got := s.annotations(t)
	for item, want := range map[string]string{"1": "answer sports", "2": "answer weather", "3": "answer politics", "4": "answer music", "5": "skip ", "6": "skip ", "7": "answer money"} {
		if a := got[item]; string(a.Kind)+" "+string(a.Class) != want {
			t.Errorf("item %s: %s %s, want %s", item, a.Kind, a.Class, want)
		}
	}
	if a := got["4"]; !a.Untouched || a.Suggestion != "music" || a.Score != 0.83 {
		t.Errorf("an untouched suggestion is stored as %+v", a)
	}
	if a := got["6"]; a.Reason != "None fits" {
		t.Errorf("the reason of a skip is %q", a.Reason)
	}
	if a := got["1"]; a.Seen < 150*time.Millisecond || a.Seen > 60*time.Second {
		t.Errorf("the first item was seen for %v", a.Seen)
	}
	if code := s.api(http.MethodGet, "/projects/news/queue", nil, nil); code != http.StatusOK {
		t.Errorf("the API answers %d", code)
	}
}
