// Command stages is what `make test` runs: it installs what the tests need and
// runs every stage, two at a time where that is safe. A stage that fails hides
// no other: all run but those that need what it makes. It ends with the output
// of every stage that failed, and with a table of stages, seconds and outcomes
// that names the tests that failed and the stages that could not run.
//
//	go run ./build/stages            run everything
//	go run ./build/stages vet lint   run these stages and what they need
//	go run ./build/stages -list      name the stages
//	go run ./build/stages -v         print what stages that succeed wrote, too
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
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	list := flag.Bool("list", false, "name the stages and stop")
	verbose := flag.Bool("v", false, "print the output of stages that succeed, too")
	flag.Parse()
	if *list {
		for _, s := range stages() {
			fmt.Printf("  %-10s %s\n", s.name, s.about)
		}
		return
	}
	if err := run(flag.Args(), *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "\nstages:", err)
		os.Exit(1)
	}
}

// stage is one row of the table.
type stage struct {
	name  string
	about string
	needs []string // stages whose work it uses: it cannot run where one of them failed
	alone bool     // watches the clock or a screen: nothing may run beside it
	last  bool     // takes every core and nothing needs it: it waits for all others
	run   func(*job) error
}

// stageLimit ends a stage that hangs, so that it is shown as any other failure.
// It is far more than the longest takes on a slow machine.
const stageLimit = time.Hour

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

// errNotRun is why a stage did not run at all.
var errNotRun = errors.New("not run")

func run(names []string, verbose bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

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
	results := schedule(ctx, wanted, h, verbose, stageLimit)
	return report(ctx, os.Stdout, results, time.Since(begin))
}

// schedule starts every stage whose needs are met, at most lanes() at once and
// an alone stage by itself, until all are done. A stage that needs one that
// failed is in the results, too, with errNotRun.
func schedule(ctx context.Context, todo []stage, h *house, verbose bool, limit time.Duration) []result {
	ended := map[string]bool{} // whether it succeeded
	finished := make(chan result)
	running, exclusive := 0, false
	var results []result
	for {
		for ctx.Err() == nil {
			ready := func(s stage) bool {
				return !slices.ContainsFunc(s.needs, func(need string) bool { _, over := ended[need]; return !over }) &&
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
			todo = slices.Delete(slices.Clone(todo), i, i+1)
			if lacks := slices.DeleteFunc(slices.Clone(next.needs), func(need string) bool { return ended[need] }); len(lacks) > 0 {
				ended[next.name] = false
				results = append(results, result{stage: next, err: fmt.Errorf("%w: it needs %s", errNotRun, strings.Join(lacks, ", ")), out: &output{}})
				continue
			}
			running++
			exclusive = next.alone
			fmt.Printf("  ▸ %s\n", next.name)
			go func() { finished <- perform(ctx, next, h, limit) }()
		}
		if running == 0 {
			for _, s := range todo { // interrupted, or what it needs is no stage of this run
				results = append(results, result{stage: s, err: errNotRun, out: &output{}})
			}
			return results
		}
		r := <-finished
		running--
		exclusive = false
		ended[r.stage.name] = r.err == nil
		results = append(results, r)
		switch {
		case r.err != nil:
			fmt.Printf("  ✗ %s %.1f s\n", r.stage.name, r.seconds)
		default:
			fmt.Printf("  ✓ %s %.1f s\n", r.stage.name, r.seconds)
			if verbose {
				fmt.Print(r.out)
			}
		}
	}
}

// perform runs one stage. One that crashes or takes longer than the limit
// failed, as one does that says so.
func perform(ctx context.Context, s stage, h *house, limit time.Duration) (r result) {
	begin := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it had not ended after %s", limit))
	defer cancel()
	r = result{stage: s, out: &output{}}
	defer func() {
		if crash := recover(); crash != nil {
			_, _ = fmt.Fprintf(r.out, "panic: %v\n%s", crash, debug.Stack())
			r.err = fmt.Errorf("crashed: %v", crash)
		}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) && r.err != nil {
			r.err = fmt.Errorf("%w: %w", context.Cause(ctx), r.err)
		}
		r.seconds = time.Since(begin).Seconds()
	}()
	r.err = s.run(&job{ctx: ctx, out: r.out, house: h})
	return r
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
