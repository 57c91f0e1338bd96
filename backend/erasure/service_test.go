package erasure_test

import (
	"context"
	"sync"
	"testing"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
)

// The second of them finds that it has become the last, whatever it read before.
func TestTwoAdminsWhoEraseEachOtherLeaveOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		people := []ledger.PersonID{"ana", "bo"}
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			for _, id := range people {
				if err := tx.CreatePerson(identity.Person{ID: id, Username: string(id), Name: string(id), Admin: true, Password: "x", CreatedAt: tx.Now(), ChangedAt: tx.Now()}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var planned sync.WaitGroup
		planned.Add(len(people))
		service := erasure.New(erasure.Config{View: store.From[erasure.Tx](s), Update: func(ctx context.Context, do func(erasure.Tx) error) error {
			planned.Done() // both have read who is an admin
			planned.Wait()
			return store.In[erasure.Tx](s)(ctx, do)
		}})
		var group sync.WaitGroup
		errs := make([]error, len(people))
		for i := range people {
			group.Go(func() {
				admin := ledger.Actor{Person: people[i], Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Admin: true}
				other := string(people[1-i])
				_, errs[i] = service.ErasePerson(t.Context(), admin, other, erasure.Request{Confirm: other, Reason: "both asked"})
			})
		}
		group.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("erasing each other: %v and %v", errs[0], errs[1])
		}
		for _, err := range errs {
			if err != nil && !fault.Is(err, fault.Conflict) {
				t.Errorf("the second: %v", err)
			}
		}
	})
}
