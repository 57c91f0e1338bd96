package review_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/review"
)

// do changes people and notes in the history who did.
func (w *world) do(by ledger.Actor, kind string, about ledger.PersonID, payload any, change func(*store.Tx) error) {
	w.t.Helper()
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		if change != nil {
			if err := change(tx); err != nil {
				return err
			}
		}
		entry := ledger.Entry{Actor: by, Kind: kind, Subject: ledger.Subject{Kind: "person", ID: string(about)}, Payload: payload}
		if strings.HasPrefix(kind, "role.") {
			entry.Project = project
		}
		return tx.Record(entry)
	}))
}

func (w *world) grant(by ledger.Actor, who ledger.PersonID, role ledger.Role) {
	w.t.Helper()
	w.do(by, "role.granted", who, map[string]string{"role": string(role)}, func(tx *store.Tx) error {
		return tx.AddMembership(identity.Membership{Project: project, Person: who, Role: role})
	})
}

func (w *world) revoke(by ledger.Actor, who ledger.PersonID, role ledger.Role) {
	w.t.Helper()
	w.do(by, "role.revoked", who, map[string]string{"role": string(role)}, func(tx *store.Tx) error {
		_, err := tx.RemoveMembership(identity.Membership{Project: project, Person: who, Role: role})
		return err
	})
}

// block keeps a person from signing in, or lets them in again.
func (w *world) block(by ledger.Actor, who ledger.PersonID, blocked bool) {
	w.t.Helper()
	side := func(b bool) map[string]any { return map[string]any{"disabled": b} }
	w.do(by, "person.changed", who, map[string]any{"was": side(!blocked), "is": side(blocked)}, func(tx *store.Tx) error {
		p, err := tx.Person(who)
		p.Disabled = blocked
		return orErr(err, func() error { return tx.UpdatePerson(p) })
	})
}

