package review_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
)

type noFiles struct{ *shelf }

func (noFiles) Remove(context.Context, ledger.Digest) error { return nil }

// A voter who is erased leaves their signed vote behind, and the gate answers
// as before.
func TestErasingAVoterKeepsTheGateAndEverySignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("model bytes")
	w.must(w.store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.Record(ledger.Entry{Actor: w.ana, Project: project, Kind: "candidate.commented", Subject: ledger.Subject{Kind: "candidate", ID: string(c.ID)}, Payload: map[string]string{"text": "My grandmother Ermintrude agrees."}})
	}))
	before := w.gate(c)
	if !before.OK {
		t.Fatalf("the gate is closed before: %s", before.Reason)
	}
	eraser := erasure.New(erasure.Config{
		Update: store.In[erasure.Tx](w.store), View: store.From[erasure.Tx](w.store), Scrub: w.store.Scrub, Files: noFiles{w.files},
	})
	boss := ledger.Actor{Person: "boss", Via: ledger.ViaLogin, Admin: true, Scope: ledger.ScopeFull}
	plan, err := eraser.ErasePerson(t.Context(), boss, "ana", erasure.Request{Confirm: "ana", Reason: "she asked"})
	w.must(err)
	signed := int64(0)
	for _, l := range plan.Lines {
		if l.Record == erasure.RecordSigned {
			signed = l.Count
		}
	}
	if signed < 2 { // the vote and what the history says of it
		t.Errorf("the plan holds %d signed records", signed)
	}
	order, err := json.Marshal(map[string]any{"who": map[string]string{"ID": "ana", "Name": "Ana Ruiz", "Username": "ana"}, "cause": lastSeq(t, w)})
	w.must(err)
	w.must(eraser.Finish(t.Context(), order))
	erased, err := w.store.ErasedPayloads(t.Context())
	w.must(err)
	if len(erased) == 0 {
		t.Error("no payload was erased")
	}
	if after := w.gate(c); !after.OK || after.Reason != before.Reason {
		t.Errorf("the gate says %s: %s, before it said %s", after.State, after.Reason, before.Reason)
	}
	if _, err := w.store.CheckHistory(t.Context()); err != nil {
		t.Error(err)
	}
}

func lastSeq(t *testing.T, w *world) (last int64) {
	t.Helper()
	w.must(w.store.WalkHistory(t.Context(), func(r ledger.Record) error {
		last = r.Seq
		return nil
	}))
	return last
}
