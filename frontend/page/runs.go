package page

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// RunsView lists the runs of a project.
type RunsView struct {
	Project   ProjectLink
	Rows      []RunRow
	Params    []string // the parameters that are shown, one column each
	Differing bool     // shown are those that differ between the rows
	MayTrain  bool
	Older     string // address of the next page, empty on the last
	Newer     string
}

// RunRow is a run in the table.
type RunRow struct {
	Number   int
	Name     string
	State    compare.RunState
	Phase    training.Phase
	Recipe   string
	Snapshot string
	Params   map[string]string
	Primary  string // "accuracy 0.9070"
	Series   []int
	Course   string // the sparkline in words
	Model    string // name@version
	By       PersonLink
	At       time.Time
	Took     string
}

// NewRunsView gathers what the list shows.
func NewRunsView(ctx context.Context, project ProjectLink, rows []training.RunRow, names map[ledger.PersonID]string, differing bool) RunsView {
	v := RunsView{Project: project, Differing: differing}
	values := map[string]map[string]bool{}
	var order []string
	for _, r := range rows {
		row := RunRow{
			Number: r.Run.Number, Name: r.Run.Name, State: r.Run.State, Recipe: r.Run.Recipe, Snapshot: r.Snapshot, At: r.Run.CreatedAt,
			By: PersonLink{ID: r.Run.By, Name: personName(names, r.Run.By)}, Params: map[string]string{}, Took: took(ctx, r.Run),
		}
		if r.Job.State.Active() {
			row.Phase = r.Attempt.Phase
		}
		if r.Run.Primary.Name != "" {
			row.Primary = r.Run.Primary.Name + " " + MetricText(ctx, r.Run.Primary.Value)
		}
		if r.Model.ID != "" {
			row.Model = r.Model.Title()
		}
		row.Series, row.Course = spark(ctx, r.Watched, r.Series)
		for _, p := range runParams(r.Run.Params) {
			if values[p.Name] == nil {
				values[p.Name] = map[string]bool{}
				order = append(order, p.Name)
			}
			values[p.Name][p.Value] = true
			row.Params[p.Name] = p.Value
		}
		v.Rows = append(v.Rows, row)
	}
	if differing {
		v.Params = slices.DeleteFunc(order, func(name string) bool {
			missing := slices.ContainsFunc(v.Rows, func(r RunRow) bool { _, has := r.Params[name]; return !has })
			return len(values[name]) < 2 && !missing
		})
	}
	return v
}

// Param is one parameter as it is shown.
type Param struct {
	Name    string
	Title   string
	Value   string
	Changed bool // it is not the recipe's default
}

// runParams reads parameters in the order in which they were written.
func runParams(raw json.RawMessage) []Param {
	var params []Param
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		var value json.RawMessage
		if err == nil {
			err = dec.Decode(&value)
		}
		if err != nil {
			return params
		}
		text := string(value)
		var quoted string
		if json.Unmarshal(value, &quoted) == nil {
			text = quoted
		}
		var f float64
		if json.Unmarshal(value, &f) == nil {
			text = strconv.FormatFloat(f, 'g', -1, 64)
		}
		params = append(params, Param{Name: fmt.Sprint(name), Title: fmt.Sprint(name), Value: text})
	}
	return params
}

// spark scales a course to what a sparkline takes: its range fills the height,
// so that the last epochs still show.
func spark(ctx context.Context, name string, series []float64) ([]int, string) {
	if len(series) == 0 {
		return nil, ""
	}
	low, high := slices.Min(series), slices.Max(series)
	// A table needs no more points than it has pixels.
	step := max(1, len(series)/40)
	var points []int
	for i := 0; i < len(series); i += step {
		points = append(points, scaled(series[i], low, high))
	}
	if (len(series)-1)%step != 0 {
		points = append(points, scaled(series[len(series)-1], low, high))
	}
	return points, ui.T(ctx, "run.course", "name", name, "from", MetricText(ctx, series[0]), "to", MetricText(ctx, series[len(series)-1]), "n", len(series))
}

func scaled(v, low, high float64) int {
	if high <= low {
		return 500
	}
	return 100 + int(900*(v-low)/(high-low))
}

// MetricText writes a metric with four significant decimals.
func MetricText(ctx context.Context, v float64) string {
	switch a := math.Abs(v); {
	case a != 0 && (a < 1e-3 || a >= 1e6):
		return ui.Local(ctx, strconv.FormatFloat(v, 'g', 4, 64))
	case a >= 1000:
		return ui.Number(ctx, v, 1)
	}
	return ui.Number(ctx, v, 4)
}

// took says how long a run worked.
func took(ctx context.Context, r compare.Run) string {
	if r.StartedAt.IsZero() || r.EndedAt.IsZero() {
		return ""
	}
	return lasted(ctx, r.EndedAt.Sub(r.StartedAt))
}

