package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/backend/store"
)

// Keys that cannot be read are no keys that there are not: an approval that one of
// them signed would be called forged.
func TestKeysThatCannotBeReadAreNotPassedOver(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	h, err := openHouse(t.Context(), settings{Data: data, Port: "0", Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = h.close()
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), filepath.Join(data, "adjudge.db"), store.Options{Frozen: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	empty, blocked := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(blocked, signer.PublicFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := readRing(t.Context(), s, empty, nil); err != nil {
		t.Errorf("a directory without a key: %v", err)
	}
	if _, err := readRing(t.Context(), s, blocked, nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a key that is no file: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := readRing(t.Context(), s, empty, nil); err == nil {
		t.Error("a database that does not answer was taken for one without keys")
	}
}
