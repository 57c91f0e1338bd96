package store

import (
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// made notes that a person made what has a digest. What has none cannot be
// proposed, and what the server does on its own makes nobody a maker. Rows are
// never taken away, also where the model is.
func (tx *Tx) made(digest ledger.Digest, person ledger.PersonID, how compare.Made, project ledger.ProjectID, thing string) error {
	if digest == "" || person == "" || person == ledger.System().Person {
		return nil
	}
	_, err := tx.exec(`INSERT INTO maker (digest, person, how, project, thing, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		string(digest), string(person), string(how), string(project), thing, micros(tx.Now()))
	return fault.Wrap(err, "note a maker")
}

// RivalsOf lists whoever profits or loses by the answers of a model: the makers of
// every model that was compared with its bytes in the project, that is proposed
// against them or they against it, and who proposed those or them. What is in the
// trash counts.
func (tx *Tx) RivalsOf(m compare.Model) ([]ledger.PersonID, error) {
	all, err := tx.texts(`WITH own AS (SELECT id FROM model WHERE project = $1 AND (id = $2 OR digest <> '' AND digest = $3)),
		proposed AS (SELECT subject, baseline_subject, proposed_by FROM candidate WHERE project = $1 AND (model IN (SELECT id FROM own) OR baseline_model IN (SELECT id FROM own)
			OR CAST($3 AS TEXT) <> '' AND (subject = $3 OR baseline_subject = $3))),
		rival AS (SELECT o.digest FROM model o JOIN comparison c ON c.project = $1 AND (o.id = c.candidate AND c.baseline IN (SELECT id FROM own) OR o.id = c.baseline AND c.candidate IN (SELECT id FROM own))
			UNION SELECT subject FROM proposed UNION SELECT baseline_subject FROM proposed)
		SELECT person FROM maker WHERE digest IN (SELECT digest FROM rival WHERE digest <> '') UNION SELECT proposed_by FROM proposed WHERE proposed_by <> '' ORDER BY 1`,
		string(m.Project), string(m.ID), string(m.Digest))
	people := make([]ledger.PersonID, len(all))
	for i, id := range all {
		people[i] = ledger.PersonID(id)
	}
	return people, fault.Wrap(err, "find the rivals of a model")
}

// MakersOf lists the makers of a digest in every project, in the order in which
// they became it.
func (tx *Tx) MakersOf(digest ledger.Digest) ([]compare.Maker, error) {
	var found []compare.Maker
	err := tx.each(`SELECT m.digest, m.person, COALESCE(p.name, ''), m.how, m.project, m.thing, m.at FROM maker m LEFT JOIN person p ON p.id = m.person
		WHERE m.digest = $1 ORDER BY m.at, m.person, m.how, m.project, m.thing`, []any{string(digest)}, func(scan func(...any) error) error {
		var m compare.Maker
		var at int64
		err := scan(&m.Digest, &m.Person, &m.Name, &m.How, &m.Project, &m.Thing, &at)
		m.At = fromMicros(at)
		found = append(found, m)
		return err
	})
	return found, fault.Wrap(err, "find the makers of "+string(digest))
}
