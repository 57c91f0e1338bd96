package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
)

// bench is a service over a real store with a clock that tests move.
type bench struct {
	*identity.Service
	store  *store.Store
	config identity.Config
	now    atomic.Int64
}

func (b *bench) advance(d time.Duration) { b.now.Add(int64(d)) }

func newBench(t *testing.T) *bench {
	t.Helper()
	return newServer(t, storetest.New(t), "")
}

// newServer is a bench on a store that others may use, too.
func newServer(t *testing.T, s *store.Store, server string) *bench {
	t.Helper()
	b := &bench{store: s}
	b.now.Store(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC).UnixNano())
	var n atomic.Int64
	b.config = identity.Config{
		Update: store.In[identity.Tx](s), View: store.From[identity.Tx](s),
		Now:     func() time.Time { return time.Unix(0, b.now.Load()) },
		NewID:   func() string { return fmt.Sprintf("id%s-%04d", server, n.Add(1)) },
		Hashing: identity.Hashing{MemoryKiB: 8, Passes: 1, Threads: 1}, Server: server,
	}
	b.Service = identity.New(b.config)
	if err := b.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

const goodPassword = "correct horse battery"

var home = identity.From{Address: "192.0.2.1", Agent: "test"}

// admin makes the first admin by the link of the first start and returns how
// they come in.
func (b *bench) admin(t *testing.T) identity.Visit {
	t.Helper()
	link, err := b.FirstAdminLink(t.Context())
	if err != nil || link == "" {
		t.Fatalf("link %q, %v", link, err)
	}
	in, err := b.CreateFirstAdmin(t.Context(), link, identity.AccountRequest{Username: "Anna", Name: "Anna", Password: goodPassword}, home)
	if err != nil {
		t.Fatal(err)
	}
	return b.visit(t, in.Secret)
}

