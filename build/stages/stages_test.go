package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAStageRunsAfterWhatItNeedsAndAnAloneOneByItself(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var order []string
	running := map[string]bool{}
	row := func(name string, alone bool, needs ...string) stage {
		return stage{name: name, needs: needs, alone: alone, run: func(*job) error {
			mu.Lock()
			order = append(order, name)
			if len(running) > 0 && alone || running["screen"] {
				t.Errorf("%s runs beside %v", name, running)
			}
			running[name] = true
			mu.Unlock()
			time.Sleep(5 * time.Millisecond) // long enough for a wrong neighbour to start
			mu.Lock()
			delete(running, name)
			mu.Unlock()
			return nil
		}}
	}
	todo := []stage{row("last", false, "screen"), row("screen", true, "first"), row("first", false), row("beside", false, "first")}
	results := schedule(t.Context(), todo, &house{}, false, time.Minute)
	if len(results) != 4 || slices.ContainsFunc(results, func(r result) bool { return r.err != nil }) {
		t.Fatalf("results %+v", results)
	}
	at := func(name string) int { return slices.Index(order, name) }
	if at("first") > at("screen") || at("screen") > at("last") {
		t.Errorf("order %v", order)
	}
}

func TestALastStageRunsAfterAllOthersByItself(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var order []string
	row := func(name string, err error, needs ...string) stage {
		return stage{name: name, needs: needs, last: name == "cross", run: func(*job) error {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
			return err
		}}
	}
	broken := errors.New("broken")
	todo := []stage{row("cross", nil), row("a", nil), row("b", broken, "a"), row("c", nil, "a")}
	schedule(t.Context(), todo, &house{}, false, time.Minute)
	if len(order) != 4 || order[3] != "cross" {
		t.Errorf("order %v", order)
	}
}

func TestARedStageHidesNoStageThatCanRun(t *testing.T) {
	t.Parallel()
	ok := func(*job) error { return nil }
	results := schedule(t.Context(), []stage{
		{name: "bad", run: func(j *job) error {
			_, _ = j.out.Write([]byte("what the bad one wrote\n"))
			j.out.broken = []string{"TestOne"}
			return errors.New("broken")
		}},
		{name: "crash", run: func(*job) error { panic("out of range") }},
		{name: "never", needs: []string{"bad"}, run: ok},
		{name: "nor", needs: []string{"never"}, run: ok},
		{name: "e2e", alone: true, run: ok},
		{name: "cross", last: true, run: ok},
	}, &house{}, false, time.Minute)
	// By itself: no other may take longer than it is given.
	results = append(results, schedule(t.Context(), []stage{
		{name: "hang", run: func(j *job) error { <-j.ctx.Done(); return errors.New("killed") }},
	}, &house{}, false, 50*time.Millisecond)...)

	var text strings.Builder
	err := report(t.Context(), &text, results, time.Second)
	for _, red := range []string{"failed: ", "bad", "crash", "hang", "never", "nor"} {
		if err == nil || !strings.Contains(err.Error(), red) {
			t.Errorf("the run says %v, without %s", err, red)
		}
	}
	for _, want := range []string{
		"bad failed: broken", "what the bad one wrote", "crash failed: crashed: out of range", "stages_test.go", // where it crashed
		"hang failed: it had not ended after 50ms", "FAILED: 1 of 1 tests", "FAILED in bad: TestOne", "not run: it needs bad\n", "not run: it needs never\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing from\n%s", want, text.String())
		}
	}
	for _, r := range results {
		if (r.stage.name == "e2e" || r.stage.name == "cross") && r.err != nil {
			t.Errorf("%s needs none of those and came to %v", r.stage.name, r.err)
		}
	}
	if len(results) != 7 {
		t.Errorf("%d stages are in the table", len(results))
	}
}

func TestAnInterruptedRunShowsWhatItHad(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	results := schedule(ctx, []stage{
		{name: "first", alone: true, run: func(*job) error { return errors.New("broken") }},
		{name: "second", needs: []string{"first"}, run: func(*job) error { return nil }},
		{name: "third", alone: true, run: func(j *job) error { interrupt(); return j.ctx.Err() }},
		{name: "fourth", last: true, run: func(*job) error { return nil }},
	}, &house{}, false, time.Minute)
	var text strings.Builder
	if err := report(ctx, &text, results, time.Second); err == nil || err.Error() != "interrupted" {
		t.Errorf("the run says %v", err)
	}
	if len(results) != 4 || !strings.Contains(text.String(), "first failed: broken") || !strings.Contains(text.String(), "fourth             0.0   not run\n") {
		t.Errorf("%d results:\n%s", len(results), text.String())
	}
}

func TestOnlyWhatAStageUsesKeepsItFromRunning(t *testing.T) {
	t.Parallel()
	for _, s := range stages() {
		for _, need := range s.needs {
			// These make or bring something; a stage of tests brings nothing.
			if !slices.Contains([]string{"install", "modules", "generated", "s3"}, need) {
				t.Errorf("%s does not run where %s is red, and uses nothing of it", s.name, need)
			}
		}
	}
}

