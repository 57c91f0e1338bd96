package page

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// PolicyView is a policy as text, in sentences, and on the last candidates.
type PolicyView struct {
	Project ProjectLink
	Policy  review.Policy
	Text    string // what stands in the editor
	Rules   review.Rules
	Would   []review.Would
	MayEdit bool
	Form    FormView
	Rows    int
}

// EnvironmentsView says what may run where.
type EnvironmentsView struct {
	Project ProjectLink
	List    []review.Shipped
	People  Names
	Now     time.Time
}

func (v EnvironmentsView) candidateHref(c review.Candidate) string {
	return v.Project.Href("candidates", strconv.Itoa(c.Number))
}

// HistoryView is a page of the history.
type HistoryView struct {
	Project ProjectLink
	Rows    []review.Trace
	People  Names
	Kinds   []string          // that may be filtered by
	Actors  []ledger.PersonID // likewise
	Kind    string
	Actor   string
	From    string
	Until   string
	First   string // the newest page again; empty on it
	Next    string
	Checked bool
	Events  int64  // in the whole chain, where it was checked
	Broken  string // what is wrong with it
}

// action is the address of the page, for its filters.
func (v HistoryView) action() string {
	if v.Project.Slug == "" {
		return "/history"
	}
	return v.Project.Href("history")
}

// subjectHref leads to what an event is about, where there is a page for it.
func (v HistoryView) subjectHref(s ledger.Subject) string {
	if v.Project.Slug == "" {
		return "" // events of many projects stand here
	}
	switch s.Kind {
	case "candidate", "run", "model", "snapshot":
		return v.Project.Href(s.Kind+"s", s.ID)
	}
	return ""
}

// pretty indents a payload for reading.
func pretty(payload []byte) string {
	var v any
	if err := json.Unmarshal(payload, &v); err != nil {
		return string(payload)
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return string(payload)
	}
	return string(out)
}

// eventIcon draws an event by what it is about.
func eventIcon(kind string) string {
	noun, verb, _ := strings.Cut(kind, ".")
	switch noun {
	case "vote":
		return "vote"
	case "approval", "attestation":
		return "sign"
	case "candidate":
		if verb == "commented" {
			return "comment"
		}
		return "candidate"
	case "annotation", "task":
		return "label"
	case "item", "import":
		return "import"
	case "snapshot", "dataset", "model", "run", "token":
		return noun
	case "job", "attempt":
		return "run"
	case "person", "login", "role", "membership":
		return "person"
	case "comparison", "evaluation", "prediction":
		return "compare"
	case "project", "schema", "policy":
		return "settings"
	}
	return "history"
}

func historyKinds(v HistoryView, all string) []ui.Option {
	options := []ui.Option{{Value: "", Text: all}}
	for _, k := range v.Kinds {
		options = append(options, ui.Option{Value: k, Text: k})
	}
	return options
}

func historyPeople(v HistoryView, all string) []ui.Option {
	options := []ui.Option{{Value: "", Text: all}}
	for _, id := range v.Actors {
		options = append(options, ui.Option{Value: string(id), Text: v.People.Name(id)})
	}
	slices.SortFunc(options[1:], func(a, b ui.Option) int { return strings.Compare(a.Text, b.Text) })
	return options
}

func wouldTone(w review.Would) ui.Tone {
	if w.Passes() {
		return ui.Gain
	}
	return ui.Loss
}

func wouldIcon(w review.Would) string {
	if w.Passes() {
		return "check"
	}
	return "clock"
}
