package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// report prints what every failed stage wrote and then the table, so that the
// last screen says all that went wrong, and returns it in one line.
func report(ctx context.Context, w io.Writer, results []result, wall time.Duration) error {
	var red []string
	for _, r := range results {
		if r.err == nil {
			continue
		}
		red = append(red, r.stage.name)
		if !errors.Is(r.err, errNotRun) {
			_, _ = fmt.Fprintf(w, "\n──── %s failed: %v ────\n%s\n", r.stage.name, r.err, r.out)
		}
	}
	table(w, results, wall, ctx.Err() != nil)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if len(red) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(red, ", "))
	}
	return nil
}

// table prints every stage, how long it took and what it came to, and names
// the tests that failed and those that were skipped.
func table(w io.Writer, results []result, wall time.Duration, interrupted bool) {
	const line = "─────────────────────────────────────────────────────"
	_, _ = fmt.Fprintf(w, "\n  %-12s %9s   %s\n  %s\n", "stage", "seconds", "outcome", line)
	for _, r := range results {
		outcome := r.out.summary()
		switch {
		case errors.Is(r.err, errNotRun):
			outcome = r.err.Error()
		case r.err != nil && interrupted:
			outcome = "interrupted"
		case r.err != nil:
			outcome = "FAILED"
			if broken, done := r.out.failures(); len(broken) > 0 {
				outcome = fmt.Sprintf("FAILED: %d of %d tests", len(broken), done)
			}
		}
		_, _ = fmt.Fprintf(w, "  %-12s %9.1f   %s\n", r.stage.name, r.seconds, outcome)
	}
	_, _ = fmt.Fprintf(w, "  %s\n  %-12s %9.1f\n", line, "wall clock", wall.Seconds())
	for _, r := range results {
		for _, skip := range r.out.skipped {
			_, _ = fmt.Fprintf(w, "  skipped in %s: %s\n", r.stage.name, skip)
		}
	}
	for _, r := range results {
		broken, _ := r.out.failures()
		for _, test := range broken {
			_, _ = fmt.Fprintf(w, "  FAILED in %s: %s\n", r.stage.name, test)
		}
	}
}
