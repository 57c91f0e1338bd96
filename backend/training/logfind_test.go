package training

import (
	"fmt"
	"strings"
	"testing"
)

// logOf reads a text in pieces of n bytes, as a log is read.
func logOf(t *testing.T, text string, n int) *logReader {
	t.Helper()
	l := &logReader{total: int64(len(text)), read: func(offset int64) ([]byte, error) {
		return []byte(text[offset:min(len(text), int(offset)+n)]), nil
	}}
	var indexes logIndexes
	var err error
	if l.index, err = indexes.of(1, l); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestEveryLineOfALongLogIsFoundByItsNumberAndByWhatItSays(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	offsets := []int64{}
	for i := range 30_000 {
		offsets = append(offsets, int64(text.Len()))
		fmt.Fprintf(&text, "epoch %d of many, loss 0.%d\n", i+1, i%97)
	}
	for _, n := range []int{1000, 1 << 20} {
		l := logOf(t, text.String(), n)
		if l.index.lines != 30_000 || len(l.index.marks) < 10 {
			t.Errorf("%d lines and %d marks", l.index.lines, len(l.index.marks))
		}
		for _, line := range []int64{1, 2, 2999, 15_000, 30_000} {
			var at logMark
			if err := l.walk(l.index.before(line, 0), func(m logMark, _ []byte) bool { at = m; return m.line >= line }); err != nil || at.offset != offsets[line-1] {
				t.Errorf("line %d is at %+v, %v; want %d", line, at, err, offsets[line-1])
			}
			words := fmt.Sprintf("epoch %d of", line)
			for _, want := range []LogSearch{{Text: words}, {Text: words, From: 7}, {Text: words, From: 20_000, Back: true}} {
				if at, err := l.search(want); err != nil || at.line != line {
					t.Errorf("%+v is at %+v, %v", want, at, err)
				}
			}
		}
	}
}

func TestALineThatHasNotEndedCounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"a": 1, "a\n": 1, "a\nb": 2, "a\n\n": 2} {
		if l := logOf(t, text, 1); l.index.lines != want {
			t.Errorf("%q has %d lines, want %d", text, l.index.lines, want)
		}
	}
}

func TestErrorsAreToldFromLinesThatOnlyMentionThem(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"error: no rows", "Traceback (most recent call last):", "ValueError: x", "FATAL out of memory", "Killed"} {
		if !speaksOfError([]byte(line)) {
			t.Errorf("%q is no error", line)
		}
	}
	for _, line := range []string{"0 errors", "finished without errors", "epoch 3/8  loss 0.2", "terrors of the deep", "no failures"} {
		if speaksOfError([]byte(line)) {
			t.Errorf("%q is an error", line)
		}
	}
}

// BenchmarkFindInALogOfAMillionLines measures the rarest search: for what is not there.
func BenchmarkFindInALogOfAMillionLines(b *testing.B) {
	var text strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&text, "step %d: loss 0.1234 accuracy 0.91 rate 0.001\n", i)
	}
	whole := text.String()
	l := &logReader{total: int64(len(whole)), index: &logIndex{}, read: func(offset int64) ([]byte, error) {
		return []byte(whole[offset:min(len(whole), int(offset)+logPiece)]), nil
	}}
	for b.Loop() {
		if _, err := l.search(LogSearch{Errors: true}); err != nil {
			b.Fatal(err)
		}
	}
}
