package page

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// HistoryView is a page of the history.
type HistoryView struct {
	Project   ProjectLink
	Rows      []review.Trace
	People    Names
	Names     map[ledger.Subject]string // what subjects are called today
	Kinds     []string                  // that may be filtered by
	Actors    []ledger.PersonID         // likewise
	Kind      string
	Actor     string
	Record    string // kind:id
	From      string
	Until     string
	Query     string // all filters, as in the address
	First     string // the newest page again; empty on it
	Next      string
	Classes   map[string]string // names of classes by their ids, for the changes
	MayExport bool              // and have the chain checked
	Check     review.ChainCheck // the last of the whole chain
	Broken    string            // what it found wrong
}

// action is the address of the page, for its filters.
func (v HistoryView) action() string {
	if v.Project.Slug == "" {
		return "/history"
	}
	return v.Project.Href("history")
}

// Here is the newest page of the same events.
func (v HistoryView) Here() string { return withQuery(v.action(), v.Query) }

// checkHref is where a check of the chain is asked for.
func (v HistoryView) checkHref() string { return withQuery(v.action()+"/check", v.Query) }

// withQuery puts a query behind an address.
func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// exportHref is where the same events come as a file.
func (v HistoryView) exportHref(format string) string {
	query := "format=" + format
	if v.Query != "" {
		query = v.Query + "&" + query
	}
	return v.action() + "/export?" + query
}

// recordHref shows all events about what an event is about.
func (v HistoryView) recordHref(s ledger.Subject) string {
	return v.action() + "?" + query("record", s.Kind+":"+s.ID)
}

// Subjects lists what the rows are about, and the items that they say changed:
// what Names should know.
func (v HistoryView) Subjects() []ledger.Subject {
	var subjects []ledger.Subject
	for _, r := range v.Rows {
		subjects = append(subjects, r.Subject)
		if r.Subject.Kind == "bulk" {
			changes, _ := ledger.Changes(r.Payload)
			for _, c := range changes[:min(mostChanges, len(changes))] {
				subjects = append(subjects, changedItem(c))
			}
		}
	}
	return subjects
}

// changedItem is the item whose answer changed with others.
func changedItem(c ledger.Change) ledger.Subject { return ledger.Subject{Kind: "item", ID: c.Field} }

// changes reads what an event changed, with classes and items by their names.
func (v HistoryView) changes(t review.Trace) ([]ledger.Change, string) {
	changes, reason := ledger.Changes(t.Payload)
	for i := range changes {
		c := &changes[i]
		c.Was, c.Is = v.class(c.Was), v.class(c.Is)
		if t.Subject.Kind == "bulk" {
			c.Field = cmp.Or(v.Names[changedItem(*c)], c.Field)
		} else if before, rest, found := strings.Cut(c.Field, "["); found { // Schema.classes[id].name
			id, after, _ := strings.Cut(rest, "]")
			c.Field = before + "[" + v.class(id) + "]" + after
		}
	}
	return changes, reason
}

func (v HistoryView) class(value string) string {
	if name, known := v.Classes[value]; known {
		return name
	}
	return value
}

// mostChanges is how many changed values of one event the table shows; the
// payload and the files have all of them.
const mostChanges = 12

// subjectHref leads to what an event is about, where there is a page for it.
func (v HistoryView) subjectHref(s ledger.Subject) string {
	if v.Project.Slug == "" {
		return "" // events of many projects stand here
	}
	switch s.Kind {
	case "item":
		if v.Names != nil && v.Names[s] == "" {
			return "" // it is gone
		}
		return v.Project.Href("items", s.ID)
	case "candidate", "run", "model", "snapshot", "import":
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
	case "items":
		return "items"
	case "group":
		return "people"
	case "hold", "retention":
		return "lock"
	case "trash":
		return "trash"
	case "project", "schema", "policy":
		return "settings"
	}
	return "history"
}

// eventName says in words what an event is. One that has none, such as of a
// version that this one replaced, is shown by its code.
func eventName(ctx context.Context, kind string) string {
	if name := ui.T(ctx, "event."+kind); name != "event."+kind {
		return name
	}
	return kind
}

func historyKinds(ctx context.Context, v HistoryView, all string) []ui.Option {
	options := []ui.Option{{Value: "", Text: all}}
	for _, w := range review.Watches() {
		options = append(options, ui.Option{Value: string(w), Text: ui.T(ctx, "history.watch."+string(w))})
	}
	kinds := []ui.Option{}
	for _, k := range v.Kinds {
		kinds = append(kinds, ui.Option{Value: k, Text: eventName(ctx, k)})
	}
	slices.SortFunc(kinds, func(a, b ui.Option) int { return strings.Compare(a.Text, b.Text) })
	return append(options, kinds...)
}

func historyPeople(v HistoryView, all string) []ui.Option {
	options := []ui.Option{{Value: "", Text: all}}
	for _, id := range v.Actors {
		options = append(options, ui.Option{Value: string(id), Text: v.People.Name(id)})
	}
	slices.SortFunc(options[1:], func(a, b ui.Option) int { return strings.Compare(a.Text, b.Text) })
	return options
}
