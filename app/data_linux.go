package app

import (
	"errors"
	"os"
	"syscall"
)

// lockDatabase takes a SQLite file for this process, whatever path leads to it: the
// lock is one of the file itself, so links and mounts make no difference. It is of
// another kind than those that SQLite takes, which neither see it nor end with it;
// commands that look at the file beside a server do not ask for it. It returns
// errOwned where another server has it.
func lockDatabase(path string) (*os.File, error) {
	f, err := os.Open(path)
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
