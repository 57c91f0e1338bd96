package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// LabelingBeside shows the promises of what stands beside the loop: drafts,
// what may be looked up, and agreement.
func LabelingBeside(t *testing.T) {
	ana, bo := somebody("ana"), somebody("bo")
	lead := somebody("lead", ledger.RoleLead)
	for name, f := range map[string]func(t *testing.T, l loop){
		"what was begun comes first on another computer, to its person alone": func(t *testing.T, l loop) {
			l.begin(ana, "c", labeling.Draft{Class: "dog"})
			l.begin(ana, "e", labeling.Draft{Reason: "several fi"})
			if got := l.lease(bo, 1, 2); got != "ab" {
				t.Errorf("bo is offered %s", got)
			}
			batch, err := l.LeaseTasks(t.Context(), ana, "p1", labeling.LeaseRequest{Page: pageID(2), Count: 3})
			if err != nil {
				t.Fatal(err)
			}
			var said string
			for _, task := range batch.Tasks {
				said += fmt.Sprintf("%s %s%s;", task.Item, task.Draft.Class, task.Draft.Reason)
			}
			if want := "d1/e several fi;d1/c dog;d1/d ;"; said != want {
				t.Errorf("ana is offered %s, want %s", said, want)
			}
		},
		"an answer ends its draft, and one that comes late stays ended": func(t *testing.T, l loop) {
			l.begin(ana, "a", labeling.Draft{Class: "dog"})
			l.answer(ana, 1, "a", "cat")
			l.begin(ana, "a", labeling.Draft{Class: "cat"})
			l.begin(bo, "b", labeling.Draft{Typed: "d"})
			l.begin(bo, "b", labeling.Draft{})
			view(t, l.s, func(tx *store.Tx) error {
				for _, who := range []ledger.Actor{ana, bo} {
					if left, err := tx.Drafts(who.Person, "p1"); err != nil || len(left) != 0 {
						t.Errorf("%s has drafts %v, %v", who.Name, left, err)
					}
				}
				return nil
			})
		},
		"a draft of somebody else, of another project or too long is refused": func(t *testing.T, l loop) {
			for kind, err := range map[fault.Kind]error{
				fault.Unauthenticated: l.SaveDraft(t.Context(), ana, "p1", "d1/a", "bo", labeling.Draft{Class: "cat"}),
				fault.NotFound:        l.SaveDraft(t.Context(), ana, "p1", "nowhere", "", labeling.Draft{Class: "cat"}),
				fault.Invalid:         l.SaveDraft(t.Context(), ana, "p1", "d1/a", "", labeling.Draft{Reason: string(make([]byte, 501))}),
			} {
				if !fault.Is(err, kind) {
					t.Errorf("%v, want %v", err, kind)
				}
			}
		},
		"of many drafts the oldest go": func(t *testing.T, l loop) {
			change(t, l.s, func(tx *store.Tx) error {
				for n := range labeling.MostDrafts + 5 {
					key := labeling.DraftKey{Person: "ana", Project: "p1", Item: labeling.ItemID(fmt.Sprintf("i%03d", n))}
					if err := tx.SaveDraft(key, labeling.Draft{Class: "cat"}, tx.Now().Add(time.Duration(n)*time.Second)); err != nil {
						return err
					}
				}
				left, err := tx.Drafts("ana", "p1")
				if _, oldest := left["i004"]; len(left) != labeling.MostDrafts || oldest {
					t.Errorf("%d drafts are left, the oldest among them: %v", len(left), oldest)
				}
				return err
			})
		},
		"examples are accepted items of the class, never of an evaluation dataset": func(t *testing.T, l loop) {
			for n, key := range []string{"a", "b", "c"} {
				l.answer(bo, n+1, key, map[string]labeling.ClassID{"a": "dog", "b": "cat", "c": "dog"}[key])
			}
			if _, err := l.Submit(t.Context(), bo, "p1", labeling.SubmitRequest{Annotation: labeling.Annotation{ID: annotationID(9), Item: "d2/x", Kind: labeling.KindAnswer, Class: "dog"}}); err != nil {
				t.Fatal(err)
			}
			peek, err := l.Peek(t.Context(), ana, "p1", labeling.PeekRequest{Class: "dog"})
			if err != nil {
				t.Fatal(err)
			}
			var keys string
			for _, item := range peek.Examples {
				keys += item.Key
			}
			if peek.Class.Name != "Dog" || keys != "ca" {
				t.Errorf("%s is shown by %s", peek.Class.Name, keys)
			}
		},
		"the history of an item opens with one's own answer and closes with its undo": func(t *testing.T, l loop) {
			said := l.answer(bo, 1, "a", "dog")
			look := func(who ledger.Actor) string {
				t.Helper()
				peek, err := l.Peek(t.Context(), who, "p1", labeling.PeekRequest{Item: "d1/a"})
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprint(len(peek.Annotations), peek.Withheld)
			}
			if got := look(ana); got != "0 true" {
				t.Errorf("before her answer ana sees %s", got)
			}
			mine := l.answer(ana, 2, "a", "cat")
			if got := look(ana); got != "2 false" {
				t.Errorf("after it she sees %s", got)
			}
			if _, err := l.Undo(t.Context(), ana, "p1", mine.ID, "", ""); err != nil {
				t.Fatal(err)
			}
			if got := look(ana); got != "0 true" {
				t.Errorf("after taking it back she sees %s", got)
			}
			if got := look(bo); got != "2 false" || said.Class != "dog" {
				t.Errorf("bo sees %s", got)
			}
			if _, err := l.Peek(t.Context(), ana, "p1", labeling.PeekRequest{Item: "nowhere"}); !fault.Is(err, fault.NotFound) {
				t.Errorf("an item of nowhere: %v", err)
			}
		},
		"agreement counts items that more than one person judged": func(t *testing.T, l loop) {
			if a, err := l.Agreement(t.Context(), lead, "p1"); err != nil || a.Known() {
				t.Errorf("before any answer: %+v, %v", a, err)
			}
			n := 0
			for key, classes := range map[string][2]labeling.ClassID{"a": {"cat", "cat"}, "b": {"cat", "dog"}, "c": {"dog", "dog"}, "d": {"dog", ""}} {
				for i, class := range classes {
					if n++; class != "" {
						l.answer([]ledger.Actor{ana, bo}[i], n, key, class)
					}
				}
			}
			a, err := l.Agreement(t.Context(), lead, "p1")
			if want := (labeling.Agreement{Pairs: 3, Agreed: 2, Items: 3}); err != nil || a != want {
				t.Errorf("%+v, %v, want %+v", a, err, want)
			}
		},
		"what a model did not say is unknown, and comes after all that is known": func(t *testing.T, l loop) {
			l.predict(map[string]float64{"a": 0.2, "b": 0, "c": 0.9})
			change(t, l.s, func(tx *store.Tx) error {
				item, err := tx.Item("d1/d")
				if err != nil {
					return err
				}
				item.Model, item.ModelLabel = "m", "cat"
				return tx.UpdateItem(item)
			})
			l.order(lead, labeling.OrderUncertain)
			if got := l.lease(ana, 1, 4); got != "cabd" {
				t.Errorf("ana is offered %s", got)
			}
			if item := l.item("b"); item.Uncertainty == nil || *item.Uncertainty != 0 || *item.ModelScore != 1 {
				t.Errorf("certainty is known: %+v", item)
			}
			if item := l.item("d"); item.Uncertainty != nil || item.ModelScore != nil {
				t.Errorf("nothing is known: %+v", item)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			Each(t, func(t *testing.T, s *store.Store) {
				Animals(t, s, "a", "b", "c", "d", "e", "f")
				change(t, s, func(tx *store.Tx) error {
					if err := tx.CreateDataset(labeling.Dataset{ID: "d2", Project: "p1", Name: "test", Purpose: labeling.PurposeEvaluation}); err != nil {
						return err
					}
					_, err := tx.CreateItem(Item("d2", "x"))
					return err
				})
				f(t, newLoop(t, s))
			})
		})
	}
}

// begin keeps a draft.
func (l loop) begin(who ledger.Actor, key string, d labeling.Draft) {
	l.t.Helper()
	if err := l.SaveDraft(l.t.Context(), who, "p1", labeling.ItemID("d1/"+key), who.Person, d); err != nil {
		l.t.Fatal(err)
	}
}
