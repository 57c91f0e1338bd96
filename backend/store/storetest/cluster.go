package storetest

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/adjudge/adjudge/backend/store/pgtest"
)

// Cluster is a PostgreSQL server of one test alone, which may be restarted.
type Cluster struct {
	Address string
	t       testing.TB
	bin     string
	dir     string
	options string
}

// StartCluster makes a PostgreSQL server that flushes what it acknowledges, in a
// directory of its own, and ends it after the test. It skips the test where no
// PostgreSQL is meant to be tested.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	pgtest.Server(t) // which skips
	c := &Cluster{t: t}
	found, err := exec.LookPath("initdb")
	if err != nil {
		all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian keeps them off the PATH
		if len(all) == 0 {
			t.Fatal("PostgreSQL's initdb is not installed")
		}
		found = slices.Max(all)
	}
	c.bin = filepath.Dir(found)
	// Short, for the path of a socket may be about a hundred characters long.
	if c.dir, err = os.MkdirTemp("", "adjudge-pg-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(c.dir) })
	if os.Getuid() == 0 { // which PostgreSQL refuses to run as
		owner, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		if err := os.Chown(c.dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	c.options = fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories='%s' -c max_connections=200", c.dir)
	c.Address = (&url.URL{Scheme: "postgres", Path: "/postgres",
		RawQuery: url.Values{"host": {c.dir}, "user": {"postgres"}, "sslmode": {"disable"}}.Encode()}).String()
	c.run("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "--encoding=UTF8", "--no-locale", "--no-sync")
	c.run("pg_ctl", "-D", c.data(), "-w", "-l", filepath.Join(c.dir, "log"), "-o", c.options, "start")
	t.Cleanup(func() { c.run("pg_ctl", "-D", c.data(), "-w", "-m", "immediate", "stop") })
	return c
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// Crash ends the server as a crash would and starts it again.
func (c *Cluster) Crash() {
	c.t.Helper()
	c.run("pg_ctl", "-D", c.data(), "-w", "-m", "immediate", "-l", filepath.Join(c.dir, "log"), "-o", c.options, "restart")
}

func (c *Cluster) run(program string, args ...string) {
	c.t.Helper()
	args = append([]string{filepath.Join(c.bin, program)}, args...)
	if os.Getuid() == 0 {
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = c.dir
	// Not a pipe: the server that pg_ctl starts would hold it open.
	out, err := os.OpenFile(filepath.Join(os.TempDir(), filepath.Base(c.dir)+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = out.Close(); _ = os.Remove(out.Name()) }()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		c.t.Fatalf("%s: %v\n%s", program, err, said)
	}
}
