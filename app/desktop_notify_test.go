//go:build desktop && linux

package app

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// TestDesktopNotificationArrivesAndLeadsToItsPage lets work come while the window
// is open. A real program for notifications (dunst, on a session bus of its own)
// shows it on the screen as it was meant, a real click on it brings the window
// to the page of that work, and a key is answered there.
func TestDesktopNotificationArrivesAndLeadsToItsPage(t *testing.T) {
	for _, program := range []string{"dbus-daemon", "dunst"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed; `make test` installs it", program)
		}
	}
	d := openDesk(t)
	desk := d.startNotifications()
	window, process := d.open(d.data)

	// What waits at the window's first look is told to nobody, and nothing says
	// when that was: other work comes until there is word of it.
	rounds := 0
	d.await("a notification", func() bool {
		rounds++
		d.newWork(rounds)
		d.focus(window)
		d.xdotool("key", "ctrl+r") // looks at once, not within the minute
		return d.within(5, func() bool { return desk.shown() > 0 })
	})
	var told []toldNotice
	d.await("the click on it", func() bool {
		d.xdotool("search", "--onlyvisible", "--class", "Dunst", "mousemove", "--window", "%1", "40", "12", "click", "1")
		return d.within(3, func() bool { told = desk.closed(); return len(told) > 0 })
	})
	if n := told[0]; n.ID == 0 || n.App != "adjudge-desktop" || n.Summary != "Work for you" || n.Action != "default" {
		t.Errorf("dunst was told %+v", n)
	}
	// Dunst draws this: a name is shown, not followed as markup.
	work := 0
	const drawn = "<b>Work for you</b>\n2 items wait for an answer (Ward %d &lt;i&gt;R&amp;D&lt;/i&gt;)"
	for n := 1; n <= rounds; n++ {
		if told[0].Drawn == fmt.Sprintf(drawn, n) {
			work = n
		}
	}
	if work == 0 {
		t.Fatalf("dunst draws %q", told[0].Drawn)
	}

	d.focus(window)
	if answer := d.pressUntilAnswered("1", 1); answer.kind != "answer" || answer.class != d.firstClass(work) {
		t.Errorf("after the click the store holds %+v, and not the first class of ward %d", answer, work)
	}
	d.close(process)
}

// newWork makes a project with two items to answer.
func (d *deskTest) newWork(n int) {
	d.Helper()
	file := filepath.Join(d.home, "items.csv")
	if err := os.WriteFile(file, []byte("text\none\ntwo\n"), 0o600); err != nil {
		d.Fatal(err)
	}
	slug := fmt.Sprintf("ward-%d", n)
	for _, args := range [][]string{
		{"project", "create", fmt.Sprintf("Ward %d <i>R&D</i>", n), "--slug", slug, "--question", "Good?", "--class", "yes", "--class", "no"},
		{"import", "--project", slug, "--dataset", "one", "--text", "text", file},
	} {
		if out, err := d.command(args...).CombinedOutput(); err != nil {
			d.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
}

// firstClass returns the class that key 1 stands for in the n-th project of newWork.
func (d *deskTest) firstClass(n int) string {
	d.Helper()
	for _, p := range d.projects() {
		if p.Slug == fmt.Sprintf("ward-%d", n) && len(p.Schema.Classes) > 0 {
			return p.Schema.Classes[0].ID
		}
	}
	d.Fatalf("there is no project ward-%d", n)
	return ""
}

// notices is a running dunst.
type notices struct {
	*deskTest
	object dbus.BusObject
}

const privateBus = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// startNotifications gives the desk a session bus, which starts nothing by
// itself, and dunst on it. What it shows stays until it is clicked.
func (d *deskTest) startNotifications() *notices {
	d.Helper()
	dir, err := os.MkdirTemp("", "bus") // the way to a socket is short
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { _ = os.RemoveAll(dir) })
	for name, text := range map[string]string{
		"bus.conf": fmt.Sprintf(privateBus, filepath.Join(dir, "socket")),
		"dunstrc":  "[global]\nmarkup = full\nmouse_left_click = do_action, close_current\n[urgency_normal]\ntimeout = 0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			d.Fatal(err)
		}
	}
	daemon := exec.Command("dbus-daemon", "--config-file="+filepath.Join(dir, "bus.conf"), "--nofork", "--nopidfile", "--print-address")
	out, err := daemon.StdoutPipe()
	if err != nil {
		d.Fatal(err)
	}
	d.background(daemon)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		d.Fatalf("the bus names no address: %v", err)
	}
	d.bus = strings.TrimSpace(address)

	dunst := exec.Command("dunst", "-config", filepath.Join(dir, "dunstrc"))
	dunst.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + d.home, "DISPLAY=" + d.display, "DBUS_SESSION_BUS_ADDRESS=" + d.bus}
	d.background(dunst)
	bus, err := dbus.Connect(d.bus)
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { _ = bus.Close() })
	n := &notices{deskTest: d, object: bus.Object("org.freedesktop.Notifications", "/org/freedesktop/Notifications")}
	d.await("dunst", func() bool {
		var name, vendor, version, spec string
		err := n.call("org.freedesktop.Notifications.GetServerInformation").Store(&name, &vendor, &version, &spec)
		return err == nil && name == "dunst"
	})
	return n
}

// call asks dunst, which may be slow but not silent.
func (n *notices) call(method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(n.Context(), patience)
	defer cancel()
	return n.object.CallWithContext(ctx, method, 0, args...)
}

// background starts a program that ends with the test.
func (d *deskTest) background(program *exec.Cmd) {
	d.Helper()
	if err := program.Start(); err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() {
		_ = program.Process.Kill()
		_ = program.Wait()
	})
}

// shown returns how many notifications are on the screen.
func (n *notices) shown() uint32 {
	n.Helper()
	var many dbus.Variant
	if err := n.call("org.freedesktop.DBus.Properties.Get", "org.dunstproject.cmd0", "displayedLength").Store(&many); err != nil {
		n.Fatal(err)
	}
	return many.Value().(uint32)
}

// toldNotice is a notification as dunst remembers it.
type toldNotice struct {
	ID                          int32
	App, Summary, Action, Drawn string
}

// closed returns the notifications that are no longer shown, the latest first.
func (n *notices) closed() (all []toldNotice) {
	n.Helper()
	var history []map[string]dbus.Variant
	if err := n.call("org.dunstproject.cmd0.NotificationListHistory").Store(&history); err != nil {
		n.Fatal(err)
	}
	for _, h := range history {
		var t toldNotice
		for key, into := range map[string]any{"id": &t.ID, "appname": &t.App, "summary": &t.Summary, "default_action_name": &t.Action, "message": &t.Drawn} {
			if err := h[key].Store(into); err != nil {
				n.Fatalf("dunst says of %s %v: %v", key, h[key], err)
			}
		}
		all = append(all, t)
	}
	return all
}
