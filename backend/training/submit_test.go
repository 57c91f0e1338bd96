package training_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
)

func TestATrainingThatCannotBeIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, tc := range map[string]struct {
		change func(*training.SubmitRequest)
		kind   fault.Kind
		field  string
		says   string
	}{
		"evaluation items":  {func(r *training.SubmitRequest) { r.Snapshot = "evaluation" }, fault.Unmet, "snapshot", "evaluation items"},
		"not ready":         {func(r *training.SubmitRequest) { r.Snapshot = "building" }, fault.Unmet, "snapshot", "still being made"},
		"a single class":    {func(r *training.SubmitRequest) { r.Snapshot = "single" }, fault.Unmet, "snapshot", "fewer than two classes"},
		"no such snapshot":  {func(r *training.SubmitRequest) { r.Snapshot = "nowhere" }, fault.Invalid, "snapshot", "no such snapshot"},
		"no such recipe":    {func(r *training.SubmitRequest) { r.Recipe = "magic" }, fault.Invalid, "recipe", "There is: text-linear"},
		"no such engine":    {func(r *training.SubmitRequest) { r.Engine = "moon" }, fault.Invalid, "engine", "no engine moon"},
		"a wrong parameter": {func(r *training.SubmitRequest) { r.Params = map[string]json.RawMessage{"epochs": []byte("0")} }, fault.Invalid, "params.epochs", "between 1 and 200"},
		"another's project": {func(r *training.SubmitRequest) { r.Project = "q" }, fault.NotFound, "", "No such project"},
	} {
		_, err := d.submit(tc.change)
		if !fault.Is(err, tc.kind) || !strings.Contains(fault.Message(err), tc.says) || tc.field != "" && fault.Fields(err)[tc.field] == "" {
			t.Errorf("%s: %v (fields %v)", name, err, fault.Fields(err))
		}
	}
	annotator := ledger.Actor{Person: "bob", Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"p": {ledger.RoleAnnotator}}}
	if _, err := d.Submit(t.Context(), annotator, training.SubmitRequest{Project: "p", Recipe: "text-linear", Snapshot: "good"}); !fault.Is(err, fault.Denied) {
		t.Errorf("an annotator trains: %v", err)
	}
}

func TestTheSameTrainingIsNotStartedTwice(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, err := d.submit(nil)
	d.must(err)
	if again, err := d.submit(nil); err != nil || !again.Known || again.Run.ID != first.Run.ID {
		t.Errorf("the same while it waits: %+v, %v", again, err)
	}
	other, err := d.submit(func(r *training.SubmitRequest) { r.Seed = 2; r.Key = "k" })
	if err != nil || other.Known || other.Run.Number != 2 {
		t.Errorf("another seed: %+v, %v", other, err)
	}
	_, err = d.Stop(t.Context(), ann, "p", other.Job.ID)
	d.must(err)
	if again, err := d.submit(func(r *training.SubmitRequest) { r.Seed = 2; r.Key = "k" }); err != nil || !again.Known || again.Run.ID != other.Run.ID {
		t.Errorf("the same key after it ended: %+v, %v", again, err)
	}
	if _, err := d.submit(func(r *training.SubmitRequest) { r.Seed = 3; r.Key = "k" }); !fault.Is(err, fault.Conflict) {
		t.Errorf("a key for something else: %v", err)
	}
	if again, err := d.submit(func(r *training.SubmitRequest) { r.Seed = 2 }); err != nil || again.Known {
		t.Errorf("the same after it was stopped: %+v, %v", again, err)
	}
}
