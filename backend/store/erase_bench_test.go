package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// BenchmarkErasePerson1M erases a person out of a history of a million events,
// each of an annotation, of which 50,000 are theirs and 10,000 hold words of
// theirs. It says how long the plan and the rest take, and the longest that one of
// its transactions ran: for so long nobody else wrote.
func BenchmarkErasePerson1M(b *testing.B) {
	onBoth(b, benchErase)
}

func benchErase(b *testing.B, s *store.Store) {
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	const events, group = 1_000_000, 5000
	for done := 0; done < events; done += group {
		must(s.Update(b.Context(), func(tx *store.Tx) error {
			for i := done; i < done+group; i++ {
				who, payload := ledger.PersonID(fmt.Sprint("p", i%37)), map[string]string{"class": "01920000-0000-7000-8000-000000000001"}
				if i%20 == 7 {
					who = "xan"
				}
				if i%100 == 7 {
					payload["reason"] = "because it says so"
				}
				if i%100_000 == 11 {
					payload["reason"] = "Xanthippe Quorwald asked"
				}
				if err := tx.CreateAnnotation(labeling.Annotation{ID: labeling.AnnotationID(fmt.Sprintf("%08x", uint32(i)*2654435761)), Project: "p", Dataset: "d", Item: labeling.ItemID(fmt.Sprint("i", i%50_000)),
					Person: who, Kind: labeling.KindSkip, Reason: payload["reason"], State: labeling.AnnotationActive, At: tx.Now()}); err != nil {
					return err
				}
				if err := tx.Record(ledger.Entry{Actor: ledger.Actor{Person: who, Via: ledger.ViaLogin}, Project: "p", Kind: "annotation.submitted",
					Subject: ledger.Subject{Kind: "item", ID: fmt.Sprint("i", i%50_000)}, Payload: payload}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	must(s.Update(b.Context(), func(tx *store.Tx) error {
		for _, id := range []string{"xan", "boss"} {
			if err := tx.CreatePerson(identity.Person{ID: ledger.PersonID(id), Username: id, Name: map[string]string{"xan": "Xanthippe Quorwald", "boss": "Boss"}[id], Admin: id == "boss", Password: "x", CreatedAt: tx.Now(), ChangedAt: tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	}))
	var took []time.Duration
	service := erasure.New(erasure.Config{Scrub: s.Scrub, View: store.From[erasure.Tx](s),
		Update: func(ctx context.Context, do func(erasure.Tx) error) error {
			return store.In[erasure.Tx](s)(ctx, func(tx erasure.Tx) error {
				began := time.Now()
				defer func() { took = append(took, time.Since(began)) }()
				return do(tx)
			})
		}})
	boss := ledger.Actor{Person: "boss", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Admin: true}
	began := time.Now()
	plan, err := service.PlanPerson(b.Context(), boss, "xan")
	must(err)
	planned := time.Since(began)
	for _, l := range plan.Lines {
		if l.Record == erasure.RecordPayloads && l.Count != 10_010 {
			b.Errorf("the plan says %d payloads", l.Count)
		}
	}
	_, err = service.ErasePerson(b.Context(), boss, "xan", erasure.Request{Confirm: "xan", Reason: "she asked"})
	must(err)
	began = time.Now()
	row, found, err := s.ClaimWork(b.Context(), time.Now(), time.Now().Add(time.Hour))
	if err != nil || !found {
		b.Fatalf("no work: %v", err)
	}
	must(service.Finish(b.Context(), row.Payload))
	b.ReportMetric(planned.Seconds(), "s/plan")
	b.ReportMetric(time.Since(began).Seconds(), "s/finish")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e6, "ms/median-update")
	b.ReportMetric(float64(took[len(took)-1])/1e6, "ms/longest-update")
	b.ReportMetric(0, "ns/op")
	if gone, err := s.ErasedPayloads(b.Context()); err != nil || len(gone) != 10_010 {
		b.Errorf("%d payloads were erased (%v)", len(gone), err)
	}
}
