package review

import (
	"context"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// ProposeRequest proposes a model. A draft that a training left for the same
// model and environment is opened, not doubled.
type ProposeRequest struct {
	Project     ledger.ProjectID
	Model       compare.ModelRef // zero where Subject names something else
	Subject     Subject          // used where Model is zero: a snapshot by its digest
	Environment Environment
	Note        string
}

// Propose opens a candidate for votes. It returns Conflict where one for the
// same subject and environment is open or approved.
func (s *Service) Propose(ctx context.Context, actor ledger.Actor, req ProposeRequest) (Candidate, error) {
	if err := actor.Must(req.Project, ledger.ActionPropose); err != nil {
		return Candidate{}, err
	}
	var out Candidate
	id, now := CandidateID(s.NewID()), s.now()
	err := s.Update(ctx, func(tx Tx) error {
		actor, err := stillMay(tx, actor, req.Project, ledger.ActionPropose)
		if err != nil {
			return err
		}
		c := Candidate{ID: id, Project: req.Project, Subject: req.Subject, CreatedAt: now}
		if req.Model != (compare.ModelRef{}) {
			model, err := modelOf(tx, req.Project, req.Model)
			if err != nil {
				return err
			}
			c = Draft(id, model, req.Environment, now)
		} else if req.Subject.Kind == SubjectSnapshot {
			snapshot, err := tx.SnapshotDigested(req.Project, req.Subject.Digest)
			if err != nil {
				return err
			}
			c.Name, c.TrainedBy = snapshot.Title(), snapshot.CreatedBy
		}
		c.Environment, c.Note, c.ProposedBy, c.State = req.Environment, req.Note, actor.Person, StateDraft
		if err := c.Validate(); err != nil {
			return err
		}
		same, err := tx.FindCandidates(CandidateFilter{Project: c.Project, Digest: c.Subject.Digest, Environment: c.Environment, Limit: 1000})
		if err != nil {
			return err
		}
		known := false
		for _, other := range same {
			if other.Subject.Kind != c.Subject.Kind {
				continue
			}
			switch other.State {
			case StateOpen, StateApproved, StateRejected:
				return fault.New(fault.Conflict, "%s is already proposed for %s as candidate %d, which is %s. Vote there.", other.Name, other.Environment, other.Number, other.State)
			case StateDraft:
				trained := other.TrainedBy
				if trained == "" {
					trained = c.TrainedBy
				}
				other.Note, other.ProposedBy, other.TrainedBy = c.Note, actor.Person, trained
				c, known = other, true
			case StateWithdrawn:
			}
		}
		if !known {
			if c, err = tx.CreateCandidate(c); err != nil {
				return err
			}
			if err := tx.Record(ledger.Entry{Actor: actor, Project: c.Project, Kind: eventCreated, Subject: about(c), Payload: c.Terms()}); err != nil {
				return err
			}
		}
		out, err = openCandidate(tx, actor, c, s)
		return err
	})
	return out, err
}

// modelOf finds the model that a reference names; of several the newest.
func modelOf(tx Tx, project ledger.ProjectID, ref compare.ModelRef) (compare.Model, error) {
	if ref.ID != "" {
		return tx.GetModel(project, ref.ID)
	}
	found, err := tx.FindModels(compare.ModelFilter{Project: project, Name: ref.Name, Version: ref.Version, Digest: ref.Digest, Limit: 1})
	if err != nil {
		return compare.Model{}, err
	}
	if len(found) == 0 {
		return compare.Model{}, fault.New(fault.NotFound, "This project has no model %s. Register it with `adjudge predict import`, or train it.", ref)
	}
	return found[0], nil
}

// Models lists the models that could be proposed, newest first.
func (s *Service) Models(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) (found []compare.Model, err error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		found, err = tx.FindModels(compare.ModelFilter{Project: project, Limit: 200})
		return err
	})
	return found, err
}

// openCandidate fixes what a draft is judged by and against, and puts it to the vote.
func openCandidate(tx Tx, actor ledger.Actor, c Candidate, s *Service) (Candidate, error) {
	policy, err := currentPolicy(tx, c.Project)
	if err != nil {
		return c, err
	}
	if c.Baseline, err = lastApproved(tx, c); err != nil {
		return c, err
	}
	c.Policy, c.State, c.OpenedAt = policy.Digest, StateOpen, s.now()
	if err := tx.UpdateCandidate(c); err != nil {
		return c, err
	}
	if err := startMeasuring(tx, c, c.OpenedAt); err != nil {
		return c, err
	}
	return c, tx.Record(ledger.Entry{Actor: actor, Project: c.Project, Kind: eventOpened, Subject: about(c), Payload: c.Terms()})
}

// Open puts a draft to the vote.
func (s *Service) Open(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref CandidateRef, note string) (Candidate, error) {
	if err := actor.Must(project, ledger.ActionPropose); err != nil {
		return Candidate{}, err
	}
	var out Candidate
	err := s.View(ctx, func(tx Tx) (err error) {
		out, err = tx.GetCandidate(project, ref)
		return err
	})
	if err != nil {
		return out, err
	}
	if out.State != StateDraft {
		return out, fault.New(fault.Conflict, "Candidate %d is %s already.", out.Number, out.State)
	}
	return s.Propose(ctx, actor, ProposeRequest{Project: project, Model: compare.ModelRef{ID: out.Model}, Subject: out.Subject, Environment: out.Environment, Note: note})
}

