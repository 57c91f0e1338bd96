package review

import (
	"context"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Policy returns the policy that new candidates of a project are judged by.
func (s *Service) Policy(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) (policy Policy, err error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Policy{}, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		policy, err = currentPolicy(tx, project)
		return err
	})
	return policy, err
}

// SavePolicyRequest sets the policy of a project. Base is the digest of the
// policy that was edited; empty saves whatever stands there.
type SavePolicyRequest struct {
	Project ledger.ProjectID
	Text    string
	Base    ledger.Digest
	Reason  string // why it changes; needed where it does
}

// SavePolicy supersedes the policy of a project. Candidates that are open or
// decided keep the one they were opened under. It returns Conflict where
// somebody else saved one since, and Invalid with every problem of the text, or
// naming "reason" where there is none. A token saves none: what votes are held
// against is a person's own act.
func (s *Service) SavePolicy(ctx context.Context, actor ledger.Actor, req SavePolicyRequest) (Policy, error) {
	if err := actor.Must(req.Project, ledger.ActionManage); err != nil {
		return Policy{}, err
	}
	if err := actor.MustBeThere(); err != nil {
		return Policy{}, err
	}
	if len(req.Text) > 100_000 {
		return Policy{}, fault.Field("text", "A policy has at most 100,000 bytes.")
	}
	rules, err := ParsePolicy(req.Text)
	if err != nil {
		return Policy{}, err
	}
	if err := plainPolicy(req.Text, rules); err != nil {
		return Policy{}, err
	}
	var out Policy
	now := s.now()
	err = s.Update(ctx, func(tx Tx) error {
		actor, err := stillMay(tx, actor, req.Project, ledger.ActionManage)
		if err != nil {
			return err
		}
		current, err := currentPolicy(tx, req.Project)
		if err != nil {
			return err
		}
		if req.Base != "" && req.Base != current.Digest {
			return fault.New(fault.Conflict, "Somebody else saved a policy meanwhile. Look at it and apply your change again.")
		}
		if current.Text == req.Text {
			out = current
			return nil
		}
		reason, err := ledger.Reason(req.Reason, fault.Format("the policy changes"), true)
		if err != nil {
			return err
		}
		out, err = tx.CreatePolicy(Policy{Project: req.Project, Text: req.Text, Digest: ledger.DigestOf([]byte(req.Text)), CreatedBy: actor.Person, CreatedAt: now})
		if err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: req.Project, Kind: eventPolicy, Subject: ledger.Subject{Kind: "policy", ID: string(out.Digest)}, Payload: map[string]any{
			"version": out.Version, "digest": out.Digest, ledger.KeyWas: map[string]string{"text": current.Text}, ledger.KeyIs: map[string]string{"text": out.Text}, ledger.KeyReason: reason,
		}})
	})
	return out, err
}

// Would is what a policy would say about a candidate as it stands.
type Would struct {
	Candidate Candidate
	Results   []Result
}

// Passes reports whether the policy would let the candidate ship.
func (w Would) Passes() bool { return Pass(w.Results) }

// Rehearse evaluates a policy on the last twenty candidates of a project, as
// they stand, and changes nothing.
func (s *Service) Rehearse(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, text string) ([]Would, error) {
	rules, err := ParsePolicy(text)
	if err != nil {
		return nil, err
	}
	found, err := s.Candidates(ctx, actor, CandidateFilter{Project: project, Limit: 20})
	if err != nil {
		return nil, err
	}
	var would []Would
	for _, c := range found {
		if c.State == StateDraft {
			continue
		}
		read, err := s.read(ctx, project, CandidateRef{ID: c.ID})
		if err != nil {
			return nil, err
		}
		// Votes were cast under the policy of their day; here only what they
		// say is asked.
		facts := read.Facts
		facts.Current = facts.Candidate.Baseline
		would = append(would, Would{Candidate: c, Results: rules.Evaluate(facts)})
	}
	return would, nil
}
