package page

import (
	"slices"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
)

// GroupsView lists the groups of the installation, for admins.
type GroupsView struct {
	Groups   []GroupRow
	Projects []ProjectLink
	Provider string // name of the provider whose groups may stand for these, "" for none
	Form     FormView
	Failed   string            // id of the group whose form was refused, "" for that of a new one
	Asked    map[string]string // what was asked of it, where only the reason was missing
}

// GroupRow is a group with the names that a person reads.
type GroupRow struct {
	Group   identity.Group
	Members []PersonLink
	Roles   []GroupRoleRow
}

// GroupRoleRow is one role of a group.
type GroupRoleRow struct {
	Project ProjectLink
	Role    ledger.Role
}

// NewGroupRows puts names to the people and projects of groups.
func NewGroupRows(groups []identity.Group, people []identity.Person, projects []ProjectLink) []GroupRow {
	rows := make([]GroupRow, len(groups))
	for i, g := range groups {
		rows[i].Group = g
		for _, p := range people {
			if slices.Contains(g.Members, p.ID) {
				rows[i].Members = append(rows[i].Members, PersonLink{ID: p.ID, Name: p.Name})
			}
		}
		for _, r := range g.Roles {
			row := GroupRoleRow{Project: ProjectLink{ID: r.Project, Name: string(r.Project)}, Role: r.Role}
			for _, p := range projects {
				if p.ID == r.Project {
					row.Project = p
				}
			}
			rows[i].Roles = append(rows[i].Roles, row)
		}
	}
	return rows
}

// form is the refused form of a group, an empty one where another was refused.
func (v GroupsView) form(id identity.GroupID) FormView {
	if v.Failed == string(id) {
		return v.Form
	}
	return FormView{}
}

func projectOptions(projects []ProjectLink) []ui.Option {
	var options []ui.Option
	for _, p := range projects {
		options = append(options, ui.Option{Value: string(p.ID), Text: p.Name})
	}
	return options
}

func attrText(value any) string {
	text, _ := value.(string)
	return text
}