func orErr(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

// make makes a person with roles; the account and the roles are by somebody.
func (w *world) make(by ledger.Actor, id ledger.PersonID, name string, roles ...ledger.Role) ledger.Actor {
	w.t.Helper()
	w.do(by, "person.created", id, map[string]string{"name": name}, func(tx *store.Tx) error {
		return tx.CreatePerson(identity.Person{ID: id, Username: string(id), Name: name, Password: "set"})
	})
	for _, role := range roles {
		w.grant(by, id, role)
	}
	return ledger.Actor{Person: id, Name: name, Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{project: roles}}
}

// admin makes an admin of the installation who can sign in.
func (w *world) admin(by ledger.Actor, id ledger.PersonID, name string) ledger.Actor {
	w.t.Helper()
	w.do(by, "person.created", id, map[string]any{"name": name, "admin": true}, func(tx *store.Tx) error {
		return tx.CreatePerson(identity.Person{ID: id, Username: string(id), Name: name, Password: "set", Admin: true})
	})
	return ledger.Actor{Person: id, Name: name, Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Admin: true, Roles: map[ledger.ProjectID][]ledger.Role{}}
}

// link has somebody make a new link for a person, who follows it.
func (w *world) link(by, who ledger.Actor) {
	w.t.Helper()
	w.do(by, "person.invited", who.Person, nil, nil)
	w.do(who, "person.welcomed", who.Person, map[string]string{"name": who.Name}, nil)
}

func (w *world) confirmVoter(by, who ledger.Actor) ([]review.Candidate, error) {
	w.t.Helper()
	got, err := w.ConfirmVoter(w.t.Context(), by, review.ConfirmVoterRequest{Project: project, Person: who.Person, Reason: "I know her from the ward"})
	w.sign()
	return got, err
}

// says returns what the requirement of a role says of a candidate.
func (w *world) says(c review.Candidate, role ledger.Role) review.Result {
	w.t.Helper()
	is, err := w.Case(w.t.Context(), w.tom, project, ref(c))
	w.must(err)
	i := slices.IndexFunc(is.Results, func(r review.Result) bool { return r.Rule == review.RuleVote && r.Role == role })
	return is.Results[i]
}

func TestALeadWhoTrainedItCannotMakeThePeopleWhoApproveIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	olga := w.admin(ledger.System(), "olga", "Olga Brandt")
	w.grant(ledger.System(), w.tom.Person, ledger.RoleLead)
	mia := w.make(w.tom, "mia", "Mia Puppet", ledger.RoleReviewer)
	max := w.make(w.tom, "max", "Max Puppet", ledger.RoleApprover)
	c := w.propose(w.model("weights"))
	w.vote(mia, c, 2)
	if got := w.vote(max, c, 2).Candidate; got.State != review.StateOpen {
		t.Fatalf("two people whom the trainer made opened it: %s", got.State)
	}
	got := w.says(c, ledger.RoleApprover)
	day := w.store.Now().UTC().Format("2 January 2006")
	for _, part := range []string{"Max Puppet got the role approver from Tom Weiss, who trained this, on " + day + ".",
		"The account of Max Puppet was made by Tom Weiss, who trained this", "counts once another admin or lead confirms that this is right: Olga Brandt."} {
		if !strings.Contains(got.Says, part) {
			t.Errorf("it says %q, not %q", got.Says, part)
		}
	}
	if got.State != review.Unsatisfied || !slices.Equal(got.Asked, []ledger.PersonID{olga.Person}) || !slices.Equal(got.Doubted, []ledger.PersonID{max.Person}) {
		t.Errorf("got %+v", got)
	}
	if a := w.gate(c); a.OK {
		t.Error("the gate is open")
	}
	// Nobody who profits, and no token, confirms it.
	for name, by := range map[string]ledger.Actor{"the trainer": w.tom, "one of them": mia, "a token": withVia(olga, ledger.ViaToken), "the person": max} {
		by.Roles = map[ledger.ProjectID][]ledger.Role{project: {ledger.RoleLead}}
		_, err := w.confirmVoter(by, max)
		if name != "the trainer" && !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := w.says(c, ledger.RoleApprover); got.State != review.Unsatisfied {
		t.Errorf("the trainer confirmed what the trainer did: %+v", got)
	}
	if _, err := w.confirmVoter(olga, mia); err != nil {
		t.Fatal(err)
	}
	decided, err := w.confirmVoter(olga, max)
	if err != nil || len(decided) != 1 || decided[0].State != review.StateApproved {
		t.Fatalf("once an admin who made none of it confirms both: %+v, %v", decided, err)
	}
	if a := w.gate(c); !a.OK || strings.Contains(a.Reason, "Everything rests") {
		t.Errorf("gate: %+v", a)
	}
	is, err := w.Case(t.Context(), w.tom, project, ref(c))
	w.must(err)
	signed, _ := is.SignOff()
	for _, r := range signed.Results {
		if r.Rule == review.RuleVote && (len(r.Backing) != 1 || r.Backing[0].Given[0].By != w.tom.Person || r.Backing[0].Account.By != w.tom.Person ||
			r.Backing[0].Confirmed == nil || r.Backing[0].Confirmed.By != olga.Person) {
			t.Errorf("what is signed does not say who gave the role and who confirmed it: %+v", r.Backing)
		}
	}
}

func withVia(a ledger.Actor, via ledger.Via) ledger.Actor {
	a.Via = via
	return a
}

func TestALinkThatTheTrainerMadeForTheRealApproverDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	olga := w.admin(ledger.System(), "olga", "Olga Brandt")
	c := w.propose(w.model("weights"))
	w.link(w.tom, w.ben)
	w.vote(w.ana, c, 2)
	if got := w.vote(w.ben, c, 2).Candidate; got.State != review.StateOpen {
		t.Fatalf("it is %s", got.State)
	}
	if got := w.says(c, ledger.RoleApprover); !strings.Contains(got.Says, "Ben Okafor came in by a link of Tom Weiss, who trained this, of ") {
		t.Errorf("it says %q", got.Says)
	}
	if decided, err := w.confirmVoter(olga, w.ben); err != nil || decided[0].State != review.StateApproved {
		t.Errorf("%+v, %v", decided, err)
	}
	// Another link, and it has to be confirmed anew.
	d := w.propose(w.model("other weights"))
	w.compared(d, -0.01, 0.02)
	w.link(w.tom, w.ben)
	w.vote(w.ana, d, 2)
	if got := w.vote(w.ben, d, 2).Candidate; got.State != review.StateOpen {
		t.Errorf("after another link it is %s", got.State)
	}
}

