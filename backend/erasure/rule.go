package erasure

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/adjudge/adjudge/backend/ledger"
)

// Kind is what can be erased.
type Kind string

// The kinds.
const (
	KindPerson Kind = "person"
	KindItem   Kind = "item"
)

// Fate is what becomes of a kind of record.
type Fate string

// The fates.
const (
	Gone  Fate = "gone"  // unreadable afterwards
	Stays Fate = "stays" // untouched, for a reason that the plan says
)

// Record names a kind of record that an erasure decides about.
type Record string

// The records.
const (
	RecordName      Record = "name"      // name, username, time zone, password
	RecordAccess    Record = "access"    // logins, API tokens, one-time links, keys of one's own, presence, what they opened
	RecordRoles     Record = "roles"     // memberships
	RecordDrafts    Record = "drafts"    // what was begun and not sent
	RecordTexts     Record = "texts"     // reasons and comments in their words
	RecordPayloads  Record = "payloads"  // payloads of events
	RecordAnswers   Record = "answers"   // which class was given; the opaque id beside it
	RecordSigned    Record = "signed"    // votes and payloads that a signature rests on
	RecordText      Record = "text"      // an item's text and columns, label, suggestion, words in the search index
	RecordUploads   Record = "uploads"   // the files that an import brought in
	RecordSnapshots Record = "snapshots" // snapshots with the item that nobody signed for
	RecordHeld      Record = "held"      // snapshots with the item that a signature names
	RecordKey       Record = "key"       // the item's key and opaque id
	RecordModels    Record = "models"    // what models learned, and exports and backups that were taken
	RecordChain     Record = "chain"     // the events themselves: opaque ids, time, kind, commitment
)

// Rule says what becomes of a kind of record.
type Rule struct {
	Record Record
	Fate   Fate
}

// rules is the one table of what an erasure does.
var rules = map[Kind][]Rule{
	KindPerson: {
		{RecordName, Gone}, {RecordAccess, Gone}, {RecordRoles, Gone}, {RecordDrafts, Gone}, {RecordTexts, Gone}, {RecordPayloads, Gone},
		{RecordAnswers, Stays}, {RecordSigned, Stays}, {RecordChain, Stays},
	},
	KindItem: {
		{RecordText, Gone}, {RecordDrafts, Gone}, {RecordTexts, Gone}, {RecordPayloads, Gone}, {RecordUploads, Gone}, {RecordSnapshots, Gone},
		{RecordAnswers, Stays}, {RecordHeld, Stays}, {RecordKey, Stays}, {RecordModels, Stays}, {RecordChain, Stays},
	},
}

// Rules returns what an erasure does to every kind of record.
func Rules(kind Kind) []Rule { return slices.Clone(rules[kind]) }

// signedKinds are the events whose payloads the gate holds against rows and
// signatures: without one of them an approval could not be shown any more.
var signedKinds = []string{
	"candidate.created", "candidate.opened", "candidate.rebased", "candidate.approved", "candidate.rejected", "candidate.reopened",
	"candidate.measured", "approval.withdrawn", "vote.cast", "vote.withdrawn", "attestation.signed",
}

// ownKinds begin the kinds of events whose payloads are about a person alone.
var ownKinds = []string{"person.", "login.", "token.", "password.", "signin.", "machine."}

// proofs are the events that say what was erased. They must outlive it.
var proofs = []string{"person.erased", "item.erased", "erasure.finished"}

// words are the fields of payloads that hold what a person wrote.
var words = []string{"reason", "comment", "text", "note", "agent", "address"}

// Somebody is the person that payloads are searched for.
type Somebody struct {
	ID       ledger.PersonID
	Name     string
	Username string
}

// Verdict is what becomes of the payload of an event.
type Verdict string

// The verdicts.
const (
	Untouched Verdict = ""       // it says nothing of them
	Erase     Verdict = "erase"  // it goes
	Signed    Verdict = "signed" // it would go, but a signature rests on it
)

// Judge decides about the payload of one event when a person is erased: it goes
// where it is about them alone, holds words that they wrote, or names them.
func Judge(r ledger.Record, who Somebody) Verdict {
	if r.Salt == nil || slices.Contains(proofs, r.Kind) {
		return Untouched
	}
	own := mine(r, who)
	if !own && !mentions(r.Payload, who) {
		return Untouched
	}
	touched := own && slices.ContainsFunc(ownKinds, func(kind string) bool { return strings.HasPrefix(r.Kind, kind) })
	if !touched {
		var v any
		dec := json.NewDecoder(bytes.NewReader(r.Payload))
		touched = dec.Decode(&v) != nil || holds(v, r.Actor == who.ID, who)
	}
	switch {
	case !touched:
		return Untouched
	case slices.Contains(signedKinds, r.Kind):
		return Signed
	}
	return Erase
}

// mentions is a quick look for what stands in every payload with a name.
func mentions(payload []byte, who Somebody) bool {
	folded := bytes.ToLower(payload)
	return slices.ContainsFunc(who.hints(), func(hint string) bool { return bytes.Contains(folded, []byte(hint)) })
}

// holds reports whether a document names the person or, where they made it,
// holds words of theirs.
func holds(v any, theirs bool, who Somebody) bool {
	switch v := v.(type) {
	case string:
		return named(v, who.Name) || named(v, who.Username)
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return holds(inner, theirs, who) })
	case map[string]any:
		for key, inner := range v {
			if text, ok := inner.(string); theirs && ok && text != "" && slices.Contains(words, key) {
				return true
			}
			if holds(inner, theirs, who) || named(key, who.Name) {
				return true
			}
		}
	}
	return false
}

// named reports whether a name stands in a text as words of their own, in
// whatever case: Ana is named in "Ask Ana.", not in "Banana".
func named(text, name string) bool {
	text, name = strings.ToLower(text), strings.ToLower(name)
	if name == "" {
		return false
	}
	isLetter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for rest := text; ; {
		at := strings.Index(rest, name)
		if at < 0 {
			return false
		}
		before, after := []rune(rest[:at]), []rune(rest[at+len(name):])
		if (len(before) == 0 || !isLetter(before[len(before)-1])) && (len(after) == 0 || !isLetter(after[0])) {
			return true
		}
		rest = rest[at+len(name):]
	}
}
