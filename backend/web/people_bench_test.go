package web

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
)

// BenchmarkListsOf2000People draws the lists of a hospital's people: everybody,
// those of a project, who may do what, and a search among them.
func BenchmarkListsOf2000People(b *testing.B) {
	town := newTown(b)
	if err := town.store.Update(b.Context(), func(tx *store.Tx) error {
		for n := range 2000 {
			id := ledger.PersonID(fmt.Sprintf("person-%04d", n))
			if err := tx.CreatePerson(identity.Person{ID: id, Username: string(id), Name: fmt.Sprintf("Person Number %04d", n), Password: "x", CreatedAt: tx.Now(), ChangedAt: tx.Now()}); err != nil {
				return err
			}
			if err := tx.AddMembership(identity.Membership{Project: townProject, Person: id, Role: ledger.Roles()[n%len(ledger.Roles())]}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	s := New(town.deps())
	owner := signedIn(s, town.cookie(b, "owner"))
	for name, path := range map[string]string{
		"everybody": "/people", "search": "/people?q=number+17", "project": "/projects/p1/people", "review": "/projects/p1/people/review", "review of all": "/people/review",
	} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				if w := ask(s, GET, path, owner); w.Code != http.StatusOK {
					b.Fatalf("%s: %d", path, w.Code)
				}
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}
