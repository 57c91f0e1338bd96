package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

// What the form asked is kept while the page asks why.
func TestTheGroupsPageAsksWhyAGroupAtTheProviderGetsRoles(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	admin := ledger.System()
	group, err := town.identity.CreateGroup(t.Context(), admin, "Ward 3")
	if err != nil {
		t.Fatal(err)
	}
	if err := town.identity.GrantGroup(t.Context(), admin, string(group.ID), identity.GroupRole{Project: townProject, Role: ledger.RoleReviewer}, ""); err != nil {
		t.Fatal(err)
	}
	owner := signedIn(s, town.cookie(t, "owner"))
	target := "/people/groups/" + string(group.ID)
	form := url.Values{"do": {"map"}, "provider_name": {"/ward-3"}}
	w := post(s, target, form, owner)
	for _, part := range []string{`name="provider_name" value="/ward-3"`, `name="do" value="map"`, `id="reason-error"`} {
		if w.Code != 422 || !strings.Contains(w.Body.String(), part) {
			t.Errorf("without a reason: %d, and the page lacks %s", w.Code, part)
		}
	}
	form.Set("reason", "the hospital names them")
	if w := post(s, target, form, owner); w.Code != 303 {
		t.Errorf("with a reason: %d %s", w.Code, w.Body)
	}
	groups, err := town.identity.Groups(t.Context(), admin)
	if err != nil || len(groups) != 1 || len(groups[0].Names) != 1 || groups[0].Names[0] != "/ward-3" {
		t.Errorf("groups = %+v, %v", groups, err)
	}
}
