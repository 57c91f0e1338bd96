package store

import (
	"encoding/json"
	"fmt"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// CreateBulk adds a bulk change.
func (tx *Tx) CreateBulk(b labeling.Bulk) error {
	_, err := tx.exec(`INSERT INTO item_bulk (id, project, action, class, reason, person, items, created_at, undone_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		string(b.ID), string(b.Project), string(b.Action), string(b.Class), b.Reason, string(b.Person), b.Items, micros(b.CreatedAt), micros(b.UndoneAt))
	return err
}

// UpdateBulk writes how many items a bulk change has changed, and whether it was undone.
func (tx *Tx) UpdateBulk(b labeling.Bulk) error {
	return tx.mustExec(`UPDATE item_bulk SET items = $2, undone_at = $3 WHERE id = $1`, string(b.ID), b.Items, micros(b.UndoneAt))
}

// Bulk returns a bulk change by id.
func (tx *Tx) Bulk(id labeling.BulkID) (labeling.Bulk, error) {
	var b labeling.Bulk
	var created, undone int64
	err := tx.one([]any{&b.ID, &b.Project, &b.Action, &b.Class, &b.Reason, &b.Person, &b.Items, &created, &undone},
		`SELECT id, project, action, class, reason, person, items, created_at, undone_at FROM item_bulk WHERE id = $1`, string(id))
	b.CreatedAt, b.UndoneAt = fromMicros(created), fromMicros(undone)
	return b, err
}

// AddBulkRow keeps what a bulk change did to an item.
func (tx *Tx) AddBulkRow(id labeling.BulkID, row labeling.BulkRow) error {
	superseded, err := json.Marshal(row.Superseded)
	if err != nil {
		return fmt.Errorf("encode superseded annotations: %w", err)
	}
	_, err = tx.exec(`INSERT INTO item_bulk_row (bulk, item, superseded, made) VALUES ($1, $2, $3, $4)`, string(id), string(row.Item), string(superseded), string(row.Made))
	return err
}

// BulkRows returns what a bulk change did and was not taken back yet.
func (tx *Tx) BulkRows(id labeling.BulkID, limit int) ([]labeling.BulkRow, error) {
	var rows []labeling.BulkRow
	err := tx.each(`SELECT item, superseded, made FROM item_bulk_row WHERE bulk = $1 ORDER BY item LIMIT $2`, []any{string(id), limit}, func(scan func(...any) error) error {
		var row labeling.BulkRow
		var superseded string
		if err := scan(&row.Item, &superseded, &row.Made); err != nil {
			return err
		}
		rows = append(rows, row)
		return json.Unmarshal([]byte(superseded), &rows[len(rows)-1].Superseded)
	})
	return rows, err
}

// DropBulkRow forgets what a bulk change did to an item.
func (tx *Tx) DropBulkRow(id labeling.BulkID, item labeling.ItemID) error {
	_, err := tx.exec(`DELETE FROM item_bulk_row WHERE bulk = $1 AND item = $2`, string(id), string(item))
	return fault.Wrap(err, "forget a bulk row")
}

// KeptItem returns the first of some items that a legal hold keeps.
func (tx *Tx) KeptItem(ids []labeling.ItemID) (*labeling.KeptItem, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = string(id)
	}
	var kept labeling.KeptItem
	err := tx.one([]any{&kept.Key, &kept.On, &kept.Reason}, `SELECT i.key, h.kind, h.reason FROM item i
		JOIN legal_hold h ON h.kind = 'item' AND h.subject = i.id OR h.kind = 'dataset' AND h.subject = i.dataset OR h.kind = 'project' AND h.subject = i.project
		WHERE i.id IN `+places(len(ids))+` ORDER BY i.seq, h.kind DESC LIMIT 1`, args...)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(err, "find items that are kept")
	}
	return &kept, nil
}
