//go:build e2e

package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

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
	db, err := store.Open(t.Context(), filepath.Join(s.data, "adjudge.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f(db), db.Close()); err != nil {
		t.Fatal(err)
	}
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

func TestKeysOfOtherKeyboards(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 20, nil)
	// Whatever the machine of the test says, the page must learn from what is typed.
	if _, err := chromedp.Call(ana.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `Object.defineProperty(Navigator.prototype, "keyboard", { get: () => undefined })`}); err != nil {
		t.Fatal(err)
	}
	ana.label("")
	next := func(key, code string, modifiers int64) {
		t.Helper()
		ana.ready()
		before := ana.shown()
		ana.typed(key, code, modifiers)
		ana.wait(fmt.Sprintf(`document.querySelector(".label-card:not([hidden]) .label-text").innerText !== %q`, before))
	}
	stays := func(what string, do func()) {
		t.Helper()
		ana.ready()
		before := ana.shown()
		do()
		ask[bool](ana, `new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))`)
		if got := ana.shown(); got != before {
			t.Errorf("%s moved on from %q to %q", what, before, got)
		}
	}
	next("&", "Digit1", 0) // AZERTY: the first digit without Shift
	next("é", "Digit2", 0)
	next("a", "KeyQ", 0) // AZERTY: A stands where Q is
	next("ф", "KeyA", 0) // Cyrillic: Ф stands where A is
	ana.wait(`[...document.querySelectorAll(".label-card:not([hidden]) kbd")].some((k) => k.textContent === "Ф")`)
	stays("a repeated key", func() {
		repeat := true
		for _, kind := range []input.DispatchKeyEventType{"keyDown", "keyUp"} {
			if _, err := chromedp.Call(ana.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "1", Code: "Digit1", Text: "1", AutoRepeat: &repeat}); err != nil {
				t.Fatal(err)
			}
		}
	})
	stays("a key that an input method takes", func() {
		for _, kind := range []input.DispatchKeyEventType{"rawKeyDown", "keyUp"} {
			if _, err := chromedp.Call(ana.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "Process", Code: "KeyA", WindowsVirtualKeyCode: 229}); err != nil {
				t.Fatal(err)
			}
		}
	})
	stays("a digit with Alt", func() { ana.typed("1", "Digit1", 1) })
	stays("a key outside the answer group", func() {
		ask[bool](ana, `(document.querySelector(".topline button").focus(), true)`)
		ana.press("1")
		ask[bool](ana, `(document.querySelector(".label-card:not([hidden]) [role=radio][tabindex='0']").focus(), true)`)
	})
	// Japanese: か is composed from k and a, and Enter takes the word, not the class.
	ana.ready()
	ana.press("/")
	ana.wait(`document.querySelector(".label-find").open`)
	stays("the Enter of a composition", func() {
		for _, text := range []string{"k", "か"} {
			if _, err := chromedp.Call(ana.ctx, input.ImeSetComposition, input.ImeSetCompositionParams{Text: text, SelectionStart: 1, SelectionEnd: 1}); err != nil {
				t.Fatal(err)
			}
		}
		for _, kind := range []input.DispatchKeyEventType{"rawKeyDown", "keyUp"} {
			if _, err := chromedp.Call(ana.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 229}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := chromedp.Call(ana.ctx, input.InsertText, input.InsertTextParams{Text: "か"}); err != nil {
			t.Fatal(err)
		}
		if !ask[bool](ana, `document.querySelector(".label-find").open`) {
			t.Error("the composition's Enter closed the dialog")
		}
		ana.press("Escape")
		ana.wait(`!document.querySelector(".label-find").open`)
	})
	ana.allSaved()
	got := s.annotations(t)
	for item, class := range map[string]labeling.ClassID{"1": "sports", "2": "politics", "3": "weather", "4": "weather"} {
		if got[item].Class != class {
			t.Errorf("item %s is %q, want %q", item, got[item].Class, class)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d annotations, want 4", len(got))
	}
}

func TestOwnKeysAndNoKeys(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 20, nil)
	ana.label("")
	ana.click("button", "Your keys")
	ana.wait(`document.querySelector("#label-keys").open`)
	ana.looks("label-keys")
	ana.fill("Science", "q")
	ana.click("button", "Save keys")
	ana.wait(`!document.querySelector("#label-keys").open && document.activeElement.closest("[role=radiogroup]")`)
	ana.answer("q")
	ana.label("") // the keys are the person's, not the page's
	ana.answer("q")
	ana.click("button", "Your keys")
	ana.wait(`document.querySelector("#label-keys").open`)
	ask[bool](ana, `(document.querySelector('#label-keys [name="off"]').click(), true)`)
	ana.click("button", "Save keys")
	ana.wait(`!document.querySelector("#label-keys").open && document.activeElement.closest("[role=radiogroup]")`)
	ana.ready()
	before := ana.shown()
	ana.press("1", "q")
	ana.press("ArrowDown")
	if got := ana.shown(); got != before {
		t.Errorf("keys that are turned off answered %q", before)
	}
	ana.answer("Enter")
	ana.allSaved()
	got := s.annotations(t)
	if len(got) != 3 || got["1"].Class != "science" || got["2"].Class != "science" || got["3"].Class != "sports" {
		t.Errorf("%+v", got)
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
	ana.waitText(`[data-part="status"]`, "Taken back: Science.")
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

func TestAnAnswerInTheFirstBlinkIsNotTaken(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 20, nil)
	ana.label("")
	// The second key comes as soon as the next item is there.
	ask[bool](ana, `(new MutationObserver((_, o) => {
		o.disconnect();
		document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "2", code: "Digit2", bubbles: true, cancelable: true }));
	}).observe(document.querySelector("label-loop"), { attributeFilter: ["data-item"] }), true)`)
	ana.press("1")
	ana.waitText(`[data-part="status"]`, "Saved: Sports.")
	if got := ana.shown(); got != "Item 2 of the morning paper" {
		t.Errorf("two keys in one blink lead to %q", got)
	}
	ana.ready()
	ask[bool](ana, `(new MutationObserver((_, o) => {
		o.disconnect();
		setTimeout(() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "3", code: "Digit3", bubbles: true, cancelable: true })), 60);
	}).observe(document.querySelector("label-loop"), { attributeFilter: ["data-item"] }), true)`)
	ana.press("2")
	ana.waitText(`[data-part="status"]`, "Too quick")
	ana.looks("label-tooquick")
	ana.answer("3")
	ana.allSaved()
	if got := s.annotations(t); got["1"].Class != "sports" || got["2"].Class != "politics" || got["3"].Class != "science" || len(got) != 3 {
		t.Errorf("%+v", got)
	}
}

func TestAnOutageLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 30, nil)
	ana.forgive(`Failed to load resource|ERR_INTERNET_DISCONNECTED|WebSocket connection`)
	ana.label("")
	ana.network(0, true)
	ana.answer("1", "2", "3")
	ana.waitText(`[data-part="saving"]`, "No connection: 3 answers kept on this device")
	ana.looks("label-offline")
	ana.network(300*time.Millisecond, false)
	ana.answer("4", "5")
	ana.allSaved()
	// The server goes away in the middle and comes back.
	ana.network(0, false)
	s.end(syscall.SIGKILL)
	ana.answer("6", "7")
	ana.waitText(`[data-part="saving"]`, "2 answers kept on this device")
	ana.leave()
	s.restart()
	ana.label("")
	ana.allSaved()
	got := s.annotations(t)
	for n := range 7 {
		if want := labeling.ClassID(strings.ToLower(labelClasses[n])); got[fmt.Sprint(n+1)].Class != want {
			t.Errorf("item %d is %q, want %q", n+1, got[fmt.Sprint(n+1)].Class, want)
		}
	}
	if len(got) != 7 {
		t.Errorf("%d annotations, want 7", len(got))
	}
	if got := ana.shown(); got != "Item 8 of the morning paper" {
		t.Errorf("next comes %q", got)
	}
}

