package labeling

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// say makes an active annotation: "ana=cat", "bo skips", "import=cat", "lead decides dog".
func say(t *testing.T, texts ...string) []Annotation {
	t.Helper()
	var all []Annotation
	for _, text := range texts {
		a := Annotation{State: AnnotationActive}
		if person, class, ok := strings.Cut(text, "="); ok {
			a.Person, a.Class, a.Kind = ledger.PersonID(person), ClassID(class), KindAnswer
			if person == "import" {
				a.Kind = KindImport
			}
		} else if person, class, ok := strings.Cut(text, " decides "); ok {
			a.Person, a.Class, a.Kind = ledger.PersonID(person), ClassID(class), KindDecision
		} else if person, ok := strings.CutSuffix(text, " skips"); ok {
			a.Person, a.Kind = ledger.PersonID(person), KindSkip
		} else if person, ok := strings.CutSuffix(text, " undid cat"); ok {
			a.Person, a.Kind, a.Class, a.State = ledger.PersonID(person), KindAnswer, "cat", AnnotationUndone
		} else {
			t.Fatalf("what is %q?", text)
		}
		all = append(all, a)
	}
	return all
}

func TestSettle(t *testing.T) {
	t.Parallel()
	schema := Schema{Classes: []Class{{ID: "cat", Name: "Cat"}, {ID: "dog", Name: "Dog"}, {ID: "kitten", Name: "Kitten", Retired: true, Into: "cat"}}}
	for name, c := range map[string]struct {
		overlap int
		said    []string
		want    string
	}{
		"nothing said: queued":                              {1, nil, "queued  0"},
		"one answer settles":                                {1, []string{"ana=cat"}, "accepted cat 1"},
		"an undone answer does not count":                   {1, []string{"ana undid cat"}, "queued  0"},
		"a skip leaves the item to others":                  {1, []string{"ana skips"}, "queued  0"},
		"two skips of one asked: skipped":                   {1, []string{"ana skips", "bo skips"}, "skipped  0"},
		"an answer after the skips settles":                 {1, []string{"ana skips", "bo skips", "cy=dog"}, "accepted dog 1"},
		"half of the answers: still queued":                 {2, []string{"ana=cat"}, "queued  1"},
		"agreement settles":                                 {2, []string{"ana=cat", "bo=cat"}, "accepted cat 2"},
		"difference disputes":                               {2, []string{"ana=cat", "bo=dog"}, "disputed  2"},
		"a majority is still a dispute":                     {3, []string{"ana=cat", "bo=dog", "cy=dog"}, "disputed  3"},
		"a late answer that agrees changes nothing":         {1, []string{"ana=cat", "bo=cat"}, "accepted cat 2"},
		"a late answer that differs disputes":               {1, []string{"ana=cat", "bo=dog"}, "disputed  2"},
		"a decision outweighs answers":                      {1, []string{"ana=cat", "bo=dog", "lead decides dog"}, "accepted dog 3"},
		"a decision outweighs a later answer":               {1, []string{"lead decides dog", "ana=cat"}, "accepted dog 2"},
		"the newest decision holds":                         {1, []string{"lead decides dog", "other decides cat"}, "accepted cat 1"},
		"an imported answer settles whatever the overlap":   {3, []string{"import=cat"}, "accepted cat 1"},
		"a person who differs from the import disputes":     {1, []string{"import=cat", "ana=dog"}, "disputed  2"},
		"a merged class counts as the one it was merged to": {2, []string{"ana=cat", "bo=kitten"}, "accepted cat 2"},
		"overlap zero is one":                               {0, []string{"ana=cat"}, "accepted cat 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Settle(Project{Overlap: c.overlap, Schema: schema}, say(t, c.said...))
			if s := fmt.Sprintf("%s %s %d", got.Status, got.Label, got.Answers); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
		})
	}
}

func TestTooMany(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		overlap int
		others  []string
		want    bool
	}{
		"the first is not":               {1, nil, false},
		"the second of one is":           {1, []string{"ana=cat"}, true},
		"the second of two is not":       {2, []string{"ana=cat"}, false},
		"skips take no slot":             {1, []string{"ana skips"}, false},
		"after an undo it is not":        {1, []string{"ana undid cat"}, false},
		"after a decision it is":         {2, []string{"lead decides cat"}, true},
		"after an imported answer it is": {2, []string{"import=cat"}, true},
	} {
		if got := TooMany(c.overlap, say(t, c.others...)); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestAnnotationValidate(t *testing.T) {
	t.Parallel()
	good := Annotation{ID: "018f0000-0000-7000-8000-000000000001", Item: "i", Kind: KindAnswer, Class: "cat", Seen: time.Second}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Annotation){
		"id":        func(a *Annotation) { a.ID = "018F0000-0000-7000-8000-000000000001" },
		"item":      func(a *Annotation) { a.Item = "" },
		"class":     func(a *Annotation) { a.Kind = KindSkip },
		"reason":    func(a *Annotation) { a.Reason = strings.Repeat("é", 501) },
		"seen_ms":   func(a *Annotation) { a.Seen = -1 },
		"score":     func(a *Annotation) { a.Score = new(1.5) },
		"untouched": func(a *Annotation) { a.Untouched, a.Suggestion = true, "dog" },
	} {
		a := good
		change(&a)
		if got := fault.Fields(a.Validate()); got[field] == "" {
			t.Errorf("a wrong %s is accepted: %v", field, got)
		}
	}
}

func TestTheSameContentIsTheSameWhateverWasMeasured(t *testing.T) {
	t.Parallel()
	a := Annotation{ID: "x", Item: "i", Person: "p", Kind: KindAnswer, Class: "cat", Seen: time.Second, Score: new(0.5)}
	b := a
	b.Seen, b.Score, b.At = time.Minute, new(0.7), time.Now()
	if !a.SameContent(b) {
		t.Error("a measurement changed the content")
	}
	b.Class = "dog"
	if a.SameContent(b) {
		t.Error("another class is the same content")
	}
}
