package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// command runs a program with its output in the stage's. When the run is
// cancelled the whole process group ends, so that no browser or server that a
// test started is left behind.
func (j *job) command(env []string, name string, args ...string) error {
	cmd := j.prepare(env, name, args...)
	cmd.Stdout, cmd.Stderr = j.out, j.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

func (j *job) prepare(env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(j.ctx, name, args...)
	// What tests leave behind goes with the run's own folder.
	cmd.Env = append(append(os.Environ(), "TMPDIR="+j.house.temp), env...)
	endTogether(cmd)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// event is one line of `go test -json`.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// goTest runs `go test` and keeps of its output only what a person needs: all
// that failing tests and packages wrote, and the reason of every skip.
func (j *job) goTest(env []string, args ...string) error {
	args = append([]string{"test", "-json"}, args...)
	cmd := j.prepare(env, "go", args...)
	cmd.Stderr = j.out
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	missing := j.read(pipe)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("these tests skipped for want of what has to be here:\n\t%s", strings.Join(missing, "\n\t"))
	}
	return nil
}

// promised returns what a test that skips for its want was promised, as its
// reason names it: the real data where its folder is given and, on a build
// server, every program that the install stage brings.
func promised() []string {
	var words []string
	if os.Getenv("ADJUDGE_REALDATA") != "" {
		words = append(words, "ADJUDGE_REALDATA")
	}
	if os.Getenv("CI") == "true" {
		words = append(words, "PostgreSQL", "ADJUDGE_TEST_POSTGRES", "S3", "nginx", "git is", "openssl", "strace", "Xvfb", "xdotool", "dbus-daemon", "dunst")
	}
	return words
}

// read follows the events to their end and returns the tests that skipped for
// want of what was promised to them, with their reasons.
func (j *job) read(events io.Reader) (missing []string) {
	words := promised()
	blamed := map[string]bool{} // packages and tests of which a part is named as failed
	written := map[string]*strings.Builder{}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return missing
		}
		var e event
		if json.Unmarshal(line, &e) != nil {
			_, _ = j.out.Write(line) // not from the test framework: a crash of the tool itself
			continue
		}
		where := e.Package + " " + e.Test
		switch e.Action {
		case "build-output":
			_, _ = io.WriteString(j.out, e.Output)
		case "output":
			if written[where] == nil {
				written[where] = &strings.Builder{}
			}
			written[where].WriteString(e.Output)
		case "pass":
			if e.Test != "" {
				j.out.passed++
			}
			delete(written, where)
		case "skip":
			if e.Test != "" {
				reason := lastReason(written[where])
				skip := fmt.Sprintf("%s: %s", e.Test, reason)
				j.out.skipped = append(j.out.skipped, skip)
				if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(reason, word) }) {
					missing = append(missing, skip)
				}
			}
			delete(written, where)
		case "fail":
			if e.Test != "" && !blamed[where] {
				j.out.broken = append(j.out.broken, e.Test)
			}
			for whole := where; ; { // it fails because this part of it did
				blamed[whole] = true
				cut := strings.LastIndexByte(whole, '/')
				if cut < len(e.Package) {
					break
				}
				whole = whole[:cut]
			}
			if e.Test != "" {
				blamed[e.Package] = true
			}
			if e.Test == "" { // nor will any other test of the package end now, as after a crash or a timeout
				for _, other := range slices.Sorted(maps.Keys(written)) {
					if rest, inside := strings.CutPrefix(other, where); inside && rest != "" {
						_, _ = fmt.Fprintf(j.out, "=== had not ended: %s\n%s", rest, written[other])
						delete(written, other)
						j.out.broken = append(j.out.broken, strings.TrimSpace(rest)+" had not ended")
						blamed[e.Package] = true
					}
				}
				if !blamed[e.Package] { // it does not build, or something ended it between two tests
					j.out.broken = append(j.out.broken, e.Package)
				}
			}
			if written[where] != nil {
				_, _ = io.WriteString(j.out, written[where].String())
			}
			delete(written, where)
		}
	}
}

// lastReason finds what a test said when it skipped.
func lastReason(b *strings.Builder) string {
	if b == nil {
		return "no reason given"
	}
	reason := "no reason given"
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			reason = line
		}
	}
	return reason
}
