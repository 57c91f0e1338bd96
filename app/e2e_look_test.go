//go:build e2e

package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe is what the accessibility checker finds on a page.
type axe struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string   `json:"html"`
		Target  []any    `json:"target"`
		Summary string   `json:"failureSummary"`
		Any     []string `json:"-"`
	} `json:"nodes"`
}

// checker returns the script of axe-core, which the browser gets beside the page.
func checker(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("..", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is missing; run `npm ci`: %v", err)
	}
	return string(script)
}

// widthRules are the rules whose answer may change with the width of the window
// alone: what is small, what scrolls, and what loses its words.
const widthRules = `["target-size", "scrollable-region-focusable", "link-name", "button-name", "nested-interactive", "aria-hidden-focus"]`

// accessible fails the test on everything serious or critical on the page.
func (v *visitor) accessible(script, where string) {
	v.t.Helper()
	v.checked(script, where, `{resultTypes: ["violations"]}`)
}

// checked is accessible with options of the checker.
func (v *visitor) checked(script, where, options string) {
	v.t.Helper()
	ask[bool](v, `typeof axe === "object" || (() => { `+script+`; return true; })()`)
	text := ask[string](v, `axe.run(document, `+options+`).then((r) => JSON.stringify(r.violations.filter((f) => f.impact === "serious" || f.impact === "critical")))`)
	var found []axe
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		v.t.Fatal(err)
	}
	for _, f := range found {
		for i, n := range f.Nodes {
			if i == 3 {
				v.t.Errorf("%s: %s: and %d more", where, f.ID, len(f.Nodes)-3)
				break
			}
			v.t.Errorf("%s: %s (%s): %s\n  %.240s\n  %s", where, f.ID, f.Impact, f.Help, n.HTML, strings.ReplaceAll(n.Summary, "\n", "\n  "))
		}
	}
}

// still sets a theme and stops all motion, so that nothing is judged while it
// changes.
func (v *visitor) still(theme string) {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}); err != nil {
		v.t.Fatal(err)
	}
}

// media emulates preferences of a person, such as "forced-colors", "active".
func (v *visitor) media(features ...string) {
	v.t.Helper()
	var all []*emulation.MediaFeature
	for i := 0; i < len(features); i += 2 {
		all = append(all, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	if _, err := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: all}); err != nil {
		v.t.Fatal(err)
	}
}

// stays fails the test where something moves although the person asked for no
// motion (see still).
func (v *visitor) stays(where string) {
	v.t.Helper()
	moves := ask[string](v, `[...document.querySelectorAll("*")].filter((e) => { const s = getComputedStyle(e); return s.animationName !== "none" || /[1-9]/.test(s.transitionDuration) && s.transitionProperty !== "none"; }).slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join(" | ")`)
	if moves != "" {
		v.t.Errorf("%s moves for people who want no motion: %s", where, moves)
	}
}

// forced fails the test where, under the colours that a person forces upon all
// pages, what is chosen looks like what is not: a background alone is gone then.
func (v *visitor) forced(where string) {
	v.t.Helper()
	v.media("forced-colors", "active")
	alike := ask[string](v, `(() => {
		const looks = (e) => { const s = getComputedStyle(e), r = e.querySelector(":scope > rect") ? getComputedStyle(e.querySelector(":scope > rect")) : {};
			return [s.outlineStyle, s.outlineWidth, s.borderInlineStart, s.borderBlockEnd, s.textDecorationLine, s.fontWeight, s.color, r.stroke, r.strokeWidth, e.querySelectorAll(":scope > svg").length].join("|"); };
		const found = [];
		for (const state of ["aria-current", "aria-selected", "aria-pressed", "aria-checked"])
			for (const on of document.querySelectorAll("[" + state + "]:not([" + state + "=false])")) {
				if (!on.getClientRects().length || on.closest("dialog:not([open])")) continue;
				const off = [...document.querySelectorAll(on.tagName + "." + CSS.escape(on.classList[0] ?? "none"))].find((e) => e !== on && e.getClientRects().length && (!e.hasAttribute(state) || e.getAttribute(state) === "false"));
				if (off && looks(on) === looks(off)) found.push(on.outerHTML.slice(0, 140));
			}
		return found.slice(0, 3).join("\n  "); })()`)
	if alike != "" {
		v.t.Errorf("%s: under forced colours these look as if they were not chosen:\n  %s", where, alike)
	}
	v.media()
}

