package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

// row finds a row of the review.
func row(t *testing.T, all []identity.Access, name string, role ledger.Role) identity.Access {
	t.Helper()
	for _, a := range all {
		if a.Name == name && a.Role == role {
			return a
		}
	}
	t.Fatalf("%s with the role %s is not in the review: %+v", name, role, all)
	return identity.Access{}
}

func TestTheReviewSaysWhoMayDoWhatSinceWhenAndWhoSaidSo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, anna := t.Context(), b.admin(t)
	const project = ledger.ProjectID("night")
	bo, _, err := b.CreatePerson(ctx, anna.Actor, identity.CreatePersonRequest{Username: "bo", Project: project, Roles: []ledger.Role{ledger.RoleLead}})
	if err != nil {
		t.Fatal(err)
	}
	cy, _, err := b.CreatePerson(ctx, anna.Actor, identity.CreatePersonRequest{Username: "cy", Project: project, Roles: []ledger.Role{ledger.RoleAnnotator}})
	if err != nil {
		t.Fatal(err)
	}
	lead := ledger.Actor{Person: bo.ID, Name: "bo", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{project: {ledger.RoleLead}}}
	group, err := b.CreateGroup(ctx, anna.Actor, "Night shift")
	if err == nil {
		err = b.JoinGroup(ctx, anna.Actor, "Night shift", "cy")
	}
	if err == nil {
		err = b.GrantGroup(ctx, lead, "Night shift", identity.GroupRole{Project: project, Role: ledger.RoleReviewer}, "they look at night")
	}
	if err != nil {
		t.Fatal(err)
	}
	granted := time.Unix(0, b.now.Load())

	// Use is noted to the hour: the second request of the hour writes nothing.
	worker := ledger.Actor{Person: cy.ID, Via: ledger.ViaLogin, Scope: ledger.ScopeFull}
	for range 3 {
		b.advance(10 * time.Minute)
		if err := b.Used(ctx, worker, project); err != nil {
			t.Fatal(err)
		}
	}
	review := func(by ledger.Actor) []identity.Access {
		t.Helper()
		all, err := b.Accesses(ctx, by, project)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := review(lead)
	if len(all) != 3 {
		t.Fatalf("%d rows: %+v", len(all), all)
	}
	mine, theirs, ours := row(t, all, "bo", ledger.RoleLead), row(t, all, "cy", ledger.RoleAnnotator), row(t, all, "Night shift", ledger.RoleReviewer)
	used := granted.Add(10 * time.Minute)
	switch {
	case theirs.GrantedBy != anna.Person.ID || !theirs.GrantedAt.Equal(granted) || theirs.Overdue || !theirs.ConfirmedAt.IsZero():
		t.Errorf("cy's role: %+v", theirs)
	case !theirs.UsedAt.Equal(used) || !mine.UsedAt.IsZero() || !ours.UsedAt.Equal(used):
		t.Errorf("used: cy %v, bo %v, group %v, want %v", theirs.UsedAt, mine.UsedAt, ours.UsedAt, used)
	case ours.GrantedBy != bo.ID || len(ours.Members) != 1 || ours.Group != group.ID:
		t.Errorf("the group's role: %+v", ours)
	}

	// After ninety days all wait; what is confirmed waits no longer.
	b.advance(identity.ReviewEvery)
	for _, a := range review(lead) {
		if !a.Overdue {
			t.Errorf("%s %s is not overdue", a.Name, a.Role)
		}
	}
	if err := b.ConfirmAccess(ctx, lead, project, "cy", ledger.RoleAnnotator); err != nil {
		t.Fatal(err)
	}
	if err := b.ConfirmAccess(ctx, lead, project, "night shift", ledger.RoleReviewer); err != nil {
		t.Fatal(err)
	}
	if err := b.ConfirmAccess(ctx, lead, project, "bo", ledger.RoleLead); !fault.Is(err, fault.Denied) {
		t.Errorf("a lead confirmed themselves: %v", err)
	}
	if err := b.ConfirmAccess(ctx, anna.Actor, project, "bo", ledger.RoleLead); err != nil {
		t.Error(err)
	}
	for _, a := range review(lead) {
		if a.Overdue || a.ConfirmedAt.IsZero() || a.ConfirmedBy == "" {
			t.Errorf("after the review: %+v", a)
		}
	}
	if events := b.events(t, "role.confirmed"); len(events) != 3 {
		t.Errorf("%d confirmations in the history, want 3", len(events))
	}

	// Taken away and given again, it is a new role, which nobody confirmed yet.
	if err := b.RemoveAccess(ctx, lead, project, string(cy.ID), ledger.RoleAnnotator, "moved on"); err != nil {
		t.Fatal(err)
	}
	if err := b.RemoveAccess(ctx, lead, project, string(group.ID), ledger.RoleReviewer, "closed"); err != nil {
		t.Fatal(err)
	}
	if all := review(lead); len(all) != 1 {
		t.Fatalf("left are %+v", all)
	}
	if err := b.Grant(ctx, lead, identity.Membership{Project: project, Person: cy.ID, Role: ledger.RoleAnnotator}, "back"); err != nil {
		t.Fatal(err)
	}
	if again := row(t, review(lead), "cy", ledger.RoleAnnotator); again.GrantedBy != bo.ID || !again.ConfirmedAt.IsZero() {
		t.Errorf("given again: %+v", again)
	}
}

func TestWhoSeesTheReview(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	b.admin(t)
	const project = ledger.ProjectID("night")
	for role, sees := range map[ledger.Role]bool{
		ledger.RoleLead: true, ledger.RoleAdmin: true, ledger.RoleAuditor: true, ledger.RoleAnnotator: false, ledger.RoleReviewer: false, ledger.RoleApprover: false,
	} {
		actor := ledger.Actor{Person: "p", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{project: {role}}}
		if _, err := b.Accesses(ctx, actor, project); (err == nil) != sees {
			t.Errorf("%s: %v", role, err)
		}
		if _, err := b.Accesses(ctx, actor, ""); !fault.Is(err, fault.Denied) {
			t.Errorf("%s sees all projects: %v", role, err)
		}
		if role == ledger.RoleAuditor {
			if err := b.ConfirmAccess(ctx, actor, project, "anna", ledger.RoleLead); !fault.Is(err, fault.Denied) || !strings.Contains(fault.Message(err), "lead") {
				t.Errorf("an auditor confirms: %v", err)
			}
		}
	}
}
