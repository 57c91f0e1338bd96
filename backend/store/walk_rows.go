package store

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// remembered is what a walk has seen of a row.
type remembered struct {
	sealedRow
	table, key string
	looked     int // the last look at the rows that met it
}

// remember goes on with the seals of an event.
func (w *Walk) remember(seq int64, found bool, seals []ledger.Seal) {
	if w.rows == nil {
		w.rows = map[[markSize]byte]*remembered{}
	}
	for _, seal := range seals {
		counting := w.finds.counts(seq, found, seal)
		if t, known := provenTable(seal.Table); !known || !t.decides {
			continue
		}
		mark := markOf(seal.Table, seal.Key)
		row := w.rows[mark]
		if row == nil {
			row = &remembered{table: seal.Table, key: seal.Key}
			w.rows[mark] = row
		}
		for _, p := range w.finds.parts(seal, counting, found) {
			row.take(p)
		}
	}
}

// errAhead says that another has walked on to what this transaction does not see yet.
var errAhead = fault.New(fault.Unavailable, "The history went on meanwhile. Ask again.")

// Prove holds every row that a gate rests on against the history, as the transaction
// sees both, and returns those that do not agree. The transaction is a View.
func (w *Walk) Prove(tx *Tx) ([]WrongRow, error) {
	w.walking.Lock()
	defer w.walking.Unlock()
	ahead, err := w.follow(tx)
	if err != nil {
		return nil, err
	}
	w.looks++
	var wrong []WrongRow
	for _, t := range provenTables() {
		if !t.decides {
			continue
		}
		if err := tx.eachProven(t, func(key string, values []any) error {
			why, err := w.wrong(t, key, values)
			if why != "" {
				wrong = append(wrong, WrongRow{t.name, key, why})
			}
			return err
		}); err != nil {
			return nil, err
		}
	}
	for _, row := range w.rows {
		if row.there && row.looked != w.looks {
			wrong = append(wrong, WrongRow{row.table, row.key, RowMissing})
		}
	}
	if len(wrong) > 0 && ahead {
		return nil, errAhead
	}
	slices.SortFunc(wrong, func(a, b WrongRow) int { return strings.Compare(a.Table+a.Key, b.Table+b.Key) })
	return wrong, nil
}

// follow walks on to where the transaction is, and reports whether another was there.
func (w *Walk) follow(tx *Tx) (ahead bool, err error) {
	var head int64
	if err := tx.one([]any{&head}, `SELECT COALESCE(MAX(seq), 0) FROM event`); err != nil {
		return false, err
	}
	for w.last.Seq < head {
		if _, err := w.step(tx); err != nil {
			return false, err
		}
	}
	return w.last.Seq > head, nil
}

// wrong says what is wrong with a row that stands there.
func (w *Walk) wrong(t proven, key string, values []any) (why string, err error) {
	row := w.rows[markOf(t.name, key)]
	if row == nil {
		return RowAdded, nil
	}
	if row.looked == w.looks {
		return RowAdded, nil // a second row of the same key
	}
	row.looked = w.looks
	why = row.sealedRow.wrong(len(t.parts), func(part int) [sha256.Size]byte {
		content, failed := t.contentOf(part, values)
		if failed != nil {
			err = failed
		}
		return content
	})
	return why, err
}

// ProvePassword returns Conflict where the password that a person has is not one that
// the program wrote. The transaction is a View.
func (w *Walk) ProvePassword(tx *Tx, person ledger.PersonID) error {
	w.walking.Lock()
	defer w.walking.Unlock()
	ahead, err := w.follow(tx)
	if err != nil {
		return err
	}
	t, _ := provenTable("person")
	values, dest := slots(len(t.all()))
	if err := tx.one(dest, `SELECT `+quoted(t.all())+` FROM person WHERE id = $1`, string(person)); err != nil {
		return err
	}
	key, err := t.keyOf(values)
	if err != nil {
		return err
	}
	row := w.rows[markOf(t.name, key)]
	for part, columns := range t.parts {
		if columns[0] != "password" {
			continue
		}
		content, err := t.contentOf(part, values)
		if err != nil {
			return err
		}
		if row == nil || !row.there || !slices.ContainsFunc(row.parts, func(p sealedPart) bool { return int(p.part) == part && p.agrees(content) }) {
			if ahead {
				return errAhead
			}
			return fault.New(fault.Conflict, "The password of this account was changed in the database past the program. Ask an admin for a link to set a new one.")
		}
	}
	return nil
}

// Faults is Prove in sentences.
func (w *Walk) Faults(tx *Tx) ([]string, error) {
	wrong, err := w.Prove(tx)
	var sentences []string
	for _, r := range wrong {
		sentences = append(sentences, r.Say())
	}
	return sentences, err
}

// Say is a sentence about what is wrong with a row.
func (r WrongRow) Say() string {
	switch r.Why {
	case RowMissing:
		return fault.Say("The row %s of the table %s was taken away past the program.", r.Key, r.Table)
	case RowAdded:
		return fault.Say("The row %s of the table %s was added past the program: no event wrote it.", r.Key, r.Table)
	case RowBack:
		return fault.Say("The row %s of the table %s was deleted by the program and stands there again.", r.Key, r.Table)
	}
	return fault.Say("The row %s of the table %s was changed past the program.", r.Key, r.Table)
}
