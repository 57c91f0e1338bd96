package checkpoint

import (
	"context"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// EventClock is recorded when the clock of the machine jumped: times of record
// around it say less than they seem to.
const EventClock = "clock.jumped"

// tolerance is what a clock may be corrected by without a word.
const tolerance = 5 * time.Second

// Reading is what the clock shows and how long the process has run by then.
type Reading struct {
	Wall time.Time
	Ran  time.Duration
}

// Readings returns a function that reads the clock of this machine.
func Readings() func() Reading {
	start := time.Now()
	return func() Reading {
		now := time.Now()
		return Reading{Wall: now.Round(0), Ran: now.Sub(start)}
	}
}

// Jump returns by how much the clock was set between two readings. A machine
// that slept counts as one whose clock was set forward.
func Jump(before, after Reading) time.Duration {
	jump := after.Wall.Sub(before.Wall) - (after.Ran - before.Ran)
	if jump.Abs() <= tolerance {
		return 0
	}
	return jump
}

// jumped is the payload of EventClock.
type jumped struct {
	Seconds float64 `json:"seconds"` // by how much the clock was set; less than 0: back
	Clock   string  `json:"clock"`   // what it shows now
	Last    string  `json:"last,omitempty"`
}

func (k *Keeper) recordJump(ctx context.Context, by time.Duration, now, last time.Time) error {
	j := jumped{Seconds: by.Seconds(), Clock: now.UTC().Format(time.RFC3339)}
	if !last.IsZero() {
		j.Last = last.UTC().Format(time.RFC3339)
	}
	return k.Update(ctx, func(tx Tx) error {
		return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: EventClock, Subject: ledger.Subject{Kind: "installation", ID: k.Installation}, Payload: j})
	})
}

// checkClock compares the clock with the last event at a start: one that lies
// ahead of now was recorded by a clock that has been set back since.
func (k *Keeper) checkClock(ctx context.Context) error {
	var last time.Time
	if err := k.View(ctx, func(tx Tx) error {
		events, err := tx.Events(ledger.Filter{Limit: 1})
		if len(events) > 0 {
			last = events[0].At
		}
		return err
	}); err != nil {
		return err
	}
	if now := k.Now(); last.Sub(now) > tolerance {
		return k.recordJump(ctx, now.Sub(last), now, last)
	}
	return nil
}

// WatchClock looks at the clock whenever tick says so, until ctx ends, and
// records a jump. failed hears what could not be recorded.
func (k *Keeper) WatchClock(ctx context.Context, tick <-chan time.Time, now func() Reading, failed func(error)) {
	before := now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		after := now()
		if by := Jump(before, after); by != 0 {
			if err := k.recordJump(ctx, by, after.Wall, time.Time{}); err != nil {
				failed(err)
			}
		}
		before = after
	}
}
