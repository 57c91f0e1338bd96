//go:build e2e

package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/adjudge/adjudge/backend/store"
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

// patience is how long a visitor waits for something to show.
const patience = 20 * time.Second

// site is a running server.
type site struct {
	t     testing.TB
	url   string // http://127.0.0.1:port
	data  string
	verb  string // serve, or demo
	flags []string

	cmd    *exec.Cmd
	output *lockedBuffer
	ended  chan struct{}
}

// lockedBuffer collects what a process prints.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

// startSite starts `adjudge serve` with further flags on an empty data
// directory and waits until it answers.
func startSite(t testing.TB, flags ...string) *site {
	t.Helper()
	return startSiteWith(t, nil, flags...)
}

// startSiteWith is startSite on a database that seed has filled.
func startSiteWith(t testing.TB, seed func(*store.Tx) error, flags ...string) *site {
	t.Helper()
	s := &site{t: t, data: t.TempDir(), verb: "serve", flags: flags}
	if seed != nil {
		db, err := store.Open(t.Context(), filepath.Join(s.data, "adjudge.db"), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Update(t.Context(), seed), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	s.start("127.0.0.1:0")
	t.Cleanup(func() {
		s.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the server said:\n%s", s.output)
		}
	})
	return s
}

// startDemo starts `adjudge demo`, a server with the demo project.
func startDemo(t testing.TB) *site {
	t.Helper()
	data, err := os.MkdirTemp("", "adjudge-demo-*")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, data: data, verb: "demo"}
	s.start("127.0.0.1:0")
	t.Cleanup(func() {
		s.end(syscall.SIGTERM)
		// A runner outlives the server and may still write what it ended with.
		s.until("the data directory is removed", func() bool { return os.RemoveAll(data) == nil })
	})
	return s
}

// owner signs in whoever the demo belongs to.
func (s *site) owner() *visitor {
	s.t.Helper()
	v := s.visit()
	v.open(s.firstLink())
	return v
}

var (
	listensOn   = regexp.MustCompile(`listens on (http\S+)`)
	welcomeLink = regexp.MustCompile(`(/(?:first-start|launch)\?token=\S+)`)
)

// start starts the server and reads what it says about itself.
func (s *site) start(listen string, wrapper ...string) {
	s.t.Helper()
	args := append([]string{binary(s.t), s.verb, "--data", s.data, "--listen", listen}, s.flags...)
	args = append(wrapper, args...)
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Env = append(os.Environ(), "ADJUDGE_DATA=", "ADJUDGE_SERVER=", "ADJUDGE_TOKEN=")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a wrapper and the server end together
	s.output, s.ended = new(lockedBuffer), make(chan struct{})
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd.Stderr = s.output
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ready := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			_, _ = fmt.Fprintln(s.output, lines.Text())
			if m := listensOn.FindStringSubmatch(lines.Text()); m != nil {
				ready <- m[1]
			}
		}
	}()
	go func(cmd *exec.Cmd, ended chan struct{}) {
		<-read
		_ = cmd.Wait()
		close(ended)
	}(s.cmd, s.ended)
	select {
	case s.url = <-ready:
	case <-s.ended:
		s.t.Fatalf("the server did not start:\n%s", s.output)
	case <-time.After(patience):
		s.t.Fatalf("the server did not say where it listens:\n%s", s.output)
	}
	s.until("the server answers", func() bool {
		response, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// until waits for something that has no event to wait for.
func (s *site) until(what string, done func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// end sends the server a signal and waits until it is gone.
func (s *site) end(signal syscall.Signal) {
	s.t.Helper()
	select {
	case <-s.ended:
		return
	default:
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, signal)
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.ended
		s.t.Errorf("the server did not end on %v", signal)
	}
}

// restart starts the server again where it was.
func (s *site) restart() {
	s.t.Helper()
	u, _ := url.Parse(s.url)
	s.start(u.Host)
}

// run runs a command of the program against the site and returns its standard output.
func (s *site) run(args ...string) string {
	s.t.Helper()
	cmd := exec.Command(binary(s.t), append(args, "--data", s.data)...)
	cmd.Env = append(os.Environ(), "ADJUDGE_DATA=", "ADJUDGE_SERVER=", "ADJUDGE_TOKEN=")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("adjudge %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

// api sends a request to the API with the local credential, decodes the answer
// into out unless that is nil, and returns the status.
func (s *site) api(method, path string, body, out any) int {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.data, "credential.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var credential struct{ Token string }
	if err := json.Unmarshal(raw, &credential); err != nil {
		s.t.Fatal(err)
	}
	return s.apiAs(credential.Token, method, path, body, out)
}

// apiAs is api with another token.
func (s *site) apiAs(token, method, path string, body, out any) int {
	s.t.Helper()
	var send io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		send = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, s.url+"/api/v1"+path, send)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if out != nil && response.StatusCode < 300 {
		if err := json.Unmarshal(answer, out); err != nil {
			s.t.Fatalf("%s %s answered %s: %v", method, path, answer, err)
		}
	}
	if response.StatusCode >= 300 {
		s.t.Logf("%s %s answered %d %s", method, path, response.StatusCode, answer)
	}
	return response.StatusCode
}

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
		allocator, stop := chromedp.NewExecAllocator(context.Background(),
			chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-sync", true), chromedp.Flag("disable-extensions", true), chromedp.Flag("disable-dev-shm-usage", true),
			chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("force-device-scale-factor", "1"), chromedp.Flag("hide-scrollbars", true),
			// Several visitors at once: none of them is "in the background".
			chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-renderer-backgrounding", true),
			chromedp.Flag("disable-backgrounding-occluded-windows", true),
			chromedp.WindowSize(1440, 900))
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
	if err == nil {
		_, err = chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `document.addEventListener("securitypolicyviolation", (e) => console.error("policy violation", e.violatedDirective, e.blockedURI, e.sourceFile, e.lineNumber))`})
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
// element that live news replaces meanwhile is looked for again.
func (v *visitor) click(role, name string) {
	v.t.Helper()
	for end := time.Now().Add(patience); ; {
		node := v.find(role, name)
		ctx, cancel := context.WithTimeout(v.ctx, patience)
		err := chromedp.Do(ctx, clickNode(node))
		cancel()
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "etached") && !strings.Contains(err.Error(), "not shown") || time.Now().After(end) {
			v.t.Fatalf("click %s: %v", name, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func clickNode(node cdp.BackendNodeID) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: node}); err != nil {
			return err
		}
		quads, err := cdp.Call(ctx, t, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: node})
		if err != nil {
			return err
		}
		if len(quads.Quads) == 0 {
			return fmt.Errorf("it is not shown")
		}
		q := quads.Quads[0]
		return chromedp.Do(ctx, chromedp.MouseClickXY((q[0]+q[4])/2, (q[1]+q[5])/2))
	})
}

