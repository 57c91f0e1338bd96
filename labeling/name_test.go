package labeling_test

import (
	"testing"

	"github.com/adjudge/adjudge/labeling"
)

func TestNamesHoldNoEscapes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a\x1b[31mred", "a\x07", "a\u009b2J", "pay\u202egpj"} {
		schema := labeling.Schema{Classes: []labeling.Class{{ID: "a", Name: "A"}, {ID: "b", Name: "B"}}}
		for what, err := range map[string]error{
			"project": labeling.Project{Name: name, Slug: "p", Overlap: 1, Schema: schema}.Validate(),
			"dataset": labeling.Dataset{Name: name, Purpose: labeling.PurposeTraining}.Validate(),
		} {
			if err == nil {
				t.Errorf("a %s may be called %+q", what, name)
			}
		}
	}
}
