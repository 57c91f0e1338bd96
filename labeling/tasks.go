package labeling

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// LeaseRequest asks for tasks to work ahead on.
type LeaseRequest struct {
	Page    string // which page asks; made anew each time it is opened
	Former  string // the page that stood in the same tab before; its leases end
	Dataset string // name; empty: all datasets of the project
	Count   int    // at most MostTasks; 20 if zero
	Skipped bool   // offer what was passed on as well
}

// TaskBatch is tasks leased to a page, beside the ones it holds already.
type TaskBatch struct {
	Tasks    []Task
	Progress Progress
}

// LeaseTasks leases the next tasks to a page, so that nobody else is offered
// them while the page's heartbeat goes on. Fewer tasks than asked for, or none,
// mean that there are no more. It returns Denied or Invalid, and NotFound for a
// dataset that does not exist.
func (s *Service) LeaseTasks(ctx context.Context, actor ledger.Actor, project ProjectID, req LeaseRequest) (TaskBatch, error) {
	if err := actor.Must(project, ledger.ActionLabel); err != nil {
		return TaskBatch{}, err
	}
	if !validID(req.Page) {
		return TaskBatch{}, fault.Field("page", "The id of a page is a UUID in lower case, made by the page")
	}
	if req.Count < 0 || req.Count > MostTasks {
		return TaskBatch{}, fault.Field("count", "A page leases between 1 and %d tasks at once, not %d", MostTasks, req.Count)
	}
	if req.Count == 0 {
		req.Count = defaultTasks
	}
	var batch TaskBatch
	var marked []DatasetID
	err := s.Update(ctx, func(tx Tx) error {
		p, err := tx.Project(project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		dataset, err := datasetFilter(tx, project, req.Dataset)
		if err != nil {
			return err
		}
		now := tx.Now()
		if err := tx.DropSilent(now.Add(-LeaseTime)); err != nil {
			return fault.Wrap(err, "end silent leases")
		}
		if req.Former != "" && req.Former != req.Page {
			if err := tx.DropHolder(req.Former, actor.Person); err != nil {
				return fault.Wrap(err, "release the former page")
			}
		}
		if err := tx.KeepHolder(Holder{Page: req.Page, Project: project, Person: actor.Person, Beat: now}); err != nil {
			return fault.Wrap(err, "keep the page")
		}
		queue, err := tx.Queue(project)
		if err != nil {
			return fault.Wrap(err, "find the queue")
		}
		offers, err := tx.Offers(OfferQuery{Project: project, Dataset: dataset, Person: actor.Person, Overlap: max(p.Overlap, 1),
			Generation: queue.Generation, Skipped: req.Skipped, Limit: req.Count})
		if err != nil {
			return fault.Wrap(err, "find tasks")
		}
		datasets, err := tx.Datasets(project)
		if err != nil {
			return fault.Wrap(err, "list datasets")
		}
		blind := map[DatasetID]bool{}
		for _, d := range datasets {
			blind[d.ID] = d.Purpose.Blind()
		}
		drafts, err := tx.Drafts(actor.Person, project)
		if err != nil {
			return fault.Wrap(err, "find drafts")
		}
		offered := datasetsOf(offers)
		marked = nil
		for _, d := range datasets {
			if d.Sensitive && slices.Contains(offered, d.ID) {
				marked = append(marked, d.ID)
			}
		}
		batch = TaskBatch{Tasks: make([]Task, 0, len(offers))}
		for _, item := range offers {
			if err := tx.CreateLease(item.Seq, req.Page); err != nil {
				return fault.Wrap(err, "lease a task")
			}
			task := offer(item, blind[item.Dataset], p.Schema)
			task.Draft = drafts[item.ID]
			batch.Tasks = append(batch.Tasks, task)
		}
		batch.Progress, err = progress(tx, datasets, actor.Person, project, dataset)
		return err
	})
	if err == nil {
		err = s.noteViews(ctx, actor, project, marked)
	}
	if err != nil {
		return TaskBatch{}, err
	}
	return batch, nil
}

// KeepTasks is the heartbeat of a page. It reports whether the page's leases
// were still held; if not, the page asks for new ones.
func (s *Service) KeepTasks(ctx context.Context, actor ledger.Actor, project ProjectID, page, dataset string) (held bool, p Progress, err error) {
	if err := actor.Must(project, ledger.ActionLabel); err != nil {
		return false, Progress{}, err
	}
	err = s.Update(ctx, func(tx Tx) (err error) {
		held, err = tx.BeatHolder(page, actor.Person, tx.Now())
		return fault.Wrap(err, "keep the page")
	})
	if err == nil {
		p, err = s.Progress(ctx, actor, project, dataset)
	}
	return held, p, err
}

// ReleaseTasks gives the leases of a page back, as when it is closed.
func (s *Service) ReleaseTasks(ctx context.Context, actor ledger.Actor, project ProjectID, page string) error {
	if err := actor.Must(project, ledger.ActionLabel); err != nil {
		return err
	}
	return s.Update(ctx, func(tx Tx) error { return fault.Wrap(tx.DropHolder(page, actor.Person), "release the page") })
}

// Progress returns how far a project is, or one of its datasets if named, and
// the actor in it.
func (s *Service) Progress(ctx context.Context, actor ledger.Actor, project ProjectID, dataset string) (Progress, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Progress{}, err
	}
	var p Progress
	err := s.View(ctx, func(tx Tx) error {
		id, err := datasetFilter(tx, project, dataset)
		if err != nil {
			return err
		}
		datasets, err := tx.Datasets(project)
		if err != nil {
			return fault.Wrap(err, "list datasets")
		}
		p, err = progress(tx, datasets, actor.Person, project, id)
		return err
	})
	return p, err
}

func datasetFilter(tx Tx, project ProjectID, name string) (DatasetID, error) {
	if name == "" {
		return "", nil
	}
	d, err := tx.DatasetNamed(project, name)
	if fault.Is(err, fault.NotFound) {
		return "", fault.As(fault.NotFound, err, "There is no dataset %q in this project.", name)
	}
	return d.ID, fault.Wrap(err, "find dataset")
}

func progress(tx Tx, datasets []Dataset, person ledger.PersonID, project ProjectID, dataset DatasetID) (Progress, error) {
	var p Progress
	for _, d := range datasets {
		if dataset == "" || d.ID == dataset {
			p.Items += d.Items
			p.Accepted += d.Accepted
		}
	}
	var err error
	p.Mine, err = tx.AnswersBy(person, project, dataset)
	return p, fault.Wrap(err, "count answers")
}

// ReturnLeases is follow-up work: it ends everything that a person holds, as
// where they were deactivated, so that others are offered it at once. The
// payload names the person; what they have answered stays.
func (s *Service) ReturnLeases(ctx context.Context, payload json.RawMessage) error {
	var gone struct {
		Person ledger.PersonID `json:"person"`
	}
	if err := json.Unmarshal(payload, &gone); err != nil {
		return fault.Wrap(err, "read who left")
	}
	return s.Update(ctx, func(tx Tx) error {
		return fault.Wrap(tx.DropHolders(gone.Person), "return the leases of somebody who left")
	})
}
