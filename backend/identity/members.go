package identity

import (
	"context"
	"maps"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Join adds somebody to a project: the person who signs in with the username of
// the request where there is one, else a new person, for whom it returns the
// secret of the welcome link.
func (s *Service) Join(ctx context.Context, actor ledger.Actor, req CreatePersonRequest) (Person, string, error) {
	// What a person is called is not told to whoever may not add them.
	if err := actor.MustBeThere(); err != nil {
		return Person{}, "", err
	}
	person, err := s.PersonByUsername(ctx, actor, req.Username)
	if fault.Is(err, fault.NotFound) {
		return s.CreatePerson(ctx, actor, req)
	}
	if err != nil {
		return person, "", err
	}
	return person, "", s.asActor(ctx, actor, grants(req.Project, req.Roles...), func(tx Tx, actor ledger.Actor) error {
		reason, err := reasonFor(tx, actor, req.Project, person.ID, req.Reason)
		for _, role := range req.Roles {
			if err == nil {
				err = s.grant(tx, actor, Membership{Project: req.Project, Person: person.ID, Role: role}, reason)
			}
		}
		return err
	})
}

// Grant gives a person a role in a project. It needs ActionManage there, and
// ActionAdminister for the role admin. Where the person is a member already,
// their role changes, which needs a reason.
func (s *Service) Grant(ctx context.Context, actor ledger.Actor, m Membership, reason string) error {
	return s.asActor(ctx, actor, grants(m.Project, m.Role), func(tx Tx, actor ledger.Actor) error {
		if _, err := tx.Person(m.Person); err != nil {
			return err
		}
		reason, err := reasonFor(tx, actor, m.Project, m.Person, reason)
		if err != nil {
			return err
		}
		return s.grant(tx, actor, m, reason)
	})
}

// reasonFor returns the reason for which a person gets or loses roles in a
// project. Whoever holds none there yet joins, for which none is needed; nor does
// the server itself need one.
func reasonFor(tx Tx, actor ledger.Actor, project ledger.ProjectID, person ledger.PersonID, reason string) (string, error) {
	held, err := tx.Memberships(person)
	if err != nil {
		return "", err
	}
	member := slices.ContainsFunc(held, func(m Membership) bool { return m.Project == project })
	return ledger.Reason(reason, fault.Format("the role changes"), member && actor.Via != ledger.ViaSystem)
}

// Settle makes whoever created a project its lead, by whatever way they came:
// leading one's own empty project gives nobody a vote. It grants nothing where
// the project has a member already.
func (s *Service) Settle(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) error {
	if actor.Via == ledger.ViaSystem || actor.Via == ledger.ViaAttempt {
		return nil
	}
	return s.update(ctx, func(tx Tx) error {
		members, err := tx.Members(project)
		if err != nil || len(members) > 0 {
			return err
		}
		return s.grant(tx, actor, Membership{Project: project, Person: actor.Person, Role: ledger.RoleLead}, "")
	})
}

// Revoke takes a role from a person, which needs a reason.
func (s *Service) Revoke(ctx context.Context, actor ledger.Actor, m Membership, reason string) error {
	if err := mayGrant(actor, m.Project, m.Role); err != nil {
		return err
	}
	reason, err := ledger.Reason(reason, fault.Format("the role changes"), actor.Via != ledger.ViaSystem)
	if err != nil {
		return err
	}
	return s.asActor(ctx, actor, grants(m.Project, m.Role), func(tx Tx, actor ledger.Actor) error {
		held, err := tx.RemoveMembership(m)
		if err != nil || !held {
			return err
		}
		return record(tx, actor, "role.revoked", m, reason)
	})
}

// SetRoles makes the given roles the only ones that the given people hold in a
// project; none takes a person out of it. Others keep theirs. A change needs a
// reason.
func (s *Service) SetRoles(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, roles map[ledger.PersonID][]ledger.Role, reason string) error {
	return s.asActor(ctx, actor, manages(project), func(tx Tx, actor ledger.Actor) error {
		for _, person := range slices.Sorted(maps.Keys(roles)) {
			if err := s.setRoles(tx, actor, project, person, roles[person], reason); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) setRoles(tx Tx, actor ledger.Actor, project ledger.ProjectID, person ledger.PersonID, roles []ledger.Role, why string) error {
	if _, err := tx.Person(person); err != nil {
		return err
	}
	held, err := tx.Memberships(person)
	if err != nil {
		return err
	}
	for _, role := range ledger.Roles() {
		m := Membership{Project: project, Person: person, Role: role}
		has, wants := slices.Contains(held, m), slices.Contains(roles, role)
		if has == wants {
			continue
		}
		if err := mayGrant(actor, project, role); err != nil {
			return err
		}
		reason, err := ledger.Reason(why, fault.Format("the roles change"), actor.Via != ledger.ViaSystem)
		if err != nil {
			return err
		}
		if wants {
			err = s.grant(tx, actor, m, reason)
		} else if _, err = tx.RemoveMembership(m); err == nil {
			err = record(tx, actor, "role.revoked", m, reason)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func mayGrant(actor ledger.Actor, project ledger.ProjectID, role ledger.Role) error {
	if !slices.Contains(ledger.Roles(), role) {
		return fault.Field("role", "There is no role %.40q.", role)
	}
	if role == ledger.RoleAdmin {
		return actor.Must(project, ledger.ActionAdminister)
	}
	return actor.Must(project, ledger.ActionManage)
}

// grant gives a role. Given once more it stays what it is: no event says that
// something happened.
func (s *Service) grant(tx Tx, actor ledger.Actor, m Membership, reason string) error {
	if held, err := tx.Memberships(m.Person); err != nil || slices.Contains(held, m) {
		return err
	}
	if err := tx.AddMembership(m); err != nil {
		return err
	}
	if err := tx.NoteGrant(Grant{Project: m.Project, Holder: string(m.Person), Role: m.Role, GrantedBy: actor.Person, GrantedAt: s.now()}); err != nil {
		return err
	}
	return record(tx, actor, "role.granted", m, reason)
}

func record(tx Tx, actor ledger.Actor, kind string, m Membership, reason string) error {
	was, is := "", string(m.Role)
	if kind == "role.revoked" {
		was, is = is, was
	}
	payload := map[string]string{"role": string(m.Role), ledger.KeyWas: was, ledger.KeyIs: is}
	if reason != "" {
		payload[ledger.KeyReason] = reason
	}
	return tx.Record(ledger.Entry{Actor: actor, Project: m.Project, Kind: kind, Subject: subject(m.Person), Payload: payload})
}

// Member is a person with their roles in one project.
type Member struct {
	Person  Person
	Roles   []ledger.Role // by themselves
	ByGroup []ledger.Role // by a group alone
}

// All returns every role that the member holds.
func (m Member) All() []ledger.Role { return slices.Concat(m.Roles, m.ByGroup) }

// Members lists the people of a project with their roles, by name.
func (s *Service) Members(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) (members []Member, err error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	err = s.view(ctx, func(tx Tx) error {
		memberships, err := tx.Members(project)
		if err != nil {
			return err
		}
		roles := map[ledger.PersonID][]ledger.Role{}
		for _, m := range memberships {
			roles[m.Person] = append(roles[m.Person], m.Role)
		}
		all, err := tx.HeldIn(project)
		if err != nil {
			return err
		}
		byGroup := map[ledger.PersonID][]ledger.Role{}
		for _, m := range all {
			if !slices.Contains(roles[m.Person], m.Role) {
				byGroup[m.Person] = append(byGroup[m.Person], m.Role)
			}
		}
		people, err := tx.People()
		members = nil
		for _, p := range people {
			if len(roles[p.ID])+len(byGroup[p.ID]) > 0 {
				p.Password = ""
				members = append(members, Member{Person: p, Roles: roles[p.ID], ByGroup: byGroup[p.ID]})
			}
		}
		return err
	})
	return members, err
}

// Memberships lists who holds which role where, for admins.
func (s *Service) Memberships(ctx context.Context, actor ledger.Actor) (all []Membership, err error) {
	if err := mustAdminister(actor); err != nil {
		return nil, err
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		all, err = tx.Members("")
		return err
	})
	return all, err
}
