package page

import (
	"cmp"
	"context"
	"slices"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// ProjectsView lists the projects of a person.
type ProjectsView struct {
	Projects  []ProjectCard
	MayCreate bool
}

// ProjectForm is what somebody typed to make a project, and what was wrong with
// it by field.
type ProjectForm struct {
	Name     string
	Slug     string
	Question string
	Classes  string // one per line
	Overlap  string
	Errors   map[string]string
	Error    string
}

// ProjectView is the first page of a project: how far it is and what comes next.
type ProjectView struct {
	Project  ProjectLink
	Question string
	Next     NextStep
	Counts   []ui.Stat
	Classes  []ui.Bar
	More     int // classes that Classes leaves out
	Datasets []DatasetRow
	Days     []int
	Answers  int // in those days
}

// NextStep is the next step of the loop for this project and person: the keys
// project.next.<Name> and project.next.<Name>.text say it.
type NextStep struct {
	Name string
	Icon string
	Href string
	N    int64
}

// DatasetRow is a dataset in a table.
type DatasetRow struct {
	Name     string
	Purpose  labeling.Purpose
	Items    int64
	Accepted int64
	Href     string // its items

	ID        string
	Sensitive bool
}

// DatasetsView lists the datasets of a project.
type DatasetsView struct {
	Media     map[labeling.DatasetID]labeling.MediaCount // of the datasets that have any
	Project   ProjectLink
	Datasets  []DatasetRow
	MayImport bool
	MayLabel  bool
	MayManage bool
	Holds     map[string]HoldView // by id of the dataset
	Failed    string              // id of the dataset whose form was refused
	Form      FormView
}

// form is the refused form of a dataset, an empty one where another was refused.
func (v DatasetsView) form(id string) FormView {
	if v.Failed == id {
		return v.Form
	}
	return FormView{}
}

// NewDatasetRows builds rows of a project's datasets.
func NewDatasetRows(p ProjectLink, datasets []labeling.Dataset) []DatasetRow {
	rows := make([]DatasetRow, 0, len(datasets))
	for _, d := range datasets {
		rows = append(rows, DatasetRow{
			Name: d.Name, Purpose: d.Purpose, Items: d.Items, Accepted: d.Accepted,
			Href: p.Href("items") + "?" + query("dataset", string(d.ID)),
			ID:   string(d.ID), Sensitive: d.Sensitive,
		})
	}
	return rows
}

// SetDays puts the answers of the last days on the page.
func (v *ProjectView) SetDays(days []int) {
	v.Days, v.Answers = days, 0
	for _, n := range days {
		v.Answers += n
	}
}

// mostBars is how many classes the first page of a project draws.
const mostBars = 12

// Reached says how far a project is behind labeling, for what comes next.
type Reached struct {
	Snapshots  int
	Models     int // two at most are counted
	Candidates int
	Drafts     int // candidates that nobody has proposed yet
	Votes      int // candidates that wait for this person's vote
}

// NewProjectView builds the first page of a project.
func NewProjectView(ctx context.Context, p labeling.Project, actor ledger.Actor, datasets []labeling.Dataset, counts []labeling.Count, reached Reached) ProjectView {
	link := ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}
	v := ProjectView{Project: link, Question: p.Schema.Question, Datasets: NewDatasetRows(link, datasets)}
	byStatus, byClass, total := map[labeling.Status]int64{}, map[labeling.ClassID]int64{}, int64(0)
	for _, c := range counts {
		byStatus[c.Status] += c.Items
		if c.Status != labeling.StatusTrashed {
			total += c.Items
		}
		if c.Status == labeling.StatusAccepted {
			byClass[p.Schema.Resolve(c.Label)] += c.Items
		}
	}
	v.Counts = []ui.Stat{
		{Label: "items", Value: ui.Count(ctx, total)},
		{Label: "accepted", Value: ui.Count(ctx, byStatus[labeling.StatusAccepted])},
		{Label: "queued", Value: ui.Count(ctx, byStatus[labeling.StatusQueued])},
		{Label: "disputed", Value: ui.Count(ctx, byStatus[labeling.StatusDisputed])},
	}
	for _, c := range p.Schema.Open() {
		if n := byClass[c.ID]; n > 0 {
			v.Classes = append(v.Classes, ui.Bar{Name: c.Name, Color: c.Color, Value: int(n), Href: link.Href("items") + "?" + query("label", string(c.ID))})
		}
	}
	slices.SortStableFunc(v.Classes, func(a, b ui.Bar) int { return cmp.Compare(b.Value, a.Value) })
	if len(v.Classes) > mostBars {
		v.More = len(v.Classes) - mostBars
		v.Classes = v.Classes[:mostBars]
	}
	v.Next = nextStep(link, p, actor, byStatus, total, reached)
	return v
}

// nextStep finds the first step of the loop that is open and that this person
// may take.
func nextStep(link ProjectLink, p labeling.Project, actor ledger.Actor, byStatus map[labeling.Status]int64, total int64, reached Reached) NextStep {
	may := func(a ledger.Action) bool { return actor.May(p.ID, a) }
	accepted, queued, disputed := byStatus[labeling.StatusAccepted], byStatus[labeling.StatusQueued], byStatus[labeling.StatusDisputed]
	steps := []struct {
		open bool
		step NextStep
	}{
		{total == 0 && may(ledger.ActionImport), NextStep{"import", "import", link.Href("import"), 0}},
		{len(p.Schema.Open()) == 0 && may(ledger.ActionManage), NextStep{"schema", "settings", link.Href("schema"), 0}},
		{disputed > 0 && may(ledger.ActionRelabel), NextStep{"dispute", "merge", link.Href("disputes"), disputed}},
		{reached.Votes > 0, NextStep{"vote", "vote", link.Href("candidates"), int64(reached.Votes)}},
		{queued > 0 && accepted < 50 && may(ledger.ActionLabel), NextStep{"label", "label", link.Href("label"), queued}},
		{accepted > 0 && reached.Snapshots == 0 && may(ledger.ActionSnapshot), NextStep{"snapshot", "snapshot", link.Href("snapshots"), accepted}},
		{reached.Snapshots > 0 && reached.Models == 0 && may(ledger.ActionTrain), NextStep{"train", "run", link.Href("train"), 0}},
		{reached.Drafts > 0 && reached.Drafts == reached.Candidates && may(ledger.ActionPropose), NextStep{"propose", "candidate", link.Href("candidates"), int64(reached.Drafts)}},
		{reached.Models > 1 && reached.Candidates == 0 && may(ledger.ActionCompare), NextStep{"compare", "compare", link.Href("compare"), 0}},
		{queued > 0 && may(ledger.ActionLabel), NextStep{"label", "label", link.Href("label"), queued}},
	}
	for _, s := range steps {
		if s.open {
			return s.step
		}
	}
	return NextStep{Name: "done", Icon: "check"}
}

// purposeTone marks evaluation data, which is handled apart.
func purposeTone(p labeling.Purpose) ui.Tone {
	if p == labeling.PurposeEvaluation {
		return ui.Accent
	}
	return ui.Plain
}

func purposeIcon(p labeling.Purpose) string {
	switch p {
	case labeling.PurposeEvaluation:
		return "eye"
	case labeling.PurposeProduction:
		return "gate"
	}
	return "dataset"
}
