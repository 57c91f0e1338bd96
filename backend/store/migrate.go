package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/adjudge/adjudge/backend/fault"
)

//go:embed migrations
var migrations embed.FS

// migration is one numbered change of the schema.
type migration struct {
	number int64
	name   string
	up     string
}

// Upgrade says how far the upgrade of a database is.
type Upgrade struct {
	Done, Of int
	Name     string // of the migration that comes next; empty at the end
	Backup   string // the copy that was made before; empty for a new database
}

// dialectOf names the dialect for goose, whose table of versions we keep.
func dialectOf(d dialect) database.Dialect {
	if d.name() == "postgres" {
		return goose.DialectPostgres
	}
	return goose.DialectSQLite3
}

// readMigrations lists the migrations of a dialect, by number. Numbers are given
// by room, so a room's next may come after another's higher one.
func readMigrations(files fs.FS, d dialect) ([]migration, error) {
	folder := "migrations/" + d.name()
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, fmt.Errorf("open migrations: %w", err)
	}
	var found []migration
	for _, entry := range entries {
		body, err := fs.ReadFile(files, folder+"/"+entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		number, err := goose.NumericComponent(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		up, _, both := strings.Cut(string(body), "-- +goose Down")
		if !both || !strings.HasPrefix(up, "-- +goose Up\n") {
			return nil, fmt.Errorf("migration %s has no Up and Down", entry.Name())
		}
		found = append(found, migration{number, strings.TrimSuffix(entry.Name(), ".sql"), up})
	}
	slices.SortFunc(found, func(a, b migration) int { return int(a.number - b.number) })
	return found, nil
}

// versions is the table of the migrations that a database has seen.
func versions(d dialect) (database.Store, error) {
	return database.NewStore(dialectOf(d), "goose_db_version")
}

// applied lists the numbers of the migrations that a database has seen, in
// order; none where it is new.
func applied(ctx context.Context, d dialect, q database.DBTxConn) ([]int64, error) {
	found, err := hasTable(ctx, d, q, "goose_db_version")
	if err != nil || !found {
		return nil, err
	}
	table, err := versions(d)
	if err != nil {
		return nil, err
	}
	rows, err := table.ListMigrations(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read which migrations were applied: %w", err)
	}
	var numbers []int64
	for _, row := range rows {
		if row.IsApplied && row.Version > 0 {
			numbers = append(numbers, row.Version)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// Migrated reports whether the database had seen the migration of a number when it
// was opened. One that was opened to read only may be of a version before.
func (s *Store) Migrated(number int64) bool { return slices.Contains(s.migrated, number) }

// refuseNewer returns an error where a database has seen a migration that this program
// does not know: a newer version wrote it, and what it means now is unknown here.
func refuseNewer(all []migration, seen []int64) error {
	for _, number := range slices.Backward(seen) {
		if !slices.ContainsFunc(all, func(m migration) bool { return m.number == number }) {
			return fault.New(fault.Invalid, "A newer version of Adjudge wrote this database: it has the migration %d, and this version knows none after %d. "+
				"Start that version again, or go back to the backup that it made before it upgraded the database.", number, all[len(all)-1].number)
		}
	}
	return nil
}

// migrate brings the schema up to date: all that is missing in one transaction,
// so that a migration that fails leaves the database as the version before knows
// it. A database that holds something is copied first.
func (s *Store) migrate(ctx context.Context) error {
	files := fs.FS(migrations)
	if s.options.migrations != nil {
		files = s.options.migrations
	}
	all, err := readMigrations(files, s.dialect)
	if err != nil {
		return err
	}
	// Without this look, every start would write, and wait for others that do.
	seen, err := applied(ctx, s.dialect, s.reads)
	if err != nil {
		return err
	}
	s.migrated = seen
	if err := refuseNewer(all, seen); err != nil || len(seen) == len(all) || s.options.Frozen {
		return err
	}
	back, err := s.sortOnDisk(ctx)
	if err != nil {
		return err
	}
	defer back()
	tx, err := s.writes.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin the upgrade: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing where it was committed
	if lock := s.dialect.lock(); lock != "" {
		if _, err := tx.ExecContext(ctx, lock); err != nil {
			return fmt.Errorf("wait for other servers: %w", err)
		}
	}
	if seen, err = applied(ctx, s.dialect, tx); err != nil {
		return err
	}
	if err := s.upgrade(ctx, tx, all, seen); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	for _, m := range all {
		s.migrated = append(s.migrated, m.number)
	}
	return nil
}

// sortOnDisk has SQLite keep what it sorts in files until back is called: an index
// on a million items, written anew, would else be held in memory as a whole.
// Everyday queries sort little, in memory.
func (s *Store) sortOnDisk(ctx context.Context) (back func(), err error) {
	if s.dialect.name() != "sqlite" {
		return func() {}, nil
	}
	set := func(ctx context.Context, where string) error {
		_, err := s.writes.ExecContext(ctx, "PRAGMA temp_store = "+where) // the one connection of the writer
		return fault.Wrap(err, "say where to sort")
	}
	return func() { _ = set(context.WithoutCancel(ctx), "MEMORY") }, set(ctx, "FILE")
}

// upgrade applies the migrations that a database has not seen yet.
func (s *Store) upgrade(ctx context.Context, tx *sql.Tx, all []migration, seen []int64) error {
	missing := slices.DeleteFunc(slices.Clone(all), func(m migration) bool { return slices.Contains(seen, m.number) })
	report := Upgrade{Of: len(missing)}
	if len(seen) > 0 && len(missing) > 0 && s.options.Backups != "" {
		path, err := s.backup(ctx, seen[len(seen)-1])
		if err != nil {
			return fault.As(fault.Unavailable, err, "The database must be upgraded, but no backup of it can be made in %s. Free space there, then start again; nothing was changed", s.options.Backups)
		}
		report.Backup = path
	}
	tell := func(name string) {
		if report.Name = name; s.options.Upgrading != nil && len(seen) > 0 {
			s.options.Upgrading(report)
		}
	}
	for _, m := range missing {
		tell(m.name)
		if err := apply(ctx, s.dialect, tx, m); err != nil {
			if report.Backup != "" {
				_ = os.RemoveAll(report.Backup) // nothing was changed, so it would only be in the way
			}
			return fault.As(fault.Unavailable, err, "The database cannot be upgraded: migration %s failed. Nothing was changed, so the version before still works with it", m.name)
		}
		report.Done++
	}
	tell("")
	return nil
}

// apply carries out one migration and writes down that it was.
func apply(ctx context.Context, d dialect, tx *sql.Tx, m migration) error {
	table, err := versions(d)
	if err != nil {
		return err
	}
	found, err := hasTable(ctx, d, tx, "goose_db_version")
	if err == nil && !found {
		err = errors.Join(table.CreateVersionTable(ctx, tx), table.Insert(ctx, tx, database.InsertRequest{Version: 0}))
	}
	if err != nil {
		return fmt.Errorf("make the table of versions: %w", err)
	}
	if _, err := tx.ExecContext(ctx, m.up); err != nil {
		return err
	}
	return table.Insert(ctx, tx, database.InsertRequest{Version: m.number})
}

// backup copies the database as it is into the directory of backups and returns
// where. Nobody writes meanwhile, for the upgrade holds the lock.
func (s *Store) backup(ctx context.Context, version int64) (string, error) {
	if err := os.MkdirAll(s.options.Backups, 0o700); err != nil {
		return "", err
	}
	name := fmt.Sprintf("before-upgrade-%s-%04d", s.Now().Format("20060102-150405"), version)
	path := filepath.Join(s.options.Backups, name)
	if s.dialect.name() == "sqlite" {
		// A file that the version before opens as it is.
		path += ".db"
		db, err := sql.Open("sqlite", "file:"+escapePath(s.path)+"?_pragma=busy_timeout(10000)")
		if err != nil {
			return "", err
		}
		_, err = db.ExecContext(ctx, "VACUUM INTO $1", path)
		err = errors.Join(err, db.Close())
		if err == nil {
			err = syncFile(path)
		}
		if err != nil {
			_ = os.Remove(path)
		}
		return path, err
	}
	err := s.dumpInto(ctx, path)
	if err != nil {
		_ = os.RemoveAll(path)
	}
	return path, err
}

// syncFile waits until a file's bytes are on the disk and makes it its owner's.
func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(0o600), file.Sync(), file.Close())
}
