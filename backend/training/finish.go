package training

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/review"
)

// The kinds of follow-up work of this room.
const (
	WorkFollow      = "training.follow"      // predict with a new model
	WorkPredictions = "training.predictions" // bring in the answers of a predict job
)

// Finish ends an attempt on the word of its runner. Job, run, model and draft
// candidate change in one transaction. The files that count are those that were
// brought in, not those that the runner lists.
func (s *Service) Finish(ctx context.Context, fence int64, f Finish) error {
	modelID, candidateID := compare.ModelID(s.NewID()), review.CandidateID(s.NewID())
	var over ending
	err := s.Update(ctx, func(tx Tx) error {
		a, j, err := live(tx, fence)
		if err != nil {
			return err
		}
		f := f
		if f.Outputs, err = tx.FindOutputs(fence); err != nil {
			return err
		}
		recipe, err := s.Recipes.Get(j.Recipe)
		if err != nil {
			return err
		}
		outcome := Judge(recipe.step(j.Kind), f)
		a.ExitCode, a.Signal, a.Environment = f.ExitCode, f.Signal, f.Environment
		a.LogWhole = f.LogBytes == a.LogBytes && f.LogCRC32 == a.LogCRC32
		if !f.StartedAt.IsZero() && !f.EndedAt.IsZero() {
			a.CollectingAt = a.BeatAt
			if a.StartedAt.IsZero() {
				a.StartedAt = a.BeatAt // it was over before its first heartbeat
			}
		}
		if outcome.State == Succeeded {
			outcome, err = s.results(tx, &j, a, f, modelID, candidateID)
			if err != nil {
				return err
			}
		}
		over, err = s.end(tx, j, a, outcome, f.Result)
		return err
	})
	if err == nil {
		s.ended(over)
		s.grew(over.job)
		s.Wake()
	}
	return err
}

// results turns the files of a successful attempt into what they are.
func (s *Service) results(tx Tx, j *Job, a Attempt, f Finish, modelID compare.ModelID, candidateID review.CandidateID) (Outcome, error) {
	ok := Outcome{State: Succeeded}
	if j.Kind == KindPredict {
		return ok, tx.Enqueue(work.Order{Kind: WorkPredictions, Key: string(j.ID), Payload: predictionsOrder{j.ID, a.Fence}})
	}
	var files []compare.File
	var tree []ledger.TreeFile
	for _, o := range f.Outputs {
		if name, in := strings.CutPrefix(o.Path, "model/"); in && !slices.Contains([]string{".gitattributes", ".gitignore"}, name) &&
			!strings.HasPrefix(name, ".git/") && !strings.HasPrefix(name, ".github/") {
			files = append(files, compare.File{Path: name, Size: o.Size, Digest: o.Digest})
			tree = append(tree, ledger.TreeFile{Path: name, Size: o.Size, Digest: o.Digest})
		}
	}
	root, err := ledger.TreeRoot(tree)
	if err != nil {
		return Outcome{Failed, ReasonMissingOutput, fault.Say("The trainer ended well but left no file under output/model.")}, nil //nolint:nilerr // it is the outcome
	}
	points, err := tx.FindPoints(j.Run)
	if err != nil {
		return ok, err
	}
	actor := ledger.System()
	person := j.CreatedBy
	model, err := compare.Register(tx, actor, compare.Model{
		ID: modelID, Project: j.Project, Name: j.ModelName, Digest: root, Files: files, Run: j.Run, Snapshot: j.Snapshot, Params: j.Params,
		Metrics: LastMetrics(points), Environment: environmentOf(f), TrainedBy: person, CreatedBy: person, CreatedAt: tx.Now(),
	})
	if err != nil {
		return ok, err
	}
	j.Model = model.ID
	candidate, err := tx.CreateCandidate(review.Draft(candidateID, model, review.Production, tx.Now()))
	if err != nil {
		return ok, fault.Wrap(err, "create draft candidate")
	}
	if err := tx.Record(ledger.Entry{Actor: actor, Project: j.Project, Kind: "candidate.created",
		Subject: ledger.Subject{Kind: "candidate", ID: string(candidate.ID)}, Payload: candidate.Terms()}); err != nil {
		return ok, err
	}
	return ok, tx.Enqueue(work.Order{Kind: WorkFollow, Key: string(model.ID), Payload: followOrder{j.ID}})
}

