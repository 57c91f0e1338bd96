package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

func TestALeadMakesLinksForTheirPeopleAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	lead := b.here(t, ledger.Actor{Person: "lead", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"p1": {ledger.RoleLead}}})
	for name, tc := range map[string]struct {
		roles []identity.Membership
		may   bool
	}{
		"an annotator of the project": {[]identity.Membership{{Project: "p1", Role: ledger.RoleAnnotator}}, true},
		"somebody of two projects":    {[]identity.Membership{{Project: "p1", Role: ledger.RoleAnnotator}, {Project: "p2", Role: ledger.RoleApprover}}, false},
		"an admin of the project":     {[]identity.Membership{{Project: "p1", Role: ledger.RoleAdmin}}, false},
		"somebody of another project": {[]identity.Membership{{Project: "p2", Role: ledger.RoleAnnotator}}, false},
		"somebody without a role":     {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.person(t, anna.Actor, strings.ReplaceAll(name, " ", "-"))
			for _, m := range tc.roles {
				m.Person = p.ID
				if err := b.Grant(t.Context(), ledger.System(), m, ""); err != nil {
					t.Fatal(err)
				}
			}
			_, err := b.Invite(t.Context(), lead, p.ID)
			if tc.may && err != nil || !tc.may && !fault.Is(err, fault.Denied) {
				t.Errorf("got %v", err)
			}
		})
	}
	_, err := b.Invite(t.Context(), lead, anna.Person.ID)
	wantKind(t, err, fault.Denied, "Ask one")
	_, err = b.Invite(t.Context(), lead, "nobody")
	wantKind(t, err, fault.Denied, "Ask one")
	yes := true
	_, err = b.ChangePerson(t.Context(), lead, anna.Person.ID, identity.ChangePersonRequest{Disabled: &yes})
	wantKind(t, err, fault.Denied, "Only an admin")
}

func TestANewLinkEndsEveryLogin(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	bo := b.person(t, anna.Actor, "bo")
	in, _ := b.SignIn(t.Context(), "bo", goodPassword, home)
	secret, err := b.Invite(t.Context(), anna.Actor, bo.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.visit(t, in.Secret) // until the link is followed
	if _, err := b.Welcome(t.Context(), secret, identity.AccountRequest{Name: "Bo", Password: "another " + goodPassword}, home); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Authenticate(t.Context(), in.Secret); err == nil {
		t.Error("the old login lives on")
	}
}

func TestAskingForALinkSaysNothingAndTellsTheAdmins(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	bo := b.person(t, anna.Actor, "bo")
	for _, name := range []string{"bo", "BO ", "nobody", ""} {
		if err := b.AskForLink(t.Context(), name, home); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	asked := func() time.Time {
		p, _, err := b.Get(t.Context(), anna.Actor, bo.ID)
		if err != nil {
			t.Fatal(err)
		}
		return p.AskedAt
	}
	if asked().IsZero() || strings.Count(b.kinds(t), "password.asked") != 1 {
		t.Errorf("asked %v, %s", asked(), b.kinds(t))
	}
	if _, err := b.Invite(t.Context(), anna.Actor, bo.ID); err != nil || !asked().IsZero() {
		t.Errorf("after the link was made: %v, %v", asked(), err)
	}
	for range 20 {
		b.advance(time.Second)
		_ = b.AskForLink(t.Context(), "nobody", home)
	}
	if err := b.AskForLink(t.Context(), "bo", home); err != nil || !asked().IsZero() {
		t.Errorf("asking without end is written down: %v, %v", asked(), err)
	}
}

func TestTheLastAdminWhoCanSignInStays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	if _, _, err := b.CreatePerson(t.Context(), anna.Actor, identity.CreatePersonRequest{Username: "late", Admin: true}); err != nil {
		t.Fatal(err)
	}
	no, yes := false, true
	_, err := b.ChangePerson(t.Context(), anna.Actor, anna.Person.ID, identity.ChangePersonRequest{Disabled: &yes})
	wantKind(t, err, fault.Unmet, "who can sign in")
	_, err = b.ChangePerson(t.Context(), anna.Actor, anna.Person.ID, identity.ChangePersonRequest{Admin: &no, Reason: "agreed"})
	wantKind(t, err, fault.Unmet, "who can sign in")
	second, _, err := b.CreatePerson(t.Context(), anna.Actor, identity.CreatePersonRequest{Username: "second", Admin: true, Password: goodPassword})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = b.ChangePerson(t.Context(), anna.Actor, anna.Person.ID, identity.ChangePersonRequest{Disabled: &yes}); err != nil {
		t.Error(err)
	}
	_, err = b.ChangePerson(t.Context(), ledger.System(), second.ID, identity.ChangePersonRequest{Disabled: &yes})
	wantKind(t, err, fault.Unmet, "last admin")
}

func TestWhoIsNoAdminCanBeDisabledBeforeAnAdminCame(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bo, _, err := b.CreatePerson(t.Context(), ledger.System(), identity.CreatePersonRequest{Username: "bo", Password: goodPassword})
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	if _, err := b.ChangePerson(t.Context(), ledger.System(), bo.ID, identity.ChangePersonRequest{Disabled: &yes}); err != nil {
		t.Error(err)
	}
}
