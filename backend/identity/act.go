package identity

import (
	"context"

	"github.com/adjudge/adjudge/backend/ledger"
)

// asActor carries out a change of who is here and of what they may do. Every such
// change comes through it, so that all of them keep the same two rules. An API
// token changes nothing about people: whoever finds one could otherwise make
// the two people whose votes open a gate. And what the actor may do is asked
// again inside the transaction: a password that was hashed, or a page that
// stood open, in between must not outlive the role it rested on.
func (s *Service) asActor(ctx context.Context, actor ledger.Actor, may func(ledger.Actor) error, do func(Tx, ledger.Actor) error) error {
	if err := actor.MustBeThere(); err != nil {
		return err
	}
	if err := may(actor); err != nil {
		return err
	}
	return s.update(ctx, func(tx Tx) error {
		now, err := asItStands(tx, actor)
		if err != nil {
			return err
		}
		if err := may(now); err != nil {
			return err
		}
		return do(tx, now)
	})
}

// asItStands returns the actor with the roles they hold in this transaction, or
// Unauthenticated where they may not sign in any more.
func asItStands(tx Tx, actor ledger.Actor) (ledger.Actor, error) {
	if actor.Via == ledger.ViaSystem {
		return actor, nil
	}
	visit, err := visitOf(tx, actor.Person)
	if err != nil {
		return actor, err
	}
	visit.Actor.Via, visit.Actor.Scope = actor.Via, actor.Scope
	return visit.Actor, nil
}

// grants is what asActor asks of whoever gives or takes roles in a project.
func grants(project ledger.ProjectID, roles ...ledger.Role) func(ledger.Actor) error {
	return func(actor ledger.Actor) error {
		for _, role := range roles {
			if err := mayGrant(actor, project, role); err != nil {
				return err
			}
		}
		return nil
	}
}

// manages is what asActor asks of whoever arranges the people of a project.
func manages(project ledger.ProjectID) func(ledger.Actor) error {
	return func(actor ledger.Actor) error { return actor.Must(project, ledger.ActionManage) }
}
