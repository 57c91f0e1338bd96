package identity

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// GroupID names a group.
type GroupID string

// Group is a named set of people with roles in projects. Its members hold those
// roles beside their own.
type Group struct {
	ID        GroupID
	Name      string // unique
	CreatedAt time.Time
	Members   []ledger.PersonID
	Roles     []GroupRole
	Names     []string // of groups at the provider that it stands for
}

// GroupRole is one role of a group in one project.
type GroupRole struct {
	Project ledger.ProjectID
	Role    ledger.Role
}

// Validate returns an Invalid fault where the name is wrong.
func (g Group) Validate() error {
	switch {
	case g.Name == "":
		return fault.Field("name", "Name the group, for example Night shift.")
	case utf8.RuneCountInString(g.Name) > 100:
		return fault.Field("name", "Use at most 100 characters.")
	case strings.ContainsFunc(g.Name, func(r rune) bool { return unicode.IsControl(r) || strings.ContainsRune(",;|", r) }) || !utf8.ValidString(g.Name):
		return fault.Field("name", "Leave out commas, semicolons, bars, line breaks and control characters.")
	}
	return ledger.Name("name", g.Name)
}

// groupNamed finds a group by id or name, whatever the case.
func groupNamed(groups []Group, text string) (Group, error) {
	i := slices.IndexFunc(groups, func(g Group) bool { return string(g.ID) == text || strings.EqualFold(g.Name, strings.TrimSpace(text)) })
	if i < 0 {
		return Group{}, fault.New(fault.NotFound, "There is no group %.60q. Make it under People, Groups.", text)
	}
	return groups[i], nil
}
