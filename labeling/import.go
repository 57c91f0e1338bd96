package labeling

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/ledger"
)

// ImportID is the id of an import (UUIDv7).
type ImportID string

// ImportState says how far an import is.
type ImportState string

// The states of an import.
const (
	ImportUploaded  ImportState = "uploaded"  // its bytes are here; nobody said yet what they are
	ImportQueued    ImportState = "queued"    // waits to begin
	ImportRunning   ImportState = "running"   // records come in
	ImportDone      ImportState = "done"      // all came in, but for those that are reported
	ImportFailed    ImportState = "failed"    // the file could not be read to its end; what came in stays
	ImportCancelled ImportState = "cancelled" // somebody stopped it; what came in stays
)

// Over reports whether nothing more will happen.
func (s ImportState) Over() bool {
	return s == ImportDone || s == ImportFailed || s == ImportCancelled
}

// Import is one uploaded file on its way to becoming items.
type Import struct {
	ID         ImportID
	Project    ProjectID
	File       string // the name it came with
	Blob       ledger.Digest
	Size       int64
	State      ImportState
	Failure    string // why it failed, for people
	Dataset    DatasetID
	Format     Format
	Header     Header
	Mapping    Mapping
	AddClasses bool // labels that are no class yet become one
	ClassesIn  bool // that was done

	// Counts, each committed together with the rows it counts.
	Passed    int64 // records dealt with; the reading goes on behind them after a restart
	Read      int64 // bytes behind them
	Added     int64 // items that are new
	Unchanged int64 // records whose key was there already
	Labeled   int64 // new items that came with an answer
	Bad       int64 // records that were refused

	CreatedBy  ledger.PersonID
	CreatedAt  time.Time
	FinishedAt time.Time
}

// Percent returns how much of the file was dealt with, 0 to 100.
func (i Import) Percent() int {
	switch {
	case i.State == ImportDone:
		return 100
	case i.Size <= 0:
		return 0
	}
	return int(min(99, i.Read*100/i.Size))
}

// ImportProblem is one record of an import that was refused, or passed over
// with a remark.
type ImportProblem struct {
	Line   int64
	Reason string
}

// MostProblems is how many problems of an import are kept; the rest is counted.
const MostProblems = 1000

// keyer makes keys for the items of a file that has no key column: the digest
// of the content (of the reference instead of the object), and a counter from its second occurrence in the file on. The
// same file again makes the same keys.
type keyer map[uint64]uint32

func (k keyer) key(content ledger.Digest) string {
	raw := content.Hex()
	var short [8]byte
	if _, err := hex.Decode(short[:], []byte(raw[:16])); err != nil {
		return raw // no digest of ours
	}
	var n uint64
	for _, b := range short {
		n = n<<8 | uint64(b)
	}
	k[n]++
	if k[n] == 1 {
		return raw[:24]
	}
	return fmt.Sprintf("%s-%d", raw[:24], k[n])
}

// incoming is a record that became an item.
type incoming struct {
	Line  int64
	Item  Item
	Label string // name of the class it came with
}

// reading turns records into items as an import's mapping says.
type reading struct {
	mapping Mapping
	keys    keyer
	columns int // how many columns the indices were found among
	text    int
	media   int
	label   int
	key     int
}

func newReading(m Mapping) *reading {
	return &reading{mapping: m, keys: keyer{}, columns: -1, text: -1, media: -1, label: -1, key: -1}
}

// locate finds the columns of the mapping; those of JSON lines may come late.
func (r *reading) locate(columns []string) {
	if len(columns) == r.columns {
		return
	}
	r.columns = len(columns)
	r.text, r.media = slices.Index(columns, r.mapping.Text), slices.Index(columns, r.mapping.Media)
	r.label, r.key = slices.Index(columns, r.mapping.Label), slices.Index(columns, r.mapping.Key)
}

// item returns the item of a record, or why there is none. Where it refers to an
// object, nobody has looked at that yet: see lookAt.
func (r *reading) item(rec Record) (incoming, error) {
	in := incoming{Line: rec.Line}
	text, reference := rec.Get(r.text), strings.TrimSpace(rec.Get(r.media).Text)
	switch {
	case len(reference) > mostURI:
		return in, fmt.Errorf("the reference in %q has %d bytes; %d is the most", r.mapping.Media, len(reference), mostURI)
	case reference != "" && strings.TrimSpace(text.Text) == "":
		text.Text = ""
	case reference == "" && r.mapping.Text == "":
		return in, fmt.Errorf("no reference in %q", r.mapping.Media)
	case reference != "" && len(text.Text) <= MostText:
	case !text.Present:
		return in, fmt.Errorf("no %q", r.mapping.Text)
	case strings.TrimSpace(text.Text) == "":
		return in, fmt.Errorf("the text in %q is empty", r.mapping.Text)
	case len(text.Text) > MostText:
		return in, fmt.Errorf("the text has %d bytes; %d is the most", len(text.Text), MostText)
	}
	in.Item.Text = text.Text
	in.Item.Content = contentOf(text.Text, nil)
	of := in.Item.Content
	if reference != "" {
		in.Item.Media = &Media{URI: reference}
		of = ledger.DigestOf([]byte(reference + "\n" + text.Text)) // known before anybody looks
	}
	if r.mapping.Key == "" {
		in.Item.Key = r.keys.key(of)
	} else {
		key := strings.TrimSpace(rec.Get(r.key).Text)
		switch {
		case key == "":
			return in, fmt.Errorf("no key in %q", r.mapping.Key)
		case len(key) > 1000:
			return in, fmt.Errorf("the key has %d bytes; 1000 is the most", len(key))
		}
		in.Item.Key = key
	}
	if r.mapping.Label != "" {
		in.Label = strings.TrimSpace(rec.Get(r.label).Text)
		if err := checkLabel(in.Label); err != nil {
			return in, err
		}
	}
	return in, nil
}

// checkLabel reports why a label cannot be the name of a class.
func checkLabel(label string) error {
	switch {
	case utf8.RuneCountInString(label) > mostClassName:
		return fmt.Errorf("the label %.40q… is longer than %d characters; is that the right column?", label, mostClassName)
	case strings.ContainsFunc(label, unicode.IsControl):
		return fmt.Errorf("the label %.40q holds a line break or another control character", label)
	case ledger.Plain("label", label) != nil: // it would become the name of a class
		return ledger.Plain("label", label)
	}
	return nil
}

// Preview is what a file looks like before it comes in.
type Preview struct {
	Import  Import
	Columns []string
	Records []Record
	Errors  []RecordError
	Mapping Mapping  // as guessed, or as asked for
	Classes []string // labels among the first records, in the order of their coming
	New     []string // those that are no class of the schema
	Failure string   // why the file cannot be read, for people
}

// PreviewRecords is how many records a preview shows and a guess looks at.
const PreviewRecords = 200
