// Package pgtest gives tests schemas on the PostgreSQL server that is named to
// them. It imports nothing of the house, so that the store's own tests use it as
// all others do, through storetest.
package pgtest

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"testing"
)

// Variable names the environment variable with the address of a PostgreSQL
// server for tests; without it they run on SQLite alone.
const Variable = "ADJUDGE_TEST_POSTGRES"

// Server returns the address of the server. It skips the test where none is
// meant to be tested.
func Server(t testing.TB) *url.URL {
	t.Helper()
	given := os.Getenv(Variable)
	if given == "" {
		t.Skip("no PostgreSQL is tested: " + Variable + " is not set")
	}
	address, err := url.Parse(given)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Schema returns the address of a schema of its own, dropped after the test. It
// skips the test where no PostgreSQL is meant to be tested.
func Schema(t testing.TB) string {
	t.Helper()
	address := Server(t)
	db, err := sql.Open("pgx", address.String()) // the store has brought the driver
	if err != nil {
		t.Fatal(err)
	}
	schema := fmt.Sprintf("test_%x", rand.Uint64())
	if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := db.ExecContext(context.Background(), "DROP SCHEMA "+schema+" CASCADE")
		if err != nil {
			t.Error(err)
		}
		_ = db.Close()
	})
	query := address.Query()
	query.Set("search_path", schema)
	address.RawQuery = query.Encode()
	return address.String()
}
