package training

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// SubmitRequest asks for a training.
type SubmitRequest struct {
	Project  ledger.ProjectID
	Recipe   string
	Snapshot labeling.SnapshotID
	Params   map[string]json.RawMessage // over the recipe's defaults
	Seed     uint64                     // 1 if zero
	Name     string                     // of the model; the recipe's name if empty
	Engine   string                     // the default if empty
	Key      string                     // idempotency key: the same again returns the first job
}

// Submitted is a job on its way, with its run.
type Submitted struct {
	Job Job
	Run compare.Run
	// Known means that nothing new was started: the key was used before, or the
	// very same training is still on its way.
	Known bool
}

// Submit queues a training. It returns Invalid, with every wrong field, for
// parameters that the recipe does not take, and Unmet for a snapshot that
// cannot be trained on.
func (s *Service) Submit(ctx context.Context, actor ledger.Actor, req SubmitRequest) (Submitted, error) {
	if err := actor.Must(req.Project, ledger.ActionTrain); err != nil {
		return Submitted{}, err
	}
	recipe, err := s.Recipes.Get(req.Recipe)
	if err != nil {
		return Submitted{}, fault.As(fault.Invalid, err, "%s", fault.Message(err))
	}
	params, err := recipe.Params.Complete(req.Params)
	if err != nil {
		return Submitted{}, err
	}
	engine, err := s.engine(req.Engine)
	if err != nil {
		return Submitted{}, err
	}
	if len(req.Key) > 200 {
		return Submitted{}, fault.Field("key", "An idempotency key has at most 200 bytes.")
	}
	job := Job{
		ID: JobID(s.NewID()), Project: req.Project, Kind: KindTrain, Run: compare.RunID(s.NewID()), Recipe: recipe.Name, RecipeVersion: recipe.Version,
		Params: params, Seed: max(req.Seed, 1), ModelName: strings.TrimSpace(req.Name), Snapshot: req.Snapshot, Key: req.Key, Engine: engine.Name(),
		State: Queued, MaxAttempts: recipe.Attempts(), CreatedBy: actor.Person, Cause: s.cause(ctx),
	}
	if job.ModelName == "" {
		job.ModelName = recipe.Name
	}
	job.SpecHash = specOf(job)
	if err := (compare.Model{Name: job.ModelName}).Validate(); err != nil {
		return Submitted{}, err
	}
	var out Submitted
	err = s.Update(ctx, func(tx Tx) error {
		out = Submitted{}
		if known, found, err := same(tx, job); err != nil || found {
			if err == nil {
				out, err = withRun(tx, known)
			}
			out.Known = true
			return err
		}
		snapshot, err := tx.Snapshot(req.Snapshot)
		if fault.Is(err, fault.NotFound) || err == nil && snapshot.Project != req.Project {
			return fault.Field("snapshot", "There is no such snapshot in this project. Choose one from the list.")
		}
		if err != nil {
			return fault.Wrap(err, "find snapshot")
		}
		if err := Trainable(snapshot); err != nil {
			return err
		}
		job := job
		job.CreatedAt = tx.Now()
		run, err := tx.CreateRun(compare.Run{
			ID: job.Run, Project: job.Project, Kind: compare.RunTraining, Name: job.ModelName, Recipe: job.Recipe, Snapshot: job.Snapshot,
			Params: job.Params, State: compare.RunQueued, CreatedAt: job.CreatedAt, By: actor.Person,
		})
		if err != nil {
			return fault.Wrap(err, "create run")
		}
		if err := tx.CreateJob(job); err != nil {
			return err
		}
		out = Submitted{Job: job, Run: run}
		return record(tx, actor, job, "queued", map[string]any{"number": run.Number, "recipe": job.Recipe, "version": job.RecipeVersion,
			"snapshot": snapshot.Digest, "params": job.Params, "seed": job.Seed, "spec": job.SpecHash})
	})
	if err == nil {
		s.Wake()
	}
	return out, err
}

