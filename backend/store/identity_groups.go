package store

import (
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

// HeldRoles lists the roles of a person in every project, by themselves or by a group.
func (tx *Tx) HeldRoles(person ledger.PersonID) ([]identity.Membership, error) {
	return tx.memberships(`SELECT project, person, role FROM held_role WHERE person = $1 ORDER BY project, role`, string(person))
}

// HeldIn lists the roles of everybody in a project, by themselves or by a group.
func (tx *Tx) HeldIn(project ledger.ProjectID) ([]identity.Membership, error) {
	return tx.memberships(`SELECT project, person, role FROM held_role WHERE project = $1 ORDER BY person, role`, string(project))
}

// CreateGroup writes a new group; Conflict where the name is taken.
func (tx *Tx) CreateGroup(g identity.Group) error {
	_, err := tx.exec(`INSERT INTO person_group (id, name, created_at) VALUES ($1, $2, $3)`, string(g.ID), g.Name, micros(g.CreatedAt))
	return err
}

// RenameGroup changes a group's name; Conflict where it is taken.
func (tx *Tx) RenameGroup(id identity.GroupID, name string) error {
	_, err := tx.exec(`UPDATE person_group SET name = $2 WHERE id = $1`, string(id), name)
	return err
}

// DeleteGroup removes a group; its members lose what they held by it.
func (tx *Tx) DeleteGroup(id identity.GroupID) error {
	for _, statement := range []string{ // the database would take the others away by itself, and nobody would seal that
		`DELETE FROM access_grant WHERE holder = $1`, `DELETE FROM group_member WHERE team = $1`, `DELETE FROM group_role WHERE team = $1`,
		`DELETE FROM provider_group WHERE team = $1`, `DELETE FROM person_group WHERE id = $1`,
	} {
		if _, err := tx.exec(statement, string(id)); err != nil {
			return err
		}
	}
	return nil
}

// Groups lists all groups by name, with members and roles.
func (tx *Tx) Groups() ([]identity.Group, error) {
	var groups []identity.Group
	at := map[identity.GroupID]int{}
	err := tx.each(`SELECT id, name, created_at FROM person_group ORDER BY name, id`, nil, func(scan func(...any) error) error {
		var g identity.Group
		var created int64
		if err := scan(&g.ID, &g.Name, &created); err != nil {
			return err
		}
		g.CreatedAt = fromMicros(created)
		at[g.ID] = len(groups)
		groups = append(groups, g)
		return nil
	})
	if err != nil {
		return nil, fault.Wrap(err, "list the groups")
	}
	err = tx.each(`SELECT team, person FROM group_member ORDER BY team, person`, nil, func(scan func(...any) error) error {
		var id identity.GroupID
		var person ledger.PersonID
		if err := scan(&id, &person); err != nil {
			return err
		}
		g := &groups[at[id]]
		g.Members = append(g.Members, person)
		return nil
	})
	if err != nil {
		return nil, fault.Wrap(err, "list the members of groups")
	}
	err = tx.each(`SELECT team, project, role FROM group_role ORDER BY team, project, role`, nil, func(scan func(...any) error) error {
		var id identity.GroupID
		var r identity.GroupRole
		if err := scan(&id, &r.Project, &r.Role); err != nil {
			return err
		}
		g := &groups[at[id]]
		g.Roles = append(g.Roles, r)
		return nil
	})
	if err != nil {
		return nil, fault.Wrap(err, "list the roles of groups")
	}
	names, err := tx.ProviderGroups()
	for _, n := range names {
		g := &groups[at[n.Group]]
		g.Names = append(g.Names, n.Name)
	}
	return groups, fault.Wrap(err, "list what groups at the provider stand for")
}

// AddGroupMember reports whether the person was no member before.
func (tx *Tx) AddGroupMember(id identity.GroupID, person ledger.PersonID) (bool, error) {
	n, err := tx.exec(`INSERT INTO group_member (team, person) VALUES ($1, $2) ON CONFLICT DO NOTHING`, string(id), string(person))
	return n > 0, err
}

// RemoveGroupMember reports whether the person was a member.
func (tx *Tx) RemoveGroupMember(id identity.GroupID, person ledger.PersonID) (bool, error) {
	n, err := tx.exec(`DELETE FROM group_member WHERE team = $1 AND person = $2`, string(id), string(person))
	return n > 0, err
}

// AddGroupRole reports whether the group did not hold the role before.
func (tx *Tx) AddGroupRole(id identity.GroupID, r identity.GroupRole) (bool, error) {
	n, err := tx.exec(`INSERT INTO group_role (team, project, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, string(id), string(r.Project), string(r.Role))
	return n > 0, err
}

// RemoveGroupRole reports whether the group held the role.
func (tx *Tx) RemoveGroupRole(id identity.GroupID, r identity.GroupRole) (bool, error) {
	n, err := tx.exec(`DELETE FROM group_role WHERE team = $1 AND project = $2 AND role = $3`, string(id), string(r.Project), string(r.Role))
	if err == nil {
		err = tx.forgetGrant(r.Project, string(id), r.Role)
	}
	return n > 0, err
}

// Traces counts what stands under a person's id, by kind. Every row is one
// indexed count, save votes and comments, of which there are few.
func (tx *Tx) Traces(person ledger.PersonID) (t identity.Traces, err error) {
	for _, c := range []struct {
		into  *int64
		query string
	}{
		{&t.Annotations, `SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM answer_count WHERE person = $1`},
		{&t.Drafts, `SELECT COUNT(*) FROM draft WHERE person = $1`},
		{&t.Votes, `SELECT COUNT(*) FROM vote WHERE person = $1`},
		{&t.Looks, `SELECT COUNT(DISTINCT project || kind || thing || digest) FROM look WHERE person = $1`},
		{&t.Comments, `SELECT COUNT(*) FROM candidate_comment WHERE person = $1`},
		{&t.Events, `SELECT COUNT(*) FROM event WHERE actor = $1`},
		{&t.About, `SELECT COUNT(*) FROM event WHERE subject_kind = 'person' AND subject = $1`},
	} {
		if err = tx.one([]any{c.into}, c.query, string(person)); err != nil {
			return t, fault.Wrap(err, "count what a person did")
		}
	}
	return t, nil
}
