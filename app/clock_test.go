package app

import (
	"go/ast"
	"os"
	"strings"
	"testing"
	"time"
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
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Now" {
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
	if os.Getenv("ADJUDGE_TEST_CLOCK") != "" {
		t.Skip("the clock of this run is moved")
	}
	t.Setenv("ADJUDGE_TEST_BINARY", "")
	defer func() { ahead = "" }()
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
