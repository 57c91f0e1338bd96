package erasure

import (
	"context"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// PlaceHold keeps everything under a person, a dataset or a project from being
// erased until the hold is lifted. It needs an admin of the installation.
func (s *Service) PlaceHold(ctx context.Context, actor ledger.Actor, h Hold) (Hold, error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return Hold{}, err
	}
	switch {
	case h.Kind != "person" && h.Kind != "dataset" && h.Kind != "project":
		return Hold{}, fault.Field("kind", "%.40q cannot be held; choose person, dataset or project.", h.Kind)
	case h.ID == "":
		return Hold{}, fault.Field("id", "Say which %s is held, by its id.", h.Kind)
	}
	var err error
	if h.Reason, err = ledger.Reason(h.Reason, fault.Format("this is held"), true); err != nil {
		return Hold{}, err
	}
	err = s.Update(ctx, func(tx Tx) error {
		h.Person, h.At = actor.Person, tx.Now()
		if err := tx.PlaceHold(h); fault.Is(err, fault.Conflict) {
			return fault.As(fault.Conflict, err, "There is a legal hold on this %s already.", h.Kind)
		} else if err != nil {
			return fault.Wrap(err, "place a legal hold")
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: "hold.placed", Subject: ledger.Subject{Kind: h.Kind, ID: h.ID}, Payload: map[string]string{"reason": h.Reason}})
	})
	return h, err
}

// LiftHold takes a legal hold away, with a reason. It needs an admin of the
// installation and returns NotFound where there is none.
func (s *Service) LiftHold(ctx context.Context, actor ledger.Actor, kind, id, reason string) error {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return err
	}
	reason, err := ledger.Reason(reason, fault.Format("the hold is lifted"), true)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx Tx) error {
		there, err := tx.LiftHold(kind, id)
		if err != nil {
			return fault.Wrap(err, "lift a legal hold")
		}
		if !there {
			return fault.New(fault.NotFound, "There is no legal hold on this.")
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: "hold.lifted", Subject: ledger.Subject{Kind: kind, ID: id}, Payload: map[string]string{"reason": reason}})
	})
}

// Holds lists all legal holds, the latest first, for admins.
func (s *Service) Holds(ctx context.Context, actor ledger.Actor) (holds []Hold, err error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		holds, err = tx.Holds()
		return err
	})
	return holds, err
}
