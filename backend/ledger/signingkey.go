package ledger

import (
	"encoding/json"
	"slices"
	"time"
)

// SigningKey is the public half of a key that signs for an installation, or did.
type SigningKey struct {
	Hint      string    `json:"key"` // names it: the hex SHA-256 of its PEM text
	PEM       string    `json:"pem"`
	Accepts   []string  `json:"accepts,omitempty"` // hints of the keys before it that it vouches for
	Statement []byte    `json:"-"`                 // the same, signed by the key itself: a DSSE envelope
	At        time.Time `json:"-"`                 // when it was taken into use
}

// EventKey is the kind of the event that says that a key signs from here on.
const EventKey = "key.introduced"

// KeySubject is what those events are about: one thing, so that its history
// tells which key signed when.
func KeySubject() Subject { return Subject{Kind: "key", ID: "signing"} }

// SigningKeyType is the type of the statement by which a key vouches for those
// before it.
const SigningKeyType = "https://adjudge.dev/signing-key/v1"

// signingKeyPredicate is what a key says about itself.
type signingKeyPredicate struct {
	Installation string   `json:"installation"`
	Key          string   `json:"key"`
	Accepts      []string `json:"accepts"`
	At           string   `json:"at"`
}

// NewStatement returns the bytes that the key signs when it is taken into use.
func (k SigningKey) NewStatement(installation string) ([]byte, error) {
	accepts := append([]string{}, k.Accepts...)
	predicate, err := json.Marshal(signingKeyPredicate{Installation: installation, Key: k.Hint, Accepts: accepts, At: k.At.UTC().Format(time.RFC3339Nano)})
	if err != nil {
		return nil, err
	}
	return json.Marshal(signingKeyStatement{
		Type: "https://in-toto.io/Statement/v1", PredicateType: SigningKeyType, Predicate: predicate,
		Subject: []checkpointSubject{{Name: "signing key of " + installation, Digest: map[string]string{"sha256": k.Hint}}},
	})
}

type signingKeyStatement struct {
	Type          string              `json:"_type"`
	Subject       []checkpointSubject `json:"subject"`
	PredicateType string              `json:"predicateType"`
	Predicate     json.RawMessage     `json:"predicate"`
}

// VouchedBy returns the hints of the keys that a key vouches for, from a
// statement whose signature was verified. It returns nothing where the statement
// is of another kind or about another key.
func VouchedBy(key string, statement []byte) []string {
	var s signingKeyStatement
	var p signingKeyPredicate
	if json.Unmarshal(statement, &s) != nil || s.PredicateType != SigningKeyType || json.Unmarshal(s.Predicate, &p) != nil || p.Key != key {
		return nil
	}
	return p.Accepts
}

// Introduced reads the key that an event of kind EventKey took into use. It
// reports false where the payload is not the one the event commits to.
func Introduced(r Record) (SigningKey, bool) {
	var k SigningKey
	if r.Kind != EventKey || r.Salt == nil || Commit(r.Salt, r.Payload) != r.Commitment || json.Unmarshal(r.Payload, &k) != nil {
		return k, false
	}
	k.At = r.At
	return k, true
}

// KeyHistory is what the history tells about the keys of an installation.
type KeyHistory struct {
	Used  []SigningKey // in the order in which they were taken into use
	Since []int64      // the number of the event of each
	// Unread is how many of its events do not hold what they commit to.
	Unread int
}

// IntroducedBy reads the events about keys, oldest first.
func IntroducedBy(records []Record) KeyHistory {
	var h KeyHistory
	for _, r := range records {
		if r.Kind != EventKey {
			continue
		}
		k, ok := Introduced(r)
		if !ok {
			h.Unread++
			continue
		}
		h.Used, h.Since = append(h.Used, k), append(h.Since, r.Seq)
	}
	return h
}

// Took reports whether a key was itself taken into use before. An event that
// cannot be read may have said so of any.
func (h KeyHistory) Took(hint string) bool {
	return h.Unread > 0 || slices.ContainsFunc(h.Used, func(k SigningKey) bool { return k.Hint == hint })
}

// Last returns the key that was taken into use last; the zero key for none.
func (h KeyHistory) Last() SigningKey {
	if len(h.Used) == 0 {
		return SigningKey{}
	}
	return h.Used[len(h.Used)-1]
}

// Known returns the hints of the keys that were taken into use or that one of those
// vouched for.
func (h KeyHistory) Known() map[string]bool {
	known := map[string]bool{}
	for _, k := range h.Used {
		known[k.Hint] = true
		for _, hint := range k.Accepts {
			known[hint] = true
		}
	}
	return known
}

// KeyUse says how much a key signed.
type KeyUse struct {
	Key          string
	Attestations int
	Checkpoints  int
}
