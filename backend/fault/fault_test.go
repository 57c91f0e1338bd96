package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		kind Kind
		says string
	}{
		"nothing has no kind":             {nil, "", "Something went wrong on our side."},
		"a stranger is internal":          {errors.New("disk on fire"), Internal, "Something went wrong on our side."},
		"a fault keeps its kind":          {New(NotFound, "no item %q", "a"), NotFound, `no item "a"`},
		"a wrapped fault keeps its kind":  {Wrap(Field("name", "give a name"), "create project"), Invalid, "give a name"},
		"an internal fault stays private": {As(Internal, errors.New("x"), "secret"), Internal, "Something went wrong on our side."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := KindOf(c.err); got != c.kind {
				t.Errorf("kind = %q, want %q", got, c.kind)
			}
			if got := Message(c.err); got != c.says {
				t.Errorf("message = %q, want %q", got, c.says)
			}
		})
	}
}

func TestFieldsCollectsEveryProblem(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("save schema: %w", errors.Join(Field("name", "give a name"), Field("key", "one letter"), New(Conflict, "late")))
	got := Fields(err)
	if len(got) != 2 || got["name"] != "give a name" || got["key"] != "one letter" {
		t.Errorf("fields = %v", got)
	}
}
