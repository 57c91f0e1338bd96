package local

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/adjudge/adjudge/backend/engine/enginetest"
	"github.com/adjudge/adjudge/backend/runner"
	"github.com/adjudge/adjudge/backend/training"
)

// TestMain lets this test binary stand for the program: the engine starts it
// with the command runner.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "runner" {
		var err error
		switch os.Args[2] {
		case "--job":
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
			err = runner.Run(ctx, runner.Config{Dir: os.Args[3], Self: os.Args[0], Version: "test", Log: slog.Default()})
			stop()
		case "--clear":
			err = runner.Clear(os.Args[3])
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func open(t *testing.T) enginetest.Subject {
	t.Helper()
	data := t.TempDir()
	e, err := New(Config{Root: filepath.Join(data, "jobs"), Data: data, Binary: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		known, _ := e.Known(context.Background())
		for _, fence := range known {
			if err := e.Clear(context.Background(), training.Handle{Fence: fence}); err != nil {
				t.Error(err)
			}
		}
	})
	return enginetest.Subject{Engine: e, Announce: func(address string) {
		raw, _ := json.Marshal(map[string]string{"url": address})
		path := filepath.Join(data, "server.json")
		if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}}
}

func TestLocalPassesTheSuite(t *testing.T) { enginetest.Run(t, open) }

func TestAnotherProcessWithTheSameIDIsNotTheRunner(t *testing.T) {
	t.Parallel()
	self := os.Getpid()
	if !alive(self, startOf(self)) {
		t.Error("we do not live")
	}
	if alive(self, startOf(self)+1) {
		t.Error("a process that started later is taken for the runner")
	}
	if alive(1<<22+1, 0) {
		t.Error("a process that cannot be lives")
	}
}

func TestSecretsOfTheServerDoNotReachARunner(t *testing.T) {
	t.Setenv("ADJUDGE_DATABASE", "postgres://user:secret@host/db")
	for _, v := range environ() {
		if strings.Contains(v, "secret") {
			t.Errorf("%s is passed on", v)
		}
	}
	e, err := New(Config{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if text := e.Render(training.Placement{Fence: 1, Token: "hidden"}); strings.Contains(text, "hidden") {
		t.Errorf("what was submitted shows the token: %s", text)
	}
}
