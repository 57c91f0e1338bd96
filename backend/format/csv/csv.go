// Package csv reads comma, semicolon, bar and tab separated files as a stream:
// quoted fields over several lines, CRLF, a byte order mark, and files that are
// wrong in places. A bad record is reported by line and the next one is read.
package csv

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// Reader reads records one after the other in memory that does not grow with
// the file.
type Reader struct {
	in        io.Reader
	buf       []byte
	pos, end  int
	inErr     error
	comma     byte
	max       int
	line      int64 // of the byte at pos
	columns   []string
	own       bool     // the product wrote the file, see ledger.OwnSheet
	held      []string // the first record, where it is data
	heldLine  int64
	hasHeld   bool
	raw       []byte
	ends      []int
	values    []labeling.Value
	oversized bool
}

// MaxColumns is how many columns a file may have.
const MaxColumns = 1000

// NewReader reads the header, or makes one ("column 1", …) where the file has
// none. comma is the separator, 0 to guess it from the first line.
func NewReader(in io.Reader, comma byte, header labeling.Header) (*Reader, error) {
	r := &Reader{in: in, buf: make([]byte, 64<<10), comma: comma, max: labeling.MaxRecord, line: 1}
	for r.inErr == nil && r.end < len(r.buf) {
		r.fillMore()
	}
	head := r.buf[:r.end]
	switch {
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		r.pos = 3
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return nil, fault.New(fault.Invalid, "The file is written in UTF-16. Save it as UTF-8 and try again.")
	}
	if r.comma == 0 {
		r.comma = guessComma(head[r.pos:])
	}
	first, line, err := r.record()
	switch {
	case err == io.EOF:
		return nil, fault.New(fault.Invalid, "The file is empty.")
	case err != nil:
		return nil, fault.As(fault.Invalid, err, "The first line cannot be read: %s", err)
	case len(first) > MaxColumns:
		return nil, fault.New(fault.Invalid, "The first line has %d columns; the most is %d. Is the separator right?", len(first), MaxColumns)
	}
	if header == labeling.HeaderYes || header == labeling.HeaderGuess && looksLikeHeader(first) {
		r.columns, r.own = nameColumns(first), ledger.OwnSheet(first)
		return r, nil
	}
	r.columns = nameColumns(make([]string, len(first)))
	r.held, r.heldLine, r.hasHeld = first, line, true
	return r, nil
}

// Columns returns the names of the columns.
func (r *Reader) Columns() []string { return r.columns }

// Next returns the next record, whose values stay valid until the next call. It
// returns a RecordError for a record that is wrong and io.EOF after the last.
func (r *Reader) Next() (labeling.Record, error) {
	fields, line := r.held, r.heldLine
	if r.hasHeld {
		r.held, r.hasHeld = nil, false
	} else {
		var err error
		if fields, line, err = r.record(); err != nil {
			return labeling.Record{}, err
		}
	}
	if len(fields) != len(r.columns) {
		return labeling.Record{}, &labeling.RecordError{Line: line, Reason: fault.Say("%s, but the file has %s; quote a field that contains the separator %q",
			fieldCount(len(fields)), columnCount(len(r.columns)), r.comma)}
	}
	r.values = r.values[:0]
	for _, f := range fields {
		if r.own {
			f = ledger.FromCell(f)
		}
		r.values = append(r.values, labeling.Value{Text: f, Present: true})
	}
	return labeling.Record{Line: line, Values: r.values}, nil
}

func fieldCount(n int) string {
	if n == 1 {
		return fault.Say("1 field")
	}
	return fault.Say("%d fields", n)
}

func columnCount(n int) string {
	if n == 1 {
		return fault.Say("1 column")
	}
	return fault.Say("%d columns", n)
}

// fillMore reads once behind the bytes in the buffer.
func (r *Reader) fillMore() {
	n, err := r.in.Read(r.buf[r.end:])
	r.end += n
	if err != nil {
		r.inErr = err
	}
}

// fill replaces the used up buffer and reports whether there are bytes.
func (r *Reader) fill() bool {
	r.pos, r.end = 0, 0
	for r.end == 0 && r.inErr == nil {
		r.fillMore()
	}
	return r.end > 0
}

// keep appends bytes to the record until it is too large.
func (r *Reader) keep(b ...byte) {
	if len(r.raw)+len(b) > r.max {
		r.oversized = true
		return
	}
	r.raw = append(r.raw, b...)
}

