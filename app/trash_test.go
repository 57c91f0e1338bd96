package app

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// eachHouse opens a house of its own on every database.
func eachHouse(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	databases := map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }}
	if os.Getenv(storetest.PostgresVariable) != "" {
		databases["postgres"] = storetest.Postgres
	}
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := openHouse(t.Context(), settings{Data: t.TempDir(), Database: database(t), Port: "0", Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = h.close() })
			f(t, h)
		})
	}
}

// kept is a project with a dataset, a snapshot, two models and a comparison.
type kept struct {
	*house
	t        *testing.T
	boss     ledger.Actor
	project  labeling.Project
	dataset  labeling.Dataset
	items    []labeling.ItemID
	snapshot labeling.Snapshot
	models   [2]compare.Model
}

func newKept(t *testing.T, h *house) *kept {
	t.Helper()
	k := &kept{house: h, t: t, boss: ledger.Actor{Person: "boss", Name: "Boss", Via: ledger.ViaLogin, Admin: true, Scope: ledger.ScopeFull}}
	var err error
	k.project, err = h.labeling.CreateProject(t.Context(), k.boss, labeling.CreateProjectRequest{Name: "Intents", Schema: labeling.Schema{Classes: []labeling.Class{{Name: "A"}, {Name: "B"}}}})
	k.must(err)
	k.dataset, err = h.labeling.CreateDataset(t.Context(), k.boss, k.project.ID, "ward", labeling.PurposeEvaluation)
	k.must(err)
	k.update(func(tx *store.Tx) error {
		k.items = nil
		for i, text := range []string{"zyxomma dives", "a harmless text", "another one"} {
			id := labeling.ItemID(newID())
			k.items = append(k.items, id)
			if _, err := tx.CreateItem(labeling.Item{ID: id, Project: k.project.ID, Dataset: k.dataset.ID, Key: string(rune('k' + i)), Text: text,
				Content: ledger.DigestOf([]byte(text)), Status: labeling.StatusQueued, CreatedAt: tx.Now()}); err != nil {
				return err
			}
		}
		return tx.Enqueue(work.Order{Kind: labeling.WorkIndex, Payload: struct{}{}})
	})
	for _, id := range k.items {
		_, err := h.labeling.Adjudicate(t.Context(), k.boss, k.project.ID, id, k.project.Schema.Classes[0].ID, "plain")
		k.must(err)
	}
	k.snapshot, err = h.labeling.CreateSnapshot(t.Context(), k.boss, k.project.ID, labeling.CreateSnapshotRequest{Name: "first", Datasets: []string{"ward"}})
	k.must(err)
	settle(t, h)
	k.snapshot, err = h.labeling.Snapshot(t.Context(), k.boss, k.project.ID, string(k.snapshot.ID))
	k.must(err)
	for i, name := range []string{"old", "new"} {
		k.update(func(tx *store.Tx) (err error) {
			k.models[i], err = tx.CreateModel(compare.Model{ID: compare.ModelID(newID()), Project: k.project.ID, Name: name,
				Digest: ledger.DigestOf([]byte(name)), Params: json.RawMessage("{}"), Environment: json.RawMessage("{}"), CreatedAt: tx.Now()})
			return err
		})
		_, err := h.compare.AddPredictions(t.Context(), k.boss, compare.AddRequest{Project: k.project.ID, Model: k.models[i].ID, Snapshot: k.snapshot.ID,
			Rows: func(yield func(compare.Prediction, error) bool) {
				for j, key := range []string{"k", "l", "m"} {
					if !yield(compare.Prediction{Key: key, Class: []string{"A", "B"}[(i+j)%2], Score: compare.NoScore, Runner: compare.NoScore}, nil) {
						return
					}
				}
			}})
		k.must(err)
	}
	settle(t, h)
	return k
}

func (k *kept) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *kept) update(f func(*store.Tx) error) {
	k.t.Helper()
	k.must(k.store.Update(k.t.Context(), f))
}

// delete puts something into the trash; it returns why not.
func (k *kept) delete(kind, id string) error {
	_, err := k.erasure.Delete(k.t.Context(), k.boss, kind, k.project.ID, id, "not needed")
	return err
}

func (k *kept) restore(kind, id string) error {
	_, err := k.erasure.Restore(k.t.Context(), k.boss, kind, k.project.ID, id)
	return err
}

func (k *kept) purge(kind, id string) error {
	_, err := k.erasure.Purge(k.t.Context(), k.boss, kind, k.project.ID, id)
	return err
}

// wantUnmet checks that something is needed still, in words.
func wantUnmet(t *testing.T, err error, words string) {
	t.Helper()
	if !fault.Is(err, fault.Unmet) || !strings.Contains(fault.Message(err), words) {
		t.Errorf("got %v, want Unmet with %q", err, words)
	}
}

// files counts the files that are kept.
func (k *kept) files() (n int) {
	k.t.Helper()
	k.must(filepath.WalkDir(filepath.Join(k.data.path, "blobs"), func(_ string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			n++
		}
		return err
	}))
	return n
}

