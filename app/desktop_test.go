//go:build desktop

package app

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDesktopWindowLabelsByARealKey starts the real window on a virtual screen,
// presses a real key, and reads the answer back from the store. On the way it
// sees that a second start raises the first window, and that port and size are
// remembered. It needs Xvfb and xdotool, which `make test` installs.
func TestDesktopWindowLabelsByARealKey(t *testing.T) {
	d := openDesk(t)
	d.fillWithDemo()

	window, process := d.open(d.data, "--open", labelPath)
	d.resize(window, 1000, 720)
	answer := d.pressUntilAnswered("1", 1)
	if want := d.classOfKey("1"); answer.class != want {
		t.Errorf("key 1 gave class %s, want %s", answer.class, want)
	}
	if answer.kind != "answer" || answer.seen <= 0 {
		t.Errorf("the store holds %+v", answer)
	}

	out, err := d.command("desktop").Output()
	if err != nil || !strings.Contains(string(out), "in front") {
		t.Errorf("a second start says %q and ends with %v", out, err)
	}

	first := d.address()
	d.close(process)
	if state := readWindowState(d.data); state.Width != 1000 || state.Height != 720 {
		t.Errorf("the size is remembered as %d by %d", state.Width, state.Height)
	}
	_, process = d.open(d.data, "--open", labelPath)
	if again := d.address(); again != first {
		t.Errorf("the second window is at %s, the first was at %s: what its browser kept is lost", again, first)
	}
	d.close(process)
}

// deskTest is one data directory, screen and home.
type deskTest struct {
	*testing.T
	program, data, display, home string
	bus                          string // address of a session bus; "" where there is none
}

// openDesk builds the program with its window and starts a screen for it.
func openDesk(t *testing.T) *deskTest {
	t.Helper()
	for _, program := range []string{"Xvfb", "xdotool"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed; `make test` installs it", program)
		}
	}
	if _, err := os.Stat("../frontend/static/dist/manifest.json"); err != nil {
		t.Fatal("the scripts are not bundled, and no key would do anything: run `make generate` first")
	}
	program := filepath.Join(t.TempDir(), "adjudge-desktop")
	if err := build(program, ahead, "-tags", "desktop,production,webkit2_41"); err != nil {
		t.Fatal(err)
	}
	return &deskTest{T: t, program: program, data: filepath.Join(t.TempDir(), "data"), display: startScreen(t), home: t.TempDir()}
}

func (d *deskTest) command(args ...string) *exec.Cmd {
	d.Helper()
	fonts, err := filepath.Abs(filepath.Join("testdata", "fonts.conf"))
	if err != nil {
		d.Fatal(err)
	}
	cmd := exec.Command(d.program, append(args, "--data", d.data)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + d.home, "DISPLAY=" + d.display, "TMPDIR=" + os.TempDir(),
		"LIBGL_ALWAYS_SOFTWARE=1", "GDK_BACKEND=x11", "NO_AT_BRIDGE=1", "LANG=C.UTF-8", "TZ=UTC", "FONTCONFIG_FILE=" + fonts}
	if d.bus != "" {
		cmd.Env = append(cmd.Env, "DBUS_SESSION_BUS_ADDRESS="+d.bus)
	}
	return cmd
}

func (d *deskTest) xdotool(args ...string) string {
	d.Helper()
	cmd := exec.Command("xdotool", args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+d.display)
	out, err := cmd.Output()
	if err != nil {
		d.Fatalf("xdotool %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// startScreen starts a virtual screen on a display number of its own.
func startScreen(t *testing.T) string {
	t.Helper()
	number, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	screen := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp")
	screen.ExtraFiles = []*os.File{write}
	if err := screen.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = screen.Process.Signal(syscall.SIGTERM)
		_ = screen.Wait()
	})
	_ = write.Close()
	line, err := bufio.NewReader(number).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb names no display: %v", err)
	}
	return ":" + strings.TrimSpace(line)
}

// fillWithDemo lets the demo's server fill the data directory, and stops it.
func (d *deskTest) fillWithDemo() {
	d.Helper()
	demo := d.command("demo", "--listen", "127.0.0.1:0")
	demo.Stderr = os.Stderr
	out, err := demo.StdoutPipe()
	if err != nil {
		d.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		d.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	ready := false
	for !ready && lines.Scan() {
		ready = strings.Contains(lines.Text(), "/launch?token=")
	}
	_ = demo.Process.Signal(syscall.SIGTERM)
	for lines.Scan() {
	}
	if err := demo.Wait(); err != nil || !ready {
		d.Fatalf("the demo (ready: %v) ended with %v", ready, err)
	}
}

const labelPath = "/projects/" + demoProject + "/label?dataset=questions"

// open starts the program and waits for its window, which keeps its address in dir.
func (d *deskTest) open(dir string, args ...string) (window string, process *exec.Cmd) {
	d.Helper()
	process = d.command(append([]string{"desktop"}, args...)...)
	process.Stderr = os.Stderr
	if err := process.Start(); err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() {
		if process.ProcessState == nil {
			_ = process.Process.Kill()
			_ = process.Wait()
		}
	})
	d.await("the server to say where it is", func() bool {
		at, err := readServer(dir)
		return err == nil && at.PID == process.Process.Pid
	})
	window = d.xdotool("search", "--sync", "--onlyvisible", "--pid", fmt.Sprint(process.Process.Pid), "--name", "^Adjudge$")
	window, _, _ = strings.Cut(window, "\n")
	d.focus(window)
	return window, process
}