// fill writes a text into the field with an accessible name.
func (v *visitor) fill(name, text string) {
	v.t.Helper()
	node := v.find("textbox", name)
	v.do("fill "+name, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, dom.Focus, dom.FocusParams{BackendNodeID: node}); err != nil {
			return err
		}
		if err := chromedp.Do(ctx, press("Control+a"), press("Delete")); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// press presses and releases keys, one after the other: "1", "a", "Enter",
// "Space", "ArrowDown", "Control+z", "Shift+Space", on a US keyboard.
func (v *visitor) press(keys ...string) {
	v.t.Helper()
	for _, key := range keys {
		v.do("press "+key, press(key))
	}
}

// typed presses a key as a certain keyboard sends it: what it prints and where it is.
func (v *visitor) typed(key, code string, modifiers int64) {
	v.t.Helper()
	v.do("type "+key, stroke(key, code, 0, modifiers))
}

func press(combo string) chromedp.Action[chromedp.Void] {
	var modifiers int64
	for {
		name, rest, found := strings.Cut(combo, "+")
		if !found || rest == "" {
			break
		}
		modifiers |= map[string]int64{"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}[name]
		combo = rest
	}
	named := map[string]struct {
		key  string
		code int64
	}{"Enter": {"Enter", 13}, "Space": {" ", 32}, "Tab": {"Tab", 9}, "Escape": {"Escape", 27}, "Delete": {"Delete", 46}, "Backspace": {"Backspace", 8},
		"ArrowLeft": {"ArrowLeft", 37}, "ArrowUp": {"ArrowUp", 38}, "ArrowRight": {"ArrowRight", 39}, "ArrowDown": {"ArrowDown", 40},
		"Home": {"Home", 36}, "End": {"End", 35}, "PageDown": {"PageDown", 34}, "F1": {"F1", 112}}
	if k, ok := named[combo]; ok {
		return stroke(k.key, combo, k.code, modifiers)
	}
	c := combo[0]
	switch {
	case c >= '0' && c <= '9':
		return stroke(combo, "Digit"+combo, int64(c), modifiers)
	case c >= 'a' && c <= 'z':
		return stroke(combo, "Key"+strings.ToUpper(combo), int64(c-32), modifiers)
	case c == '/':
		return stroke("/", "Slash", 191, modifiers)
	case c == '?':
		return stroke("?", "Slash", 191, modifiers|8)
	}
	return stroke(combo, "", 0, modifiers)
}

// stroke is one key down and up.
func stroke(key, code string, windows, modifiers int64) chromedp.Action[chromedp.Void] {
	down := input.DispatchKeyEventParams{Type: "rawKeyDown", Key: key, Code: code, Modifiers: modifiers, WindowsVirtualKeyCode: windows, NativeVirtualKeyCode: windows}
	if modifiers&^8 == 0 {
		switch {
		case key == "Enter":
			down.Type, down.Text = "keyDown", "\r"
		case len([]rune(key)) == 1:
			down.Type, down.Text = "keyDown", key
		}
	}
	if key == "a" && modifiers == 2 {
		down.Commands = []string{"selectAll"}
	}
	up := input.DispatchKeyEventParams{Type: "keyUp", Key: key, Code: code, Modifiers: modifiers, WindowsVirtualKeyCode: windows, NativeVirtualKeyCode: windows}
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, down); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, up)
		return err
	})
}

