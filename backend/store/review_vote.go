package store

import (
	"encoding/json"
	"fmt"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

// CreateVote stores a vote.
func (tx *Tx) CreateVote(v review.Vote) error {
	evidence, err := json.Marshal(v.Evidence)
	if err != nil {
		return fmt.Errorf("encode the evidence of a vote: %w", err)
	}
	_, err = tx.exec(`INSERT INTO vote (id, candidate, subject_kind, subject, environment, policy, baseline, person, printed_name, role, label, value,
			words, withdrawn, comment, sentence, assurance, time_zone, evidence, looked, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		string(v.ID), string(v.Candidate), string(v.Subject.Kind), string(v.Subject.Digest), string(v.Environment), string(v.Policy),
		string(v.Baseline), string(v.Person), v.PrintedName, string(v.Role), v.Label, v.Value, v.Words, v.Withdrawn, v.Comment, v.Sentence,
		string(v.Assurance), v.TimeZone, string(evidence), string(v.Opened), micros(v.At))
	return fault.Wrap(err, "store a vote")
}

// FindVotes lists all votes on a candidate in the order in which they were cast.
func (tx *Tx) FindVotes(candidate review.CandidateID) ([]review.Vote, error) {
	var found []review.Vote
	err := tx.each(`SELECT id, candidate, subject_kind, subject, environment, policy, baseline, person, printed_name, role, label, value,
			words, withdrawn, comment, sentence, assurance, time_zone, evidence, looked, at FROM vote WHERE candidate = $1 ORDER BY seq`,
		[]any{string(candidate)}, func(scan func(...any) error) error {
			var v review.Vote
			var evidence, looked string
			var at int64
			if err := scan(&v.ID, &v.Candidate, &v.Subject.Kind, &v.Subject.Digest, &v.Environment, &v.Policy, &v.Baseline, &v.Person,
				&v.PrintedName, &v.Role, &v.Label, &v.Value, &v.Words, &v.Withdrawn, &v.Comment, &v.Sentence, &v.Assurance, &v.TimeZone,
				&evidence, &looked, &at); err != nil {
				return err
			}
			v.At = fromMicros(at)
			if looked != "" { // the digest is of what stands here, so that a change of it is one of the vote
				v.Opened, v.Looked = []byte(looked), ledger.DigestOf([]byte(looked))
			}
			found = append(found, v)
			return unreadable(json.Unmarshal([]byte(evidence), &found[len(found)-1].Evidence))
		})
	return found, fault.Wrap(err, "find votes")
}

// unreadable says that a row holds what this program never wrote.
func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return fault.As(fault.Conflict, err, "A row of the database was changed and cannot be read any more.")
}

// CreateComment stores a comment.
func (tx *Tx) CreateComment(c review.Comment) error {
	_, err := tx.exec(`INSERT INTO candidate_comment (id, candidate, person, printed_name, kind, text, via, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		string(c.ID), string(c.Candidate), string(c.Person), c.PrintedName, string(c.Kind), c.Text, string(c.Via), micros(c.At))
	return fault.Wrap(err, "store a comment")
}

// FindComments lists the comments on a candidate, oldest first.
func (tx *Tx) FindComments(candidate review.CandidateID) ([]review.Comment, error) {
	var found []review.Comment
	err := tx.each(`SELECT id, candidate, person, printed_name, kind, text, via, at FROM candidate_comment WHERE candidate = $1 ORDER BY seq`,
		[]any{string(candidate)}, func(scan func(...any) error) error {
			var c review.Comment
			var at int64
			err := scan(&c.ID, &c.Candidate, &c.Person, &c.PrintedName, &c.Kind, &c.Text, &c.Via, &at)
			c.At = fromMicros(at)
			found = append(found, c)
			return err
		})
	return found, fault.Wrap(err, "find comments")
}
