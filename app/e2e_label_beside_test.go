//go:build e2e

package app

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/adjudge/adjudge/labeling"
)

func TestAnyOpenPageSendsWhatWaits(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 20, nil)
	ana.forgive(`Failed to load resource|WebSocket connection|ERR_CONNECTION`)
	ana.label("")
	ana.waitText("#saving", "All saved")
	desk := ana.tab()
	desk.forgive(`Failed to load resource|WebSocket connection|ERR_CONNECTION`)
	desk.open("/")
	s.end(syscall.SIGKILL)
	ana.answer("1", "2")
	ana.waitText("#saving", "2 answers kept on this device")
	desk.waitText("#saving", "2 ") // the other tab says so as well
	ana.leave()
	s.restart()
	desk.waitText("#saving", "All saved")
	if got := s.annotations(t); len(got) != 2 || got["1"].Class != "sports" || got["2"].Class != "politics" {
		t.Errorf("from the desk arrived %+v", got)
	}
	if n := s.submitted(t); n != 2 {
		t.Errorf("%d submits for two answers", n)
	}
}

func TestADraftGoesOnAtAnotherComputer(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 20, nil)
	ana.label("")
	ana.answer("1")
	ana.ready()
	ana.press("ArrowDown", "ArrowDown") // to Politics
	ana.press("/")
	ana.wait(`document.querySelector(".label-find").open`)
	ana.do("type", press("m"), press("o"))
	ana.press("Escape")
	ana.press("Shift+Space")
	ana.wait(`document.querySelector("#label-skip").open`)
	ana.fill("Why (optional)", "two of them f")
	ana.press("Escape")
	ana.leave() // what was not sent yet goes now

	ward := s.signIn("ana")
	ward.label("")
	if got := ward.shown(); got != "Item 2 of the morning paper" {
		t.Errorf("at the other computer stands %q", got)
	}
	if got := ward.text(`.label-card:not([hidden]) [aria-checked="true"] .name`); got != "Politics" {
		t.Errorf("chosen is %q", got)
	}
	ward.press("/")
	ward.wait(`document.querySelector(".label-find").open`)
	if got := ask[string](ward, `document.querySelector(".label-find input").value`); got != "mo" {
		t.Errorf("typed is %q", got)
	}
	ward.press("Escape", "Shift+Space")
	ward.wait(`document.querySelector("#label-skip").open`)
	if got := ask[string](ward, `document.querySelector("#label-reason").value`); got != "two of them f" {
		t.Errorf("the reason is %q", got)
	}
	ward.press("Escape")
	ward.wait(`document.activeElement.closest("[role=radiogroup]")`)
	ward.answer("Enter")
	ward.allSaved()
	if got := s.annotations(t)["2"]; got.Class != "politics" {
		t.Errorf("%+v", got)
	}
	ward.leave()  // and gives back what it had leased ahead
	ana.label("") // the draft is over here as well
	if got := ana.shown(); got != "Item 3 of the morning paper" {
		t.Errorf("back at the first computer stands %q", got)
	}
}

func TestRedoGoesForwardAgain(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 20, nil)
	ana.label("")
	ana.answer("1", "2", "3")
	for range 2 {
		ana.ready()
		ana.press("Control+z")
	}
	ana.ready()
	ana.press("Control+Shift+z")
	ana.said("Saved: Politics.")
	ana.ready()
	if got := ana.shown(); got != "Item 3 of the morning paper" {
		t.Errorf("after one redo stands %q", got)
	}
	ana.press("Control+Shift+z")
	ana.said("Saved: Science.")
	ana.ready()
	ana.press("Control+Shift+z")
	ana.said("nothing to answer again")
	if got := ana.shown(); got != "Item 4 of the morning paper" {
		t.Errorf("after all stands %q", got)
	}
	ana.allSaved()
	if got := s.annotations(t); len(got) != 3 || got["2"].Class != "politics" || got["3"].Class != "science" {
		t.Errorf("%+v", got)
	}
}

