package runner

import (
	"bufio"
	"encoding/json"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
)

// Environment is the record of what an attempt ran on, from which it could be
// run again.
type Environment struct {
	Adjudge  string                   `json:"adjudge"`            // version of this program
	Revision string                   `json:"revision,omitempty"` // commit it was built from; "+dirty" when changed
	Go       string                   `json:"go"`
	System   string                   `json:"system"` // linux/amd64
	Kernel   string                   `json:"kernel,omitempty"`
	Host     string                   `json:"host,omitempty"`
	CPU      string                   `json:"cpu,omitempty"`
	CPUs     int                      `json:"cpus"`
	MemoryMB int64                    `json:"memory_mb,omitempty"`
	Command  []string                 `json:"command"`
	Seed     uint64                   `json:"seed"`
	Inputs   map[string]ledger.Digest `json:"inputs"` // every file that went in
}

func environment(version string, spec training.Spec, command []string, inputs map[string]ledger.Digest) json.RawMessage {
	e := Environment{
		Adjudge: version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(),
		Command: command, Seed: spec.Job.Seed, Inputs: inputs, Kernel: firstLine("/proc/sys/kernel/osrelease"),
	}
	e.Host, _ = os.Hostname()
	if name := lineAfter("/proc/cpuinfo", "model name"); name != "" {
		e.CPU = name
	}
	if kb, err := strconv.ParseInt(strings.TrimSuffix(lineAfter("/proc/meminfo", "MemTotal"), " kB"), 10, 64); err == nil {
		e.MemoryMB = kb >> 10
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		dirty := ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				e.Revision = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+dirty"
			}
		}
		if e.Revision != "" {
			e.Revision += dirty
		}
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return nil
	}
	return raw
}

func firstLine(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return line
}

// lineAfter returns the value of the first "name : value" line of a file.
func lineAfter(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
