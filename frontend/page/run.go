package page

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
)

// RunView is the page of a run.
type RunView struct {
	training.RunPage
	Project  ProjectLink
	Names    map[ledger.PersonID]string
	MayTrain bool
	Now      time.Time
	Log      string // the end of the log, for browsers without scripts
	LogTotal int64
	Baseline string // name@version to compare with; empty if there is none
}

// person returns a person as they are shown.
func (v RunView) person(id ledger.PersonID) PersonLink {
	return PersonLink{ID: id, Name: personName(v.Names, id)}
}

// personName returns the name of a person, or the id of one whose name is gone.
func personName(names map[ledger.PersonID]string, id ledger.PersonID) string {
	return cmp.Or(names[id], string(id))
}

// Href returns the address of the run, or of a page below it.
func (v RunView) Href(rest ...string) string {
	return v.Project.Href(append([]string{"runs", strconv.Itoa(v.Run.Number)}, rest...)...)
}

// stoppable reports whether Stop still does something.
func (v RunView) stoppable() bool {
	return v.Job.ID != "" && !v.Job.State.Over() && v.Job.StopAt.IsZero()
}

// over reports whether nothing more will happen.
func (v RunView) over() bool { return v.Job.ID == "" || v.Job.State.Over() }

// steps draws how far the run is: snapshot, queued, starting, running, collecting.
func (v RunView) steps(ctx context.Context) []ui.Step {
	a := v.Attempt
	names := []string{"snapshot", "queued", "starting", "running", "collecting"}
	from := []time.Time{{}, v.Run.CreatedAt, a.PlacedAt, a.StartedAt, a.CollectingAt}
	if v.Job.State == training.Queued { // waiting, perhaps again
		from[2], from[3], from[4] = time.Time{}, time.Time{}, time.Time{}
	}
	end := v.Now
	if v.over() {
		end = cmp.Or(v.Run.EndedAt, v.Now)
	}
	var steps []ui.Step
	for i, name := range names {
		step := ui.Step{Text: ui.T(ctx, "run.phase."+name)}
		reached := i == 0 || !from[i].IsZero()
		next := end
		later := false
		for _, t := range from[min(i+1, len(from)):] {
			if !t.IsZero() {
				next, later = t, true
				break
			}
		}
		step.Done = reached && (later || v.over())
		step.Current = reached && !later && !v.over()
		if i > 0 && reached && (step.Done || step.Current) {
			if d := lasted(ctx, next.Sub(from[i])); d != "" && step.Done {
				step.Text = ui.T(ctx, "run.phase.took", "phase", step.Text, "time", d)
			}
		}
		steps = append(steps, step)
	}
	last := ui.Step{Text: ui.T(ctx, "run.state."+string(v.Run.State)), Done: v.Run.State == compare.RunSucceeded}
	if v.over() {
		steps = append(steps, last)
	}
	return steps
}

// params lists the parameters with the recipe's titles, those that differ from
// the default marked.
func (v RunView) params() []Param {
	params := runParams(v.Run.Params)
	for i, p := range params {
		for _, f := range v.Recipe.Params.Fields {
			if f.Name == p.Name {
				params[i].Title = f.Title
				params[i].Changed = f.Text(f.Default) != p.Value
			}
		}
	}
	return params
}

// sentence says in words what the chart shows.
func (v RunView) sentence(ctx context.Context) string { return ChartSentence(ctx, v.Points) }

// ChartSentence says in words what a chart of points shows.
func ChartSentence(ctx context.Context, points []compare.Point) string {
	if len(points) == 0 {
		return ui.T(ctx, "run.chart.none")
	}
	var parts []string
	for _, s := range series(points) {
		last := s.points[len(s.points)-1]
		parts = append(parts, ui.T(ctx, "run.chart.one", "name", s.name, "from", MetricText(ctx, s.points[0].Value), "to", MetricText(ctx, last.Value), "step", int(last.Step)))
	}
	return strings.Join(parts, "; ") + "."
}

type oneSeries struct {
	name   string
	points []compare.Point
}

// series groups points by split and name.
func series(points []compare.Point) []oneSeries {
	var all []oneSeries
	for _, p := range points {
		name := p.Name
		if p.Split != "" {
			name = p.Split + " " + p.Name
		}
		i := slices.IndexFunc(all, func(s oneSeries) bool { return s.name == name })
		if i < 0 {
			i = len(all)
			all = append(all, oneSeries{name: name})
		}
		all[i].points = append(all[i].points, p)
	}
	return all
}

