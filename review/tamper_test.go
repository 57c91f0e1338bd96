package review_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/review"
)

func compareModel(c review.Case) compare.Model { return c.Model }

// Whatever is changed behind the gate's back, the answer turns.
func TestAChangedRowClosesTheGate(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{
		"the value of a vote":               `UPDATE vote SET value = 2 WHERE person = 'ana'`,
		"the words of a vote":               `UPDATE vote SET words = 'unsafe' WHERE person = 'ana'`,
		"one letter of a comment":           `UPDATE vote SET comment = 'looked at 51 items' WHERE person = 'ana'`,
		"the printed name of a vote":        `UPDATE vote SET printed_name = 'Ana Ruis' WHERE person = 'ana'`,
		"the person of a vote":              `UPDATE vote SET person = 'cleo' WHERE person = 'ana'`,
		"the role of a vote":                `UPDATE vote SET role = 'approver' WHERE person = 'ana'`,
		"the label of a vote":               `UPDATE vote SET label = 'style' WHERE person = 'ana'`,
		"the sentence of a vote":            `UPDATE vote SET sentence = 'I agree.' WHERE person = 'ana'`,
		"the assurance of a vote":           `UPDATE vote SET assurance = 'passkey' WHERE person = 'ana'`,
		"the time zone of a vote":           `UPDATE vote SET time_zone = 'UTC' WHERE person = 'ana'`,
		"the time of a vote":                `UPDATE vote SET at = at + 1 WHERE person = 'ana'`,
		"the evidence of a vote":            `UPDATE vote SET evidence = '["sha256:00"]' WHERE person = 'ana'`,
		"the subject of a vote":             `UPDATE vote SET subject = 'sha256:00' WHERE person = 'ana'`,
		"the environment of a vote":         `UPDATE vote SET environment = 'staging' WHERE person = 'ana'`,
		"the policy of a vote":              `UPDATE vote SET policy = 'sha256:00' WHERE person = 'ana'`,
		"the baseline of a vote":            `UPDATE vote SET baseline = 'sha256:00' WHERE person = 'ana'`,
		"whether a vote is withdrawn":       `UPDATE vote SET withdrawn = 1 WHERE person = 'ana'`,
		"the order of votes":                `UPDATE vote SET seq = 99 WHERE person = 'ana'`,
		"a vote that is gone":               `DELETE FROM vote WHERE person = 'ana'`,
		"a vote that nobody cast":           `INSERT INTO vote (id, candidate, subject_kind, subject, environment, policy, baseline, person, printed_name, role, label, value, words, withdrawn, comment, sentence, assurance, time_zone, evidence, at) SELECT 'forged', candidate, subject_kind, subject, environment, policy, baseline, 'cleo', 'Cleo Hart', role, label, value, words, withdrawn, comment, sentence, assurance, time_zone, evidence, at FROM vote WHERE person = 'ana'`,
		"what a vote's event commits to":    `UPDATE event SET commitment = 'sha256:00' WHERE kind = 'vote.cast'`,
		"who cast a vote by its event":      `UPDATE event SET actor = 'cleo' WHERE kind = 'vote.cast' AND actor = 'ana'`,
		"what a vote's event is":            `UPDATE event SET kind = 'vote.seen' WHERE kind = 'vote.cast' AND actor = 'ana'`,
		"the payload of a vote's event":     `UPDATE event_payload SET payload = payload || ' ' WHERE seq IN (SELECT seq FROM event WHERE kind = 'vote.cast')`,
		"the salt of a vote's event":        `UPDATE event_payload SET salt = x'00' WHERE seq IN (SELECT seq FROM event WHERE kind = 'vote.cast')`,
		"an event that is gone":             `DELETE FROM event_payload WHERE seq = 3; DELETE FROM event WHERE seq = 3`,
		"the first event":                   `DELETE FROM event_payload WHERE seq = 1; DELETE FROM event WHERE seq = 1`,
		"the digest of the model":           `UPDATE model SET digest = 'sha256:00'`,
		"a file of the model":               `UPDATE model SET files = replace(files, 'model.bin', 'other.bin'), digest = digest || ''; UPDATE model SET files = replace(files, '"digest":"sha256:', '"digest":"sha256:0')`,
		"the files of the model":            `UPDATE model SET files = '[]', digest = 'sha256:00'`,
		"the model that the candidate is":   `UPDATE candidate SET model = 'another'`,
		"the subject of the candidate":      `UPDATE candidate SET subject_kind = 'snapshot'`,
		"who trained it":                    `UPDATE candidate SET trained_by = 'lea'`,
		"what it was measured against":      `UPDATE candidate SET baseline_number = 7`,
		"the policy of the candidate":       `UPDATE candidate SET policy = 'sha256:00'`,
		"until when the approval holds":     `UPDATE sign_off SET expires_at = expires_at + 1`,
		"the results of the approval":       `UPDATE sign_off SET results = '[]'`,
		"an approval that is gone":          `DELETE FROM sign_off`,
		"a signature that is another's":     `UPDATE attestation SET envelope = (SELECT envelope FROM attestation WHERE kind = 'approval'), digest = (SELECT digest FROM attestation WHERE kind = 'approval')`,
		"a signature with a changed digest": `UPDATE attestation SET digest = 'sha256:00' WHERE kind = 'approval'`,
		"a signature that is gone":          `DELETE FROM attestation WHERE kind = 'approval'`,
		"signatures of votes that are gone": `DELETE FROM attestation WHERE kind = 'vote'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.approved("weights")
			if a := w.gate(c); !a.OK {
				t.Fatalf("before: %+v", a)
			}
			w.tamper(query)
			a, err := w.Gate(t.Context(), w.ben, review.GateRequest{Candidate: review.CandidateRef{Number: c.Number}})
			if err == nil && (a.OK || a.Reason == "") {
				t.Errorf("after: %+v", a)
			}
		})
	}
}

func TestAChangedByteOfTheModelClosesTheGate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	for d, content := range w.files.content {
		w.files.content[d] = append(bytes.Clone(content[:len(content)-1]), content[len(content)-1]^1)
	}
	if a := w.gate(c); a.OK || a.State != review.AnswerBroken || a.Reason != "The model's file model.bin was changed after it was voted on." {
		t.Errorf("gate = %+v", a)
	}
	clear(w.files.content)
	if a := w.gate(c); a.OK || a.State != review.AnswerBroken {
		t.Errorf("without the file: %+v", a)
	}
}

func TestAChangedComparisonClosesTheGate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.approved("first")
	c := w.propose(w.model("second"))
	w.compared(c, -0.001, 0.02)
	w.vote(w.ana, c, 1)
	w.vote(w.ben, c, 2)
	if a := w.gate(c); !a.OK {
		t.Fatalf("before: %+v", a)
	}
	for d, content := range w.files.content {
		if bytes.Contains(content, []byte(`"difference"`)) {
			w.files.content[d] = bytes.Replace(content, []byte("0.02"), []byte("0.03"), 1)
		}
	}
	if a := w.gate(c); a.OK || a.Results[0].State != review.Error {
		t.Errorf("after: %+v", a)
	}
}

func TestAStateThatNobodyDecidedOpensNoGate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	w.tamper(`UPDATE candidate SET state = 'approved'`)
	if a := w.gate(c); a.OK {
		t.Errorf("gate = %+v", a)
	}
}

func TestAWithdrawalThatIsHiddenOpensNoGate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	_, err := w.Withdraw(t.Context(), w.ben, review.WithdrawRequest{Project: project, Candidate: ref(c), Reason: "no", Password: "correct horse"})
	w.must(err)
	w.sign()
	w.tamper(`DELETE FROM revocation; UPDATE candidate SET state = 'approved'; DELETE FROM attestation WHERE kind = 'revocation'`)
	if a := w.gate(c); a.OK {
		t.Errorf("gate = %+v", a)
	}
}

// Who can write to the database can also make a history that verifies. What
// they cannot do is sign.
func TestAHistoryThatIsRewrittenWholeOpensNoGate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	w.vote(w.ana, c, 0)
	w.vote(w.ben, c, 2)
	w.tamper(`UPDATE vote SET value = 2, words = 'safe' WHERE person = 'ana';
		UPDATE event_payload SET payload = replace(replace(payload, '"value":0', '"value":2'), 'I cannot tell","comment', 'safe","comment') WHERE seq IN (SELECT seq FROM event WHERE kind = 'vote.cast' AND actor = 'ana')`)
	var prev ledger.Event
	w.must(w.store.WalkHistory(t.Context(), func(r ledger.Record) error {
		e := r.Event
		e.Prev, e.Commitment = prev.Hash, ledger.Commit(r.Salt, r.Payload)
		if prev.Seq == 0 {
			e.Prev = ledger.ZeroDigest
		}
		e.Hash = e.Sum()
		w.tamper(`UPDATE event SET prev = $1, commitment = $2, hash = $3 WHERE seq = $4`, string(e.Prev), string(e.Commitment), string(e.Hash), e.Seq)
		prev = e
		return nil
	}))
	if _, err := w.store.CheckHistory(t.Context()); err != nil {
		t.Fatalf("the forged history is no good forgery: %v", err)
	}
	// The process that knows the true one takes no vote on forged ground.
	_, err := w.Vote(t.Context(), w.cleo, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Role: ledger.RoleApprover, Password: "correct horse"})
	wantFault(t, err, fault.Conflict, "The history was rewritten")
	w.Walked = store.NewWalk(w.store, review.Rests()...).Passed // as after a restart
	w.unproven(func() { w.vote(w.cleoAs(ledger.RoleApprover), c, 2) })
	if a := w.gate(c); a.OK || a.State != review.AnswerBroken {
		t.Errorf("gate = %+v", a)
	}
}

// What no event of the candidate holds is held by the seals of its row: who may do
// what, what the model was judged on, what was said.
func TestAChangedRowThatAGateRestsOnClosesItAndItsVote(t *testing.T) {
	t.Parallel()
	for query, row := range map[string]string{
		`INSERT INTO membership (project, person, role) VALUES ('project-1', 'cleo', 'lead')`:                                                         `["project-1","cleo","lead"] of the table membership was added`,
		`DELETE FROM membership WHERE person = 'cleo' AND role = 'approver'`:                                                                          `["project-1","cleo","approver"] of the table membership was taken away`,
		`UPDATE person SET password = 'theirs' WHERE id = 'ana'`:                                                                                      `["ana"] of the table person was changed`,
		`UPDATE person SET admin = 1 WHERE id = 'ben'`:                                                                                                `["ben"] of the table person was changed`,
		`UPDATE snapshot SET purpose = 'training' WHERE id = 'snapshot-1'`:                                                                            `["snapshot-1"] of the table snapshot was changed`,
		`UPDATE snapshot SET digest = 'sha256:00' WHERE id = 'snapshot-2'`:                                                                            `["snapshot-2"] of the table snapshot was changed`,
		`INSERT INTO trash (kind, project, id, name, reason, person, at, purged_at) VALUES ('snapshot', 'project-1', 'snapshot-1', '', '', '', 1, 0)`: `["snapshot","project-1","snapshot-1"] of the table trash was added`,
		`INSERT INTO policy (project, version, digest, text, created_by, created_at) VALUES ('project-1', 1, 'sha256:00', '', 'ana', 1)`:              `["project-1",1] of the table policy was added`,
		`DELETE FROM comparison`:                         `of the table comparison was taken away`,
		`UPDATE comparison SET verdict = 'worse'`:        `of the table comparison was changed`,
		`DELETE FROM candidate_comment`:                  `of the table candidate_comment was taken away`,
		`UPDATE candidate SET note = 'looked at by all'`: `of the table candidate was changed`,
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.approved("first")
			c := w.propose(w.model("second"))
			w.compared(c, -0.001, 0.02)
			_, err := w.Comment(t.Context(), w.cleo, review.CommentRequest{Project: project, Candidate: review.CandidateRef{ID: c.ID}, Text: "I looked at it."})
			w.must(err)
			w.vote(w.ana, c, 1)
			w.vote(w.ben, c, 2)
			if a := w.gate(c); !a.OK {
				t.Fatalf("before: %+v", a)
			}
			w.tamper(query)
			if a := w.gate(c); a.OK || a.State != review.AnswerBroken || !strings.Contains(a.Reason, row) || !strings.Contains(a.Reason, "Run adjudge doctor") {
				t.Errorf("after: %+v", a)
			}
			if _, err := w.Vote(t.Context(), w.cleo, review.VoteRequest{Project: project, Candidate: review.CandidateRef{ID: c.ID}, Role: ledger.RoleReviewer, Value: 1, Comment: "it holds", Password: "correct horse"}); !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Message(err), row) {
				t.Errorf("a vote then: %v", err)
			}
		})
	}
}

// What is decided on changed rows would stay decided when they are put back.
func TestNothingIsApprovedOnChangedRows(t *testing.T) {
	t.Parallel()
	objection := func(w *world, c review.Candidate) review.Candidate {
		got, err := w.WithdrawVote(t.Context(), w.ben, review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Password: "correct horse"})
		w.must(err)
		return got.Candidate
	}
	for name, changed := range map[string]bool{"as they were": false, "changed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.propose(w.model("weights"))
			w.vote(w.ben, c, -1)
			w.vote(w.ana, c, 2)
			w.vote(w.cleoAs(ledger.RoleApprover), c, 2)
			want := review.StateApproved
			if changed {
				w.tamper(`UPDATE snapshot SET purpose = 'training' WHERE id = 'snapshot-1'`)
				want = review.StateOpen
			}
			if got := objection(w, c); got.State != want {
				t.Errorf("it is %s, want %s", got.State, want)
			}
			if !changed {
				return
			}
			w.tamper(`UPDATE snapshot SET purpose = 'evaluation' WHERE id = 'snapshot-1'`)
			if a := w.gate(c); a.OK {
				t.Errorf("once they are put back: %+v", a)
			}
		})
	}
}

func (w *world) cleoAs(role ledger.Role) ledger.Actor {
	cleo := w.cleo
	cleo.Roles = map[ledger.ProjectID][]ledger.Role{project: {role}}
	return cleo
}

func compareModelOf(w *world, c review.Candidate) compare.Model {
	w.t.Helper()
	got, err := w.Case(w.t.Context(), w.ben, project, ref(c))
	w.must(err)
	return got.Model
}
