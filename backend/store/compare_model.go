package store

import (
	"encoding/json"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

const modelColumns = `id, project, name, version, digest, files, run, snapshot, params, metrics, environment, trained_by, created_by, created_at`

// CreateModel stores a model under its id and gives it the next version of its name.
func (tx *Tx) CreateModel(m compare.Model) (compare.Model, error) {
	if err := tx.one([]any{&m.Version}, `SELECT COALESCE(MAX(version), 0) + 1 FROM model WHERE project = $1 AND name = $2`, string(m.Project), m.Name); err != nil {
		return m, err
	}
	_, err := tx.exec(`INSERT INTO model (`+modelColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		string(m.ID), string(m.Project), m.Name, m.Version, string(m.Digest), encoded(m.Files), string(m.Run), string(m.Snapshot),
		object(m.Params), encoded(m.Metrics), object(m.Environment), string(m.TrainedBy), string(m.CreatedBy), micros(m.CreatedAt))
	if err != nil {
		return m, err
	}
	if err := tx.made(m.Digest, m.TrainedBy, compare.MadeTrained, m.Project, string(m.ID)); err != nil {
		return m, err
	}
	if m.CreatedBy == m.TrainedBy {
		return m, nil
	}
	return m, tx.made(m.Digest, m.CreatedBy, compare.MadeRegistered, m.Project, string(m.ID))
}

// GetModel returns NotFound for an id that the project does not have.
func (tx *Tx) GetModel(project ledger.ProjectID, id compare.ModelID) (compare.Model, error) {
	return only(tx.findModels(`WHERE project = $1 AND id = $2`, string(project), string(id)))("model")
}

// FindModels lists models, newest first.
func (tx *Tx) FindModels(f compare.ModelFilter) ([]compare.Model, error) {
	return tx.findModels(`WHERE project = $1 AND (CAST($2 AS TEXT) = '' OR name = $2) AND (CAST($3 AS BIGINT) = 0 OR version = $3)
		AND (CAST($4 AS TEXT) = '' OR digest = $4) AND (CAST($5 AS TEXT) = '' OR run = $5) AND (CAST($6 AS TEXT) = '' OR id < $6)
		ORDER BY id DESC LIMIT $7`, string(f.Project), f.Name, f.Version, string(f.Digest), string(f.Run), string(f.Before), limit(f.Limit))
}

func (tx *Tx) findModels(where string, args ...any) ([]compare.Model, error) {
	var found []compare.Model
	err := tx.each(`SELECT `+modelColumns+` FROM `+visible("model", "project", "id")+` model `+where, args, func(scan func(...any) error) error {
		var m compare.Model
		var files, params, metrics, environment string
		var created int64
		if err := scan(&m.ID, &m.Project, &m.Name, &m.Version, &m.Digest, &files, &m.Run, &m.Snapshot, &params, &metrics, &environment,
			&m.TrainedBy, &m.CreatedBy, &created); err != nil {
			return err
		}
		m.Params, m.Environment, m.CreatedAt = json.RawMessage(params), json.RawMessage(environment), fromMicros(created)
		if err := decoded(files, &m.Files); err != nil {
			return err
		}
		if err := decoded(metrics, &m.Metrics); err != nil {
			return err
		}
		found = append(found, m)
		return nil
	})
	return found, err
}

// object returns a JSON object as it is stored; nothing is an empty one.
func object(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "{}"
	}
	return string(raw)
}

// encoded returns the JSON of a value of ours, which always encodes.
func encoded(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic("store: encode " + err.Error())
	}
	return string(raw)
}

// decoded reads the JSON of a column.
func decoded(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fault.As(fault.Internal, err, "a stored JSON text does not decode")
	}
	return nil
}

// limit is how many rows a filter asks for.
func limit(n int) int {
	if n <= 0 {
		return 50
	}
	return n
}

// only returns the single row of a search, NotFound with the name of the thing
// if there is none.
func only[T any](rows []T, err error) func(noun string) (T, error) {
	return func(noun string) (T, error) {
		var none T
		switch {
		case err != nil:
			return none, err
		case len(rows) == 0:
			return none, fault.New(fault.NotFound, "There is no such %s in this project.", noun)
		}
		return rows[0], nil
	}
}
