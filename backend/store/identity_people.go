package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

var _ identity.Tx = (*Tx)(nil)

const personColumns = `id, username, name, time_zone, admin, disabled, password, owner, created_at, changed_at`

func scanPerson(p *identity.Person, created, changed *int64) []any {
	return []any{&p.ID, &p.Username, &p.Name, &p.TimeZone, &p.Admin, &p.Disabled, &p.Password, &p.Owner, created, changed}
}

// CreatePerson writes a new person; Conflict where the username is taken.
func (tx *Tx) CreatePerson(p identity.Person) error {
	_, err := tx.exec(`INSERT INTO person (`+personColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		string(p.ID), p.Username, p.Name, p.TimeZone, p.Admin, p.Disabled, p.Password, p.Owner, micros(p.CreatedAt), micros(p.ChangedAt))
	return err
}

// UpdatePerson writes everything but id and creation time.
func (tx *Tx) UpdatePerson(p identity.Person) error {
	_, err := tx.exec(`UPDATE person SET username = $2, name = $3, time_zone = $4, admin = $5, disabled = $6, password = $7, owner = $8, changed_at = $9 WHERE id = $1`,
		string(p.ID), p.Username, p.Name, p.TimeZone, p.Admin, p.Disabled, p.Password, p.Owner, micros(p.ChangedAt))
	return err
}

// Person returns a person by id.
func (tx *Tx) Person(id ledger.PersonID) (identity.Person, error) {
	return tx.person(`SELECT `+personColumns+` FROM person WHERE id = $1`, string(id))
}

// PersonByUsername returns a person by the folded name they sign in with.
func (tx *Tx) PersonByUsername(username string) (identity.Person, error) {
	return tx.person(`SELECT `+personColumns+` FROM person WHERE username = $1`, username)
}

func (tx *Tx) person(query string, args ...any) (p identity.Person, err error) {
	var created, changed int64
	err = tx.one(scanPerson(&p, &created, &changed), query, args...)
	p.CreatedAt, p.ChangedAt = fromMicros(created), fromMicros(changed)
	return p, err
}

// Owner returns the person who owns the data directory.
func (tx *Tx) Owner() (identity.Person, error) {
	return tx.person(`SELECT ` + personColumns + ` FROM person WHERE owner`)
}

// People lists everybody by name.
func (tx *Tx) People() (people []identity.Person, err error) {
	err = tx.each(`SELECT `+personColumns+` FROM person ORDER BY name, id`, nil, func(scan func(...any) error) error {
		var p identity.Person
		var created, changed int64
		if err := scan(scanPerson(&p, &created, &changed)...); err != nil {
			return err
		}
		p.CreatedAt, p.ChangedAt = fromMicros(created), fromMicros(changed)
		people = append(people, p)
		return nil
	})
	return people, err
}

// AddMembership gives a role; nothing changes where it is held already.
func (tx *Tx) AddMembership(m identity.Membership) error {
	_, err := tx.exec(`INSERT INTO membership (project, person, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		string(m.Project), string(m.Person), string(m.Role))
	return err
}

// RemoveMembership takes a role and reports whether it was held.
func (tx *Tx) RemoveMembership(m identity.Membership) (bool, error) {
	n, err := tx.exec(`DELETE FROM membership WHERE project = $1 AND person = $2 AND role = $3`,
		string(m.Project), string(m.Person), string(m.Role))
	return n > 0, err
}

// Memberships lists the roles of a person in every project.
func (tx *Tx) Memberships(person ledger.PersonID) ([]identity.Membership, error) {
	return tx.memberships(`SELECT project, person, role FROM membership WHERE person = $1 ORDER BY project, role`, string(person))
}

// Members lists the roles of everybody in a project, in all for "".
func (tx *Tx) Members(project ledger.ProjectID) ([]identity.Membership, error) {
	if project == "" {
		return tx.memberships(`SELECT project, person, role FROM membership ORDER BY project, person, role`)
	}
	return tx.memberships(`SELECT project, person, role FROM membership WHERE project = $1 ORDER BY person, role`, string(project))
}

func (tx *Tx) memberships(query string, args ...any) (all []identity.Membership, err error) {
	err = tx.each(query, args, func(scan func(...any) error) error {
		var m identity.Membership
		if err := scan(&m.Project, &m.Person, &m.Role); err != nil {
			return err
		}
		all = append(all, m)
		return nil
	})
	return all, err
}

// DeleteExpired removes logins, links and limits that ended before a time.
func (tx *Tx) DeleteExpired(before time.Time) error {
	if _, err := tx.exec(`DELETE FROM login WHERE expires_at < $1`, micros(before)); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM link WHERE expires_at < $1`, micros(before)); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM password_limit WHERE empty_at < $1`, micros(before))
	return err
}
