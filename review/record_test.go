package review_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/review"
)

// The gate rests on more than a candidate's own rows. Whoever changes that behind
// its back, before it ever looked or after, closes it.
func TestWhatAGateRestsOnCannotBeChangedUnseen(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{
		"the subject of an event that speaks against it": `UPDATE event SET subject = 'another' WHERE kind = 'candidate.measured' OR kind = 'vote.cast' AND actor = 'ana'`,
		"the project of an event":                        `UPDATE event SET project = 'another' WHERE kind = 'vote.cast'`,
		"the kind of the subject of an event":            `UPDATE event SET subject_kind = 'evidence' WHERE kind = 'candidate.opened'`,
		"who registered the model":                       `UPDATE event SET actor = 'cleo' WHERE kind = 'model.created'`,
		"an event that was put in":                       `INSERT INTO event (seq, at, actor, via, project, kind, subject_kind, subject, commitment, prev, hash) SELECT seq + 1, at, actor, via, project, 'candidate.commented', subject_kind, subject, commitment, hash, hash FROM event ORDER BY seq DESC LIMIT 1`,
		"which files the model has":                      `UPDATE model SET files = '[]'`,
		"who trained the model":                          `UPDATE model SET trained_by = 'ana'`,
	} {
		for _, looked := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", after a look", false: ", before any look"}[looked], func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				c := w.approved("weights")
				if looked {
					if a := w.gate(c); !a.OK {
						t.Fatalf("before: %+v", a)
					}
				}
				w.tamper(query)
				if a := w.gate(c); a.OK || a.State != review.AnswerBroken {
					t.Errorf("after: %+v", a)
				}
			})
		}
	}
}

func TestAWithdrawalWhoseEventIsMadeAnothersOpensNoGate(t *testing.T) {
	t.Parallel()
	for _, looked := range []bool{false, true} {
		w := newWorld(t)
		c := w.approved("weights")
		withdraw(w, c)
		w.sign()
		if looked {
			w.gate(c)
		}
		w.tamper(`DELETE FROM revocation; UPDATE candidate SET state = 'approved'; DELETE FROM attestation WHERE kind = 'revocation';
			UPDATE event SET subject = 'another' WHERE kind = 'approval.withdrawn' OR kind = 'attestation.signed' AND seq > (SELECT seq FROM event WHERE kind = 'approval.withdrawn')`)
		if a := w.gate(c); a.OK || a.State != review.AnswerBroken {
			t.Errorf("looked %v: %+v", looked, a)
		}
	}
}

func withdraw(w *world, c review.Candidate) {
	w.t.Helper()
	_, err := w.Withdraw(w.t.Context(), w.ben, review.WithdrawRequest{Project: project, Candidate: ref(c), Reason: "no", Password: "correct horse"})
	w.must(err)
}

const cutWithdrawal = `DELETE FROM revocation; UPDATE candidate SET state = 'approved';
	DELETE FROM event_payload WHERE seq >= (SELECT seq FROM event WHERE kind = 'approval.withdrawn');
	DELETE FROM event WHERE seq >= (SELECT seq FROM event WHERE kind = 'approval.withdrawn')`

// A withdrawal has its own checkpoint, so cutting the end of the history off does
// not bring the approval back, whether this process has seen the end or not.
func TestAWithdrawalThatIsCutOffOpensNoGate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	withdraw(w, c)
	w.sign()
	w.tamper(cutWithdrawal + `; DELETE FROM attestation WHERE kind = 'revocation'; DELETE FROM checkpoint WHERE reason = 'withdrawal'`)
	if a := w.gate(c); a.OK || a.State != review.AnswerBroken || !strings.Contains(a.Reason, "cut") {
		t.Errorf("by the process that wrote it: %+v", a)
	}
	walk := store.NewWalk(w.store, review.Rests()...) // as after a restart
	w.Walked, w.Proved = walk.Passed, proved(walk)
	if a := w.gate(c); a.OK || a.State != review.AnswerBroken || !strings.Contains(a.Reason, "cut") {
		t.Errorf("after a restart: %+v", a)
	}
}

// Before the checkpoint is there, the server that wrote the withdrawal remembers it.
func TestAWithdrawalIsRememberedBeforeItsCheckpointIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	withdraw(w, c)
	w.tamper(cutWithdrawal)
	if a := w.gate(c); a.OK || a.State != review.AnswerBroken {
		t.Errorf("gate = %+v", a)
	}
}

func TestAnApprovalWaitsForItsCheckpointAndIsRefusedWithoutOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	w.Covers = func(ctx context.Context, _ int64) (bool, error) { return w.keep.Covers(ctx, 1<<40) }
	if a := w.gate(c); a.OK || a.State != review.AnswerSigning || a.Decided() {
		t.Errorf("at once: %+v", a)
	}
	w.later = 5 * time.Minute
	if a := w.gate(c); a.OK || a.State != review.AnswerBroken || !strings.Contains(a.Reason, "No checkpoint covers the decision") {
		t.Errorf("later: %+v", a)
	}
	w.Covers = w.keep.Covers
	if a := w.gate(c); !a.OK {
		t.Errorf("with its checkpoint: %+v", a)
	}
}

// A weak policy that was written into the database is nobody's.
func TestACandidateUnderAPolicyThatNobodySavedShipsNowhere(t *testing.T) {
	t.Parallel()
	weak := strings.Replace(review.DefaultPolicy(project).Text, `"valid_days": 180`, `"valid_days": 900`, 1)
	w := newWorld(t)
	w.tamper(`INSERT INTO policy (project, version, digest, text, created_by, created_at) VALUES ('project-1', 1, $1, $2, 'ana', 1)`, string(ledger.DigestOf([]byte(weak))), weak)
	c := w.propose(w.model("weights"))
	w.unproven(func() {
		w.vote(w.ana, c, 1)
		w.vote(w.ben, c, 2)
	})
	if a := w.gate(c); a.OK || a.State != review.AnswerBroken || !strings.Contains(a.Reason, "a policy that nobody had saved") {
		t.Errorf("gate = %+v", a)
	}
}

// A policy that was superseded does not come back by its row.
func TestAPolicyThatWasSupersededDoesNotComeBackUnseen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := review.DefaultPolicy(project).Text
	lead := w.person("lea", "Lea Grant", ledger.RoleLead)
	for _, days := range []string{`"valid_days": 90`, `"valid_days": 60`} {
		_, err := w.SavePolicy(t.Context(), lead, review.SavePolicyRequest{Project: project, Text: strings.Replace(text, `"valid_days": 180`, days, 1), Reason: "as agreed"})
		w.must(err)
	}
	w.tamper(`UPDATE policy SET version = 9 WHERE version = 1`)
	c := w.propose(w.model("weights"))
	w.unproven(func() {
		w.vote(w.ana, c, 1)
		w.vote(w.ben, c, 2)
	})
	if a := w.gate(c); a.OK || a.State != review.AnswerBroken {
		t.Errorf("gate = %+v", a)
	}
}
