package labeling

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// SnapshotState says how far the making of a snapshot is.
type SnapshotState string

// The states of a snapshot.
const (
	SnapshotBuilding SnapshotState = "building"
	SnapshotReady    SnapshotState = "ready"
	SnapshotFailed   SnapshotState = "failed"
)

// Snapshot is an immutable list of items with their accepted answers. Its
// digest names exactly that content, on any machine.
type Snapshot struct {
	ID        SnapshotID
	Project   ledger.ProjectID
	Number    int // 1, 2, 3 … in its project
	Name      string
	Purpose   Purpose // training or evaluation: never both kinds of item
	Datasets  []SnapshotDataset
	State     SnapshotState
	Failure   string // why it failed, for people
	CreatedBy ledger.PersonID
	CreatedAt time.Time

	// Known once it is ready.
	Digest        ledger.Digest // of the canonical lines; see SnapshotHash
	Schema        ledger.Digest // of the schema's canonical JSON
	SchemaJSON    []byte
	Rows          ledger.Digest // the file of rows as JSON lines: SnapshotRow.AppendJSON
	RowsBytes     int64
	Parquet       ledger.Digest // the same rows as Parquet
	ParquetBytes  int64
	Items         int64
	Classes       []ClassCount  // by class in the order of the schema
	Answerers     []PersonCount // who labeled, most first
	Merged        int64         // items that stood in several datasets and count once
	HeldOut       int64         // training items left out because an evaluation dataset holds the same content
	Progress      int64         // items done, while it is building
	ProgressTotal int64

	Withheld bool // what would tell answers was taken out for whoever asks; see Sight
}

// Title is how people call the snapshot.
func (s Snapshot) Title() string {
	if s.Name != "" {
		return s.Name
	}
	return fmt.Sprintf("Snapshot %d", s.Number)
}

// SnapshotDataset is a dataset that a snapshot was taken of.
type SnapshotDataset struct {
	ID    DatasetID `json:"id"`
	Name  string    `json:"name"`
	Items int64     `json:"items"`
}

// ClassCount is how many items have a class as their answer.
type ClassCount struct {
	Class string `json:"class"`
	Color int    `json:"color"`
	Items int64  `json:"items"`
}

// PersonCount is how many answers are a person's, and how many others came with
// data that the person imported.
type PersonCount struct {
	Person   ledger.PersonID `json:"person"`
	Answers  int64           `json:"answers"`
	Imported int64           `json:"imported"`
}

// SnapshotRow is one item of a snapshot.
type SnapshotRow struct {
	Key     string        `json:"key"`
	Content ledger.Digest `json:"content"` // digest of the text, and of the object where there is one
	Text    string        `json:"text"`
	Answer  string        `json:"answer"` // name of the class

	Media       string        `json:"media,omitempty"`        // reference to the object; empty for a text alone
	MediaDigest ledger.Digest `json:"media_digest,omitempty"` // of the object's bytes
}

// AppendJSON appends the row as it stands in the file of rows: one line of
// canonical JSON.
func (r SnapshotRow) AppendJSON(b []byte) []byte {
	b = appendCanonical(append(b, `{"answer":`...), r.Answer)
	b = appendCanonical(append(b, `,"content":`...), string(r.Content))
	b = appendCanonical(append(b, `,"key":`...), r.Key)
	if r.Media != "" {
		b = appendCanonical(append(b, `,"media":`...), r.Media)
		b = appendCanonical(append(b, `,"media_digest":`...), string(r.MediaDigest))
	}
	b = appendCanonical(append(b, `,"text":`...), r.Text)
	return append(b, '}', '\n')
}

// SnapshotHash computes the digest of a snapshot: SHA-256 over lines of
// canonical JSON (RFC 8785), each ended by a newline. The first names the
// digest of the schema,
//
//	{"adjudge":"snapshot.v1","schema":"sha256:…"}
//
// and one follows for each item, ordered by the bytes of the keys:
//
//	{"answer":"card_arrival","content":"sha256:…","key":"17"}
type SnapshotHash struct {
	sum  hash.Hash
	copy io.Writer // gets the lines, too
	err  error     // of writing there
	last string
	rows int64
	line []byte
}

