package erasure

import "testing"

func TestAHoldKeepsWhatItIsOnAndWhatLiesInIt(t *testing.T) {
	t.Parallel()
	project := Holdable{Kind: "project", ID: "p", Project: "p"}
	dataset := Holdable{Kind: "dataset", ID: "d", Project: "p"}
	item := Holdable{Kind: "item", ID: "i", Project: "p", Dataset: "d"}
	other := Holdable{Kind: "item", ID: "o", Project: "p", Dataset: "e"}
	snapshot := Holdable{Kind: "snapshot", ID: "s", Project: "p"}
	model := Holdable{Kind: "model", ID: "m", Project: "p"}
	elsewhere := Holdable{Kind: "dataset", ID: "x", Project: "q"}
	person := Holdable{Kind: "person", ID: "ana"}
	all := []Holdable{project, dataset, item, other, snapshot, model, elsewhere, person}
	for _, c := range []struct {
		on    Holdable
		keeps []Holdable
	}{
		{project, []Holdable{project, dataset, item, other, snapshot, model}},
		{dataset, []Holdable{project, dataset, item}},
		{item, []Holdable{project, dataset, item}},
		{snapshot, []Holdable{project, snapshot}},
		{person, []Holdable{person}},
		{Holdable{Kind: "candidate", ID: "c", Project: "p"}, []Holdable{project}},
	} {
		holds := []Held{{Hold{Kind: c.on.Kind, ID: c.on.ID, Reason: "a lawsuit"}, c.on}}
		for _, thing := range all {
			want := false
			for _, k := range c.keeps {
				want = want || k == thing
			}
			if got := Keeps(holds, thing) != nil; got != want {
				t.Errorf("a hold on the %s keeps the %s %s: %v, want %v", c.on.Kind, thing.Kind, thing.ID, got, want)
			}
		}
	}
}
