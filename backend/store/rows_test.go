package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Whoever adds a table says how doctor proves its rows, or why it cannot and need not.
func TestEveryTableIsProvenOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		s := openFor(t, address, Options{})
		var names []string
		db := past(t, address)
		query := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'item_words_%'`
		if s.dialect.name() == "postgres" {
			query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
		}
		if err := eachRow(t.Context(), db, query, nil, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			names = append(names, name)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		infos := tablesOf(t, s)
		for _, name := range names {
			i := slices.IndexFunc(provenTables(), func(p proven) bool { return p.name == name })
			switch {
			case i < 0 && unproven[name] == "":
				t.Errorf("the table %s is neither proven nor says why not; see rows_tables.go", name)
				continue
			case i >= 0 && unproven[name] != "":
				t.Errorf("the table %s is proven and says why not", name)
			case i < 0:
				continue
			}
			p := provenTables()[i]
			info := infos[slices.IndexFunc(infos, func(t tableInfo) bool { return t.name == name })]
			for _, c := range info.names() {
				sealed, loose := slices.Contains(p.all(), c), p.loose[c] != ""
				if sealed == loose {
					t.Errorf("the column %s of %s is neither sealed nor says why not, or both; see rows_tables.go", c, name)
				}
			}
			for _, c := range p.all() {
				if !slices.Contains(info.names(), c) {
					t.Errorf("the table %s has no column %s", name, c)
				}
			}
		}
		for _, p := range provenTables() {
			if !slices.Contains(names, p.name) {
				t.Errorf("there is no table %s", p.name)
			}
		}
	})
}

// fillProven writes a row into every table that is proven, through the statements
// that the program has for it or others of their form.
func fillProven(t *testing.T, s *Store) {
	t.Helper()
	infos := tablesOf(t, s)
	if err := s.Update(t.Context(), func(tx *Tx) error {
		for _, info := range infos {
			if unproven[info.name] != "" {
				continue
			}
			var names, places []string
			var args []any
			for n, c := range info.columns {
				names, places = append(names, c.name), append(places, fmt.Sprintf("$%d", n+1))
				args = append(args, sample(c, n))
			}
			over := ""
			if s.dialect.name() == "postgres" && info.identity() != "" {
				over = "OVERRIDING SYSTEM VALUE "
			}
			if _, err := tx.exec(`INSERT INTO `+info.name+` (`+quoted(names)+`) `+over+`VALUES (`+strings.Join(places, ", ")+`)`, args...); err != nil {
				return fmt.Errorf("%s: %w", info.name, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// tablesOf describes the tables, on a connection that is nobody else's.
func tablesOf(t *testing.T, s *Store) (infos []tableInfo) {
	t.Helper()
	if err := s.View(t.Context(), func(tx *Tx) (err error) {
		infos, err = readTables(t.Context(), s.dialect, tx.session.conn)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return infos
}

// sample is a value for a column.
func sample(c columnInfo, n int) any {
	switch {
	case c.boolean:
		return true
	case c.kind == kindInt && (c.name == "admin" || c.name == "disabled" || c.name == "owner"):
		return 1
	case c.kind == kindInt:
		return n + 2
	case c.kind == kindFloat:
		return 0.25
	case c.kind == kindBytes:
		return []byte("bytes")
	}
	return "x" // the same everywhere, so that what refers to another row finds it
}

// changed is another value for a column.
func changed(d dialect, c columnInfo) string {
	switch {
	case c.boolean:
		return "NOT " + c.name
	case c.kind == kindInt:
		return c.name + " + 1"
	case c.kind == kindFloat:
		return c.name + " * 2"
	case c.kind == kindBytes && d.name() == "postgres":
		return `'\x00'::bytea`
	case c.kind == kindBytes:
		return "x'00'"
	}
	return c.name + " || '!'"
}

// For every column of every table a single change past the program: doctor names
// table and row, or the column says why it need not.
func TestEverySingleChangePastTheProgramIsNamed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		s := openFor(t, address, Options{})
		fillProven(t, s)
		prove := func(what string) Proof {
			t.Helper()
			p, err := s.ProveRows(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			return p
		}
		if p := prove("before"); len(p.Wrong) > 0 || p.Found > 0 || p.Rows != int64(len(provenTables())) {
			t.Fatalf("before: %+v", p)
		}
		infos := tablesOf(t, s)
		db := past(t, address)
		for _, table := range provenTables() {
			info := infos[slices.IndexFunc(infos, func(t tableInfo) bool { return t.name == table.name })]
			try := func(what, statement string, wants ...string) {
				t.Helper()
				inPast(t, db, s.dialect, statement, func() {
					p := prove(what)
					var got []string
					for _, w := range p.Wrong {
						if w.Table != table.name || w.Key == "" {
							t.Errorf("%s: %+v", what, w)
						}
						got = append(got, w.Why)
					}
					slices.Sort(got)
					slices.Sort(wants)
					if !slices.Equal(got, wants) {
						t.Errorf("%s: doctor says %q, want %q", what, got, wants)
					}
				})
			}
			for _, c := range info.columns {
				what := table.name + "." + c.name
				statement := `UPDATE ` + table.name + ` SET ` + c.name + ` = ` + changed(s.dialect, c)
				switch {
				case c.identity && s.dialect.name() == "postgres": // the database refuses
				case slices.Contains(table.key, c.name):
					try(what, statement, RowAdded, RowMissing)
				case table.loose[c.name] != "":
					try(what, statement)
				default:
					try(what, statement, RowChanged)
				}
			}
			try(table.name+", a row taken away", `DELETE FROM `+table.name, RowMissing)
		}
		if p := prove("after"); len(p.Wrong) > 0 {
			t.Errorf("after: %+v", p)
		}
	})
}

// past opens the database as somebody does who is not the program.
func past(t *testing.T, address string) *sql.DB {
	t.Helper()
	driver, at := "pgx", address
	if !IsPostgres(address) {
		driver, at = "sqlite", "file:"+address+"?_pragma=busy_timeout(30000)"
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// inPast carries a change out, calls look, and puts the rows back as they were.
func inPast(t *testing.T, db *sql.DB, d dialect, statement string, look func()) {
	t.Helper()
	name := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(statement, "UPDATE "), "DELETE FROM "))[0]
	ctx := context.Background()
	run := func(query string) {
		t.Helper()
		if _, err := db.ExecContext(ctx, query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if d.name() == "postgres" {
		run(`SET session_replication_role = replica`)
	}
	run(`CREATE TEMP TABLE kept AS SELECT * FROM ` + name)
	run(statement)
	look()
	run(`DELETE FROM ` + name)
	over := ""
	if d.name() == "postgres" {
		over = "OVERRIDING SYSTEM VALUE "
	}
	run(`INSERT INTO ` + name + ` ` + over + `SELECT * FROM kept`)
	run(`DROP TABLE kept`)
}

// What stood in a row that was erased cannot be guessed from what the history says
// of it: its salt goes, and the row still agrees with its last seal.
func TestTheSaltOfARowThatIsNoMoreIsForgotten(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		s := openFor(t, address, Options{})
		for _, statement := range []string{
			`INSERT INTO retention (kind, days, person, at) VALUES ('a', 1, 'p', 1)`, `INSERT INTO retention (kind, days, person, at) VALUES ('b', 1, 'p', 1)`,
			`UPDATE retention SET days = 2, person = 'q', at = 2 WHERE kind = 'a'`, `UPDATE retention SET days = 3 WHERE kind = 'a'`,
			`INSERT INTO retention (kind, days, person, at) VALUES ('c', 1, 'p', 1)`, `DELETE FROM retention WHERE kind = 'c'`,
		} {
			if err := s.Update(t.Context(), func(tx *Tx) error { _, err := tx.exec(statement); return err }); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Scrub(t.Context()); err != nil {
			t.Fatal(err)
		}
		salted := map[int64]bool{}
		if err := s.View(t.Context(), func(tx *Tx) error {
			return tx.eachSeal(func(seq int64, _ int, _ [markSize]byte, p sealedPart) error {
				salted[seq] = salted[seq] || p.salt != [ledger.SaltSize]byte{}
				return nil
			})
		}); err != nil {
			t.Fatal(err)
		}
		if want := map[int64]bool{1: false, 2: true, 3: true, 4: true, 5: false, 6: false}; !maps.Equal(salted, want) {
			t.Errorf("salted are %v, want %v", salted, want)
		}
		if p, err := s.ProveRows(t.Context()); err != nil || len(p.Wrong) > 0 {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := s.CheckHistory(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// through carries statements out as the program does, one transaction each.
func through(t *testing.T, s *Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := s.Update(t.Context(), func(tx *Tx) error { _, err := tx.exec(statement); return err }); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func wrongRows(t *testing.T, s *Store) (wrong []string) {
	t.Helper()
	p, err := s.ProveRows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range p.Wrong {
		wrong = append(wrong, w.Table+" "+w.Key+" "+w.Why)
	}
	return wrong
}

// Whoever reads a row, changes one value and writes all of it back must not vouch
// for what somebody else put into it meanwhile.
func TestWritingARowBackDoesNotVouchForWhatWasChangedInIt(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		s := openFor(t, address, Options{})
		ben := identity.Person{ID: "ben", Username: "ben", Name: "Ben", Password: "hash"}
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.CreatePerson(ben) }); err != nil {
			t.Fatal(err)
		}
		rename := func(name string) {
			t.Helper()
			if err := s.Update(t.Context(), func(tx *Tx) error {
				p, err := tx.Person("ben")
				if err != nil {
					return err
				}
				p.Name = name
				return tx.UpdatePerson(p)
			}); err != nil {
				t.Fatal(err)
			}
		}
		db := past(t, address)
		if _, err := db.ExecContext(t.Context(), `UPDATE person SET password = 'theirs'`); err != nil {
			t.Fatal(err)
		}
		rename("Benjamin")
		if got := wrongRows(t, s); !slices.Equal(got, []string{`person ["ben"] ` + RowChanged}) {
			t.Errorf("after the row was written back: %q", got)
		}
		// A row that was added stays one that no event wrote.
		if _, err := db.ExecContext(t.Context(), `INSERT INTO retention (kind, days, person, at) VALUES ('x', 1, 'p', 1)`); err != nil {
			t.Fatal(err)
		}
		through(t, s, `UPDATE retention SET days = 4 WHERE kind = 'x'`)
		if got := wrongRows(t, s); len(got) != 2 || got[1] != `retention ["x"] `+RowAdded {
			t.Errorf("after the row that was added was written back: %q", got)
		}
		// What the program writes anew is right again.
		if err := s.Update(t.Context(), func(tx *Tx) error {
			p, err := tx.Person("ben")
			p.Password = "new"
			return errors.Join(err, tx.UpdatePerson(p))
		}); err != nil {
			t.Fatal(err)
		}
		if got := wrongRows(t, s); len(got) != 1 {
			t.Errorf("after the password was set anew: %q", got)
		}
	})
}

// A state of before is not believed again: neither a row that the program deleted,
// nor what it replaced, nor one that is found at the next start.
func TestAnOldStateAndAFoundOneAreNotBelieved(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		s := openFor(t, address, Options{})
		through(t, s, `INSERT INTO retention (kind, days, person, at) VALUES ('a', 1, 'p', 1), ('b', 2, 'p', 1), ('c', 3, 'p', 1)`,
			`UPDATE retention SET days = 9 WHERE kind = 'b'`, `DELETE FROM retention WHERE kind = 'c'`)
		db := past(t, address)
		for _, statement := range []string{
			`UPDATE retention SET days = 2 WHERE kind = 'b'`, `INSERT INTO retention (kind, days, person, at) VALUES ('c', 3, 'p', 1), ('d', 4, 'p', 1)`,
			`INSERT INTO legal_hold (kind, subject, reason, person, at) VALUES ('a', 'b', 'c', 'd', 1)`, // a table that nobody ever wrote into
			`DELETE FROM meta WHERE key = 'rows.sealed'`, `INSERT INTO meta (key, value) VALUES ('rows.unsealed', '1')`,
		} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{`legal_hold ["a","b"] ` + RowAdded, `retention ["b"] ` + RowChanged, `retention ["c"] ` + RowBack, `retention ["d"] ` + RowAdded}
		if got := wrongRows(t, s); !slices.Equal(got, want) {
			t.Errorf("before the next start: %q", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openFor(t, address, Options{})
		if got := wrongRows(t, s); !slices.Equal(got, want) {
			t.Errorf("after the next start: %q", got)
		}
	})
}

// A statement that would write past the seals does not run: a new one is written so
// that it does not, or fails the first time somebody tries it.
func TestAStatementPastTheSealsIsRefused(t *testing.T) {
	t.Parallel()
	for _, statement := range []string{
		`WITH x AS (SELECT 1) INSERT INTO membership (project, person, role) SELECT 'p', 'q', 'r' FROM x`,
		`REPLACE INTO membership (project, person, role) VALUES ('p', 'q', 'r')`,
		`INSERT OR REPLACE INTO membership (project, person, role) VALUES ('p', 'q', 'r')`,
		`TRUNCATE membership`, `TRUNCATE TABLE membership`, `MERGE INTO membership USING x ON TRUE`,
		`UPDATE person SET (name, admin) = ('a', TRUE) WHERE id = 'x'`,
		`UPDATE person SET name = x.name FROM x WHERE id = x.id`,
		`UPDATE person SET id = 'other' WHERE id = 'x'`,
		`UPDATE item SET status = 'labeled' WHERE id = 'x'`, // and not the label, which is sealed with it
		`INSERT INTO retention (kind, days, person, at) VALUES ('a', 1, 'p', 1) ON CONFLICT (kind) DO UPDATE SET days = excluded.days`,
		`SELECT 1; DELETE FROM membership`,
	} {
		if sh, err := readShape(statement); err == nil {
			t.Errorf("%s: %+v", statement, sh)
		}
	}
	for statement, want := range map[string]string{
		`UPDATE person SET name = $2, admin = CASE WHEN $3 THEN (SELECT TRUE WHERE 1 = $3) ELSE $4 END WHERE id = $1 AND name <> $2`: ` WHERE id = $1 AND name <> $2`,
		"UPDATE person SET name = ', WHERE '\n\tWHERE username = $3 AND id = $1 RETURNING id":                                        ` WHERE username = $1 AND id = $2`,
		`UPDATE person SET disabled = TRUE`: ``,
	} {
		sh, err := readShape(statement)
		if err != nil || sh == nil || strings.TrimRight(sh.before, " ") != `SELECT `+quoted(sh.table.all())+` FROM "person"`+want {
			t.Errorf("%s: %+v, %v", statement, sh, err)
		}
	}
	for _, statement := range []string{`UPDATE person SET language = 'de' WHERE id = 'x'`, `UPDATE item SET model = 'x' WHERE seq = (SELECT 1)`, `SELECT * FROM person`, `INSERT INTO draft (item) VALUES ('x')`} {
		if sh, err := readShape(statement); sh != nil || err != nil {
			t.Errorf("%s: %+v, %v", statement, sh, err)
		}
	}
}

// A password hash that somebody wrote into the database lets nobody in, until the
// program writes another.
func TestAPasswordThatTheProgramDidNotWriteIsNone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		s := openFor(t, address, Options{})
		ben := identity.Person{ID: "ben", Username: "ben", Name: "Ben", Password: "hash"}
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.CreatePerson(ben) }); err != nil {
			t.Fatal(err)
		}
		walk := NewWalk(s)
		prove := func() error {
			return s.View(t.Context(), func(tx *Tx) error { return walk.ProvePassword(tx, "ben") })
		}
		if err := prove(); err != nil {
			t.Errorf("before: %v", err)
		}
		if _, err := past(t, address).ExecContext(t.Context(), `UPDATE person SET password = 'theirs', name = 'Bert'`); err != nil {
			t.Fatal(err)
		}
		if err := prove(); !fault.Is(err, fault.Conflict) {
			t.Errorf("after: %v", err)
		}
		ben.Password = "new"
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.UpdatePerson(ben) }); err != nil {
			t.Fatal(err)
		}
		if err := prove(); err != nil {
			t.Errorf("set anew: %v", err)
		}
	})
}