func TestWhatIsDeletedComesBackUntilItIsPurged(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		k := newKept(t, h)
		ctx := t.Context()
		compared, err := h.compare.Compare(ctx, k.boss, compare.CompareRequest{Project: k.project.ID, Baseline: "old", Candidate: "new", Snapshot: k.snapshot.ID})
		k.must(err)
		digest := string(compared.Record.Digest)
		things := []struct {
			kind, id, needed string
			there            func() bool
		}{
			{"comparison", digest, "", func() bool {
				found, err := h.compare.Comparisons(ctx, k.boss, compare.ComparisonFilter{Project: k.project.ID})
				k.must(err)
				return len(found) == 1
			}},
			{"model", string(k.models[0].ID), "The comparison " + compared.Record.Digest.Short() + " is of it", func() bool {
				_, err := h.compare.Model(ctx, k.boss, k.project.ID, "old")
				return err == nil
			}},
			{"model", string(k.models[1].ID), "", func() bool {
				_, err := h.compare.Model(ctx, k.boss, k.project.ID, "new")
				return err == nil
			}},
			{"snapshot", string(k.snapshot.ID), "The model new 1, old 1 was trained or judged on it", func() bool {
				_, err := h.labeling.Snapshot(ctx, k.boss, k.project.ID, "first")
				return err == nil
			}},
			{"dataset", string(k.dataset.ID), "The snapshot 1 holds items of it", func() bool {
				list, err := h.labeling.Items(ctx, k.boss, k.project.ID, labeling.ItemFilter{}, labeling.PageRequest{})
				k.must(err)
				found, err := h.labeling.Items(ctx, k.boss, k.project.ID, labeling.ItemFilter{Search: "zyxomma"}, labeling.PageRequest{})
				k.must(err)
				if len(list.Items) != len(found.Items)*3 {
					t.Errorf("%d items in the list, %d of the search", len(list.Items), len(found.Items))
				}
				return len(list.Items) == 3
			}},
		}
		for _, thing := range things {
			if thing.needed != "" {
				wantUnmet(t, k.delete(thing.kind, thing.id), thing.needed)
			}
		}
		// What needs a thing stands before it in the list.
		for _, thing := range things {
			if !thing.there() {
				t.Fatalf("no %s before it is deleted", thing.kind)
			}
			k.must(k.delete(thing.kind, thing.id))
			if thing.there() {
				t.Errorf("the %s is seen in the trash", thing.kind)
			}
			if err := k.delete(thing.kind, thing.id); !fault.Is(err, fault.NotFound) {
				t.Errorf("deleted twice: %v", err)
			}
			k.must(k.restore(thing.kind, thing.id))
			if !thing.there() {
				t.Errorf("the %s is not restored", thing.kind)
			}
			k.must(k.delete(thing.kind, thing.id))
		}
		list, err := h.erasure.Deleted(ctx, k.boss)
		k.must(err)
		if len(list) != 5 || list[0].Kind != "dataset" || list[0].Name != "ward" || list[0].Purge.Sub(list[0].At) != 30*24*time.Hour || list[0].Kept != "" {
			t.Fatalf("the trash holds %+v", list)
		}
		stranger := ledger.Actor{Person: "s", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"elsewhere": {ledger.RoleLead}}}
		if theirs, err := h.erasure.Deleted(ctx, stranger); err != nil || len(theirs) != 0 {
			t.Errorf("a stranger sees %+v (%v)", theirs, err)
		}
		for _, role := range []ledger.Role{ledger.RoleAuditor, ledger.RoleAnnotator, ledger.RoleDataScientist} {
			other := ledger.Actor{Person: "o", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{k.project.ID: {role}}}
			if _, err := h.erasure.Restore(ctx, other, "dataset", k.project.ID, string(k.dataset.ID)); !fault.Is(err, fault.Denied) {
				t.Errorf("%s restores: %v", role, err)
			}
			if _, err := h.erasure.Purge(ctx, other, "dataset", k.project.ID, string(k.dataset.ID)); err == nil {
				t.Errorf("%s purges", role)
			}
		}
		_, err = h.erasure.PlaceHold(ctx, k.boss, erasure.Hold{Kind: "dataset", ID: string(k.dataset.ID), Reason: "a lawsuit."})
		k.must(err)
		wantUnmet(t, k.purge("dataset", string(k.dataset.ID)), "a lawsuit")
		k.must(h.erasure.LiftHold(ctx, k.boss, "dataset", string(k.dataset.ID), "settled"))
		for _, thing := range things {
			k.must(k.purge(thing.kind, thing.id))
			if err := k.restore(thing.kind, thing.id); !fault.Is(err, fault.NotFound) {
				t.Errorf("a purged %s comes back: %v", thing.kind, err)
			}
		}
		settle(t, h)
		if n := k.files(); n != 0 {
			t.Errorf("%d files are left", n)
		}
		if _, err := h.labeling.CreateDataset(ctx, k.boss, k.project.ID, "ward", labeling.PurposeTraining); err != nil {
			t.Errorf("the name is not free again: %v", err)
		}
		if n, err := h.store.CheckHistory(ctx); err != nil || n == 0 {
			t.Errorf("the history: %d, %v", n, err)
		}
	})
}

