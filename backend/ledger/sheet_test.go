package ledger_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
)

func TestACellIsNoFormula(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "plain": "plain", "1-2": "1-2", "=1+1": "'=1+1", "+49": "'+49", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		"\t=1": "'\t'=1", "\r=1": "'\r'=1", "\n=1": "'\n'=1", "＝1": "'＝1", " =1": "' =1", `"=1`: `'"=1`, "'=1": "''=1", "''=1": "'''=1",
		"\u00a0+1": "'\u00a0+1", "\u200b@x": "'\u200b@x", "﹣1": "'﹣1", "'tis": "'tis", "it's -1": "it's -1",
		// Excel splits at semicolons in some countries, and then at line breaks too.
		"hi;=1+1;x": "hi;'=1+1;x", "x\n=1+1": "x\n'=1+1", "x\r\n=1": "x\r\n'=1", "x\t@y": "x\t'@y", `x;" -1"`: `x;'" -1"`, "x;'=1": "x;''=1", ";=1;+2": ";'=1;'+2",
		"=1;=2": "'=1;'=2", "a;b; c\n\nd\r\ne": "a;b; c\n\nd\r\ne", "x;\n\t=1": "x;\n\t'=1", "x, =1": "x, =1", ";": ";", "x;": "x;", "'": "'", "x;'": "x;'",
	} {
		if got := ledger.Cell(in); got != want {
			t.Errorf("Cell(%q) = %q, want %q", in, got, want)
		}
		if got := ledger.FromCell(ledger.Cell(in)); got != in {
			t.Errorf("%q comes back as %q", in, got)
		}
	}
}

// FuzzCellsComeBack shows that a text is what it was behind a file, and that no
// cell of the file begins a formula.
func FuzzCellsComeBack(f *testing.F) {
	for _, text := range []string{"", "=1", "'=1", "''=1", "-5", " \t=x", "'", "''", "“=cmd|' /C calc'!A0", "a,b\"c\nd", "＝", "'\u200b-", "hi;=1+1;x", "x\r\n=1", "x;'=1;''=2", "a\t;\n@b"} {
		f.Add(text, "'"+text)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if a != b && ledger.Cell(a) == ledger.Cell(b) {
			t.Fatalf("%q and %q have one cell", a, b)
		}
		for _, text := range []string{a, b} {
			if got := ledger.FromCell(ledger.Cell(text)); got != text {
				t.Fatalf("%q comes back as %q", text, got)
			}
		}
		a, b = strings.ReplaceAll(a, "\r", ""), strings.ReplaceAll(b, "\r", "") // encoding/csv reads CRLF as LF
		var file bytes.Buffer
		s := ledger.NewSheet(&file, ',')
		if err := s.Row(a, b); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&file).ReadAll()
		if a == "" && b == "" {
			return
		}
		if err != nil || len(rows) != 1 {
			t.Fatalf("%d rows: %v", len(rows), err)
		}
		for i, cell := range rows[0] {
			if strings.ContainsRune("\t\n", append([]rune(cell), 'x')[0]) {
				t.Errorf("a spreadsheet runs %q", cell)
			}
			for _, at := range []string{";", "\t", "\r\n", ";\r\n", ";\t\r\n"} {
				for _, piece := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(at, r) }) {
					if piece = strings.TrimLeft(piece, " \"\t\r\n"); strings.ContainsRune("=+-@＝＋－＠", append([]rune(piece), 'x')[0]) {
						t.Errorf("split at %q a spreadsheet runs %q", at, piece)
					}
				}
			}
			if got := ledger.FromCell(cell); got != []string{a, b}[i] {
				t.Errorf("%q comes back as %q", []string{a, b}[i], got)
			}
		}
	})
}

func TestACellThatIsNoFormulaCostsNothing(t *testing.T) {
	text := strings.Repeat("plain; text - of\n\nmany 'lines'\t\r\n", 100)
	if n := testing.AllocsPerRun(100, func() { ledger.FromCell(ledger.Cell(text)) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestOnlyFilesOfOurOwnAreReadAsCells(t *testing.T) {
	t.Parallel()
	for columns, want := range map[string]bool{
		"key,text,label,status": true, "key,text,answer,content": true, "key,text,label,status,media,media_digest": true,
		"key,text,label": false, "text,label": false, "key,text,label,status,note": false, "": false,
	} {
		if got := ledger.OwnSheet(slices.DeleteFunc(strings.Split(columns, ","), func(c string) bool { return c == "" })); got != want {
			t.Errorf("%q: %v", columns, got)
		}
	}
}
