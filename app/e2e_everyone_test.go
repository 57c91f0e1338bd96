//go:build e2e

package app

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// mainPages finds the pages that people spend their days on, by the links that
// lead to them.
func (v *visitor) mainPages() (names []string, paths map[string]string) {
	v.t.Helper()
	home := "/projects/" + demoProject
	// The demo trains two models when it starts. Once it has, they are compared.
	v.s.until("the demo has trained and measured its models", func() bool {
		var models struct{ Items []struct{ ID string } }
		var done struct{ Items []struct{ State string } }
		ready := v.s.api("GET", home+"/models", nil, &models) < 300 && len(models.Items) == 2 && v.s.api("GET", home+"/runs", nil, &done) < 300 && len(done.Items) == 2
		for _, run := range done.Items {
			ready = ready && run.State == "succeeded"
		}
		if !ready {
			return false
		}
		cmd := exec.Command(binary(v.t), "compare", "text-linear@1", "text-linear@2", "--project", demoProject, "--snapshot", "test-1", "--data", v.s.data)
		cmd.Env = append(os.Environ(), "ADJUDGE_DATA=", "ADJUDGE_SERVER=", "ADJUDGE_TOKEN=")
		said, err := cmd.CombinedOutput()
		if err != nil && !strings.Contains(string(said), "no predictions") && !strings.Contains(string(said), "not ready") {
			v.t.Fatalf("compare: %v: %s", err, said)
		}
		return err == nil
	})
	paths = map[string]string{"desk": "/", "label": home + "/label", "items": home + "/items", "schema": home + "/schema", "import": home + "/import", "people": "/people", "history": home + "/history?kind=project.created"}
	for name, list := range map[string]string{"compare": "compare", "candidate": "candidates", "run": "runs"} {
		v.open(home + "/" + list)
		one := regexp.MustCompile(`^` + home + `/` + list + `/(?:\d+|[0-9a-f]{64})$`)
		for _, link := range v.links() {
			if one.MatchString(link) {
				paths[name] = link
				break
			}
		}
		if paths[name] == "" {
			paths[name] = home + "/" + list // the demo has none: the list stands for it
		}
	}
	for name := range paths {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, paths
}

// speak chooses the language of the browser. The mirrored one is in no menu: its
// tag is written into the cookie.
func (v *visitor) speak(tag string) {
	v.t.Helper()
	ask[bool](v, `fetch("/language", {method: "POST", body: new URLSearchParams({language: "de"}), redirect: "manual"}).then(() => true)`)
	cookies, err := chromedp.Call(v.ctx, network.GetCookies, network.GetCookiesParams{})
	if err != nil {
		v.t.Fatal(err)
	}
	// What is kept with the person would outrank the browser.
	ask[bool](v, `fetch("/account/preferences", {method: "POST", body: new URLSearchParams({language: ""}), redirect: "manual"}).then(() => true)`)
	for _, c := range cookies.Cookies {
		if strings.HasPrefix(c.Name, "adjudge_language_") {
			if _, err := chromedp.Call(v.ctx, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: tag, URL: v.s.url}); err != nil {
				v.t.Fatal(err)
			}
			return
		}
	}
	v.t.Fatal("the server sets no cookie for the language")
}

// leftOver lists visible words in Latin letters that the mirrored language would
// have turned around: texts that come from no catalogue. What people wrote, code,
// times, numbers and names stand in elements that say so.
const leftOver = `(() => {
	const own = "[dir=auto], bdi, code, pre, kbd, samp, time, textarea, option, .avatar, .num, .digest, [lang], .classname, .brand, .mark, .word, .copyline, svg";
	const found = new Set();
	const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		const e = n.parentElement;
		if (e.closest(own) || !e.checkVisibility()) continue;
		const words = n.textContent.replace(/\u202e[^\u202c]*\u202c/g, "").match(/[A-Za-z]{3,}( [A-Za-z]+)*/g);
		for (const w of words ?? []) found.add(w);
	}
	return [...found]; })()`

