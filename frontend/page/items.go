package page

import (
	"context"
	"net/url"
	"strconv"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// ItemsView is a list of items with its filters.
type ItemsView struct {
	Project   ProjectLink
	Schema    labeling.Schema
	Datasets  []labeling.Dataset
	People    []PersonLink // who has answered
	Filter    labeling.ItemFilter
	List      labeling.ItemPage
	Undo      *labeling.Bulk // what was just done
	MayChange bool
	MayImport bool
	Error     string
	Asked     labeling.BulkRequest // a change that was refused, to be mended
}

// ItemQuery reads a filter from a query; ItemsView.Href writes it.
func ItemQuery(q url.Values) labeling.ItemFilter {
	return labeling.ItemFilter{
		Dataset: labeling.DatasetID(q.Get("dataset")), Status: labeling.Status(q.Get("status")), Label: labeling.ClassID(q.Get("label")),
		Model: labeling.ClassID(q.Get("predicted")), Person: ledger.PersonID(q.Get("person")), Disagrees: q.Get("disagrees") == "true", Search: q.Get("q"),
	}
}

// values writes a filter as a query.
func values(f labeling.ItemFilter) url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"dataset": string(f.Dataset), "status": string(f.Status), "label": string(f.Label),
		"predicted": string(f.Model), "person": string(f.Person), "q": f.Search} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Disagrees {
		q.Set("disagrees", "true")
	}
	return q
}

// Href is the address of the list under a filter.
func (v ItemsView) Href(f labeling.ItemFilter) string {
	if q := values(f).Encode(); q != "" {
		return v.Project.Href("items") + "?" + q
	}
	return v.Project.Href("items")
}

// undo says what was just done to items.
func (v ItemsView) undo(ctx context.Context) UndoView {
	u := UndoView{Title: ui.T(ctx, "items.done."+string(v.Undo.Action), "n", v.Undo.Items, "class", v.className(v.Undo.Class)), Icon: "check"}
	if !v.Undo.UndoneAt.IsZero() {
		u.Note = ui.T(ctx, "items.undone")
		return u
	}
	if v.Undo.Action == labeling.BulkDelete {
		u.Icon = "trash"
	}
	u.Action = v.Project.Href("items", "changes", string(v.Undo.ID), "undo")
	u.Fields = []ui.Option{{Value: "back", Text: values(v.Filter).Encode()}}
	return u
}

func (v ItemsView) pageHref(name string, seq int64) string {
	if seq == 0 {
		return ""
	}
	q := values(v.Filter)
	q.Set(name, strconv.FormatInt(seq, 10))
	return v.Project.Href("items") + "?" + q.Encode()
}

// total says how many items the list has.
func (v ItemsView) total(ctx context.Context) string {
	if v.List.TotalOpen {
		return ui.T(ctx, "items.total.open", "n", v.List.Total)
	}
	return ui.T(ctx, "items.total", "n", v.List.Total)
}

func (v ItemsView) datasetName(id labeling.DatasetID) string {
	for _, d := range v.Datasets {
		if d.ID == id {
			return d.Name
		}
	}
	return ""
}

// chips are the filters of few choices; following one again takes it away.
func (v ItemsView) chips(ctx context.Context) []ui.Chip {
	var chips []ui.Chip
	byStatus := map[labeling.Status]int64{}
	for _, c := range v.List.Facets {
		if v.Filter.Dataset == "" || v.Filter.Dataset == c.Dataset {
			byStatus[c.Status] += c.Items
		}
	}
	for _, s := range labeling.Statuses() {
		if byStatus[s] == 0 && v.Filter.Status != s {
			continue
		}
		f := v.Filter
		on := f.Status == s
		if f.Status = s; on {
			f.Status = ""
		}
		chips = append(chips, ui.Chip{Text: ui.T(ctx, "items.status."+string(s)) + " " + ui.Count(ctx, byStatus[s]), Href: v.Href(f), On: on})
	}
	f := v.Filter
	f.Disagrees = !f.Disagrees
	chips = append(chips, ui.Chip{Text: ui.T(ctx, "items.disagrees"), Icon: "warning", Href: v.Href(f), On: v.Filter.Disagrees})
	return chips
}

