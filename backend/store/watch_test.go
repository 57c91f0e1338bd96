package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/labeling"
)

// watch notes the transactions of a store.
type watch struct {
	mu     sync.Mutex
	begun  chan string
	ended  []string
	waited map[string]time.Duration
}

func (w *watch) trace(ctx context.Context, how, room, system string) (context.Context, func(time.Duration, error)) {
	what := how + " " + room
	w.begun <- what
	return ctx, func(waited time.Duration, err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = append(w.ended, fmt.Sprintf("%s on %s: %s", what, system, fault.KindOf(err)))
		w.waited[what] = waited
	}
}

func TestWhoWatchesAStoreSeesEachTransactionWithItsRoomItsEndAndItsWait(t *testing.T) {
	t.Parallel()
	w := &watch{begun: make(chan string, 100), waited: map[string]time.Duration{}}
	s, err := store.Open(t.Context(), storetest.SQLite(t), store.Options{Trace: w.trace})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ctx := t.Context()
	update, look := store.In[labeling.Tx](s), store.From[training.Tx](s)
	if err := look(ctx, func(training.Tx) error { return fault.New(fault.NotFound, "nothing") }); !fault.Is(err, fault.NotFound) {
		t.Errorf("a view returns %v", err)
	}
	if err := s.Update(ctx, func(*store.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"view training on sqlite: not_found", "update store on sqlite: "}; !slices.Equal(w.ended, want) {
		t.Errorf("seen %q", w.ended)
	}
	for len(w.begun) > 0 {
		<-w.begun
	}
	inside, let := make(chan struct{}), make(chan struct{})
	var both sync.WaitGroup
	both.Go(func() {
		_ = s.Update(ctx, func(*store.Tx) error { close(inside); <-let; return nil })
	})
	<-inside
	both.Go(func() {
		if err := update(ctx, func(labeling.Tx) error { return fault.New(fault.Conflict, "no") }); !fault.Is(err, fault.Conflict) {
			t.Errorf("an update returns %v", err)
		}
	})
	<-w.begun
	<-w.begun // the second stands in line behind the first
	close(let)
	both.Wait()
	if !slices.Contains(w.ended, "update labeling on sqlite: conflict") || w.waited["update labeling"] <= 0 {
		t.Errorf("seen %q, waited %v", w.ended, w.waited)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := update(gone, func(labeling.Tx) error { t.Error("it ran"); return nil }); err == nil {
		t.Error("an update whose caller had left went through")
	}
}
