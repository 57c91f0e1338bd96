// Package local places attempts on the machine of the server, each under a
// runner that is a process of its own: it outlives the server and is found
// again by what it left in its directory.
package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/training"
)

// Config says where and how attempts run.
type Config struct {
	Root   string // a directory per attempt, named by its fence
	Data   string // data directory, whose server.json tells runners where the server is
	Binary string // the program that has the command runner
	Slots  int    // attempts at a time; as many as there are CPUs if zero
	Log    *slog.Logger
}

// Engine places attempts on this machine.
type Engine struct{ Config }

var _ training.Engine = (*Engine)(nil)

// New returns an engine over a root directory, which it makes. On Windows it
// returns errors.ErrUnsupported: nothing there ends a trainer with its runner.
func New(c Config) (*Engine, error) {
	if runtime.GOOS == "windows" {
		return nil, fmt.Errorf("training on this machine needs Linux or macOS: %w", errors.ErrUnsupported)
	}
	if c.Slots == 0 {
		c.Slots = runtime.NumCPU()
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	root, err := filepath.Abs(c.Root)
	if err != nil {
		return nil, err
	}
	c.Root = root
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of training jobs: %w", err)
	}
	e := &Engine{c}
	e.forget(30 * 24 * time.Hour)
	return e, nil
}

// forget removes checkpoints that no attempt has asked for in a long time.
func (e *Engine) forget(age time.Duration) {
	entries, err := os.ReadDir(filepath.Join(e.Root, "checkpoints"))
	if err != nil {
		return // there are none
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > age {
			if err := os.RemoveAll(filepath.Join(e.Root, "checkpoints", entry.Name())); err != nil {
				e.Log.Warn("remove an old checkpoint", "error", err)
			}
		}
	}
}

// Name implements training.Engine.
func (e *Engine) Name() string { return "local" }

// Slots implements training.Engine.
func (e *Engine) Slots() int { return e.Config.Slots }

func (e *Engine) dir(fence int64) string {
	return filepath.Join(e.Root, strconv.FormatInt(fence, 10))
}

