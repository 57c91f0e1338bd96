package identity

import (
	"context"
	"errors"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// touchesPerIdle says how finely a login's last use is kept where it locks by
// itself: to a quarter of the time that it may stand idle.
const touchesPerIdle = 4

// Locked is the cause of an Unauthenticated fault where a login is locked: it
// is good again once its person gives their password.
type Locked struct {
	Person ledger.PersonID
	Name   string
}

// Error says that the login is locked.
func (Locked) Error() string { return "the login is locked" }

func errLocked(p Person) error {
	return fault.As(fault.Unauthenticated, Locked{Person: p.ID, Name: p.Name}, "This screen is locked. Enter your password to go on.")
}

// IsLocked returns who locked a login that a fault speaks of.
func IsLocked(err error) (Locked, bool) { return errors.AsType[Locked](err) }

// IdleLimit is how long a browser of a person may stand idle before it is
// locked: the shortest of what the installation says, the person chose and the
// projects that they may open demand, whichever page is open. 0 is for ever.
func (s *Service) IdleLimit(p Person) time.Duration {
	limit := s.lockAfter
	for _, minutes := range []int{p.LockAfter, p.Demanded} {
		if wish := time.Duration(minutes) * time.Minute; wish > 0 && (limit == 0 || wish < limit) {
			limit = wish
		}
	}
	return limit
}

// touchAfter is how old the last use of a login may be before it is written anew.
func touchAfter(idle time.Duration) time.Duration {
	if idle == 0 {
		return touchEvery
	}
	return min(touchEvery, idle/touchesPerIdle)
}

// mayUnlock reports whether the person could come back after a lock. The owner
// of the machine without a password was let in by a link of the first start and
// has no other way.
func (v Visit) mayUnlock() bool {
	return v.Person.Password != "" || v.Person.Linked || !v.Person.Owner
}

// Lock locks the actor's own login: it answers nothing until Unlock.
func (s *Service) Lock(ctx context.Context, visit Visit) error {
	if visit.Actor.Via != ledger.ViaLogin {
		return fault.New(fault.Denied, "Only a browser that is signed in can be locked.")
	}
	if !visit.mayUnlock() {
		return fault.New(fault.Unmet, "Set a password under Account first; without one you could not unlock the screen.")
	}
	return s.lock(ctx, visit, "person")
}

func (s *Service) lock(ctx context.Context, visit Visit, by string) error {
	now := s.now()
	return s.update(ctx, func(tx Tx) error {
		if err := tx.LockLogin(visit.Login, now); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{
			Actor: visit.Actor, Kind: "login.locked", Subject: ledger.Subject{Kind: "login", ID: string(visit.Login)}, Payload: map[string]string{"by": by},
		})
	})
}

// LockedPerson returns whose locked login a cookie's secret belongs to;
// NotFound where it is none or is not locked.
func (s *Service) LockedPerson(ctx context.Context, secret string) (Person, error) {
	_, person, err := s.locked(ctx, secret)
	return person, err
}

func (s *Service) locked(ctx context.Context, secret string) (login Login, person Person, err error) {
	err = s.view(ctx, func(tx Tx) (err error) {
		if login, err = tx.LoginByHash(HashOf(secret)); err != nil {
			return err
		}
		if login.LockedAt.IsZero() || !login.Live(s.now()) {
			return fault.New(fault.NotFound, "This screen is not locked.")
		}
		person, err = tx.Person(login.Person)
		if err == nil && person.Disabled {
			err = fault.New(fault.NotFound, "This screen is not locked.")
		}
		return err
	})
	return login, person, err
}

// Unlock opens a locked login with its person's password. Wrong ones count for
// this login, and for all places together in which the person is signed in.
func (s *Service) Unlock(ctx context.Context, secret, password string, from From) error {
	login, person, err := s.locked(ctx, secret)
	if err != nil {
		return err
	}
	err = s.check(ctx, try{username: person.Username, person: person.ID, address: from.Address, seat: string(login.ID)}, person.Password, password)
	if err != nil {
		return notYours(err)
	}
	renewed := login.renewed(s.now())
	return s.update(ctx, func(tx Tx) error {
		visit, err := visitOf(tx, person.ID)
		if err != nil {
			return err
		}
		visit.Login = login.ID
		visit.Actor.Via, visit.Actor.Scope = ledger.ViaLogin, ledger.ScopeFull
		if stands, err := stillHas(tx, person.ID, person.Password); err != nil || !stands {
			return orElse(err, notYours(wrongPassword(fault.Invalid, nil)))
		}
		if err := s.stillSignedIn(tx, visit); err != nil {
			return err
		}
		if err := tx.LockLogin(login.ID, time.Time{}); err != nil {
			return err
		}
		if err := tx.TouchLogin(login.ID, renewed.SeenAt, renewed.ExpiresAt); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: visit.Actor, Kind: "login.unlocked", Subject: ledger.Subject{Kind: "login", ID: string(login.ID)}})
	})
}

// Leave ends the login of a cookie's secret, locked or not, as where somebody
// else takes the seat. It does nothing where there is none.
func (s *Service) Leave(ctx context.Context, secret string) error {
	return s.update(ctx, func(tx Tx) error {
		login, err := tx.LoginByHash(HashOf(secret))
		if err != nil {
			return fault.Wrap(ignoreNone(err), "find the login before")
		}
		person, err := tx.Person(login.Person)
		if err != nil {
			return err
		}
		if err := tx.DeleteLogin(login.Person, login.ID); err != nil {
			return err
		}
		actor := ledger.Actor{Person: person.ID, Name: person.Name, Via: ledger.ViaLogin}
		return tx.Record(ledger.Entry{Actor: actor, Kind: "login.ended", Subject: ledger.Subject{Kind: "login", ID: string(login.ID)}})
	})
}

func ignoreNone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// EndOtherLogins signs the actor out of every browser but this one.
func (s *Service) EndOtherLogins(ctx context.Context, visit Visit) error {
	return s.update(ctx, func(tx Tx) error {
		logins, err := tx.Logins(visit.Actor.Person)
		if err != nil {
			return err
		}
		if err := endLogins(tx, visit.Actor.Person, visit.Login); err != nil {
			return err
		}
		for _, l := range logins {
			if l.ID == visit.Login {
				continue
			}
			if err := tx.Record(ledger.Entry{Actor: visit.Actor, Kind: "login.ended", Subject: ledger.Subject{Kind: "login", ID: string(l.ID)}}); err != nil {
				return err
			}
		}
		return nil
	})
}
