//go:build e2e

package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// hands are a visitor who has a keyboard and nothing else. They find their way
// as people do: Tab until the focused element has the name they look for. Every
// stop must show that it has the focus, and no stop may be the document itself.
//
//	ada := byKeys(visitor)
//	ada.step("name the project")
//	ada.reach("textbox", "Name")
//	ada.write("Bank")
//	ada.follow("Enter")                    // leads to another page
//	ada.told()                             // logs how many keys each step took
type hands struct {
	*visitor
	steps []keyCount
	far   int // Tabs that a single search may take
	files chan cdp.BackendNodeID
}

// keyCount is how many keys one step took, and how many of them were Tab.
type keyCount struct {
	what       string
	keys, tabs int
}

// stop is where the focus stands.
type stop struct {
	role, name string
	body       bool   // nothing has the focus
	unseen     string // why nobody sees the focus
	html       string
}

func byKeys(v *visitor) *hands {
	v.t.Helper()
	h := &hands{visitor: v, far: 60, files: make(chan cdp.BackendNodeID, 1), steps: []keyCount{{what: "before the first step"}}}
	err := chromedp.Listen(v.ctx, func(ev any) {
		if e, ok := ev.(*page.EventFileChooserOpened); ok {
			h.files <- e.BackendNodeID
		}
	})
	if err == nil {
		_, err = chromedp.Call(v.ctx, page.Enable, page.EnableParams{})
	}
	if err == nil {
		_, err = chromedp.Call(v.ctx, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true})
	}
	if err != nil {
		v.t.Fatal(err)
	}
	return h
}

// step begins a step; keys are counted by step.
func (h *hands) step(what string) { h.steps = append(h.steps, keyCount{what: what}) }

// told logs how many keys the steps took.
func (h *hands) told(who string) {
	h.t.Helper()
	var b strings.Builder
	all := keyCount{}
	for _, s := range h.steps {
		if s.keys > 0 {
			fmt.Fprintf(&b, "  %-44s %4d keys, %3d of them Tab\n", s.what, s.keys, s.tabs)
		}
		all.keys, all.tabs = all.keys+s.keys, all.tabs+s.tabs
	}
	h.t.Logf("%s pressed %d keys, %d of them Tab:\n%s", who, all.keys, all.tabs, b.String())
}

// keys presses keys and counts them.
func (h *hands) keys(combos ...string) {
	h.t.Helper()
	for _, combo := range combos {
		h.press(combo)
		h.count(combo)
	}
}

func (h *hands) count(combo string) {
	at := &h.steps[len(h.steps)-1]
	at.keys++
	if strings.HasSuffix(combo, "Tab") {
		at.tabs++
	}
}

