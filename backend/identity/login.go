package identity

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// LoginID names a login in pages and history; it is not the secret.
type LoginID string

// Login is a browser that is signed in.
type Login struct {
	ID        LoginID
	Person    ledger.PersonID
	Hash      Hash // of the secret in the cookie
	CreatedAt time.Time
	SeenAt    time.Time // within touchEvery
	ExpiresAt time.Time
	LockedAt  time.Time // zero while it is open; see Lock
	Agent     string    // User-Agent, so that a person recognises the browser
	Address   string
	Issuer    string // at which it was proven, "" for a password or a link here
}

// Live reports whether the login is still good.
func (l Login) Live(now time.Time) bool { return now.Before(l.ExpiresAt) }

const (
	// loginLasts is how long a login lives at most, idle or not.
	loginLasts = 30 * 24 * time.Hour
	// loginIdles is how long a login lives without a request.
	loginIdles = 7 * 24 * time.Hour
	// providedLasts is how long a login lives that a provider proved: what changed
	// there counts here the day after at the latest.
	providedLasts = 12 * time.Hour
	// touchEvery is how often the last use of a login or token is written.
	touchEvery = 5 * time.Minute
)

// renewed returns the login as seen now, its end pushed out but never beyond
// what a login may last.
func (l Login) renewed(now time.Time) Login {
	l.SeenAt = now
	l.ExpiresAt = now.Add(loginIdles)
	last := l.CreatedAt.Add(loginLasts)
	if l.Issuer != "" {
		last = l.CreatedAt.Add(providedLasts)
	}
	if l.ExpiresAt.After(last) {
		l.ExpiresAt = last
	}
	return l
}
