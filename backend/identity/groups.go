package identity

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

func groupSubject(id GroupID) ledger.Subject { return ledger.Subject{Kind: "group", ID: string(id)} }

// CreateGroup makes an empty group. Groups belong to the installation, so their
// names and members are the admins'; leads give them roles in their projects.
func (s *Service) CreateGroup(ctx context.Context, actor ledger.Actor, name string) (Group, error) {
	group := Group{ID: GroupID(s.newID()), Name: strings.TrimSpace(name), CreatedAt: s.now()}
	if err := joined(mustAdminister(actor), group.Validate()); err != nil {
		return Group{}, err
	}
	return group, s.asActor(ctx, actor, mustAdminister, func(tx Tx, actor ledger.Actor) error {
		if err := tx.CreateGroup(group); err != nil {
			return takenGroup(err)
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: "group.created", Subject: groupSubject(group.ID), Payload: map[string]string{"name": group.Name}})
	})
}

func takenGroup(err error) error {
	if fault.Is(err, fault.Conflict) {
		return fault.As(fault.Conflict, err, "There is a group of this name already. Choose another.").At("name")
	}
	return err
}

// RenameGroup gives a group another name.
func (s *Service) RenameGroup(ctx context.Context, actor ledger.Actor, group, name string) error {
	name = strings.TrimSpace(name)
	if err := joined(mustAdminister(actor), Group{Name: name}.Validate()); err != nil {
		return err
	}
	return s.changeGroup(ctx, actor, mustAdminister, group, func(tx Tx, actor ledger.Actor, g Group) error {
		if g.Name == name {
			return nil
		}
		if err := tx.RenameGroup(g.ID, name); err != nil {
			return takenGroup(err)
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: "group.renamed", Subject: groupSubject(g.ID), Payload: map[string]string{"from": g.Name, "to": name}})
	})
}

// DeleteGroup removes a group; its members lose what they held by it alone, which
// needs a reason.
func (s *Service) DeleteGroup(ctx context.Context, actor ledger.Actor, group, why string) error {
	return s.changeGroup(ctx, actor, mustAdminister, group, func(tx Tx, actor ledger.Actor, g Group) error {
		reason, err := ledger.Reason(why, fault.Format("the roles of its members change"), len(g.Members) > 0 && len(g.Roles) > 0)
		if err != nil {
			return err
		}
		if err := tx.DeleteGroup(g.ID); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: "group.deleted", Subject: groupSubject(g.ID), Payload: struct {
			Group
			Reason string `json:"reason,omitempty"`
		}{g, reason}})
	})
}

// JoinGroup makes a person, named by id or username, a member of a group.
func (s *Service) JoinGroup(ctx context.Context, actor ledger.Actor, group, person string) error {
	return s.moveMember(ctx, actor, group, person, "group.joined", "", Tx.AddGroupMember)
}

// LeaveGroup takes a person out of a group. Where the group has roles it needs a
// reason.
func (s *Service) LeaveGroup(ctx context.Context, actor ledger.Actor, group, person, reason string) error {
	return s.moveMember(ctx, actor, group, person, "group.left", reason, Tx.RemoveGroupMember)
}

func (s *Service) moveMember(ctx context.Context, actor ledger.Actor, group, person, kind, why string, move func(Tx, GroupID, ledger.PersonID) (bool, error)) error {
	return s.changeGroup(ctx, actor, mustAdminister, group, func(tx Tx, actor ledger.Actor, g Group) error {
		p, err := personNamed(tx, person)
		if err != nil {
			return err
		}
		if changed, err := move(tx, g.ID, p.ID); err != nil || !changed {
			return err
		}
		reason, err := ledger.Reason(why, fault.Format("their roles change"), kind == "group.left" && len(g.Roles) > 0)
		if err != nil {
			return err
		}
		payload := map[string]string{"person": string(p.ID)}
		if reason != "" {
			payload[ledger.KeyReason] = reason
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: kind, Subject: groupSubject(g.ID), Payload: payload})
	})
}

// GrantGroup gives a group a role in a project: whoever may give it to a person
// may. Where the group has members, here or at the provider, it needs a reason.
func (s *Service) GrantGroup(ctx context.Context, actor ledger.Actor, group string, r GroupRole, reason string) error {
	return s.moveRole(ctx, actor, group, r, "group.granted", reason, Tx.AddGroupRole)
}

// RevokeGroup takes a role in a project from a group. Where the group has members,
// here or at the provider, it needs a reason.
func (s *Service) RevokeGroup(ctx context.Context, actor ledger.Actor, group string, r GroupRole, reason string) error {
	return s.moveRole(ctx, actor, group, r, "group.revoked", reason, Tx.RemoveGroupRole)
}

