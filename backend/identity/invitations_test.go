package identity_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

var towns = map[string]ledger.ProjectID{"news": "p1", "ward": "p2"}

func listOf(lines ...string) identity.InviteAllRequest {
	return identity.InviteAllRequest{CSV: []byte(strings.Join(lines, "\n")), Projects: towns}
}

func TestThirtyPeopleAreInvitedAtOnceAndTheSameListAgainChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	bo := b.person(t, anna.Actor, "bo")
	if _, err := b.CreateGroup(t.Context(), anna.Actor, "Night shift"); err != nil {
		t.Fatal(err)
	}
	lines := []string{"\ufeffName;E-mail;Project;Roles;Groups", "Bo the second;BO;news;annotator;"}
	for i := range 30 {
		lines = append(lines, fmt.Sprintf(`Nurse %d;nurse%d@example.org;news;annotator | data scientist;night shift`, i, i))
	}
	lines = append(lines, "", "Nurse 0;nurse0@example.org;ward;reviewer;")
	steps, wrong, err := b.PreviewInvitations(t.Context(), anna.Actor, listOf(lines...))
	if err != nil || len(wrong) > 0 || len(steps) != 32 {
		t.Fatalf("preview: %d steps, %v, %v", len(steps), wrong, err)
	}
	if people, _ := b.People(t.Context(), anna.Actor); len(people) != 2 {
		t.Errorf("the preview made people: %d", len(people))
	}
	steps, err = b.InviteAll(t.Context(), anna.Actor, listOf(lines...))
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]bool{}
	for _, s := range steps {
		if s.Secret != "" {
			secrets[s.Secret] = true
		}
	}
	if steps[0].New || steps[0].Person != bo.ID || len(steps[0].Add) != 1 || len(secrets) != 30 || steps[31].New || len(steps[31].Add) != 1 {
		t.Errorf("bo %+v, %d links, twice %+v", steps[0], len(secrets), steps[31])
	}
	in, err := b.Welcome(t.Context(), steps[1].Secret, identity.AccountRequest{Name: "Nora", Password: goodPassword}, home)
	if err != nil {
		t.Fatal(err)
	}
	if roles := b.visit(t, in.Secret).Actor.Roles; !slices.Equal(roles["p1"], []ledger.Role{ledger.RoleAnnotator, ledger.RoleDataScientist}) || !slices.Equal(roles["p2"], []ledger.Role{ledger.RoleReviewer}) {
		t.Errorf("roles = %v", roles)
	}
	before := b.kinds(t)
	steps, err = b.InviteAll(t.Context(), anna.Actor, listOf(lines...))
	if err != nil || slices.ContainsFunc(steps, identity.InvitationStep.Changes) {
		t.Errorf("again: %v, changes %v", err, slices.ContainsFunc(steps, identity.InvitationStep.Changes))
	}
	if after := b.kinds(t); after != before {
		t.Errorf("the same list again wrote %s", strings.TrimPrefix(after, before))
	}
}

func TestAListWithAMistakeInvitesNobodyAndNamesLineAndField(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	lead := b.here(t, ledger.Actor{Person: "lead", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"p1": {ledger.RoleLead}}})
	for name, tc := range map[string]struct {
		by    ledger.Actor
		lines []string
		want  []string // fields of the fault
	}{
		"an unknown role":                        {anna.Actor, []string{"username,project,roles", "a,news,annotator", "b,news,annotater"}, []string{"line 3, roles"}},
		"an unknown project":                     {anna.Actor, []string{"username,project,roles", "a,nwes,annotator"}, []string{"line 2, project"}},
		"an unknown group":                       {anna.Actor, []string{"username,groups", "a,Day"}, []string{"line 2, groups"}},
		"a name to sign in with a space":         {anna.Actor, []string{"username,name", "a b,A", ",Nobody"}, []string{"line 2, username", "line 3, username"}},
		"roles without a project":                {anna.Actor, []string{"username,roles", "a,lead"}, []string{"line 2, project"}},
		"a project without roles":                {anna.Actor, []string{"username,project", "a,news"}, []string{"line 2, roles"}},
		"two names for one":                      {anna.Actor, []string{"username,name", "a,A", "a,B"}, []string{"line 3, name"}},
		"an unknown column":                      {anna.Actor, []string{"username,rank", "a,1"}, []string{"line 1"}},
		"no column to sign in with":              {anna.Actor, []string{"name", "Anna"}, []string{"line 1, username"}},
		"a broken quotation":                     {anna.Actor, []string{"username,name", `a,"A`}, []string{"line 2"}},
		"too many cells":                         {anna.Actor, []string{"username,name", "a,A,annotator"}, []string{"line 2"}},
		"nobody at all":                          {anna.Actor, []string{"username,name"}, []string{"line 1"}},
		"a lead in somebody else's project":      {lead, []string{"username,project,roles", "a,ward,annotator"}, []string{"line 2, roles"}},
		"a lead without a project":               {lead, []string{"username", "a"}, []string{"line 2, project"}},
		"a lead who makes admins of the project": {lead, []string{"username,project,roles", "a,news,admin"}, []string{"line 2, roles"}},
		"Latin-1":                                {anna.Actor, []string{"username,name", "a,J\xf6rg"}, []string{"line 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := b.kinds(t)
			_, err := b.InviteAll(t.Context(), tc.by, listOf(tc.lines...))
			got := slices.Sorted(maps.Keys(fault.Fields(err)))
			if !fault.Is(err, fault.Invalid) || !slices.Equal(got, tc.want) {
				t.Errorf("got %v: %v", got, err)
			}
			_, wrong, err := b.PreviewInvitations(t.Context(), tc.by, listOf(tc.lines...))
			if err != nil || len(wrong) != len(tc.want) {
				t.Errorf("preview: %+v, %v", wrong, err)
			}
			if after := b.kinds(t); after != before {
				t.Error("something was done")
			}
		})
	}
}
