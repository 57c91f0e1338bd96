package store

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
)

// shape is how a statement writes into a table that is proven.
type shape struct {
	table   proven
	query   string // with what it returns of each row
	deletes bool
	returns bool   // it returned something before
	parts   uint64 // that it writes
	// before reads the rows that it changes, where only what differs is sealed, with
	// the arguments of these numbers.
	before     string
	beforeArgs []int
}

// shaped is what is known of a statement: its shape, nil where it writes into no
// table that is proven, or why it may not run.
type shaped struct {
	shape *shape
	err   error
}

// writesInto finds what a statement writes into, wherever it says so.
var (
	writesInto = regexp.MustCompile(`(?i)\b(INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?)\s+"?(\w+)"?`)
	returnsRow = regexp.MustCompile(`\sRETURNING\s`)
	onConflict = regexp.MustCompile(`\sDO\s+UPDATE\s+SET\s`)
	setsValues = regexp.MustCompile(`\sSET\s`)
	assigns    = regexp.MustCompile(`^\s*"?(\w+)"?\s*=`)
	argument   = regexp.MustCompile(`\$(\d+)`)
)

// shapeOf returns how a query writes into a table that is proven, nil where it
// does not, or changes only columns that are not.
func (s *Store) shapeOf(query string) (*shape, error) {
	known, ok := s.shapes[query]
	if !ok {
		known.shape, known.err = readShape(query)
		s.shapes[query] = known
	}
	return known.shape, known.err
}

// errUnsealed stops a statement that writes past the seals.
func errUnsealed(query string) error {
	return fault.New(fault.Internal, "a statement writes past the seals into a table that is proven (see rows_shape.go): %.200q", strings.TrimSpace(query))
}

func provenTable(name string) (proven, bool) {
	i := slices.IndexFunc(provenTables(), func(t proven) bool { return t.name == name })
	if i < 0 {
		return proven{}, false
	}
	return provenTables()[i], true
}

func readShape(query string) (*shape, error) {
	var sh *shape
	for _, at := range writesInto.FindAllStringSubmatchIndex(query, -1) {
		verb, name := query[at[2]:at[3]], query[at[4]:at[5]]
		t, found := provenTable(strings.ToLower(name))
		if !found {
			continue
		}
		if sh != nil || strings.TrimSpace(query[:at[0]]) != "" || name != t.name {
			return nil, errUnsealed(query)
		}
		sh = &shape{table: t, query: query, returns: returnsRow.MatchString(query)}
		if ok, err := sh.read(verb, query[at[1]:]); err != nil || !ok {
			return nil, err
		}
	}
	if sh == nil {
		return nil, nil
	}
	names := sh.table.all()
	if sh.deletes {
		names = sh.table.key
	}
	if sh.returns {
		sh.query += `, ` + quoted(names)
	} else {
		sh.query += ` RETURNING ` + quoted(names)
	}
	return sh, nil
}

// read takes a statement apart and reports whether it writes what is sealed.
func (sh *shape) read(verb, rest string) (bool, error) {
	switch verb {
	case "DELETE FROM":
		sh.deletes = true
	case "INSERT INTO":
		sh.parts = 1<<len(sh.table.parts) - 1
		at := onConflict.FindStringIndex(rest)
		if at == nil {
			break
		}
		// What such a statement leaves as it was is not known to be right.
		sets, _, err := assignments(rest[at[1]:])
		if err != nil || slices.ContainsFunc(sh.table.columns(), func(c string) bool { return !slices.Contains(sets, c) }) {
			return false, errUnsealed(sh.query)
		}
	case "UPDATE":
		return sh.readUpdate(rest)
	default:
		return false, errUnsealed(sh.query)
	}
	return true, nil
}

func (sh *shape) readUpdate(rest string) (bool, error) {
	at := setsValues.FindStringIndex(rest)
	if at == nil {
		return false, errUnsealed(sh.query)
	}
	sets, condition, err := assignments(rest[at[1]:])
	if err != nil || slices.ContainsFunc(sh.table.key, func(c string) bool { return slices.Contains(sets, c) }) {
		return false, errUnsealed(sh.query)
	}
	for part, columns := range sh.table.parts {
		n := 0
		for _, c := range columns {
			n += btoi(slices.Contains(sets, c))
		}
		if n > 0 && n < len(columns) {
			return false, errUnsealed(sh.query) // the rest of the part is not known to be right
		}
		sh.parts |= uint64(btoi(n > 0)) << part //nolint:gosec // 0 or 1
	}
	if sh.parts == 0 || sh.table.many {
		return sh.parts != 0, nil
	}
	sh.before = argument.ReplaceAllStringFunc(`SELECT `+quoted(sh.table.all())+` FROM "`+sh.table.name+`"`+condition, func(place string) string {
		n, _ := strconv.Atoi(place[1:]) // digits, by the pattern
		i := slices.Index(sh.beforeArgs, n)
		if i < 0 {
			sh.beforeArgs, i = append(sh.beforeArgs, n), len(sh.beforeArgs)
		}
		return fmt.Sprintf("$%d", i+1)
	})
	return true, nil
}

// assignments reads "a = 1, b = $2 WHERE …" and returns the names that are set,
// and the condition.
func assignments(text string) (names []string, condition string, err error) {
	depth, quote, from, end := 0, false, 0, len(text)
	piece := func(to int) {
		found := assigns.FindStringSubmatch(text[from:to])
		if found == nil {
			err = errUnsealed(text)
			return
		}
		names, from = append(names, found[1]), to+1
	}
scan:
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\'':
			quote = !quote
		case quote:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth > 0:
		case c == ',':
			piece(i)
		case wordAt(text, i, "FROM"):
			return nil, "", errUnsealed(text)
		case wordAt(text, i, "WHERE"), wordAt(text, i, "RETURNING"):
			end = i
			break scan
		}
	}
	piece(end)
	condition = text[end:]
	if at := returnsRow.FindStringIndex(" " + condition); at != nil {
		condition = condition[:max(0, at[0]-1)]
	}
	if condition != "" {
		condition = " " + condition
	}
	return names, condition, err
}

func wordAt(text string, i int, word string) bool {
	blank := func(c byte) bool { return c == ' ' || c == '\n' || c == '\t' }
	return strings.HasPrefix(text[i:], word) && i > 0 && blank(text[i-1]) && (i+len(word) == len(text) || blank(text[i+len(word)]) || text[i+len(word)] == '(')
}

// width is how many values the statement returns of a row for its seal.
func (sh *shape) width() int {
	if sh.deletes {
		return len(sh.table.key)
	}
	return len(sh.table.all())
}
