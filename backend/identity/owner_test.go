package identity_test

import (
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

// machine returns who acts by the credential file.
func (b *bench) machine(t *testing.T) identity.Visit {
	t.Helper()
	v, err := b.AuthenticateToken(t.Context(), b.OpenLocal())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhoFollowsTheFirstLinkIsThePersonForWhomCommandsWorkedBefore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before := b.machine(t)
	if !before.Person.Unnamed() || !before.Actor.Admin || before.Actor.Via != ledger.ViaLocal {
		t.Errorf("before the link: %+v", before)
	}
	anna := b.admin(t)
	after := b.machine(t)
	if anna.Person.ID != before.Person.ID || after.Person.ID != anna.Person.ID {
		t.Errorf("three people: %s before, %s signed in, %s after", before.Person.ID, anna.Person.ID, after.Person.ID)
	}
	if after.Person.Unnamed() || after.Actor.Name != "Anna" || after.Person.Username != "anna" {
		t.Errorf("after the link: %+v", after.Person)
	}
	if people, err := b.People(t.Context(), anna.Actor); err != nil || len(people) != 1 {
		t.Errorf("people = %+v, %v", people, err)
	}
	if err := b.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := b.machine(t); again.Person.ID != anna.Person.ID {
		t.Errorf("a second start made another owner: %+v", again.Person)
	}
}

func TestAColleagueMadeByCommandDoesNotUseUpTheFirstLink(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	machine := b.machine(t)
	if _, _, err := b.CreatePerson(t.Context(), machine.Actor, identity.CreatePersonRequest{Username: "bo", Admin: true}); err != nil {
		t.Fatal(err)
	}
	link, err := b.FirstAdminLink(t.Context())
	if err != nil || link == "" {
		t.Fatalf("no admin can sign in, and there is no link: %v", err)
	}
	_, err = b.CreateFirstAdmin(t.Context(), link, identity.AccountRequest{Username: "bo", Name: "Anna", Password: goodPassword}, home)
	wantKind(t, err, fault.Conflict, "Choose another")
	if _, err := b.CreateFirstAdmin(t.Context(), link, identity.AccountRequest{Username: "anna", Name: "Anna", Password: goodPassword}, home); err != nil {
		t.Errorf("the link was used up by a name that is taken: %v", err)
	}
}

func TestAnAdminTakesTheMachineOverForThemselvesAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	b.person(t, anna.Actor, "bo")
	in, err := b.SignIn(t.Context(), "bo", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	bo := b.visit(t, in.Secret)
	wantKind(t, b.TakeOver(t.Context(), bo.Actor), fault.Denied, "admin")
	yes := true
	if _, err := b.ChangePerson(t.Context(), anna.Actor, bo.Person.ID, identity.ChangePersonRequest{Admin: &yes, Reason: "agreed"}); err != nil {
		t.Fatal(err)
	}
	bo = b.visit(t, in.Secret)
	byMachine := bo.Actor
	byMachine.Via = ledger.ViaLocal
	wantKind(t, b.TakeOver(t.Context(), byMachine), fault.Denied, "browser")

	if _, err := b.ChangePerson(t.Context(), bo.Actor, anna.Person.ID, identity.ChangePersonRequest{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	_, err = b.AuthenticateToken(t.Context(), b.OpenLocal())
	wantKind(t, err, fault.Denied, "Anna")
	if err := b.TakeOver(t.Context(), bo.Actor); err != nil {
		t.Fatal(err)
	}
	if v := b.machine(t); v.Person.ID != bo.Person.ID {
		t.Errorf("commands act as %s, want bo", v.Person.Name)
	}
}

func TestTheUserOfAWindowNamesTheOwnerOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	machine := b.machine(t)
	b.person(t, machine.Actor, "mara")
	owner, err := b.Owner(t.Context(), "Mara", "Mara Lind")
	if err != nil || owner.ID != machine.Person.ID || owner.Name != "Mara Lind" || strings.EqualFold(owner.Username, "mara") {
		t.Errorf("owner = %+v, %v", owner, err)
	}
	again, err := b.Owner(t.Context(), "root", "Root")
	if err != nil || again.Name != "Mara Lind" {
		t.Errorf("a second window renamed the owner: %+v, %v", again, err)
	}
}