// families are the keys of messages without their last part.
func families(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../frontend/ui/messages/en/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no messages: %v", err)
	}
	var found []string
	for _, file := range files {
		var messages map[string]any
		raw, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(raw, &messages)
		}
		if err != nil {
			t.Fatal(err)
		}
		for key := range messages {
			if end := strings.LastIndex(key, "."); end > 0 {
				found = append(found, key[:end])
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// worded fails the test where the page shows the key of a text instead of one:
// of keys that are put together only a look tells that one is missing.
func (v *visitor) worded(families []string, where string) {
	v.t.Helper()
	list, err := json.Marshal(families)
	if err != nil {
		v.t.Fatal(err)
	}
	bare := ask[[]string](v, `(() => {
		const families = new Set(`+string(list)+`), found = [];
		const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (texts.nextNode()) {
			const text = texts.currentNode.data.trim();
			if (/^[a-z_]+(\.[a-z0-9_-]+)+$/.test(text) && families.has(text.slice(0, text.lastIndexOf("."))) && !texts.currentNode.parentElement.closest("code, option, script, bdi, td[dir=auto]")) found.push(text);
		}
		return found; })()`)
	if len(bare) > 0 {
		v.t.Errorf("%s shows keys for which there is no text: %v", where, bare)
	}
}

// fits fails the test where the page is wider than the window.
func (v *visitor) fits(where string) {
	v.t.Helper()
	wide := ask[string](v, `(() => {
		const root = document.documentElement;
		if (root.scrollWidth <= root.clientWidth) return "";
		const out = [...document.querySelectorAll("body *")].filter((e) => {
			if (e.getBoundingClientRect().right <= root.clientWidth + 1) return false;
			for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
				if (getComputedStyle(p).overflowX !== "visible") return false;
			return true;
		});
		return root.scrollWidth + " pixels: " + out.slice(-3).map((e) => e.outerHTML.slice(0, 120)).join(" | ");
	})()`)
	if wide != "" {
		v.t.Errorf("%s is wider than the window: %s", where, wide)
	}
}

// oneOf stands for the ids in addresses, so that a hundred items count as one page.
var oneOf = regexp.MustCompile(`^(?:\d+|[0-9a-f-]{32,}|sha256:[0-9a-f]+)$`)

// shape names what kind of page an address is. The second page of a list is of the
// first one's kind.
func shape(address string) string {
	path, query, _ := strings.Cut(address, "?")
	var names []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		names = append(names, name)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "after" })
	slices.Sort(names)
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = oneOf.ReplaceAllString(part, ":id")
	}
	return strings.Join(parts, "/") + "?" + strings.Join(slices.Compact(names), "&")
}

func TestAddressesOfOneKindHaveOneShape(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"/projects/p/items/01a1fd17-9fa9-7e1d-a676-302ae1735503", "/projects/p/items/01a1fd17-9fa9-7e21-9a91-4e0abff2b500"},
		{"/projects/p/runs/1?x=1&y=2", "/projects/p/runs/22?y=3&x=4"},
		{"/projects/p/items?q=a", "/projects/p/items?q=a&after=01a1fd17"},
		{"/projects/p/compare/9742fbfd928ab100daa38f47f5a79567a6b3be900d823fbec2a0d0a91926f4ec", "/projects/p/compare/0742fbfd928ab100daa38f47f5a79567a6b3be900d823fbec2a0d0a91926f4ec"},
	} {
		if shape(c.a) != shape(c.b) {
			t.Errorf("%s is %s, and %s is %s", c.a, shape(c.a), c.b, shape(c.b))
		}
	}
	if shape("/projects/p/items") == shape("/projects/p/items?label=1") {
		t.Error("a filter changes nothing")
	}
}

// links returns the pages that the page leads to.
func (v *visitor) links() []string {
	v.t.Helper()
	return ask[[]string](v, `[...new Set([...document.querySelectorAll("a[href]")]
		.filter((a) => a.origin === location.origin && !a.hasAttribute("download"))
		.map((a) => a.pathname + a.search))]`)
}

// noPage are addresses that answer something else than a page.
var noPage = regexp.MustCompile(`^/(api|static)/|/export|/download|/file|/log(\?|$)|\.(json|jsonl|csv|parquet|zip|pub|tar)(\?|$)|^/launch`)

// everyPage follows links from the desk and calls look once per kind of page.
func (v *visitor) everyPage(start []string, look func(path string)) []string {
	v.t.Helper()
	queue, seen, visited := slices.Clone(start), map[string]bool{}, []string{}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if seen[shape(path)] || noPage.MatchString(path) {
			continue
		}
		seen[shape(path)] = true
		v.open(path)
		visited = append(visited, path)
		look(path)
		next := v.links()
		slices.SortStableFunc(next, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
		queue = append(queue, next...)
		if len(visited) > 120 {
			v.t.Fatalf("more than 120 kinds of pages; the last ones: %v", visited[100:])
		}
	}
	return visited
}

// Every page that links lead to is accessible in both themes, fits every
// window, and has no trouble (see visitor).
func TestEveryPageIsAccessibleAndFitsEveryWindow(t *testing.T) {
	script := checker(t)
	s := startDemo(t)
	v := s.owner()
	start := []string{"/", "/projects/" + demoProject, "/projects/new", "/account", "/tokens", "/people", "/gallery"}
	texts := families(t)
	visited := v.everyPage(start, func(path string) {
		v.worded(texts, path)
		for _, width := range []int64{1440, 1024, 390, 320} {
			v.size(width, map[int64]int64{1440: 900, 1024: 768, 390: 844, 320: 568}[width])
			v.fits(fmt.Sprintf("%s at %d", path, width))
			if width == 1440 || width == 390 {
				for _, theme := range []string{"light", "dark"} {
					v.still(theme)
					v.accessible(script, fmt.Sprintf("%s at %d, %s", path, width, theme))
				}
				continue
			}
			v.checked(script, fmt.Sprintf("%s at %d", path, width), `{resultTypes: ["violations"], runOnly: `+widthRules+`}`)
		}
		v.stays(path)
		v.size(1440, 900)
		v.forced(path)
		v.size(1440, 900)
	})
	t.Logf("looked at %d pages: %s", len(visited), strings.Join(visited, " "))
	if len(visited) < 15 {
		t.Errorf("only %d pages were found", len(visited))
	}
}

