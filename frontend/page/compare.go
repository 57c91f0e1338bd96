package page

import (
	"context"

	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
)

// CompareView lists comparisons and starts one.
type CompareView struct {
	Project   ProjectLink
	Rows      []compare.ComparisonRow
	Models    []compare.Model
	Snapshots []SnapshotChoice
	Form      FormView
	May       bool
	MayImport bool
}

// SnapshotChoice is a snapshot that one can choose.
type SnapshotChoice struct {
	ID, Title string
}

func modelOptions(ctx context.Context, models []compare.Model, empty string) []ui.Option {
	options := []ui.Option{{Text: empty}}
	for _, m := range models {
		options = append(options, ui.Option{Value: string(m.ID), Text: m.Title()})
	}
	return options
}

func snapshotOptions(snapshots []SnapshotChoice, empty string) []ui.Option {
	options := []ui.Option{{Text: empty}}
	for _, s := range snapshots {
		options = append(options, ui.Option{Value: s.ID, Text: s.Title})
	}
	return options
}

func comparisonColumns(ctx context.Context) []ui.Column {
	return []ui.Column{
		{Label: ui.T(ctx, "compare.comparison")}, {Label: ui.T(ctx, "compare.snapshot")}, {Label: ui.T(ctx, "compare.items"), Numeric: true}, {Label: ui.T(ctx, "compare.verdict")},
		{Label: ui.T(ctx, "compare.difference"), Numeric: true}, {Label: ui.T(ctx, "compare.interval95"), Numeric: true}, {Label: ui.T(ctx, "models.made")},
	}
}
