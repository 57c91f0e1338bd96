package app

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/store"
)

func TestASQLiteFileBelongsToOneServerWhateverPathLeadsThere(t *testing.T) {
	t.Parallel()
	first := t.TempDir()
	h, err := openHouse(t.Context(), settings{Data: first, Port: "0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(first, "adjudge.db")
	elsewhere := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink(file, filepath.Join(elsewhere, "soft.db")))
	must(os.Link(file, filepath.Join(elsewhere, "hard.db")))
	must(os.Symlink(first, filepath.Join(elsewhere, "folder")))
	here, err := os.Getwd()
	must(err)
	relative, err := filepath.Rel(here, file)
	must(err)
	paths := map[string]string{
		"as it is": file, "by scheme": "sqlite:" + file, "symbolic link": filepath.Join(elsewhere, "soft.db"), "hard link": filepath.Join(elsewhere, "hard.db"),
		"link to the folder": filepath.Join(elsewhere, "folder", "adjudge.db"), "relative": relative, "roundabout": filepath.Join(first, "blobs") + "/../adjudge.db",
	}
	for name, path := range paths {
		second, err := openHouse(t.Context(), settings{Data: t.TempDir(), Database: path, Port: "0", Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			_ = second.close()
		}
		if !errors.Is(err, errOwned) || !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: a second server is let in (%v)", name, err)
		}
	}
	// Commands that look beside the server are as welcome as ever, and the server goes on.
	s, err := store.Open(t.Context(), file, store.Options{Frozen: true, Log: slog.New(slog.DiscardHandler)})
	must(err)
	if _, err := s.CheckHistory(t.Context()); err != nil {
		t.Errorf("doctor beside a server: %v", err)
	}
	must(s.Close())
	must(h.store.Update(t.Context(), func(*store.Tx) error { return nil }))
	must(h.close())
	h, err = openHouse(t.Context(), settings{Data: t.TempDir(), Database: paths["symbolic link"], Port: "0", Log: slog.New(slog.DiscardHandler)})
	must(err)
	must(h.close())
}