// lasted writes a duration as people say it.
func lasted(ctx context.Context, d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return ui.Number(ctx, d.Seconds(), 1) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// runTone gives a state its colour and sign.
func runTone(s compare.RunState) ui.Tone {
	switch s {
	case compare.RunSucceeded:
		return ui.Gain
	case compare.RunFailed, compare.RunLost:
		return ui.Loss
	case compare.RunRunning, compare.RunStarting, compare.RunStopping:
		return ui.Accent
	}
	return ui.Undecided
}

// runIcon is the sign of a state.
func runIcon(s compare.RunState) string {
	switch s {
	case compare.RunSucceeded:
		return "check"
	case compare.RunFailed, compare.RunLost:
		return "warning"
	case compare.RunCancelled, compare.RunStopping:
		return "stop"
	case compare.RunQueued, compare.RunPreempted:
		return "clock"
	}
	return "run"
}

// TrainView is the form that starts a training.
type TrainView struct {
	Project   ProjectLink
	Snapshots []labeling.Snapshot // those that can be trained on, newest first
	Snapshot  string              // the number that is chosen
	Recipes   training.Book
	Recipe    training.Recipe
	Name      string
	Seed      string
	Values    map[string]string // what was typed, by parameter; missing: the default
	Errors    map[string]string
	Error     string
	MayTrain  bool
	MayFreeze bool // may make a snapshot
}

func (v TrainView) value(f training.Field) string {
	if text, typed := v.Values[f.Name]; typed {
		return text
	}
	return f.Text(f.Default)
}

// hint says what a parameter does, where it may lie and what it is by default.
func hint(ctx context.Context, f training.Field) string {
	words := []string{f.Description}
	if r := f.Range(); r != "" {
		words = append(words, strings.ToUpper(r[:1])+r[1:]+".")
	}
	words = append(words, ui.T(ctx, "train.default", "value", f.Text(f.Default)))
	return strings.TrimSpace(strings.Join(words, " "))
}

func fieldAttrs(f training.Field) ui.Attrs {
	a := ui.Attrs{}
	if f.Minimum != nil {
		a["min"] = strconv.FormatFloat(*f.Minimum, 'f', -1, 64)
	}
	if f.Maximum != nil {
		a["max"] = strconv.FormatFloat(*f.Maximum, 'f', -1, 64)
	}
	if f.Type == "number" {
		a["step"] = "any"
		a["inputmode"] = "decimal"
	}
	return a
}

func snapshotText(ctx context.Context, s labeling.Snapshot) string {
	return ui.T(ctx, "train.snapshot.option", "number", s.Number, "name", s.Title(), "items", s.Items, "digest", s.Digest.Short())
}

// toggle switches the columns of parameters on and off.
func (v RunsView) toggle() string {
	if v.Differing {
		return v.Project.Href("runs")
	}
	return v.Project.Href("runs") + "?columns=differing"
}

func (v RunsView) columns(ctx context.Context) []ui.Column {
	columns := []ui.Column{
		{Label: ui.T(ctx, "runs.column.select"), Hidden: true}, {Label: ui.T(ctx, "runs.column.run")}, {Label: ui.T(ctx, "runs.column.state")},
		{Label: ui.T(ctx, "runs.column.result"), Numeric: true}, {Label: ui.T(ctx, "runs.column.course")}, {Label: ui.T(ctx, "runs.column.snapshot")},
	}
	for _, p := range v.Params {
		columns = append(columns, ui.Column{Label: p, Numeric: true})
	}
	return append(columns, ui.Column{Label: ui.T(ctx, "runs.column.model")}, ui.Column{Label: ui.T(ctx, "runs.column.took"), Numeric: true},
		ui.Column{Label: ui.T(ctx, "runs.column.at")}, ui.Column{Label: ui.T(ctx, "runs.column.by")})
}

func (v TrainView) snapshotOptions(ctx context.Context) []ui.Option {
	options := make([]ui.Option, len(v.Snapshots))
	for i, s := range v.Snapshots {
		options[i] = ui.Option{Value: strconv.Itoa(s.Number), Text: snapshotText(ctx, s)}
	}
	return options
}

func pointColumns(ctx context.Context, names []string) []ui.Column {
	columns := []ui.Column{{Label: ui.T(ctx, "run.chart.step"), Numeric: true}}
	for _, n := range names {
		columns = append(columns, ui.Column{Label: n, Numeric: true})
	}
	return columns
}

func attemptColumns(ctx context.Context) []ui.Column {
	return []ui.Column{{Label: ui.T(ctx, "run.attempt.number"), Numeric: true}, {Label: ui.T(ctx, "runs.column.state")}, {Label: ui.T(ctx, "run.attempt.end")},
		{Label: ui.T(ctx, "runs.column.took"), Numeric: true}, {Label: ui.T(ctx, "run.log.title")}}
}

func fileColumns(ctx context.Context) []ui.Column {
	return []ui.Column{{Label: ui.T(ctx, "run.file.path")}, {Label: ui.T(ctx, "run.file.size"), Numeric: true}, {Label: ui.T(ctx, "run.file.digest")}}
}
