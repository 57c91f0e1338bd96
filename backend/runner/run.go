package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
)

// Config is what a runner must know.
type Config struct {
	Dir     string                 // the job directory, with its ticket
	Server  func() (string, error) // address of the server now, asked again after every failure; ServerOf if nil
	Self    string                 // the binary that {adjudge} stands for
	Version string
	Log     *slog.Logger
	Now     func() time.Time // the clock by which an attempt begins and ends; time.Now if nil
}

// patience is how long a finished attempt waits for a server that is away. A
// training of hours is worth more than a day of waiting.
const patience = 7 * 24 * time.Hour

// dying is how long a runner that was killed may still hold its directory: the
// system calls a process dead when its first thread is, and the others, which
// hold its files, end a moment later; on a busy machine that is a long moment.
const dying = 10 * time.Second

// refuse returns an error where nothing can end a trainer for certain.
func refuse() error {
	if runtime.GOOS == "windows" {
		return fmt.Errorf("a training job needs Linux or macOS: %w", errors.ErrUnsupported)
	}
	return nil
}

// Run carries out or finishes the attempt in a job directory and returns when
// the server knows all about it. When ctx ends the trainer is stopped politely;
// its outcome is delivered all the same.
func Run(ctx context.Context, c Config) error {
	if err := refuse(); err != nil {
		return err
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	c.Dir = dir
	lock, err := lockDir(ctx, dir, dying)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	var ticket training.Ticket
	if found, err := readJSON(filepath.Join(dir, training.FileTicket), &ticket); err != nil || !found {
		return fmt.Errorf("%s holds no ticket of an attempt: %w", dir, cmp.Or(err, os.ErrNotExist))
	}
	var before training.Trace
	if _, err := readJSON(filepath.Join(dir, training.FileTrace), &before); err != nil {
		return err
	}
	var finish training.Finish
	ended, err := readJSON(filepath.Join(dir, training.FileExit), &finish)
	if err != nil {
		return err
	}
	if c.Server == nil {
		c.Server = ServerOf(dir)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if err := adoptOrphans(); err != nil {
		c.Log.Warn("orphans cannot be adopted", "error", err)
	}
	r := &run{Config: c, ticket: ticket, client: newClient(c.Server, ticket)}
	r.trace = training.Trace{Fence: ticket.Fence, Host: training.Host{BootID: bootID(), Runner: os.Getpid(), RunnerStart: startOf(os.Getpid())}}
	r.trace.Host.Name, _ = os.Hostname()
	// What an earlier runner started stays named until it is buried.
	r.trace.Host.Trainer, r.trace.Host.TrainerStart, r.trace.Cgroup = before.Host.Trainer, before.Host.TrainerStart, before.Cgroup
	r.log = &shipper{client: r.client, stream: training.StreamLog, path: filepath.Join(dir, training.FileLog)}
	r.metrics = &shipper{client: r.client, stream: training.StreamMetrics, path: filepath.Join(dir, "output", "metrics.jsonl")}
	// From here on a server that comes back finds us alive.
	if err := r.leaveTrace(); err != nil {
		return err
	}
	// Stop requests go through one place, whoever makes them. What we tell the
	// server after one must not end with it.
	calm := context.WithoutCancel(ctx)
	if !ended {
		if before.Host.Trainer != 0 {
			finish = r.bury(before)
		} else if finish, err = r.execute(ctx, calm); err != nil {
			if errors.Is(err, errStale) {
				return errors.Join(err, sweep(dir, r.trace.Cgroup))
			}
			return err
		}
		if err := writeJSON(filepath.Join(dir, training.FileExit), finish); err != nil {
			return err
		}
	} else if err := sweep(dir, before.Cgroup); err != nil {
		c.Log.Error("sweep", "error", err)
	}
	return r.deliver(calm, finish)
}

// run is one attempt in progress.
type run struct {
	Config
	ticket  training.Ticket
	client  *client
	trace   training.Trace
	log     *shipper
	metrics *shipper

	mu      sync.Mutex
	stopped string // why the trainer was asked to stop
	pid     int    // of the trainer while it lives
	ended   chan struct{}
	gaveUp  bool // the server gave the attempt up
}

func (r *run) leaveTrace() error {
	return writeJSON(filepath.Join(r.Dir, training.FileTrace), r.trace)
}

// bury ends what a runner before us left and reports the attempt lost.
func (r *run) bury(before training.Trace) training.Finish {
	f := training.Finish{Reason: training.ReasonLost, Message: fault.Say("The supervisor of this attempt died; its trainer was ended with it."), EndedAt: r.Now().UTC()}
	if err := sweep(r.Dir, before.Cgroup); err != nil {
		r.Log.Error("sweep", "error", err)
		f.Message += " " + fault.Say("Some of its processes could not be ended: %s.", err)
	}
	f.LogBytes, f.LogCRC32 = sumLog(r.log.path)
	return f
}

// execute fetches, runs and supervises the trainer until nothing of it is left.
func (r *run) execute(ctx, calm context.Context) (training.Finish, error) {
	finish := training.Finish{}
	var spec training.Spec
	err := insist(calm, patience, func() (err error) { spec, err = r.client.start(calm); return err })
	if err != nil {
		return finish, err
	}
	failed := func(reason training.Reason, err error) training.Finish {
		f := training.Finish{Reason: reason, Message: err.Error(), EndedAt: r.Now().UTC()}
		f.LogBytes, f.LogCRC32 = sumLog(r.log.path)
		return f
	}
	inputs, err := r.layOut(calm, spec)
	if err != nil {
		if errors.Is(err, errStale) {
			return finish, err
		}
		return failed(training.ReasonInput, err), nil
	}
	log, err := openLog(r.log.path, spec.LogLimit)
	if err != nil {
		return finish, err
	}
	group := newCgroup("adjudge-" + strconv.FormatInt(r.ticket.Fence, 10) + "-" + strconv.Itoa(os.Getpid()))
	defer group.remove()
	r.trace.Cgroup = group.name()
	kills := memoryKills(group)
	cmd, command := r.command(spec)
	isolate(cmd, group)
	read, write, err := os.Pipe()
	if err != nil {
		return finish, err
	}
	cmd.Stdout, cmd.Stderr = write, write
	done := make(chan struct{})
	defer close(done)
	finish.StartedAt = r.Now().UTC()
	if err := launch(cmd, done); err != nil {
		_, _ = read.Close(), write.Close()
		log.close()
		return failed(training.ReasonNotStarted, fmt.Errorf("the command %q could not be started: %w", strings.Join(command, " "), err)), nil
	}
	_ = write.Close()
	r.trace.Host.Trainer, r.trace.Host.TrainerStart = cmd.Process.Pid, startOf(cmd.Process.Pid)
	if err := r.leaveTrace(); err != nil {
		return finish, errors.Join(err, sweep(r.Dir, r.trace.Cgroup))
	}
	copied := make(chan struct{})
	go func() { defer close(copied); _, _ = io.Copy(log, read) }()

	r.mu.Lock()
	r.pid, r.ended = cmd.Process.Pid, make(chan struct{})
	r.mu.Unlock()
	grace := time.Duration(spec.GraceS) * time.Second
	if spec.Stop != nil {
		r.stop(*spec.Stop, grace)
	}
	unhook := context.AfterFunc(ctx, func() { r.stop(r.askedStop(), grace) })
	defer unhook()
	reporting, quiet := context.WithCancel(calm)
	report := &reporter{client: r.client, log: r.log, metrics: r.metrics, grown: log.grown, host: r.trace.Host,
		stop: func(s training.Stop) { r.stop(s, grace) }, stale: r.giveUp}
	var reporters sync.WaitGroup
	reporters.Go(func() { report.run(reporting, time.Duration(spec.BeatS*float64(time.Second))) })

	waited := cmd.Wait()
	finish.EndedAt = r.Now().UTC()
	r.mu.Lock()
	r.pid = 0
	close(r.ended)
	finish.Stopped = r.stopped
	gaveUp := r.gaveUp
	r.mu.Unlock()
	// Whatever the trainer left running would hold memory, devices and our pipe.
	if err := sweep(r.Dir, r.trace.Cgroup); err != nil {
		r.Log.Error("sweep", "error", err)
		finish.Message = fault.Say("Some processes of the trainer could not be ended: %s.", err)
	}
	select {
	case <-copied:
	case <-time.After(2 * time.Second):
		_ = read.SetReadDeadline(time.Now())
		<-copied
	}
	_ = read.Close()
	quiet()
	reporters.Wait()
	finish.LogBytes, finish.LogCRC32 = log.close()
	if gaveUp {
		return finish, errStale
	}
	if waited != nil {
		exit, ok := errors.AsType[*exec.ExitError](waited)
		if !ok {
			return failed(training.ReasonNotStarted, waited), nil
		}
		finish.ExitCode = exit.ExitCode()
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			finish.Signal = status.Signal().String()
			finish.ExitCode = 128 + int(status.Signal())
			finish.OutOfMemory = memoryKills(group) > kills && finish.Stopped == ""
		}
	} else if finish.Stopped != "" {
		// It ended well although it was asked to stop: what it made is whole only
		// if it finished before the request came, which nobody can tell. The
		// request counts.
		finish.Message = fault.Say("The trainer ended well after it was asked to stop.")
	}
	finish.Environment = environment(r.Version, spec, command, inputs)
	return finish, nil
}

// layOut writes what the trainer reads.
func (r *run) layOut(ctx context.Context, spec training.Spec) (map[string]ledger.Digest, error) {
	for _, sub := range []string{"output", "control", "checkpoint", "input"} {
		if err := os.MkdirAll(filepath.Join(r.Dir, sub), 0o755); err != nil {
			return nil, &localError{err}
		}
	}
	if err := writeJSON(filepath.Join(r.Dir, "job.json"), spec.Job); err != nil {
		return nil, &localError{err}
	}
	params := spec.Params
	if len(params) == 0 {
		params = json.RawMessage("{}")
	}
	if err := writeFile(filepath.Join(r.Dir, "params.json"), params); err != nil {
		return nil, &localError{err}
	}
	return fetchInputs(ctx, r.client, r.Dir, spec.Inputs)
}

// command builds the trainer's command with the environment of the contract.
func (r *run) command(spec training.Spec) (*exec.Cmd, []string) {
	args := make([]string, len(spec.Command))
	for i, a := range spec.Command {
		args[i] = strings.ReplaceAll(a, "{adjudge}", r.Self)
	}
	if len(args) == 0 {
		args = []string{""}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = r.Dir
	cmd.Env = append(inherited(), variables(r.Dir, r.ticket, r.client.base, spec)...)
	return cmd, args
}

// askedStop is the stop that an engine left in control/stop, or that of a
// machine that shuts down.
func (r *run) askedStop() training.Stop {
	s := training.Stop{Reason: training.StopPreempt}
	if found, err := readJSON(filepath.Join(r.Dir, training.FileStop), &s); err != nil || !found {
		s = training.Stop{Reason: training.StopPreempt}
	}
	return s
}

// stop asks the trainer to end, once: a file for those who look, a signal for
// those who do not, and after the grace the end of all of them.
func (r *run) stop(s training.Stop, grace time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pid == 0 || r.stopped != "" {
		return
	}
	r.stopped = cmp.Or(s.Reason, training.StopCancel)
	if s.GraceS > 0 {
		grace = min(grace, time.Duration(s.GraceS)*time.Second)
	}
	s.Reason, s.GraceS = r.stopped, int(grace.Seconds())
	if err := writeJSON(filepath.Join(r.Dir, training.FileStop), s); err != nil {
		r.Log.Error("write control/stop", "error", err)
	}
	interrupt(r.pid)
	ended := r.ended
	go func() {
		select {
		case <-ended:
		case <-time.After(grace):
			r.kill()
		}
	}()
}

// giveUp kills the trainer of an attempt that is no longer ours.
func (r *run) giveUp() {
	r.mu.Lock()
	r.gaveUp = true
	r.mu.Unlock()
	r.kill()
}

// kill ends the trainer and everything it started. The main process is waited
// for by execute; sweep only reaps what is left after that.
func (r *run) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pid != 0 {
		killAll(r.Dir, r.trace.Cgroup, r.pid)
	}
}

// deliver brings log, metrics and outputs to the server and finishes.
func (r *run) deliver(ctx context.Context, finish training.Finish) error {
	insistent := func(f func() error) error { return insist(ctx, patience, f) }
	err := insistent(func() error {
		_, err := r.client.beat(ctx, training.Beat{Phase: training.PhaseCollecting, Host: &r.trace.Host})
		return err
	})
	for _, s := range []*shipper{r.log, r.metrics} {
		if err == nil {
			err = insistent(func() error { _, _, err := s.ship(ctx, true); return err })
		}
	}
	finish.MetricsBytes = r.metrics.offset
	if err == nil && finish.Reason == "" {
		finish.Outputs, err = sendOutputs(ctx, r.client, r.Log, r.Dir)
		finish.Result = result(r.Dir)
	}
	if err == nil {
		err = insistent(func() error { return r.client.finish(ctx, finish) })
	}
	if errors.Is(err, errStale) {
		return nil // decided without us; nothing is left running
	}
	return err
}

// Clear kills everything that is left of the attempt in a job directory and
// removes the directory. Its own runner must be dead.
func Clear(dir string) error {
	if err := refuse(); err != nil {
		return err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	var trace training.Trace
	if _, err := readJSON(filepath.Join(dir, training.FileTrace), &trace); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, training.FileTicket)); err != nil {
		return fmt.Errorf("%s is no job directory: %w", dir, err)
	}
	if err := sweep(dir, trace.Cgroup); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// ServerOf returns where the server of a ticket is: what the server.json of its
// data directory says now, or its fixed address.
func ServerOf(dir string) func() (string, error) {
	return func() (string, error) {
		var ticket training.Ticket
		found, err := readJSON(filepath.Join(dir, training.FileTicket), &ticket)
		if err == nil && !found {
			// Whoever removed the directory wants nothing of it any more.
			err = &localError{errors.New("the job directory is gone")}
		}
		if err != nil {
			return "", err
		}
		if ticket.Data == "" {
			return ticket.URL, nil
		}
		var at struct {
			URL string `json:"url"`
		}
		found, err = readJSON(filepath.Join(ticket.Data, "server.json"), &at)
		if err == nil && (!found || at.URL == "") {
			err = errors.New("no server runs on " + ticket.Data)
		}
		return at.URL, err
	}
}
