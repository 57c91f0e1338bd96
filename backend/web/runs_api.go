package web

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/compare"
)

// RecipeBody is a recipe as the API shows it.
type RecipeBody struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Params      json.RawMessage `json:"params" doc:"JSON Schema of the parameters"`
	Command     []string        `json:"command" nullable:"false"`
	Outputs     []string        `json:"outputs" nullable:"false" doc:"What a training must leave to count as done"`
	Predicts    bool            `json:"predicts" doc:"Whether its models can answer for themselves"`
}

// RunBody is a run as the API shows it.
type RunBody struct {
	ID        string          `json:"id"`
	Number    int             `json:"number"`
	Name      string          `json:"name"`
	Kind      string          `json:"kind"`
	State     string          `json:"state" enum:"queued,starting,running,stopping,succeeded,failed,cancelled,preempted,lost"`
	Phase     string          `json:"phase,omitempty" doc:"How far a running attempt is"`
	Reason    string          `json:"reason,omitempty" doc:"Why it ended so, for people"`
	Over      bool            `json:"over" doc:"Nothing more will happen"`
	Recipe    string          `json:"recipe,omitempty"`
	Snapshot  string          `json:"snapshot,omitempty" doc:"Id of the snapshot"`
	Params    json.RawMessage `json:"params,omitempty"`
	Seed      uint64          `json:"seed,omitempty"`
	Job       string          `json:"job,omitempty"`
	Attempts  int             `json:"attempts"`
	Fence     int64           `json:"fence,omitempty" doc:"Of the newest attempt"`
	Primary   *compare.Metric `json:"primary,omitempty"`
	Model     string          `json:"model,omitempty" doc:"name@version"`
	ModelID   string          `json:"model_id,omitempty"`
	Digest    string          `json:"digest,omitempty" doc:"Of the model directory"`
	Candidate int             `json:"candidate,omitempty" doc:"Number of the draft candidate"`
	Known     bool            `json:"known,omitempty" doc:"Nothing new was started: the same training is on its way already"`
	CreatedAt time.Time       `json:"created_at"`
	StartedAt *time.Time      `json:"started_at,omitempty"`
	EndedAt   *time.Time      `json:"ended_at,omitempty"`
	CreatedBy string          `json:"created_by" doc:"Id of the person"`
}

// TrainBody asks for a training.
type TrainBody struct {
	Recipe   string                     `json:"recipe" minLength:"1"`
	Snapshot string                     `json:"snapshot" minLength:"1" doc:"Number, name, id or digest"`
	Params   map[string]json.RawMessage `json:"params,omitempty" doc:"Over the recipe's defaults; a text is read by the type of its parameter"`
	Seed     uint64                     `json:"seed,omitempty"`
	Name     string                     `json:"name,omitempty" doc:"Name of the model; the recipe's if empty"`
	Engine   string                     `json:"engine,omitempty"`
	Key      string                     `json:"key,omitempty" doc:"Idempotency key: the same again returns the first run"`
}

// InRun is the input of operations on one run.
type InRun struct {
	InProject
	Number int `path:"number" minimum:"1" doc:"Number of the run"`
}

func recipeBody(r training.Recipe) (RecipeBody, error) {
	params, err := json.Marshal(r.Params)
	return RecipeBody{ID: r.Name, Name: r.Name, Version: r.Version, Title: r.Title, Description: r.Description, Params: params,
		Command: r.Train.Command, Outputs: r.Train.Outputs, Predicts: len(r.Predict.Command) > 0}, err
}

func runBody(row training.RunRow) RunBody {
	b := RunBody{
		ID: string(row.Run.ID), Number: row.Run.Number, Name: row.Run.Name, Kind: string(row.Run.Kind), State: string(row.Run.State), Reason: row.Run.Reason,
		Over: row.Run.State.Ended() || row.Job.State.Over(), Recipe: row.Run.Recipe, Snapshot: string(row.Run.Snapshot), Params: row.Run.Params, Seed: row.Job.Seed, Job: string(row.Job.ID),
		Attempts: row.Job.Attempts, Fence: row.Job.Fence, ModelID: string(row.Model.ID), Digest: string(row.Model.Digest),
		CreatedAt: row.Run.CreatedAt, CreatedBy: string(row.Run.By),
	}
	if row.Job.State.Active() {
		b.Phase = string(row.Attempt.Phase)
	}
	if row.Run.Primary.Name != "" {
		b.Primary = &row.Run.Primary
	}
	if row.Model.ID != "" {
		b.Model = row.Model.Title()
	}
	if !row.Run.StartedAt.IsZero() {
		b.StartedAt = &row.Run.StartedAt
	}
	if !row.Run.EndedAt.IsZero() {
		b.EndedAt = &row.Run.EndedAt
	}
	return b
}

func pageBody(p training.RunPage) RunBody {
	b := runBody(p.RunRow)
	b.Candidate = p.Candidate.Number
	return b
}

