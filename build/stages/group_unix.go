//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// endTogether makes a command that is cancelled take its children with it.
func endTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
