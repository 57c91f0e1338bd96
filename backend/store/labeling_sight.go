package store

import (
	"slices"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// Glances returns how items stand, and a person to each, fifty in a query.
func (tx *Tx) Glances(person ledger.PersonID, items []labeling.ItemID) (map[labeling.ItemID]labeling.Glance, error) {
	found := make(map[labeling.ItemID]labeling.Glance, len(items))
	for part := range slices.Chunk(items, 50) {
		marks, args := make([]string, 50), []any{string(person)}
		for i := range marks { // always fifty, so that one statement is kept
			marks[i] = "$" + strconv.Itoa(i+2)
			args = append(args, string(part[min(i, len(part)-1)]))
		}
		err := tx.each(`SELECT i.id, i.dataset, i.label = '' AND i.status <> 'disputed',
			EXISTS (SELECT 1 FROM annotation a WHERE a.item = i.id AND a.person = $1 AND a.state = 'active' AND a.kind IN ('answer', 'decision')),
			EXISTS (SELECT 1 FROM item_shown s WHERE s.item = i.id AND s.person = $1)
			FROM item i WHERE i.id IN (`+strings.Join(marks, ", ")+`)`, args, func(scan func(...any) error) error {
			var id labeling.ItemID
			var g labeling.Glance
			err := scan(&id, &g.Dataset, &g.Waits, &g.Answered, &g.Shown)
			found[id] = g
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// NoteShown keeps that a person had the answers to an item shown.
func (tx *Tx) NoteShown(person ledger.PersonID, item labeling.ItemID) (bool, error) {
	n, err := tx.exec(`INSERT INTO item_shown (item, person, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, string(item), string(person), micros(tx.Now()))
	return n > 0, err
}

// Shown reports whether a person had the answers to an item shown.
func (tx *Tx) Shown(person ledger.PersonID, item labeling.ItemID) (bool, error) {
	var n int64
	err := tx.one([]any{&n}, `SELECT COUNT(*) FROM item_shown WHERE item = $1 AND person = $2`, string(item), string(person))
	return n > 0, err
}
