package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// need is a program or library that tests use and that no Go or npm module brings.
type need struct {
	debian string // the package that brings it
	there  func() bool
}

func needs() []need {
	return []need{
		{"chromium", anyProgram("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")},
		{"fonts-dejavu-core", font("DejaVuSans.ttf")}, // in which the tests' browsers draw, see app/testdata/fonts.conf
		{"xvfb", anyProgram("Xvfb")},
		{"xdotool", anyProgram("xdotool")},
		{"dbus-daemon", anyProgram("dbus-daemon")},
		{"dunst", anyProgram("dunst")},     // shows notifications
		{"strace", anyProgram("strace")},   // counts the flushes to disk
		{"openssl", anyProgram("openssl")}, // checks our signatures as others would
		{"git", anyProgram("git")},
		{"pkg-config", anyProgram("pkg-config")},
		{"gcc", anyProgram("gcc", "clang", "cc")},
		{"libwebkit2gtk-4.1-dev", pkgConfig("webkit2gtk-4.1")},
		{"libgtk-3-dev", pkgConfig("gtk+-3.0")},
		{"nginx-light", func() bool { return anyProgram("nginx", "/usr/sbin/nginx")() }},
		{"postgresql", func() bool { _, err := postgresBin(); return err == nil }},
	}
}

func anyProgram(names ...string) func() bool {
	return func() bool {
		for _, name := range names {
			if _, err := exec.LookPath(name); err == nil {
				return true
			}
		}
		return false
	}
}

// font looks where app/testdata/fonts.conf makes a browser look.
func font(file string) func() bool {
	return func() bool {
		folders := []string{"/usr/share/fonts", "/usr/local/share/fonts"}
		if home, err := os.UserHomeDir(); err == nil {
			folders = append(folders, filepath.Join(home, ".local/share/fonts"), filepath.Join(home, ".fonts"))
		}
		found := false
		for _, folder := range folders {
			_ = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error { // a folder that is not there holds none
				if found = err == nil && filepath.Base(path) == file; found {
					return fs.SkipAll
				}
				return nil
			})
			if found {
				break
			}
		}
		return found
	}
}

func pkgConfig(library string) func() bool {
	return func() bool { return exec.Command("pkg-config", "--exists", library).Run() == nil }
}

// install brings what is missing where that is ours to do (Debian or its
// children, as root). Anywhere else it says in one line what a person has to
// install.
func install(j *job) error {
	var missing []string
	for _, n := range needs() {
		if !n.there() {
			missing = append(missing, n.debian)
		}
	}
	if len(missing) > 0 {
		_, err := exec.LookPath("apt-get")
		if err != nil || os.Getuid() != 0 {
			return fmt.Errorf("the tests need programs that are not here; on Debian: sudo apt-get install --no-install-recommends %s (elsewhere, the packages of the same purpose)", strings.Join(missing, " "))
		}
		fmt.Printf("    installing %s\n", strings.Join(missing, " "))
		quiet := []string{"DEBIAN_FRONTEND=noninteractive"}
		apt := append([]string{"-q", "install", "-y", "--no-install-recommends"}, missing...)
		// The lists may be old or absent: they are fetched only if it fails without.
		if j.command(quiet, "apt-get", apt...) != nil {
			if err := j.command(quiet, "apt-get", "-q", "update"); err != nil {
				return err
			}
			if err := j.command(quiet, "apt-get", apt...); err != nil {
				return err
			}
		}
	}
	return nil
}

// modules runs `npm ci` unless node_modules already is what the lock says.
func modules(j *job) error {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return err
	}
	const stamp = "node_modules/.adjudge-lock"
	if have, err := os.ReadFile(stamp); err == nil && bytes.Equal(have, lock) {
		return nil
	}
	if err := j.command(nil, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"); err != nil {
		return err
	}
	return os.WriteFile(stamp, lock, 0o644)
}
