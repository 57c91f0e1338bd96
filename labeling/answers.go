package labeling

import (
	"context"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// SubmitRequest is an answer or a skip on its way from a page's outbox. The
// annotation carries the id that the page made, the item, kind, class, reason,
// suggestion, score, untouched and how long the item was seen; the rest is the
// server's to fill in.
type SubmitRequest struct {
	Annotation
	// By is who gave the answer: a page sends what it kept while somebody else
	// was signed in only under its own person. Empty: the actor.
	By ledger.PersonID
}

// Submit stores an answer or a skip and settles its item in one transaction.
// Sending the same again changes nothing and returns what is stored; the same
// id with other content returns Conflict. It returns Unauthenticated where the
// answer belongs to somebody else than the actor, and Denied, Invalid or
// NotFound where it cannot be taken, Unmet where the actor had the answers of
// others shown. A lease is not asked for: whatever a person
// answered is taken, and marked extra where the item had its answers already.
func (s *Service) Submit(ctx context.Context, actor ledger.Actor, project ProjectID, req SubmitRequest) (Annotation, error) {
	if err := actor.Must(project, ledger.ActionLabel); err != nil {
		return Annotation{}, err
	}
	if err := mine(actor, req.By); err != nil {
		return Annotation{}, err
	}
	if req.Kind != KindAnswer && req.Kind != KindSkip {
		return Annotation{}, fault.Field("kind", "An annotation that is submitted is an answer or a skip, not %.20q", string(req.Kind))
	}
	if err := req.Annotation.Validate(); err != nil {
		return Annotation{}, err
	}
	if actor.Untimed {
		req.Seen = 0
	}
	var stored Annotation
	err := s.Update(ctx, func(tx Tx) error {
		a := req.Annotation
		a.Project, a.Person, a.State, a.At = project, actor.Person, AnnotationActive, tx.Now()
		switch was, err := tx.Annotation(a.ID); {
		case err == nil && was.Project == project && was.SameContent(a):
			stored = was
			return nil
		case err == nil:
			return fault.New(fault.Conflict, "The id %s already stands for another answer. Answer the item again.", a.ID)
		case !fault.Is(err, fault.NotFound):
			return fault.Wrap(err, "find annotation")
		}
		p, err := tx.Project(project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		item, err := itemIn(tx, project, a.Item)
		if err != nil {
			return err
		}
		if err := answerable(tx, p, item, a); err != nil {
			return err
		}
		if a.Kind == KindAnswer {
			if err := unseen(tx, actor.Person, item.ID); err != nil {
				return err
			}
		}
		a.Dataset = item.Dataset
		if err := annotate(tx, p, item, &a); err != nil {
			return err
		}
		if err := tx.DropLease(item.Seq, actor.Person); err != nil {
			return fault.Wrap(err, "end the lease")
		}
		if err := tx.DropDraft(DraftKey{Person: actor.Person, Project: project, Item: item.ID}); err != nil {
			return fault.Wrap(err, "end the draft")
		}
		stored = a
		kind := "annotation.submitted"
		if a.Kind == KindSkip {
			kind = "annotation.skipped"
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: kind, Subject: ledger.Subject{Kind: "item", ID: string(item.ID)}, Payload: payloadOf(a)})
	})
	return stored, err
}

// mine refuses what somebody else left on this device.
func mine(actor ledger.Actor, by ledger.PersonID) error {
	if by != "" && by != actor.Person {
		return fault.New(fault.Unauthenticated, "This answer was given by somebody else on this device. It waits until they sign in again.")
	}
	return nil
}

func itemIn(tx Tx, project ProjectID, id ItemID) (Item, error) {
	item, err := tx.Item(id)
	if fault.Is(err, fault.NotFound) || err == nil && item.Project != project {
		return Item{}, fault.New(fault.NotFound, "The item is not in this project; it may have been deleted.")
	}
	return item, fault.Wrap(err, "find item")
}

// answerable returns why an item cannot be answered like that. A class that was
// retired after it was offered is still taken: it is what the person said.
func answerable(tx Tx, p Project, item Item, a Annotation) error {
	for field, class := range map[string]ClassID{"class": a.Class, "suggestion": a.Suggestion} {
		if _, known := p.Schema.Class(class); class != "" && !known {
			return fault.Field(field, "This project has no class %.60q. Load the page again and answer the item again.", string(class))
		}
	}
	if a.Suggestion == "" {
		return nil
	}
	d, err := tx.Dataset(item.Dataset)
	if err == nil && d.Purpose.Blind() {
		return fault.Field("suggestion", "The items of %q are judged without a suggestion, since models are judged on them. Answer the item without one.", d.Name)
	}
	return fault.Wrap(err, "find dataset")
}

// annotate adds an annotation to an item, supersedes what its person said
// before and settles the item. It is the only way into the table of annotations.
func annotate(tx Tx, p Project, item Item, a *Annotation) error {
	others, err := tx.AnnotationsOf(item.ID)
	if err != nil {
		return fault.Wrap(err, "find annotations")
	}
	active := make([]Annotation, 0, len(others)+1)
	for _, o := range others {
		// A decision stands until the next decision, whoever made it.
		if o.Person == a.Person && o.Kind != KindImport && (o.Kind == KindDecision) == (a.Kind == KindDecision) {
			if err := tx.SetAnnotationState(o.ID, AnnotationSuperseded); err != nil {
				return fault.Wrap(err, "supersede annotation")
			}
			continue
		}
		active = append(active, o)
	}
	a.Extra = a.Kind == KindAnswer && TooMany(p.Overlap, active)
	if err := tx.CreateAnnotation(*a); err != nil {
		return fault.Wrap(err, "store annotation")
	}
	return settle(tx, p, item, append(active, *a))
}

// supersedeAll ends everything that was said about an item, so that the people
// who said it are asked again as well.
func supersedeAll(tx Tx, item ItemID) error {
	active, err := tx.AnnotationsOf(item)
	if err != nil {
		return fault.Wrap(err, "find annotations")
	}
	for _, a := range active {
		if err := tx.SetAnnotationState(a.ID, AnnotationSuperseded); err != nil {
			return fault.Wrap(err, "supersede annotation")
		}
	}
	return nil
}

// settle writes what the active annotations of an item amount to.
func settle(tx Tx, p Project, item Item, active []Annotation) error {
	out := Settle(p, active)
	if item.Status == StatusTrashed {
		out.Status = StatusTrashed
	}
	if item.Status == out.Status && item.Label == out.Label && item.Answers == out.Answers {
		return nil
	}
	item.Status, item.Label, item.Answers = out.Status, out.Label, out.Answers
	return fault.Wrap(tx.UpdateItem(item), "settle item")
}

// Undo takes an answer or a skip back; its item is settled anew. Undoing twice
// changes nothing. If page is not empty the item is leased to it again, for it
// stands on that page's screen. It returns NotFound where there is no such
// annotation of this person.
func (s *Service) Undo(ctx context.Context, actor ledger.Actor, project ProjectID, id AnnotationID, by ledger.PersonID, page string) (Annotation, error) {
	if err := actor.Must(project, ledger.ActionLabel); err != nil {
		return Annotation{}, err
	}
	if err := mine(actor, by); err != nil {
		return Annotation{}, err
	}
	var undone Annotation
	err := s.Update(ctx, func(tx Tx) error {
		a, err := tx.Annotation(id)
		if fault.Is(err, fault.NotFound) || err == nil && (a.Project != project || a.Person != actor.Person || a.Kind != KindAnswer && a.Kind != KindSkip) {
			return fault.New(fault.NotFound, "There is no answer of yours with this id to undo.")
		}
		if err != nil {
			return fault.Wrap(err, "find annotation")
		}
		undone = a
		if a.State != AnnotationActive {
			return nil
		}
		undone.State = AnnotationUndone
		if err := tx.SetAnnotationState(id, AnnotationUndone); err != nil {
			return fault.Wrap(err, "undo annotation")
		}
		p, err := tx.Project(project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		item, err := itemIn(tx, project, a.Item)
		if err != nil {
			return err
		}
		active, err := tx.AnnotationsOf(item.ID)
		if err != nil {
			return fault.Wrap(err, "find annotations")
		}
		if err := settle(tx, p, item, active); err != nil {
			return err
		}
		if held, err := tx.BeatHolder(page, actor.Person, tx.Now()); err != nil {
			return fault.Wrap(err, "keep the page")
		} else if held {
			if err := tx.CreateLease(item.Seq, page); err != nil {
				return fault.Wrap(err, "lease the task again")
			}
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "annotation.undone", Subject: ledger.Subject{Kind: "item", ID: string(item.ID)}, Payload: payloadOf(undone)})
	})
	return undone, err
}

// annotationPayload is what the history keeps of an annotation.
type annotationPayload struct {
	ID         AnnotationID   `json:"id"`
	Item       ItemID         `json:"item"`
	Kind       AnnotationKind `json:"kind"`
	Class      ClassID        `json:"class,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	Suggestion ClassID        `json:"suggestion,omitempty"`
	Score      *float64       `json:"score,omitempty"`
	Untouched  bool           `json:"untouched,omitempty"`
	Extra      bool           `json:"extra,omitempty"`
	SeenMS     int64          `json:"seen_ms"`
	Was        *ClassID       `json:"was,omitempty"` // what was accepted before a decision
	Is         *ClassID       `json:"is,omitempty"`  // what is accepted after it
}

func payloadOf(a Annotation) annotationPayload {
	return annotationPayload{ID: a.ID, Item: a.Item, Kind: a.Kind, Class: a.Class, Reason: a.Reason, Suggestion: a.Suggestion,
		Score: a.Score, Untouched: a.Untouched, Extra: a.Extra, SeenMS: a.Seen.Milliseconds()}
}
