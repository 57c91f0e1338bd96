package erasure_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/backend/work"
)

// Variables with which the test starts itself as the process that is killed.
const (
	killedAt   = "ADJUDGE_TEST_KILLED_DATABASE"
	killedStep = "ADJUDGE_TEST_KILLED_STEP"
)

// longHistory fills a store with a person whose words stand in 1,500 events of
// 12,000, and whom two others name.
func longHistory(t *testing.T, s *store.Store) {
	t.Helper()
	for first := 0; first < 12_000; first += 4000 {
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			for i := first; i < first+4000; i++ {
				who, payload := ledger.PersonID("ben"), map[string]string{"class": "c"}
				switch {
				case i%8 == 3:
					who, payload["reason"] = "xan", "because of my grandmother"
				case i == 100 || i == 11_000:
					payload["reason"] = "Xanthippe Quorwald asked"
				}
				if err := tx.Record(ledger.Entry{Actor: ledger.Actor{Person: who}, Kind: "annotation.submitted", Subject: ledger.Subject{Kind: "item", ID: "i"}, Payload: payload}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Update(t.Context(), func(tx *store.Tx) error {
		for id, name := range map[ledger.PersonID]string{"xan": "Xanthippe Quorwald", "boss": "Boss"} {
			if err := tx.CreatePerson(identity.Person{ID: id, Username: string(id), Name: name, Admin: id == "boss", Password: "x", CreatedAt: tx.Now(), ChangedAt: tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// claimed takes the order of an erasure from the store, whoever leased it.
func claimed(ctx context.Context, s *store.Store) (work.Row, error) {
	row, found, err := s.ClaimWork(ctx, time.Now().Add(time.Hour), time.Now())
	if err == nil && (!found || row.Kind != erasure.WorkErase) {
		err = fmt.Errorf("no order to erase: %+v", row)
	}
	return row, err
}

// TestMain runs the tests, or is the process that TestAnErasureThatIsKilledGoesOn
// kills after so many of its transactions.
func TestMain(m *testing.M) {
	if address := os.Getenv(killedAt); address != "" {
		fmt.Fprintln(os.Stderr, "it came to its end:", eraseUntilKilled(context.Background(), address))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func eraseUntilKilled(ctx context.Context, address string) error {
	s, err := store.Open(ctx, address, store.Options{})
	if err != nil {
		return err
	}
	var left int
	if _, err := fmt.Sscan(os.Getenv(killedStep), &left); err != nil {
		return err
	}
	service := erasure.New(erasure.Config{View: store.From[erasure.Tx](s), Update: func(ctx context.Context, do func(erasure.Tx) error) error {
		if left--; left < 0 {
			fmt.Println("kill me")
			select {}
		}
		return store.In[erasure.Tx](s)(ctx, do)
	}})
	row, err := claimed(ctx, s)
	if err != nil {
		return err
	}
	return service.Finish(ctx, row.Payload)
}

// Whenever the process that erases is killed, the chain verifies, and the next
// goes on where it was until nothing of the person is left.
func TestAnErasureThatIsKilledGoesOn(t *testing.T) {
	t.Parallel()
	databases := map[string]func(testing.TB) string{"sqlite": func(t testing.TB) string { return filepath.Join(t.TempDir(), "adjudge.db") }}
	if os.Getenv(storetest.PostgresVariable) != "" {
		databases["postgres"] = storetest.Postgres
	}
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := database(t)
			s, err := store.Open(t.Context(), address, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			longHistory(t, s)
			boss := ledger.Actor{Person: "boss", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Admin: true}
			if _, err := eraser(s).ErasePerson(t.Context(), boss, "xan", erasure.Request{Confirm: "xan", Reason: "she asked"}); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			var before erasure.Erasing
			for _, steps := range []int{1, 3, 4, 9} {
				killEraser(t, address, steps)
				if s, err = store.Open(t.Context(), address, store.Options{}); err != nil {
					t.Fatal(err)
				}
				if n, err := s.CheckHistory(t.Context()); err != nil || n < 12_001 { // and those of rows that the erasure wrote
					t.Errorf("killed after %d transactions, the chain has %d: %v", steps, n, err)
				}
				p, err := eraser(s).PlanPerson(t.Context(), boss, "erased-xan")
				if err != nil || !p.Done || p.Erasing == nil {
					t.Fatalf("the plan: %+v (%v)", p, err)
				}
				now := *p.Erasing
				if !now.Finished.IsZero() || now.Percent() == 100 || now.Payloads < before.Payloads || now.Own < before.Own {
					t.Errorf("killed after %d transactions it has come to %+v, before to %+v", steps, now, before)
				}
				if before = now; steps < 9 {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if before.Payloads == 0 || before.Own == 0 {
				t.Errorf("nothing was done before it was killed: %+v", before)
			}
			defer func() { _ = s.Close() }()
			// What is done is not read again: the next begins behind it.
			row, err := claimed(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if err := eraser(s).Finish(t.Context(), row.Payload); err != nil {
				t.Fatal(err)
			}
			p, err := eraser(s).PlanPerson(t.Context(), boss, "erased-xan")
			if err != nil || p.Erasing.Finished.IsZero() || p.Erasing.Payloads != 1502 || p.Erasing.Percent() != 100 {
				t.Errorf("in the end: %+v (%v)", p.Erasing, err)
			}
			causes, err := s.ErasedPayloads(t.Context())
			if err != nil || len(causes) != 1502 {
				t.Errorf("%d payloads are noted as erased (%v)", len(causes), err)
			}
			if n, err := s.CheckHistory(t.Context()); err != nil || n < 12_001 { // and those of rows that the erasure wrote
				t.Errorf("in the end the chain has %d: %v", n, err)
			}
			if err := s.WalkHistory(t.Context(), func(r ledger.Record) error {
				if strings.Contains(strings.ToLower(string(r.Payload)), "quorwald") || strings.Contains(string(r.Payload), "grandmother") {
					t.Errorf("event %d still says %s", r.Seq, r.Payload)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func eraser(s *store.Store) *erasure.Service {
	return erasure.New(erasure.Config{View: store.From[erasure.Tx](s), Update: store.In[erasure.Tx](s)})
}

// killEraser runs the process that erases and kills it when it has made so many
// transactions.
func killEraser(t *testing.T, address string, steps int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), killedAt+"="+address, fmt.Sprint(killedStep, "=", steps))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	reached := false
	for lines := bufio.NewScanner(out); !reached && lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		reached = strings.Contains(lines.Text(), "kill me")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if !reached {
		t.Fatalf("the process ended by itself:\n%s", said.String())
	}
}
