// Package jsonl reads JSON lines: one object on each line. The members of the
// objects are the columns; a string is its text, null is absent, and any other
// value is its JSON text.
package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// Lines hands over line after line, as package text does.
type Lines interface {
	// Next returns a line that is not blank and its number. It returns a
	// RecordError for a line that cannot be had and io.EOF after the last.
	Next() ([]byte, int64, error)
}

// MaxColumns is how many different members the objects of a file may have.
const MaxColumns = 1000

// Reader reads records one after the other.
type Reader struct {
	lines   Lines
	columns []string
	index   map[string]int
	values  []labeling.Value
	begun   bool
}

// NewReader reads objects from lines.
func NewReader(lines Lines) *Reader {
	return &Reader{lines: lines, index: map[string]int{}}
}

// Columns returns the columns met so far, in the order in which they came.
func (r *Reader) Columns() []string { return r.columns }

// Next returns the next object as a record, whose values stay valid until the
// next call. It returns a RecordError for a line that is wrong and io.EOF after
// the last.
func (r *Reader) Next() (labeling.Record, error) {
	line, number, err := r.lines.Next()
	if err != nil {
		return labeling.Record{}, err
	}
	line = bytes.TrimSpace(line)
	if !r.begun && len(line) > 0 && line[0] == '[' {
		return labeling.Record{}, fault.New(fault.Invalid, "The file is a JSON list. Write one object on each line instead, for example with: jq -c '.[]' file.json")
	}
	r.begun = true
	bad := func(format string, args ...any) (labeling.Record, error) {
		return labeling.Record{}, &labeling.RecordError{Line: number, Reason: fmt.Sprintf(format, args...)}
	}
	if len(line) == 0 || line[0] != '{' {
		return bad("not a JSON object; each line is one object such as {\"text\": \"…\"}")
	}
	if err := labeling.CheckText(string(line)); err != nil {
		return bad("%s", err)
	}
	if !json.Valid(line) {
		return bad("not JSON: %s", reason(line))
	}
	for i := range r.values {
		r.values[i] = labeling.Value{}
	}
	for rest := line[1:]; ; {
		rest = bytes.TrimLeft(rest, " \t\r\n,")
		if rest[0] == '}' {
			break
		}
		name, after := cut(rest)
		after = bytes.TrimLeft(after, " \t\r\n:")
		value, next := cut(after)
		rest = next
		column, err := r.column(name)
		if err != nil {
			return bad("%s", err)
		}
		for column >= len(r.values) {
			r.values = append(r.values, labeling.Value{})
		}
		text, present, err := decode(value)
		if err != nil {
			return bad("%s", err)
		}
		r.values[column] = labeling.Value{Text: text, Present: present}
	}
	return labeling.Record{Line: number, Values: r.values}, nil
}

// column returns the place of a member, new or known.
func (r *Reader) column(quoted []byte) (int, error) {
	if plain := quoted[1 : len(quoted)-1]; bytes.IndexByte(plain, '\\') < 0 {
		if i, known := r.index[string(plain)]; known {
			return i, nil
		}
	}
	name, _, err := decode(quoted)
	if err != nil {
		return 0, err
	}
	if i, known := r.index[name]; known {
		return i, nil
	}
	if len(r.columns) >= MaxColumns {
		return 0, fmt.Errorf("more than %d different members in one file", MaxColumns)
	}
	if len(name) > 200 {
		return 0, errors.New("a member's name is longer than 200 bytes")
	}
	r.columns = append(r.columns, name)
	r.index[name] = len(r.columns) - 1
	return len(r.columns) - 1, nil
}

// decode returns a value as text.
func decode(value []byte) (text string, present bool, err error) {
	switch {
	case value[0] != '"':
		return string(value), string(value) != "null", nil
	case bytes.IndexByte(value, '\\') < 0:
		return string(value[1 : len(value)-1]), true, nil
	}
	if err := json.Unmarshal(value, &text); err != nil {
		return "", false, err
	}
	if err := labeling.CheckText(text); err != nil { // \u0000
		return "", false, err
	}
	return text, true, nil
}

// cut splits valid JSON behind its first value.
func cut(b []byte) (value, rest []byte) {
	depth, i := 0, 0
	for i < len(b) {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return bytes.TrimRight(b[:i], " \t\r\n"), b[i:]
			}
			depth--
		case ',', ':':
			if depth == 0 {
				return bytes.TrimRight(b[:i], " \t\r\n"), b[i:]
			}
		}
		i++
	}
	return b, nil
}

// reason says where a line stops being JSON.
func reason(line []byte) string {
	var v json.RawMessage
	err := json.Unmarshal(line, &v)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("%s (at byte %d)", syntax, syntax.Offset)
	}
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	return err.Error()
}
