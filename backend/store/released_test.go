package store

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/adjudge/adjudge/backend/fault"
)

// Each file of testdata/released is a database as some version left it. It is
// made anew with the schema it had, and then opened by this version.
func TestEveryReleasedSchemaMigrates(t *testing.T) {
	t.Parallel()
	released, err := filepath.Glob("testdata/released/*.txtar")
	if err != nil || len(released) == 0 {
		t.Fatalf("no released schema: %v", err)
	}
	for _, path := range released {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var d Dump
			content := map[string][]byte{}
			for _, f := range archive.Files {
				content[f.Name] = f.Data
			}
			if err := json.Unmarshal(content["manifest.json"], &d); err != nil {
				t.Fatal(err)
			}
			onBoth(t, func(t *testing.T, address string) {
				err := Load(t.Context(), address, d, LoadOptions{Table: func(name string) (io.ReadCloser, error) {
					return io.NopCloser(bytes.NewReader(content["tables/"+name+".jsonl"])), nil
				}})
				if err != nil {
					t.Fatal(err)
				}
				s := openFor(t, address, Options{Backups: t.TempDir()})
				if n, err := s.CheckHistory(t.Context()); err != nil || n <= d.Events {
					t.Errorf("%d events, and there were %d: %v", n, d.Events, err)
				}
				if hash, _, err := s.EventHash(t.Context(), d.Events); err != nil || hash != d.Head {
					t.Errorf("event %d is %s, and was %s: %v", d.Events, hash, d.Head, err)
				}
				// What it kept is sealed as it was found.
				if p, err := s.ProveRows(t.Context()); err != nil || p.Rows == 0 || p.Found != p.Rows || len(p.Wrong) > 0 {
					t.Errorf("rows are held against the history: %+v, %v", p, err)
				}
				all, err := readMigrations(migrations, s.dialect)
				if err != nil {
					t.Fatal(err)
				}
				now, _ := dumpFor(t, s)
				if len(now.Schema) != len(all) {
					t.Errorf("%d of %d migrations were applied", len(now.Schema), len(all))
				}
				// What a released version kept is found again by this one.
				if err := s.View(t.Context(), func(tx *Tx) error {
					projects, err := tx.Projects()
					if err != nil || len(projects) != 1 {
						t.Fatalf("projects: %v, %v", projects, err)
					}
					found, err := tx.snapshots("WHERE project = $1", string(projects[0].ID))
					if err != nil || len(found) != 2 || found[0].Items == 0 {
						t.Errorf("snapshots: %+v, %v", found, err)
					}
					return err
				}); fault.Message(err) != "" && err != nil {
					t.Error(err)
				}
			})
		})
	}
}
