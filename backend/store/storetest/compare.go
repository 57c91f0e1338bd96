package storetest

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// Model is a model of Project, as tests use it.
func Model(id compare.ModelID, name string) compare.Model {
	return compare.Model{
		ID: id, Project: "p1", Name: name, Digest: ledger.DigestOf([]byte(id)), Run: "r1", Snapshot: "s1",
		Files:  []compare.File{{Path: "weights.bin", Size: 3, Digest: ledger.DigestOf([]byte("abc"))}},
		Params: json.RawMessage(`{"epochs":3}`), Metrics: []compare.Metric{{Name: "accuracy", Value: .875}}, Environment: json.RawMessage(`{"go":"1.26"}`),
		TrainedBy: "ann", CreatedBy: "ann", CreatedAt: time.UnixMicro(9).UTC(),
	}
}

// Compare shows the promises of runs, models, prediction sets and comparisons.
func Compare(t *testing.T) {
	t.Run("runs are numbered in their project and come back as they were", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			run := compare.Run{ID: "r1", Project: "p1", Kind: compare.RunTraining, Name: "first", Recipe: "text-linear", Snapshot: "s1",
				Params: json.RawMessage(`{"epochs":3}`), State: compare.RunQueued, CreatedAt: time.UnixMicro(3).UTC(), By: "ann"}
			change(t, s, func(tx *store.Tx) error {
				for _, other := range []compare.Run{{ID: "x1", Project: "p2", Kind: compare.RunTraining}, {ID: "r0", Project: "p1", Kind: compare.RunEvaluation}, run} {
					if _, err := tx.CreateRun(other); err != nil {
						return err
					}
				}
				return nil
			})
			run.Number, run.State, run.Primary = 2, compare.RunSucceeded, compare.Metric{Name: "accuracy", Value: .5}
			run.StartedAt, run.EndedAt = time.UnixMicro(4).UTC(), time.UnixMicro(5).UTC()
			change(t, s, func(tx *store.Tx) error { return tx.UpdateRun(run) })
			view(t, s, func(tx *store.Tx) error {
				got, err := tx.GetRunByNumber("p1", 2)
				if err != nil || !reflect.DeepEqual(got, run) {
					t.Errorf("got %+v, %v", got, err)
				}
				if _, err := tx.GetRun("p2", "r1"); !fault.Is(err, fault.NotFound) {
					t.Errorf("a run of another project: %v", err)
				}
				all, err := tx.FindRuns(compare.RunFilter{Project: "p1"})
				if err != nil || len(all) != 2 || all[0].ID != "r1" {
					t.Errorf("all = %+v, %v", all, err)
				}
				some, err := tx.FindRuns(compare.RunFilter{Project: "p1", Kind: compare.RunEvaluation, Before: 2, Limit: 1})
				if err != nil || len(some) != 1 || some[0].ID != "r0" {
					t.Errorf("some = %+v, %v", some, err)
				}
				return nil
			})
			err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.UpdateRun(compare.Run{ID: "nobody", Project: "p1"}) })
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("an unknown run: %v", err)
			}
		})
	})
	t.Run("a point replaces the one of the same step", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			change(t, s, func(tx *store.Tx) error {
				if _, err := tx.CreateRun(compare.Run{ID: "r1", Project: "p1", Kind: compare.RunTraining}); err != nil {
					return err
				}
				if err := tx.AddPoints("r1", []compare.Point{{Step: 2, Split: "val", Name: "loss", Value: 9}, {Step: 1, Split: "val", Name: "loss", Value: 8}}); err != nil {
					return err
				}
				return tx.AddPoints("r1", []compare.Point{{Step: 2, Split: "val", Name: "loss", Value: 7, At: time.UnixMicro(1).UTC()}})
			})
			view(t, s, func(tx *store.Tx) error {
				got, err := tx.FindPoints("r1")
				want := []compare.Point{{Step: 1, Split: "val", Name: "loss", Value: 8}, {Step: 2, Split: "val", Name: "loss", Value: 7, At: time.UnixMicro(1).UTC()}}
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v, %v", got, err)
				}
				return nil
			})
		})
	})
	t.Run("versions of a model count up within its name", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			want := Model("m2", "intent")
			change(t, s, func(tx *store.Tx) error {
				for _, m := range []compare.Model{Model("m1", "intent"), want, Model("m3", "other")} {
					if _, err := tx.CreateModel(m); err != nil {
						return err
					}
				}
				return nil
			})
			want.Version = 2
			view(t, s, func(tx *store.Tx) error {
				got, err := tx.GetModel("p1", "m2")
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v, %v", got, err)
				}
				for name, c := range map[string]struct {
					filter compare.ModelFilter
					ids    []compare.ModelID
				}{
					"all, newest first": {compare.ModelFilter{}, []compare.ModelID{"m3", "m2", "m1"}},
					"by name":           {compare.ModelFilter{Name: "intent", Limit: 1}, []compare.ModelID{"m2"}},
					"by version":        {compare.ModelFilter{Name: "intent", Version: 1}, []compare.ModelID{"m1"}},
					"by digest":         {compare.ModelFilter{Digest: want.Digest}, []compare.ModelID{"m2"}},
					"by run":            {compare.ModelFilter{Run: "r1", Before: "m2"}, []compare.ModelID{"m1"}},
				} {
					c.filter.Project = "p1"
					found, err := tx.FindModels(c.filter)
					var ids []compare.ModelID
					for _, m := range found {
						ids = append(ids, m.ID)
					}
					if err != nil || !reflect.DeepEqual(ids, c.ids) {
						t.Errorf("%s: %v, %v", name, ids, err)
					}
				}
				if _, err := tx.GetModel("p2", "m2"); !fault.Is(err, fault.NotFound) {
					t.Errorf("a model of another project: %v", err)
				}
				return nil
			})
		})
	})
	t.Run("makers belong to the digest, in every project, and stay where the model is emptied", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			digest := ledger.DigestOf([]byte("weights"))
			change(t, s, func(tx *store.Tx) error {
				for _, m := range []compare.Model{
					{ID: "m1", Project: "p1", Name: "intent", Digest: digest, TrainedBy: "tom", CreatedBy: "tom"},
					{ID: "m2", Project: "p2", Name: "other", Digest: digest, CreatedBy: "ann"},
					{ID: "m3", Project: "p1", Name: "none", CreatedBy: "ben"},
				} {
					if _, err := tx.CreateModel(m); err != nil {
						return err
					}
				}
				for i, by := range []ledger.PersonID{"eve", "eve", "system"} {
					set, err := tx.CreatePredictionSet(compare.PredictionSet{ID: compare.PredictionSetID("ps" + string(rune('1'+i))), Project: "p1", Model: "m1", CreatedBy: by})
					if err != nil {
						return err
					}
					if set.Version != i+1 {
						t.Errorf("the set %s has the version %d", set.ID, set.Version)
					}
				}
				_, err := tx.CreatePredictionSet(compare.PredictionSet{ID: "ps9", Project: "p1", Model: "m3", CreatedBy: "eve"})
				return err
			})
			view(t, s, func(tx *store.Tx) error {
				all, err := tx.MakersOf(digest)
				var got []string
				for _, m := range all {
					got = append(got, string(m.Person)+" "+string(m.How)+" "+string(m.Project)+" "+m.Thing)
				}
				slices.Sort(got)
				want := []string{"ann registered p2 m2", "eve uploaded p1 m1", "tom trained p1 m1"}
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("makers = %q, %v", got, err)
				}
				ofDigest, err := tx.FindPredictionSetsOf("p1", digest)
				if err != nil || len(ofDigest) != 3 || ofDigest[0].ID != "ps3" {
					t.Errorf("the sets of the digest are %+v, %v", ofDigest, err)
				}
				none, err := tx.MakersOf("")
				if err != nil || len(none) != 0 {
					t.Errorf("no digest has makers: %+v, %v", none, err)
				}
				return nil
			})
		})
	})
	t.Run("suggestions reach the items that exist", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			Animals(t, s, "a", "b")
			change(t, s, func(tx *store.Tx) error {
				n, err := tx.SuggestAnswers("d1", "m1", []compare.Suggestion{
					{Key: "a", Class: "dog", Score: .75, Uncertainty: .25}, {Key: "zzz", Class: "dog"}, {Key: "b", Class: "cat", Score: compare.NoScore, Uncertainty: compare.NoScore},
				})
				if err == nil && n != 2 {
					t.Errorf("%d items took a suggestion", n)
				}
				return err
			})
			view(t, s, func(tx *store.Tx) error {
				a, err := tx.ItemKeyed("d1", "a")
				if err != nil || a.Model != "m1" || a.ModelLabel != "dog" || a.ModelScore == nil || *a.ModelScore != .75 || a.Uncertainty == nil || *a.Uncertainty != .25 {
					t.Errorf("a = %+v, %v", a, err)
				}
				b, err := tx.ItemKeyed("d1", "b")
				if err != nil || b.ModelLabel != "cat" || b.ModelScore != nil || b.Uncertainty != nil {
					t.Errorf("b = %+v, %v", b, err)
				}
				return nil
			})
		})
	})
	t.Run("prediction sets, evaluations and comparisons come back", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			set := compare.PredictionSet{ID: "ps1", Project: "p1", Model: "m1", Snapshot: "s1", State: compare.PredictionsWaiting, Origin: compare.OriginComputed, Job: "j1", Attempt: 4, CreatedBy: "ann",
				CreatedAt: time.UnixMicro(2).UTC(), Report: compare.PredictionReport{File: "a.csv", Read: 3, Notes: []compare.RowProblem{{Line: 2, Reason: "no key"}}}}
			evaluation := compare.EvaluationRecord{Digest: ledger.DigestOf([]byte("e")), Inputs: ledger.DigestOf([]byte("i")), Project: "p1", Model: "m1", Snapshot: "s1",
				Items: 3080, Accuracy: compare.Estimate{Value: .88, Low: .87, High: .89}, CreatedAt: time.UnixMicro(4).UTC()}
			comparison := compare.ComparisonRecord{Digest: ledger.DigestOf([]byte("c")), Inputs: ledger.DigestOf([]byte("j")), Project: "p1", Baseline: "m1", Candidate: "m2", Snapshot: "s1",
				Items: 3080, Verdict: compare.VerdictLoss, Difference: compare.Estimate{Value: -.02, Low: -.03, High: -.01}, P: .00001, CreatedBy: "ann", CreatedAt: time.UnixMicro(6).UTC()}
			change(t, s, func(tx *store.Tx) error {
				for _, id := range []compare.ModelID{"m1", "m2"} {
					if _, err := tx.CreateModel(Model(id, "intent")); err != nil {
						return err
					}
				}
				var err error
				if set, err = tx.CreatePredictionSet(set); err != nil {
					return err
				}
				for range 2 {
					if err := tx.SaveAnswerGap("s1", set.Digest); err != nil {
						return err
					}
				}
				for range 2 { // the same again changes nothing
					if err := tx.SaveEvaluation(evaluation); err != nil {
						return err
					}
					if err := tx.SaveComparison(comparison); err != nil {
						return err
					}
				}
				return nil
			})
			set.State, set.Rows, set.Digest, set.KeysDigest = compare.PredictionsReady, 2, ledger.DigestOf([]byte("p")), ledger.DigestOf([]byte("k"))
			set.Withdrawn = compare.Withdrawal{By: "lea", At: time.UnixMicro(8).UTC(), Reason: "the wrong file"}
			change(t, s, func(tx *store.Tx) error {
				if err := tx.WithdrawPredictionSet("p1", set.ID, set.Withdrawn); err != nil {
					return err
				}
				return tx.UpdatePredictionSet(set)
			})
			view(t, s, func(tx *store.Tx) error {
				sets, err := tx.FindPredictionSets("p1", "m1")
				if err != nil || !reflect.DeepEqual(sets, []compare.PredictionSet{set}) {
					t.Errorf("sets = %+v, %v", sets, err)
				}
				if gaps, err := tx.FindAnswerGaps("s1"); err != nil || len(gaps) != 1 {
					t.Errorf("gaps = %v, %v", gaps, err)
				}
				evaluations, err := tx.FindEvaluations("p1", "")
				if err != nil || !reflect.DeepEqual(evaluations, []compare.EvaluationRecord{evaluation}) {
					t.Errorf("evaluations = %+v, %v", evaluations, err)
				}
				comparisons, err := tx.FindComparisons(compare.ComparisonFilter{Project: "p1", Baseline: "m1", Candidate: "m2", Snapshot: "s1", Digest: comparison.Digest})
				if err != nil || !reflect.DeepEqual(comparisons, []compare.ComparisonRecord{comparison}) {
					t.Errorf("comparisons = %+v, %v", comparisons, err)
				}
				baseline, err1 := tx.GetModel("p1", "m1")
				candidate, err2 := tx.GetModel("p1", "m2")
				ofDigests, err := tx.FindComparisonsOf("p1", baseline.Digest, candidate.Digest)
				if err = errors.Join(err, err1, err2); err != nil || baseline.Digest == candidate.Digest || !reflect.DeepEqual(ofDigests, comparisons) {
					t.Errorf("comparisons of %q and %q = %+v, %v", baseline.Digest, candidate.Digest, ofDigests, err)
				}
				if turned, err := tx.FindComparisonsOf("p1", candidate.Digest, baseline.Digest); err != nil || len(turned) != 0 {
					t.Errorf("the other way round: %+v, %v", turned, err)
				}
				none, err := tx.FindComparisons(compare.ComparisonFilter{Project: "p2"})
				if err != nil || len(none) != 0 {
					t.Errorf("another project sees %+v, %v", none, err)
				}
				return nil
			})
		})
	})
	t.Run("texts of items are found by key", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			Animals(t, s, "a", "b")
			view(t, s, func(tx *store.Tx) error {
				got, err := tx.ItemTexts([]labeling.DatasetID{"nowhere", "d1"}, []string{"b", "zzz"})
				want := map[string]compare.ItemText{"b": {ID: "d1/b", Text: "text of b"}}
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v, %v", got, err)
				}
				return nil
			})
		})
	})
}

// change runs f in an update and fails the test on its error.
func change(t *testing.T, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}