// lookOfFocus describes the focused element. A focus is seen when the outline,
// shadow, border, background or stroke of the element, its label or what is
// drawn in it differs from how the same element looks without focus.
const lookOfFocus = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return { body: true };
	const looks = (e) => [e, e.closest("label"), e.querySelector("rect"), e.closest(".find")].filter(Boolean).map((x) => {
		const s = getComputedStyle(x);
		const outline = s.outlineStyle === "none" || parseFloat(s.outlineWidth) === 0 ? "none" : s.outline;
		return [outline, s.boxShadow, s.borderColor, s.backgroundColor, s.transform, s.stroke, s.strokeWidth].join("|");
	}).join("||");
	window.restingLooks ??= new WeakMap();
	for (const x of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]"))
		if (x !== e && !window.restingLooks.has(x)) window.restingLooks.set(x, looks(x));
	const now = looks(e), rest = window.restingLooks.get(e);
	const box = e.getBoundingClientRect();
	let unseen = "";
	if (e.id !== "main") {
		if (rest === undefined ? now.split("||").every((x) => x.startsWith("none|none|")) : now === rest) unseen = "it looks as it does without focus: " + now;
		if (box.bottom <= 0 || box.right <= 0 || box.top >= innerHeight || box.left >= innerWidth) unseen = "it is outside the window";
	}
	return { unseen, html: e.outerHTML.slice(0, 200) };
})()`

// at returns where the focus stands.
func (h *hands) at() stop {
	h.t.Helper()
	look := ask[struct {
		Body   bool   `json:"body"`
		Unseen string `json:"unseen"`
		HTML   string `json:"html"`
	}](h.visitor, lookOfFocus)
	s := stop{body: look.Body, unseen: look.Unseen, html: look.HTML}
	if s.body {
		return s
	}
	focused, err := chromedp.Run(h.ctx, chromedp.Evaluate[*cdpruntime.RemoteObject](`document.activeElement`))
	if err != nil {
		return stop{body: true}
	}
	alone := false
	tree, err := chromedp.Call(h.ctx, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{ObjectID: focused.ObjectID, FetchRelatives: &alone})
	if err != nil || len(tree.Nodes) == 0 {
		h.t.Fatalf("what has the focus is unknown: %v (%s)", err, s.html)
	}
	for _, n := range tree.Nodes {
		if n.Role != nil && n.Name != nil {
			_ = json.Unmarshal(n.Role.Value, &s.role)
			_ = json.Unmarshal(n.Name.Value, &s.name)
			break
		}
	}
	return s
}

// is reports whether a stop has a role and a name; a name that ends in "…"
// stands for all that begin so.
func (s stop) is(role, name string) bool {
	prefix, open := strings.CutSuffix(name, "…")
	return !s.body && s.role == role && (s.name == name || open && strings.HasPrefix(s.name, prefix))
}

// reach presses Tab until the focus stands on the element with a role and a
// name; nothing is pressed when it stands there already.
func (h *hands) reach(role, name string) { h.t.Helper(); h.search(role, name, "Tab") }

// reachBack is reach with Shift+Tab.
func (h *hands) reachBack(role, name string) { h.t.Helper(); h.search(role, name, "Shift+Tab") }

func (h *hands) search(role, name, key string) {
	h.t.Helper()
	var passed []string
	for i := range h.far {
		at := h.at()
		if at.is(role, name) {
			h.seen(at)
			return
		}
		if i > 0 && at.body && len(passed) > 0 && passed[len(passed)-1] == "the document" {
			break
		}
		switch {
		case at.body:
			passed = append(passed, "the document")
		default:
			if i > 0 {
				h.seen(at)
			}
			passed = append(passed, at.role+" "+at.name)
		}
		h.keys(key)
	}
	h.screenshot("not-reached")
	h.t.Fatalf("%s is not within %d Tabs for %s %q at %s; the way led over\n  %s", name, h.far, role, name, h.path(), strings.Join(passed, "\n  "))
}

// seen fails the test where nobody sees that a stop has the focus.
func (h *hands) seen(at stop) {
	h.t.Helper()
	if at.unseen != "" {
		h.t.Errorf("at %s the focus on %s %q is not seen: %s\n  %s", h.path(), at.role, at.name, at.unseen, at.html)
	}
}

// stands fails the test unless the focus stands on a role and name.
func (h *hands) stands(role, name string) {
	h.t.Helper()
	var at stop
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if at = h.at(); at.is(role, name) {
			h.seen(at)
			return
		}
	}
	h.t.Errorf("at %s the focus stands on %s %q (nothing: %v) instead of %s %q", h.path(), at.role, at.name, at.body, role, name)
}

// skip jumps over the frame by the skip link.
func (h *hands) skip() {
	h.t.Helper()
	h.reach("link", "Skip to the content")
	h.keys("Enter")
	h.wait(`document.activeElement.id === "main"`)
}

// write types a text into the focused field, in place of what stands there.
func (h *hands) write(text string) {
	h.t.Helper()
	if ask[string](h.visitor, `document.activeElement.value ?? ""`) != "" {
		h.keys("Control+a", "Delete")
	}
	for _, c := range text {
		switch c {
		case '\n':
			h.keys("Enter")
		case ' ':
			h.keys("Space")
		default:
			h.keys(string(c))
		}
	}
	if got := ask[string](h.visitor, `document.activeElement.value ?? ""`); got != text {
		h.t.Errorf("after typing %q the field holds %q", text, got)
	}
}

// choose goes along an open list with the arrow until what it shows begins so.
func (h *hands) choose(option string) {
	h.t.Helper()
	shown := `(document.activeElement.selectedOptions?.[0]?.innerText ?? "")`
	h.keys("Home")
	for range 40 {
		if strings.HasPrefix(strings.TrimSpace(ask[string](h.visitor, shown)), option) {
			return
		}
		h.keys("ArrowDown")
	}
	h.t.Fatalf("the list has no %q but %q", option, ask[string](h.visitor, `document.activeElement.innerText`))
}

// pickRadio goes along a group of radio buttons with the arrow.
func (h *hands) pickRadio(name string) {
	h.t.Helper()
	for range 12 {
		if at := h.at(); at.is("radio", name) {
			h.seen(at)
			if !ask[bool](h.visitor, `document.activeElement.checked`) {
				h.keys("Space")
			}
			return
		}
		h.keys("ArrowDown")
	}
	h.t.Fatalf("no radio button %q here; the focus stands on %+v", name, h.at())
}

// tick gives a checkbox a state.
func (h *hands) tick(name string, on bool) {
	h.t.Helper()
	h.reach("checkbox", name)
	if ask[bool](h.visitor, `document.activeElement.checked`) != on {
		h.keys("Space")
	}
	if ask[bool](h.visitor, `document.activeElement.checked`) != on {
		h.t.Errorf("Space does not change %q", name)
	}
}

// follow presses a key that leads to another page and waits for that.
func (h *hands) follow(key string) {
	h.t.Helper()
	ask[bool](h.visitor, `(document.documentElement.dataset.leaving = "1", true)`)
	h.keys(key)
	h.arrived()
}

// arrived waits for the page that follows one that was marked as left.
func (h *hands) arrived() {
	h.t.Helper()
	h.wait(`document.readyState === "complete" && !document.documentElement.dataset.leaving`)
}

// palette goes to a place by the command palette.
func (h *hands) palette(words, entry string) {
	h.t.Helper()
	ask[bool](h.visitor, `(document.documentElement.dataset.leaving = "1", true)`)
	h.keys("Control+k")
	h.wait(`document.querySelector("#palette[open] [role=option]")`)
	h.stands("combobox", "…")
	h.write(words)
	h.wait(fmt.Sprintf(`document.querySelector("#palette [aria-selected=true]")?.innerText.includes(%q)`, entry))
	h.keys("Enter")
	h.arrived()
}

// hand answers the file dialog that a key on the focused field opens.
func (h *hands) hand(key string, files ...string) {
	h.t.Helper()
	h.keys(key)
	select {
	case field := <-h.files:
		if _, err := chromedp.Call(h.ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, BackendNodeID: field}); err != nil {
			h.t.Fatal(err)
		}
	case <-time.After(patience):
		h.t.Fatalf("%s opens no file dialog on %+v", key, h.at())
	}
}
