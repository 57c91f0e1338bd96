package training

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// followOrder asks to predict with the model of a finished training.
type followOrder struct {
	Job JobID `json:"job"`
}

// predictionsOrder asks to bring in what a predict job answered.
type predictionsOrder struct {
	Job   JobID `json:"job"`
	Fence int64 `json:"fence"`
}

// Follow queues the predictions that a new model owes: the unlabeled items of
// what is labeled, so that the next answers come least certain first, and the
// evaluation datasets, for comparison only. It handles WorkFollow; doing it
// twice changes nothing.
func (s *Service) Follow(ctx context.Context, payload json.RawMessage) error {
	var order followOrder
	if err := json.Unmarshal(payload, &order); err != nil {
		return fault.As(fault.Invalid, err, "the order to predict cannot be read")
	}
	fresh := make([]JobID, 0, 16)
	for range cap(fresh) {
		fresh = append(fresh, JobID(s.NewID()))
	}
	err := s.Update(ctx, func(tx Tx) error {
		trained, err := tx.GetJob(order.Job)
		if err != nil {
			return err
		}
		recipe, err := s.Recipes.Get(trained.Recipe)
		if err != nil || len(recipe.Predict.Command) == 0 {
			return err
		}
		datasets, err := tx.Datasets(trained.Project)
		if err != nil {
			return err
		}
		ids := fresh
		for _, d := range datasets {
			evaluation := d.Purpose == labeling.PurposeEvaluation
			if d.Items == 0 || !evaluation && d.Accepted >= d.Items || len(ids) == 0 {
				continue
			}
			j := Job{
				ID: ids[0], Project: trained.Project, Kind: KindPredict, Run: trained.Run, Recipe: recipe.Name, RecipeVersion: recipe.Version,
				Params: trained.Params, Seed: trained.Seed, ModelName: trained.ModelName, Snapshot: trained.Snapshot, Model: trained.Model,
				Dataset: d.ID, Unlabeled: !evaluation, Key: fmt.Sprintf("predict/%s/%s", trained.Model, d.ID), Engine: trained.Engine,
				State: Queued, MaxAttempts: recipe.Attempts(), CreatedBy: trained.CreatedBy, CreatedAt: tx.Now(), Cause: s.cause(ctx),
			}
			j.SpecHash = specOf(j)
			earlier, err := tx.FindJobs(JobFilter{Project: j.Project, Key: j.Key, Limit: 1})
			if err != nil {
				return err
			}
			if len(earlier) > 0 {
				continue
			}
			ids = ids[1:]
			if err := tx.CreateJob(j); err != nil {
				return err
			}
			if err := record(tx, ledger.System(), j, "queued", map[string]any{"model": j.Model, "dataset": j.Dataset, "unlabeled": j.Unlabeled}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.Wake()
	}
	return err
}

// TakePredictions brings in what a predict job answered. It handles
// WorkPredictions; doing it twice changes nothing.
func (s *Service) TakePredictions(ctx context.Context, payload json.RawMessage) error {
	var order predictionsOrder
	if err := json.Unmarshal(payload, &order); err != nil {
		return fault.As(fault.Invalid, err, "the order to take predictions cannot be read")
	}
	var job Job
	var files []OutputFile
	err := s.View(ctx, func(tx Tx) (err error) {
		if job, err = tx.GetJob(order.Job); err != nil {
			return err
		}
		files, err = tx.FindOutputs(order.Fence)
		return err
	})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(files, func(f OutputFile) bool { return f.Path == "predictions.jsonl" })
	if i < 0 {
		return fault.New(fault.NotFound, "Attempt %d left no predictions.jsonl.", order.Fence)
	}
	if files[i].Size == 0 {
		return nil // everything was labeled before the job began
	}
	body, err := s.Files.Open(ctx, files[i].Digest)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	return fault.Wrap(s.Predicted(ctx, job, readPredictions(body)), "take predictions")
}

// readPredictions reads predictions.jsonl of the job contract.
func readPredictions(body io.Reader) iter.Seq2[compare.Prediction, error] {
	return func(yield func(compare.Prediction, error) bool) {
		dec := json.NewDecoder(bufio.NewReaderSize(body, 1<<16))
		for {
			var line struct {
				Item  string             `json:"item"`
				Label string             `json:"label"`
				Score *float64           `json:"score"`
				Proba map[string]float64 `json:"proba"`
			}
			err := dec.Decode(&line)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(compare.Prediction{}, fault.As(fault.Invalid, err, "predictions.jsonl cannot be read"))
				return
			}
			p := compare.Prediction{Key: line.Item, Class: line.Label, Score: compare.NoScore, Runner: compare.NoScore}
			if line.Score != nil {
				p.Score = *line.Score
			}
			if len(line.Proba) > 0 {
				p.Runner = 0
				for class, v := range line.Proba {
					if class != line.Label {
						p.Runner = max(p.Runner, v)
					}
				}
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}
