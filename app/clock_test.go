package app

import (
	"errors"
	"go/ast"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
)

// machineClock are the files that may read the machine's own clock, and what
// for. All others get theirs handed in, so that what the program writes down as
// a time is of one clock, which a test can set.
func machineClock() map[string]string {
	const (
		elapsed = "measures how long something takes or may take"
		others  = "compares with a clock of others: a file system, a bucket, a socket"
	)
	return map[string]string{
		"app/clock.go":                    "is the program's clock",
		"app/bench.go":                    elapsed,
		"app/compare.go":                  elapsed,
		"app/gate.go":                     elapsed,
		"app/progress.go":                 elapsed,
		"app/team.go":                     elapsed,
		"app/team_handover.go":            elapsed,
		"app/doctor.go":                   others,
		"app/operate.go":                  others,
		"backend/blob":                    others,
		"backend/checkpoint/clock.go":     "notices that the machine's clock was set",
		"backend/checkpoint/bucket.go":    others,
		"backend/engine/local/local.go":   others,
		"backend/format/ingest":           others,
		"backend/live":                    others,
		"backend/runner/lock_unix.go":     elapsed,
		"backend/runner/process_linux.go": elapsed,
		"backend/runner/run.go":           "has the machine's clock where it is given none",
		"backend/runner/ship.go":          elapsed,
		"backend/store/peers.go":          elapsed,
		"backend/store/store.go":          "has the machine's clock where it is given none, and measures",
		"backend/store/writer.go":         elapsed,
		"backend/trace":                   elapsed,
		"backend/trainer":                 "is a program of its own, perhaps on another machine",
		"backend/web/middleware.go":       elapsed,
		"backend/web/patience.go":         elapsed,
	}
}

func TestClocksAreHandedIn(t *testing.T) {
	t.Parallel()
	allowed, used := machineClock(), map[string]bool{}
	for _, file := range sources(t) {
		if strings.HasSuffix(file.path, "_test.go") || strings.HasPrefix(file.path, "build/") || strings.Contains(file.path, "test/") {
			continue
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			// Since and Until read it as well.
			if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "Now" || s.Sel.Name == "Since" || s.Sel.Name == "Until") {
				if from, ok := s.X.(*ast.Ident); ok && from.Name == "time" {
					for prefix := range allowed {
						if strings.HasPrefix(file.path, prefix) {
							used[prefix] = true
							return true
						}
					}
					t.Errorf("%s reads the clock of the machine; what is written down or compared with it needs the one that is handed in (app/clock.go), and what only measures is added to the list in app/clock_test.go", file.path)
				}
			}
			return true
		})
	}
	for prefix := range allowed {
		if !used[prefix] {
			t.Errorf("%s no longer reads the clock of the machine: take it off the list", prefix)
		}
	}
}

func TestTheClockOfTheTestsMovesTheProgramAlone(t *testing.T) {
	t.Setenv("ADJUDGE_TEST_BINARY", "")
	defer func(was string) { ahead = was }(ahead)
	if err := moveClock("2099-12-31T23:59:00Z"); err != nil {
		t.Fatal(err)
	}
	if got := now().UTC(); got.Year() != 2099 || got.Month() != time.December || got.Day() != 31 {
		t.Errorf("the program's clock shows %v", got)
	}
	for _, wrong := range []string{"tomorrow", "2001-02-03T04:05:06Z"} {
		if err := moveClock(wrong); err == nil {
			t.Errorf("the clock was set to %q", wrong)
		}
	}
}

// What a server writes down is of its own clock: that of this run, and of one
// that is linked to be a leap year ahead.
func TestTheLinkersClockIsWrittenDown(t *testing.T) {
	t.Parallel()
	const further = 366 * 24 * time.Hour
	moved := filepath.Join(t.TempDir(), "adjudge")
	if err := build(moved, further.String()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, program string
		clock         func() time.Time
	}{
		{"of this run", binary(t), now},
		{"ahead", moved, func() time.Time { return time.Now().Add(further) }},
	} {
		data := t.TempDir()
		begun := c.clock().Add(-time.Second) // the run's clock is set to the second
		_, _, stop := startProgram(t, c.program, data, nil)
		stop()
		ended := c.clock().Add(time.Second)
		db, err := store.Open(t.Context(), filepath.Join(data, "adjudge.db"), store.Options{Now: c.clock})
		if err != nil {
			t.Fatal(err)
		}
		events := 0
		err = db.WalkHistory(t.Context(), func(r ledger.Record) error {
			if events++; r.At.Before(begun) || r.At.After(ended) {
				t.Errorf("%s: %s was written down at %v, between %v and %v", c.name, r.Kind, r.At, begun, ended)
			}
			return nil
		})
		if err := errors.Join(err, db.Close()); err != nil || events == 0 {
			t.Errorf("%s: %d events, %v", c.name, events, err)
		}
	}
}
