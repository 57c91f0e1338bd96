package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

var postgresOnce sync.Mutex

// sharedCluster is the cluster of all stages that need none of their own.
const sharedCluster = ""

// cluster is a PostgreSQL server of this run.
type cluster struct{ address, dir, bin string }

// startPostgres makes a private PostgreSQL cluster in a temporary folder,
// reachable only through a socket there, and returns its address. The second
// caller with a name gets the first one's. PostgreSQL refuses to run as root, so
// root starts it as the user postgres that the Debian package made.
func (j *job) startPostgres(name string) (string, error) {
	postgresOnce.Lock()
	defer postgresOnce.Unlock()
	if c := j.house.clusters[name]; c.address != "" {
		return c.address, nil
	}
	if j.house.clusters == nil {
		j.house.clusters = map[string]cluster{}
	}
	bin, err := postgresBin()
	if err != nil {
		return "", err
	}
	// Not below the run's folder: that belongs to root alone, and a socket's
	// path may only be about a hundred characters long.
	dir, err := os.MkdirTemp("", "adjudge-pg-")
	if err != nil {
		return "", err
	}
	j.house.clusters[name] = cluster{dir: dir} // to be removed whatever becomes of it
	if os.Getuid() == 0 {
		owner, err := user.Lookup("postgres")
		if err != nil {
			return "", errors.New("PostgreSQL does not run as root, and there is no user postgres to run it as")
		}
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", err
		}
	}
	data := filepath.Join(dir, "data")
	if err := j.asPostgres(dir, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--encoding=UTF8", "--no-locale", "--no-sync"); err != nil {
		return "", err
	}
	// It lives for one run: durability would only cost time here.
	options := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories='%s' -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=800", dir)
	if err := j.asPostgres(dir, filepath.Join(bin, "pg_ctl"), "-D", data, "-w", "-t", "60", "-l", filepath.Join(dir, "log"), "-o", options, "start"); err != nil {
		return "", err
	}
	address := url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: url.Values{"host": {dir}, "user": {"postgres"}, "sslmode": {"disable"}}.Encode()}
	j.house.clusters[name] = cluster{address: address.String(), dir: dir, bin: bin}
	return address.String(), nil
}

func (j *job) asPostgres(dir, program string, args ...string) error {
	cmd := exec.Command(program, args...)
	if os.Getuid() == 0 {
		cmd = exec.Command("runuser", append([]string{"-u", "postgres", "--", program}, args...)...)
	}
	cmd.Dir = dir // the caller's folder may be closed to that user
	cmd.Stdout, cmd.Stderr = j.out, j.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return nil
}

// stopPostgres ends the clusters and removes them.
func (h *house) stopPostgres() {
	for _, c := range h.clusters {
		if c.address != "" {
			j := &job{out: &output{}, house: h}
			if err := j.asPostgres(c.dir, filepath.Join(c.bin, "pg_ctl"), "-D", filepath.Join(c.dir, "data"), "-m", "immediate", "-w", "stop"); err != nil {
				fmt.Fprintln(os.Stderr, "stages: stopping PostgreSQL:", err)
			}
		}
		_ = os.RemoveAll(c.dir)
	}
}

// postgresBin finds the newest installed server: Debian keeps its programs off the PATH.
func postgresBin() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(found), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL's initdb is not installed")
	}
	return filepath.Dir(slices.Max(found)), nil
}
