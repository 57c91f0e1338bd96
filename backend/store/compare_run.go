package store

import (
	"encoding/json"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

var _ compare.Tx = (*Tx)(nil)

const runColumns = `id, project, number, kind, name, recipe, snapshot, params, state, reason,
	primary_name, primary_value, created_at, started_at, ended_at, person`

// CreateRun stores a run under its id and gives it the next number of its project.
func (tx *Tx) CreateRun(r compare.Run) (compare.Run, error) {
	if err := tx.one([]any{&r.Number}, `SELECT COALESCE(MAX(number), 0) + 1 FROM run WHERE project = $1`, string(r.Project)); err != nil {
		return r, err
	}
	_, err := tx.exec(`INSERT INTO run (`+runColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		string(r.ID), string(r.Project), r.Number, string(r.Kind), r.Name, r.Recipe, string(r.Snapshot), object(r.Params), string(r.State), r.Reason,
		r.Primary.Name, r.Primary.Value, micros(r.CreatedAt), micros(r.StartedAt), micros(r.EndedAt), string(r.By))
	return r, err
}

// UpdateRun replaces name, state, reason, primary metric and times of a run.
func (tx *Tx) UpdateRun(r compare.Run) error {
	return tx.mustExec(`UPDATE run SET name = $1, state = $2, reason = $3, primary_name = $4, primary_value = $5, started_at = $6, ended_at = $7
		WHERE id = $8 AND project = $9`,
		r.Name, string(r.State), r.Reason, r.Primary.Name, r.Primary.Value, micros(r.StartedAt), micros(r.EndedAt), string(r.ID), string(r.Project))
}

// GetRun returns NotFound for an id that the project does not have.
func (tx *Tx) GetRun(project ledger.ProjectID, id compare.RunID) (compare.Run, error) {
	return only(tx.findRuns(`WHERE project = $1 AND id = $2`, string(project), string(id)))("run")
}

// GetRunByNumber returns NotFound for a number that the project does not have.
func (tx *Tx) GetRunByNumber(project ledger.ProjectID, number int) (compare.Run, error) {
	return only(tx.findRuns(`WHERE project = $1 AND number = $2`, string(project), number))("run")
}

// FindRuns lists runs, newest first.
func (tx *Tx) FindRuns(f compare.RunFilter) ([]compare.Run, error) {
	return tx.findRuns(`WHERE project = $1 AND (CAST($2 AS TEXT) = '' OR kind = $2) AND (CAST($3 AS BIGINT) = 0 OR number < $3)
		ORDER BY number DESC LIMIT $4`, string(f.Project), string(f.Kind), f.Before, limit(f.Limit))
}

func (tx *Tx) findRuns(where string, args ...any) ([]compare.Run, error) {
	var found []compare.Run
	err := tx.each(`SELECT `+runColumns+` FROM run `+where, args, func(scan func(...any) error) error {
		var r compare.Run
		var params string
		var created, started, ended int64
		if err := scan(&r.ID, &r.Project, &r.Number, &r.Kind, &r.Name, &r.Recipe, &r.Snapshot, &params, &r.State, &r.Reason,
			&r.Primary.Name, &r.Primary.Value, &created, &started, &ended, &r.By); err != nil {
			return err
		}
		r.Params = json.RawMessage(params)
		r.CreatedAt, r.StartedAt, r.EndedAt = fromMicros(created), fromMicros(started), fromMicros(ended)
		found = append(found, r)
		return nil
	})
	return found, err
}

// AddPoints stores points of a run; a point of the same name, split and step replaces the older.
func (tx *Tx) AddPoints(run compare.RunID, points []compare.Point) error {
	for _, p := range points {
		if _, err := tx.exec(`INSERT INTO run_point (run, name, split, step, value, at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (run, name, split, step) DO UPDATE SET value = excluded.value, at = excluded.at`,
			string(run), p.Name, p.Split, p.Step, p.Value, micros(p.At)); err != nil {
			return err
		}
	}
	return nil
}

// FindPoints lists points of a run in the order of name, split and step.
func (tx *Tx) FindPoints(run compare.RunID) ([]compare.Point, error) {
	var found []compare.Point
	err := tx.each(`SELECT name, split, step, value, at FROM run_point WHERE run = $1 ORDER BY name, split, step`, []any{string(run)},
		func(scan func(...any) error) error {
			var p compare.Point
			var at int64
			if err := scan(&p.Name, &p.Split, &p.Step, &p.Value, &at); err != nil {
				return err
			}
			p.At = fromMicros(at)
			found = append(found, p)
			return nil
		})
	return found, err
}
