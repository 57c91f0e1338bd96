// Package ledger holds the words with which every room speaks of who did what:
// actor, person, role and action, digest, and the event of the history.
//
// The history is a chain. An event names people and things by opaque ids and
// commits to its payload by a salted digest, so a payload can be erased and the
// chain still verifies; changing a byte of an event or of a payload breaks it.
package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Event is one link of the history.
type Event struct {
	Seq        int64     // 1, 2, 3 …, without gaps
	At         time.Time // UTC, microseconds
	Actor      PersonID  // who
	Via        Via       // by which way in
	Project    ProjectID // where; empty for the installation itself
	Kind       string    // what, as "<noun>.<past participle>": annotation.submitted
	Subject    Subject   // about what
	Commitment Digest    // SHA-256 over salt and payload
	Prev       Digest    // Hash of the event before; ZeroDigest for the first
	Rows       Digest    // of the seals of the rows that were written with it; empty where there are none
	Hash       Digest    // SHA-256 over all fields above
}

// Subject names a thing by kind and opaque id or digest.
type Subject struct {
	Kind string // "item", "candidate", "model" …
	ID   string
}

// Entry is what a service asks the history to record. Payload is encoded as
// JSON; it may hold names and contents, for it is stored apart and can be erased.
type Entry struct {
	Actor   Actor
	Project ProjectID
	Kind    string
	Subject Subject
	Payload any
}

// Recorder appends to the history inside a transaction.
type Recorder interface {
	// Record appends an event. Time and salt are the store's.
	Record(Entry) error
}

// Record is an event with what it commits to; Salt and Payload are nil where
// they were erased.
type Record struct {
	Event
	Salt    []byte
	Payload []byte
}

// Filter chooses records of the history. Zero fields choose all.
type Filter struct {
	Project ProjectID
	Actor   PersonID
	Kind    string
	Kinds   []string // any of them
	Subject Subject
	From    time.Time // this moment or later
	Until   time.Time // earlier than this moment
	Before  int64     // only events before this one, for the next page
	Limit   int       // 100 if zero
}

// History reads what was recorded.
type History interface {
	// Events returns records, newest first. It may end before the limit, without a
	// word, where payloads are long: whoever needs all asks EventPage.
	Events(Filter) ([]Record, error)
	// EventPage is Events, which may end before the limit where payloads are long,
	// and whether there are more behind them.
	EventPage(Filter) (records []Record, more bool, err error)
}

// ZeroDigest stands before the first event.
const ZeroDigest Digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// EncodePayload encodes an entry's payload as it is stored and committed to.
func (e Entry) EncodePayload() ([]byte, error) {
	if e.Payload == nil {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e.Payload); err != nil {
		return nil, fmt.Errorf("encode payload of %s: %w", e.Kind, err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Commit returns the salted commitment to a payload. The salt (16 random bytes)
// is stored and erased together with the payload, so that a short payload
// cannot be guessed from its commitment.
func Commit(salt, payload []byte) Digest {
	h := sha256.New()
	writeField(h, string(salt))
	writeField(h, string(payload))
	return DigestFrom([sha256.Size]byte(h.Sum(nil)))
}

// Sum computes the hash of the event from all its other fields, each written
// with its length so that no two events share an encoding.
func (e Event) Sum() Digest {
	h := sha256.New()
	version := "adjudge.event.v1"
	if e.Rows != "" {
		version = "adjudge.event.v2"
	}
	for _, field := range []string{
		version, strconv.FormatInt(e.Seq, 10), strconv.FormatInt(e.At.UnixMicro(), 10),
		string(e.Actor), string(e.Via), string(e.Project), e.Kind, e.Subject.Kind, e.Subject.ID,
		string(e.Commitment), string(e.Prev),
	} {
		writeField(h, field)
	}
	if e.Rows != "" {
		writeField(h, string(e.Rows))
	}
	return DigestFrom([sha256.Size]byte(h.Sum(nil)))
}

func writeField(w interface{ Write([]byte) (int, error) }, field string) {
	// A hash never fails to write.
	_, _ = fmt.Fprintf(w, "%d:%s", len(field), field)
}

// Check reports what is wrong with an event that should follow prev, or nil.
// salt and payload are nil where the payload was erased.
func (e Event) Check(prev Event, salt, payload []byte) error {
	want := ZeroDigest
	if prev.Seq > 0 {
		want = prev.Hash
	}
	switch {
	case e.Seq != prev.Seq+1:
		return fmt.Errorf("event %d follows event %d: one is missing", e.Seq, prev.Seq)
	case e.Prev != want:
		return fmt.Errorf("event %d does not follow event %d: the chain is cut there", e.Seq, prev.Seq)
	case e.Sum() != e.Hash:
		return fmt.Errorf("event %d (%s) was changed after it was written", e.Seq, e.Kind)
	case salt != nil && Commit(salt, payload) != e.Commitment:
		return fmt.Errorf("the payload of event %d (%s) was changed after it was written", e.Seq, e.Kind)
	}
	return nil
}
