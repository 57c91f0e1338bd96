package page

import (
	"context"
	"slices"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
)

func holds(m identity.Member, role ledger.Role) bool { return slices.Contains(m.Roles, role) }

func memberColumns(ctx context.Context) []ui.Column {
	columns := []ui.Column{{Label: ui.T(ctx, "people.name")}}
	for _, role := range ledger.Roles() {
		columns = append(columns, ui.Column{Label: ui.T(ctx, "role."+string(role))})
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
