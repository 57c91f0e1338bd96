package review_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// comparer stands for desk two: it finds the same interval whatever it is asked.
type comparer struct {
	w         *world
	low, high float64
	missing   error // what it answers instead
	asked     []compare.CompareRequest
}

func (f *comparer) Compare(_ context.Context, _ ledger.Actor, req compare.CompareRequest) (compare.Compared, error) {
	f.asked = append(f.asked, req)
	if f.missing != nil {
		return compare.Compared{}, f.missing
	}
	found, err := f.w.Candidates(f.w.t.Context(), f.w.tom, review.CandidateFilter{Project: project})
	f.w.must(err)
	i := slices.IndexFunc(found, func(c review.Candidate) bool {
		return string(c.Model) == req.Candidate && string(c.Baseline.Model) == req.Baseline
	})
	f.w.comparedOn(req.Snapshot, found[i], f.low, f.high)
	var records []compare.ComparisonRecord
	f.w.must(f.w.store.View(f.w.t.Context(), func(tx *store.Tx) (err error) {
		records, err = tx.FindComparisons(compare.ComparisonFilter{Project: project, Limit: 1})
		return err
	}))
	return compare.Compared{Record: records[0]}, nil
}

func TestACandidateIsComparedWithWhatShipsNowWithoutAnybodyAsking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fake := &comparer{w: w, low: -0.01, high: 0.03}
	w.Comparer = fake
	base := w.approved("weights")
	if len(fake.asked) > 0 {
		t.Errorf("the first candidate was compared with nothing: %+v", fake.asked)
	}
	c := w.propose(w.model("better weights"))
	if r := w.result(c); r.State != review.Unsatisfied || !r.Pending || !strings.Contains(r.Says, "being compared with intents@1") {
		t.Errorf("at once: %+v", r)
	}
	w.sign()
	if want := []compare.CompareRequest{{Project: project, Baseline: string(base.Model), Candidate: string(c.Model), Snapshot: "snapshot-1"}}; !slices.Equal(fake.asked, want) {
		t.Errorf("compared %+v, want %+v: on evaluation snapshots only", fake.asked, want)
	}
	if r := w.result(c); r.State != review.Satisfied || r.Pending {
		t.Errorf("in the end: %+v", r)
	}
	w.vote(w.ana, c, 1)
	if v := w.vote(w.ben, c, 2); v.Candidate.State != review.StateApproved {
		t.Errorf("with both votes it is %s: %+v", v.Candidate.State, v.Results)
	}
	if a := w.gate(c); !a.OK {
		t.Errorf("gate: %+v", a)
	}
}

func TestACandidateWaitsForAnswersAndGoesOnWhenTheyArrive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fake := &comparer{w: w, low: 0.01, high: 0.03}
	w.Comparer = fake
	w.approved("weights")
	fake.missing = fault.New(fault.Unmet, "intents@2 has no predictions on snapshot 1.")
	c := w.propose(w.model("better weights"))
	w.sign()
	if r := w.result(c); !r.Pending || !strings.Contains(r.Says, "waits. intents@2 has no predictions") {
		t.Errorf("without answers: %+v", r)
	}
	// Both vote meanwhile, with nothing in sight.
	w.vote(w.ana, c, 1)
	w.vote(w.ben, c, 2)
	if a := w.gate(c); a.OK || a.State != "open" {
		t.Errorf("gate: %+v", a)
	}
	fake.missing = nil
	arrived, err := json.Marshal(map[string]any{"Project": project, "Set": "set-1"})
	w.must(err)
	for range 2 { // a handler may run twice
		w.must(w.MeasureWork(t.Context(), arrived))
	}
	w.sign()
	if a := w.gate(c); a.OK || !strings.Contains(a.Reason, "Ana Ruiz voted before the comparison with intents@1 was there, and can confirm now") {
		t.Errorf("what arrived completes an approval that nobody gave with it in sight: %+v", a)
	}
	for _, actor := range []ledger.Actor{w.ana, w.ben} {
		_, err := w.Confirm(t.Context(), actor, review.ConfirmRequest{Project: project, Candidate: ref(c), Password: "correct horse"})
		w.must(err)
	}
	w.sign()
	if a := w.gate(c); !a.OK {
		t.Errorf("gate after both confirmed: %+v", a)
	}
	found, err := w.Case(t.Context(), w.ana, project, ref(c))
	w.must(err)
	if len(found.SignOffs) != 1 || len(found.Measured) != 2 || found.Measured[1].Title == "" {
		t.Errorf("%d sign-offs, measured %+v", len(found.SignOffs), found.Measured)
	}
}

func TestADecisiveLossIsSaidByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Comparer = &comparer{w: w, low: -0.05, high: -0.01}
	w.approved("weights")
	c := w.propose(w.model("worse weights"))
	w.sign()
	if r := w.result(c); r.State != review.Unsatisfied || r.Pending || !strings.Contains(r.Says, "decisively worse than intents@1") {
		t.Errorf("%+v", r)
	}
}

func TestWhatFailedIsSaidAndTriedAgainOnRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fake := &comparer{w: w, low: -0.01, high: 0.01}
	w.Comparer = fake
	first := w.approved("weights")
	fake.missing = fault.New(fault.TooLarge, "The snapshot is too large.")
	c := w.propose(w.model("other weights"))
	w.sign()
	if r := w.result(c); r.Pending || !strings.Contains(r.Says, "could not be compared with intents@1, its baseline. The snapshot is too large.") {
		t.Errorf("%+v", r)
	}
	fake.missing = nil
	wantFault(t, w.Measure(t.Context(), ledger.Actor{Person: "x", Scope: ledger.ScopeGate}, project, ref(c)), fault.NotFound, "")
	w.must(w.Measure(t.Context(), w.ana, project, ref(c)))
	w.sign()
	if r := w.result(c); r.State != review.Satisfied {
		t.Errorf("%+v", r)
	}
	wantFault(t, w.Measure(t.Context(), w.ana, project, ref(first)), fault.Conflict, "nothing to be compared with")
}