// clipped lists visible words that are cut off by the box they stand in.
const clipped = `(() => {
	const found = [];
	for (const e of document.querySelectorAll("main *, .topline *, .rail *, .bottombar *")) {
		if (!e.checkVisibility() || e.closest(".truncate, .clamp, .visually-hidden, svg, .tablewrap, .log, pre, .brand, .palette-open, [dir=auto], .unseen, [aria-hidden]")) continue;
		const s = getComputedStyle(e);
		if (s.overflowX === "visible" && s.overflowY === "visible" || s.overflowX === "auto" || s.overflowY === "auto" || s.clipPath !== "none" || s.position === "absolute") continue;
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
		if (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 2) found.push(e.outerHTML.slice(0, 120));
	}
	return found.slice(0, 4).join("\n  "); })()`

// opened opens every menu, popover, dialog and drawer in turn and lists those
// that reach beyond a side of the window.
const opened = `(() => {
	const found = [];
	const inside = (e) => {
		const r = e.getBoundingClientRect();
		if (r.width > 0 && (r.left < -1 || r.right > document.documentElement.clientWidth + 1)) found.push(Math.round(r.left) + " to " + Math.round(r.right) + ": " + e.outerHTML.slice(0, 120));
		for (const part of e.querySelectorAll("*")) {
			const p = part.getBoundingClientRect();
			if (p.width > 1 && (p.left < r.left - 1 || p.right > r.right + 1) && part.checkVisibility() && !part.closest(".visually-hidden, .tablewrap, svg, .truncate")) { found.push("beyond its list: " + part.outerHTML.slice(0, 120)); break; }
		}
	};
	for (const menu of document.querySelectorAll("details.menu, details.switcher")) {
		if (!menu.checkVisibility()) continue;
		menu.open = true;
		inside(menu.querySelector(".items"));
		menu.open = false;
	}
	for (const sheet of document.querySelectorAll("[popover]")) { sheet.showPopover(); inside(sheet); sheet.hidePopover(); }
	for (const dialog of document.querySelectorAll("dialog:not([open])")) { dialog.showModal(); inside(dialog); dialog.close(); }
	return found.slice(0, 6).join("\n  "); })()`

// German words are long, and a script from right to left turns the page around:
// nothing may be wider than the window, nothing cut, and nothing left in English.
func TestMainPagesInEveryLanguage(t *testing.T) {
	s := startDemo(t)
	v := s.owner()
	names, paths := v.mainPages()
	for _, tag := range []string{"de", "en-XB"} {
		v.speak(tag)
		for _, name := range names {
			v.open(paths[name])
			where := name + " in " + tag
			if got := ask[string](v, `document.documentElement.lang`); got != tag {
				t.Fatalf("%s speaks %s", where, got)
			}
			for _, width := range []int64{320, 390, 1440} {
				v.size(width, map[int64]int64{320: 568, 390: 844, 1440: 900}[width])
				v.fits(fmt.Sprintf("%s at %d", where, width))
				if out := ask[string](v, opened); out != "" {
					t.Errorf("%s at %d opens beyond the window:\n  %s", where, width, out)
				}
				if cut := ask[string](v, clipped); cut != "" {
					t.Errorf("%s at %d cuts:\n  %s", where, width, cut)
				}
			}
			v.screenshot("language-" + name + "-" + tag)
			if tag == "de" {
				if keys := ask[[]string](v, `document.querySelector("main").innerText.match(/\b[a-z]+(\.[a-z_]+)+\b(?= |$)/gm)?.filter((k) => /^(ui|frame|label|items|compare|candidate|run|schema|import|people|history|project|desk|erase|holds)\./.test(k) && document.querySelector("main").querySelector("code")?.innerText !== k) ?? []`); len(keys) > 0 && name != "history" {
					t.Errorf("%s shows keys: %v", where, keys)
				}
				continue
			}
			if ask[bool](v, `document.querySelector(".rail").getBoundingClientRect().left < document.querySelector("main").getBoundingClientRect().left`) {
				t.Errorf("%s: the rail is not on the right", where)
			}
			if ask[bool](v, `[...document.querySelectorAll(".icon.flips")].some((i) => i.checkVisibility() && !getComputedStyle(i).transform.startsWith("matrix(-1"))`) {
				t.Errorf("%s: an icon points the wrong way", where)
			}
			if english := ask[[]string](v, leftOver); len(english) > 0 {
				t.Errorf("%s: these words come from no catalogue: %q", where, english)
			}
		}
	}
}

