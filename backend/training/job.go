package training

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// JobID is the id of a job (UUIDv7).
type JobID string

// Kind says what a job does.
type Kind string

// The kinds of job.
const (
	KindTrain   Kind = "train"   // makes a model from a snapshot
	KindPredict Kind = "predict" // answers the items of a dataset with a model
)

// Job is one piece of training work. A train job has a run; a predict job
// follows a train job and shares its run, and names its model and its dataset.
type Job struct {
	ID            JobID
	Project       ledger.ProjectID
	Kind          Kind
	Run           compare.RunID
	Recipe        string
	RecipeVersion string
	Params        json.RawMessage // canonical, complete
	Seed          uint64
	ModelName     string              // of a train job: the name under which its model is kept
	Snapshot      labeling.SnapshotID // of a train job
	Model         compare.ModelID     // made by a train job, used by a predict job
	Dataset       labeling.DatasetID  // of a predict job
	Unlabeled     bool                // of a predict job: answer only items without an accepted label
	SpecHash      ledger.Digest       // of all that decides the result
	Key           string              // idempotency key of the request; empty if none was given
	Engine        string
	State         State
	Reason        Reason
	Message       string // why it ended so, for people
	Fence         int64  // of the newest attempt; 0 before the first
	Attempts      int
	MaxAttempts   int
	NotBefore     time.Time
	StopAt        time.Time // when it was asked to stop; zero if it was not
	Cause         string    // W3C traceparent of the request that asked for it; empty where nobody watched
	CreatedBy     ledger.PersonID
	CreatedAt     time.Time
	EndedAt       time.Time
}

// Attempt is one try at a job.
type Attempt struct {
	Fence        int64 // grows with every attempt of this installation
	Job          JobID
	Number       int // 1, 2, 3 … within the job
	Engine       string
	Server       string // which of several servers placed it; only that one can look after it
	ExtID        string // what the engine calls it
	TokenHash    ledger.Digest
	State        State
	Phase        Phase
	Reason       Reason
	Message      string
	LeaseUntil   time.Time
	PlacedAt     time.Time // claimed
	StartedAt    time.Time // the trainer ran
	CollectingAt time.Time // the trainer ended
	EndedAt      time.Time
	BeatAt       time.Time // last sign of life
	ExitCode     int
	Signal       string
	LogBytes     int64
	LogCRC32     uint32
	LogWhole     bool // the runner's byte count and checksum agreed at the end
	MetricsBytes int64
	Progress     float64 // 0 to 1; negative while unknown
	Host         Host
	Environment  json.RawMessage // what it ran on, as the runner reports it
	Submitted    string          // word for word what the engine was given
}

// specOf digests all that decides what a job produces; two jobs with the same
// spec would train the same model.
func specOf(j Job) ledger.Digest {
	h := sha256.New()
	for _, field := range []string{"adjudge.job.v1", string(j.Project), string(j.Kind), j.Recipe, j.RecipeVersion, string(j.Params),
		fmt.Sprint(j.Seed), j.ModelName, string(j.Snapshot), modelOf(j), string(j.Dataset), fmt.Sprint(j.Unlabeled)} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(field), field)
	}
	return ledger.DigestFrom([sha256.Size]byte(h.Sum(nil)))
}

// modelOf returns the model that goes into a job; the one that a train job
// leaves behind is none.
func modelOf(j Job) string {
	if j.Kind == KindTrain {
		return ""
	}
	return string(j.Model)
}

// RunState is the job's state as its run shows it.
func (j Job) RunState() compare.RunState { return compare.RunState(j.State) }

// stale is what a runner hears when its attempt was given up.
func stale(fence int64) error {
	return fault.New(fault.Conflict, "Attempt %d was given up or has ended; stop its trainer and exit.", fence)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func join(problems []error) error { return errors.Join(problems...) }
