package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

const loginColumns = `id, person, hash, created_at, seen_at, expires_at, agent, address, locked_at, issuer`

// CreateLogin writes a new login.
func (tx *Tx) CreateLogin(l identity.Login) error {
	_, err := tx.exec(`INSERT INTO login (`+loginColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		string(l.ID), string(l.Person), string(l.Hash), micros(l.CreatedAt), micros(l.SeenAt), micros(l.ExpiresAt), l.Agent, l.Address, micros(l.LockedAt), l.Issuer)
	return err
}

// LoginByHash returns the login whose cookie has this hash.
func (tx *Tx) LoginByHash(hash identity.Hash) (identity.Login, error) {
	found, err := tx.logins(`SELECT `+loginColumns+` FROM login WHERE hash = $1`, string(hash))
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "There is no such login.")
	}
	if err != nil {
		return identity.Login{}, err
	}
	return found[0], nil
}

// Logins lists a person's logins, the latest first.
func (tx *Tx) Logins(person ledger.PersonID) ([]identity.Login, error) {
	return tx.logins(`SELECT `+loginColumns+` FROM login WHERE person = $1 ORDER BY created_at DESC, id DESC`, string(person))
}

func (tx *Tx) logins(query string, args ...any) (all []identity.Login, err error) {
	err = tx.each(query, args, func(scan func(...any) error) error {
		var l identity.Login
		var created, seen, expires, locked int64
		if err := scan(&l.ID, &l.Person, &l.Hash, &created, &seen, &expires, &l.Agent, &l.Address, &locked, &l.Issuer); err != nil {
			return err
		}
		l.CreatedAt, l.SeenAt, l.ExpiresAt, l.LockedAt = fromMicros(created), fromMicros(seen), fromMicros(expires), fromMicros(locked)
		all = append(all, l)
		return nil
	})
	return all, err
}

// TouchLogin notes that a login was used.
func (tx *Tx) TouchLogin(id identity.LoginID, seen, expires time.Time) error {
	_, err := tx.exec(`UPDATE login SET seen_at = $2, expires_at = $3 WHERE id = $1`, string(id), micros(seen), micros(expires))
	return err
}

// LockLogin notes since when a login is locked; the zero time opens it.
func (tx *Tx) LockLogin(id identity.LoginID, at time.Time) error {
	_, err := tx.exec(`UPDATE login SET locked_at = $2 WHERE id = $1`, string(id), micros(at))
	return err
}

// DeleteLogin removes one login of a person.
func (tx *Tx) DeleteLogin(person ledger.PersonID, id identity.LoginID) error {
	n, err := tx.exec(`DELETE FROM login WHERE person = $1 AND id = $2`, string(person), string(id))
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "This login has ended already.")
	}
	return err
}

// DeleteLogins removes all logins of a person but one.
func (tx *Tx) DeleteLogins(person ledger.PersonID, except identity.LoginID) error {
	_, err := tx.exec(`DELETE FROM login WHERE person = $1 AND id <> $2`, string(person), string(except))
	return err
}

const tokenColumns = `id, person, name, scope, hash, hint, created_at, expires_at, used_at, revoked_at`

// CreateToken writes a new API token.
func (tx *Tx) CreateToken(t identity.Token) error {
	_, err := tx.exec(`INSERT INTO token (`+tokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		string(t.ID), string(t.Person), t.Name, string(t.Scope), string(t.Hash), t.Hint,
		micros(t.CreatedAt), micros(t.ExpiresAt), micros(t.UsedAt), micros(t.RevokedAt))
	return err
}

// TokenByHash returns the token whose secret has this hash.
func (tx *Tx) TokenByHash(hash identity.Hash) (identity.Token, error) {
	return tx.token(`SELECT `+tokenColumns+` FROM token WHERE hash = $1`, string(hash))
}

// TokenByID returns a token by id.
func (tx *Tx) TokenByID(id identity.TokenID) (identity.Token, error) {
	return tx.token(`SELECT `+tokenColumns+` FROM token WHERE id = $1`, string(id))
}

func (tx *Tx) token(query, arg string) (identity.Token, error) {
	found, err := tx.tokens(query, arg)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "There is no such token.")
	}
	if err != nil {
		return identity.Token{}, err
	}
	return found[0], nil
}

// Tokens lists the tokens of a person, of everybody for "", the latest first.
func (tx *Tx) Tokens(person ledger.PersonID) ([]identity.Token, error) {
	if person == "" {
		return tx.tokens(`SELECT ` + tokenColumns + ` FROM token ORDER BY created_at DESC, id DESC`)
	}
	return tx.tokens(`SELECT `+tokenColumns+` FROM token WHERE person = $1 ORDER BY created_at DESC, id DESC`, string(person))
}

func (tx *Tx) tokens(query string, args ...any) (all []identity.Token, err error) {
	err = tx.each(query, args, func(scan func(...any) error) error {
		var t identity.Token
		var created, expires, used, revoked int64
		if err := scan(&t.ID, &t.Person, &t.Name, &t.Scope, &t.Hash, &t.Hint, &created, &expires, &used, &revoked); err != nil {
			return err
		}
		t.CreatedAt, t.ExpiresAt, t.UsedAt, t.RevokedAt = fromMicros(created), fromMicros(expires), fromMicros(used), fromMicros(revoked)
		all = append(all, t)
		return nil
	})
	return all, err
}

// TouchToken notes that a token was used.
func (tx *Tx) TouchToken(id identity.TokenID, used time.Time) error {
	_, err := tx.exec(`UPDATE token SET used_at = $2 WHERE id = $1`, string(id), micros(used))
	return err
}

// RevokeToken makes a token worthless.
func (tx *Tx) RevokeToken(id identity.TokenID, at time.Time) error {
	_, err := tx.exec(`UPDATE token SET revoked_at = $2 WHERE id = $1`, string(id), micros(at))
	return err
}

// CreateLink writes a one-time link.
func (tx *Tx) CreateLink(l identity.Link) error {
	_, err := tx.exec(`INSERT INTO link (hash, purpose, person, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		string(l.Hash), string(l.Purpose), string(l.Person), micros(l.CreatedAt), micros(l.ExpiresAt))
	return err
}

// LinkByHash returns the link whose secret has this hash.
func (tx *Tx) LinkByHash(hash identity.Hash) (l identity.Link, err error) {
	var created, expires int64
	err = tx.one([]any{&l.Hash, &l.Purpose, &l.Person, &created, &expires},
		`SELECT hash, purpose, person, created_at, expires_at FROM link WHERE hash = $1`, string(hash))
	l.CreatedAt, l.ExpiresAt = fromMicros(created), fromMicros(expires)
	return l, err
}

// DeleteLink removes a link and reports whether it was there.
func (tx *Tx) DeleteLink(hash identity.Hash) (bool, error) {
	n, err := tx.exec(`DELETE FROM link WHERE hash = $1`, string(hash))
	return n > 0, err
}

// EndLinks removes all links for a purpose.
func (tx *Tx) EndLinks(purpose identity.Purpose) error {
	_, err := tx.exec(`DELETE FROM link WHERE purpose = $1`, string(purpose))
	return err
}

// DeleteLinks removes the links of a person for a purpose.
func (tx *Tx) DeleteLinks(purpose identity.Purpose, person ledger.PersonID) error {
	_, err := tx.exec(`DELETE FROM link WHERE purpose = $1 AND person = $2`, string(purpose), string(person))
	return err
}
