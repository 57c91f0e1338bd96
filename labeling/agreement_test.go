package labeling

import "testing"

func TestAgreementCountsPairsOfDifferentPeople(t *testing.T) {
	t.Parallel()
	schema := Schema{Classes: []Class{{ID: "cat", Name: "cat"}, {ID: "dog", Name: "dog"}, {ID: "puppy", Name: "puppy", Retired: true, Into: "dog"}}}
	for name, c := range map[string]struct {
		said []Said
		want Agreement
	}{
		"nobody":                    {nil, Agreement{}},
		"one answer is no pair":     {[]Said{{"a", "ana", "cat"}}, Agreement{}},
		"one person twice":          {[]Said{{"a", "ana", "cat"}, {"a", "ana", "dog"}}, Agreement{}},
		"two who agree":             {[]Said{{"a", "ana", "cat"}, {"a", "bo", "cat"}}, Agreement{Pairs: 1, Agreed: 1, Items: 1}},
		"a merged class is one":     {[]Said{{"a", "ana", "puppy"}, {"a", "bo", "dog"}}, Agreement{Pairs: 1, Agreed: 1, Items: 1}},
		"three, one differs":        {[]Said{{"a", "ana", "cat"}, {"a", "bo", "cat"}, {"a", "cy", "dog"}}, Agreement{Pairs: 3, Agreed: 1, Items: 1}},
		"items are told apart":      {[]Said{{"a", "ana", "cat"}, {"b", "bo", "cat"}}, Agreement{}},
		"two items of two answers":  {[]Said{{"a", "ana", "cat"}, {"a", "bo", "dog"}, {"b", "ana", "cat"}, {"b", "bo", "cat"}}, Agreement{Pairs: 2, Agreed: 1, Items: 2}},
		"a third item judged alone": {[]Said{{"a", "ana", "cat"}, {"a", "bo", "cat"}, {"b", "ana", "cat"}}, Agreement{Pairs: 1, Agreed: 1, Items: 1}},
	} {
		if got := Agree(schema, c.said); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestTheIntervalOfAgreementGoesByItems(t *testing.T) {
	t.Parallel()
	many := Agreement{Pairs: 300, Agreed: 270, Items: 100}
	few := Agreement{Pairs: 300, Agreed: 270, Items: 300}
	if wide, narrow := many.Interval(), few.Interval(); wide.High-wide.Low <= narrow.High-narrow.Low || !wide.Holds(0.9) {
		t.Errorf("pairs of one item count as if they were independent: %+v, %+v", wide, narrow)
	}
	if (Agreement{}).Known() {
		t.Error("no pair, and yet an agreement")
	}
}
