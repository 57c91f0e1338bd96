package store

import (
	"context"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// addMedia keeps what an item refers to, where it does.
func (tx *Tx) addMedia(i labeling.Item) error {
	if i.Media == nil {
		return nil
	}
	m := i.Media
	err := tx.later(`INSERT INTO item_media (item, dataset, uri, digest, bytes, type, state, found, found_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		string(i.ID), string(i.Dataset), m.URI, string(m.Digest), m.Bytes, m.Type, string(m.Fault.State), string(m.Fault.Found), micros(m.Fault.At))
	return fault.Wrap(err, "add the reference of an item")
}

// SetMediaFault writes what was found wrong with the object of an item.
func (tx *Tx) SetMediaFault(id labeling.ItemID, f labeling.MediaFault) error {
	return tx.mustExec(`UPDATE item_media SET state = $2, found = $3, found_at = $4 WHERE item = $1`, string(id), string(f.State), string(f.Found), micros(f.At))
}

// MediaItems returns the items of a dataset that refer to objects, by id, as many as
// a page holds.
func (tx *Tx) MediaItems(dataset labeling.DatasetID, after labeling.ItemID, limit int, faulty bool) ([]labeling.Item, error) {
	state := ""
	if faulty {
		state = ` AND m.state <> ''`
	}
	return tx.items(`WHERE m.dataset = $1 AND m.item > $2`+state+` AND i.status || '' <> 'trashed' ORDER BY m.item LIMIT $3`, string(dataset), string(after), limit)
}

// CountMedia counts the items of a dataset that refer to objects, and those of
// them with a fault.
func (tx *Tx) CountMedia(dataset labeling.DatasetID) (items, faulty int64, err error) {
	err = tx.one([]any{&items, &faulty}, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN m.state <> '' THEN 1 ELSE 0 END), 0)
		FROM item_media m JOIN item i ON i.id = m.item WHERE m.dataset = $1 AND i.status || '' <> 'trashed'`, string(dataset))
	return items, faulty, err
}

// SaveMediaCheck writes the check of a dataset.
func (tx *Tx) SaveMediaCheck(c labeling.MediaCheck) error {
	_, err := tx.exec(`INSERT INTO media_check (dataset, objects, done, faults, missed, started_by, started_at, finished_at, last_item) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (dataset) DO UPDATE SET objects = excluded.objects, done = excluded.done, faults = excluded.faults, missed = excluded.missed,
			started_by = excluded.started_by, started_at = excluded.started_at, finished_at = excluded.finished_at, last_item = excluded.last_item`,
		string(c.Dataset), c.Of, c.Done, c.Faults, c.Missed, string(c.By), micros(c.StartedAt), micros(c.FinishedAt), string(c.After))
	return err
}

// MediaCheck returns the last check of a dataset.
func (tx *Tx) MediaCheck(dataset labeling.DatasetID) (labeling.MediaCheck, error) {
	c := labeling.MediaCheck{Dataset: dataset}
	var started, finished int64
	err := tx.one([]any{&c.Of, &c.Done, &c.Faults, &c.Missed, &c.By, &started, &finished, &c.After},
		`SELECT objects, done, faults, missed, started_by, started_at, finished_at, last_item FROM media_check WHERE dataset = $1`, string(dataset))
	c.StartedAt, c.FinishedAt = fromMicros(started), fromMicros(finished)
	return c, err
}

// Reference is an object that an item refers to, with the names people know.
type Reference struct {
	Item                  labeling.ItemID
	Project, Dataset, Key string // address of the project, name of the dataset, key of the item
	Media                 labeling.Media
}

// referencePage is how many references are read at once. Whoever looks at objects
// takes its time, and no read of the database stays open meanwhile.
const referencePage = 500

// EachReference calls f with every object that an item refers to, those in the
// trash as well, by the item's id.
func (s *Store) EachReference(ctx context.Context, f func(Reference) error) error {
	for after := ""; ; {
		var list []Reference
		err := s.View(ctx, func(tx *Tx) error {
			list = list[:0]
			return tx.each(`SELECT m.item, p.slug, d.name, i.key, m.uri, m.digest, m.bytes, m.type
				FROM item_media m JOIN item i ON i.id = m.item JOIN dataset d ON d.id = i.dataset JOIN project p ON p.id = i.project
				WHERE m.item > $1 ORDER BY m.item LIMIT $2`, []any{after, referencePage}, func(scan func(...any) error) error {
				var r Reference
				err := scan(&r.Item, &r.Project, &r.Dataset, &r.Key, &r.Media.URI, &r.Media.Digest, &r.Media.Bytes, &r.Media.Type)
				list = append(list, r)
				return err
			})
		})
		if err != nil {
			return fault.Wrap(err, "list the objects that items refer to")
		}
		for _, r := range list {
			if err := f(r); err != nil {
				return err
			}
		}
		if len(list) < referencePage {
			return nil
		}
		after = string(list[len(list)-1].Item)
	}
}
