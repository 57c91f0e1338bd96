package review_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

func TestTheHistoryIsWalkedOnceForAllWhoAsk(t *testing.T) {
	t.Parallel()
	var walks atomic.Int32
	var now atomic.Int64
	begun, proceed := make(chan struct{}, 10), make(chan struct{})
	s := review.New(review.Config{
		Now: func() time.Time { return time.Unix(1_000_000+now.Load(), 0) },
		Walk: func(context.Context) (int64, error) {
			walks.Add(1)
			begun <- struct{}{}
			<-proceed
			now.Add(6) // seconds
			if walks.Load() > 1 {
				return 6, fault.New(fault.Conflict, "event 7 does not verify")
			}
			return 1000, nil
		},
	})
	boss := ledger.Actor{Person: "boss", Admin: true, Via: ledger.ViaLogin, Scope: ledger.ScopeFull}
	if c, err := s.CheckHistory(t.Context(), boss, "", false); err != nil || !c.Ended.IsZero() || c.Running || walks.Load() != 0 {
		t.Fatalf("looking at the last check: %+v, %v, %d walks", c, err, walks.Load())
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			c, err := s.CheckHistory(t.Context(), boss, "", true)
			if err != nil || c.Events != 1000 || c.By != "boss" || c.Running {
				t.Errorf("got %+v, %v", c, err)
			}
		})
	}
	<-begun
	close(proceed)
	all.Wait()
	if c, err := s.CheckHistory(t.Context(), boss, "", true); err != nil || c.Events != 1000 || walks.Load() != 1 {
		t.Errorf("%d walks for 21 who ask at once (%+v, %v)", walks.Load(), c, err)
	}
	now.Add(60)
	if c, err := s.CheckHistory(t.Context(), boss, "", true); err != nil || c.Problem == nil || c.Events != 6 || walks.Load() != 2 {
		t.Errorf("a minute later: %+v, %v, %d walks", c, err, walks.Load())
	}
	reads := ledger.Actor{Person: "ana", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"p1": {ledger.RoleAnnotator}}}
	if _, err := s.CheckHistory(t.Context(), reads, "p1", true); !fault.Is(err, fault.Denied) || walks.Load() != 2 {
		t.Errorf("somebody who only reads has the chain walked: %v, %d walks", err, walks.Load())
	}
	if c, err := s.CheckHistory(t.Context(), reads, "p1", false); err != nil || c.Events != 6 {
		t.Errorf("and is not told what came of it: %+v, %v", c, err)
	}
	if _, err := s.CheckHistory(t.Context(), ledger.Actor{Person: "eve"}, "", true); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound) || walks.Load() != 2 {
		t.Errorf("somebody who may not read: %v, %d walks", err, walks.Load())
	}
}
