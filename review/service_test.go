package review_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/review"
)

func TestTheGateOpensWithTheSecondVote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	if a := w.gate(c); a.OK || !strings.Contains(a.Reason, "a reviewer: Ana Ruiz or Cleo Hart") || !strings.Contains(a.Reason, "an approver: Ben Okafor or Cleo Hart") {
		t.Errorf("before any vote: %+v", a)
	}
	if v := w.vote(w.ana, c, 1); v.Candidate.State != review.StateOpen {
		t.Errorf("after one vote the candidate is %s", v.Candidate.State)
	}
	if a := w.gate(c); a.OK || strings.Contains(a.Reason, "a reviewer") {
		t.Errorf("after the reviewer's vote: %+v", a)
	}
	w.vote(w.ben, c, 2)
	a := w.gate(c)
	if !a.OK || a.State != "approved" || a.ExpiresAt.Sub(a.ApprovedAt).Hours() != 180*24 {
		t.Errorf("after both votes: %+v", a)
	}
	if a, err := w.Gate(t.Context(), w.ben, review.GateRequest{Candidate: ref(c), Environment: "staging"}); err != nil || a.OK {
		t.Errorf("for another environment: %+v, %v", a, err)
	}
	other := review.CandidateRef{Digest: ledger.DigestOf([]byte("another model"))}
	if a, err := w.Gate(t.Context(), w.ben, review.GateRequest{Candidate: other}); err != nil || a.OK || a.State != review.AnswerUnknown {
		t.Errorf("for another digest: %+v, %v", a, err)
	}
}

func TestAVoteSaysWhoMeantWhatByWhatAssurance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	vote := w.vote(w.ana, c, 1).Vote
	if vote.PrintedName != "Ana Ruiz" || vote.Words != "safe with the note below" || vote.Assurance != review.Password || vote.TimeZone != "Europe/Madrid" || vote.Role != ledger.RoleReviewer {
		t.Errorf("vote = %+v", vote)
	}
	for _, part := range []string{"Ana Ruiz", "reviewer", review.Grouped(c.Subject.Digest), "production", "“Is it safe to ship this?”", "safe with the note below"} {
		if !strings.Contains(vote.Sentence, part) {
			t.Errorf("the sentence %q lacks %q", vote.Sentence, part)
		}
	}
}

func TestAVoteIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	good := review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Password: "correct horse"}
	disguised := w.ana
	disguised.Name = "Ana\u200b Ruiz"
	for name, tt := range map[string]struct {
		actor  ledger.Actor
		change func(*review.VoteRequest)
		kind   fault.Kind
		says   string
	}{
		"with a wrong password":                   {w.ana, func(r *review.VoteRequest) { r.Password = "guess" }, fault.Unauthenticated, "password"},
		"with a value that the label lacks":       {w.ana, func(r *review.VoteRequest) { r.Value = -2 }, fault.Invalid, "no value -2"},
		"on a label that the policy lacks":        {w.ana, func(r *review.VoteRequest) { r.Label = "style" }, fault.Invalid, "release"},
		"with a comment that looks like another":  {w.ana, func(r *review.VoteRequest) { r.Comment = "do not\u202e pihs" }, fault.Invalid, "Character 7 is right-to-left override (U+202E)"},
		"in a name that looks like another":       {disguised, func(*review.VoteRequest) {}, fault.Invalid, "Character 4 is zero width space (U+200B)"},
		"with a note that is missing":             {w.ana, func(r *review.VoteRequest) { r.Value = 1 }, fault.Invalid, "note"},
		"of the person who trained it, for it":    {w.tom, func(*review.VoteRequest) {}, fault.Denied, "You trained"},
		"in a role that the person has not":       {w.ana, func(r *review.VoteRequest) { r.Role = ledger.RoleApprover }, fault.Invalid, "role"},
		"in no role where the person has two":     {w.cleo, func(*review.VoteRequest) {}, fault.Invalid, "role"},
		"when another sentence was shown":         {w.ana, func(r *review.VoteRequest) { r.Sentence = "I like it" }, fault.Conflict, "changed"},
		"in a time zone that there is not":        {w.ana, func(r *review.VoteRequest) { r.TimeZone = "Mars/Base" }, fault.Invalid, "time zone"},
		"of a person who is neither of the roles": {ledger.Actor{Person: "x", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{project: {ledger.RoleAuditor}}}, func(*review.VoteRequest) {}, fault.Denied, "roles"},
		"of an admin without a voting role":       {ledger.Actor{Person: "x", Admin: true, Via: ledger.ViaLogin, Scope: ledger.ScopeFull}, func(*review.VoteRequest) {}, fault.Denied, "roles"},
	} {
		req := good
		tt.change(&req)
		_, err := w.Vote(t.Context(), tt.actor, req)
		if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("a vote %s: error = %v, want %s with %q", name, err, tt.kind, tt.says)
		}
	}
	if a := w.gate(c); len(a.Problems) > 0 || a.State != "open" {
		t.Errorf("a refused vote left something behind: %+v", a)
	}
}

