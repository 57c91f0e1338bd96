package app

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adjudge/adjudge/frontend/static"
)

// startServer starts the real program on a data directory and returns its
// address once it answered a request; cleaning up stops it in good order.
func startServer(tb testing.TB, data string) (address, token string, stop func()) {
	tb.Helper()
	return startServerWith(tb, data, nil)
}

// startServerWith is startServer with variables of the environment and flags.
func startServerWith(tb testing.TB, data string, env []string, flags ...string) (address, token string, stop func()) {
	tb.Helper()
	return startProgram(tb, binary(tb), data, env, flags...)
}

// startProgram is startServerWith of another program.
func startProgram(tb testing.TB, program, data string, env []string, flags ...string) (address, token string, stop func()) {
	tb.Helper()
	cmd := exec.Command(program, append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0"}, flags...)...)
	cmd.Env = append(os.Environ(), env...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			tb.Errorf("the server ended with %v:\n%s", err, log.String())
		}
	}
	// The program writes the file once it listens; there is nothing else to wait for.
	// Benchmarks measure how long that takes, so it is looked for more often than by waitUntil.
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(time.Millisecond) {
		raw, err := os.ReadFile(filepath.Join(data, "credential.json"))
		var found credentialFile
		if err == nil && json.Unmarshal(raw, &found) == nil {
			return found.Server, found.Token, stop
		}
	}
	stop()
	tb.Fatalf("the server did not start:\n%s", log.String())
	return "", "", nil
}

// fetch gets a page as a browser asks for it and returns the body and the bytes
// that travelled.
func fetch(tb testing.TB, client *http.Client, address string) (body string, travelled int) {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, address, nil)
	if err != nil {
		tb.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := client.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		tb.Fatalf("%s: %s, %v", address, response.Status, err)
	}
	if response.Header.Get("Content-Encoding") != "gzip" {
		return string(raw), len(raw)
	}
	plain, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text), len(raw)
}

var assetPath = regexp.MustCompile(`/static/[^"]+\.(?:js|css|svg)`)

// The budget of design.md: 60 KB compressed for the first page, with everything
// that it loads.
func TestTheFirstPageFitsIn60KB(t *testing.T) {
	t.Parallel()
	if !static.Has("app.css") {
		t.Skip("the bundle was not built; run `make generate`")
	}
	address, _, stop := startServer(t, t.TempDir())
	defer stop()
	page, total := fetch(t, http.DefaultClient, address+"/sign-in")
	seen := map[string]bool{}
	for _, path := range assetPath.FindAllString(page, -1) {
		if !seen[path] {
			seen[path] = true
			_, n := fetch(t, http.DefaultClient, address+path)
			total += n
		}
	}
	if len(seen) < 2 || !strings.Contains(page, "<form") {
		t.Fatalf("this is no page with its assets: %v", seen)
	}
	t.Logf("%d bytes over the wire", total)
	if total > 60<<10 {
		t.Errorf("the first page takes %d bytes, the budget is %d", total, 60<<10)
	}
}

// BenchmarkStartToFirstByteExistingData starts the server process on a data
// directory that exists and asks for the sign-in page; the budget is 300 ms.
func BenchmarkStartToFirstByteExistingData(b *testing.B) {
	data := b.TempDir()
	_, _, stop := startServer(b, data)
	stop()
	for b.Loop() {
		address, _, stop := startServer(b, data)
		fetch(b, http.DefaultClient, address+"/sign-in")
		b.StopTimer()
		stop()
		b.StartTimer()
	}
}
