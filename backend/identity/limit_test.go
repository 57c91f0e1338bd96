package identity_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
)

func paused(err error) bool {
	_, ok := errors.AsType[identity.TooMany](err)
	return ok
}

func TestSixtyRightPasswordsAtOnceAreSixtySignIns(t *testing.T) {
	t.Parallel()
	s := newBench(t)
	s.admin(t)
	other := newServer(t, s.store, "two") // servers of one installation count together
	var group sync.WaitGroup
	for i := range 60 {
		server := []*bench{s, other}[i%2]
		group.Go(func() {
			if _, err := server.SignIn(t.Context(), "anna", goodPassword, home); err != nil {
				t.Errorf("sign-in %d: %v", i, err)
			}
		})
	}
	group.Wait()
	// None of them was counted: five wrong ones are looked at.
	for i := range 5 {
		if _, err := s.SignIn(t.Context(), "anna", "wrong password", home); !fault.Is(err, fault.Invalid) {
			t.Errorf("guess %d: %v", i, err)
		}
	}
}

// besiege lets strangers guess until all their tries for an account are used up.
func (b *bench) besiege(t *testing.T, username string) {
	t.Helper()
	for i := range 100 {
		if _, err := b.SignIn(t.Context(), username, "wrong password", identity.From{Address: fmt.Sprintf("198.51.100.%d", i)}); !fault.Is(err, fault.Invalid) {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	if _, err := b.SignIn(t.Context(), username, "wrong password", identity.From{Address: "203.0.113.1"}); !paused(err) {
		t.Fatalf("guessing from many addresses is not bounded: %v", err)
	}
}

func TestStrangersWhoGuessLockNobodyOutWhoIsKnown(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	in, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	anna := b.visit(t, in.Secret)
	b.besiege(t, "anna")
	// They go on for hours, a guess a minute.
	for range 90 {
		b.advance(time.Minute)
		if _, err := b.SignIn(t.Context(), "anna", "wrong password", identity.From{Address: "203.0.113.9"}); !fault.Is(err, fault.Invalid) && !paused(err) {
			t.Fatal(err)
		}
	}
	if err := b.VerifyPassword(t.Context(), anna.Actor, goodPassword, home.Address); err != nil {
		t.Errorf("who is signed in cannot prove it again: %v", err)
	}
	if err := b.Lock(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	if err := b.Unlock(t.Context(), in.Secret, goodPassword, home); err != nil {
		t.Errorf("the screen stays locked: %v", err)
	}
	if err := b.SignOut(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	known := identity.From{Address: "192.0.2.77", Agent: "test", Browser: in.Browser}
	again, err := b.SignIn(t.Context(), "anna", goodPassword, known)
	if err != nil {
		t.Fatalf("a browser in which she signed in before is locked out: %v", err)
	}
	if again.Browser != in.Browser {
		t.Error("the browser is known by another secret from now on")
	}
	// From the same address as the strangers, too.
	known.Address = "203.0.113.9"
	if _, err := b.SignIn(t.Context(), "anna", goodPassword, known); err != nil {
		t.Errorf("behind the address of the strangers: %v", err)
	}
}

func TestWhoIsKnownGuessesNoMoreThanAStranger(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	in, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	anna := b.visit(t, in.Secret)
	for i := range 6 {
		if err := b.VerifyPassword(t.Context(), anna.Actor, "wrong password", home.Address); paused(err) != (i == 5) {
			t.Errorf("signed in, guess %d: %v", i, err)
		}
		from := identity.From{Address: fmt.Sprintf("192.0.2.%d", i), Browser: in.Browser}
		if _, err := b.SignIn(t.Context(), "anna", "wrong password", from); paused(err) != (i == 5) {
			t.Errorf("in a known browser, guess %d: %v", i, err)
		}
	}
}

func TestABrowserIsKnownForThePeopleWhoSignedInThereAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	if _, _, err := b.CreatePerson(t.Context(), anna.Actor, identity.CreatePersonRequest{Username: "bo", Password: goodPassword}); err != nil {
		t.Fatal(err)
	}
	annas, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	b.besiege(t, "bo")
	shared := identity.From{Address: "192.0.2.5", Browser: annas.Browser}
	if _, err := b.SignIn(t.Context(), "bo", goodPassword, shared); !paused(err) {
		t.Errorf("a browser that knows Anna alone: %v", err)
	}
	// They share a computer: both are known there from now on, and what somebody
	// planted is not.
	b.advance(2 * time.Hour)
	shared.Browser = "planted." + annas.Browser
	bos, err := b.SignIn(t.Context(), "bo", goodPassword, shared)
	if err != nil {
		t.Fatal(err)
	}
	b.besiege(t, "bo")
	b.besiege(t, "anna")
	for _, who := range []string{"anna", "bo"} {
		if _, err := b.SignIn(t.Context(), who, goodPassword, identity.From{Address: "192.0.2.6", Browser: bos.Browser}); err != nil {
			t.Errorf("%s is not known: %v", who, err)
		}
		if _, err := b.SignIn(t.Context(), who, goodPassword, identity.From{Address: "192.0.2.6", Browser: "planted"}); !paused(err) {
			t.Errorf("%s is known by a secret that is not ours: %v", who, err)
		}
	}
	b.advance(identity.KnownLasts + time.Hour)
	b.besiege(t, "anna")
	if _, err := b.SignIn(t.Context(), "anna", goodPassword, identity.From{Address: "192.0.2.6", Browser: bos.Browser}); !paused(err) {
		t.Errorf("known for ever: %v", err)
	}
}

func TestAnIPv6NetworkCountsAsOneAddress(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	try := func(address string) error {
		_, err := b.SignIn(t.Context(), "anna", "wrong password", identity.From{Address: address})
		return err
	}
	for i := range 5 {
		if err := try(fmt.Sprintf("2001:db8:1:2::%x", i+1)); !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
	}
	if err := try("2001:db8:1:2:ffff::1"); !paused(err) {
		t.Errorf("another address of the same network: %v", err)
	}
	for _, elsewhere := range []string{"2001:db8:1:3::1", "192.0.2.200", "::ffff:192.0.2.201", "no address"} {
		if err := try(elsewhere); paused(err) {
			t.Errorf("%s counts together with it", elsewhere)
		}
	}
}

// Whoever had the password for a while may have made themselves known in as many
// browsers as they liked.
func TestAThousandKnownBrowsersGuessNoMoreThanAHundredTimes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	for n := range 22 {
		in, err := b.SignIn(t.Context(), "anna", goodPassword, home)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			from := identity.From{Address: fmt.Sprintf("203.0.%d.%d", n, i), Browser: in.Browser}
			if _, err := b.SignIn(t.Context(), "anna", "wrong password", from); paused(err) != (n >= 20) {
				t.Fatalf("guess %d in browser %d: %v", i, n, err)
			}
		}
	}
}

func TestAChangedPasswordForgetsEveryBrowserButItsOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.admin(t)
	mine, err := b.SignIn(t.Context(), "anna", goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	other, err := b.SignIn(t.Context(), "anna", goodPassword, identity.From{Address: "203.0.113.5"})
	if err != nil {
		t.Fatal(err)
	}
	const changed = "a new and long one"
	if err := b.ChangePassword(t.Context(), b.visit(t, mine.Secret), goodPassword, changed, identity.From{Address: home.Address, Browser: mine.Browser}); err != nil {
		t.Fatal(err)
	}
	b.besiege(t, "anna")
	if _, err := b.SignIn(t.Context(), "anna", changed, identity.From{Address: "192.0.2.6", Browser: mine.Browser}); err != nil {
		t.Errorf("the browser in which it was changed is forgotten: %v", err)
	}
	if _, err := b.SignIn(t.Context(), "anna", changed, identity.From{Address: "192.0.2.6", Browser: other.Browser}); !paused(err) {
		t.Errorf("a browser that the old password made known: %v", err)
	}
}