// chartTable turns points into rows by step and columns by series.
func chartTable(ctx context.Context, points []compare.Point) (columns []string, rows [][]string) {
	all := series(points)
	var steps []int64
	for _, s := range all {
		columns = append(columns, s.name)
		for _, p := range s.points {
			if !slices.Contains(steps, p.Step) {
				steps = append(steps, p.Step)
			}
		}
	}
	slices.Sort(steps)
	for _, step := range steps[max(0, len(steps)-200):] {
		row := []string{strconv.FormatInt(step, 10)}
		for _, s := range all {
			cell := ""
			if i := slices.IndexFunc(s.points, func(p compare.Point) bool { return p.Step == step }); i >= 0 {
				cell = MetricText(ctx, s.points[i].Value)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return columns, rows
}

// chartConfig is what the chart island needs: where the points are and its words.
func (v RunView) chartConfig(ctx context.Context) string {
	return config(map[string]any{
		"src": v.Href("metrics"), "run": v.Run.ID, "over": v.over(),
		"words": map[string]string{"step": ui.T(ctx, "run.chart.step"), "none": ui.T(ctx, "run.chart.none"), "one": ui.T(ctx, "run.chart.one.plain"), "label": ui.T(ctx, "run.chart.label")},
	})
}

// logConfig is what the log island needs.
func (v RunView) logConfig(ctx context.Context) string {
	return config(map[string]any{
		"src": v.Href("log"), "run": v.Run.ID, "over": v.over(),
		"words": map[string]string{
			"empty": ui.T(ctx, "run.log.empty"), "matches": ui.T(ctx, "run.log.matches"), "at": ui.T(ctx, "run.log.at"), "nomatch": ui.T(ctx, "run.log.nomatch"),
			"noerrors": ui.T(ctx, "run.log.noerrors"), "line": ui.T(ctx, "run.log.line"), "copied": ui.T(ctx, "run.log.copied"),
			"part": ui.T(ctx, "run.log.part"), "lines": ui.T(ctx, "run.log.lines"), "attempt": ui.T(ctx, "run.log.attempt"),
		},
	})
}

func config(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return "{}"
	}
	return string(raw)
}

// Pair is a term and what is said about it.
type Pair struct{ Term, Text string }

// environment lists what a run ran on.
func (v RunView) environment(ctx context.Context) []Pair {
	var e struct {
		Adjudge  string   `json:"adjudge"`
		Revision string   `json:"revision"`
		Go       string   `json:"go"`
		System   string   `json:"system"`
		Kernel   string   `json:"kernel"`
		Host     string   `json:"host"`
		CPU      string   `json:"cpu"`
		CPUs     int      `json:"cpus"`
		MemoryMB int64    `json:"memory_mb"`
		Command  []string `json:"command"`
		Seed     uint64   `json:"seed"`
	}
	if json.Unmarshal(v.Attempt.Environment, &e) != nil {
		return nil
	}
	cpu := strings.TrimSpace(fmt.Sprintf("%d × %s", e.CPUs, cmp.Or(e.CPU, "CPU")))
	memory := ""
	if e.MemoryMB > 0 {
		memory = ui.Bytes(ctx, e.MemoryMB<<20)
	}
	pairs := []Pair{
		{"program", strings.TrimSpace("adjudge " + e.Adjudge + " " + e.Revision)}, {"go", e.Go}, {"system", strings.TrimSpace(e.System + " " + e.Kernel)},
		{"host", e.Host}, {"cpu", cpu}, {"memory", memory}, {"command", strings.Join(e.Command, " ")}, {"seed", strconv.FormatUint(e.Seed, 10)},
	}
	var shown []Pair
	for _, p := range pairs {
		if p.Text != "" {
			shown = append(shown, Pair{ui.T(ctx, "run.env."+p.Term), p.Text})
		}
	}
	return shown
}

// inputs lists the digests of what went in.
func (v RunView) inputs() []Pair {
	var e struct {
		Inputs map[string]ledger.Digest `json:"inputs"`
	}
	if json.Unmarshal(v.Attempt.Environment, &e) != nil {
		return nil
	}
	var pairs []Pair
	for name, digest := range e.Inputs {
		pairs = append(pairs, Pair{name, string(digest)})
	}
	slices.SortFunc(pairs, func(a, b Pair) int { return cmp.Compare(a.Term, b.Term) })
	return pairs
}

func (v RunView) attemptEnd(ctx context.Context, a training.Attempt) string {
	switch {
	case a.Signal != "":
		return ui.T(ctx, "run.attempt.signal", "signal", a.Signal)
	case a.State.Over() && a.State != training.Lost:
		return ui.T(ctx, "run.attempt.exit", "code", a.ExitCode)
	}
	return ""
}

// logAddress is the raw log of an attempt.
func (v RunView) logAddress(fence int64) string {
	return v.Href("log") + "?fence=" + strconv.FormatInt(fence, 10)
}
