package identity_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/store"
)

// beside is a second service on the bench's store. Just before its next
// transaction, and after everything that it read before, something else happens.
func (b *bench) beside(meanwhile func()) *identity.Service { return b.besideThe(1, meanwhile) }

// besideThe is beside for the transaction of a number.
func (b *bench) besideThe(n int, meanwhile func()) *identity.Service {
	update := store.In[identity.Tx](b.store)
	return identity.New(identity.Config{
		Update: func(ctx context.Context, fn func(identity.Tx) error) error {
			if n--; n == 0 {
				meanwhile()
			}
			return update(ctx, fn)
		},
		View: store.From[identity.Tx](b.store), Now: func() time.Time { return time.Unix(0, b.now.Load()) },
		NewID:   func() string { return "beside" },
		Hashing: identity.Hashing{MemoryKiB: 8, Passes: 1, Threads: 1},
	})
}

func TestAdminThatIsTakenAwayStaysAwayWhileTheirLinkIsFollowed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	bo := b.person(t, anna.Actor, "bo")
	yes, no := true, false
	if _, err := b.ChangePerson(t.Context(), anna.Actor, bo.ID, identity.ChangePersonRequest{Admin: &yes, Reason: "stands in"}); err != nil {
		t.Fatal(err)
	}
	link, err := b.Invite(t.Context(), anna.Actor, bo.ID)
	if err != nil {
		t.Fatal(err)
	}
	taken := b.beside(func() {
		if _, err := b.ChangePerson(t.Context(), anna.Actor, bo.ID, identity.ChangePersonRequest{Admin: &no, Reason: "no longer"}); err != nil {
			t.Error(err)
		}
	})
	in, err := taken.Welcome(t.Context(), link, identity.AccountRequest{Name: "Bo", Password: goodPassword}, home)
	if err != nil {
		t.Fatal(err)
	}
	if v := b.visit(t, in.Secret); v.Actor.Admin || v.Person.Name != "Bo" {
		t.Errorf("admin %v, name %q", v.Actor.Admin, v.Person.Name)
	}
}

func TestWhoIsBlockedMeanwhileDoesNotComeInByTheirLink(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	anna := b.admin(t)
	bo := b.person(t, anna.Actor, "bo")
	link, err := b.Invite(t.Context(), anna.Actor, bo.ID)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	blocked := b.beside(func() {
		if _, err := b.ChangePerson(t.Context(), anna.Actor, bo.ID, identity.ChangePersonRequest{Disabled: &yes}); err != nil {
			t.Error(err)
		}
	})
	if _, err := blocked.Welcome(t.Context(), link, identity.AccountRequest{Name: "Bo", Password: goodPassword}, home); err == nil {
		t.Error("they came in")
	}
	if p, _, err := b.Get(t.Context(), anna.Actor, bo.ID); err != nil || !p.Disabled {
		t.Errorf("%+v, %v", p, err)
	}
}

// What a person is was read inside the transaction that writes it, because only
// one function writes it.
func TestAPersonIsWrittenInOnePlace(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Name.Name == "change" {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if to, ok := call.Fun.(*ast.SelectorExpr); ok && to.Sel.Name == "UpdatePerson" {
						t.Errorf("%s: %s writes a person; let change do it, which reads them in the same transaction", file.Name(), fn.Name.Name)
					}
				}
				return true
			})
		}
	}
}

