package identity_test

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
)

// here makes the person of an actor, with the actor's roles.
func (b *bench) here(t *testing.T, actor ledger.Actor) ledger.Actor {
	t.Helper()
	if err := b.store.Update(t.Context(), func(tx *store.Tx) error {
		name := string(actor.Person)
		if err := tx.CreatePerson(identity.Person{ID: actor.Person, Username: name, Name: name}); err != nil {
			return err
		}
		for project, roles := range actor.Roles {
			for _, role := range roles {
				if err := tx.AddMembership(identity.Membership{Project: project, Person: actor.Person, Role: role}); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return actor
}

// What a method of the service is to whoever comes by an API token.
const (
	refusedToTokens = "changes people, so a token is refused"
	refusedElsewise = "needs a browser, and says so in its own words"
	reads           = "changes nothing"
	ownUse          = "changes what is the actor's own and lets nobody in"
)

// byToken says for every method that takes an actor or a visit which it is. A
// new method has to be written down here.
var byToken = map[string]string{
	"CreatePerson": refusedToTokens, "Join": refusedToTokens, "Invite": refusedToTokens, "InviteAll": refusedToTokens,
	"ChangePerson": refusedToTokens, "Grant": refusedToTokens, "Revoke": refusedToTokens, "SetRoles": refusedToTokens,
	"CreateGroup": refusedToTokens, "RenameGroup": refusedToTokens, "DeleteGroup": refusedToTokens,
	"JoinGroup": refusedToTokens, "LeaveGroup": refusedToTokens, "GrantGroup": refusedToTokens, "RevokeGroup": refusedToTokens,
	"SetGroupRoles": refusedToTokens, "MapGroup": refusedToTokens, "UnmapGroup": refusedToTokens, "Disconnect": refusedToTokens,
	"ConfirmAccess": refusedToTokens, "RemoveAccess": refusedToTokens,
	"CreateToken": refusedToTokens, "RevokeToken": refusedToTokens,

	"TakeOver": refusedElsewise, "ChangePassword": refusedElsewise, "VerifyPassword": refusedElsewise, "Prove": refusedElsewise,
	"MayLink": refusedElsewise, "Unlink": refusedElsewise, "HandOver": refusedElsewise, "Arrive": refusedElsewise,

	"Accesses": reads, "ReviewAccess": reads, "Groups": reads, "ProjectGroups": reads, "PreviewInvitations": reads, "Members": reads,
	"Memberships": reads, "People": reads, "Get": reads, "PersonByUsername": reads, "PersonNamed": reads, "MyData": reads,
	"HasProof": reads, "ProviderAccounts": reads, "Logins": reads, "Tokens": reads,

	"Settle": ownUse, "Used": ownUse, "Lock": ownUse, "EndOtherLogins": ownUse, "SignOut": ownUse, "EndLogin": ownUse, "ChangePreferences": ownUse,
}

func TestATokenMakesNoPeopleLinksOrPasswordsAndGivesNoRoles(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	bo := b.person(t, anna.Actor, "bo")
	if _, err := b.CreateGroup(t.Context(), anna.Actor, "Night shift"); err != nil {
		t.Fatal(err)
	}
	before := b.kinds(t)
	service := reflect.ValueOf(b.Service)
	var met []string
	for i := range service.NumMethod() {
		name, method := service.Type().Method(i).Name, service.Method(i)
		actorAt, visitAt := indexOf(method.Type(), reflect.TypeFor[ledger.Actor]()), indexOf(method.Type(), reflect.TypeFor[identity.Visit]())
		if actorAt < 0 && visitAt < 0 {
			continue
		}
		met = append(met, name)
		kind, known := byToken[name]
		if !known {
			t.Errorf("%s is in no row of this table: may an API token call it?", name)
		}
		if kind != refusedToTokens && kind != refusedElsewise {
			continue
		}
		for _, via := range []ledger.Via{ledger.ViaToken, ledger.ViaAttempt, ledger.ViaNobody} {
			actor := anna.Actor
			actor.Via = via
			in := []reflect.Value{reflect.ValueOf(t.Context())}
			for j := 1; j < method.Type().NumIn(); j++ {
				in = append(in, given(method.Type().In(j), actor, bo.ID))
			}
			out := method.Call(in)
			err, _ := out[len(out)-1].Interface().(error)
			if kind == refusedElsewise {
				if err == nil || fault.Message(err) == "" {
					t.Errorf("%s by %s: %v", name, via, err)
				}
				continue
			}
			if !fault.Is(err, fault.Denied) || fault.Message(err) != "An API token cannot do this. Sign in, or use the command line on the server's machine." {
				t.Errorf("%s by %s: %v", name, via, err)
			}
		}
	}
	for name := range byToken {
		if !slices.Contains(met, name) {
			t.Errorf("%s is no method any more", name)
		}
	}
	if after := b.kinds(t); after != before {
		t.Errorf("a token changed something: %s", after[len(before):])
	}
}

// indexOf returns where a function takes a type, -1 for nowhere.
func indexOf(f reflect.Type, of reflect.Type) int {
	for i := range f.NumIn() {
		if f.In(i) == of {
			return i
		}
	}
	return -1
}

// given makes an argument that would do something.
func given(of reflect.Type, actor ledger.Actor, person ledger.PersonID) reflect.Value {
	yes := true
	switch of {
	case reflect.TypeFor[ledger.Actor]():
		return reflect.ValueOf(actor)
	case reflect.TypeFor[ledger.PersonID]():
		return reflect.ValueOf(person)
	case reflect.TypeFor[identity.Membership]():
		return reflect.ValueOf(identity.Membership{Project: "p1", Person: person, Role: ledger.RoleApprover})
	case reflect.TypeFor[identity.GroupRole]():
		return reflect.ValueOf(identity.GroupRole{Project: "p1", Role: ledger.RoleApprover})
	case reflect.TypeFor[ledger.Role]():
		return reflect.ValueOf(ledger.RoleApprover)
	case reflect.TypeFor[ledger.ProjectID]():
		return reflect.ValueOf(ledger.ProjectID("p1"))
	case reflect.TypeFor[map[ledger.PersonID][]ledger.Role]():
		return reflect.ValueOf(map[ledger.PersonID][]ledger.Role{person: {ledger.RoleApprover}})
	case reflect.TypeFor[identity.CreatePersonRequest]():
		return reflect.ValueOf(identity.CreatePersonRequest{Username: "puppet", Name: "Puppet", Project: "p1", Roles: []ledger.Role{ledger.RoleApprover}})
	case reflect.TypeFor[identity.ChangePersonRequest]():
		return reflect.ValueOf(identity.ChangePersonRequest{Admin: &yes, Reason: "why"})
	case reflect.TypeFor[identity.InviteAllRequest]():
		return reflect.ValueOf(identity.InviteAllRequest{CSV: []byte("username\npuppet\n")})
	case reflect.TypeFor[string]():
		return reflect.ValueOf("Night shift")
	}
	return reflect.Zero(of)
}

func TestTheCommandLineOnTheServersMachineMakesPeopleInItsOwnersName(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	visit, err := b.AuthenticateToken(t.Context(), b.OpenLocal())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.CreatePerson(t.Context(), visit.Actor, identity.CreatePersonRequest{Username: "mara"}); err != nil {
		t.Fatal(err)
	}
	made := b.events(t, "person.created")
	if last := made[len(made)-1]; last.Actor != visit.Person.ID || last.Via != ledger.ViaLocal {
		t.Errorf("made by %s via %s, want by the owner via local", last.Actor, last.Via)
	}
}

// between runs something after a service asked what an actor may do and before
// its transaction begins.
type between struct {
	update func(context.Context, func(identity.Tx) error) error
	do     func()
}

func (w *between) Update(ctx context.Context, f func(identity.Tx) error) error {
	if do := w.do; do != nil {
		w.do = nil
		do()
	}
	return w.update(ctx, f)
}

func TestWhoLosesARoleMeanwhileGivesNobodyAnother(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for name, act := range map[string]func(*identity.Service, context.Context, ledger.Actor, ledger.PersonID) error{
		"makes a person with a password": func(s *identity.Service, ctx context.Context, by ledger.Actor, _ ledger.PersonID) error {
			_, _, err := s.CreatePerson(ctx, by, identity.CreatePersonRequest{Username: "puppet", Password: goodPassword, Admin: true})
			return err
		},
		"gives a role": func(s *identity.Service, ctx context.Context, by ledger.Actor, bo ledger.PersonID) error {
			return s.Grant(ctx, by, identity.Membership{Project: "p1", Person: bo, Role: ledger.RoleApprover}, "")
		},
		"makes an admin": func(s *identity.Service, ctx context.Context, by ledger.Actor, bo ledger.PersonID) error {
			_, err := s.ChangePerson(ctx, by, bo, identity.ChangePersonRequest{Admin: &yes, Reason: "a favour"})
			return err
		},
		"makes a link": func(s *identity.Service, ctx context.Context, by ledger.Actor, bo ledger.PersonID) error {
			_, err := s.Invite(ctx, by, bo)
			return err
		},
		"makes a group": func(s *identity.Service, ctx context.Context, by ledger.Actor, _ ledger.PersonID) error {
			_, err := s.CreateGroup(ctx, by, "Mine")
			return err
		},
	} {
		for how, change := range map[string]identity.ChangePersonRequest{
			"no admin any more": {Admin: &no, Reason: "left"},
			"blocked":           {Disabled: &yes},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				anna := b.admin(t)
				bo := b.person(t, anna.Actor, "bo")
				cy, _, err := b.CreatePerson(t.Context(), anna.Actor, identity.CreatePersonRequest{Username: "cy", Password: goodPassword, Admin: true})
				if err != nil {
					t.Fatal(err)
				}
				wait := &between{update: store.In[identity.Tx](b.store)}
				c := b.config
				c.Update = wait.Update
				other := identity.New(c)
				wait.do = func() {
					if _, err := b.ChangePerson(t.Context(), anna.Actor, cy.ID, change); err != nil {
						t.Error(err)
					}
				}
				by := ledger.Actor{Person: cy.ID, Name: "cy", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Admin: true}
				if err := act(other, t.Context(), by, bo.ID); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}
