package review

import (
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// mayWeaken returns Denied where a vote would take an objection back, or soften
// it, and its person came in by somebody else's hand since they objected: by a
// link that they followed since, or because they were unblocked, where that has to
// be confirmed for an approval, too. Otherwise whoever makes links could follow one
// in the objector's name. Another admin or lead who owes nothing to a maker
// confirms the person first; unlike for an approval there is no exception where
// nobody can.
func mayWeaken(p *past, c Candidate, rules Rules, vote Vote) error {
	votes, err := p.FindVotes(c.ID)
	if err != nil {
		return err
	}
	live := Live(votes)
	i := slices.IndexFunc(live, func(v Vote) bool { return v.Person == vote.Person && v.Label == vote.Label && v.Value < 0 })
	if i < 0 || !vote.Withdrawn && vote.Value <= live[i].Value {
		return nil
	}
	f := Facts{Candidate: c}
	if f.Proposed, err = p.proposed(c); err != nil {
		return err
	}
	if f.Makers, err = makersOf(p, c); err != nil {
		return err
	}
	if f.People, err = peopleOf(p, c, []ledger.PersonID{vote.Person}); err != nil {
		return err
	}
	s, _ := f.Standing(vote.Person)
	var doubts []string
	var givers []ledger.PersonID
	var newest time.Time
	for _, way := range []struct {
		origin
		at time.Time
	}{{origin{s.Link, fromLink}, s.Came}, {origin{s.Back, fromBack}, s.Back.At}} {
		if !way.at.After(live[i].At) {
			continue
		}
		doubt := rules.doubt(f, s, Way{}, way.origin)
		if doubt == "" {
			continue
		}
		doubts, givers = append(doubts, doubt), append(givers, way.By)
		if way.at.After(newest) {
			newest = way.at
		}
	}
	if len(doubts) == 0 || slices.ContainsFunc(s.Confirmed, func(done Confirmation) bool {
		by, _ := f.Standing(done.By)
		return done.By != s.Person && !done.At.Before(newest) && !slices.Contains(givers, done.By) && rules.independent(f, by)
	}) {
		return nil
	}
	asked, _ := rules.keepers(f, s.Person, givers)
	if len(asked) == 0 {
		return fault.New(fault.Denied, "%s So an objection of before is not taken back or softened by this account, until another admin or lead confirms the person; there is none who could.", strings.Join(doubts, " "))
	}
	return fault.New(fault.Denied, "%s So an objection of before is not taken back or softened by this account, until another admin or lead confirms the person: %s.", strings.Join(doubts, " "), confirmers(asked))
}
