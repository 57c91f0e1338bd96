package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/ledger"
)

// Facts about what is sealed.
const (
	factUnsealed = "rows.unsealed" // rows are there which no event sealed yet; the migration writes it
	factSealed   = "rows.sealed"   // the parts of the tables whose rows are sealed
)

// foundPage is how many rows are sealed by one event where they are found.
const foundPage = 10_000

// sealFound seals the rows of a database that was made before its rows were sealed,
// and those of tables and columns that a version before did not seal: as they are
// found, which proves nothing about the time before, and everything about the time
// from then on. It is one transaction: nobody writes in the middle of it.
func (s *Store) sealFound(ctx context.Context) error {
	want := sealedParts()
	unsealed, sealed := "", ""
	read := func(tx *Tx) error {
		unsealed, sealed = "", ""
		return tx.each(`SELECT key, value FROM meta WHERE key IN ($1, $2)`, []any{factUnsealed, factSealed}, func(scan func(...any) error) error {
			var key, value string
			err := scan(&key, &value)
			if key == factUnsealed {
				unsealed = value
			} else {
				sealed = value
			}
			return err
		})
	}
	if err := s.view(ctx, read); err != nil || unsealed == "" && sealed == strings.Join(want, " ") {
		return err
	}
	// Nobody who watches transactions asked for this one.
	return s.writer.do(&update{ctx: ctx, answer: make(chan error, 1), f: func(tx *Tx) error {
		if err := read(tx); err != nil {
			return err
		}
		have := strings.Fields(sealed)
		for _, t := range provenTables() {
			missing := uint64(0)
			for part, columns := range t.parts {
				if !slices.Contains(have, t.name+"."+columns[0]) {
					missing |= 1 << part
				}
			}
			there := unsealed != "" || sealed != "" // else it is new, and holds nothing
			if there && (missing > 0 || !slices.Contains(have, t.name)) {
				if err := tx.sealTable(t, missing); err != nil {
					return fmt.Errorf("seal the rows of %s: %w", t.name, err)
				}
			}
		}
		if _, err := tx.exec(`DELETE FROM meta WHERE key = $1`, factUnsealed); err != nil {
			return err
		}
		_, err := tx.exec(`INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, factSealed, strings.Join(want, " "))
		return err
	}})
}

// sealedParts names what is sealed.
func sealedParts() (names []string) {
	for _, t := range provenTables() {
		names = append(names, t.name)
		for _, columns := range t.parts {
			names = append(names, t.name+"."+columns[0])
		}
	}
	return names
}

// sealTable seals parts of all rows of a table.
func (tx *Tx) sealTable(t proven, parts uint64) error {
	var last []any
	for {
		var page [][]any
		where := ""
		if len(last) > 0 {
			var places []string
			for i := range last {
				places = append(places, fmt.Sprintf("$%d", i+1))
			}
			where = ` WHERE (` + quoted(t.key) + `) > (` + strings.Join(places, ", ") + `)`
		}
		values, dest := slots(len(t.all()))
		if err := tx.each(fmt.Sprintf(`SELECT `+quoted(t.all())+` FROM "`+t.name+`"`+where+` ORDER BY `+quoted(t.key)+` LIMIT %d`, foundPage), last, func(scan func(...any) error) error {
			if err := scan(dest...); err != nil {
				return err
			}
			page = append(page, slices.Clone(values))
			return nil
		}); err != nil || len(page) == 0 {
			return err
		}
		for _, row := range page {
			if err := tx.seal(&shape{table: t, parts: parts}, row, nil); err != nil {
				return err
			}
		}
		if err := tx.Record(ledger.Entry{Actor: ledger.System(), Kind: EventFound, Subject: ledger.Subject{Kind: "history"}, Payload: map[string]any{"table": t.name, "rows": len(page)}}); err != nil {
			return err
		}
		if err := tx.settle(); err != nil { // with these rows, and no others
			return err
		}
		last = slices.Clone(page[len(page)-1][:len(t.key)])
	}
}
