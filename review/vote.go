package review

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// VoteID is the id of a vote (UUIDv7).
type VoteID string

// Assurance says how sure it is that the person of a vote acted.
type Assurance string

// Password means signed in, and the password was given again for this vote.
const Password Assurance = "password"

// Provider means signed in, and the person signed in anew at an OpenID Connect
// provider for this vote.
const Provider Assurance = "provider"

// Vote is one person's signed word on a candidate. It is never edited: a later
// vote of the same person on the same label supersedes it, and a withdrawal is
// a vote without value. Its encoding is what the history commits to, so a field
// added later must be omitted while empty.
type Vote struct {
	ID          VoteID          `json:"id"`
	Candidate   CandidateID     `json:"candidate"`
	Subject     Subject         `json:"subject"`
	Environment Environment     `json:"environment"`
	Policy      ledger.Digest   `json:"policy"`
	Baseline    ledger.Digest   `json:"baseline"` // what it was measured against; empty for nothing
	Person      ledger.PersonID `json:"person"`
	PrintedName string          `json:"printedName"`
	Role        ledger.Role     `json:"role"` // in which it was cast: reviewer or approver
	Label       string          `json:"label"`
	Value       int             `json:"value"`
	Words       string          `json:"words"`               // the value in the label's words
	Withdrawn   bool            `json:"withdrawn,omitempty"` // takes the person's earlier vote back
	Comment     string          `json:"comment"`
	Sentence    string          `json:"sentence"` // what was signed, word for word
	Assurance   Assurance       `json:"assurance"`
	TimeZone    string          `json:"timeZone"`
	Evidence    []ledger.Digest `json:"evidence"`         // comparison documents that were shown
	Looked      ledger.Digest   `json:"looked,omitempty"` // the document of what its person had opened; empty before there were any
	At          time.Time       `json:"at"`
	Opened      []byte          `json:"-"` // that document
}

// LookedSum counts what the person had opened, where the vote says it.
func (v Vote) LookedSum() (LookedSum, bool) {
	if v.Looked == "" {
		return LookedSum{}, false
	}
	doc, err := DecodeLooked(v.Opened)
	return doc.Sum(), err == nil
}

// Live returns the votes that stand: the latest of each person and label that
// is no withdrawal, in the order of votes.
func Live(votes []Vote) []Vote {
	type slot struct {
		person ledger.PersonID
		label  string
	}
	last := map[slot]int{}
	for i, vote := range votes {
		last[slot{vote.Person, vote.Label}] = i
	}
	var live []Vote
	for i, vote := range votes {
		if last[slot{vote.Person, vote.Label}] == i && !vote.Withdrawn {
			live = append(live, vote)
		}
	}
	return live
}

// CommentID is the id of a comment (UUIDv7).
type CommentID string

// CommentKind says what a comment is, beyond words.
type CommentKind string

// The kinds of comment.
const (
	Remark  CommentKind = ""        // words
	Ask     CommentKind = "ask"     // asks for evidence before a vote
	Recusal CommentKind = "recusal" // its person votes on this candidate no more
)

// Comment is a part of the conversation about a candidate. Like a vote, it is
// what the history commits to.
type Comment struct {
	ID          CommentID       `json:"id"`
	Candidate   CandidateID     `json:"candidate"`
	Person      ledger.PersonID `json:"person"`
	PrintedName string          `json:"printedName"`
	Kind        CommentKind     `json:"kind,omitempty"`
	Text        string          `json:"text"`
	Via         ledger.Via      `json:"via"`
	At          time.Time       `json:"at"`
}

// recusedIn lists who stepped back, by what was said about a candidate.
func recusedIn(comments []Comment) []ledger.PersonID {
	var people []ledger.PersonID
	for _, c := range comments {
		if c.Kind == Recusal {
			people = append(people, c.Person)
		}
	}
	return people
}