// NewSnapshotHash begins with the digest of a schema.
func NewSnapshotHash(schema ledger.Digest) *SnapshotHash {
	return newSnapshotHash(schema, io.Discard)
}

func newSnapshotHash(schema ledger.Digest, copied io.Writer) *SnapshotHash {
	h := &SnapshotHash{sum: sha256.New(), copy: copied}
	h.line = appendCanonical(append(h.line, `{"adjudge":"snapshot.v1","schema":`...), string(schema))
	h.write()
	return h
}

func (h *SnapshotHash) write() {
	h.line = append(h.line, '}', '\n')
	_, _ = h.sum.Write(h.line) // a hash never fails
	if h.err == nil {
		_, h.err = h.copy.Write(h.line)
	}
	h.line = h.line[:0]
}

// Add takes the next row. Rows come in the order of their keys; it refuses one
// that does not, which is a mistake of ours.
func (h *SnapshotHash) Add(r SnapshotRow) error {
	if h.rows > 0 && r.Key <= h.last {
		return fmt.Errorf("snapshot row %q after %q: keys must ascend", r.Key, h.last)
	}
	h.line = appendCanonical(append(h.line, `{"answer":`...), r.Answer)
	h.line = appendCanonical(append(h.line, `,"content":`...), string(r.Content))
	h.line = appendCanonical(append(h.line, `,"key":`...), r.Key)
	h.write()
	h.last = r.Key
	h.rows++
	return nil
}

// Sum returns the digest of the rows so far.
func (h *SnapshotHash) Sum() ledger.Digest {
	return ledger.DigestFrom([sha256.Size]byte(h.sum.Sum(nil)))
}

// WriteManifest writes the lines that the digest of a snapshot is over, from its
// file of rows, and returns that digest: whoever has the manifest computes it
// with any tool that knows SHA-256.
func WriteManifest(out io.Writer, schema ledger.Digest, rows io.Reader) (ledger.Digest, error) {
	h := newSnapshotHash(schema, out)
	for dec := json.NewDecoder(rows); h.err == nil; {
		var r SnapshotRow
		err := dec.Decode(&r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = h.Add(r)
		}
		if err != nil {
			return "", fault.Wrap(err, "read the rows of a snapshot")
		}
	}
	return h.Sum(), h.err
}

// appendCanonical appends a string as RFC 8785 writes it: the two-letter
// escapes where they exist, \u00xx for other control characters, and nothing
// else escaped.
func appendCanonical(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\t':
			b = append(b, '\\', 't')
		case '\n':
			b = append(b, '\\', 'n')
		case '\f':
			b = append(b, '\\', 'f')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

// Canonical returns a value as canonical JSON (RFC 8785). It takes what
// encoding/json encodes, as long as its numbers are integers below 2^53; other
// numbers never enter what we digest.
func Canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return appendTree(nil, tree)
}

func appendTree(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return fmt.Appendf(b, "%t", v), nil
	case string:
		return appendCanonical(b, v), nil
	case json.Number:
		n, err := v.Int64()
		if err != nil || n > 1<<53-1 || n < -(1<<53-1) {
			return nil, fmt.Errorf("canonical JSON: %s is no safe integer", v)
		}
		return fmt.Appendf(b, "%d", n), nil
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendTree(b, e); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		sortUTF16(names)
		b = append(b, '{')
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendCanonical(b, name), ':')
			var err error
			if b, err = appendTree(b, v[name]); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	return nil, fmt.Errorf("canonical JSON: no way to write a %T", v)
}

// SnapshotDiff is what changed from one snapshot to another.
type SnapshotDiff struct {
	Before, After  Snapshot
	Added, Removed int64
	Relabelled     int64
	Reworded       int64 // the same key with another text
	Same           int64
	SchemaChanged  bool
	Rows           []DiffRow // the first of them, in the order of keys
	More           bool      // there are more rows of the kind asked for
	Balance        []ClassChange
}

