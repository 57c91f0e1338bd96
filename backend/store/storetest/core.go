package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/labeling"
)

func record(tx *store.Tx, kind string) error {
	return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: kind, Subject: ledger.Subject{Kind: "test", ID: "1"}, Payload: map[string]string{"kind": kind}})
}

func kinds(t *testing.T, s *store.Store) []string {
	t.Helper()
	var kinds []string
	err := s.WalkHistory(t.Context(), func(r ledger.Record) error {
		kinds = append(kinds, r.Kind)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return kinds
}

// Transactions shows the promises of Update and View.
func Transactions(t *testing.T) {
	t.Run("an error takes everything back", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			oops := errors.New("oops")
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				if err := record(tx, "lost"); err != nil {
					return err
				}
				return oops
			})
			if !errors.Is(err, oops) {
				t.Errorf("got %v", err)
			}
			if got := kinds(t, s); len(got) != 0 {
				t.Errorf("history = %v", got)
			}
		})
	})
	t.Run("a panic takes everything back and the store lives", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				if err := record(tx, "lost"); err != nil {
					return err
				}
				panic("boom")
			})
			if !fault.Is(err, fault.Internal) {
				t.Errorf("got %v", err)
			}
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return record(tx, "kept") }); err != nil {
				t.Fatal(err)
			}
			if got := kinds(t, s); len(got) != 1 || got[0] != "kept" {
				t.Errorf("history = %v", got)
			}
		})
	})
	t.Run("an update inside an update is refused at once", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			err := s.Update(t.Context(), func(*store.Tx) error {
				return s.Update(t.Context(), func(*store.Tx) error { return nil })
			})
			if !fault.Is(err, fault.Internal) {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("a view cannot write", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			if err := s.View(t.Context(), func(tx *store.Tx) error { return record(tx, "x") }); !fault.Is(err, fault.Internal) {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("a context that ended is answered without running", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.Update(ctx, func(tx *store.Tx) error { return record(tx, "x") }); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if got := kinds(t, s); len(got) != 0 {
				t.Errorf("history = %v", got)
			}
		})
	})
	t.Run("broken text is stopped at the door", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			for _, text := range []string{"a\x00b", "a\xffb"} {
				err := s.Update(t.Context(), func(tx *store.Tx) error { return record(tx, text) })
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("%q: got %v", text, err)
				}
			}
		})
	})
	t.Run("the updates of many come through whole, failing ones among them", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			oops := errors.New("oops")
			var group sync.WaitGroup
			for i := range 100 {
				group.Go(func() {
					err := s.Update(t.Context(), func(tx *store.Tx) error {
						if err := record(tx, "one"); err != nil || i%10 != 0 {
							return err
						}
						return oops
					})
					if (i%10 == 0) != errors.Is(err, oops) {
						t.Errorf("update %d: %v", i, err)
					}
				})
			}
			group.Wait()
			if n, err := s.CheckHistory(t.Context()); n != 90 || err != nil {
				t.Errorf("%d events, %v; want 90", n, err)
			}
		})
	})
	t.Run("what the database refuses takes its own update back, and no other", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			Animals(t, s, "cat")
			item := Item("d1", "cat").ID
			before, err := s.CheckHistory(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var refused atomic.Int64
			var group sync.WaitGroup
			for i := range 100 { // each id twice
				group.Go(func() {
					err := s.Update(t.Context(), func(tx *store.Tx) error {
						if err := record(tx, "answered"); err != nil {
							return err
						}
						return tx.CreateAnnotation(labeling.Annotation{ID: annotationID(i / 2), Project: "p1", Dataset: "d1", Item: item, Person: "ana",
							Kind: labeling.KindSkip, State: labeling.AnnotationSuperseded, At: tx.Now()})
					})
					if fault.Is(err, fault.Conflict) {
						refused.Add(1)
					} else if err != nil {
						t.Errorf("update %d: %v", i, err)
					}
				})
			}
			group.Wait()
			if n, err := s.CheckHistory(t.Context()); n-before != 50 || err != nil || refused.Load() != 50 {
				t.Errorf("%d events and %d refusals, %v; want 50 of each", n-before, refused.Load(), err)
			}
		})
	})
	t.Run("those who listen hear what was committed and nothing else", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			heard := make(chan string, 10)
			s.OnEvents(func(events []ledger.Event) {
				for _, e := range events {
					heard <- e.Kind
				}
			})
			_ = s.Update(t.Context(), func(tx *store.Tx) error { return errors.Join(record(tx, "lost"), errors.New("oops")) })
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return record(tx, "kept") }); err != nil {
				t.Fatal(err)
			}
			if got := <-heard; got != "kept" || len(heard) != 0 {
				t.Errorf("heard %q and %d more", got, len(heard))
			}
		})
	})
}

