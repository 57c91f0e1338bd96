package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

func subject(id ledger.PersonID) ledger.Subject {
	return ledger.Subject{Kind: "person", ID: string(id)}
}

func joined(errs ...error) error { return errors.Join(errs...) }

// create writes a new person and the event.
func (s *Service) create(tx Tx, actor ledger.Actor, person Person) error {
	if err := ledger.OneScript("username", person.Username); err != nil {
		return err
	}
	if err := tx.CreatePerson(person); err != nil {
		return taken(err)
	}
	return tx.Record(ledger.Entry{
		Actor: actor, Kind: "person.created", Subject: subject(person.ID),
		Payload: map[string]any{"username": person.Username, "name": person.Name, "admin": person.Admin},
	})
}

// taken says that a username is in use.
func taken(err error) error {
	if fault.Is(err, fault.Conflict) {
		return fault.As(fault.Conflict, err, "Somebody signs in with this name already. Choose another.").At("username")
	}
	return err
}

// change reads a person inside a transaction and writes back what a function
// changed of them. A person is written in no other way: whoever wrote one that
// was read before the transaction would take back what others changed meanwhile,
// such as that they are no admin any more.
func change(tx Tx, id ledger.PersonID, what func(*Person) error) (Person, error) {
	person, err := tx.Person(id)
	if err != nil {
		return Person{}, err
	}
	was := person
	if err := what(&person); err != nil || person == was {
		return person, err
	}
	return person, taken(tx.UpdatePerson(person))
}

// CreatePersonRequest asks for a new person. Without a password they get a
// one-time link on which they choose one.
type CreatePersonRequest struct {
	Username string
	Name     string // Username if empty
	TimeZone string
	Password string
	Admin    bool
	Project  ledger.ProjectID // with Roles: where they are a member at once
	Roles    []ledger.Role
	Reason   string // of Join: why the roles of somebody who is a member already change
}

// CreatePerson makes a person. Admins of the installation may; a lead may where
// the person joins the lead's project at once. It returns the secret of the
// welcome link, "" where a password was given.
func (s *Service) CreatePerson(ctx context.Context, actor ledger.Actor, req CreatePersonRequest) (Person, string, error) {
	now := s.now()
	person := Person{
		ID: ledger.PersonID(s.newID()), Username: FoldUsername(req.Username), Name: strings.TrimSpace(req.Name),
		TimeZone: req.TimeZone, Admin: req.Admin, CreatedAt: now, ChangedAt: now,
	}
	if person.Name == "" {
		person.Name = person.Username
	}
	may := func(actor ledger.Actor) error {
		if req.Project == "" || req.Admin {
			if err := mustAdminister(actor); err != nil {
				return err
			}
		}
		return grants(req.Project, req.Roles...)(actor)
	}
	// Before a password is hashed: whoever may not do this learns it at once.
	if err := actor.MustBeThere(); err != nil {
		return Person{}, "", err
	}
	if err := may(actor); err != nil {
		return Person{}, "", err
	}
	if req.Project != "" && len(req.Roles) == 0 {
		return Person{}, "", fault.Field("role", "Choose at least one role.")
	}
	secret := ""
	if req.Password == "" {
		secret = newSecret("")
		if err := person.Validate(); err != nil {
			return Person{}, "", err
		}
	} else {
		phc, err := s.hashFor(ctx, person, func(p *Person) error { return p.Validate() }, req.Password)
		if err != nil {
			return Person{}, "", err
		}
		person.Password = phc
	}
	err := s.asActor(ctx, actor, may, func(tx Tx, actor ledger.Actor) error {
		if err := s.create(tx, actor, person); err != nil {
			return err
		}
		for _, role := range req.Roles {
			if err := s.grant(tx, actor, Membership{Project: req.Project, Person: person.ID, Role: role}, strings.TrimSpace(req.Reason)); err != nil {
				return err
			}
		}
		if secret == "" {
			return nil
		}
		return tx.CreateLink(s.link(PurposeWelcome, person.ID, secret))
	})
	return person, secret, err
}

