package labeling

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// EventViewed is the kind of the event that says that somebody looked at items
// of a dataset that is marked as sensitive: one for each person, dataset and
// hour, recorded before the items are handed over.
const EventViewed = "dataset.viewed"

// ViewTx keeps which datasets are marked and who has looked at them.
type ViewTx interface {
	// SensitiveDatasets lists the marked datasets of a project.
	SensitiveDatasets(ProjectID) ([]DatasetID, error)
	// SetSensitive marks a dataset, or takes the mark away.
	SetSensitive(DatasetID, bool) error
	// NoteView reports whether nothing was noted yet for this person, dataset and
	// hour.
	NoteView(person ledger.PersonID, dataset DatasetID, hour time.Time) (bool, error)
}

// views remembers, in this process, what was noted in the hour that runs: whoever
// labels asks for tasks all the time, and is noted once.
type views struct {
	mu    sync.Mutex
	hour  time.Time
	noted map[viewer]bool
}

type viewer struct {
	person  ledger.PersonID
	dataset DatasetID
}

// unnoted returns the datasets for which a person was not noted yet in an hour.
func (v *views) unnoted(person ledger.PersonID, datasets []DatasetID, hour time.Time) []DatasetID {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.hour.Equal(hour) {
		v.hour, v.noted = hour, map[viewer]bool{}
	}
	var open []DatasetID
	for _, d := range datasets {
		if !v.noted[viewer{person, d}] && !slices.Contains(open, d) {
			open = append(open, d)
		}
	}
	return open
}

func (v *views) note(person ledger.PersonID, datasets []DatasetID, hour time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range datasets {
		if v.hour.Equal(hour) {
			v.noted[viewer{person, d}] = true
		}
	}
}

// Viewed notes that somebody is about to see items of datasets, as far as these
// are marked as sensitive. Whoever hands items over calls it first: where it
// fails, nothing is shown. The server itself and its trainings are not noted.
func (s *Service) Viewed(ctx context.Context, actor ledger.Actor, project ProjectID, datasets ...DatasetID) error {
	if !noted(actor) || len(datasets) == 0 {
		return nil
	}
	open := s.views.unnoted(actor.Person, datasets, s.hour())
	if len(open) == 0 {
		return nil
	}
	var marked []DatasetID
	if err := s.View(ctx, func(tx Tx) (err error) {
		marked, err = tx.SensitiveDatasets(project)
		return fault.Wrap(err, "find marked datasets")
	}); err != nil {
		return err
	}
	open = slices.DeleteFunc(open, func(d DatasetID) bool { return !slices.Contains(marked, d) })
	return s.noteViews(ctx, actor, project, open)
}

func noted(actor ledger.Actor) bool {
	return actor.Via != ledger.ViaSystem && actor.Via != ledger.ViaAttempt
}

func (s *Service) hour() time.Time { return s.Now().UTC().Truncate(time.Hour) }

// noteViews notes views of datasets that are marked.
func (s *Service) noteViews(ctx context.Context, actor ledger.Actor, project ProjectID, marked []DatasetID) error {
	hour := s.hour()
	open := s.views.unnoted(actor.Person, marked, hour)
	if !noted(actor) || len(open) == 0 {
		return nil
	}
	err := s.Update(ctx, func(tx Tx) error {
		for _, d := range open {
			first, err := tx.NoteView(actor.Person, d, hour)
			if err != nil {
				return fault.Wrap(err, "note who looks at a dataset")
			}
			if !first {
				continue
			}
			if err := tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: EventViewed, Subject: ledger.Subject{Kind: "dataset", ID: string(d)},
				Payload: map[string]time.Time{"hour": hour}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.views.note(actor.Person, open, hour)
	}
	return err
}

// datasetsOf lists the datasets of items.
func datasetsOf(items []Item) []DatasetID {
	var ids []DatasetID
	for _, i := range items {
		if !slices.Contains(ids, i.Dataset) {
			ids = append(ids, i.Dataset)
		}
	}
	return ids
}

// Held lists the datasets whose items a snapshot holds.
func (s Snapshot) Held() []DatasetID {
	ids := make([]DatasetID, len(s.Datasets))
	for i, d := range s.Datasets {
		ids[i] = d.ID
	}
	return ids
}

// MarkDataset marks a dataset as sensitive, so that the history says who looks
// at its items, or takes the mark away, which needs a reason. It needs
// ActionManage and returns NotFound where there is no such dataset.
func (s *Service) MarkDataset(ctx context.Context, actor ledger.Actor, project ProjectID, name string, sensitive bool, reason string) (Dataset, error) {
	if err := actor.Must(project, ledger.ActionManage); err != nil {
		return Dataset{}, err
	}
	var d Dataset
	err := s.Update(ctx, func(tx Tx) (err error) {
		if d, err = datasetBy(tx, project, name); err != nil || d.Sensitive == sensitive {
			return err
		}
		why, err := ledger.Reason(reason, fault.Format("views of this dataset are no longer noted"), !sensitive)
		if err != nil {
			return err
		}
		if err := tx.SetSensitive(d.ID, sensitive); err != nil {
			return fault.Wrap(err, "mark a dataset")
		}
		d.Sensitive = sensitive
		payload := map[string]any{ledger.KeyWas: map[string]bool{"sensitive": !sensitive}, ledger.KeyIs: map[string]bool{"sensitive": sensitive}}
		if why != "" {
			payload[ledger.KeyReason] = why
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "dataset.marked", Subject: ledger.Subject{Kind: "dataset", ID: string(d.ID)}, Payload: payload})
	})
	return d, err
}
