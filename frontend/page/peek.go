package page

import (
	"context"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// PeekView is what stands in the drawer beside an item: how to judge, what a
// class means, and what became of the item before.
type PeekView struct {
	Slug     string
	Peek     labeling.Peek
	Asked    bool // a class was asked about
	Schema   labeling.Schema
	People   map[ledger.PersonID]string
	Somebody string // a person whose name is not known here
}

func (v PeekView) class(id labeling.ClassID) labeling.Class {
	c, _ := v.Schema.Class(v.Schema.Resolve(id))
	return c
}

func (v PeekView) name(id ledger.PersonID) string {
	if name := v.People[id]; name != "" {
		return name
	}
	return v.Somebody
}

// said is what an annotation says that names no class, or what became of it.
func (v PeekView) said(ctx context.Context, a labeling.Annotation) string {
	switch {
	case a.State == labeling.AnnotationUndone:
		return ui.T(ctx, "label.peek.undone")
	case a.State == labeling.AnnotationSuperseded:
		return ui.T(ctx, "label.peek.superseded")
	case a.Kind == labeling.KindSkip:
		return ui.T(ctx, "label.peek.skip")
	case a.Kind == labeling.KindDecision:
		return ui.T(ctx, "label.peek.decision")
	case a.Kind == labeling.KindImport:
		return ui.T(ctx, "label.peek.import")
	}
	return ""
}
