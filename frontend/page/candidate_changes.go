package page

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// Change is a named value before and after.
type Change struct{ Name, Before, After string }

// MetricChange is a metric of baseline and candidate.
type MetricChange struct {
	Name          string
	Before, After float64
	HasBefore     bool
}

// differing leaves out what stayed the same.
func differing(all []Change) []Change {
	return slices.DeleteFunc(slices.Clone(all), func(c Change) bool { return c.Before == c.After })
}

// noBaseline says why there is no baseline.
func (v CandidateView) noBaseline(ctx context.Context) string {
	switch {
	case v.Candidate.State == review.StateDraft:
		return ui.T(ctx, "candidate.baseline.draft", "environment", string(v.Candidate.Environment))
	case v.Stale:
		return ui.T(ctx, "candidate.stale.text")
	}
	return ui.T(ctx, "candidate.baseline.none", "environment", string(v.Candidate.Environment))
}

// compareHref opens the comparison behind a piece of evidence.
func (v CandidateView) compareHref() string {
	return v.Project.Href("compare") + "?" + query("baseline", string(v.Candidate.Baseline.Model)) + "&" + query("candidate", string(v.Candidate.Model))
}

// unfinished are the comparisons with the baseline that are not there yet.
func (v CandidateView) unfinished() []review.Measurement {
	return slices.DeleteFunc(slices.Clone(v.Measured), func(m review.Measurement) bool { return m.State == review.MeasureDone })
}

func measureIcon(s review.MeasureState) string {
	switch s {
	case review.MeasureFailed:
		return "warning"
	case review.MeasureQueued:
		return "refresh"
	case review.MeasureWaiting, review.MeasureDone:
	}
	return "clock"
}

func evidenceTone(e review.Evidence) ui.Tone {
	switch e.Difference.Verdict() {
	case compare.VerdictGain:
		return ui.Gain
	case compare.VerdictLoss:
		return ui.Loss
	case compare.VerdictUndecided:
	}
	return ui.Undecided
}

// interval draws the difference of accuracies in points.
func evidenceInterval(e review.Evidence, label string) ui.IntervalProps {
	low, mid, high := 100*float64(e.Difference.Low), 100*float64(e.Difference.Value), 100*float64(e.Difference.High)
	reach := max(-low, high, 1) * 1.15
	return ui.IntervalProps{Low: low, Mid: mid, High: high, Min: -reach, Max: reach, Zero: true, Tone: evidenceTone(e), Label: label}
}

func accuracyPoints(ctx context.Context, n compare.Number) string {
	return ui.Signed(ctx, 100*float64(n), 1)
}

// paramChanges lists the parameters of two JSON objects by name.
func paramChanges(before, after json.RawMessage) []Change {
	a, b := paramsOf(before), paramsOf(after)
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	var all []Change
	for name := range names {
		all = append(all, Change{Name: name, Before: a[name], After: b[name]})
	}
	slices.SortFunc(all, func(x, y Change) int { return strings.Compare(x.Name, y.Name) })
	return all
}

func paramsOf(raw json.RawMessage) map[string]string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return nil // shown as having none
	}
	out := map[string]string{}
	for name, value := range fields {
		var compact bytes.Buffer
		if json.Compact(&compact, value) == nil {
			out[name] = strings.Trim(compact.String(), `"`)
		}
	}
	return out
}

func metricChanges(before, after []compare.Metric) []MetricChange {
	var all []MetricChange
	for _, m := range after {
		change := MetricChange{Name: m.Name, After: m.Value}
		for _, b := range before {
			if b.Name == m.Name {
				change.Before, change.HasBefore = b.Value, true
			}
		}
		all = append(all, change)
	}
	return all
}

func metricValue(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }
