package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// Erasure shows that rows of a person and an item are emptied, and that what
// was erased from the history is told from what was lost.
func Erasure(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		update := func(f func(tx *store.Tx) error) {
			t.Helper()
			if err := s.Update(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		var thing erasure.Thing
		update(func(tx *store.Tx) error {
			if err := tx.CreatePerson(identity.Person{ID: "p1", Username: "ana", Name: "Ana Ruiz", Admin: true, Password: "x", CreatedAt: tx.Now(), ChangedAt: tx.Now()}); err != nil {
				return err
			}
			if err := tx.CreateProject(labeling.Project{ID: "pr", Slug: "pr", Name: "Pr", Overlap: 1, SchemaVersion: 1}); err != nil {
				return err
			}
			if err := tx.CreateDataset(labeling.Dataset{ID: "d", Project: "pr", Name: "d", Purpose: labeling.PurposeTraining, CreatedAt: tx.Now()}); err != nil {
				return err
			}
			if _, err := tx.CreateItem(labeling.Item{ID: "i", Project: "pr", Dataset: "d", Key: "k", Text: "words", Content: ledger.DigestOf([]byte("words")), Status: labeling.StatusQueued, CreatedAt: tx.Now()}); err != nil {
				return err
			}
			return tx.Record(ledger.Entry{Actor: ledger.Actor{Person: "p1"}, Kind: "annotation.submitted", Subject: ledger.Subject{Kind: "item", ID: "i"}, Payload: map[string]string{"reason": "words"}})
		})
		update(func(tx *store.Tx) error {
			who, err := tx.WhoIs("ana")
			if err != nil || who.ID != "p1" || !who.LastAdmin || who.Erased {
				t.Errorf("who is ana: %+v (%v)", who, err)
			}
			if counts, err := tx.PersonRecords("p1"); err != nil || counts[erasure.RecordName] != 1 {
				t.Errorf("records of ana: %v (%v)", counts, err)
			}
			if thing, err = tx.Thing("pr", "i"); err != nil || thing.Key != "k" || thing.Erased {
				t.Errorf("the item: %+v (%v)", thing, err)
			}
			if _, err := tx.Thing("other", "i"); !fault.Is(err, fault.NotFound) {
				t.Errorf("an item of another project: %v", err)
			}
			if counts, err := tx.ItemRecords("i"); err != nil || counts[erasure.RecordText] != 1 {
				t.Errorf("records of the item: %v (%v)", counts, err)
			}
			frozen, err := tx.Frozen("pr")
			if err != nil || len(frozen) != 0 {
				t.Errorf("snapshots: %v (%v)", frozen, err)
			}
			if uploads, err := tx.Uploads("d"); err != nil || len(uploads) != 0 {
				t.Errorf("uploads: %v (%v)", uploads, err)
			}
			if used, err := tx.FileUsed(ledger.DigestOf(nil)); err != nil || used {
				t.Errorf("a file that nobody needs is used: %v (%v)", used, err)
			}
			return nil
		})
		update(func(tx *store.Tx) error {
			about, err := tx.PayloadsAbout(ledger.Subject{Kind: "item", ID: "i"})
			if err != nil {
				return err
			}
			next, err := tx.NextSeq()
			if err != nil {
				return err
			}
			if err := tx.EraseItem(thing); err != nil {
				return err
			}
			if gone, err := tx.ErasePayloads(next, append(about, 77)); err != nil || gone != int64(len(about)) {
				t.Errorf("%d payloads were erased of %v", gone, about)
				return err
			}
			if err := tx.ErasePerson("p1", "erased-p1"); err != nil {
				return err
			}
			if _, err := tx.EraseWords("p1", 10); err != nil {
				return err
			}
			return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: "item.erased", Subject: ledger.Subject{Kind: "item", ID: "i"}})
		})
		view(t, s, func(tx *store.Tx) error {
			if item, err := tx.Item("i"); err != nil || item.Text != "" || item.Status != labeling.StatusTrashed || item.Content == thing.Content {
				t.Errorf("the erased item: %+v (%v)", item, err)
			}
			if who, err := tx.WhoIs("p1"); err != nil || !who.Erased || who.Name == "Ana Ruiz" {
				t.Errorf("the erased person: %+v (%v)", who, err)
			}
			return nil
		})
		erased, err := s.ErasedPayloads(t.Context())
		if err != nil || len(erased) != 1 || erased[1] != 2 {
			t.Errorf("erased payloads: %v (%v)", erased, err)
		}
		if n, err := s.CheckHistory(t.Context()); err != nil || n != 2 {
			t.Errorf("the chain: %d (%v)", n, err)
		}
		if err := s.Scrub(t.Context()); err != nil {
			t.Errorf("scrub: %v", err)
		}
		update(func(tx *store.Tx) error {
			return errors.Join(
				tx.Record(ledger.Entry{Actor: ledger.Actor{Person: "p2"}, Kind: "comment.added", Subject: ledger.Subject{Kind: "candidate", ID: "c"}, Payload: map[string]string{"text": "ask ANA RUIZ"}}), // 3
				tx.Record(ledger.Entry{Actor: ledger.Actor{Person: "p2"}, Kind: "role.granted", Subject: ledger.Subject{Kind: "person", ID: "p1"}}),                                                        // 4
				tx.StartErasing(erasure.Erasing{Cause: 2, Kind: erasure.KindPerson, ID: "p1", Person: "boss", At: time.UnixMicro(7), Last: 4}),
				tx.Advance(erasure.Erasing{Cause: 2, Own: 4, Words: 1, Payloads: 2}),
				tx.Advance(erasure.Erasing{Cause: 2, Last: 3, Own: 1, Seen: 2, Payloads: 1})) // a slower one takes nothing back
		})
		update(func(tx *store.Tx) error {
			e, err := tx.Erasing(erasure.KindPerson, "p1")
			if want := (erasure.Erasing{Cause: 2, Kind: erasure.KindPerson, ID: "p1", Person: "boss", At: time.UnixMicro(7).UTC(), Last: 4, Own: 4, Seen: 2, Words: 1, Payloads: 3}); err != nil || e != want {
				t.Errorf("the erasure has come to %+v (%v)", e, err)
			}
			if _, err := tx.Erasing(erasure.KindItem, "p1"); !fault.Is(err, fault.NotFound) {
				t.Errorf("an erasure that nobody asked for: %v", err)
			}
			for _, c := range []struct {
				what string
				want []int64
				read func() ([]ledger.Record, error)
			}{
				{"by or about them", []int64{1, 4}, func() ([]ledger.Record, error) { return tx.RecordsOf("p1", 0, 10) }},
				{"the first of them", []int64{1}, func() ([]ledger.Record, error) { return tx.RecordsOf("p1", 0, 1) }},
				{"those after the first", []int64{4}, func() ([]ledger.Record, error) { return tx.RecordsOf("p1", 1, 10) }},
				{"naming them", []int64{3}, func() ([]ledger.Record, error) { return tx.RecordsNaming([]string{"nobody", "ana r"}, 0, 4) }},
				{"naming them up to the second", nil, func() ([]ledger.Record, error) { return tx.RecordsNaming([]string{"ana r"}, 0, 2) }},
				{"all that have a payload", []int64{2, 3, 4}, func() ([]ledger.Record, error) { return tx.RecordsNaming([]string{""}, 0, 4) }},
			} {
				found, err := c.read()
				var seqs []int64
				for _, r := range found {
					seqs = append(seqs, r.Seq)
				}
				if err != nil || !slices.Equal(seqs, c.want) {
					t.Errorf("%s are %v, want %v (%v)", c.what, seqs, c.want, err)
				}
			}
			return tx.Finished(2, time.UnixMicro(9))
		})
		update(func(tx *store.Tx) error {
			if e, err := tx.Erasing(erasure.KindPerson, "p1"); err != nil || !e.Finished.Equal(time.UnixMicro(9)) || e.Percent() != 100 {
				t.Errorf("the erasure that is done: %+v (%v)", e, err)
			}
			return nil
		})
		hold := erasure.Hold{Kind: "person", ID: "p1", Reason: "a lawsuit", Person: "boss", At: s.Now()}
		update(func(tx *store.Tx) error { return tx.PlaceHold(hold) })
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.PlaceHold(hold) }); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second hold: %v", err)
		}
		update(func(tx *store.Tx) error {
			holds, err := tx.Holds()
			if err != nil || len(holds) != 1 || holds[0].Reason != hold.Reason {
				t.Errorf("holds: %v (%v)", holds, err)
			}
			there, err := tx.LiftHold("person", "p1")
			if err != nil || !there {
				t.Errorf("lift: %v (%v)", there, err)
			}
			return nil
		})
	})
}