// Invite makes a new welcome link for a person and returns its secret; links
// made before stop working. Following it sets a new password and ends every
// login there was. Admins do so for anybody, leads for those whose every role
// is in their projects.
func (s *Service) Invite(ctx context.Context, actor ledger.Actor, id ledger.PersonID) (string, error) {
	secret := newSecret("")
	// Who may is asked below, once it is known which roles the person holds.
	return secret, s.asActor(ctx, actor, func(ledger.Actor) error { return nil }, func(tx Tx, actor ledger.Actor) error {
		person, err := tx.Person(id)
		if fault.Is(err, fault.NotFound) && mustAdminister(actor) != nil {
			err = fault.New(fault.Denied, "A link for this person is made by an admin of this installation. Ask one.")
		}
		if err != nil {
			return err
		}
		if err := mayReadmit(tx, actor, person); err != nil {
			return err
		}
		if person.Disabled {
			return fault.New(fault.Invalid, "%s cannot sign in.", person.Name)
		}
		if !person.AskedAt.IsZero() {
			if _, err := change(tx, id, func(p *Person) error {
				p.AskedAt = time.Time{}
				return nil
			}); err != nil {
				return err
			}
		}
		if err := tx.DeleteLinks(PurposeWelcome, id); err != nil {
			return err
		}
		if err := tx.Record(ledger.Entry{Actor: actor, Kind: "person.invited", Subject: subject(id)}); err != nil {
			return err
		}
		return tx.CreateLink(s.link(PurposeWelcome, id, secret))
	})
}

// WorkGone is the follow-up of a person who was deactivated; its payload is Gone.
const WorkGone = "identity.gone"

// Gone names a person who was deactivated.
type Gone struct {
	Person ledger.PersonID `json:"person"`
}

// ChangePersonRequest changes what is not nil.
type ChangePersonRequest struct {
	Name     *string
	TimeZone *string
	Admin    *bool
	Disabled *bool
	Reason   string // needed where Admin changes
}

// ChangePerson changes a person: oneself for name and time zone, anybody for an
// admin. The last admin stays one. Making or unmaking an admin needs a reason.
func (s *Service) ChangePerson(ctx context.Context, actor ledger.Actor, id ledger.PersonID, req ChangePersonRequest) (person Person, err error) {
	may := func(actor ledger.Actor) error {
		if actor.Person != id || req.Admin != nil || req.Disabled != nil || actor.Scope != ledger.ScopeFull {
			return mustAdminister(actor)
		}
		return nil
	}
	err = s.asActor(ctx, actor, may, func(tx Tx, actor ledger.Actor) (err error) {
		able, err := s.someAdminSignsIn(tx)
		if err != nil {
			return err
		}
		var was Person
		person, err = change(tx, id, func(p *Person) error {
			was = *p
			set(&p.Name, req.Name)
			set(&p.TimeZone, req.TimeZone)
			set(&p.Admin, req.Admin)
			set(&p.Disabled, req.Disabled)
			p.Name = strings.TrimSpace(p.Name)
			if *p == was {
				return nil
			}
			p.ChangedAt = s.now()
			return p.Validate()
		})
		if err != nil || person == was {
			return err
		}
		if found, err := admins(tx); err != nil || was.Admin && len(found) == 0 {
			return orElse(err, fault.New(fault.Unmet, "%s is the last admin. Make somebody else admin first.", person.Name))
		}
		// An admin who was invited and has not come yet does not count: their link may be lost.
		if still, err := s.someAdminSignsIn(tx); err != nil || able && !still {
			return orElse(err, fault.New(fault.Unmet, "%s is the last admin who can sign in. Wait until another admin has chosen a password.", person.Name))
		}
		reason, err := ledger.Reason(req.Reason, fault.Format("who is an admin changes"), person.Admin != was.Admin && actor.Via != ledger.ViaSystem)
		if err != nil {
			return err
		}
		if person.Disabled {
			if err := endLogins(tx, id, ""); err != nil {
				return err
			}
			if err := tx.DeleteLinks(PurposeWelcome, id); err != nil {
				return err
			}
			// What they hold is offered to others again.
			if err := tx.Enqueue(work.Order{Kind: WorkGone, Key: string(id), Payload: Gone{Person: id}}); err != nil {
				return err
			}
		}
		return tx.Record(ledger.Entry{
			Actor: actor, Kind: "person.changed", Subject: subject(id),
			Payload: map[string]any{ledger.KeyWas: changeable(was), ledger.KeyIs: changeable(person), ledger.KeyReason: reason},
		})
	})
	return person, err
}

