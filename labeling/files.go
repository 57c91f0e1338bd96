package labeling

import (
	"context"
	"io"

	"github.com/adjudge/adjudge/backend/ledger"
)

// Files keeps bytes under their digest.
type Files interface {
	// Put stores bytes and returns their digest and length.
	Put(ctx context.Context, in io.Reader) (ledger.Digest, int64, error)
	// Open returns the bytes with a digest, or NotFound.
	Open(ctx context.Context, digest ledger.Digest) (io.ReadSeekCloser, error)
}

// Tables writes Parquet. This desk knows only that it is made of named columns
// of text.
type Tables interface {
	// Table begins a file. meta is kept with it, as pairs of key and value.
	Table(w io.Writer, columns []TableColumn, meta ...string) (Table, error)
}

// TableColumn declares a column of text.
type TableColumn struct {
	Name string
	Few  bool // it has few different values
}

// Table takes rows, column by column, until it is closed.
type Table interface {
	Append(columns ...[]string) error
	Close() error
}
