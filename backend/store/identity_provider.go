package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

// ProviderIdentity returns who somebody at a provider is here.
func (tx *Tx) ProviderIdentity(issuer, subject string) (identity.ProviderIdentity, error) {
	i := identity.ProviderIdentity{Issuer: issuer, Subject: subject}
	var created, used int64
	err := tx.one([]any{&i.Person, &i.Email, &created, &used}, `SELECT person, email, created_at, used_at FROM provider_identity WHERE issuer = $1 AND subject = $2`, issuer, subject)
	i.CreatedAt, i.UsedAt = fromMicros(created), fromMicros(used)
	return i, err
}

// ProviderIdentities lists who a person is at providers.
func (tx *Tx) ProviderIdentities(person ledger.PersonID) (all []identity.ProviderIdentity, err error) {
	err = tx.each(`SELECT issuer, subject, email, created_at, used_at FROM provider_identity WHERE person = $1 ORDER BY created_at, issuer, subject`,
		[]any{string(person)}, func(scan func(...any) error) error {
			i := identity.ProviderIdentity{Person: person}
			var created, used int64
			if err := scan(&i.Issuer, &i.Subject, &i.Email, &created, &used); err != nil {
				return err
			}
			i.CreatedAt, i.UsedAt = fromMicros(created), fromMicros(used)
			all = append(all, i)
			return nil
		})
	return all, err
}

// CreateProviderIdentity notes who a person is at a provider; Conflict where
// somebody is that already.
func (tx *Tx) CreateProviderIdentity(i identity.ProviderIdentity) error {
	_, err := tx.exec(`INSERT INTO provider_identity (issuer, subject, person, email, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		i.Issuer, i.Subject, string(i.Person), i.Email, micros(i.CreatedAt), micros(i.UsedAt))
	return err
}

// TouchProviderIdentity notes that somebody signed in by a provider, and which
// address it claims of them now.
func (tx *Tx) TouchProviderIdentity(issuer, subject, email string, used time.Time) error {
	_, err := tx.exec(`UPDATE provider_identity SET used_at = $3, email = $4 WHERE issuer = $1 AND subject = $2`, issuer, subject, micros(used), email)
	return err
}

// DeleteProviderIdentities forgets who a person is at providers.
func (tx *Tx) DeleteProviderIdentities(person ledger.PersonID) error {
	_, err := tx.exec(`DELETE FROM provider_identity WHERE person = $1`, string(person))
	return err
}

// ProviderGroups lists which groups at the provider stand for which here.
func (tx *Tx) ProviderGroups() (all []identity.ProviderGroup, err error) {
	err = tx.each(`SELECT name, team FROM provider_group ORDER BY name, team`, nil, func(scan func(...any) error) error {
		var g identity.ProviderGroup
		if err := scan(&g.Name, &g.Group); err != nil {
			return err
		}
		all = append(all, g)
		return nil
	})
	return all, err
}

// AddProviderGroup reports whether the row was not there.
func (tx *Tx) AddProviderGroup(g identity.ProviderGroup) (bool, error) {
	n, err := tx.exec(`INSERT INTO provider_group (name, team) VALUES ($1, $2) ON CONFLICT DO NOTHING`, g.Name, string(g.Group))
	return n > 0, err
}

// RemoveProviderGroup reports whether the row was there.
func (tx *Tx) RemoveProviderGroup(g identity.ProviderGroup) (bool, error) {
	n, err := tx.exec(`DELETE FROM provider_group WHERE name = $1 AND team = $2`, g.Name, string(g.Group))
	return n > 0, err
}

// ProvidedGroups lists the groups that a person is in by the provider.
func (tx *Tx) ProvidedGroups(person ledger.PersonID) (all []identity.GroupID, err error) {
	err = tx.each(`SELECT team FROM group_member WHERE person = $1 AND provided ORDER BY team`, []any{string(person)}, func(scan func(...any) error) error {
		var id identity.GroupID
		err := scan(&id)
		all = append(all, id)
		return err
	})
	return all, err
}

// MarkProvided notes that a membership came from the provider.
func (tx *Tx) MarkProvided(id identity.GroupID, person ledger.PersonID) error {
	_, err := tx.exec(`UPDATE group_member SET provided = TRUE WHERE team = $1 AND person = $2`, string(id), string(person))
	return err
}
