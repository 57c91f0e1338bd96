//go:build !linux

package ingest

import "runtime/debug"

// Confine limits this process as far as this system lets it.
func Confine() error {
	debug.SetMemoryLimit(192 << 20)
	debug.SetGCPercent(50)
	return nil
}