func TestWhatAMakersPeopleLetInIsAMakersToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin(ledger.System(), "olga", "Olga Brandt")
	puppet := w.make(w.tom, "pia", "Pia Lead", ledger.RoleLead)
	max := w.make(puppet, "max", "Max Puppet", ledger.RoleApprover)
	c := w.propose(w.model("weights"))
	w.vote(w.ana, c, 2)
	if got := w.vote(max, c, 2).Candidate; got.State != review.StateOpen {
		t.Fatalf("it is %s", got.State)
	}
	other := w.make(w.tom, "pit", "Pit Lead", ledger.RoleLead)
	if decided, err := w.confirmVoter(other, max); err != nil || decided[0].State != review.StateOpen {
		t.Errorf("a lead whom the trainer made confirms: %+v, %v", decided, err)
	}
	if got := w.says(c, ledger.RoleApprover); !strings.Contains(got.Says, "Pia Lead, whom a maker of this let in,") || !strings.Contains(got.Says, ": Olga Brandt.") {
		t.Errorf("it says %q", got.Says)
	}
}

func TestARoleThatCameAfterTheProposalIsConfirmedByAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	olga := w.admin(ledger.System(), "olga", "Olga Brandt")
	lena := w.person("lena", "Lena Moor", ledger.RoleLead)
	w.must(w.store.Update(t.Context(), func(tx *store.Tx) error {
		p, err := tx.Person("lena")
		p.Password = "set"
		return orErr(err, func() error { return tx.UpdatePerson(p) })
	}))
	c := w.propose(w.model("weights"))
	w.grant(lena, w.tom.Person, ledger.RoleApprover) // a maker's vote counts anyway for nothing
	zoe := w.make(olga, "zoe", "Zoe Late", ledger.RoleApprover)
	w.vote(w.ana, c, 2)
	w.vote(zoe, c, 2)
	got := w.says(c, ledger.RoleApprover)
	if !strings.Contains(got.Says, "after this was proposed") || !slices.Equal(got.Asked, []ledger.PersonID{lena.Person}) {
		t.Errorf("got %+v", got)
	}
	if decided, err := w.confirmVoter(olga, zoe); err != nil || decided[0].State != review.StateOpen {
		t.Errorf("who gave the role confirms it: %+v, %v", decided, err)
	}
	if decided, err := w.confirmVoter(lena, zoe); err != nil || decided[0].State != review.StateApproved {
		t.Errorf("%+v, %v", decided, err)
	}
}

func TestWhereNobodyElseCouldConfirmItIsSaidOnWhomItRests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tom := w.tom
	w.must(w.store.Update(t.Context(), func(tx *store.Tx) error {
		p, err := tx.Person(tom.Person)
		p.Admin, p.Password = true, "set"
		return orErr(err, func() error { return tx.UpdatePerson(p) })
	}))
	mia := w.make(tom, "mia", "Mia Lind", ledger.RoleReviewer)
	max := w.make(tom, "max", "Max Rey", ledger.RoleApprover)
	c := w.propose(w.model("weights"))
	w.vote(mia, c, 2)
	if got := w.vote(max, c, 2).Candidate; got.State != review.StateApproved {
		t.Fatalf("one person runs this installation, and it is %s", got.State)
	}
	want := "Everything rests on Tom Weiss: whoever voted came in or got the role by them, and no admin or lead who came in without them confirmed it."
	if got := w.says(c, ledger.RoleApprover); got.Caveat != want || !strings.Contains(got.Says, want) {
		t.Errorf("the page says %q", got.Says)
	}
	if a := w.gate(c); !a.OK || !strings.HasSuffix(a.Reason, want) {
		t.Errorf("the gate says %+v", a)
	}
	is, err := w.Case(t.Context(), tom, project, ref(c))
	w.must(err)
	i := slices.IndexFunc(is.Attestations, func(a review.Attestation) bool { return a.Kind == review.AttestsApproval })
	statement, err := w.key.Verify(is.Attestations[i].Envelope)
	if err != nil || !strings.Contains(string(statement), want) {
		t.Errorf("what is signed does not say so (%v)", err)
	}
}

func TestAVoteAgainstItNeedsNobodysWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin(ledger.System(), "olga", "Olga Brandt")
	max := w.make(w.tom, "max", "Max Rey", ledger.RoleApprover)
	c := w.propose(w.model("weights"))
	if got := w.vote(max, c, -1).Candidate; got.State != review.StateRejected {
		t.Errorf("it is %s", got.State)
	}
	// Taking the role away does not take the objection away.
	w.revoke(w.tom, max.Person, ledger.RoleApprover)
	w.vote(w.ana, c, 2)
	if got := w.vote(w.ben, c, 2).Candidate; got.State != review.StateRejected {
		t.Errorf("after the role was taken away it is %s", got.State)
	}
}

func TestARoleThatNobodyGaveCountsForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(ledger.System(), "person.created", "eve", nil, func(tx *store.Tx) error {
		return tx.CreatePerson(identity.Person{ID: "eve", Username: "eve", Name: "Eve Row"})
	})
	c := w.propose(w.model("weights"))
	w.tamper(`INSERT INTO membership (project, person, role) VALUES ('project-1', 'eve', 'approver')`)
	eve := ledger.Actor{Person: "eve", Name: "Eve Row", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{project: {ledger.RoleApprover}}}
	w.unproven(func() {
		w.vote(w.ana, c, 2)
		if got := w.vote(eve, c, 2).Candidate; got.State != review.StateOpen {
			t.Errorf("it is %s", got.State)
		}
	})
	if got := w.says(c, ledger.RoleApprover); !strings.Contains(got.Says, "The history does not know who gave Eve Row the role approver") {
		t.Errorf("it says %q", got.Says)
	}
}

func TestWhoLosesTheRoleWhileThePasswordIsCheckedDoesNotAct(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*world){
		"the role is taken away": func(w *world) { w.revoke(w.tom, w.ben.Person, ledger.RoleApprover) },
		"the person is blocked":  func(w *world) { w.block(w.tom, w.ben.Person, true) },
	} {
		for what, act := range map[string]func(*world, review.Candidate) error{
			"votes": func(w *world, c review.Candidate) error {
				_, err := w.Vote(t.Context(), w.ben, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Comment: "seen", Password: "correct horse"})
				return err
			},
			"withdraws a vote": func(w *world, c review.Candidate) error {
				_, err := w.WithdrawVote(t.Context(), w.ben, review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Password: "correct horse"})
				return err
			},
			"withdraws the approval": func(w *world, c review.Candidate) error {
				_, err := w.Withdraw(t.Context(), w.ben, review.WithdrawRequest{Project: project, Candidate: ref(c), Reason: "a doubt", Password: "correct horse"})
				return err
			},
		} {
			t.Run(name+" and then "+what, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				var c review.Candidate
				if what == "votes" {
					c = w.propose(w.model("weights"))
					w.vote(w.ana, c, 2)
				} else {
					c = w.approved("weights")
				}
				w.meanwhile = func() { lose(w) }
				if err := act(w, c); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("got %v", err)
				}
				is, err := w.Case(t.Context(), w.tom, project, ref(c))
				w.must(err)
				if is.Candidate.State != c.State {
					t.Errorf("it is %s, was %s", is.Candidate.State, c.State)
				}
			})
		}
	}
}

func TestAVoteCountsOnlyWhileItsPersonHoldsTheRole(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*world){
		"the role is taken away": func(w *world) { w.revoke(w.tom, w.ana.Person, ledger.RoleReviewer) },
		"the person is blocked":  func(w *world) { w.block(w.tom, w.ana.Person, true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.propose(w.model("weights"))
			w.vote(w.ana, c, 2)
			lose(w)
			if got := w.says(c, ledger.RoleReviewer); got.State != review.Unsatisfied || !strings.Contains(got.Says, "Ana Ruiz was a reviewer then and is not now, so that vote does not count.") {
				t.Errorf("got %+v", got)
			}
			if got := w.vote(w.ben, c, 2).Candidate; got.State != review.StateOpen {
				t.Errorf("the approver's vote opens it: %s", got.State)
			}
			if a := w.gate(c); a.OK {
				t.Error("the gate is open")
			}
			is, err := w.Case(t.Context(), w.tom, project, ref(c))
			w.must(err)
			if len(is.Lost) != 1 {
				t.Errorf("the page does not show whose vote counts no more: %v", is.Lost)
			}
		})
	}
}

func TestARoleThatIsGivenBackVotesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	w.vote(w.ana, c, 2)
	w.revoke(w.tom, w.ana.Person, ledger.RoleReviewer)
	w.grant(ledger.System(), w.ana.Person, ledger.RoleReviewer)
	if got := w.says(c, ledger.RoleReviewer); got.State != review.Unsatisfied || len(got.Lost) != 1 {
		t.Errorf("the vote of before counts again: %+v", got)
	}
	w.vote(w.ana, c, 2)
	if got := w.says(c, ledger.RoleReviewer); len(got.Lost) != 0 {
		t.Errorf("cast again: %+v", got)
	}
}

func TestAnApprovalStandsOnTheRolesOfItsDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	w.revoke(w.tom, w.ana.Person, ledger.RoleReviewer)
	w.block(w.tom, w.ben.Person, true)
	answer, err := w.Gate(t.Context(), w.cleo, review.GateRequest{Candidate: review.CandidateRef{Digest: c.Subject.Digest}})
	w.must(err)
	if !answer.OK {
		t.Errorf("the gate says %+v", answer)
	}
	is, err := w.Case(t.Context(), w.cleo, project, ref(c))
	w.must(err)
	if len(is.Lost) != 2 || !review.Pass(is.Results) {
		t.Errorf("the page does not say who was what then: %v, %+v", is.Lost, is.Results)
	}
	// Nobody rewrites what it was decided on.
	w.tamper(`UPDATE sign_off SET people = 'null'`)
	if answer, err = w.Gate(t.Context(), w.cleo, review.GateRequest{Candidate: review.CandidateRef{Digest: c.Subject.Digest}}); err != nil || answer.OK {
		t.Errorf("the gate believes a changed row: %+v, %v", answer, err)
	}
}

func TestAVoteIsSignedWithTheNameOfTheDayOfTheProposal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	side := func(name string) map[string]any { return map[string]any{"name": name} }
	rename := func(name string) {
		w.do(w.ben, "person.changed", w.ben.Person, map[string]any{"was": side("Ben Okafor"), "is": side(name)}, func(tx *store.Tx) error {
			p, err := tx.Person(w.ben.Person)
			p.Name = name
			return orErr(err, func() error { return tx.UpdatePerson(p) })
		})
	}
	rename("Dr Anna Müller")
	w.ben.Name = "Dr Anna Müller"
	want := "Dr Anna Müller (until " + w.store.Now().UTC().Format("2 January 2006") + ": Ben Okafor)"
	is, err := w.Case(t.Context(), w.ben, project, ref(c))
	w.must(err)
	label, _ := is.Rules.Label("")
	value, _ := label.Value(2)
	shown := is.Ballot(w.ben).Sentence(w.ben, ledger.RoleApprover, label, value)
	voted, err := w.Vote(t.Context(), w.ben, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Password: "correct horse", Sentence: shown})
	w.must(err)
	if voted.Vote.PrintedName != want || !strings.HasPrefix(voted.Vote.Sentence, "I, "+want+", as approver") {
		t.Errorf("it is signed %q: %q", voted.Vote.PrintedName, voted.Vote.Sentence)
	}
	// Renamed while the password is checked: what was read is not what would be signed.
	w.meanwhile = func() { rename("Somebody Else") }
	_, err = w.Vote(t.Context(), w.ben, review.VoteRequest{Project: project, Candidate: ref(c), Value: 2, Password: "correct horse"})
	wantFault(t, err, fault.Conflict, "Your name changed while you voted")
}

// promote has somebody make a person an admin who can sign in.
func (w *world) promote(by ledger.Actor, who ledger.PersonID) {
	w.t.Helper()
	side := func(admin bool) map[string]any { return map[string]any{"admin": admin} }
	w.do(by, "person.changed", who, map[string]any{"was": side(false), "is": side(true)}, func(tx *store.Tx) error {
		p, err := tx.Person(who)
		p.Admin = true
		return orErr(err, func() error { return tx.UpdatePerson(p) })
	})
}
