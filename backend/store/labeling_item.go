package store

import (
	"encoding/json"
	"fmt"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// itemColumns is the head of every query that reads items with scanItem.
const itemColumns = `SELECT i.seq, i.id, i.project, i.dataset, i.key, i.content, i.text, i.meta, i.status, i.label, i.answers,
	i.model, i.model_label, i.model_score, i.uncertainty, i.created_at,
	COALESCE(m.uri, ''), COALESCE(m.digest, ''), COALESCE(m.bytes, 0), COALESCE(m.type, ''), COALESCE(m.state, ''), COALESCE(m.found, ''), COALESCE(m.found_at, 0)
	FROM item i ` + withMedia

// withMedia stands behind item i where scanItem reads: items without an object
// have no row there.
const withMedia = `LEFT JOIN item_media m ON m.item = i.id `

func scanItem(scan func(...any) error) (labeling.Item, error) {
	var i labeling.Item
	var meta string
	var created, foundAt int64
	var m labeling.Media
	err := scan(&i.Seq, &i.ID, &i.Project, &i.Dataset, &i.Key, &i.Content, &i.Text, &meta, &i.Status, &i.Label, &i.Answers,
		&i.Model, &i.ModelLabel, &i.ModelScore, &i.Uncertainty, &created,
		&m.URI, &m.Digest, &m.Bytes, &m.Type, &m.Fault.State, &m.Fault.Found, &foundAt)
	i.CreatedAt = fromMicros(created)
	if m.URI != "" {
		m.Fault.At = fromMicros(foundAt)
		i.Media = &m
	}
	if err == nil && meta != "{}" {
		err = json.Unmarshal([]byte(meta), &i.Meta)
	}
	return i, err
}

// items reads items by what follows FROM item i, as many as a page holds.
func (tx *Tx) items(where string, args ...any) ([]labeling.Item, error) {
	var found []labeling.Item
	err := tx.some(newPurse(), itemColumns+where, args, func(scan func(...any) error) error {
		item, err := scanItem(scan)
		found = append(found, item)
		return err
	})
	return found, err
}

func (tx *Tx) oneItem(where string, args ...any) (labeling.Item, error) {
	found, err := tx.items(where, args...)
	if err == nil && len(found) == 0 {
		return labeling.Item{}, fault.New(fault.NotFound, "There is no such item.")
	}
	if err != nil {
		return labeling.Item{}, err
	}
	return found[0], nil
}

// CreateItem adds an item, counts it, and returns its place in the order of arrival.
func (tx *Tx) CreateItem(i labeling.Item) (int64, error) {
	meta := []byte("{}")
	if len(i.Meta) > 0 {
		var err error
		if meta, err = json.Marshal(i.Meta); err != nil {
			return 0, fmt.Errorf("encode the columns of an item: %w", err)
		}
	}
	if _, taken, err := tx.contentAt(i.Dataset, i.Key); err != nil {
		return 0, err
	} else if taken {
		return 0, fault.New(fault.Conflict, "The dataset has an item with the key %q already.", i.Key)
	}
	var seq int64
	err := tx.one([]any{&seq}, `INSERT INTO item (id, project, dataset, key, content, text, meta, status, label, answers,
			model, model_label, model_score, uncertainty, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING seq`,
		string(i.ID), string(i.Project), string(i.Dataset), i.Key, string(i.Content), i.Text, string(meta), string(i.Status), string(i.Label),
		i.Answers, i.Model, string(i.ModelLabel), i.ModelScore, i.Uncertainty, micros(i.CreatedAt))
	if err != nil {
		return 0, err
	}
	if err := tx.addMedia(i); err != nil {
		return 0, err
	}
	if err := tx.addKeys(i.Dataset, seq-1, 1); err != nil {
		return 0, err
	}
	return seq, tx.countItem(i, 1)
}

// UpdateItem writes status, label, answers and the model's answer of an item
// and keeps the counts.
func (tx *Tx) UpdateItem(i labeling.Item) error {
	was, err := tx.Item(i.ID)
	if err != nil {
		return err
	}
	if err := tx.later(`UPDATE item SET status = $2, label = $3, answers = $4, model = $5, model_label = $6, model_score = $7, uncertainty = $8 WHERE id = $1`,
		string(i.ID), string(i.Status), string(i.Label), i.Answers, i.Model, string(i.ModelLabel), i.ModelScore, i.Uncertainty); err != nil {
		return err
	}
	if was.Status == i.Status && was.Label == i.Label {
		return nil
	}
	if err := tx.countItem(was, -1); err != nil {
		return err
	}
	was.Status, was.Label = i.Status, i.Label
	return tx.countItem(was, 1)
}

// countItem adds n to the count that an item belongs to.
func (tx *Tx) countItem(i labeling.Item, n int64) error {
	err := tx.later(`INSERT INTO item_count (project, dataset, status, label, items) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (project, dataset, status, label) DO UPDATE SET items = item_count.items + excluded.items`,
		string(i.Project), string(i.Dataset), string(i.Status), string(i.Label), n)
	return fault.Wrap(err, "count an item")
}

// Item returns an item by id.
func (tx *Tx) Item(id labeling.ItemID) (labeling.Item, error) {
	return tx.oneItem(`WHERE i.id = $1`, string(id))
}

// ItemKeyed returns an item of a dataset by its key.
func (tx *Tx) ItemKeyed(dataset labeling.DatasetID, key string) (labeling.Item, error) {
	return tx.oneItem(`JOIN item_key k ON k.item = i.seq WHERE`+keyed, string(dataset), key)
}

// ItemsLabeled returns items with an accepted answer in the order of arrival.
func (tx *Tx) ItemsLabeled(project labeling.ProjectID, label labeling.ClassID, after int64, limit int) ([]labeling.Item, error) {
	return tx.items(`WHERE i.project = $1 AND i.label = $2 AND i.label <> '' AND i.seq > $3 ORDER BY i.seq LIMIT $4`,
		string(project), string(label), after, limit)
}

// Counts returns how many items of a project have each dataset, status and label.
func (tx *Tx) Counts(project labeling.ProjectID) ([]labeling.Count, error) {
	var counts []labeling.Count
	err := tx.each(`SELECT dataset, status, label, items FROM item_count WHERE project = $1 AND items <> 0 AND dataset NOT IN `+hiddenDatasets+`
		ORDER BY dataset, status, label`, []any{string(project)}, func(scan func(...any) error) error {
		var c labeling.Count
		err := scan(&c.Dataset, &c.Status, &c.Label, &c.Items)
		counts = append(counts, c)
		return err
	})
	return counts, err
}

// ClassUses counts the items whose accepted answer names each class, and the
// annotations that ever did.
func (tx *Tx) ClassUses(project labeling.ProjectID) (map[labeling.ClassID]int64, error) {
	uses := map[labeling.ClassID]int64{}
	err := tx.each(`SELECT label, CAST(SUM(items) AS BIGINT) FROM item_count WHERE project = $1 AND label <> '' GROUP BY label
		UNION ALL SELECT class, CAST(SUM(total) AS BIGINT) FROM answer_count WHERE project = $1 GROUP BY class`,
		[]any{string(project)}, func(scan func(...any) error) error {
			var class labeling.ClassID
			var n int64
			err := scan(&class, &n)
			uses[class] = max(uses[class], n)
			return err
		})
	return uses, err
}
