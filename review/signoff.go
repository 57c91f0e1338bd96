package review

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// SignOffID is the id of a sign-off (UUIDv7).
type SignOffID string

// SignOff says that every requirement of a policy held for a candidate. It is
// written in the transaction of the vote that made it so.
type SignOff struct {
	ID          SignOffID       `json:"id"`
	Candidate   CandidateID     `json:"candidate"`
	Subject     Subject         `json:"subject"`
	Environment Environment     `json:"environment"`
	Policy      ledger.Digest   `json:"policy"`
	Results     []Result        `json:"results"`
	Votes       []VoteID        `json:"votes"`
	Evidence    []ledger.Digest `json:"evidence"`
	Makers      []Maker         `json:"makers,omitempty"` // who had made it then; none where that was not noted yet
	// People are the standings that it was decided on; none where it was decided
	// by a version that did not ask.
	People    []Standing `json:"people,omitempty"`
	At        time.Time  `json:"at"`
	ExpiresAt time.Time  `json:"expiresAt"`
}

// RevocationID is the id of a revocation (UUIDv7).
type RevocationID string

// Revocation takes a sign-off back. It is final: what shall ship after all is
// proposed again.
type Revocation struct {
	ID          RevocationID    `json:"id"`
	SignOff     SignOffID       `json:"signOff"`
	Candidate   CandidateID     `json:"candidate"`
	Subject     Subject         `json:"subject"`
	Environment Environment     `json:"environment"`
	Person      ledger.PersonID `json:"person"`
	PrintedName string          `json:"printedName"`
	Reason      string          `json:"reason"`
	Sentence    string          `json:"sentence"`
	Assurance   Assurance       `json:"assurance"`
	TimeZone    string          `json:"timeZone"`
	At          time.Time       `json:"at"`
}

// AttestationKind says what an attestation states.
type AttestationKind string

// The kinds of attestation.
const (
	AttestsVote       AttestationKind = "vote"
	AttestsApproval   AttestationKind = "approval"
	AttestsRevocation AttestationKind = "revocation"
)

// Attestation is a signed statement about a candidate. Envelope is the DSSE
// document, byte for byte as it was signed and stored.
type Attestation struct {
	Candidate CandidateID
	Kind      AttestationKind
	Ref       string // id of the vote, sign-off or revocation
	Predicate string // predicate type
	Key       string // hex SHA-256 of the public key's PEM text
	Envelope  []byte
	Digest    ledger.Digest // of Envelope
	At        time.Time
}

// File returns the name under which the attestation is handed out, without its
// ending.
func (a Attestation) File() string {
	switch a.Kind {
	case AttestsApproval:
		return "signoff-" + a.Ref
	case AttestsVote:
		return "vote-" + a.Ref
	}
	return string(a.Kind) + "-" + a.Ref
}