// upload gives files to the file field that a selector matches.
func (v *visitor) upload(selector string, files ...string) {
	v.t.Helper()
	v.do("upload to "+selector, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		field, err := chromedp.Run(ctx, chromedp.Evaluate[*cdpruntime.RemoteObject](fmt.Sprintf(`document.querySelector(%q)`, selector)))
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, ObjectID: field.ObjectID})
		return err
	}))
}

// size sets the size of the window.
func (v *visitor) size(width, height int64) {
	v.t.Helper()
	v.do("resize", chromedp.EmulateViewport(width, height))
}

// theme sets the preferred colour scheme, "light" or "dark".
func (v *visitor) theme(scheme string) {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		// Without motion, so that no picture is taken in the middle of one.
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}); err != nil {
		v.t.Fatal(err)
	}
}

// network makes the network slow or takes it away; (0, false) is normal.
func (v *visitor) network(latency time.Duration, offline bool) {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: float64(latency.Milliseconds()), DownloadThroughput: -1, UploadThroughput: -1, Offline: offline}}}); err != nil {
		v.t.Fatal(err)
	}
}

// screenshot writes what is seen to <name>.png in the folder that
// ADJUDGE_TEST_SHOTS names; without it nothing is written.
func (v *visitor) screenshot(name string) {
	v.t.Helper()
	folder := os.Getenv("ADJUDGE_TEST_SHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err != nil {
		v.t.Logf("screenshot: %v", err)
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), shot.Data, 0o600); err != nil {
		v.t.Log(err)
	}
}

// looks takes screenshots of the page at three widths in both themes.
func (v *visitor) looks(name string) {
	v.t.Helper()
	if os.Getenv("ADJUDGE_TEST_SHOTS") == "" {
		return
	}
	for _, width := range []int64{1440, 1024, 390} {
		v.size(width, map[int64]int64{1440: 900, 1024: 768, 390: 844}[width])
		for _, scheme := range []string{"light", "dark"} {
			v.theme(scheme)
			v.screenshot(fmt.Sprintf("%s-%d-%s", name, width, scheme))
		}
	}
	v.size(1440, 900)
	v.theme("light")
}

// password is what everybody of the tests signs in with.
const password = "correct horse battery staple"

// firstLink returns the path of the link that makes the first admin or, in the
// demo, signs its owner in; the server prints it once it is ready.
func (s *site) firstLink() (path string) {
	s.t.Helper()
	s.until("the server prints the link of the first start", func() bool {
		if m := welcomeLink.FindStringSubmatch(s.output.String()); m != nil {
			path = m[1]
		}
		return path != ""
	})
	return path
}

// firstAdmin makes the first account by the link that the server printed.
func (s *site) firstAdmin(name string) *visitor {
	s.t.Helper()
	v := s.visit()
	v.open(s.firstLink())
	v.arrive(strings.ToLower(name), name)
	return v
}

// arrive fills the page behind a one-time link.
func (v *visitor) arrive(username, name string) {
	v.t.Helper()
	v.wait(`document.querySelector('input[name="password"]')`)
	for field, text := range map[string]string{"username": username, "name": name, "password": password, "repeat": password} {
		v.set(field, text)
	}
	v.submit()
}

// set writes a text into the field of a form by the field's name, if it is there.
func (v *visitor) set(field, text string) {
	v.t.Helper()
	ask[bool](v, fmt.Sprintf(`(() => { const f = document.querySelector('input[name=%q]:not([type="hidden"]):not([readonly])'); if (f) f.value = %q; return true; })()`, field, text))
}

// submit submits the form of the page and waits for the page that follows.
func (v *visitor) submit() {
	v.t.Helper()
	ask[bool](v, `(() => { document.documentElement.dataset.leaving = "1"; document.querySelector('main form button.primary, main form [type="submit"]').click(); return true; })()`)
	v.wait(`document.readyState === "complete" && !document.documentElement.dataset.leaving`)
}

// person makes an account with roles in a project.
func (s *site) person(username, project string, roles ...string) {
	s.t.Helper()
	if code := s.api(http.MethodPost, "/people", map[string]any{"username": username, "name": strings.ToUpper(username[:1]) + username[1:],
		"project": project, "roles": roles, "password": password}, nil); code >= 300 {
		s.t.Fatalf("make %s: %d", username, code)
	}
}

// signIn signs a person in.
func (s *site) signIn(username string) *visitor {
	s.t.Helper()
	v := s.visit()
	v.open("/sign-in")
	v.set("username", username)
	v.set("password", password)
	v.submit()
	return v
}
