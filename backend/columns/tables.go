package columns

import (
	"io"

	"github.com/adjudge/adjudge/labeling"
)

// Tables writes tables of text as Parquet. It implements labeling.Tables.
type Tables struct{}

var _ labeling.Tables = Tables{}

// Table begins a file.
func (Tables) Table(w io.Writer, columns []labeling.TableColumn, meta ...string) (labeling.Table, error) {
	declared := make([]Column, len(columns))
	for i, c := range columns {
		declared[i] = Column{Name: c.Name, Kind: Text}
		if c.Few {
			declared[i].Kind = Dictionary
		}
	}
	out, err := NewWriter(w, declared, meta...)
	if err != nil {
		return nil, err
	}
	return table{out}, nil
}

type table struct{ *Writer }

// Append appends rows column by column.
func (t table) Append(columns ...[]string) error {
	data := make([]any, len(columns))
	for i, c := range columns {
		data[i] = c
	}
	return t.Write(data...)
}
