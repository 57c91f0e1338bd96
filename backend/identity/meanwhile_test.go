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

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/store"
)

// beside is a second service on the bench's store. Just before its next
// transaction, and after everything that it read before, something else happens.
func (b *bench) beside(meanwhile func()) *identity.Service {
	update := store.In[identity.Tx](b.store)
	return identity.New(identity.Config{
		Update: func(ctx context.Context, fn func(identity.Tx) error) error {
			if now := meanwhile; now != nil {
				meanwhile = nil
				now()
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
