package training_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/compare"
)

func TestAStaleFenceIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	_, place := d.train()
	d.engine.say(place.Fence, training.VitalGone)
	page := d.until(1, "waiting for another attempt", func(p training.RunPage) bool { return p.Job.State == training.Queued })
	if page.Attempt.State != training.Lost || !page.Job.NotBefore.Equal(d.clock.read().Add(10*time.Second)) || !slices.Contains(d.engine.clears, place.Fence) {
		t.Errorf("the attempt is %s, the job waits until %s", page.Attempt.State, page.Job.NotBefore)
	}
	ctx := t.Context()
	for name, write := range map[string]func() error{
		"start":     func() error { _, err := d.StartAttempt(ctx, place.Fence); return err },
		"heartbeat": func() error { _, err := d.Heartbeat(ctx, place.Fence, training.Beat{}); return err },
		"log":       func() error { _, err := d.Append(ctx, place.Fence, training.StreamLog, 0, []byte("x")); return err },
		"output":    func() error { _, err := d.SaveOutput(ctx, place.Fence, "x", strings.NewReader("")); return err },
		"input":     func() error { _, err := d.OpenInput(ctx, place.Fence, "train", "part-0.jsonl"); return err },
		"finish":    func() error { return d.Finish(ctx, place.Fence, training.Finish{}) },
		"never was": func() error { return d.Finish(ctx, 4711, training.Finish{}) },
	} {
		if err := write(); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What the dead runner had not shipped is kept all the same.
	if part, err := d.ReadLog(ctx, ann, "p", 1, place.Fence, 0, 100); err != nil || string(part.Body) != "what was left\n" {
		t.Errorf("log %q, %v", part.Body, err)
	}
	d.clock.move(11 * time.Second)
	d.Wake()
	second := d.placement()
	if second.Fence <= place.Fence || second.Attempt != 2 || second.Previous != place.Fence {
		t.Errorf("the second placement is %+v", second)
	}
}

func TestBytesOfAStreamFollowOneAnother(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	_, place := d.train()
	ctx := t.Context()
	_, err := d.Append(ctx, place.Fence, training.StreamLog, 0, []byte("0123"))
	d.must(err)
	for _, offset := range []int64{0, 3, 5} {
		gap, ok := errors.AsType[*training.RangeError](func() error {
			_, err := d.Append(ctx, place.Fence, training.StreamLog, offset, []byte("x"))
			return err
		}())
		if !ok || gap.Next != 4 {
			t.Errorf("at %d: %v", offset, gap)
		}
	}
	if a, err := d.Append(ctx, place.Fence, training.StreamLog, 4, []byte("45")); err != nil || a.Next != 6 {
		t.Errorf("the right bytes: %+v, %v", a, err)
	}
	if _, err := d.Append(ctx, place.Fence, training.StreamLog, 6, make([]byte, training.MaxChunk+1)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("too many bytes: %v", err)
	}
}

func TestAStopReachesTheRunnerByEngineAndByAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	made, place := d.train()
	ctx := t.Context()
	_, err := d.Heartbeat(ctx, place.Fence, training.Beat{Phase: training.PhaseRunning})
	d.must(err)
	for range 2 { // the second time changes nothing
		job, err := d.StopRun(ctx, ann, "p", made.Run.Number)
		if err != nil || job.State != training.Stopping {
			t.Errorf("stop: %s, %v", job.State, err)
		}
	}
	if !slices.Equal(d.engine.stops, []int64{place.Fence}) {
		t.Errorf("the engine was told of %v", d.engine.stops)
	}
	answer, err := d.Heartbeat(ctx, place.Fence, training.Beat{Phase: training.PhaseRunning})
	if err != nil || answer.Stop == nil || answer.Stop.Reason != training.StopCancel || answer.Stop.GraceS != 10 {
		t.Errorf("the heartbeat is answered %+v, %v", answer, err)
	}
	d.must(d.Finish(ctx, place.Fence, training.Finish{ExitCode: 143, Stopped: training.StopCancel}))
	if page := d.page(1); page.Run.State != compare.RunCancelled || page.Model.ID != "" {
		t.Errorf("the run is %s", page.Run.State)
	}
}

func TestOutputPathsStayInTheirFolder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	_, place := d.train()
	for _, name := range []string{"", ".", "..", "../x", "/etc/passwd", "a/../b", "a//b", `a\b`, strings.Repeat("x", 501)} {
		if _, err := d.SaveOutput(t.Context(), place.Fence, name, strings.NewReader("")); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
