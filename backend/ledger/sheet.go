package ledger

import (
	"encoding/csv"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode"
)

// Sheet writes the rows of a CSV or TSV file so that no spreadsheet runs what
// somebody wrote into a cell. It is the only writer of such files in the product.
type Sheet struct {
	out   *csv.Writer
	cells []string
}

// NewSheet begins a file whose cells are separated by comma.
func NewSheet(w io.Writer, comma rune) *Sheet {
	out := csv.NewWriter(w)
	out.Comma = comma
	return &Sheet{out: out}
}

// Row writes one row, each cell as Cell makes it.
func (s *Sheet) Row(cells ...string) error {
	s.cells = s.cells[:0]
	for _, c := range cells {
		s.cells = append(s.cells, Cell(c))
	}
	return s.out.Write(s.cells)
}

// Rows writes rows, closes the sheet, and returns the first error there was.
func (s *Sheet) Rows(rows iter.Seq[[]string]) error {
	for row := range rows {
		if err := s.Row(row...); err != nil {
			return err
		}
	}
	return s.Close()
}

// Close writes what is left and returns the first error there was.
func (s *Sheet) Close() error {
	s.out.Flush()
	return s.out.Error()
}

// Cell makes a text the cell of a spreadsheet that is read as that text. Excel and
// others take a cell for a formula that begins with = + - @, their wide forms, a
// tab or a line break, some of them also behind spaces and quotes; behind an
// apostrophe it is read as written. Cells begin where the spreadsheet splits, which
// is not always where this program does: with German settings Excel splits a .csv
// at semicolons, takes a quote in the middle of what it found for no quote, and so
// a line break for the end of a row. So an apostrophe stands before every formula
// at the beginning of the text and behind each semicolon, tab and line break in it.
// FromCell undoes exactly that.
//
// It does not cover a spreadsheet that somebody tells to split at something else,
// as at spaces, or a tab-separated file at commas.
func Cell(text string) string {
	var out strings.Builder
	done := 0
	for i := range len(text) + 1 {
		if begins(text, i) && formula(text[i:], i == 0) {
			out.WriteString(text[done:i])
			out.WriteByte('\'')
			done = i
		}
	}
	if out.Len() == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// FromCell returns the text that Cell made a cell of. No two texts have the same
// cell: one that has an apostrophe and a formula somewhere gets another there.
// Whether something is a formula is told by what stands before the next separator,
// where no apostrophe was added, so both directions see the same.
func FromCell(cell string) string {
	var out strings.Builder
	done := 0
	for i := range len(cell) {
		if cell[i] == '\'' && begins(cell, i) && formula(cell[i+1:], i == 0) {
			out.WriteString(cell[done:i])
			done = i + 1
		}
	}
	if done == 0 {
		return cell
	}
	out.WriteString(cell[done:])
	return out.String()
}

// begins reports whether some spreadsheet begins a cell at a place of a text.
func begins(text string, i int) bool {
	if i == 0 {
		return true
	}
	switch text[i-1] {
	case ';', '\t', '\r', '\n':
		return true
	}
	return false
}

// starters begin a formula, as does one behind spaces and quotes.
const starters = "=+-@＝＋－＠﹦﹢﹣﹫"

// quotes are looked through; what follows them may begin a formula all the same.
const quotes = "\"'`‘’‚“”„«»＂＇"

// formula reports whether a text begins a formula. A tab or line break does at the
// beginning of a whole text; in it, as between two paragraphs, what follows it is
// looked at by itself.
func formula(text string, whole bool) bool {
	for _, r := range text {
		switch {
		case r == '\t', r == '\r', r == '\n':
			return whole
		case strings.ContainsRune(starters, r):
			return true
		case strings.ContainsRune(quotes, r), unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
		default:
			return false
		}
	}
	return false
}

// The first columns of the files that the product writes and reads again.
var ownSheets = [][]string{{"key", "text", "label", "status"}, {"key", "text", "answer", "content"}}

// OwnSheet reports whether columns are those of an export of items or of a
// snapshot, whose cells Cell wrote. In a file of anybody else an apostrophe is an
// apostrophe.
func OwnSheet(columns []string) bool {
	return slices.ContainsFunc(ownSheets, func(own []string) bool {
		return slices.Equal(columns, own) || slices.Equal(columns, append(slices.Clone(own), "media", "media_digest"))
	})
}
