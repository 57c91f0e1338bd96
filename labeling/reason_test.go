package labeling_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/labeling"
)

func TestWhatWasAcceptedChangesOnlyForAReason(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		p, err := d.Project(t.Context(), d.actor, string(d.project))
		if err != nil {
			t.Fatal(err)
		}
		change := labeling.UpdateProjectRequest{Name: p.Name, Schema: p.Schema, Version: p.SchemaVersion}
		change.Schema.Guideline = "Cash is money."
		if _, err = d.UpdateProject(t.Context(), d.actor, d.project, change); err != nil {
			t.Fatal("nobody has answered yet, so no reason is needed:", err)
		}
		d.bring("a.csv", "text,label,id\na,x,1\nb,y,2\n", labeling.StartImportRequest{Dataset: "d", AddClasses: true})
		if p, err = d.Project(t.Context(), d.actor, string(d.project)); err != nil {
			t.Fatal(err)
		}
		change = labeling.UpdateProjectRequest{Name: "Another name", Schema: p.Schema, Version: p.SchemaVersion}
		if p, err = d.UpdateProject(t.Context(), d.actor, d.project, change); err != nil {
			t.Fatal("a name needs no reason:", err)
		}
		change.Version, change.Schema.Guideline = p.SchemaVersion, "Cash is coins."
		refused(t, func() error { _, err := d.UpdateProject(t.Context(), d.actor, d.project, change); return err })
		change.Reason = "notes are apart"
		if _, err = d.UpdateProject(t.Context(), d.actor, d.project, change); err != nil {
			t.Fatal(err)
		}
		if told := d.told(t, "project.changed"); !strings.Contains(told, "Schema.guideline=Cash is money.>Cash is coins.") || !strings.Contains(told, "because notes are apart") {
			t.Errorf("the history says %s", told)
		}

		page, err := d.Items(t.Context(), d.actor, d.project, labeling.ItemFilter{}, labeling.PageRequest{})
		if err != nil {
			t.Fatal(err)
		}
		first, other := page.Items[0], page.Items[1].Label
		bulk := labeling.BulkRequest{Action: labeling.BulkRelabel, Class: other, Items: []labeling.ItemID{first.ID}}
		refused(t, func() error { _, err := d.ChangeItems(t.Context(), d.actor, d.project, bulk); return err })
		bulk.Reason = "seen again"
		if _, err := d.ChangeItems(t.Context(), d.actor, d.project, bulk); err != nil {
			t.Fatal(err)
		}
		if told := d.told(t, "items.relabelled"); told != string(first.ID)+"="+string(first.Label)+">"+string(other)+" because seen again" {
			t.Errorf("the history says %s", told)
		}
		refused(t, func() error {
			_, err := d.Adjudicate(t.Context(), d.actor, d.project, first.ID, other, " ")
			return err
		})
	})
}

// refused checks that a change is refused for want of a reason.
func refused(t *testing.T, change func() error) {
	t.Helper()
	if err := change(); !fault.Is(err, fault.Invalid) || fault.Fields(err)[ledger.KeyReason] == "" {
		t.Errorf("without a reason: %v", err)
	}
}

// told returns what the newest event of a kind says was changed, and why.
func (d desk) told(t *testing.T, kind string) string {
	t.Helper()
	var said string
	err := d.store.View(t.Context(), func(tx *store.Tx) error {
		records, err := tx.Events(ledger.Filter{Kind: kind, Limit: 1})
		if err != nil || len(records) == 0 {
			return err
		}
		if !json.Valid(records[0].Payload) {
			t.Errorf("%s is no JSON", records[0].Payload)
		}
		changes, reason := ledger.Changes(records[0].Payload)
		var parts []string
		for _, c := range changes {
			parts = append(parts, c.Field+"="+c.Was+">"+c.Is)
		}
		said = strings.Join(parts, " ") + " because " + reason
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func TestScreensLockLaterOnlyForAReason(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		demand := func(minutes int, why string) error {
			_, err := d.DemandLock(t.Context(), d.actor, d.project, minutes, why)
			return err
		}
		for _, minutes := range []int{10, 5, 5} {
			if err := demand(minutes, ""); err != nil {
				t.Fatal("to lock sooner needs no reason:", err)
			}
		}
		refused(t, func() error { return demand(0, "") })
		refused(t, func() error { return demand(6, "") })
		if err := demand(481, "long"); fault.Fields(err)["lock_after"] == "" {
			t.Errorf("eight hours and a minute: %v", err)
		}
		if err := demand(0, "the ward has closed"); err != nil {
			t.Fatal(err)
		}
		if told := d.told(t, "project.lock"); told != "lock_after=5>0 because the ward has closed" {
			t.Errorf("the history says %q", told)
		}
		reader := ledger.Actor{Person: "bo", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{d.project: {ledger.RoleAuditor}}}
		if _, err := d.DemandLock(t.Context(), reader, d.project, 1, ""); !fault.Is(err, fault.Denied) {
			t.Errorf("an auditor: %v", err)
		}
	})
}
