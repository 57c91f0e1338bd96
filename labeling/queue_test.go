package labeling

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
)

func TestOrdersRank(t *testing.T) {
	t.Parallel()
	items := []QueueItem{
		{Seq: 1, ID: "a", Uncertainty: new(0.1)},
		{Seq: 2, ID: "b"},
		{Seq: 3, ID: "c", Uncertainty: new(0.9)},
		{Seq: 4, ID: "d", Uncertainty: new(math.NaN())},
		{Seq: 5, ID: "e", Uncertainty: new(0.5)},
	}
	sorted := func(o QueueOrder, generation int64) (ids string) {
		list := slices.Clone(items)
		slices.SortStableFunc(list, func(x, y QueueItem) int {
			a, b := o.Rank(generation, x), o.Rank(generation, y)
			switch {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		})
		for _, i := range list {
			ids += string(i.ID)
		}
		return ids
	}
	if got := sorted(OrderImported, 0); got != "abcde" {
		t.Errorf("as imported: %s", got)
	}
	if got := sorted(OrderUncertain, 0); got != "ceabd" {
		t.Errorf("least certain first: %s", got)
	}
	seen := map[string]bool{}
	for g := range int64(50) {
		seen[sorted(OrderRandom, g)] = true
		if sorted(OrderRandom, g) != sorted(OrderRandom, g) { //nolint:staticcheck // the same twice is what is asserted
			t.Error("a shuffled order changes between two looks")
		}
	}
	if len(seen) < 20 {
		t.Errorf("50 generations gave only %d orders of 5 items", len(seen))
	}
	if _, err := ParseQueueOrder("best"); !fault.Is(err, fault.Invalid) {
		t.Errorf("an order that does not exist: %v", err)
	}
}

func TestAssignKeys(t *testing.T) {
	t.Parallel()
	classes := func(n int) []Class {
		list := make([]Class, n)
		for i := range list {
			list[i] = Class{ID: ClassID(fmt.Sprintf("c%d", i)), Name: fmt.Sprint(i)}
		}
		return list
	}
	keys := func(cs []Class, chosen map[ClassID]string) (s string) {
		assigned := AssignKeys(cs, chosen)
		for _, c := range cs {
			if k, ok := assigned[c.ID]; !ok {
				s += "-"
			} else if k == "" {
				s += "."
			} else {
				s += k
			}
		}
		return s
	}
	if got := keys(classes(12), nil); got != "123456789abc" {
		t.Errorf("digits, then letters: %s", got)
	}
	if got := keys(classes(37), nil); got != "123456789abcdefghijklmnopqrstuvwxyz.." {
		t.Errorf("more classes than keys: %s", got)
	}
	named := classes(4)
	named[2].Key, named[3].Key = "1", "x"
	if got := keys(named, nil); got != "231x" {
		t.Errorf("the schema's keys first: %s", got)
	}
	if got := keys(named, map[ClassID]string{"c0": "x", "c1": "q"}); got != "xq12" {
		t.Errorf("the person's keys before the schema's: %s", got)
	}
	named[1].Retired = true
	if got := keys(named, nil); got != "2-1x" {
		t.Errorf("a retired class has no key: %s", got)
	}
}

func TestKeysOfAPersonDoNotCollide(t *testing.T) {
	t.Parallel()
	if err := (Keys{Classes: map[ClassID]string{"a": "1", "b": "q"}}).Validate(); err != nil {
		t.Error(err)
	}
	for name, k := range map[string]map[ClassID]string{"twice": {"a": "1", "b": "1"}, "zero": {"a": "0"}, "help": {"a": "?"}, "upper": {"a": "A"}, "long": {"a": "12"}} {
		if err := (Keys{Classes: k}).Validate(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s is accepted: %v", name, err)
		}
	}
}

func TestAnEvaluationItemIsOfferedWithoutASuggestion(t *testing.T) {
	t.Parallel()
	schema := Schema{Classes: []Class{{ID: "cat"}, {ID: "dog", Retired: true}, {ID: "kitten", Retired: true, Into: "cat"}}}
	item := Item{ID: "i", Text: "t", ModelLabel: "cat", ModelScore: new(0.8)}
	if got := offer(item, false, schema); got.Suggestion != "cat" || got.Score == nil || *got.Score != 0.8 {
		t.Errorf("training: %+v", got)
	}
	if got := offer(item, true, schema); got.Suggestion != "" || got.Score != nil {
		t.Errorf("evaluation: %+v", got)
	}
	item.ModelLabel = "kitten"
	if got := offer(item, false, schema); got.Suggestion != "cat" {
		t.Errorf("a merged class: %+v", got)
	}
	item.ModelLabel = "dog"
	if got := offer(item, false, schema); got.Suggestion != "" {
		t.Errorf("a retired class: %+v", got)
	}
}
