package storetest

import (
	"fmt"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// LabelingSight shows what people see of items that they judge blind.
func LabelingSight(t *testing.T) {
	ana, bo := somebody("ana"), somebody("bo")
	lead := somebody("lead", ledger.RoleLead)
	only := func(name string, roles ...ledger.Role) ledger.Actor {
		a := somebody(name)
		a.Roles["p1"] = roles
		return a
	}
	reading := only("ana", ledger.RoleAnnotator)
	reading.Via, reading.Scope = ledger.ViaToken, ledger.ScopeRead
	blind := map[string]ledger.Actor{"an annotator": ana, "a token of theirs that only reads": reading, "an annotator who audits": only("ana", ledger.RoleAnnotator, ledger.RoleAuditor)}
	works := map[string]ledger.Actor{"a lead": lead, "a reviewer": only("rita", ledger.RoleReviewer), "a data scientist": only("dora", ledger.RoleDataScientist),
		"an admin": {Person: "adam", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Admin: true}}
	never := map[string]ledger.Actor{"an approver": only("app", ledger.RoleApprover), "an auditor": only("aud", ledger.RoleAuditor)}

	for name, f := range map[string]func(t *testing.T, l sight){
		"on evaluation data whoever only judges is told nothing before their own answer": func(t *testing.T, l sight) {
			l.says(bo, 1, "d2/x", "dog")
			l.suggests("d2", "x")
			for name, who := range blind {
				if got := l.sees(who, "d2/x"); got != "withheld" {
					t.Errorf("%s sees %s", name, got)
				}
				for what, f := range l.telling("d2") {
					if got := l.finds(who, f); got != "" {
						t.Errorf("%s finds %s by %s", name, got, what)
					}
				}
				if got := l.finds(who, labeling.ItemFilter{Dataset: "d2"}); got != "x? y? " {
					t.Errorf("%s is shown the list %s", name, got)
				}
				if got := l.counts(who, "d2"); got != "accepted:1 queued:1 " {
					t.Errorf("%s counts %s", name, got)
				}
			}
			for _, group := range []map[string]ledger.Actor{works, never} {
				for name, who := range group {
					if got := l.sees(who, "d2/x"); got != "accepted dog, bo dog" {
						t.Errorf("%s sees %s", name, got)
					}
					for what, f := range l.telling("d2") {
						if got := l.finds(who, f); got != "x=dog " {
							t.Errorf("%s finds %s by %s", name, got, what)
						}
					}
					if got := l.counts(who, "d2"); got != "accepted dog:1 queued:1 " {
						t.Errorf("%s counts %s", name, got)
					}
				}
			}
			l.says(ana, 2, "d2/x", "dog")
			for name, who := range blind {
				if got := l.sees(who, "d2/x"); got != "accepted dog, ana dog, bo dog" {
					t.Errorf("after their own answer %s sees %s", name, got)
				}
				for what, f := range l.telling("d2") {
					if got := l.finds(who, f); got != "x=dog " {
						t.Errorf("after their own answer %s finds %s by %s", name, got, what)
					}
				}
			}
			l.undo(ana, 2)
			if got := l.sees(ana, "d2/x"); got != "withheld, ana dog undone" {
				t.Errorf("after taking it back ana sees %s", got)
			}
		},
		"data that is not judged blind is seen by every member": func(t *testing.T, l sight) {
			l.says(bo, 1, "d1/a", "dog")
			if got := l.sees(ana, "d1/a"); got != "accepted dog, bo dog" {
				t.Errorf("ana sees %s", got)
			}
			l.says(bo, 2, "d2/x", "dog")
			l.says(bo, 3, "d2/y", "dog")
			l.says(ana, 4, "d2/y", "dog")
			l.suggests("d1", "a")
			l.suggests("d2", "x", "y")
			for what, f := range l.telling("") {
				if got := l.finds(ana, f); got != "a=dog y=dog " {
					t.Errorf("ana finds %s by %s", got, what)
				}
			}
			if got := l.finds(ana, labeling.ItemFilter{Status: labeling.StatusTrashed}); got != "" {
				t.Errorf("ana finds %s in the trash", got)
			}
		},
		"under overlap whoever labels is told nothing while the item waits": func(t *testing.T, l sight) {
			l.change(func(p *labeling.Project) { p.Overlap = 2 })
			l.says(bo, 1, "d1/a", "dog")
			for name, who := range works {
				if got := l.sees(who, "d1/a"); got != "queued withheld" {
					t.Errorf("%s sees %s", name, got)
				}
			}
			for name, who := range blind {
				if got := l.sees(who, "d1/a"); got != "withheld" {
					t.Errorf("%s sees %s", name, got)
				}
				if peek, err := l.Peek(t.Context(), who, "p1", labeling.PeekRequest{Class: "dog", Item: "d1/a"}); err == nil && (!peek.Withheld || len(peek.Examples) > 0) {
					t.Errorf("%s looks up %+v", name, peek)
				}
			}
			for name, who := range never {
				if got := l.sees(who, "d1/a"); got != "queued, bo dog" {
					t.Errorf("%s sees %s", name, got)
				}
			}
			if got := l.sees(bo, "d1/a"); got != "queued, bo dog" {
				t.Errorf("bo sees %s", got)
			}
			l.says(lead, 2, "d1/a", "cat")
			for name, who := range works {
				if got := l.sees(who, "d1/a"); got != "disputed, lead cat, bo dog" {
					t.Errorf("%s sees %s", name, got)
				}
			}
			if got := l.sees(ana, "d1/a"); got != "withheld" {
				t.Errorf("ana sees %s", got)
			}
			if got := l.counts(ana, "d1"); got != "queued:6 " {
				t.Errorf("ana counts %s", got)
			}
			if a, err := l.Agreement(t.Context(), ana, "p1"); err != nil || a.Known() {
				t.Errorf("ana is told how far people agree about what she has not judged: %+v, %v", a, err)
			}
			l.suggests("d1", "a")
			for what, f := range l.telling("d1") {
				if got := l.finds(ana, f); got != "" {
					t.Errorf("ana finds %s by %s", got, what)
				}
			}
			l.says(ana, 3, "d1/a", "cat")
			if a, err := l.Agreement(t.Context(), ana, "p1"); err != nil || a.Pairs != 3 || a.Agreed != 1 {
				t.Errorf("ana is told %+v, %v", a, err)
			}
		},
		"examples of a class are none that one has yet to judge": func(t *testing.T, l sight) {
			l.change(func(p *labeling.Project) { p.Overlap = 2 })
			for n, who := range []ledger.Actor{bo, lead} {
				l.says(who, n+1, "d1/a", "dog")
			}
			look := func(who ledger.Actor) int {
				t.Helper()
				peek, err := l.Peek(t.Context(), who, "p1", labeling.PeekRequest{Class: "dog"})
				if err != nil {
					t.Fatal(err)
				}
				return len(peek.Examples)
			}
			if ana, bo := look(ana), look(bo); ana != 0 || bo != 1 {
				t.Errorf("ana is shown %d examples, bo %d", ana, bo)
			}
		},
		"whoever had answers shown is noted, and is not asked any more": func(t *testing.T, l sight) {
			l.change(func(p *labeling.Project) { p.Overlap = 2 })
			l.says(bo, 1, "d1/a", "dog")
			if got := l.lease(lead, 3, 1); got != "a" {
				t.Fatalf("the lead is offered %s", got)
			}
			for name, who := range map[string]ledger.Actor{"an annotator": ana, "a reviewer": works["a reviewer"]} {
				if err := l.ShowAnswers(t.Context(), who, "p1", "d1/a"); !fault.Is(err, fault.Denied) {
					t.Errorf("%s: %v", name, err)
				}
			}
			for range 2 {
				if err := l.ShowAnswers(t.Context(), lead, "p1", "d1/a"); err != nil {
					t.Fatal(err)
				}
			}
			if got := l.sees(lead, "d1/a"); got != "queued, bo dog" {
				t.Errorf("the lead sees %s", got)
			}
			if n := l.count(labeling.EventShown); n != 1 {
				t.Errorf("%d events say so", n)
			}
			if got := l.lease(lead, 4, 1); got != "b" {
				t.Errorf("the lead is offered %s", got)
			}
			late := labeling.SubmitRequest{Annotation: labeling.Annotation{ID: annotationID(9), Item: "d1/a", Kind: labeling.KindAnswer, Class: "dog"}}
			if _, err := l.Submit(t.Context(), lead, "p1", late); !fault.Is(err, fault.Unmet) {
				t.Errorf("an answer after looking: %v", err)
			}
			if got := l.lease(ana, 5, 1); got != "a" {
				t.Errorf("ana is offered %s: the lease of the lead must have ended", got)
			}
			if err := l.ShowAnswers(t.Context(), lead, "p1", "d1/b"); err != nil {
				t.Fatal(err)
			}
			if err := l.ShowAnswers(t.Context(), lead, "p1", "d2/nowhere"); !fault.Is(err, fault.NotFound) {
				t.Errorf("an item of nowhere: %v", err)
			}
			if _, err := l.Adjudicate(t.Context(), lead, "p1", "d1/a", "cat", "the tail"); err != nil {
				t.Errorf("the lead may still decide: %v", err)
			}
		},
		"where nothing is hidden nothing is noted": func(t *testing.T, l sight) {
			l.says(bo, 1, "d1/a", "dog")
			if err := l.ShowAnswers(t.Context(), lead, "p1", "d1/a"); err != nil {
				t.Fatal(err)
			}
			if n := l.count(labeling.EventShown); n != 0 {
				t.Errorf("%d events", n)
			}
			if _, err := l.Submit(t.Context(), lead, "p1", labeling.SubmitRequest{Annotation: labeling.Annotation{ID: annotationID(9), Item: "d1/a", Kind: labeling.KindAnswer, Class: "dog"}}); err != nil {
				t.Error(err)
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
					for _, key := range []string{"x", "y"} {
						if _, err := tx.CreateItem(Item("d2", key)); err != nil {
							return err
						}
					}
					return nil
				})
				f(t, sight{newLoop(t, s)})
			})
		})
	}
}

