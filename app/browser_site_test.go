//go:build e2e

package app

import (
	"bufio"
	"bytes"
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

	"github.com/adjudge/adjudge/backend/store"
)

// site is a running server.
type site struct {
	t     testing.TB
	url   string // http://127.0.0.1:port, however else people reach it
	data  string
	verb  string // serve, or demo
	flags []string
	env   []string // beside the test's own

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
	return startSiteAt(t, "127.0.0.1:0", seed, flags...)
}

// startSiteAt is startSiteWith on an address of this machine.
func startSiteAt(t testing.TB, listen string, seed func(*store.Tx) error, flags ...string) *site {
	t.Helper()
	return startSiteIn(t, nil, listen, seed, flags...)
}

// startSiteIn is startSiteAt with variables of the environment.
func startSiteIn(t testing.TB, env []string, listen string, seed func(*store.Tx) error, flags ...string) *site {
	t.Helper()
	s := &site{t: t, data: t.TempDir(), verb: "serve", flags: flags, env: env}
	if seed != nil {
		db, err := store.Open(t.Context(), filepath.Join(s.data, "adjudge.db"), store.Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Update(t.Context(), seed), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	s.start(listen)
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

var welcomeLink = regexp.MustCompile(`(/(?:first-start|launch)\?token=\S+)`)

// start starts the server and reads what it says about itself.
func (s *site) start(listen string, wrapper ...string) {
	s.t.Helper()
	args := append([]string{binary(s.t), s.verb, "--data", s.data, "--listen", listen}, s.flags...)
	args = append(wrapper, args...)
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Env = append(os.Environ(), "ADJUDGE_DATA=", "ADJUDGE_SERVER=", "ADJUDGE_TOKEN=")
	s.cmd.Env = append(s.cmd.Env, s.env...)
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
	ready := make(chan struct{}, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			_, _ = fmt.Fprintln(s.output, lines.Text())
			if strings.Contains(lines.Text(), " listens on http") {
				ready <- struct{}{}
			}
		}
	}()
	go func(cmd *exec.Cmd, ended chan struct{}) {
		<-read
		_ = cmd.Wait()
		close(ended)
	}(s.cmd, s.ended)
	select {
	case <-ready: // and so has written where it is
	case <-s.ended:
		s.t.Fatalf("the server did not start:\n%s", s.output)
	case <-time.After(patience):
		s.t.Fatalf("the server did not say where it listens:\n%s", s.output)
	}
	at, err := readServer(s.data)
	if err != nil {
		s.t.Fatal(err)
	}
	s.url = at.URL
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
	waitUntil(s.t, what, done)
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
	cmd.Env = append(append(os.Environ(), "ADJUDGE_DATA=", "ADJUDGE_SERVER=", "ADJUDGE_TOKEN="), s.env...)
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
