package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

var _ identity.Tx = (*Tx)(nil)

const personColumns = `id, username, name, time_zone, admin, disabled, password, owner, created_at, changed_at, language, text_size, lock_after, unseen, asked_at, untimed, unnotified, keys`

// personFields reads a person: the columns, whether a provider knows them, and
// how soon a project that they may open wants an idle browser locked.
const personFields = personColumns + `, EXISTS (SELECT 1 FROM provider_identity i WHERE i.person = person.id),
	(SELECT COALESCE(MIN(l.lock_after), 0) FROM project l WHERE l.lock_after > 0
		AND NOT EXISTS (SELECT 1 FROM trash t WHERE t.kind = 'project' AND t.project = l.id AND t.id = l.id)
		AND (person.admin OR EXISTS (SELECT 1 FROM membership m WHERE m.project = l.id AND m.person = person.id)
			OR EXISTS (SELECT 1 FROM group_role r JOIN group_member g ON g.team = r.team WHERE r.project = l.id AND g.person = person.id)))`

// personRow is a person with the times as they are stored.
type personRow struct {
	identity.Person
	created, changed, asked int64
}

func (r *personRow) into() []any {
	p := &r.Person
	return []any{&p.ID, &p.Username, &p.Name, &p.TimeZone, &p.Admin, &p.Disabled, &p.Password, &p.Owner, &r.created, &r.changed,
		&p.Language, &p.TextSize, &p.LockAfter, &p.Unseen, &r.asked, &p.Untimed, &p.Unnotified, &p.Keys, &p.Linked, &p.Demanded}
}

func (r *personRow) person() identity.Person {
	p := r.Person
	p.CreatedAt, p.ChangedAt, p.AskedAt = fromMicros(r.created), fromMicros(r.changed), fromMicros(r.asked)
	return p
}

// CreatePerson writes a new person; Conflict where the username is taken.
func (tx *Tx) CreatePerson(p identity.Person) error {
	_, err := tx.exec(`INSERT INTO person (`+personColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		string(p.ID), p.Username, p.Name, p.TimeZone, p.Admin, p.Disabled, p.Password, p.Owner, micros(p.CreatedAt), micros(p.ChangedAt),
		p.Language, p.TextSize, p.LockAfter, p.Unseen, micros(p.AskedAt), p.Untimed, p.Unnotified, string(p.Keys))
	return err
}

// UpdatePerson writes everything but id and creation time.
func (tx *Tx) UpdatePerson(p identity.Person) error {
	_, err := tx.exec(`UPDATE person SET username = $2, name = $3, time_zone = $4, admin = $5, disabled = $6, password = $7, owner = $8, changed_at = $9,
		language = $10, text_size = $11, lock_after = $12, unseen = $13, asked_at = $14, untimed = $15, unnotified = $16, keys = $17 WHERE id = $1`,
		string(p.ID), p.Username, p.Name, p.TimeZone, p.Admin, p.Disabled, p.Password, p.Owner, micros(p.ChangedAt),
		p.Language, p.TextSize, p.LockAfter, p.Unseen, micros(p.AskedAt), p.Untimed, p.Unnotified, string(p.Keys))
	return err
}

// Person returns a person by id.
func (tx *Tx) Person(id ledger.PersonID) (identity.Person, error) {
	return tx.person(`SELECT `+personFields+` FROM person WHERE id = $1`, string(id))
}

// PersonByUsername returns a person by the folded name they sign in with.
func (tx *Tx) PersonByUsername(username string) (identity.Person, error) {
	return tx.person(`SELECT `+personFields+` FROM person WHERE username = $1`, username)
}

func (tx *Tx) person(query string, args ...any) (identity.Person, error) {
	var row personRow
	err := tx.one(row.into(), query, args...)
	return row.person(), err
}

// Owner returns the person who owns the data directory.
func (tx *Tx) Owner() (identity.Person, error) {
	return tx.person(`SELECT ` + personFields + ` FROM person WHERE owner`)
}

// People lists everybody by name.
func (tx *Tx) People() (people []identity.Person, err error) {
	err = tx.each(`SELECT `+personFields+` FROM person ORDER BY name, id`, nil, func(scan func(...any) error) error {
		var row personRow
		if err := scan(row.into()...); err != nil {
			return err
		}
		people = append(people, row.person())
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
	if err == nil {
		err = tx.forgetGrant(m.Project, string(m.Person), m.Role)
	}
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

// DeleteExpired removes logins, links, limits and known browsers that ended before a time.
func (tx *Tx) DeleteExpired(before time.Time) error {
	if _, err := tx.exec(`DELETE FROM login WHERE expires_at < $1`, micros(before)); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM link WHERE expires_at < $1`, micros(before)); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM known_browser WHERE expires_at < $1`, micros(before)); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM password_limit WHERE empty_at < $1`, micros(before))
	return err
}
