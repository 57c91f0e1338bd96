package identity_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
)

// events lists the history's records of a kind, oldest first.
func (b *bench) events(t *testing.T, kind string) (found []ledger.Record) {
	t.Helper()
	if err := b.store.WalkHistory(t.Context(), func(r ledger.Record) error {
		if r.Kind == kind {
			found = append(found, r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestRefusedSignInsAreInTheHistoryWithoutWhatWasTyped(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	for _, name := range []string{"anna", "hunter2-typed-as-a-name@example.org"} {
		if _, err := b.SignIn(t.Context(), name, "not the password", home); err == nil {
			t.Fatalf("%s signed in", name)
		}
	}
	if err := b.VerifyPassword(t.Context(), anna.Actor, "wrong again", home.Address); err == nil {
		t.Fatal("a wrong password confirms")
	}
	refused := b.events(t, "login.refused")
	if len(refused) != 3 {
		t.Fatalf("%d refusals in the history, want 3", len(refused))
	}
	for i, want := range []struct {
		actor   ledger.PersonID
		via     ledger.Via
		subject ledger.PersonID
	}{{"", ledger.ViaNobody, anna.Person.ID}, {"", ledger.ViaNobody, ""}, {anna.Person.ID, ledger.ViaLogin, anna.Person.ID}} {
		r := refused[i]
		if r.Actor != want.actor || r.Via != want.via || r.Subject.ID != string(want.subject) {
			t.Errorf("refusal %d is by %q (%s) about %q, want %+v", i, r.Actor, r.Via, r.Subject.ID, want)
		}
		if all := fmt.Sprintf("%+v %s", r, r.Payload); strings.Contains(all, "hunter2") || strings.Contains(all, "anna") || strings.Contains(all, "password") {
			t.Errorf("what was typed stands in the history: %s", all)
		}
	}
	if _, err := b.store.CheckHistory(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAPauseIsNotedOnceHoweverOftenItIsRunInto(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	wrong := func() error {
		_, err := b.SignIn(t.Context(), "anna", "not the password", home)
		return err
	}
	for range 20 {
		if wrong() == nil {
			t.Fatal("signed in")
		}
	}
	if refused, paused := b.events(t, "login.refused"), b.events(t, "login.paused"); len(refused) != 5 || len(paused) != 1 {
		t.Errorf("%d refusals and %d pauses in the history, want 5 and 1", len(refused), len(paused))
	}
	b.advance(2 * time.Minute)
	for range 5 {
		_ = wrong() // two pass, the rest run into the next pause
	}
	if paused := b.events(t, "login.paused"); len(paused) != 2 {
		t.Errorf("%d pauses after a second round, want 2", len(paused))
	}
}

func TestTwoServersAndARestartCountTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	other := identity.New(identity.Config{
		Update: store.In[identity.Tx](b.store), View: store.From[identity.Tx](b.store),
		Now:     func() time.Time { return time.Unix(0, b.now.Load()) },
		NewID:   func() string { return "other" },
		Hashing: identity.Hashing{MemoryKiB: 8, Passes: 1, Threads: 1},
	})
	for i := range 5 {
		server := b.Service
		if i%2 == 1 {
			server = other
		}
		if _, err := server.SignIn(t.Context(), "anna", "not the password", home); err == nil {
			t.Fatal("signed in")
		}
	}
	_, err := other.SignIn(t.Context(), "anna", goodPassword, home)
	if many, ok := errors.AsType[identity.TooMany](err); !ok || many.Wait <= 0 || many.Wait > time.Minute {
		t.Errorf("the sixth try, on the other server: %v", err)
	}
	if _, err := other.SignIn(t.Context(), "anna", goodPassword, identity.From{Address: "192.0.2.9"}); err != nil {
		t.Errorf("from another address: %v", err)
	}
}
