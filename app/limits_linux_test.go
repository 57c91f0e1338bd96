package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// What happens at the limits of a machine, shown on the real program.

// limited is a server process with an address, a token of its machine and a
// browser that is signed in as the first admin.
type limited struct {
	testing.TB
	cmd            *exec.Cmd
	data           string
	address, token string
	cookie         string
	log            *bytes.Buffer
}

// startLimited starts the demo's server on a data directory.
func startLimited(t testing.TB, data string, flags ...string) *limited {
	t.Helper()
	return startLimitedIn(t, nil, data, flags...)
}

// startLimitedIn is startLimited with variables of the environment.
func startLimitedIn(t testing.TB, env []string, data string, flags ...string) *limited {
	t.Helper()
	cmd := exec.Command(binary(t), append([]string{"demo", "--data", data, "--listen", "127.0.0.1:0"}, flags...)...)
	cmd.Env = append(os.Environ(), env...)
	l := &limited{TB: t, cmd: cmd, data: data, log: &bytes.Buffer{}}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = l.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	link := regexp.MustCompile(`http://\S+/launch\?token=\S+`)
	found := ""
	lines := bufio.NewScanner(out)
	for found == "" && lines.Scan() {
		found = link.FindString(lines.Text())
	}
	if found == "" {
		t.Fatalf("the server ended before it was ready:\n%s", l.log)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	raw, err := os.ReadFile(filepath.Join(data, "credential.json"))
	var credential credentialFile
	if err == nil {
		err = json.Unmarshal(raw, &credential)
	}
	if err != nil {
		t.Fatal(err)
	}
	l.address, l.token = credential.Server, credential.Token
	answer, err := (&http.Transport{}).RoundTrip(l.request("GET", strings.TrimPrefix(found, l.address), nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	for _, c := range answer.Cookies() {
		if !strings.HasSuffix(c.Name, "_known") { // that one says which browser it is, not who
			l.cookie = c.Name + "=" + c.Value
		}
	}
	if l.cookie == "" {
		t.Fatalf("the link signs nobody in: %s", answer.Status)
	}
	return l
}

func (l *limited) request(method, path string, body io.Reader) *http.Request {
	l.Helper()
	r, err := http.NewRequestWithContext(l.Context(), method, l.address+path, body)
	if err != nil {
		l.Fatal(err)
	}
	return r
}

// call sends a request with the machine's token.
func (l *limited) call(method, path, media string, body io.Reader) (int, string) {
	l.Helper()
	r := l.request(method, path, body)
	r.Header.Set("Authorization", "Bearer "+l.token)
	r.Header.Set("Accept", "application/json")
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		l.Fatalf("%s %s: %v\n%s", method, path, err, l.log)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		l.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// end stops the server by the signal that systemd sends, and returns how it ended.
func (l *limited) end() error {
	_ = l.cmd.Process.Signal(syscall.SIGTERM)
	return l.cmd.Wait()
}

// metric reads one number of /metrics.
func (l *limited) metric(name string) float64 {
	l.Helper()
	_, text := l.call("GET", "/metrics", "", nil)
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(text)
	if found == nil {
		l.Fatalf("there is no metric %s", name)
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		l.Fatal(err)
	}
	return value
}

// smallDisk mounts a disk of so many megabytes for a test.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		t.Skipf("no disk can be mounted here (%v); run as root", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDiskIsSaidAndNothingIsHalfWritten(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 64)
	data := filepath.Join(disk, "data")
	l := startLimited(t, data)
	upload := func(size int) (int, string) {
		return l.call("POST", "/api/v1/projects/"+demoProject+"/uploads?name=more.txt", "application/octet-stream", strings.NewReader(strings.Repeat("one more question\n", size/18)))
	}
	if code, said := upload(1 << 20); code != http.StatusCreated {
		t.Fatalf("with room an upload is answered %d %s", code, said)
	}
	// Ballast takes all but 300 kB.
	ballast := filepath.Join(disk, "ballast")
	file, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	size, chunk := int64(0), make([]byte, 64<<10)
	for err == nil {
		var n int
		n, err = file.Write(chunk)
		size += int64(n)
	}
	if err := file.Truncate(max(0, size-300<<10)); err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	code, said := upload(8 << 20)
	if code != http.StatusServiceUnavailable || !strings.Contains(said, "disk") {
		t.Errorf("on a full disk an upload is answered %d %s", code, said)
	}
	if left, err := os.ReadDir(filepath.Join(data, "blobs", "incoming")); err != nil || len(left) != 0 {
		t.Errorf("%d half files are left (%v)", len(left), err)
	}
	if code, said := l.call("GET", "/readyz", "", nil); code != http.StatusServiceUnavailable || !strings.Contains(said, "full") {
		t.Errorf("the server calls itself ready: %d %s", code, said)
	}
	// The database fills up: what is refused is not there, what is acknowledged is.
	acknowledged, refused := map[string]bool{}, 0
	for i := 0; refused < 3; i++ {
		if i > 2000 {
			t.Fatal("the disk never fills up")
		}
		name := fmt.Sprintf("p%d", i)
		code, said := l.call("POST", "/api/v1/projects", "application/json", strings.NewReader(fmt.Sprintf(`{"name":%q}`, name)))
		switch {
		case code == http.StatusCreated || code == http.StatusOK:
			acknowledged[name] = true
		case code == http.StatusServiceUnavailable && strings.Contains(said, "disk is full"):
			refused++
		default:
			t.Fatalf("a project is answered %d %s", code, said)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if code, said := upload(8 << 20); code != http.StatusCreated {
		t.Errorf("with room again an upload is answered %d %s", code, said)
	}
	if code, said := l.call("POST", "/api/v1/projects", "application/json", strings.NewReader(`{"name":"after"}`)); code >= 300 {
		t.Errorf("with room again a project is answered %d %s", code, said)
	}
	acknowledged["after"] = true
	if err := l.end(); err != nil {
		t.Errorf("the server ended with %v\n%s", err, l.log)
	}

	out, err := exec.Command(binary(t), "doctor", "--data", data).CombinedOutput()
	if err != nil {
		t.Errorf("doctor finds: %v\n%s", err, out)
	}
	l = startLimited(t, data)
	_, list := l.call("GET", "/api/v1/projects?limit=500", "", nil)
	var projects struct{ Items []struct{ Name string } }
	if err := json.Unmarshal([]byte(list), &projects); err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, p := range projects.Items {
		have[p.Name] = true
		if strings.HasPrefix(p.Name, "p") && !acknowledged[p.Name] {
			t.Errorf("project %s was refused and is there", p.Name)
		}
	}
	for name := range acknowledged {
		if !have[name] {
			t.Errorf("project %s was acknowledged and is lost", name)
		}
	}
}

// A client that sends a byte of its header now and then is hung up on, while
// others are served.
func TestAClientThatDripsItsHeaderIsHungUpOn(t *testing.T) {
	t.Parallel()
	l := startLimited(t, jobDir(t))
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(l.address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	begin, ended := time.Now(), make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nX-Slow: ")
		_, _ = io.Copy(io.Discard, conn) // until the server hangs up
	}()
	for open := true; open; {
		select {
		case <-ended:
			open = false
		case <-time.After(200 * time.Millisecond):
			_, _ = io.WriteString(conn, "x")
		}
		if time.Since(begin) > patience {
			t.Fatal("the server waits for ever")
		}
	}
	if code, _ := l.call("GET", "/healthz", "", nil); code != http.StatusOK {
		t.Errorf("others are answered %d", code)
	}
}

// 2,000 pages that stand open cost memory and goroutines, and no more than is
// said here.
func TestTwoThousandIdleSockets(t *testing.T) {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < 4096 {
		t.Skipf("%d open files are too few (%v)", files.Cur, err)
	}
	const sockets = 2000
	l := startLimited(t, jobDir(t))
	rss := func() float64 { return l.metric("process_resident_memory_bytes") / (1 << 20) }
	before, routines := rss(), l.metric("go_goroutines")
	var open []*websocket.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	at := "ws" + strings.TrimPrefix(l.address, "http") + "/projects/" + demoProject + "/live?page=items"
	for range sockets {
		c, answer, err := websocket.DefaultDialer.DialContext(t.Context(), at, http.Header{"Cookie": {l.cookie}, "Origin": {l.address}})
		if err != nil {
			t.Fatalf("socket %d: %v %v", len(open), err, answer)
		}
		_ = answer.Body.Close()
		open = append(open, c)
	}
	// Each hears of the others before it idles; then all is said.
	for _, c := range open {
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadMessage(); err != nil {
			t.Fatal(err)
		}
	}
	after, more := rss(), l.metric("go_goroutines")-routines
	t.Logf("%d idle sockets: %.0f MB resident over %.0f MB before, %.0f goroutines more, %.1f kB each", sockets, after-before, before, more, (after-before)*1024/sockets)
	if more > 3*sockets+100 {
		t.Errorf("%.0f goroutines for %d sockets", more, sockets)
	}
	if after-before > 200 {
		t.Errorf("%.0f MB for %d sockets", after-before, sockets)
	}
	for _, c := range open {
		_ = c.Close()
	}
	open = nil
	waitUntil(t, "the goroutines of the closed pages are gone", func() bool { return l.metric("go_goroutines") <= routines+100 }, func() string {
		return fmt.Sprintf("%.0f are left, %.0f were there before", l.metric("go_goroutines"), routines)
	})
}

// SIGTERM, as systemd sends it: open sockets are closed with a reason, a request
// that runs is answered, a training job goes on, and the next server has it.
func TestASIGTERMClosesSocketsAnswersWhatRunsAndKeepsJobs(t *testing.T) {
	t.Parallel()
	data := jobDir(t)
	l := startLimited(t, data)
	at := "ws" + strings.TrimPrefix(l.address, "http") + "/projects/" + demoProject + "/live?page=items"
	socket, answer, err := websocket.DefaultDialer.DialContext(t.Context(), at, http.Header{"Cookie": {l.cookie}, "Origin": {l.address}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	defer func() { _ = socket.Close() }()

	train := exec.Command(binary(t), "train", "--data", data, "--project", demoProject, "--recipe", "text-linear", "--snapshot", l.snapshot(), "--param", "epochs=200", "--json")
	out, err := train.CombinedOutput()
	if err != nil {
		t.Fatalf("train: %v\n%s", err, out)
	}
	var job struct{ Number int }
	if err := json.Unmarshal(out, &job); err != nil || job.Number == 0 {
		t.Fatalf("train says %s (%v)", out, err)
	}

	// An upload that is half sent when the signal comes.
	reader, writer := io.Pipe()
	uploaded := make(chan error, 1)
	go func() {
		request := l.request("POST", "/api/v1/projects/"+demoProject+"/uploads?name=slow.txt", reader)
		request.Header.Set("Authorization", "Bearer "+l.token)
		request.Header.Set("Content-Type", "application/octet-stream")
		answer, err := (&http.Transport{}).RoundTrip(request)
		if err == nil {
			if _ = answer.Body.Close(); answer.StatusCode != http.StatusCreated {
				err = errors.New(answer.Status)
			}
		}
		_ = reader.CloseWithError(err) // whoever writes on hears of it
		uploaded <- err
	}()
	if _, err := io.WriteString(writer, "first half\n"); err != nil {
		t.Fatal(err)
	}
	l.awaitIncoming("first half\n")
	ended, told := make(chan error, 1), time.Now()
	go func() { ended <- l.end() }()
	// The socket hears of it first.
	for err == nil {
		_ = socket.SetReadDeadline(time.Now().Add(patience))
		_, _, err = socket.ReadMessage()
	}
	if !websocket.IsCloseError(err, websocket.CloseGoingAway, websocket.CloseServiceRestart, websocket.CloseTryAgainLater) {
		t.Errorf("the socket ended with %v", err)
	}
	_, _ = io.WriteString(writer, "second half\n")
	_ = writer.Close()
	if err := <-uploaded; err != nil {
		t.Errorf("what was half sent is answered with %v, %v after the signal", err, time.Since(told))
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v\n%s", err, l.log)
	}
	if _, err := os.Stat(filepath.Join(data, "credential.json")); !os.IsNotExist(err) {
		t.Errorf("a stopped server leaves its credential behind (%v)", err)
	}

	l = startLimited(t, data)
	var text string
	waitUntil(t, "the job that ran succeeds", func() bool {
		_, text = l.call("GET", "/api/v1/projects/"+demoProject+"/runs/"+strconv.Itoa(job.Number), "", nil)
		var run struct{ State string }
		if err := json.Unmarshal([]byte(text), &run); err != nil {
			t.Fatalf("%s (%v)", text, err)
		}
		if run.State == "failed" || run.State == "lost" || run.State == "cancelled" {
			t.Fatalf("the job that ran is %s", text)
		}
		return run.State == "succeeded"
	}, func() string { return text })
	if err := l.end(); err != nil {
		t.Errorf("the second server ended with %v\n%s", err, l.log)
	}
}

// snapshot names a snapshot of the demo to train on.
func (l *limited) snapshot() string {
	l.Helper()
	_, text := l.call("GET", "/api/v1/projects/"+demoProject+"/snapshots", "", nil)
	var list struct {
		Items []struct{ Name, Purpose string }
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		l.Fatal(err)
	}
	for _, s := range list.Items {
		if s.Purpose == "training" {
			return s.Name
		}
	}
	l.Fatalf("the demo has no snapshot of training items: %s", text)
	return ""
}

// awaitIncoming waits until the server holds the beginning of an upload; what it
// takes in from trainings goes through the same folder.
func (l *limited) awaitIncoming(begins string) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		files, _ := filepath.Glob(filepath.Join(l.data, "blobs", "incoming", "*"))
		for _, file := range files {
			if have, _ := os.ReadFile(file); strings.HasPrefix(string(have), begins) {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.Fatal("no upload begins")
}
