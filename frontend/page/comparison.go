package page

import (
	"context"
	"math"
	"net/url"
	"slices"
	"strconv"

	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
)

// ComparisonView is the page of one comparison.
type ComparisonView struct {
	Project    ProjectLink
	Record     compare.ComparisonRecord
	Comparison compare.Comparison
	Sources    [2][]compare.Source // of the baseline and of the candidate
	Others     int                 // sets that the comparison does not read
	People     Names
	Baseline   compare.Model
	Candidate  compare.Model
	Snapshot   string // its title
	SnapshotNo int
	Filter     compare.ItemFilter
	AllSlices  bool
	AllClasses bool
	Items      compare.ItemList
	MayPropose bool
	MayDelete  bool
	Hold       HoldView
	Looked     LookedView
}

// shownSlices and shownClasses are how many slices and classes a panel shows
// until one asks for all.
const (
	shownSlices  = 12
	shownClasses = 12
)

// href returns the address of the page with the filter changed.
func (v ComparisonView) href(change func(*compare.ItemFilter)) string {
	f := v.Filter
	f.After = ""
	change(&f)
	return v.address(f, v.AllSlices, v.AllClasses)
}

func (v ComparisonView) address(f compare.ItemFilter, allSlices, allClasses bool) string {
	query := url.Values{}
	for _, o := range f.Outcomes {
		query.Add("outcome", o)
	}
	for name, value := range map[string]string{"class": f.Class, "answer": f.Answer, "baseline": f.Baseline, "candidate": f.Candidate, "after": f.After} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if allSlices {
		query.Set("slices", "all")
	}
	if allClasses {
		query.Set("classes", "all")
	}
	address := v.Project.Href("compare", v.Record.Digest.Hex())
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// toggle adds an outcome to the filter or takes it away.
func (v ComparisonView) toggle(name string) string {
	return v.href(func(f *compare.ItemFilter) {
		if slices.Contains(f.Outcomes, name) {
			f.Outcomes = slices.DeleteFunc(slices.Clone(f.Outcomes), func(o string) bool { return o == name })
		} else {
			f.Outcomes = append(slices.Clone(f.Outcomes), name)
		}
	})
}

// only chooses one outcome, or none if it is chosen already.
func (v ComparisonView) only(name string) string {
	return v.href(func(f *compare.ItemFilter) {
		if len(f.Outcomes) == 1 && f.Outcomes[0] == name {
			f.Outcomes = nil
		} else {
			f.Outcomes = []string{name}
		}
	})
}

func (v ComparisonView) chosen(name string) bool { return slices.Contains(v.Filter.Outcomes, name) }

// ofClass chooses a class, or none if it is chosen already.
func (v ComparisonView) ofClass(name string) string {
	return v.href(func(f *compare.ItemFilter) {
		f.Baseline, f.Candidate, f.Answer = "", "", ""
		if f.Class == name {
			name = ""
		}
		f.Class = name
	})
}

// ofCell chooses the items of a class to which a model gave an answer.
func (v ComparisonView) ofCell(class, answer string) string {
	return v.href(func(f *compare.ItemFilter) {
		f.Baseline, f.Candidate = "", ""
		if f.Class == class && f.Answer == answer {
			class, answer = "", ""
		}
		f.Class, f.Answer = class, answer
	})
}

func (v ComparisonView) filtered() bool {
	f := v.Filter
	return len(f.Outcomes) > 0 || f.Class != "" || f.Answer != "" || f.Baseline != "" || f.Candidate != ""
}

// verdictTone is the tone of a verdict.
func verdictTone(v compare.Verdict) ui.Tone {
	switch v {
	case compare.VerdictGain:
		return ui.Gain
	case compare.VerdictLoss:
		return ui.Loss
	}
	return ui.Undecided
}

func verdictWord(ctx context.Context, v compare.Verdict) string {
	switch v {
	case compare.VerdictGain:
		return ui.T(ctx, "compare.verdict.gain")
	case compare.VerdictLoss:
		return ui.T(ctx, "compare.verdict.loss")
	}
	return ui.T(ctx, "compare.verdict.undecided")
}

// verdictSentence says what a comparison found.
func verdictSentence(ctx context.Context, c compare.Comparison) string {
	args := []any{"n", c.Base.Items, "baseline", c.Baseline.Title(), "candidate", c.Candidate.Title(), "low", signedPoints(ctx, c.Difference.Low), "high", signedPoints(ctx, c.Difference.High)}
	switch {
	case c.Verdict == compare.VerdictGain:
		return ui.T(ctx, "compare.says.gain", append(args, "points", points(ctx, c.Difference.Value))...)
	case c.Verdict == compare.VerdictLoss:
		return ui.T(ctx, "compare.says.loss", append(args, "points", points(ctx, -c.Difference.Value))...)
	case c.Visible >= 1:
		return ui.T(ctx, "compare.says.nothing", args...)
	}
	return ui.T(ctx, "compare.says.undecided", append(args, "visible", points(ctx, c.Visible))...)
}

func points(ctx context.Context, n compare.Number) string { return ui.Local(ctx, compare.Points(n)) }

func signedPoints(ctx context.Context, n compare.Number) string {
	return ui.Local(ctx, compare.SignedPoints(n))
}

func pValue(ctx context.Context, n compare.Number) string { return ui.Local(ctx, compare.PValue(n)) }

func percentOf(ctx context.Context, n compare.Number) string { return ui.Percent(ctx, float64(n)) }

func percentRange(ctx context.Context, e compare.Estimate) string {
	return ui.Number(ctx, float64(e.Low)*100, 1) + "–" + ui.Percent(ctx, float64(e.High))
}

func pointsRange(ctx context.Context, e compare.Estimate) string {
	return signedPoints(ctx, e.Low) + " … " + signedPoints(ctx, e.High)
}

func metricName(ctx context.Context, name string) string {
	switch name {
	case "accuracy":
		return ui.T(ctx, "compare.metric.accuracy")
	case "macro_f1":
		return ui.T(ctx, "compare.metric.macro_f1")
	}
	return name
}

// axisFor is the half width of an axis of differences that shows all of the given
// intervals, rounded up to a step that people can read.
func axisFor(estimates ...compare.Estimate) float64 {
	widest := 0.0
	for _, e := range estimates {
		widest = max(widest, math.Abs(float64(e.Low)), math.Abs(float64(e.High)))
	}
	for _, step := range []float64{.005, .01, .02, .05, .1, .2, .5} {
		if widest <= step {
			return step
		}
	}
	return 1
}

// slice is one row of the panel of slices.
type sliceRow struct {
	compare.Slice
	Facet  compare.ClassFacet // under the filter
	Letter string
	Href   string
	On     bool
}

// sliceRows returns the slices to show, by harm, and how many there are.
func (v ComparisonView) sliceRows() ([]sliceRow, int) {
	facets := map[string]compare.ClassFacet{}
	for _, f := range v.Items.Facets.Classes {
		facets[f.Class] = f
	}
	letters := v.letters()
	var rows []sliceRow
	for _, s := range v.Comparison.Slices {
		facet, some := facets[s.Name]
		on := v.Filter.Class == s.Name
		if !some && !on && (len(v.Filter.Outcomes) > 0 || v.Filter.Answer != "") {
			continue
		}
		rows = append(rows, sliceRow{Slice: s, Facet: facet, Letter: letters[s.Name], Href: v.ofClass(s.Name), On: on})
	}
	total := len(rows)
	if !v.AllSlices && total > shownSlices {
		kept := rows[:shownSlices]
		for _, row := range rows[shownSlices:] {
			if row.On {
				kept = append(slices.Clone(kept), row)
			}
		}
		rows = kept
	}
	return rows, total
}

// sliceAxis is the axis on which all differences of the rows fit.
func sliceAxis(rows []sliceRow) float64 {
	estimates := make([]compare.Estimate, len(rows))
	for i, row := range rows {
		estimates[i] = row.Difference
	}
	return axisFor(estimates...)
}

// onAxis is the place of a difference in a drawing 104 wide, zero in the middle.
func onAxis(n compare.Number, axis float64) string {
	return strconv.FormatFloat(52+48*float64(n)/axis, 'f', 1, 64)
}

// outcomeTone is the tone of an outcome.
func outcomeTone(o compare.Outcome) ui.Tone {
	switch o {
	case compare.OnlyCandidate:
		return ui.Gain
	case compare.OnlyBaseline:
		return ui.Loss
	}
	return ui.Undecided
}

func outcomeWord(ctx context.Context, o compare.Outcome) string {
	switch o {
	case compare.OnlyBaseline:
		return ui.T(ctx, "compare.outcome.lost")
	case compare.OnlyCandidate:
		return ui.T(ctx, "compare.outcome.won")
	case compare.BothDiffer:
		return ui.T(ctx, "compare.outcome.both-differ")
	case compare.BothWrong:
		return ui.T(ctx, "compare.outcome.both-wrong")
	}
	return ui.T(ctx, "compare.outcome.both-right")
}

// quadrant is one of the four fields.
type quadrant struct {
	Title string
	Count int
	Tone  ui.Tone
	Href  string
	On    bool
}

// quadrants returns the four fields under the filter: both right, only the
// candidate, only the baseline, both wrong.
func (v ComparisonView) quadrants(ctx context.Context) [4]quadrant {
	n := v.Items.Facets.Outcomes
	return [4]quadrant{
		{ui.T(ctx, "compare.quadrant.both"), n[compare.BothRight], ui.Plain, v.only("both-right"), v.chosen("both-right")},
		{ui.T(ctx, "compare.quadrant.candidate"), n[compare.OnlyCandidate], ui.Gain, v.only("won"), v.chosen("won")},
		{ui.T(ctx, "compare.quadrant.baseline"), n[compare.OnlyBaseline], ui.Loss, v.only("lost"), v.chosen("lost")},
		{ui.T(ctx, "compare.quadrant.neither"), n[compare.BothDiffer] + n[compare.BothWrong], ui.Plain, v.only("wrong"), v.chosen("wrong")},
	}
}

// outcomeChips are the filters above the items.
func (v ComparisonView) outcomeChips(ctx context.Context) []ui.Chip {
	var chips []ui.Chip
	for _, o := range compare.Outcomes() {
		chips = append(chips, ui.Chip{
			Text: outcomeWord(ctx, o) + " " + ui.Count(ctx, v.Items.Facets.Outcomes[o]), Href: v.toggle(o.String()), Icon: outcomeTone(o).Icon(), On: v.chosen(o.String()),
		})
	}
	for _, part := range []struct {
		text, value string
		clear       func(*compare.ItemFilter)
	}{
		{ui.T(ctx, "compare.filter.class", "name", v.Filter.Class), v.Filter.Class, func(f *compare.ItemFilter) { f.Class = "" }},
		{ui.T(ctx, "compare.filter.answer", "name", v.Filter.Answer), v.Filter.Answer, func(f *compare.ItemFilter) { f.Answer = "" }},
		{ui.T(ctx, "compare.filter.baseline", "name", v.Filter.Baseline), v.Filter.Baseline, func(f *compare.ItemFilter) { f.Baseline = "" }},
		{ui.T(ctx, "compare.filter.candidate", "name", v.Filter.Candidate), v.Filter.Candidate, func(f *compare.ItemFilter) { f.Candidate = "" }},
	} {
		if part.value != "" {
			chips = append(chips, ui.Chip{Text: part.text, Href: v.href(part.clear), On: true})
		}
	}
	return chips
}

// swap makes a link of this page quick where scripts run: the panels and the
// items come as one fragment, the address follows, the place on the page stays.
func swap() ui.Attrs {
	return ui.Attrs{"hx-boost": "true", "hx-target": "#compare-view", "hx-select": "#compare-view", "hx-swap": "outerHTML show:none", "hx-push-url": "true"}
}

// swapDrawn is swap for a link in a drawing, which htmx does not take for one.
func swapDrawn(href string) ui.Attrs {
	attrs := swap()
	delete(attrs, "hx-boost")
	attrs["hx-get"] = href
	return attrs
}

// swapInside is swap for the links inside an element.
func swapInside() ui.Attrs {
	attrs := ui.Attrs{}
	for name, value := range swap() {
		attrs[name+":inherited"] = value
	}
	return attrs
}

func (v ComparisonView) nextPage() string {
	if v.Items.Next == "" {
		return ""
	}
	f := v.Filter
	f.After = v.Items.Next
	return v.address(f, v.AllSlices, v.AllClasses)
}

// firstPage leads back to the beginning of the list.
func (v ComparisonView) firstPage() string {
	if v.Filter.After == "" {
		return ""
	}
	f := v.Filter
	f.After = ""
	return v.address(f, v.AllSlices, v.AllClasses)
}