// DiffKind says how a row changed.
type DiffKind string

// The kinds of change.
const (
	DiffRelabelled DiffKind = "relabelled"
	DiffAdded      DiffKind = "added"
	DiffRemoved    DiffKind = "removed"
	DiffReworded   DiffKind = "reworded"
)

// DiffRow is one item that changed.
type DiffRow struct {
	Kind          DiffKind
	Key           string
	Text          string // the newer one
	Cut           bool   // Text or OldText is only the beginning
	Before, After string // answers; "" where there is none
	OldText       string // where it was reworded
	By            ledger.PersonID
	At            time.Time
	Reason        string
}

// ClassChange is a class's share of two snapshots.
type ClassChange struct {
	Class         string
	Color         int
	Before, After int64
}

// diffBalance joins the classes of two snapshots, those of the later first.
func diffBalance(before, after []ClassCount) []ClassChange {
	var out []ClassChange
	at := map[string]int{}
	for _, c := range after {
		at[c.Class] = len(out)
		out = append(out, ClassChange{Class: c.Class, Color: c.Color, After: c.Items})
	}
	for _, c := range before {
		i, known := at[c.Class]
		if !known {
			i = len(out)
			out = append(out, ClassChange{Class: c.Class, Color: c.Color})
		}
		out[i].Before = c.Items
	}
	return out
}

// compareRows walks two lists of rows that ascend by key and reports each
// difference. a and b return false at their end.
func compareRows(a, b func() (SnapshotRow, bool, error), report func(kind DiffKind, before, after SnapshotRow) error) error {
	left, leftOK, err := a()
	if err != nil {
		return err
	}
	right, rightOK, err := b()
	if err != nil {
		return err
	}
	for leftOK || rightOK {
		var order int
		switch {
		case !leftOK:
			order = 1
		case !rightOK:
			order = -1
		default:
			order = cmp.Compare(left.Key, right.Key)
		}
		kind := DiffKind("")
		switch {
		case order < 0:
			kind = DiffRemoved
		case order > 0:
			kind = DiffAdded
		case left.Content != right.Content:
			kind = DiffReworded
		case left.Answer != right.Answer:
			kind = DiffRelabelled
		}
		var before, after SnapshotRow
		if order <= 0 {
			before = left
		}
		if order >= 0 {
			after = right
		}
		if err := report(kind, before, after); err != nil {
			return err
		}
		if order <= 0 {
			if left, leftOK, err = a(); err != nil {
				return err
			}
		}
		if order >= 0 {
			if right, rightOK, err = b(); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSnapshotDatasets decides which purpose a snapshot of datasets has. Items
// for evaluation never enter a training snapshot, so the two are not mixed.
func checkSnapshotDatasets(datasets []Dataset) (Purpose, error) {
	if len(datasets) == 0 {
		return "", fault.Field("dataset", "Choose at least one dataset.")
	}
	var evaluation, training []string
	for _, d := range datasets {
		if d.Purpose == PurposeEvaluation {
			evaluation = append(evaluation, d.Name)
		} else {
			training = append(training, d.Name)
		}
	}
	switch {
	case len(training) == 0:
		return PurposeEvaluation, nil
	case len(evaluation) == 0:
		return PurposeTraining, nil
	}
	return "", fault.New(fault.Unmet, "%s is for evaluation: its items never enter a training snapshot, because a model that has seen them cannot be judged by them. Take a snapshot of it on its own, without %s.",
		strings.Join(evaluation, ", "), strings.Join(training, ", "))
}

const maxSnapshotName = 100

func checkSnapshotName(name string) error {
	if utf8.RuneCountInString(name) > maxSnapshotName {
		return fault.Field("name", "The name is longer than %d characters; shorten it.", maxSnapshotName)
	}
	if err := CheckText(name); err != nil {
		return fault.Field("name", "The name cannot be kept: %s.", err)
	}
	return ledger.Name("name", name)
}

// sortUTF16 orders names by their UTF-16 code units, as RFC 8785 asks.
func sortUTF16(names []string) {
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
}
