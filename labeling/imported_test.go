package labeling_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/labeling"
)

func TestImportedAnswersAreNotTheWorkOfWhoImportedThem(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		d.bring("a.csv", "text,label,id\na,x,1\nb,y,2\nc,,3\n", labeling.StartImportRequest{Dataset: "d", AddClasses: true})
		project, err := d.Project(t.Context(), d.actor, string(d.project))
		if err != nil {
			t.Fatal(err)
		}
		page, err := d.Items(t.Context(), d.actor, d.project, labeling.ItemFilter{Status: labeling.StatusQueued}, labeling.PageRequest{})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		mine := func() int64 {
			p, err := d.Progress(t.Context(), d.actor, d.project, "")
			if err != nil {
				t.Fatal(err)
			}
			return p.Mine
		}
		if n := mine(); n != 0 {
			t.Errorf("who imported two answers is said to have given %d", n)
		}
		if _, err := d.Submit(t.Context(), d.actor, d.project, labeling.SubmitRequest{Annotation: labeling.Annotation{ID: "0195f2a0-0000-7000-8000-000000000001",
			Item: page.Items[0].ID, Kind: labeling.KindAnswer, Class: project.Schema.Classes[0].ID, Seen: time.Second}}); err != nil {
			t.Fatal(err)
		}
		if n := mine(); n != 1 {
			t.Errorf("who gave one answer is said to have given %d", n)
		}
		want := []labeling.PersonCount{{Person: d.actor.Person, Answers: 1, Imported: 2}}
		if snap := d.freeze("s", "d"); snap.State != labeling.SnapshotReady || !slices.Equal(snap.Answerers, want) {
			t.Errorf("%s %s: %+v, want %+v", snap.State, snap.Failure, snap.Answerers, want)
		}
		answered, err := d.Items(t.Context(), d.actor, d.project, labeling.ItemFilter{Person: d.actor.Person}, labeling.PageRequest{})
		if err != nil || len(answered.Items) != 1 || answered.Items[0].ID != page.Items[0].ID {
			t.Errorf("items that they answered: %+v, %v", answered.Items, err)
		}
	})
}

// Whoever does not want kept how long they look at items is believed, whatever
// their browser sends.
func TestHowLongAPersonLooksIsKeptOnlyIfTheyLetIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		d.bring("a.csv", "text,id\na,1\nb,2\n", labeling.StartImportRequest{Dataset: "d"})
		project, err := d.UpdateProject(t.Context(), d.actor, d.project, labeling.UpdateProjectRequest{Name: "Bank", Version: 1, Schema: labeling.Schema{Classes: []labeling.Class{{Name: "x"}}}})
		if err != nil {
			t.Fatal(err)
		}
		page, err := d.Items(t.Context(), d.actor, d.project, labeling.ItemFilter{}, labeling.PageRequest{})
		if err != nil || len(page.Items) != 2 {
			t.Fatalf("%+v, %v", page, err)
		}
		for i, untimed := range []bool{false, true} {
			actor := d.actor
			actor.Untimed = untimed
			a, err := d.Submit(t.Context(), actor, d.project, labeling.SubmitRequest{Annotation: labeling.Annotation{ID: labeling.AnnotationID(fmt.Sprintf("0195f2a0-0000-7000-8000-00000000001%d", i)),
				Item: page.Items[i].ID, Kind: labeling.KindAnswer, Class: project.Schema.Classes[0].ID, Seen: 3 * time.Second}})
			if err != nil {
				t.Fatal(err)
			}
			var kept labeling.Annotation
			if err := d.store.View(t.Context(), func(tx *store.Tx) (err error) { kept, err = tx.Annotation(a.ID); return err }); err != nil {
				t.Fatal(err)
			}
			if want := map[bool]time.Duration{false: 3 * time.Second, true: 0}[untimed]; kept.Seen != want || a.Seen != want {
				t.Errorf("untimed %t: %v is kept and %v answered, want %v", untimed, kept.Seen, a.Seen, want)
			}
		}
	})
}

// After much came in at once the database counts what it holds; a few items
// are not worth it.
func TestMuchThatCameInIsCounted(t *testing.T) {
	t.Parallel()
	d := newDesk(t, storetest.Open(t, storetest.SQLite(t)))
	counted := 0
	d.Analyze = func(context.Context) { counted++ }
	d.bring("few.csv", "text,id\nhello,1\n", labeling.StartImportRequest{Dataset: "few"})
	if counted != 0 {
		t.Errorf("counted %d times after one item", counted)
	}
	text := "text,id\n"
	for n := range 2500 {
		text += fmt.Sprintf("short,%d\n", n)
	}
	d.bring("many.csv", text, labeling.StartImportRequest{Dataset: "many"})
	if counted != 1 {
		t.Errorf("counted %d times after 2,500 items", counted)
	}
	if _, err := d.OrderQueue(t.Context(), d.actor, d.project, labeling.OrderRandom); err != nil {
		t.Fatal(err)
	}
	if err := d.FillQueue(t.Context(), fmt.Appendf(nil, `{"project":%q}`, d.project)); err != nil {
		t.Fatal(err)
	}
	if counted != 2 {
		t.Errorf("counted %d times after a new order of the queue", counted)
	}
}