func TestALapsedLoginKeepsAnswersForTheirPerson(t *testing.T) {
	t.Parallel()
	s, admin := labelSite(t, 120, nil)
	s.person("bo", "news", "annotator")
	s.person("cy", "news", "annotator")
	_ = admin
	bo := s.signIn("bo")
	bo.forgive(`status of 401|WebSocket connection`)
	bo.label("")
	bo.do("lose the login", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.ClearBrowserCookies, cdp.Empty{})
		return err
	}))
	bo.answer("1", "2")
	bo.waitText(`[data-part="saving"]`, "Signed out: 2 answers kept on this device")
	// Somebody else signs in in the same browser: bo's answers are not theirs.
	bo.open("/sign-in")
	bo.set("username", "cy")
	bo.set("password", password)
	bo.submit()
	bo.label("")
	bo.answer("3")
	bo.allSaved()
	if got := s.annotations(t); len(got) != 1 {
		t.Errorf("%d annotations with cy signed in: %+v", len(got), got)
	}
	bo.do("sign out", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.ClearBrowserCookies, cdp.Empty{})
		return err
	}))
	bo.open("/sign-in")
	bo.set("username", "bo")
	bo.set("password", password)
	bo.submit()
	bo.label("")
	bo.allSaved()
	people := map[ledger.PersonID]int{}
	for _, a := range s.annotations(t) {
		people[a.Person]++
	}
	if len(people) != 2 {
		t.Errorf("answers by person: %v", people)
	}
	total := 0
	for _, n := range people {
		total += n
	}
	if total < 2 {
		t.Errorf("%d answers arrived", total)
	}
}

func TestTwoPeopleAndTwoTabsWorkBesideEachOther(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 60, nil)
	s.person("bo", "news", "annotator")
	ana.label("")
	bo := s.signIn("bo")
	bo.label("")
	second := ana.tab()
	second.label("")
	seen := map[string]string{}
	for name, v := range map[string]*visitor{"ana": ana, "bo": bo, "ana's second tab": second} {
		if other, taken := seen[v.shown()]; taken {
			t.Errorf("%s and %s are shown %q", other, name, v.shown())
		}
		seen[v.shown()] = name
	}
	ana.waitText("#presence", "B")
	bo.waitText("#presence", "A")
	ana.answer("1", "1")
	second.answer("2", "2")
	bo.answer("3", "3")
	for _, v := range []*visitor{ana, bo, second} {
		v.allSaved()
	}
	if got := s.annotations(t); len(got) != 6 {
		t.Errorf("%d annotations, want 6", len(got))
	}
	// Progress of others arrives without a reload.
	bo.wait(`Number(document.querySelector('[data-part="bar"]').value) >= 6`)
}