func TestOneKeyCoversTheScreenAndAnotherUncovers(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 20, nil)
	ana.label("")
	ana.press("0")
	ana.wait(`document.querySelector(".label-cover").open`)
	ana.looks("label-cover")
	if over := ask[bool](ana, `[[5, 5], [innerWidth / 2, innerHeight / 2], [innerWidth - 5, innerHeight - 5]]
		.every(([x, y]) => document.elementFromPoint(x, y).closest(".label-cover"))`); !over {
		t.Error("something shows through")
	}
	ana.press("1", "0", "Space") // stray keys neither answer nor uncover
	if !ask[bool](ana, `document.querySelector(".label-cover").open`) {
		t.Error("Space or a class key uncovered it")
	}
	ana.press("Enter")
	ana.wait(`!document.querySelector(".label-cover").open && document.activeElement.closest("[role=radiogroup]")`)
	if got := ana.shown(); got != "Item 1 of the morning paper" {
		t.Errorf("under the cover stood %q", got)
	}
	ana.answer("1")
	ana.allSaved()
	if got := s.annotations(t); len(got) != 1 || got["1"].Class != "sports" {
		t.Errorf("%+v", got)
	}
}

func TestABreakIsOfferedAfterFiftyMinutes(t *testing.T) {
	t.Parallel()
	_, ana := labelSite(t, 40, nil)
	ana.ownClock()
	ana.label("")
	ana.answer("1")
	for minute := 4; minute < 50; minute += 4 { // no pause is long enough to be a break
		ask[float64](ana, fmt.Sprintf(`(window.later = %d * 60000)`, minute))
		ana.answer("1")
	}
	if !ask[bool](ana, `document.querySelector('[data-part="rest"]').hidden`) {
		t.Error("a break is offered too early")
	}
	ask[float64](ana, `(window.later = 50.5 * 60000)`)
	ana.answer("1")
	ana.wait(`!document.querySelector('[data-part="rest"]').hidden`)
	ana.looks("label-rest")
	ana.answer("1") // it is an offer: keys go on
	ana.click("button", "Rest now")
	ana.wait(`document.querySelector(".label-cover").open && document.querySelector('[data-part="rest"]').hidden`)
}

func TestTheDrawerFollowsTheFocusAndTheAnswer(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 20, func(p *labeling.Project, items []labeling.Item) {
		p.Schema.Guideline = "Judge the headline, not the paper."
		p.Schema.Classes[1].Note = "Parties, parliaments, elections."
		items[9].Status, items[9].Label, items[9].Text = labeling.StatusAccepted, "politics", "The parliament votes on Monday"
	})
	s.person("bo", "news", "annotator")
	ana.label("")
	ana.press(".")
	ana.waitText(".label-peek", "Judge the headline, not the paper.")
	ana.waitText(".label-peek", "once you have answered it")
	ana.press("ArrowDown", "ArrowDown")
	ana.waitText(".label-peek", "Parties, parliaments, elections.")
	ana.waitText(".label-peek", "The parliament votes on Monday")
	bo := s.signIn("bo")
	if code := ask[int](bo, `fetch("/api/v1/projects/news/annotations/0190dddd-0000-7000-8000-000000000001", {
		method: "PUT", headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ item: "0190bbbb-0000-7000-8000-000000000001", class: "film" }) }).then((r) => r.status)`); code != http.StatusOK {
		t.Fatalf("a colleague answers: %d", code)
	}
	if strings.Contains(ana.text(".label-peek"), "Film") {
		t.Error("what a colleague said shows before one's own answer")
	}
	ana.answer("Enter")
	ana.waitText(".label-history", "Politics")
	ana.waitText(".label-history", "Film")
	ana.looks("label-peek")
	if got := ask[bool](ana, `!!document.activeElement.closest("[role=radiogroup]")`); !got {
		t.Error("the drawer took the focus")
	}
	ana.press(".")
	ana.wait(`document.querySelector(".label-peek").hidden`)
}

