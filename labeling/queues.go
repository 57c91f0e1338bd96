package labeling

import (
	"context"
	"encoding/json"
	"math"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// WorkQueue is the kind of work that fills a new generation of a queue and
// switches to it; its handler is FillQueue.
const WorkQueue = "labeling.queue"

// queueOrder is the payload of WorkQueue.
type queueOrder struct {
	Project ProjectID `json:"project"`
}

// Queue returns the order of a project.
func (s *Service) Queue(ctx context.Context, actor ledger.Actor, project ProjectID) (Queue, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Queue{}, err
	}
	var q Queue
	err := s.View(ctx, func(tx Tx) (err error) {
		q, err = tx.Queue(project)
		return fault.Wrap(err, "find the queue")
	})
	return q, err
}

// OrderQueue chooses the order in which a project offers its items. It holds as
// soon as the new order is filled, which is background work; until then people
// go on in the old one.
func (s *Service) OrderQueue(ctx context.Context, actor ledger.Actor, project ProjectID, order QueueOrder) (Queue, error) {
	if err := actor.Must(project, ledger.ActionManage); err != nil {
		return Queue{}, err
	}
	if _, err := ParseQueueOrder(string(order)); err != nil {
		return Queue{}, err
	}
	var q Queue
	err := s.Update(ctx, func(tx Tx) error {
		var err error
		if q, err = tx.Queue(project); err != nil {
			return fault.Wrap(err, "find the queue")
		}
		if err := requestQueue(tx, &q, order); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "queue.ordered",
			Subject: ledger.Subject{Kind: "project", ID: string(project)}, Payload: map[string]QueueOrder{"order": order}})
	})
	return q, err
}

// RefreshQueue fills the order of a project anew where it depends on what
// models say, and chooses that order where nobody has chosen one; call it in
// the transaction that gave items the last of their new predictions.
func RefreshQueue(tx Tx, project ProjectID) error {
	q, err := tx.Queue(project)
	if err != nil {
		return fault.Wrap(err, "find the queue")
	}
	if q.coming() == OrderUncertain || q.Asked == 0 {
		return requestQueue(tx, &q, OrderUncertain)
	}
	return nil
}

// coming is the order that will hold when all work is done.
func (q Queue) coming() QueueOrder {
	if q.Wanted != "" {
		return q.Wanted
	}
	return q.Order
}

func requestQueue(tx Tx, q *Queue, order QueueOrder) error {
	q.Wanted = order
	q.Asked++
	if order == OrderImported { // needs no rows
		q.Order, q.Wanted, q.Generation, q.Switched = order, "", 0, tx.Now()
	}
	if err := tx.SaveQueue(*q); err != nil {
		return fault.Wrap(err, "save the queue")
	}
	return tx.Enqueue(work.Order{Kind: WorkQueue, Payload: queueOrder{q.Project}})
}

// FillQueue carries out WorkQueue: it fills a generation in chunks, switches the
// queue to it by one row, and clears the old ones away. Interrupted, it begins
// again with another generation.
func (s *Service) FillQueue(ctx context.Context, payload json.RawMessage) error {
	var asked queueOrder
	if err := json.Unmarshal(payload, &asked); err != nil {
		return fault.As(fault.Invalid, err, "work of kind %s", WorkQueue)
	}
	const chunk = 500
	var q Queue
	var generation int64
	if err := s.Update(ctx, func(tx Tx) (err error) {
		if q, err = tx.Queue(asked.Project); err != nil {
			return fault.Wrap(err, "find the queue")
		}
		if q.Wanted != "" {
			generation, err = tx.NewGeneration(asked.Project)
		}
		return err
	}); err != nil {
		return err
	}
	if q.Wanted != "" {
		for after, more := int64(0), true; more; {
			var rows []QueueRow
			var last int64
			if err := s.View(ctx, func(tx Tx) error {
				items, err := tx.QueueItems(asked.Project, after, chunk)
				rows = rows[:0]
				for _, item := range items {
					rows = append(rows, QueueRow{Item: item.Seq, Rank: q.Wanted.Rank(generation, item)})
					last = item.Seq
				}
				return fault.Wrap(err, "read the queue")
			}); err != nil {
				return err
			}
			after, more = last, len(rows) > 0
			if err := s.Update(ctx, func(tx Tx) error { return tx.AddQueueRows(generation, rows) }); err != nil {
				return fault.Wrap(err, "fill the queue")
			}
		}
		s.Analyze(ctx)
		if err := s.Update(ctx, func(tx Tx) error {
			now, err := tx.Queue(asked.Project)
			if err != nil {
				return fault.Wrap(err, "find the queue")
			}
			if now.Asked != q.Asked { // asked again meanwhile: that request has its own row of work
				return nil
			}
			now.Order, now.Wanted, now.Generation, now.Switched = q.Wanted, "", generation, tx.Now()
			q = now
			return fault.Wrap(tx.SaveQueue(now), "switch the queue")
		}); err != nil {
			return err
		}
	}
	for more := true; more; {
		if err := s.Update(ctx, func(tx Tx) error {
			now, err := tx.Queue(asked.Project)
			if err != nil {
				return err
			}
			below := now.Generation
			if now.Wanted == "" && below == 0 {
				below = math.MaxInt64 // nobody is filling, and none is used
			}
			n, err := tx.DropGenerations(asked.Project, below, 1000)
			more = n > 0
			return err
		}); err != nil {
			return fault.Wrap(err, "clear old orders")
		}
	}
	return nil
}

// Keys returns the actor's keys in a project and the key of every class.
func (s *Service) Keys(ctx context.Context, actor ledger.Actor, project ProjectID) (Keys, map[ClassID]string, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Keys{}, nil, err
	}
	var k Keys
	var assigned map[ClassID]string
	err := s.View(ctx, func(tx Tx) error {
		p, err := tx.Project(project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		k, err = tx.Keys(actor.Person, project)
		assigned = AssignKeys(p.Schema.Classes, k.Classes)
		return fault.Wrap(err, "find keys")
	})
	return k, assigned, err
}

// SaveKeys stores the actor's keys in a project and returns the key of every
// class. It returns Invalid where two classes would share a key.
func (s *Service) SaveKeys(ctx context.Context, actor ledger.Actor, project ProjectID, k Keys) (map[ClassID]string, error) {
	if err := actor.Must(project, ledger.ActionLabel); err != nil {
		return nil, err
	}
	if err := k.Validate(); err != nil {
		return nil, err
	}
	k.Person, k.Project = actor.Person, project
	var assigned map[ClassID]string
	err := s.Update(ctx, func(tx Tx) error {
		p, err := tx.Project(project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		assigned = AssignKeys(p.Schema.Classes, k.Classes)
		return fault.Wrap(tx.SaveKeys(k), "save keys")
	})
	return assigned, err
}
