package columns

import (
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// Reader reads records from a Parquet file of unknown origin, column chunk by
// column chunk in the calling goroutine, a few thousand rows at a time. Nested
// columns are left out. It belongs into the ingest child.
type Reader struct {
	in      *file.Reader
	size    int64
	names   []string
	leaves  []int // column of the file behind each name
	logical []schema.LogicalType
	group   int
	left    int64 // rows of the group not yet read
	chunks  []func(n int) ([]labeling.Value, error)
	rows    [][]labeling.Value // by column
	at, n   int
	slice   int // rows to read at once
	texts   texts
	line    int64
	values  []labeling.Value
}

const (
	maxFooter  = 64 << 20
	maxColumns = 1000
	sliceRows  = 1024
	// A page may unpack to so many bytes, and the texts of one slice may have so
	// many: some kilobytes in a file can claim to be more than any machine has.
	maxPage  = 256 << 20
	maxSlice = 384 << 20
	// goodSlice is how many bytes of text one slice should have.
	goodSlice = 16 << 20
)

// pages refuses to make room for a page that is too large.
type pages struct{ memory.Allocator }

// Allocate implements memory.Allocator.
func (p pages) Allocate(size int) []byte {
	mustFit(size)
	return p.Allocator.Allocate(size)
}

// Reallocate implements memory.Allocator.
func (p pages) Reallocate(size int, b []byte) []byte {
	mustFit(size)
	return p.Allocator.Reallocate(size, b)
}

func mustFit(size int) {
	if size > maxPage {
		panic(fault.New(fault.TooLarge, "The Parquet file has a page that unpacks to %d MB; the most is %d. Write it with smaller pages or rows.", size>>20, maxPage>>20))
	}
}

// recovered is the error that a panic stands for.
func recovered(p any, format string, args ...any) error {
	if f, ok := p.(*fault.Error); ok {
		return f
	}
	return damaged(format+"%v", append(args, p)...)
}

// NewReader checks both ends of the file and reads its footer. It returns
// Invalid with the reason where that cannot be done.
func NewReader(in parquet.ReaderAtSeeker) (r *Reader, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p, "")
		}
	}()
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("size of parquet: %w", err)
	}
	var ends [12]byte
	if size == 0 {
		return nil, fault.New(fault.Invalid, "The file is empty.")
	}
	if size < 12 {
		return nil, damaged("%d bytes are too few", size)
	}
	if _, err := in.ReadAt(ends[:4], 0); err != nil {
		return nil, fmt.Errorf("read parquet: %w", err)
	}
	if _, err := in.ReadAt(ends[4:], size-8); err != nil {
		return nil, fmt.Errorf("read parquet: %w", err)
	}
	if string(ends[:4]) != "PAR1" || string(ends[8:]) != "PAR1" {
		return nil, damaged("it does not begin and end with PAR1")
	}
	footer := int64(ends[4]) | int64(ends[5])<<8 | int64(ends[6])<<16 | int64(ends[7])<<24
	if footer > maxFooter || footer > size-12 {
		return nil, damaged("its footer claims %d bytes", footer)
	}
	props := parquet.NewReaderProperties(pages{memory.NewGoAllocator()})
	props.BufferedStreamEnabled = true
	f, err := file.NewParquetReader(in, file.WithReadProps(props))
	if err != nil {
		return nil, damaged("%v", err)
	}
	r = &Reader{in: f, size: size, slice: 16} // little is known of its rows yet
	root := f.MetaData().Schema
	if root.NumColumns() > maxColumns {
		return nil, damaged("it has %d columns; the most is %d", root.NumColumns(), maxColumns)
	}
	for i := range root.NumColumns() {
		c := root.Column(i)
		if c.MaxRepetitionLevel() > 0 || c.MaxDefinitionLevel() > 1 || c.SchemaNode().Parent() == nil || c.SchemaNode().Parent().Parent() != nil {
			continue // nested
		}
		if labeling.CheckText(c.Name()) != nil {
			return nil, damaged("the name of column %d is no text", i+1)
		}
		r.names, r.leaves, r.logical = append(r.names, c.Name()), append(r.leaves, i), append(r.logical, c.LogicalType())
	}
	if len(r.names) == 0 {
		return nil, fault.New(fault.Invalid, "The Parquet file has no flat column.")
	}
	r.rows = make([][]labeling.Value, len(r.names))
	r.values = make([]labeling.Value, len(r.names))
	return r, nil
}

func damaged(format string, args ...any) error {
	return fault.New(fault.Invalid, "The Parquet file is damaged: %s.", fmt.Sprintf(format, args...))
}

// Columns returns the names of the flat columns.
func (r *Reader) Columns() []string { return r.names }

// Next returns the next row; Line is its number from 1. It returns a
// RecordError for a row that holds something that is no text, io.EOF after the
// last row and Invalid where the file is damaged.
func (r *Reader) Next() (rec labeling.Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p, "row %d: ", r.line+1)
		}
	}()
	for r.at == r.n {
		if err := r.fill(); err != nil {
			return labeling.Record{}, err
		}
	}
	r.line++
	size := 0
	for i := range r.names {
		v := r.rows[i][r.at]
		size += len(v.Text)
		r.values[i] = v
	}
	r.at++
	for i, v := range r.values {
		if err := labeling.CheckText(v.Text); err != nil {
			return labeling.Record{}, &labeling.RecordError{Line: r.line, Reason: fault.Say("column %s: %s", r.names[i], err)}
		}
	}
	if size > labeling.MaxRecord {
		return labeling.Record{}, &labeling.RecordError{Line: r.line, Reason: fault.Say("longer than %d MB", labeling.MaxRecord>>20)}
	}
	return labeling.Record{Line: r.line, Values: r.values}, nil
}

