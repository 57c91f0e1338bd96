package compare

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// RunID is the id of a run (UUIDv7).
type RunID string

// RunKind says what a run did.
type RunKind string

// The kinds of run.
const (
	RunTraining   RunKind = "training"   // made a model
	RunEvaluation RunKind = "evaluation" // measured one
)

// RunState is where a run stands. Training drives it from its job.
type RunState string

// The states of a run.
const (
	RunQueued    RunState = "queued"
	RunStarting  RunState = "starting"
	RunRunning   RunState = "running"
	RunStopping  RunState = "stopping"
	RunSucceeded RunState = "succeeded"
	RunFailed    RunState = "failed"
	RunCancelled RunState = "cancelled"
	RunPreempted RunState = "preempted"
	RunLost      RunState = "lost"
)

// Ended reports whether nothing more will happen in this state. A preempted run
// may start again.
func (s RunState) Ended() bool {
	return s == RunSucceeded || s == RunFailed || s == RunCancelled || s == RunLost
}

// Run is one training or evaluation with its parameters and results. Its number
// counts within the project and is what people call it by.
type Run struct {
	ID        RunID
	Project   ledger.ProjectID
	Number    int
	Kind      RunKind
	Name      string
	Recipe    string // empty for a run made elsewhere
	Snapshot  labeling.SnapshotID
	Params    json.RawMessage // an object
	State     RunState
	Reason    string // why it ended so, for people; empty on success
	Primary   Metric // the metric that ranks runs of this kind; zero while unknown
	CreatedAt time.Time
	StartedAt time.Time // zero before it started
	EndedAt   time.Time // zero before it ended
	By        ledger.PersonID
}

// Metric is a named number.
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Point is one value of a metric while a run went on.
type Point struct {
	Step  int64     `json:"step"`
	Split string    `json:"split"` // train, val, test; free
	Name  string    `json:"name"`
	Value float64   `json:"value"`
	At    time.Time `json:"at"`
}

// Limits of what a run may report.
const (
	MaxNameLength   = 120     // runes in a name of a run or a model
	MaxParamsBytes  = 1 << 20 // encoded parameters, metrics or environment
	maxMetricLength = 250     // bytes in the name of a metric
)

// Validate reports what is wrong with a run before it is stored.
func (r Run) Validate() error {
	switch {
	case r.Kind != RunTraining && r.Kind != RunEvaluation:
		return fault.Field("kind", "A run is of kind training or evaluation, not %q.", r.Kind)
	case len([]rune(r.Name)) > MaxNameLength:
		return fault.Field("name", "Shorten the name to %d characters.", MaxNameLength)
	}
	if err := ledger.Name("name", r.Name); err != nil {
		return err
	}
	return validObject("params", r.Params)
}

// Validate reports what is wrong with a point. A value that is not a number is
// dropped by callers, for a diverged loss must not stop a run from reporting.
func (p Point) Validate() error {
	switch {
	case strings.TrimSpace(p.Name) == "" || len(p.Name) > maxMetricLength:
		return fault.Field("name", "Name the metric in 1 to %d bytes.", maxMetricLength)
	case len(p.Split) > maxMetricLength:
		return fault.Field("split", "Name the split in at most %d bytes.", maxMetricLength)
	case math.IsNaN(p.Value) || math.IsInf(p.Value, 0):
		return fault.Field("value", "The value of %s at step %d is not a number.", p.Name, p.Step)
	}
	if err := ledger.Name("split", p.Split); err != nil {
		return err
	}
	return ledger.Name("name", p.Name)
}

// validObject accepts nothing or one JSON object within the limit.
func validObject(field string, raw json.RawMessage) error {
	if len(raw) == 0 {
		return nil
	}
	if len(raw) > MaxParamsBytes {
		return fault.Field(field, "The field %s is larger than %d bytes.", field, MaxParamsBytes)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return fault.Field(field, "The field %s must be a JSON object.", field)
	}
	return nil
}
