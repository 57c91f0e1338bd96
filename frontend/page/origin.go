package page

import (
	"context"

	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
)

// originWords says which set of answers it is, who made it and when.
func originWords(ctx context.Context, s compare.Source, people Names) string {
	day := ui.Day(ctx, s.At)
	if s.Origin == compare.OriginComputed {
		if s.Model == "" {
			return ui.T(ctx, "origin.computed", "n", s.Version, "day", day)
		}
		return ui.T(ctx, "origin.computed.from", "n", s.Version, "day", day, "digest", s.Model.Short())
	}
	name := s.Name
	if name == "" {
		name = people.Name(s.By)
	}
	return ui.T(ctx, "origin.uploaded", "n", s.Version, "day", day, "name", name)
}

// setOrigin says where a set of answers comes from, in its list.
func setOrigin(ctx context.Context, set compare.PredictionSet, people Names) string {
	said := originWords(ctx, set.Source(""), people)
	if !set.Withdrawn.None() {
		said = ui.T(ctx, "origin.withdrawn", "said", said)
	}
	return said
}
