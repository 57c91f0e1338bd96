package review_test

import (
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

func TestNobodyTakesAnObjectionBackByALinkOfTheirOwn(t *testing.T) {
	t.Parallel()
	for name, lead := range map[string]func(w *world){
		"made after the objection": func(w *world) { w.link(w.tom, w.ben) },
		"by unblocking": func(w *world) {
			w.block(w.tom, w.ben.Person, true)
			w.block(w.tom, w.ben.Person, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			olga := w.admin(ledger.System(), "olga", "Olga Brandt")
			c := w.propose(w.model("weights"))
			w.vote(w.ben, c, -1)
			w.vote(w.ana, c, 2)
			w.vote(w.cleoAs(ledger.RoleApprover), c, 2)
			lead(w)
			asBen := review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Password: "correct horse"}
			_, err := w.WithdrawVote(t.Context(), w.ben, asBen)
			wantFault(t, err, fault.Denied, "until another admin or lead confirms the person: Olga Brandt.")
			_, err = w.Vote(t.Context(), w.ben, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Password: "correct horse"})
			wantFault(t, err, fault.Denied, "Tom Weiss, who trained this")
			if is, err := w.Case(t.Context(), w.tom, project, ref(c)); err != nil || is.Candidate.State != review.StateRejected {
				t.Fatalf("it is %s (%v)", is.Candidate.State, err)
			}
			// Who profits confirms nobody; another admin does, and then it is theirs to take back.
			if _, err := w.confirmVoter(withRoles(w.tom, ledger.RoleLead), w.ben); err == nil {
				_, err = w.WithdrawVote(t.Context(), w.ben, asBen)
				wantFault(t, err, fault.Denied, "until another admin")
			}
			if _, err := w.confirmVoter(olga, w.ben); err != nil {
				t.Fatal(err)
			}
			if got, err := w.WithdrawVote(t.Context(), w.ben, asBen); err != nil || got.Candidate.State != review.StateApproved {
				t.Errorf("once Olga confirmed: %s, %v", got.Candidate.State, err)
			}
		})
	}
}

func TestALinkMadeBeforeTheObjectionAndFollowedAfterTakesNothingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin(ledger.System(), "olga", "Olga Brandt")
	c := w.propose(w.model("weights"))
	w.do(w.tom, "person.invited", w.ben.Person, nil, nil)
	w.vote(w.ben, c, -1)
	w.do(w.ben, "person.welcomed", w.ben.Person, map[string]string{"name": w.ben.Name}, nil)
	_, err := w.WithdrawVote(t.Context(), w.ben, review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Password: "correct horse"})
	wantFault(t, err, fault.Denied, "until another admin or lead confirms the person")
}

func TestAnObjectionIsTheirsToTakeBackWhoKeptTheirAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	w.link(w.tom, w.ben) // before, so that whoever objects is whoever came
	w.vote(w.ben, c, -1)
	if got, err := w.WithdrawVote(t.Context(), w.ben, review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Password: "correct horse"}); err != nil || got.Candidate.State != review.StateOpen {
		t.Errorf("got %s, %v", got.Candidate.State, err)
	}
}

// renamed is the default policy with its label called otherwise.
const renamed = `{
  "title": "Shorter", "valid_days": 90,
  "labels": [{"name": "ship", "title": "Ship", "question": "May it ship?", "values": [{"value": 2, "words": "it may"}, {"value": -1, "words": "it must not"}]}],
  "requirements": [
    {"name": "an approver says so", "rule": "vote", "label": "ship", "at_least": 2, "role": "approver", "count": 1},
    {"name": "nobody objects", "rule": "no_vote", "label": "ship", "at_most": -1}
  ]
}
`

func TestAPolicyThatRenamesTheQuestionDropsNoObjection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	w.vote(w.ben, c, -1)
	w.approved("what ships meanwhile")
	lead := w.person("lena", "Lena Moor", ledger.RoleLead, ledger.RoleDataScientist)
	_, err := w.SavePolicy(t.Context(), lead, review.SavePolicyRequest{Project: project, Text: renamed, Reason: "shorter"})
	w.must(err)
	_, err = w.Rebase(t.Context(), lead, project, ref(c))
	w.must(err)
	if got := w.vote(w.cleoAs(ledger.RoleApprover), c, 2).Candidate; got.State != review.StateRejected {
		t.Fatalf("it is %s", got.State)
	}
	is, err := w.Case(t.Context(), w.ben, project, ref(c))
	w.must(err)
	if review.Pass(is.Results) {
		t.Errorf("the page says %+v", is.Results)
	}
	mine := is.Ballot(w.ben).Mine
	got, err := w.WithdrawVote(t.Context(), w.ben, review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Label: mine[0].Label, Password: "correct horse",
		Sentence: review.WithdrawalSentence(is.SignsAs, is.Candidate, mine[0])})
	if err != nil || got.Candidate.State != review.StateApproved {
		t.Errorf("its person takes it back: %s, %v", got.Candidate.State, err)
	}
}

