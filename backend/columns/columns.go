// Package columns reads and writes Parquet and is the only user of Arrow.
//
// What we write is the same to the byte on every machine: plain encoding except
// for the columns declared as dictionaries, one row group per 65,536 rows, no
// creation time. Files of our own making are read with Open; a file from
// outside is read with NewReader, and only in the ingest child, because the
// decoder can be made to eat the machine.
package columns

import (
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// GroupRows is how many rows stand in each row group but the last.
const GroupRows = 65536

// Kind is what a column holds.
type Kind string

// The kinds. None of our columns has nulls.
const (
	Text       Kind = "text"       // []string
	Dictionary Kind = "dictionary" // []string with few different values
	Integer    Kind = "integer"    // []int64
	Float      Kind = "float"      // []float64
)

// Column declares a column.
type Column struct {
	Name string
	Kind Kind
}

// Writer writes rows that arrive column by column, in pieces of any length.
type Writer struct {
	out     *file.Writer
	columns []Column
	texts   [][]parquet.ByteArray
	ints    [][]int64
	floats  [][]float64
	rows    int // buffered
}

// NewWriter begins a file. meta is kept in its footer in the order given, as
// pairs of key and value.
func NewWriter(w io.Writer, columns []Column, meta ...string) (*Writer, error) {
	fields := make(schema.FieldList, len(columns))
	props := []parquet.WriterProperty{
		parquet.WithDictionaryDefault(false), parquet.WithCompression(compress.Codecs.Snappy), parquet.WithStats(false),
		parquet.WithCreatedBy("adjudge"), parquet.WithVersion(parquet.V2_LATEST), parquet.WithMaxRowGroupLength(GroupRows),
	}
	for i, c := range columns {
		var err error
		switch c.Kind {
		case Text, Dictionary:
			fields[i], err = schema.NewPrimitiveNodeLogical(c.Name, parquet.Repetitions.Required, schema.StringLogicalType{}, parquet.Types.ByteArray, -1, -1)
			props = append(props, parquet.WithDictionaryFor(c.Name, c.Kind == Dictionary))
		case Integer:
			fields[i], err = schema.NewPrimitiveNode(c.Name, parquet.Repetitions.Required, parquet.Types.Int64, -1, -1)
		case Float:
			fields[i], err = schema.NewPrimitiveNode(c.Name, parquet.Repetitions.Required, parquet.Types.Double, -1, -1)
		default:
			err = fmt.Errorf("no such kind %q", c.Kind)
		}
		if err != nil {
			return nil, fmt.Errorf("declare column %q: %w", c.Name, err)
		}
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, fmt.Errorf("declare columns: %w", err)
	}
	kept := metadata.NewKeyValueMetadata()
	for i := 0; i+1 < len(meta); i += 2 {
		if err := kept.Append(meta[i], meta[i+1]); err != nil {
			return nil, fmt.Errorf("keep %q in a parquet footer: %w", meta[i], err)
		}
	}
	return &Writer{
		out:     file.NewParquetWriter(w, root, file.WithWriterProps(parquet.NewWriterProperties(props...)), file.WithWriteMetadata(kept)),
		columns: columns, texts: make([][]parquet.ByteArray, len(columns)), ints: make([][]int64, len(columns)), floats: make([][]float64, len(columns)),
	}, nil
}

// Write appends rows: one slice per column, of its kind and all of one length.
func (w *Writer) Write(data ...any) error {
	if len(data) != len(w.columns) {
		return fmt.Errorf("write parquet: %d columns given, %d declared", len(data), len(w.columns))
	}
	rows := -1
	for i, d := range data {
		n := -1
		switch d := d.(type) {
		case []string:
			if k := w.columns[i].Kind; k == Text || k == Dictionary {
				n = len(d)
			}
		case []int64:
			if w.columns[i].Kind == Integer {
				n = len(d)
			}
		case []float64:
			if w.columns[i].Kind == Float {
				n = len(d)
			}
		}
		if n < 0 || rows >= 0 && n != rows {
			return fmt.Errorf("write parquet: column %q has another kind or length than declared", w.columns[i].Name)
		}
		rows = n
	}
	for from := 0; from < rows; {
		to := min(rows, from+GroupRows-w.rows)
		for i, d := range data {
			switch d := d.(type) {
			case []string:
				for _, s := range d[from:to] {
					w.texts[i] = append(w.texts[i], parquet.ByteArray(s))
				}
			case []int64:
				w.ints[i] = append(w.ints[i], d[from:to]...)
			case []float64:
				w.floats[i] = append(w.floats[i], d[from:to]...)
			}
		}
		w.rows += to - from
		from = to
		if w.rows == GroupRows {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes the buffered rows as one row group.
func (w *Writer) flush() (err error) {
	defer contain(&err)
	group := w.out.AppendRowGroup()
	for i := range w.columns {
		column, err := group.NextColumn()
		if err != nil {
			return fmt.Errorf("write parquet column %q: %w", w.columns[i].Name, err)
		}
		switch c := column.(type) {
		case *file.ByteArrayColumnChunkWriter:
			_, err = c.WriteBatch(w.texts[i], nil, nil)
		case *file.Int64ColumnChunkWriter:
			_, err = c.WriteBatch(w.ints[i], nil, nil)
		case *file.Float64ColumnChunkWriter:
			_, err = c.WriteBatch(w.floats[i], nil, nil)
		}
		if err == nil {
			err = column.Close()
		}
		if err != nil {
			return fmt.Errorf("write parquet column %q: %w", w.columns[i].Name, err)
		}
		w.texts[i], w.ints[i], w.floats[i] = w.texts[i][:0], w.ints[i][:0], w.floats[i][:0]
	}
	w.rows = 0
	if err := group.Close(); err != nil {
		return fmt.Errorf("write parquet rows: %w", err)
	}
	return nil
}

// Close writes what is buffered and the footer. It does not close what it
// writes to.
func (w *Writer) Close() (err error) {
	if w.rows > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	defer contain(&err)
	if err := w.out.Close(); err != nil {
		return fmt.Errorf("finish parquet: %w", err)
	}
	return nil
}

// contain turns a panic of the library into an error.
func contain(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("parquet: %v", p)
	}
}
