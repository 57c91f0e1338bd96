package identity

import (
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Membership is one role of one person in one project.
type Membership struct {
	Project ledger.ProjectID
	Person  ledger.PersonID
	Role    ledger.Role
}

// ParseRole reads a role as people type it: "data scientist", "data-scientist"
// and "data_scientist" are the same.
func ParseRole(text string) (ledger.Role, error) {
	role := ledger.Role(strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(text))))
	if !slices.Contains(ledger.Roles(), role) {
		var names []string
		for _, r := range ledger.Roles() {
			names = append(names, string(r))
		}
		return "", fault.Field("role", "There is no role %.40q; choose one of %s.", text, strings.Join(names, ", "))
	}
	return role, nil
}

// rolesOf arranges memberships by project, as an Actor carries them.
func rolesOf(memberships []Membership) map[ledger.ProjectID][]ledger.Role {
	roles := map[ledger.ProjectID][]ledger.Role{}
	for _, m := range memberships {
		roles[m.Project] = append(roles[m.Project], m.Role)
	}
	return roles
}
