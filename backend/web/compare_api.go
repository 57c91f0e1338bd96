package web

import (
	"context"
	"encoding/json"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// ModelBody is a model as the API shows it.
type ModelBody struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Version     int              `json:"version"`
	Title       string           `json:"title" doc:"name@version, as commands take it"`
	Digest      ledger.Digest    `json:"digest,omitempty" doc:"Of the model directory; absent when nobody gave it"`
	Files       []compare.File   `json:"files" nullable:"false"`
	Run         string           `json:"run,omitempty"`
	Snapshot    string           `json:"snapshot,omitempty" doc:"What it was trained on"`
	Params      json.RawMessage  `json:"params"`
	Metrics     []compare.Metric `json:"metrics" nullable:"false"`
	Environment json.RawMessage  `json:"environment"`
	TrainedBy   ledger.PersonID  `json:"trained_by,omitempty"`
	CreatedBy   ledger.PersonID  `json:"created_by"`
	CreatedAt   time.Time        `json:"created_at"`
}

func modelBody(m compare.Model) ModelBody {
	return ModelBody{
		ID: string(m.ID), Name: m.Name, Version: m.Version, Title: m.Title(), Digest: m.Digest, Files: listed(m.Files), Run: string(m.Run), Snapshot: string(m.Snapshot),
		Params: m.Params, Metrics: listed(m.Metrics), Environment: m.Environment, TrainedBy: m.TrainedBy, CreatedBy: m.CreatedBy, CreatedAt: m.CreatedAt,
	}
}

// PredictionSetBody is a prediction set as the API shows it.
type PredictionSetBody struct {
	ID         string                   `json:"id"`
	Model      string                   `json:"model"`
	Snapshot   string                   `json:"snapshot,omitempty"`
	Dataset    string                   `json:"dataset,omitempty"`
	State      string                   `json:"state" enum:"waiting,ready,failed"`
	Digest     ledger.Digest            `json:"digest,omitempty"`
	KeysDigest ledger.Digest            `json:"keys_digest,omitempty"`
	Rows       int                      `json:"rows"`
	Report     compare.PredictionReport `json:"report"`
	Version    int                      `json:"version" doc:"Counts the sets of the model on this snapshot or dataset; none replaces another"`
	Origin     compare.Origin           `json:"origin" enum:"computed,uploaded" doc:"By a job of this server, or by a person"`
	Job        string                   `json:"job,omitempty"`
	Attempt    int64                    `json:"attempt,omitempty"`
	CreatedBy  ledger.PersonID          `json:"created_by"`
	Withdrawn  *WithdrawnBody           `json:"withdrawn,omitempty" doc:"By whom it was taken out of what stands"`
	CreatedAt  time.Time                `json:"created_at"`
}

// WithdrawnBody says who withdrew a set of answers, when and why.
type WithdrawnBody struct {
	By     ledger.PersonID `json:"by"`
	At     time.Time       `json:"at"`
	Reason string          `json:"reason"`
}

func predictionSetBody(p compare.PredictionSet) PredictionSetBody {
	var withdrawn *WithdrawnBody
	if !p.Withdrawn.None() {
		withdrawn = &WithdrawnBody{By: p.Withdrawn.By, At: p.Withdrawn.At, Reason: p.Withdrawn.Reason}
	}
	return PredictionSetBody{
		ID: string(p.ID), Model: string(p.Model), Snapshot: string(p.Snapshot), Dataset: string(p.Dataset), State: string(p.State),
		Digest: p.Digest, KeysDigest: p.KeysDigest, Rows: p.Rows, Report: p.Report, Version: p.Version, Origin: p.Origin,
		Job: p.Job, Attempt: p.Attempt, CreatedBy: p.CreatedBy, CreatedAt: p.CreatedAt, Withdrawn: withdrawn,
	}
}

// ComparisonBody is a comparison as the API shows it: the document under its
// digest.
type ComparisonBody struct {
	ID         ledger.Digest      `json:"id" doc:"The digest of the document, which votes and attestations name"`
	Baseline   string             `json:"baseline"`
	Candidate  string             `json:"candidate"`
	Snapshot   string             `json:"snapshot"`
	CreatedAt  time.Time          `json:"created_at"`
	Comparison compare.Comparison `json:"comparison"`
	Answers    AnswersBody        `json:"answers" doc:"Where the answers of both models come from"`
}

// AnswersBody says where the answers of two models come from.
type AnswersBody struct {
	Baseline  []compare.Source `json:"baseline" nullable:"false"`
	Candidate []compare.Source `json:"candidate" nullable:"false"`
	Others    int              `json:"others" doc:"Sets of answers on the snapshot that are not read"`
}

func comparisonBody(c compare.Compared) ComparisonBody {
	return ComparisonBody{
		ID: c.Record.Digest, Baseline: string(c.Record.Baseline), Candidate: string(c.Record.Candidate), Snapshot: string(c.Record.Snapshot),
		CreatedAt: c.Record.CreatedAt, Comparison: c.Comparison,
		Answers: AnswersBody{Baseline: listed(c.Sources[0]), Candidate: listed(c.Sources[1]), Others: c.Others},
	}
}

