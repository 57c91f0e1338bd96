package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/frontend/ui"
)

// What a desktop window needs and what does not depend on Wails stands in this
// file, so that every build compiles and tests it. desktop.go adds the window.

// windowState is what a window remembers from one start to the next. The port
// belongs to the data directory: browser storage is per origin, and answers
// that were not sent yet wait there.
type windowState struct {
	Port      int  `json:"port"`
	Width     int  `json:"width"`
	Height    int  `json:"height"`
	Maximised bool `json:"maximised"`
	// Zoom is how much larger than usual pages are shown, 1 being as usual.
	Zoom float64 `json:"zoom,omitempty"`
	// Noted is the server's version of which the person was told that it is
	// another than the window's.
	Noted string `json:"noted,omitempty"`
}

const windowFile = "window.json"

// windowLanguage returns the language of what the window itself says, in its
// menu and dialogs: the one that its person chose for the pages, else that of
// the system, whose variables outrank each other as POSIX has it.
func windowLanguage(chosen string, env func(name string) string) *ui.Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale := env(name); locale != "" { // de_DE.UTF-8@euro; C and POSIX are no language
			tag, _, _ := strings.Cut(locale, ".")
			tag, _, _ = strings.Cut(tag, "@")
			return ui.ChooseLanguage(chosen, strings.ReplaceAll(tag, "_", "-"))
		}
	}
	return ui.ChooseLanguage(chosen, "")
}

// menuColumn is one menu of the window's bar.
type menuColumn struct {
	Text    string
	Entries []menuEntry
}

// menuEntry is one line of a menu; one without an act separates those around it.
type menuEntry struct{ Act, Text string }

// windowMenu returns the window's menu in the language of ctx. What a webview has
// no key for by itself stands here; everything else that the product does is in
// its pages.
func windowMenu(ctx context.Context) []menuColumn {
	var bar []menuColumn
	for _, column := range [][]string{
		{"file", "server", "print", "", "quit"},
		{"search", "find", "next", "previous"},
		{"view", "back", "forward", "reload", "", "larger", "smaller", "usual", "", "full"},
		{"help", "new", "about"},
	} {
		menu := menuColumn{Text: ui.T(ctx, "menu."+column[0])}
		for _, act := range column[1:] {
			entry := menuEntry{Act: act}
			if act != "" {
				entry.Text = ui.T(ctx, "menu."+act)
			}
			menu.Entries = append(menu.Entries, entry)
		}
		bar = append(bar, menu)
	}
	return bar
}

// windowWords is a script that gives desktop.js its words, by the language of
// the page that it runs on.
func windowWords() (string, error) {
	words := map[string]map[string]string{}
	for _, l := range ui.Languages() {
		words[l.Tag] = map[string]string{}
		ctx := ui.In(context.Background(), l)
		for _, key := range []string{"find", "previous", "next", "close", "at", "none", "refused"} {
			words[l.Tag][key] = ui.T(ctx, "window.js."+key)
		}
	}
	text, err := json.Marshal(words)
	return "globalThis.adjudgeWords = " + string(text) + ";\n", err
}

// readWindowState returns what was remembered; a missing or damaged file is as
// good as a first start, because nothing in it is worth refusing to open.
func readWindowState(dir string) windowState {
	state := windowState{Width: 1280, Height: 860, Zoom: 1}
	text, err := os.ReadFile(filepath.Join(dir, windowFile))
	if err != nil {
		return state
	}
	var saved windowState
	if json.Unmarshal(text, &saved) != nil {
		return state
	}
	if saved.Port > 0 && saved.Port < 65536 {
		state.Port = saved.Port
	}
	if saved.Width >= 320 && saved.Height >= 240 {
		state.Width, state.Height = saved.Width, saved.Height
	}
	state.Maximised, state.Noted = saved.Maximised, saved.Noted
	if saved.Zoom >= zooms[0] && saved.Zoom <= zooms[len(zooms)-1] {
		state.Zoom = saved.Zoom
	}
	return state
}

