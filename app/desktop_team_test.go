//go:build desktop

package app

import (
	"bufio"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestDesktopWindowOnATeamsServer signs in to the server of another process
// through the real window, labels there by a real key while that server comes
// and goes, saves a download by the system's dialog, and comes back signed in.
func TestDesktopWindowOnATeamsServer(t *testing.T) {
	d := openDesk(t)
	team := *d
	team.data, team.home = filepath.Join(t.TempDir(), "team"), t.TempDir()
	server, lines := team.serve("demo", "127.0.0.1:0")
	welcome := regexp.MustCompile(`(http://[0-9.:]+)(/welcome\?token=\S+)`).FindStringSubmatch(lines)
	if welcome == nil {
		t.Fatalf("the demo invites nobody:\n%s", lines)
	}
	address, invitation := welcome[1], welcome[2]
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	own := teamDir(d.data, target)

	// The first window follows an invitation: a person is made through the proxy.
	window, process := d.open(own, "--server", address, "--open", invitation)
	d.await("the server to be remembered", func() bool { return rememberedServer(d.data) == address })
	steps := 0
	d.await("the person to be signed in", func() bool {
		// Each time from the beginning: the page may not have been there yet, and
		// nothing says how far its field for the password is from where the focus is.
		steps = steps%4 + 1
		d.focus(window)
		d.xdotool("key", "ctrl+r")
		d.pause(1 + steps)
		for range steps {
			d.xdotool("key", "Tab")
		}
		d.xdotool("key", "ctrl+a")
		d.xdotool("type", "--delay", "15", "a long password")
		d.xdotool("key", "Return")
		return d.within(3, func() bool { return keepsLogin(own) })
	})
	d.xdotool("key", "ctrl+plus")
	d.await("the zoom to be remembered", func() bool { return readWindowState(own).Zoom == 1.1 })
	d.close(process)

	// The second needs neither address nor sign-in. A download ends in the file
	// that its dialog names.
	_, process = d.open(own, "--open", "/account/data")
	if at, err := readServer(own); err != nil || !strings.HasPrefix(at.URL, "http://127.0.0.1:") || at.URL == address {
		t.Errorf("the window is at %v (%v)", at, err)
	}
	file := filepath.Join(d.home, "mine.json")
	patience := 1
	d.await("the system's dialog", func() bool {
		patience++ // nothing says when the page is there: wait longer each time
		d.xdotool("key", "ctrl+r")
		d.pause(patience)
		d.xdotool("key", "Tab", "Return", "Tab", "Return") // past the navigation, to the page's first button
		return d.within(2*patience, func() bool { return d.dialog() != "" })
	})
	d.await("the file", func() bool {
		if dialog := d.dialog(); dialog != "" {
			d.xdotool("windowfocus", "--sync", dialog)
			d.xdotool("key", "ctrl+a")
			d.xdotool("type", "--delay", "15", file)
			d.xdotool("key", "Return")
		}
		return d.within(5, func() bool { _, err := os.Stat(file); return err == nil })
	})
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), `"username": "mara"`) {
		t.Errorf("the saved file holds %s (%v)", text, err)
	}
	d.close(process)

	// The third labels.
	_, process = d.open(own, "--open", labelPath)
	answer := team.pressUntilAnswered("1", 1)
	if answer.person != "mara" || answer.kind != "answer" {
		t.Errorf("the team's store holds %+v", answer)
	}
	before := len(team.answers())
	team.stop(server)
	for range 8 { // nobody is there to take them; within some moments the page takes none either
		d.xdotool("key", "2")
		d.pause(1)
	}
	server, _ = team.serve("serve", strings.TrimPrefix(address, "http://"))
	d.await("the answers that waited in the window", func() bool { return len(team.answers()) > before })
	team.stop(server)
	d.close(process)
}

// serve starts the program as a server and returns what it says until it is ready.
func (d *deskTest) serve(command, listen string) (*exec.Cmd, string) {
	d.Helper()
	server := d.command(command, "--listen", listen)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		d.Fatal(err)
	}
	if err := server.Start(); err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() {
		if server.ProcessState == nil {
			_ = server.Process.Kill()
			_ = server.Wait()
		}
	})
	last := " listens on "
	if command == "demo" {
		last = "(approver)"
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), last) {
			return server, said.String()
		}
	}
	d.Fatalf("the %s ended before it was ready:\n%s", command, said.String())
	return nil, ""
}

// stop ends a server in good order.
func (d *deskTest) stop(server *exec.Cmd) {
	d.Helper()
	_ = server.Process.Signal(syscall.SIGTERM)
	if err := server.Wait(); err != nil {
		d.Errorf("the server ended with %v", err)
	}
}

// keepsLogin reports whether a window's folder keeps a login; the choice of a
// language is no login.
func keepsLogin(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "login.json"))
	return err == nil && regexp.MustCompile(`"adjudge_[0-9a-f]+"`).Match(text)
}
