package csv

import (
	"bytes"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// read returns the header, the records as "line:a|b" and the errors.
func read(t testing.TB, in io.Reader, comma byte, header labeling.Header) (columns, rows, bad string, err error) {
	t.Helper()
	r, err := NewReader(in, comma, header)
	if err != nil {
		return "", "", "", err
	}
	var got, wrong []string
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return strings.Join(r.Columns(), "|"), strings.Join(got, ";"), strings.Join(wrong, ";"), nil
		}
		if e, ok := errors.AsType[*labeling.RecordError](err); ok {
			wrong = append(wrong, e.Error())
			continue
		}
		if err != nil {
			return "", "", "", err
		}
		var cells []string
		for _, v := range rec.Values {
			cells = append(cells, v.Text)
		}
		got = append(got, fmt.Sprintf("%d:%s", rec.Line, strings.Join(cells, "|")))
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, columns, rows, bad string }{
		"a header and rows":                      {"text,label\na,x\nb,y\n", "text|label", "2:a|x;3:b|y", ""},
		"no end of line at the end":              {"text,label\na,x", "text|label", "2:a|x", ""},
		"CRLF":                                   {"text,label\r\na,x\r\n", "text|label", "2:a|x", ""},
		"a byte order mark":                      {"\ufefftext,label\na,x\n", "text|label", "2:a|x", ""},
		"quoted separators and quotes":           {"text,label\n\"a, \"\"b\"\"\",x\n", "text|label", "2:a, \"b\"|x", ""},
		"a quoted field over lines":              {"text,label\n\"a\n\r\nb\",x\nc,y\n", "text|label", "2:a\n\r\nb|x;5:c|y", ""},
		"semicolons":                             {"text;label\na,b;x\n", "text|label", "2:a,b|x", ""},
		"tabs":                                   {"text\tlabel\na,b\tx\n", "text|label", "2:a,b|x", ""},
		"empty lines between":                    {"text,label\n\n\r\na,x\n\n", "text|label", "4:a|x", ""},
		"an empty quoted field is a record":      {"text\n\"\"\nb\n", "text", "2:;3:b", ""},
		"empty fields at the end":                {"text,label,x\na,,\n", "text|label|x", "2:a||", ""},
		"a row with too few fields":              {"text,label\na\nb,y\n", "text|label", "3:b|y", "line 2: 1 field, but the file has 2 columns; quote a field that contains the separator ','"},
		"a row with too many fields":             {"text,label\na,b,c\nb,y\n", "text|label", "3:b|y", "line 2: 3 fields, but the file has 2 columns; quote a field that contains the separator ','"},
		"text behind a closing quote":            {"text,label\n\"a\"b,x\nc,y\n", "text|label", "3:c|y", "line 2: text behind a closing quote; write a quote inside a field twice"},
		"a quote that is never closed":           {"text,label\na,x\n\"b,y\nc,z\n", "text|label", "2:a|x", "line 3: a quote that opens on line 3 is never closed"},
		"broken UTF-8":                           {"text,label\n\xe9,x\nc,y\n", "text|label", "3:c|y", "line 2: the byte 0xE9 at position 1 is not UTF-8; save the file as UTF-8"},
		"a NUL byte":                             {"text,label\na\x00,x\nc,y\n", "text|label", "3:c|y", "line 2: a NUL byte at position 2; is this a text file?"},
		"a quote inside a plain field is itself": {"text,label\n5\" pipe,x\n", "text|label", "2:5\" pipe|x", ""},
		"no header":                              {"How do I pay?,x\nWhy?,y\n", "column 1|column 2", "1:How do I pay?|x;2:Why?|y", ""},
		"columns of one name":                    {"text,text,\na,b,c\n", "text|text (2)|column 3", "2:a|b|c", ""},
		"script and right-to-left text":          {"text,label\n<script>alert(1)</script>,😀 שלום\n", "text|label", "2:<script>alert(1)</script>|😀 שלום", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, in := range map[string]io.Reader{"at once": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in))} {
				columns, rows, bad, err := read(t, in, 0, labeling.HeaderGuess)
				if err != nil {
					t.Fatal(err)
				}
				if columns != c.columns || rows != c.rows || bad != c.bad {
					t.Errorf("%s:\ngot  %q %q %q\nwant %q %q %q", way, columns, rows, bad, c.columns, c.rows, c.bad)
				}
			}
		})
	}
}

