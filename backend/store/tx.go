package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Tx is a transaction. It implements the Tx interface of every desk; each
// desk's methods stand in files of its own. It must not outlive the function it
// was given to, nor be used by two goroutines.
type Tx struct {
	store   *Store
	ctx     context.Context
	session *session
	writes  bool // in an Update

	head   ledger.Event // last event of the chain, once known
	events []ledger.Event
	work   bool

	pending *pendingEvent // waits for what else is written; see rows.go
	seals   []ledger.Seal // of rows that no event commits to yet
}

// Now returns the time of record of this transaction.
func (tx *Tx) Now() time.Time { return tx.store.Now() }

// exec runs a statement and returns how many rows it changed.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	if !tx.writes {
		return 0, fault.New(fault.Internal, "a write in a view")
	}
	if err := clean(args); err != nil {
		return 0, err
	}
	if err := tx.reachChain(query); err != nil {
		return 0, err
	}
	switch sh, err := tx.store.shapeOf(query); {
	case err != nil:
		return 0, err
	case sh != nil:
		return tx.sealing(sh, args, nil)
	}
	result, err := tx.session.exec(tx.ctx, query, args)
	if err != nil {
		return 0, tx.store.translate(err)
	}
	n, err := result.RowsAffected()
	return n, tx.store.translate(err)
}

// later runs a statement of which nobody needs to know how many rows it changed.
// Where it fails, this or a later statement of the transaction says so, at the
// latest its end.
func (tx *Tx) later(query string, args ...any) error {
	if !tx.writes {
		return fault.New(fault.Internal, "a write in a view")
	}
	if err := clean(args); err != nil {
		return err
	}
	sh, err := tx.store.shapeOf(query)
	if err != nil {
		return err
	}
	if sh == nil {
		return tx.store.translate(tx.session.later(tx.ctx, query, args, nil))
	}
	if !tx.store.dialect.pipelines() || sh.before != "" {
		_, err := tx.sealing(sh, args, nil)
		return err
	}
	return tx.store.translate(tx.session.later(tx.ctx, sh.query, args, func(values []any) error { return tx.seal(sh, values, nil) }))
}

// reachChain writes the event that waits before a statement that looks at the chain.
func (tx *Tx) reachChain(query string) error {
	if tx.pending == nil || !strings.Contains(query, "event") {
		return nil
	}
	return tx.settle()
}

// query starts reading rows.
func (tx *Tx) query(query string, args ...any) (*sql.Rows, error) {
	if err := clean(args); err != nil {
		return nil, err
	}
	if tx.writes {
		if sh, err := tx.store.shapeOf(query); err != nil || sh != nil {
			return nil, cmp.Or(err, errUnsealed(query))
		}
		if err := tx.reachChain(query); err != nil {
			return nil, err
		}
	}
	return tx.session.query(tx.ctx, query, args)
}

// one reads the first row into dest. It returns NotFound when there is none.
func (tx *Tx) one(dest []any, query string, args ...any) error {
	if tx.writes {
		if sh, err := tx.store.shapeOf(query); err != nil {
			return err
		} else if sh != nil {
			return tx.oneSealed(sh, dest, args)
		}
	}
	rows, err := tx.query(query, args...)
	if err != nil {
		return tx.store.translate(err)
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return tx.store.translate(err)
		}
		return fault.New(fault.NotFound, "There is no such thing.")
	}
	if err := rows.Scan(dest...); err != nil {
		return tx.store.translate(err)
	}
	return tx.store.translate(rows.Close())
}

// oneSealed is one for a statement that writes a row which is sealed.
func (tx *Tx) oneSealed(sh *shape, dest []any, args []any) error {
	if err := clean(args); err != nil {
		return err
	}
	n, err := tx.sealing(sh, args, dest)
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "There is no such thing.")
	}
	return err
}

// each calls row for every row of the result; row calls scan once. The result
// is read to the end before another statement may run, so row only collects.
func (tx *Tx) each(query string, args []any, row func(scan func(dest ...any) error) error) error {
	rows, err := tx.query(query, args...)
	if err != nil {
		return tx.store.translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return tx.store.translate(err)
		}
	}
	return tx.store.translate(rows.Err())
}

// purse is how many bytes of texts a list may still read.
type purse struct {
	left int
	cut  bool // a row was there that was not read
}

// newPurse holds what one page of a list may read.
func newPurse() *purse { return &purse{left: ledger.MostRead} }

// some is each for rows that hold long texts. It reads them one at a time and
// stops when the purse is empty, so that a list of a few hundred rows cannot fill
// the memory; the first row of a purse is always read. Whoever walks on asks again
// after the last row, until none comes. Without a purse there is no bound.
func (tx *Tx) some(p *purse, query string, args []any, row func(scan func(dest ...any) error) error) error {
	if p == nil {
		return tx.each(query, args, row)
	}
	rows, err := tx.query(query, args...)
	if err != nil {
		return tx.store.translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if p.left <= 0 {
			p.cut = true
			return tx.store.translate(rows.Close())
		}
		if err := row(func(dest ...any) error {
			err := rows.Scan(dest...)
			for _, d := range dest {
				p.left -= sizeOf(d)
			}
			return err
		}); err != nil {
			return tx.store.translate(err)
		}
	}
	return tx.store.translate(rows.Err())
}

// sizeOf is how many bytes of text were scanned into a variable.
func sizeOf(dest any) int {
	switch v := reflect.Indirect(reflect.ValueOf(dest)); v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Slice:
		return v.Len()
	default:
		return 8
	}
}

// exists reports whether the query has a row.
func (tx *Tx) exists(query string, args ...any) (bool, error) {
	var ignored any
	switch err := tx.one([]any{&ignored}, query, args...); {
	case err == nil:
		return true, nil
	case fault.Is(err, fault.NotFound):
		return false, nil
	default:
		return false, err
	}
}

// clean stops text that one of the databases cannot hold: NUL and broken UTF-8.
func clean(args []any) error {
	for _, arg := range args {
		if text, ok := arg.(string); ok && (strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)) {
			return fault.New(fault.Invalid, "A text holds a NUL character or broken UTF-8: %.40q. Remove it and try again.", text)
		}
	}
	return nil
}

// translate gives a driver's error the kind that callers act on.
func (s *Store) translate(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, known := errors.AsType[*fault.Error](err); known {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		return fault.As(fault.NotFound, err, "There is no such thing.")
	}
	return s.dialect.translate(err)
}

// micros is how times are stored: microseconds since 1970 UTC, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros reads a stored time.
func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
