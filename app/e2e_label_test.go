//go:build e2e

package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/labeling"
)

func labelSite(t *testing.T, n int, change func(*labeling.Project, []labeling.Item)) (*site, *visitor) {
	t.Helper()
	s := startSiteWith(t, seedItems(n, change))
	v := s.firstAdmin("Ana")
	return s, v
}

func TestLabelingByKeysAlone(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 30, func(_ *labeling.Project, items []labeling.Item) {
		items[3].ModelLabel, items[3].ModelScore, items[3].Model = "music", new(0.83), "m"
	})
	begun := time.Now()
	ana.label("")
	ana.looks("label")
	if got := ana.text("#label-question"); got != "What is it about?" {
		t.Errorf("the question is %q", got)
	}
	ana.answer("1")
	ana.said("Saved: Sports. 1 of 30")
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
	ana.said("Skipped.")
	ana.ready()
	passed := ana.shown()
	ana.press("Shift+Space")
	ana.wait(`document.querySelector("#label-skip").open`)
	ana.looks("label-skip")
	ana.click("button", "None fits")
	ana.wait(fmt.Sprintf(`document.querySelector(".label-card:not([hidden]) .label-text").innerText !== %q && document.activeElement.closest("[role=radiogroup]")`, passed))
	ana.ready()
	ana.press("/")
	ana.wait(`document.querySelector(".label-find").open`)
	ana.do("type", press("m"), press("o"), press("n"))
	ana.looks("label-find")
	before := ana.shown()
	ana.press("Enter")
	ana.wait(fmt.Sprintf(`document.querySelector(".label-card:not([hidden]) .label-text").innerText !== %q`, before))
	ana.said("Saved: Money.")
	ana.allSaved()
	got := s.annotations(t)
	for item, want := range map[string]string{"1": "answer sports", "2": "answer weather", "3": "answer politics", "4": "answer music", "5": "skip ", "6": "skip ", "7": "answer money"} {
		if a := got[item]; string(a.Kind)+" "+string(a.Class) != want {
			t.Errorf("item %s: %s %s, want %s", item, a.Kind, a.Class, want)
		}
	}
	if a := got["4"]; !a.Untouched || a.Suggestion != "music" || a.Score == nil || *a.Score != 0.83 {
		t.Errorf("an untouched suggestion is stored as %+v", a)
	}
	if a := got["6"]; a.Reason != "None fits" {
		t.Errorf("the reason of a skip is %q", a.Reason)
	}
	if a := got["1"]; a.Seen < 150*time.Millisecond || a.Seen > time.Since(begun) {
		t.Errorf("the first item was seen for %v", a.Seen)
	}
	if code := s.api(http.MethodGet, "/projects/news/queue", nil, nil); code != http.StatusOK {
		t.Errorf("the API answers %d", code)
	}
}

func TestUndoWalksBackAcrossSubmitsAndVisits(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 20, nil)
	ana.label("")
	ana.answer("1", "2", "3")
	ana.allSaved()
	ana.ready()
	ana.press("Control+z")
	ana.said("Taken back: Science.")
	ana.ready()
	if got := ana.shown(); got != "Item 3 of the morning paper" {
		t.Errorf("undo shows %q", got)
	}
	if got := ana.text(`.label-card:not([hidden]) [aria-checked="true"] .name`); got != "Science" {
		t.Errorf("the former answer is not chosen but %q", got)
	}
	ana.press("Control+z")
	ana.ready()
	ana.answer("9") // Item 2 is Money now
	ana.allSaved()
	ana.leave() // and come back
	ana.label("")
	ana.press("Control+z")
	ana.ready()
	if got := ana.shown(); got != "Item 2 of the morning paper" {
		t.Errorf("undo on a later visit shows %q", got)
	}
	ana.answer("8")
	ana.allSaved()
	got := s.annotations(t)
	if len(got) != 2 || got["1"].Class != "sports" || got["2"].Class != "health" {
		t.Errorf("%+v", got)
	}
	ana.ready()
	if got := ana.shown(); got != "Item 3 of the morning paper" {
		t.Errorf("the item that was taken back comes next, not %q", got)
	}
}

func TestEvaluationItemsAreLabeledBlind(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 5, func(_ *labeling.Project, items []labeling.Item) {
		for i := range items {
			items[i].Dataset, items[i].Model, items[i].ModelLabel, items[i].ModelScore = "0190cccc-0000-7000-8000-000000000002", "m", "film", new(0.9)
		}
	})
	ana.label("?dataset=test")
	ana.waitText(".label-head", "Judged blind")
	if n := ask[int](ana, `document.querySelectorAll(".suggested").length`); n != 0 {
		t.Errorf("%d suggestions are shown", n)
	}
	ana.press("Enter")
	ana.said("Choose a class first")
	ana.answer("1")
	ana.allSaved()
	if a := s.annotations(t)["1"]; a.Suggestion != "" || a.Untouched {
		t.Errorf("%+v", a)
	}
}

func TestSpaceScrollsWhileThereIsMoreToRead(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 3, func(_ *labeling.Project, items []labeling.Item) {
		items[0].Text = strings.Repeat("A long story about nothing in particular. ", 200)
	})
	ana.ownClock()
	ana.label("")
	first := ana.shown()
	ana.press("Space")
	ana.wait(`document.querySelector(".label-card:not([hidden]) .label-text").scrollTop > 0`)
	if got := ana.shown(); got != first {
		t.Error("Space skipped an item that was not read")
	}
	for range 40 {
		if ana.shown() != first {
			break
		}
		ask[float64](ana, `(window.later += 500)`) // a reader's pace: Space just after a scroll does not skip
		ana.press("Space")
	}
	if got := ana.shown(); got != "Item 2 of the morning paper" {
		t.Errorf("Space at the end of the text leads to %.40q", got)
	}
	ana.allSaved()
	if got := s.annotations(t); got["1"].Kind != labeling.KindSkip {
		t.Errorf("%+v", got)
	}
}

func TestHTMLInAnItemIsText(t *testing.T) {
	t.Parallel()
	_, ana := labelSite(t, 2, func(p *labeling.Project, items []labeling.Item) {
		items[0].Text = `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script> & "quotes"`
		p.Schema.Classes[0].Name = "🐈 قطة <b>"
	})
	ana.label("")
	if got := ana.shown(); !strings.HasPrefix(got, "<img src=x") {
		t.Errorf("the item reads %q", got)
	}
	ana.answer("1")
	ana.said("Saved: 🐈 قطة <b>.")
	if got := ask[string](ana, `document.title`); got == "broken" {
		t.Error("a script of an item ran")
	}
}
