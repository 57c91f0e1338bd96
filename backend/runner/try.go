package runner

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/adjudge/adjudge/backend/training"
)

// Try runs one attempt without a server, in a directory whose inputs are there
// already, and prints its log to out. It returns the trainer's exit code, and
// an error when a promised output is missing.
func Try(ctx context.Context, dir, self string, spec training.Spec, out io.Writer) (int, error) {
	if err := refuse(); err != nil {
		return 0, err
	}
	r := &run{Config: Config{Dir: dir, Self: self}, client: newClient(nil, training.Ticket{})}
	inputs := spec.Inputs
	spec.Inputs = nil
	if _, err := r.layOut(ctx, spec); err != nil {
		return 0, err
	}
	for _, in := range inputs {
		if err := writeFile(filepath.Join(dir, "input", in.Name, "dataset.json"), in.Dataset); err != nil {
			return 0, err
		}
	}
	spec.Inputs = inputs
	cmd, _ := r.command(spec)
	log, err := os.Create(filepath.Join(dir, training.FileLog))
	if err != nil {
		return 0, err
	}
	defer func() { _ = log.Close() }()
	cmd.Stdout = io.MultiWriter(out, log)
	cmd.Stderr = cmd.Stdout
	cmd.WaitDelay = time.Duration(spec.GraceS+1) * time.Second
	isolate(cmd, nil)
	done := make(chan struct{})
	defer close(done)
	if err := launch(cmd, done); err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() {
		raw, _ := json.Marshal(training.Stop{Reason: training.StopCancel, GraceS: spec.GraceS})
		_ = writeFile(filepath.Join(dir, training.FileStop), raw)
		interrupt(cmd.Process.Pid)
		time.AfterFunc(time.Duration(spec.GraceS)*time.Second, func() { killAll(dir, "", cmd.Process.Pid) })
	})
	defer stop()
	if err := cmd.Wait(); err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return max(exit.ExitCode(), 1), nil
		}
		return 0, err
	}
	for _, want := range spec.Outputs {
		if _, err := os.Stat(filepath.Join(dir, "output", filepath.FromSlash(want))); err != nil {
			return 0, err
		}
	}
	return 0, nil
}