func TestTheHeaderIsWhatOneSays(t *testing.T) {
	t.Parallel()
	if columns, rows, _, _ := read(t, strings.NewReader("text,label\na,b\n"), 0, labeling.HeaderNo); columns != "column 1|column 2" || rows != "1:text|label;2:a|b" {
		t.Errorf("without: %s %s", columns, rows)
	}
	if columns, rows, _, _ := read(t, strings.NewReader("What is it?,x\na,b\n"), 0, labeling.HeaderYes); columns != "What is it?|x" || rows != "2:a|b" {
		t.Errorf("with: %s %s", columns, rows)
	}
}

func TestAnErrorOfTheDiskIsNoEndOfFile(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken disk")
	_, _, _, err := read(t, io.MultiReader(strings.NewReader("text,label\na,b\n"), iotest.ErrReader(broken)), 0, labeling.HeaderYes)
	if !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
}

// Whatever the bytes, the reader ends, keeps its line numbers in order, and
// agrees with encoding/csv on what that takes for good.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\"a\"\"\",b\r\n\n", "\"", "\"a\nb\",c\n,\n", "\xff,\x00\n", "a\n\"b\"c\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r, err := NewReader(strings.NewReader(in), ',', labeling.HeaderNo)
		if err != nil {
			return
		}
		std := stdcsv.NewReader(strings.NewReader(in))
		std.FieldsPerRecord = len(r.Columns())
		agree, line := !strings.Contains(in, "\r") && !strings.HasPrefix(in, "\ufeff"), int64(0)
		for {
			rec, err := r.Next()
			if err == io.EOF {
				break
			}
			if bad, ok := errors.AsType[*labeling.RecordError](err); ok {
				if bad.Line <= line {
					t.Fatalf("line %d comes after line %d", bad.Line, line)
				}
				line, agree = bad.Line, false
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if rec.Line <= line || len(rec.Values) != len(r.Columns()) {
				t.Fatalf("record %+v after line %d", rec, line)
			}
			line = rec.Line
			if !agree {
				continue
			}
			want, err := std.Read()
			if err != nil {
				agree = false // encoding/csv is stricter about quotes
				continue
			}
			for i, v := range rec.Values {
				if v.Text != want[i] {
					t.Fatalf("field %d = %q, encoding/csv reads %q", i, v.Text, want[i])
				}
			}
		}
	})
}

func BenchmarkReader100kRows(b *testing.B) {
	in := "text,label\n" + strings.Repeat("\"How do I locate my card, please?\",card_arrival\nStill waiting on that card,card_arrival\n", 50_000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		r, err := NewReader(strings.NewReader(in), 0, labeling.HeaderGuess)
		for err == nil {
			_, err = r.Next()
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}

// What the product exports it reads back as it was, though cells that begin a
// formula stand behind an apostrophe; in a file of anybody else an apostrophe stays.
func TestASheetOfOurOwnComesBackAsItWas(t *testing.T) {
	t.Parallel()
	texts := []string{"=1+1", "'=1+1", "''=1", "+49 30", "-5", "@me", "\tx", " =x", "＝x", "'tis", "plain, with \"quotes\"", "two\nlines", "\"=x", "hi;=1+1;'+x", "two\n- lines"}
	for comma, name := range map[byte]string{',': "comma", '\t': "tab"} {
		for _, own := range []bool{true, false} {
			header := []string{"key", "text", "label", "status"}
			if !own {
				header = []string{"id", "text", "label", "status"}
			}
			var file bytes.Buffer
			sheet := ledger.NewSheet(&file, rune(comma))
			if err := sheet.Row(header...); err != nil {
				t.Fatal(err)
			}
			for _, text := range texts {
				if err := sheet.Row(text, text, text, "queued"); err != nil {
					t.Fatal(err)
				}
			}
			if err := sheet.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := NewReader(&file, comma, labeling.HeaderGuess)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range texts {
				want := text
				if !own {
					want = ledger.Cell(text)
				}
				record, err := r.Next()
				if err != nil || record.Values[0].Text != want || record.Values[1].Text != want || record.Values[2].Text != want {
					t.Errorf("%s, own %v: %q comes back as %+v (%v)", name, own, text, record.Values, err)
				}
			}
		}
	}
}
