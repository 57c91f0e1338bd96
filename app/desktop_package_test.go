//go:build desktop

package app

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDesktopPackageInstallsAndStarts packs both programs as `make package`
// does, installs the Debian package below a folder by dpkg itself, starts the
// server and the window that it installed, and removes it.
func TestDesktopPackageInstallsAndStarts(t *testing.T) {
	for _, program := range []string{"dpkg", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	d := openDesk(t)
	bin := t.TempDir()
	if err := os.Link(d.program, filepath.Join(bin, "adjudge-desktop")); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(bin, "adjudge"), "github.com/adjudge/adjudge")
	server.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := server.CombinedOutput(); err != nil {
		t.Fatalf("build the server: %v\n%s", err, out)
	}
	pack := exec.Command("go", "run", "./build/pack", "-quick", "-version", "v1.2.3", "-bin", bin)
	pack.Dir = ".."
	if out, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("pack: %v\n%s", err, out)
	}
	sums := exec.Command("sha256sum", "--check", "SHA256SUMS")
	sums.Dir = bin
	if out, err := sums.CombinedOutput(); err != nil || strings.Count(string(out), ": OK") != 3 {
		t.Errorf("the checksums do not hold: %v\n%s", err, out)
	}

	root := t.TempDir()
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dpkg := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("dpkg", append([]string{"--root=" + root, "--force-not-root", "--force-bad-path", "--force-unsafe-io", "--log=" + filepath.Join(root, "dpkg.log")}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("dpkg %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	packages, err := filepath.Glob(filepath.Join(bin, "adjudge_1.2.3_*.deb"))
	if err != nil || len(packages) != 1 {
		t.Fatalf("the packages are %v (%v)", packages, err)
	}
	dpkg("--install", packages[0])
	if said := dpkg("--status", "adjudge"); !strings.Contains(said, "Status: install ok installed") || !strings.Contains(said, "Version: 1.2.3") {
		t.Errorf("dpkg says\n%s", said)
	}
	for _, file := range []string{"usr/share/applications/adjudge.desktop", "usr/share/icons/hicolor/512x512/apps/adjudge.png", "usr/share/doc/adjudge/copyright", "usr/lib/systemd/system/adjudge.service"} {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Error(err)
		}
	}
	unit, err := os.ReadFile(filepath.Join(root, "usr/lib/systemd/system/adjudge.service"))
	if err != nil || !strings.Contains(string(unit), "ExecStart=/usr/bin/adjudge ") {
		t.Errorf("the unit does not start what is installed (%v):\n%s", err, unit)
	}

	// The server that stands there answers.
	run := exec.Command(filepath.Join(root, "usr/bin/adjudge"), "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	address := ""
	for address == "" && lines.Scan() {
		if _, rest, found := strings.Cut(lines.Text(), " listens on "); found {
			address, _, _ = strings.Cut(rest, " ")
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	answer, err := http.Get(address + "/healthz")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the installed server answers %v (%v)", answer, err)
	}
	_ = run.Process.Signal(syscall.SIGTERM)
	if err := run.Wait(); err != nil {
		t.Errorf("the installed server ended with %v", err)
	}

	// So does the window, without a word, as a menu starts it.
	installed := *d
	installed.program = filepath.Join(root, "usr/bin/adjudge-desktop")
	window, process := installed.open(installed.data)
	if window == "" {
		t.Error("no window opens")
	}
	d.close(process)

	dpkg("--purge", "adjudge")
	if _, err := os.Stat(filepath.Join(root, "usr/bin/adjudge")); !os.IsNotExist(err) {
		t.Errorf("the removed package leaves its program (%v)", err)
	}
	if _, err := os.Stat(filepath.Join(d.data, "adjudge.db")); err != nil {
		t.Errorf("removing the package took the data along: %v", err)
	}
}
