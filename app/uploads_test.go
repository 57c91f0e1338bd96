package app

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhatAnInterruptedUploadLeftIsNamedByDoctorAndRemovedByTheNextServer(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	_, _, stop := startServer(t, data)
	stop()
	half, fresh := filepath.Join(data, "blobs", "incoming", "put-123"), filepath.Join(data, "blobs", "incoming", "put-456")
	old := time.Now().Add(-2 * time.Hour)
	for path, grown := range map[string]time.Time{half: old, fresh: time.Now()} {
		if err := os.WriteFile(path, bytes.Repeat([]byte("half"), 500_000), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, grown, grown); err != nil {
			t.Fatal(err)
		}
	}
	doctor := func() string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), binary(t), "doctor", "--data", data).CombinedOutput()
		if err != nil { // it is no damage
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if said := doctor(); !strings.Contains(said, "uploads: 1 were interrupted and left 2.0 MB") || !strings.Contains(said, half+", 2.0 MB, since "+old.UTC().Format("2006-01-02 15:04")) || strings.Contains(said, fresh) {
		t.Errorf("doctor says\n%s", said)
	}
	_, _, stop = startServer(t, data)
	defer stop()
	waitUntil(t, "a server removes it", func() bool { _, err := os.Stat(half); return os.IsNotExist(err) })
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("what may still be on its way in was removed: %v", err)
	}
	if said := doctor(); strings.Contains(said, "uploads:") {
		t.Errorf("doctor still says\n%s", said)
	}
}
