package page

import (
	"context"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/frontend/ui"
)

// ErasureView says what an erasure would do, and asks whether it shall.
type ErasureView struct {
	Plan   erasure.Plan
	People Names
	Form   FormView
	Action string
}

// going reports whether an erasure is still being carried out.
func (v ErasureView) going() bool {
	return v.Plan.Done && v.Plan.Erasing != nil && v.Plan.Erasing.Finished.IsZero()
}

// erasedOn says when it was done, where that is known.
func (v ErasureView) erasedOn(ctx context.Context) string {
	if v.Plan.Erasing == nil {
		return ui.T(ctx, "erase.done")
	}
	return ui.T(ctx, "erase.done.on", "date", ui.Day(ctx, v.Plan.Erasing.Finished))
}

// fated lists the kinds of record with a fate that there are any of.
func (v ErasureView) fated(fate erasure.Fate) []erasure.Line {
	var list []erasure.Line
	for _, l := range v.Plan.Lines {
		if l.Fate == fate && l.Count != 0 {
			list = append(list, l)
		}
	}
	return list
}

// erasureCount names a kind of record, and how many of it where they are counted.
func erasureCount(ctx context.Context, l erasure.Line) string {
	name := ui.T(ctx, "erase.record."+string(l.Record))
	if l.Count > 0 {
		name += " (" + ui.Count(ctx, l.Count) + ")"
	}
	return name
}

// HoldsView lists legal holds.
type HoldsView struct {
	Holds  []erasure.Hold
	People Names
	Form   FormView
}

func holdKinds(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, kind := range []string{"person", "dataset", "project"} {
		options = append(options, ui.Option{Value: kind, Text: ui.T(ctx, "holds.kind."+kind)})
	}
	return options
}