func TestAWholeProjectIsDeletedAndPurged(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		k := newKept(t, h)
		ctx := t.Context()
		id := string(k.project.ID)
		k.must(k.delete("project", id))
		if _, err := h.labeling.Project(ctx, k.boss, k.project.Slug); !fault.Is(err, fault.NotFound) {
			t.Errorf("it is seen in the trash: %v", err)
		}
		if _, err := h.labeling.CreateProject(ctx, k.boss, labeling.CreateProjectRequest{Name: "Other", Slug: k.project.Slug}); !fault.Is(err, fault.Conflict) {
			t.Errorf("its address is given away: %v", err)
		}
		k.must(k.restore("project", id))
		if _, err := h.labeling.Project(ctx, k.boss, k.project.Slug); err != nil {
			t.Errorf("it is not restored: %v", err)
		}
		k.must(k.delete("project", id))
		k.must(k.purge("project", id))
		settle(t, h)
		if n := k.files(); n != 0 {
			t.Errorf("%d files are left", n)
		}
		if _, err := h.labeling.CreateProject(ctx, k.boss, labeling.CreateProjectRequest{Name: "Other", Slug: k.project.Slug}); err != nil {
			t.Errorf("its address is not free again: %v", err)
		}
	})
}

func TestRetentionRemovesWhatIsDueAndSaysSo(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		k := newKept(t, h)
		ctx := t.Context()
		if _, err := h.erasure.SetRetention(ctx, k.boss, erasure.RetainDrafts, 7, " "); fault.Fields(err)["reason"] == "" {
			t.Errorf("without a reason: %v", err)
		}
		if _, err := h.erasure.SetRetention(ctx, k.boss, erasure.RetainDrafts, -1, "x"); fault.Fields(err)["days"] == "" {
			t.Errorf("a negative number of days: %v", err)
		}
		if _, err := h.erasure.SetRetention(ctx, k.boss, "votes", 7, "x"); fault.Fields(err)["kind"] == "" {
			t.Errorf("votes are kept for a time only: %v", err)
		}
		lead := ledger.Actor{Person: "l", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{k.project.ID: {ledger.RoleLead}}}
		if _, err := h.erasure.Apply(ctx, lead); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound) {
			t.Errorf("a lead removes: %v", err)
		}
		_, err := h.erasure.SetRetention(ctx, k.boss, erasure.RetainDrafts, 7, "the works council asked")
		k.must(err)
		draft := func(person ledger.PersonID, days int) {
			k.update(func(tx *store.Tx) error {
				return tx.SaveDraft(labeling.DraftKey{Person: person, Project: k.project.ID, Item: k.items[0]}, labeling.Draft{Typed: "c"}, tx.Now().AddDate(0, 0, -days))
			})
		}
		draft("ana", 8)
		draft("ben", 6)
		draft("held", 100)
		k.update(func(tx *store.Tx) error {
			return tx.CreatePerson(identity.Person{ID: "held", Username: "held", Name: "Held", CreatedAt: tx.Now(), ChangedAt: tx.Now()})
		})
		_, err = h.erasure.PlaceHold(ctx, k.boss, erasure.Hold{Kind: "person", ID: "held", Reason: "a lawsuit"})
		k.must(err)
		done, err := h.erasure.Apply(ctx, k.boss)
		k.must(err)
		if done.Removed[erasure.RetainDrafts] != 1 {
			t.Errorf("removed %+v", done)
		}
		for person, want := range map[ledger.PersonID]int{"ana": 0, "ben": 1, "held": 1} {
			k.must(h.store.View(ctx, func(tx *store.Tx) error {
				found, err := tx.Drafts(person, k.project.ID)
				if len(found) != want {
					t.Errorf("%s has %d drafts, want %d", person, len(found), want)
				}
				return err
			}))
		}
		events := func() (list []ledger.Record) {
			k.must(h.store.View(ctx, func(tx *store.Tx) (err error) {
				list, err = tx.Events(ledger.Filter{Kinds: []string{"retention.applied", "retention.changed"}})
				return err
			}))
			return list
		}
		got := events()
		if len(got) != 2 || !strings.Contains(string(got[0].Payload), `"drafts":1`) || !strings.Contains(string(got[1].Payload), "works council") {
			t.Fatalf("the history says %+v", got)
		}
		if _, err := h.erasure.Apply(ctx, k.boss); err != nil || len(events()) != 2 {
			t.Errorf("a second time in a row is another event (%v)", err)
		}
		// Every kind of record has a statement that runs on this database.
		k.update(func(tx *store.Tx) error {
			for _, kind := range []erasure.Retained{erasure.RetainDrafts, erasure.RetainPresence, erasure.RetainLooks, erasure.RetainLogins, erasure.RetainLinks, erasure.RetainTokens, erasure.RetainLogs, erasure.RetainUploads} {
				if _, _, err := tx.Expire(kind, tx.Now(), 10); err != nil {
					t.Errorf("%s: %v", kind, err)
				}
			}
			return nil
		})
		settle(t, h) // the daily work asks for the next day, once
	})
}
