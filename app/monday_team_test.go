//go:build e2e && monday

package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/adjudge/adjudge/backend/live"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/labeling"
)

// What one of two servers knows the other knows: who is signed in, who is here,
// what changed, how often somebody guessed, and who is not welcome any more.
func TestTwoServersAreOneInstallation(t *testing.T) {
	t.Parallel()
	p := startPair(t, storetest.Postgres(t), seedItems(50, nil), nil)
	ada := p.firstAdmin("ada", "Ada")
	var bea struct{ ID, Link string }
	ada.api(http.MethodPost, "/people", map[string]any{"username": "bea", "name": "Bea", "project": "news", "roles": []string{"annotator"}}, &bea)
	b := p.seat("10.0.0.2").arrive(bea.Link, "bea", "Bea")

	// Signed in through nginx, known on both by the same cookie.
	for n := range p.servers {
		if status, _ := p.via(b, n).get("/projects/news"); status != http.StatusOK {
			t.Errorf("server %d answers %d to who signed in", n+1, status)
		}
	}

	// Who is here and what happened crosses to the sockets of the other.
	first, second := p.listen(ada, 0, "news", "project"), p.listen(b, 1, "news", "label")
	present := func(name string) func(live.Message) bool {
		return func(m live.Message) bool {
			return slices.ContainsFunc(m.Present, func(p live.Presence) bool { return p.Name == name })
		}
	}
	first.hears("Bea's presence on the other server", present("Bea"))
	second.hears("Ada's presence on the other server", present("Ada"))
	for n := range p.servers {
		event := []string{"annotation.submitted", "annotation.undone"}[n]
		at := fmt.Sprintf("/projects/news/annotations/%s", annotationID(1))
		if n == 0 {
			p.via(b, n).api(http.MethodPut, at, map[string]any{"item": "0190bbbb-0000-7000-8000-000000000001", "class": "sports"}, nil)
		} else {
			p.via(b, n).api(http.MethodDelete, at, nil, nil)
		}
		for _, s := range []*socket{first, second} {
			s.hears(event, func(m live.Message) bool {
				return slices.ContainsFunc(m.Events, func(e live.Event) bool { return e.Kind == event })
			})
		}
	}

	// Five wrong passwords, whichever server took them, and nobody from there is heard.
	guesser := p.seat("10.0.0.66")
	for n := range 5 {
		if status := p.via(guesser, n%2).signIn("bea", "wrong password"); status != http.StatusUnprocessableEntity {
			t.Errorf("guess %d is answered with %d", n+1, status)
		}
	}
	for n := range p.servers {
		if status := p.via(guesser, n).signIn("bea", password); status != http.StatusTooManyRequests {
			t.Errorf("after five guesses server %d answers %d", n+1, status)
		}
	}

	// Deactivated on one, out of both.
	third := p.listen(b, 0, "news", "items")
	begun := time.Now()
	p.via(ada, 0).api(http.MethodPatch, "/people/bea", map[string]any{"disabled": true}, nil)
	for n, s := range []*socket{second, third} {
		took := s.ends(time.Minute).Sub(begun)
		t.Logf("a socket was closed %v after its person was deactivated", took.Round(time.Millisecond))
		if !websocket.IsCloseError(s.err, websocket.ClosePolicyViolation) {
			t.Errorf("socket %d ended with %v", n+1, s.err)
		}
	}
	for n := range p.servers {
		if status, _ := p.via(b, n).try(t.Context(), http.MethodGet, "/me", nil, nil); status != http.StatusUnauthorized {
			t.Errorf("server %d answers %d to who was deactivated", n+1, status)
		}
	}
	select {
	case <-first.closed:
		t.Errorf("Ada's socket is closed, too: %v", first.err)
	default:
	}
}

