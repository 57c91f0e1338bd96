package identity

import (
	"context"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// The owner's name until they give their own by the link of the first start.
const (
	unnamedUsername = "owner"
	unnamedName     = "Owner of this machine"
)

// Unnamed reports whether this is an owner who has not said who they are yet.
func (p Person) Unnamed() bool { return p.Owner && p.Password == "" && p.Name == unnamedName }

// Prepare makes sure that somebody owns the data directory. The command line on
// the server's own machine acts in the name of that person, so that what they
// do there and what they do in a browser is one person's work. A server calls
// it once before it listens.
func (s *Service) Prepare(ctx context.Context) error {
	fresh := s.unnamed()
	return s.update(ctx, func(tx Tx) error {
		_, err := s.owner(tx, fresh)
		return err
	})
}

// Owner returns the person who owns the data directory. One who is still
// unnamed takes the given name: that of the user of a desktop window or of the
// demo, whom a launch link signs in. They set a password under Account before
// their first vote.
func (s *Service) Owner(ctx context.Context, username, name string) (person Person, err error) {
	fresh := s.unnamed()
	err = s.update(ctx, func(tx Tx) error {
		if person, err = s.owner(tx, fresh); err != nil || !person.Unnamed() {
			return err
		}
		username := FoldUsername(username)
		switch _, err := tx.PersonByUsername(username); {
		case err == nil:
			username = person.Username // somebody else signs in with that name
		case !fault.Is(err, fault.NotFound):
			return err
		}
		return s.rename(tx, ledger.ViaLocal, person.ID, func(p *Person) error {
			p.Username, p.Name, p.ChangedAt = username, name, s.now()
			person = *p
			return p.Validate()
		})
	})
	return person, err
}

func (s *Service) unnamed() Person {
	now := s.now()
	return Person{ID: ledger.PersonID(s.newID()), Username: unnamedUsername, Name: unnamedName, Admin: true, Owner: true, CreatedAt: now, ChangedAt: now}
}

// owner returns the owner and makes one where there is none.
func (s *Service) owner(tx Tx, fresh Person) (Person, error) {
	person, err := tx.Owner()
	if !fault.Is(err, fault.NotFound) {
		return person, err
	}
	return fresh, s.create(tx, acting(fresh, ledger.ViaLocal), fresh)
}

// rename writes who the owner says they are.
func (s *Service) rename(tx Tx, via ledger.Via, owner ledger.PersonID, what func(*Person) error) error {
	person, err := change(tx, owner, what)
	if err != nil {
		return err
	}
	return tx.Record(ledger.Entry{
		Actor: acting(person, via), Kind: "person.named", Subject: subject(person.ID), Payload: map[string]string{"username": person.Username, "name": person.Name},
	})
}

// acting returns an admin as the actor of their own arrival.
func acting(person Person, via ledger.Via) ledger.Actor {
	return ledger.Actor{Person: person.ID, Name: person.Name, Via: via, Admin: true, Scope: ledger.ScopeFull}
}

// byMachine returns who acts by the credential file of this machine.
func byMachine(tx Tx) (Visit, error) {
	owner, err := tx.Owner()
	if err != nil {
		return Visit{}, unknown(err)
	}
	if owner.Disabled {
		return Visit{}, fault.New(fault.Denied, "Commands on this machine act in the name of %s, who is blocked. An admin takes the machine over under People, in a browser; or use a token.", owner.Name)
	}
	return visitOf(tx, owner.ID)
}

// TakeOver makes the actor the person in whose name the command line on the
// server's own machine acts. Admins do so for themselves alone and signed in,
// so that nobody's name is lent to somebody else's commands.
func (s *Service) TakeOver(ctx context.Context, actor ledger.Actor) error {
	if err := mustAdminister(actor); err != nil {
		return err
	}
	if actor.Via != ledger.ViaLogin {
		return fault.New(fault.Denied, "Sign in with a browser to take this machine over.")
	}
	return s.asActor(ctx, actor, mustAdminister, func(tx Tx, actor ledger.Actor) error {
		person, err := tx.Person(actor.Person)
		if err != nil {
			return err
		}
		was, err := tx.Owner()
		switch {
		case err != nil && !fault.Is(err, fault.NotFound):
			return err
		case was.ID == person.ID:
			return nil
		}
		now := s.now()
		if was.ID != "" {
			if _, err := change(tx, was.ID, func(p *Person) error {
				p.Owner, p.ChangedAt = false, now
				return nil
			}); err != nil {
				return err
			}
		}
		if _, err := change(tx, person.ID, func(p *Person) error {
			p.Owner, p.ChangedAt = true, now
			return nil
		}); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: "machine.taken", Subject: subject(person.ID), Payload: map[string]string{"from": string(was.ID)}})
	})
}
