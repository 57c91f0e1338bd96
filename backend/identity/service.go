package identity

import (
	"context"
	"crypto/subtle"
	"runtime"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Config is what a Service is made of.
type Config struct {
	Update  func(context.Context, func(Tx) error) error
	View    func(context.Context, func(Tx) error) error
	Now     func() time.Time
	NewID   func() string
	Hashing Hashing // OWASP() if zero
	// LockAfter is how long a browser may stand idle before it is locked; 0: until
	// somebody locks it. People may choose a shorter time for themselves.
	LockAfter time.Duration
	// Provider is where people may sign in beside here; nil: nowhere.
	Provider *Provider
	// Proved returns Conflict where the password that a person has is not one that the
	// history says was written, as a View sees both; nil where nothing is held against it.
	Proved func(Tx, ledger.PersonID) error
	// Server names this server among those that share the database, each of which
	// prints a link of its own at the first start.
	Server string
}

// Service answers who is there and what they may do.
type Service struct {
	update  func(context.Context, func(Tx) error) error
	view    func(context.Context, func(Tx) error) error
	now     func() time.Time
	newID   func() string
	server  string
	proved  func(Tx, ledger.PersonID) error
	kitchen *kitchen
	queue   queue

	lockAfter time.Duration
	uses      uses
	door      *door // to the provider; nil where there is none

	mu    sync.Mutex
	local Hash // of the secret in the credential file
}

// New returns a service.
func New(c Config) *Service {
	if c.Hashing == (Hashing{}) {
		c.Hashing = OWASP()
	}
	if c.Proved == nil {
		c.Proved = func(Tx, ledger.PersonID) error { return nil }
	}
	now := func() time.Time { return c.Now().UTC().Truncate(time.Microsecond) }
	return &Service{
		update: c.Update, view: c.View, now: now, newID: c.NewID, server: c.Server, proved: c.Proved,
		kitchen: newKitchen(c.Hashing, runtime.GOMAXPROCS(0)), lockAfter: c.LockAfter, door: newDoor(c.Provider, now),
	}
}

// Visit is an authenticated request: who it is and by which login or token.
type Visit struct {
	Actor  ledger.Actor
	Person Person
	Login  LoginID // by ViaLogin
	Token  TokenID // by ViaToken
	Issuer string  // at which the login was proven, "" where it was here
}

// From says where a sign-in comes from.
type From struct {
	Address string
	Agent   string
	Browser string // what SignedIn.Browser gave it before, "" where it never did

	issuer string    // at which it was proven, "" where it was here
	since  time.Time // when somebody signed in, zero for now
}

// OpenLocal makes the secret for the credential file of this machine and
// returns it. It is good until the process ends or OpenLocal is called again.
func (s *Service) OpenLocal() string {
	secret := newSecret("adj_local_")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.local = HashOf(secret)
	return secret
}

func (s *Service) isLocal(hash Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.local != "" && subtle.ConstantTimeCompare([]byte(s.local), []byte(hash)) == 1
}

// errNobody is the answer to every cookie or token that is not good.
func errNobody() error {
	return fault.New(fault.Unauthenticated, "Sign in first; this login or token is unknown, expired or revoked.")
}

// Authenticate returns whose login a cookie's secret belongs to, or
// Unauthenticated, with Locked as its cause where the login waits to be
// unlocked. It counts as a sign of life; a login that stood idle for too long
// is locked by it.
func (s *Service) Authenticate(ctx context.Context, secret string) (Visit, error) {
	visit, login, err := s.present(ctx, secret)
	if err != nil {
		return Visit{}, err
	}
	now, idle := s.now(), s.IdleLimit(visit.Person)
	if idle > 0 && now.Sub(login.SeenAt) >= idle+idle/touchesPerIdle && visit.mayUnlock() {
		return Visit{}, joined(s.lock(context.WithoutCancel(ctx), visit, "idle"), errLocked(visit.Person))
	}
	if now.Sub(login.SeenAt) >= touchAfter(idle) {
		renewed := login.renewed(now)
		err = s.update(context.WithoutCancel(ctx), func(tx Tx) error { return tx.TouchLogin(login.ID, renewed.SeenAt, renewed.ExpiresAt) })
	}
	return visit, err
}

// Present is Authenticate without a sign of life: for sockets and whatever else
// asks on its own, while nobody may sit there.
func (s *Service) Present(ctx context.Context, secret string) (Visit, error) {
	visit, _, err := s.present(ctx, secret)
	return visit, err
}

func (s *Service) present(ctx context.Context, secret string) (visit Visit, login Login, err error) {
	now := s.now()
	err = s.view(ctx, func(tx Tx) (err error) {
		if login, err = tx.LoginByHash(HashOf(secret)); err != nil {
			return unknown(err)
		}
		if !login.Live(now) {
			return errNobody()
		}
		visit, err = visitOf(tx, login.Person)
		if err == nil && !login.LockedAt.IsZero() {
			err = errLocked(visit.Person)
		}
		return err
	})
	if err != nil {
		return Visit{}, Login{}, err
	}
	visit.Login, visit.Issuer = login.ID, login.Issuer
	visit.Actor.Via, visit.Actor.Scope = ledger.ViaLogin, ledger.ScopeFull
	return visit, login, nil
}

// AuthenticateToken returns whose API token (or credential file) a secret
// belongs to, or Unauthenticated.
func (s *Service) AuthenticateToken(ctx context.Context, secret string) (Visit, error) {
	hash := HashOf(secret)
	local := s.isLocal(hash)
	var token Token
	var visit Visit
	now := s.now()
	err := s.view(ctx, func(tx Tx) (err error) {
		if local {
			visit, err = byMachine(tx)
			return err
		}
		if token, err = tx.TokenByHash(hash); err != nil {
			return unknown(err)
		}
		if !token.Live(now) {
			return errNobody()
		}
		visit, err = visitOf(tx, token.Person)
		return err
	})
	if err != nil {
		return Visit{}, err
	}
	if local {
		visit.Actor.Via, visit.Actor.Scope = ledger.ViaLocal, ledger.ScopeFull
		return visit, nil
	}
	visit.Token = token.ID
	visit.Actor.Via, visit.Actor.Scope = ledger.ViaToken, token.Scope
	if now.Sub(token.UsedAt) >= touchEvery {
		err = s.update(context.WithoutCancel(ctx), func(tx Tx) error { return tx.TouchToken(token.ID, now) })
	}
	return visit, err
}

// unknown hides whether a secret was never there.
func unknown(err error) error {
	if fault.Is(err, fault.NotFound) {
		return errNobody()
	}
	return err
}

// visitOf reads a person and their roles; a disabled person is nobody.
func visitOf(tx Tx, id ledger.PersonID) (Visit, error) {
	person, err := tx.Person(id)
	if err != nil {
		return Visit{}, unknown(err)
	}
	if person.Disabled {
		return Visit{}, errNobody()
	}
	memberships, err := tx.HeldRoles(id)
	if err != nil {
		return Visit{}, err
	}
	return Visit{
		Person: person,
		Actor:  ledger.Actor{Person: id, Name: person.Name, Admin: person.Admin, Roles: rolesOf(memberships), Untimed: person.Untimed},
	}, nil
}

// mustAdminister returns Denied unless the actor is an admin of the installation.
func mustAdminister(actor ledger.Actor) error {
	if actor.Admin && actor.May("", ledger.ActionAdminister) {
		return nil
	}
	return fault.New(fault.Denied, "Only an admin of this installation may do this. Ask one.")
}
