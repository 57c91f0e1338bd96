package labeling

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
)

// Format is how an uploaded file is written.
type Format string

// The formats that come in and go out.
const (
	FormatCSV     Format = "csv"
	FormatTSV     Format = "tsv"
	FormatJSONL   Format = "jsonl"
	FormatText    Format = "text"
	FormatParquet Format = "parquet"
)

// Formats lists all formats.
func Formats() []Format {
	return []Format{FormatCSV, FormatTSV, FormatJSONL, FormatText, FormatParquet}
}

// ParseFormat reads a format as people write it on a command line.
func ParseFormat(text string) (Format, error) {
	switch f := Format(strings.ToLower(strings.TrimPrefix(strings.TrimSpace(text), "."))); f {
	case FormatCSV, FormatTSV, FormatJSONL, FormatParquet, FormatText:
		return f, nil
	case "txt":
		return FormatText, nil
	case "ndjson", "json":
		return FormatJSONL, nil
	case "pq":
		return FormatParquet, nil
	}
	return "", fault.Field("format", "%.40q is not a format; choose one of csv, tsv, jsonl, text or parquet", text)
}

// GuessFormat guesses a file's format from its first bytes and its name. It
// only looks at them; whoever parses the file finds out whether it is true.
func GuessFormat(name string, head []byte) Format {
	head = trimMark(head)
	if strings.HasPrefix(string(head), "PAR1") {
		return FormatParquet
	}
	if f, err := ParseFormat(path.Ext(name)); err == nil {
		return f
	}
	first, _, _ := strings.Cut(strings.TrimLeft(string(head), " \t\r\n"), "\n")
	switch {
	case strings.HasPrefix(first, "{"):
		return FormatJSONL
	case strings.Contains(first, "\t"):
		return FormatTSV
	case strings.Contains(first, ","):
		return FormatCSV
	}
	return FormatText
}

// trimMark removes the byte order mark that some programs write before UTF-8.
func trimMark(head []byte) []byte {
	if len(head) >= 3 && head[0] == 0xEF && head[1] == 0xBB && head[2] == 0xBF {
		return head[3:]
	}
	return head
}

// Record is one row of an uploaded file before it means anything: its values by
// column. Columns that come later in the file than this record may be missing
// at the end of Values.
type Record struct {
	Line   int64 // where it begins: a line of a text, a row of a Parquet file, from 1
	Values []Value
}

// Value is one field of a record. Absent stands for no field and for null;
// numbers, lists and objects of JSON are their JSON text.
type Value struct {
	Text    string
	Present bool
}

// Get returns the value of a column, absent where the record has none.
func (r Record) Get(column int) Value {
	if column < 0 || column >= len(r.Values) {
		return Value{}
	}
	return r.Values[column]
}

// RecordError says what is wrong with one record. The records after it are read
// all the same.
type RecordError struct {
	Line   int64
	Reason string
}

// Error names the line and the reason.
func (e *RecordError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// MaxRecord is how many bytes one record of a file may have: a line, or as many
// lines as a quoted field spans.
const MaxRecord = 16 << 20

// Batch is what a Parser hands over at a time: good records and bad ones, in the
// order of the file, at most BatchRecords of them. The slices are valid until
// the function that was given them returns; the strings stay.
type Batch struct {
	Columns []string // all columns met so far; the list only grows
	Records []Record
	Errors  []RecordError
	Read    int64 // bytes of the file read so far
	Passed  int64 // records passed so far, good and bad, skipped ones included
}

// BatchRecords is the most records, good and bad, in one batch.
const BatchRecords = 1500

// ParseRequest asks for the records of one uploaded file.
type ParseRequest struct {
	File   io.ReadSeeker // its bytes, from the start
	Name   string        // for messages
	Format Format
	Header Header // for CSV and TSV
	Skip   int64  // records to pass over: those of an earlier, interrupted reading
	Limit  int64  // stop after so many records; 0 for all
}

// Header says whether the first line of a CSV or TSV file names the columns.
type Header string

// The choices for a header.
const (
	HeaderGuess Header = ""    // look at the first line
	HeaderYes   Header = "yes" // it names the columns
	HeaderNo    Header = "no"  // it is data already
)

// Parser turns the bytes that people upload into records, in a process of its
// own, because such bytes may be made to harm whoever reads them.
type Parser interface {
	// Parse calls each with batch after batch until the file ends, each returns
	// an error (which Parse returns) or the context ends. It returns Invalid,
	// with a reason for people, when the file cannot be read at all or no
	// further, and TooLarge when reading it took more than is allowed.
	Parse(ctx context.Context, req ParseRequest, each func(Batch) error) error
}

// CheckText reports why a text cannot be stored: bytes that are not UTF-8, or a
// NUL, which no database keeps. The message names the place.
func CheckText(text string) error {
	if utf8.ValidString(text) {
		if at := strings.IndexByte(text, 0); at >= 0 {
			return errors.New(fault.Say("a NUL byte at position %d; is this a text file?", at+1))
		}
		return nil
	}
	for at, r := range text {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(text[at:]); size == 1 {
			return errors.New(fault.Say("the byte 0x%02X at position %d is not UTF-8; save the file as UTF-8", text[at], at+1))
		}
	}
	return errors.New(fault.Say("not UTF-8; save the file as UTF-8"))
}