// given are the filters chosen elsewhere, each with the way out of it.
func (v ItemsView) given(ctx context.Context) []ui.Chip {
	var chips []ui.Chip
	add := func(text string, without labeling.ItemFilter) {
		chips = append(chips, ui.Chip{Text: text, Href: v.Href(without), On: true})
	}
	if f := v.Filter; f.Label != "" {
		name := v.Schema.Name(f.Label)
		f.Label = ""
		add(ui.T(ctx, "items.given.label", "name", name), f)
	}
	if f := v.Filter; f.Model != "" {
		name := v.Schema.Name(f.Model)
		f.Model = ""
		add(ui.T(ctx, "items.given.model", "name", name), f)
	}
	if f := v.Filter; f.Search != "" {
		words := f.Search
		f.Search = ""
		add(ui.T(ctx, "items.given.search", "name", words), f)
	}
	return chips
}

// bars are the accepted answers of the dataset and status chosen, most first
// as the schema has them; each filters by its class.
func (v ItemsView) bars() []ui.Bar {
	counts := map[labeling.ClassID]int64{}
	for _, c := range v.List.Facets {
		if c.Label != "" && c.Status != labeling.StatusTrashed && (v.Filter.Dataset == "" || v.Filter.Dataset == c.Dataset) {
			counts[v.Schema.Resolve(c.Label)] += c.Items
		}
	}
	var bars []ui.Bar
	for _, c := range v.Schema.Classes {
		if counts[c.ID] == 0 {
			continue
		}
		f := v.Filter
		if f.Label = c.ID; v.Filter.Label == c.ID {
			f.Label = ""
		}
		bars = append(bars, ui.Bar{Name: c.Name, Color: c.Color, Value: int(counts[c.ID]), Href: v.Href(f)})
	}
	return bars
}

// class returns name and colour of a class, "" for none.
func (v ItemsView) class(id labeling.ClassID) (string, int) {
	if id == "" {
		return "", 0
	}
	c, known := v.Schema.Class(v.Schema.Resolve(id))
	if !known {
		return "", 0
	}
	return c.Name, c.Color
}

func (v ItemsView) className(id labeling.ClassID) string { name, _ := v.class(id); return name }
func (v ItemsView) classColor(id labeling.ClassID) int   { _, color := v.class(id); return color }

func (v ItemsView) datasetOptions(ctx context.Context) []ui.Option {
	options := []ui.Option{{Value: "", Text: ui.T(ctx, "items.dataset.all")}}
	for _, d := range v.Datasets {
		options = append(options, ui.Option{Value: string(d.ID), Text: d.Name})
	}
	return options
}

func (v ItemsView) personOptions(ctx context.Context) []ui.Option {
	options := []ui.Option{{Value: "", Text: ui.T(ctx, "items.person.all")}}
	for _, p := range v.People {
		options = append(options, ui.Option{Value: string(p.ID), Text: p.Name})
	}
	return options
}

func (v ItemsView) classOptions(none string) []ui.Option {
	options := []ui.Option{{Value: "", Text: none}}
	for _, c := range v.Schema.Open() {
		options = append(options, ui.Option{Value: string(c.ID), Text: c.Name})
	}
	return options
}

func statusTone(s labeling.Status) ui.Tone {
	switch s {
	case labeling.StatusAccepted:
		return ui.Accent
	case labeling.StatusDisputed:
		return ui.Loss
	case labeling.StatusTrashed, labeling.StatusSkipped:
		return ui.Undecided
	case labeling.StatusQueued:
	}
	return ui.Plain
}

func statusIcon(s labeling.Status) string {
	switch s {
	case labeling.StatusAccepted:
		return "check"
	case labeling.StatusDisputed:
		return "warning"
	case labeling.StatusSkipped:
		return "skip"
	case labeling.StatusTrashed:
		return "trash"
	case labeling.StatusQueued:
	}
	return "clock"
}

// ItemView is one item with its history.
type ItemView struct {
	Project  ProjectLink
	Schema   labeling.Schema
	History  labeling.ItemHistory
	MayErase bool
	Opened   bool // answers were shown just now, and are what its reader looks for
	Hold     HoldView
	Names    map[ledger.PersonID]string
}

func (v ItemView) class(id labeling.ClassID) labeling.Class {
	c, _ := v.Schema.Class(v.Schema.Resolve(id))
	return c
}

// said tells what an annotation did.
func said(ctx context.Context, a labeling.Annotation) string {
	return ui.T(ctx, "items.said."+string(a.Kind))
}
