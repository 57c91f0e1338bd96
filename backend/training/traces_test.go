package training_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/training"
)

// watcher hears of attempts.
type watcher struct {
	mu    sync.Mutex
	ended []string
}

func (*watcher) Cause(context.Context) string { return "cause" }
func (*watcher) Parent(j training.Job, a training.Attempt) string {
	return fmt.Sprintf("%s/%d", j.ID, a.Fence)
}

func (w *watcher) Ended(j training.Job, a training.Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = append(w.ended, fmt.Sprintf("%s of %s (%s): %s, the job %s", w.Parent(j, a), j.Kind, j.Cause, a.State, j.State))
}

func (w *watcher) heard() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.ended)
}

func TestWhoWatchesHearsOfEachAttemptOnceAndItsTrainerIsToldItsName(t *testing.T) {
	t.Parallel()
	d, w := newDesk(t), &watcher{}
	d.Traces = w
	d.dispatch()
	made, place := d.train()
	name := w.Parent(made.Job, training.Attempt{Fence: place.Fence})
	spec, err := d.StartAttempt(t.Context(), place.Fence)
	d.must(err)
	if spec.Traceparent != name || !slices.Contains(spec.Variables("d", "s", 1, "t"), "TRACEPARENT="+name) {
		t.Errorf("the trainer hears %q", spec.Traceparent)
	}
	attempts := d.page(1).Attempts
	if len(attempts) != 1 || !strings.Contains(attempts[0].Submitted, "TRACEPARENT="+name) {
		t.Errorf("who asks what was submitted sees another name than %q", name)
	}
	// Closures of an Update run twice here; what is told, is told once.
	d.must(d.Finish(t.Context(), place.Fence, training.Finish{Reason: training.ReasonLost, Message: "gone"}))
	d.clock.move(61 * time.Second) // it is tried again after a pause
	d.Wake()
	again := d.placement()
	d.must(d.Finish(t.Context(), again.Fence, training.Finish{ExitCode: training.ExitBadData}))
	want := []string{
		fmt.Sprintf("%s/%d of train (cause): lost, the job queued", made.Job.ID, place.Fence),
		fmt.Sprintf("%s/%d of train (cause): failed, the job failed", made.Job.ID, again.Fence),
	}
	if got := w.heard(); !slices.Equal(got, want) {
		t.Errorf("told\n%s\ninstead of\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