// Place starts a runner in the attempt's directory and in a session of its own.
func (e *Engine) Place(_ context.Context, p training.Placement) (string, error) {
	dir := e.dir(p.Fence)
	if id, alive := e.runner(training.Handle{Fence: p.Fence}); alive {
		return id, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if p.Token != "" {
		if err := e.furnish(dir, p); err != nil {
			return "", err
		}
	}
	log, err := os.OpenFile(filepath.Join(dir, "runner.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { _ = log.Close() }()
	// Not bound to a context: the runner outlives whoever asked for it.
	cmd := exec.Command(e.Binary, "runner", "--job", dir)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = dir, log, log, environ()
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return "", err
	}
	// Collected when it ends, or it would stay behind as a zombie.
	go func() { _ = cmd.Wait() }()
	return extID(cmd.Process.Pid, startOf(cmd.Process.Pid)), nil
}

// furnish writes the ticket and hands the checkpoint of the attempt before on.
func (e *Engine) furnish(dir string, p training.Placement) error {
	ticket, err := json.Marshal(training.Ticket{Fence: p.Fence, Token: p.Token, Data: e.Data})
	if err != nil {
		return err
	}
	if p.Previous != 0 {
		err := os.Rename(filepath.Join(e.Root, "checkpoints", strconv.FormatInt(p.Previous, 10)), filepath.Join(dir, "checkpoint"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, training.FileTicket), ticket, 0o600)
}

// environ is our environment without what belongs to the server: an address of
// a database may hold its password.
func environ() []string {
	var kept []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ADJUDGE_") {
			kept = append(kept, v)
		}
	}
	return kept
}

func extID(pid int, start uint64) string { return fmt.Sprintf("%d:%d", pid, start) }

// runner returns the process of an attempt's runner and whether it lives. The
// trace that the runner left counts more than what the server remembers.
func (e *Engine) runner(h training.Handle) (string, bool) {
	var trace training.Trace
	if raw, err := os.ReadFile(filepath.Join(e.dir(h.Fence), training.FileTrace)); err == nil && json.Unmarshal(raw, &trace) == nil && trace.Host.Runner > 0 {
		return extID(trace.Host.Runner, trace.Host.RunnerStart), trace.Host.BootID == bootID() && alive(trace.Host.Runner, trace.Host.RunnerStart)
	}
	pid, start := parseExtID(h.ExtID)
	return h.ExtID, pid > 0 && alive(pid, start)
}

func parseExtID(id string) (int, uint64) {
	left, right, _ := strings.Cut(id, ":")
	pid, err1 := strconv.Atoi(left)
	start, err2 := strconv.ParseUint(right, 10, 64)
	if err1 != nil || err2 != nil {
		return 0, 0
	}
	return pid, start
}

// youth is how long an attempt without a trace may be about to leave one.
const youth = 5 * time.Second

// Describe implements training.Engine.
func (e *Engine) Describe(_ context.Context, handles []training.Handle) ([]training.Vital, error) {
	vitals := make([]training.Vital, len(handles))
	for i, h := range handles {
		vitals[i] = e.describe(h)
	}
	return vitals, nil
}

func (e *Engine) describe(h training.Handle) training.Vital {
	if _, alive := e.runner(h); alive {
		return training.VitalAlive
	}
	dir := e.dir(h.Fence)
	if _, err := os.Stat(filepath.Join(dir, training.FileExit)); err == nil {
		return training.VitalEnded
	}
	if _, err := os.Stat(filepath.Join(dir, training.FileTrace)); err == nil || h.ExtID != "" {
		return training.VitalGone
	}
	if info, err := os.Stat(filepath.Join(dir, training.FileTicket)); err == nil && time.Since(info.ModTime()) < youth {
		return training.VitalUnknown // a server died while it placed this; its runner may be starting
	}
	return training.VitalGone
}

// Stop leaves the reason where runner and trainer look, and wakes the runner.
func (e *Engine) Stop(_ context.Context, h training.Handle, s training.Stop) error {
	id, alive := e.runner(h)
	if !alive {
		return nil
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	path := filepath.Join(e.dir(h.Fence), training.FileStop)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(path+".asked", raw, 0o600), os.Rename(path+".asked", path)); err != nil {
		return err
	}
	pid, _ := parseExtID(id)
	return terminate(pid)
}

// Clear kills the runner and has another one kill the rest, unless the attempt
// ended in good order. The checkpoint is kept for an attempt that may follow.
func (e *Engine) Clear(ctx context.Context, h training.Handle) error {
	dir := e.dir(h.Fence)
	if id, alive := e.runner(h); alive {
		pid, _ := parseExtID(id)
		if err := kill(pid); err != nil {
			return err
		}
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := e.keepCheckpoint(dir, h.Fence); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, training.FileExit)); err == nil {
		return os.RemoveAll(dir) // the runner killed what was left before it wrote that file
	}
	if _, err := os.Stat(filepath.Join(dir, training.FileTicket)); err != nil {
		return os.RemoveAll(dir) // nothing ever ran here
	}
	cmd := exec.CommandContext(ctx, e.Binary, "runner", "--clear", dir)
	cmd.Env = environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("clear %s: %w: %s", dir, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// keepCheckpoint moves a checkpoint that holds anything aside.
func (e *Engine) keepCheckpoint(dir string, fence int64) error {
	from := filepath.Join(dir, "checkpoint")
	if entries, err := os.ReadDir(from); err != nil || len(entries) == 0 {
		return nil //nolint:nilerr // no checkpoint is the usual case
	}
	to := filepath.Join(e.Root, "checkpoints", strconv.FormatInt(fence, 10))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// Known implements training.Engine.
func (e *Engine) Known(context.Context) ([]int64, error) {
	entries, err := os.ReadDir(e.Root)
	if err != nil {
		return nil, err
	}
	var fences []int64
	for _, entry := range entries {
		if fence, err := strconv.ParseInt(entry.Name(), 10, 64); err == nil && entry.IsDir() {
			fences = append(fences, fence)
		}
	}
	return fences, nil
}

// Remains implements training.Engine.
func (e *Engine) Remains(_ context.Context, h training.Handle, offset int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(e.dir(h.Fence), training.FileLog))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.NewSectionReader(f, offset, 1<<20))
}

// Render implements training.Engine.
func (e *Engine) Render(p training.Placement) string {
	return "# on this machine, in a session of its own\nadjudge runner --job " + e.dir(p.Fence)
}
