package training_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/training"
)

func TestASilentAttemptIsGivenUpOnlyLongAfterItsLease(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	_, place := d.train()
	d.engine.say(place.Fence, training.VitalUnknown)
	d.clock.move(59 * time.Second)
	d.looked(d.Service, d.engine)
	if page := d.page(1); page.Job.State != training.Starting {
		t.Errorf("after 59 seconds the job is %s", page.Job.State)
	}
	if _, err := d.Heartbeat(t.Context(), place.Fence, training.Beat{Phase: training.PhaseRunning}); err != nil {
		t.Errorf("a late heartbeat: %v", err)
	}
	d.clock.move(61 * time.Second)
	d.until(1, "given up", func(p training.RunPage) bool { return p.Job.State == training.Queued })
}

func TestAnAttemptBelongsToTheServerThatPlacedIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	_, place := d.train()
	// Another server on the same database knows no process of it.
	config := d.Service.Config
	elsewhere := &engine{placed: make(chan training.Placement, 100), vital: map[int64]training.Vital{place.Fence: training.VitalGone}}
	config.Server, config.Engines = "b", []training.Engine{elsewhere}
	other := training.New(config)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { other.Dispatch(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	d.engine.say(place.Fence, training.VitalAlive)
	d.clock.move(10 * time.Minute)
	d.looked(other, elsewhere)
	if page := d.page(1); page.Job.State != training.Starting {
		t.Fatalf("the other server made the job %s", page.Job.State)
	}
	// Only when its server has been gone for long is it begun anew.
	d.clock.move(2 * time.Minute)
	other.Wake()
	d.until(1, "begun anew", func(p training.RunPage) bool { return p.Job.Fence != place.Fence || p.Job.State == training.Queued })
}

func TestAnEngineThatRefusesIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.engine.refuse = errors.New("no room")
	d.dispatch()
	_, err := d.submit(nil)
	d.must(err)
	page := d.until(1, "waiting", func(p training.RunPage) bool { return p.Job.State == training.Queued && p.Job.Attempts == 1 })
	if page.Attempt.Reason != training.ReasonEngine || !strings.Contains(page.Run.Reason, "no room") {
		t.Errorf("attempt %s, run: %s", page.Attempt.Reason, page.Run.Reason)
	}
}
