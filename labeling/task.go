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
	MostTasks    = 50
	defaultTasks = 20
)

// Task is a request that one person judge one item, as it is offered to a page.
type Task struct {
	Item       ItemID
	Dataset    DatasetID
	Text       string
	Media      *Media   // the object to judge; nil: the text alone
	Suggestion ClassID  // what the newest model says; never set where labeling is blind
	Score      *float64 // of the suggestion; nil if unknown
	Draft      Draft    // what this person has begun to say, on whichever computer
}

// Holder is an open labeling page: it holds the leases of its person and keeps
// them by a heartbeat.
type Holder struct {
	Page    string // made by the page, anew each time it is opened
	Project ProjectID
	Person  ledger.PersonID
	Beat    time.Time
}

// offer returns the task that shows an item. What a model said about an item
// that is judged blind stays unsaid.
func offer(item Item, blind bool, schema Schema) Task {
	t := Task{Item: item.ID, Dataset: item.Dataset, Text: item.Text, Media: item.Media}
	if blind || item.ModelLabel == "" {
		return t
	}
	if class, known := schema.Class(schema.Resolve(item.ModelLabel)); known && !class.Retired {
		t.Suggestion, t.Score = class.ID, item.ModelScore
	}
	return t
}

// Progress is how far a project or one of its datasets is, and one person in it.
type Progress struct {
	Items    int64 // in the datasets looked at
	Accepted int64 // of them with an accepted answer
	Mine     int64 // answers that this person has given there
}

// OfferQuery asks which items to offer next.
type OfferQuery struct {
	Project    ProjectID
	Dataset    DatasetID // empty: all
	Person     ledger.PersonID
	Overlap    int
	Generation int64 // of the queue; 0: as imported
	Skipped    bool  // offer again what this person or everybody has passed on
	Limit      int
}

// TaskTx keeps leases.
type TaskTx interface {
	// KeepHolder adds a holder or renews its heartbeat.
	KeepHolder(Holder) error
	// BeatHolder renews a heartbeat and reports whether the holder was still there.
	BeatHolder(page string, person ledger.PersonID, now time.Time) (bool, error)
	// DropHolder removes a holder of a person with its leases.
	DropHolder(page string, person ledger.PersonID) error
	// DropHolders removes all holders of a person with their leases.
	DropHolders(person ledger.PersonID) error
	// DropSilent removes all holders whose last heartbeat is before a time.
	DropSilent(before time.Time) error
	// Offers returns the items to offer next: those with a free slot that the
	// person has not judged, passed on or leased: first what they have begun,
	// then in the order of the queue and, where no order names them, as imported.
	Offers(OfferQuery) ([]Item, error)
	CreateLease(item int64, page string) error
	// DropLease ends the leases that a person holds on an item.
	DropLease(item int64, person ledger.PersonID) error
}
