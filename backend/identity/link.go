package identity

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// Purpose says what a one-time link is good for.
type Purpose string

// The purposes.
const (
	PurposeFirstAdmin Purpose = "first_admin" // makes the first admin
	PurposeWelcome    Purpose = "welcome"     // lets an invited person, or one who forgot it, choose a password
	PurposeLaunch     Purpose = "launch"      // signs a person in: the desktop window, make run
)

// Link is a one-time link. It is gone once it was followed.
type Link struct {
	Hash      Hash
	Purpose   Purpose
	Person    ledger.PersonID // whom it is for; for the first admin, the server that printed it
	CreatedAt time.Time
	ExpiresAt time.Time
}

// lasts is how long a link of each purpose waits to be followed.
func (p Purpose) lasts() time.Duration {
	switch p {
	case PurposeLaunch:
		return 15 * time.Minute
	case PurposeProof:
		return ProofLasts
	case PurposeWindow:
		return HandOverLasts
	case PurposeWelcome:
		return 7 * 24 * time.Hour
	case PurposeFirstAdmin:
		return 24 * time.Hour
	}
	return 0
}
