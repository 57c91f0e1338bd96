//go:build e2e

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Browser tests start the real server on a data directory of their own and
// visit it with a real Chromium:
//
//	s := startSite(t)
//	ana := s.firstAdmin("Ana")             // a visitor, signed in
//	ana.open("/projects/animals/label")
//	ana.press("1")                         // real key events
//	ana.click("button", "Undo")            // by role and accessible name
//	ana.waitText("#status", "Saved")
//
// A visit fails its test by itself on a violation of the content security
// policy, an error on the console, an exception or an answer of 500 and more;
// forgive says which are expected.

// The one Chromium of all browser tests; each visitor has cookies and storage
// of their own in it.
var (
	chromiumOnce sync.Once
	chromiumTab  context.Context
	chromiumEnd  func()
	errChromium  error
)

func chromium(t testing.TB) context.Context {
	t.Helper()
	chromiumOnce.Do(func() {
		path := os.Getenv("ADJUDGE_TEST_CHROMIUM")
		for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
			if found, err := exec.LookPath(name); err == nil && path == "" {
				path = found
			}
		}
		if path == "" {
			errChromium = fmt.Errorf("there is no Chromium; install one, or name it in ADJUDGE_TEST_CHROMIUM")
			return
		}
		fonts, err := filepath.Abs(filepath.Join("testdata", "fonts.conf"))
		if err != nil {
			errChromium = err
			return
		}
		allocator, stop := chromedp.NewExecAllocator(context.Background(),
			chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-sync", true), chromedp.Flag("disable-extensions", true), chromedp.Flag("disable-dev-shm-usage", true),
			chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("force-device-scale-factor", "1"), chromedp.Flag("hide-scrollbars", true),
			// Several visitors at once: none of them is "in the background".
			chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-renderer-backgrounding", true),
			chromedp.Flag("disable-backgrounding-occluded-windows", true),
			chromedp.WindowSize(1440, 900),
			// Whatever this machine speaks, wherever it stands, and whatever fonts it has.
			chromedp.Env("LANG=en_US.UTF-8", "LC_ALL=en_US.UTF-8", "LANGUAGE=en_US", "TZ=UTC", "FONTCONFIG_FILE="+fonts),
			chromedp.Flag("lang", "en-US"), chromedp.Flag("accept-lang", "en-US,en"))
		tab, cancel := chromedp.NewContext(allocator)
		chromiumTab, chromiumEnd = tab, func() { cancel(); stop() }
		errChromium = chromedp.Do(tab) // starts it
	})
	if errChromium != nil {
		t.Fatal(errChromium)
	}
	return chromiumTab
}

// visitor is a person with a browser of their own.
type visitor struct {
	t   testing.TB
	s   *site
	ctx context.Context

	mu       sync.Mutex
	troubles []string
	forgiven []*regexp.Regexp
}

// visit opens an empty page with fresh cookies and storage.
func (s *site) visit() *visitor {
	s.t.Helper()
	ctx, cancel := chromedp.NewContext(chromium(s.t), chromedp.WithNewBrowserContext())
	return s.watch(ctx, cancel)
}

// tab opens another tab of the same browser.
func (v *visitor) tab() *visitor {
	v.t.Helper()
	ctx, cancel := chromedp.NewContext(v.ctx, chromedp.WithExistingBrowserContext(chromedp.FromContext(v.ctx).BrowserContextID))
	return v.s.watch(ctx, cancel)
}

