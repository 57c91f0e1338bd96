package labeling

import (
	"context"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Dispute is an item about which people differ, with what they said.
type Dispute struct {
	Item        Item
	Annotations []Annotation // active answers, oldest first
}

// Disputes lists the disputed items of a project after a Seq, oldest first, at most
// 200 at once and fewer where their texts are long, and whether there are more.
func (s *Service) Disputes(ctx context.Context, actor ledger.Actor, project ProjectID, after int64, limit int) (list []Dispute, more bool, err error) {
	if err := actor.Must(project, ledger.ActionRelabel); err != nil {
		return nil, false, err
	}
	err = s.View(ctx, func(tx Tx) error {
		var items []Item
		if items, more, err = tx.FindItems(project, ItemFilter{Status: StatusDisputed}, Slice{After: after, Rows: min(max(limit, 1), 200)}); err != nil {
			return fault.Wrap(err, "find disputed items")
		}
		list = make([]Dispute, 0, len(items))
		for _, item := range items {
			answers, err := tx.AnnotationsOf(item.ID)
			if err != nil {
				return fault.Wrap(err, "find annotations")
			}
			list = append(list, Dispute{Item: item, Annotations: answers})
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	var seen []DatasetID
	for _, d := range list {
		seen = append(seen, d.Item.Dataset)
	}
	return list, more, s.Viewed(ctx, actor, project, seen...)
}

// Adjudicate decides what an item is, whatever people answered, with a reason
// that others can read. The answers stay as they were said. It returns Denied,
// Invalid or NotFound.
func (s *Service) Adjudicate(ctx context.Context, actor ledger.Actor, project ProjectID, id ItemID, class ClassID, reason string) (Annotation, error) {
	if err := actor.Must(project, ledger.ActionRelabel); err != nil {
		return Annotation{}, err
	}
	decision := Annotation{ID: AnnotationID(s.NewID()), Project: project, Item: id, Person: actor.Person,
		Kind: KindDecision, Class: class, Reason: strings.TrimSpace(reason), State: AnnotationActive}
	if err := decision.Validate(); err != nil {
		return Annotation{}, err
	}
	if decision.Reason == "" {
		return Annotation{}, fault.Field("reason", "Say in a few words why; the people who answered will read it.")
	}
	err := s.Update(ctx, func(tx Tx) error {
		p, err := tx.Project(project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		item, err := itemIn(tx, project, id)
		if err != nil {
			return err
		}
		if known, ok := p.Schema.Class(class); !ok || known.Retired {
			return fault.Field("class", "This project offers no class %.60q; choose one of its classes.", string(class))
		}
		decision.Dataset, decision.At = item.Dataset, tx.Now()
		if err := annotate(tx, p, item, &decision); err != nil {
			return err
		}
		payload := payloadOf(decision)
		payload.Was, payload.Is = &item.Label, &decision.Class
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "annotation.decided", Subject: ledger.Subject{Kind: "item", ID: string(id)}, Payload: payload})
	})
	return decision, err
}
