package ledger

import (
	"slices"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
)

func TestChangesReadsBothSides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, payload, reason, want string }{
		{"a payload without sides changes nothing", `{"class":"c1"}`, "", ""},
		{"a payload without sides may have a reason", `{"class":"c1","reason":"typo"}`, "typo", ""},
		{"what is no object changes nothing", `null`, "", ""},
		{"two plain values", `{"was":"a","is":"b","reason":"r"}`, "r", "=a>b"},
		{"equal values are no change", `{"was":{"a":1},"is":{"a":1}}`, "", ""},
		{"a field that came", `{"was":{},"is":{"a":"x"}}`, "", "a=>x"},
		{"a field that went", `{"was":{"a":"x"},"is":{}}`, "", "a=x>"},
		{"large numbers keep their digits", `{"was":{"n":12345678901234567},"is":{"n":12345678901234568}}`, "", "n=12345678901234567>12345678901234568"},
		{"lists of names are sets", `{"was":{"roles":["lead","annotator"]},"is":{"roles":["annotator","lead"]}}`, "", ""},
		{"a list that became empty", `{"was":{"roles":["lead"]},"is":{"roles":[]}}`, "", "roles=lead>"},
		{"entries go by their id, not their place", `{"was":{"classes":[{"id":"1","name":"A"}]},"is":{"classes":[{"id":"2","name":"B"},{"id":"1","name":"A2"}]}}`, "",
			"classes[1].name=A>A2|classes[2].id=>2|classes[2].name=>B"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changes, reason := Changes([]byte(c.payload))
			var got []string
			for _, ch := range changes {
				got = append(got, ch.Field+"="+ch.Was+">"+ch.Is)
			}
			want := strings.Split(c.want, "|")
			if c.want == "" {
				want = nil
			}
			if !slices.Equal(got, want) || reason != c.reason {
				t.Errorf("got %q, reason %q; want %q, %q", got, reason, want, c.reason)
			}
		})
	}
}

func TestReasonNamesItsField(t *testing.T) {
	t.Parallel()
	if _, err := Reason(" \n", "the role changes", true); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Message(err), "why the role changes") {
		t.Errorf("an empty reason that is needed: %v", err)
	}
	if _, err := Reason(strings.Repeat("ü", MostReason+1), "it changes", false); !fault.Is(err, fault.Invalid) {
		t.Errorf("a reason that is too long: %v", err)
	}
	if text, err := Reason(" typo ", "it changes", true); err != nil || text != "typo" {
		t.Errorf("got %q, %v", text, err)
	}
	if text, err := Reason("", "it changes", false); err != nil || text != "" {
		t.Errorf("a reason that nobody needs: %q, %v", text, err)
	}
}
