package training

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"sync"

	"github.com/adjudge/adjudge/backend/ledger"
)

// logIndexStep is how many bytes lie between two places of a log whose line is
// remembered, and maxLogIndexes how many logs are remembered at once: a log of
// 100 MB takes 25 KB.
const (
	logIndexStep  = 64 << 10
	maxLogIndexes = 16
)

// logMark is the beginning of a line: where it is, and its number from 1.
type logMark struct{ offset, line int64 }

// logIndex knows where the lines of a log are, roughly. A log only grows, so
// what is known about it stays true.
type logIndex struct {
	marks []logMark
	read  int64 // bytes that were looked at
	lines int64 // line ends among them
}

// add looks at the bytes that follow what was read.
func (x *logIndex) add(body []byte) {
	if len(x.marks) == 0 {
		x.marks = []logMark{{0, 1}}
	}
	for i := 0; ; {
		n := bytes.IndexByte(body[i:], '\n')
		if n < 0 {
			break
		}
		i += n + 1
		x.lines++
		if at := x.read + int64(i); at-x.marks[len(x.marks)-1].offset >= logIndexStep {
			x.marks = append(x.marks, logMark{at, x.lines + 1})
		}
	}
	x.read += int64(len(body))
}

// before returns the last remembered beginning of a line at or before a line,
// or at or before an offset where line is 0.
func (x *logIndex) before(line, offset int64) logMark {
	i, _ := slices.BinarySearchFunc(x.marks, struct{}{}, func(m logMark, _ struct{}) int {
		if line > 0 && m.line <= line || line == 0 && m.offset <= offset {
			return -1
		}
		return 1
	})
	if i == 0 {
		return logMark{0, 1}
	}
	return x.marks[i-1]
}

// logIndexes remembers indexes by the fence of their attempt.
type logIndexes struct {
	sync.Mutex
	known map[int64]*logIndex
}

// LogSearch asks for a place in a log.
type LogSearch struct {
	Line   int64  // its number, from 1; 0 to ask by Offset or for a match
	Offset int64  // the line that begins there or next after it
	Text   string // a line after From that holds this, in any case
	Errors bool   // a line after From that speaks of an error
	From   int64
	Back   bool // before From instead, nearest first
}

// LogPlace is the beginning of a line of a log.
type LogPlace struct {
	Fence  int64
	Offset int64
	Line   int64 // from 1; 0 where nothing was found
	Lines  int64 // that the log has so far, one that has not ended included
}

// logPiece is how much of a log is looked at in one transaction.
const logPiece = 1 << 20

// FindInLog says where in a log a line is: by its number, by an offset near it,
// or by what it says. A line beyond the end is the last one; a search goes once
// around the log.
func (s *Service) FindInLog(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, number int, fence int64, want LogSearch) (LogPlace, error) {
	first, err := s.ReadLog(ctx, actor, project, number, fence, 0, 1)
	if err != nil || first.Total == 0 {
		return LogPlace{Fence: first.Fence}, err
	}
	l := logReader{total: first.Total, read: func(offset int64) ([]byte, error) {
		part, err := s.ReadLog(ctx, actor, project, number, first.Fence, offset, int(min(logPiece, first.Total-offset)))
		return part.Body, err
	}}
	if l.index, err = s.logs.of(first.Fence, &l); err != nil {
		return LogPlace{}, err
	}
	place := LogPlace{Fence: first.Fence, Lines: l.index.lines}
	var at logMark
	switch {
	case want.Text != "" || want.Errors:
		at, err = l.search(want)
	default:
		want.Line = min(want.Line, max(1, place.Lines))
		err = l.walk(l.index.before(want.Line, want.Offset), func(m logMark, _ []byte) bool {
			at = m
			return want.Line > 0 && m.line >= want.Line || want.Line == 0 && m.offset >= want.Offset
		})
	}
	place.Offset, place.Line = at.offset, at.line
	return place, err
}

