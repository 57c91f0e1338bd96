package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// SensitiveDatasets lists the marked datasets of a project.
func (tx *Tx) SensitiveDatasets(project labeling.ProjectID) (ids []labeling.DatasetID, err error) {
	err = tx.each(`SELECT id FROM dataset WHERE project = $1 AND sensitive`, []any{string(project)}, func(scan func(...any) error) error {
		var id labeling.DatasetID
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// SetSensitive marks a dataset, or takes the mark away.
func (tx *Tx) SetSensitive(id labeling.DatasetID, sensitive bool) error {
	return tx.mustExec(`UPDATE dataset SET sensitive = $2 WHERE id = $1`, string(id), sensitive)
}

// NoteView reports whether nothing was noted yet for this person, dataset and hour.
func (tx *Tx) NoteView(person ledger.PersonID, dataset labeling.DatasetID, hour time.Time) (bool, error) {
	n, err := tx.exec(`INSERT INTO dataset_view (person, dataset, hour) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, string(person), string(dataset), micros(hour))
	return n > 0, err
}