func TestChoosingAStageBringsWhatItNeeds(t *testing.T) {
	t.Parallel()
	chosen, err := choose(stages(), []string{"e2e"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range chosen {
		names = append(names, s.name)
	}
	for _, want := range []string{"modules", "generated", "install", "e2e"} {
		if !slices.Contains(names, want) {
			t.Errorf("e2e runs %v without %s", names, want)
		}
	}
	if slices.Contains(names, "desktop") {
		t.Errorf("e2e runs %v", names)
	}
	if _, err := choose(stages(), []string{"nonsense"}); err == nil {
		t.Error("a stage that does not exist is chosen")
	}
}

func TestOnlyWhatFailedIsPrinted(t *testing.T) {
	t.Setenv("ADJUDGE_REALDATA", "/somewhere")
	t.Setenv("CI", "true")
	events := strings.Join([]string{
		`{"Action":"output","Package":"p","Test":"TestGood","Output":"chatter\n"}`,
		`{"Action":"pass","Package":"p","Test":"TestGood"}`,
		`{"Action":"output","Package":"p","Test":"TestBad","Output":"    x_test.go:1: wrong\n"}`,
		`{"Action":"fail","Package":"p","Test":"TestBad"}`,
		`{"Action":"output","Package":"p","Test":"TestData","Output":"=== RUN   TestData\n"}`,
		`{"Action":"output","Package":"p","Test":"TestData","Output":"    x_test.go:2: set ADJUDGE_REALDATA to walk it\n"}`,
		`{"Action":"output","Package":"p","Test":"TestData","Output":"--- SKIP: TestData (0.00s)\n"}`,
		`{"Action":"skip","Package":"p","Test":"TestData"}`,
		`{"Action":"output","Package":"p","Test":"TestPeers","Output":"    x_test.go:3: no PostgreSQL is tested: ADJUDGE_TEST_POSTGRES is not set\n"}`,
		`{"Action":"skip","Package":"p","Test":"TestPeers"}`,
		`{"Action":"output","Package":"p","Test":"TestElsewhere","Output":"    x_test.go:4: the child is confined on Linux only\n"}`,
		`{"Action":"skip","Package":"p","Test":"TestElsewhere"}`,
		`{"ImportPath":"q","Action":"build-output","Output":"q.go:1: does not compile\n"}`,
		`{"Action":"output","Package":"r","Test":"TestStuck","Output":"panic: test timed out after 15m\n"}`,
		`{"Action":"output","Package":"r","Output":"FAIL r 900s\n"}`,
		`{"Action":"fail","Package":"r"}`,
		`{"Action":"fail","Package":"s/t","Test":"TestWhole/part"}`,
		`{"Action":"fail","Package":"s/t","Test":"TestWhole"}`,
		`{"Action":"fail","Package":"s/t"}`,
		`a crash of the tool`, ``,
	}, "\n")
	j := &job{out: &output{}}
	missing := j.read(strings.NewReader(events))
	text := j.out.String()
	for _, want := range []string{"x_test.go:1: wrong", "does not compile", "had not ended: TestStuck\npanic: test timed out", "FAIL r 900s", "a crash of the tool"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from\n%s", want, text)
		}
	}
	if strings.Contains(text, "chatter") {
		t.Errorf("what succeeded is printed, too:\n%s", text)
	}
	if want := []string{"TestBad", "TestStuck had not ended", "TestWhole/part"}; !slices.Equal(j.out.broken, want) {
		t.Errorf("as failed it names %q, not %q", j.out.broken, want)
	}
	if j.out.passed != 1 || len(j.out.skipped) != 3 || !strings.Contains(j.out.skipped[0], "ADJUDGE_REALDATA") {
		t.Errorf("passed %d, skipped %q", j.out.passed, j.out.skipped)
	}
	if len(missing) != 2 || !strings.HasPrefix(missing[0], "TestData: ") || !strings.HasPrefix(missing[1], "TestPeers: ") {
		t.Errorf("these tests found nothing of what was promised to them: %q", missing)
	}
	// Away from the build server a test may do without a server that is not there.
	t.Setenv("CI", "")
	if missing := (&job{out: &output{}}).read(strings.NewReader(events)); len(missing) != 1 || !strings.HasPrefix(missing[0], "TestData: ") {
		t.Errorf("on somebody's own machine these are missing: %q", missing)
	}
}

func TestAPrivatePostgreSQLStartsAndIsGoneAfterwards(t *testing.T) {
	t.Parallel()
	if _, err := postgresBin(); err != nil {
		t.Skip("PostgreSQL is not installed")
	}
	h := &house{temp: t.TempDir()}
	j := &job{ctx: t.Context(), out: &output{}, house: h}
	address, err := j.startPostgres(sharedCluster)
	if err != nil {
		h.stopPostgres()
		t.Fatalf("%v\n%s", err, j.out)
	}
	own, err := j.startPostgres("own")
	if err != nil || own == address {
		t.Errorf("a cluster of another name is at %s, %v", own, err)
	}
	if again, err := j.startPostgres(sharedCluster); err != nil || again != address {
		t.Errorf("a second stage gets %s (%v), not %s", again, err, address)
	}
	if !strings.HasPrefix(address, "postgres:///postgres?host=") {
		t.Errorf("address %s", address)
	}
	h.stopPostgres()
	for _, c := range h.clusters {
		if _, err := os.Stat(c.dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left behind: %v", c.dir, err)
		}
	}
}
