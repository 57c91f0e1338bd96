package identity

import (
	"context"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// ProviderIdentity is who a person is at a provider. Subject and issuer say so
// together; names and addresses of mail do not, for they are handed on.
type ProviderIdentity struct {
	Issuer, Subject string
	Person          ledger.PersonID
	CreatedAt       time.Time
	UsedAt          time.Time // when they last signed in by it
	Email           string    // that the provider claimed then; nobody is known by it
}

// ProviderGroup says which group here a group at the provider stands for.
type ProviderGroup struct {
	Name  string // as the provider's claim has it, to the letter
	Group GroupID
}

// ProviderTx keeps who people are at a provider, and what its groups mean.
type ProviderTx interface {
	// ProviderIdentity returns NotFound where there is none.
	ProviderIdentity(issuer, subject string) (ProviderIdentity, error)
	ProviderIdentities(ledger.PersonID) ([]ProviderIdentity, error)
	// CreateProviderIdentity returns Conflict where somebody has it.
	CreateProviderIdentity(ProviderIdentity) error
	TouchProviderIdentity(issuer, subject, email string, used time.Time) error
	DeleteProviderIdentities(ledger.PersonID) error
	// ProviderGroups lists the table by name.
	ProviderGroups() ([]ProviderGroup, error)
	// AddProviderGroup and the following report whether anything changed.
	AddProviderGroup(ProviderGroup) (bool, error)
	RemoveProviderGroup(ProviderGroup) (bool, error)
	// ProvidedGroups lists the groups that a person is in by the provider.
	ProvidedGroups(ledger.PersonID) ([]GroupID, error)
	// MarkProvided notes that a membership came from the provider.
	MarkProvided(GroupID, ledger.PersonID) error
}

// PurposeProof is a link's that stands in for a password: it never is an
// address, but a cookie of the browser in which its person proved who they are.
const PurposeProof Purpose = "proof"

// ProofLasts is how long it waits to be used.
const ProofLasts = 5 * time.Minute

// signInBy signs in who the provider says somebody is. Whoever was never here
// becomes a person; nobody becomes one who is here already.
func (s *Service) signInBy(ctx context.Context, who stranger, from From) (SignedIn, error) {
	now := s.now()
	person := Person{ID: ledger.PersonID(s.newID()), Username: who.username, Name: who.name, TimeZone: who.zone, CreatedAt: now, ChangedAt: now}
	var known ProviderIdentity
	err := s.view(ctx, func(tx Tx) (err error) {
		known, err = tx.ProviderIdentity(who.issuer, who.subject)
		return ignoreNone(err)
	})
	if err != nil {
		return SignedIn{}, err
	}
	if known.Person != "" {
		person.ID = known.Person
	}
	return s.enter(ctx, person.ID, from, func(tx Tx) error {
		again, err := tx.ProviderIdentity(who.issuer, who.subject)
		switch {
		case fault.Is(err, fault.NotFound) && known.Person == "":
			err = s.meet(tx, person, who)
		case err == nil && again.Person != person.ID, fault.Is(err, fault.NotFound):
			err = fault.New(fault.Conflict, "Somebody changed your account meanwhile. Sign in again.")
		}
		if err != nil {
			return err
		}
		return s.receive(tx, person.ID, who)
	})
}

// meet makes a person of somebody who was never here.
func (s *Service) meet(tx Tx, person Person, who stranger) error {
	if err := person.Validate(); err != nil {
		return fault.As(fault.Unmet, err, "%s does not say who you are in a way that can be used here. Ask an admin for an invitation.", s.door.Name)
	}
	if _, err := tx.PersonByUsername(person.Username); err == nil {
		return fault.New(fault.Conflict, "Somebody signs in here as %s already. If that is you, sign in with your password and connect %s under Account; else ask an admin for an invitation.", person.Username, s.door.Name)
	} else if !fault.Is(err, fault.NotFound) {
		return err
	}
	actor := ledger.Actor{Person: person.ID, Name: person.Name, Via: ledger.ViaLogin}
	if err := s.create(tx, actor, person); err != nil {
		return err
	}
	return s.know(tx, actor, person.ID, who)
}

// know notes who a person is at the provider.
func (s *Service) know(tx Tx, actor ledger.Actor, person ledger.PersonID, who stranger) error {
	now := s.now()
	err := tx.CreateProviderIdentity(ProviderIdentity{Issuer: who.issuer, Subject: who.subject, Person: person, CreatedAt: now, UsedAt: now, Email: who.email})
	if fault.Is(err, fault.Conflict) {
		return fault.As(fault.Conflict, err, "Somebody here signs in as this account of %s already. Sign out there and choose another.", s.door.Name)
	}
	if err != nil {
		return err
	}
	return tx.Record(ledger.Entry{
		Actor: actor, Kind: "person.linked", Subject: subject(person), Payload: map[string]string{"issuer": who.issuer, "subject": who.subject},
	})
}

// receive lets a known person in: their groups become what the provider says.
func (s *Service) receive(tx Tx, id ledger.PersonID, who stranger) error {
	person, err := tx.Person(id)
	if err != nil {
		return err
	}
	if person.Disabled {
		return fault.New(fault.Denied, "%s cannot sign in here any more. Ask an admin of this installation.", person.Name)
	}
	if err := tx.TouchProviderIdentity(who.issuer, who.subject, who.email, s.now()); err != nil {
		return err
	}
	return follow(tx, ledger.Actor{Person: person.ID, Name: person.Name, Via: ledger.ViaLogin}, person.ID, who.groups, fault.Say("The groups at the provider say so."))
}

// follow makes a person a member of exactly those groups that the provider's
// stand for, beside those into which somebody here put them.
func follow(tx Tx, actor ledger.Actor, person ledger.PersonID, names []string, reason string) error {
	table, err := tx.ProviderGroups()
	if err != nil {
		return err
	}
	var wanted []GroupID
	for _, row := range table {
		if slices.Contains(names, row.Name) && !slices.Contains(wanted, row.Group) {
			wanted = append(wanted, row.Group)
		}
	}
	had, err := tx.ProvidedGroups(person)
	if err != nil {
		return err
	}
	move := func(id GroupID, kind string) error {
		return tx.Record(ledger.Entry{Actor: actor, Kind: kind, Subject: groupSubject(id), Payload: map[string]string{"person": string(person), ledger.KeyReason: reason}})
	}
	for _, id := range wanted {
		if slices.Contains(had, id) {
			continue
		}
		// A membership that somebody here gave stays theirs to take.
		joined, err := tx.AddGroupMember(id, person)
		if err != nil || !joined {
			if err != nil {
				return err
			}
			continue
		}
		if err := tx.MarkProvided(id, person); err != nil {
			return err
		}
		if err := move(id, "group.joined"); err != nil {
			return err
		}
	}
	for _, id := range had {
		if slices.Contains(wanted, id) {
			continue
		}
		if _, err := tx.RemoveGroupMember(id, person); err != nil {
			return err
		}
		if err := move(id, "group.left"); err != nil {
			return err
		}
	}
	return nil
}

// welcomeBy takes an invitation by the provider instead of a password.
func (s *Service) welcomeBy(ctx context.Context, secret string, who stranger, from From) (SignedIn, error) {
	person, err := s.PeekLink(ctx, PurposeWelcome, secret)
	if err != nil {
		return SignedIn{}, err
	}
	return s.enter(ctx, person.ID, from, func(tx Tx) error {
		if _, err := s.use(tx, PurposeWelcome, secret); err != nil {
			return err
		}
		person, err := change(tx, person.ID, func(p *Person) error {
			if p.Name == p.Username && validName(who.name) == nil {
				p.Name = who.name // the invitation named nobody
			}
			if p.TimeZone == "" {
				p.TimeZone = who.zone
			}
			p.ChangedAt, p.AskedAt = s.now(), time.Time{}
			return nil
		})
		if err != nil {
			return err
		}
		actor := ledger.Actor{Person: person.ID, Name: person.Name, Via: ledger.ViaLogin}
		known, err := tx.ProviderIdentity(who.issuer, who.subject)
		switch {
		case fault.Is(err, fault.NotFound):
			err = s.know(tx, actor, person.ID, who)
		case err == nil && known.Person != person.ID:
			err = fault.New(fault.Conflict, "Somebody here signs in as this account of %s already. Sign out there and choose another.", s.door.Name)
		}
		if err != nil {
			return err
		}
		if err := endLogins(tx, person.ID, ""); err != nil {
			return err
		}
		if err := tx.Record(ledger.Entry{Actor: actor, Kind: "person.welcomed", Subject: subject(person.ID), Payload: map[string]string{"name": person.Name}}); err != nil {
			return err
		}
		return s.receive(tx, person.ID, who)
	})
}

// sameVisit returns Denied unless whoever set out is who came back.
func sameVisit(visit Visit, j Journey) error {
	if visit.Actor.Via != ledger.ViaLogin || visit.Actor.Person == "" || visit.Actor.Person != j.Person {
		return fault.New(fault.Denied, "Somebody else signed in here meanwhile. Sign in again and begin anew.")
	}
	return nil
}

// linkTo adds the provider to the account that is signed in.
func (s *Service) linkTo(ctx context.Context, visit Visit, j Journey, who stranger) error {
	if err := sameVisit(visit, j); err != nil {
		return err
	}
	return s.update(ctx, func(tx Tx) error {
		if err := s.stillSignedIn(tx, visit); err != nil {
			return err
		}
		known, err := tx.ProviderIdentity(who.issuer, who.subject)
		if err == nil && known.Person == visit.Actor.Person {
			return nil
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err := s.know(tx, visit.Actor, visit.Actor.Person, who); err != nil {
			return err
		}
		return s.receive(tx, visit.Actor.Person, who)
	})
}

// confirmBy gives whoever proved once more who they are something that stands
// in for a password, once and for a short while.
func (s *Service) confirmBy(ctx context.Context, visit Visit, j Journey, who stranger) (string, error) {
	if err := sameVisit(visit, j); err != nil {
		return "", err
	}
	secret := newSecret("")
	return secret, s.update(ctx, func(tx Tx) error {
		if err := s.stillSignedIn(tx, visit); err != nil {
			return err
		}
		known, err := tx.ProviderIdentity(who.issuer, who.subject)
		if ignoreNone(err) != nil {
			return err
		}
		if known.Person != visit.Actor.Person {
			return fault.New(fault.Invalid, "You signed in at %s as somebody else. Confirm with your own account.", s.door.Name)
		}
		if err := tx.DeleteLinks(PurposeProof, known.Person); err != nil {
			return err
		}
		return tx.CreateLink(s.link(PurposeProof, known.Person, secret))
	})
}

// spend uses up what confirmBy gave.
func (s *Service) spend(ctx context.Context, actor ledger.Actor, proof string) error {
	err := s.update(ctx, func(tx Tx) error {
		link, err := s.use(tx, PurposeProof, proof)
		if err == nil && link.Person != actor.Person {
			err = errLink()
		}
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return fault.Field("password", "Confirm who you are at your provider first. A confirmation is good for one signature, within five minutes.")
	}
	return err
}

// ConfirmsByProvider reports whether the provider is a person's only way in:
// where others give their password, they go there.
func (s *Service) ConfirmsByProvider(p Person) bool {
	return p.Password == "" && p.Linked && s.door != nil
}

// HasProof reports whether a browser's proof is good for a signature of a person.
func (s *Service) HasProof(ctx context.Context, actor ledger.Actor, proof string) bool {
	if proof == "" {
		return false
	}
	person, err := s.PeekLink(ctx, PurposeProof, proof)
	return err == nil && person.ID == actor.Person
}

// MayLink returns nothing where the actor may add the provider to their account:
// who has a password gives it, so that an open browser alone is not enough.
func (s *Service) MayLink(ctx context.Context, visit Visit, password, address string) error {
	if visit.Actor.Via != ledger.ViaLogin {
		return fault.New(fault.Denied, "Sign in with a browser to connect a provider.")
	}
	if visit.Person.Linked {
		return fault.New(fault.Conflict, "Your account is connected already.")
	}
	if visit.Person.Password == "" {
		return s.mustBeProved(ctx, visit.Person.ID)
	}
	return s.VerifyPassword(ctx, visit.Actor, password, address)
}

// Unlink takes the provider from the actor's account. It needs a password,
// which is the other way in.
func (s *Service) Unlink(ctx context.Context, visit Visit, password, address string) error {
	if visit.Person.Password == "" {
		return fault.New(fault.Unmet, "Set a password first; without one you could not sign in any more.")
	}
	person, err := s.verify(ctx, visit.Actor, password, address)
	if err != nil {
		return err
	}
	return s.update(ctx, func(tx Tx) error {
		if stands, err := stillHas(tx, person.ID, person.Password); err != nil || !stands {
			return orElse(err, errChangedMeanwhile())
		}
		if err := s.stillSignedIn(tx, visit); err != nil {
			return err
		}
		return s.unlink(tx, visit.Actor, visit.Actor.Person, "", visit.Login)
	})
}

// unlink forgets who a person is at providers and ends what was proven there:
// their groups by it, and every login but one.
func (s *Service) unlink(tx Tx, actor ledger.Actor, person ledger.PersonID, reason string, except LoginID) error {
	known, err := tx.ProviderIdentities(person)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		return fault.New(fault.Conflict, "This account is connected with no provider.")
	}
	if err := tx.DeleteProviderIdentities(person); err != nil {
		return err
	}
	why := reason
	if why == "" {
		why = fault.Say("The account is no longer connected with the provider.")
	}
	if err := follow(tx, actor, person, nil, why); err != nil {
		return err
	}
	logins, err := tx.Logins(person)
	if err != nil {
		return err
	}
	for _, l := range logins {
		if l.Issuer == "" || l.ID == except {
			continue
		}
		if err := tx.DeleteLogin(person, l.ID); err != nil {
			return err
		}
	}
	for _, purpose := range []Purpose{PurposeProof, PurposeWindow} {
		if err := tx.DeleteLinks(purpose, person); err != nil {
			return err
		}
	}
	payload := map[string]any{ledger.KeyWas: map[string]string{"issuer": known[0].Issuer, "subject": known[0].Subject}, ledger.KeyIs: map[string]string{}}
	if reason != "" {
		payload[ledger.KeyReason] = reason
	}
	return tx.Record(ledger.Entry{Actor: actor, Kind: "person.unlinked", Subject: subject(person), Payload: payload})
}

// Disconnect takes the provider from somebody's account, which an admin does
// with a reason: what was signed in by it ends. Who has no password comes back
// by a new link. The last admin who can sign in keeps their way in.
func (s *Service) Disconnect(ctx context.Context, actor ledger.Actor, person ledger.PersonID, why string) error {
	if err := mustAdminister(actor); err != nil {
		return err
	}
	reason, err := ledger.Reason(why, fault.Format("somebody can no longer sign in at the provider"), true)
	if err != nil {
		return err
	}
	return s.asActor(ctx, actor, mustAdminister, func(tx Tx, actor ledger.Actor) error {
		p, err := tx.Person(person)
		if err != nil {
			return err
		}
		able, err := s.someAdminSignsIn(tx)
		if err != nil {
			return err
		}
		if err := s.unlink(tx, actor, person, reason, ""); err != nil {
			return err
		}
		if still, err := s.someAdminSignsIn(tx); err != nil || able && !still {
			return orElse(err, fault.New(fault.Unmet, "%s is the last admin who can sign in, and this is their only way. Let them set a password first, or make somebody else admin.", p.Name))
		}
		return nil
	})
}

// ProviderAccounts lists who a person is at providers: to themselves and to admins.
func (s *Service) ProviderAccounts(ctx context.Context, actor ledger.Actor, person ledger.PersonID) (all []ProviderIdentity, err error) {
	if actor.Person != person {
		if err := mustAdminister(actor); err != nil {
			return nil, err
		}
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		all, err = tx.ProviderIdentities(person)
		return err
	})
	return all, err
}

// MapGroup lets a group at the provider stand for one here, from each person's
// next sign-in on. Where the group here has roles it needs a reason: whoever
// runs the provider says from then on who holds them.
func (s *Service) MapGroup(ctx context.Context, actor ledger.Actor, group, name, reason string) error {
	if name == "" || len(name) > 255 || toValid(name) != name {
		return fault.Field("provider_name", "Give the group's name as the provider's claim has it, for example ward-3 or /hospital/ward-3.")
	}
	return s.moveMapping(ctx, actor, group, name, "group.mapped", reason, Tx.AddProviderGroup)
}

// UnmapGroup ends that; members lose the group at their next sign-in. Where the
// group has roles it needs a reason.
func (s *Service) UnmapGroup(ctx context.Context, actor ledger.Actor, group, name, reason string) error {
	return s.moveMapping(ctx, actor, group, name, "group.unmapped", reason, Tx.RemoveProviderGroup)
}

func (s *Service) moveMapping(ctx context.Context, actor ledger.Actor, group, name, kind, why string, move func(Tx, ProviderGroup) (bool, error)) error {
	return s.changeGroup(ctx, actor, mustAdminister, group, func(tx Tx, actor ledger.Actor, g Group) error {
		if changed, err := move(tx, ProviderGroup{Name: name, Group: g.ID}); err != nil || !changed {
			return err
		}
		reason, err := ledger.Reason(why, fault.Format("other people get or lose the roles of the group"), len(g.Roles) > 0)
		if err != nil {
			return err
		}
		was, is := "", name
		if kind == "group.unmapped" {
			was, is = is, was
		}
		payload := map[string]string{"name": name, ledger.KeyWas: was, ledger.KeyIs: is}
		if reason != "" {
			payload[ledger.KeyReason] = reason
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: kind, Subject: groupSubject(g.ID), Payload: payload})
	})
}