// write replaces the file as a whole, so that a crash leaves the old or the new.
func (s windowState) write(dir string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, windowFile+"-")
	if err != nil {
		return err
	}
	_, err = temp.Write(append(text, '\n'))
	if err = errors.Join(err, temp.Close()); err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return os.Rename(temp.Name(), filepath.Join(dir, windowFile))
}

// zooms are the steps in which pages are enlarged, as browsers have them.
var zooms = []float64{0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3}

// nativeWindow is a window that shows what a doorway leads to.
type nativeWindow interface {
	web.Native
	// show opens the window and returns when it was closed.
	show(d *doorway) error
	// note remembers the version of the server that the window shows, and returns
	// the one of which the person was told before.
	note(version string) (before string)
}

func desktopCommand(newWindow func(dir string) nativeWindow) *cobra.Command {
	var database, start string
	cmd := &cobra.Command{
		Use:   "desktop",
		Short: "Open the desktop window (in desktop builds, which do so without any command as well)",
		Long: "Opens the desktop window, on this computer's own data or, with --server, on a team's server. What was\n" +
			"chosen is remembered; --server local comes back to this computer's data.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flag, _ := cmd.Flags().GetString("data")
			path, err := dataPath(flag)
			if err != nil {
				return err
			}
			server, _ := cmd.Flags().GetString("server")
			if server == "" {
				server = rememberedServer(path)
			}
			if server != "" && server != localServer {
				return openTeam(cmd, path, server, start, newWindow)
			}
			if err := rememberServer(path, ""); err != nil {
				return err
			}
			return openDesktop(cmd, path, database, start, newWindow)
		},
	}
	cmd.Flags().StringVar(&database, "database", os.Getenv("ADJUDGE_DATABASE"), "database: a path or postgres://… (default: $ADJUDGE_DATABASE, else adjudge.db in the data directory)")
	cmd.Flags().StringVar(&start, "open", "", "path of the page to open first, for example /projects/support/label")
	return cmd
}

// openDesktop takes the data directory, opens a window on it and serves it
// until the window is closed. Where another window has the directory, that one
// is raised instead. start is the path that the window opens first.
func openDesktop(cmd *cobra.Command, path, database, start string, newWindow func(dir string) nativeWindow) error {
	ctx := cmd.Context()
	data, err := openData(path)
	if errors.Is(err, errOwned) {
		return raise(cmd, path, err)
	}
	if err != nil {
		return err
	}
	w := newWindow(path)
	look, err := newNews(os.Getenv("ADJUDGE_NEWS"), nil)
	if err != nil {
		return errors.Join(err, data.close())
	}
	set := settings{Data: path, Database: database, Native: w, News: look, Owned: data, Log: windowLog(cmd)}
	var h *house
	d := &doorway{start: start, change: changeServer(path)}
	d.listen = func(port int) (net.Addr, error) {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, err
		}
		_, set.Port, _ = net.SplitHostPort(listener.Addr().String())
		if h, err = openHouse(ctx, set); err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		h.answer(listener, "", "")
		h.run(ctx)
		here, _ := h.addresses(listener, serveOptions{})
		return listener.Addr(), h.data.announce(here, h.identity.OpenLocal())
	}
	d.launch = func(ctx context.Context) (string, error) {
		owner, err := h.owner(ctx)
		if err != nil {
			return "", err
		}
		return h.identity.Launch(ctx, owner.ID)
	}
	d.language = func(ctx context.Context) string {
		if h == nil {
			return ""
		}
		owner, err := h.owner(ctx)
		if err != nil {
			return "" // the page says what is wrong
		}
		return owner.Language
	}
	err = w.show(d)
	if h == nil {
		return errors.Join(err, data.close())
	}
	return errors.Join(err, h.close())
}

