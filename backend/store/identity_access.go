package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

// NoteGrant notes who gave a role and when; the first to give it stays noted.
func (tx *Tx) NoteGrant(g identity.Grant) error {
	_, err := tx.exec(`INSERT INTO access_grant (project, holder, role, granted_by, granted_at, confirmed_by, confirmed_at) VALUES ($1, $2, $3, $4, $5, '', 0)
		ON CONFLICT DO NOTHING`, string(g.Project), g.Holder, string(g.Role), string(g.GrantedBy), micros(g.GrantedAt))
	return err
}

// ConfirmGrant notes that somebody looked whether the holder needs the role.
func (tx *Tx) ConfirmGrant(g identity.Grant) error {
	if _, err := tx.exec(`INSERT INTO access_grant (project, holder, role, granted_by, granted_at, confirmed_by, confirmed_at) VALUES ($1, $2, $3, '', 0, '', 0)
		ON CONFLICT DO NOTHING`, string(g.Project), g.Holder, string(g.Role)); err != nil {
		return err
	}
	return tx.mustExec(`UPDATE access_grant SET confirmed_by = $4, confirmed_at = $5 WHERE project = $1 AND holder = $2 AND role = $3`,
		string(g.Project), g.Holder, string(g.Role), string(g.ConfirmedBy), micros(g.ConfirmedAt))
}

// forgetGrant goes with taking a role away: given again, it is a new one.
func (tx *Tx) forgetGrant(project ledger.ProjectID, holder string, role ledger.Role) error {
	_, err := tx.exec(`DELETE FROM access_grant WHERE project = $1 AND holder = $2 AND role = $3`, string(project), holder, string(role))
	return err
}

// Grants lists what is noted about the roles of a project, of all for "".
func (tx *Tx) Grants(project ledger.ProjectID) (all []identity.Grant, err error) {
	err = tx.each(`SELECT project, holder, role, granted_by, granted_at, confirmed_by, confirmed_at FROM access_grant`+ofProject(project)+` ORDER BY project, holder, role`,
		argsOf(project), func(scan func(...any) error) error {
			var g identity.Grant
			var granted, confirmed int64
			if err := scan(&g.Project, &g.Holder, &g.Role, &g.GrantedBy, &granted, &g.ConfirmedBy, &confirmed); err != nil {
				return err
			}
			g.GrantedAt, g.ConfirmedAt = fromMicros(granted), fromMicros(confirmed)
			all = append(all, g)
			return nil
		})
	return all, err
}

// TouchUse notes that a person did something in a project.
func (tx *Tx) TouchUse(project ledger.ProjectID, person ledger.PersonID, at time.Time) error {
	_, err := tx.exec(`INSERT INTO project_use (project, person, used_at) VALUES ($1, $2, $3)
		ON CONFLICT (project, person) DO UPDATE SET used_at = excluded.used_at WHERE project_use.used_at < excluded.used_at`,
		string(project), string(person), micros(at))
	return err
}

// Uses lists when people last did something in a project, in all for "".
func (tx *Tx) Uses(project ledger.ProjectID) (all []identity.Use, err error) {
	err = tx.each(`SELECT project, person, used_at FROM project_use`+ofProject(project)+` ORDER BY project, person`, argsOf(project), func(scan func(...any) error) error {
		var u identity.Use
		var used int64
		err := scan(&u.Project, &u.Person, &used)
		u.At = fromMicros(used)
		all = append(all, u)
		return err
	})
	return all, err
}