// fill reads the next rows of every column.
func (r *Reader) fill() error {
	for r.left == 0 {
		if r.group >= r.in.NumRowGroups() {
			return io.EOF
		}
		g := r.in.RowGroup(r.group)
		r.group++
		r.left = g.NumRows()
		if r.left < 0 {
			return damaged("row group %d has %d rows", r.group, r.left)
		}
		r.chunks = r.chunks[:0]
		for i, leaf := range r.leaves {
			c, err := g.Column(leaf)
			if err != nil {
				return damaged("column %s: %v", r.names[i], err)
			}
			read, err := valuesOf(c, r.logical[i], &r.texts)
			if err != nil {
				return err
			}
			r.chunks = append(r.chunks, read)
		}
	}
	n := int(min(r.left, int64(max(r.slice, 1))))
	r.texts.bytes = 0
	for i, read := range r.chunks {
		got, err := read(n)
		if err != nil {
			return damaged("column %s: %v", r.names[i], err)
		}
		if len(got) != n {
			return damaged("column %s ends early", r.names[i])
		}
		r.rows[i] = got
	}
	// As many rows as were of that size in a good slice.
	r.slice = min(sliceRows, max(1, goodSlice/max(1, r.texts.bytes/n)))
	r.left -= int64(n)
	r.at, r.n = 0, n
	return nil
}

// texts makes texts of bytes, and counts what they take.
type texts struct{ bytes int }

func (t *texts) took(n int) {
	if t.bytes += n; t.bytes > maxSlice {
		panic(fault.New(fault.TooLarge, "The Parquet file has rows of so many megabytes that they cannot be read. Is it a file of texts?"))
	}
}

// from returns the text of a column; one that repeats the last, as those of a
// dictionary do, takes no memory of its own.
func (t *texts) from() func(parquet.ByteArray) string {
	last := ""
	return func(v parquet.ByteArray) string {
		if last != string(v) {
			last = string(v)
			t.took(len(last))
		}
		return last
	}
}

// valuesOf returns a function that reads the next n values of a column chunk.
func valuesOf(c file.ColumnChunkReader, logical schema.LogicalType, t *texts) (func(int) ([]labeling.Value, error), error) {
	optional := c.Descriptor().MaxDefinitionLevel() > 0
	switch c := c.(type) {
	case *file.ByteArrayColumnChunkReader:
		return reading(optional, c.ReadBatch, t.from()), nil
	case *file.FixedLenByteArrayColumnChunkReader:
		return reading(optional, c.ReadBatch, func(v parquet.FixedLenByteArray) string {
			t.took(base64.StdEncoding.EncodedLen(len(v)))
			return base64.StdEncoding.EncodeToString(v)
		}), nil
	case *file.Int32ColumnChunkReader:
		if _, ok := logical.(schema.DateLogicalType); ok {
			return reading(optional, c.ReadBatch, func(v int32) string {
				return time.Unix(int64(v)*86400, 0).UTC().Format(time.DateOnly)
			}), nil
		}
		return reading(optional, c.ReadBatch, func(v int32) string { return strconv.FormatInt(int64(v), 10) }), nil
	case *file.Int64ColumnChunkReader:
		return reading(optional, c.ReadBatch, func(v int64) string { return strconv.FormatInt(v, 10) }), nil
	case *file.Float32ColumnChunkReader:
		return reading(optional, c.ReadBatch, func(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }), nil
	case *file.Float64ColumnChunkReader:
		return reading(optional, c.ReadBatch, func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }), nil
	case *file.BooleanColumnChunkReader:
		return reading(optional, c.ReadBatch, strconv.FormatBool), nil
	}
	return func(n int) ([]labeling.Value, error) { return make([]labeling.Value, n), nil }, nil // INT96 and whatever comes
}

func reading[T any](optional bool, read func(int64, []T, []int16, []int16) (int64, int, error), text func(T) string) func(int) ([]labeling.Value, error) {
	buf, levels := make([]T, sliceRows), make([]int16, sliceRows)
	out := make([]labeling.Value, 0, sliceRows)
	return func(n int) ([]labeling.Value, error) {
		out = out[:0]
		for len(out) < n {
			want := n - len(out)
			var defs []int16
			if optional {
				defs = levels[:want]
			}
			total, got, err := read(int64(want), buf[:want], defs, nil)
			if err != nil {
				return nil, err
			}
			if total <= 0 && got <= 0 {
				return out, nil
			}
			if int(total) > want || got > want {
				return nil, fmt.Errorf("more values than rows")
			}
			if !optional {
				for _, v := range buf[:got] {
					out = append(out, labeling.Value{Text: text(v), Present: true})
				}
				continue
			}
			next := 0
			for _, d := range defs[:total] {
				if d == 0 {
					out = append(out, labeling.Value{})
					continue
				}
				if next >= got {
					return nil, fmt.Errorf("fewer values than promised")
				}
				out = append(out, labeling.Value{Text: text(buf[next]), Present: true})
				next++
			}
		}
		return out, nil
	}
}
