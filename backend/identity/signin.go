package identity

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// SignedIn is a fresh login; Secret and Browser go into cookies and are kept nowhere.
type SignedIn struct {
	Person  ledger.PersonID
	Login   LoginID
	Secret  string
	Browser string // what the browser keeps for as long as KnownLasts, to be known by
}

// wrongPassword is the one message for every way in which a password fails.
func wrongPassword(kind fault.Kind, err error) *fault.Error {
	return fault.As(kind, errors.Join(errWrongPassword, err), "This name and password do not belong together. After five wrong tries there is a pause of a minute; a browser in which you signed in before has tries of its own.")
}

// errWrongPassword tells check's refusal of a password from everything else.
var errWrongPassword = errors.New("wrong password")

// notYours words the refusal of a password for somebody who is known already.
func notYours(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok && errors.Is(f, errWrongPassword) {
		return fault.As(f.Kind, f.Err, "This is not your password. After five wrong tries there is a pause of a minute.").At("password")
	}
	return err
}

// TooMany is the cause of a fault that the limit on wrong passwords raised.
type TooMany struct{ Wait time.Duration }

// Error says how long to wait.
func (e TooMany) Error() string { return "too many wrong passwords, wait " + e.Wait.String() }

// SignIn exchanges a username and password for a login. Whatever is wrong, the
// message is the same: Invalid, or Unavailable with TooMany as its cause where
// the limit was reached. A password that was changed while it was compared is
// wrong: no login begins by it after the change has ended all that there were.
func (s *Service) SignIn(ctx context.Context, username, password string, from From) (SignedIn, error) {
	username = FoldUsername(username)
	var person Person
	var known Hash
	err := s.view(ctx, func(tx Tx) (err error) {
		if person, err = tx.PersonByUsername(username); err != nil {
			return err
		}
		_, known, err = s.knownBy(tx, person, from.Browser)
		return err
	})
	if err != nil && !fault.Is(err, fault.NotFound) {
		return SignedIn{}, err
	}
	if person.Disabled {
		person = Person{}
	}
	if err := s.check(ctx, try{username: username, person: person.ID, address: from.Address, browser: known}, person.Password, password); err != nil {
		return SignedIn{}, err
	}
	return s.enter(ctx, person.ID, from, func(tx Tx) error {
		if stands, err := stillHas(tx, person.ID, person.Password); err != nil || !stands {
			return orElse(err, wrongPassword(fault.Invalid, nil))
		}
		return nil
	})
}

// stillHas reports, inside the transaction that acts on it, whether a person who
// may sign in has the password, as its hash, that was compared before. Comparing
// takes too long for a transaction, and meanwhile a password can be changed.
func stillHas(tx Tx, id ledger.PersonID, phc string) (bool, error) {
	person, err := tx.Person(id)
	return err == nil && !person.Disabled && person.Password == phc, ignoreNone(err)
}

// stillSignedIn returns Unauthenticated where a visit by a login is over by the
// time of the transaction that acts on it.
func (s *Service) stillSignedIn(tx Tx, visit Visit) error {
	person, err := tx.Person(visit.Actor.Person)
	if err != nil {
		return unknown(err)
	}
	logins, err := tx.Logins(person.ID)
	if err != nil {
		return err
	}
	lives := func(l Login) bool { return l.ID == visit.Login && l.Live(s.now()) }
	if person.Disabled || !slices.ContainsFunc(logins, lives) {
		return errNobody()
	}
	return nil
}

// endLogins ends every login of a person but one ("" for none), and what would
// begin another without a password: a launch link, a code on its way to a window,
// and what stands in for a password.
func endLogins(tx Tx, person ledger.PersonID, except LoginID) error {
	for _, purpose := range []Purpose{PurposeLaunch, PurposeWindow, PurposeProof} {
		if err := tx.DeleteLinks(purpose, person); err != nil {
			return err
		}
	}
	return tx.DeleteLogins(person, except)
}

// VerifyPassword checks the password of a person who is signed in already, as
// before a vote. It has a limit of its own: no stranger who guesses at the door
// keeps them from it. For somebody
// who has none and signs in by a provider, it is what ErrandConfirm gave. The
// result is Denied for anything but a login.
func (s *Service) VerifyPassword(ctx context.Context, actor ledger.Actor, password, address string) error {
	_, err := s.verify(ctx, actor, password, address)
	return err
}