func (d *deskTest) focus(window string) {
	d.Helper()
	// There is no window manager on this screen that would give the focus.
	d.xdotool("windowfocus", "--sync", window)
	d.xdotool("mousemove", "--window", window, "5", "5")
}

func (d *deskTest) resize(window string, width, height int) {
	d.Helper()
	d.xdotool("windowsize", "--sync", window, fmt.Sprint(width), fmt.Sprint(height))
}

type deskAnswer struct {
	kind, class, person string
	seen                int64
}

// pressUntilAnswered presses a key until the store has so many answers, and
// returns the last. The first presses may come before the page is there or
// within the moment in which it takes none; each is a real event of the X server.
func (d *deskTest) pressUntilAnswered(key string, n int) (answer deskAnswer) {
	d.Helper()
	d.await("an answer in the store", func() bool {
		d.xdotool("key", key)
		answers := d.answers()
		if len(answers) < n {
			return false
		}
		answer = answers[len(answers)-1]
		return true
	})
	return answer
}

// answers reads from the store what people answered, in its order.
func (d *deskTest) answers() (all []deskAnswer) {
	d.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(d.data, "adjudge.db")+"?mode=ro")
	if err != nil {
		d.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT a.kind, a.class, a.seen_ms, p.username FROM annotation a JOIN person p ON p.id = a.person WHERE a.kind <> 'import' ORDER BY a.at")
	if err != nil {
		return nil // busy, or stopped at this moment
	}
	defer rows.Close()
	for rows.Next() {
		var a deskAnswer
		if err := rows.Scan(&a.kind, &a.class, &a.seen, &a.person); err != nil {
			d.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// classOfKey asks the running program which class a key stands for.
func (d *deskTest) classOfKey(key string) string {
	d.Helper()
	list := d.projects()
	if len(list) != 1 {
		d.Fatalf("there are %d projects", len(list))
	}
	// Classes without a key of their own get 1, 2, 3 … in their order.
	return list[0].Schema.Classes[key[0]-'1'].ID
}

type deskProject struct {
	Slug   string
	Schema struct{ Classes []struct{ ID, Key string } }
}

// projects asks the running program which projects there are.
func (d *deskTest) projects() []deskProject {
	d.Helper()
	out, err := d.command("project", "list", "--json").Output()
	if err != nil {
		d.Fatal(err)
	}
	var list struct{ Items []deskProject }
	if err := json.Unmarshal(out, &list); err != nil {
		d.Fatalf("%v: %s", err, out)
	}
	return list.Items
}

func (d *deskTest) address() string {
	d.Helper()
	at, err := readServer(d.data)
	if err != nil {
		d.Fatal(err)
	}
	return at.URL
}

// close asks the program to end, like the end of a desktop session does.
func (d *deskTest) close(process *exec.Cmd) {
	d.Helper()
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		d.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			d.Errorf("the program ended with %v", err)
		}
	case <-time.After(patience):
		d.Error("the program goes on without its window")
		_ = process.Process.Kill()
		<-ended
	}
}

// within waits for some seconds, and reports whether it came.
func (d *deskTest) within(seconds int, done func() bool) bool {
	for range seconds * 5 {
		if done() {
			return true
		}
		time.Sleep(200 * time.Millisecond)
	}
	return done()
}

// pause lets the window's own work pass where it says nothing of it; what is
// asked after it is asked again until it is so.
func (d *deskTest) pause(seconds int) { time.Sleep(time.Duration(seconds) * time.Second) }

// dialog returns the open dialog of the system, "" where there is none: any
// visible window of the program beside its own.
func (d *deskTest) dialog() string {
	cmd := exec.Command("xdotool", "search", "--onlyvisible", "--class", "adjudge")
	cmd.Env = append(os.Environ(), "DISPLAY="+d.display)
	out, _ := cmd.Output() // it fails where nothing is found
	for _, id := range strings.Fields(string(out)) {
		name := exec.Command("xdotool", "getwindowname", id)
		name.Env = cmd.Env
		title, err := name.Output()
		if err == nil && strings.TrimSpace(string(title)) != "Adjudge" && strings.TrimSpace(string(title)) != "" {
			return id
		}
	}
	return ""
}

// await waits for what has no event. It pauses longer than waitUntil, because
// some of what is asked here presses a key each time.
func (d *deskTest) await(what string, done func() bool) {
	d.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			d.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