func TestAVoteByTokenIsACommentAndSatisfiesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	w.vote(w.ben, c, 2)
	for _, via := range []ledger.Via{ledger.ViaToken, ledger.ViaLocal} {
		ana := w.ana
		ana.Via = via
		voted, err := w.Vote(t.Context(), ana, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Comment: "fine", Password: "correct horse"})
		if err != nil || voted.Vote != nil || voted.Comment == nil || !strings.Contains(voted.Comment.Text, "“safe”") {
			t.Errorf("by %s: %+v, %v", via, voted, err)
		}
	}
	if a := w.gate(c); a.OK || !strings.Contains(a.Reason, "a reviewer") {
		t.Errorf("gate = %+v", a)
	}
	ana := w.ana
	ana.Via = ledger.ViaToken
	_, err := w.WithdrawVote(t.Context(), ana, review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Password: "correct horse"})
	wantFault(t, err, fault.Denied, "signed in")
}

func TestAVoteAgainstItRejectsAndTheTrainerMayCastOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	w.vote(w.ana, c, 1)
	w.vote(w.ben, c, 2)
	if v := w.vote(w.tom, c, -1); v.Candidate.State != review.StateRejected {
		t.Errorf("candidate is %s", v.Candidate.State)
	}
	if a := w.gate(c); a.OK || !strings.Contains(a.Reason, "Tom Weiss says “not safe”") {
		t.Errorf("gate = %+v", a)
	}
	// Taking it back makes the other votes count again, with a new sign-off.
	voted, err := w.WithdrawVote(t.Context(), w.tom, review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Password: "correct horse"})
	w.must(err)
	w.sign()
	if voted.Candidate.State != review.StateApproved {
		t.Errorf("candidate is %s", voted.Candidate.State)
	}
	if a := w.gate(c); !a.OK {
		t.Errorf("gate = %+v", a)
	}
}

func TestOnePersonCannotMeetBothRequirements(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	for _, role := range []ledger.Role{ledger.RoleReviewer, ledger.RoleApprover} {
		_, err := w.Vote(t.Context(), w.cleo, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Role: role, Password: "correct horse"})
		w.must(err)
	}
	w.sign()
	if a := w.gate(c); a.OK || !strings.Contains(a.Reason, "a reviewer: Ana Ruiz.") {
		t.Errorf("gate = %+v", a)
	}
}

func TestWithdrawingAnApprovalClosesTheGateAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	req := review.WithdrawRequest{Project: project, Candidate: ref(c), Reason: "It mixes up refunds.", Password: "correct horse"}
	for name, tt := range map[string]struct {
		actor  ledger.Actor
		change func(*review.WithdrawRequest)
		kind   fault.Kind
	}{
		"a reviewer":       {w.ana, func(*review.WithdrawRequest) {}, fault.Denied},
		"without a reason": {w.ben, func(r *review.WithdrawRequest) { r.Reason = " " }, fault.Invalid},
		"a wrong password": {w.ben, func(r *review.WithdrawRequest) { r.Password = "" }, fault.Unauthenticated},
	} {
		bad := req
		tt.change(&bad)
		if _, err := w.Withdraw(t.Context(), tt.actor, bad); !fault.Is(err, tt.kind) {
			t.Errorf("%s: %v, want %s", name, err, tt.kind)
		}
	}
	if a := w.gate(c); !a.OK {
		t.Fatalf("gate = %+v", a)
	}
	_, err := w.Withdraw(t.Context(), w.ben, req)
	w.must(err)
	// Closed before anything is signed.
	if a := w.gate(c); a.OK || a.State != "withdrawn" || !strings.Contains(a.Reason, "It mixes up refunds.") {
		t.Errorf("gate = %+v", a)
	}
	w.sign()
	got, err := w.Case(t.Context(), w.ana, project, ref(c))
	w.must(err)
	if !slices.ContainsFunc(got.Attestations, func(a review.Attestation) bool { return a.Kind == review.AttestsRevocation }) {
		t.Error("no revocation was signed")
	}
	_, err = w.Vote(t.Context(), w.ana, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Password: "correct horse"})
	wantFault(t, err, fault.Conflict, "withdrawn")
	// The model may be proposed again, and then needs its votes again.
	again := w.propose(compareModel(got))
	if again.Number != 2 || again.State != review.StateOpen {
		t.Errorf("again = %+v", again)
	}
	if a := w.gate(again); a.OK {
		t.Errorf("gate = %+v", a)
	}
}

func TestAnApprovalEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	w.later = 181 * 24 * time.Hour
	if a := w.gate(c); a.OK || a.State != review.AnswerExpired {
		t.Errorf("gate = %+v", a)
	}
}

func TestADecisiveLossAgainstWhatShipsNowIsNoPass(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		low, high float64
		want      review.ResultState
	}{
		"a gain passes":                       {0.01, 0.03, review.Satisfied},
		"an undecided difference passes":      {-0.02, 0.001, review.Satisfied},
		"a loss that touches zero passes":     {-0.02, 0, review.Satisfied},
		"a decisive loss does not":            {-0.03, -0.0001, review.Unsatisfied},
		"an interval upside down is an error": {0.02, -0.02, review.Error},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.approved("first")
			c := w.propose(w.model("second"))
			if c.Baseline.Number != 1 {
				t.Fatalf("baseline = %+v", c.Baseline)
			}
			if r := w.result(c); r.State != review.Unsatisfied || !strings.Contains(r.Says, "being compared with") {
				t.Errorf("without a comparison: %+v", r)
			}
			// What was measured on training data is no evidence.
			w.comparedOn("snapshot-2", c, 0.2, 0.3)
			if r := w.result(c); r.State != review.Unsatisfied {
				t.Errorf("with a comparison on training data: %+v", r)
			}
			w.compared(c, tt.low, tt.high)
			if r := w.result(c); r.State != tt.want {
				t.Errorf("result = %+v, want %s", r, tt.want)
			}
			w.vote(w.ana, c, 1)
			w.vote(w.ben, c, 2)
			if a := w.gate(c); a.OK != tt.want.Passes() {
				t.Errorf("gate = %+v", a)
			}
		})
	}
}

func (w *world) result(c review.Candidate) review.Result {
	w.t.Helper()
	got, err := w.Case(w.t.Context(), w.ana, project, ref(c))
	w.must(err)
	return got.Results[0]
}

func TestWhatShipsNowMayChangeWhilePeopleVote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second, third := w.propose(w.model("second")), w.propose(w.model("third"))
	w.vote(w.ana, second, 1)
	w.vote(w.ana, third, 1)
	w.vote(w.ben, third, 2)
	if v := w.vote(w.ben, second, 2); v.Candidate.State != review.StateOpen {
		t.Errorf("candidate against nothing is %s although something ships by now", v.Candidate.State)
	}
	if r := w.result(second); r.State != review.Unsatisfied || !strings.Contains(r.Says, "changed") {
		t.Errorf("result = %+v", r)
	}
	rebased, err := w.Rebase(t.Context(), w.tom, project, ref(second))
	w.must(err)
	w.compared(rebased, 0.01, 0.02)
	// The votes were given on other evidence.
	if a := w.gate(rebased); a.OK || !strings.Contains(a.Reason, "reviewer") {
		t.Errorf("gate = %+v", a)
	}
	w.vote(w.ana, rebased, 1)
	w.vote(w.ben, rebased, 2)
	for _, c := range []review.Candidate{rebased, third} {
		if a := w.gate(c); !a.OK {
			t.Errorf("gate of %d = %+v", c.Number, a)
		}
	}
}