// verify is VerifyPassword for whoever changes by it how somebody signs in: it
// returns who it is, as they were when they proved it, for stillHas.
func (s *Service) verify(ctx context.Context, actor ledger.Actor, password, address string) (person Person, err error) {
	if actor.Via != ledger.ViaLogin {
		return person, fault.New(fault.Denied, "Sign in with a browser to confirm with your password.")
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		person, err = tx.Person(actor.Person)
		return err
	})
	if err != nil {
		return person, err
	}
	if person.Password == "" {
		if err := s.mustBeProved(ctx, person.ID); err != nil {
			return person, err
		}
	}
	if s.ConfirmsByProvider(person) {
		return person, s.spend(ctx, actor, password)
	}
	if person.Password == "" {
		return person, fault.Field("password", "You have not set a password yet. Set one under Account, then confirm again.")
	}
	err = s.check(ctx, try{username: person.Username, person: person.ID, actor: actor, address: address, seat: addressGroup(address)}, person.Password, password)
	return person, notYours(err)
}

// Prove is VerifyPassword for whoever writes down how sure it is that the person
// acted: "password", or "provider" where they confirmed it there.
func (s *Service) Prove(ctx context.Context, actor ledger.Actor, password, address string) (assurance string, err error) {
	person, err := s.verify(ctx, actor, password, address)
	if err != nil {
		return "", err
	}
	if s.ConfirmsByProvider(person) {
		return "provider", nil
	}
	return "password", nil
}

// check compares a password under the limit, and notes in the history what it
// refuses. It asks of a right one whether the history knows it: whoever changes the
// database puts their own there. Nothing else compares passwords.
func (s *Service) check(ctx context.Context, t try, phc, password string) error {
	t.phc = phc
	right, wait, err := s.limited(ctx, t, func() (bool, error) { return s.kitchen.matches(ctx, phc, password) })
	switch {
	case err != nil:
		return err
	case wait > 0:
		return wrongPassword(fault.Unavailable, TooMany{Wait: wait})
	case !right:
		return wrongPassword(fault.Invalid, nil)
	}
	return s.mustBeProved(ctx, t.person)
}

// mustBeProved returns Conflict where the password that a person has, or that they
// have none, was written past the program.
func (s *Service) mustBeProved(ctx context.Context, person ledger.PersonID) error {
	return s.view(ctx, func(tx Tx) error { return s.proved(tx, person) })
}

// enter makes a login for a person, after what else belongs in its transaction.
// The secret is always fresh, so nobody can plant one beforehand.
func (s *Service) enter(ctx context.Context, person ledger.PersonID, from From, first func(Tx) error) (SignedIn, error) {
	secret, now := newSecret(""), s.now()
	since := now
	if !from.since.IsZero() {
		since = from.since
	}
	login := Login{
		ID: LoginID(s.newID()), Person: person, Hash: HashOf(secret), CreatedAt: since,
		Agent: clip(from.Agent, 200), Address: clip(from.Address, 100), Issuer: from.issuer,
	}.renewed(now)
	fresh, browser := newSecret(""), ""
	err := s.update(ctx, func(tx Tx) error {
		if err := first(tx); err != nil {
			return err
		}
		visit, err := visitOf(tx, person)
		if err != nil {
			return err
		}
		visit.Actor.Via, visit.Actor.Scope = ledger.ViaLogin, ledger.ScopeFull
		if err := tx.DeleteExpired(now); err != nil {
			return err
		}
		if err := tx.CreateLogin(login); err != nil {
			return err
		}
		if browser, err = s.remember(tx, visit.Person, from.Browser, fresh); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{
			Actor: visit.Actor, Kind: "login.created", Subject: ledger.Subject{Kind: "login", ID: string(login.ID)},
			Payload: map[string]string{"address": login.Address, "agent": login.Agent, "issuer": login.Issuer},
		})
	})
	if err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Person: person, Login: login.ID, Secret: secret, Browser: browser}, nil
}

// SignOut ends the actor's own login.
func (s *Service) SignOut(ctx context.Context, visit Visit) error {
	return s.EndLogin(ctx, visit.Actor, visit.Login)
}

// EndLogin ends one of the actor's logins, this or another browser's.
func (s *Service) EndLogin(ctx context.Context, actor ledger.Actor, id LoginID) error {
	return s.update(ctx, func(tx Tx) error {
		if err := tx.DeleteLogin(actor.Person, id); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: "login.ended", Subject: ledger.Subject{Kind: "login", ID: string(id)}})
	})
}

// Logins lists the actor's logins, the latest first.
func (s *Service) Logins(ctx context.Context, actor ledger.Actor) (logins []Login, err error) {
	err = s.view(ctx, func(tx Tx) error {
		all, err := tx.Logins(actor.Person)
		logins = nil
		for _, l := range all {
			if l.Live(s.now()) {
				logins = append(logins, l)
			}
		}
		return err
	})
	return logins, err
}

// clip shortens text to at most n bytes of valid UTF-8.
func clip(text string, n int) string {
	if len(text) > n {
		text = text[:n]
	}
	return toValid(text)
}