// changeable is what ChangePerson changes, for the history.
func changeable(p Person) map[string]any {
	return map[string]any{"name": p.Name, "time_zone": p.TimeZone, "admin": p.Admin, "disabled": p.Disabled}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func errChangedMeanwhile() error {
	return fault.New(fault.Conflict, "Your password was changed meanwhile. Sign in again.")
}

// ChangePassword sets the actor's own password. The old one is needed where
// there is one, and a proof by the provider where that is the only way in. Every
// other login of theirs ends. Conflict where it was changed meanwhile.
func (s *Service) ChangePassword(ctx context.Context, visit Visit, old, password string, from From) error {
	if visit.Actor.Via != ledger.ViaLogin {
		return fault.New(fault.Denied, "Sign in with a browser to change your password.")
	}
	person := visit.Person
	if err := validPassword("password", password, person.Username); err != nil {
		return err
	}
	if person.Password != "" || s.ConfirmsByProvider(person) {
		var err error
		if person, err = s.verify(ctx, visit.Actor, old, from.Address); err != nil {
			if f, ok := errors.AsType[*fault.Error](err); ok && f.Field == "password" {
				moved := *f
				return moved.At("old_password")
			}
			return err
		}
	} else if err := s.mustBeProved(ctx, person.ID); err != nil {
		return err
	}
	phc, err := s.kitchen.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.update(ctx, func(tx Tx) error {
		was := person
		person, err := change(tx, visit.Actor.Person, func(p *Person) error {
			if p.Password != was.Password {
				return errChangedMeanwhile()
			}
			p.Password, p.ChangedAt = phc, s.now()
			return nil
		})
		if err != nil {
			return err
		}
		if err := s.stillSignedIn(tx, visit); err != nil {
			return err
		}
		if err := s.stayKnown(tx, was, person, from.Browser); err != nil {
			return err
		}
		if err := endLogins(tx, person.ID, visit.Login); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: visit.Actor, Kind: "password.changed", Subject: subject(person.ID)})
	})
}

// People lists everybody, for admins.
func (s *Service) People(ctx context.Context, actor ledger.Actor) (people []Person, err error) {
	if err := mustAdminister(actor); err != nil {
		return nil, err
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		people, err = tx.People()
		return err
	})
	return people, err
}

// Get returns one person with all their roles, for admins.
func (s *Service) Get(ctx context.Context, actor ledger.Actor, id ledger.PersonID) (person Person, roles []Membership, err error) {
	if err := mustAdminister(actor); err != nil {
		return Person{}, nil, err
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		if person, err = tx.Person(id); err != nil {
			return err
		}
		roles, err = tx.Memberships(id)
		return err
	})
	return person, roles, err
}

// PersonByUsername finds a person by the name they sign in with. A lead needs it
// to add a colleague whose name they know; nobody can list people by it.
func (s *Service) PersonByUsername(ctx context.Context, actor ledger.Actor, username string) (person Person, err error) {
	err = s.view(ctx, func(tx Tx) (err error) {
		person, err = tx.PersonByUsername(FoldUsername(username))
		return err
	})
	if fault.Is(err, fault.NotFound) {
		err = fault.As(fault.NotFound, err, "Nobody signs in with this name. Create the person first.").At("username")
	}
	person.Password = ""
	return person, err
}

// PersonNamed finds a person by id or by the name they sign in with, as commands
// name them.
func (s *Service) PersonNamed(ctx context.Context, actor ledger.Actor, text string) (person Person, err error) {
	err = s.view(ctx, func(tx Tx) (err error) {
		person, err = tx.Person(ledger.PersonID(text))
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return s.PersonByUsername(ctx, actor, text)
	}
	person.Password = ""
	return person, err
}

// Names returns the names of people by id, for pages that show who did what.
func (s *Service) Names(ctx context.Context) (names map[ledger.PersonID]string, err error) {
	err = s.view(ctx, func(tx Tx) error {
		people, err := tx.People()
		names = make(map[ledger.PersonID]string, len(people))
		for _, p := range people {
			names[p.ID] = p.Name
		}
		return err
	})
	return names, err
}
