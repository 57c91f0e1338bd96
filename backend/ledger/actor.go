package ledger

import (
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
)

// PersonID is the opaque id of a person (UUIDv7). Names live in records that
// can be erased.
type PersonID string

// ProjectID is the id of a project (UUIDv7).
type ProjectID string

// Via says how an actor proved who they are. A vote counts only by login.
type Via string

// The ways in.
const (
	ViaLogin   Via = "login"   // a browser session
	ViaToken   Via = "token"   // an API token
	ViaLocal   Via = "local"   // the credential file of a server on this machine
	ViaAttempt Via = "attempt" // a training attempt's own token
	ViaSystem  Via = "system"  // follow-up work of the server itself
	ViaNobody  Via = "nobody"  // not signed in, as where a sign-in is refused
)

// Actor is who does something: a person, how they came in, and which roles
// they hold in which project at this moment.
type Actor struct {
	Person PersonID
	Name   string
	Via    Via
	Admin  bool                 // admin of the whole installation, so of every project
	Roles  map[ProjectID][]Role // roles per project
	// Untimed says that the person does not want kept how long they look at things.
	Untimed bool
	Scope   Scope // what a token may do at most; ScopeFull for everybody else
}

// System is the server acting on its own.
func System() Actor {
	return Actor{Person: "system", Name: "Adjudge", Via: ViaSystem, Admin: true, Scope: ScopeFull}
}

// May reports whether this actor may do an action in a project.
func (a Actor) May(project ProjectID, action Action) bool {
	if !a.Scope.allows(action) {
		return false
	}
	if a.Admin && RoleAdmin.May(action) {
		return true
	}
	return slices.ContainsFunc(a.Roles[project], func(r Role) bool { return r.May(action) })
}

// Holds reports whether the person may do an action in a project at all, by
// whichever way in: the scope of a token takes nothing away.
func (a Actor) Holds(project ProjectID, action Action) bool {
	a.Scope = ScopeFull
	return a.May(project, action)
}

// Must returns Denied, with the roles that could, unless the actor may do the
// action in the project. A person without any role there gets NotFound, so that
// the existence of a project is not given away.
func (a Actor) Must(project ProjectID, action Action) error {
	if a.May(project, action) {
		return nil
	}
	if !a.Admin && len(a.Roles[project]) == 0 {
		return fault.New(fault.NotFound, "No such project, or you are not a member of it. Ask a lead to add you.")
	}
	if !a.Scope.allows(action) {
		return fault.New(fault.Denied, "This token has the scope %q, which does not include: %s.", a.Scope, action)
	}
	return fault.New(fault.Denied, "To %s you need one of these roles: %s. Ask a lead or an admin.", action, RolesThatMay(action))
}

// MustBeThere returns Denied unless a person sits at the browser or at this
// machine, or the server acts itself: a token must not make tokens, passwords,
// logins or people, gives nobody a role, and changes nothing of what a verdict is
// held against.
func (a Actor) MustBeThere() error {
	switch a.Via {
	case ViaLogin, ViaLocal, ViaSystem:
		return nil
	case ViaToken, ViaAttempt, ViaNobody:
	}
	return fault.New(fault.Denied, "An API token cannot do this. Sign in, or use the command line on the server's machine.")
}

// Has reports whether the actor holds a role in a project; installation admins
// hold only the role admin.
func (a Actor) Has(project ProjectID, role Role) bool {
	return slices.Contains(a.Roles[project], role) || a.Admin && role == RoleAdmin
}
