//go:build unix

package app

import (
	"errors"
	"os"
	"syscall"
)

// lockFile opens a file that this process alone holds, or returns errOwned. The
// lock ends with the process, however that ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errOwned
		}
		return nil, err
	}
	return f, nil
}

// freeBytes returns how much room is left on the disk of a directory, negative
// where that is unknown.
func freeBytes(path string) float64 {
	var at syscall.Statfs_t
	if err := syscall.Statfs(path, &at); err != nil {
		return -1
	}
	return float64(at.Bavail) * float64(at.Bsize)
}
