//go:build e2e

package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/adjudge/adjudge/labeling"
)

// answerItem sends the answer to item n over a client's own connection and
// returns the status, 0 where no answer came.
func answerItem(client *http.Client, url, token string, n int) int {
	body, err := json.Marshal(map[string]any{"item": fmt.Sprintf("0190bbbb-0000-7000-8000-%012d", n), "class": answerClass(n), "seen_ms": 1000})
	if err != nil {
		return -1
	}
	request, err := http.NewRequest(http.MethodPut, url+"/api/v1/projects/news/annotations/"+annotationID(n), bytes.NewReader(body))
	if err != nil {
		return -1
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0
	}
	return response.StatusCode
}

// annotationID is the id under which the answer to item n is sent.
func annotationID(n int) string { return fmt.Sprintf("0190dddd-0000-7000-8000-%012d", n) }

func answerClass(n int) labeling.ClassID {
	return labeling.ClassID(strings.ToLower(labelClasses[n%len(labelClasses)]))
}

// token is the credential of commands on this machine.
func (s *site) token() string {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.data, "credential.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var credential struct{ Token string }
	if err := json.Unmarshal(raw, &credential); err != nil {
		s.t.Fatal(err)
	}
	return credential.Token
}

func TestKillingTheServerDuringAThousandAnswersLosesNoneAndDoublesNone(t *testing.T) {
	t.Parallel()
	const answers, people = 1000, 20
	s := startSiteWith(t, seedItems(answers, nil))
	acknowledged := make([]atomic.Bool, answers+1)
	// send sends every answer once, from many people at once, until the server is gone.
	send := func(token string, taken func()) {
		var next atomic.Int64
		var group sync.WaitGroup
		for range people {
			group.Go(func() {
				client := &http.Client{Transport: &http.Transport{}}
				defer client.CloseIdleConnections()
				for n := int(next.Add(1)); n <= answers; n = int(next.Add(1)) {
					switch code := answerItem(client, s.url, token, n); code {
					case http.StatusOK:
						acknowledged[n].Store(true)
						taken()
					case 0: // the server is gone
						return
					default:
						t.Errorf("answer %d got %d", n, code)
					}
				}
			})
		}
		group.Wait()
	}
	var taken atomic.Int64
	deadline := 200 + rand.Int64N(600)
	send(s.token(), func() {
		if taken.Add(1) == deadline {
			_ = s.cmd.Process.Signal(syscall.SIGKILL)
		}
	})
	<-s.ended
	before := s.annotations(t)
	lost, kept := 0, 0
	for n := 1; n <= answers; n++ {
		a, stored := before[fmt.Sprint(n)]
		if acknowledged[n].Load() {
			kept++
			if !stored || a.Class != answerClass(n) {
				lost++
			}
		}
	}
	t.Logf("killed after %d: %d acknowledged, %d stored", deadline, kept, len(before))
	if lost > 0 || kept < 200 {
		t.Fatalf("%d of %d acknowledged answers are lost", lost, kept)
	}
	// The outboxes come back and send everything again.
	s.restart()
	send(s.token(), func() {})
	after := s.annotations(t)
	if len(after) != answers {
		t.Errorf("%d annotations, want %d", len(after), answers)
	}
	s.end(syscall.SIGTERM)
	if n := s.submitted(t); n != answers {
		t.Errorf("%d events for %d answers", n, answers)
	}
	if out, err := exec.Command(binary(t), "doctor", "--data", s.data).CombinedOutput(); err != nil {
		t.Errorf("doctor: %v\n%s", err, out)
	}
}

func TestAnAnswerIsAcknowledgedAfterItsFlush(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed; durability is not counted here")
	}
	const answers = 40
	s := startSiteWith(t, seedItems(2*answers, nil))
	s.end(syscall.SIGTERM)
	trace := filepath.Join(t.TempDir(), "trace")
	s.start("127.0.0.1:0", "strace", "-f", "-qq", "-o", trace, "-e", "trace=fsync,fdatasync")
	flushes := func() int {
		text, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "sync(")
	}
	token := s.token()
	client := &http.Client{}
	before := flushes()
	for n := 1; n <= answers; n++ {
		was := flushes()
		if code := answerItem(client, s.url, token, n); code != http.StatusOK {
			t.Fatalf("answer %d got %d", n, code)
		}
		// strace writes a line when the call returns, so it stands there before the answer can.
		if flushes() <= was {
			t.Errorf("answer %d was acknowledged without a flush", n)
		}
	}
	alone := flushes() - before
	before = flushes()
	var group sync.WaitGroup
	for n := answers + 1; n <= 2*answers; n++ {
		group.Go(func() {
			if code := answerItem(client, s.url, token, n); code != http.StatusOK {
				t.Errorf("answer %d got %d", n, code)
			}
		})
	}
	group.Wait()
	together := flushes() - before
	t.Logf("%d answers one after the other: %d flushes; %d at once: %d flushes", answers, alone, answers, together)
	if together == 0 || together >= alone {
		t.Errorf("answers given at once do not share flushes: %d against %d", together, alone)
	}
}
