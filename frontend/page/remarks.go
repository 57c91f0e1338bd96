package page

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
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
	Until  time.Time // how long an approval holds
	Value  int
	Text   string
	Asks   review.CommentKind // of a comment
	Over   bool               // a vote that no longer stands
	Via    ledger.Via
}

// remarksOf arranges everything that was said and decided by time.
func remarksOf(c review.Case, people Names) []Remark {
	var all []Remark
	if !c.Candidate.OpenedAt.IsZero() {
		all = append(all, Remark{At: c.Candidate.OpenedAt, Person: c.Candidate.ProposedBy, Name: people.Name(c.Candidate.ProposedBy), Kind: "opened", Text: c.Candidate.Note})
	}
	for _, m := range c.Comments {
		all = append(all, Remark{At: m.At, Person: m.Person, Name: m.PrintedName, Kind: "comment", Asks: m.Kind, Text: m.Text, Via: m.Via})
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
		all = append(all, Remark{At: s.At, Kind: "approved", Until: s.ExpiresAt})
	}
	for _, r := range c.Revocations {
		all = append(all, Remark{At: r.At, Person: r.Person, Name: r.PrintedName, Kind: "withdrawn", Text: r.Reason})
	}
	slices.SortStableFunc(all, func(a, b Remark) int { return a.At.Compare(b.At) })
	return all
}

// Part is a stretch of a comment: words, or a link to a page of the project.
type Part struct{ Text, Href string }

// parts finds the addresses of this project's pages in a comment, such as a
// view of a comparison, so that they can be followed. Only the path is kept: a
// comment leads nowhere but into this installation.
func parts(p ProjectLink, text string) []Part {
	var all []Part
	words := func(s string) {
		if s == "" {
			return
		}
		if n := len(all); n > 0 && all[n-1].Href == "" {
			all[n-1].Text += s
			return
		}
		all = append(all, Part{Text: s})
	}
	for text != "" {
		gap := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
		words(text[:gap])
		text = text[gap:]
		end := strings.IndexAny(text, " \t\r\n")
		if end < 0 {
			end = len(text)
		}
		word := text[:end]
		text = text[end:]
		bare := strings.TrimRight(word, ".,;:!?)")
		u, err := url.Parse(bare)
		if err != nil || !strings.HasPrefix(u.Path, p.Href()+"/") || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" || strings.Contains(u.Path, "..") {
			words(word)
			continue
		}
		local := url.URL{Path: u.Path, RawQuery: u.RawQuery, Fragment: u.Fragment}
		all = append(all, Part{Text: bare, Href: local.String()})
		words(word[len(bare):])
	}
	return all
}

// kindsOfComment are what the comment form offers.
func (v CandidateView) kindsOfComment(label func(string) string) []ui.Option {
	all := []ui.Option{{Value: "", Text: label("remark")}, {Value: string(review.Ask), Text: label("ask")}}
	if v.MayRecuse {
		all = append(all, ui.Option{Value: string(review.Recusal), Text: label("recusal")})
	}
	return all
}
