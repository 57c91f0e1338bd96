//go:build unix && !linux

package runner

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/adjudge/adjudge/backend/training"
)

// Systems without /proc know a trainer by its process group alone: a process
// that leaves the group on purpose is not found again.

const marker = "ADJUDGE_JOB_DIR"

type cgroup struct{}

func adoptOrphans() error                           { return nil }
func newCgroup(string) *cgroup                      { return nil }
func (*cgroup) name() string                        { return "" }
func (*cgroup) remove()                             {}
func memoryKills(*cgroup) int                       { return 0 }
func startOf(int) uint64                            { return 0 }
func bootID() string                                { return "" }
func isolate(cmd *exec.Cmd, _ *cgroup)              { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
func launch(cmd *exec.Cmd, _ <-chan struct{}) error { return cmd.Start() }
func interrupt(pid int)                             { _ = syscall.Kill(-pid, syscall.SIGTERM) }
func killAll(_, _ string, pid int)                  { _ = syscall.Kill(-pid, syscall.SIGKILL) }

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, errors.New("another runner is at work in this directory")
	}
	return f, nil
}

// sweep kills the process group that the job directory names.
func sweep(dir, _ string) error {
	var trace training.Trace
	if _, err := readJSON(filepath.Join(dir, training.FileTrace), &trace); err != nil {
		return err
	}
	if pid := trace.Host.Trainer; pid > 1 {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	return nil
}
