package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/labeling"
)

// trainingRig is a data directory with a project that can be trained, and the real
// program as its server.
type trainingRig struct {
	t      testing.TB
	data   string
	server *exec.Cmd
	env    []string // of the server, beside ours
}

// jobDir is a data directory in which a training job may still write when its
// server has ended.
func jobDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(binaryFolder, "data-*") // removed at the very end
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// newTrainingRig makes a project "bank" with rows of training items, every
// tenth of them unlabeled, thirty evaluation items, and snapshot 1.
func newTrainingRig(t testing.TB, rows int) *trainingRig {
	t.Helper()
	rig := &trainingRig{t: t, data: jobDir(t)}
	h, err := openHouse(t.Context(), settings{Data: rig.data, Port: "0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h.run(t.Context())
	ctx, actor := t.Context(), ledger.System()
	classes := []labeling.Class{{Name: "card"}, {Name: "refund"}, {Name: "transfer"}}
	project, err := h.labeling.CreateProject(ctx, actor, labeling.CreateProjectRequest{Name: "Bank", Schema: labeling.Schema{Question: "What is it about?", Classes: classes}})
	if err != nil {
		t.Fatal(err)
	}
	rig.fill(h, project, "train", labeling.PurposeTraining, rows, func(i int) bool { return i%10 != 9 })
	rig.fill(h, project, "test", labeling.PurposeEvaluation, 30, func(int) bool { return true })
	snapshot, err := h.labeling.CreateSnapshot(ctx, actor, project.ID, labeling.CreateSnapshotRequest{Datasets: []string{"train"}})
	waitUntil(t, "the snapshot is made", func() bool {
		if err == nil {
			snapshot, err = h.labeling.Snapshot(ctx, actor, project.ID, string(snapshot.ID))
		}
		return err != nil || snapshot.State != labeling.SnapshotBuilding
	})
	if err != nil || snapshot.State != labeling.SnapshotReady {
		t.Fatalf("snapshot %s %s: %v", snapshot.State, snapshot.Failure, err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rig.kill)
	return rig
}

func (rig *trainingRig) fill(h *house, p labeling.Project, name string, purpose labeling.Purpose, rows int, labeled func(int) bool) {
	rig.t.Helper()
	ctx := rig.t.Context()
	d, err := h.labeling.CreateDataset(ctx, ledger.System(), p.ID, name, purpose)
	if err != nil {
		rig.t.Fatal(err)
	}
	said := [][]string{
		{"my card is lost", "the card does not work", "where is my new card"},
		{"I want my money back", "refund me please", "when does the refund come"},
		{"my transfer failed", "how long does a transfer take", "transfer to a friend"},
	}
	err = store.In[labeling.Tx](h.store)(ctx, func(tx labeling.Tx) error {
		for i := range rows {
			text := fmt.Sprintf("%s, number %d", said[i%3][i/3%3], i)
			item := labeling.Item{ID: labeling.ItemID(newID()), Project: p.ID, Dataset: d.ID, Key: fmt.Sprintf("%s-%05d", name, i), Text: text,
				Content: ledger.DigestOf([]byte(text)), Status: labeling.StatusQueued, CreatedAt: tx.Now()}
			if labeled(i) {
				item.Status, item.Label, item.Answers = labeling.StatusAccepted, p.Schema.Classes[i%3].ID, 1
			}
			if _, err := tx.CreateItem(item); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		rig.t.Fatal(err)
	}
}

// serve starts the server and waits until it says where it is.
func (rig *trainingRig) serve() {
	rig.t.Helper()
	cmd := exec.Command(binary(rig.t), "serve", "--data", rig.data, "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), rig.env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		rig.t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		rig.t.Fatal(err)
	}
	rig.server = cmd
	rig.t.Cleanup(func() {
		if rig.t.Failed() && said.Len() > 0 {
			rig.t.Logf("the server said:\n%s", &said)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "listens on") {
			go func() {
				for lines.Scan() { // or it would block on a full pipe
				}
			}()
			return
		}
	}
	rig.t.Fatalf("the server did not start:\n%s", &said)
}

// kill ends the server as a crash does. Stopping twice is fine.
func (rig *trainingRig) kill() {
	if rig.server != nil {
		_ = rig.server.Process.Kill()
		_ = rig.server.Wait()
		rig.server = nil
	}
}

// adjudge runs a command against the server and returns its output and exit code.
func (rig *trainingRig) adjudge(args ...string) (string, string, int) {
	rig.t.Helper()
	ctx, cancel := context.WithTimeout(rig.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(rig.t), append(args, "--data", rig.data)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// train starts a training and returns its run.
func (rig *trainingRig) train(args ...string) web.RunBody {
	rig.t.Helper()
	out, errs, _ := rig.adjudge(append([]string{"train", "--project", "bank", "--recipe", "text-linear", "--snapshot", "1", "--json"}, args...)...)
	var run web.RunBody
	if err := json.Unmarshal([]byte(out), &run); err != nil {
		rig.t.Fatalf("train printed %q and %q: %v", out, errs, err)
	}
	return run
}

// run returns how a run stands.
func (rig *trainingRig) run(number int) web.RunBody {
	rig.t.Helper()
	c, err := rig.client()
	var run web.RunBody
	if err == nil {
		err = c.get(rig.t.Context(), apiPath("projects", "bank", "runs", fmt.Sprint(number)), &run)
	}
	if err != nil {
		rig.t.Fatal(err)
	}
	return run
}

// log returns the whole log of a run.
func (rig *trainingRig) log(number int) string {
	rig.t.Helper()
	c, err := rig.client()
	var log bytes.Buffer
	if err == nil {
		err = c.download(rig.t.Context(), apiPath("projects", "bank", "runs", fmt.Sprint(number), "log"), &log)
	}
	if err != nil {
		rig.t.Fatal(err)
	}
	return log.String()
}

func (rig *trainingRig) client() (*client, error) {
	raw, err := os.ReadFile(filepath.Join(rig.data, "credential.json"))
	var found credentialFile
	if err == nil {
		err = json.Unmarshal(raw, &found)
	}
	return &client{base: found.Server, token: found.Token}, err
}

// until waits for a run to be as wanted.
func (rig *trainingRig) until(number int, what string, wanted func(web.RunBody) bool) (run web.RunBody) {
	rig.t.Helper()
	waitUntil(rig.t, fmt.Sprintf("run %d is %s", number, what), func() bool {
		run = rig.run(number)
		return wanted(run)
	}, func() string { return fmt.Sprintf("it is %s (%s)", run.State, run.Reason) })
	return run
}

// processes lists the command lines of everything that belongs to the rig's
// jobs, or to one attempt if its fence is given.
func (rig *trainingRig) processes(fence ...int64) []string {
	var found []string
	entries, _ := os.ReadDir("/proc")
	of := filepath.Join(rig.data, "jobs")
	if len(fence) > 0 {
		of = filepath.Join(of, fmt.Sprint(fence[0])) + "\x00"
	}
	for _, e := range entries {
		environ, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		command, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if bytes.Contains(environ, []byte("ADJUDGE_JOB_DIR="+of)) || bytes.Contains(command, []byte(of)) {
			found = append(found, e.Name()+" "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}

// noProcess waits for what is on its way out and complains about what stays.
func (rig *trainingRig) noProcess() {
	rig.t.Helper()
	var left []string
	waitUntil(rig.t, "no process is left", func() bool {
		left = rig.processes()
		return len(left) == 0
	}, func() string { return fmt.Sprintf("left are %v", left) })
}

func TestTrainLeavesAModelAndADraftCandidate(t *testing.T) {
	t.Parallel()
	rig := newTrainingRig(t, 300)
	rig.serve()
	out, errs, code := rig.adjudge("train", "--project", "bank", "--recipe", "text-linear", "--snapshot", "1", "--param", "epochs=3", "--wait")
	if code != 0 {
		t.Fatalf("exit code %d: %s %s", code, out, errs)
	}
	for _, want := range []string{"Started run 1 of bank.", "epoch 3/3", "Run 1 succeeded. accuracy", "Model text-linear@1 (sha256:", "Draft candidate 1"} {
		if !strings.Contains(out, want) {
			t.Errorf("train --wait does not say %q:\n%s", want, out)
		}
	}
	run := rig.run(1)
	if run.State != "succeeded" || run.Digest == "" || run.Attempts != 1 || run.StartedAt == nil || run.EndedAt == nil || run.Primary == nil || run.Primary.Value < 0.9 {
		t.Errorf("run %+v", run)
	}
	if out, errs, code := rig.adjudge("train", "--project", "bank", "--recipe", "text-linear", "--snapshot", "1", "--param", "epochs=0", "--wait"); code != exitUsage || !strings.Contains(errs, "Epochs: 0 is out of range") {
		t.Errorf("a wrong parameter: exit code %d, %s%s", code, out, errs)
	}
	rig.noProcess()
}

// process returns the id of a process of the rig's jobs, or of one attempt: the
// runner or the trainer. It is 0 where there is none.
func (rig *trainingRig) process(part string, fence ...int64) int {
	for _, p := range rig.processes(fence...) {
		id, command, _ := strings.Cut(p, " ")
		if strings.Contains(command, part) {
			pid, err := strconv.Atoi(id)
			if err == nil {
				return pid
			}
		}
	}
	return 0
}

// amid starts a training and catches its trainer in the middle of it: the
// trainer is halted, so that what a test does to it next does not depend on who
// is quicker. A training that was over before it could be caught is begun anew.
func (rig *trainingRig) amid(params ...string) (run web.RunBody, trainer, runner int) {
	rig.t.Helper()
	for seed := 1; seed <= 5; seed++ {
		run = rig.train(append(params, "--param", "epochs=200", "--seed", fmt.Sprint(seed))...)
		run = rig.until(run.Number, "running", func(r web.RunBody) bool {
			// A trainer that has said something also listens to signals.
			said, err := os.Stat(filepath.Join(rig.data, "jobs", fmt.Sprint(r.Fence), "log.txt"))
			return r.State == "running" && err == nil && said.Size() > 0 || r.Over
		})
		trainer, runner = rig.process("trainer text-linear", run.Fence), rig.process("runner --job", run.Fence)
		if trainer > 0 && runner > 0 && syscall.Kill(trainer, syscall.SIGSTOP) == nil && rig.process("trainer text-linear", run.Fence) == trainer {
			return run, trainer, runner
		}
	}
	rig.t.Fatalf("no training could be caught at work; the last is %s (%s)", run.State, run.Reason)
	return run, 0, 0
}

// signal sends a process a signal; it must be there.
func (rig *trainingRig) signal(pid int, signal syscall.Signal) {
	rig.t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		rig.t.Fatalf("%v to process %d: %v", signal, pid, err)
	}
}

// stop asks a run to end, as the page does.
func (rig *trainingRig) stop(number int) {
	rig.t.Helper()
	c, err := rig.client()
	if err == nil {
		err = c.post(rig.t.Context(), apiPath("projects", "bank", "runs", fmt.Sprint(number), "stop"), nil, nil)
	}
	if err != nil {
		rig.t.Fatal(err)
	}
}

func TestAKilledTrainerFailsItsRun(t *testing.T) {
	t.Parallel()
	rig := newTrainingRig(t, 2000)
	rig.serve()
	run, trainer, _ := rig.amid()
	rig.signal(trainer, syscall.SIGKILL)
	run = rig.until(run.Number, "over", func(r web.RunBody) bool { return r.Over })
	if run.State != "failed" || !strings.Contains(run.Reason, "signal killed") || run.Model != "" {
		t.Errorf("the run is %s: %s %s", run.State, run.Reason, run.Model)
	}
	rig.noProcess()
}

func TestAKilledSupervisorTakesItsTrainerAlongAndTheJobIsTriedAgain(t *testing.T) {
	t.Parallel()
	rig := newTrainingRig(t, 2000)
	rig.serve()
	run, _, runner := rig.amid()
	fence := run.Fence
	rig.signal(runner, syscall.SIGKILL)
	run = rig.until(run.Number, "queued again", func(r web.RunBody) bool { return r.State == "queued" })
	if !strings.Contains(run.Reason, "supervisor") || !strings.Contains(run.Reason, "Trying again in 10 seconds") || run.Attempts != 1 {
		t.Errorf("the run waits because %q after %d attempts", run.Reason, run.Attempts)
	}
	// It is said after the fact: nothing of a lost attempt is still at work.
	if left := rig.processes(fence); len(left) > 0 {
		t.Errorf("of the lost attempt are left: %v", left)
	}
	rig.stop(run.Number)
	if run = rig.until(run.Number, "over", func(r web.RunBody) bool { return r.Over }); run.State != "cancelled" {
		t.Errorf("a stopped run that waited is %s", run.State)
	}
	rig.noProcess()
}

func TestATrainingOutlivesItsServer(t *testing.T) {
	t.Parallel()
	rig := newTrainingRig(t, 2000)
	rig.serve()
	run, trainer, runner := rig.amid()
	rig.kill()
	if rig.process("trainer text-linear", run.Fence) != trainer || rig.process("runner --job", run.Fence) != runner {
		t.Fatalf("the trainer %d and its supervisor %d did not outlive the server: %v", trainer, runner, rig.processes())
	}
	rig.serve()
	rig.signal(trainer, syscall.SIGCONT)
	run = rig.until(run.Number, "over", func(r web.RunBody) bool { return r.Over })
	if run.State != "succeeded" || run.Attempts != 1 || run.Model != "text-linear@1" {
		t.Errorf("after the server came back the run is %s (%s), %d attempts, model %q", run.State, run.Reason, run.Attempts, run.Model)
	}
	rig.noProcess()
}

func TestAnOutcomeThatWaitedForAServerIsBroughtIn(t *testing.T) {
	t.Parallel()
	rig := newTrainingRig(t, 2000)
	rig.serve()
	run, trainer, runner := rig.amid()
	rig.kill()
	rig.signal(trainer, syscall.SIGCONT)
	// Nobody is there to deliver to; then the supervisor dies too.
	exit := filepath.Join(rig.data, "jobs", fmt.Sprint(run.Fence), "exit.json")
	waitUntil(t, "the trainer ends", func() bool { _, err := os.Stat(exit); return err == nil })
	rig.signal(runner, syscall.SIGKILL)
	rig.serve()
	run = rig.until(run.Number, "over", func(r web.RunBody) bool { return r.Over })
	if run.State != "succeeded" || run.Attempts != 1 || run.Digest == "" {
		t.Errorf("the run is %s (%s), %d attempts", run.State, run.Reason, run.Attempts)
	}
	rig.noProcess()
}

func TestStopEndsATrainingPolitely(t *testing.T) {
	t.Parallel()
	rig := newTrainingRig(t, 2000)
	rig.serve()
	run, trainer, _ := rig.amid()
	rig.stop(run.Number)
	rig.signal(trainer, syscall.SIGCONT)
	run = rig.until(run.Number, "over", func(r web.RunBody) bool { return r.Over })
	if run.State != "cancelled" || run.Model != "" {
		t.Errorf("a stopped run is %s with the model %q", run.State, run.Model)
	}
	// A trainer that was killed would not have had the time for its last words.
	if log := rig.log(run.Number); !strings.Contains(log, "terminated signal received") {
		t.Errorf("the trainer was killed, not asked; its log:\n%s", log)
	}
	rig.noProcess()
}

// Whatever dies whenever: the run ends in a true state, and nothing is left.
func TestKillsAtRandomMomentsEndInATrueState(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a while")
	}
	rig := newTrainingRig(t, 2000)
	rig.serve()
	rng := rand.New(rand.NewPCG(7, 0))
	for i := range 9 {
		run := rig.train("--param", "epochs=40", "--seed", fmt.Sprint(i+1))
		victim := []string{"server", "runner --job", "trainer text-linear"}[i%3]
		wait := time.Duration(rng.IntN(1200)) * time.Millisecond
		time.Sleep(wait) // the moment is what is random here
		if victim == "server" {
			rig.kill()
			time.Sleep(time.Duration(rng.IntN(500)) * time.Millisecond)
			rig.serve()
		} else if pid := rig.process(victim); pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		ended := rig.until(run.Number, "over or waiting", func(r web.RunBody) bool { return r.Over || r.State == "queued" && r.Attempts > 0 })
		t.Logf("%s killed after %s: %s %s", victim, wait, ended.State, ended.Reason)
		if ended.State == "queued" {
			rig.stop(run.Number)
			ended = rig.until(run.Number, "over", func(r web.RunBody) bool { return r.Over })
		}
		if !ended.Over || (ended.State == "succeeded") != (ended.Model != "") || (ended.State == "succeeded") != (ended.Candidate > 0) {
			t.Errorf("run %d: %s with model %q and candidate %d", run.Number, ended.State, ended.Model, ended.Candidate)
		}
		if victim == "server" && ended.State != "succeeded" {
			t.Errorf("killing the server changed the run: %s %s", ended.State, ended.Reason)
		}
	}
	rig.noProcess() // predictions that followed the successful ones end by themselves
	out, errs, code := rig.adjudge("doctor")
	if code != 0 {
		t.Errorf("the history does not verify: %s%s", out, errs)
	}
}

// The trigger is a request over HTTP, the first instruction the first line of
// the trainer's log, with all that lies between: two commits, two processes,
// the inputs.
func BenchmarkTriggerToTrainersFirstInstructionOf300Rows(b *testing.B) {
	rig := newTrainingRig(b, 300)
	rig.serve()
	c, err := rig.client()
	if err != nil {
		b.Fatal(err)
	}
	seed := uint64(0)
	var sum time.Duration
	for b.Loop() {
		seed++
		began := time.Now()
		var run web.RunBody
		body := web.TrainBody{Recipe: "text-linear", Snapshot: "1", Seed: seed, Params: map[string]json.RawMessage{"epochs": json.RawMessage("20")}}
		if err := c.post(b.Context(), apiPath("projects", "bank", "runs"), body, &run); err != nil {
			b.Fatal(err)
		}
		log := filepath.Join(rig.data, "jobs", "*", "log.txt")
		for started := false; !started; time.Sleep(time.Millisecond) {
			dirs, _ := filepath.Glob(log)
			for _, d := range dirs {
				if info, err := os.Stat(d); err == nil && info.Size() > 0 && info.ModTime().After(began) {
					sum += info.ModTime().Sub(began)
					started = true
				}
			}
		}
		b.StopTimer()
		rig.until(run.Number, "over", func(r web.RunBody) bool { return r.Over })
		for len(rig.processes()) > 0 {
			time.Sleep(20 * time.Millisecond)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(sum.Milliseconds())/float64(b.N), "ms/trigger-to-start")
}
