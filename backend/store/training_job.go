package store

import (
	"encoding/json"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/training"
)

const jobColumns = `id, project, kind, run, recipe, recipe_version, params, seed, model_name, snapshot, model, dataset, unlabeled,
	spec_hash, key, engine, state, reason, message, fence, attempts, max_attempts, not_before, stop_at, created_by, created_at, ended_at, cause`

// CreateJob stores a job. It returns Conflict when its key is taken.
func (tx *Tx) CreateJob(j training.Job) error {
	_, err := tx.exec(`INSERT INTO training_job (`+jobColumns+`) VALUES
		($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)`,
		string(j.ID), string(j.Project), string(j.Kind), string(j.Run), j.Recipe, j.RecipeVersion, string(j.Params), int64(j.Seed), j.ModelName,
		string(j.Snapshot), string(j.Model), string(j.Dataset), j.Unlabeled, string(j.SpecHash), j.Key, j.Engine, string(j.State), string(j.Reason),
		j.Message, j.Fence, j.Attempts, j.MaxAttempts, micros(j.NotBefore), micros(j.StopAt), string(j.CreatedBy), micros(j.CreatedAt), micros(j.EndedAt), j.Cause)
	return fault.Wrap(err, "create job")
}

// GetJob returns a job.
func (tx *Tx) GetJob(id training.JobID) (training.Job, error) {
	var j training.Job
	err := scanJob(func(dest ...any) error {
		return tx.one(dest, `SELECT `+jobColumns+` FROM training_job WHERE id = $1`, string(id))
	}, &j)
	return j, fault.Wrap(err, "get job")
}

// UpdateJob replaces what can change of a job.
func (tx *Tx) UpdateJob(j training.Job) error {
	n, err := tx.exec(`UPDATE training_job SET model = $2, state = $3, reason = $4, message = $5, fence = $6, attempts = $7,
		not_before = $8, stop_at = $9, ended_at = $10 WHERE id = $1`,
		string(j.ID), string(j.Model), string(j.State), string(j.Reason), j.Message, j.Fence, j.Attempts, micros(j.NotBefore), micros(j.StopAt), micros(j.EndedAt))
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "There is no such job.")
	}
	return fault.Wrap(err, "update job")
}

// FindJobs lists jobs, newest first.
func (tx *Tx) FindJobs(f training.JobFilter) ([]training.Job, error) {
	states := make([]any, 9) // one place per state there is
	for i := range states {
		states[i] = ""
		if i < len(f.States) {
			states[i] = string(f.States[i])
		}
	}
	limit := f.Limit
	if limit == 0 {
		limit = 50
	}
	args := append([]any{string(f.Project), string(f.Run), string(f.SpecHash), f.Key, len(f.States), limit}, states...)
	var jobs []training.Job
	err := tx.each(`SELECT `+jobColumns+` FROM training_job
		WHERE (CAST($1 AS TEXT) = '' OR project = $1) AND (CAST($2 AS TEXT) = '' OR run = $2) AND (CAST($3 AS TEXT) = '' OR spec_hash = $3)
		AND (CAST($4 AS TEXT) = '' OR key = $4) AND (CAST($5 AS INTEGER) = 0 OR state IN ($7, $8, $9, $10, $11, $12, $13, $14, $15))
		ORDER BY id DESC LIMIT $6`, args, func(scan func(...any) error) error {
		var j training.Job
		if err := scanJob(scan, &j); err != nil {
			return err
		}
		jobs = append(jobs, j)
		return nil
	})
	return jobs, fault.Wrap(err, "find jobs")
}

// NextJob returns the oldest queued job of an engine that is due.
func (tx *Tx) NextJob(engine string, now time.Time) (training.Job, error) {
	var j training.Job
	err := scanJob(func(dest ...any) error {
		return tx.one(dest, `SELECT `+jobColumns+` FROM training_job WHERE state = 'queued' AND engine = $1 AND not_before <= $2
			ORDER BY id LIMIT 1`, engine, micros(now))
	}, &j)
	return j, err
}

func scanJob(scan func(...any) error, j *training.Job) error {
	var params string
	var seed, notBefore, stopAt, createdAt, endedAt int64
	err := scan(&j.ID, &j.Project, &j.Kind, &j.Run, &j.Recipe, &j.RecipeVersion, &params, &seed, &j.ModelName, &j.Snapshot, &j.Model, &j.Dataset,
		&j.Unlabeled, &j.SpecHash, &j.Key, &j.Engine, &j.State, &j.Reason, &j.Message, &j.Fence, &j.Attempts, &j.MaxAttempts, &notBefore, &stopAt,
		&j.CreatedBy, &createdAt, &endedAt, &j.Cause)
	j.Params, j.Seed = json.RawMessage(params), uint64(seed)
	j.NotBefore, j.StopAt, j.CreatedAt, j.EndedAt = fromMicros(notBefore), fromMicros(stopAt), fromMicros(createdAt), fromMicros(endedAt)
	return err
}
