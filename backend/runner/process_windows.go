package runner

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Windows knows a trainer by its process id alone; it has no polite signal, so
// a trainer that wants to stop well looks at control/stop.

const marker = "ADJUDGE_JOB_DIR"

type cgroup struct{}

func adoptOrphans() error      { return nil }
func newCgroup(string) *cgroup { return nil }
func (*cgroup) name() string   { return "" }
func (*cgroup) remove()        {}
func memoryKills(*cgroup) int  { return 0 }
func startOf(int) uint64       { return 0 }
func bootID() string           { return "" }
func interrupt(int)            {}

func isolate(cmd *exec.Cmd, _ *cgroup) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func launch(cmd *exec.Cmd, _ <-chan struct{}) error { return cmd.Start() }

func lockDir(dir string) (*os.File, error) {
	// A file that is open for writing cannot be removed here, so a runner that
	// lives keeps its lock.
	path := filepath.Join(dir, "lock")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("another runner is at work in this directory")
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

func killAll(_, _ string, pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

func sweep(dir, _ string) error {
	if pid := trainerOf(dir); pid > 1 {
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill()
		}
	}
	return nil
}
