// Package enginetest is the suite that every engine must pass: it plays the
// server, places attempts whose trainers are shell scripts, and kills what it
// likes at bad moments.
package enginetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
)

// Subject is an engine under test.
type Subject struct {
	Engine training.Engine
	// Announce makes runners find the server at an address; empty: nowhere.
	Announce func(address string)
}

// Server plays the server towards runners.
type Server struct {
	t    testing.TB
	http *httptest.Server

	mu       sync.Mutex
	attempts map[int64]*Attempt
}

// Attempt is what the server knows of an attempt.
type Attempt struct {
	Spec     training.Spec
	Log      []byte
	Metrics  []byte
	Outputs  map[string][]byte
	Beats    []training.Beat
	Finish   *training.Finish
	Stop     *training.Stop
	Stale    bool // every write is refused
	Forgets  int  // bytes of the log that are forgotten, once
	Input    string
	finished chan struct{}
}

// NewServer starts a server that knows no attempt.
func NewServer(t testing.TB) *Server {
	s := &Server{t: t, attempts: map[int64]*Attempt{}}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	return s
}

// Add makes an attempt known whose trainer is a shell script.
func (s *Server) Add(fence int64, script string, outputs ...string) *Attempt {
	a := &Attempt{Outputs: map[string][]byte{}, finished: make(chan struct{}), Input: `{"key":"a","text":"b","answer":"c"}` + "\n"}
	a.Spec = training.Spec{
		Job:     training.JobFile{Version: 1, JobID: training.JobID(fmt.Sprintf("job-%d", fence)), Attempt: 1, Fence: fence, Kind: training.KindTrain, Seed: 7},
		Params:  json.RawMessage(`{"epochs":3}`),
		Command: []string{"/bin/sh", "-c", script}, Outputs: outputs,
		Inputs: []training.Input{{Name: "train", Dataset: json.RawMessage(`{"rows":1}`), Files: []string{"part-0.jsonl"}}},
		GraceS: 1, BeatS: 0.1,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[fence] = a
	return a
}

// with calls f with the attempt under the server's lock.
func (s *Server) with(a *Attempt, f func(*Attempt)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(a)
}

// ServeHTTP implements the attempt protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, _ := strings.CutPrefix(r.URL.Path, "/api/v1/attempts/")
	number, rest, _ := strings.Cut(rest, "/")
	fence, _ := strconv.ParseInt(number, 10, 64)
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.attempts[fence]
	if a == nil || r.Header.Get("Authorization") != fmt.Sprintf("Bearer token-%d", fence) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if a.Stale || a.Finish != nil {
		w.WriteHeader(http.StatusConflict)
		return
	}
	answer := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	what, rest, _ := strings.Cut(rest, "/")
	switch what {
	case "start":
		answer(200, a.Spec)
	case "input":
		_, _ = io.WriteString(w, a.Input)
	case "heartbeat":
		var b training.Beat
		_ = json.Unmarshal(body, &b)
		a.Beats = append(a.Beats, b)
		answer(200, training.Answer{Next: int64(len(a.Log)), BeatS: 0.1, Stop: a.Stop})
	case "log", "metrics":
		stream := &a.Log
		if what == "metrics" {
			stream = &a.Metrics
		}
		if what == "log" && a.Forgets > 0 && len(a.Log) >= a.Forgets {
			a.Log, a.Forgets = a.Log[:len(a.Log)-a.Forgets], 0
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Content-Range"), "bytes "), "-")
		if first != strconv.Itoa(len(*stream)) {
			w.Header().Set("Range", fmt.Sprintf("0-%d", len(*stream)))
			answer(http.StatusRequestedRangeNotSatisfiable, nil)
			return
		}
		*stream = append(*stream, body...)
		answer(http.StatusAccepted, training.Answer{Next: int64(len(*stream)), Stop: a.Stop})
	case "output":
		a.Outputs[rest] = body
		answer(200, training.OutputFile{Path: rest, Size: int64(len(body)), Digest: ledger.DigestFrom(sha256.Sum256(body))})
	case "finish":
		var f training.Finish
		_ = json.Unmarshal(body, &f)
		a.Finish = &f
		close(a.finished)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// Wait returns the last word of an attempt's runner.
func (s *Server) Wait(a *Attempt) training.Finish {
	s.t.Helper()
	select {
	case <-a.finished:
	case <-time.After(time.Minute):
		s.with(a, func(a *Attempt) { s.t.Fatalf("the attempt does not finish; its log:\n%s", a.Log) })
	}
	return *a.Finish
}

// until waits for something to be true.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// gone reports whether a process does not live.
func gone(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	return len(fields) == 0 || fields[0] == "Z" || fields[0] == "X"
}

// slay ends a process of which nobody is told.
func slay(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// pidIn reads a process id that a script wrote.
func pidIn(t testing.TB, path string) int {
	t.Helper()
	var pid int
	until(t, path+" names a process", func() bool {
		raw, err := os.ReadFile(path)
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(raw)))
		return err == nil && pid > 1
	})
	return pid
}

// bench is one engine with a server of its own.
type bench struct {
	*Server
	Subject
	t *testing.T
}

func (b *bench) place(fence int64) training.Handle {
	b.t.Helper()
	id, err := b.Engine.Place(b.t.Context(), training.Placement{Fence: fence, Job: "job", Attempt: 1, Token: fmt.Sprintf("token-%d", fence)})
	if err != nil {
		b.t.Fatal(err)
	}
	return training.Handle{Fence: fence, ExtID: id}
}

func (b *bench) vital(h training.Handle) training.Vital {
	b.t.Helper()
	vitals, err := b.Engine.Describe(b.t.Context(), []training.Handle{h})
	if err != nil {
		b.t.Fatal(err)
	}
	return vitals[0]
}

func (b *bench) clear(h training.Handle) {
	b.t.Helper()
	if err := b.Engine.Clear(b.t.Context(), h); err != nil {
		b.t.Error(err)
	}
}

// running waits until the trainer runs and returns where.
func (b *bench) running(a *Attempt) training.Host {
	b.t.Helper()
	var host training.Host
	until(b.t, "the trainer runs", func() bool {
		found := false
		b.with(a, func(a *Attempt) {
			for _, beat := range a.Beats {
				if beat.Phase == training.PhaseRunning && beat.Host != nil {
					host, found = *beat.Host, true
				}
			}
		})
		return found
	})
	return host
}

// Run puts an engine through the suite. open returns a fresh engine for each test.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for name, test := range map[string]func(t *testing.T, b *bench){
		"an attempt runs under the contract and is delivered whole":          delivered,
		"placing twice starts one runner":                                    placedTwice,
		"a stop is a file and a signal":                                      stoppedPolitely,
		"who ignores the signal is killed after the grace":                   stoppedHard,
		"a stop comes by heartbeat too":                                      stoppedByAnswer,
		"a grandchild in a session of its own dies with the attempt":         grandchild,
		"clearing kills everything at once":                                  cleared,
		"a killed runner is gone, and so is its trainer":                     runnerKilled,
		"a killed trainer is reported with its signal":                       trainerKilled,
		"an outcome waits for the server, wherever it comes back":            serverAway,
		"an outcome whose runner died is brought in by another":              outcomeLeft,
		"a runner that was given up kills its trainer":                       given,
		"a finished runner whose directory was removed ends":                 removed,
		"a server that lost bytes gets them again":                           rewound,
		"a command that does not exist is reported, not lost":                notStarted,
		"an attempt that was never placed is gone, and clearing it is fine":  unknown,
		"a checkpoint goes on to the next attempt and survives the clearing": checkpoint,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bench{Server: NewServer(t), Subject: open(t), t: t}
			b.Announce(b.http.URL)
			test(t, b)
		})
	}
}