func TestADraftOfATrainingIsOpenedNotDoubled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("weights")
	w.must(w.Update(t.Context(), func(tx review.Tx) error {
		_, err := tx.CreateCandidate(review.Draft("draft-1", m, review.Production, w.store.Now()))
		return err
	}))
	_, err := w.Vote(t.Context(), w.ana, review.VoteRequest{Project: project, Candidate: review.CandidateRef{Number: 1}, Value: 2, Password: "correct horse"})
	wantFault(t, err, fault.Conflict, "draft")
	c := w.propose(m)
	if c.ID != "draft-1" || c.State != review.StateOpen || c.Maker() != w.tom.Person {
		t.Errorf("candidate = %+v", c)
	}
	_, err = w.Propose(t.Context(), w.tom, review.ProposeRequest{Project: project, Model: compare.ModelRef{ID: m.ID}, Environment: review.Production})
	wantFault(t, err, fault.Conflict, "candidate 1")
	staging, err := w.Propose(t.Context(), w.tom, review.ProposeRequest{Project: project, Model: compare.ModelRef{ID: m.ID}, Environment: "staging"})
	if err != nil || staging.Number != 2 {
		t.Errorf("for another environment: %+v, %v", staging, err)
	}
}

func TestASnapshotIsASubjectToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	subject := review.Subject{Kind: review.SubjectSnapshot, Digest: ledger.DigestOf([]byte("rows"))}
	c, err := w.Propose(t.Context(), w.tom, review.ProposeRequest{Project: project, Subject: subject, Environment: review.Production})
	w.must(err)
	w.vote(w.ana, c, 1)
	w.vote(w.ben, c, 2)
	if a := w.gate(c); !a.OK || a.Results[0].State != review.NotApplicable {
		t.Errorf("gate = %+v", a)
	}
}

func TestAPolicyHoldsNothingThatNobodySees(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lead := w.person("lea", "Lea", ledger.RoleLead)
	for hidden, is := range map[string]string{ // as it is, and as JSON writes it
		"\u202e": "is right-to-left override (U+202E)", `\u202e`: "is right-to-left override (U+202E)",
		`\u001b[2K`: "is a control character (U+001B)", `\n`: "is a control character (U+000A)",
	} {
		text := strings.Replace(review.DefaultPolicyText, "Is it safe", "Is it "+hidden+"safe", 1)
		_, err := w.SavePolicy(t.Context(), lead, review.SavePolicyRequest{Project: project, Text: text, Reason: "agreed in the team"})
		wantFault(t, err, fault.Invalid, is)
	}
}

func TestNoTokenSavesAPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lead := w.person("lena", "Lena Moor", ledger.RoleLead)
	for _, via := range []ledger.Via{ledger.ViaToken, ledger.ViaAttempt, ledger.ViaNobody} {
		_, err := w.SavePolicy(t.Context(), withVia(lead, via), review.SavePolicyRequest{Project: project, Text: renamed, Reason: "shorter"})
		wantFault(t, err, fault.Denied, "An API token cannot do this")
	}
	if _, err := w.SavePolicy(t.Context(), withVia(lead, ledger.ViaLocal), review.SavePolicyRequest{Project: project, Text: renamed, Reason: "shorter"}); err != nil {
		t.Error(err)
	}
}

func TestANewPolicyHoldsForNewCandidates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lead := w.person("lea", "Lea", ledger.RoleLead)
	old := w.propose(w.model("old"))
	text := strings.Replace(review.DefaultPolicyText, `"role": "reviewer", "count": 1`, `"role": "reviewer", "count": 2`, 1)
	_, err := w.SavePolicy(t.Context(), lead, review.SavePolicyRequest{Project: project, Text: text})
	if wantFault(t, err, fault.Invalid, "why the policy changes"); fault.Fields(err)["reason"] == "" {
		t.Errorf("the field is not named: %v", err)
	}
	policy, err := w.SavePolicy(t.Context(), lead, review.SavePolicyRequest{Project: project, Text: text, Base: review.DefaultPolicy(project).Digest, Reason: "agreed in the team"})
	w.must(err)
	if policy.Version != 1 {
		t.Errorf("policy = %+v", policy)
	}
	_, err = w.SavePolicy(t.Context(), lead, review.SavePolicyRequest{Project: project, Text: review.DefaultPolicyText, Base: review.DefaultPolicy(project).Digest, Reason: "agreed in the team"})
	wantFault(t, err, fault.Conflict, "meanwhile")
	_, err = w.SavePolicy(t.Context(), w.ana, review.SavePolicyRequest{Project: project, Text: text, Reason: "agreed in the team"})
	wantFault(t, err, fault.Denied, "lead")
	fresh := w.propose(w.model("new"))
	for _, c := range []review.Candidate{fresh, old} {
		w.vote(w.ana, c, 1)
		w.vote(w.ben, c, 2)
	}
	if a := w.gate(old); !a.OK {
		t.Errorf("under the old policy: %+v", a)
	}
	if a := w.gate(fresh); a.OK || !strings.Contains(a.Reason, "reviewer: Cleo Hart") {
		t.Errorf("under the new policy: %+v", a)
	}
	would, err := w.Rehearse(t.Context(), lead, project, review.DefaultPolicyText)
	w.must(err)
	if len(would) != 2 {
		t.Errorf("would = %+v", would)
	}
}

