package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What only other systems' tools read cannot be built here; that they can read
// it is held by this.
func TestTheFilesOfOtherSystemsAreWellFormed(t *testing.T) {
	t.Parallel()
	values := regexp.MustCompile(`\{\{[^}]*\}\}`)
	read := func(path string) string {
		text, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Fatal(err)
		}
		return values.ReplaceAllString(string(text), "1.2.3")
	}
	for path, needs := range map[string][]string{
		"darwin/Info.plist":          {"CFBundleIdentifier", "CFBundleExecutable", "CFBundleIconFile", "LSMinimumSystemVersion", "NSAllowsLocalNetworking", "LSApplicationCategoryType"},
		"darwin/Info.dev.plist":      {"NSAllowsLocalNetworking"},
		"darwin/entitlements.plist":  {"com.apple.security.network.server", "com.apple.security.network.client"},
		"windows/wails.exe.manifest": {"asInvoker", "permonitorv2", "Microsoft.Windows.Common-Controls", "longPathAware"},
	} {
		text := read(path)
		for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
		for _, need := range needs {
			if !strings.Contains(text, need) {
				t.Errorf("%s has no %s", path, need)
			}
		}
	}
	if text := read("windows/info.json"); !json.Valid([]byte(text)) {
		t.Errorf("windows/info.json is no JSON:\n%s", text)
	}
	installer := read("windows/installer/project.nsi")
	if strings.Contains(installer, "RMDir /r") {
		t.Error("uninstalling on Windows deletes a whole folder: answers that wait in the window's storage are in one")
	}
	if strings.Count(installer, "\nSection") != strings.Count(installer, "\nSectionEnd")*2 {
		t.Error("a section of the installer has no end")
	}
	for _, file := range []string{"windows/icon.ico", "appicon.png"} {
		if info, err := os.Stat(filepath.Join("..", file)); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v (%v)", file, info, err)
		}
	}
}

func TestSystemdUnderstandsTheUnit(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	text, err := os.ReadFile("../linux/adjudge.service")
	if err != nil {
		t.Fatal(err)
	}
	// It looks whether the program is there.
	unit := filepath.Join(t.TempDir(), "adjudge.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/adjudge", "/bin/sh")), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", unit).CombinedOutput()
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if strings.Contains(line, "adjudge.service") { // it speaks of the machine's other units, too
			t.Errorf("systemd-analyze says: %s", line)
		}
	}
	if err != nil && strings.Contains(string(out), "adjudge.service") {
		t.Error(err)
	}
}

func TestWhatIsNewestIsTakenFromTheChangelog(t *testing.T) {
	t.Parallel()
	got := newest("# Changelog\n\n## [1.4.0]\n\n### Added\n\n- **Notifications.** Of work. And votes.\n- `adjudge x` is quicker\n\n## [1.3.0]\n\n- Old.\n")
	if want := []string{"Notifications.", "adjudge x is quicker"}; !slices.Equal(got, want) {
		t.Errorf("changes %q, want %q", got, want)
	}
}
