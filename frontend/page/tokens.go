package page

import (
	"context"
	"time"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
)

// NewTokenRows describes tokens as they are at a time.
func NewTokenRows(tokens []identity.Token, names map[ledger.PersonID]string, now time.Time) []TokenRow {
	var rows []TokenRow
	for _, t := range tokens {
		state := "good"
		switch {
		case !t.RevokedAt.IsZero():
			state = "revoked"
		case !t.Live(now):
			state = "expired"
		}
		rows = append(rows, TokenRow{Token: t, Person: names[t.Person], State: state})
	}
	return rows
}

func tokenColumns(ctx context.Context, v TokensView) []ui.Column {
	columns := []ui.Column{{Label: ui.T(ctx, "tokens.name")}}
	if v.All {
		columns = append(columns, ui.Column{Label: ui.T(ctx, "tokens.person")})
	}
	for _, label := range []string{ui.T(ctx, "tokens.scope"), ui.T(ctx, "tokens.state"), ui.T(ctx, "tokens.expires"), ui.T(ctx, "tokens.used")} {
		columns = append(columns, ui.Column{Label: label})
	}
	return append(columns, ui.Column{Label: ui.T(ctx, "ui.actions"), Hidden: true})
}