// Somebody who needs letters twice as large loses nothing.
func TestTextOfTwiceTheSizeFits(t *testing.T) {
	s := startDemo(t)
	v := s.owner()
	names, paths := v.mainPages()
	for _, name := range names {
		v.open(paths[name])
		before := ask[float64](v, `parseFloat(getComputedStyle(document.querySelector("main h1, main h2")).fontSize)`)
		ask[bool](v, `(document.documentElement.style.fontSize = "200%", true)`)
		if after := ask[float64](v, `parseFloat(getComputedStyle(document.querySelector("main h1, main h2")).fontSize)`); after < 1.9*before {
			t.Errorf("%s: the letters of its heading grow from %v to %v pixels only", name, before, after)
		}
		for _, width := range []int64{1440, 640} {
			v.size(width, 900)
			v.fits(fmt.Sprintf("%s with large letters at %d", name, width))
			if cut := ask[string](v, clipped); cut != "" {
				t.Errorf("%s with large letters at %d cuts:\n  %s", name, width, cut)
			}
		}
		v.screenshot("large-" + name)
		v.press("Tab", "Tab", "Tab")
		if hidden := ask[string](v, `(() => { const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);
			return e === document.body || (r.width > 0 && r.bottom > 0 && r.top < innerHeight && (s.outlineStyle !== "none" || s.boxShadow !== "none" || s.position === "absolute")) ? "" : e.outerHTML.slice(0, 120); })()`); hidden != "" {
			t.Errorf("%s with large letters: the focus is not seen on %s", name, hidden)
		}
		v.size(1440, 900)
	}
}

// unsteady is what differs between two runs of the demo.
var unsteady = regexp.MustCompile(`[0-9a-f]{8,}(?:-[0-9a-f]{4,})*|[−+]?\d+(?:[.,:]\d+)*(?:[  ]?(?:ms|s|min|h|B|kB|MB)\b)?`)

// axTree writes what a screen reader is told about a page: role, name and state
// of everything, indented, without numbers, moments and digests. Of rows and
// entries that follow each other only the first two stand for all.
func (v *visitor) axTree() string {
	v.t.Helper()
	ask[int](v, `[...document.querySelectorAll("time")].map((t) => { t.textContent = "TIME"; t.title = ""; }).length`)
	got, err := chromedp.Call(v.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		v.t.Fatal(err)
	}
	nodes := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range got.Nodes {
		nodes[n.NodeID] = n
	}
	text := func(value *accessibility.Value) string {
		var s any
		if value == nil || json.Unmarshal(value.Value, &s) != nil || s == nil {
			return ""
		}
		return strings.Join(strings.Fields(fmt.Sprint(s)), " ")
	}
	var out strings.Builder
	var draw func(n *accessibility.Node, depth int)
	draw = func(n *accessibility.Node, depth int) {
		role := text(n.Role)
		skip := n.Ignored || role == "generic" || role == "none" || role == "StaticText" || role == "InlineTextBox" || role == "LineBreak" || role == "RootWebArea" || role == "paragraph" && text(n.Name) == ""
		if !skip {
			line := role
			if name := text(n.Name); name != "" {
				line += fmt.Sprintf(" %q", unsteady.ReplaceAllString(name, "#"))
			}
			for _, p := range n.Properties {
				switch state := text(p.Value); p.Name {
				case "checked", "pressed", "expanded", "selected", "disabled", "invalid", "required", "modal", "hasPopup", "level":
					if state != "false" && state != "" || p.Name == "expanded" {
						line += fmt.Sprintf(" %s=%s", p.Name, state)
					}
				}
			}
			fmt.Fprintf(&out, "%s%s\n", strings.Repeat("  ", depth), line)
			depth++
		}
		alike := map[string]int{}
		for _, id := range n.ChildIDs {
			child := nodes[id]
			if child == nil {
				continue
			}
			if kind := text(child.Role); kind == "row" || kind == "listitem" || kind == "option" || kind == "link" && role == "navigation" {
				if alike[kind]++; alike[kind] > 2 && kind != "link" {
					continue
				}
			}
			draw(child, depth)
		}
	}
	if len(got.Nodes) > 0 {
		draw(got.Nodes[0], 0)
	}
	return out.String()
}

