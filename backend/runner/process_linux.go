package runner

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// marker is the variable by which the processes of an attempt are known, even
// those that left their process group; its value is the job directory.
const marker = "ADJUDGE_JOB_DIR"

// adoptOrphans makes this process the parent of what its descendants leave
// behind, so that nothing escapes to init while the runner lives.
func adoptOrphans() error {
	const setChildSubreaper = 36
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		return errno
	}
	return nil
}

// cgroup is a control group of our own, where the kernel lets us have one: its
// kill file ends every process in it, whatever it did to hide.
type cgroup struct {
	path string
	dir  *os.File
}

// newCgroup makes one below our own group in a version 2 hierarchy, or in the
// hybrid layout's unified one. Nil where neither can be written.
func newCgroup(name string) *cgroup {
	raw, _ := os.ReadFile("/proc/self/cgroup")
	own := ""
	for line := range strings.Lines(string(raw)) {
		if after, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			own = after
		}
	}
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err != nil {
			continue
		}
		path := filepath.Join(root, own, name)
		if os.Mkdir(path, 0o755) != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(path, "cgroup.kill")); err != nil {
			_ = os.Remove(path)
			continue
		}
		dir, err := os.Open(path)
		if err != nil {
			_ = os.Remove(path)
			continue
		}
		return &cgroup{path, dir}
	}
	return nil
}

func (g *cgroup) name() string {
	if g == nil {
		return ""
	}
	return g.path
}

func (g *cgroup) remove() {
	if g != nil {
		_ = g.dir.Close()
		_ = os.Remove(g.path)
	}
}

// isolate puts the command in a session and, where there is one, a control
// group of its own; the kernel ends it if this process dies.
func isolate(cmd *exec.Cmd, g *cgroup) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if g != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(g.dir.Fd())
	}
}

// launch starts the command from a thread that lives as long as done is open:
// the death signal of isolate is tied to the thread that forked.
func launch(cmd *exec.Cmd, done <-chan struct{}) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		<-done
	}()
	return <-started
}

// interrupt asks the command's process group to end.
func interrupt(pid int) { _ = syscall.Kill(-pid, syscall.SIGTERM) }

// sweep kills everything that belongs to a job directory: its control group,
// every process that carries the marker, their descendants, and all our own
// children. It returns an error if something is still there after five seconds.
func sweep(dir, group string) error {
	var left []int
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if group != "" {
			_ = os.WriteFile(filepath.Join(group, "cgroup.kill"), []byte("1"), 0o600)
		}
		left = belonging(dir)
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		reap()
		if len(left) == 0 {
			// A process that was forking while we looked is found by looking once more.
			if left = belonging(dir); len(left) == 0 {
				if group != "" {
					_ = os.Remove(group)
				}
				return nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("processes %v of %s do not end", left, dir)
}

// killAll sends the end to everything that belongs to a job directory and
// waits for nothing.
func killAll(dir, group string, pid int) {
	if group != "" {
		_ = os.WriteFile(filepath.Join(group, "cgroup.kill"), []byte("1"), 0o600)
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	for _, pid := range belonging(dir) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// reap collects orphans that ended. Our own command has been waited for before.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}

// belonging lists the live processes of a job directory.
func belonging(dir string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	mark := []byte(marker + "=" + dir + "\x00")
	self := os.Getpid()
	parent, ours := map[int]int{}, map[int]bool{self: true}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == self {
			continue
		}
		state, ppid, _, err := processOf(pid)
		if err != nil || state == 'Z' || state == 'X' {
			continue
		}
		parent[pid] = ppid
		environ, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "environ"))
		if err == nil && (bytes.HasPrefix(environ, mark) || bytes.Contains(environ, append([]byte{0}, mark...))) {
			ours[pid] = true
		}
	}
	for grew := true; grew; {
		grew = false
		for pid, ppid := range parent {
			if !ours[pid] && ours[ppid] {
				ours[pid], grew = true, true
			}
		}
	}
	var found []int
	for pid := range ours {
		if pid != self {
			found = append(found, pid)
		}
	}
	return found
}

// processOf returns the state, parent and start time of a process. The name in
// /proc/PID/stat may hold spaces and parentheses, so the fields are counted
// from its last closing one.
func processOf(pid int) (state byte, parent int, start uint64, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, 0, err
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 20 {
		return 0, 0, 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	parent, err = strconv.Atoi(fields[1])
	if err != nil {
		return 0, 0, 0, err
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return fields[0][0], parent, start, err
}

// startOf returns when a process started, in clock ticks since boot.
func startOf(pid int) uint64 {
	_, _, start, _ := processOf(pid)
	return start
}

func bootID() string { return firstLine("/proc/sys/kernel/random/boot_id") }

// memoryKills counts how often the kernel killed in our memory group.
func memoryKills(g *cgroup) int {
	files := []string{}
	if g != nil {
		files = append(files, filepath.Join(g.path, "memory.events"))
	}
	raw, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(raw)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && parts[1] == "memory" {
			files = append(files, filepath.Join("/sys/fs/cgroup/memory", parts[2], "memory.oom_control"))
		} else if len(parts) == 3 && parts[1] == "" {
			files = append(files, filepath.Join("/sys/fs/cgroup", parts[2], "memory.events"))
		}
	}
	kills := 0
	for _, file := range files {
		raw, _ := os.ReadFile(file)
		for line := range strings.Lines(string(raw)) {
			if after, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok {
				n, _ := strconv.Atoi(after)
				kills += n
			}
		}
	}
	return kills
}