func delivered(t *testing.T, b *bench) {
	a := b.Add(1, `printf 'one\rtwo\r\nlast without end'
		echo '{"step":1,"metrics":{"f1":0.5}}' > "$ADJUDGE_OUTPUT_DIR/metrics.jsonl"
		mkdir -p "$SM_MODEL_DIR/sub"; echo weights > "$SM_MODEL_DIR/sub/w.bin"
		test "$(cat $SM_CHANNEL_TRAIN/part-0.jsonl)" = "$(cat $ADJUDGE_INPUT_DIR/train/part-0.jsonl)" || exit 3
		grep -q '"epochs":3' "$ADJUDGE_PARAMS" || exit 4
		grep -q '"seed": 7' "$ADJUDGE_JOB_DIR/job.json" || exit 5
		test "$ADJUDGE_SEED$ADJUDGE_ATTEMPT$ADJUDGE_RESUME$PYTHONHASHSEED" = 7107 || exit 6
		test -d "$ADJUDGE_CHECKPOINT_DIR" || exit 7
		ln -s /etc/passwd "$ADJUDGE_OUTPUT_DIR/link"
		echo '{"status":"ok"}' > "$ADJUDGE_OUTPUT_DIR/result.json"`, "model/sub/w.bin")
	h := b.place(1)
	f := b.Wait(a)
	if f.ExitCode != 0 || f.Signal != "" || f.Stopped != "" || string(f.Result) != "{\"status\":\"ok\"}" {
		t.Errorf("finish %+v", f)
	}
	if want := "one\ntwo\nlast without end"; string(a.Log) != want || f.LogBytes != int64(len(want)) || f.LogCRC32 != crc32.ChecksumIEEE([]byte(want)) {
		t.Errorf("log %q, %d bytes, checksum %x", a.Log, f.LogBytes, f.LogCRC32)
	}
	if string(a.Metrics) != "{\"step\":1,\"metrics\":{\"f1\":0.5}}\n" || string(a.Outputs["model/sub/w.bin"]) != "weights\n" || len(a.Outputs) != 3 {
		t.Errorf("metrics %q, outputs %q", a.Metrics, a.Outputs)
	}
	var env struct {
		Inputs map[string]ledger.Digest
		Seed   int
	}
	if err := json.Unmarshal(f.Environment, &env); err != nil || env.Inputs["train/part-0.jsonl"] != ledger.DigestOf([]byte(a.Input)) || env.Seed != 7 {
		t.Errorf("environment %s: %v", f.Environment, err)
	}
	until(t, "the runner exits", func() bool { return b.vital(h) != training.VitalAlive })
	if known, err := b.Engine.Known(t.Context()); err != nil || len(known) != 1 || known[0] != 1 {
		t.Errorf("known %v, %v", known, err)
	}
	b.clear(h)
	if known, _ := b.Engine.Known(t.Context()); len(known) != 0 {
		t.Errorf("after clearing known %v", known)
	}
}