// History shows that the chain finds what was changed behind its back.
func History(t *testing.T) {
	t.Run("records come back by filter, newest first", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			for _, kind := range []string{"a", "b", "a"} {
				if err := s.Update(t.Context(), func(tx *store.Tx) error { return record(tx, kind) }); err != nil {
					t.Fatal(err)
				}
			}
			err := s.View(t.Context(), func(tx *store.Tx) error {
				records, err := tx.Events(ledger.Filter{Kind: "a", Actor: "system", Subject: ledger.Subject{Kind: "test", ID: "1"}})
				if err == nil && (len(records) != 2 || records[0].Seq != 3 || string(records[1].Payload) != `{"kind":"a"}`) {
					t.Errorf("records = %+v", records)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	})
}

// Work shows that a row of follow-up work is carried out once at a time.
func Work(t *testing.T) {
	t.Run("twenty loops claim a row once", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			now := s.Now()
			enqueue(t, s, work.Order{Kind: "one", NotBefore: now})
			claims := make(chan work.Row, 20)
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					row, found, err := s.ClaimWork(t.Context(), now, now.Add(time.Minute))
					if err != nil {
						t.Error(err)
					}
					if found {
						claims <- row
					}
				})
			}
			group.Wait()
			if len(claims) != 1 {
				t.Errorf("claimed %d times", len(claims))
			}
		})
	})
	t.Run("a lapsed lease is claimed again, a finished row never", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			now := s.Now()
			enqueue(t, s, work.Order{Kind: "one", NotBefore: now})
			first, _, _ := s.ClaimWork(t.Context(), now, now.Add(time.Minute))
			second, found, err := s.ClaimWork(t.Context(), now.Add(2*time.Minute), now.Add(3*time.Minute))
			if err != nil || !found || second.ID != first.ID || second.Tries != 2 {
				t.Fatalf("second claim = %+v, %v, %v", second, found, err)
			}
			if err := s.FinishWork(t.Context(), first.ID); err != nil {
				t.Fatal(err)
			}
			if _, found, _ := s.ClaimWork(t.Context(), now.Add(time.Hour), now.Add(2*time.Hour)); found {
				t.Error("finished work was claimed")
			}
		})
	})
	t.Run("the same key waits once, and may come again when it is done", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			now := s.Now()
			for range 3 {
				enqueue(t, s, work.Order{Kind: "one", Key: "k", NotBefore: now})
			}
			row, _, _ := s.ClaimWork(t.Context(), now, now.Add(time.Minute))
			if _, found, _ := s.ClaimWork(t.Context(), now, now.Add(time.Minute)); found {
				t.Error("the key waited twice")
			}
			if err := s.FinishWork(t.Context(), row.ID); err != nil {
				t.Fatal(err)
			}
			enqueue(t, s, work.Order{Kind: "one", Key: "k", NotBefore: now})
			if _, found, _ := s.ClaimWork(t.Context(), now, now.Add(time.Minute)); !found {
				t.Error("the key did not come again")
			}
		})
	})
	t.Run("parked work is not claimed", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			now := s.Now()
			enqueue(t, s, work.Order{Kind: "one", NotBefore: now})
			row, _, _ := s.ClaimWork(t.Context(), now, now.Add(time.Minute))
			if err := s.DeferWork(t.Context(), row.ID, time.Time{}, "no such item"); err != nil {
				t.Fatal(err)
			}
			if _, found, _ := s.ClaimWork(t.Context(), now.Add(time.Hour), now.Add(2*time.Hour)); found {
				t.Error("parked work was claimed")
			}
		})
	})
}

func enqueue(t *testing.T, s *store.Store, order work.Order) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.Enqueue(order) }); err != nil {
		t.Fatal(err)
	}
}
