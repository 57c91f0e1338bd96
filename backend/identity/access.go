package identity

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Grant is what is noted about a role in a project.
type Grant struct {
	Project     ledger.ProjectID
	Holder      string // id of a person or of a group
	Role        ledger.Role
	GrantedBy   ledger.PersonID
	GrantedAt   time.Time // zero: before it was noted
	ConfirmedBy ledger.PersonID
	ConfirmedAt time.Time // zero: never
}

// Use is when a person last did something in a project, to the hour.
type Use struct {
	Project ledger.ProjectID
	Person  ledger.PersonID
	At      time.Time
}

// AccessTx keeps since when roles are held and used.
type AccessTx interface {
	// NoteGrant changes nothing where the role was held already. Taking a role
	// away forgets what is noted about it.
	NoteGrant(Grant) error
	ConfirmGrant(Grant) error
	// Grants and Uses list those of a project, of all for "".
	Grants(ledger.ProjectID) ([]Grant, error)
	Uses(ledger.ProjectID) ([]Use, error)
	TouchUse(ledger.ProjectID, ledger.PersonID, time.Time) error
}

// Access is one row of a review: who may do what in a project, since when.
type Access struct {
	Grant
	Person   ledger.PersonID // "" where a group holds the role
	Group    GroupID
	Name     string
	Username string    // of a person
	Members  []string  // names of a group's members
	UsedAt   time.Time // when a person, or any member of the group, last used the project
	Disabled bool      // the person cannot sign in
	Overdue  bool      // nobody looked for longer than ReviewEvery
}

// ReviewEvery is how often somebody looks whether each role is still needed.
const ReviewEvery = 90 * 24 * time.Hour

// overdue reports whether a role waits to be looked at: one that was given or
// confirmed lately does not, one of which nothing is noted does.
func (g Grant) overdue(now time.Time) bool {
	return now.Sub(later(g.GrantedAt, g.ConfirmedAt)) > ReviewEvery
}

// mayReview returns Denied unless the actor may see who may do what: leads and
// admins, and auditors, who read everything.
func mayReview(actor ledger.Actor, project ledger.ProjectID) error {
	if project == "" {
		return mustAdminister(actor)
	}
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return err
	}
	if actor.Has(project, ledger.RoleAuditor) {
		return nil
	}
	return actor.Must(project, ledger.ActionManage)
}

// Accesses lists who may do what in a project, in all for "", by project and
// name: the roles that people hold by themselves, and those of groups with the
// names of their members. Admins of the installation hold every role without a
// row.
func (s *Service) Accesses(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) (all []Access, err error) {
	if err := mayReview(actor, project); err != nil {
		return nil, err
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		all, err = s.accesses(tx, project)
		return err
	})
	return all, err
}

// AccessReview is who may do what, with the names that the rows speak of.
type AccessReview struct {
	Rows   []Access
	Names  map[ledger.PersonID]string // of everybody
	Admins []string                   // names of those who hold every role everywhere
}

// ReviewAccess is Accesses with the names of everybody, read in one go: where
// there are thousands of people, reading them is most of the work.
func (s *Service) ReviewAccess(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) (v AccessReview, err error) {
	if err := mayReview(actor, project); err != nil {
		return AccessReview{}, err
	}
	err = s.view(ctx, func(tx Tx) error {
		people, err := tx.People()
		if err != nil {
			return err
		}
		v = AccessReview{Names: make(map[ledger.PersonID]string, len(people))}
		for _, p := range people {
			v.Names[p.ID] = p.Name
			if p.Admin && !p.Disabled {
				v.Admins = append(v.Admins, p.Name)
			}
		}
		v.Rows, err = s.accessesOf(tx, project, people)
		return err
	})
	return v, err
}

func (s *Service) accesses(tx Tx, project ledger.ProjectID) ([]Access, error) {
	people, err := tx.People()
	if err != nil {
		return nil, err
	}
	return s.accessesOf(tx, project, people)
}

