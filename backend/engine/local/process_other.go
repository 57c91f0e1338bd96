//go:build !linux

package local

import "os"

// Systems without /proc have no start times to compare: a process id that was
// given to another program is taken for the runner until its lease runs out.

func startOf(int) uint64 { return 0 }
func bootID() string     { return "" }

func alive(pid int, _ uint64) bool {
	p, err := os.FindProcess(pid)
	return err == nil && reachable(p)
}
