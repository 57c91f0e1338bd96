package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/ledger"
)

// Dump says what a copy of a database holds. The rows stand beside it, a file of
// JSON lines for each table, the same bytes from either database: a line is the
// array of a row's values in the order of the columns, lines are in the order of
// the primary key. Whole numbers, texts and null are JSON's own, a boolean is 0
// or 1, bytes are {"base64": "…"}.
type Dump struct {
	Schema []int64       `json:"schema"` // numbers of the migrations that were applied
	Events int64         `json:"events"` // how long the history is
	Head   ledger.Digest `json:"head"`   // hash of its last event
	Tables []DumpTable   `json:"tables"` // in the order in which they can be filled
}

// DumpTable is one table of a copy.
type DumpTable struct {
	Name     string        `json:"name"`
	Columns  []string      `json:"columns"`
	Rows     int64         `json:"rows"`
	Digest   ledger.Digest `json:"digest"`             // of the rows' file
	Sequence int64         `json:"sequence,omitempty"` // the last number that the database gave
}

// DumpOptions say where a copy goes.
type DumpOptions struct {
	// Begun, if set, is called once the moment that is copied is fixed.
	Begun func() error
	// Table opens where the rows of a table go.
	Table func(name string) (io.WriteCloser, error)
	// Progress, if set, hears how many rows of all tables are copied.
	Progress func(done, of int64)
}

// Dump copies every table as it is at one moment; others go on writing.
func (s *Store) Dump(ctx context.Context, o DumpOptions) (Dump, error) {
	var d Dump
	err := s.View(ctx, func(tx *Tx) error {
		d = Dump{}
		q := tx.session.conn
		var err error
		if d.Events, d.Head, err = headOf(ctx, q); err != nil {
			return err
		}
		if d.Schema, err = applied(ctx, s.dialect, q); err != nil {
			return err
		}
		if o.Begun != nil {
			if err := o.Begun(); err != nil {
				return err
			}
		}
		tables, err := readTables(ctx, s.dialect, q)
		if err != nil {
			return err
		}
		var all, done int64
		for _, t := range tables {
			var n int64
			if err := one(ctx, q, `SELECT COUNT(*) FROM "`+t.name+`"`, nil, &n); err != nil {
				return err
			}
			all += n
		}
		for _, t := range tables {
			out, err := o.Table(t.name)
			if err != nil {
				return err
			}
			table, err := dumpTable(ctx, s.dialect, q, t, out, func() {
				if done++; o.Progress != nil && done%1000 == 0 {
					o.Progress(done, all)
				}
			})
			if err = errors.Join(err, out.Close()); err != nil {
				return fmt.Errorf("copy the table %s: %w", t.name, err)
			}
			d.Tables = append(d.Tables, table)
		}
		return nil
	})
	return d, err
}

// headOf returns the number and the hash of the last event.
func headOf(ctx context.Context, q querier) (length int64, head ledger.Digest, err error) {
	err = one(ctx, q, `SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1`, nil, &length, &head)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ledger.ZeroDigest, nil
	}
	return length, head, err
}

// dumpTable writes the rows of a table.
func dumpTable(ctx context.Context, d dialect, q querier, t tableInfo, out io.Writer, wrote func()) (DumpTable, error) {
	table := DumpTable{Name: t.name, Columns: t.names()}
	var err error
	if table.Sequence, err = sequenceOf(ctx, d, q, t); err != nil {
		return table, err
	}
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(out, sum), 1<<16)
	values := make([]any, len(t.columns))
	dest := make([]any, len(values))
	for i := range values {
		dest[i] = &values[i]
	}
	var line []byte
	err = eachRow(ctx, q, `SELECT `+quoted(table.Columns)+` FROM "`+t.name+`" ORDER BY `+quoted(t.key()), nil, func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return err
		}
		line = line[:0]
		for i, value := range values {
			line = append(line, ",["[btoi(i == 0)])
			if line, err = appendValue(line, value); err != nil {
				return fmt.Errorf("column %s: %w", t.columns[i].name, err)
			}
		}
		table.Rows++
		wrote()
		_, err := w.Write(append(line, "]\n"...))
		return err
	})
	if err == nil {
		err = w.Flush()
	}
	table.Digest = digestOf(sum)
	return table, err
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func digestOf(sum hash.Hash) ledger.Digest {
	return ledger.DigestFrom([sha256.Size]byte(sum.Sum(nil)))
}

// appendValue writes a value as a copy holds it.
func appendValue(line []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(line, "null"...), nil
	case int64:
		return strconv.AppendInt(line, v, 10), nil
	case bool:
		return strconv.AppendInt(line, int64(btoi(v)), 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(append(append(line, `{"float":"`...), strconv.FormatFloat(v, 'g', -1, 64)...), `"}`...), nil
		}
		return strconv.AppendFloat(line, v, 'g', -1, 64), nil
	case []byte:
		line = base64.StdEncoding.AppendEncode(append(line, `{"base64":"`...), v)
		return append(line, `"}`...), nil
	case string:
		return appendText(line, v)
	}
	return line, fmt.Errorf("a value of the type %T cannot be copied", value)
}

// appendText writes a JSON string; plain ASCII, which most texts are, quickly.
func appendText(line []byte, text string) ([]byte, error) {
	plain := true
	for i := 0; i < len(text) && plain; i++ {
		plain = text[i] >= ' ' && text[i] < utf8.RuneSelf && text[i] != '"' && text[i] != '\\' && text[i] != 0x7f
	}
	if plain {
		return append(append(append(line, '"'), text...), '"'), nil
	}
	if !utf8.ValidString(text) {
		return line, errors.New("the text is no UTF-8")
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return line, err
	}
	return append(line, bytes.TrimRight(b.Bytes(), "\n")...), nil
}

// readValue reads what appendValue wrote, for a column.
func readValue(raw any, c columnInfo) (any, error) {
	switch v := raw.(type) {
	case nil:
		return nil, nil
	case json.Number:
		if c.kind == kindFloat {
			return strconv.ParseFloat(v.String(), 64)
		}
		n, err := strconv.ParseInt(v.String(), 10, 64)
		if c.boolean {
			return n != 0, err
		}
		return n, err
	case string:
		return v, nil
	case map[string]any:
		if text, ok := v["base64"].(string); ok {
			return base64.StdEncoding.DecodeString(text)
		}
		if text, ok := v["float"].(string); ok {
			return strconv.ParseFloat(text, 64)
		}
	}
	return nil, fmt.Errorf("column %s holds what no copy holds", c.name)
}

// dumpInto copies the database into a directory that does not exist yet.
func (s *Store) dumpInto(ctx context.Context, dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	d, err := s.Dump(ctx, DumpOptions{Table: func(name string) (io.WriteCloser, error) {
		return os.OpenFile(filepath.Join(dir, name+".jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	}})
	if err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(struct {
		Format string `json:"format"`
		Dump
	}{"adjudge.database.v1", d}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "manifest.json"), manifest, 0o600)
}
