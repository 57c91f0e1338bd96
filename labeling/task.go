package labeling

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// LeaseTime is how long a page's silence keeps its tasks from being offered to
// others. A lease decides what is offered, never what is accepted.
const LeaseTime = 20 * time.Second

// Limits of a batch of tasks leased ahead.
const (
	MostTasks     = 50
	DefaultTasks  = 20
	heartbeatEach = LeaseTime / 3
)

// Task is a request that one person judge one item, as it is offered to a page.
type Task struct {
	Item       ItemID
	Dataset    DatasetID
	Text       string
	Suggestion ClassID // what the newest model says; never set where labeling is blind
	Score      float64
	Former     ClassID // what this person answered before and took back
}

// Holder is an open labeling page: it holds the leases of its person and keeps
// them by a heartbeat.
type Holder struct {
	Page    string // made by the page, anew each time it is opened
	Project ledger.ProjectID
	Person  ledger.PersonID
	Beat    time.Time
}

// Candidate is an open item that may become a task.
type Candidate struct {
	Item    Item
	Purpose Purpose
}

// suggest returns the task that a candidate becomes. An evaluation item is
// judged blind: whatever a model said about it stays unsaid.
func (c Candidate) suggest(schema Schema) Task {
	t := Task{Item: c.Item.ID, Dataset: c.Item.Dataset, Text: c.Item.Text}
	if c.Purpose == PurposeEvaluation || c.Item.ModelLabel == "" {
		return t
	}
	if class, known := schema.Class(c.Item.ModelLabel); known && !class.Retired {
		t.Suggestion, t.Score = class.ID, c.Item.ModelScore
	}
	return t
}

// Progress is how far a project or one of its datasets is, and one person in it.
type Progress struct {
	Items    int64 // in the datasets looked at
	Answered int64 // of them with an accepted answer
	Mine     int64 // answers that this person has given there
	Disputed int64 // items whose answers differ
}
