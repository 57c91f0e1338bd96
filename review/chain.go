package review

import (
	"context"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// ChainCheck is a walk along the whole history, event by event. It costs what the
// history is long, so there is one at a time, and all who ask share it.
type ChainCheck struct {
	By      ledger.PersonID // who asked for it
	Begun   time.Time
	Ended   time.Time // zero: there was none yet
	Events  int64     // how many there were, up to the last that verifies
	Problem error     // Conflict with what does not verify; nil if all does
	Running bool      // another is under way
}

// chain is the check that all share.
type chain struct {
	sync.Mutex
	last ChainCheck
	done chan struct{} // closed at the end of the one that runs; nil: none does
	err  error         // why the last could not be carried out
}

const (
	chainRest     = 10              // times as long as it took, a check is good enough for the next who asks
	chainPatience = 2 * time.Second // how long a page waits for it
)

// CheckHistory returns the last check of the whole history. With begin, for whoever
// may export, a new one starts, unless one runs or has just ended, and is waited for a moment; it goes on
// when the request is over. Nobody else walks the history for a request.
func (s *Service) CheckHistory(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, begin bool) (ChainCheck, error) {
	action := ledger.ActionRead
	if begin {
		action = ledger.ActionExport
	}
	if err := actor.Must(project, action); err != nil {
		return ChainCheck{}, err
	}
	if s.Walk == nil {
		return ChainCheck{}, fault.New(fault.Unavailable, "This server cannot walk the history.")
	}
	s.chain.Lock()
	done := s.chain.done
	last := s.chain.last
	if rested := s.now().Sub(last.Ended) >= chainRest*last.Ended.Sub(last.Begun); begin && done == nil && rested {
		done = make(chan struct{})
		s.chain.done = done
		go s.walkChain(context.WithoutCancel(ctx), ChainCheck{By: actor.Person, Begun: s.now()}, done)
	}
	s.chain.Unlock()
	if begin && done != nil {
		patience := time.NewTimer(chainPatience)
		defer patience.Stop()
		select {
		case <-done:
		case <-patience.C:
		case <-ctx.Done():
			return ChainCheck{}, ctx.Err()
		}
	}
	s.chain.Lock()
	defer s.chain.Unlock()
	last = s.chain.last
	last.Running = s.chain.done != nil
	if begin && !last.Running && s.chain.err != nil {
		return last, s.chain.err
	}
	return last, nil
}

// walkChain carries a check out.
func (s *Service) walkChain(ctx context.Context, c ChainCheck, done chan struct{}) {
	events, err := s.Walk(ctx)
	c.Events, c.Ended = events, s.now()
	s.chain.Lock()
	defer s.chain.Unlock()
	switch {
	case err == nil:
		s.chain.last, s.chain.err = c, nil
	case fault.Is(err, fault.Conflict):
		c.Problem = err
		s.chain.last, s.chain.err = c, nil
	default:
		s.chain.err = err
	}
	s.chain.done = nil
	close(done)
}