func TestWhoeverTakesAVoteOrAnApprovalBackSignsWhatTheyWereShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	_, err := w.WithdrawVote(t.Context(), w.ben, review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Password: "correct horse", Sentence: "I, somebody, withdraw."})
	wantFault(t, err, fault.Conflict, "What you would sign has changed")
	_, err = w.Withdraw(t.Context(), w.ben, review.WithdrawRequest{Project: project, Candidate: ref(c), Reason: "a doubt", Name: "Dr Anna Müller", Password: "correct horse"})
	wantFault(t, err, fault.Conflict, "Your name changed")
	is, err := w.Case(t.Context(), w.ben, project, ref(c))
	w.must(err)
	got, err := w.Withdraw(t.Context(), w.ben, review.WithdrawRequest{Project: project, Candidate: ref(c), Reason: "a doubt", Name: is.SignsAs, Password: "correct horse"})
	if err != nil || got.State != review.StateWithdrawn {
		t.Errorf("got %s, %v", got.State, err)
	}
}

func TestAKeeperWhomTheTrainerMadeOneIsNotIndependent(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(w *world, by ledger.Actor) ledger.Actor{
		"lead by the trainer": func(w *world, _ ledger.Actor) ledger.Actor {
			pia := w.make(ledger.System(), "pia", "Pia Friend")
			w.grant(w.tom, "pia", ledger.RoleLead)
			return withRoles(pia, ledger.RoleLead)
		},
		"admin by the trainer": func(w *world, _ ledger.Actor) ledger.Actor {
			pia := w.make(ledger.System(), "pia", "Pia Friend")
			w.promote(w.tom, "pia")
			pia.Admin = true
			return pia
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			olga := w.admin(ledger.System(), "olga", "Olga Brandt")
			max := w.make(w.tom, "max", "Max Puppet", ledger.RoleApprover)
			pia := make(w, olga)
			zoe := w.make(pia, "zoe", "Zoe Puppet", ledger.RoleApprover)
			c := w.propose(w.model("weights"))
			w.vote(w.ana, c, 2)
			w.vote(max, c, 2)
			if got := w.vote(zoe, c, 2).Candidate; got.State != review.StateOpen {
				t.Fatalf("whom a lead of the trainer's let in opens it: %s", got.State)
			}
			if got, err := w.confirmVoter(pia, max); err != nil || got[0].State != review.StateOpen {
				t.Errorf("the trainer's lead confirms: %+v, %v", got, err)
			}
			if got, err := w.confirmVoter(olga, max); err != nil || got[0].State != review.StateApproved {
				t.Errorf("an admin confirms: %+v, %v", got, err)
			}
		})
	}
}

func TestAKeeperOfAfterTheProposalIsNotIndependent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	olga := w.admin(ledger.System(), "olga", "Olga Brandt")
	max := w.make(w.tom, "max", "Max Puppet", ledger.RoleApprover)
	pia := w.make(ledger.System(), "pia", "Pia Friend")
	c := w.propose(w.model("weights"))
	w.promote(olga, "pia")
	pia.Admin = true
	w.vote(w.ana, c, 2)
	w.vote(max, c, 2)
	if got, err := w.confirmVoter(pia, max); err != nil || got[0].State != review.StateOpen {
		t.Errorf("an admin of after the proposal confirms: %+v, %v", got, err)
	}
	// What a trainer does to a keeper takes nothing from what they were before.
	w.grant(w.tom, "olga", ledger.RoleLead)
	if got, err := w.confirmVoter(olga, max); err != nil || got[0].State != review.StateApproved {
		t.Errorf("an admin of before confirms: %+v, %v", got, err)
	}
}

func withRoles(a ledger.Actor, roles ...ledger.Role) ledger.Actor {
	a.Roles = map[ledger.ProjectID][]ledger.Role{project: roles}
	return a
}
