package identity

import (
	"context"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

const (
	// asksPerAddress is how often a new link may be asked for from one address
	// before asking is not written down any more.
	asksPerAddress = 10
)

// mayReadmit returns Denied unless the actor may make a new link for a person:
// an admin for anybody, a lead for somebody whose every role is in projects of
// the lead. Whoever holds more than that could otherwise be stepped into.
func mayReadmit(tx Tx, actor ledger.Actor, person Person) error {
	if mustAdminister(actor) == nil {
		return nil
	}
	refused := fault.New(fault.Denied, "A link for %s is made by an admin of this installation. Ask one.", person.Name)
	if person.Admin || person.Owner {
		return refused
	}
	held, err := tx.HeldRoles(person.ID)
	if err != nil {
		return err
	}
	leads := false
	for _, m := range held {
		if m.Role == ledger.RoleAdmin || !actor.May(m.Project, ledger.ActionManage) {
			leads = false
			break
		}
		leads = true
	}
	if !leads {
		// Whoever leads none of their projects does not learn that they exist.
		return refused
	}
	return nil
}

// AskForLink notes that whoever signs in with a username asks for a new link,
// so that an admin sees it under People. The answer is the same whether or not
// somebody signs in with that name.
func (s *Service) AskForLink(ctx context.Context, username string, from From) error {
	key, now := HashOf("asked\x00"+addressGroup(from.Address)), s.now()
	return s.update(context.WithoutCancel(ctx), func(tx Tx) error {
		limit, err := tx.Limit(key)
		if err != nil {
			return err
		}
		b := bucket{Limit: limit, most: asksPerAddress}
		if b.wait(now) > 0 {
			return nil
		}
		if err := tx.SaveLimit(b.filled(now)); err != nil {
			return err
		}
		person, err := tx.PersonByUsername(FoldUsername(username))
		if err != nil || person.Disabled || now.Sub(person.AskedAt) < time.Minute {
			return ignoreNone(err)
		}
		if _, err := change(tx, person.ID, func(p *Person) error {
			p.AskedAt = now
			return nil
		}); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{
			Actor: ledger.Actor{Via: ledger.ViaNobody}, Kind: "password.asked", Subject: subject(person.ID),
			Payload: map[string]string{"address": clip(from.Address, 100)},
		})
	})
}