func placedTwice(t *testing.T, b *bench) {
	a := b.Add(1, `sleep 60`)
	h := b.place(1)
	b.running(a)
	again := b.place(1)
	if again.ExtID != h.ExtID {
		t.Errorf("placed as %s and again as %s", h.ExtID, again.ExtID)
	}
	b.clear(h)
}

func stoppedPolitely(t *testing.T, b *bench) {
	a := b.Add(1, `trap 'cat "$ADJUDGE_JOB_DIR/control/stop"; exit 9' TERM; echo ready; while :; do sleep 0.02; done`)
	b.with(a, func(a *Attempt) { a.Spec.GraceS = 30 }) // however slow the machine: it is not to be killed
	h := b.place(1)
	until(t, "the trainer is ready", func() bool { var ok bool; b.with(a, func(a *Attempt) { ok = len(a.Log) > 0 }); return ok })
	if err := b.Engine.Stop(t.Context(), h, training.Stop{Reason: training.StopCancel, GraceS: 30}); err != nil {
		t.Fatal(err)
	}
	f := b.Wait(a)
	if f.Stopped != training.StopCancel || f.ExitCode != 9 || !strings.Contains(string(a.Log), `"reason": "cancel"`) {
		t.Errorf("finish %+v, log %q", f, a.Log)
	}
	if err := b.Engine.Stop(t.Context(), h, training.Stop{}); err != nil {
		t.Errorf("stopping what ended: %v", err)
	}
}

func stoppedHard(t *testing.T, b *bench) {
	a := b.Add(1, `trap '' TERM; echo ready; while :; do sleep 0.02; done`)
	h := b.place(1)
	until(t, "the trainer is ready", func() bool { var ok bool; b.with(a, func(a *Attempt) { ok = len(a.Log) > 0 }); return ok })
	began := time.Now()
	if err := b.Engine.Stop(t.Context(), h, training.Stop{Reason: training.StopCancel, GraceS: 1}); err != nil {
		t.Fatal(err)
	}
	f := b.Wait(a)
	if f.Stopped != training.StopCancel || f.Signal != "killed" || time.Since(began) < time.Second {
		t.Errorf("after %s: %+v", time.Since(began), f)
	}
}

func stoppedByAnswer(t *testing.T, b *bench) {
	a := b.Add(1, `while :; do sleep 0.02; done`)
	b.place(1)
	b.running(a)
	b.with(a, func(a *Attempt) { a.Stop = &training.Stop{Reason: training.StopPreempt, GraceS: 1} })
	if f := b.Wait(a); f.Stopped != training.StopPreempt {
		t.Errorf("finish %+v", f)
	}
}

