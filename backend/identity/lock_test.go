package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// kinds returns the events of the history, the latest last.
func (b *bench) kinds(t *testing.T) string {
	t.Helper()
	var all []string
	err := b.store.WalkHistory(t.Context(), func(r ledger.Record) error { all = append(all, r.Kind); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestALockedLoginAnswersNothingUntilItsPersonOpensIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	in, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Lock(t.Context(), b.visit(t, in.Secret)); err != nil {
		t.Fatal(err)
	}
	_, err = b.Authenticate(t.Context(), in.Secret)
	wantKind(t, err, fault.Unauthenticated, "locked")
	if who, locked := identity.IsLocked(err); !locked || who.Name != "Anna" {
		t.Errorf("locked by %+v, %v", who, locked)
	}
	if _, err := b.Present(t.Context(), in.Secret); err == nil {
		t.Error("a socket of a locked login goes on")
	}
	wantKind(t, b.Unlock(t.Context(), in.Secret, "not the password", home), fault.Invalid, "not your password")
	if err := b.Unlock(t.Context(), in.Secret, goodPassword, home); err != nil {
		t.Fatal(err)
	}
	b.visit(t, in.Secret)
	wantKind(t, b.Unlock(t.Context(), in.Secret, goodPassword, home), fault.NotFound, "not locked")
	if err := b.Leave(t.Context(), in.Secret); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Authenticate(t.Context(), in.Secret); err == nil {
		t.Error("the login outlives its person's leaving")
	}
	if kinds := b.kinds(t); !strings.Contains(kinds, "login.locked login.refused login.unlocked login.ended") {
		t.Errorf("the history says %s", kinds)
	}
}

func TestALoginThatStandsIdleIsLocked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	chosen := identity.Preferences{LockAfter: 4}
	if err := b.ChangePreferences(t.Context(), anna.Actor, chosen); err != nil {
		t.Fatal(err)
	}
	in, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		b.advance(3 * time.Minute)
		b.visit(t, in.Secret) // somebody sits there
	}
	for range 5 {
		b.advance(time.Minute)
		if _, err := b.Present(t.Context(), in.Secret); err != nil {
			t.Fatal(err) // a socket asks: no sign of life, and no lock by itself
		}
	}
	_, err = b.Authenticate(t.Context(), in.Secret)
	if _, locked := identity.IsLocked(err); !locked {
		t.Errorf("after five idle minutes of four: %v", err)
	}
}

func TestAPersonMayLockSoonerThanTheInstallationAndNotLater(t *testing.T) {
	t.Parallel()
	s := identity.New(identity.Config{Now: time.Now, LockAfter: 10 * time.Minute})
	for demanded, want := range map[int]time.Duration{0: 5 * time.Minute, 2: 2 * time.Minute, 8: 5 * time.Minute} {
		if got := s.IdleLimit(identity.Person{Preferences: identity.Preferences{LockAfter: 5}, Demanded: demanded}); got != want {
			t.Errorf("five minutes by choice, %d demanded by a project: %v, want %v", demanded, got, want)
		}
	}
	for minutes, want := range map[int]time.Duration{0: 10 * time.Minute, 3: 3 * time.Minute, 60: 10 * time.Minute} {
		if got := s.IdleLimit(identity.Person{Preferences: identity.Preferences{LockAfter: minutes}}); got != want {
			t.Errorf("%d minutes: %v, want %v", minutes, got, want)
		}
	}
}

func TestAnOwnerWithoutAPasswordIsNotLockedOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	owner, err := b.Owner(t.Context(), "olga", "Olga")
	if err != nil {
		t.Fatal(err)
	}
	link, _ := b.Launch(t.Context(), owner.ID)
	in, err := b.FollowLaunch(t.Context(), link, home)
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, b.Lock(t.Context(), b.visit(t, in.Secret)), fault.Unmet, "Set a password")
}

func TestOtherBrowsersAreSignedOutAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	other, _ := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err := b.EndOtherLogins(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Authenticate(t.Context(), other.Secret); err == nil {
		t.Error("the other browser is still signed in")
	}
	if left, err := b.Logins(t.Context(), anna.Actor); err != nil || len(left) != 1 || left[0].ID != anna.Login {
		t.Errorf("left %+v, %v", left, err)
	}
}

