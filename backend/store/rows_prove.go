package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Proof is what came of holding the rows of every table against the history.
type Proof struct {
	Rows  int64      // that were held against it
	Found int64      // of them, those that were there before the program sealed what it writes
	Since time.Time  // when the first of those were found
	Wrong []WrongRow // the first hundred that do not agree
	More  int64      // how many beyond those
}

// WrongRow is a row that does not agree with the history.
type WrongRow struct {
	Table, Key string
	Why        string // changed, missing, added, deleted
}

// Why a row does not agree.
const (
	RowChanged = "was changed past the program"
	RowMissing = "was taken away past the program"
	RowAdded   = "was added past the program: no event wrote it"
	RowBack    = "was deleted by the program and stands there again"
)

// A record of a seal is the hash of table and key, the number of the event and of
// the seal in it, the part, what became of it, leaf and salt. That of a row is the
// hash, the part and the digest of its content.
const (
	markSize  = 16
	sealSize  = markSize + 8 + 4 + 1 + 1 + ledger.LeafSize + ledger.SaltSize
	rowSize   = markSize + 1 + sha256.Size
	mostWrong = 100

	wholeRow = 0xff // stands for a part where the row has none beside its key, or is gone
)

// What became of a part of a row.
const (
	partWritten = iota
	partFound
	partGone
)

func markOf(table, key string) [markSize]byte {
	sum := sha256.Sum256([]byte(table + "\x00" + key))
	return [markSize]byte(sum[:markSize])
}

// sealedPart is what a seal says of a part of a row.
type sealedPart struct {
	part, became byte
	leaf         [ledger.LeafSize]byte
	salt         [ledger.SaltSize]byte
}

func (p sealedPart) agrees(content [sha256.Size]byte) bool {
	return ledger.Leaf(p.salt, content) == p.leaf
}

// partsOf takes a seal apart.
func partsOf(seal ledger.Seal, found bool) []sealedPart {
	if seal.Gone {
		return []sealedPart{{part: wholeRow, became: partGone}}
	}
	became := byte(btoi(found))
	if seal.Parts == 0 {
		return []sealedPart{{part: wholeRow, became: became}}
	}
	parts := make([]sealedPart, 0, len(seal.Leaves))
	for part := byte(0); seal.Parts>>part != 0; part++ {
		if seal.Parts&(1<<part) != 0 {
			parts = append(parts, sealedPart{part, became, seal.Leaves[len(parts)], seal.Salts[len(parts)]})
		}
	}
	return parts
}

// sealedRow is what the history says of a row.
type sealedRow struct {
	there, gone, found bool
	parts              []sealedPart // the newest of each
}

// take goes on with the next seal of the row, and reports whether it says something
// new. One that says how a row was found never takes the place of another: else
// whoever changes a row and has it found again would be believed.
func (r *sealedRow) take(p sealedPart) bool {
	i := slices.IndexFunc(r.parts, func(x sealedPart) bool { return x.part == p.part })
	switch {
	case p.became == partGone:
		*r = sealedRow{gone: true, parts: r.parts[:0]}
		return true
	case p.became == partFound && (r.gone || i >= 0):
		return false
	}
	r.there, r.gone, r.found = true, false, r.found || p.became == partFound
	if i >= 0 {
		r.parts[i] = p
	} else {
		r.parts = append(r.parts, p)
	}
	return true
}

// wrong says what is wrong with a row that stands in its table with so many parts,
// and nothing where all is right.
func (r *sealedRow) wrong(parts int, content func(part int) [sha256.Size]byte) string {
	if !r.there {
		if r.gone {
			return RowBack
		}
		return RowAdded
	}
	for part := range parts {
		i := slices.IndexFunc(r.parts, func(x sealedPart) bool { return int(x.part) == part })
		if i < 0 {
			return RowAdded
		}
		if !r.parts[i].agrees(content(part)) {
			return RowChanged
		}
	}
	return ""
}

// newer names the tables and columns ("table", "table.column") that came after rows
// were sealed. What stands in them when they come is sealed as it is found; what is
// found in others counts only where nothing was written yet.
var newer = map[string]bool{}

// finds decides which seals of rows that were found count.
type finds struct {
	wrote bool
	run   int64 // the first of the events on end that found rows
	last  int64
	first map[string]int64 // of each part, in which run it was found first; 0 where it was written
}

