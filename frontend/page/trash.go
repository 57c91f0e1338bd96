package page

import (
	"net/url"
	"slices"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/frontend/ui"
)

// TrashView lists what was deleted.
type TrashView struct {
	Rows     []TrashRow
	Refused  string // why something was not deleted or purged
	People   Names
	MayPurge bool
}

// TrashRow is one thing in the trash. Project has no slug where the project
// itself is there.
type TrashRow struct {
	erasure.Trashed
	Project ProjectLink
}

// UndoView says what was just done, on the page where it was done, and offers to
// take it back.
type UndoView struct {
	Title  string
	Icon   string
	Action string      // where the form that takes it back goes; empty where it cannot be taken back
	Fields []ui.Option // hidden fields of the form: Value is the name, Text what it holds
	Note   string      // beside the title
}

// RetentionView says for how long what is kept.
type RetentionView struct {
	List    []erasure.Retention
	People  Names
	Failed  erasure.Retained // the kind whose form was refused
	Form    FormView
	Applied *erasure.Applied // what was removed just now
}

func (v RetentionView) form(kind erasure.Retained) FormView {
	if v.Failed == kind {
		return v.Form
	}
	return FormView{}
}

func (v RetentionView) days(r erasure.Retention) string {
	if typed := v.form(r.Kind).Value("days"); typed != "" {
		return typed
	}
	return itoa(r.Days)
}

// removed lists what was removed, in the order of the page.
func (v RetentionView) removed() []erasure.Retained {
	var kinds []erasure.Retained
	for kind := range v.Applied.Removed {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// Query encodes pairs of names and values for an address.
func Query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q.Encode()
}