// A project may want screens locked sooner; it holds for whoever may open it,
// by themselves or by a group, and for nobody else.
func TestAProjectDemandsThatIdleScreensLockSooner(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	rooms := labeling.New(labeling.Config{Update: store.In[labeling.Tx](b.store), View: store.From[labeling.Tx](b.store), Now: time.Now, NewID: func() string { return "ward" }})
	ward, err := rooms.CreateProject(t.Context(), anna.Actor, labeling.CreateProjectRequest{Name: "Ward"})
	if err != nil {
		t.Fatal(err)
	}
	secret := map[string]string{}
	for _, name := range []string{"member", "grouped", "stranger"} {
		p, _, err := b.CreatePerson(t.Context(), anna.Actor, identity.CreatePersonRequest{Username: name, Name: name, Password: goodPassword})
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case "member":
			err = b.Grant(t.Context(), anna.Actor, identity.Membership{Person: p.ID, Project: ward.ID, Role: ledger.RoleAnnotator}, "")
		case "grouped":
			var g identity.Group
			if g, err = b.CreateGroup(t.Context(), anna.Actor, "Night shift"); err == nil {
				err = errors.Join(b.JoinGroup(t.Context(), anna.Actor, string(g.ID), p.Username), b.GrantGroup(t.Context(), anna.Actor, string(g.ID), identity.GroupRole{Project: ward.ID, Role: ledger.RoleAnnotator}, "the rota"))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := rooms.DemandLock(t.Context(), anna.Actor, ward.ID, 4, ""); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"anna", "member", "grouped", "stranger"} {
		in, err := b.SignIn(t.Context(), name, goodPassword, home)
		if err != nil {
			t.Fatal(err)
		}
		secret[name] = in.Secret
		want := 4
		if name == "stranger" {
			want = 0
		}
		if got := b.visit(t, in.Secret).Person.Demanded; got != want {
			t.Errorf("%s is locked after %d idle minutes, want %d", name, got, want)
		}
	}
	b.advance(6 * time.Minute)
	for name, secret := range secret {
		_, err := b.Authenticate(t.Context(), secret)
		if _, locked := identity.IsLocked(err); locked != (name != "stranger") {
			t.Errorf("%s after six idle minutes of four: %v", name, err)
		}
	}
}

// Whoever changes the database puts a password of their own there: nothing takes
// it, nor takes somebody whose password was taken out for one who never had any.
func TestAPasswordThatTheHistoryDoesNotKnowOpensNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	changed := false
	b.config.Proved = func(_ identity.Tx, person ledger.PersonID) error {
		if changed && person == anna.Person.ID {
			return fault.New(fault.Conflict, "The password was changed past the program.")
		}
		return nil
	}
	b.Service = identity.New(b.config)
	in, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	open := b.visit(t, in.Secret)
	none := open
	none.Person.Password = ""
	locked, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Lock(t.Context(), b.visit(t, locked.Secret)); err != nil {
		t.Fatal(err)
	}
	changed = true
	for name, try := range map[string]func() error{
		"a sign-in":     func() error { _, err := b.SignIn(t.Context(), "anna", goodPassword, home); return err },
		"a lock":        func() error { return b.Unlock(t.Context(), locked.Secret, goodPassword, home) },
		"a signature":   func() error { _, err := b.Prove(t.Context(), open.Actor, goodPassword, ""); return err },
		"a change":      func() error { return b.ChangePassword(t.Context(), open, goodPassword, "another long one", home) },
		"a first one":   func() error { return b.ChangePassword(t.Context(), none, "", "another long one", home) },
		"a provider":    func() error { return b.MayLink(t.Context(), open, goodPassword, "") },
		"and with none": func() error { return b.MayLink(t.Context(), none, "", "") },
		"to leave it":   func() error { return b.Unlink(t.Context(), open, goodPassword, "") },
	} {
		t.Run(name, func(t *testing.T) { wantKind(t, try(), fault.Conflict, "past the program") })
	}
	if _, err := b.LockedPerson(t.Context(), locked.Secret); err != nil {
		t.Errorf("the screen is open: %v", err)
	}
}