// counts returns the parts of a seal that count.
func (f *finds) counts(seq int64, found bool, seal ledger.Seal) uint64 {
	t, known := provenTable(seal.Table)
	if !known || seal.Gone {
		f.wrote = f.wrote || !found
		return seal.Parts
	}
	if found && seq > f.last+1 {
		f.run = seq
	}
	if found {
		f.last = seq
	}
	if f.first == nil {
		f.first = map[string]int64{}
	}
	counting := seal.Parts
	for part, columns := range t.parts {
		if seal.Parts&(1<<part) == 0 {
			continue
		}
		name := t.name + "." + columns[0]
		first, seen := f.first[name]
		if !seen {
			first = int64(btoi(found)) * f.run
			f.first[name] = first
		}
		if found && f.wrote && (!newer[t.name] && !newer[name] || first != f.run) {
			counting &^= 1 << part
		}
	}
	f.wrote = f.wrote || !found
	return counting
}

// parts are those of a seal that count.
func (f *finds) parts(seal ledger.Seal, counting uint64, found bool) []sealedPart {
	return slices.DeleteFunc(partsOf(seal, found), func(p sealedPart) bool {
		if p.part == wholeRow {
			return p.became == partFound && f.wrote && !newer[seal.Table]
		}
		return counting&(1<<p.part) == 0
	})
}

// ProveRows holds every row of every table that is proven against the last event
// that wrote it. It reads the history and each table once, and holds a bounded part
// of what it compares in memory. It returns Conflict where seals of an event were
// changed.
func (s *Store) ProveRows(ctx context.Context) (Proof, error) {
	var p Proof
	seals, rows := newSorter(sealSize), newSorter(rowSize)
	defer func() { _, _ = seals.close(), rows.close() }() // temporary files
	err := s.View(ctx, func(tx *Tx) error {               // at one moment, or what is written meanwhile looks wrong
		if err := tx.sealRecords(seals); err != nil {
			return err
		}
		for _, t := range provenTables() {
			if err := tx.eachProven(t, func(key string, values []any) error {
				p.Rows++
				mark := markOf(t.name, key)
				for part := range t.parts {
					content, err := t.contentOf(part, values)
					if err != nil {
						return err
					}
					if err := rows.add(append(append(slices.Clip(mark[:]), byte(part)), content[:]...)); err != nil { //nolint:gosec // few parts
						return err
					}
				}
				if len(t.parts) == 0 {
					return rows.add(append(append(mark[:], wholeRow), make([]byte, sha256.Size)...))
				}
				return nil
			}); err != nil {
				return err
			}
		}
		wrong, err := p.compare(seals, rows)
		if err != nil {
			return err
		}
		if p.Found > 0 {
			var at int64
			if err := tx.one([]any{&at}, `SELECT at FROM event WHERE kind = $1 ORDER BY seq LIMIT 1`, EventFound); err != nil {
				return err
			}
			p.Since = fromMicros(at)
		}
		if len(wrong) == 0 {
			return nil
		}
		return p.name(tx, wrong)
	})
	return p, fault.Wrap(err, "hold the rows against the history")
}

// sealRecords gives the sorter what every seal says.
func (tx *Tx) sealRecords(seals *sorter) error {
	return tx.eachSeal(func(seq int64, n int, mark [markSize]byte, p sealedPart) error {
		record := binary.BigEndian.AppendUint64(mark[:], uint64(seq)) //nolint:gosec // sequence numbers count from 1
		record = binary.BigEndian.AppendUint32(record, uint32(n))     //nolint:gosec // a place in a list
		record = append(record, p.part, p.became)
		return seals.add(append(append(record, p.leaf[:]...), p.salt[:]...))
	})
}

func readRecord(record []byte) (seq int64, n int, p sealedPart) {
	at := record[markSize:]
	p = sealedPart{part: at[12], became: at[13], leaf: [ledger.LeafSize]byte(at[14:]), salt: [ledger.SaltSize]byte(at[14+ledger.LeafSize:])}
	return int64(binary.BigEndian.Uint64(at)), int(binary.BigEndian.Uint32(at[8:])), p //nolint:gosec // as it was written
}

// sealsOf reads the seals of an event.
func sealsOf(seq int64, digest ledger.Digest, text, salts []byte) ([]ledger.Seal, error) {
	if digest == "" && len(text) == 0 {
		return nil, nil
	}
	var seals []ledger.Seal
	var err error
	if ledger.DigestOf(text) == digest {
		seals, err = ledger.DecodeSeals(text, salts)
	}
	if err != nil || seals == nil {
		return nil, fault.As(fault.Conflict, err, "What event %d says of rows was changed after it was written.", seq)
	}
	return seals, nil
}