// ComparisonLine is a comparison in a list.
type ComparisonLine struct {
	ID         ledger.Digest    `json:"id"`
	Baseline   string           `json:"baseline" doc:"name@version"`
	Candidate  string           `json:"candidate" doc:"name@version"`
	Snapshot   string           `json:"snapshot"`
	Items      int              `json:"items"`
	Verdict    compare.Verdict  `json:"verdict" enum:"gain,loss,undecided"`
	Difference compare.Estimate `json:"difference"`
	P          compare.Number   `json:"p"`
	CreatedAt  time.Time        `json:"created_at"`
}

// EvaluationBody is an evaluation as the API shows it.
type EvaluationBody struct {
	ID         ledger.Digest      `json:"id" doc:"The digest of the document"`
	Model      string             `json:"model"`
	Snapshot   string             `json:"snapshot"`
	CreatedAt  time.Time          `json:"created_at"`
	Evaluation compare.Evaluation `json:"evaluation"`
}

// ComparedItemBody is one item of a comparison.
type ComparedItemBody struct {
	Key       string `json:"key"`
	Item      string `json:"item,omitempty"`
	Text      string `json:"text,omitempty"`
	Truncated bool   `json:"truncated,omitempty" doc:"The text is only the beginning; the item has the whole of it"`
	Class     string `json:"class" doc:"The accepted answer"`
	Baseline  string `json:"baseline"`
	Candidate string `json:"candidate"`
	Outcome   string `json:"outcome" enum:"lost,won,both-differ,both-wrong,both-right"`
}

// compareAPI registers models, prediction sets, evaluations and comparisons.
func (s *Server) compareAPI() {
	operation(s, api{GET, "/projects/{project}/models", "list-models", "List models, newest first", either, ledger.ActionRead},
		func(ctx context.Context, in *struct {
			InProject
			Name  string `query:"name" doc:"Only versions of this name"`
			After string `query:"after" doc:"Where the page before ended"`
			Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
		}) (*Answer[List[ModelBody]], error) {
			models, err := s.Compare.Models(ctx, actorIn(ctx), compare.ModelFilter{
				Project: projectIn(ctx).ID, Name: in.Name, Before: compare.ModelID(in.After), Limit: in.Limit + 1,
			})
			if err != nil {
				return nil, err
			}
			more := len(models) > in.Limit
			models = models[:min(in.Limit, len(models))]
			return &Answer[List[ModelBody]]{pageOf(models, modelBody, func(m compare.Model) string { return string(m.ID) }, more)}, nil
		})
	operation(s, api{GET, "/projects/{project}/models/{model}", "get-model", "Get a model by id, name, name@version or digest", either, ledger.ActionRead},
		func(ctx context.Context, in *struct {
			InProject
			Model string `path:"model" maxLength:"300"`
		}) (*Answer[ModelBody], error) {
			m, err := s.Compare.Model(ctx, actorIn(ctx), projectIn(ctx).ID, in.Model)
			return &Answer[ModelBody]{Body: modelBody(m)}, err
		})
	operation(s, api{GET, "/projects/{project}/predictions/{set}", "get-predictions", "Get a prediction set with the report of reading it", either, ledger.ActionRead},
		func(ctx context.Context, in *struct {
			InProject
			Set string `path:"set" maxLength:"100"`
		}) (*Answer[PredictionSetBody], error) {
			set, err := s.Compare.PredictionSet(ctx, actorIn(ctx), projectIn(ctx).ID, compare.PredictionSetID(in.Set))
			return &Answer[PredictionSetBody]{Body: predictionSetBody(set)}, err
		})
	operation(s, api{POST, "/projects/{project}/predictions/{set}/withdrawal", "withdraw-predictions", "Take a wrong upload of answers out of what stands", there, ledger.ActionManage},
		func(ctx context.Context, in *struct {
			InProject
			Set  string `path:"set" maxLength:"100"`
			Body struct {
				Reason string `json:"reason" maxLength:"4000" doc:"Why; it stands in the history"`
			}
		}) (*Answer[PredictionSetBody], error) {
			set, err := s.Compare.WithdrawPredictions(ctx, actorIn(ctx), projectIn(ctx).ID, compare.PredictionSetID(in.Set), in.Body.Reason)
			return &Answer[PredictionSetBody]{Body: predictionSetBody(set)}, err
		})
	operation(s, api{POST, "/projects/{project}/evaluations", "evaluate-model", "Measure a model on a snapshot", either, ledger.ActionCompare},
		func(ctx context.Context, in *struct {
			InProject
			Body struct {
				Model    string `json:"model" maxLength:"300"`
				Snapshot string `json:"snapshot" maxLength:"300"`
			}
		}) (*Answer[EvaluationBody], error) {
			snapshot, err := s.Labeling.Snapshot(ctx, actorIn(ctx), projectIn(ctx).ID, in.Body.Snapshot)
			if err != nil {
				return nil, err
			}
			e, err := s.Compare.Evaluate(ctx, actorIn(ctx), projectIn(ctx).ID, in.Body.Model, snapshot.ID)
			return &Answer[EvaluationBody]{Body: EvaluationBody{
				ID: e.Record.Digest, Model: string(e.Record.Model), Snapshot: string(e.Record.Snapshot), CreatedAt: e.Record.CreatedAt, Evaluation: e.Evaluation,
			}}, err
		})
	s.comparisonAPI()
}

