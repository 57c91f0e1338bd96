package page

import (
	"context"
	"strings"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// MediaView is the page of the objects of a dataset.
type MediaView struct {
	Project  ProjectLink
	Report   labeling.MediaReport
	By       string // who began the last check
	MayCheck bool
}

// running reports whether a check is under way.
func (v MediaView) running() bool {
	return !v.Report.Check.StartedAt.IsZero() && v.Report.Check.FinishedAt.IsZero()
}

// mediaFault says what is wrong with an object, in the reader's language.
func mediaFault(ctx context.Context, m labeling.Media) string {
	state := string(m.Fault.State)
	if m.Fault.State == labeling.MediaChanged && m.Fault.Found == "" {
		state = "larger"
	}
	return ui.T(ctx, "media.fault."+state+"."+m.Kind(), "expected", hexStart(string(m.Digest)), "found", hexStart(string(m.Fault.Found)), "day", ui.Day(ctx, m.Fault.At))
}

// hexStart is as much of a digest as people compare by eye.
func hexStart(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return hex[:min(8, len(hex))] + "…"
}

// itemName is what an item is called where there is no text to show.
func itemName(ctx context.Context, i labeling.Item) string {
	if i.Text != "" || i.Media == nil {
		return i.Text
	}
	return ui.T(ctx, "media.of."+i.Media.Kind(), "key", i.Key)
}

// beginning is as much of a text as a list shows; the item's own page has all of it.
func beginning(text string) string {
	short, cut := ledger.Excerpt(text)
	if cut {
		short += "…"
	}
	return short
}
