package runner

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnOutputThatIsLeftOutIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "output"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "output", "w\x1b[2K"), nil, 0o600); err != nil {
		t.Skip("this system takes no such name")
	}
	var log bytes.Buffer
	sent, err := sendOutputs(t.Context(), nil, slog.New(slog.NewTextHandler(&log, nil)), dir)
	if err != nil || len(sent) != 0 {
		t.Fatalf("%d files were sent: %v", len(sent), err)
	}
	if !strings.Contains(log.String(), `w\x1b[2K`) || strings.ContainsRune(log.String(), 0x1b) {
		t.Errorf("the log says %q", log.String())
	}
}
