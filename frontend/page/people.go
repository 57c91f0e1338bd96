package page

import (
	"context"
	"slices"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
)

func holds(m identity.Member, role ledger.Role) bool { return slices.Contains(m.Roles, role) }

// owner returns whose data directory this is; nobody where they are not listed.
func (v PeopleView) owner() identity.Person {
	for _, p := range v.People {
		if p.Owner {
			return p
		}
	}
	return identity.Person{}
}

func byGroup(m identity.Member, role ledger.Role) bool { return slices.Contains(m.ByGroup, role) }

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
