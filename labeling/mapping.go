package labeling

import (
	pathpkg "path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
)

// Mapping says which column of a file is what. An empty name means that the
// file has no such column; a file without a text or media column cannot come in.
type Mapping struct {
	Text  string `json:"text,omitempty"`
	Media string `json:"media,omitempty"` // references to pictures, recordings or videos
	Label string `json:"label,omitempty"`
	Key   string `json:"key,omitempty"`
}

// Check returns Invalid when the mapping names columns that are not there, or
// one column twice.
func (m Mapping) Check(columns []string) error {
	if m.Text == "" && m.Media == "" {
		return fault.Field("text", "Choose the column that holds the text to judge, or the one that refers to pictures, recordings or videos.")
	}
	for field, name := range map[string]string{"text": m.Text, "media": m.Media, "label": m.Label, "key": m.Key} {
		if name != "" && !slices.Contains(columns, name) {
			return fault.Field(field, "The file has no column %q; it has: %s.", name, strings.Join(columns, ", "))
		}
	}
	if m.Label == m.Text && m.Text != "" {
		return fault.Field("label", "The column %q cannot be both the text and the label.", m.Text)
	}
	if m.Media != "" && (m.Media == m.Text || m.Media == m.Label) {
		return fault.Field("media", "The column %q cannot be both the reference and the text or label.", m.Media)
	}
	if m.Key != "" && m.Key == m.Label {
		return fault.Field("key", "The column %q cannot be both the key and the label.", m.Key)
	}
	return nil
}

// The names by which people call the columns, the most telling first.
var (
	textNames  = []string{"text", "content", "sentence", "question", "utterance", "body", "message", "comment", "review", "document", "query", "input", "description", "title"}
	labelNames = []string{"label", "category", "class", "intent", "target", "answer", "tag", "sentiment", "y", "topic", "type"}
	mediaNames = []string{"image", "media", "picture", "photo", "audio", "video", "image_url", "image_path", "file_name", "filename", "file", "path", "url", "uri"}
	keyNames   = []string{"key", "id", "uuid", "item_id", "itemid", "doc_id", "document_id", "guid", "external_id", "index"}
)

// GuessMapping guesses what the columns of a file are, by their names and by
// what the first records hold.
func GuessMapping(columns []string, records []Record) Mapping {
	facts := make([]columnFacts, len(columns))
	for i := range columns {
		facts[i] = look(i, records)
	}
	free := func(i int, m Mapping) bool {
		return columns[i] != m.Text && columns[i] != m.Media && columns[i] != m.Label && columns[i] != m.Key
	}
	var m Mapping
	byName := func(names []string, fits func(columnFacts) bool) string {
		for _, name := range names {
			for i, c := range columns {
				if strings.EqualFold(strings.TrimSpace(c), name) && free(i, m) && fits(facts[i]) {
					return c
				}
			}
		}
		return ""
	}
	m.Media = byName(mediaNames, func(f columnFacts) bool { return f.media })
	m.Text = byName(textNames, func(f columnFacts) bool { return f.filled > 0 })
	m.Label = byName(labelNames, func(f columnFacts) bool { return f.filled > 0 && f.longest <= mostClassName })
	m.Key = byName(keyNames, func(f columnFacts) bool { return f.filled == len(records) && f.distinct == f.filled })
	if m.Text == "" && m.Media == "" { // the column with the longest texts
		best := -1
		for i := range columns {
			if free(i, m) && facts[i].filled > 0 && (best < 0 || facts[i].runes > facts[best].runes) {
				best = i
			}
		}
		if best >= 0 {
			m.Text = columns[best]
		}
	}
	if m.Label == "" && len(records) >= 10 { // a column of few, short, repeated words
		best := -1
		for i := range columns {
			f := facts[i]
			if free(i, m) && f.filled > 0 && f.longest <= 60 && !f.numbers && f.distinct*2 <= f.filled && (best < 0 || f.distinct < facts[best].distinct) {
				best = i
			}
		}
		if best >= 0 {
			m.Label = columns[best]
		}
	}
	return m
}

// columnFacts is what the first records say about a column.
type columnFacts struct {
	filled, distinct, runes, longest int
	numbers                          bool
	media                            bool // all that is filled looks like a reference to an object
}

func look(column int, records []Record) columnFacts {
	f := columnFacts{numbers: true, media: true}
	seen := map[string]bool{}
	for _, r := range records {
		v := r.Get(column)
		if !v.Present || strings.TrimSpace(v.Text) == "" {
			continue
		}
		n := utf8.RuneCountInString(v.Text)
		f.filled++
		f.runes += n
		f.longest = max(f.longest, n)
		seen[v.Text] = true
		if strings.Trim(v.Text, "0123456789.-+eE") != "" {
			f.numbers = false
		}
		f.media = f.media && looksLikeMedia(v.Text)
	}
	f.distinct = len(seen)
	f.media = f.media && f.filled > 0
	return f
}

// mediaEndings are how the names of objects end that can be shown.
var mediaEndings = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".wav", ".mp3", ".ogg", ".oga", ".mp4", ".webm"}

// looksLikeMedia reports whether a value may refer to an object.
func looksLikeMedia(value string) bool {
	value = strings.TrimSpace(value)
	if value == "" || len(value) > mostURI || strings.ContainsFunc(value, unicode.IsControl) {
		return false
	}
	if strings.HasPrefix(value, "media://") {
		return true
	}
	path, _, _ := strings.Cut(value, "?")
	return strings.Contains(path, "/") && slices.Contains(mediaEndings, strings.ToLower(pathpkg.Ext(path)))
}
