package ledger

import (
	"encoding/csv"
	"io"
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

// Close writes what is left and returns the first error there was.
func (s *Sheet) Close() error {
	s.out.Flush()
	return s.out.Error()
}

// Cell makes a text the cell of a spreadsheet that is read as that text. Excel and
// others take a cell for a formula that begins with = + - @, their wide forms, a
// tab or a line break, some of them also behind spaces and quotes; behind an
// apostrophe it is read as written. FromCell undoes exactly that.
func Cell(text string) string {
	if formula(text) {
		return "'" + text
	}
	return text
}

// FromCell returns the text that Cell made a cell of. No two texts have the same
// cell: one that begins with an apostrophe and a formula gets another.
func FromCell(cell string) string {
	if rest, quoted := strings.CutPrefix(cell, "'"); quoted && formula(rest) {
		return rest
	}
	return cell
}

// starters begin a formula, as does one behind spaces and quotes.
const starters = "=+-@\t\r\n＝＋－＠﹦﹢﹣﹫"

// quotes are looked through; what follows them may begin a formula all the same.
const quotes = "\"'`‘’‚“”„«»＂＇"

func formula(text string) bool {
	for _, r := range text {
		switch {
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