// sight looks at items as people see them.
type sight struct{ loop }

func (l sight) says(who ledger.Actor, n int, item labeling.ItemID, class labeling.ClassID) {
	l.t.Helper()
	if _, err := l.Submit(l.t.Context(), who, "p1", labeling.SubmitRequest{Annotation: labeling.Annotation{ID: annotationID(n), Item: item, Kind: labeling.KindAnswer, Class: class}}); err != nil {
		l.t.Fatal(err)
	}
}

// sees tells what an item is and what was said about it.
func (l sight) sees(who ledger.Actor, item labeling.ItemID) string {
	l.t.Helper()
	h, err := l.Item(l.t.Context(), who, "p1", item)
	if err != nil {
		l.t.Fatal(err)
	}
	told := string(h.Item.Status)
	for _, more := range []string{string(h.Item.Label), map[bool]string{true: "withheld"}[h.Item.Withheld]} {
		if told != "" && more != "" {
			told += " "
		}
		told += more
	}
	for _, a := range h.Annotations {
		told += fmt.Sprintf(", %s %s", a.Person, a.Class)
		if a.State != labeling.AnnotationActive {
			told += " " + string(a.State)
		}
	}
	return told
}

// suggests has a model say that items are cats.
func (l sight) suggests(dataset labeling.DatasetID, keys ...string) {
	l.t.Helper()
	change(l.t, l.s, func(tx *store.Tx) error {
		var all []compare.Suggestion
		for _, key := range keys {
			all = append(all, compare.Suggestion{Key: key, Class: "cat", Score: compare.NoScore, Uncertainty: compare.NoScore})
		}
		n, err := tx.SuggestAnswers(dataset, "m1", all)
		if err == nil && n != len(keys) {
			err = fmt.Errorf("%d of %d items took a suggestion", n, len(keys))
		}
		return err
	})
}

