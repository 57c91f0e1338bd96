package app

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
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
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
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
		build := exec.Command("go", "build", "-o", binaryPath, "github.com/adjudge/adjudge")
		if out, err := build.CombinedOutput(); err != nil {
			errBinary = fmt.Errorf("build the program: %w\n%s", err, out)
		}
	})
	if errBinary != nil {
		t.Fatal(errBinary)
	}
	return binaryPath
}
