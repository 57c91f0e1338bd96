package page

import (
	"context"
	"net/url"
	"slices"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
)

// tickRow is a row of a matrix of roles.
type tickRow struct {
	ID, Name string
	Ticked   []ledger.Role // what the boxes show: as it was sent, where that was refused
	Held     []ledger.Role
	ByGroup  []ledger.Role
}

func roleTicksOf(v MembersView, m identity.Member) tickRow {
	return v.tickRow(tickRow{ID: string(m.Person.ID), Name: m.Person.Name, Held: m.Roles, ByGroup: m.ByGroup})
}

func groupTicksOf(v MembersView, g identity.ProjectGroup) tickRow {
	return v.tickRow(tickRow{ID: string(g.ID), Name: g.Name, Held: g.Roles})
}

func (v MembersView) tickRow(row tickRow) tickRow {
	row.Ticked = row.Held
	if roles, sent := v.Typed[row.ID]; sent {
		row.Ticked = roles
	}
	return row
}

// owner returns whose data directory this is; nobody where they are not listed.
func (v PeopleView) owner() identity.Person {
	for _, p := range v.People {
		if p.Owner {
			return p
		}
	}
	return identity.Person{}
}

func memberColumns(ctx context.Context, may bool) []ui.Column {
	columns := []ui.Column{{Label: ui.T(ctx, "people.name")}}
	for _, role := range ledger.Roles() {
		columns = append(columns, ui.Column{Label: ui.T(ctx, "role."+string(role))})
	}
	if may {
		columns = append(columns, ui.Column{Label: ui.T(ctx, "ui.actions"), Hidden: true})
	}
	return columns
}

func roleOptions(ctx context.Context, all bool) []ui.Option {
	var options []ui.Option
	for _, role := range ledger.Roles() {
		if all || role != ledger.RoleAdmin {
			options = append(options, ui.Option{Value: string(role), Text: ui.T(ctx, "role."+string(role))})
		}
	}
	return options
}

// Show chooses the people of the page that is asked for.
func (v *PeopleView) Show(query url.Values) {
	v.Paging = NewPaging("/people", query)
	v.Shown = paged(&v.Paging, v.People, func(p identity.Person) bool { return v.Paging.Shows(p.Name, p.Username) })
}

// Show chooses the members of the page that is asked for.
func (v *MembersView) Show(query url.Values) {
	v.Paging = NewPaging(v.Project.Href("people"), query)
	v.Shown = paged(&v.Paging, v.Members, func(m identity.Member) bool { return v.Paging.Shows(m.Person.Name, m.Person.Username) })
}

// voters are the reviewers and approvers of a project whom whoever looks could
// confirm.
func (v MembersView) voters() (options []ui.Option) {
	for _, m := range v.Members {
		votes := slices.ContainsFunc(m.All(), func(r ledger.Role) bool { return r == ledger.RoleReviewer || r == ledger.RoleApprover })
		if votes && m.Person.ID != v.Me && !m.Person.Disabled {
			options = append(options, ui.Option{Value: string(m.Person.ID), Text: m.Person.Name})
		}
	}
	return options
}
