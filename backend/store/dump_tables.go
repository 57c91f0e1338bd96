package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/pressly/goose/v3/database"
)

// querier is a connection or a transaction.
type querier = database.DBTxConn

// derived are tables that are not copied: what they hold follows from others, and
// the two databases keep it in ways of their own; or it concerns the servers that
// run now.
var derived = []string{"goose_db_version", "server", "item_words", "item_terms", "item_indexed"}

// kindOf is how a column's values are written in a copy.
type kindOf string

const (
	kindInt   kindOf = "integer" // also a boolean, as 0 or 1
	kindFloat kindOf = "float"
	kindText  kindOf = "text"
	kindBytes kindOf = "bytes"
)

// tableInfo is what a copy must know of a table.
type tableInfo struct {
	name    string
	columns []columnInfo // by name, for migrations leave them in another order in each database
	refs    []string     // tables that its rows refer to
}

type columnInfo struct {
	name     string
	kind     kindOf
	boolean  bool // PostgreSQL wants true and false
	key      int  // its place in the primary key, from 1
	identity bool // the database counts it up
}

// key lists the columns that order the rows: the primary key, or all.
func (t tableInfo) key() []string {
	var in []columnInfo
	for _, c := range t.columns {
		if c.key > 0 {
			in = append(in, c)
		}
	}
	if len(in) == 0 {
		in = t.columns
	}
	slices.SortStableFunc(in, func(a, b columnInfo) int { return cmp.Compare(a.key, b.key) })
	var names []string
	for _, c := range in {
		names = append(names, c.name)
	}
	return names
}

func (t tableInfo) names() []string {
	var names []string
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return names
}

func (t tableInfo) identity() string {
	for _, c := range t.columns {
		if c.identity {
			return c.name
		}
	}
	return ""
}

func quoted(names []string) string {
	var out []string
	for _, name := range names {
		out = append(out, `"`+name+`"`)
	}
	return strings.Join(out, ", ")
}

func hasTable(ctx context.Context, d dialect, q querier, name string) (bool, error) {
	query := `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = $1`
	if d.name() == "postgres" {
		query = `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1`
	}
	var n int
	if err := q.QueryRowContext(ctx, query, name).Scan(&n); err != nil {
		return false, fmt.Errorf("look for the table %s: %w", name, err)
	}
	return n > 0, nil
}

const sqliteColumns = `SELECT t.name, c.name, c.type, c.pk, instr(m.sql, 'AUTOINCREMENT') > 0 AND c.pk = 1
	FROM pragma_table_list t JOIN pragma_table_info(t.name) c JOIN sqlite_schema m ON m.name = t.name AND m.type = 'table'
	WHERE t.schema = 'main' AND t.type = 'table' ORDER BY t.name, c.name`

const sqliteRefs = `SELECT t.name, f."table" FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f WHERE t.schema = 'main' AND t.type = 'table'`

const postgresColumns = `SELECT c.table_name, c.column_name, c.data_type, COALESCE((
		SELECT k.ordinal_position FROM information_schema.key_column_usage k JOIN information_schema.table_constraints p
			ON p.constraint_schema = k.constraint_schema AND p.constraint_name = k.constraint_name AND p.table_name = k.table_name
		WHERE p.constraint_type = 'PRIMARY KEY' AND k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name), 0),
		c.is_identity = 'YES'
	FROM information_schema.columns c JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
	WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
	ORDER BY c.table_name COLLATE "C", c.column_name COLLATE "C"`

const postgresRefs = `SELECT f.relname, t.relname FROM pg_constraint c JOIN pg_class f ON f.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid
	WHERE c.contype = 'f' AND f.relnamespace = current_schema()::regnamespace`

// readTables describes every table that is copied, those first that others
// refer to.
func readTables(ctx context.Context, d dialect, q querier) ([]tableInfo, error) {
	columns, refs := sqliteColumns, sqliteRefs
	if d.name() == "postgres" {
		columns, refs = postgresColumns, postgresRefs
	}
	var tables []tableInfo
	err := eachRow(ctx, q, columns, nil, func(scan func(...any) error) error {
		var table, kind string
		var c columnInfo
		if err := scan(&table, &c.name, &kind, &c.key, &c.identity); err != nil {
			return err
		}
		if slices.Contains(derived, table) || strings.HasPrefix(table, "sqlite_") {
			return nil
		}
		switch strings.ToLower(kind) {
		case "integer", "bigint":
			c.kind = kindInt
		case "boolean":
			c.kind, c.boolean = kindInt, true
		case "real", "double precision":
			c.kind = kindFloat
		case "text":
			c.kind = kindText
		case "blob", "bytea":
			c.kind = kindBytes
		default:
			return fmt.Errorf("column %s of %s has the type %s, which a copy cannot carry", c.name, table, kind)
		}
		if len(tables) == 0 || tables[len(tables)-1].name != table {
			tables = append(tables, tableInfo{name: table})
		}
		last := &tables[len(tables)-1]
		last.columns = append(last.columns, c)
		return nil
	})
	if err == nil {
		err = eachRow(ctx, q, refs, nil, func(scan func(...any) error) error {
			var from, to string
			if err := scan(&from, &to); err != nil {
				return err
			}
			if i := slices.IndexFunc(tables, func(t tableInfo) bool { return t.name == from }); i >= 0 && from != to {
				tables[i].refs = append(tables[i].refs, to)
			}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return inOrder(tables)
}

// inOrder puts a table behind those that its rows refer to.
func inOrder(tables []tableInfo) ([]tableInfo, error) {
	var order []tableInfo
	for len(order) < len(tables) {
		before := len(order)
		for _, t := range tables {
			placed := func(name string) bool {
				return slices.ContainsFunc(order, func(o tableInfo) bool { return o.name == name })
			}
			if !placed(t.name) && !slices.ContainsFunc(t.refs, func(name string) bool { return !placed(name) }) {
				order = append(order, t)
			}
		}
		if len(order) == before {
			return nil, fmt.Errorf("tables refer to each other in a circle")
		}
	}
	return order, nil
}

// sequenceOf returns the last number that the database gave to rows of a table.
func sequenceOf(ctx context.Context, d dialect, q querier, t tableInfo) (int64, error) {
	column := t.identity()
	if column == "" {
		return 0, nil
	}
	var last int64
	if d.name() == "sqlite" {
		return last, one(ctx, q, `SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = $1`, []any{t.name}, &last)
	}
	var name string
	if err := one(ctx, q, `SELECT pg_get_serial_sequence($1, $2)`, []any{`"` + t.name + `"`, column}, &name); err != nil {
		return 0, err
	}
	return last, one(ctx, q, `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM `+name, nil, &last)
}

// setSequence makes the database go on counting after a number.
func setSequence(ctx context.Context, d dialect, q querier, t tableInfo, last int64) error {
	column := t.identity()
	if column == "" || last == 0 {
		return nil
	}
	if d.name() == "postgres" {
		_, err := q.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence($1, $2), $3, TRUE)`, `"`+t.name+`"`, column, last)
		return err
	}
	if _, err := q.ExecContext(ctx, `DELETE FROM sqlite_sequence WHERE name = $1`, t.name); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)`, t.name, last)
	return err
}

func one(ctx context.Context, q querier, query string, args []any, dest ...any) error {
	return q.QueryRowContext(ctx, query, args...).Scan(dest...)
}

func eachRow(ctx context.Context, q querier, query string, args []any, row func(scan func(...any) error) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

var _ querier = (*sql.Tx)(nil)
