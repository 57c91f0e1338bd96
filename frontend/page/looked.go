package page

import (
	"context"
	"strings"

	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// LookedView makes a page tell the server that somebody has it open. The zero
// value draws nothing: of who does not vote nothing is kept.
type LookedView struct {
	To      string // where it is told
	Kind    review.LookKind
	ID      string
	Untimed bool // how long is not told
}

// lasting writes how long something was in view.
func lasting(ctx context.Context, millis int64) string {
	s := (millis + 500) / 1000
	switch {
	case s < 60:
		return ui.T(ctx, "looked.seconds", "s", s)
	case s < 3600:
		return ui.T(ctx, "looked.minutes", "m", s/60, "s", s%60)
	}
	return ui.T(ctx, "looked.hours", "h", s/3600, "m", s%3600/60)
}

// lookedParts are the things on the way to a vote. The candidate's own page, which
// is no part of what it rests on, stands there once it was opened.
func (v BallotView) lookedParts() []review.Part {
	var parts []review.Part
	for _, p := range v.Looked.Parts {
		if p.Kind != review.LookCandidate || p.Opened() {
			parts = append(parts, p)
		}
	}
	return parts
}

// lookedNothing reports whether nothing was opened.
func (v BallotView) lookedNothing() bool {
	for _, p := range v.lookedParts() {
		if p.Opened() {
			return false
		}
	}
	return true
}

// partHref leads to what can be opened.
func (v BallotView) partHref(p review.Part) string {
	switch p.Kind {
	case review.LookComparison:
		return v.Project.Href("compare", p.Digest.Hex())
	case review.LookDocument:
		return v.Project.Href("compare", p.Digest.Hex(), "document")
	case review.LookModel:
		return v.Project.Href("models", p.ID)
	case review.LookSnapshot:
		return v.Project.Href("snapshots", p.ID)
	case review.LookCandidate:
	}
	return v.href()
}

// partWords says how long something was open, and how many of its items.
func partWords(ctx context.Context, p review.Part, timed bool) string {
	if !p.Opened() {
		return ui.T(ctx, "looked.not")
	}
	items := ""
	if p.Kind == review.LookComparison {
		items = ui.T(ctx, "looked.items", "n", len(p.Look.Items), "of", p.Items)
	}
	switch {
	case !timed && items != "":
		return items
	case !timed:
		return ui.T(ctx, "looked.opened")
	case items != "":
		return lasting(ctx, p.Look.Millis) + " · " + items
	}
	return lasting(ctx, p.Look.Millis)
}

// saysID is the place of the sentences of a question, which follow what is looked at.
func saysID(label string) string { return "sentences-" + label }

// saysIDs are those of all questions of a ballot.
func (v BallotView) saysIDs() string {
	ids := ""
	for i, label := range v.labels() {
		if i > 0 {
			ids += ","
		}
		ids += "#" + saysID(label.Name)
	}
	return ids
}

// lookedLine says what whoever cast a vote had opened, in figures.
func lookedLine(ctx context.Context, sum review.LookedSum) string {
	if sum.Comparisons == 0 && sum.Others == 0 {
		return ui.T(ctx, "looked.line.none")
	}
	var said []string
	if sum.Comparisons > 0 {
		said = append(said, ui.T(ctx, "looked.line.comparisons", "n", sum.Comparisons), ui.T(ctx, "looked.items", "n", sum.Items, "of", sum.Of))
	}
	if sum.Others > 0 {
		said = append(said, ui.T(ctx, "looked.line.others", "n", sum.Others))
	}
	if sum.Timed {
		said = append(said, lasting(ctx, sum.Millis))
	}
	return ui.T(ctx, "looked.line", "what", strings.Join(said, ", "))
}
