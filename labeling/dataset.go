package labeling

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// DatasetID is the id of a dataset (UUIDv7).
type DatasetID string

// Purpose says what the items of a dataset may be used for. It never changes.
type Purpose string

// The purposes.
const (
	PurposeTraining   Purpose = "training"   // models learn from it
	PurposeEvaluation Purpose = "evaluation" // models are judged on it: never trained on, labeled blind
	PurposeProduction Purpose = "production" // a sample of what a model met in production
)

// Purposes lists all purposes.
func Purposes() []Purpose { return []Purpose{PurposeTraining, PurposeEvaluation, PurposeProduction} }

// ParsePurpose reads a purpose; empty text is training.
func ParsePurpose(text string) (Purpose, error) {
	for _, p := range Purposes() {
		if text == string(p) {
			return p, nil
		}
	}
	if text == "" {
		return PurposeTraining, nil
	}
	return "", fault.Field("purpose", "%q is no purpose of a dataset; choose training, evaluation or production.", text)
}

// Blind reports whether people judge items of this purpose without a suggestion.
func (p Purpose) Blind() bool { return p == PurposeEvaluation }

// Trains reports whether items of this purpose may enter a training snapshot.
func (p Purpose) Trains() bool { return p != PurposeEvaluation }

// Dataset is a named, growing collection of items with a purpose.
type Dataset struct {
	ID        DatasetID
	Project   ProjectID
	Name      string // unique in its project
	Purpose   Purpose
	Items     int64 // how many, trash not counted
	Accepted  int64 // how many of them have an accepted answer
	Sensitive bool  // the history says who looks at its items
	CreatedAt time.Time
}

// Validate returns the first thing that is wrong with a dataset.
func (d Dataset) Validate() error {
	if strings.TrimSpace(d.Name) != d.Name || d.Name == "" || utf8.RuneCountInString(d.Name) > 120 {
		return fault.Field("dataset", "A dataset needs a name of at most 120 characters without spaces around it; %.60q is none.", d.Name)
	}
	if err := ledger.Name("dataset", d.Name); err != nil {
		return err
	}
	_, err := ParsePurpose(string(d.Purpose))
	return err
}
