package identity

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// Tx is what this room needs of a transaction.
type Tx interface {
	ledger.Recorder
	work.Enqueuer
	PeopleTx
	LoginTx
	TokenTx
	LinkTx
	MembershipTx
	LimitTx
	GroupTx
	ProviderTx
	AccessTx
}

// PeopleTx keeps people.
type PeopleTx interface {
	// CreatePerson returns Conflict where the username is taken.
	CreatePerson(Person) error
	// UpdatePerson is for change alone: it writes everything but id and creation
	// time. Conflict where the
	// username is taken.
	UpdatePerson(Person) error
	// Person returns NotFound where there is none.
	Person(ledger.PersonID) (Person, error)
	// PersonByUsername returns NotFound where there is none. The name is folded.
	PersonByUsername(string) (Person, error)
	// Owner returns the person who owns the data directory; NotFound where there is none.
	Owner() (Person, error)
	// People lists everybody by name.
	People() ([]Person, error)
}

// LoginTx keeps logins.
type LoginTx interface {
	CreateLogin(Login) error
	// LoginByHash returns NotFound where there is none.
	LoginByHash(Hash) (Login, error)
	// Logins lists a person's logins, the latest first.
	Logins(ledger.PersonID) ([]Login, error)
	TouchLogin(id LoginID, seen, expires time.Time) error
	// LockLogin notes since when a login is locked; the zero time opens it.
	LockLogin(id LoginID, at time.Time) error
	// DeleteLogin removes one login of a person; NotFound where it is not theirs.
	DeleteLogin(ledger.PersonID, LoginID) error
	// DeleteLogins removes all logins of a person but one ("" for none).
	DeleteLogins(person ledger.PersonID, except LoginID) error
	// DeleteExpired removes logins, links, limits and known browsers that ended before a time.
	DeleteExpired(time.Time) error
}

// TokenTx keeps API tokens.
type TokenTx interface {
	CreateToken(Token) error
	// TokenByHash returns NotFound where there is none.
	TokenByHash(Hash) (Token, error)
	// TokenByID returns NotFound where there is none.
	TokenByID(TokenID) (Token, error)
	// Tokens lists the tokens of a person, of everybody for "", the latest first.
	Tokens(ledger.PersonID) ([]Token, error)
	TouchToken(id TokenID, used time.Time) error
	RevokeToken(id TokenID, at time.Time) error
}

// LinkTx keeps one-time links.
type LinkTx interface {
	CreateLink(Link) error
	// LinkByHash returns NotFound where there is none.
	LinkByHash(Hash) (Link, error)
	// DeleteLink removes a link and reports whether it was there.
	DeleteLink(Hash) (bool, error)
	// DeleteLinks removes the links of a person for a purpose.
	DeleteLinks(Purpose, ledger.PersonID) error
	// EndLinks removes all links for a purpose.
	EndLinks(Purpose) error
}

// MembershipTx keeps roles.
type MembershipTx interface {
	// AddMembership changes nothing where the person already holds the role.
	AddMembership(Membership) error
	// RemoveMembership reports whether the person held the role.
	RemoveMembership(Membership) (bool, error)
	// Memberships lists the roles of a person in every project.
	Memberships(ledger.PersonID) ([]Membership, error)
	// Members lists the roles of everybody in a project, in all for "".
	Members(ledger.ProjectID) ([]Membership, error)
	// HeldRoles lists the roles of a person in every project, by themselves or by
	// a group, each once.
	HeldRoles(ledger.PersonID) ([]Membership, error)
	// HeldIn does so for everybody in a project.
	HeldIn(ledger.ProjectID) ([]Membership, error)
}

// GroupTx keeps groups.
type GroupTx interface {
	// CreateGroup returns Conflict where the name is taken.
	CreateGroup(Group) error
	// RenameGroup returns Conflict where the name is taken.
	RenameGroup(GroupID, string) error
	// DeleteGroup removes a group; its members lose what they held by it.
	DeleteGroup(GroupID) error
	// Groups lists all groups by name, with members and roles.
	Groups() ([]Group, error)
	// AddGroupMember and the following report whether anything changed.
	AddGroupMember(GroupID, ledger.PersonID) (bool, error)
	RemoveGroupMember(GroupID, ledger.PersonID) (bool, error)
	AddGroupRole(GroupID, GroupRole) (bool, error)
	RemoveGroupRole(GroupID, GroupRole) (bool, error)
	// Traces counts what stands under a person's id.
	Traces(ledger.PersonID) (Traces, error)
}

// LimitTx counts wrong passwords, and keeps which browsers are known.
type LimitTx interface {
	// Limit returns an empty one for a key that has none.
	Limit(Hash) (Limit, error)
	SaveLimit(Limit) error
	// KnownBrowser returns until when a browser is known under a key, the zero time
	// for one that is not.
	KnownBrowser(Hash) (time.Time, error)
	KnowBrowser(key Hash, until time.Time) error
}
