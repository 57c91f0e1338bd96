package erasure

import (
	"context"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// HoldKinds lists what can be held.
func HoldKinds() []string {
	return []string{"person", "project", "dataset", "item", "snapshot", "candidate"}
}

// Keeps returns the first of some legal holds that keeps a thing from the trash
// and from erasure, nil where none does: a hold on it, on what it lies in, or on
// something that lies in it.
func Keeps(holds []Held, t Holdable) *Held {
	for _, h := range holds {
		on := h.On
		switch {
		case h.Kind == t.Kind && h.ID == t.ID,
			t.Project != "" && h.Kind == "project" && h.ID == string(t.Project),
			t.Kind == "item" && h.Kind == "dataset" && h.ID == t.Dataset,
			t.Kind == "project" && on.Project == t.Project,
			t.Kind == "dataset" && on.Kind == "item" && on.Dataset == t.ID:
			return &h
		}
	}
	return nil
}

// keptWords says what keeps a thing, for whoever would erase or delete it.
func keptWords(h *Held, t Holdable) string {
	if h.Kind == t.Kind || h.Kind == "project" || t.Kind == "item" && h.Kind == "dataset" {
		return fault.Say("A legal hold keeps this %s: %s Lift it first.", h.Kind, h.Reason)
	}
	return fault.Say("A legal hold keeps the %s %s in it: %s Lift it first.", h.Kind, h.On.Name, h.Reason)
}

// heldThings reads all legal holds with what they are on.
func heldThings(tx Tx) ([]Held, error) {
	holds, err := tx.Holds()
	if err != nil {
		return nil, err
	}
	var list []Held
	for _, h := range holds {
		on, err := tx.Holdable(h.Kind, h.ID)
		if fault.Is(err, fault.NotFound) { // it was held by an id that names nothing
			on, err = Holdable{Kind: h.Kind, ID: h.ID}, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, Held{h, on})
	}
	return list, nil
}

// HoldsIn lists the legal holds on a project and on what lies in it, for those
// who manage it.
func (s *Service) HoldsIn(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) (list []Held, err error) {
	if err := actor.Must(project, ledger.ActionManage); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		list, err = heldThings(tx)
		return err
	})
	return slices.DeleteFunc(list, func(h Held) bool { return h.On.Project != project }), err
}

// Holdable finds what could be held, for the form that asks why. It needs an
// admin of the installation.
func (s *Service) Holdable(ctx context.Context, actor ledger.Actor, kind, id string) (t Holdable, err error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return Holdable{}, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		t, err = tx.Holdable(kind, id)
		return err
	})
	return t, err
}

// PlaceHold keeps everything under a thing from being erased or deleted until the
// hold is lifted. It needs an admin of the installation; people may be named by
// username.
func (s *Service) PlaceHold(ctx context.Context, actor ledger.Actor, h Hold) (Hold, error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return Hold{}, err
	}
	switch {
	case !slices.Contains(HoldKinds(), h.Kind):
		return Hold{}, fault.Field("kind", "%.40q cannot be held; choose %s.", h.Kind, strings.Join(HoldKinds(), ", "))
	case h.ID == "":
		return Hold{}, fault.Field("id", "Say which %s is held, by its id.", h.Kind)
	}
	var err error
	if h.Reason, err = ledger.Reason(h.Reason, fault.Format("this is held"), true); err != nil {
		return Hold{}, err
	}
	err = s.Update(ctx, func(tx Tx) error {
		on, err := tx.Holdable(h.Kind, h.ID)
		if fault.Is(err, fault.NotFound) {
			return fault.Field("id", "There is no %s with the id %.100q.", h.Kind, h.ID)
		}
		if err != nil {
			return err
		}
		h.ID, h.Person, h.At = on.ID, actor.Person, tx.Now()
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

// Holds lists all legal holds with what they are on, the latest first, for admins.
func (s *Service) Holds(ctx context.Context, actor ledger.Actor) (holds []Held, err error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		holds, err = heldThings(tx)
		return err
	})
	return holds, err
}