// The bottom bar of a phone makes room while the on-screen keyboard is open.
func TestTheBottomBarMakesRoomForTheKeyboardOfAPhone(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(2, nil))
	v := s.firstAdmin("Ana")
	v.size(390, 844)
	v.open("/projects/news/schema")
	shown := `getComputedStyle(document.querySelector(".bottombar")).display !== "none"`
	v.wait(shown)
	v.fill("Question (optional)", "What is it?")
	v.size(390, 460) // the keyboard takes nearly half
	v.wait(`!(` + shown + `)`)
	v.size(390, 844)
	v.wait(shown)
	v.press("Tab", "Tab", "Tab", "Tab", "Tab")
	v.size(390, 460) // a window that is merely low keeps its bar
	ask[bool](v, `(document.activeElement.blur(), true)`)
	v.size(390, 470)
	v.wait(shown)
}

// The pages that no link leads to: signing in, and errors.
func TestDoorAndErrorPagesAreAccessible(t *testing.T) {
	script := checker(t)
	s := startDemo(t)
	for path, v := range map[string]*visitor{"/sign-in": s.visit(), "/projects/nowhere": s.owner(), "/nowhere": s.visit()} {
		v.forgive(`status of 404`)
		v.open(path)
		for _, width := range []int64{1440, 320} {
			v.size(width, 800)
			v.fits(path)
			for _, theme := range []string{"light", "dark"} {
				v.still(theme)
				v.accessible(script, path)
			}
		}
	}
}

func TestTheFrameIsWalkedByKeysAlone(t *testing.T) {
	s := startDemo(t)
	v := s.owner()
	v.open("/projects/" + demoProject)

	v.press("Tab")
	if got := v.text(":focus"); got != "Skip to the content" {
		t.Errorf("the first Tab stands on %q", got)
	}
	v.press("Enter")
	v.wait(`document.activeElement.id === "main"`)

	v.press("Control+k")
	v.wait(`document.querySelector("#palette[open] [role=option]")`)
	v.press("s", "c", "h", "e", "m")
	v.wait(`document.querySelector("#palette [aria-selected=true]")?.innerText.includes("Edit the classes") || document.querySelector("#palette [aria-selected=true]")?.innerText.includes("Settings")`)
	v.press("Escape")
	v.wait(`!document.querySelector("#palette").open`)
	v.press("Control+k")
	v.wait(`document.querySelector("#palette[open] [role=option]")`)
	v.press("i", "t", "e", "m", "s", "Enter")
	v.wait(`location.pathname.endsWith("/items")`)

	v.open("/projects/" + demoProject + "/datasets")
	v.press("?")
	v.wait(`document.querySelector("#keys-help").open`)
	v.waitText("#keys-help", "Lock")
	v.press("Escape")
	v.wait(`!document.querySelector("#keys-help").open`)

	ask[bool](v, `(document.querySelector('[data-set-theme="dark"]').click(), document.querySelector('[data-set-size="l"]').click(), true)`)
	v.open("/projects")
	v.wait(`document.documentElement.dataset.theme === "dark" && document.documentElement.dataset.size === "l"`)

	// The owner of the demo came by a link: without a password nobody could unlock.
	v.forgive(`status of 422`)
	v.typed("l", "KeyL", 1)
	v.waitText(".statusline", "password")
}

func TestRemovingAClassWithAnnotationsAsksWhatBecomesOfThem(t *testing.T) {
	s := startDemo(t)
	v := s.owner()
	v.open("/projects/" + demoProject + "/schema")
	name := ask[string](v, `document.querySelector('[name="class.name"]').value`)
	before := ask[int](v, `[...document.querySelectorAll('[name="class.name"]')].filter((i) => i.value).length`)
	ask[bool](v, `(document.querySelector('[name="class.remove"]').checked = true)`)
	v.forgive(`status of 422`)
	v.submit()
	v.waitText(".banner", "Nothing is dropped silently")
	v.waitText(".banner legend", name)
	ask[bool](v, `(document.querySelector('.banner input[value="merge"]').checked = true)`)
	v.submit()
	v.waitText("#reason-error", "why the schema changes")
	v.wait(`document.querySelector('.banner input[value="merge"]').checked`) // what was decided stays
	v.fill("Why it changes", "nobody means it")
	v.submit()
	v.waitText("#status", "saved")
	if got := ask[int](v, `[...document.querySelectorAll('[name="class.name"]')].filter((i) => i.value).length`); got != before-1 {
		t.Errorf("%d classes are left of %d", got, before)
	}
	v.waitText(".retired", name)
}
