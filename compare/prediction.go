package compare

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// PredictionSetID is the id of a prediction set (UUIDv7).
type PredictionSetID string

// PredictionState is where a prediction set stands.
type PredictionState string

// The states of a prediction set.
const (
	PredictionsWaiting PredictionState = "waiting" // the bytes are kept, reading them has not ended
	PredictionsReady   PredictionState = "ready"
	PredictionsFailed  PredictionState = "failed"
)

// Origin says where answers come from.
type Origin string

// The origins of answers.
const (
	OriginComputed Origin = "computed" // by a job of this server, from the model with its digest
	OriginUploaded Origin = "uploaded" // by a person; nobody knows what made them
)

// PredictionSet is what one model version answered on the items of one snapshot
// or one dataset. Exactly one of Snapshot and Dataset is set. A set is never
// replaced: a later one is a version beside it.
type PredictionSet struct {
	ID         PredictionSetID
	Project    ledger.ProjectID
	Model      ModelID
	Snapshot   labeling.SnapshotID
	Dataset    labeling.DatasetID
	State      PredictionState
	KeysDigest ledger.Digest // of the sorted keys; names the items
	Digest     ledger.Digest // of our own Parquet file, which is kept as a blob
	Rows       int
	Report     PredictionReport
	Version    int // counts the sets of the model on the same snapshot or dataset, from 1
	Origin     Origin
	Job        string // that computed it; empty where it was uploaded
	Attempt    int64  // of the job
	CreatedBy  ledger.PersonID
	By         string // the name of that person, today
	CreatedAt  time.Time
	Withdrawn  Withdrawal // zero while it stands
}

// Withdrawal says who took an upload out of what stands, when and why. The set
// and every comparison with it stay in sight.
type Withdrawal struct {
	By     ledger.PersonID
	Name   string // of that person, today
	At     time.Time
	Reason string
}

// None reports that nobody withdrew it.
func (w Withdrawal) None() bool { return w.By == "" }

// Source says, in a document and beside a number, which set of answers was read
// and where it comes from.
type Source struct {
	Digest  ledger.Digest   `json:"digest"` // of the set
	Version int             `json:"version"`
	Origin  Origin          `json:"origin"`
	Model   ledger.Digest   `json:"model,omitempty"` // digest of the model whose answers these are
	Job     string          `json:"job,omitempty"`
	Attempt int64           `json:"attempt,omitempty"`
	By      ledger.PersonID `json:"by,omitempty"` // who uploaded it
	Name    string          `json:"name,omitempty"`
	At      time.Time       `json:"at"`
}

// Source returns where the answers of a set come from, of the model with a
// digest.
func (s PredictionSet) Source(model ledger.Digest) Source {
	source := Source{Digest: s.Digest, Version: s.Version, Origin: s.Origin, Model: model, Job: s.Job, Attempt: s.Attempt, At: s.CreatedAt}
	if s.Origin != OriginComputed {
		source.By, source.Name = s.CreatedBy, s.By
	}
	return source
}

// Computed reports whether all of some answers were computed by this server.
func Computed(sources []Source) bool {
	for _, s := range sources {
		if s.Origin != OriginComputed {
			return false
		}
	}
	return len(sources) > 0
}

// Prediction is a model's answer to one item.
type Prediction struct {
	Key   string // the item's
	Class string // the name of the class, as the model says it
	// Score is how sure the model is of Class, from 0 to 1; negative when unknown.
	Score float64
	// Runner is the score of the second best class; negative when unknown.
	Runner float64
}

// NoScore stands for a score that the model did not give.
const NoScore = -1.0

// Uncertainty orders items from certain (0) to open (1): one minus the margin
// between the two best classes, or one minus the score where only that is
// known, and NoScore where nothing is.
func (p Prediction) Uncertainty() float64 {
	switch {
	case p.Score < 0:
		return NoScore
	case p.Runner < 0:
		return 1 - p.Score
	}
	return 1 - max(0, p.Score-p.Runner)
}

// Validate reports what is wrong with a prediction.
func (p Prediction) Validate() error {
	switch {
	case p.Key == "":
		return fault.Field("key", "A prediction needs the key of its item.")
	case p.Class == "":
		return fault.Field("class", "The prediction for %q names no class.", p.Key)
	case math.IsNaN(p.Score) || p.Score > 1:
		return fault.Field("score", "The score for %q is %v; scores go from 0 to 1.", p.Key, p.Score)
	}
	return nil
}

// PredictionReport says what reading a file of predictions met.
type PredictionReport struct {
	File     string        `json:"file,omitempty"` // its name, for people
	Format   string        `json:"format,omitempty"`
	Read     int           `json:"read"`               // rows in the file
	Unknown  int           `json:"unknown"`            // rows whose key the snapshot does not have
	Missing  int           `json:"missing"`            // items of the snapshot without a row
	Problems int           `json:"problems"`           // rows that were refused for another reason
	Notes    []RowProblem  `json:"notes,omitempty"`    // the first of them, with line and reason
	Failure  string        `json:"failure,omitempty"`  // why the set as a whole failed
	Source   ledger.Digest `json:"source,omitempty"`   // of the bytes as they came
	Classes  []string      `json:"classes,omitempty"`  // names that the schema does not have; they count as wrong answers
	Copied   int           `json:"copied"`             // items that got a suggestion
	Withheld bool          `json:"withheld,omitempty"` // evaluation items, which never get one
}

// RowProblem is one refused row of an uploaded file.
type RowProblem struct {
	Line   int64  `json:"line"` // from 1; of a Parquet file the row
	Key    string `json:"key,omitempty"`
	Reason string `json:"reason"`
}

// maxNotes is how many refused rows a report spells out.
const maxNotes = 100

func (r *PredictionReport) note(line int64, key, reason string) {
	if len(r.Notes) < maxNotes {
		r.Notes = append(r.Notes, RowProblem{Line: line, Key: key, Reason: reason})
	}
}

// KeysDigest names a list of item keys: SHA-256 over the sorted keys, each with
// its length before it.
func KeysDigest(keys []string) ledger.Digest {
	sorted := slices.Sorted(slices.Values(keys))
	h := sha256.New()
	var size [8]byte
	for _, k := range sorted {
		binary.BigEndian.PutUint64(size[:], uint64(len(k)))
		h.Write(size[:])
		h.Write([]byte(k))
	}
	return ledger.DigestFrom([sha256.Size]byte(h.Sum(nil)))
}
