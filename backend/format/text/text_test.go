package text

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/adjudge/adjudge/labeling"
)

func all(r *Reader) (rows, bad []string, err error) {
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return rows, bad, nil
		}
		if e, ok := errors.AsType[*labeling.RecordError](err); ok {
			bad = append(bad, e.Error())
			continue
		}
		if err != nil {
			return rows, bad, err
		}
		rows = append(rows, fmt.Sprintf("%d:%s", rec.Line, rec.Values[0].Text))
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, rows, bad string }{
		"nothing":               {"", "", ""},
		"lines":                 {"a\nb", "1:a;2:b", ""},
		"CRLF and blank lines":  {"a\r\n \r\n\r\nb\r\n", "1:a;4:b", ""},
		"a byte order mark":     {"\ufeffa\n", "1:a", ""},
		"blanks inside stay":    {"  a  \n", "1:  a  ", ""},
		"broken UTF-8":          {"a\n\xff\nb\n", "1:a;3:b", "line 2: the byte 0xFF at position 1 is not UTF-8; save the file as UTF-8"},
		"a line at the limit":   {strings.Repeat("x", 99) + "\n", "1:" + strings.Repeat("x", 99), ""},
		"a line over the limit": {"a\n" + strings.Repeat("x", 200_000) + "\nb", "1:a;3:b", "line 2: longer than 0 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, in := range map[string]io.Reader{"at once": strings.NewReader(c.in), "in halves": iotest.HalfReader(strings.NewReader(c.in))} {
				r := NewReader(in)
				r.lines.max = 100_000
				rows, bad, err := all(r)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Join(rows, ";") != c.rows || strings.Join(bad, ";") != c.bad {
					t.Errorf("%s: rows %q, bad %q", way, rows, bad)
				}
			}
		})
	}
}

// Whatever the bytes, every line that is text and not blank comes out as it is.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{"a\nb", "\r\n\n", "\xff\nx", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		rows, bad, err := all(NewReader(strings.NewReader(in)))
		if err != nil {
			return
		}
		want := 0
		for _, line := range strings.Split(strings.TrimPrefix(in, "\ufeff"), "\n") {
			if strings.TrimSpace(strings.TrimSuffix(line, "\r")) != "" {
				want++
			}
		}
		if len(rows)+len(bad) != want {
			t.Fatalf("%d rows and %d errors of %d lines", len(rows), len(bad), want)
		}
	})
}
