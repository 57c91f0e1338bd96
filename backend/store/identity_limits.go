package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
)

// Limit returns the count of wrong passwords under a key; an empty one where
// none is kept.
func (tx *Tx) Limit(key identity.Hash) (identity.Limit, error) {
	l := identity.Limit{Key: key}
	var empty int64
	err := tx.one([]any{&empty, &l.Refused}, `SELECT empty_at, refused FROM password_limit WHERE key = $1`, string(key))
	if fault.Is(err, fault.NotFound) {
		return l, nil
	}
	l.EmptyAt = fromMicros(empty)
	return l, err
}

// SaveLimit keeps the count of wrong passwords under a key.
func (tx *Tx) SaveLimit(l identity.Limit) error {
	_, err := tx.exec(`INSERT INTO password_limit (key, empty_at, refused) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET empty_at = excluded.empty_at, refused = excluded.refused`,
		string(l.Key), micros(l.EmptyAt), l.Refused)
	return err
}

// KnownBrowser returns until when a browser is known under a key, the zero time
// for one that is not.
func (tx *Tx) KnownBrowser(key identity.Hash) (time.Time, error) {
	var until int64
	err := tx.one([]any{&until}, `SELECT expires_at FROM known_browser WHERE key = $1`, string(key))
	if fault.Is(err, fault.NotFound) {
		return time.Time{}, nil
	}
	return fromMicros(until), err
}

// KnowBrowser keeps that a browser is known under a key.
func (tx *Tx) KnowBrowser(key identity.Hash, until time.Time) error {
	_, err := tx.exec(`INSERT INTO known_browser (key, expires_at) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at`,
		string(key), micros(until))
	return err
}
