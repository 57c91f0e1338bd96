package training

import (
	"context"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Dispatch keeps the queue moving until ctx ends: it claims jobs that are due,
// places their attempts, and finds out about those whose runner fell silent,
// first of all the ones that a server before this one left running.
func (s *Service) Dispatch(ctx context.Context) {
	const idle, watch = 2 * time.Second, time.Second
	for {
		busy := false
		for _, engine := range s.Engines {
			active, err := s.round(ctx, engine)
			if err != nil && ctx.Err() == nil {
				s.Log.Error("training queue", "engine", engine.Name(), "error", err)
			}
			busy = busy || active > 0
		}
		pause := idle
		if busy {
			pause = watch
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-time.After(pause):
		}
	}
}

// round looks at one engine once and returns how many attempts are at work.
func (s *Service) round(ctx context.Context, engine Engine) (int, error) {
	// Listed before the database is read: an attempt that is claimed meanwhile
	// is not taken for a stray.
	known, err := engine.Known(ctx)
	if err != nil {
		return 0, err
	}
	var active []Attempt
	err = s.View(ctx, func(tx Tx) (err error) {
		active, err = tx.FindActiveAttempts(engine.Name())
		return err
	})
	if err != nil {
		return 0, err
	}
	own, err := s.own(ctx, active)
	if err != nil {
		return len(own), err
	}
	s.tidy(ctx, engine, known, own)
	left, err := s.check(ctx, engine, own)
	if err != nil {
		return left, err
	}
	for left < engine.Slots() {
		placed, err := s.claim(ctx, engine)
		if err != nil || !placed {
			return left, err
		}
		left++
	}
	return left, nil
}

// serverGone is how long after the end of its lease an attempt of another server
// is given up: much longer than a restart of that server takes.
const serverGone = 10 * time.Minute

// own returns the attempts that this server placed, for no other can see their
// processes. Those of a server that has been gone for long are given up, so that
// their jobs begin anew here; what is left of them over there is cleared when
// that server comes back.
func (s *Service) own(ctx context.Context, active []Attempt) ([]Attempt, error) {
	var own []Attempt
	for _, a := range active {
		if a.Server == s.Server || a.Server == "" {
			own = append(own, a)
			continue
		}
		if !s.Now().After(a.LeaseUntil.Add(serverGone)) {
			continue
		}
		var over ending
		err := s.Update(ctx, func(tx Tx) error {
			a, j, err := live(tx, a.Fence)
			if err != nil {
				return err
			}
			over, err = s.end(tx, j, a, Outcome{Lost, ReasonLost, fault.Say("The server on whose machine this attempt ran has been gone for too long.")}, nil)
			return err
		})
		if err == nil {
			s.ended(over)
		}
		if err != nil && !fault.Is(err, fault.Conflict) {
			return own, err
		}
	}
	return own, nil
}

// tidy clears what an engine still has of attempts that are over, or that this
// database never knew.
func (s *Service) tidy(ctx context.Context, engine Engine, known []int64, active []Attempt) {
	for _, fence := range known {
		if slices.ContainsFunc(active, func(a Attempt) bool { return a.Fence == fence }) {
			continue
		}
		var attempt Attempt
		err := s.View(ctx, func(tx Tx) (err error) { attempt, err = tx.GetAttempt(fence); return err })
		if err != nil && !fault.Is(err, fault.NotFound) {
			continue
		}
		handle := Handle{fence, attempt.ExtID}
		// A runner that has just delivered is about to exit by itself.
		if vitals, err := engine.Describe(ctx, []Handle{handle}); err == nil && vitals[0] == VitalAlive && s.Now().Sub(attempt.EndedAt) < 10*time.Second {
			continue
		}
		if err := engine.Clear(ctx, handle); err != nil {
			s.Log.Error("clear an attempt", "fence", fence, "error", err)
		}
	}
}

// check asks the engine about attempts and acts on what it says. It returns how
// many go on.
func (s *Service) check(ctx context.Context, engine Engine, active []Attempt) (int, error) {
	if len(active) == 0 {
		return 0, nil
	}
	handles := make([]Handle, len(active))
	for i, a := range active {
		handles[i] = Handle{a.Fence, a.ExtID}
	}
	vitals, err := engine.Describe(ctx, handles)
	if err != nil {
		return len(active), err
	}
	left := len(active)
	for i, a := range active {
		expired := s.Now().After(a.LeaseUntil.Add(leaseSkew))
		switch {
		case vitals[i] == VitalAlive:
			if a.State == Stopping {
				err = s.remind(ctx, engine, handles[i], a)
			}
		case vitals[i] == VitalEnded:
			// The outcome lies there and nobody brings it in: start a runner that does.
			_, err = engine.Place(ctx, Placement{Fence: a.Fence, Job: a.Job, Attempt: a.Number})
		case vitals[i] == VitalGone, expired:
			err = s.lose(ctx, engine, handles[i], ReasonLost, fault.Say("The supervisor of this attempt died, and its trainer was ended with it."))
			left--
		}
		if err != nil {
			return left, err
		}
	}
	return left, nil
}

// remind passes a stop on again, in case the first word was lost with a server.
func (s *Service) remind(ctx context.Context, engine Engine, handle Handle, a Attempt) error {
	var job Job
	if err := s.View(ctx, func(tx Tx) (err error) { job, err = tx.GetJob(a.Job); return err }); err != nil {
		return err
	}
	if since := s.Now().Sub(job.StopAt); job.StopAt.IsZero() || since < 2*time.Second || since > time.Minute {
		return nil // told already, and the heartbeats tell it too
	}
	return engine.Stop(ctx, handle, s.stopOf(job))
}

// lose ends an attempt whose runner is gone: first everything that it left
// running, then the record, so that a lost attempt is never still at work.
func (s *Service) lose(ctx context.Context, engine Engine, handle Handle, reason Reason, message string) error {
	var shipped int64
	err := s.View(ctx, func(tx Tx) error {
		a, err := tx.GetAttempt(handle.Fence)
		shipped = a.LogBytes
		return err
	})
	if err != nil {
		return err
	}
	rest, err := engine.Remains(ctx, handle, shipped)
	if err != nil {
		s.Log.Warn("read the rest of a log", "fence", handle.Fence, "error", err)
	}
	for len(rest) > 0 {
		n := min(len(rest), MaxChunk)
		if _, err := s.Append(ctx, handle.Fence, StreamLog, shipped, rest[:n]); err != nil {
			break // what was shipped is kept; the rest is not worth failing for
		}
		shipped, rest = shipped+int64(n), rest[n:]
	}
	if err := engine.Clear(ctx, handle); err != nil {
		return err
	}
	var over ending
	err = s.Update(ctx, func(tx Tx) error {
		a, j, err := live(tx, handle.Fence)
		if err != nil {
			return err
		}
		over, err = s.end(tx, j, a, Outcome{Lost, reason, message}, nil)
		return err
	})
	if err == nil {
		s.ended(over)
	}
	if fault.Is(err, fault.Conflict) {
		return nil // somebody else ended it meanwhile
	}
	return err
}

// claim takes the next job of an engine, gives it an attempt and places it. It
// reports whether there was one.
func (s *Service) claim(ctx context.Context, engine Engine) (bool, error) {
	secret := s.Secret()
	var place Placement
	found := false
	err := s.Update(ctx, func(tx Tx) error {
		found, place = false, Placement{}
		now := tx.Now()
		j, err := tx.NextJob(engine.Name(), now)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		previous := j.Fence
		j.Attempts++
		a, err := tx.CreateAttempt(Attempt{
			Job: j.ID, Number: j.Attempts, Engine: engine.Name(), Server: s.Server, TokenHash: ledger.DigestOf([]byte(secret)), State: Starting, Phase: PhaseStarting,
			LeaseUntil: now.Add(leaseTime), PlacedAt: now,
		})
		if err != nil {
			return err
		}
		place = Placement{Fence: a.Fence, Job: j.ID, Attempt: a.Number, Token: secret, Previous: previous}
		spec, err := s.spec(tx, j, a)
		if err != nil {
			return err
		}
		a.Submitted = engine.Render(place) + "\n\n" + spec.Render()
		if err := tx.UpdateAttempt(a); err != nil {
			return err
		}
		j.State, j.Fence, j.Reason, j.Message = Starting, a.Fence, ReasonNone, ""
		found = true
		if err := saveJob(tx, j, nil); err != nil {
			return err
		}
		return record(tx, ledger.System(), j, "starting", map[string]any{"fence": a.Fence, "attempt": a.Number, "engine": engine.Name()})
	})
	if err != nil || !found {
		return false, err
	}
	ext, err := engine.Place(ctx, place)
	if err != nil {
		s.Log.Error("place an attempt", "fence", place.Fence, "engine", engine.Name(), "error", err)
		return true, s.lose(ctx, engine, Handle{Fence: place.Fence}, ReasonEngine, fault.Say("The engine %s could not start the attempt: %s.", engine.Name(), err))
	}
	err = s.Update(ctx, func(tx Tx) error {
		a, err := tx.GetAttempt(place.Fence)
		if err != nil || a.ExtID == ext {
			return err
		}
		a.ExtID = ext
		return tx.UpdateAttempt(a)
	})
	return true, err
}
