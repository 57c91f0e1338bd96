package store

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

var holdNew = flag.Bool("update", false, "add new migrations to testdata/migrations.sha256")

// released holds a digest per migration, in the form of sha256sum.
const released = "testdata/migrations.sha256"

// A database remembers by number which migrations it has seen, so a change of
// one that somebody has applied reaches no database but new ones.
func TestAMigrationIsNeverChanged(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(released)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		digest, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		known[name] = digest
	}
	var added []string
	for name, digest := range migrationDigests(t) {
		switch known[name] {
		case digest:
		case "":
			added = append(added, digest+"  "+name+"\n")
		default:
			t.Errorf("%s has changed. Put it back as it was and write what you want to change into a new file, with a number of its own, in both folders.", name)
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("%s is gone. Databases that have applied it are still there: put it back.", name)
	}
	if len(added) == 0 {
		return
	}
	if !*holdNew {
		t.Fatalf("%d new migrations are not held yet. Once they are as you want them for good: go test ./backend/store -run Migration -update", len(added))
	}
	lines := append(slices.Collect(strings.Lines(string(raw))), added...)
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[sha256.Size*2:], b[sha256.Size*2:]) })
	if err := os.WriteFile(released, []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBothDatabasesHaveTheSameMigrations(t *testing.T) {
	t.Parallel()
	have := migrationDigests(t)
	numbers := map[string]string{}
	for name := range have {
		folder, file, _ := strings.Cut(name, "/")
		number, _, _ := strings.Cut(name, "_")
		if other := numbers[number]; other != "" {
			t.Errorf("%s and %s have the same number; the one that came later takes the next that is free.", other, name)
		}
		numbers[number] = name
		other := map[string]string{"sqlite": "postgres", "postgres": "sqlite"}[folder]
		if have[other+"/"+file] == "" {
			t.Errorf("%s has no counterpart in migrations/%s", name, other)
		}
	}
}

// migrationDigests maps "sqlite/0001_core.sql" to the digest of its content.
func migrationDigests(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(migrations, "migrations", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(migrations, path)
		found[strings.TrimPrefix(path, "migrations/")] = fmt.Sprintf("%x", sha256.Sum256(body))
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("%d migrations: %v", len(found), err)
	}
	return found
}
