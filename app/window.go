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
}

const windowFile = "window.json"

// readWindowState returns what was remembered; a missing or damaged file is as
// good as a first start, because nothing in it is worth refusing to open.
func readWindowState(dir string) windowState {
	state := windowState{Width: 1280, Height: 860}
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
	state.Maximised = saved.Maximised
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

// nativeWindow is a window that shows what a doorway leads to.
type nativeWindow interface {
	web.Native
	// show opens the window and returns when it was closed.
	show(d *doorway) error
}

func desktopCommand(newWindow func(dir string) nativeWindow) *cobra.Command {
	var database, start string
	cmd := &cobra.Command{
		Use:   "desktop",
		Short: "Open the desktop window (in desktop builds, which do so without any command as well)",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return openDesktop(cmd, database, start, newWindow) },
	}
	cmd.Flags().StringVar(&database, "database", os.Getenv("ADJUDGE_DATABASE"), "database: a path or postgres://… (default: $ADJUDGE_DATABASE, else adjudge.db in the data directory)")
	cmd.Flags().StringVar(&start, "open", "", "path of the page to open first, for example /projects/support/label")
	return cmd
}

// openDesktop takes the data directory, opens a window on it and serves it
// until the window is closed. Where another window has the directory, that one
// is raised instead. start is the path that the window opens first.
func openDesktop(cmd *cobra.Command, database, start string, newWindow func(dir string) nativeWindow) error {
	ctx := cmd.Context()
	flag, err := cmd.Flags().GetString("data")
	if err != nil {
		return err
	}
	path, err := dataPath(flag)
	if err != nil {
		return err
	}
	data, err := openData(path)
	if errors.Is(err, errOwned) {
		return raise(cmd, err)
	}
	if err != nil {
		return err
	}
	w := newWindow(path)
	set := settings{Data: path, Database: database, Native: w, Owned: data, Log: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
	var h *house
	d := &doorway{start: start}
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
	err = w.show(d)
	if h == nil {
		return errors.Join(err, data.close())
	}
	return errors.Join(err, h.close())
}

// raise brings the window that has the data directory to the front.
func raise(cmd *cobra.Command, owned error) error {
	c, err := connect(cmd)
	if err != nil {
		return owned // it is just starting or stopping: it left no way in yet
	}
	err = c.post(cmd.Context(), "/desktop/raise", nil, nil)
	if fault.Is(err, fault.NotFound) {
		return fault.As(fault.Conflict, owned, "A server without a window runs on this data directory: open %s in a browser, or stop it first.", c.base)
	}
	if err != nil {
		return errors.Join(owned, err)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), "Adjudge is open already; its window is in front now.")
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

	mu   sync.Mutex
	port int // remembered, or served on
	addr net.Addr
	last error
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
	view, err := d.view(r.Context())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err == nil {
		err = doorwayPage.Execute(w, view)
	}
	if err != nil {
		http.Error(w, "The window could not be opened: "+err.Error(), http.StatusInternalServerError)
	}
}

type doorwayView struct {
	URL, Error string
	Port       int
}

func (d *doorway) view(ctx context.Context) (doorwayView, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.addr == nil {
		view := doorwayView{Port: d.port}
		if d.last != nil {
			view.Error = d.last.Error()
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
<html lang="en">
<meta charset="utf-8">
<title>Adjudge</title>
<style>
  :root { color-scheme: light dark; font: 14px/20px system-ui, sans-serif }
  body { max-width: 34rem; margin: 20vh auto; padding: 0 24px }
  h1 { font-size: 20px; line-height: 28px }
  a { display: inline-block; margin: 8px 8px 0 0; padding: 8px 16px; border: 1px solid; border-radius: 6px; text-decoration: none }
  a:focus-visible { outline: 3px solid Highlight; outline-offset: 2px }
  code { overflow-wrap: anywhere }
</style>
{{if .URL}}<p>Opening…</p>
<script>location.replace({{.URL}})</script>
{{else}}<h1>Another program has taken this window's port</h1>
<p>Adjudge keeps port {{.Port}} for this data directory, because answers that were not sent yet are stored under it.
   Close the other program and try again. If all your answers were sent, you can as well take another port.</p>
<p><a href="/?port=same">Try again</a> <a href="/?port=any">Take another port</a></p>
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
