//go:build unix

package runner

import (
	"strings"
	"testing"
	"time"
)

// A runner that was killed lets go of its directory a moment after it counts as
// dead; the next one waits for that, and gives way to one that lives.
func TestADirectoryIsTakenOverFromWhoLetsGoOfIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := lockDir(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDir(t.Context(), dir, 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "another runner") {
		t.Fatalf("a directory that is taken is given to a second runner: %v", err)
	}
	taken := make(chan error, 1)
	go func() {
		second, err := lockDir(t.Context(), dir, time.Minute)
		if err == nil {
			err = second.Close()
		}
		taken <- err
	}()
	time.Sleep(50 * time.Millisecond) // so that it waits; were it not yet there, it would take the lock at once
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Errorf("the next runner does not get the directory: %v", err)
	}
}