func windowLog(cmd *cobra.Command) *slog.Logger {
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// raise brings the window that has the data directory to the front.
func raise(cmd *cobra.Command, dir string, owned error) error {
	raw, err := os.ReadFile(filepath.Join(dir, "credential.json"))
	var at credentialFile
	if err == nil {
		err = json.Unmarshal(raw, &at)
	}
	if err != nil {
		return owned // it is just starting or stopping: it left no way in yet
	}
	c := &client{base: at.Server, token: at.Token}
	err = c.post(cmd.Context(), "/desktop/raise", nil, nil)
	if fault.Is(err, fault.NotFound) {
		return fault.As(fault.Conflict, owned, "A server without a window runs on this data directory: open %s in a browser, or stop it first.", c.base)
	}
	if err != nil {
		return errors.Join(owned, err)
	}
	_, err = fmt.Fprintln(terminal(cmd), "Adjudge is open already; its window is in front now.")
	return err
}

// owner is the person whose machine this is: the first admin, made from the
// name under which they are signed in to the system where there is none yet.
func (h *house) owner(ctx context.Context) (identity.Person, error) {
	username, name := "owner", "Owner"
	if me, err := user.Current(); err == nil {
		// Windows says DOMAIN\name.
		// And root is nobody's name.
		if login := me.Username[strings.LastIndexByte(me.Username, '\\')+1:]; login != "" && me.Uid != "0" && !strings.ContainsAny(login, " \t") {
			username, name = login, login
		}
		if full, _, _ := strings.Cut(me.Name, ","); strings.TrimSpace(full) != "" && me.Uid != "0" {
			name = strings.TrimSpace(full)
		}
	}
	return h.identity.Owner(ctx, username, name)
}

// doorway answers the window's own scheme with one page: the one that moves on
// to the server on loopback, signed in by a fresh one-time token. While there
// is no server, because its port is taken, the page asks what to do.
type doorway struct {
	// listen starts serving on a port of 127.0.0.1, 0 for any that is free.
	listen func(port int) (net.Addr, error)
	// launch returns the secret of a one-time sign-in link.
	launch func(context.Context) (string, error)
	// chosen is told the port that is served on.
	chosen func(port int)
	start  string // path to open first
	// change opens another window on a team's server, or on this computer's own
	// data for "local", after which this one may close. It returns what is wrong
	// with an address.
	change func(server string) error
	server string // the team's server that the window shows, "" for none
	// quit closes this window.
	quit func()
	// language returns the language that the person chose for the pages, "" for
	// none; nil where nobody could have chosen.
	language func(context.Context) string

	mu     sync.Mutex
	port   int // remembered, or served on
	addr   net.Addr
	last   error
	asking bool // the page asks for a server next time it is shown
}

// open begins to serve: on the remembered port, or on any at the first start.
func (d *doorway) open(port int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.addr != nil {
		return
	}
	if d.addr, d.last = d.listen(port); d.last == nil {
		d.port = d.addr.(*net.TCPAddr).Port
		d.chosen(d.port)
	}
}

// ServeHTTP shows the page. The asking one has two links, ?port=same and
// ?port=any: under the window's own scheme nothing but GET works everywhere.
func (d *doorway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" && r.URL.Path != "/index.html" {
		http.NotFound(w, r)
		return
	}
	switch r.URL.Query().Get("port") {
	case "any":
		d.open(0)
	case "same":
		d.open(d.port)
	}
	ctx := d.speak(r.Context())
	view, err := d.view(ctx)
	if query := r.URL.Query(); d.change != nil && query.Has("server") {
		view, err = doorwayView{Asking: true, Server: query.Get("server")}, nil
		if wrong := d.change(query.Get("server")); wrong != nil {
			view.Error = ui.Said(ctx, oneLine(wrong))
		} else {
			view.Moved = true
			defer d.quit()
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	view.Lang = ui.LanguageOf(ctx).Tag
	if err == nil {
		err = doorwayPage.Execute(w, view)
	}
	if err != nil {
		http.Error(w, ui.T(ctx, "window.unopened", "error", ui.Said(ctx, err.Error())), http.StatusInternalServerError)
	}
}

// speak gives a context the language of the window itself.
func (d *doorway) speak(ctx context.Context) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	chosen := ""
	if d.language != nil {
		chosen = d.language(ctx)
	}
	return ui.In(ctx, windowLanguage(chosen, os.Getenv))
}

type doorwayView struct {
	Lang       string
	URL, Error string
	Port       int
	// Asking shows the form for a server's address, Server being what was typed;
	// Moved says that another window opens.
	Asking, Moved bool
	Server        string
}

// T is for the template: a text of the doorway in its language.
func (v doorwayView) T(key string) string {
	ctx := ui.In(context.Background(), ui.ChooseLanguage(v.Lang, ""))
	return ui.T(ctx, "doorway."+key, "port", strconv.Itoa(v.Port))
}

func (d *doorway) view(ctx context.Context) (doorwayView, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.asking {
		d.asking = false
		return doorwayView{Asking: true}, nil
	}
	if d.addr == nil {
		view := doorwayView{Port: d.port}
		if d.last != nil {
			view.Error = ui.Said(ctx, d.last.Error())
		}
		return view, nil
	}
	token, err := d.launch(ctx)
	if err != nil {
		return doorwayView{}, err
	}
	query := url.Values{"token": {token}}
	if d.start != "" {
		query.Set("next", d.start)
	}
	return doorwayView{URL: fmt.Sprintf("http://127.0.0.1:%d/launch?%s", d.port, query.Encode())}, nil
}

// It has the script that no page of the server has, because it is served by
// the window itself and holds nothing that a user wrote.
var doorwayPage = template.Must(template.New("doorway").Parse(`<!doctype html>
<html lang="{{.Lang}}">
<meta charset="utf-8">
<title>Adjudge</title>
<style>
  :root { color-scheme: light dark; font: 14px/20px system-ui, sans-serif }
  body { max-width: 34rem; margin: 20vh auto; padding: 0 24px }
  h1 { font-size: 20px; line-height: 28px }
  a { display: inline-block; margin: 8px 8px 0 0; padding: 8px 16px; border: 1px solid; border-radius: 6px; text-decoration: none }
  input { font: inherit; inline-size: 100%; box-sizing: border-box; padding: 8px }
  button { font: inherit; padding: 8px 16px; border: 1px solid; border-radius: 6px }
  :focus-visible { outline: 3px solid Highlight; outline-offset: 2px }
  code { overflow-wrap: anywhere }
</style>
{{if .Moved}}<p role="status">{{.T "moved"}}</p>
{{else if .Asking}}<h1>{{.T "where"}}</h1>
<form method="get" action="/">
<p><label for="server">{{.T "address"}}</label></p>
<p><input id="server" name="server" value="{{.Server}}" placeholder="https://adjudge.example.org" autofocus required spellcheck="false" autocomplete="url"{{if .Error}} aria-invalid="true" aria-describedby="wrong"{{end}}></p>
{{if .Error}}<p id="wrong" role="alert">{{.Error}}</p>{{end}}
<p><button>{{.T "open"}}</button></p>
</form>
<p>{{.T "remembers"}}</p>
<p><a href="/?server=local">{{.T "alone"}}</a> <a href="/">{{.T "back"}}</a></p>
{{else if .URL}}<p>{{.T "opening"}}</p>
<script>location.replace({{.URL}})</script>
{{else}}<h1>{{.T "taken"}}</h1>
<p>{{.T "taken.text"}}</p>
<p><a href="/?port=same">{{.T "again"}}</a> <a href="/?port=any">{{.T "other"}}</a></p>
<p><code>{{.Error}}</code></p>
{{end}}</html>
`))

// chosenFile is a file that a person chose in a save dialog: written beside
// its place and moved there at the end, so that a broken export leaves what
// stood there before.
type chosenFile struct {
	*os.File
	path string
}

func createChosen(path string) (*chosenFile, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return nil, err
	}
	return &chosenFile{temp, path}, nil
}

// Path is where the file stands after Close.
func (f *chosenFile) Path() string { return f.path }

// Close puts the file in its place.
func (f *chosenFile) Close() error {
	// What CreateTemp makes is private; what a person saves is as open as
	// whatever else they save there.
	mode := fs.FileMode(0o644)
	if old, err := os.Stat(f.path); err == nil {
		mode = old.Mode().Perm()
	}
	if err := errors.Join(f.File.Chmod(mode), f.File.Close()); err != nil {
		return errors.Join(err, os.Remove(f.File.Name()))
	}
	return os.Rename(f.File.Name(), f.path)
}

// Abort removes what was written.
func (f *chosenFile) Abort() {
	_ = f.File.Close()
	_ = os.Remove(f.File.Name())
}
