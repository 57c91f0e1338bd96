// Command stages is what `make test` runs: it installs what the tests need,
// runs every stage (two at a time where that is safe), and ends with a table
// of stages and seconds. A stage that fails stops the run, and its output is
// the last thing printed above the table.
//
//	go run ./build/stages            run everything
//	go run ./build/stages vet lint   run these stages and what they need
//	go run ./build/stages -list      name the stages
//	go run ./build/stages -k         run what can be run after a failure, too
//
// Everything a stage leaves behind (a PostgreSQL cluster, temporary files) is
// in one temporary folder, which is removed at the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	list := flag.Bool("list", false, "name the stages and stop")
	verbose := flag.Bool("v", false, "print the output of stages that succeed, too")
	keep := flag.Bool("k", false, "go on after a stage that failed with those that do not need it")
	flag.Parse()
	if *list {
		for _, s := range stages() {
			fmt.Printf("  %-10s %s\n", s.name, s.about)
		}
		return
	}
	if err := run(flag.Args(), *verbose, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "\nstages:", err)
		os.Exit(1)
	}
}

// stage is one row of the table.
type stage struct {
	name  string
	about string
	needs []string // stages that must have succeeded before
	alone bool     // watches the clock or a screen: nothing may run beside it
	last  bool     // takes every core and nothing needs it: it waits for all others
	run   func(*job) error
}

// job is one stage while it runs.
type job struct {
	ctx   context.Context
	out   *output
	house *house
}

// house is what stages of one run share.
type house struct {
	temp     string
	clusters map[string]cluster // private PostgreSQL clusters that were started
	s3       string             // the program of the S3 server, once it is built
}

type result struct {
	stage   stage
	seconds float64
	err     error
	out     *output
}

func run(names []string, verbose, keep bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	wanted, err := choose(stages(), names)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "adjudge-test-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	// A test that starts a PostgreSQL as its own user must get through.
	if err := os.Chmod(temp, 0o711); err != nil {
		return err
	}
	h := &house{temp: temp}
	defer h.stopPostgres()

	begin := time.Now()
	results, failed := schedule(ctx, cancel, wanted, h, verbose, keep)
	if failed != nil {
		fmt.Printf("\n──── %s failed ────\n%s\n", failed.stage.name, failed.out)
	}
	table(os.Stdout, results, time.Since(begin))
	if failed != nil {
		return fmt.Errorf("%s: %w", failed.stage.name, failed.err)
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return nil
}

// schedule starts every stage whose needs are met, at most lanes() at once and
// an alone stage by itself, until all are done or one failed.
func schedule(ctx context.Context, cancel func(), todo []stage, h *house, verbose, keep bool) ([]result, *result) {
	done := map[string]bool{}
	finished := make(chan result)
	running, exclusive := 0, false
	var results []result
	var failed *result
	for {
		for (failed == nil || keep) && ctx.Err() == nil {
			ready := func(s stage) bool {
				return !slices.ContainsFunc(s.needs, func(need string) bool { return !done[need] }) &&
					(running == 0 || !s.alone && !exclusive && running < lanes())
			}
			i := slices.IndexFunc(todo, func(s stage) bool { return !s.last && ready(s) })
			if i < 0 && running == 0 { // nothing can become ready any more
				i = slices.IndexFunc(todo, ready)
			}
			if i < 0 {
				break
			}
			next := todo[i]
			todo = slices.Delete(todo, i, i+1)
			running++
			exclusive = next.alone
			fmt.Printf("  ▸ %s\n", next.name)
			go func() { finished <- perform(ctx, next, h) }()
		}
		if running == 0 {
			return results, failed
		}
		r := <-finished
		running--
		exclusive = false
		done[r.stage.name] = r.err == nil
		results = append(results, r)
		switch {
		case r.err == nil:
			fmt.Printf("  ✓ %s %.1f s\n", r.stage.name, r.seconds)
			if verbose {
				fmt.Print(r.out)
			}
		case failed != nil && keep:
			fmt.Printf("  ✗ %s %.1f s: %v\n%s\n", r.stage.name, r.seconds, r.err, r.out)
		case failed == nil:
			fmt.Printf("  ✗ %s %.1f s\n", r.stage.name, r.seconds)
			failed = &r
			if keep {
				break
			}
			cancel() // the others end early; their output would only bury this one
		}
	}
}

func perform(ctx context.Context, s stage, h *house) result {
	begin := time.Now()
	j := &job{ctx: ctx, out: &output{}, house: h}
	err := s.run(j)
	return result{stage: s, seconds: time.Since(begin).Seconds(), err: err, out: j.out}
}

// lanes is how many stages run at once: Go's compiler uses every core by
// itself, and a second stage fills the time in which one of them waits.
func lanes() int { return min(2, runtime.NumCPU()) }

// choose keeps the named stages and everything they need, in the written order.
func choose(all []stage, names []string) ([]stage, error) {
	if len(names) == 0 {
		return all, nil
	}
	byName := map[string]stage{}
	for _, s := range all {
		byName[s.name] = s
	}
	want := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		s, ok := byName[name]
		if !ok {
			return fmt.Errorf("no stage is called %q; -list names them", name)
		}
		want[name] = true
		for _, need := range s.needs {
			if err := add(need); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range names {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(s stage) bool { return !want[s.name] }), nil
}

// table prints what ran, how long it took, and what was skipped inside it.
func table(w *os.File, results []result, wall time.Duration) {
	const line = "─────────────────────────────────────────────────────"
	fmt.Fprintf(w, "\n  %-12s %9s   %s\n  %s\n", "stage", "seconds", "outcome", line)
	for _, r := range results {
		outcome := r.out.summary()
		if r.err != nil {
			outcome = "FAILED"
			if errors.Is(r.err, context.Canceled) || strings.Contains(r.err.Error(), "signal: killed") {
				outcome = "stopped"
			}
		}
		fmt.Fprintf(w, "  %-12s %9.1f   %s\n", r.stage.name, r.seconds, outcome)
	}
	fmt.Fprintf(w, "  %s\n  %-12s %9.1f\n", line, "wall clock", wall.Seconds())
	for _, r := range results {
		for _, skip := range r.out.skipped {
			fmt.Fprintf(w, "  skipped in %s: %s\n", r.stage.name, skip)
		}
	}
}
