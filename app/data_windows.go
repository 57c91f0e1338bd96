package app

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile opens a file that this process alone holds, or returns errOwned. The
// system lets nobody else open it before this process has ended.
func lockFile(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const shareNothing, sharingViolation = 0, syscall.Errno(32)
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, shareNothing, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errOwned
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(handle), path), nil
}

// freeBytes returns -1: how much room is left is not looked at here.
func freeBytes(string) float64 { return -1 }

// lockDatabase takes a SQLite file for this process: a file beside it, below the path
// that is left when links are followed.
func lockDatabase(path string) (*os.File, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	return lockFile(real + ".lock")
}
