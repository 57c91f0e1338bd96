package review

import (
	"context"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// ConfirmVoterRequest confirms that a person may vote in a project.
type ConfirmVoterRequest struct {
	Project ledger.ProjectID
	Person  ledger.PersonID
	Reason  string // how the confirmer knows; needed
}

// ConfirmVoter notes that an admin or lead knows that a reviewer or approver is
// who they say and may vote here, whoever let them in. It holds until the person
// comes in by a newer link or gets the role anew. Votes of theirs that waited for
// it count from then on, so it decides the open candidates of the project anew,
// and returns those. It takes a person at a browser or at this machine; nobody
// confirms themselves, and who let somebody in is none whose word adds anything:
// the candidate's page says who can.
func (s *Service) ConfirmVoter(ctx context.Context, actor ledger.Actor, req ConfirmVoterRequest) ([]Candidate, error) {
	if err := actor.Must(req.Project, ledger.ActionManage); err != nil {
		return nil, err
	}
	if err := actor.MustBeThere(); err != nil {
		return nil, err
	}
	if actor.Person == req.Person {
		return nil, fault.New(fault.Denied, "Nobody confirms themselves. Ask another lead or an admin.")
	}
	reason, err := ledger.Reason(req.Reason, fault.Format("this person may vote here"), true)
	if err != nil {
		return nil, err
	}
	open, err := s.openCandidates(ctx, req.Project)
	if err != nil {
		return nil, err
	}
	seen, err := s.witnessed(ctx)
	if err != nil {
		return nil, err
	}
	wrong, err := s.wrongRows(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	signOffs := make([]SignOffID, len(open)) // made beforehand: the transaction may run twice
	for i := range signOffs {
		signOffs[i] = SignOffID(s.NewID())
	}
	var out []Candidate
	err = s.Update(ctx, func(tx Tx) error {
		out = nil
		actor, err := stillMay(tx, actor, req.Project, ledger.ActionManage)
		if err != nil {
			return err
		}
		who, err := tx.Who(req.Project, req.Person)
		if err != nil {
			return err
		}
		if who.Disabled || !slices.ContainsFunc(who.Holds, func(h Hold) bool { return h.Role == ledger.RoleReviewer || h.Role == ledger.RoleApprover }) {
			return fault.New(fault.Unmet, "%s is neither reviewer nor approver in this project, so there is nothing to confirm.", who.Name)
		}
		if err := tx.Record(ledger.Entry{Actor: actor, Project: req.Project, Kind: EventConfirmed, Subject: ledger.Subject{Kind: "person", ID: string(req.Person)},
			Payload: map[string]string{ledger.KeyReason: reason}}); err != nil {
			return err
		}
		for i, read := range open {
			c, err := decideAnew(pastIn(tx, seen), actor, read, decision{vote: Vote{Person: actor.Person, PrintedName: actor.Name, At: now}, signOff: signOffs[i], unproven: len(wrong) > 0})
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// openCandidates reads the open candidates of a project with their evidence.
func (s *Service) openCandidates(ctx context.Context, project ledger.ProjectID) ([]reading, error) {
	var found []Candidate
	if err := s.View(ctx, func(tx Tx) (err error) {
		found, err = tx.FindCandidates(CandidateFilter{Project: project, State: StateOpen, Limit: 1000})
		return err
	}); err != nil {
		return nil, err
	}
	var open []reading
	for _, c := range found {
		read, err := s.read(ctx, project, CandidateRef{ID: c.ID})
		if err != nil {
			return nil, err
		}
		if read.RulesErr == nil {
			open = append(open, read)
		}
	}
	return open, nil
}

// decideAnew decides an open candidate without a new vote. One that changed
// since it was read, or that a comparison came to, stays as it is: it is decided
// by the next vote.
func decideAnew(tx *past, actor ledger.Actor, read reading, d decision) (Candidate, error) {
	c, err := tx.GetCandidate(read.Candidate.Project, CandidateRef{ID: read.Candidate.ID})
	if err != nil || c.State != StateOpen || c.Terms() != read.Candidate.Terms() {
		return c, err
	}
	shown, unread, err := exhibitsOf(tx, c)
	if err != nil || slices.ContainsFunc(shown, func(e exhibit) bool { return !slices.Contains(read.Facts.digests(), e.digest) }) {
		return c, err
	}
	facts, err := factsOf(tx, c)
	if err != nil || len(facts.Votes) == 0 {
		return c, err
	}
	facts.Evidence, facts.EvidenceErr, facts.Unread = read.Facts.Evidence, read.Facts.EvidenceErr, unread
	out, err := decide(tx, actor, read.Rules, facts, d)
	if err != nil || out.Candidate.State == StateOpen {
		return c, err
	}
	return out.Candidate, tx.Enqueue(work.Order{Kind: WorkSign, Payload: SignOrder{Project: c.Project, Candidate: c.ID}})
}
