package ledger

import (
	"slices"
	"strings"
)

// Role is what a person is in one project.
type Role string

// The roles.
const (
	RoleAnnotator     Role = "annotator"      // labels
	RoleLead          Role = "lead"           // runs the project: schema, people, imports, adjudication
	RoleReviewer      Role = "reviewer"       // subject-matter expert who votes on candidates
	RoleApprover      Role = "approver"       // reads the evidence, votes, withdraws
	RoleDataScientist Role = "data_scientist" // imports, trains, compares, proposes
	RoleAuditor       Role = "auditor"        // reads everything, changes nothing
	RoleAdmin         Role = "admin"          // people, tokens, settings; and all a lead may do
)

// Roles lists all roles in the order in which people meet them.
func Roles() []Role {
	return []Role{RoleAnnotator, RoleLead, RoleReviewer, RoleApprover, RoleDataScientist, RoleAuditor, RoleAdmin}
}

// Action is something a role may or may not do in a project, worded so that it
// completes the sentence "To … you need".
type Action string

// The actions.
const (
	ActionRead       Action = "read this project"
	ActionLabel      Action = "label items"
	ActionComment    Action = "comment"
	ActionManage     Action = "manage this project" // schema, datasets, people, settings
	ActionImport     Action = "import items"
	ActionRelabel    Action = "change labels of other people" // bulk actions, adjudication
	ActionSnapshot   Action = "create snapshots"
	ActionExport     Action = "export data"
	ActionTrain      Action = "train models"
	ActionPredict    Action = "import predictions"
	ActionCompare    Action = "compare models"
	ActionPropose    Action = "propose candidates"
	ActionVote       Action = "vote on candidates"
	ActionWithdraw   Action = "withdraw approvals"
	ActionGate       Action = "ask the gate"
	ActionAdminister Action = "administer this installation" // people, tokens of others, storage
)

// Actions lists all actions.
func Actions() []Action {
	return []Action{ActionRead, ActionLabel, ActionComment, ActionManage, ActionImport, ActionRelabel, ActionSnapshot,
		ActionExport, ActionTrain, ActionPredict, ActionCompare, ActionPropose, ActionVote, ActionWithdraw, ActionGate, ActionAdminister}
}

// grants is the one table of who may do what.
var grants = map[Role][]Action{
	RoleAnnotator: {ActionRead, ActionLabel, ActionComment},
	RoleLead: {ActionRead, ActionLabel, ActionComment, ActionManage, ActionImport, ActionRelabel, ActionSnapshot,
		ActionExport, ActionTrain, ActionPredict, ActionCompare, ActionPropose, ActionGate},
	RoleReviewer: {ActionRead, ActionLabel, ActionComment, ActionCompare, ActionVote, ActionGate},
	RoleApprover: {ActionRead, ActionComment, ActionCompare, ActionVote, ActionWithdraw, ActionGate},
	RoleDataScientist: {ActionRead, ActionLabel, ActionComment, ActionImport, ActionSnapshot, ActionExport, ActionTrain,
		ActionPredict, ActionCompare, ActionPropose, ActionGate},
	RoleAuditor: {ActionRead, ActionExport, ActionGate},
	RoleAdmin: {ActionRead, ActionLabel, ActionComment, ActionManage, ActionImport, ActionRelabel, ActionSnapshot,
		ActionExport, ActionTrain, ActionPredict, ActionCompare, ActionPropose, ActionWithdraw, ActionGate, ActionAdminister},
}

// May reports whether the role may do the action.
func (r Role) May(action Action) bool { return slices.Contains(grants[r], action) }

// RolesThatMay names the roles that may do an action, for messages.
func RolesThatMay(action Action) string {
	var names []string
	for _, r := range Roles() {
		if r.May(action) {
			names = append(names, strings.ReplaceAll(string(r), "_", " "))
		}
	}
	return strings.Join(names, ", ")
}

// Scope is the most that an API token may do, whatever roles its person holds.
type Scope string

// The scopes.
const (
	ScopeFull Scope = "full" // all that the person may
	ScopeRead Scope = "read" // read and export, change nothing
	ScopeGate Scope = "gate" // ask the gate, nothing else
)

// Scopes lists all scopes.
func Scopes() []Scope { return []Scope{ScopeFull, ScopeRead, ScopeGate} }

func (s Scope) allows(action Action) bool {
	switch s {
	case ScopeFull:
		return true
	case ScopeRead:
		return action == ActionRead || action == ActionExport || action == ActionGate
	case ScopeGate:
		return action == ActionGate
	}
	return false
}