// environmentOf keeps what the runner reports if it is an object.
func environmentOf(f Finish) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(f.Environment, &object) != nil {
		return nil
	}
	return f.Environment
}

// LastMetrics returns the last value of every metric, named "split/name" where
// it has a split.
func LastMetrics(points []compare.Point) []compare.Metric {
	last := map[string]compare.Point{}
	for _, p := range points {
		name := p.Name
		if p.Split != "" {
			name = p.Split + "/" + p.Name
		}
		if have, ok := last[name]; !ok || p.Step >= have.Step {
			last[name] = p
		}
	}
	metrics := make([]compare.Metric, 0, len(last))
	for _, name := range sortedKeys(last) {
		metrics = append(metrics, compare.Metric{Name: name, Value: last[name].Value})
	}
	return metrics
}

// ending is an attempt that was closed, with its job.
type ending struct {
	job     Job
	attempt Attempt
}

// end closes an attempt and decides about its job: over, or queued again.
func (s *Service) end(tx Tx, j Job, a Attempt, o Outcome, result json.RawMessage) (ending, error) {
	now := tx.Now()
	a.State, a.Phase, a.Reason, a.Message, a.EndedAt = o.State, PhaseDone, o.Reason, o.Message, now
	if err := tx.UpdateAttempt(a); err != nil {
		return ending{}, err
	}
	cancelled := !j.StopAt.IsZero()
	pause, again := o.Again(j.Attempts, j.MaxAttempts, cancelled)
	switch {
	case again:
		j.State, j.NotBefore = Queued, now.Add(pause)
		j.Reason, j.Message = o.Reason, fault.Say("%s Trying again %s.", o.Message, inWords(pause))
	case cancelled && o.State != Succeeded:
		j.State, j.Reason, j.Message, j.EndedAt = Cancelled, ReasonStopped, fault.Say("Stopped on request."), now
	default:
		j.State, j.Reason, j.Message, j.EndedAt = o.State, o.Reason, o.Message, now
	}
	err := saveJob(tx, j, func(r *compare.Run) {
		if r.StartedAt.IsZero() {
			r.StartedAt = a.StartedAt
		}
		if m, ok := primaryOf(result); ok {
			r.Primary = m
		}
	})
	if err != nil {
		return ending{}, err
	}
	return ending{j, a}, record(tx, ledger.System(), j, string(j.State), map[string]any{"fence": a.Fence, "attempt": a.Number, "outcome": o.State,
		"reason": o.Reason, "exit_code": a.ExitCode, "model": j.Model, "log_bytes": a.LogBytes, "log_crc32": a.LogCRC32, "environment": rawOrNil(a.Environment)})
}

func rawOrNil(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return raw
}

// inWords says when a pause ends.
func inWords(pause time.Duration) string {
	switch {
	case pause <= 0:
		return fault.Say("now")
	case pause < time.Minute:
		return fault.Say("in %d seconds", int(pause.Seconds()))
	case pause < 2*time.Minute:
		return fault.Say("in a minute")
	}
	return fault.Say("in %d minutes", int(pause.Minutes()))
}

// primaryOf reads the metric that result.json calls the primary one.
func primaryOf(result json.RawMessage) (compare.Metric, bool) {
	var r struct {
		Primary *struct {
			Name  string  `json:"name"`
			Value float64 `json:"value"`
		} `json:"primary_metric"`
	}
	if json.Unmarshal(result, &r) != nil || r.Primary == nil || r.Primary.Name == "" || len(r.Primary.Name) > 100 {
		return compare.Metric{}, false
	}
	return compare.Metric{Name: r.Primary.Name, Value: r.Primary.Value}, true
}
