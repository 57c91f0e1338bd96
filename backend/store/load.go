package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
)

// LoadOptions say where a copy comes from.
type LoadOptions struct {
	// Table opens the rows of a table.
	Table func(name string) (io.ReadCloser, error)
	// Progress, if set, hears how many rows of all tables are loaded.
	Progress func(done, of int64)

	options Options
}

// Load fills an empty database with a copy, whichever database that was made
// from: it makes the schema that the copy had, writes the rows, reads them back
// and compares the digest of every table and the end of the history, all in one
// transaction. Opened afterwards, the database is upgraded as any other, which may
// add events. It returns Conflict when the database is not empty or what it holds
// afterwards differs from the copy.
func Load(ctx context.Context, address string, d Dump, o LoadOptions) error {
	s, err := dial(address, o.options)
	if err != nil {
		return err
	}
	defer func() { _ = s.closePools() }() // it was committed, or is to be forgotten
	files, err := readMigrations(migrations, s.dialect)
	if err != nil {
		return err
	}
	if err := refuseNewer(files, d.Schema); err != nil {
		return err
	}
	tx, err := s.writes.BeginTx(ctx, nil)
	if err != nil {
		return cannotOpen(address, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing where it was committed
	if there, err := readTables(ctx, s.dialect, tx); err != nil || len(there) > 0 {
		return errors.Join(err, fault.New(fault.Conflict, "The database %s is not empty. Name one that is new; nothing was changed.", redact(address)))
	}
	for _, m := range files {
		if slices.Contains(d.Schema, m.number) {
			if err := apply(ctx, s.dialect, tx, m); err != nil {
				return fmt.Errorf("make the schema of the copy: migration %s: %w", m.name, err)
			}
		}
	}
	if err := s.fill(ctx, tx, d, o); err != nil {
		return err
	}
	if length, head, err := headOf(ctx, tx); err != nil {
		return err
	} else if length != d.Events || head != d.Head {
		return fault.New(fault.Conflict, "The history ends with event %d (%s) after it was loaded instead of event %d (%s). Nothing was kept.",
			length, head, d.Events, d.Head)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keep the loaded rows: %w", s.translate(err))
	}
	tables := make([]string, len(d.Tables))
	for i, t := range d.Tables {
		tables[i] = `"` + t.Name + `"`
	}
	s.analyze(ctx, tables...)
	return nil
}

// fill writes the rows of every table and reads them back.
func (s *Store) fill(ctx context.Context, tx *sql.Tx, d Dump, o LoadOptions) error {
	tables, err := readTables(ctx, s.dialect, tx)
	if err != nil {
		return err
	}
	if len(tables) != len(d.Tables) {
		return fault.New(fault.Invalid, "The copy has %d tables, its schema has %d. It is not whole.", len(d.Tables), len(tables))
	}
	for _, t := range slices.Backward(tables) { // what migrations wrote
		if _, err := tx.ExecContext(ctx, `DELETE FROM "`+t.name+`"`); err != nil {
			return err
		}
	}
	var all, done int64
	for _, t := range d.Tables {
		all += t.Rows
	}
	for _, t := range tables {
		i := slices.IndexFunc(d.Tables, func(x DumpTable) bool { return x.Name == t.name })
		if i < 0 || !slices.Equal(d.Tables[i].Columns, t.names()) {
			return fault.New(fault.Invalid, "The copy's table %s is not the one of its schema. It is not whole.", t.name)
		}
		want := d.Tables[i]
		if err := s.fillTable(ctx, tx, t, want, o, func(n int) {
			if done += int64(n); o.Progress != nil {
				o.Progress(done, all)
			}
		}); err != nil {
			return fault.Wrap(s.translate(err), "load the table "+t.name)
		}
		got, err := dumpTable(ctx, s.dialect, tx, t, io.Discard, func() {})
		if err != nil {
			return err
		}
		if got.Digest != want.Digest || got.Rows != want.Rows {
			return fault.New(fault.Conflict, "The table %s differs from the copy after it was loaded: %d rows instead of %d, digest %s instead of %s. Nothing was kept.",
				t.name, got.Rows, want.Rows, got.Digest, want.Digest)
		}
	}
	return nil
}

func (s *Store) fillTable(ctx context.Context, tx *sql.Tx, t tableInfo, want DumpTable, o LoadOptions, loaded func(int)) error {
	in, err := o.Table(t.name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	sum := sha256.New()
	lines := bufio.NewReaderSize(io.TeeReader(in, sum), 1<<16)
	insert := newInserter(ctx, s.dialect, tx, t)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if err := insert.add(line); err != nil {
				return err
			}
			if insert.pending == 0 {
				loaded(insert.size)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := insert.flush(); err != nil {
		return err
	}
	if digestOf(sum) != want.Digest {
		return fault.New(fault.Conflict, "The file of the table %s was changed after the copy was made. Nothing was kept.", t.name)
	}
	return setSequence(ctx, s.dialect, tx, t, want.Sequence)
}

// inserter writes rows, several by a statement where that is quicker.
type inserter struct {
	ctx     context.Context
	tx      *sql.Tx
	table   tableInfo
	size    int // rows of a statement
	full    *sql.Stmt
	args    []any
	pending int

	postgres bool
}

func newInserter(ctx context.Context, d dialect, tx *sql.Tx, t tableInfo) *inserter {
	return &inserter{ctx: ctx, tx: tx, table: t, size: max(1, min(d.bulkRows(), 60000/len(t.columns))), postgres: d.name() == "postgres"}
}

func (i *inserter) query(rows int) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO "` + i.table.name + `" (` + quoted(i.table.names()) + `) `)
	if i.postgres && i.table.identity() != "" {
		b.WriteString("OVERRIDING SYSTEM VALUE ")
	}
	b.WriteString("VALUES ")
	n := 0
	for r := range rows {
		b.WriteString([]string{", (", "("}[btoi(r == 0)])
		for c := range i.table.columns {
			n++
			b.WriteString([]string{", $", "$"}[btoi(c == 0)] + strconv.Itoa(n))
		}
		b.WriteString(")")
	}
	return b.String()
}

func (i *inserter) add(line []byte) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var raw []any
	if err := dec.Decode(&raw); err != nil || len(raw) != len(i.table.columns) {
		return fault.As(fault.Invalid, err, "The copy's table %s has a line that is no row.", i.table.name)
	}
	for n, c := range i.table.columns {
		value, err := readValue(raw[n], c)
		if err != nil {
			return fault.As(fault.Invalid, err, "The copy's table %s has a line that is no row.", i.table.name)
		}
		i.args = append(i.args, value)
	}
	if i.pending++; i.pending < i.size {
		return nil
	}
	if i.full == nil {
		var err error
		if i.full, err = i.tx.PrepareContext(i.ctx, i.query(i.size)); err != nil {
			return err
		}
	}
	_, err := i.full.ExecContext(i.ctx, i.args...)
	i.args, i.pending = i.args[:0], 0
	return err
}

func (i *inserter) flush() error {
	var err error
	if i.pending > 0 {
		_, err = i.tx.ExecContext(i.ctx, i.query(i.pending), i.args...)
	}
	if i.full != nil {
		err = errors.Join(err, i.full.Close())
	}
	return err
}
