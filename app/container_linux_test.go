package app

import (
	"bufio"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// image is a container image, unpacked: its root, and how it is started.
type image struct {
	root       string
	User       string
	Env        []string
	Entrypoint []string
}

// buildImage builds build/linux/Dockerfile over a base, with buildah where it is
// installed; else it reads the file and does what that says.
func buildImage(t *testing.T, base, context string) image {
	t.Helper()
	i := image{root: filepath.Join(t.TempDir(), "root")}
	if err := os.Mkdir(i.root, 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if _, err := exec.LookPath("buildah"); err == nil {
		store := t.TempDir()
		buildah := func(args ...string) string {
			t.Helper()
			return run("buildah", append([]string{"--root", filepath.Join(store, "root"), "--runroot", filepath.Join(store, "run"), "--storage-driver", "vfs"}, args...)...)
		}
		scratch := filepath.Join(store, "Dockerfile")
		if err := os.WriteFile(scratch, []byte("FROM scratch\nCOPY . /\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		buildah("build", "--quiet", "--isolation", "chroot", "-t", "localhost/base", "-f", scratch, base)
		buildah("build", "--quiet", "--isolation", "chroot", "--build-arg", "BASE=localhost/base", "-t", "localhost/adjudge", "-f", "../build/linux/Dockerfile", context)
		var said struct{ OCIv1 struct{ Config image } }
		if err := json.Unmarshal([]byte(buildah("inspect", "--type", "image", "localhost/adjudge")), &said); err != nil {
			t.Fatal(err)
		}
		i.User, i.Env, i.Entrypoint = said.OCIv1.Config.User, said.OCIv1.Config.Env, said.OCIv1.Config.Entrypoint
		at := buildah("mount", buildah("from", "--pull-never", "localhost/adjudge"))
		run("cp", "-a", at+"/.", i.root)
		return i
	}
	t.Log("buildah is not installed: the Dockerfile is followed by hand")
	run("cp", "-a", base+"/.", i.root)
	file, err := os.ReadFile("../build/linux/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "COPY":
			owner := "0:0"
			args := strings.Fields(rest)
			if given, ok := strings.CutPrefix(args[0], "--chown="); ok {
				owner, args = given, args[1:]
			}
			run("cp", "-a", filepath.Join(context, args[0])+"/.", filepath.Join(i.root, args[1]))
			run("sh", "-c", `cd "$1" && find . -mindepth 1 -exec chown `+owner+` "$2/{}" \;`, "sh", filepath.Join(context, args[0]), filepath.Join(i.root, args[1]))
		case "USER":
			i.User = rest
		case "ENV":
			i.Env = append(i.Env, rest)
		case "ENTRYPOINT":
			if err := json.Unmarshal([]byte(rest), &i.Entrypoint); err != nil {
				t.Fatal(err)
			}
		case "", "#", "ARG", "FROM", "VOLUME", "EXPOSE":
		default:
			if !strings.HasPrefix(word, "#") {
				t.Fatalf("the Dockerfile says %s, which this test does not know how to follow", word)
			}
		}
	}
	return i
}

// files lists what is in an image beside what it may write, with owner, size and
// time of each.
func (i image) files(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(i.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, i.root)
		if name == "/data" || name == "/tmp" || name == "/proc" {
			return fs.SkipDir
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		owner := info.Sys().(*syscall.Stat_t).Uid
		all = append(all, strings.Join([]string{name, info.Mode().String(), strconv.Itoa(int(owner)), strconv.FormatInt(info.Size(), 10), info.ModTime().String()}, " "))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// furnish puts the program of the other tests into the context. `make server`
// builds one that needs no library; what this one needs, the base gets.
func furnish(t *testing.T, base, context string) {
	t.Helper()
	needs := map[string]string{binary(t): filepath.Join(context, "program/usr/local/bin/adjudge")}
	if out, err := exec.CommandContext(t.Context(), "ldd", binary(t)).Output(); err == nil {
		for _, library := range regexp.MustCompile(`(/\S+) \(0x`).FindAllStringSubmatch(string(out), -1) {
			needs[library[1]] = filepath.Join(base, library[1])
		}
	}
	for from, to := range needs {
		content, err := os.ReadFile(from)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, content, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
}

// A base like distroless: certificates and /tmp, and no shell. The image is run as
// its user in a root of its own, which is what a container is to a program.
func TestTheContainerImageServesWithoutRootAndWritesToItsVolumeAlone(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("entering another root takes root")
	}
	asked := make(chan struct{}, 10)
	outside := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"version":"v99.0.0"}`)
		asked <- struct{}{}
	}))
	defer outside.Close()
	base, context := t.TempDir(), t.TempDir()
	for _, dir := range []string{base + "/etc/ssl/certs", base + "/tmp", base + "/proc", base + "/dev", context + "/program/usr/local/bin", context + "/volume/data"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: outside.Certificate().Raw})
	if err := errors.Join(os.WriteFile(base+"/etc/ssl/certs/ca-certificates.crt", authority, 0o644), os.Chmod(base, 0o755), os.Chmod(base+"/tmp", 0o777|os.ModeSticky),
		os.Chmod(context+"/volume/data", 0o700)); err != nil {
		t.Fatal(err)
	}
	furnish(t, base, context)
	i := buildImage(t, base, context)
	if i.User != "65532:65532" || len(i.Entrypoint) < 2 {
		t.Fatalf("the image is started as %q by %q", i.User, i.Entrypoint)
	}

	// What every container has: /proc and a few devices.
	if err := syscall.Mount("proc", i.root+"/proc", "proc", 0, ""); err != nil {
		t.Skipf("/proc cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(i.root+"/proc", syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	for name, minor := range map[string]int{"null": 3, "urandom": 9} {
		if err := syscall.Mknod(filepath.Join(i.root, "dev", name), syscall.S_IFCHR|0o666, 1<<8|minor); err != nil {
			t.Skipf("no device can be made here: %v", err)
		}
		if err := os.Chmod(filepath.Join(i.root, "dev", name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	before := i.files(t)
	cmd := exec.Command(i.Entrypoint[0], append(i.Entrypoint[1:], "--listen", "127.0.0.1:0", "--news", outside.URL+"/latest.json")...)
	cmd.Dir, cmd.Env = "/", i.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // waited for below when all went well
	}()
	var address, first string
	for lines := bufio.NewScanner(out); first == "" && lines.Scan(); {
		if found := regexp.MustCompile(`listens on (http://\S+) \(data in /data\)`).FindStringSubmatch(lines.Text()); found != nil {
			address = found[1]
		}
		if found := regexp.MustCompile(`first-start\?token=(\S+)`).FindStringSubmatch(lines.Text()); found != nil {
			first = found[1]
		}
	}
	if address == "" || first == "" {
		t.Fatalf("the server did not start:\n%s", &said)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	answer := func(r *http.Request, err error) (int, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&http.Transport{}).RoundTrip(r)
		if err != nil {
			t.Fatalf("%v\n%s", err, &said)
		}
		defer func() { _ = response.Body.Close() }()
		text, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(text)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, text := answer(http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, nil)); status != 200 {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	// The first admin names a time zone, of which the base knows none.
	form := url.Values{"token": {first}, "username": {"anna"}, "name": {"Anna"}, "time_zone": {"Asia/Kathmandu"}, "password": {"a long enough password"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/first-start", strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if status, text := answer(r, err); status != http.StatusSeeOther {
		t.Errorf("the first admin cannot sign in: %d %s", status, text)
	}
	// An upload is read by a process of its own, which is the same program.
	var credential credentialFile
	raw, err := os.ReadFile(filepath.Join(i.root, "data", "credential.json"))
	if err := errors.Join(err, json.Unmarshal(raw, &credential)); err != nil {
		t.Fatal(err)
	}
	api := func(method, path, media, body string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, address+"/api/v1"+path, strings.NewReader(body))
		if err == nil {
			r.Header.Set("Authorization", "Bearer "+credential.Token)
			r.Header.Set("Content-Type", media)
		}
		status, text := answer(r, err)
		if status >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, status, text)
		}
		return text
	}
	api("POST", "/projects", "application/json", `{"name":"Ward"}`)
	var up struct{ ID string }
	if err := json.Unmarshal([]byte(api("POST", "/projects/ward/uploads?name=a.csv", "application/octet-stream", "text,label\none,a\n")), &up); err != nil {
		t.Fatal(err)
	}
	if text := api("GET", "/projects/ward/imports/"+up.ID+"/preview", "", ""); !strings.Contains(text, "one") {
		t.Errorf("the preview is %s", text)
	}
	select {
	case <-asked: // over TLS, whose authority the base holds
	case <-time.After(patience):
		t.Errorf("nobody asks outside:\n%s", &said)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, &said)
	}
	if after := i.files(t); !slices.Equal(before, after) {
		t.Errorf("the image has changed:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	entries, err := os.ReadDir(filepath.Join(i.root, "tmp"))
	if err != nil || len(entries) > 0 {
		t.Errorf("/tmp holds %v (%v)", entries, err)
	}
}
