package store

import (
	"testing"

	"github.com/adjudge/adjudge/backend/store/pgtest"
)

// Every connection leaves compiling off, unless the address asks for it.
func TestPostgresCompilesNoQueriesUnasked(t *testing.T) {
	t.Parallel()
	address := pgtest.Server(t)
	asking := *address
	asking.RawQuery += "&options=-c%20jit%3Don"
	for at, want := range map[string]string{address.String(): "off", asking.String(): "on"} {
		s, err := dial(at, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var compiles string
		err = s.writes.QueryRowContext(t.Context(), "SHOW jit").Scan(&compiles)
		if err != nil || compiles != want {
			t.Errorf("%s compiles: %s (%v), want %s", at, compiles, err, want)
		}
		if err := s.closePools(); err != nil {
			t.Error(err)
		}
	}
}