// An import whose server is killed in the middle is finished by the other one,
// each record once.
func TestTheOtherServerFinishesAnImport(t *testing.T) {
	t.Parallel()
	const records = 60_000
	p := startPair(t, storetest.Postgres(t), nil, nil)
	ada := p.firstAdmin("ada", "Ada")
	var file strings.Builder
	file.WriteString("text,id\n")
	for n := range records {
		fmt.Fprintf(&file, "Question %d about a card that has not arrived,%d\n", n, n)
	}
	name := filepath.Join(t.TempDir(), "many.csv")
	if err := os.WriteFile(name, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ada.api(http.MethodPost, "/projects", map[string]any{"name": "Bank"}, nil)
	var begun web.ImportBody
	if err := json.Unmarshal([]byte(p.servers[0].run("import", "--project", "bank", "--dataset", "many", "--text", "text", "--key", "id", "--detach", "--json", name)), &begun); err != nil {
		t.Fatal(err)
	}
	status := func() (i web.ImportBody) {
		ada.api(http.MethodGet, "/projects/bank/imports/"+string(begun.ID), nil, &i)
		return i
	}
	p.servers[0].until("the import has begun", func() bool { return status().Added > 0 })
	// Whichever has it: its parser is a child of that server alone.
	worker := slices.IndexFunc(p.servers[:], func(s *site) bool { return len(children(s.cmd.Process.Pid)) > 0 })
	if worker < 0 {
		t.Fatalf("no server has a parser: %+v", status())
	}
	before := status()
	p.servers[worker].end(syscall.SIGKILL)
	t.Logf("server %d was killed when %d of %d records were in", worker+1, before.Added, records)
	if before.State.Over() {
		t.Fatalf("the import was over too soon: %+v", before)
	}
	killed := time.Now()
	waitUntil(t, "the import is over", func() bool { return status().State.Over() }, func() string { return fmt.Sprintf("it is %+v", status()) })
	got := status()
	t.Logf("the other was done %v later", time.Since(killed).Round(time.Second))
	if got.State != labeling.ImportDone || got.Added != records || got.Refused != 0 {
		t.Errorf("the import ended as %+v", got)
	}
	if n := p.count(`SELECT COUNT(*) FROM item`); n != records {
		t.Errorf("%d items for %d records", n, records)
	}
}

// A training belongs to the machine on which it began: while its server is away
// the other one works on other jobs and leaves this one alone, and when it is
// back it takes it up again.
func TestATrainingStaysWithItsHost(t *testing.T) {
	t.Parallel()
	p := startPair(t, storetest.Postgres(t), nil, nil)
	ada := p.firstAdmin("ada", "Ada")
	var file strings.Builder
	file.WriteString("text,label\n")
	for _, q := range demoQuestions("a", 2000, 1, 0.3) {
		fmt.Fprintf(&file, "%q,%s\n", q.Text, q.Class)
	}
	name := filepath.Join(t.TempDir(), "train.csv")
	if err := os.WriteFile(name, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := p.servers[0]
	s.run("import", "--project", "Bank", "--dataset", "train", name)
	s.run("snapshot", "create", "--project", "bank", "--dataset", "train", "--name", "train")
	train := func(seed, epochs int) (run web.RunBody) {
		t.Helper()
		ada.api(http.MethodPost, "/projects/bank/runs", map[string]any{"recipe": "text-linear", "snapshot": "train", "seed": seed, "params": map[string]any{"epochs": epochs}}, &run)
		return run
	}
	until := func(number int, what string, wanted func(web.RunBody) bool) (run web.RunBody) {
		t.Helper()
		waitUntil(t, fmt.Sprintf("run %d is %s", number, what), func() bool {
			ada.api(http.MethodGet, fmt.Sprintf("/projects/bank/runs/%d", number), nil, &run)
			return wanted(run)
		}, func() string { return fmt.Sprintf("it is %s (%s)", run.State, run.Reason) })
		return run
	}
	// Caught at work, whichever host has it, and halted there.
	var run web.RunBody
	host, trainer := -1, 0
	for seed := 1; host < 0 && seed <= 5; seed++ {
		run = train(seed, 200)
		until(run.Number, "at work", func(r web.RunBody) bool {
			for n, server := range p.servers {
				rig := &trainingRig{t: t, data: server.data}
				if pid := rig.process("trainer text-linear", r.Fence); pid > 0 && syscall.Kill(pid, syscall.SIGSTOP) == nil {
					host, trainer = n, pid
				}
			}
			return host >= 0 || r.Over
		})
	}
	if host < 0 {
		t.Fatal("no training could be caught at work")
	}
	p.servers[host].end(syscall.SIGKILL)
	second := train(99, 1)
	if second = until(second.Number, "over", func(r web.RunBody) bool { return r.Over }); second.State != "succeeded" {
		t.Errorf("the other server's run is %s (%s)", second.State, second.Reason)
	}
	var now web.RunBody
	ada.api(http.MethodGet, fmt.Sprintf("/projects/bank/runs/%d", run.Number), nil, &now)
	if other := (&trainingRig{t: t, data: p.servers[1-host].data}); now.Over || now.Attempts != 1 || len(other.processes(now.Fence)) > 0 {
		t.Errorf("without its server the run is %s after %d attempts, and the other host runs %v", now.State, now.Attempts, other.processes(now.Fence))
	}
	p.servers[host].restart()
	if err := syscall.Kill(trainer, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	now = until(run.Number, "over", func(r web.RunBody) bool { return r.Over })
	if now.State != "succeeded" || now.Attempts != 1 || now.Fence != run.Fence && run.Fence != 0 {
		t.Errorf("the run ended as %s (%s) after %d attempts", now.State, now.Reason, now.Attempts)
	}
	if n := p.count(`SELECT COUNT(DISTINCT server) FROM training_attempt`); n != 2 {
		t.Errorf("%d servers placed an attempt, not both", n)
	}
}

// children returns the processes that a process started.
func children(pid int) []string {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var found []string
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		found = append(found, strings.Fields(string(text))...)
	}
	return found
}
