package page

import (
	"context"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/frontend/ui"
)

// Refusal returns what a person may read of an error, in their language.
func Refusal(ctx context.Context, err error) string {
	if f := fault.Readable(err); f != nil {
		return saidFault(ctx, f)
	}
	return ui.Said(ctx, fault.Unexplained)
}

// Refusals returns what is wrong with which field, in the language of ctx.
func Refusals(ctx context.Context, err error) map[string]string {
	said := map[string]string{}
	for field, f := range fault.ByField(err) {
		said[field] = saidFault(ctx, f)
	}
	return said
}

func saidFault(ctx context.Context, f *fault.Error) string {
	if f.Format == "" {
		return ui.Said(ctx, f.Message)
	}
	return ui.Sentence(ctx, f.Format, f.Args...)
}
