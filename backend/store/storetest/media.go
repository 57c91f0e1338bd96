package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// Media tests what is kept about the objects that items refer to.
func Media(t *testing.T) {
	at := time.UnixMicro(1_700_000_000_000_000).UTC()
	object := func(n int) *labeling.Media {
		return &labeling.Media{URI: fmt.Sprintf("media://pics/%d.png", n), Digest: ledger.DigestOf([]byte{byte(n)}), Bytes: int64(n), Type: "image/png"}
	}
	run := func(t *testing.T, s *store.Store, f func(*store.Tx) error) {
		t.Helper()
		if err := s.Update(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	look := func(t *testing.T, s *store.Store, f func(*store.Tx) error) {
		t.Helper()
		if err := s.View(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	each := func(name string, f func(*testing.T, *store.Store)) {
		t.Run(name, func(t *testing.T) { Each(t, f) })
	}
	begin := func(t *testing.T, s *store.Store) {
		t.Helper()
		run(t, s, func(tx *store.Tx) error {
			if err := tx.CreateProject(labeling.Project{ID: "p", Slug: "p", Name: "P", Overlap: 1, CreatedAt: at}); err != nil {
				return err
			}
			if err := tx.CreateDataset(labeling.Dataset{ID: "d", Project: "p", Name: "D", Purpose: labeling.PurposeTraining, CreatedAt: at}); err != nil {
				return err
			}
			items := make([]labeling.Item, 0, 60)
			for n := range 60 {
				i := labeling.Item{ID: labeling.ItemID(fmt.Sprintf("i%02d", n)), Project: "p", Dataset: "d", Key: fmt.Sprint(n), Text: "t", Content: ledger.DigestOf([]byte{byte(n)}), Status: labeling.StatusQueued, CreatedAt: at}
				if n%2 == 0 {
					i.Media, i.Text = object(n), ""
				}
				items = append(items, i)
			}
			added, _, err := tx.AddItems(items)
			if err == nil && len(added) != 60 {
				t.Errorf("%d items were added", len(added))
			}
			if err == nil {
				_, err = tx.CreateItem(labeling.Item{ID: "one", Project: "p", Dataset: "d", Key: "one", Media: object(200), Content: ledger.DigestOf(nil), Status: labeling.StatusAccepted, CreatedAt: at})
			}
			return err
		})
	}
	each("an item comes back with its object, however it is found", func(t *testing.T, s *store.Store) {
		begin(t, s)
		look(t, s, func(tx *store.Tx) error {
			for id, want := range map[labeling.ItemID]*labeling.Media{"i04": object(4), "i05": nil, "one": object(200)} {
				i, err := tx.Item(id)
				if err != nil || (i.Media == nil) != (want == nil) || want != nil && *i.Media != *want {
					t.Errorf("%s: %+v (%v)", id, i.Media, err)
				}
			}
			for name, find := range map[string]func() ([]labeling.Item, error){
				"all": func() ([]labeling.Item, error) {
					items, _, err := tx.FindItems("p", labeling.ItemFilter{}, labeling.Slice{Rows: 100})
					return items, err
				},
				"by status": func() ([]labeling.Item, error) {
					items, _, err := tx.FindItems("p", labeling.ItemFilter{Dataset: "d", Status: labeling.StatusQueued}, labeling.Slice{Rows: 100})
					return items, err
				},
				"in a row": func() ([]labeling.Item, error) { return tx.ItemsAfter("d", 0, 100) },
				"as offered": func() ([]labeling.Item, error) {
					return tx.Offers(labeling.OfferQuery{Project: "p", Person: "ana", Overlap: 1, Limit: 100})
				},
			} {
				items, err := find()
				if err != nil || len(items) < 60 || items[4].Media == nil || items[4].Media.URI != "media://pics/4.png" || items[4].Media.Digest != object(4).Digest || items[5].Media != nil {
					t.Errorf("%s: %d items (%v)", name, len(items), err)
				}
			}
			accepted, err := tx.AcceptedItems("d", "", 10)
			if err != nil || len(accepted) != 1 || accepted[0].Media == nil || accepted[0].Media.Digest != object(200).Digest {
				t.Errorf("accepted: %+v (%v)", accepted, err)
			}
			return nil
		})
	})
	each("what is wrong with an object stands until it is right", func(t *testing.T, s *store.Store) {
		begin(t, s)
		wrong := labeling.MediaFault{State: labeling.MediaChanged, Found: ledger.DigestOf([]byte("other")), At: at.Add(time.Hour)}
		run(t, s, func(tx *store.Tx) error { return tx.SetMediaFault("i04", wrong) })
		look(t, s, func(tx *store.Tx) error {
			i, err := tx.Item("i04")
			if err != nil || i.Media.Fault != wrong {
				t.Errorf("fault %+v (%v)", i.Media.Fault, err)
			}
			items, faulty, err := tx.CountMedia("d")
			if err != nil || items != 31 || faulty != 1 {
				t.Errorf("%d items, %d with a fault (%v)", items, faulty, err)
			}
			list, err := tx.MediaItems("d", "", 100, true)
			if err != nil || len(list) != 1 || list[0].ID != "i04" {
				t.Errorf("%+v (%v)", list, err)
			}
			list, err = tx.MediaItems("d", "i04", 2, false)
			if err != nil || len(list) != 2 || list[0].ID != "i06" || list[1].ID != "i08" {
				t.Errorf("%+v (%v)", list, err)
			}
			return nil
		})
		run(t, s, func(tx *store.Tx) error { return tx.SetMediaFault("i04", labeling.MediaFault{}) })
		look(t, s, func(tx *store.Tx) error {
			if _, faulty, err := tx.CountMedia("d"); err != nil || faulty != 0 {
				t.Errorf("%d with a fault (%v)", faulty, err)
			}
			return nil
		})
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.SetMediaFault("i05", wrong) }); !fault.Is(err, fault.NotFound) {
			t.Errorf("a text has no object: %v", err)
		}
	})
	each("every reference is listed with its names, those in the trash as well", func(t *testing.T, s *store.Store) {
		begin(t, s)
		run(t, s, func(tx *store.Tx) error {
			many := make([]labeling.Item, 1100)
			for n := range many {
				key := fmt.Sprintf("m%04d", n)
				many[n] = labeling.Item{ID: labeling.ItemID(key), Project: "p", Dataset: "d", Key: key, Media: object(n % 200), Content: ledger.DigestOf([]byte(key)), Status: labeling.StatusTrashed, CreatedAt: at}
			}
			_, _, err := tx.AddItems(many)
			return err
		})
		seen := map[labeling.ItemID]store.Reference{}
		if err := s.EachReference(t.Context(), func(r store.Reference) error {
			if _, twice := seen[r.Item]; twice {
				t.Errorf("%s comes twice", r.Item)
			}
			seen[r.Item] = r
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if want := (store.Reference{Item: "i04", Project: "p", Dataset: "D", Key: "4", Media: *object(4)}); len(seen) != 31+1100 || seen["i04"] != want {
			t.Errorf("%d references, one is %+v, want %+v", len(seen), seen["i04"], want)
		}
	})
	each("a check is kept as far as it is", func(t *testing.T, s *store.Store) {
		begin(t, s)
		look(t, s, func(tx *store.Tx) error {
			if _, err := tx.MediaCheck("d"); !fault.Is(err, fault.NotFound) {
				t.Errorf("no check yet: %v", err)
			}
			return nil
		})
		c := labeling.MediaCheck{Dataset: "d", Of: 31, By: "ana", StartedAt: at}
		for range 2 {
			run(t, s, func(tx *store.Tx) error { return tx.SaveMediaCheck(c) })
			look(t, s, func(tx *store.Tx) error {
				if got, err := tx.MediaCheck("d"); err != nil || got != c {
					t.Errorf("%+v (%v), want %+v", got, err, c)
				}
				return nil
			})
			c.Done, c.Faults, c.Missed, c.After, c.FinishedAt = 31, 2, 1, "one", at.Add(time.Minute)
		}
	})
	each("who erases an item or purges a dataset erases what it refers to", func(t *testing.T, s *store.Store) {
		begin(t, s)
		run(t, s, func(tx *store.Tx) error {
			thing, err := tx.Thing("p", "i04")
			if err != nil {
				return err
			}
			return tx.EraseItem(thing)
		})
		look(t, s, func(tx *store.Tx) error {
			if i, err := tx.Item("i04"); err != nil || i.Media != nil {
				t.Errorf("%+v (%v)", i.Media, err)
			}
			return nil
		})
		run(t, s, func(tx *store.Tx) error {
			if err := tx.SaveMediaCheck(labeling.MediaCheck{Dataset: "d", Of: 1, By: "ana", StartedAt: at}); err != nil {
				return err
			}
			_, more, err := tx.Purge(erasure.Trashed{Kind: erasure.TrashDataset, Project: "p", ID: "d"}, 100)
			if more {
				t.Error("not all was purged")
			}
			return err
		})
		look(t, s, func(tx *store.Tx) error {
			items, _, err := tx.CountMedia("d")
			if err != nil || items != 0 {
				t.Errorf("%d references stay (%v)", items, err)
			}
			if _, err := tx.MediaCheck("d"); !fault.Is(err, fault.NotFound) {
				t.Errorf("the check stays: %v", err)
			}
			return nil
		})
	})
}
