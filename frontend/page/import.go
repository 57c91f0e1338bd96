package page

import (
	"context"
	"strings"

	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// ImportView is the page that takes a file.
type ImportView struct {
	Project ProjectLink
	Recent  []ImportRow
	Error   string
}

// ImportRow is an import in a list.
type ImportRow struct {
	Import  labeling.Import
	Dataset string
	Href    string
	By      string
}

// ImportPreviewView is the page that asks what an uploaded file is.
type ImportPreviewView struct {
	Project  ProjectLink
	Import   labeling.Import
	Preview  labeling.Preview
	Datasets []labeling.Dataset
	Form     FormView
	Href     string
}

// previewRows is how many records the page shows; the guess looks at more.
const previewRows = 8

func (v ImportPreviewView) rows() []labeling.Record {
	return v.Preview.Records[:min(previewRows, len(v.Preview.Records))]
}

// role says what a column is taken for: "text", "media", "label", "key" or "".
func (v ImportPreviewView) role(column string) string {
	switch column {
	case "":
		return ""
	case v.Preview.Mapping.Text:
		return "text"
	case v.Preview.Mapping.Media:
		return "media"
	case v.Preview.Mapping.Label:
		return "label"
	case v.Preview.Mapping.Key:
		return "key"
	}
	return ""
}

// mediaOffered reports whether a column may refer to objects: lines of a text
// refer to nothing.
func (v ImportPreviewView) mediaOffered() bool { return v.Preview.Import.Format != labeling.FormatText }

// textNone is what stands for no text, "" where there must be one.
func (v ImportPreviewView) textNone(ctx context.Context) string {
	if v.Preview.Mapping.Media == "" {
		return ""
	}
	return ui.T(ctx, "media.text.none")
}

func (v ImportPreviewView) columns(none string) []ui.Option {
	var options []ui.Option
	if none != "" {
		options = append(options, ui.Option{Value: "", Text: none})
	}
	for _, c := range v.Preview.Columns {
		options = append(options, ui.Option{Value: c, Text: c})
	}
	return options
}

func formatOptions(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, f := range labeling.Formats() {
		options = append(options, ui.Option{Value: string(f), Text: ui.T(ctx, "import.format."+string(f))})
	}
	return options
}

func headerOptions(ctx context.Context) []ui.Option {
	return []ui.Option{
		{Value: "", Text: ui.T(ctx, "import.header.guess")},
		{Value: string(labeling.HeaderYes), Text: ui.T(ctx, "import.header.yes")},
		{Value: string(labeling.HeaderNo), Text: ui.T(ctx, "import.header.no")},
	}
}

func purposeOptions(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, p := range labeling.Purposes() {
		options = append(options, ui.Option{Value: string(p), Text: ui.T(ctx, "purpose."+string(p)), Hint: ui.T(ctx, "purpose."+string(p)+".text")})
	}
	return options
}

// hasHeader reports whether the format may have a line of names.
func hasHeader(f labeling.Format) bool {
	return f == labeling.FormatCSV || f == labeling.FormatTSV
}

// named joins names for a sentence and cuts the list short.
func named(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " …"
	}
	return strings.Join(names, ", ")
}

// ImportRunView is the page of an import that was started.
type ImportRunView struct {
	Project   ProjectLink
	Import    labeling.Import
	Dataset   labeling.Dataset
	Problems  []labeling.ImportProblem
	Href      string
	MayCancel bool
	MayLabel  bool
	MayFreeze bool
}

// stepsOf are the three steps of an import.
func stepsOf(ctx context.Context, at int) []ui.Step {
	var steps []ui.Step
	for i, name := range []string{"upload", "check", "run"} {
		steps = append(steps, ui.Step{Text: ui.T(ctx, "import.step."+name), Done: i < at, Current: i == at})
	}
	return steps
}

// stats are the counts of an import.
func (v ImportRunView) stats(ctx context.Context) []ui.Stat {
	i := v.Import
	return []ui.Stat{
		{Label: ui.T(ctx, "import.added"), Value: ui.Count(ctx, i.Added)},
		{Label: ui.T(ctx, "import.labeled"), Value: ui.Count(ctx, i.Labeled)},
		{Label: ui.T(ctx, "import.unchanged"), Value: ui.Count(ctx, i.Unchanged)},
		{Label: ui.T(ctx, "import.refused"), Value: ui.Count(ctx, i.Bad)},
	}
}

func importTone(s labeling.ImportState) ui.Tone {
	switch s {
	case labeling.ImportFailed:
		return ui.Danger
	case labeling.ImportDone:
		return ui.Gain
	case labeling.ImportRunning, labeling.ImportQueued:
		return ui.Accent
	case labeling.ImportCancelled, labeling.ImportUploaded:
	}
	return ui.Undecided
}

func importIcon(s labeling.ImportState) string {
	switch s {
	case labeling.ImportDone:
		return "check"
	case labeling.ImportRunning, labeling.ImportQueued:
		return "clock"
	case labeling.ImportCancelled:
		return "stop"
	case labeling.ImportFailed, labeling.ImportUploaded:
	}
	return ""
}

// NewImportForm fills the form of a preview from what is guessed.
func NewImportForm(i labeling.Import, dataset, purpose string) FormView {
	if purpose == "" {
		purpose = string(labeling.PurposeTraining)
	}
	if dataset == "" {
		dataset = strings.TrimSuffix(i.File, "."+lastPart(i.File))
	}
	return FormView{Values: map[string]string{"dataset": dataset, "purpose": purpose, "add": "true"}}
}

func lastPart(name string) string {
	if at := strings.LastIndexByte(name, '.'); at > 0 {
		return name[at+1:]
	}
	return ""
}

// RefusedImport is the form again with what was wrong.
func RefusedImport(ctx context.Context, values map[string]string, err error) FormView {
	f := Refused(ctx, values, err)
	if f.Message == "" && len(f.Errors) == 0 {
		f.Message = Refusal(ctx, err)
	}
	return f
}

// again makes a choice redraw the page at once; without scripts a button does.
func (v ImportPreviewView) again() ui.Attrs {
	return ui.Attrs{"hx-get": v.Href, "hx-trigger": "change", "hx-include": "closest form", "hx-target": "#import-check", "hx-select": "#import-check", "hx-swap": "outerHTML"}
}

func doneStep(v ImportRunView) int {
	if v.Import.State == labeling.ImportDone {
		return 3
	}
	return 2
}

func primaryUnless(other bool) string {
	if other {
		return ""
	}
	return "primary"
}