// Rebase measures an open candidate against what was approved last, where that
// changed since it was opened. Votes for it were given on other evidence and no longer
// count; votes against it stay.
func (s *Service) Rebase(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref CandidateRef) (Candidate, error) {
	if err := actor.Must(project, ledger.ActionPropose); err != nil {
		return Candidate{}, err
	}
	var out Candidate
	now := s.now()
	err := s.Update(ctx, func(tx Tx) error {
		actor, err := stillMay(tx, actor, project, ledger.ActionPropose)
		if err != nil {
			return err
		}
		c, err := tx.GetCandidate(project, ref)
		if err != nil {
			return err
		}
		if c.State != StateOpen && c.State != StateRejected {
			return fault.New(fault.Conflict, "Candidate %d is %s; only one that people vote on can be measured anew.", c.Number, c.State)
		}
		current, err := lastApproved(tx, c)
		if err != nil {
			return err
		}
		if !c.Stale(current) {
			return fault.New(fault.Conflict, "The baseline for %s has not changed since candidate %d was opened: what was approved last stays it, also where its approval was taken back.", c.Environment, c.Number)
		}
		policy, err := currentPolicy(tx, project)
		if err != nil {
			return err
		}
		c.Baseline, c.Policy, c.OpenedAt = current, policy.Digest, now
		if err := tx.UpdateCandidate(c); err != nil {
			return err
		}
		out = c
		if err := startMeasuring(tx, c, now); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: eventRebased, Subject: about(c), Payload: c.Terms()})
	})
	return out, err
}

// Locate finds a candidate in whichever project has it, of those that the actor
// may read. It returns Invalid where several projects have one.
func (s *Service) Locate(ctx context.Context, actor ledger.Actor, ref CandidateRef) (Candidate, error) {
	var found []Candidate
	if err := s.View(ctx, func(tx Tx) (err error) {
		if found, err = tx.FindCandidates(CandidateFilter{ID: ref.ID, Number: ref.Number, Digest: ref.Digest, Limit: 1000}); err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(c Candidate) bool { return !actor.May(c.Project, ledger.ActionRead) })
		found, err = veiled(tx, actor, found, ref.Digest != "")
		return err
	}); err != nil {
		return Candidate{}, err
	}
	var best Candidate
	for _, c := range found {
		switch {
		case best.ID == "":
			best = c
		case best.Project != c.Project:
			return Candidate{}, fault.Field("project", "Several projects have such a candidate. Say which with --project.")
		}
	}
	if best.ID == "" {
		return best, fault.New(fault.NotFound, "There is no such candidate in a project of yours.")
	}
	return best, nil
}

// Candidates lists the candidates of a project, newest first.
func (s *Service) Candidates(ctx context.Context, actor ledger.Actor, filter CandidateFilter) (found []Candidate, err error) {
	if err := actor.Must(filter.Project, ledger.ActionRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		if found, err = tx.FindCandidates(filter); err != nil {
			return err
		}
		found, err = veiled(tx, actor, found, filter.Digest != "")
		return err
	})
	return found, err
}

// CommentRequest adds to the conversation.
type CommentRequest struct {
	Project   ledger.ProjectID
	Candidate CandidateRef
	Kind      CommentKind
	Text      string
}

// Comment adds to the conversation about a candidate: words, a request for
// evidence, or a recusal, after which the policy no longer counts on the
// person and takes no vote of theirs. A recusal is final for the candidate; it
// returns Conflict where a vote of theirs stands, and Denied for whoever could
// not vote anyway.
func (s *Service) Comment(ctx context.Context, actor ledger.Actor, req CommentRequest) (Comment, error) {
	if err := actor.Must(req.Project, ledger.ActionComment); err != nil {
		return Comment{}, err
	}
	if err := validText("text", req.Text, true); err != nil {
		return Comment{}, err
	}
	kind := eventCommented
	switch req.Kind {
	case Remark:
	case Ask:
		kind = eventAsked
	case Recusal:
		kind = eventRecused
		if len(votingRoles(actor, req.Project)) == 0 {
			return Comment{}, fault.New(fault.Denied, "You are neither reviewer nor approver in this project, so nobody waits for your vote.")
		}
		if err := byLogin(actor); err != nil {
			return Comment{}, err
		}
	default:
		return Comment{}, fault.Field("kind", "A comment is a remark, a request for evidence (ask) or a recusal, not %.40q.", req.Kind)
	}
	var out Comment
	id, now := CommentID(s.NewID()), s.now()
	err := s.Update(ctx, func(tx Tx) error {
		c, err := candidateFor(tx, actor, req.Project, req.Candidate)
		if err != nil {
			return err
		}
		actor, err := stillMay(tx, actor, req.Project, ledger.ActionComment)
		if err != nil {
			return err
		}
		if req.Kind == Recusal {
			if err := mayRecuse(tx, c, actor.Person); err != nil {
				return err
			}
		}
		out = Comment{ID: id, Candidate: c.ID, Person: actor.Person, PrintedName: actor.Name, Kind: req.Kind, Text: req.Text, Via: actor.Via, At: now}
		if err := tx.CreateComment(out); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: c.Project, Kind: kind, Subject: about(c), Payload: out})
	})
	return out, err
}

func mayRecuse(tx Tx, c Candidate, person ledger.PersonID) error {
	votes, err := tx.FindVotes(c.ID)
	if err != nil {
		return err
	}
	comments, err := tx.FindComments(c.ID)
	switch {
	case err != nil:
		return err
	case c.State != StateOpen && c.State != StateRejected:
		return fault.New(fault.Conflict, "Candidate %d is %s; nobody waits for your vote.", c.Number, c.State)
	case slices.ContainsFunc(Live(votes), func(v Vote) bool { return v.Person == person }):
		return fault.New(fault.Conflict, "A vote of yours stands on candidate %d. Withdraw it first, then recuse yourself.", c.Number)
	case slices.Contains(recusedIn(comments), person):
		return fault.New(fault.Conflict, "You recused yourself from candidate %d already.", c.Number)
	}
	return nil
}
