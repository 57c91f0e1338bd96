package app

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// The tests of commands and pages run the real program: built once, started as
// a process of its own, so that what it starts (parsers, runners) is real too.

var (
	binaryFolder string
	binaryOnce   sync.Once
	binaryPath   string
	errBinary    error
)

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "adjudge-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaryFolder = folder
	if err := moveClock(os.Getenv("ADJUDGE_TEST_CLOCK")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// patience is how long a test waits for something that will come before it says
// that it does not come. No test measures by it, so that it is long: other work
// may take the machine for a while.
const patience = 3 * time.Minute

// waitUntil looks again and again, for what has no event to wait for. Where it is
// in vain, it says how things stand, if it is given somebody who knows.
func waitUntil(t testing.TB, what string, done func() bool, stand ...func() string) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			for _, now := range stand {
				what += "; " + now()
			}
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// moveClock sets the clock of the servers and commands that the tests start, and
// of the pages in their browser, to a moment, from which it goes on. The tests
// themselves measure with the machine's.
func moveClock(to string) error {
	if to == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, to)
	switch {
	case err != nil:
		return fmt.Errorf("ADJUDGE_TEST_CLOCK is a moment such as 2028-02-29T12:00:00Z: %w", err)
	case time.Until(at) < 0:
		// A browser throws away cookies that end before its own today.
		return fmt.Errorf("ADJUDGE_TEST_CLOCK is a moment to come, and %s is past", to)
	case os.Getenv("ADJUDGE_TEST_BINARY") != "":
		return errors.New("the clock of a program that was built already cannot be moved: leave ADJUDGE_TEST_BINARY or ADJUDGE_TEST_CLOCK out")
	}
	ahead = time.Until(at).Round(time.Second).String()
	return nil
}

// binary returns the path of the program, which stands alone in its folder.
// ADJUDGE_TEST_BINARY names one that was built already.
func binary(t testing.TB) string {
	t.Helper()
	binaryOnce.Do(func() {
		if binaryPath = os.Getenv("ADJUDGE_TEST_BINARY"); binaryPath != "" {
			return
		}
		binaryPath = filepath.Join(binaryFolder, "adjudge")
		errBinary = build(binaryPath, ahead)
	})
	if errBinary != nil {
		t.Fatal(errBinary)
	}
	return binaryPath
}

// build builds the program with a clock that is ahead by so much. The linker says
// nothing of a variable that does not exist: TestTheLinkersClockIsWrittenDown does.
func build(path, ahead string, flags ...string) error {
	args := append([]string{"build", "-ldflags=-X github.com/adjudge/adjudge/app.ahead=" + ahead, "-o", path}, flags...)
	if out, err := exec.Command("go", append(args, "github.com/adjudge/adjudge")...).CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return nil
}
