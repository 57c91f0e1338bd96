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

// Texts reads a text column of one row group. The texts share their memory: who
// keeps one keeps those of the group.
func (f *File) Texts(group int, name string) ([]string, error) {
	var all []byte
	var ends []int
	err := f.texts(group, name, func(rows int, batch []parquet.ByteArray) {
		if ends == nil {
			ends = make([]int, 0, rows)
		}
		for _, text := range batch {
			all = append(all, text...)
			ends = append(ends, len(all))
		}
	})
	if err != nil {
		return nil, err
	}
	values := make([]string, len(ends))
	shared, from := string(all), 0
	for i, end := range ends {
		values[i], from = shared[from:end], end
	}
	return values, nil
}

// Names reads a column of one row group that has few different texts: their
// numbers in names, which has them in the order in which they come.
func (f *File) Names(group int, name string) (numbers []uint16, names []string, err error) {
	known := map[string]uint16{}
	err = f.texts(group, name, func(rows int, batch []parquet.ByteArray) {
		if numbers == nil {
			numbers = make([]uint16, 0, rows)
		}
		for _, text := range batch {
			number, found := known[string(text)]
			if !found {
				number = uint16(len(names)) //nolint:gosec // a group has at most GroupRows names
				names = append(names, string(text))
				known[names[number]] = number
			}
			numbers = append(numbers, number)
		}
	})
	if err == nil && len(names) > GroupRows {
		err = fmt.Errorf("parquet column %q has %d names in one row group", name, len(names))
	}
	return numbers, names, err
}

// texts hands out the values of a text or dictionary column of one row group,
// some at a time; they hold until take returns.
func (f *File) texts(group int, name string, take func(rows int, batch []parquet.ByteArray)) (err error) {
	defer contain(&err)
	column, rows, err := f.chunk(group, name)
	if err != nil {
		return err
	}
	c, ok := column.(*file.ByteArrayColumnChunkReader)
	if !ok {
		return fmt.Errorf("parquet column %q holds no text", name)
	}
	buf := make([]parquet.ByteArray, min(rows, 4096))
	for left := rows; left > 0; {
		_, n, err := c.ReadBatch(int64(min(len(buf), left)), buf, nil, nil)
		if err != nil {
			return fmt.Errorf("read parquet column %q: %w", name, err)
		}
		if n == 0 {
			return fmt.Errorf("read parquet column %q: %w", name, io.ErrUnexpectedEOF)
		}
		take(rows, buf[:n])
		left -= n
	}
	return nil
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
