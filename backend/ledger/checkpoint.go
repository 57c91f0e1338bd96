package ledger

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
)

// Checkpoint says how the history of an installation ended at a moment. It is
// signed and put where whoever can change the database cannot reach: a history
// that was rewritten or cut afterwards, however consistently, no longer holds it.
type Checkpoint struct {
	Installation string
	Seq          int64     // how many events there were
	Hash         Digest    // of the last one
	At           time.Time // when it was made
	Reason       string    // "daily", "approval" …
	Key          string    // names the key that signed: the hex SHA-256 of its PEM text
	Envelope     []byte    // what was signed: a DSSE envelope on one line
}

// CheckpointType is the type of the statement that is signed.
const CheckpointType = "https://adjudge.dev/checkpoint/v1"

// checkpointStatement is an in-toto statement about the head of a history.
type checkpointStatement struct {
	Type          string              `json:"_type"`
	Subject       []checkpointSubject `json:"subject"`
	PredicateType string              `json:"predicateType"`
	Predicate     checkpointPredicate `json:"predicate"`
}

type checkpointSubject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

type checkpointPredicate struct {
	Installation string `json:"installation"`
	Events       int64  `json:"events"`
	Hash         Digest `json:"hash"`
	At           string `json:"at"`
	Reason       string `json:"reason"`
	Key          string `json:"key"`
}

// Statement returns the bytes that are signed.
func (c Checkpoint) Statement() ([]byte, error) {
	return json.Marshal(checkpointStatement{
		Type:          "https://in-toto.io/Statement/v1",
		Subject:       []checkpointSubject{{Name: "history of " + c.Installation, Digest: map[string]string{"sha256": c.Hash.Hex()}}},
		PredicateType: CheckpointType,
		Predicate: checkpointPredicate{
			Installation: c.Installation, Events: c.Seq, Hash: c.Hash, At: c.At.UTC().Format(time.RFC3339Nano), Reason: c.Reason, Key: c.Key,
		},
	})
}

// ReadCheckpoint reads an envelope. It does not check the signature: whoever
// trusts what it says verifies the same bytes first. It returns Invalid for
// anything but the envelope of a checkpoint.
func ReadCheckpoint(envelope []byte) (Checkpoint, error) {
	var outer struct {
		Payload string `json:"payload"`
	}
	var s checkpointStatement
	err := json.Unmarshal(envelope, &outer)
	var payload []byte
	if err == nil {
		payload, err = base64.StdEncoding.DecodeString(outer.Payload)
	}
	if err == nil {
		err = json.Unmarshal(payload, &s)
	}
	p := s.Predicate
	var at time.Time
	if err == nil {
		at, err = time.Parse(time.RFC3339Nano, p.At)
	}
	if err == nil && (s.PredicateType != CheckpointType || len(s.Subject) != 1 || s.Subject[0].Digest["sha256"] != p.Hash.Hex() || p.Events < 0) {
		err = fmt.Errorf("the statement has the type %q", s.PredicateType)
	}
	if err != nil {
		return Checkpoint{}, fault.As(fault.Invalid, err, "This is no checkpoint of a history.")
	}
	return Checkpoint{Installation: p.Installation, Seq: p.Events, Hash: p.Hash, At: at, Reason: p.Reason, Key: p.Key, Envelope: envelope}, nil
}

// Check reports what is wrong with a history that should hold the checkpoint,
// or nil. length is how many events the history has, hash that of event c.Seq.
func (c Checkpoint) Check(length int64, hash Digest) error {
	when := c.At.UTC().Format("2006-01-02 15:04")
	switch {
	case c.Seq == 0:
		return nil // there was nothing yet
	case length < c.Seq:
		return fault.New(fault.Conflict, "The history was cut: it holds %d events, and on %s UTC there were %d.", length, when, c.Seq)
	case hash != c.Hash:
		return fault.New(fault.Conflict, "The history was rewritten: event %d or one before it is not the one that was there on %s UTC.", c.Seq, when)
	}
	return nil
}

// Witness is how far the checkpoints have come to a place outside.
type Witness struct {
	Name    string
	Last    time.Time // Checkpoint.At of the newest that is there; zero: none
	Pushed  time.Time // when it came there
	Failed  time.Time // when the last try failed; zero where it did not
	Reason  string    // why it failed
	Waiting int       // how many checkpoints are not there yet
	// Holder brings it checkpoints at the moment, until HeldUntil at the latest;
	// empty where nobody does.
	Holder    string
	HeldUntil time.Time
}

// Checked is what came of holding checkpoints against the history.
type Checked struct {
	At       time.Time `json:"at"`
	Events   int64     `json:"events"` // in the history
	Held     int       `json:"held"`   // checkpoints that stand in it
	Problems []string  `json:"problems,omitempty"`
}
