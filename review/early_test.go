package review_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

// second proposes a model against one that ships, before anything compares them.
func (w *world) second() review.Candidate {
	w.t.Helper()
	w.approved("weights")
	return w.propose(w.model("better weights"))
}

func (w *world) confirm(actor ledger.Actor, c review.Candidate) (review.Voted, error) {
	w.t.Helper()
	voted, err := w.Confirm(w.t.Context(), actor, review.ConfirmRequest{Project: project, Candidate: ref(c), Password: "correct horse", TimeZone: "Europe/Madrid"})
	w.sign()
	return voted, err
}

func TestTheSignedSentenceNamesTheComparisonsThatWereThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	before := w.vote(w.ana, c, 1).Vote
	if !strings.Contains(before.Sentence, "proposed for production, before there was a comparison with intents@1. To the question") {
		t.Errorf("before: %s", before.Sentence)
	}
	w.compared(c, 0.01, 0.02)
	after := w.vote(w.ben, c, 1).Vote
	if len(after.Evidence) != 1 || !strings.Contains(after.Sentence, "proposed for production, when there was the comparison with intents@1 ("+review.Grouped(after.Evidence[0])+")") {
		t.Errorf("after: %s", after.Sentence)
	}
	if first := w.firstOf(c); strings.Contains(first, "comparison") || !strings.Contains(first, "proposed for production. To the question") {
		t.Errorf("with nothing to compare with: %s", first)
	}
}

// firstOf is the first sentence that was signed on the baseline of a candidate.
func (w *world) firstOf(c review.Candidate) string {
	w.t.Helper()
	found, err := w.Case(w.t.Context(), w.ana, project, review.CandidateRef{ID: c.Baseline.Candidate})
	w.must(err)
	return found.Votes[0].Sentence
}

func TestAnEarlyVoteCountsOnceItsPersonConfirmsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	w.vote(w.ana, c, 1)
	if _, err := w.confirm(w.ana, c); !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Message(err), "is not there yet") {
		t.Errorf("confirmed with nothing there: %v", err)
	}
	w.compared(c, 0.01, 0.02)
	if v := w.vote(w.ben, c, 2); v.Candidate.State != review.StateOpen {
		t.Fatalf("the approver's vote completed it with an early vote: %s", v.Candidate.State)
	}
	found, err := w.Case(t.Context(), w.ana, project, ref(c))
	w.must(err)
	if mine := found.Ballot(w.ana); len(mine.Early) != 1 || mine.Awaits || !found.Waiting(w.ana.Person) {
		t.Errorf("Ana is not asked to confirm: %+v", mine)
	}
	if theirs := found.Ballot(w.ben); len(theirs.Early) != 0 {
		t.Errorf("Ben is asked to confirm: %+v", theirs.Early)
	}
	_, err = w.Confirm(t.Context(), w.ana, review.ConfirmRequest{Project: project, Candidate: ref(c), Password: "a guess"})
	wantFault(t, err, fault.Unauthenticated, "not right")
	_, err = w.confirm(w.cleo, c)
	wantFault(t, err, fault.NotFound, "No vote of yours")
	voted, err := w.confirm(w.ana, c)
	w.must(err)
	if voted.Candidate.State != review.StateApproved || voted.Vote.Value != 1 || voted.Vote.Comment != "looked at 50 items" || voted.Vote.Role != ledger.RoleReviewer {
		t.Errorf("confirmed: %s, %+v", voted.Candidate.State, voted.Vote)
	}
	_, err = w.confirm(w.ana, c)
	wantFault(t, err, fault.Conflict, "nothing to confirm")
	if a := w.gate(c); !a.OK {
		t.Errorf("gate: %+v", a)
	}
}

func TestAnApprovalStandsOnWhatItWasGivenWith(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	w.compared(c, 0.01, 0.02)
	w.vote(w.ana, c, 1)
	w.vote(w.ben, c, 1)
	w.compared(c, 0.011, 0.021) // measured once more, afterwards
	if a := w.gate(c); !a.OK {
		t.Errorf("a later comparison closed the gate: %+v", a)
	}
	if v := w.vote(w.ben, c, 2); v.Candidate.State != review.StateApproved || len(v.Vote.Evidence) != 2 {
		t.Errorf("a later vote took it back: %s, %+v", v.Candidate.State, v.Results)
	}
	if a := w.gate(c); !a.OK {
		t.Errorf("after the later vote: %+v", a)
	}
}

func TestAVoteAgainstNeedsNoComparison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	if v := w.vote(w.ana, c, -1); v.Candidate.State != review.StateRejected {
		t.Errorf("it is %s", v.Candidate.State)
	}
}

func TestWhereThePolicyComparesNothingEveryVoteCounts(t *testing.T) {
	t.Parallel()
	rules, err := review.DefaultPolicy(project).Rules()
	if err != nil {
		t.Fatal(err)
	}
	rules.Requirements = slices.DeleteFunc(rules.Requirements, func(q review.Requirement) bool { return q.Rule == review.RuleNoDecisiveLoss })
	c := review.Candidate{ID: "c", State: review.StateOpen, TrainedBy: "tom", Subject: review.Subject{Kind: review.SubjectModel, Digest: "sha256:b"},
		Baseline: review.Baseline{Digest: "sha256:a", Model: "m", Name: "intents@1"}}
	vote := review.Vote{Candidate: c.ID, Subject: c.Subject, Baseline: c.Baseline.Digest, Person: "ana", Role: ledger.RoleReviewer, Label: "release", Value: 1, Assurance: review.Password}
	results := rules.Evaluate(review.Facts{Candidate: c, Votes: []review.Vote{vote}, Current: c.Baseline,
		People: []review.Standing{{Person: "ana", Account: review.Origin{By: "olga"}, Ways: []review.Way{{Role: ledger.RoleReviewer, Given: []review.Origin{{By: "olga"}}}}}}})
	if results[0].Rule != review.RuleVote || results[0].State != review.Satisfied {
		t.Errorf("%+v", results[0])
	}
}
