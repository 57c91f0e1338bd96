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

// HoldsView lists legal holds, and asks why a thing shall be held.
type HoldsView struct {
	Rows   []HoldRow
	People Names
	Form   FormView
	Asked  *HoldRow // what shall be held; nil where nothing was chosen yet
}

// HoldRow is a legal hold with the page of what it is on.
type HoldRow struct {
	erasure.Held
	Project ProjectLink // has no slug where it is in the trash
}

// Href is the page of what is held, empty where it has none now.
func (r HoldRow) Href() string {
	on := r.On
	switch {
	case on.Name == "": // nothing is there under its id
		return ""
	case on.Kind == "person":
		return "/people/" + on.ID
	case r.Project.Slug == "":
		return ""
	case on.Kind == "project":
		return r.Project.Href()
	case on.Kind == "dataset":
		return r.Project.Href("datasets")
	case on.Kind == "item":
		return r.Project.Href("items", on.ID)
	}
	return r.Project.Href(on.Kind+"s", itoa(on.Number))
}

// Name is what the thing is called, its id where it has no name.
func (r HoldRow) Name() string {
	if r.On.Name == "" {
		return r.ID
	}
	return r.On.Name
}

// HoldView says on the page of a thing what keeps it from the trash and from
// erasure, and leads to holding it. The zero value draws nothing.
type HoldView struct {
	Kind string
	ID   string
	Name string        // said after the words, where several stand on a page
	Held *erasure.Held // what keeps it; nil where nothing does
	May  bool          // the reader may hold things, and see all holds
}

// words says what keeps the thing.
func (v HoldView) words(ctx context.Context) string {
	if v.Held.Kind == v.Kind {
		return ui.T(ctx, "holds.held", "reason", v.Held.Reason)
	}
	return ui.T(ctx, "holds.held.by", "kind", ui.T(ctx, "holds.kind."+v.Held.Kind), "name", HoldRow{Held: *v.Held}.Name(), "reason", v.Held.Reason)
}

func holdKinds(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, kind := range erasure.HoldKinds() {
		options = append(options, ui.Option{Value: kind, Text: ui.T(ctx, "holds.kind."+kind)})
	}
	return options
}