func TestWhatOthersDoIsSeenWithoutAReload(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 30, nil)
	ana.label("")
	ana.wait(`document.documentElement.dataset.live === ""`)
	ask[bool](ana, `(window.kept = true, new MutationObserver(() => { window.moved ??= performance.timeOrigin + performance.now() })
		.observe(document.querySelector('[data-part="count"]'), { childList: true, characterData: true, subtree: true }), true)`)
	body := map[string]any{"item": "0190bbbb-0000-7000-8000-000000000030", "class": "film"}
	if code := s.api(http.MethodPut, "/projects/news/annotations/0190dddd-0000-7000-8000-000000000030", body, nil); code != http.StatusOK {
		t.Fatalf("a colleague answers: %d", code)
	}
	answered := float64(time.Now().UnixMicro()) / 1000
	ana.waitText(`[data-part="count"]`, "1 of 30 accepted, 0 by you")
	if !ask[bool](ana, `window.kept === true`) {
		t.Error("the page was loaded again")
	}
	t.Logf("from the answer to the other screen: %.0f ms", ask[float64](ana, `window.moved`)-answered)
}

func TestALateAnswerThatDiffersIsAdjudicated(t *testing.T) {
	t.Parallel()
	s, lead := labelSite(t, 5, nil)
	s.person("bo", "news", "annotator")
	bo := s.signIn("bo")
	bo.forgive(`Failed to load resource|ERR_INTERNET_DISCONNECTED|WebSocket connection`)
	bo.label("")
	bo.network(0, true) // the lid closes on item 1
	id := "0190dddd-0000-7000-8000-000000000001"
	if code := s.api(http.MethodPut, "/projects/news/annotations/"+id, map[string]any{"item": "0190bbbb-0000-7000-8000-000000000001", "class": "film"}, nil); code != http.StatusOK {
		t.Fatalf("a colleague answers: %d", code)
	}
	bo.answer("1")
	bo.network(0, false)
	bo.allSaved()
	lead.open("/projects/news/disputes")
	lead.waitText("#disputes", "came late")
	lead.looks("disputes")
	lead.waitText("#disputes", "Film")
	lead.waitText("#disputes", "Sports")
	lead.do("choose", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => { const s = document.querySelector(".dispute-form select"); s.value = "film"; s.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`))
		return err
	}))
	lead.fill("Because", "it is about a film")
	lead.click("button", "Decide")
	lead.waitText("#disputes", "Nobody disagrees")
}

func TestEvaluationItemsAreLabeledBlind(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 5, func(_ *labeling.Project, items []labeling.Item) {
		for i := range items {
			items[i].Dataset, items[i].Model, items[i].ModelLabel, items[i].ModelScore = "0190cccc-0000-7000-8000-000000000002", "m", "film", 0.9
		}
	})
	ana.label("?dataset=test")
	ana.waitText(".label-head", "Judged blind")
	if n := ask[int](ana, `document.querySelectorAll(".suggested").length`); n != 0 {
		t.Errorf("%d suggestions are shown", n)
	}
	ana.press("Enter")
	ana.waitText(`[data-part="status"]`, "Choose a class first")
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
		ana.press("Space")
		time.Sleep(100 * time.Millisecond) // a reader's pace: Space just after a scroll must not skip
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
	ana.waitText(`[data-part="status"]`, "Saved: 🐈 قطة <b>.")
	if got := ask[string](ana, `document.title`); got == "broken" {
		t.Error("a script of an item ran")
	}
}

// BenchmarkKeyToPaint measures an answer in a real browser with 12 classes and
// 300 ms of network delay: the work on the main thread, and from the key to the
// painted next item.
func BenchmarkKeyToPaint(b *testing.B) {
	s := startSiteWith(b, seedItems(b.N+60, nil))
	v := s.firstAdmin("Ana")
	v.label("")
	v.network(300*time.Millisecond, false)
	b.ResetTimer()
	for range b.N {
		v.ready()
		before := ask[string](v, `document.querySelector("label-loop").dataset.item ?? ""`)
		v.press("1")
		v.wait(fmt.Sprintf(`document.querySelector("label-loop").dataset.item !== %q`, before))
	}
	b.StopTimer()
	for _, name := range []string{"work", "paint"} {
		took := ask[[]float64](v, fmt.Sprintf(`performance.getEntriesByName("label:%s").map((e) => e.duration)`, name))
		slices.Sort(took)
		if len(took) > 0 {
			b.ReportMetric(took[len(took)/2], name+"-p50-ms")
			b.ReportMetric(took[len(took)*95/100], name+"-p95-ms")
		}
	}
}
