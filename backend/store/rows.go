package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/bits"
	"slices"
	"strconv"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// What a transaction writes into a table that is proven (see rows_tables.go) is
// sealed: each row, as the database gave it back, is digested, and the last event
// of the transaction commits to the digests. Nobody has to think of it: the
// statements themselves are asked what they wrote. A transaction that records no
// event gets one of its own.

// EventRows is the kind of the event of a transaction that wrote rows and recorded
// nothing else; EventFound that of rows which were there before any was sealed.
const (
	EventRows  = "rows.written"
	EventFound = "rows.found"
)

// findRowDigest looks whether events of this database commit to rows.
func (s *Store) findRowDigest(ctx context.Context) error {
	tables, err := readTables(ctx, s.dialect, s.writes)
	if err != nil {
		return err
	}
	s.rowDigest = `''`
	for _, t := range tables {
		if t.name == "event" && slices.Contains(t.names(), "row_digest") {
			s.rowDigest = `row_digest`
		}
	}
	return nil
}

// SealsRows reports whether events of this database commit to rows.
func (s *Store) SealsRows() bool { return s.rowDigest != `''` }

// sealing carries out a statement that writes rows which are sealed. It reads the
// first of them into dest, where the statement returned something before, and
// returns how many there were.
func (tx *Tx) sealing(sh *shape, args, dest []any) (int64, error) {
	before, err := tx.rowsBefore(sh, args)
	if err != nil {
		return 0, err
	}
	rows, err := tx.session.query(tx.ctx, sh.query, args)
	if err != nil {
		return 0, tx.store.translate(err)
	}
	defer func() { _ = rows.Close() }()
	values, into := slots(sh.width())
	n := int64(0)
	for rows.Next() {
		if dest != nil && n > 0 {
			return n, fault.New(fault.Internal, "a statement that returns the row it wrote wrote several: %.80q", sh.query)
		}
		if err := rows.Scan(slices.Concat(dest, into)...); err != nil {
			return n, tx.store.translate(err)
		}
		if err := tx.seal(sh, values, before); err != nil {
			return n, err
		}
		n++
	}
	return n, tx.store.translate(rows.Err())
}

// rowsBefore reads the rows that a statement is about to change, by their keys. Only
// what it changes is sealed: a value that somebody else put into the row stays
// without a seal, however often the program writes the row back as it read it.
func (tx *Tx) rowsBefore(sh *shape, args []any) (map[string][]any, error) {
	if sh.before == "" {
		return nil, nil
	}
	given := make([]any, len(sh.beforeArgs))
	for i, n := range sh.beforeArgs {
		if n > len(args) {
			return nil, fault.New(fault.Internal, "a statement has no argument %d: %.80q", n, sh.query)
		}
		given[i] = args[n-1]
	}
	rows, err := tx.session.query(tx.ctx, sh.before, given)
	if err != nil {
		return nil, tx.store.translate(err)
	}
	defer func() { _ = rows.Close() }()
	found := map[string][]any{}
	values, into := slots(sh.width())
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, tx.store.translate(err)
		}
		key, err := sh.table.keyOf(values)
		if err != nil {
			return nil, err
		}
		found[key] = slices.Clone(values)
	}
	return found, tx.store.translate(rows.Err())
}

func slots(n int) (values, dest []any) {
	values, dest = make([]any, n), make([]any, n)
	for i := range values {
		dest[i] = &values[i]
	}
	return values, dest
}

// seal notes how a statement left a row.
func (tx *Tx) seal(sh *shape, values []any, before map[string][]any) error {
	key, err := sh.table.keyOf(values)
	if err != nil {
		return err
	}
	s := ledger.Seal{Table: sh.table.name, Key: key, Gone: sh.deletes}
	if sh.before != "" {
		old, there := before[key]
		if !there {
			return fault.New(fault.Internal, "a statement changed a row that it did not find before: %.80q", sh.query)
		}
		if s.Parts = sh.table.differ(old, values); s.Parts == 0 {
			return nil
		}
	} else if !sh.deletes {
		s.Parts = sh.parts
	}
	if err := sh.table.fill(&s, values); err != nil {
		return err
	}
	tx.seals = append(tx.seals, s)
	return nil
}