func (s *Server) runsAPI() {
	operation(s, api{GET, "/recipes", "list-recipes", "List recipes", either, ledger.ActionRead},
		func(context.Context, *struct{}) (*Answer[List[RecipeBody]], error) {
			list := List[RecipeBody]{Items: []RecipeBody{}}
			for _, r := range s.Training.Recipes {
				body, err := recipeBody(r)
				if err != nil {
					return nil, err
				}
				list.Items = append(list.Items, body)
			}
			return &Answer[List[RecipeBody]]{list}, nil
		})
	operation(s, api{GET, "/recipes/{recipe}", "get-recipe", "Show a recipe", either, ledger.ActionRead},
		func(_ context.Context, in *struct {
			Recipe string `path:"recipe" maxLength:"100"`
		}) (*Answer[RecipeBody], error) {
			r, err := s.Training.Recipes.Get(in.Recipe)
			if err != nil {
				return nil, err
			}
			body, err := recipeBody(r)
			return &Answer[RecipeBody]{body}, err
		})
	operation(s, api{POST, "/projects/{project}/runs", "train", "Train a model on a snapshot", either, ledger.ActionTrain},
		func(ctx context.Context, in *struct {
			InProject
			Body TrainBody
		}) (*Answer[RunBody], error) {
			made, err := s.train(ctx, in.Body)
			if err != nil {
				return nil, err
			}
			page, err := s.Training.Run(ctx, actorIn(ctx), projectIn(ctx).ID, made.Run.Number)
			if err != nil {
				return nil, err
			}
			body := pageBody(page)
			body.Known = made.Known
			return &Answer[RunBody]{body}, nil
		})
	operation(s, api{GET, "/projects/{project}/runs", "list-runs", "List runs, newest first", either, ledger.ActionRead},
		func(ctx context.Context, in *struct {
			InProject
			After int `query:"after" minimum:"0" doc:"Number of the last run of the page before"`
			Limit int `query:"limit" minimum:"1" maximum:"200" default:"50"`
		}) (*Answer[List[RunBody]], error) {
			rows, err := s.Training.Runs(ctx, actorIn(ctx), projectIn(ctx).ID, in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &Answer[List[RunBody]]{pageOf(rows, runBody, func(row training.RunRow) string { return strconv.Itoa(row.Run.Number) }, len(rows) == in.Limit)}, nil
		})
	operation(s, api{GET, "/projects/{project}/runs/{number}", "get-run", "Show a run", either, ledger.ActionRead},
		func(ctx context.Context, in *InRun) (*Answer[RunBody], error) {
			page, err := s.Training.Run(ctx, actorIn(ctx), projectIn(ctx).ID, in.Number)
			if err != nil {
				return nil, err
			}
			return &Answer[RunBody]{pageBody(page)}, nil
		})
	operation(s, api{POST, "/projects/{project}/runs/{number}/stop", "stop-run", "Stop a run", either, ledger.ActionTrain},
		func(ctx context.Context, in *InRun) (*Answer[RunBody], error) {
			if _, err := s.Training.StopRun(ctx, actorIn(ctx), projectIn(ctx).ID, in.Number); err != nil {
				return nil, err
			}
			page, err := s.Training.Run(ctx, actorIn(ctx), projectIn(ctx).ID, in.Number)
			if err != nil {
				return nil, err
			}
			return &Answer[RunBody]{pageBody(page)}, nil
		})
	operation(s, api{GET, "/projects/{project}/runs/{number}/metrics", "list-points", "List the metrics of a run over time", either, ledger.ActionRead},
		func(ctx context.Context, in *InRun) (*Answer[MetricsBody], error) {
			points, over, err := s.Training.Points(ctx, actorIn(ctx), projectIn(ctx).ID, in.Number)
			if err != nil {
				return nil, err
			}
			if points == nil {
				points = []compare.Point{}
			}
			return &Answer[MetricsBody]{MetricsBody{Items: points, Over: over}}, nil
		})
}

// MetricsBody is the metrics of a run.
type MetricsBody struct {
	Items []compare.Point `json:"items" nullable:"false"`
	Over  bool            `json:"over" doc:"No more will come"`
}

// train submits a training for the person behind the request; the snapshot
// comes as people name it.
func (s *Server) train(ctx context.Context, b TrainBody) (training.Submitted, error) {
	snapshot, err := s.Labeling.Snapshot(ctx, actorIn(ctx), projectIn(ctx).ID, b.Snapshot)
	if fault.Is(err, fault.NotFound) {
		return training.Submitted{}, fault.Field("snapshot", "There is no snapshot %q in this project. List them with `adjudge snapshot list`.", b.Snapshot)
	}
	if err != nil {
		return training.Submitted{}, err
	}
	params := b.Params
	if recipe, err := s.Training.Recipes.Get(b.Recipe); err == nil {
		// A text stands for a value of whatever type the parameter has.
		texts := map[string]string{}
		for name, raw := range b.Params {
			var text string
			if json.Unmarshal(raw, &text) == nil {
				texts[name] = text
			}
		}
		read := recipe.Params.Read(texts)
		for name, raw := range b.Params {
			if _, text := texts[name]; !text {
				read[name] = raw
			}
		}
		params = read
	}
	return s.Training.Submit(ctx, actorIn(ctx), training.SubmitRequest{
		Project: projectIn(ctx).ID, Recipe: b.Recipe, Snapshot: snapshot.ID, Params: params, Seed: b.Seed, Name: b.Name, Engine: b.Engine, Key: b.Key})
}