// snapshot takes an evaluation snapshot of so many items.
func (w *world) snapshot(id labeling.SnapshotID, items int64, of ...labeling.DatasetID) {
	w.t.Helper()
	s := labeling.Snapshot{ID: id, Project: project, Purpose: labeling.PurposeEvaluation, State: labeling.SnapshotReady, Digest: ledger.DigestOf([]byte(id)), Items: items, CreatedBy: "tom"}
	for _, dataset := range of {
		s.Datasets = append(s.Datasets, labeling.SnapshotDataset{ID: dataset, Items: items})
	}
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		if _, err := tx.CreateSnapshot(s); err != nil {
			return err
		}
		return tx.UpdateSnapshot(s)
	}))
}

// computedOf stores what this server computed of a model about a dataset.
func (w *world) computedOf(model compare.ModelID, dataset labeling.DatasetID, rows int) {
	w.t.Helper()
	id := uuid.NewString()
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.CreatePredictionSet(compare.PredictionSet{ID: compare.PredictionSetID(uuid.Must(uuid.NewV7()).String()), Project: project, Model: model, Dataset: dataset,
			State: compare.PredictionsReady, Origin: compare.OriginComputed, Job: "job-1", Attempt: 1, Digest: ledger.DigestOf([]byte(id)), Rows: rows, CreatedBy: "system", CreatedAt: tx.Now()})
		return err
	}))
}

func TestANewerSnapshotTakesNothingOutOfWhatIsCompared(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w *world, c review.Candidate){
		"that the server computed": func(w *world, c review.Candidate) {
			w.computedOf(c.Baseline.Model, "dataset-1", 10)
			w.computedOf(c.Model, "dataset-1", 11)
		},
		"that somebody else uploaded": func(w *world, c review.Candidate) {
			dan := w.person("dan", "Dan Lee", ledger.RoleDataScientist)
			w.answeredBy(dan, c.Baseline.Model, "older", "honest of the baseline")
			w.answeredBy(dan, c.Model, "older", "honest of the candidate")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.second()
			w.snapshot("older", 10, "dataset-1")
			answer(w, c)
			// One item more, and a snapshot that only what Tom brings answers whole.
			w.snapshot("newer", 11, "dataset-1")
			w.comparedOn("newer", c, 0.10, 0.15)
			if r := w.result(c); r.State != review.Unsatisfied || !strings.Contains(r.Says, "not compared yet") {
				t.Errorf("before the answers %s are compared: %+v", name, r)
			}
			fake := &comparer{w: w, low: -0.25, high: -0.2}
			w.Comparer = fake
			w.must(w.Measure(t.Context(), w.ana, project, ref(c)))
			w.sign()
			if r := w.result(c); r.State != review.Unsatisfied || !strings.Contains(r.Says, "decisively worse") {
				t.Errorf("afterwards: %+v", r)
			}
		})
	}
}

func TestHoweverManyDatasetsThereAreAllAreMeasuredOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fake := &comparer{w: w, low: -0.01, high: 0.01}
	w.Comparer = fake
	w.approved("weights")
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		w.snapshot(labeling.SnapshotID("of-"+id), 0, labeling.DatasetID(id))
	}
	w.propose(w.model("other weights"))
	w.sign()
	if len(fake.asked) != 6 {
		t.Errorf("measured on %+v", fake.asked)
	}
}

func TestAFreshNameLeavesNoSnapshotBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	base, bad := w.approved("weights"), w.model("worse weights")
	w.snapshot("older", 10, "dataset-1")
	w.comparedOn("older", review.Candidate{Model: bad.ID, Subject: review.Subject{Kind: review.SubjectModel, Digest: bad.Digest},
		Baseline: review.Baseline{Model: base.Model, Digest: base.Subject.Digest}}, -0.25, -0.2)
	w.snapshot("newer", 11, "dataset-1")
	fresh := w.propose(w.imported(project, "innocent", bad.Digest, w.tom))
	w.comparedOn("newer", fresh, 0.1, 0.15)
	if r := w.result(fresh); r.State != review.Unsatisfied || !r.Pending {
		t.Errorf("a loss under another name is forgotten: %+v", r)
	}
	w.comparedAll("older", fresh, -0.25, -0.2)
	if r := w.result(fresh); r.State != review.Unsatisfied || !strings.Contains(r.Says, "decisively worse") {
		t.Errorf("compared anew: %+v", r)
	}
}

func TestOnlyTheNewestSnapshotOfADatasetIsMeasuredOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fake := &comparer{w: w, low: -0.01, high: 0.01}
	w.Comparer = fake
	w.approved("weights")
	w.snapshot("older", 0, "dataset-1")
	w.snapshot("newer", 0, "dataset-1")
	w.propose(w.model("other weights"))
	w.sign()
	var on []string
	for _, a := range fake.asked {
		on = append(on, string(a.Snapshot))
	}
	if !slices.Equal(on, []string{"newer", "snapshot-1"}) {
		t.Errorf("measured on %v", on)
	}
}
