package app

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/labeling"
)

// traces lists the files of a folder that hold a text, in any case.
func traces(t *testing.T, folder, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(bytes.ToLower(content), []byte(strings.ToLower(text))) {
			found = append(found, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// settle carries out all work that is due.
func settle(t *testing.T, h *house) {
	t.Helper()
	handlers := h.handlers()
	for {
		row, found, err := h.store.ClaimWork(t.Context(), h.store.Now(), h.store.Now().Add(1e11))
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			return
		}
		if err := handlers[row.Kind](t.Context(), row.Payload); err != nil {
			t.Fatalf("%s: %v", row.Kind, err)
		}
		if err := h.store.FinishWork(t.Context(), row.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestErasureLeavesNoTraceAndTheHistoryVerifies(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	h, err := openHouse(t.Context(), settings{Data: data, Port: "0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	admin := ledger.Actor{Person: "boss", Name: "Boss", Via: ledger.ViaLogin, Admin: true, Scope: ledger.ScopeFull}
	must(h.store.Update(ctx, func(tx *store.Tx) error {
		return tx.CreatePerson(identity.Person{ID: admin.Person, Username: "boss", Name: admin.Name, Admin: true})
	}))
	who, _, err := h.identity.CreatePerson(ctx, admin, identity.CreatePersonRequest{Username: "xanthippe", Name: "Xanthippe Quorwald"})
	must(err)
	var project labeling.Project
	var dataset labeling.Dataset
	project, err = h.labeling.CreateProject(ctx, admin, labeling.CreateProjectRequest{Name: "Intents", Slug: "intents",
		Schema: labeling.Schema{Classes: []labeling.Class{{Name: "A"}, {Name: "B"}}}})
	must(err)
	dataset, err = h.labeling.CreateDataset(ctx, admin, project.ID, "d", labeling.PurposeTraining)
	must(err)
	const secret = "zyxomma dives at dusk near Vrondak"
	var items []labeling.ItemID
	must(h.store.Update(ctx, func(tx *store.Tx) error {
		items = nil
		for i, text := range []string{secret, "a harmless text", "another one"} {
			id := labeling.ItemID(newID())
			items = append(items, id)
			item := labeling.Item{ID: id, Project: project.ID, Dataset: dataset.ID, Key: string(rune('k' + i)), Text: text,
				Content: ledger.DigestOf([]byte(text)), Status: labeling.StatusQueued, CreatedAt: tx.Now()}
			if i == 0 {
				item.Media = &labeling.Media{URI: "media://scans/quendelbach.png", Digest: ledger.DigestOf([]byte("scan")), Bytes: 4, Type: "image/png"}
			}
			if _, err := tx.CreateItem(item); err != nil {
				return err
			}
		}
		return tx.Enqueue(work.Order{Kind: labeling.WorkIndex, Payload: struct{}{}})
	}))
	settle(t, h)
	theirs := ledger.Actor{Person: who.ID, Name: who.Name, Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{project.ID: {ledger.RoleLead}}}
	for _, id := range items {
		_, err = h.labeling.Adjudicate(ctx, theirs, project.ID, id, project.Schema.Classes[0].ID, "because of my grandmother Ermintrude")
		must(err)
	}
	snap, err := h.labeling.CreateSnapshot(ctx, admin, project.ID, labeling.CreateSnapshotRequest{Name: "first", Datasets: []string{"d"}})
	must(err)
	settle(t, h)
	before := map[string]bool{"xanthippe": true, "ermintrude": true, "zyxomma": true, "vrondak": true, "quendelbach": true, ledger.DigestOf([]byte("scan")).Hex(): true}
	for text := range before {
		if len(traces(t, data, text)) == 0 {
			t.Fatalf("nothing holds %q before it is erased: the test proves nothing", text)
		}
	}

	t.Run("asks for a reason and for the name", func(t *testing.T) {
		_, err := h.erasure.ErasePerson(ctx, admin, "xanthippe", erasure.Request{Confirm: "xan"})
		fields := fault.Fields(err)
		if fields["confirm"] == "" || fields["reason"] == "" {
			t.Errorf("the refusal is %v", err)
		}
	})
	t.Run("a legal hold keeps both", func(t *testing.T) {
		for kind, id := range map[string]string{"person": string(who.ID), "dataset": string(dataset.ID)} {
			if _, err := h.erasure.PlaceHold(ctx, admin, erasure.Hold{Kind: kind, ID: id, Reason: "a lawsuit"}); err != nil {
				t.Fatal(err)
			}
			if kind == "person" {
				_, err = h.erasure.ErasePerson(ctx, admin, id, erasure.Request{Confirm: "xanthippe", Reason: "she asked"})
			} else {
				_, err = h.erasure.EraseItem(ctx, admin, project.ID, string(items[0]), erasure.Request{Confirm: "k", Reason: "she asked"})
			}
			if !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Message(err), "a lawsuit") {
				t.Errorf("%s: got %v", kind, err)
			}
			if err := h.erasure.LiftHold(ctx, admin, kind, id, "settled"); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("nobody erases themselves", func(t *testing.T) {
		self := theirs
		self.Admin = true
		if p, err := h.erasure.PlanPerson(ctx, self, "xanthippe"); err != nil || !strings.Contains(p.Refused, "themselves") {
			t.Errorf("got %q (%v)", p.Refused, err)
		}
	})

	plan, err := h.erasure.ErasePerson(ctx, admin, "xanthippe", erasure.Request{Confirm: "xanthippe", Reason: "she asked"})
	must(err)
	for _, l := range plan.Lines {
		if l.Record == erasure.RecordTexts && l.Count != 3 || l.Record == erasure.RecordPayloads && l.Count < 4 {
			t.Errorf("the plan says %s %d", l.Record, l.Count)
		}
	}
	plan, err = h.erasure.EraseItem(ctx, admin, project.ID, string(items[0]), erasure.Request{Confirm: "k", Reason: "it names a patient"})
	must(err)
	for _, l := range plan.Lines {
		if l.Record == erasure.RecordSnapshots && (l.Count != 1 || l.Names[0] != snap.Title()) {
			t.Errorf("the plan says of snapshots %d %v", l.Count, l.Names)
		}
	}
	settle(t, h)
	for text := range before {
		if found := traces(t, data, text); len(found) > 0 {
			t.Errorf("%q still stands in %v", text, found)
		}
	}
	if n, err := h.store.CheckHistory(ctx); err != nil || n == 0 {
		t.Errorf("the chain: %d, %v", n, err)
	}
	list, err := h.labeling.Items(ctx, admin, project.ID, labeling.ItemFilter{Search: "another"}, labeling.PageRequest{})
	if err != nil || len(list.Items) != 1 {
		t.Errorf("the search finds %d of the others (%v)", len(list.Items), err)
	}
	p, err := h.erasure.PlanPerson(ctx, admin, string(who.ID))
	if err != nil || !p.Done {
		t.Errorf("afterwards: %v %v", p.Done, err)
	}
	must(h.close())
}

func TestDoctorTellsAnErasureFromALoss(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "adjudge.db")
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	boss := ledger.Actor{Person: "boss", Via: ledger.ViaLogin}
	record := func(kind string, erase ...int64) {
		t.Helper()
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			next, err := tx.NextSeq()
			if err != nil {
				return err
			}
			if _, err := tx.ErasePayloads(next, erase); err != nil {
				return err
			}
			return tx.Record(ledger.Entry{Actor: boss, Kind: kind, Subject: ledger.Subject{Kind: "person", ID: "p7"}, Payload: "words"})
		}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(wantSound bool, words string) {
		t.Helper()
		var out bytes.Buffer
		sound, err := reportErased(t.Context(), &out, s)
		if err != nil || sound != wantSound || !strings.Contains(out.String(), words) {
			t.Errorf("sound %v (%v), want %v with %q; it says %q", sound, err, wantSound, words, out.String())
		}
	}
	record("note.made")
	record("note.made")
	check(true, "")
	record("person.erased", 1)
	check(true, "erased: person p7 by boss on ")
	check(true, ", 1 payloads")
	record("note.made", 2) // in the name of an event that erases nothing
	check(false, "in the name of event 4, which erased nothing")
}
