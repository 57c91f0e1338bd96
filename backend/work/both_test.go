package work_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/work"
)

// What cannot be mended by trying again must not hide what can: a checkpoint that
// a full disk did not take is made later.
func TestOfTwoThatFailTheOneDecidesThatTryingAgainHelps(t *testing.T) {
	t.Parallel()
	given, later, unknown := fault.New(fault.Conflict, "given up"), fault.New(fault.Unavailable, "later"), errors.New("unknown")
	for name, c := range map[string]struct {
		first, second error
		kind          fault.Kind
	}{
		"the second may still go":  {given, later, fault.Unavailable},
		"the first may still go":   {later, given, fault.Unavailable},
		"only the first failed":    {given, nil, fault.Conflict},
		"only the second failed":   {nil, later, fault.Unavailable},
		"both for good":            {given, given, fault.Conflict},
		"one that nobody foresaw":  {given, unknown, fault.KindOf(unknown)},
		"one that nobody foresaw,": {unknown, given, fault.KindOf(unknown)},
	} {
		carried := 0
		one := func(err error) work.Handler {
			return func(context.Context, json.RawMessage) error { carried++; return err }
		}
		err := work.Both(one(c.first), one(c.second))(t.Context(), nil)
		if got := fault.KindOf(err); err == nil || got != c.kind || carried != 2 {
			t.Errorf("%s: %v is of the kind %v; %d were carried out", name, err, got, carried)
		}
	}
	nothing := func(context.Context, json.RawMessage) error { return nil }
	if err := work.Both(nothing, nothing)(t.Context(), nil); err != nil {
		t.Error(err)
	}
}
