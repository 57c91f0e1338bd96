// Package text reads plain text, an item per line, and is the line reader under
// other line formats: a line that is too long is passed over, not held.
package text

import (
	"bufio"
	"bytes"
	"io"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// Lines reads lines one after the other in memory that does not grow with the
// file.
type Lines struct {
	in    *bufio.Reader
	line  int64
	long  []byte
	max   int
	begun bool
}

// NewLines reads lines of at most labeling.MaxRecord bytes.
func NewLines(in io.Reader) *Lines {
	return &Lines{in: bufio.NewReaderSize(in, 64<<10), max: labeling.MaxRecord}
}

// Next returns the next line that is not blank, without its end, and its
// number. The line is valid until the next call. It returns a RecordError for a
// line that is too long or no text, and io.EOF after the last.
func (l *Lines) Next() ([]byte, int64, error) {
	for {
		line, number, err := l.read()
		if err != nil {
			return nil, number, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		return line, number, nil
	}
}

func (l *Lines) read() (line []byte, number int64, err error) {
	if !l.begun {
		l.begun = true
		switch head, _ := l.in.Peek(3); {
		case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
			_, _ = l.in.Discard(3)
		case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
			return nil, 1, fault.New(fault.Invalid, "The file is written in UTF-16. Save it as UTF-8 and try again.")
		}
	}
	l.line++
	part, err := l.in.ReadSlice('\n')
	if err == nil || err == io.EOF && len(part) > 0 {
		return trimEnd(part), l.line, nil
	}
	if err != bufio.ErrBufferFull {
		return nil, l.line, err
	}
	l.long = l.long[:0]
	tooLong := false
	for {
		if len(l.long)+len(part) > l.max {
			tooLong, l.long = true, l.long[:0]
		}
		if !tooLong {
			l.long = append(l.long, part...)
		}
		if err == nil || err == io.EOF {
			break
		}
		if err != bufio.ErrBufferFull {
			return nil, l.line, err
		}
		part, err = l.in.ReadSlice('\n')
	}
	if tooLong {
		l.long = nil
		return nil, l.line, &labeling.RecordError{Line: l.line, Reason: fault.Say("longer than %d MB", l.max>>20)}
	}
	return trimEnd(l.long), l.line, nil
}

func trimEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'})
}

// Reader makes a record with the one column "text" of every line.
type Reader struct {
	lines *Lines
	value [1]labeling.Value
}

// NewReader reads plain text.
func NewReader(in io.Reader) *Reader { return &Reader{lines: NewLines(in)} }

// Columns returns the one column.
func (r *Reader) Columns() []string { return []string{"text"} }

// Next returns the next line as a record. It returns a RecordError for a line
// that is wrong and io.EOF after the last.
func (r *Reader) Next() (labeling.Record, error) {
	line, number, err := r.lines.Next()
	if err != nil {
		return labeling.Record{}, err
	}
	text := string(line)
	if err := labeling.CheckText(text); err != nil {
		return labeling.Record{}, &labeling.RecordError{Line: number, Reason: err.Error()}
	}
	r.value[0] = labeling.Value{Text: text, Present: true}
	return labeling.Record{Line: number, Values: r.value[:]}, nil
}
