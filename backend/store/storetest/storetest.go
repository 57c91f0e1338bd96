// Package storetest holds the suite that a store must pass on every database,
// and opens throw-away stores for the tests of other rooms.
package storetest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/pgtest"
)

// PostgresVariable names the environment variable with the address of a
// PostgreSQL server for tests; without it they run on SQLite alone.
const PostgresVariable = pgtest.Variable

// Each runs f as subtests "sqlite" and, where a server is given, "postgres",
// each with an empty store of its own.
func Each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, Open(t, SQLite(t)))
	})
	if os.Getenv(PostgresVariable) != "" {
		t.Run("postgres", func(t *testing.T) {
			t.Parallel()
			f(t, Open(t, Postgres(t)))
		})
	}
}

// New opens an empty SQLite store for one test.
func New(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, SQLite(t))
}

// Open opens the store at an address, rehearsing every update, with a clock that
// starts at a fixed moment and goes on by a millisecond each time it is read.
func Open(t testing.TB, address string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), address, store.Options{Rehearse: true, Now: Clock()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// SQLite returns the address of a database file that does not exist yet.
func SQLite(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "adjudge.db")
}

// Postgres returns the address of a schema of its own, dropped after the test. It
// skips the test where no PostgreSQL is meant to be tested.
func Postgres(t testing.TB) string { t.Helper(); return pgtest.Schema(t) }

// Clock returns a clock that starts on 2026-03-01 09:00 UTC and goes on by a
// millisecond at every reading. It is safe for concurrent use.
func Clock() func() time.Time {
	ticks := make(chan time.Time, 1)
	ticks <- time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		now := <-ticks
		ticks <- now.Add(time.Millisecond)
		return now
	}
}
