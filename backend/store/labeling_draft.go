package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// SaveDraft writes a draft and removes the oldest ones of its person.
func (tx *Tx) SaveDraft(k labeling.DraftKey, d labeling.Draft, at time.Time) error {
	if _, err := tx.exec(`INSERT INTO draft (person, project, item, class, typed, reason, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (person, project, item) DO UPDATE SET class = excluded.class, typed = excluded.typed, reason = excluded.reason, at = excluded.at`,
		string(k.Person), string(k.Project), string(k.Item), string(d.Class), d.Typed, d.Reason, micros(at)); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM draft WHERE person = $1 AND project = $2 AND item IN (
		SELECT item FROM draft WHERE person = $1 AND project = $2 ORDER BY at DESC, item LIMIT 1000 OFFSET $3)`,
		string(k.Person), string(k.Project), labeling.MostDrafts)
	return fault.Wrap(err, "remove old drafts")
}

// DropDraft removes a draft, if there is one.
func (tx *Tx) DropDraft(k labeling.DraftKey) error {
	return tx.later(`DELETE FROM draft WHERE person = $1 AND project = $2 AND item = $3`, string(k.Person), string(k.Project), string(k.Item))
}

// Drafts returns the drafts of a person in a project, by item.
func (tx *Tx) Drafts(person ledger.PersonID, project labeling.ProjectID) (map[labeling.ItemID]labeling.Draft, error) {
	found := map[labeling.ItemID]labeling.Draft{}
	err := tx.each(`SELECT item, class, typed, reason FROM draft WHERE person = $1 AND project = $2`, []any{string(person), string(project)},
		func(scan func(...any) error) error {
			var item labeling.ItemID
			var d labeling.Draft
			err := scan(&item, &d.Class, &d.Typed, &d.Reason)
			found[item] = d
			return err
		})
	return found, err
}
