package identity

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

func toValid(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// errLink is the answer to a link that is not good.
func errLink() error {
	return fault.New(fault.NotFound, "This link was used already or is too old. Ask for a new one.")
}

// FirstAdminLink returns the secret of a fresh link on which the owner of the
// data directory says who they are and chooses a password, or "" where some
// admin can sign in already. Links that this server made before stop working;
// those of other servers on the database work until one of them is followed, for
// whoever starts two servers reads the words of either.
func (s *Service) FirstAdminLink(ctx context.Context) (string, error) {
	secret := newSecret("")
	var needed bool
	err := s.update(ctx, func(tx Tx) error {
		able, err := s.someAdminSignsIn(tx)
		if needed = err == nil && !able; !needed {
			return err
		}
		printed := ledger.PersonID(s.server)
		if err := tx.DeleteLinks(PurposeFirstAdmin, printed); err != nil {
			return err
		}
		return tx.CreateLink(s.link(PurposeFirstAdmin, printed, secret))
	})
	if err != nil || !needed {
		return "", err
	}
	return secret, nil
}

func (s *Service) link(purpose Purpose, person ledger.PersonID, secret string) Link {
	now := s.now()
	return Link{Hash: HashOf(secret), Purpose: purpose, Person: person, CreatedAt: now, ExpiresAt: now.Add(purpose.lasts())}
}

// admins lists the people who can administer the installation. An owner who has
// not arrived yet is none.
func admins(tx Tx) ([]ledger.PersonID, error) {
	people, err := tx.People()
	var ids []ledger.PersonID
	for _, p := range people {
		if p.Admin && !p.Disabled && !p.Unnamed() {
			ids = append(ids, p.ID)
		}
	}
	return ids, err
}

// someAdminSignsIn reports whether an admin has a password or a provider.
func (s *Service) someAdminSignsIn(tx Tx) (bool, error) {
	people, err := tx.People()
	return slices.ContainsFunc(people, func(p Person) bool {
		return p.Admin && !p.Disabled && (p.Password != "" || p.Linked && s.door != nil)
	}), err
}

// PeekLink returns the person a link is for (zero for the first admin's), and
// NotFound where it is not good. It uses nothing up.
func (s *Service) PeekLink(ctx context.Context, purpose Purpose, secret string) (person Person, err error) {
	err = s.view(ctx, func(tx Tx) error {
		link, err := s.good(tx, purpose, secret)
		if err != nil || link.Purpose == PurposeFirstAdmin {
			return err
		}
		person, err = tx.Person(link.Person)
		return err
	})
	return person, err
}

func (s *Service) good(tx Tx, purpose Purpose, secret string) (Link, error) {
	link, err := tx.LinkByHash(HashOf(secret))
	switch {
	case fault.Is(err, fault.NotFound):
		return Link{}, errLink()
	case err != nil:
		return Link{}, err
	case link.Purpose != purpose || !s.now().Before(link.ExpiresAt):
		return Link{}, errLink()
	}
	return link, nil
}

// use uses a link up inside a transaction.
func (s *Service) use(tx Tx, purpose Purpose, secret string) (Link, error) {
	link, err := s.good(tx, purpose, secret)
	if err != nil {
		return Link{}, err
	}
	found, err := tx.DeleteLink(link.Hash)
	if err == nil && !found {
		err = errLink()
	}
	return link, err
}

// AccountRequest is what somebody fills in on their first visit.
type AccountRequest struct {
	Username string // for the first admin only; others have theirs
	Name     string
	TimeZone string
	Password string
}

// CreateFirstAdmin follows the link of the first start: the owner of the data
// directory, whom commands on this machine may have worked for already, says
// who they are, chooses a password and is signed in.
func (s *Service) CreateFirstAdmin(ctx context.Context, secret string, req AccountRequest, from From) (SignedIn, error) {
	fresh := s.unnamed()
	var owner Person
	if err := s.update(ctx, func(tx Tx) (err error) {
		if _, err = s.good(tx, PurposeFirstAdmin, secret); err == nil {
			owner, err = s.owner(tx, fresh)
		}
		return err
	}); err != nil {
		return SignedIn{}, err
	}
	named := func(p *Person) error {
		p.Username, p.Name, p.TimeZone = FoldUsername(req.Username), strings.TrimSpace(req.Name), req.TimeZone
		p.Admin, p.Disabled, p.ChangedAt = true, false, s.now()
		return p.Validate()
	}
	if err := ledger.OneScript("username", FoldUsername(req.Username)); err != nil {
		return SignedIn{}, err
	}
	phc, err := s.hashFor(ctx, owner, named, req.Password)
	if err != nil {
		return SignedIn{}, err
	}
	return s.enter(ctx, owner.ID, from, func(tx Tx) error {
		if _, err := s.use(tx, PurposeFirstAdmin, secret); err != nil {
			return err
		}
		if able, err := s.someAdminSignsIn(tx); err != nil || able {
			return orElse(err, errLink())
		}
		if err := tx.EndLinks(PurposeFirstAdmin); err != nil { // those that other servers printed
			return err
		}
		return s.rename(tx, ledger.ViaLogin, owner.ID, func(p *Person) error {
			p.Password = phc
			return named(p)
		})
	})
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// Welcome follows an invited person's link: it sets name, time zone and
// password, ends whatever logins there were, and signs them in.
func (s *Service) Welcome(ctx context.Context, secret string, req AccountRequest, from From) (SignedIn, error) {
	person, err := s.PeekLink(ctx, PurposeWelcome, secret)
	if err != nil {
		return SignedIn{}, err
	}
	named := func(p *Person) error {
		p.Name, p.TimeZone, p.ChangedAt, p.AskedAt = strings.TrimSpace(req.Name), req.TimeZone, s.now(), time.Time{}
		return p.Validate()
	}
	phc, err := s.hashFor(ctx, person, named, req.Password)
	if err != nil {
		return SignedIn{}, err
	}
	return s.enter(ctx, person.ID, from, func(tx Tx) error {
		if _, err := s.use(tx, PurposeWelcome, secret); err != nil {
			return err
		}
		person, err := change(tx, person.ID, func(p *Person) error {
			p.Password = phc
			return named(p)
		})
		if err != nil {
			return err
		}
		if err := endLogins(tx, person.ID, ""); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{
			Actor: ledger.Actor{Person: person.ID, Name: person.Name, Via: ledger.ViaLogin},
			Kind:  "person.welcomed", Subject: subject(person.ID), Payload: map[string]string{"name": person.Name},
		})
	})
}

// hashFor validates what a person is going to be together with a new
// password, and returns the hash of that, which takes too long for a transaction.
func (s *Service) hashFor(ctx context.Context, person Person, what func(*Person) error, password string) (string, error) {
	wrong := what(&person)
	if err := joined(wrong, validPassword("password", password, person.Username)); err != nil {
		return "", err
	}
	return s.kitchen.hash(ctx, password)
}

// Launch returns the secret of a one-time link that signs a person in: the
// desktop window's, and the one that make run prints.
func (s *Service) Launch(ctx context.Context, person ledger.PersonID) (string, error) {
	secret := newSecret("")
	return secret, s.update(ctx, func(tx Tx) error {
		if _, err := visitOf(tx, person); err != nil {
			return err
		}
		return tx.CreateLink(s.link(PurposeLaunch, person, secret))
	})
}

// FollowLaunch exchanges the secret of a launch link for a login.
func (s *Service) FollowLaunch(ctx context.Context, secret string, from From) (SignedIn, error) {
	person, err := s.PeekLink(ctx, PurposeLaunch, secret)
	if err != nil {
		return SignedIn{}, err
	}
	return s.enter(ctx, person.ID, from, func(tx Tx) error {
		_, err := s.use(tx, PurposeLaunch, secret)
		return err
	})
}