// same finds a job with the same key, or one with the same spec that is still
// on its way: training the very same thing twice at once helps nobody.
func same(tx Jobs, j Job) (Job, bool, error) {
	if j.Key != "" {
		found, err := tx.FindJobs(JobFilter{Project: j.Project, Key: j.Key, Limit: 1})
		if err != nil || len(found) > 0 {
			if err == nil && found[0].SpecHash != j.SpecHash {
				return Job{}, false, fault.New(fault.Conflict, "The idempotency key %q was used for another training. Use a new key.", j.Key)
			}
			return first(found), len(found) > 0, err
		}
	}
	found, err := tx.FindJobs(JobFilter{Project: j.Project, SpecHash: j.SpecHash, States: []State{Queued, Starting, Running}, Limit: 1})
	return first(found), len(found) > 0, err
}

func first(jobs []Job) Job {
	if len(jobs) == 0 {
		return Job{}
	}
	return jobs[0]
}

func withRun(tx Tx, j Job) (Submitted, error) {
	run, err := tx.GetRun(j.Project, j.Run)
	return Submitted{Job: j, Run: run}, err
}

// Trainable returns why a snapshot cannot be trained on, or nil.
func Trainable(s labeling.Snapshot) error {
	labeled := slices.DeleteFunc(slices.Clone(s.Classes), func(c labeling.ClassCount) bool { return c.Items == 0 })
	switch {
	case s.State == labeling.SnapshotBuilding:
		return fault.New(fault.Unmet, "%s is still being made. Try again when it is ready.", s.Title()).At("snapshot")
	case s.State != labeling.SnapshotReady:
		return fault.New(fault.Unmet, "%s could not be made, so there is nothing to train on. Make a new one.", s.Title()).At("snapshot")
	case !s.Purpose.Trains():
		return fault.New(fault.Unmet, "%s holds evaluation items. A model that has seen them cannot be judged on them: choose a snapshot of training items.", s.Title()).At("snapshot")
	case len(labeled) < 2:
		return fault.New(fault.Unmet, "%s has answers of fewer than two classes, so there is nothing to tell apart. Label more items and make a new snapshot.", s.Title()).At("snapshot")
	}
	return nil
}

// Stop asks a job to end. A queued job ends at once; a running one is told
// politely and ended after its grace. Stopping what has ended changes nothing.
func (s *Service) Stop(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, id JobID) (Job, error) {
	if err := actor.Must(project, ledger.ActionTrain); err != nil {
		return Job{}, err
	}
	var job Job
	var running *Attempt
	err := s.Update(ctx, func(tx Tx) (err error) {
		running = nil
		if job, err = getJob(tx, project, id); err != nil {
			return err
		}
		now := tx.Now()
		switch {
		case job.State.Over() || !job.StopAt.IsZero():
			return nil
		case job.State == Queued:
			job.State, job.Reason, job.Message, job.StopAt, job.EndedAt = Cancelled, ReasonStopped, fault.Say("Stopped on request before it began."), now, now
		default:
			attempt, err := tx.GetAttempt(job.Fence)
			if err != nil {
				return err
			}
			attempt.State, job.State, job.StopAt, running = Stopping, Stopping, now, &attempt
			if err := tx.UpdateAttempt(attempt); err != nil {
				return err
			}
		}
		if err := saveJob(tx, job, nil); err != nil {
			return err
		}
		return record(tx, actor, job, string(job.State), nil)
	})
	if err == nil && running != nil {
		s.tellStop(ctx, job, *running)
	}
	return job, err
}

// tellStop passes a stop on through the engine; the next heartbeat would too.
func (s *Service) tellStop(ctx context.Context, j Job, a Attempt) {
	engine, err := s.engine(a.Engine)
	if err == nil {
		err = engine.Stop(ctx, Handle{a.Fence, a.ExtID}, s.stopOf(j))
	}
	if err != nil {
		s.Log.Warn("stop an attempt; its next heartbeat will tell it", "fence", a.Fence, "error", err)
	}
}

func (s *Service) stopOf(j Job) Stop {
	grace := 60
	if recipe, err := s.Recipes.Get(j.Recipe); err == nil {
		grace = int(recipe.GraceTime().Seconds())
	}
	return Stop{Reason: StopCancel, GraceS: grace}
}

// getJob returns a job of a project.
func getJob(tx Jobs, project ledger.ProjectID, id JobID) (Job, error) {
	j, err := tx.GetJob(id)
	if fault.Is(err, fault.NotFound) || err == nil && j.Project != project {
		return Job{}, fault.New(fault.NotFound, "There is no such job in this project.")
	}
	return j, err
}
