package store

import (
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/labeling"
)

var _ training.Tx = (*Tx)(nil)

// DatasetTexts lists items of a dataset after a Seq, in the order of Seq, as many
// as a page holds; with unlabeled only those without an accepted answer.
func (tx *Tx) DatasetTexts(dataset labeling.DatasetID, unlabeled bool, after int64, limit int) ([]training.Text, error) {
	var texts []training.Text
	err := tx.some(newPurse(), `SELECT seq, key, content, text FROM item
		WHERE dataset = $1 AND seq > $2 AND status <> 'trashed' AND (NOT $3 OR label = '') ORDER BY seq LIMIT $4`,
		[]any{string(dataset), after, unlabeled, limit}, func(scan func(...any) error) error {
			var t training.Text
			if err := scan(&t.Seq, &t.Key, &t.Content, &t.Text); err != nil {
				return err
			}
			texts = append(texts, t)
			return nil
		})
	return texts, fault.Wrap(err, "list texts")
}
