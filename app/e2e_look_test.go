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

// accessible fails the test on everything serious or critical on the page.
func (v *visitor) accessible(script, where string) {
	v.t.Helper()
	ask[bool](v, `typeof axe === "object" || (() => { `+script+`; return true; })()`)
	text := ask[string](v, `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.filter((f) => f.impact === "serious" || f.impact === "critical")))`)
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

// shape names what kind of page an address is.
func shape(address string) string {
	path, query, _ := strings.Cut(address, "?")
	var names []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		names = append(names, name)
	}
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
	visited := v.everyPage(start, func(path string) {
		for _, width := range []int64{1440, 1024, 390, 320} {
			v.size(width, map[int64]int64{1440: 900, 1024: 768, 390: 844, 320: 568}[width])
			v.fits(fmt.Sprintf("%s at %d", path, width))
			if width == 1440 || width == 390 {
				for _, theme := range []string{"light", "dark"} {
					v.still(theme)
					v.accessible(script, fmt.Sprintf("%s at %d, %s", path, width, theme))
				}
			}
		}
		v.size(1440, 900)
	})
	t.Logf("looked at %d pages: %s", len(visited), strings.Join(visited, " "))
	if len(visited) < 15 {
		t.Errorf("only %d pages were found", len(visited))
	}
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

	v.typed("l", "KeyL", 1)
	v.wait(`location.pathname === "/sign-in"`)
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
	v.waitText("#status", "saved")
	if got := ask[int](v, `[...document.querySelectorAll('[name="class.name"]')].filter((i) => i.value).length`); got != before-1 {
		t.Errorf("%d classes are left of %d", got, before)
	}
	v.waitText(".retired", name)
}
