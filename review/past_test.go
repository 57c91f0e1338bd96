package review_test

import (
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/review"
)

// puppets are two people whom the trainer made, and who vote; an admin who made
// none of it is there.
func (w *world) puppets() (mia, max ledger.Actor, c review.Candidate) {
	w.t.Helper()
	w.admin(ledger.System(), "olga", "Olga Brandt")
	mia = w.make(w.tom, "mia", "Mia Puppet", ledger.RoleReviewer)
	max = w.make(w.tom, "max", "Max Puppet", ledger.RoleApprover)
	return mia, max, w.propose(w.model("weights"))
}

func TestWordsDoNotPushAwayWhoMadeAnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin(ledger.System(), "olga", "Olga Brandt")
	puppet := w.make(w.tom, "pia", "Pia Lead", ledger.RoleLead)
	max := w.make(puppet, "max", "Max Puppet", ledger.RoleApprover)
	c := w.propose(w.model("weights"))
	reason := strings.Repeat("word ", 1700)
	w.must(w.store.Update(t.Context(), func(tx *store.Tx) error {
		for range 600 { // more than a page of the history holds
			if err := tx.Record(ledger.Entry{Actor: w.tom, Project: "another", Kind: "role.granted", Subject: ledger.Subject{Kind: "person", ID: "pia"},
				Payload: map[string]string{"role": "annotator", "reason": reason}}); err != nil {
				return err
			}
		}
		return nil
	}))
	w.vote(w.ana, c, 2)
	if got := w.vote(max, c, 2).Candidate; got.State != review.StateOpen {
		t.Fatalf("it is %s", got.State)
	}
	if got := w.says(c, ledger.RoleApprover); !strings.Contains(got.Says, "Pia Lead, whom a maker of this let in,") {
		t.Errorf("it says %q", got.Says)
	}
}

func TestWhoseAccountTheHistoryDoesNotKnowIsNoStranger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin(ledger.System(), "olga", "Olga Brandt")
	nobody := ledger.Actor{Person: "gone", Name: "Gone", Via: ledger.ViaLogin}
	max := w.make(nobody, "max", "Max Rey", ledger.RoleApprover)
	c := w.propose(w.model("weights"))
	w.vote(w.ana, c, 2)
	if got := w.vote(max, c, 2).Candidate; got.State != review.StateOpen {
		t.Errorf("a role from somebody whom nobody knows opens it: %s", got.State)
	}
	// Whom the database forgot is still known by the history.
	pia := w.make(w.tom, "pia", "Pia Lead", ledger.RoleLead)
	zoe := w.make(pia, "zoe", "Zoe Rey", ledger.RoleApprover)
	w.tamper(`DELETE FROM membership WHERE person = 'pia'`)
	w.tamper(`DELETE FROM person WHERE id = 'pia'`)
	d := w.propose(w.model("other weights"))
	w.unproven(func() {
		w.vote(w.ana, d, 2)
		if got := w.vote(zoe, d, 2).Candidate; got.State != review.StateOpen {
			t.Errorf("a role from a puppet who is gone opens it: %s", got.State)
		}
	})
}

