package columns

import (
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// File is a Parquet file that this product wrote, open for reading.
type File struct {
	in    *file.Reader
	index map[string]int
}

// Open reads the footer of a file that a Writer wrote.
func Open(in parquet.ReaderAtSeeker) (f *File, err error) {
	defer contain(&err)
	r, err := file.NewParquetReader(in, file.WithReadProps(parquet.NewReaderProperties(memory.NewGoAllocator())))
	if err != nil {
		return nil, fmt.Errorf("open parquet: %w", err)
	}
	f = &File{in: r, index: map[string]int{}}
	for i := range r.MetaData().Schema.NumColumns() {
		f.index[r.MetaData().Schema.Column(i).Name()] = i
	}
	return f, nil
}

// Rows returns how many rows the file has.
func (f *File) Rows() int64 { return f.in.NumRows() }

// Groups returns how many row groups the file has.
func (f *File) Groups() int { return f.in.NumRowGroups() }

// Meta returns what the footer keeps under a key, "" if nothing.
func (f *File) Meta(key string) string {
	value := f.in.MetaData().KeyValueMetadata().FindValue(key)
	if value == nil {
		return ""
	}
	return *value
}

// Texts reads a text or dictionary column of one row group.
func (f *File) Texts(group int, name string) (values []string, err error) {
	defer contain(&err)
	column, rows, err := f.chunk(group, name)
	if err != nil {
		return nil, err
	}
	c, ok := column.(*file.ByteArrayColumnChunkReader)
	if !ok {
		return nil, fmt.Errorf("parquet column %q holds no text", name)
	}
	values = make([]string, 0, rows)
	buf := make([]parquet.ByteArray, min(rows, 4096))
	var last parquet.ByteArray
	for len(values) < rows {
		_, n, err := c.ReadBatch(int64(min(len(buf), rows-len(values))), buf, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("read parquet column %q: %w", name, err)
		}
		if n == 0 {
			return nil, fmt.Errorf("read parquet column %q: %w", name, io.ErrUnexpectedEOF)
		}
		for _, b := range buf[:n] {
			// Neighbours that are equal share their string.
			if k := len(values); k > 0 && string(last) == string(b) {
				values = append(values, values[k-1])
			} else {
				values = append(values, string(b))
			}
			last = b
		}
	}
	return values, nil
}

// Integers reads an integer column of one row group.
func (f *File) Integers(group int, name string) (values []int64, err error) {
	defer contain(&err)
	column, rows, err := f.chunk(group, name)
	if err != nil {
		return nil, err
	}
	c, ok := column.(*file.Int64ColumnChunkReader)
	if !ok {
		return nil, fmt.Errorf("parquet column %q holds no integers", name)
	}
	return drain(rows, name, c.ReadBatch)
}

// Floats reads a float column of one row group.
func (f *File) Floats(group int, name string) (values []float64, err error) {
	defer contain(&err)
	column, rows, err := f.chunk(group, name)
	if err != nil {
		return nil, err
	}
	c, ok := column.(*file.Float64ColumnChunkReader)
	if !ok {
		return nil, fmt.Errorf("parquet column %q holds no floats", name)
	}
	return drain(rows, name, c.ReadBatch)
}

func (f *File) chunk(group int, name string) (file.ColumnChunkReader, int, error) {
	i, known := f.index[name]
	if !known {
		return nil, 0, fmt.Errorf("no parquet column %q", name)
	}
	g := f.in.RowGroup(group)
	c, err := g.Column(i)
	if err != nil {
		return nil, 0, fmt.Errorf("read parquet column %q: %w", name, err)
	}
	return c, int(g.NumRows()), nil
}

func drain[T any](rows int, name string, read func(int64, []T, []int16, []int16) (int64, int, error)) ([]T, error) {
	values := make([]T, rows)
	for at := 0; at < rows; {
		_, n, err := read(int64(rows-at), values[at:], nil, nil)
		if err != nil {
			return nil, fmt.Errorf("read parquet column %q: %w", name, err)
		}
		if n == 0 {
			return nil, fmt.Errorf("read parquet column %q: %w", name, io.ErrUnexpectedEOF)
		}
		at += n
	}
	return values, nil
}
