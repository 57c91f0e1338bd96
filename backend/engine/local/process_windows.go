package local

import (
	"errors"
	"os"
	"os/exec"
)

// New refuses on Windows, so nothing calls these.

func detach(*exec.Cmd)           {}
func terminate(int) error        { return errors.ErrUnsupported }
func kill(int) error             { return errors.ErrUnsupported }
func reachable(*os.Process) bool { return false }