// of returns what is known about a log, after looking at what came since. The
// line that has not ended counts.
func (x *logIndexes) of(fence int64, l *logReader) (*logIndex, error) {
	x.Lock()
	defer x.Unlock()
	known := x.known[fence]
	if known == nil {
		if x.known == nil || len(x.known) >= maxLogIndexes {
			x.known = map[int64]*logIndex{}
		}
		known = &logIndex{}
		x.known[fence] = known
	}
	last := byte('\n')
	for known.read < l.total {
		body, err := l.read(known.read)
		if err != nil {
			return nil, err
		}
		if len(body) == 0 {
			break
		}
		known.add(body)
		last = body[len(body)-1]
	}
	if known.read > 0 && last == '\n' {
		tail, err := l.read(known.read - 1)
		if err != nil {
			return nil, err
		}
		if len(tail) > 0 {
			last = tail[0]
		}
	}
	copied := *known
	if last != '\n' {
		copied.lines++
	}
	return &copied, nil
}

// logReader reads a log by lines.
type logReader struct {
	total int64
	index *logIndex
	read  func(offset int64) ([]byte, error)
}

// walk calls visit with every line from a place on, until it returns true.
func (l *logReader) walk(from logMark, visit func(logMark, []byte) bool) error {
	var rest []byte
	at, next := from, from.offset
	for next < l.total {
		body, err := l.read(next)
		if err != nil || len(body) == 0 {
			return err
		}
		next += int64(len(body))
		rest = append(rest, body...)
		i := 0
		for {
			n := bytes.IndexByte(rest[i:], '\n')
			if n < 0 && next < l.total && len(rest)-i < logPiece {
				break
			}
			end := len(rest)
			if n >= 0 {
				end = i + n
			}
			if end == i && n < 0 {
				break
			}
			if visit(at, rest[i:end]) {
				return nil
			}
			i = min(end+1, len(rest))
			at.offset = next - int64(len(rest)-i)
			if n < 0 {
				break
			}
			at.line++
		}
		rest = append(rest[:0], rest[i:]...)
	}
	return nil
}

// search finds the next line, or the one before, that matches.
func (l *logReader) search(want LogSearch) (logMark, error) {
	text := bytes.ToLower([]byte(want.Text))
	matches := func(line []byte) bool {
		if want.Errors {
			return speaksOfError(line)
		}
		return bytes.Contains(bytes.ToLower(line), text)
	}
	var first, last, before, after logMark
	from := logMark{0, 1}
	if !want.Back && want.From > 0 {
		from = l.index.before(want.From, 0)
	}
	visit := func(m logMark, line []byte) bool {
		if !matches(line) {
			return false
		}
		switch last = m; {
		case m.line < want.From:
			before = m
		case m.line > want.From && after.line == 0:
			after = m
		}
		if first.line == 0 {
			first = m
		}
		return !want.Back && after.line > 0 || want.Back && m.line >= want.From && before.line > 0
	}
	if err := l.walk(from, visit); err != nil {
		return logMark{}, err
	}
	switch {
	case want.Back && before.line > 0:
		return before, nil
	case want.Back:
		return last, nil
	case after.line > 0:
		return after, nil
	}
	// Once around: the first of all.
	err := l.walk(logMark{0, 1}, func(m logMark, line []byte) bool {
		if matches(line) {
			first = m
			return true
		}
		return m.line > want.From
	})
	return first, err
}

// The same words as in frontend/islands/runlog/lines.ts.
var (
	noError    = regexp.MustCompile(`(?i)\b(no|0|without) (errors?|failures?)\b`)
	anError    = regexp.MustCompile(`(?i)\b(error|exception|traceback|fatal|panic|failed|killed|out of memory|segmentation fault)\b`)
	errorName  = regexp.MustCompile(`^[A-Z][A-Za-z]+Error\b`)
	errorWords = [][]byte{[]byte("error"), []byte("exception"), []byte("traceback"), []byte("fatal"), []byte("panic"), []byte("failed"), []byte("killed"), []byte("out of memory"), []byte("segmentation fault")}
)

// speaksOfError reports whether a line says that something went wrong.
func speaksOfError(line []byte) bool {
	low := bytes.ToLower(line)
	if !slices.ContainsFunc(errorWords, func(w []byte) bool { return bytes.Contains(low, w) }) {
		return false
	}
	return !noError.Match(line) && (anError.Match(line) || errorName.Match(line))
}
