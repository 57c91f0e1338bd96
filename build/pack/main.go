// Command pack is what `make package` runs after the build: it packs the
// server and the desktop window for this system into archives, on Linux also a
// Debian package, and writes a file of checksums beside them.
//
// Archives are the same to the byte for the same binaries: no times, owners or
// file orders of the building machine go in.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

func main() {
	bin := flag.String("bin", "build/bin", "folder with the two programs, in which the packages are put")
	version := flag.String("version", "unknown", "version that the file names carry")
	quick := flag.Bool("quick", false, "compress less: for tests")
	flag.Parse()
	if err := pack(*bin, *quick, strings.TrimPrefix(*version, "v")); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// entry is one file of an archive.
type entry struct {
	name, from string
	mode       int64
}

func pack(bin string, quick bool, version string) error {
	system := runtime.GOOS + "-" + runtime.GOARCH
	papers := []entry{{"LICENSE", "LICENSE", 0o644}, {"README.md", "README.md", 0o644}, {"CHANGELOG.md", "CHANGELOG.md", 0o644}}
	server := append([]entry{{"adjudge", bin + "/adjudge", 0o755}, {"adjudge.service", "build/linux/adjudge.service", 0o644}}, papers...)
	window := append([]entry{{"adjudge-desktop", bin + "/adjudge-desktop", 0o755}, {"adjudge.desktop", "build/linux/adjudge.desktop", 0o644}, {"adjudge.png", "build/appicon.png", 0o644}}, papers...)

	var made []string
	for name, entries := range map[string][]entry{
		fmt.Sprintf("adjudge-%s-%s.tar.gz", version, system):         server,
		fmt.Sprintf("adjudge-desktop-%s-%s.tar.gz", version, system): window,
	} {
		if err := archive(filepath.Join(bin, name), entries); err != nil {
			return err
		}
		made = append(made, name)
	}
	if _, err := exec.LookPath("dpkg-deb"); err == nil {
		name, err := debian(bin, quick, version)
		if err != nil {
			return err
		}
		made = append(made, name)
	}
	if err := latest(bin, version); err != nil {
		return err
	}
	return checksums(bin, made)
}

// latest writes what servers that were started with --news read: the version,
// and from the newest part of the changelog the first sentence of each point.
func latest(bin, version string) error {
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(map[string]any{"version": "v" + version, "changes": newest(string(text))}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bin, "latest.json"), append(body, '\n'), 0o644)
}

func newest(changelog string) []string {
	changes := []string{}
	parts := strings.Split(changelog, "\n## ")
	if len(parts) < 2 {
		return changes
	}
	for _, line := range strings.Split(parts[1], "\n") {
		point, found := strings.CutPrefix(line, "- ")
		if !found {
			continue
		}
		point = strings.NewReplacer("**", "", "`", "").Replace(point)
		if first, _, more := strings.Cut(point, ". "); more {
			point = first + "."
		}
		changes = append(changes, point)
	}
	return changes
}

func archive(path string, entries []entry) error {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	files := tar.NewWriter(zip)
	for _, e := range entries {
		body, err := os.ReadFile(e.from)
		if err != nil {
			return err
		}
		if err := files.WriteHeader(&tar.Header{Name: "adjudge/" + e.name, Mode: e.mode, Size: int64(len(body)), Format: tar.FormatUSTAR}); err != nil {
			return err
		}
		if _, err := files.Write(body); err != nil {
			return err
		}
	}
	if err := errors.Join(files.Close(), zip.Close()); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// debian makes one package of both programs; the window's libraries are only
// recommended, because a server needs none of them.
func debian(bin string, quick bool, version string) (string, error) {
	root, err := os.MkdirTemp("", "adjudge-deb-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(root)
	if err := os.Chmod(root, 0o755); err != nil { // it becomes the root of the package
		return "", err
	}
	// A Debian version starts with a digit and knows no "-dirty".
	debVersion := strings.ReplaceAll(version, "-", "+")
	if debVersion == "" || debVersion[0] < '0' || debVersion[0] > '9' {
		debVersion = "0.0.0+" + debVersion
	}
	control := fmt.Sprintf(`Package: adjudge
Version: %s
Architecture: %s
Maintainer: The Adjudge authors <https://github.com/adjudge/adjudge>
Section: science
Priority: optional
Recommends: libwebkit2gtk-4.1-0, libgtk-3-0
Homepage: https://github.com/adjudge/adjudge
Description: label data, compare models, sign off what may ship
 Adjudge is where people judge machine learning. One program serves the
 browser and answers CI; adjudge-desktop opens the same in a window.
`, debVersion, runtime.GOARCH)
	for _, e := range []entry{
		{"usr/bin/adjudge", bin + "/adjudge", 0o755},
		{"usr/bin/adjudge-desktop", bin + "/adjudge-desktop", 0o755},
		{"usr/share/applications/adjudge.desktop", "build/linux/adjudge.desktop", 0o644},
		{"usr/share/icons/hicolor/512x512/apps/adjudge.png", "build/appicon.png", 0o644},
		{"usr/share/doc/adjudge/copyright", "LICENSE", 0o644},
		{"usr/share/doc/adjudge/changelog", "CHANGELOG.md", 0o644},
		// Neither enabled nor started: on most machines the package is for its window.
		{"usr/lib/systemd/system/adjudge.service", "build/linux/adjudge.service", 0o644},
		{"usr/lib/sysusers.d/adjudge.conf", "build/linux/adjudge.sysusers", 0o644},
	} {
		body, err := os.ReadFile(e.from)
		if err != nil {
			return "", err
		}
		if strings.HasSuffix(e.name, ".service") { // written for who unpacks the archive
			body = bytes.ReplaceAll(body, []byte("/usr/local/bin"), []byte("/usr/bin"))
		}
		if err := place(filepath.Join(root, e.name), body, os.FileMode(e.mode)); err != nil {
			return "", err
		}
	}
	if err := place(filepath.Join(root, "DEBIAN/control"), []byte(control), 0o644); err != nil {
		return "", err
	}
	name := fmt.Sprintf("adjudge_%s_%s.deb", debVersion, runtime.GOARCH)
	compress := "-Zxz"
	if quick {
		compress = "-Znone"
	}
	cmd := exec.Command("dpkg-deb", compress, "--root-owner-group", "--build", root, filepath.Join(bin, name))
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("dpkg-deb: %w: %s", err, out)
	}
	return name, nil
}

func place(path string, body []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, body, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

func checksums(bin string, names []string) error {
	slices.Sort(names)
	var lines strings.Builder
	for _, name := range names {
		body, err := os.ReadFile(filepath.Join(bin, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(body), name)
		fmt.Printf("  %s  %.1f MB\n", filepath.Join(bin, name), float64(len(body))/1e6)
	}
	return os.WriteFile(filepath.Join(bin, "SHA256SUMS"), []byte(lines.String()), 0o644)
}
