package app

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
)

// The rows of a backup from before are taken into the history when it is opened,
// so that the history goes on behind the last event that was copied.
func TestWhatEveryReleasedSchemaHoldsIsRestoredAndMoved(t *testing.T) {
	t.Parallel()
	released, err := filepath.Glob("../backend/store/testdata/released/*.txtar")
	if err != nil || len(released) == 0 {
		t.Fatalf("no released schema: %v", err)
	}
	for _, path := range released {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			from, want := backupFor(t, path)
			data := filepath.Join(t.TempDir(), "data")
			database := filepath.Join(data, "adjudge.db")
			if _, err := restore(t.Context(), from, data, database, &progress{}); err != nil {
				t.Fatal(err)
			}
			soundFor(t, database, want)
			// The same from a database that was never opened since.
			old, moved := filepath.Join(t.TempDir(), "adjudge.db"), filepath.Join(t.TempDir(), "adjudge.db")
			if err := store.Load(t.Context(), old, want, store.LoadOptions{Table: func(name string) (io.ReadCloser, error) {
				return os.Open(filepath.Join(from, "tables", name+".jsonl"))
			}}); err != nil {
				t.Fatal(err)
			}
			cmd := &cobra.Command{}
			cmd.SetContext(t.Context())
			if _, err := move(cmd, &dataDir{path: t.TempDir()}, old, moved, &progress{}); err != nil {
				t.Fatal("moved:", err)
			}
			soundFor(t, moved, want)
		})
	}
}

// soundFor asks what doctor asks of a database whose history a copy began.
func soundFor(t *testing.T, database string, began store.Dump) {
	t.Helper()
	s, err := store.Open(t.Context(), database, store.Options{Frozen: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }() // it was only read
	if n, err := s.CheckHistory(t.Context()); err != nil || n <= began.Events {
		t.Errorf("%d events, and there were %d: %v", n, began.Events, err)
	}
	if hash, _, err := s.EventHash(t.Context(), began.Events); err != nil || hash != began.Head {
		t.Errorf("event %d is %s, and was %s: %v", began.Events, hash, began.Head, err)
	}
	if p, err := s.ProveRows(t.Context()); err != nil || p.Rows == 0 || len(p.Wrong) > 0 {
		t.Errorf("rows are held against the history: %+v, %v", p, err)
	}
}

// backupFor makes the backup of a released database; it names no files.
func backupFor(t *testing.T, path string) (dir string, d store.Dump) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	err = errors.Join(os.Mkdir(filepath.Join(dir, "tables"), 0o700), os.WriteFile(filepath.Join(dir, "blobs.txt"), nil, 0o600))
	for _, f := range archive.Files {
		if f.Name == "manifest.json" {
			err = errors.Join(err, json.Unmarshal(f.Data, &d))
			continue
		}
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data, 0o600))
	}
	m := manifest{Format: backupFormat, Version: "before", Database: d}
	m.Files.Digest = ledger.DigestOf(nil)
	raw, encoding := json.Marshal(m)
	if err = errors.Join(err, encoding, os.WriteFile(filepath.Join(dir, "manifest.json"), raw, 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir, d
}
