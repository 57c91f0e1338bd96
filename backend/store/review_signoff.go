package store

import (
	"encoding/json"
	"errors"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/review"
)

// CreateSignOff stores a sign-off.
func (tx *Tx) CreateSignOff(s review.SignOff) error {
	results, err1 := json.Marshal(s.Results)
	votes, err2 := json.Marshal(s.Votes)
	evidence, err3 := json.Marshal(s.Evidence)
	makers, err4 := json.Marshal(s.Makers)
	people, err5 := json.Marshal(s.People)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return fault.Wrap(err, "encode a sign-off")
	}
	_, err := tx.exec(`INSERT INTO sign_off (id, candidate, subject_kind, subject, environment, policy, results, votes, evidence, people, at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		string(s.ID), string(s.Candidate), string(s.Subject.Kind), string(s.Subject.Digest), string(s.Environment), string(s.Policy),
		string(results), string(votes), string(evidence), string(people), micros(s.At), micros(s.ExpiresAt))
	if err == nil && len(s.Makers) > 0 {
		_, err = tx.exec(`INSERT INTO sign_off_maker (sign_off, makers) VALUES ($1, $2)`, string(s.ID), string(makers))
	}
	return fault.Wrap(err, "store a sign-off")
}

// FindSignOffs lists the sign-offs of a candidate, oldest first.
func (tx *Tx) FindSignOffs(candidate review.CandidateID) ([]review.SignOff, error) {
	var found []review.SignOff
	err := tx.each(`SELECT id, candidate, subject_kind, subject, environment, policy, results, votes, evidence, people, COALESCE(m.makers, ''), at, expires_at
		FROM sign_off LEFT JOIN sign_off_maker m ON m.sign_off = id WHERE candidate = $1 ORDER BY seq`,
		[]any{string(candidate)}, func(scan func(...any) error) error {
			var s review.SignOff
			var results, votes, evidence, people, makers string
			var at, expires int64
			if err := scan(&s.ID, &s.Candidate, &s.Subject.Kind, &s.Subject.Digest, &s.Environment, &s.Policy, &results, &votes, &evidence, &people, &makers, &at, &expires); err != nil {
				return err
			}
			s.At, s.ExpiresAt = fromMicros(at), fromMicros(expires)
			err := errors.Join(json.Unmarshal([]byte(results), &s.Results), json.Unmarshal([]byte(votes), &s.Votes), json.Unmarshal([]byte(evidence), &s.Evidence), json.Unmarshal([]byte(people), &s.People))
			if makers != "" { // of before makers were noted
				err = errors.Join(err, json.Unmarshal([]byte(makers), &s.Makers))
			}
			found = append(found, s)
			return unreadable(err)
		})
	return found, fault.Wrap(err, "find sign-offs")
}

// CreateRevocation stores a revocation.
func (tx *Tx) CreateRevocation(r review.Revocation) error {
	_, err := tx.exec(`INSERT INTO revocation (id, sign_off, candidate, subject_kind, subject, environment, person, printed_name, reason, sentence,
			assurance, time_zone, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		string(r.ID), string(r.SignOff), string(r.Candidate), string(r.Subject.Kind), string(r.Subject.Digest), string(r.Environment),
		string(r.Person), r.PrintedName, r.Reason, r.Sentence, string(r.Assurance), r.TimeZone, micros(r.At))
	return fault.Wrap(err, "store a revocation")
}

// FindRevocations lists the revocations of a candidate, oldest first.
func (tx *Tx) FindRevocations(candidate review.CandidateID) ([]review.Revocation, error) {
	var found []review.Revocation
	err := tx.each(`SELECT id, sign_off, candidate, subject_kind, subject, environment, person, printed_name, reason, sentence, assurance, time_zone, at
		FROM revocation WHERE candidate = $1 ORDER BY seq`,
		[]any{string(candidate)}, func(scan func(...any) error) error {
			var r review.Revocation
			var at int64
			err := scan(&r.ID, &r.SignOff, &r.Candidate, &r.Subject.Kind, &r.Subject.Digest, &r.Environment, &r.Person, &r.PrintedName,
				&r.Reason, &r.Sentence, &r.Assurance, &r.TimeZone, &at)
			r.At = fromMicros(at)
			found = append(found, r)
			return err
		})
	return found, fault.Wrap(err, "find revocations")
}

// CreateAttestation returns Conflict where the reference has one already.
func (tx *Tx) CreateAttestation(a review.Attestation) error {
	_, err := tx.exec(`INSERT INTO attestation (candidate, kind, ref, predicate, key, envelope, digest, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		string(a.Candidate), string(a.Kind), a.Ref, a.Predicate, a.Key, a.Envelope, string(a.Digest), micros(a.At))
	return fault.Wrap(err, "store an attestation")
}

// FindAttestations lists the attestations of a candidate, oldest first.
func (tx *Tx) FindAttestations(candidate review.CandidateID) ([]review.Attestation, error) {
	var found []review.Attestation
	err := tx.each(`SELECT candidate, kind, ref, predicate, key, envelope, digest, at FROM attestation WHERE candidate = $1 ORDER BY seq`,
		[]any{string(candidate)}, func(scan func(...any) error) error {
			var a review.Attestation
			var at int64
			err := scan(&a.Candidate, &a.Kind, &a.Ref, &a.Predicate, &a.Key, &a.Envelope, &a.Digest, &at)
			a.At = fromMicros(at)
			found = append(found, a)
			return err
		})
	return found, fault.Wrap(err, "find attestations")
}