// fill gives a seal the leaves of the parts that it has.
func (t proven) fill(s *ledger.Seal, values []any) error {
	if s.Parts == 0 {
		return nil
	}
	n := bits.OnesCount64(s.Parts)
	s.Leaves, s.Salts = make([][ledger.LeafSize]byte, 0, n), make([][ledger.SaltSize]byte, n)
	for i := range s.Salts {
		_, _ = rand.Read(s.Salts[i][:]) // crypto/rand never fails
	}
	for part := range t.parts {
		if s.Parts&(1<<part) == 0 {
			continue
		}
		content, err := t.contentOf(part, values)
		if err != nil {
			return err
		}
		s.Leaves = append(s.Leaves, ledger.Leaf(s.Salts[len(s.Leaves)], content))
	}
	return nil
}

// differ returns the parts in which two states of a row are not the same.
func (t proven) differ(old, values []any) (parts uint64) {
	at := len(t.key)
	for part, columns := range t.parts {
		for i := at; i < at+len(columns); i++ {
			if !same(plain(old[i]), plain(values[i])) {
				parts |= 1 << part
			}
		}
		at += len(columns)
	}
	return parts
}

func same(a, b any) bool {
	x, ok := a.([]byte)
	y, also := b.([]byte)
	if ok && also {
		return bytes.Equal(x, y)
	}
	return ok == also && a == b
}

// keyOf writes the key of a row, whose values begin with it.
func (t proven) keyOf(values []any) (string, error) {
	line := []byte{'['}
	for i, v := range values[:len(t.key)] {
		if i > 0 {
			line = append(line, ',')
		}
		var err error
		if line, err = appendValue(line, plain(v)); err != nil {
			return "", err
		}
	}
	line = append(line, ']')
	if t.hides {
		return `["` + ledger.DigestOf(line).Hex()[:32] + `"]`, nil
	}
	return string(line), nil
}

// contentOf digests the values of a part of a row, the same in either database.
// Values begin with the key.
func (t proven) contentOf(part int, values []any) ([sha256.Size]byte, error) {
	text := make([]byte, 0, 512)
	text = appendPiece(text, 't', t.name)
	at := len(t.key)
	for _, columns := range t.parts[:part] {
		at += len(columns)
	}
	for _, name := range t.parts[part] {
		text = appendPiece(text, 'c', name)
	}
	for i := range len(t.key) + len(t.parts[part]) {
		value := values[min(i, len(values)-1)]
		if i >= len(t.key) {
			value = values[at+i-len(t.key)]
		}
		switch v := plain(value).(type) {
		case nil:
			text = appendPiece(text, 'n', "")
		case int64:
			text = appendPiece(text, 'i', strconv.FormatInt(v, 10))
		case float64:
			text = appendPiece(text, 'f', strconv.FormatFloat(v, 'g', -1, 64))
		case string:
			text = appendPiece(text, 's', v)
		case []byte:
			text = appendPiece(text, 'b', string(v))
		default:
			return [sha256.Size]byte{}, fmt.Errorf("a value of the type %T cannot be sealed", value)
		}
	}
	return sha256.Sum256(text), nil
}

// appendPiece writes a text with its kind and length, so that no two lists of
// values are written alike.
func appendPiece(to []byte, kind byte, text string) []byte {
	to = append(strconv.AppendInt(append(to, kind), int64(len(text)), 10), ':')
	return append(to, text...)
}

// plain is a value without what only one of the databases knows.
func plain(value any) any {
	switch v := value.(type) {
	case bool:
		return int64(btoi(v))
	case int32:
		return int64(v)
	case int16:
		return int64(v)
	case float32:
		return float64(v)
	}
	return value
}

// pendingEvent is an event that waits for what else its transaction writes.
type pendingEvent struct {
	entry   ledger.Entry
	payload []byte
}

// settle appends the event that waits, with the seals of what was written so far.
func (tx *Tx) settle() error {
	if tx.pending == nil {
		return nil
	}
	p, seals := tx.pending, tx.seals
	tx.pending, tx.seals = nil, nil
	return tx.append(p.entry, p.payload, seals)
}

// finish ends a transaction that went well: what waits is written.
func (tx *Tx) finish() error {
	if tx.session.returns {
		if err := tx.session.flush(tx.ctx); err != nil {
			return tx.store.translate(err)
		}
	}
	if tx.pending == nil && len(tx.seals) > 0 {
		if err := tx.Record(ledger.Entry{Actor: ledger.System(), Kind: EventRows, Subject: ledger.Subject{Kind: "history"}, Payload: map[string]int{"rows": len(tx.seals)}}); err != nil {
			return err
		}
	}
	return tx.settle()
}
