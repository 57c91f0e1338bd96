package identity

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// TokenID names an API token; it is not the secret.
type TokenID string

// Token is an API token: it may do what its person may, and no more than its scope.
type Token struct {
	ID        TokenID
	Person    ledger.PersonID
	Name      string // what it is for
	Scope     ledger.Scope
	Hash      Hash
	Hint      string // first characters of the secret, to recognise it in a CI's settings
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	UsedAt    time.Time // zero: never used; else within touchEvery
	RevokedAt time.Time // zero: good
}

// tokenPrefix makes a leaked token recognisable to secret scanners.
const tokenPrefix = "adj_"

// Live reports whether the token is still good.
func (t Token) Live(now time.Time) bool {
	return t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}

// Validate returns an Invalid fault per field that is wrong.
func (t Token) Validate(now time.Time) error {
	var name, scope, expires error
	switch n := utf8.RuneCountInString(t.Name); {
	case strings.TrimSpace(t.Name) == "":
		name = fault.Field("name", "Say what the token is for, for example the CI job that uses it.")
	case n > 100 || !utf8.ValidString(t.Name):
		name = fault.Field("name", "Use at most 100 characters.")
	default:
		name = ledger.Name("name", t.Name)
	}
	if !slices.Contains(ledger.Scopes(), t.Scope) {
		scope = fault.Field("scope", "Choose one of the scopes full, read and gate.")
	}
	if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(now) {
		expires = fault.Field("expires", "Choose a time to come.")
	}
	return errors.Join(name, scope, expires)
}