func TestWhatAnOriginSaysIsHeldAgainstTheHistory(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"who did it":             `UPDATE event SET actor = 'system' WHERE kind = 'role.granted' AND subject = 'max'`,
		"when":                   `UPDATE event SET at = 1 WHERE kind = 'role.granted' AND subject = 'max'`,
		"what it said":           `UPDATE event_payload SET payload = '{"role":"reviewer"}' WHERE seq = (SELECT seq FROM event WHERE kind = 'role.granted' AND subject = 'max')`,
		"about whom it was":      `UPDATE event SET subject = 'nobody' WHERE kind = 'person.created' AND subject = 'max'`,
		"whether it was written": `UPDATE event SET kind = 'person.left' WHERE kind = 'role.granted' AND subject = 'max'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			mia, max, c := w.puppets()
			w.vote(mia, c, 2) // from here on this process has walked the history
			w.tamper(change)
			_, err := w.Vote(t.Context(), max, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Password: "correct horse"})
			if !fault.Is(err, fault.Conflict) {
				t.Errorf("the vote is taken: %v", err)
			}
			w.Walked = store.NewWalk(w.store, review.Rests()...).Passed // as after a restart
			_, err = w.Vote(t.Context(), max, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Password: "correct horse"})
			if name != "what it said" {
				wantFault(t, err, fault.Conflict, "The history does not verify")
			} else {
				wantFault(t, err, fault.Conflict, "was changed after it was written")
			}
		})
	}
}

// A forger who writes the hashes anew, too, does not deceive the process that
// walked the true history.
func TestAnOriginThatIsRewrittenWithItsHashIsFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mia, max, c := w.puppets()
	w.vote(mia, c, 2)
	var given ledger.Event
	w.must(w.store.View(t.Context(), func(tx *store.Tx) error {
		found, _, err := tx.EventPage(ledger.Filter{Kind: "role.granted", Subject: ledger.Subject{Kind: "person", ID: "mia"}, Limit: 1})
		given = found[0].Event
		return err
	}))
	given.Actor = "system"
	w.tamper(`UPDATE event SET actor = 'system', hash = $1 WHERE seq = $2`, string(given.Sum()), given.Seq)
	_, err := w.Vote(t.Context(), max, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Password: "correct horse"})
	wantFault(t, err, fault.Conflict, "was changed after it was written")
	if a := w.gate(c); a.OK || !strings.Contains(a.Reason, "was changed after it was written") {
		t.Errorf("the gate says %q", a.Reason)
	}
	if got := w.says(c, ledger.RoleReviewer); got.State == review.Satisfied {
		t.Errorf("the page says %+v", got)
	}
}

func TestARoleWhoseWordsWereErasedIsGivenAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	olga := w.admin(ledger.System(), "olga", "Olga Brandt")
	max := w.make(olga, "max", "Max Rey")
	// Olga once gave another role; what she said was erased.
	w.grant(olga, "max", ledger.RoleAnnotator)
	w.tamper(`DELETE FROM event_payload WHERE seq = (SELECT seq FROM event WHERE kind = 'role.granted' AND subject = 'max')`)
	w.grant(w.tom, "max", ledger.RoleApprover)
	max.Roles = map[ledger.ProjectID][]ledger.Role{project: {ledger.RoleApprover}}
	c := w.propose(w.model("weights"))
	w.vote(w.ana, c, 2)
	if got := w.vote(max, c, 2).Candidate; got.State != review.StateOpen {
		t.Errorf("what was erased gives the role: %s", got.State)
	}
	if got := w.says(c, ledger.RoleApprover); !strings.Contains(got.Says, "Max Rey got the role approver from Tom Weiss, who trained this") {
		t.Errorf("it says %q", got.Says)
	}
	// What takes a role away and was erased may have taken any.
	w.revoke(olga, w.ben.Person, ledger.RoleReviewer)
	w.tamper(`DELETE FROM event_payload WHERE seq = (SELECT seq FROM event WHERE kind = 'role.revoked' AND subject = 'ben')`)
	w.vote(w.ben, c, 2)
	if got := w.says(c, ledger.RoleApprover); !strings.Contains(got.Says, "The history does not know who gave Ben Okafor the role approver") {
		t.Errorf("it says %q", got.Says)
	}
}

func TestTheMomentOfTheProposalIsTheHistorys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	olga := w.admin(ledger.System(), "olga", "Olga Brandt")
	w.admin(ledger.System(), "lena", "Lena Moor")
	c := w.propose(w.model("weights"))
	zoe := w.make(olga, "zoe", "Zoe Late", ledger.RoleApprover)
	w.tamper(`UPDATE candidate SET opened_at = opened_at + 1000000000000`)
	w.unproven(func() {
		w.vote(w.ana, c, 2)
		if got := w.vote(zoe, c, 2).Candidate; got.State != review.StateOpen {
			t.Errorf("it is %s", got.State)
		}
	})
	if got := w.says(c, ledger.RoleApprover); !strings.Contains(got.Says, "after this was proposed") {
		t.Errorf("it says %q", got.Says)
	}
}
