package identity_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

func TestAMemberHoldsTheRolesOfTheirGroupsBesideTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	bo := b.person(t, anna.Actor, "bo")
	night, err := b.CreateGroup(t.Context(), anna.Actor, " Night shift ")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.CreateGroup(t.Context(), anna.Actor, "Night shift")
	wantKind(t, err, fault.Conflict, "this name already")
	steps := []error{
		b.Grant(t.Context(), anna.Actor, identity.Membership{Project: "p1", Person: bo.ID, Role: ledger.RoleReviewer}, "agreed"),
		b.JoinGroup(t.Context(), anna.Actor, "night SHIFT", "bo"),
		b.JoinGroup(t.Context(), anna.Actor, string(night.ID), string(bo.ID)), // again: nothing
		b.GrantGroup(t.Context(), anna.Actor, "Night shift", identity.GroupRole{Project: "p1", Role: ledger.RoleAnnotator}, "agreed"),
		b.GrantGroup(t.Context(), anna.Actor, "Night shift", identity.GroupRole{Project: "p1", Role: ledger.RoleReviewer}, "agreed"),
	}
	for i, err := range steps {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	in, err := b.SignIn(t.Context(), "bo", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	roles := b.visit(t, in.Secret).Actor.Roles["p1"]
	if !slices.Equal(roles, []ledger.Role{ledger.RoleAnnotator, ledger.RoleReviewer}) {
		t.Errorf("roles = %v", roles)
	}
	members, err := b.Members(t.Context(), anna.Actor, "p1")
	if err != nil || len(members) != 1 || !slices.Equal(members[0].Roles, []ledger.Role{ledger.RoleReviewer}) || !slices.Equal(members[0].ByGroup, []ledger.Role{ledger.RoleAnnotator}) {
		t.Errorf("members = %+v, %v", members, err)
	}
	if err := b.DeleteGroup(t.Context(), anna.Actor, "Night shift", "agreed"); err != nil {
		t.Fatal(err)
	}
	if roles := b.visit(t, in.Secret).Actor.Roles["p1"]; !slices.Equal(roles, []ledger.Role{ledger.RoleReviewer}) {
		t.Errorf("without the group: %v", roles)
	}
	if kinds := b.kinds(t); strings.Count(kinds, "group.joined") != 1 || !strings.Contains(kinds, "group.granted group.granted") || !strings.Contains(kinds, "group.deleted") {
		t.Errorf("the history says %s", kinds)
	}
}

func TestALeadGivesGroupsRolesInTheirProjectAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	if _, err := b.CreateGroup(t.Context(), anna.Actor, "Ward 3"); err != nil {
		t.Fatal(err)
	}
	lead := b.here(t, ledger.Actor{Person: "lead", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"p1": {ledger.RoleLead}, "p2": {ledger.RoleAnnotator}}})
	_, err := b.CreateGroup(t.Context(), lead, "Mine")
	wantKind(t, err, fault.Denied, "Only an admin")
	wantKind(t, b.JoinGroup(t.Context(), lead, "Ward 3", "anna"), fault.Denied, "Only an admin")
	if err := b.GrantGroup(t.Context(), lead, "Ward 3", identity.GroupRole{Project: "p1", Role: ledger.RoleAnnotator}, "agreed"); err != nil {
		t.Error(err)
	}
	wantKind(t, b.GrantGroup(t.Context(), lead, "Ward 3", identity.GroupRole{Project: "p2", Role: ledger.RoleAnnotator}, "agreed"), fault.Denied, "lead")
	wantKind(t, b.GrantGroup(t.Context(), lead, "Ward 3", identity.GroupRole{Project: "p1", Role: ledger.RoleAdmin}, "agreed"), fault.Denied, "admin")
}

