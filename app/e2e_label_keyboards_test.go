//go:build e2e

package app

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/adjudge/adjudge/labeling"
)

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
		ask[bool](ana, `(document.querySelector(".topline .palette-open").focus(), true)`)
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
	ana.allSaved()
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
	ana.said("Saved: Sports.")
	if got := ana.shown(); got != "Item 2 of the morning paper" {
		t.Errorf("two keys in one blink lead to %q", got)
	}
	ana.ready()
	// The third comes a little later, but still too early by the page's clock,
	// which stands still meanwhile, however slow the machine is.
	ask[bool](ana, `(new MutationObserver((_, o) => {
		o.disconnect();
		const now = performance.now();
		performance.now = () => now;
		setTimeout(() => {
			document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "3", code: "Digit3", bubbles: true, cancelable: true }));
			delete performance.now;
		}, 60);
	}).observe(document.querySelector("label-loop"), { attributeFilter: ["data-item"] }), true)`)
	ana.press("2")
	ana.said("Too quick")
	ana.looks("label-tooquick")
	ana.answer("3")
	ana.allSaved()
	if got := s.annotations(t); got["1"].Class != "sports" || got["2"].Class != "politics" || got["3"].Class != "science" || len(got) != 3 {
		t.Errorf("%+v", got)
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

// A person moves keys of the product once, on the account page, by pressing
// them; they hold in the help, on the buttons and on every page, and the old
// ones mean nothing any more.
func TestKeysOfThePersonHoldEverywhere(t *testing.T) {
	t.Parallel()
	s, visitor := labelSite(t, 20, nil)
	visitor.forgive(`status of 422`)
	ana := byKeys(visitor)
	ana.open("/account")
	ana.skip()
	ana.reach("textbox", "Skip this item")
	ana.keys("Alt+l") // the lock has it
	ana.reach("button", "Save keys")
	ana.follow("Enter")
	ana.stands("textbox", "Skip this item")
	ana.waitText(".error", `Alt+L stands for "lock the screen" already`)
	ana.looks("account-keys-refused")
	ana.keys("Alt+s")
	ana.reachBack("textbox", "Go anywhere…")
	ana.keys("Alt+p")
	ana.reach("button", "Save keys")
	ana.follow("Enter")
	ana.waitText(".banner", "Saved")
	ana.looks("account-keys")

	ana.label("")
	before := ana.shown()
	ana.keys("Shift+Space") // no longer skips
	ask[bool](visitor, `new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))`)
	if ask[bool](visitor, `document.querySelector("#label-skip").open`) || ana.shown() != before {
		t.Error("the key from which skipping was taken still skips")
	}
	ana.keys("Alt+s")
	ana.wait(`document.querySelector("#label-skip").open`)
	ana.keys("Escape")
	ana.wait(`!document.querySelector("#label-skip").open`)
	if got := ask[string](visitor, `document.querySelector('.label-buttons [data-do="skip"]').getAttribute("aria-keyshortcuts") + " " + document.querySelector('.label-buttons [data-do="skip"] .keys').innerText.replace(/\s/g, "")`); got != "Alt+S AltS" {
		t.Errorf("the button says %q", got)
	}
	ana.keys("Control+k")
	if ask[bool](visitor, `document.querySelector("#palette").open`) {
		t.Error("the palette still opens by the product's own key")
	}
	ana.keys("Alt+p")
	ana.wait(`document.querySelector("#palette").open`)
	ana.keys("Escape")

	s.run("person", "prefer", "--key", "palette=")
	ana.open("/account")
	ana.keys("Control+k")
	ana.wait(`document.querySelector("#palette").open`)
}
