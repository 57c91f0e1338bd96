package page

import (
	"context"
	"slices"

	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// SchemaView is what a project asks: its name, and its schema as
// a form.
type SchemaView struct {
	Project   ProjectLink
	Name      string
	Overlap   string
	Question  string
	Guideline string
	Version   int
	Classes   []ClassRow
	Retired   []RetiredClass
	MayChange bool
	Moved     bool // classes stand in another order than is saved
	Errors    map[string]string
	Error     string
	Reason    string // as it was typed
}

// ClassRow is one class in the schema editor. Uses counts its annotations.
type ClassRow struct {
	ID     string
	Name   string
	Color  int
	Key    string
	Note   string
	Remove bool
	Uses   int64
	// Asked says that the class has annotations and is being removed, so that
	// the form has to ask what becomes of them; Fate and Into are the answer.
	Asked bool
	Fate  string
	Into  string
}

// RetiredClass is a class that is offered no more.
type RetiredClass struct {
	Name string
	Into string // the class its answers count as, empty where they stay
	Uses int64
}

// NewSchemaView fills the form from the project as it is.
func NewSchemaView(p labeling.Project, uses map[labeling.ClassID]int64, mayChange bool) SchemaView {
	v := SchemaView{
		Project: ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}, Name: p.Name, Overlap: itoa(p.Overlap),
		Question: p.Schema.Question, Guideline: p.Schema.Guideline, Version: p.SchemaVersion, MayChange: mayChange,
	}
	for _, c := range p.Schema.Classes {
		if c.Retired {
			into, _ := p.Schema.Class(c.Into)
			v.Retired = append(v.Retired, RetiredClass{Name: c.Name, Into: into.Name, Uses: uses[c.ID]})
			continue
		}
		v.Classes = append(v.Classes, ClassRow{ID: string(c.ID), Name: c.Name, Color: c.Color, Key: c.Key, Note: c.Note, Uses: uses[c.ID]})
	}
	return v
}

// targets are the classes that a removed one can be merged into.
func (v SchemaView) targets() []ClassRow {
	return slices.DeleteFunc(slices.Clone(v.Classes), func(c ClassRow) bool { return c.Remove || c.ID == "" || c.Name == "" })
}

// asked are the classes whose annotations need a decision.
func (v SchemaView) asked() []ClassRow {
	return slices.DeleteFunc(slices.Clone(v.Classes), func(c ClassRow) bool { return !c.Asked })
}

// blank is how many empty rows follow the classes of a schema.
const blank = 3

// rows are the classes and the empty rows behind them, each with a colour not
// used lately.
func (v SchemaView) rows() []ClassRow {
	rows := slices.Clone(v.Classes)
	for range blank {
		rows = append(rows, ClassRow{Color: len(rows) % labeling.PaletteSteps})
	}
	return rows
}

// fates lists what can become of annotations, in the order of the form.
func fates() []string {
	return []string{string(labeling.FateMerge), string(labeling.FateRequeue), string(labeling.FateRetire)}
}

// className is how screen readers name the row of a class.
func className(ctx context.Context, i int, c ClassRow) string {
	if c.Name != "" {
		return c.Name
	}
	return ui.T(ctx, "schema.new.of", "n", i+1)
}
