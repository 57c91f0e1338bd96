package training_test

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/review"
)

func TestSuccessLeavesRunModelCandidateAndPredictions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	made, place := d.train()
	actor, fence, err := d.AuthenticateAttempt(t.Context(), place.Token)
	if err != nil || fence != fmt.Sprint(place.Fence) || actor.May("p", ledger.ActionRead) {
		t.Errorf("the token is of attempt %s, actor %+v, %v", fence, actor, err)
	}
	if _, _, err := d.AuthenticateAttempt(t.Context(), "another"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("another token: %v", err)
	}
	spec, err := d.StartAttempt(t.Context(), place.Fence)
	d.must(err)
	if spec.Job.Kind != training.KindTrain || spec.Job.Fence != place.Fence || !strings.Contains(string(spec.Inputs[0].Dataset), `"classes":["a","b"]`) || spec.Command[0] != "{adjudge}" {
		t.Errorf("spec %+v", spec)
	}
	in, err := d.OpenInput(t.Context(), place.Fence, "train", "part-0.jsonl")
	d.must(err)
	if raw, _ := io.ReadAll(in); !strings.Contains(string(raw), `"text":"one"`) {
		t.Errorf("input %s", raw)
	}
	d.finish(place.Fence)
	page := d.page(made.Run.Number)
	tree, err := ledger.TreeRoot([]ledger.TreeFile{
		{Path: "model.json", Digest: ledger.DigestOf([]byte("bytes of model/model.json"))}, {Path: "weights.bin", Digest: ledger.DigestOf([]byte("bytes of model/weights.bin"))}})
	d.must(err)
	switch {
	case page.Run.State != compare.RunSucceeded, page.Run.Primary.Value != 0.75, page.Job.State != training.Succeeded:
		t.Errorf("run %+v", page.Run)
	case page.Model.Digest != tree, page.Model.TrainedBy != "ann", page.Model.Snapshot != "good", len(page.Model.Files) != 2, len(page.Model.Metrics) != 1:
		t.Errorf("model %+v", page.Model)
	case page.Candidate.State != review.StateDraft, page.Candidate.Subject.Digest != tree, page.Candidate.TrainedBy != "ann":
		t.Errorf("candidate %+v", page.Candidate)
	case page.Attempt.Progress != 0.5, len(page.Points) != 2, !strings.Contains(page.Attempt.Submitted, "params.json"),
		!strings.Contains(page.Attempt.Submitted, "\nADJUDGE_PARAMS=DIR/params.json\n"), !strings.Contains(page.Attempt.Submitted, "\nADJUDGE_TOKEN=…\n"):
		t.Errorf("attempt %+v, points %v", page.Attempt, page.Points)
	}
	if part, err := d.ReadLog(t.Context(), ann, "p", 1, 0, 6, 100); err != nil || string(part.Body) != "::progress 0.5 half\n" || !part.Over || part.Total != 26 {
		t.Errorf("log %+v, %v", part, err)
	}

	for _, tt := range []struct {
		want         training.LogSearch
		line, offset int64
	}{
		{training.LogSearch{Line: 2}, 2, 6},
		{training.LogSearch{Line: 99}, 2, 6},
		{training.LogSearch{Offset: 1}, 2, 6},
		{training.LogSearch{}, 1, 0},
		{training.LogSearch{Text: "PROGRESS"}, 2, 6},
		{training.LogSearch{Text: "progress", From: 2}, 2, 6}, // once around
		{training.LogSearch{Text: "progress", From: 1, Back: true}, 2, 6},
		{training.LogSearch{Errors: true}, 0, 0},
	} {
		if at, err := d.FindInLog(t.Context(), ann, "p", 1, 0, tt.want); err != nil || at.Line != tt.line || at.Offset != tt.offset || at.Lines != 2 {
			t.Errorf("%+v is at %+v, %v", tt.want, at, err)
		}
	}

	order, _ := json.Marshal(map[string]any{"job": made.Job.ID})
	for range 2 { // the second time changes nothing
		d.must(d.Follow(t.Context(), order))
	}
	page = d.page(1)
	var datasets []string
	for _, p := range page.Predicts {
		datasets = append(datasets, fmt.Sprint(p.Dataset.Name, " ", p.Job.Unlabeled))
	}
	slices.Sort(datasets)
	if got := strings.Join(datasets, ", "); got != "open true, test false" {
		t.Errorf("predicted are %s", got)
	}
	for range 2 {
		d.answer(d.placement())
	}
	if len(d.predicted) != 2+3 || d.predicted[0].Runner != 0.25 {
		t.Errorf("predictions %+v", d.predicted)
	}
	if n, err := d.store.CheckHistory(t.Context()); err != nil || n == 0 {
		t.Errorf("%d events, %v", n, err)
	}
}
