package page

import (
	"context"
	"strconv"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// SnapshotsView lists the snapshots of a project and takes a new one.
type SnapshotsView struct {
	Project   ProjectLink
	Snapshots []labeling.Snapshot
	Datasets  []labeling.Dataset
	Names     map[ledger.PersonID]string
	Chosen    []string // dataset ids of a form that is shown again
	Form      FormView
	MayFreeze bool
}

// building reports whether a snapshot is being made.
func (v SnapshotsView) building() bool {
	for _, s := range v.Snapshots {
		if s.State == labeling.SnapshotBuilding {
			return true
		}
	}
	return false
}

func (v SnapshotsView) chosen(d labeling.Dataset) bool {
	for _, id := range v.Chosen {
		if id == string(d.ID) {
			return true
		}
	}
	return len(v.Chosen) == 0 && len(v.Datasets) == 1
}

// SnapshotHref is the address of a snapshot.
func SnapshotHref(p ProjectLink, s labeling.Snapshot) string {
	return p.Href("snapshots", strconv.Itoa(s.Number))
}

func snapshotTone(s labeling.SnapshotState) ui.Tone {
	switch s {
	case labeling.SnapshotReady:
		return ui.Gain
	case labeling.SnapshotFailed:
		return ui.Danger
	case labeling.SnapshotBuilding:
	}
	return ui.Accent
}

func snapshotIcon(s labeling.SnapshotState) string {
	if s == labeling.SnapshotReady {
		return "check"
	}
	if s == labeling.SnapshotBuilding {
		return "clock"
	}
	return ""
}

// SnapshotView is one snapshot.
type SnapshotView struct {
	Project  ProjectLink
	Snapshot labeling.Snapshot
	Others   []labeling.Snapshot // ready ones to compare with, newest first
	Names    map[ledger.PersonID]string
	Twin     int // number of an older snapshot with the same digest, 0 if none
	MayTrain bool
	MayTake  bool // may export
	MayDel   bool // may delete it
	Hold     HoldView
	Looked   LookedView
	Rows     []labeling.SnapshotRow
}

func (v SnapshotView) bars() []ui.Bar {
	var bars []ui.Bar
	for _, c := range v.Snapshot.Classes {
		bars = append(bars, ui.Bar{Name: c.Class, Color: c.Color, Value: int(c.Items)})
	}
	return bars
}

func (v SnapshotView) stats(ctx context.Context) []ui.Stat {
	s := v.Snapshot
	classes := 0
	for _, c := range s.Classes {
		if c.Items > 0 {
			classes++
		}
	}
	people := 0
	for _, p := range s.Answerers {
		if p.Answers > 0 {
			people++
		}
	}
	stats := []ui.Stat{{Label: ui.T(ctx, "snapshots.items"), Value: ui.Count(ctx, s.Items)}}
	if !s.Withheld {
		stats = append(stats, ui.Stat{Label: ui.T(ctx, "snapshots.classes"), Value: ui.Count(ctx, int64(classes))})
	}
	return append(stats, ui.Stat{Label: ui.T(ctx, "snapshots.people"), Value: ui.Count(ctx, int64(people))})
}

func (v SnapshotView) color(class string) int {
	for _, c := range v.Snapshot.Classes {
		if c.Class == class {
			return c.Color
		}
	}
	return 0
}

func otherOptions(others []labeling.Snapshot) []ui.Option {
	var options []ui.Option
	for _, s := range others {
		text := "#" + strconv.Itoa(s.Number)
		if s.Name != "" {
			text += " " + s.Name
		}
		options = append(options, ui.Option{Value: strconv.Itoa(s.Number), Text: text})
	}
	return options
}

// DiffView is what changed between two snapshots.
type DiffView struct {
	Project ProjectLink
	Diff    labeling.SnapshotDiff
	Tab     string // labels, items or balance
	Names   map[ledger.PersonID]string
}

func (v DiffView) href(tab string) string {
	return SnapshotHref(v.Project, v.Diff.After) + "/diff?" + query("against", strconv.Itoa(v.Diff.Before.Number)) + "&" + query("tab", tab)
}

func (v DiffView) tabs(ctx context.Context) []ui.Tab {
	d := v.Diff
	return []ui.Tab{
		{Text: ui.T(ctx, "snapshots.tab.labels"), Href: v.href("labels"), Count: ui.Count(ctx, d.Relabelled+d.Reworded), Current: v.Tab == "labels"},
		{Text: ui.T(ctx, "snapshots.tab.items"), Href: v.href("items"), Count: ui.Count(ctx, d.Added+d.Removed), Current: v.Tab == "items"},
		{Text: ui.T(ctx, "snapshots.tab.balance"), Href: v.href("balance"), Current: v.Tab == "balance"},
	}
}

// rows are those of the tab.
func (v DiffView) rows() []labeling.DiffRow {
	var rows []labeling.DiffRow
	for _, r := range v.Diff.Rows {
		changed := r.Kind == labeling.DiffRelabelled || r.Kind == labeling.DiffReworded
		if changed == (v.Tab == "labels") {
			rows = append(rows, r)
		}
	}
	return rows
}

// widest is the largest count of a class on either side.
func (v DiffView) widest() string {
	widest := int64(1)
	for _, c := range v.Diff.Balance {
		widest = max(widest, c.Before, c.After)
	}
	return strconv.FormatInt(widest, 10)
}

func signedCount(ctx context.Context, n int64) string {
	switch {
	case n > 0:
		return "+" + ui.Count(ctx, n)
	case n < 0:
		return ui.Count(ctx, n)
	}
	return "0"
}