func TestALeadSeesWhatGroupsHoldInTheirProjectAndChangesItWithAReason(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	night, err := b.CreateGroup(t.Context(), anna.Actor, "Night shift")
	if err != nil {
		t.Fatal(err)
	}
	day, err := b.CreateGroup(t.Context(), anna.Actor, "Day shift")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		b.JoinGroup(t.Context(), anna.Actor, "Night shift", "anna"),
		b.GrantGroup(t.Context(), anna.Actor, "Night shift", identity.GroupRole{Project: "p2", Role: ledger.RoleReviewer}, "agreed"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	lead := b.here(t, ledger.Actor{Person: "lead", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"p1": {ledger.RoleLead}, "p2": {ledger.RoleAnnotator}}})
	wanted := map[identity.GroupID][]ledger.Role{night.ID: {ledger.RoleAnnotator, ledger.RoleReviewer}, day.ID: {ledger.RoleAuditor}}
	wantKind(t, b.SetGroupRoles(t.Context(), lead, "p1", wanted, ""), fault.Invalid, "Say in a few words why")
	wantKind(t, b.SetGroupRoles(t.Context(), lead, "p2", wanted, "new rota"), fault.Denied, "lead")
	wantKind(t, b.SetGroupRoles(t.Context(), lead, "p1", map[identity.GroupID][]ledger.Role{day.ID: {ledger.RoleAdmin}}, "new rota"), fault.Denied, "admin")
	if err := b.SetGroupRoles(t.Context(), lead, "p1", wanted, "new rota"); err != nil {
		t.Fatal(err)
	}
	wanted[night.ID] = []ledger.Role{ledger.RoleAnnotator}
	if err := b.SetGroupRoles(t.Context(), lead, "p1", wanted, "one reviewer is enough"); err != nil {
		t.Fatal(err)
	}
	groups, err := b.ProjectGroups(t.Context(), lead, "p1")
	want := []identity.ProjectGroup{
		{ID: day.ID, Name: "Day shift", Roles: []ledger.Role{ledger.RoleAuditor}},
		{ID: night.ID, Name: "Night shift", Members: 1, Roles: []ledger.Role{ledger.RoleAnnotator}}, // nothing of the other project
	}
	if err != nil || !reflect.DeepEqual(groups, want) {
		t.Errorf("groups = %+v, %v; want %+v", groups, err, want)
	}
	_, err = b.ProjectGroups(t.Context(), lead, "p2")
	wantKind(t, err, fault.Denied, "lead")
	if kinds := b.kinds(t); !strings.HasSuffix(kinds, "group.granted group.granted group.granted group.revoked") {
		t.Errorf("the history says %s", kinds)
	}
}

func TestLettingAGroupAtTheProviderStandForOneWithRolesNeedsAReason(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	if _, err := b.CreateGroup(t.Context(), anna.Actor, "Ward 3"); err != nil {
		t.Fatal(err)
	}
	reviewer, auditor := identity.GroupRole{Project: "p1", Role: ledger.RoleReviewer}, identity.GroupRole{Project: "p1", Role: ledger.RoleAuditor}
	const asks = "Say in a few words why"
	// Without roles nobody gets anything by it; then whoever gives the roles says why.
	if err := b.MapGroup(t.Context(), anna.Actor, "Ward 3", "/ward-3", ""); err != nil {
		t.Fatal(err)
	}
	wantKind(t, b.GrantGroup(t.Context(), anna.Actor, "Ward 3", reviewer, ""), fault.Invalid, asks)
	if err := b.GrantGroup(t.Context(), anna.Actor, "Ward 3", reviewer, "they review"); err != nil {
		t.Fatal(err)
	}
	wantKind(t, b.RevokeGroup(t.Context(), anna.Actor, "Ward 3", reviewer, ""), fault.Invalid, asks)
	wantKind(t, b.GrantGroup(t.Context(), anna.Actor, "Ward 3", auditor, " "), fault.Invalid, asks)
	// With roles both ways need it.
	wantKind(t, b.MapGroup(t.Context(), anna.Actor, "Ward 3", "/ward-4", ""), fault.Invalid, asks)
	wantKind(t, b.UnmapGroup(t.Context(), anna.Actor, "Ward 3", "/ward-3", ""), fault.Invalid, asks)
	if err := b.MapGroup(t.Context(), anna.Actor, "Ward 3", "/ward-3", ""); err != nil {
		t.Errorf("what changes nothing asks: %v", err)
	}
	before := strings.Fields(b.kinds(t))
	for _, err := range []error{
		b.MapGroup(t.Context(), anna.Actor, "Ward 3", "/ward-4", "the wards were joined"),
		b.UnmapGroup(t.Context(), anna.Actor, "Ward 3", "/ward-3", "it was closed"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if after := strings.Fields(b.kinds(t)); !slices.Equal(after[len(before):], []string{"group.mapped", "group.unmapped"}) {
		t.Errorf("the history says %v", after[len(before):])
	}
}
