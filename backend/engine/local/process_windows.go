package local

import (
	"os"
	"os/exec"
	"syscall"
)

// detached starts a process without a console of ours (DETACHED_PROCESS).
const detached = 0x00000008

func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detached}
}

// terminate does nothing: the runner learns of the stop by its next heartbeat.
func terminate(int) error { return nil }

func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil //nolint:nilerr // it is gone, which is what was wanted
	}
	return p.Kill()
}

func reachable(*os.Process) bool { return true }