// Whoever knew the old password has nothing from it once it was changed, however
// far they were: neither a login, nor a password of their own, nor another way in.
func TestNothingThatAnOldPasswordProvedOutlivesItsChange(t *testing.T) {
	t.Parallel()
	const changed, thiefs, verifier = "a new and long one", "the thief's own one", "verifier"
	away := identity.From{Address: "203.0.113.7", Agent: "curl"}
	type scene struct {
		*bench
		mine  identity.Visit // the browser in which the password is changed
		there identity.SignedIn
		thief identity.Visit
		code  string
	}
	// What each returns is a login that it won, if any.
	for name, try := range map[string]func(s *scene, by *identity.Service) (string, error){
		"a sign-in": func(_ *scene, by *identity.Service) (string, error) {
			in, err := by.SignIn(t.Context(), "anna", goodPassword, away)
			return in.Secret, err
		},
		"another change": func(s *scene, by *identity.Service) (string, error) {
			return s.there.Secret, by.ChangePassword(t.Context(), s.thief, goodPassword, thiefs, away)
		},
		"a code for a window": func(s *scene, by *identity.Service) (string, error) {
			code, err := by.HandOver(t.Context(), s.thief, identity.Challenge(verifier), "")
			if err != nil {
				return "", err
			}
			got, err := by.Fetch(t.Context(), code, verifier, "", away)
			return got.In.Secret, err
		},
		"a code that waits": func(s *scene, by *identity.Service) (string, error) {
			got, err := by.Fetch(t.Context(), s.code, verifier, "", away)
			return got.In.Secret, err
		},
		"another way in": func(s *scene, by *identity.Service) (string, error) {
			return "", identity.LinkTo(t.Context(), by, s.thief, "https://id.example.org", "thief")
		},
		"a stand-in for a password": func(s *scene, by *identity.Service) (string, error) {
			return "", identity.ConfirmBy(t.Context(), by, s.thief, "https://id.example.org", "thief")
		},
	} {
		for n := 1; n <= 3; n++ {
			s := scene{bench: newBench(t)}
			s.mine = s.admin(t)
			var err error
			if s.there, err = s.SignIn(t.Context(), "anna", goodPassword, away); err != nil {
				t.Fatal(err)
			}
			s.thief = s.visit(t, s.there.Secret)
			if name == "a stand-in for a password" {
				if err := identity.LinkTo(t.Context(), s.Service, s.thief, "https://id.example.org", "thief"); err != nil {
					t.Fatal(err)
				}
			}
			if s.code, err = s.HandOver(t.Context(), s.thief, identity.Challenge(verifier), ""); err != nil {
				t.Fatal(err)
			}
			reached := false
			by := s.besideThe(n, func() {
				reached = true
				if err := s.ChangePassword(t.Context(), s.mine, goodPassword, changed, home); err != nil {
					t.Error(err)
				}
			})
			won, err := try(&s, by)
			if !reached {
				if n == 1 || err != nil {
					t.Errorf("%s takes %d transactions: %v", name, n-1, err)
				}
				break
			}
			if err == nil && won == "" {
				t.Errorf("%s goes through beside transaction %d", name, n)
			}
			if _, err := s.Present(t.Context(), won); err == nil {
				t.Errorf("%s gave a login that outlives the change, beside transaction %d", name, n)
			}
			if _, err := s.SignIn(t.Context(), "anna", thiefs, home); err == nil {
				t.Errorf("%s wrote over the new password, beside transaction %d", name, n)
			}
			if _, err := s.SignIn(t.Context(), "anna", changed, home); err != nil {
				t.Errorf("after %s beside transaction %d, Anna does not come in: %v", name, n, err)
			}
		}
	}
}

func TestALockedScreenIsNotOpenedByAPasswordThatIsGone(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 2; n++ {
		b := newBench(t)
		b.admin(t)
		in, err := b.SignIn(t.Context(), "anna", goodPassword, home)
		if err != nil {
			t.Fatal(err)
		}
		mine := b.visit(t, in.Secret)
		if err := b.Lock(t.Context(), mine); err != nil {
			t.Fatal(err)
		}
		by := b.besideThe(n, func() { // a change that she sent from here before she locked
			if err := b.ChangePassword(t.Context(), mine, goodPassword, "a new and long one", home); err != nil {
				t.Error(err)
			}
		})
		wantKind(t, by.Unlock(t.Context(), in.Secret, goodPassword, home), fault.Invalid, "not your password")
		if _, err := b.Present(t.Context(), in.Secret); err == nil {
			t.Errorf("the screen is open, beside transaction %d", n)
		}
	}
}

func TestOfTwoChangesOfAPasswordAtOnceOneSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	mine := b.admin(t)
	by := b.besideThe(2, func() {
		if err := b.ChangePassword(t.Context(), mine, goodPassword, "a new and long one", home); err != nil {
			t.Error(err)
		}
	})
	wantKind(t, by.ChangePassword(t.Context(), mine, goodPassword, "yet another good one", home), fault.Conflict, "changed meanwhile")
}