// eachSeal calls f with what the history says of each part of each row, in order.
func (tx *Tx) eachSeal(f func(seq int64, n int, mark [markSize]byte, p sealedPart) error) error {
	var finds finds
	return tx.each(`SELECT seq, kind, row_digest, row_salts, row_seals FROM event WHERE row_digest <> '' ORDER BY seq`, nil, func(scan func(...any) error) error {
		var seq int64
		var kind string
		var digest ledger.Digest
		var salts, text []byte
		if err := scan(&seq, &kind, &digest, &salts, &text); err != nil {
			return err
		}
		seals, err := sealsOf(seq, digest, text, salts)
		if err != nil {
			return err
		}
		for n, seal := range seals {
			counting := finds.counts(seq, kind == EventFound, seal)
			for _, p := range finds.parts(seal, counting, kind == EventFound) {
				if err := f(seq, n, markOf(seal.Table, seal.Key), p); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// eachProven calls f with key and values of every row of a table. The values are
// another row's afterwards.
func (tx *Tx) eachProven(t proven, f func(key string, values []any) error) error {
	values, dest := slots(len(t.all()))
	return tx.each(`SELECT `+quoted(t.all())+` FROM "`+t.name+`"`, nil, func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return err
		}
		key, err := t.keyOf(values)
		if err != nil {
			return err
		}
		return f(key, values)
	})
}

// compare goes through seals and rows in the same order, and returns the marks of
// the rows that do not agree, and why.
func (p *Proof) compare(seals, rows *sorter) (map[[markSize]byte]string, error) {
	wrong := map[[markSize]byte]string{}
	nextSeal, err := seals.read()
	if err != nil {
		return nil, err
	}
	nextRow, err := rows.read()
	if err != nil {
		return nil, err
	}
	note := func(mark [markSize]byte, why string) {
		switch {
		case why == "":
		case len(wrong) < mostWrong:
			wrong[mark] = why
		default:
			p.More++
		}
	}
	seal, err := nextSeal()
	if err != nil {
		return nil, err
	}
	row, err := nextRow()
	var known sealedRow
	var contents [][sha256.Size]byte
	for err == nil && (seal != nil || row != nil) {
		mark := markSooner(seal, row)
		known = sealedRow{parts: known.parts[:0]}
		for ; err == nil && seal != nil && bytes.Equal(seal[:markSize], mark[:]); seal, err = nextSeal() {
			_, _, part := readRecord(seal)
			known.take(part)
		}
		contents = contents[:0]
		stands, parts := 0, 0
		for ; err == nil && row != nil && bytes.Equal(row[:markSize], mark[:]); row, err = nextRow() {
			if part := row[markSize]; part == wholeRow || part == 0 {
				stands++
			}
			if row[markSize] != wholeRow {
				parts++
				contents = append(contents, [sha256.Size]byte(row[markSize+1:]))
			}
		}
		switch {
		case err != nil:
		case stands > 1: // a second row of the same key, where somebody took the key's index away
			note(mark, RowAdded)
		case stands == 1:
			note(mark, known.wrong(parts, func(part int) [sha256.Size]byte { return contents[part] }))
			p.Found += int64(btoi(known.found))
		case known.there:
			note(mark, RowMissing)
		}
	}
	return wrong, err
}

// markSooner returns the mark that comes first.
func markSooner(seal, row []byte) [markSize]byte {
	if row == nil || seal != nil && bytes.Compare(seal[:markSize], row[:markSize]) < 0 {
		return [markSize]byte(seal)
	}
	return [markSize]byte(row)
}

// name finds out which rows the marks stand for.
func (p *Proof) name(tx *Tx, wrong map[[markSize]byte]string) error {
	named := func(table, key string) {
		mark := markOf(table, key)
		if why, ok := wrong[mark]; ok {
			delete(wrong, mark)
			p.Wrong = append(p.Wrong, WrongRow{Table: table, Key: key, Why: why})
		}
	}
	for _, t := range provenTables() {
		if err := tx.eachProven(t, func(key string, _ []any) error { named(t.name, key); return nil }); err != nil {
			return err
		}
	}
	if len(wrong) > 0 { // what is missing is known from the history alone
		if err := tx.eachSealedKey(named); err != nil {
			return err
		}
	}
	slices.SortFunc(p.Wrong, func(a, b WrongRow) int {
		return strings.Compare(a.Table+"\x00"+a.Key, b.Table+"\x00"+b.Key)
	})
	return nil
}

// eachSealedKey calls f with the table and key of every seal.
func (tx *Tx) eachSealedKey(f func(table, key string)) error {
	return tx.each(`SELECT row_salts, row_seals FROM event WHERE row_digest <> '' ORDER BY seq`, nil, func(scan func(...any) error) error {
		var salts, text []byte
		if err := scan(&salts, &text); err != nil {
			return err
		}
		seals, err := ledger.DecodeSeals(text, salts)
		for _, seal := range seals {
			f(seal.Table, seal.Key)
		}
		return err
	})
}
