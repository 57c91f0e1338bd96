package labeling

import (
	"context"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// BulkID is the id of a bulk change (UUIDv7).
type BulkID string

// BulkAction is what is done to many items at once.
type BulkAction string

// The actions.
const (
	BulkRelabel BulkAction = "relabel" // decide on a class, whatever was answered
	BulkRequeue BulkAction = "requeue" // take all answers back; the items wait for new ones
	BulkDelete  BulkAction = "delete"  // into the trash
)

// Bulk is one change of many items, which can be taken back.
type Bulk struct {
	ID        BulkID
	Project   ProjectID
	Action    BulkAction
	Class     ClassID // for relabel
	Reason    string
	Person    ledger.PersonID
	Items     int64
	CreatedAt time.Time
	UndoneAt  time.Time
}

// BulkRow remembers what a bulk change did to one item.
type BulkRow struct {
	Item       ItemID
	Superseded []AnnotationID // annotations that counted before
	Made       AnnotationID   // the decision it made, if any
}

// BulkTx keeps bulk changes.
type BulkTx interface {
	CreateBulk(Bulk) error
	UpdateBulk(Bulk) error
	Bulk(BulkID) (Bulk, error)
	AddBulkRow(BulkID, BulkRow) error
	BulkRows(id BulkID, limit int) ([]BulkRow, error)
	DropBulkRow(BulkID, ItemID) error
	// KeptItem returns the first of some items, in the order of the project, that a
	// legal hold on itself, its dataset or its project keeps; nil where none is.
	KeptItem([]ItemID) (*KeptItem, error)
}

// KeptItem is an item that a legal hold keeps from the trash.
type KeptItem struct {
	Key    string
	On     string // what the hold is on: item, dataset or project
	Reason string
}

// MostBulk is how many items one bulk change may change.
const MostBulk = 5000

// bulkChunk is how many items one transaction changes.
const bulkChunk = 100

// BulkRequest asks to change items: those named or, where none are, the first
// MostBulk that the filter lets through.
type BulkRequest struct {
	Action BulkAction
	Class  ClassID
	Reason string // needed but for BulkDelete
	Items  []ItemID
	Filter ItemFilter
}

// ChangeItems carries out a bulk change and returns it, so that it can be undone.
// A deletion returns Conflict where a legal hold keeps one of the items: it is
// looked for among all of them before the first is changed.
func (s *Service) ChangeItems(ctx context.Context, actor ledger.Actor, project ProjectID, req BulkRequest) (Bulk, error) {
	if err := actor.Must(project, ledger.ActionRelabel); err != nil {
		return Bulk{}, err
	}
	b := Bulk{ID: BulkID(s.NewID()), Project: project, Action: req.Action, Class: req.Class, Person: actor.Person}
	p, err := s.Project(ctx, actor, string(project))
	if err != nil {
		return Bulk{}, err
	}
	switch req.Action {
	case BulkRelabel:
		if c, known := p.Schema.Class(req.Class); !known || c.Retired {
			return Bulk{}, fault.Field("class", "Choose the class that the items shall have.")
		}
	case BulkRequeue, BulkDelete:
		b.Class = ""
	default:
		return Bulk{}, fault.Field("action", "%.40q is not something to do with items; choose relabel, requeue or delete.", string(req.Action))
	}
	if b.Reason, err = ledger.Reason(req.Reason, fault.Format("these answers change"), req.Action != BulkDelete); err != nil {
		return Bulk{}, err
	}
	if len([]rune(b.Reason)) > maxReason {
		return Bulk{}, fault.Field("reason", "The reason is longer than %d characters; shorten it.", maxReason)
	}
	ids, err := s.chosen(ctx, project, req)
	if err != nil {
		return Bulk{}, err
	}
	if req.Action == BulkDelete {
		if err := s.View(ctx, func(tx Tx) error { return refuseKept(tx, ids) }); err != nil {
			return Bulk{}, err
		}
	}
	first := true
	for chunk := range slices.Chunk(ids, bulkChunk) {
		if err := s.changeChunk(ctx, actor, &b, first, chunk); err != nil {
			return b, err
		}
		first = false
	}
	return b, nil
}

// chosen returns the items that a bulk change is about.
func (s *Service) chosen(ctx context.Context, project ProjectID, req BulkRequest) ([]ItemID, error) {
	ids := slices.Clone(req.Items)
	if len(ids) == 0 && !req.Filter.Empty() {
		err := s.View(ctx, func(tx Tx) error {
			ids = nil
			for at, more := int64(0), true; more && len(ids) <= MostBulk; {
				var items []Item
				var err error
				if items, more, err = tx.FindItems(project, req.Filter, Slice{After: at, Rows: MostBulk + 1 - len(ids), Short: true}); err != nil {
					return fault.Wrap(err, "find items")
				}
				for _, i := range items {
					ids, at = append(ids, i.ID), i.Seq
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	switch {
	case len(ids) == 0:
		return nil, fault.Field("item", "Choose at least one item.")
	case len(ids) > MostBulk:
		return nil, fault.New(fault.TooLarge, "At most %d items can be changed at once; narrow the list down.", MostBulk)
	}
	return ids, nil
}

// refuseKept returns Conflict where a legal hold keeps one of some items from the
// trash.
func refuseKept(tx Tx, ids []ItemID) error {
	for chunk := range slices.Chunk(ids, bulkChunk) {
		kept, err := tx.KeptItem(chunk)
		switch {
		case err != nil:
			return fault.Wrap(err, "look for legal holds")
		case kept == nil:
		case kept.On == "item":
			return fault.New(fault.Conflict, "A legal hold keeps the item %s (%s). Lift it first, or leave the item out.", kept.Key, kept.Reason)
		default:
			return fault.New(fault.Conflict, "A legal hold on its %s keeps the item %s (%s). Lift it first, or leave the item out.", kept.On, kept.Key, kept.Reason)
		}
	}
	return nil
}

// changeChunk changes some items and keeps what is needed to undo it.
func (s *Service) changeChunk(ctx context.Context, actor ledger.Actor, b *Bulk, first bool, ids []ItemID) error {
	made := make([]AnnotationID, len(ids))
	for i := range made {
		made[i] = AnnotationID(s.NewID())
	}
	var after Bulk
	err := s.Update(ctx, func(tx Tx) error {
		after = *b
		p, err := tx.Project(b.Project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		if first {
			after.CreatedAt = tx.Now()
			if err := tx.CreateBulk(after); err != nil {
				return fault.Wrap(err, "create bulk change")
			}
		}
		if b.Action == BulkDelete { // a hold may have been placed meanwhile
			if err := refuseKept(tx, ids); err != nil {
				return err
			}
		}
		var changed []ItemID
		was, is := map[ItemID]ClassID{}, map[ItemID]ClassID{}
		for i, id := range ids {
			item, err := itemIn(tx, b.Project, id)
			if err != nil {
				return err
			}
			row := BulkRow{Item: id}
			done, err := apply(tx, p, item, after, made[i], &row)
			if err != nil {
				return err
			}
			if !done {
				continue
			}
			changed = append(changed, id)
			if b.Action != BulkDelete {
				was[id], is[id] = item.Label, b.Class
			}
			if err := tx.AddBulkRow(b.ID, row); err != nil {
				return fault.Wrap(err, "keep what was changed")
			}
		}
		after.Items += int64(len(changed))
		if err := tx.UpdateBulk(after); err != nil {
			return fault.Wrap(err, "count what was changed")
		}
		if len(changed) == 0 {
			return nil
		}
		payload := map[string]any{"action": b.Action, "class": b.Class, ledger.KeyReason: b.Reason, "items": changed}
		if len(was) > 0 {
			payload[ledger.KeyWas], payload[ledger.KeyIs] = was, is
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: b.Project, Kind: "items." + pastOf[b.Action], Subject: ledger.Subject{Kind: "bulk", ID: string(b.ID)}, Payload: payload})
	})
	if err == nil {
		*b = after
	}
	return err
}

var pastOf = map[BulkAction]string{BulkRelabel: "relabelled", BulkRequeue: "requeued", BulkDelete: "deleted"}

// apply does to one item what a bulk change asks for. It reports false where there
// is nothing to do.
func apply(tx Tx, p Project, item Item, b Bulk, made AnnotationID, row *BulkRow) (bool, error) {
	if item.Status == StatusTrashed {
		return false, nil
	}
	switch b.Action {
	case BulkDelete:
		item.Status = StatusTrashed
		return true, fault.Wrap(tx.UpdateItem(item), "delete item")
	case BulkRelabel:
		active, err := tx.AnnotationsOf(item.ID)
		if err != nil {
			return false, fault.Wrap(err, "find annotations")
		}
		for _, a := range active {
			if a.Kind == KindDecision && a.Person == b.Person {
				row.Superseded = append(row.Superseded, a.ID) // annotate supersedes it
			}
		}
		row.Made = made
		return true, annotate(tx, p, item, &Annotation{ID: made, Project: p.ID, Dataset: item.Dataset, Item: item.ID, Person: b.Person,
			Kind: KindDecision, Class: b.Class, Reason: b.Reason, State: AnnotationActive, At: tx.Now()})
	case BulkRequeue:
		active, err := tx.AnnotationsOf(item.ID)
		if err != nil || len(active) == 0 {
			return false, fault.Wrap(err, "find annotations")
		}
		for _, a := range active {
			row.Superseded = append(row.Superseded, a.ID)
			if err := tx.SetAnnotationState(a.ID, AnnotationSuperseded); err != nil {
				return false, fault.Wrap(err, "supersede annotation")
			}
		}
		return true, settle(tx, p, item, nil)
	}
	return false, nil
}

// UndoBulk takes a bulk change back: what counted before counts again. What people
// said since stays and counts as well. Undoing twice changes nothing.
func (s *Service) UndoBulk(ctx context.Context, actor ledger.Actor, project ProjectID, id BulkID) (Bulk, error) {
	if err := actor.Must(project, ledger.ActionRelabel); err != nil {
		return Bulk{}, err
	}
	var b Bulk
	for more := true; more; {
		err := s.Update(ctx, func(tx Tx) error {
			var err error
			if b, err = tx.Bulk(id); fault.Is(err, fault.NotFound) || err == nil && b.Project != project {
				return fault.New(fault.NotFound, "There is no such change to undo.")
			} else if err != nil {
				return fault.Wrap(err, "find bulk change")
			}
			p, err := tx.Project(project)
			if err != nil {
				return fault.Wrap(err, "find project")
			}
			rows, err := tx.BulkRows(id, bulkChunk)
			if err != nil {
				return fault.Wrap(err, "find what was changed")
			}
			for _, row := range rows {
				if err := revert(tx, p, b, row); err != nil {
					return err
				}
			}
			if more = len(rows) == bulkChunk; more || !b.UndoneAt.IsZero() {
				return nil
			}
			b.UndoneAt = tx.Now()
			if err := tx.UpdateBulk(b); err != nil {
				return fault.Wrap(err, "undo bulk change")
			}
			return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "items.restored", Subject: ledger.Subject{Kind: "bulk", ID: string(id)},
				Payload: map[string]any{"action": b.Action, "items": b.Items}})
		})
		if err != nil {
			return Bulk{}, err
		}
	}
	return b, nil
}

func revert(tx Tx, p Project, b Bulk, row BulkRow) error {
	item, err := itemIn(tx, p.ID, row.Item)
	if err != nil {
		return err
	}
	if row.Made != "" {
		if err := tx.SetAnnotationState(row.Made, AnnotationUndone); err != nil {
			return fault.Wrap(err, "undo decision")
		}
	}
	for _, id := range row.Superseded {
		if err := tx.SetAnnotationState(id, AnnotationActive); err != nil {
			return fault.Wrap(err, "restore annotation")
		}
	}
	if b.Action == BulkDelete && item.Status == StatusTrashed {
		item.Status = StatusQueued // settled below
		if err := tx.UpdateItem(item); err != nil {
			return fault.Wrap(err, "restore item")
		}
	}
	active, err := tx.AnnotationsOf(item.ID)
	if err != nil {
		return fault.Wrap(err, "find annotations")
	}
	if err := settle(tx, p, item, active); err != nil {
		return err
	}
	return fault.Wrap(tx.DropBulkRow(b.ID, row.Item), "forget what was changed")
}

// Bulk returns a bulk change of a project, or NotFound. It says which class items
// were given, so it is for whoever may give it.
func (s *Service) Bulk(ctx context.Context, actor ledger.Actor, project ProjectID, id BulkID) (Bulk, error) {
	if err := actor.Must(project, ledger.ActionRelabel); err != nil {
		return Bulk{}, err
	}
	var b Bulk
	err := s.View(ctx, func(tx Tx) (err error) {
		if b, err = tx.Bulk(id); err == nil && b.Project != project {
			err = fault.New(fault.NotFound, "There is no such change.")
		}
		return err
	})
	return b, err
}
