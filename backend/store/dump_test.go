package store

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store/pgtest"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/labeling"
)

func fileFor(t *testing.T) string { return filepath.Join(t.TempDir(), "adjudge.db") }

// onBoth runs f with a new address of each database.
func onBoth(t *testing.T, f func(t *testing.T, address string)) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, fileFor(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); f(t, pgtest.Schema(t)) })
}

func openFor(t *testing.T, address string, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// files is a copy in memory.
type files map[string]*bytes.Buffer

type buffer struct{ *bytes.Buffer }

func (buffer) Close() error { return nil }

func (f files) create(name string) (io.WriteCloser, error) {
	f[name] = new(bytes.Buffer)
	return buffer{f[name]}, nil
}

func (f files) open(name string) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(f[name].Bytes())), nil
}

// fillFor writes rows with every kind of value: text in every script, bytes,
// numbers, booleans, nothing.
func fillFor(t *testing.T, s *Store) {
	t.Helper()
	for _, name := range []string{"Zoë", "\u2028 \"quoted\" \\ \t <b>", "日本語 🙂", "plain"} {
		err := s.Update(t.Context(), func(tx *Tx) error {
			if _, err := tx.exec(`INSERT INTO person (id, username, name, time_zone, admin, disabled, password, created_at, changed_at, owner)
				VALUES ($1, $2, $3, 'UTC', TRUE, FALSE, '', 1, 2, FALSE)`, name, name, name); err != nil {
				return err
			}
			if err := tx.Enqueue(work.Order{Kind: "nothing", Key: name}); err != nil {
				return err
			}
			return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: "person.created", Payload: map[string]string{"name": name}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	at := time.UnixMicro(1_700_000_000_000_000).UTC()
	err := s.Update(t.Context(), func(tx *Tx) error {
		if err := tx.CreateProject(labeling.Project{ID: "p", Slug: "p", Name: "P", Overlap: 1, CreatedAt: at}); err != nil {
			return err
		}
		if err := tx.CreateDataset(labeling.Dataset{ID: "d", Project: "p", Name: "D", Purpose: labeling.PurposeTraining, CreatedAt: at}); err != nil {
			return err
		}
		if _, err := tx.CreateItem(labeling.Item{ID: "i", Project: "p", Dataset: "d", Key: "i", Content: ledger.DigestOf(nil), Status: labeling.StatusQueued, CreatedAt: at, Media: keptObject(at)}); err != nil {
			return err
		}
		if err := tx.SaveMediaCheck(labeling.MediaCheck{Dataset: "d", Of: 1, Done: 1, Faults: 1, By: "ana", StartedAt: at, FinishedAt: at, After: "i"}); err != nil {
			return err
		}
		if _, err := tx.exec(`INSERT INTO run (id, project, number, kind, name, recipe, snapshot, params, state, reason, primary_name, primary_value, created_at, started_at, ended_at, person)
			VALUES ('r', 'p', 1, '', '', '', '', '{}', '', '', 'x', 0.1, 0, 0, 0, '')`); err != nil {
			return err
		}
		for step, value := range []float64{1, -0.5, 1e300, 3.0000000000000004} {
			if _, err := tx.exec(`INSERT INTO run_point (run, name, split, step, value, at) VALUES ('r', 'loss', 'val', $1, $2, 0)`, step, value); err != nil {
				return err
			}
		}
		// The last number of the queue is higher than any row that is left.
		_, err := tx.exec(`DELETE FROM work WHERE key = 'plain'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// keptObject is an object that changed behind the server's back.
func keptObject(at time.Time) *labeling.Media {
	return &labeling.Media{URI: "media://pics/Zoë 🙂.png", Digest: ledger.DigestOf([]byte("png")), Bytes: 3, Type: "image/png",
		Fault: labeling.MediaFault{State: labeling.MediaChanged, Found: ledger.DigestOf([]byte("other")), At: at}}
}

func dumpFor(t *testing.T, s *Store) (Dump, files) {
	t.Helper()
	rows := files{}
	d, err := s.Dump(t.Context(), DumpOptions{Table: rows.create})
	if err != nil {
		t.Fatal(err)
	}
	return d, rows
}

func TestACopyMovesFromOneDatabaseToTheOtherAndBack(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		from := openFor(t, address, Options{})
		fillFor(t, from)
		first, rows := dumpFor(t, from)
		onBoth(t, func(t *testing.T, address string) {
			if err := Load(t.Context(), address, first, LoadOptions{Table: rows.open}); err != nil {
				t.Fatal(err)
			}
			to := openFor(t, address, Options{})
			if n, err := to.CheckHistory(t.Context()); err != nil || n != first.Events {
				t.Errorf("the history holds %d events: %v", n, err)
			}
			if err := to.View(t.Context(), func(tx *Tx) error {
				i, err := tx.Item("i")
				if want := *keptObject(i.CreatedAt); err != nil || i.Media == nil || *i.Media != want {
					t.Errorf("the item refers to %+v (%v), want %+v", i.Media, err, want)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
			again, _ := dumpFor(t, to)
			for i, table := range first.Tables {
				if again.Tables[i].Digest != table.Digest || again.Tables[i].Sequence != table.Sequence {
					t.Errorf("%s:\n%+v became\n%+v", table.Name, table, again.Tables[i])
				}
			}
			// New rows are counted on after the last that was ever given.
			err := to.Update(t.Context(), func(tx *Tx) error { return tx.Enqueue(work.Order{Kind: "nothing", Key: "next"}) })
			if err != nil {
				t.Fatal(err)
			}
			var id int64
			if err := to.View(t.Context(), func(tx *Tx) error {
				return tx.one([]any{&id}, `SELECT id FROM work WHERE key = 'next'`)
			}); err != nil || id != 5 {
				t.Errorf("the next row got the number %d: %v", id, err)
			}
			if err := Load(t.Context(), address, first, LoadOptions{Table: rows.open}); !fault.Is(err, fault.Conflict) {
				t.Errorf("a database with rows took a copy: %v", err)
			}
		})
	})
}

func TestACopyThatWasChangedIsNotLoaded(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		from := openFor(t, fileFor(t), Options{})
		fillFor(t, from)
		d, rows := dumpFor(t, from)
		changed := bytes.ReplaceAll(rows["person"].Bytes(), []byte("plain"), []byte("plane"))
		rows["person"] = bytes.NewBuffer(changed)
		if err := Load(t.Context(), address, d, LoadOptions{Table: rows.open}); !fault.Is(err, fault.Conflict) {
			t.Fatalf("it was loaded: %v", err)
		}
		s := openFor(t, address, Options{})
		if n, err := s.CheckHistory(t.Context()); n != 0 || err != nil {
			t.Errorf("%d events were kept: %v", n, err)
		}
	})
}

func TestACopyWhoseHistoryEndsElsewhereIsNotLoaded(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		from := openFor(t, fileFor(t), Options{})
		fillFor(t, from)
		d, rows := dumpFor(t, from)
		shorter, longer, other := d, d, d
		shorter.Events--
		longer.Events++
		other.Head = ledger.DigestOf([]byte("another history"))
		for _, d := range []Dump{shorter, longer, other} {
			err := Load(t.Context(), address, d, LoadOptions{Table: rows.open})
			if !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Message(err), "history ends with event") {
				t.Fatalf("it was loaded: %v", err)
			}
		}
		if err := Load(t.Context(), address, d, LoadOptions{Table: rows.open}); err != nil {
			t.Errorf("something was kept: %v", err)
		}
	})
}

// with returns the migrations of the program and one more.
func with(t *testing.T, body string) fs.FS {
	t.Helper()
	all := fstest.MapFS{}
	err := fs.WalkDir(migrations, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(migrations, path)
		all[path] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"sqlite", "postgres"} {
		all["migrations/"+folder+"/9001_first.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE later (id BIGINT PRIMARY KEY);\nDELETE FROM work;\n-- +goose Down\n")}
		all["migrations/"+folder+"/9002_second.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + body + "\n-- +goose Down\n")}
	}
	return all
}

func TestAMigrationThatFailsLeavesTheVersionBeforeWorking(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		s := openFor(t, address, Options{})
		fillFor(t, s)
		before, _ := dumpFor(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		bytesOf := func() string {
			if IsPostgres(address) {
				return ""
			}
			raw, err := os.ReadFile(address)
			if err != nil {
				t.Fatal(err)
			}
			return string(raw)
		}
		raw := bytesOf()
		backups := t.TempDir()
		_, err := Open(t.Context(), address, Options{Backups: backups, migrations: with(t, "DELETE FROM person; CREATE TABLE work (id BIGINT);")})
		if err == nil || !strings.Contains(fault.Message(err), "9002_second failed") {
			t.Fatalf("got %v", err)
		}
		if bytesOf() != raw {
			t.Error("the file has changed")
		}
		if left, _ := os.ReadDir(backups); len(left) > 0 {
			t.Errorf("a backup of what never changed was left: %v", left)
		}
		s = openFor(t, address, Options{})
		after, _ := dumpFor(t, s)
		if len(after.Tables) != len(before.Tables) {
			t.Fatalf("%d tables became %d", len(before.Tables), len(after.Tables))
		}
		for i, table := range after.Tables {
			if table.Digest != before.Tables[i].Digest {
				t.Errorf("%s has changed", table.Name)
			}
		}
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.Enqueue(work.Order{Kind: "nothing"}) }); err != nil {
			t.Errorf("the version before cannot write: %v", err)
		}
	})
}

func TestAnUpgradeMakesABackupFirstAndIsUnknownToTheVersionBefore(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		s := openFor(t, address, Options{})
		fillFor(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		var told []Upgrade
		s = openFor(t, address, Options{Backups: t.TempDir(), migrations: with(t, "DELETE FROM person;"), Upgrading: func(u Upgrade) { told = append(told, u) }})
		if len(told) != 3 || told[0].Name != "9001_first" || told[2].Done != 2 || told[2].Of != 2 {
			t.Errorf("told %+v", told)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, frozen := range []bool{false, true} {
			if _, err := Open(t.Context(), address, Options{Frozen: frozen}); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Message(err), "newer version") {
				t.Errorf("the version before opened it: %v", err)
			}
		}
		if IsPostgres(address) {
			if _, err := os.Stat(filepath.Join(told[0].Backup, "manifest.json")); err != nil {
				t.Error(err)
			}
			return
		}
		// The backup is a file that the version before opens as it is.
		old := openFor(t, told[0].Backup, Options{})
		d, _ := dumpFor(t, old)
		for _, table := range d.Tables {
			if table.Name == "person" && table.Rows != 4 {
				t.Errorf("the backup holds %d people", table.Rows)
			}
		}
	})
}

func TestAFrozenDatabaseIsReadBesideItsServer(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		s := openFor(t, address, Options{})
		fillFor(t, s)
		frozen := openFor(t, address, Options{Frozen: true})
		if n, err := frozen.CheckHistory(t.Context()); n != 5 || err != nil { // one is of rows that came without any
			t.Errorf("%d events: %v", n, err)
		}
		if err := frozen.Update(t.Context(), func(*Tx) error { return nil }); !fault.Is(err, fault.Internal) {
			t.Errorf("it can be written: %v", err)
		}
	})
	if _, err := Open(t.Context(), fileFor(t), Options{Frozen: true}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a database that does not exist: %v", err)
	}
}
