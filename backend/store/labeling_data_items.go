package store

import (
	"strings"
	"unicode"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// indexItems returns the statement that takes the items with a seq over $1 and
// up to $2 into the search index.
func (sqlite) indexItems() string {
	return `INSERT INTO item_words (rowid, scope, text) SELECT seq, 'p' || replace(project, '-', ''), text FROM item WHERE seq > $1 AND seq <= $2`
}

func (postgres) indexItems() string {
	// PostgreSQL keeps at most a megabyte of words for a text.
	return `INSERT INTO item_words (seq, project, words) SELECT seq, project, to_tsvector('simple', left(text, 200000)) FROM item WHERE seq > $1 AND seq <= $2 ON CONFLICT (seq) DO NOTHING`
}

// searchItems returns what stands behind FROM and the first of WHERE to find
// items i by words ($1, as searchFor makes it) of a project ($2), and the column
// that is the items' seq.
func (sqlite) searchItems() (from, seq, where string) {
	return `item_words w JOIN item i ON i.seq = w.rowid`, `w.rowid`, `w.item_words MATCH $1 AND i.project = $2`
}

func (postgres) searchItems() (from, seq, where string) {
	return `item_words w JOIN item i ON i.seq = w.seq`, `w.seq`, `w.words @@ to_tsquery('simple', $1) AND w.project = $2`
}

// countWords returns what stands behind FROM to count matches in the index alone;
// its parameters are those of searchItems.
func (sqlite) countWords() string { return `item_words WHERE item_words MATCH $1 AND $2 <> ''` }

func (postgres) countWords() string {
	return `item_words w WHERE w.words @@ to_tsquery('simple', $1) AND w.project = $2`
}

// searchFor turns what a person typed into a query of the index: all words must
// occur, and the last may be the beginning of one. It is empty where there is
// no word.
func (sqlite) searchFor(tx *Tx, project labeling.ProjectID, typed string) (string, error) {
	words := searchWords(typed)
	if len(words) == 0 {
		return "", nil
	}
	// The beginning of a word is slow to look for, because the index first puts
	// together all items that have one; words one by one are not. Where no word
	// begins like that the index may still know one, for it folds accents.
	last := words[len(words)-1]
	begun, all, err := tx.wordsFrom(last)
	if err != nil {
		return "", err
	}
	for i, w := range words {
		words[i] = `"` + w + `"`
	}
	tail := words[len(words)-1] + ` *`
	if all && len(begun) > 0 {
		tail = `("` + strings.Join(begun, `" OR "`) + `")`
	}
	return `scope : p` + strings.ReplaceAll(string(project), "-", "") + ` AND text : (` + strings.Join(append(words[:len(words)-1:len(words)-1], tail), " AND ") + `)`, nil
}

// mostBegun is how many words with one beginning are looked for one by one.
const mostBegun = 64

// wordsFrom returns the words of the search index that begin with a word, and
// whether those are all.
func (tx *Tx) wordsFrom(word string) (found []string, all bool, err error) {
	for next := word; len(found) < mostBegun; {
		var term string
		err := tx.one([]any{&term}, `SELECT term FROM item_terms WHERE term >= $1 LIMIT 1`, next)
		if fault.Is(err, fault.NotFound) || err == nil && !strings.HasPrefix(term, word) {
			return found, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		found = append(found, term)
		next = term + "\x01" // before whatever else begins with the term
	}
	return found, false, nil
}

func (postgres) searchFor(_ *Tx, _ labeling.ProjectID, typed string) (string, error) {
	words := searchWords(typed)
	if len(words) == 0 {
		return "", nil
	}
	return strings.Join(words, " & ") + ":*", nil
}

// searchWords cuts a text into words of letters and digits, as both indexes do.
func searchWords(typed string) []string {
	words := strings.FieldsFunc(strings.ToLower(typed), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	return words[:min(len(words), 12)]
}

// IndexItems takes up to limit items that came since the last time into the
// search index and returns how many it took.
func (tx *Tx) IndexItems(limit int) (int, error) {
	var from, to int64
	if err := tx.one([]any{&from}, `SELECT seq FROM item_indexed WHERE one = 1`); err != nil {
		return 0, err
	}
	var n int
	if err := tx.one([]any{&to, &n}, `SELECT COALESCE(MAX(seq), 0), COUNT(*) FROM (SELECT seq FROM item WHERE seq > $1 ORDER BY seq LIMIT $2) x`, from, limit); err != nil || n == 0 {
		return 0, err
	}
	if _, err := tx.exec(tx.store.dialect.indexItems(), from, to); err != nil {
		return 0, err
	}
	return n, tx.mustExec(`UPDATE item_indexed SET seq = $1 WHERE one = 1`, to)
}

// Unindexed returns how many items are not in the search index yet, at most limit.
func (tx *Tx) Unindexed(limit int) (int, error) {
	var n int
	err := tx.one([]any{&n}, `SELECT COUNT(*) FROM (SELECT 1 FROM item WHERE seq > (SELECT seq FROM item_indexed WHERE one = 1) LIMIT $1) x`, limit)
	return n, err
}
