package identity

import (
	"context"
	"errors"
	"regexp"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Preferences are what a person chose for themselves; they travel with the
// person to every browser.
type Preferences struct {
	Language   string // BCP 47, "" for what the browser asks for
	TextSize   string // "s", "" for the middle one, "l", "xl"
	LockAfter  int    // minutes a browser of theirs may stand idle; 0: as the installation says
	Unseen     bool   // others are not told which page they have open
	Untimed    bool   // how long they look at items is neither sent nor kept
	Keys       OwnKeys
	Unnotified bool // they are told of nothing outside of the pages
}

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)

// Validate returns an Invalid fault per field that is wrong.
func (p Preferences) Validate() error {
	var errs []error
	if p.Language != "" && !languageTag.MatchString(p.Language) {
		errs = append(errs, fault.Field("language", "Choose a language by its tag, for example en or de."))
	}
	if !slices.Contains([]string{"", "s", "l", "xl"}, p.TextSize) {
		errs = append(errs, fault.Field("text_size", "Choose a text size: s, l, xl, or none for the middle one."))
	}
	if p.LockAfter < 0 || p.LockAfter > 480 {
		errs = append(errs, fault.Field("lock_after", "Give minutes from 1 to 480, or 0 for what this installation says."))
	}
	return errors.Join(append(errs, p.Keys.Validate())...)
}

// ChangePreferences sets what the actor chose for themselves.
func (s *Service) ChangePreferences(ctx context.Context, actor ledger.Actor, chosen Preferences) error {
	if actor.Via != ledger.ViaLogin && actor.Scope != ledger.ScopeFull {
		return fault.New(fault.Denied, "This token may not change anything.")
	}
	if err := chosen.Validate(); err != nil {
		return err
	}
	return s.update(ctx, func(tx Tx) error {
		same := false
		person, err := change(tx, actor.Person, func(p *Person) error {
			if same = p.Preferences == chosen; !same {
				p.Preferences, p.ChangedAt = chosen, s.now()
			}
			return nil
		})
		if err != nil || same {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: "person.preferred", Subject: subject(person.ID), Payload: map[string]any{
			"language": chosen.Language, "text_size": chosen.TextSize, "lock_after": chosen.LockAfter, "unseen": chosen.Unseen,
			"untimed": chosen.Untimed, "unnotified": chosen.Unnotified, "keys": string(chosen.Keys),
		}})
	})
}

// Traces counts what stands under a person's id.
type Traces struct {
	Annotations int64 // all there ever were, undone ones too
	Drafts      int64
	Votes       int64
	Comments    int64 // on candidates
	Looks       int64 // things that they opened and could vote on
	Events      int64 // of the history in which they are the actor
	About       int64 // events about them, by whomever
}

// MyData is all that is kept about a person.
type MyData struct {
	Person      Person // without the hash of the password
	HasPassword bool   // the hash itself is kept from everybody
	Logins      []Login
	Tokens      []Token
	Roles       []Membership // by themselves or by a group
	Groups      []Group      // of which they are a member; other members are left out
	Provided    []ProviderIdentity
	Traces      Traces
}

// MyData returns what is kept about the actor.
func (s *Service) MyData(ctx context.Context, actor ledger.Actor) (d MyData, err error) {
	if actor.Via != ledger.ViaLogin && actor.Scope == ledger.ScopeGate {
		return MyData{}, fault.New(fault.Denied, "This token may only ask the gate.")
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		d = MyData{}
		if d.Person, err = tx.Person(actor.Person); err != nil {
			return err
		}
		d.HasPassword, d.Person.Password = d.Person.Password != "", ""
		if d.Logins, err = tx.Logins(actor.Person); err != nil {
			return err
		}
		if d.Tokens, err = tx.Tokens(actor.Person); err != nil {
			return err
		}
		if d.Roles, err = tx.HeldRoles(actor.Person); err != nil {
			return err
		}
		groups, err := tx.Groups()
		if err != nil {
			return err
		}
		for _, g := range groups {
			if slices.Contains(g.Members, actor.Person) {
				g.Members = []ledger.PersonID{actor.Person}
				d.Groups = append(d.Groups, g)
			}
		}
		if d.Provided, err = tx.ProviderIdentities(actor.Person); err != nil {
			return err
		}
		d.Traces, err = tx.Traces(actor.Person)
		return err
	})
	return d, err
}