func TestThePolicyMayKeepTheProposerFromVotingForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := strings.Replace(review.DefaultPolicyText, `"rule": "not_by_trainer"`, `"rule": "not_by_trainer", "also_proposer": true`, 1)
	lead := w.person("lena", "Lena Moor", ledger.RoleLead)
	if _, err := w.SavePolicy(t.Context(), lead, review.SavePolicyRequest{Project: project, Text: text, Reason: "agreed in the team"}); err != nil {
		t.Fatal(err)
	}
	proposer := w.person("dora", "Dora Lind", ledger.RoleDataScientist, ledger.RoleReviewer)
	model := w.model("weights")
	c, err := w.Propose(t.Context(), proposer, review.ProposeRequest{Project: project, Model: compare.ModelRef{ID: model.ID}, Environment: review.Production})
	if err != nil {
		t.Fatal(err)
	}
	for name, who := range map[string]ledger.Actor{"the trainer": w.tom, "the proposer": proposer} {
		_, err := w.Vote(t.Context(), who, review.VoteRequest{Project: project, Candidate: ref(c), Role: ledger.RoleReviewer, Value: 2, Password: "correct horse"})
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%s votes for it: %v", name, err)
		}
	}
	w.vote(w.ana, c, 1)
	if v := w.vote(w.ben, c, 2); v.Candidate.State != review.StateApproved {
		t.Errorf("after two votes of others it is %s", v.Candidate.State)
	}
	if _, err := review.ParsePolicy(strings.Replace(text, `"rule": "no_vote"`, `"rule": "no_vote", "also_proposer": true`, 1)); err == nil {
		t.Error("also_proposer is taken where it means nothing")
	}
}

func TestWhoStepsBackIsNeitherAskedNorHeard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	say := func(who ledger.Actor, kind review.CommentKind) error {
		_, err := w.Comment(t.Context(), who, review.CommentRequest{Project: project, Candidate: ref(c), Kind: kind, Text: "My sister trained it."})
		return err
	}
	w.must(say(w.ana, review.Recusal))
	found, err := w.Case(t.Context(), w.ana, project, ref(c))
	w.must(err)
	if found.Waiting(w.ana.Person) || !found.Waiting(w.cleo.Person) || !found.Ballot(w.ana).Recused {
		t.Errorf("after ana stepped back the policy asks %+v", found.Results)
	}
	_, err = w.Vote(t.Context(), w.ana, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Password: "correct horse"})
	wantFault(t, err, fault.Denied, "recused yourself")
	wantFault(t, say(w.ana, review.Recusal), fault.Conflict, "already")
	w.vote(w.ben, c, 2)
	wantFault(t, say(w.ben, review.Recusal), fault.Conflict, "Withdraw it first")
	data := w.tom
	data.Roles = map[ledger.ProjectID][]ledger.Role{project: {ledger.RoleDataScientist}}
	wantFault(t, say(data, review.Recusal), fault.Denied, "neither reviewer nor approver")
	w.must(say(data, review.Ask))
	wantFault(t, say(data, "shout"), fault.Invalid, "shout")
	if a := w.gate(c); a.OK || strings.Contains(a.Reason, "Ana Ruiz") || !strings.Contains(a.Reason, "Cleo Hart") {
		t.Errorf("gate: %+v", a)
	}
}