func (s *Server) comparisonAPI() {
	operation(s, api{POST, "/projects/{project}/comparisons", "compare-models", "Compare two models on a snapshot", either, ledger.ActionCompare},
		func(ctx context.Context, in *struct {
			InProject
			Body struct {
				Baseline  string `json:"baseline" maxLength:"300" doc:"A model: id, name, name@version or digest"`
				Candidate string `json:"candidate" maxLength:"300"`
				Snapshot  string `json:"snapshot" maxLength:"300" doc:"A snapshot: id, number, name or digest"`
			}
		}) (*Answer[ComparisonBody], error) {
			snapshot, err := s.Labeling.Snapshot(ctx, actorIn(ctx), projectIn(ctx).ID, in.Body.Snapshot)
			if err != nil {
				return nil, err
			}
			c, err := s.Compare.Compare(ctx, actorIn(ctx), compare.CompareRequest{
				Project: projectIn(ctx).ID, Baseline: in.Body.Baseline, Candidate: in.Body.Candidate, Snapshot: snapshot.ID,
			})
			return &Answer[ComparisonBody]{Body: comparisonBody(c)}, err
		})
	operation(s, api{GET, "/projects/{project}/comparisons", "list-comparisons", "List comparisons, newest first", either, ledger.ActionRead},
		func(ctx context.Context, _ *struct{ InProject }) (*Answer[List[ComparisonLine]], error) {
			rows, err := s.Compare.Comparisons(ctx, actorIn(ctx), compare.ComparisonFilter{Project: projectIn(ctx).ID, Limit: 500})
			out := &Answer[List[ComparisonLine]]{Body: List[ComparisonLine]{Items: []ComparisonLine{}}}
			for _, row := range rows {
				r := row.Record
				out.Body.Items = append(out.Body.Items, ComparisonLine{
					ID: r.Digest, Baseline: row.Baseline.Title(), Candidate: row.Candidate.Title(), Snapshot: row.Snapshot, Items: r.Items,
					Verdict: r.Verdict, Difference: r.Difference, P: r.P, CreatedAt: r.CreatedAt,
				})
			}
			return out, err
		})
	operation(s, api{GET, "/projects/{project}/comparisons/{digest}", "get-comparison", "Get a comparison by the digest of its document", either, ledger.ActionRead},
		func(ctx context.Context, in *struct {
			InProject
			Digest string `path:"digest" maxLength:"80"`
		}) (*Answer[ComparisonBody], error) {
			digest, err := digestOf(in.Digest)
			if err != nil {
				return nil, err
			}
			c, err := s.Compare.Comparison(ctx, actorIn(ctx), projectIn(ctx).ID, digest)
			return &Answer[ComparisonBody]{Body: comparisonBody(c)}, err
		})
	operation(s, api{GET, "/projects/{project}/comparisons/{digest}/items", "list-compared-items", "List the items of a comparison, disagreements first", either, ledger.ActionRead},
		func(ctx context.Context, in *struct {
			InProject
			Digest    string   `path:"digest" maxLength:"80"`
			Outcome   []string `query:"outcome,explode" doc:"lost, won, wrong, both-differ, both-wrong, both-right"`
			Class     string   `query:"class" doc:"The accepted answer"`
			Answer    string   `query:"answer" doc:"What at least one of the models said"`
			Baseline  string   `query:"baseline" doc:"What the baseline said"`
			Candidate string   `query:"candidate" doc:"What the candidate said"`
			After     string   `query:"after" doc:"Where the page before ended"`
			Limit     int      `query:"limit" minimum:"1" maximum:"500" default:"50"`
		}) (*Answer[List[ComparedItemBody]], error) {
			digest, err := digestOf(in.Digest)
			if err != nil {
				return nil, err
			}
			list, err := s.Compare.ComparedItems(ctx, actorIn(ctx), projectIn(ctx).ID, digest, compare.ItemFilter{
				Outcomes: in.Outcome, Class: in.Class, Answer: in.Answer, Baseline: in.Baseline, Candidate: in.Candidate, After: in.After, Limit: in.Limit,
			})
			return &Answer[List[ComparedItemBody]]{pageOf(list.Rows, func(row compare.ItemRow) ComparedItemBody {
				return ComparedItemBody{Key: row.Key, Item: string(row.Item), Text: row.Text, Truncated: row.Cut, Class: row.Class,
					Baseline: row.Baseline, Candidate: row.Candidate, Outcome: row.Outcome.String()}
			}, func(row compare.ItemRow) string { return row.Cursor }, list.Next != "")}, err
		})
}