func grandchild(t *testing.T, b *bench) {
	dir := t.TempDir()
	a := b.Add(1, `setsid sh -c 'echo $$ > `+dir+`/pid; exec sleep 300' & while ! test -s `+dir+`/pid; do sleep 0.01; done; exit 0`)
	b.place(1)
	pid := pidIn(t, filepath.Join(dir, "pid"))
	if f := b.Wait(a); f.ExitCode != 0 {
		t.Errorf("finish %+v", f)
	}
	if !gone(pid) {
		t.Errorf("the grandchild %d lives on", pid)
	}
}

func cleared(t *testing.T, b *bench) {
	dir := t.TempDir()
	a := b.Add(1, `setsid sh -c 'echo $$ > `+dir+`/pid; exec sleep 300' & sleep 300`)
	h := b.place(1)
	host := b.running(a)
	pid := pidIn(t, filepath.Join(dir, "pid"))
	b.clear(h)
	for _, p := range []int{pid, host.Trainer, host.Runner} {
		until(t, "a cleared process is gone", func() bool { return gone(p) })
	}
	if v := b.vital(h); v != training.VitalGone {
		t.Errorf("a cleared attempt is %s", v)
	}
}

func runnerKilled(t *testing.T, b *bench) {
	dir := t.TempDir()
	a := b.Add(1, `echo before; setsid sh -c 'echo $$ > `+dir+`/pid; exec sleep 300' & sleep 300`)
	h := b.place(1)
	host := b.running(a)
	pid := pidIn(t, filepath.Join(dir, "pid"))
	if v := b.vital(h); v != training.VitalAlive {
		t.Errorf("a running attempt is %s", v)
	}
	// What is still in the trainer's pipe dies with the runner; the promise is about what it has spooled.
	until(t, "the runner has spooled what the trainer said", func() bool {
		rest, err := b.Engine.Remains(t.Context(), h, 0)
		return err == nil && string(rest) == "before\n"
	})
	if err := slay(host.Runner); err != nil {
		t.Fatal(err)
	}
	until(t, "the runner is gone", func() bool { return b.vital(h) == training.VitalGone })
	until(t, "the trainer dies with it", func() bool { return gone(host.Trainer) })
	if rest, err := b.Engine.Remains(t.Context(), h, 0); err != nil || string(rest) != "before\n" {
		t.Errorf("the log that remains is %q, %v", rest, err)
	}
	b.clear(h)
	if !gone(pid) {
		t.Errorf("the grandchild %d outlives the clearing", pid)
	}
}

func trainerKilled(t *testing.T, b *bench) {
	a := b.Add(1, `exec sleep 300`)
	b.place(1)
	if err := slay(b.running(a).Trainer); err != nil {
		t.Fatal(err)
	}
	if f := b.Wait(a); f.Signal != "killed" || f.ExitCode != 137 || f.Stopped != "" {
		t.Errorf("finish %+v", f)
	}
}

