package jsonl_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/format/jsonl"
	"github.com/adjudge/adjudge/backend/format/text"
	"github.com/adjudge/adjudge/labeling"
)

func TestReader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, rows, bad string }{
		"members are columns":             {`{"text":"a","label":"x"}`, "1 text=a label=x", ""},
		"members come in any order":       {"{\"a\":\"1\",\"b\":\"2\"}\n{\"b\":\"3\",\"c\":\"4\"}", "1 a=1 b=2;2 b=3 c=4", ""},
		"null is absent":                  {`{"a":null,"b":""}`, "1 b=", ""},
		"other values are their text":     {`{"a":1.50,"b":true,"c":[1, {"d":"]"}],"e":{"f":","}}`, `1 a=1.50 b=true c=[1, {"d":"]"}] e={"f":","}`, ""},
		"escapes":                         {`{"a":"\u00fc\n\"\\","b\"":"x"}`, "1 a=ü\n\"\\ b\"=x", ""},
		"blanks everywhere":               {"  { \"a\" : \"1\" , \"b\" : 2 }  ", "1 a=1 b=2", ""},
		"an empty object":                 {`{}`, "1", ""},
		"the last of two counts":          {`{"a":"1","a":"2"}`, "1 a=2", ""},
		"a line that is no object":        {"\"x\"\n{\"a\":\"1\"}", "2 a=1", `line 1: not a JSON object; each line is one object such as {"text": "…"}`},
		"a line that stops":               {"{\"a\":\n{\"a\":\"1\"}", "2 a=1", "line 1: not JSON: unexpected end of JSON input (at byte 5)"},
		"a NUL in an escape":              {`{"a":"x\u0000"}`, "", "line 1: a NUL byte at position 2; is this a text file?"},
		"broken UTF-8":                    {"{\"a\":\"\xe9\"}", "", "line 1: the byte 0xE9 at position 7 is not UTF-8; save the file as UTF-8"},
		"half a surrogate becomes U+FFFD": {`{"a":"\ud800"}`, "1 a=\ufffd", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := jsonl.NewReader(text.NewLines(strings.NewReader(c.in)))
			var rows, bad []string
			for {
				rec, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					bad = append(bad, err.Error())
					continue
				}
				row := fmt.Sprint(rec.Line)
				for i, v := range rec.Values {
					if v.Present {
						row += " " + r.Columns()[i] + "=" + v.Text
					}
				}
				rows = append(rows, row)
			}
			if got := strings.Join(rows, ";"); got != c.rows {
				t.Errorf("rows = %q, want %q", got, c.rows)
			}
			if got := strings.Join(bad, ";"); got != c.bad {
				t.Errorf("bad = %q, want %q", got, c.bad)
			}
		})
	}
}

// Whatever the bytes, the reader agrees with encoding/json about every object.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{`{"a":"b"}`, `{"a":{"b":[1,"]"]},"c":null}`, "{\"a\\u0062\":1}\n{}", `{"a":"\\"}`, "[1]", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r := jsonl.NewReader(text.NewLines(strings.NewReader(in)))
		lines := strings.Split(strings.TrimPrefix(in, "\ufeff"), "\n")
		for {
			rec, err := r.Next()
			if err == io.EOF {
				return
			}
			if _, ok := errors.AsType[*labeling.RecordError](err); ok {
				continue
			}
			if err != nil {
				return // a list, UTF-16
			}
			var want map[string]any
			if err := json.Unmarshal([]byte(lines[rec.Line-1]), &want); err != nil {
				t.Fatalf("line %d was taken, encoding/json says %v", rec.Line, err)
			}
			have := 0
			for i, v := range rec.Values {
				if !v.Present {
					continue
				}
				have++
				switch w := want[r.Columns()[i]].(type) {
				case string:
					if w != v.Text {
						t.Fatalf("%s = %q, want %q", r.Columns()[i], v.Text, w)
					}
				case nil:
					t.Fatalf("%s = %q, want nothing", r.Columns()[i], v.Text)
				}
			}
			for _, w := range want {
				if w != nil {
					have--
				}
			}
			if have != 0 {
				t.Fatalf("line %d: %d members too many", rec.Line, have)
			}
		}
	})
}

func BenchmarkReader100kObjects(b *testing.B) {
	in := strings.Repeat(`{"text":"How do I locate my card, please? It is \"late\"","label":"card_arrival","id":12345}`+"\n", 100_000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		r := jsonl.NewReader(text.NewLines(strings.NewReader(in)))
		var err error
		for err == nil {
			_, err = r.Next()
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}
