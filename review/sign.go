package review

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// WorkSign is the kind of the follow-up work that signs what was voted.
const WorkSign = "review.sign"

// Decisions lists the kinds of the events by which a candidate is decided, with
// the reason that a checkpoint gives which is made for it.
func Decisions() map[string]string {
	return map[string]string{eventApproved: "approval", eventRevoked: "withdrawal", eventRejected: "rejection", eventReopened: "reopening"}
}

// SignOrder asks to sign whatever of a candidate has no signature yet.
type SignOrder struct {
	Project   ledger.ProjectID `json:"project"`
	Candidate CandidateID      `json:"candidate"`
}

// SignWork is the handler of WorkSign. It may run twice: what is signed stays.
func (s *Service) SignWork(ctx context.Context, payload json.RawMessage) error {
	var order SignOrder
	if err := json.Unmarshal(payload, &order); err != nil {
		return fault.As(fault.Invalid, err, "an unreadable order")
	}
	var d dossier
	var rules Rules
	var model compare.Model
	err := s.View(ctx, func(tx Tx) error {
		c, err := tx.GetCandidate(order.Project, CandidateRef{ID: order.Candidate})
		if err != nil {
			return err
		}
		if d, err = loadDossier(tx, c); err != nil {
			return err
		}
		policy, err := policyOf(tx, c)
		if err != nil {
			return err
		}
		if rules, err = policy.Rules(); err != nil {
			return err
		}
		if c.Model != "" {
			model, err = tx.GetModel(c.Project, c.Model)
		}
		return err
	})
	if err != nil {
		return err
	}
	pending, err := s.unsignedStatements(d, rules, treeFiles(model))
	if err != nil {
		return err
	}
	for _, a := range pending {
		if err := s.attest(ctx, d.Candidate, a); err != nil {
			return err
		}
	}
	return nil
}

// unsignedStatements makes the attestations that are missing, votes first,
// because an approval names the envelopes of its votes.
func (s *Service) unsignedStatements(d dossier, rules Rules, files []ledger.TreeFile) ([]Attestation, error) {
	var pending []Attestation
	known := slices.Clone(d.Attestations)
	has := func(kind AttestationKind, ref string) bool {
		return slices.ContainsFunc(known, func(a Attestation) bool { return a.Kind == kind && a.Ref == ref })
	}
	sign := func(kind AttestationKind, ref, predicate string, statement []byte, err error) error {
		if err != nil {
			return err
		}
		envelope, err := s.Signer.Sign(statement)
		if err != nil {
			return err
		}
		a := Attestation{Candidate: d.Candidate.ID, Kind: kind, Ref: ref, Predicate: predicate, Key: s.Signer.Hint(),
			Envelope: envelope, Digest: ledger.DigestOf(envelope), At: s.now()}
		pending, known = append(pending, a), append(known, a)
		return nil
	}
	var errs []error
	var votes []ledger.Record
	for _, r := range d.Records {
		if r.Kind == eventVoted || r.Kind == eventUnvoted {
			votes = append(votes, r)
		}
	}
	for i, v := range d.Votes {
		if has(AttestsVote, string(v.ID)) {
			continue
		}
		// A vote that no longer matches its event is not signed: a signature
		// must never make a changed row good.
		if i >= len(votes) || !commits(votes[i], v) {
			return nil, fault.New(fault.Conflict, "vote %s does not match the history", v.ID)
		}
		out, predicate, err := VoteStatement(d.Candidate, files, v, votes[i].Event, v.At.AddDate(0, 0, rules.ValidDays))
		errs = append(errs, sign(AttestsVote, string(v.ID), predicate, out, err))
	}
	for _, signed := range d.SignOffs {
		if has(AttestsApproval, string(signed.ID)) || !d.recorded(eventApproved, signed) {
			continue
		}
		var inputs []Attestation
		for _, a := range known {
			if a.Kind == AttestsVote && slices.Contains(signed.Votes, VoteID(a.Ref)) {
				inputs = append(inputs, a)
			}
		}
		out, err := ApprovalStatement(d.Candidate, files, signed, inputs)
		errs = append(errs, sign(AttestsApproval, string(signed.ID), PredicateVSA, out, err))
	}
	for _, r := range d.Revocations {
		if has(AttestsRevocation, string(r.ID)) || !d.recorded(eventRevoked, r) {
			continue
		}
		out, err := RevocationStatement(d.Candidate, files, r)
		errs = append(errs, sign(AttestsRevocation, string(r.ID), PredicateRevocation, out, err))
	}
	return pending, errors.Join(errs...)
}

// recorded reports whether an event of a kind commits to a payload.
func (d dossier) recorded(kind string, payload any) bool {
	return slices.ContainsFunc(d.Records, func(r ledger.Record) bool { return r.Kind == kind && r.Salt != nil && commits(r, payload) })
}

// attest stores an attestation; one that is there already stays.
func (s *Service) attest(ctx context.Context, c Candidate, a Attestation) error {
	err := s.Update(ctx, func(tx Tx) error {
		if err := tx.CreateAttestation(a); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: ledger.System(), Project: c.Project, Kind: eventSigned, Subject: about(c), Payload: signedPayload(a)})
	})
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}
