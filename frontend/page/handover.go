package page

import (
	"context"

	"github.com/adjudge/adjudge/frontend/ui"
)

func handOverLead(ctx context.Context, v HandOverView) string {
	if v.Confirm {
		return ui.T(ctx, "handover.confirm.lead", "name", v.Name, "username", v.Username)
	}
	return ui.T(ctx, "handover.lead", "name", v.Name, "username", v.Username)
}

func handOverButton(ctx context.Context, v HandOverView) string {
	if v.Confirm {
		return ui.T(ctx, "handover.confirm")
	}
	return ui.T(ctx, "handover.go", "name", v.Name)
}
