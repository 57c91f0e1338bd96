//go:build unix

package local

import (
	"errors"
	"os/exec"
	"syscall"
)

// detach puts the runner in a session of its own, out of reach of what ends
// the server.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

func terminate(pid int) error { return send(pid, syscall.SIGTERM) }

func kill(pid int) error { return send(pid, syscall.SIGKILL) }

// send takes a process that is gone for one that was reached.
func send(pid int, s syscall.Signal) error {
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