// record reads the fields of the next record that is not an empty line.
func (r *Reader) record() (fields []string, line int64, err error) {
	const (
		start   = iota // of a field
		plain          // in a field without quotes
		quoted         // in quotes
		closing        // after a quote in quotes: its end, or half of an escaped quote
		after          // bytes behind a closing quote
	)
	r.raw, r.ends, r.oversized = r.raw[:0], r.ends[:0], false
	state, spoiled, line, opened, any := start, false, r.line, int64(0), false
	for {
		if r.pos == r.end && !r.fill() {
			if r.inErr != io.EOF {
				return nil, line, r.inErr
			}
			switch {
			case state == quoted:
				return nil, line, &labeling.RecordError{Line: line, Reason: fault.Say("a quote that opens on line %d is never closed", opened)}
			case !any && len(r.raw) == 0 && len(r.ends) == 0:
				return nil, line, io.EOF
			}
			return r.finish(line, spoiled)
		}
		switch state {
		case plain, after: // the quick way through a field
			rest := r.buf[r.pos:r.end]
			n := 0
			for n < len(rest) && rest[n] != r.comma && rest[n] != '\n' {
				n++
			}
			r.keep(rest[:n]...)
			r.pos += n
			if n == len(rest) {
				continue
			}
		case quoted:
			rest := r.buf[r.pos:r.end]
			n := bytes.IndexByte(rest, '"')
			if n < 0 {
				n = len(rest)
			}
			r.line += int64(bytes.Count(rest[:n], []byte{'\n'}))
			r.keep(rest[:n]...)
			r.pos += n
			if n == len(rest) {
				continue
			}
		}
		b := r.buf[r.pos]
		r.pos++
		switch {
		case state == quoted: // b is a quote
			state = closing
		case state == closing && b == '"':
			r.keep('"')
			state = quoted
		case b == '"' && state == start:
			state, opened, any = quoted, r.line, true
		case b == r.comma:
			if len(r.ends) < MaxColumns {
				r.ends = append(r.ends, len(r.raw))
			} else {
				r.oversized = true
			}
			state, any = start, true
		case b == '\n':
			r.line++
			if !any && len(bytes.TrimRight(r.raw, "\r")) == 0 {
				r.raw, line, state = r.raw[:0], r.line, start // an empty line
				continue
			}
			return r.finish(line, spoiled)
		case state == closing:
			if b != '\r' {
				spoiled = true
			}
			r.keep(b)
			state = after
		default:
			r.keep(b)
			state = plain
		}
	}
}

// finish cuts the record into its fields.
func (r *Reader) finish(line int64, spoiled bool) ([]string, int64, error) {
	if n := len(r.raw); n > 0 && r.raw[n-1] == '\r' {
		r.raw = r.raw[:n-1]
	}
	last := len(r.raw)
	if n := len(r.ends); n > 0 {
		last = max(last, r.ends[n-1])
		r.raw = r.raw[:last]
	}
	switch {
	case r.oversized && len(r.ends) >= MaxColumns:
		return nil, line, &labeling.RecordError{Line: line, Reason: fault.Say("more than %d fields", MaxColumns)}
	case r.oversized:
		return nil, line, &labeling.RecordError{Line: line, Reason: fault.Say("longer than %d MB; a quote may be missing", r.max>>20)}
	case spoiled:
		return nil, line, &labeling.RecordError{Line: line, Reason: fault.Say("text behind a closing quote; write a quote inside a field twice")}
	}
	text := string(r.raw)
	if err := labeling.CheckText(text); err != nil {
		return nil, line, &labeling.RecordError{Line: line, Reason: err.Error()}
	}
	fields := make([]string, 0, len(r.ends)+1)
	from := 0
	for _, to := range append(r.ends, last) {
		fields = append(fields, text[from:to])
		from = to
	}
	return fields, line, nil
}

// guessComma counts the usual separators in the first line, outside quotes.
func guessComma(head []byte) byte {
	counts := map[byte]int{}
	inside := false
	for _, b := range head {
		if b == '"' {
			inside = !inside
		}
		if b == '\n' && !inside {
			break
		}
		if !inside {
			counts[b]++
		}
	}
	best := byte(',')
	for _, c := range []byte{'\t', ';', '|'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// headerNames are names that columns have; one of them makes the first line a header.
var headerNames = map[string]bool{
	"id": true, "key": true, "uuid": true, "index": true, "text": true, "content": true, "sentence": true, "question": true, "body": true,
	"message": true, "comment": true, "utterance": true, "title": true, "description": true, "document": true, "label": true, "category": true,
	"class": true, "intent": true, "target": true, "tag": true, "answer": true, "sentiment": true, "score": true, "prediction": true,
	"item": true, "name": true, "date": true, "y": true, "review": true, "query": true, "input": true, "probability": true,
}

// looksLikeHeader reports whether a first record names columns: one of its
// fields is a usual name, or all are short, different words.
func looksLikeHeader(fields []string) bool {
	seen := map[string]bool{}
	words := true
	for _, f := range fields {
		name := strings.ToLower(strings.TrimSpace(f))
		if headerNames[name] {
			return true
		}
		if name == "" || seen[name] || utf8.RuneCountInString(name) > 40 || strings.ContainsAny(name, " .,:;!?0123456789") {
			words = false
		}
		seen[name] = true
	}
	return words && len(fields) > 1
}

// nameColumns gives every column a name of its own.
func nameColumns(fields []string) []string {
	names, seen := make([]string, len(fields)), map[string]bool{}
	for i, f := range fields {
		name := strings.TrimSpace(f)
		if name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		for n := 2; seen[name]; n++ {
			name = fmt.Sprintf("%s (%d)", strings.TrimSpace(f), n)
		}
		seen[name], names[i] = true, name
	}
	return names
}
