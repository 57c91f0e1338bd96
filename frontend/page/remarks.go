package page

import (
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

// Remark is one entry of the conversation about a candidate.
type Remark struct {
	At     time.Time
	Person ledger.PersonID
	Name   string
	Kind   string // opened, comment, vote, unvote, approved, withdrawn
	Role   ledger.Role
	Words  string
	Value  int
	Text   string
	Over   bool // a vote that no longer stands
	Via    ledger.Via
}

// remarksOf arranges everything that was said and decided by time.
func remarksOf(c review.Case, people Names) []Remark {
	var all []Remark
	if !c.Candidate.OpenedAt.IsZero() {
		all = append(all, Remark{At: c.Candidate.OpenedAt, Person: c.Candidate.ProposedBy, Name: people.Name(c.Candidate.ProposedBy), Kind: "opened", Text: c.Candidate.Note})
	}
	for _, m := range c.Comments {
		all = append(all, Remark{At: m.At, Person: m.Person, Name: m.PrintedName, Kind: "comment", Text: m.Text, Via: m.Via})
	}
	for _, v := range c.AllVotes {
		kind := "vote"
		if v.Withdrawn {
			kind = "unvote"
		}
		over := !v.Withdrawn && !slices.ContainsFunc(c.Votes, func(w review.Vote) bool { return w.ID == v.ID })
		all = append(all, Remark{At: v.At, Person: v.Person, Name: v.PrintedName, Kind: kind, Role: v.Role, Words: v.Words, Value: v.Value, Text: v.Comment, Over: over})
	}
	for _, s := range c.SignOffs {
		all = append(all, Remark{At: s.At, Kind: "approved", Words: dayOf(s.ExpiresAt)})
	}
	for _, r := range c.Revocations {
		all = append(all, Remark{At: r.At, Person: r.Person, Name: r.PrintedName, Kind: "withdrawn", Text: r.Reason})
	}
	slices.SortStableFunc(all, func(a, b Remark) int { return a.At.Compare(b.At) })
	return all
}
