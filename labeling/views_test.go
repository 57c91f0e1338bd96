package labeling_test

import (
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/labeling"
)

const somePage = "018f0000-0000-7000-8000-000000000001"

// viewers lists who was noted as looking at marked datasets, oldest first.
func (d desk) viewers(t *testing.T) []ledger.PersonID {
	t.Helper()
	var who []ledger.PersonID
	if err := d.store.View(t.Context(), func(tx *store.Tx) error {
		records, err := tx.Events(ledger.Filter{Kinds: []string{labeling.EventViewed, "no.such"}})
		who = nil
		for _, r := range records {
			who = append(who, r.Actor)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(who)
	return who
}

func TestWhoLooksAtMarkedItemsIsNotedOnceAnHour(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		var mu sync.Mutex
		now := time.Date(2026, 11, 21, 12, 10, 0, 0, time.UTC)
		d.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
		d.bring("a.csv", "text,label,id\na,x,1\nb,,2\n", labeling.StartImportRequest{Dataset: "ward", AddClasses: true})
		d.bring("b.csv", "text,label,id\nc,x,1\n", labeling.StartImportRequest{Dataset: "open", AddClasses: true})
		person := func(id ledger.PersonID) ledger.Actor {
			return ledger.Actor{Person: id, Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{d.project: {ledger.RoleLead}}}
		}
		ward, err := d.Dataset(t.Context(), d.actor, d.project, "ward")
		if err != nil {
			t.Fatal(err)
		}
		open, err := d.Dataset(t.Context(), d.actor, d.project, "open")
		if err != nil {
			t.Fatal(err)
		}
		items, err := d.Items(t.Context(), person("early"), d.project, labeling.ItemFilter{}, labeling.PageRequest{})
		if err != nil || len(items.Items) != 3 {
			t.Fatal(items, err)
		}
		if _, err := d.MarkDataset(t.Context(), d.actor, d.project, "ward", true, ""); err != nil {
			t.Fatal(err)
		}
		looks := []struct {
			who  ledger.PersonID
			look func(ledger.Actor) error
		}{
			{"lists", func(a ledger.Actor) error {
				_, err := d.Items(t.Context(), a, d.project, labeling.ItemFilter{Dataset: ward.ID}, labeling.PageRequest{})
				return err
			}},
			{"reads", func(a ledger.Actor) error {
				_, err := d.Item(t.Context(), a, d.project, items.Items[0].ID)
				return err
			}},
			{"labels", func(a ledger.Actor) error {
				_, err := d.LeaseTasks(t.Context(), a, d.project, labeling.LeaseRequest{Page: somePage})
				return err
			}},
			{"peeks", func(a ledger.Actor) error {
				_, err := d.Peek(t.Context(), a, d.project, labeling.PeekRequest{Item: items.Items[0].ID})
				return err
			}},
			{"exports", func(a ledger.Actor) error {
				return d.ExportDataset(t.Context(), a, d.project, "ward", labeling.FormatCSV, io.Discard)
			}},
		}
		var want []ledger.PersonID
		for _, l := range looks {
			for range 3 {
				if err := l.look(person(l.who)); err != nil {
					t.Fatal(l.who, err)
				}
			}
			want = append(want, l.who)
			if got := d.viewers(t); !slices.Equal(got, want) {
				t.Fatalf("after %s: %q, want %q", l.who, got, want)
			}
		}
		if _, err := d.Items(t.Context(), person("elsewhere"), d.project, labeling.ItemFilter{Dataset: open.ID}, labeling.PageRequest{}); err != nil {
			t.Fatal(err)
		}
		if err := d.Viewed(t.Context(), ledger.System(), d.project, ward.ID); err != nil {
			t.Fatal(err)
		}
		// Another server does not note again what this one did.
		other := labeling.New(d.Config)
		if err := other.Viewed(t.Context(), person("lists"), d.project, ward.ID); err != nil {
			t.Fatal(err)
		}
		if got := d.viewers(t); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		mu.Lock()
		now = now.Add(time.Hour)
		mu.Unlock()
		if err := looks[0].look(person("lists")); err != nil {
			t.Fatal(err)
		}
		if got := d.viewers(t); !slices.Equal(got, append(want, "lists")) {
			t.Errorf("an hour later: %q", got)
		}

		refused(t, func() error {
			_, err := d.MarkDataset(t.Context(), d.actor, d.project, "ward", false, "")
			return err
		})
		annotator := ledger.Actor{Person: "p", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{d.project: {ledger.RoleAnnotator}}}
		if _, err := d.MarkDataset(t.Context(), annotator, d.project, "ward", true, ""); !fault.Is(err, fault.Denied) {
			t.Errorf("an annotator marks a dataset: %v", err)
		}
		if _, err := d.MarkDataset(t.Context(), d.actor, d.project, "ward", false, "anonymous now"); err != nil {
			t.Fatal(err)
		}
		if err := looks[0].look(person("later")); err != nil {
			t.Fatal(err)
		}
		if got := d.viewers(t); !slices.Equal(got, append(want, "lists")) {
			t.Errorf("views are noted without a mark: %q", got)
		}
	})
}

// BenchmarkLeaseOfMarkedTasks shows that labeling a marked dataset costs what an
// unmarked one does.
func BenchmarkLeaseOfMarkedTasks(b *testing.B) {
	for _, marked := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "marked"}[marked], func(b *testing.B) {
			s := storetest.Open(b, storetest.SQLite(b))
			d := newDesk(b, s)
			text := "text,label,id\n"
			for i := range 2000 {
				text += "item,," + string(rune('a'+i%26)) + time.Duration(i).String() + "\n"
			}
			d.bring("a.csv", text, labeling.StartImportRequest{Dataset: "ward", AddClasses: true})
			if marked {
				if _, err := d.MarkDataset(b.Context(), d.actor, d.project, "ward", true, ""); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if _, err := d.LeaseTasks(b.Context(), d.actor, d.project, labeling.LeaseRequest{Page: somePage, Count: 1}); err != nil {
					b.Fatal(err)
				}
				if err := d.ReleaseTasks(b.Context(), d.actor, d.project, somePage); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