func (b *bench) visit(t *testing.T, secret string) identity.Visit {
	t.Helper()
	v, err := b.Authenticate(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (b *bench) person(t *testing.T, by ledger.Actor, username string) identity.Person {
	t.Helper()
	p, _, err := b.CreatePerson(t.Context(), by, identity.CreatePersonRequest{Username: username, Password: goodPassword})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantKind(t *testing.T, err error, kind fault.Kind, words string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(fault.Message(err), words) {
		t.Errorf("got %v (%s), want %s with %q", err, fault.KindOf(err), kind, words)
	}
}

func TestTheFirstStartMakesOneAdminAndNoMore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old, _ := b.FirstAdminLink(t.Context())
	link, err := b.FirstAdminLink(t.Context())
	if err != nil || link == "" || link == old {
		t.Fatalf("links %q and %q, %v", old, link, err)
	}
	req := identity.AccountRequest{Username: "anna", Name: "Anna", Password: goodPassword}
	_, err = b.CreateFirstAdmin(t.Context(), old, req, home)
	wantKind(t, err, fault.NotFound, "too old")
	_, err = b.CreateFirstAdmin(t.Context(), link, identity.AccountRequest{Username: "a b", Password: "short", TimeZone: "Nowhere/X"}, home)
	if fields := fault.Fields(err); len(fields) != 4 {
		t.Errorf("a bad form names the fields %v", fields)
	}
	in, err := b.CreateFirstAdmin(t.Context(), link, req, home)
	if err != nil {
		t.Fatal(err)
	}
	if v := b.visit(t, in.Secret); !v.Actor.Admin || v.Actor.Via != ledger.ViaLogin {
		t.Errorf("visit = %+v", v)
	}
	_, err = b.CreateFirstAdmin(t.Context(), link, req, home)
	wantKind(t, err, fault.NotFound, "used already")
	if again, err := b.FirstAdminLink(t.Context()); again != "" || err != nil {
		t.Errorf("a second first start: %q, %v", again, err)
	}
}

// Whoever starts two servers reads what either of them prints.
func TestTheFirstStartLinkOfEachServerWorksUntilOneIsFollowed(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	one, two := newServer(t, s, "one"), newServer(t, s, "two")
	link := func(b *bench) string {
		t.Helper()
		secret, err := b.FirstAdminLink(t.Context())
		if err != nil || secret == "" {
			t.Fatalf("link %q, %v", secret, err)
		}
		return secret
	}
	old, second := link(one), link(two)
	first := link(one) // it was started again
	_, err := two.PeekLink(t.Context(), identity.PurposeFirstAdmin, old)
	wantKind(t, err, fault.NotFound, "too old")
	for _, secret := range []string{first, second} { // whichever server a proxy picks
		for _, b := range []*bench{one, two} {
			if person, err := b.PeekLink(t.Context(), identity.PurposeFirstAdmin, secret); err != nil || person.ID != "" {
				t.Errorf("a link of the first start is for %q: %v", person.ID, err)
			}
		}
	}
	req := identity.AccountRequest{Username: "anna", Name: "Anna", Password: goodPassword}
	in, err := two.CreateFirstAdmin(t.Context(), first, req, home)
	if err != nil {
		t.Fatal(err)
	}
	if v := one.visit(t, in.Secret); !v.Actor.Admin {
		t.Errorf("visit = %+v", v)
	}
	_, err = one.PeekLink(t.Context(), identity.PurposeFirstAdmin, second)
	wantKind(t, err, fault.NotFound, "used already")
	if again, err := two.FirstAdminLink(t.Context()); again != "" || err != nil {
		t.Errorf("a second first start: %q, %v", again, err)
	}
}

func TestWhateverIsWrongSigningInSaysTheSame(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	gone := b.person(t, anna.Actor, "gone")
	yes := true
	if _, err := b.ChangePerson(t.Context(), anna.Actor, gone.ID, identity.ChangePersonRequest{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.CreatePerson(t.Context(), anna.Actor, identity.CreatePersonRequest{Username: "invited"}); err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for username, password := range map[string]string{
		"anna": "wrong password", "nobody": goodPassword, "gone": goodPassword, "invited": "", "local": "", "": "",
	} {
		_, err := b.SignIn(t.Context(), username, password, home)
		if err == nil {
			t.Errorf("%q gets in", username)
		}
		said[fault.Message(err)] = true
	}
	for range 6 {
		_, err := b.SignIn(t.Context(), "anna", "wrong password", home)
		said[fault.Message(err)] = true
	}
	if len(said) != 1 {
		t.Errorf("said %v", said)
	}
}

func TestWrongPasswordsCostTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	try := func(username, password, address string) error {
		_, err := b.SignIn(t.Context(), username, password, identity.From{Address: address})
		return err
	}
	many := func(err error) bool {
		_, ok := errors.AsType[identity.TooMany](err)
		return ok
	}
	var group sync.WaitGroup
	var refused, wrong atomic.Int64
	for range 20 {
		group.Go(func() {
			if err := try("anna", "wrong password", "192.0.2.9"); many(err) {
				refused.Add(1)
			} else if fault.Is(err, fault.Invalid) {
				wrong.Add(1)
			}
		})
	}
	group.Wait()
	if wrong.Load() != 5 || refused.Load() != 15 {
		t.Errorf("of 20 guesses at once %d were looked at, %d refused; want 5 and 15", wrong.Load(), refused.Load())
	}
	if err := try("anna", goodPassword, "192.0.2.9"); !many(err) {
		t.Errorf("the right password during the pause: %v", err)
	}
	if err := try("anna", goodPassword, "192.0.2.10"); err != nil {
		t.Errorf("from another address: %v", err)
	}
	b.advance(61 * time.Second)
	if err := try("anna", goodPassword, "192.0.2.9"); err != nil {
		t.Errorf("after the pause: %v", err)
	}
	for i := range 60 {
		if err := try(fmt.Sprint("user", i), "x", "192.0.2.11"); many(err) != (i >= 50) {
			t.Fatalf("guess %d over many accounts from one address: %v", i, err)
		}
	}
}

func TestALoginEndsByTimeAndBySigningOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	in, err := b.SignIn(t.Context(), " ANNA ", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	other, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil || other.Secret == in.Secret {
		t.Fatalf("%v", err)
	}
	for range 4 { // used every six days it lives, but never beyond thirty
		b.advance(6 * 24 * time.Hour)
		b.visit(t, in.Secret)
	}
	_, err = b.Authenticate(t.Context(), other.Secret)
	wantKind(t, err, fault.Unauthenticated, "Sign in first")
	b.advance(6*24*time.Hour - time.Minute)
	b.visit(t, in.Secret)
	b.advance(time.Minute)
	_, err = b.Authenticate(t.Context(), in.Secret)
	wantKind(t, err, fault.Unauthenticated, "")

	again, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	v := b.visit(t, again.Secret)
	if logins, err := b.Logins(t.Context(), v.Actor); err != nil || len(logins) != 1 {
		t.Errorf("logins = %v, %v", logins, err)
	}
	if err := b.SignOut(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	_, err = b.Authenticate(t.Context(), again.Secret)
	wantKind(t, err, fault.Unauthenticated, "")
	for _, bad := range []string{"", "x", again.Secret + "x", string(identity.HashOf(again.Secret))} {
		if _, err := b.Authenticate(t.Context(), bad); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestANewPasswordSignsEverybodyElseOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	here := b.admin(t)
	there, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	err = b.ChangePassword(t.Context(), here, "wrong password", "another good one", home)
	if fault.Fields(err)["old_password"] == "" {
		t.Errorf("a wrong old password: %v", err)
	}
	for _, weak := range []string{"short", "aaaaaaaaaaaa", "anna", strings.Repeat("x", 300), "\xff broken characters"} {
		if err := b.ChangePassword(t.Context(), here, goodPassword, weak, home); fault.Fields(err)["password"] == "" {
			t.Errorf("%.20q is taken: %v", weak, err)
		}
	}
	if err := b.ChangePassword(t.Context(), here, goodPassword, "another good one", home); err != nil {
		t.Fatal(err)
	}
	_, err = b.Authenticate(t.Context(), there.Secret)
	wantKind(t, err, fault.Unauthenticated, "")
	if logins, err := b.Logins(t.Context(), here.Actor); err != nil || len(logins) != 1 || logins[0].ID != here.Login {
		t.Errorf("left: %v, %v", logins, err)
	}
	if _, err := b.SignIn(t.Context(), "anna", goodPassword, home); err == nil {
		t.Error("the old password still works")
	}
}

func TestVerifyPasswordAsksWhoSitsAtTheBrowser(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	if err := b.VerifyPassword(t.Context(), anna.Actor, goodPassword, "a"); err != nil {
		t.Error(err)
	}
	if err := b.VerifyPassword(t.Context(), anna.Actor, "wrong password", "a"); fault.Fields(err)["password"] == "" {
		t.Errorf("a wrong password: %v", err)
	}
	for _, via := range []ledger.Via{ledger.ViaToken, ledger.ViaLocal, ledger.ViaAttempt, ledger.ViaSystem} {
		actor := anna.Actor
		actor.Via = via
		if err := b.VerifyPassword(t.Context(), actor, goodPassword, "a"); !fault.Is(err, fault.Denied) {
			t.Errorf("by %s: %v", via, err)
		}
	}
	for range 5 {
		_ = b.VerifyPassword(t.Context(), anna.Actor, "wrong password", "a")
	}
	if _, limited := errors.AsType[identity.TooMany](b.VerifyPassword(t.Context(), anna.Actor, goodPassword, "a")); !limited {
		t.Error("guessing here is not limited")
	}
}

func TestLinksWorkOnceForTheirPurposeAndTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	bo, welcome, err := b.CreatePerson(t.Context(), anna.Actor, identity.CreatePersonRequest{Username: "bo"})
	if err != nil || welcome == "" || !bo.Invited() {
		t.Fatalf("%+v, %q, %v", bo, welcome, err)
	}
	launch, err := b.Launch(t.Context(), bo.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.FollowLaunch(t.Context(), welcome, home)
	wantKind(t, err, fault.NotFound, "link")
	_, err = b.Welcome(t.Context(), launch, identity.AccountRequest{Name: "Bo", Password: goodPassword}, home)
	wantKind(t, err, fault.NotFound, "link")

	var in atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := b.FollowLaunch(t.Context(), launch, home); err == nil {
				in.Add(1)
			}
		})
	}
	group.Wait()
	if in.Load() != 1 {
		t.Errorf("a launch link let %d in", in.Load())
	}
	newer, err := b.Invite(t.Context(), anna.Actor, bo.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Welcome(t.Context(), welcome, identity.AccountRequest{Name: "Bo", Password: goodPassword}, home)
	wantKind(t, err, fault.NotFound, "too old")
	signed, err := b.Welcome(t.Context(), newer, identity.AccountRequest{Name: "Bo B", TimeZone: "Asia/Tokyo", Password: goodPassword}, home)
	if err != nil {
		t.Fatal(err)
	}
	if v := b.visit(t, signed.Secret); v.Person.Name != "Bo B" || v.Person.Location().String() != "Asia/Tokyo" || v.Person.Username != "bo" {
		t.Errorf("person = %+v", v.Person)
	}
	late, _ := b.Launch(t.Context(), bo.ID)
	b.advance(15 * time.Minute)
	_, err = b.FollowLaunch(t.Context(), late, home)
	wantKind(t, err, fault.NotFound, "too old")
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	yes, no := true, false
	for name, req := range map[string]identity.ChangePersonRequest{"admin": {Admin: &no}, "disabled": {Disabled: &yes}} {
		_, err := b.ChangePerson(t.Context(), anna.Actor, anna.Person.ID, req)
		if !fault.Is(err, fault.Unmet) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bo := b.person(t, anna.Actor, "bo")
	if _, err := b.ChangePerson(t.Context(), anna.Actor, bo.ID, identity.ChangePersonRequest{Admin: &yes, Reason: "agreed"}); err != nil {
		t.Fatal(err)
	}
	in, err := b.SignIn(t.Context(), "bo", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.ChangePerson(t.Context(), anna.Actor, bo.ID, identity.ChangePersonRequest{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Authenticate(t.Context(), in.Secret); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a blocked person is still signed in: %v", err)
	}
}

func TestNobodyRaisesThemselves(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	b.person(t, anna.Actor, "bo")
	in, err := b.SignIn(t.Context(), "bo", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	bo := b.visit(t, in.Secret)
	yes, name := true, "Bo the Great"
	for what, err := range map[string]error{
		"admin by changing oneself": second(b.ChangePerson(t.Context(), bo.Actor, bo.Person.ID, identity.ChangePersonRequest{Admin: &yes, Reason: "agreed"})),
		"another person's name":     second(b.ChangePerson(t.Context(), bo.Actor, anna.Person.ID, identity.ChangePersonRequest{Name: &name})),
		"a list of people":          second(b.People(t.Context(), bo.Actor)),
		"everybody's tokens":        second(b.Tokens(t.Context(), bo.Actor, true)),
		"somebody else's token":     third(b.CreateToken(t.Context(), bo.Actor, identity.CreateTokenRequest{Name: "x", Person: anna.Person.ID})),
		"a person":                  third(b.CreatePerson(t.Context(), bo.Actor, identity.CreatePersonRequest{Username: "cy"})),
		"a link for somebody":       second(b.Invite(t.Context(), bo.Actor, anna.Person.ID)),
	} {
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// A lead gives every role but admin, in their own project alone.
	if err := b.Grant(t.Context(), anna.Actor, identity.Membership{Project: "p1", Person: bo.Person.ID, Role: ledger.RoleLead}, "agreed"); err != nil {
		t.Fatal(err)
	}
	bo = b.visit(t, in.Secret)
	if err := b.Grant(t.Context(), bo.Actor, identity.Membership{Project: "p1", Person: bo.Person.ID, Role: ledger.RoleApprover}, "agreed"); err != nil {
		t.Error(err)
	}
	wantKind(t, b.Grant(t.Context(), bo.Actor, identity.Membership{Project: "p1", Person: bo.Person.ID, Role: ledger.RoleAdmin}, "agreed"), fault.Denied, "admin")
	wantKind(t, b.Grant(t.Context(), bo.Actor, identity.Membership{Project: "p2", Person: bo.Person.ID, Role: ledger.RoleLead}, "agreed"), fault.NotFound, "No such project")
	wantKind(t, b.SetRoles(t.Context(), bo.Actor, "p1", map[ledger.PersonID][]ledger.Role{bo.Person.ID: {ledger.RoleAdmin}}, "agreed"), fault.Denied, "admin")
	if cy, link, err := b.Join(t.Context(), bo.Actor, identity.CreatePersonRequest{Username: "cy", Project: "p1", Roles: []ledger.Role{ledger.RoleAnnotator}}); err != nil || link == "" || cy.Admin {
		t.Errorf("a lead invites: %+v, %v", cy, err)
	}
	if members, err := b.Members(t.Context(), bo.Actor, "p1"); err != nil || len(members) != 2 || len(members[0].Roles) != 2 {
		t.Errorf("members = %+v, %v", members, err)
	}
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

func TestATokenDoesNoMoreThanItsScopeAndItsPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	token, secret, err := b.CreateToken(t.Context(), anna.Actor, identity.CreateTokenRequest{Name: "CI", Scope: ledger.ScopeGate, ExpiresAt: anna.Person.CreatedAt.Add(time.Hour)})
	if err != nil || !strings.HasPrefix(secret, "adj_") || strings.Contains(string(token.Hash), secret) {
		t.Fatalf("%+v, %v", token, err)
	}
	v, err := b.AuthenticateToken(t.Context(), secret)
	if err != nil || v.Actor.Via != ledger.ViaToken || v.Actor.May("p1", ledger.ActionRead) || !v.Actor.May("p1", ledger.ActionGate) {
		t.Errorf("%+v, %v", v.Actor, err)
	}
	if all, err := b.Tokens(t.Context(), anna.Actor, false); err != nil || len(all) != 1 || all[0].UsedAt.IsZero() {
		t.Errorf("tokens = %+v, %v", all, err)
	}
	full, fullSecret, err := b.CreateToken(t.Context(), anna.Actor, identity.CreateTokenRequest{Name: "script"})
	if err != nil || full.Scope != ledger.ScopeFull {
		t.Fatal(err)
	}
	v, err = b.AuthenticateToken(t.Context(), fullSecret)
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"a token by a token":   third(b.CreateToken(t.Context(), v.Actor, identity.CreateTokenRequest{Name: "more"})),
		"revoking by a token":  b.RevokeToken(t.Context(), v.Actor, full.ID),
		"an invitation":        second(b.Invite(t.Context(), v.Actor, anna.Person.ID)),
		"a password by token":  b.ChangePassword(t.Context(), v, goodPassword, "another good one", home),
		"a login from a token": unauthenticatedIsDenied(second(b.Authenticate(t.Context(), fullSecret))),
	} {
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := b.RevokeToken(t.Context(), anna.Actor, full.ID); err != nil {
		t.Fatal(err)
	}
	_, err = b.AuthenticateToken(t.Context(), fullSecret)
	wantKind(t, err, fault.Unauthenticated, "revoked")
	b.advance(time.Hour)
	_, err = b.AuthenticateToken(t.Context(), secret)
	wantKind(t, err, fault.Unauthenticated, "expired")
}

func unauthenticatedIsDenied(err error) error {
	if fault.Is(err, fault.Unauthenticated) {
		return fault.New(fault.Denied, "")
	}
	return err
}

func TestTheCredentialOfThisMachineIsNewEachTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.OpenLocal()
	secret := b.OpenLocal()
	if _, err := b.AuthenticateToken(t.Context(), old); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("the old one: %v", err)
	}
	v, err := b.AuthenticateToken(t.Context(), secret)
	if err != nil || v.Actor.Via != ledger.ViaLocal || v.Person.Name != "Owner of this machine" || !v.Actor.Admin {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestNoSecretStandsInTheDatabaseOrTheHistory(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	_, secret, err := b.CreateToken(t.Context(), anna.Actor, identity.CreateTokenRequest{Name: "CI"})
	if err != nil {
		t.Fatal(err)
	}
	in, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	err = b.store.WalkHistory(t.Context(), func(r ledger.Record) error {
		for _, s := range []string{secret, in.Secret, goodPassword} {
			if strings.Contains(fmt.Sprintf("%+v %s", r, r.Payload), s) {
				t.Errorf("event %s holds a secret", r.Kind)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.View(t.Context(), func(tx *store.Tx) error {
		p, err := tx.PersonByUsername("anna")
		if !strings.HasPrefix(p.Password, "$argon2id$v=19$m=8,t=1,p=1$") {
			t.Errorf("password = %q", p.Password)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestHashingWaitsItsTurnAndGivesUpWithItsCaller(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.SignIn(ctx, "anna", goodPassword, home); err == nil {
		t.Error("signed in after the caller left")
	}
}

func BenchmarkSignInHashOWASP19MiB(b *testing.B) {
	s := storetest.New(b)
	service := identity.New(identity.Config{
		Update: store.In[identity.Tx](s), View: store.From[identity.Tx](s), Now: time.Now, NewID: func() string { return fmt.Sprint(time.Now().UnixNano()) },
	})
	if _, _, err := service.CreatePerson(b.Context(), ledger.System(), identity.CreatePersonRequest{Username: "anna", Password: goodPassword}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := service.SignIn(b.Context(), "anna", goodPassword, home); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuthenticateOneOf1000Logins(b *testing.B) {
	s := storetest.New(b)
	service := identity.New(identity.Config{
		Update: store.In[identity.Tx](s), View: store.From[identity.Tx](s), Now: time.Now, NewID: func() string { return fmt.Sprint(time.Now().UnixNano()) },
		Hashing: identity.Hashing{MemoryKiB: 8, Passes: 1, Threads: 1},
	})
	owner, err := service.Owner(b.Context(), "owner", "Owner")
	if err != nil {
		b.Fatal(err)
	}
	var secret string
	for range 1000 {
		link, err := service.Launch(b.Context(), owner.ID)
		if err != nil {
			b.Fatal(err)
		}
		in, err := service.FollowLaunch(b.Context(), link, home)
		if err != nil {
			b.Fatal(err)
		}
		secret = in.Secret
	}
	for b.Loop() {
		if _, err := service.Authenticate(b.Context(), secret); err != nil {
			b.Fatal(err)
		}
	}
}

func TestANameThatLooksLikeAnothersIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	for username, says := range map[string]string{
		"\u0430nna":  "Character 2 (n, U+006E) is Latin, the letters before it are Cyrillic",
		"an\u200bna": "Character 3 is zero width space (U+200B)",
		"\u202eanna": "Character 1 is right-to-left override (U+202E)",
	} {
		_, _, err := b.CreatePerson(t.Context(), anna.Actor, identity.CreatePersonRequest{Username: username, Password: goodPassword})
		if !strings.Contains(fault.Fields(err)["username"], says) {
			t.Errorf("%+q: %v, want %q", username, err, says)
		}
	}
	_, _, err := b.CreatePerson(t.Context(), anna.Actor, identity.CreatePersonRequest{Username: "ben", Name: "Ben\u2069", Password: goodPassword})
	if !strings.Contains(fault.Fields(err)["name"], "Character 4 is pop directional isolate (U+2069)") {
		t.Errorf("a name: %v", err)
	}
	if name := b.person(t, anna.Actor, "нина_2").Username; name != "нина_2" {
		t.Errorf("a name in one script became %q", name)
	}
}