func (s *site) watch(ctx context.Context, cancel func()) *visitor {
	s.t.Helper()
	v := &visitor{t: s.t, s: s, ctx: ctx}
	err := chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *cdpruntime.EventExceptionThrown:
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += " " + e.ExceptionDetails.Exception.Description
			}
			v.trouble("exception: " + text)
		case *cdpruntime.EventConsoleAPICalled:
			if e.Type == "error" || e.Type == "assert" {
				var words []string
				for _, a := range e.Args {
					words = append(words, string(a.Value)+a.Description)
				}
				v.trouble("console error: " + strings.Join(words, " "))
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == "error" {
				v.trouble(fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
			}
		case *network.EventResponseReceived:
			if e.Response.Status >= 500 {
				v.trouble(fmt.Sprintf("answer %d: %s", e.Response.Status, e.Response.URL))
			}
		}
	})
	if err == nil {
		_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	}
	if err == nil {
		_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	}
	if err == nil { // of several windows at once each believes to have the keyboard
		_, err = chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	}
	if by, moved := time.ParseDuration(ahead); err == nil && moved == nil { // pages and server show one time
		_, err = chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: fmt.Sprintf(`Date = class extends Date {
				constructor(...at) { if (at.length) super(...at); else super(Date.now()); }
				static now() { return super.now() + %d; }
			};`, by.Milliseconds())})
	}
	if err == nil {
		_, err = chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `document.addEventListener("securitypolicyviolation", (e) => console.error("policy violation", e.violatedDirective, e.blockedURI, e.sourceFile, e.lineNumber));
				// What the status line says may be replaced at once by what comes later: all of it is kept.
				window.saidSoFar = [];
				new MutationObserver((all) => {
					for (const { target } of all) {
						const line = (target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement)?.closest("[role=status]");
						if (line?.textContent.trim()) window.saidSoFar.push(line.textContent.trim());
					}
				}).observe(document, { childList: true, characterData: true, subtree: true });
				// A part of the page that is replaced while it has the focus must hand it on.
				let held = null;
				document.addEventListener("focusin", (e) => { held = e.target; });
				new MutationObserver(() => {
					const lost = held;
					if (!lost || lost.isConnected) return;
					held = null;
					setTimeout(() => { if (document.activeElement === document.body) console.error("the focus is lost: what had it was replaced:", lost.outerHTML.slice(0, 160)); }, 100);
				}).observe(document, { childList: true, subtree: true });`})
	}
	if err != nil {
		s.t.Fatalf("open a page: %v", err)
	}
	s.t.Cleanup(func() {
		if s.t.Failed() {
			v.screenshot("failed-" + strings.ReplaceAll(s.t.Name(), "/", "-"))
		}
		cancel()
		v.mu.Lock()
		defer v.mu.Unlock()
	troubles:
		for _, trouble := range v.troubles {
			for _, known := range v.forgiven {
				if known.MatchString(trouble) {
					continue troubles
				}
			}
			s.t.Errorf("the page had %s", trouble)
		}
	})
	return v
}

func (v *visitor) trouble(what string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.troubles = append(v.troubles, what)
}

// forgive says that troubles matching a pattern are expected.
func (v *visitor) forgive(pattern string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forgiven = append(v.forgiven, regexp.MustCompile(pattern))
}

// do runs actions and fails the test on their error.
func (v *visitor) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		v.t.Fatalf("%s: %v", what, err)
	}
}

// open goes to a path of the site and waits until the page has loaded.
func (v *visitor) open(path string) {
	v.t.Helper()
	v.do("open "+path, chromedp.Navigate(v.s.url+path))
}

// leave closes the page: an empty one takes its place.
func (v *visitor) leave() {
	v.t.Helper()
	v.do("leave", chromedp.Navigate("about:blank"))
}

// path returns the path and query of the page.
func (v *visitor) path() string {
	v.t.Helper()
	return ask[string](v, `location.pathname + location.search`)
}

// ask evaluates a JavaScript expression (a promise is awaited) in the page.
func ask[T any](v *visitor, expression string) T {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("evaluate %s: %v", expression, err)
	}
	return got
}

// wait waits until a JavaScript expression is true in the page; a page that is
// being replaced counts as not yet.
func (v *visitor) wait(expression string) {
	v.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(v.ctx, patience)
		got, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!(`+expression+`)`, chromedp.EvalAwaitPromise))
		cancel()
		if err == nil && got {
			return
		}
		if time.Now().After(end) {
			v.screenshot("waited-in-vain")
			v.t.Fatalf("waited in vain for %s (%v)\nthe page at %s says:\n%.2000s", expression, err, v.path(), ask[string](v, `document.body.innerText`))
		}
	}
}

// loaded waits until the page and its scripts are there. What a page shows can
// be seen before it listens.
func (v *visitor) loaded() {
	v.t.Helper()
	v.wait(`document.readyState === "complete"`)
}

// text returns the text of the first element that a selector matches.
func (v *visitor) text(selector string) string {
	v.t.Helper()
	return strings.TrimSpace(ask[string](v, fmt.Sprintf(`(document.querySelector(%q)?.innerText ?? "")`, selector)))
}

// waitText waits until an element that a selector matches holds a text.
func (v *visitor) waitText(selector, text string) {
	v.t.Helper()
	v.wait(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.innerText.includes(%q))`, selector, text))
}

// hush forgets what the status line has said, before an act whose answer is waited for.
func (v *visitor) hush() { v.t.Helper(); v.wait(`(window.saidSoFar = [])`) }

// said waits until the page's status line has said a text since the last key or
// click and since the last text that was waited for, whatever it says by now.
func (v *visitor) said(text string) {
	v.t.Helper()
	v.wait(fmt.Sprintf(`(() => { const at = window.saidSoFar.findIndex((s) => s.includes(%q)); window.saidSoFar.splice(0, at + 1); return at >= 0; })()`, text))
}