func serverAway(t *testing.T, b *bench) {
	a := b.Add(1, `while ! test -e "$ADJUDGE_JOB_DIR/go"; do sleep 0.02; done; echo done`)
	h := b.place(1)
	b.running(a)
	b.Announce("http://127.0.0.1:1")
	other := httptest.NewServer(b.Server) // the same server on another port
	defer other.Close()
	b.http.Close()
	if err := os.WriteFile(filepath.Join(b.dir(t, h), "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "the outcome is written", func() bool { _, err := os.Stat(filepath.Join(b.dir(t, h), training.FileExit)); return err == nil })
	b.Announce(other.URL)
	if f := b.Wait(a); f.ExitCode != 0 || string(a.Log) != "done\n" {
		t.Errorf("finish %+v, log %q", f, a.Log)
	}
}

// dir finds an attempt's directory by what its engine renders.
func (b *bench) dir(t *testing.T, h training.Handle) string {
	t.Helper()
	words := strings.Fields(b.Engine.Render(training.Placement{Fence: h.Fence}))
	return words[len(words)-1]
}

func outcomeLeft(t *testing.T, b *bench) {
	a := b.Add(1, `while ! test -e "$ADJUDGE_JOB_DIR/go"; do sleep 0.02; done; mkdir -p "$SM_MODEL_DIR"; echo w > "$SM_MODEL_DIR/w"`)
	h := b.place(1)
	host := b.running(a)
	b.Announce("http://127.0.0.1:1")
	other := httptest.NewServer(b.Server)
	defer other.Close()
	b.http.Close()
	if err := os.WriteFile(filepath.Join(b.dir(t, h), "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "the outcome is written", func() bool { _, err := os.Stat(filepath.Join(b.dir(t, h), training.FileExit)); return err == nil })
	if err := slay(host.Runner); err != nil {
		t.Fatal(err)
	}
	until(t, "the attempt counts as ended", func() bool { return b.vital(h) == training.VitalEnded })
	b.Announce(other.URL)
	if _, err := b.Engine.Place(t.Context(), training.Placement{Fence: 1, Job: "job", Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	if f := b.Wait(a); f.ExitCode != 0 || f.Reason != "" || string(a.Outputs["model/w"]) != "w\n" {
		t.Errorf("finish %+v, outputs %q", f, a.Outputs)
	}
}

func given(t *testing.T, b *bench) {
	a := b.Add(1, `exec sleep 300`)
	h := b.place(1)
	host := b.running(a)
	b.with(a, func(a *Attempt) { a.Stale = true })
	until(t, "trainer and runner are gone", func() bool { return gone(host.Trainer) && gone(host.Runner) })
	b.clear(h)
}

func rewound(t *testing.T, b *bench) {
	a := b.Add(1, `echo first; while ! test -e "$ADJUDGE_JOB_DIR/go"; do sleep 0.02; done; echo second; echo third`)
	h := b.place(1)
	until(t, "the first line arrived", func() bool { var ok bool; b.with(a, func(a *Attempt) { ok = len(a.Log) == 6 }); return ok })
	b.with(a, func(a *Attempt) { a.Forgets = 6 })
	if err := os.WriteFile(filepath.Join(b.dir(t, h), "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := b.Wait(a); string(a.Log) != "first\nsecond\nthird\n" || f.LogBytes != 19 {
		t.Errorf("log %q, %d bytes", a.Log, f.LogBytes)
	}
}

func notStarted(t *testing.T, b *bench) {
	a := b.Add(1, ``)
	a.Spec.Command = []string{"/no/such/program"}
	b.place(1)
	if f := b.Wait(a); f.Reason != training.ReasonNotStarted || !strings.Contains(f.Message, "/no/such/program") {
		t.Errorf("finish %+v", f)
	}
}

func unknown(t *testing.T, b *bench) {
	h := training.Handle{Fence: 99}
	if v := b.vital(h); v != training.VitalGone {
		t.Errorf("an attempt that never was is %s", v)
	}
	b.clear(h)
	if err := b.Engine.Stop(t.Context(), h, training.Stop{}); err != nil {
		t.Error(err)
	}
}

func checkpoint(t *testing.T, b *bench) {
	first := b.Add(1, `echo 42 > "$ADJUDGE_CHECKPOINT_DIR/step.tmp"; mv "$ADJUDGE_CHECKPOINT_DIR/step.tmp" "$ADJUDGE_CHECKPOINT_DIR/step"; exit 75`)
	h := b.place(1)
	if f := b.Wait(first); f.ExitCode != training.ExitTryAgain {
		t.Errorf("finish %+v", f)
	}
	until(t, "the runner exits", func() bool { return b.vital(h) != training.VitalAlive })
	b.clear(h)
	second := b.Add(2, `cat "$ADJUDGE_CHECKPOINT_DIR/step"`)
	if _, err := b.Engine.Place(t.Context(), training.Placement{Fence: 2, Job: "job", Attempt: 2, Token: "token-2", Previous: 1}); err != nil {
		t.Fatal(err)
	}
	if b.Wait(second); string(second.Log) != "42\n" {
		t.Errorf("the second attempt read %q", second.Log)
	}
}

func removed(t *testing.T, b *bench) {
	a := b.Add(1, `while ! test -e "$ADJUDGE_JOB_DIR/go"; do sleep 0.02; done`)
	h := b.place(1)
	host := b.running(a)
	b.Announce("http://127.0.0.1:1")
	b.http.Close()
	dir := b.dir(t, h)
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "the outcome is written", func() bool { _, err := os.Stat(filepath.Join(dir, training.FileExit)); return err == nil })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	until(t, "the runner ends", func() bool { return gone(host.Runner) })
}
