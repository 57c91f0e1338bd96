//go:build unix && !linux

package local

import (
	"os"
	"syscall"
)

func reachable(p *os.Process) bool { return p.Signal(syscall.Signal(0)) == nil }