// find returns the node with a role and an accessible name; a name that ends in
// "…" stands for all that begin so. It waits until there is one.
func (v *visitor) find(role, name string) cdp.BackendNodeID {
	v.t.Helper()
	prefix, open := strings.CutSuffix(name, "…")
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		root, err := chromedp.Run(v.ctx, chromedp.Evaluate[*cdpruntime.RemoteObject](`document`))
		if err == nil {
			query := accessibility.QueryAXTreeParams{ObjectID: root.ObjectID, Role: role}
			if !open {
				query.AccessibleName = name
			}
			var found accessibility.QueryAXTreeResult
			found, err = chromedp.Call(v.ctx, accessibility.QueryAXTree, query)
			for _, n := range found.Nodes {
				if n.Ignored || n.BackendDOMNodeID == 0 {
					continue
				}
				if open {
					var words string
					if n.Name == nil || json.Unmarshal(n.Name.Value, &words) != nil || !strings.HasPrefix(words, prefix) {
						continue
					}
				}
				return n.BackendDOMNodeID
			}
		}
		if time.Now().After(end) {
			v.screenshot("not-found")
			v.t.Fatalf("found no %s %q (%v)\nthe page at %s says:\n%.2000s", role, name, err, v.path(), ask[string](v, `document.body.innerText`))
		}
	}
}

// click clicks the middle of the element with a role and an accessible name. An
// element that live news replaces meanwhile is looked for again, and one that
// moved away from under the pointer is clicked again.
func (v *visitor) click(role, name string) {
	v.t.Helper()
	for end := time.Now().Add(patience); ; {
		v.loaded()
		v.hush()
		node := v.find(role, name)
		ctx, cancel := context.WithTimeout(v.ctx, patience)
		err := chromedp.Do(ctx, aimAt(node), clickNode(node))
		cancel()
		if err == nil && !v.missed() {
			return
		}
		if err == nil {
			err = errors.New("something else lies in front of it")
			_ = v.centre(node) // a later click tells whether that helped
		} else if !strings.Contains(err.Error(), "etached") && !strings.Contains(err.Error(), "not shown") {
			v.t.Fatalf("click %s: %v", name, err)
		}
		if time.Now().After(end) {
			v.screenshot("not-clicked")
			v.t.Fatalf("click %s: %v", name, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// aimAt marks the page until a click reaches a node; another page has no mark.
func aimAt(node cdp.BackendNodeID) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		found, err := cdp.Call(ctx, t, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, cdpruntime.CallFunctionOn, cdpruntime.CallFunctionOnParams{ObjectID: found.Object.ObjectID, FunctionDeclaration: `function () {
			document.documentElement.dataset.aimed = "";
			const hit = (e) => {
				if (!e.composedPath().includes(this)) return;
				delete document.documentElement.dataset.aimed;
				window.removeEventListener("click", hit, true);
			};
			window.addEventListener("click", hit, true);
		}`})
		return err
	})
}

// centre scrolls a node to the middle of the window, away from lines that stay
// at its edges, as a person does who sees it half hidden.
func (v *visitor) centre(node cdp.BackendNodeID) error {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	found, err := chromedp.Call(ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node})
	if err != nil {
		return err
	}
	_, err = chromedp.Call(ctx, cdpruntime.CallFunctionOn, cdpruntime.CallFunctionOnParams{ObjectID: found.Object.ObjectID,
		FunctionDeclaration: `function () { this.scrollIntoView({block: "center", behavior: "instant"}); }`})
	return err
}

// missed reports whether a click did not reach what it was aimed at.
func (v *visitor) missed() bool {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	missed, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`"aimed" in document.documentElement.dataset`))
	return err == nil && missed // a page that is being replaced was reached
}

func clickNode(node cdp.BackendNodeID) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: node}); err != nil {
			return err
		}
		// What still moves is aimed at when it stands.
		var q, was []float64
		for range 100 {
			quads, err := cdp.Call(ctx, t, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: node})
			if err != nil {
				return err
			}
			if len(quads.Quads) == 0 {
				return fmt.Errorf("it is not shown")
			}
			q = quads.Quads[0]
			if slices.Equal(q, was) {
				break
			}
			was = slices.Clone(q)
			if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))`, chromedp.EvalAwaitPromise)); err != nil {
				return err
			}
		}
		return chromedp.Do(ctx, chromedp.MouseClickXY((q[0]+q[4])/2, (q[1]+q[5])/2))
	})
}

// upload gives files to the file field that a selector matches.
func (v *visitor) upload(selector string, files ...string) {
	v.t.Helper()
	for i, file := range files { // the browser has another working directory
		whole, err := filepath.Abs(file)
		if err != nil {
			v.t.Fatal(err)
		}
		files[i] = whole
	}
	v.do("upload to "+selector, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		field, err := chromedp.Run(ctx, chromedp.Evaluate[*cdpruntime.RemoteObject](fmt.Sprintf(`document.querySelector(%q)`, selector)))
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, ObjectID: field.ObjectID})
		return err
	}))
}
