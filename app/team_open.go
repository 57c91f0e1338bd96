package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/frontend/ui"
)

// localServer is the address that stands for this computer's own data.
const localServer = "local"

// A desktop window remembers in this file of the data directory which server it
// shows.
const desktopFile = "desktop.json"

type desktopChoice struct {
	Server string `json:"server"`
}

// rememberedServer returns the server that a window showed last, "" for none.
func rememberedServer(dir string) string {
	var choice desktopChoice
	text, err := os.ReadFile(filepath.Join(dir, desktopFile))
	if err != nil || json.Unmarshal(text, &choice) != nil {
		return ""
	}
	return choice.Server
}

// rememberServer keeps the choice; "" is this computer's own data.
func rememberServer(dir, server string) error {
	if rememberedServer(dir) == server {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.As(fault.Unavailable, err, "The data directory %s cannot be made", dir)
	}
	text, err := json.Marshal(desktopChoice{Server: server})
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, desktopFile), text)
}

// teamDir is where the window keeps what belongs to one server: its port and
// with it what the browser stored, its size, and the sign-in.
func teamDir(dir string, target *url.URL) string {
	name := strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, target.Host)
	sum := sha256.Sum256([]byte(target.String()))
	return filepath.Join(dir, "servers", fmt.Sprintf("%s-%x", name, sum[:4]))
}

// openTeam opens a window on a team's server and passes its requests on until
// it is closed. Another window on the same server is raised instead.
func openTeam(cmd *cobra.Command, dir, server, start string, newWindow func(dir string) nativeWindow) error {
	target, err := teamAddress(server)
	if err != nil {
		return err
	}
	own := teamDir(dir, target)
	data, err := openData(own)
	if errors.Is(err, errOwned) {
		return raise(cmd, own, err)
	}
	if err != nil {
		return err
	}
	logins, err := openLogins(data.file("login.json"))
	if err != nil {
		return errors.Join(fault.As(fault.Unavailable, err, "The sign-in kept in %s cannot be read", own), data.close())
	}
	w := newWindow(own)
	t := newTeam(target, data.id, logins, w, nil, windowLog(cmd))
	t.met = func(version string) string {
		if err := rememberServer(dir, target.String()); err != nil {
			t.log.Error("the server is not remembered", "error", err)
		}
		return w.note(version)
	}
	var served *http.Server
	d := &doorway{start: start, launch: t.link, change: changeServer(dir), server: target.String()}
	d.language = func(context.Context) string { return logins.value("adjudge_language_") }
	d.listen = func(port int) (net.Addr, error) {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, err
		}
		t.host = listener.Addr().String()
		served = &http.Server{Handler: t, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(cmd.Context()) }}
		go func() { _ = served.Serve(listener) }() // ends by Close
		return listener.Addr(), data.announce("http://"+t.host, t.raise)
	}
	err = w.show(d)
	if served != nil {
		err = errors.Join(err, served.Close())
	}
	return errors.Join(err, data.close())
}

// changeServer starts this program once more, on another server.
func changeServer(dir string) func(server string) error {
	return func(server string) error {
		if server != localServer {
			target, err := teamAddress(server)
			if err != nil {
				return err
			}
			server = target.String()
		}
		program, err := os.Executable()
		if err != nil {
			return err
		}
		next := exec.Command(program, "desktop", "--data", dir, "--server", server)
		next.Stdout, next.Stderr = os.Stdout, os.Stderr
		return next.Start() // it outlives this one
	}
}

// probeTime is how long a server may take to say who it is.
const probeTime = 10 * time.Second

var errNoAdjudge = errors.New("what answers there is not Adjudge")

// probe asks the server for its version; "" is one from before it could say.
func (t *team) probe(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	ask := func(path string) (int, []byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.target.JoinPath(path).String(), nil)
		if err != nil {
			return 0, nil, err
		}
		request.Header.Set("Accept", "application/json")
		answer, err := t.proxy.Transport.RoundTrip(request) // a redirect is no answer of ours
		if err != nil {
			return 0, nil, err
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
		return answer.StatusCode, body, err
	}
	code, body, err := ask("/api/v1/version")
	if err != nil {
		return "", err
	}
	var said struct{ Name, Version string }
	if code == http.StatusOK && json.Unmarshal(body, &said) == nil && said.Name == "adjudge" {
		return said.Version, nil
	}
	if code >= http.StatusBadGateway && code <= http.StatusGatewayTimeout {
		return "", errGateway
	}
	if code, body, err = ask("/healthz"); err == nil && code == http.StatusOK && string(body) == "ok\n" {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return "", errNoAdjudge
}

// welcome is the first page of a window on a team's server: it goes on by
// itself unless there is something to say.
func (t *team) welcome(w http.ResponseWriter, r *http.Request) {
	next := t.path(r.URL.Query().Get("next"))
	ctx := t.speaking(r)
	there, err := t.probe(ctx)
	if errors.Is(err, errNoAdjudge) {
		t.pages.show(w, http.StatusBadGateway, teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "team.none", "server", t.pages.server), Text: ui.T(ctx, "team.none.text")})
		return
	}
	if err != nil {
		t.pages.show(w, http.StatusBadGateway, t.pages.explain(ctx, err))
		return
	}
	if noted := t.met(there); noted != there {
		if page := compareVersions(ctx, t.pages.server, there, version()); page.Title != "" {
			page.Go = next
			t.pages.show(w, http.StatusOK, page)
			return
		}
	}
	t.pages.moveOn(w, next)
}

// compareVersions says what works where server and window are of different
// versions; an empty page where there is nothing to say.
func compareVersions(ctx context.Context, server, there, here string) teamPage {
	theirs, known := releaseOf(there)
	ours, released := releaseOf(here)
	page := teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "team.older", "server", server)}
	if there != "" {
		page.Detail = ui.T(ctx, "team.versions", "server", there, "window", here)
	}
	switch {
	case there == "":
		page.Text = ui.T(ctx, "team.ancient.text")
	case !known || !released || theirs == ours:
		return teamPage{}
	case newerRelease(theirs, ours):
		page.Title, page.Text = ui.T(ctx, "team.newer", "server", server), ui.T(ctx, "team.newer.text")
	default:
		page.Text = ui.T(ctx, "team.older.text")
	}
	return page
}

// releaseOf reads major and minor of a version such as v1.4.2-3-gabc; another
// patch changes nothing between window and server.
func releaseOf(text string) (release [2]int, ok bool) {
	parts := strings.SplitN(strings.TrimPrefix(text, "v"), ".", 3)
	if len(parts) < 2 {
		return release, false
	}
	for i := range release {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return release, false
		}
		release[i] = n
	}
	return release, true
}

func newerRelease(a, b [2]int) bool {
	return a[0] > b[0] || a[0] == b[0] && a[1] > b[1]
}
