package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/labeling"
)

func aJob(id training.JobID) training.Job {
	at := time.UnixMicro(7).UTC()
	return training.Job{
		ID: id, Project: "p", Kind: training.KindTrain, Run: "r", Recipe: "text-linear", RecipeVersion: "1", Params: json.RawMessage(`{"epochs":3}`),
		Seed: 1<<63 - 1, ModelName: "m", Snapshot: "s", Unlabeled: true, SpecHash: "sha256:1", Engine: "local", State: training.Queued, MaxAttempts: 3,
		CreatedBy: "ann", CreatedAt: at,
	}
}

// Training shows that jobs, attempts, logs and outputs come back as they were.
func Training(t *testing.T) {
	t.Run("a job comes back as it was, and its key is taken", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			j := aJob("j1")
			j.Key = "k"
			change(t, s, func(tx *store.Tx) error { return tx.CreateJob(j) })
			j.State, j.Reason, j.Message, j.Fence, j.Attempts, j.Model = training.Failed, training.ReasonExit, "why", 4, 2, "model"
			j.NotBefore, j.StopAt, j.EndedAt = time.UnixMicro(8).UTC(), time.UnixMicro(9).UTC(), time.UnixMicro(10).UTC()
			change(t, s, func(tx *store.Tx) error { return tx.UpdateJob(j) })
			view(t, s, func(tx *store.Tx) error {
				got, err := tx.GetJob("j1")
				if err != nil || !reflect.DeepEqual(got, j) {
					t.Errorf("got %+v, %v\nwant %+v", got, err, j)
				}
				if _, err := tx.GetJob("j2"); !fault.Is(err, fault.NotFound) {
					t.Errorf("an unknown job: %v", err)
				}
				return nil
			})
			other := aJob("j2")
			other.Key = "k"
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.CreateJob(other) }); !fault.Is(err, fault.Conflict) {
				t.Errorf("a key twice: %v", err)
			}
			other.Project = "elsewhere"
			change(t, s, func(tx *store.Tx) error { return tx.CreateJob(other) })
		})
	})
	t.Run("jobs are found by what they have in common", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			change(t, s, func(tx *store.Tx) error {
				for i := range 3 {
					j := aJob(training.JobID(fmt.Sprintf("j%d", i)))
					j.State = []training.State{training.Queued, training.Running, training.Failed}[i]
					j.SpecHash = ledger.Digest(fmt.Sprintf("sha256:%d", i%2))
					if err := tx.CreateJob(j); err != nil {
						return err
					}
				}
				return nil
			})
			for name, tc := range map[string]struct {
				filter training.JobFilter
				want   string
			}{
				"all":             {training.JobFilter{Project: "p"}, "j2 j1 j0"},
				"by states":       {training.JobFilter{States: []training.State{training.Queued, training.Running}}, "j1 j0"},
				"by spec":         {training.JobFilter{SpecHash: "sha256:0"}, "j2 j0"},
				"by spec, active": {training.JobFilter{SpecHash: "sha256:0", States: []training.State{training.Queued}}, "j0"},
				"by run, few":     {training.JobFilter{Run: "r", Limit: 1}, "j2"},
				"elsewhere":       {training.JobFilter{Project: "q"}, ""},
			} {
				view(t, s, func(tx *store.Tx) error {
					jobs, err := tx.FindJobs(tc.filter)
					var ids []string
					for _, j := range jobs {
						ids = append(ids, string(j.ID))
					}
					if got := strings.Join(ids, " "); got != tc.want {
						t.Errorf("%s: %q, want %q", name, got, tc.want)
					}
					return err
				})
			}
		})
	})
	t.Run("the oldest job that is due comes next", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			early, late, other := aJob("j1"), aJob("j2"), aJob("j0")
			early.NotBefore, other.Engine = time.UnixMicro(100).UTC(), "slurm"
			change(t, s, func(tx *store.Tx) error {
				for _, j := range []training.Job{late, early, other} {
					if err := tx.CreateJob(j); err != nil {
						return err
					}
				}
				return nil
			})
			view(t, s, func(tx *store.Tx) error {
				for at, want := range map[int64]training.JobID{50: "j2", 100: "j1"} {
					if j, err := tx.NextJob("local", time.UnixMicro(at)); err != nil || j.ID != want {
						t.Errorf("at %d comes %s, %v; want %s", at, j.ID, err, want)
					}
				}
				if _, err := tx.NextJob("ray", time.UnixMicro(100)); !fault.Is(err, fault.NotFound) {
					t.Errorf("an engine without jobs: %v", err)
				}
				return nil
			})
		})
	})
	t.Run("fences grow, attempts come back, and only open ones are active", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			var first, second training.Attempt
			change(t, s, func(tx *store.Tx) (err error) {
				if err = tx.CreateJob(aJob("j")); err != nil {
					return err
				}
				a := training.Attempt{Job: "j", Number: 1, Engine: "local", TokenHash: "sha256:a", State: training.Starting, Phase: training.PhaseStarting,
					LeaseUntil: time.UnixMicro(5).UTC(), PlacedAt: time.UnixMicro(4).UTC(), Submitted: "text"}
				if first, err = tx.CreateAttempt(a); err != nil {
					return err
				}
				a.Number, a.TokenHash = 2, "sha256:b"
				second, err = tx.CreateAttempt(a)
				return err
			})
			if second.Fence <= first.Fence {
				t.Errorf("the fence went from %d to %d", first.Fence, second.Fence)
			}
			first.State, first.Phase, first.EndedAt, first.ExitCode, first.Signal = training.Failed, training.PhaseDone, time.UnixMicro(9).UTC(), 137, "killed"
			first.LogBytes, first.LogCRC32, first.LogWhole, first.Progress = 10, 1<<32-1, true, 0.5
			first.Host = training.Host{Name: "h", BootID: "b", Runner: 2, RunnerStart: 3, Trainer: 4, TrainerStart: 5}
			first.Environment = json.RawMessage(`{"go":"1"}`)
			change(t, s, func(tx *store.Tx) error { return tx.UpdateAttempt(first) })
			view(t, s, func(tx *store.Tx) error {
				got, err := tx.GetAttemptByToken("sha256:a")
				if err != nil || !reflect.DeepEqual(got, first) {
					t.Errorf("got %+v, %v\nwant %+v", got, err, first)
				}
				active, err := tx.FindActiveAttempts("local")
				if err != nil || len(active) != 1 || active[0].Fence != second.Fence {
					t.Errorf("active %+v, %v", active, err)
				}
				all, err := tx.FindAttempts("j")
				if err != nil || len(all) != 2 || all[0].Fence != first.Fence {
					t.Errorf("all %+v, %v", all, err)
				}
				if _, err := tx.GetAttemptByToken("sha256:c"); !fault.Is(err, fault.NotFound) {
					t.Errorf("an unknown token: %v", err)
				}
				return nil
			})
		})
	})
	t.Run("a log is read from any byte", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			var a training.Attempt
			change(t, s, func(tx *store.Tx) (err error) {
				if err = tx.CreateJob(aJob("j")); err != nil {
					return err
				}
				if a, err = tx.CreateAttempt(training.Attempt{Job: "j", Number: 1}); err != nil {
					return err
				}
				for _, piece := range []string{"0123", "456", "789\xff\x00"} {
					if err = tx.AppendLog(a.Fence, a.LogBytes, []byte(piece)); err != nil {
						return err
					}
					a.LogBytes += int64(len(piece))
				}
				return tx.UpdateAttempt(a)
			})
			whole := "0123456789\xff\x00"
			view(t, s, func(tx *store.Tx) error {
				for from := range len(whole) + 2 {
					for limit := range 14 {
						got, err := tx.ReadLog(a.Fence, int64(from), limit)
						want := whole[min(from, len(whole)):min(from+limit, len(whole))]
						if err != nil || string(got) != want {
							t.Errorf("from %d at most %d: %q, %v; want %q", from, limit, got, err, want)
						}
					}
				}
				return nil
			})
			err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.AppendLog(a.Fence, 4, []byte("again")) })
			if !fault.Is(err, fault.Conflict) {
				t.Errorf("the same place twice: %v", err)
			}
		})
	})
	t.Run("an output replaces the one of its path", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			files := []training.OutputFile{{Path: "model/b", Size: 1, Digest: "sha256:1"}, {Path: "model/a", Size: 2, Digest: "sha256:2"}, {Path: "model/b", Size: 3, Digest: "sha256:3"}}
			var a training.Attempt
			change(t, s, func(tx *store.Tx) (err error) {
				if err = tx.CreateJob(aJob("j")); err == nil {
					a, err = tx.CreateAttempt(training.Attempt{Job: "j", Number: 1})
				}
				for _, f := range files {
					if err == nil {
						err = tx.SaveOutput(a.Fence, f)
					}
				}
				return err
			})
			view(t, s, func(tx *store.Tx) error {
				got, err := tx.FindOutputs(a.Fence)
				if err != nil || !reflect.DeepEqual(got, []training.OutputFile{files[1], files[2]}) {
					t.Errorf("outputs %+v, %v", got, err)
				}
				return nil
			})
		})
	})
	t.Run("texts are listed in order, labeled and trashed ones as asked", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			change(t, s, func(tx *store.Tx) error {
				if err := tx.CreateProject(labeling.Project{ID: "p", Slug: "p", Name: "p", Overlap: 1}); err != nil {
					return err
				}
				if err := tx.CreateDataset(labeling.Dataset{ID: "d", Project: "p", Name: "d", Purpose: labeling.PurposeTraining}); err != nil {
					return err
				}
				for i, status := range []labeling.Status{labeling.StatusQueued, labeling.StatusAccepted, labeling.StatusTrashed, labeling.StatusSkipped} {
					item := labeling.Item{ID: labeling.ItemID(fmt.Sprint(i)), Project: "p", Dataset: "d", Key: fmt.Sprint(i), Content: "sha256:c", Text: "t", Status: status}
					if status == labeling.StatusAccepted {
						item.Label = "class"
					}
					if _, err := tx.CreateItem(item); err != nil {
						return err
					}
				}
				return nil
			})
			keys := func(unlabeled bool, after int64, limit int) (keys string, last int64) {
				view(t, s, func(tx *store.Tx) error {
					texts, err := tx.DatasetTexts("d", unlabeled, after, limit)
					keys = ""
					for _, text := range texts {
						keys, last = keys+text.Key, text.Seq
					}
					return err
				})
				return keys, last
			}
			if got, _ := keys(false, 0, 10); got != "013" {
				t.Errorf("all: %s", got)
			}
			if got, _ := keys(true, 0, 10); got != "03" {
				t.Errorf("unlabeled: %s", got)
			}
			_, last := keys(false, 0, 1)
			if got, _ := keys(false, last, 10); got != "13" {
				t.Errorf("after the first: %s", got)
			}
		})
	})
}