func TestClassesAreReorderedByKeyboard(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 3, func(p *labeling.Project, _ []labeling.Item) { p.Schema.Classes[2].Key = "q" })
	ana.open("/projects/news/schema")
	ana.looks("schema")
	ask[bool](ana, `(document.querySelector('[aria-label="Move Politics up"]').focus(), true)`)
	ana.press("Enter")
	ana.waitText("#status", "Politics is number 1 of 12 now.")
	if got := ask[string](ana, `document.activeElement.getAttribute("aria-label")`); got != "Move Politics up" {
		t.Errorf("the focus is on %q", got)
	}
	ana.click("button", "Save schema")
	ana.waitText("#status", "Schema saved.")
	var p struct {
		Version int
		Schema  struct {
			Classes []struct{ Name, Key string }
		}
	}
	if code := s.api(http.MethodGet, "/projects/news", nil, &p); code != http.StatusOK {
		t.Fatal(code)
	}
	if p.Version != 2 || p.Schema.Classes[0].Name != "Politics" || p.Schema.Classes[1].Name != "Sports" || p.Schema.Classes[2].Key != "q" {
		t.Errorf("%+v", p)
	}
	ana.label("")
	ana.answer("1") // keys that nobody chose follow the order
	ana.said("Saved: Politics.")
	ana.answer("q") // a chosen one stays with its class
	ana.said("Saved: Science.")
}

// edges is what an item or a class may be at worst.
func edges(p *labeling.Project, items []labeling.Item) {
	p.Schema.Classes = nil
	for n := range 77 {
		name := fmt.Sprintf("card_about_to_do_something_%d", n+1)
		switch n {
		case 3:
			name = "🐈‍⬛ 🇩🇪 emoji"
		case 4:
			name = "بطاقة مفقودة"
		}
		p.Schema.Classes = append(p.Schema.Classes, labeling.Class{ID: labeling.ClassID(fmt.Sprintf("c%d", n+1)), Name: name, Color: n % 10})
	}
	items[0].Text = "متى ستصل بطاقتي؟ لقد مر أكثر من أسبوع منذ إرسالها، ولم يصلني أي شيء حتى الآن. هل يمكنكم التحقق من ذلك من فضلكم؟"
	items[1].Text = strings.Repeat("I am still waiting on my card, when will it arrive? ", 400)[:20_000]
}

func TestTheLabelingPageAtItsEdges(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 5, edges)
	ana.label("")
	if got := ask[string](ana, `getComputedStyle(document.querySelector(".label-card:not([hidden]) .label-text")).direction`); got != "rtl" {
		t.Errorf("Arabic runs %s", got)
	}
	for _, width := range []int64{1440, 390, 320} {
		ana.size(width, 800)
		ana.fits(fmt.Sprintf("77 classes at %d", width))
		ana.screenshot(fmt.Sprintf("label-edges-rtl-%d", width))
	}
	ana.size(1440, 900)
	caps := ask[[]string](ana, `[...document.querySelectorAll(".label-card:not([hidden]) .label-answer kbd")].map((k) => k.textContent)`)
	if caps[8] != "9" || caps[9] != "A" || caps[34] != "Z" || caps[35] != "" {
		t.Errorf("keys are %v", caps)
	}
	ana.ready()
	ana.press("/")
	ana.wait(`document.querySelector(".label-find").open`)
	ana.do("type", press("7"), press("7"))
	ana.press("Enter")
	ana.said("Saved: card_about_to_do_something_77.")
	ana.ready()
	longest := ask[float64](ana, `(() => {
		const box = document.querySelector(".label-card:not([hidden]) .label-text"), text = box.firstChild, range = document.createRange();
		let at = 0, top = NaN, longest = 0;
		for (let i = 0; i < 2000; i++) {
			range.setStart(text, i); range.setEnd(text, i + 1);
			const y = range.getBoundingClientRect().top;
			if (y !== top) { longest = Math.max(longest, i - at); at = i; top = y; }
		}
		return longest;
	})()`)
	if longest < 40 || longest > 75 {
		t.Errorf("a line of the text holds up to %v characters", longest)
	}
	for _, width := range []int64{1440, 320} {
		ana.size(width, 800)
		ana.fits(fmt.Sprintf("20,000 characters at %d", width))
		ana.screenshot(fmt.Sprintf("label-edges-long-%d", width))
	}
	ana.size(1440, 900)
	ask[bool](ana, `(document.querySelector('[data-step-size="1"]').click(), true)`)
	if got := ask[string](ana, `document.documentElement.dataset.size`); got != "l" {
		t.Errorf("item text is of size %q", got)
	}
	ana.label("") // the size is the person's
	if got := ask[string](ana, `getComputedStyle(document.querySelector(".label-text")).fontSize`); got != "20px" {
		t.Errorf("after a reload item text has %s", got)
	}
	ana.allSaved()
	if got := s.annotations(t)["1"]; got.Class != "c77" {
		t.Errorf("%+v", got)
	}
}
