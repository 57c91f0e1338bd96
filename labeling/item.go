package labeling

import (
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// ItemID is the id of an item (UUIDv7).
type ItemID string

// AnnotationID is the id of an annotation, made by whoever sends it.
type AnnotationID string

// SnapshotID is the id of a snapshot (UUIDv7).
type SnapshotID string

// Status says where an item stands.
type Status string

// The statuses of an item.
const (
	StatusQueued   Status = "queued"   // waits for answers
	StatusAccepted Status = "accepted" // has an accepted answer
	StatusDisputed Status = "disputed" // its answers differ; a lead decides
	StatusSkipped  Status = "skipped"  // everybody who was asked passed it on
	StatusTrashed  Status = "trashed"  // deleted, can be restored
)

// Statuses lists all statuses.
func Statuses() []Status {
	return []Status{StatusQueued, StatusAccepted, StatusDisputed, StatusSkipped, StatusTrashed}
}

// Item is one thing to judge.
type Item struct {
	Seq         int64 // order of arrival in the installation; the store gives it
	ID          ItemID
	Project     ProjectID
	Dataset     DatasetID
	Key         string            // unique in its dataset; what snapshots and exports call it
	Content     ledger.Digest     // of Text and, where there is one, of Media; see contentOf
	Text        string            // may be empty where there is Media
	Cut         bool              // Text is only the beginning, as lists show it; never stored
	Media       *Media            // the object it refers to; nil: it is a text alone
	Meta        map[string]string // further columns of the import
	Status      Status
	Label       ClassID  // the accepted answer, empty if there is none
	Answers     int      // active annotations that answer
	Model       string   // id of the model that predicted last, empty if none did
	ModelLabel  ClassID  // what it said
	ModelScore  *float64 // how sure it was, 0 to 1; nil if unknown
	Uncertainty *float64 // of that prediction, 0 to 1; nil if unknown
	CreatedAt   time.Time
	Withheld    bool // what others said about it was taken out for whoever asks; see Sight
}

// MostText is the largest text of an item in bytes.
const MostText = 1 << 20

// Validate returns the first thing that is wrong with an item.
func (i Item) Validate() error {
	switch {
	case i.Text == "" && i.Media == nil:
		return fault.Field("text", "The text is empty.")
	case i.Media != nil && (i.Media.URI == "" || len(i.Media.URI) > mostURI || i.Media.Digest == ""):
		return fault.Field("media", "A reference has between 1 and %d bytes, and the digest of what it names.", mostURI)
	case len(i.Text) > MostText:
		return fault.Field("text", "The text has %d bytes; %d is the most.", len(i.Text), MostText)
	case i.Key == "" || len(i.Key) > 1000:
		return fault.Field("key", "A key has between 1 and 1000 bytes.")
	}
	return nil
}

// Disagrees reports whether a model's answer differs from the accepted one.
func (i Item) Disagrees() bool {
	return i.Label != "" && i.ModelLabel != "" && i.Label != i.ModelLabel
}

// Count is how many items of a dataset have a status and an accepted answer.
type Count struct {
	Dataset DatasetID
	Status  Status
	Label   ClassID
	Items   int64
}