// charts fails the test for a chart that lacks a sentence or a table behind Alt+T,
// and returns which kinds there are. A chart in a cell has its table around it.
func (v *visitor) charts(where string) []string {
	v.t.Helper()
	v.typed("t", "KeyT", 1)
	v.wait(`document.documentElement.hasAttribute("data-tables")`)
	found := ask[[][]string](v, `[...document.querySelectorAll("main svg:not(.icon), main ul.bars")].filter((c) => c.checkVisibility() && !c.closest(".key, svg svg")).map((c) => {
		const kind = ["ring", "interval", "sparkline", "heatmap", "bars"].find((k) => c.classList.contains(k)) ?? "plot";
		const words = c.getAttribute("aria-label") ?? c.closest("section, figure")?.querySelector("figcaption, [data-part=sentence]")?.innerText ?? "";
		let table = c.closest("td") !== null;
		for (let p = c.parentElement; p && p.tagName !== "MAIN" && !table; p = p.parentElement) table = [...p.querySelectorAll("[data-table]")].some((t) => (t.matches("table") ? t : t.querySelector("table"))?.checkVisibility());
		return [kind, words.trim() ? "" : "no sentence", table ? "" : "no table", c.outerHTML.slice(0, 100)]; })`)
	var kinds []string
	for _, f := range found {
		kinds = append(kinds, f[0])
		if f[1] != "" || f[2] != "" {
			v.t.Errorf("%s: a chart has %s %s: %s", where, f[1], f[2], f[3])
		}
	}
	v.typed("t", "KeyT", 1)
	v.wait(`!document.documentElement.hasAttribute("data-tables")`)
	return kinds
}

// What a screen reader is told about the main pages is written down, so that a
// change of it is seen in review: go test -tags e2e ./app -run Trees -update.
func TestAccessibilityTreesAreAsWrittenDown(t *testing.T) {
	s := startDemo(t)
	v := s.owner()
	names, paths := v.mainPages()
	v.open("/account")
	owner := v.text(".whoami .name")
	kinds := map[string]bool{}
	defer func() {
		for _, kind := range []string{"ring", "interval", "heatmap", "plot", "bars"} {
			if !kinds[kind] {
				t.Errorf("no chart of the kind %s was seen", kind)
			}
		}
	}()
	for _, name := range names {
		v.open(paths[name])
		switch name {
		case "label":
			v.ready()
		case "run": // its log comes after the page
			v.wait(`document.querySelector('[data-part="lines"] [id^="L"]') !== null`)
		}
		v.wait(`document.documentElement.dataset.live === "" || !document.documentElement.dataset.project`)
		if _, err := chromedp.Call(v.ctx, accessibility.Enable, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		for _, kind := range v.charts(name) {
			kinds[kind] = true
		}
		got := strings.ReplaceAll(v.axTree(), owner, "OWNER")
		for _, item := range ask[[]string](v, `[...document.querySelectorAll(".item-text")].map((e) => e.innerText)`) {
			// Which item is offered first depends on how the queue was filled.
			got = strings.ReplaceAll(got, unsteady.ReplaceAllString(strings.Join(strings.Fields(item), " "), "#"), "ITEM")
		}
		file := filepath.Join("testdata", "accessibility", name+".txt")
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v; write it with -update", err)
			continue
		}
		if string(want) != got {
			t.Errorf("%s is told differently (write it with -update and read the difference):\n%s", name, differing2(string(want), got))
		}
	}
}

// differing2 shows the first lines in which two texts differ.
func differing2(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, strings.Join(a[i:min(len(a), i+4)], "\n- "), strings.Join(b[i:min(len(b), i+4)], "\n+ "))
		}
	}
	return fmt.Sprintf("%d lines became %d", len(a), len(b))
}
