//go:build unix && !linux

package runner

import (
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
