package labeling

import (
	"context"
	"io"

	"github.com/adjudge/adjudge/backend/fault"
)

// ImportBound is how much one uploaded file may bring in. The operator of a server
// sets it. A file that is over ends there, with words; what came in before stays.
type ImportBound struct {
	Records int64 // 0: that of DefaultImport
	Bytes   int64 // of the values, as they are once read; 0: that of DefaultImport
}

// DefaultImport returns what a file may bring in unless the operator says otherwise.
func DefaultImport() ImportBound { return ImportBound{Records: 50_000_000, Bytes: 20 << 30} }

// A packed file can hold one value a million times in a few bytes. Nobody's data is
// so much larger than its file; what is made to be is refused before it fills a disk.
const (
	mostGrowth  = 200      // times the size of its file
	growthFloor = 64 << 20 // bytes that any file may bring in
)

// Bounded is a Parser that reads no more of a file than a bound allows.
type Bounded struct {
	Parser
	Bound ImportBound
}

// Parse implements Parser. It returns TooLarge where a file is over the bound.
func (p Bounded) Parse(ctx context.Context, req ParseRequest, each func(Batch) error) error {
	bound := p.Bound
	if bound.Records <= 0 {
		bound.Records = DefaultImport().Records
	}
	if bound.Bytes <= 0 {
		bound.Bytes = DefaultImport().Bytes
	}
	size, err := req.File.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = req.File.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fault.Wrap(err, "measure upload")
	}
	grown := max(size*mostGrowth, growthFloor)
	read := int64(0)
	return p.Parser.Parse(ctx, req, func(b Batch) error {
		for _, r := range b.Records {
			for _, v := range r.Values {
				read += int64(len(v.Text))
			}
		}
		switch {
		case b.Passed > bound.Records:
			return fault.New(fault.TooLarge, "The file has more than %d records, the most that one import may bring in. Split it, or let whoever runs the server raise --import-records.", bound.Records)
		case read > bound.Bytes:
			return fault.New(fault.TooLarge, "The file holds more than %d MB of values, the most that one import may bring in. Split it, or let whoever runs the server raise --import-size.", bound.Bytes>>20)
		case read > grown:
			return fault.New(fault.TooLarge, "The file has %d bytes and unpacks to more than %d MB. No file may grow to more than %d times its size; write it as CSV or JSON lines and import that.", size, grown>>20, mostGrowth)
		}
		return each(b)
	})
}
