//go:build unix && !linux

package app

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockDatabase takes a SQLite file for this process, whatever path leads to it. Here
// a lock of the file itself would stand in the way of SQLite's own, so it is one of a
// file that is named after the device and the number of the file.
func lockDatabase(path string) (*os.File, error) {
	var at syscall.Stat_t
	if err := syscall.Stat(path, &at); err != nil {
		return nil, err
	}
	return lockFile(filepath.Join(os.TempDir(), fmt.Sprintf("adjudge-%d-%d.lock", at.Dev, at.Ino)))
}
