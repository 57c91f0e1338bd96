package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

// NoteLook adds to what a person had open of a thing of a project.
func (tx *Tx) NoteLook(project ledger.ProjectID, person ledger.PersonID, thing review.Thing, at time.Time, millis int64) error {
	_, err := tx.exec(`INSERT INTO look (person, project, kind, thing, digest, at, millis) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		string(person), string(project), string(thing.Kind), thing.ID, string(thing.Digest), micros(at), millis)
	return fault.Wrap(err, "note what somebody opened")
}

// NoteItems adds items of a comparison; those that are known stay as they are.
func (tx *Tx) NoteItems(project ledger.ProjectID, person ledger.PersonID, comparison ledger.Digest, items []int, at time.Time) error {
	for _, i := range items {
		if _, err := tx.exec(`INSERT INTO look_item (person, project, comparison, item, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			string(person), string(project), string(comparison), i, micros(at)); err != nil {
			return fault.Wrap(err, "note which items somebody saw")
		}
	}
	return nil
}

// LastLook is when the last look of a person was noted.
func (tx *Tx) LastLook(person ledger.PersonID) (time.Time, error) {
	var at int64
	err := tx.one([]any{&at}, `SELECT COALESCE(MAX(at), 0) FROM look WHERE person = $1`, string(person))
	return fromMicros(at), err
}

// FindLooks lists what a person had opened of a project at a time, by kind, id
// and digest.
func (tx *Tx) FindLooks(project ledger.ProjectID, person ledger.PersonID, until time.Time) ([]review.Look, error) {
	var found []review.Look
	args := []any{string(person), string(project), micros(until)}
	err := tx.each(`SELECT kind, thing, digest, MIN(at), MAX(at), CAST(SUM(millis) AS BIGINT) FROM look
		WHERE person = $1 AND project = $2 AND at <= $3 GROUP BY kind, thing, digest ORDER BY kind, thing, digest`, args, func(scan func(...any) error) error {
		var l review.Look
		var first, last int64
		err := scan(&l.Kind, &l.ID, &l.Digest, &first, &last, &l.Millis)
		l.First, l.Last = fromMicros(first), fromMicros(last)
		found = append(found, l)
		return err
	})
	if err != nil {
		return nil, fault.Wrap(err, "find what somebody opened")
	}
	err = tx.each(`SELECT comparison, item FROM look_item WHERE person = $1 AND project = $2 AND at <= $3 ORDER BY comparison, item`, args, func(scan func(...any) error) error {
		var comparison ledger.Digest
		var item int
		err := scan(&comparison, &item)
		for i := range found {
			if found[i].Kind == review.LookComparison && found[i].Digest == comparison {
				found[i].Items = append(found[i].Items, item)
			}
		}
		return err
	})
	return found, fault.Wrap(err, "find which items somebody saw")
}
