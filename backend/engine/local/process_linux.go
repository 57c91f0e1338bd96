package local

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// alive reports whether the process that started at that moment still is: the
// same id may belong to another one by now, and one that ended but was not yet
// collected does not live.
func alive(pid int, start uint64) bool {
	state, began, err := statOf(pid)
	return err == nil && began == start && state != 'Z' && state != 'X'
}

func startOf(pid int) uint64 {
	_, start, _ := statOf(pid)
	return start
}

// statOf reads state and start time, in clock ticks since boot. The name of the
// process may hold parentheses, so fields are counted from the last one.
func statOf(pid int) (byte, uint64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	return fields[0][0], start, err
}

func bootID() string {
	raw, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}
