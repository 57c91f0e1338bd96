package compare

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// ModelID is the id of a model version (UUIDv7).
type ModelID string

// Model is one version of a model: its files and everything that made them.
// Versions of one name count up from 1.
type Model struct {
	ID          ModelID
	Project     ledger.ProjectID
	Name        string
	Version     int
	Digest      ledger.Digest       // root of the model directory; empty when nobody gave its bytes or their digest
	Files       []File              // sorted by path; empty for a model that lives elsewhere
	Run         RunID               // empty for a model that was made elsewhere
	Snapshot    labeling.SnapshotID // what it was trained on; empty if unknown
	Params      json.RawMessage     // an object
	Metrics     []Metric            // final metrics as the trainer reported them
	Environment json.RawMessage     // an object: software, hardware, seed
	TrainedBy   ledger.PersonID     // who pressed Train; empty if made elsewhere
	CreatedBy   ledger.PersonID     // who registered it
	CreatedAt   time.Time
}

// File is one file of a model directory.
type File struct {
	Path   string        `json:"path"` // relative, with slashes
	Size   int64         `json:"size"`
	Digest ledger.Digest `json:"digest"`
}

// Title names a model version for people: "name@3".
func (m Model) Title() string { return m.Name + "@" + strconv.Itoa(m.Version) }

// External reports whether the model was made elsewhere.
func (m Model) External() bool { return m.Run == "" }

// Bytes is the size of all files.
func (m Model) Bytes() int64 {
	var sum int64
	for _, f := range m.Files {
		sum += f.Size
	}
	return sum
}

// Validate reports what is wrong with a model before it is stored.
func (m Model) Validate() error {
	if err := validModelName(m.Name); err != nil {
		return err
	}
	if m.Digest != "" {
		if d, err := ledger.ParseDigest(string(m.Digest)); err != nil || d != m.Digest {
			return fault.Field("digest", "%.80q is not the digest of a model directory; it looks like sha256: and 64 hexadecimal digits.", m.Digest)
		}
	}
	if len(m.Files) > 0 && m.Digest == "" {
		return fault.Field("digest", "A model with files needs the digest of its directory.")
	}
	for _, object := range []struct {
		field string
		raw   json.RawMessage
	}{{"params", m.Params}, {"environment", m.Environment}} {
		if err := validObject(object.field, object.raw); err != nil {
			return err
		}
	}
	return nil
}

// validModelName keeps names free of what would make "name@3", a path or a
// digest ambiguous.
func validModelName(name string) error {
	switch {
	case strings.TrimSpace(name) != name || name == "":
		return fault.Field("model", "Name the model, without spaces around the name.")
	case len([]rune(name)) > MaxNameLength:
		return fault.Field("model", "Shorten the name of the model to %d characters.", MaxNameLength)
	case strings.ContainsAny(name, "@/\\") || strings.HasPrefix(name, "sha256:"):
		return fault.Field("model", "The name of a model cannot hold @ or a slash or start with sha256:; %q does.", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fault.Field("model", "The name of a model cannot hold control characters.")
	}
	return ledger.Plain("model", name)
}

// ModelRef is how people name a model: an id, "name", "name@version" or a
// digest. Exactly one of ID, Digest and Name is set; Version is 0 for the
// newest of a name.
type ModelRef struct {
	ID      ModelID
	Digest  ledger.Digest
	Name    string
	Version int
}

// ParseModelRef reads a reference to a model.
func ParseModelRef(text string) (ModelRef, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return ModelRef{}, fault.Field("model", "Name a model: its name, name@version, id or digest.")
	}
	if strings.HasPrefix(text, "sha256:") {
		digest, err := ledger.ParseDigest(text)
		return ModelRef{Digest: digest}, err
	}
	if looksLikeID(text) {
		return ModelRef{ID: ModelID(strings.ToLower(text))}, nil
	}
	name, version, found := strings.Cut(text, "@")
	if !found {
		return ModelRef{Name: text}, nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(version, "v"))
	if err != nil || n < 1 {
		return ModelRef{}, fault.Field("model", "%q has no version after @; versions count from 1, as in %s@1.", text, name)
	}
	return ModelRef{Name: name, Version: n}, nil
}

// String returns the reference as people write it.
func (r ModelRef) String() string {
	switch {
	case r.ID != "":
		return string(r.ID)
	case r.Digest != "":
		return string(r.Digest)
	case r.Version > 0:
		return fmt.Sprintf("%s@%d", r.Name, r.Version)
	}
	return r.Name
}

// looksLikeID reports whether text has the shape of a UUID.
func looksLikeID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case !strings.ContainsRune("0123456789abcdefABCDEF", c):
			return false
		}
	}
	return true
}
