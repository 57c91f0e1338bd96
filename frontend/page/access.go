package page

import (
	"context"
	"net/url"
	"strings"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
)

// AccessView is the review of who may do what, in one project or in all.
type AccessView struct {
	Project *ProjectLink // nil for all
	Rows    []AccessRow
	Shown   []AccessRow // those of them that stand on the page
	Paging  Paging
	Names   map[ledger.PersonID]string
	Admins  []string // names of those who hold every role everywhere
	May     bool     // confirm and take away
	Overdue int      // rows that wait
	Saved   string   // what was just done: "confirmed" or "removed"
	Form    FormView
}

// AccessRow is one row with the project that it is about.
type AccessRow struct {
	identity.Access
	In ProjectLink
}

// NewAccessView puts the projects' names to the rows. A row of a project that
// the reader does not see is left out.
func NewAccessView(all []identity.Access, projects []ProjectLink) AccessView {
	byID := map[ledger.ProjectID]ProjectLink{}
	for _, p := range projects {
		byID[p.ID] = p
	}
	var v AccessView
	for _, a := range all {
		in, found := byID[a.Project]
		if !found {
			continue
		}
		v.Rows = append(v.Rows, AccessRow{Access: a, In: in})
		if a.Overdue {
			v.Overdue++
		}
	}
	return v
}

func (v AccessView) href() string {
	if v.Project == nil {
		return "/people/review"
	}
	return v.Project.Href("people", "review")
}

// Show chooses the rows of the page that is asked for. role names a role as
// the reader sees it.
func (v *AccessView) Show(query url.Values, role func(ledger.Role) string) {
	v.Paging = NewPaging(v.href(), query)
	v.Shown = paged(&v.Paging, v.Rows, func(row AccessRow) bool {
		return (row.Overdue || !v.Paging.Overdue) && v.Paging.Shows(row.Name, row.Username, row.In.Name, role(row.Role))
	})
}

// refused reports whether a row is the one that was sent and refused; its
// reason stays open, with what was typed and what is wrong with it.
func (v AccessView) refused(row AccessRow) bool {
	return len(v.Form.Errors) > 0 && v.Form.Value("holder") == row.Holder && v.Form.Value("role") == string(row.Role) && v.Form.Value("project") == string(row.In.ID)
}

func (v AccessView) typed(row AccessRow, field string) string {
	if !v.refused(row) {
		return ""
	}
	return v.Form.Value(field)
}

func (v AccessView) wrong(row AccessRow, field string) string {
	if !v.refused(row) {
		return ""
	}
	return v.Form.Error(field)
}

func (v AccessView) by(id ledger.PersonID) string { return v.Names[id] }

func accessColumns(ctx context.Context, v AccessView) []ui.Column {
	var columns []ui.Column
	if v.Project == nil {
		columns = append(columns, ui.Column{Label: ui.T(ctx, "access.project")})
	}
	columns = append(columns, ui.Column{Label: ui.T(ctx, "access.holder")}, ui.Column{Label: ui.T(ctx, "access.role")}, ui.Column{Label: ui.T(ctx, "access.granted")},
		ui.Column{Label: ui.T(ctx, "access.used")}, ui.Column{Label: ui.T(ctx, "access.confirmed")})
	if v.May {
		columns = append(columns, ui.Column{Label: ui.T(ctx, "ui.actions"), Hidden: true})
	}
	return columns
}

func joinedNames(names []string) string { return strings.Join(names, ", ") }
