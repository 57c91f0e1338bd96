package review_test

import (
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/review"
)

// takenBack are the ways in which an approval ends by people's hands.
func takenBack() map[string]func(*world, review.Candidate) review.State {
	return map[string]func(*world, review.Candidate) review.State{
		"a vote is taken back": func(w *world, c review.Candidate) review.State {
			voted, err := w.WithdrawVote(w.t.Context(), w.ana, review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Password: "correct horse"})
			w.must(err)
			w.sign()
			return voted.Candidate.State
		},
		"it is withdrawn": func(w *world, c review.Candidate) review.State {
			c, err := w.Withdraw(w.t.Context(), w.ben, review.WithdrawRequest{Project: project, Candidate: ref(c), Reason: "It mixes up refunds.", Password: "correct horse"})
			w.must(err)
			w.sign()
			return c.State
		},
	}
}

func TestAMeasuredLossStaysWhenTheApprovalIsTakenBack(t *testing.T) {
	t.Parallel()
	for name, takeBack := range takenBack() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first := w.approved("weights")
			worse := w.propose(w.model("worse weights"))
			w.compared(worse, -0.25, -0.15)
			if state := takeBack(w, first); state == review.StateApproved {
				t.Fatal("it is still approved")
			}
			_, err := w.Rebase(t.Context(), w.tom, project, ref(worse))
			wantFault(t, err, fault.Conflict, "what was approved last stays it")
			again := w.propose(w.model("still worse weights"))
			w.compared(again, -0.25, -0.15)
			for _, c := range []review.Candidate{worse, again} {
				if c.Baseline != first.AsBaseline() {
					t.Errorf("candidate %d is measured against %+v", c.Number, c.Baseline)
				}
				if r := w.result(c); r.State != review.Unsatisfied || !strings.Contains(r.Says, "decisively worse than intents@1") {
					t.Errorf("candidate %d: %+v", c.Number, r)
				}
				w.vote(w.ana, c, 1)
				w.vote(w.ben, c, 2)
				if a := w.gate(c); a.OK {
					t.Errorf("the gate of %d opens: %+v", c.Number, a)
				}
			}
		})
	}
}

func TestWhatIsApprovedNowIsTheBaselineBeforeWhatWasTakenBack(t *testing.T) {
	t.Parallel()
	for name, takeBack := range takenBack() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first := w.approved("weights")
			second := w.propose(w.model("better weights"))
			w.compared(second, 0.01, 0.02)
			w.vote(w.ana, second, 1)
			w.vote(w.ben, second, 2)
			if c := w.propose(w.model("third weights")); c.Baseline.Candidate != second.ID {
				t.Errorf("measured against %+v, want the newest approval", c.Baseline)
			}
			takeBack(w, second)
			if c := w.propose(w.model("fourth weights")); c.Baseline != first.AsBaseline() {
				t.Errorf("measured against %+v, want what still stands", c.Baseline)
			}
			takeBack(w, first)
			if c := w.propose(w.model("fifth weights")); c.Baseline.Candidate != second.ID {
				t.Errorf("measured against %+v, want what was approved last", c.Baseline)
			}
		})
	}
}

func TestNothingWasApprovedBeforeIsSaidOnlyWhereItIsTrue(t *testing.T) {
	t.Parallel()
	for name, takeBack := range takenBack() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			early := w.propose(w.model("early weights"))
			if r := w.result(early); r.State != review.NotApplicable || !strings.Contains(r.Says, "Nothing else was approved for production before") {
				t.Errorf("with no approval yet: %+v", r)
			}
			takeBack(w, w.approved("weights"))
			// What was opened against nothing is measured anew, by people's votes or not.
			if r := w.result(early); r.State != review.Unsatisfied || !strings.Contains(r.Says, "has changed since this was proposed. Whoever proposed it must measure it against intents@2.") {
				t.Errorf("after another one was approved: %+v", r)
			}
			rebased, err := w.Rebase(t.Context(), w.tom, project, ref(early))
			w.must(err)
			if rebased.Baseline.Name != "intents@2" {
				t.Errorf("measured against %+v", rebased.Baseline)
			}
			if elsewhere, err := w.Propose(t.Context(), w.tom, review.ProposeRequest{Project: project, Subject: early.Subject, Model: refOf(early), Environment: "staging"}); err != nil || !elsewhere.Baseline.None() {
				t.Errorf("another environment: %+v, %v", elsewhere.Baseline, err)
			}
		})
	}
}

func TestAWithdrawnModelIsNotMeasuredAgainstItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.approved("weights")
	second := w.propose(w.model("better weights"))
	w.compared(second, 0.01, 0.02)
	w.vote(w.ana, second, 1)
	w.vote(w.ben, second, 2)
	for _, c := range []review.Candidate{first, second} {
		takenBack()["it is withdrawn"](w, c)
	}
	again, err := w.Propose(t.Context(), w.tom, review.ProposeRequest{Project: project, Model: refOf(second), Environment: review.Production})
	w.must(err)
	if again.Baseline != first.AsBaseline() {
		t.Errorf("measured against %+v, want the last other one", again.Baseline)
	}
}

// refOf names the model of a candidate.
func refOf(c review.Candidate) compare.ModelRef { return compare.ModelRef{ID: c.Model} }