func (s *Service) moveRole(ctx context.Context, actor ledger.Actor, group string, r GroupRole, kind, why string, move func(Tx, GroupID, GroupRole) (bool, error)) error {
	return s.changeGroup(ctx, actor, grants(r.Project, r.Role), group, func(tx Tx, actor ledger.Actor, g Group) error {
		return s.giveRole(tx, actor, g, r, kind, why, move)
	})
}

func (s *Service) giveRole(tx Tx, actor ledger.Actor, g Group, r GroupRole, kind, why string, move func(Tx, GroupID, GroupRole) (bool, error)) error {
	if changed, err := move(tx, g.ID, r); err != nil || !changed {
		return err
	}
	reason, err := ledger.Reason(why, fault.Format("the roles of its members change"), len(g.Members) > 0 || len(g.Names) > 0)
	if err != nil {
		return err
	}
	was, is := "", string(r.Role)
	if kind == "group.revoked" {
		was, is = is, was
	} else if err := tx.NoteGrant(Grant{Project: r.Project, Holder: string(g.ID), Role: r.Role, GrantedBy: actor.Person, GrantedAt: s.now()}); err != nil {
		return err
	}
	payload := map[string]string{"role": string(r.Role), ledger.KeyWas: was, ledger.KeyIs: is}
	if reason != "" {
		payload[ledger.KeyReason] = reason
	}
	return tx.Record(ledger.Entry{Actor: actor, Project: r.Project, Kind: kind, Subject: groupSubject(g.ID), Payload: payload})
}

// SetGroupRoles makes the given roles the only ones that the given groups hold in
// a project. It needs ActionManage there, ActionAdminister to give or take the
// role admin, and a reason where a group has members.
func (s *Service) SetGroupRoles(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, roles map[GroupID][]ledger.Role, reason string) error {
	return s.asActor(ctx, actor, manages(project), func(tx Tx, actor ledger.Actor) error {
		groups, err := tx.Groups()
		if err != nil {
			return err
		}
		for _, id := range slices.Sorted(maps.Keys(roles)) {
			g, err := groupNamed(groups, string(id))
			if err != nil {
				return err
			}
			for _, role := range ledger.Roles() {
				r := GroupRole{Project: project, Role: role}
				has, wants := slices.Contains(g.Roles, r), slices.Contains(roles[id], role)
				if has == wants {
					continue
				}
				if err := mayGrant(actor, project, role); err != nil {
					return err
				}
				if wants {
					err = s.giveRole(tx, actor, g, r, "group.granted", reason, Tx.AddGroupRole)
				} else {
					err = s.giveRole(tx, actor, g, r, "group.revoked", reason, Tx.RemoveGroupRole)
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *Service) changeGroup(ctx context.Context, actor ledger.Actor, may func(ledger.Actor) error, name string, change func(Tx, ledger.Actor, Group) error) error {
	return s.asActor(ctx, actor, may, func(tx Tx, actor ledger.Actor) error {
		groups, err := tx.Groups()
		if err != nil {
			return err
		}
		g, err := groupNamed(groups, name)
		if err != nil {
			return err
		}
		return change(tx, actor, g)
	})
}

// Groups lists all groups with members and roles, for admins.
func (s *Service) Groups(ctx context.Context, actor ledger.Actor) (groups []Group, err error) {
	if err := mustAdminister(actor); err != nil {
		return nil, err
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		groups, err = tx.Groups()
		return err
	})
	return groups, err
}

// ProjectGroup is a group as a project's lead sees it: what it holds there, not
// who is in it.
type ProjectGroup struct {
	ID      GroupID
	Name    string
	Members int // how many
	Roles   []ledger.Role
}

// ProjectGroups lists all groups with their roles in a project, by name. It needs
// ActionManage there.
func (s *Service) ProjectGroups(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) ([]ProjectGroup, error) {
	if err := actor.Must(project, ledger.ActionManage); err != nil {
		return nil, err
	}
	var list []ProjectGroup
	err := s.view(ctx, func(tx Tx) error {
		groups, err := tx.Groups()
		for _, g := range groups {
			here := ProjectGroup{ID: g.ID, Name: g.Name, Members: len(g.Members)}
			for _, r := range g.Roles {
				if r.Project == project {
					here.Roles = append(here.Roles, r.Role)
				}
			}
			list = append(list, here)
		}
		return err
	})
	return list, err
}

// personNamed finds a person by id or username.
func personNamed(tx Tx, text string) (Person, error) {
	person, err := tx.Person(ledger.PersonID(text))
	if !fault.Is(err, fault.NotFound) {
		return person, err
	}
	person, err = tx.PersonByUsername(FoldUsername(text))
	if fault.Is(err, fault.NotFound) {
		err = fault.As(fault.NotFound, err, "Nobody signs in with this name. Create the person first.").At("username")
	}
	return person, err
}