func (s *Service) accessesOf(tx Tx, project ledger.ProjectID, people []Person) ([]Access, error) {
	byID := make(map[ledger.PersonID]Person, len(people))
	for _, p := range people {
		byID[p.ID] = p
	}
	uses, err := tx.Uses(project)
	if err != nil {
		return nil, err
	}
	used := map[Membership]time.Time{}
	for _, u := range uses {
		used[Membership{Project: u.Project, Person: u.Person}] = u.At
	}
	grants, err := tx.Grants(project)
	if err != nil {
		return nil, err
	}
	type key struct {
		project ledger.ProjectID
		holder  string
		role    ledger.Role
	}
	noted := make(map[key]Grant, len(grants))
	for _, g := range grants {
		noted[key{g.Project, g.Holder, g.Role}] = g
	}
	now := s.now()
	var all []Access
	add := func(a Access) {
		a.ConfirmedBy, a.ConfirmedAt, a.GrantedBy, a.GrantedAt = "", time.Time{}, "", time.Time{}
		if g, found := noted[key{a.Project, a.Holder, a.Role}]; found {
			a.Grant = g
		}
		a.Overdue = a.overdue(now)
		all = append(all, a)
	}
	members, err := tx.Members(project)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		p := byID[m.Person]
		add(Access{
			Grant: Grant{Project: m.Project, Holder: string(m.Person), Role: m.Role}, Person: m.Person, Name: p.Name, Username: p.Username,
			Disabled: p.Disabled, UsedAt: used[Membership{Project: m.Project, Person: m.Person}],
		})
	}
	groups, err := tx.Groups()
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		for _, r := range g.Roles {
			if project != "" && r.Project != project {
				continue
			}
			a := Access{Grant: Grant{Project: r.Project, Holder: string(g.ID), Role: r.Role}, Group: g.ID, Name: g.Name}
			for _, id := range g.Members {
				a.Members = append(a.Members, byID[id].Name)
				a.UsedAt = later(a.UsedAt, used[Membership{Project: r.Project, Person: id}])
			}
			slices.Sort(a.Members)
			add(a)
		}
	}
	slices.SortStableFunc(all, func(a, b Access) int {
		return cmp.Or(strings.Compare(string(a.Project), string(b.Project)), cmp.Compare(yesFirst(a.Group == ""), yesFirst(b.Group == "")),
			strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Holder, b.Holder), strings.Compare(string(a.Role), string(b.Role)))
	})
	return all, nil
}

func yesFirst(yes bool) int {
	if yes {
		return 0
	}
	return 1
}

// ConfirmAccess notes that the holder of a role, a person or a group by id, name
// or username, still needs it. Nobody confirms what they hold themselves, but an
// admin of the installation, above whom there is nobody.
func (s *Service) ConfirmAccess(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, holder string, role ledger.Role) error {
	return s.asActor(ctx, actor, grants(project, role), func(tx Tx, actor ledger.Actor) error {
		all, err := s.accesses(tx, project)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(a Access) bool {
			return a.Role == role && (a.Holder == holder || a.Person != "" && a.Username == FoldUsername(holder) || a.Group != "" && strings.EqualFold(a.Name, holder))
		})
		if i < 0 {
			return fault.New(fault.NotFound, "%.60q does not hold the role %s in this project any more. Reload the page.", holder, role)
		}
		a := all[i]
		if a.Person == actor.Person && !actor.Admin {
			return fault.New(fault.Denied, "What you may do yourself is confirmed by another lead or an admin.")
		}
		if err := tx.ConfirmGrant(Grant{Project: project, Holder: a.Holder, Role: role, ConfirmedBy: actor.Person, ConfirmedAt: s.now()}); err != nil {
			return err
		}
		about := subject(a.Person)
		if a.Group != "" {
			about = groupSubject(a.Group)
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "role.confirmed", Subject: about, Payload: map[string]string{"role": string(role)}})
	})
}

// useEvery is how finely it is noted when a person last used a project.
const useEvery = time.Hour

// uses remembers what was noted, so that a request in a project costs a look
// into memory and one write an hour.
type uses struct {
	mu    sync.Mutex
	noted map[Membership]time.Time
}

// most of them are remembered; then it begins anew.
const mostUses = 10_000

func (u *uses) due(project ledger.ProjectID, person ledger.PersonID, now time.Time) bool {
	key := Membership{Project: project, Person: person}
	u.mu.Lock()
	defer u.mu.Unlock()
	if last, found := u.noted[key]; found && now.Sub(last) < useEvery {
		return false
	}
	if u.noted == nil || len(u.noted) >= mostUses {
		u.noted = map[Membership]time.Time{}
	}
	u.noted[key] = now
	return true
}

// Used notes that a person did something in a project.
func (s *Service) Used(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) error {
	now := s.now()
	if actor.Via != ledger.ViaLogin && actor.Via != ledger.ViaToken && actor.Via != ledger.ViaLocal || !s.uses.due(project, actor.Person, now) {
		return nil
	}
	return s.update(context.WithoutCancel(ctx), func(tx Tx) error { return tx.TouchUse(project, actor.Person, now) })
}

// RemoveAccess takes a role from its holder, a person or a group by id.
func (s *Service) RemoveAccess(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, holder string, role ledger.Role, reason string) error {
	if err := actor.MustBeThere(); err != nil {
		return err
	}
	all, err := s.Accesses(ctx, actor, project)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(a Access) bool { return a.Holder == holder && a.Role == role })
	switch {
	case i < 0:
		return nil // taken away meanwhile
	case all[i].Group != "":
		return s.RevokeGroup(ctx, actor, holder, GroupRole{Project: project, Role: role}, reason)
	}
	return s.Revoke(ctx, actor, Membership{Project: project, Person: ledger.PersonID(holder), Role: role}, reason)
}

// Admins lists the names of the admins of the installation: leads and auditors
// of a project see them too, for they may do everything there.
func (s *Service) Admins(ctx context.Context) (names []string, err error) {
	err = s.view(ctx, func(tx Tx) error {
		people, err := tx.People()
		names = nil
		for _, p := range people {
			if p.Admin && !p.Disabled {
				names = append(names, p.Name)
			}
		}
		return err
	})
	return names, err
}
