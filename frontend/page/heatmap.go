package page

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
)

// letters names every class of the comparison by a letter, in the order of names.
func (v ComparisonView) letters() map[string]string {
	names := map[string]bool{}
	for _, c := range v.Comparison.Confusion {
		names[c.Class], names[c.Answer] = true, true
	}
	letters := map[string]string{}
	for i, name := range slices.Sorted(maps.Keys(names)) {
		letters[name] = ui.Letter(i)
	}
	return letters
}

// heat is the signed confusion difference as a grid.
type heat struct {
	Classes []heatClass
	Cells   []heatCell // those that changed
	Total   int        // classes there are
	Size    int        // of the drawing
}

type heatClass struct {
	Name, Letter string
	Pattern      int
	Href         string
	On           bool
}

type heatCell struct {
	compare.ConfusionShift
	Row, Column int
	Tone        ui.Tone
	Step        int // 1 to 4
	Href        string
	On          bool
}

// The measures of the drawing.
const (
	heatCellSize = 26
	heatMargin   = 28
)

func (c heatCell) x() string { return strconv.Itoa(heatMargin + c.Column*heatCellSize) }
func (c heatCell) y() string { return strconv.Itoa(heatMargin + c.Row*heatCellSize) }
func (c heatCell) midX() string {
	return strconv.Itoa(heatMargin + c.Column*heatCellSize + heatCellSize/2)
}
func (c heatCell) midY() string {
	return strconv.Itoa(heatMargin + c.Row*heatCellSize + heatCellSize/2)
}

// label says in words what a cell shows.
func (c heatCell) label(ctx context.Context) string {
	args := []any{"class", c.Class, "answer", c.Answer, "change", signed(ctx, c.Change()), "before", c.Baseline, "after", c.Candidate}
	if c.Class == c.Answer {
		return ui.T(ctx, "compare.heat.right", args...)
	}
	return ui.T(ctx, "compare.heat.wrong", args...)
}

func signed(ctx context.Context, n int) string {
	if n > 0 {
		return "+" + ui.Count(ctx, n)
	}
	return ui.Count(ctx, n)
}

// heatMap lays out the classes that changed most, or all of them.
func (v ComparisonView) heatMap() heat {
	shifts := v.Items.Facets.Confusion
	weight, names := map[string]int{}, map[string]bool{}
	most := 1
	for _, s := range shifts {
		names[s.Class], names[s.Answer] = true, true
		change := s.Change()
		if change < 0 {
			change = -change
		}
		weight[s.Class] += change
		weight[s.Answer] += change
		most = max(most, change)
	}
	all := slices.Sorted(maps.Keys(names))
	shown := all
	if !v.AllClasses && len(all) > shownClasses {
		shown = slices.Clone(all)
		slices.SortStableFunc(shown, func(a, b string) int { return cmp.Compare(weight[b], weight[a]) })
		shown = shown[:shownClasses]
		slices.Sort(shown)
	}
	letters := v.letters()
	h := heat{Total: len(all), Size: heatMargin + len(shown)*heatCellSize + 2}
	places := map[string]int{}
	for i, name := range shown {
		places[name] = i
		h.Classes = append(h.Classes, heatClass{Name: name, Letter: letters[name], Pattern: i % 4, Href: v.ofClass(name), On: v.Filter.Class == name})
	}
	for _, s := range shifts {
		row, okRow := places[s.Class]
		column, okColumn := places[s.Answer]
		if !okRow || !okColumn || s.Change() == 0 {
			continue
		}
		// On the diagonal more is better, beside it more is worse.
		tone, size := ui.Gain, s.Change()
		if size < 0 {
			size = -size
		}
		if (s.Change() > 0) != (s.Class == s.Answer) {
			tone = ui.Loss
		}
		h.Cells = append(h.Cells, heatCell{
			ConfusionShift: s, Row: row, Column: column, Tone: tone, Step: 1 + min(3, size*4/(most+1)),
			Href: v.ofCell(s.Class, s.Answer), On: v.Filter.Class == s.Class && v.Filter.Answer == s.Answer,
		})
	}
	return h
}

// largest lists the cells that changed most, for the table behind the map.
func (h heat) largest() []heatCell {
	cells := slices.Clone(h.Cells)
	slices.SortStableFunc(cells, func(a, b heatCell) int {
		return cmp.Or(cmp.Compare(magnitude(b.Change()), magnitude(a.Change())), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Answer, b.Answer))
	})
	return cells[:min(len(cells), 40)]
}

func magnitude(n int) int { return max(n, -n) }