// telling are filters that tell what became of an item that bo called a dog.
func (l sight) telling(dataset labeling.DatasetID) map[string]labeling.ItemFilter {
	return map[string]labeling.ItemFilter{
		"its answer":                         {Dataset: dataset, Label: "dog"},
		"its state":                          {Dataset: dataset, Status: labeling.StatusAccepted},
		"who answered":                       {Dataset: dataset, Person: "bo"},
		"its answer and its state":           {Dataset: dataset, Label: "dog", Status: labeling.StatusAccepted},
		"its answer and who gave it":         {Dataset: dataset, Label: "dog", Person: "bo"},
		"its state and who answered":         {Dataset: dataset, Status: labeling.StatusAccepted, Person: "bo"},
		"what a model said":                  {Dataset: dataset, Model: "cat"},
		"where a model differs":              {Dataset: dataset, Disagrees: true},
		"what a model said and who answered": {Dataset: dataset, Model: "cat", Person: "bo"},
	}
}

// finds lists what a filter finds, as it is shown: with its answer, or with a
// question mark where it is withheld.
func (l sight) finds(who ledger.Actor, f labeling.ItemFilter) (found string) {
	l.t.Helper()
	page, err := l.Items(l.t.Context(), who, "p1", f, labeling.PageRequest{})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, i := range page.Items {
		switch found += i.Key; {
		case i.Withheld:
			found += "?"
		case i.Label != "":
			found += "=" + string(i.Label)
		}
		found += " "
	}
	if int(page.Total) != len(page.Items) {
		l.t.Errorf("%d items of %d are shown by %+v", len(page.Items), page.Total, f)
	}
	return found
}

// counts are what is told of a dataset in numbers, beside the list and by themselves.
func (l sight) counts(who ledger.Actor, dataset labeling.DatasetID) string {
	l.t.Helper()
	page, err := l.Items(l.t.Context(), who, "p1", labeling.ItemFilter{}, labeling.PageRequest{})
	if err != nil {
		l.t.Fatal(err)
	}
	alone, err := l.Counts(l.t.Context(), who, "p1")
	if err != nil {
		l.t.Fatal(err)
	}
	var told [2]string
	for i, counts := range [][]labeling.Count{page.Facets, alone} {
		for _, c := range counts {
			if c.Dataset != dataset {
				continue
			}
			if told[i] += string(c.Status); c.Label != "" {
				told[i] += " " + string(c.Label)
			}
			told[i] += fmt.Sprintf(":%d ", c.Items)
		}
	}
	if told[0] != told[1] {
		l.t.Errorf("beside the list stands %s, by itself %s", told[0], told[1])
	}
	return told[0]
}
