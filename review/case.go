package review

import (
	"context"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// Case is a candidate with everything people decide on: what changed, what was
// said, what holds and what is missing.
type Case struct {
	Candidate    Candidate
	Policy       Policy
	Rules        Rules
	Results      []Result
	Votes        []Vote // that stand
	AllVotes     []Vote // with superseded ones and withdrawals
	Comments     []Comment
	SignOffs     []SignOff
	Revocations  []Revocation
	Attestations []Attestation
	Evidence     []Evidence
	Unread       Unread            // answers that the evidence does not read
	Measured     []Measurement     // how far the comparisons with the baseline are
	Model        compare.Model     // zero unless the subject is a model
	Run          compare.Run       // that made Model; zero if it was made elsewhere
	Data         labeling.Snapshot // that Model was trained on; zero if unknown
	Baseline     compare.Model     // zero where nothing else was approved before
	BaselineData labeling.Snapshot // that Baseline was trained on; zero if unknown
	Stale        bool              // what was approved last is no longer what it was opened against
	Current      Baseline          // what was approved last
	Early        []VoteID          // votes that a comparison came after: they count once their people confirm them
	Makers       []Maker           // whose votes count for nothing
	Late         []Maker           // who became one after the approval that stands
	People       []Standing        // what the votes rest on: of an approval, as it was then
	Lost         []VoteID          // votes whose people hold the role no more, or may not sign in
	Looked       Looked            // what whoever reads this had opened of it, where that is kept
	SignsAs      string            // the name with which whoever reads this would sign
	Awaits       bool              // a vote for it must name a comparison to count, and there is none yet
}

// SignOff returns the sign-off that stands, by the rows; the gate does not
// believe it without asking the history.
func (c Case) SignOff() (SignOff, bool) {
	if c.Candidate.State != StateApproved || len(c.SignOffs) == 0 {
		return SignOff{}, false
	}
	return c.SignOffs[len(c.SignOffs)-1], true
}

// Expired reports whether an approval stands whose time is over.
func (c Case) Expired(now time.Time) bool {
	signed, stands := c.SignOff()
	return stands && !now.Before(signed.ExpiresAt)
}

// Case returns everything about a candidate.
func (s *Service) Case(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref CandidateRef) (Case, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Case{}, err
	}
	if err := s.View(ctx, func(tx Tx) error {
		c, err := candidateFor(tx, actor, project, ref)
		ref = CandidateRef{ID: c.ID}
		return err
	}); err != nil {
		return Case{}, err
	}
	read, err := s.read(ctx, project, ref, actor)
	if err != nil {
		return Case{}, err
	}
	out := Case{People: read.Facts.People, SignsAs: read.Names[actor.Person], Candidate: read.Candidate, Policy: read.Policy, Rules: read.Rules, Votes: read.Facts.Votes, Evidence: read.Facts.Evidence, Unread: read.Facts.Unread, Measured: read.Facts.Measured,
		Current: read.Facts.Current, Stale: read.Candidate.Stale(read.Facts.Current)}
	out.Makers, out.Late = read.Rules.Makers(read.Facts), read.Facts.Late
	if read.RulesErr == nil && read.Candidate.State != StateDraft {
		out.Results = read.Rules.Evaluate(read.Facts)
		out.Awaits = read.Rules.compares(read.Candidate) && len(read.Facts.Evidence) == 0 && read.Facts.EvidenceErr == nil
		for _, v := range read.Facts.Votes {
			if read.Rules.counts(read.Facts, v) && read.Rules.early(read.Facts, v) {
				out.Early = append(out.Early, v.ID)
			}
		}
	}
	now := s.now()
	err = s.View(ctx, func(tx Tx) (err error) {
		c := out.Candidate
		if Recorded(actor, project) {
			if out.Looked, err = lookedAt(tx, actor, c, now); err != nil {
				return err
			}
		}
		if out.Lost, err = lostOf(tx, c, read.Facts.Votes); err != nil {
			return err
		}
		if out.AllVotes, err = tx.FindVotes(c.ID); err != nil {
			return err
		}
		if out.Comments, err = tx.FindComments(c.ID); err != nil {
			return err
		}
		if out.SignOffs, err = tx.FindSignOffs(c.ID); err != nil {
			return err
		}
		if out.Revocations, err = tx.FindRevocations(c.ID); err != nil {
			return err
		}
		if out.Attestations, err = tx.FindAttestations(c.ID); err != nil {
			return err
		}
		if c.Model != "" {
			if out.Model, err = tx.GetModel(project, c.Model); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		if c.Baseline.Model != "" {
			if out.Baseline, err = tx.GetModel(project, c.Baseline.Model); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		return out.origins(tx)
	})
	return out, err
}

// lostOf lists the votes whose people hold the role no more in which they cast
// them, or may not sign in: of an open candidate these do not count, of one that
// is approved they did.
func lostOf(tx Tx, c Candidate, votes []Vote) ([]VoteID, error) {
	if c.State == StateDraft || len(votes) == 0 {
		return nil, nil
	}
	var lost []VoteID
	past := pastIn(tx, witness{})
	for _, v := range votes {
		s, err := standingOf(past, c.Project, v.Person)
		if fault.Is(err, fault.Conflict) {
			continue // the results say so
		}
		if err != nil {
			return nil, err
		}
		if (Facts{People: []Standing{s}}).Lost(v) {
			lost = append(lost, v.ID)
		}
	}
	return lost, nil
}

// origins reads what made the two models, as far as it is known.
func (c *Case) origins(tx Tx) error {
	var errs [3]error
	if c.Model.Run != "" {
		c.Run, errs[0] = tx.GetRun(c.Candidate.Project, c.Model.Run)
	}
	if c.Model.Snapshot != "" {
		c.Data, errs[1] = tx.Snapshot(c.Model.Snapshot)
	}
	if c.Baseline.Snapshot != "" {
		c.BaselineData, errs[2] = tx.Snapshot(c.Baseline.Snapshot)
	}
	for _, err := range errs {
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// Ballot returns what the actor is asked before a vote on a case.
func (c Case) Ballot(actor ledger.Actor) Ballot {
	b := Ballot{Actor: actor.Person, Name: c.SignsAs, Candidate: c.Candidate, Rules: c.Rules, Roles: votingRoles(actor, c.Candidate.Project), Maker: isMaker(c.Makers, actor.Person)}
	b.Looked = c.Looked
	b.Recused = slices.Contains(recusedIn(c.Comments), actor.Person)
	b.Evidence, b.Awaits, b.Seen, b.Others = Facts{Evidence: c.Evidence}.digests(), c.Awaits, c.Evidence, c.Unread.Others
	for _, v := range c.Votes {
		if v.Person != actor.Person {
			continue
		}
		b.Mine = append(b.Mine, v)
		if slices.Contains(c.Early, v.ID) {
			b.Early = append(b.Early, v)
		}
	}
	return b
}

// Waiting reports whether the policy still waits for a vote of this person.
func (c Case) Waiting(person ledger.PersonID) bool {
	return slices.ContainsFunc(c.Results, func(r Result) bool {
		return r.Rule == RuleVote && !r.State.Passes() && slices.Contains(r.Who, person)
	})
}

// WaitingFor lists the open candidates of a project that wait for the actor's
// vote, for the desk.
func (s *Service) WaitingFor(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) ([]Candidate, error) {
	if !actor.May(project, ledger.ActionVote) || len(votingRoles(actor, project)) == 0 {
		return nil, nil
	}
	open, err := s.Candidates(ctx, actor, CandidateFilter{Project: project, State: StateOpen})
	if err != nil {
		return nil, err
	}
	var waiting []Candidate
	for _, c := range open {
		read, err := s.read(ctx, project, CandidateRef{ID: c.ID})
		if err != nil {
			return nil, err
		}
		if (Case{Results: read.Rules.Evaluate(read.Facts)}).Waiting(actor.Person) {
			waiting = append(waiting, c)
		}
	}
	return waiting, nil
}
