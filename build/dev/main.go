// Command dev is what `make dev` runs: the server with the demo project, built
// again and restarted whenever a source file changes. Open pages notice that
// the server is a new one and reload themselves.
//
// A change that does not compile leaves the last good server running and shows
// the error. All arguments are handed on to `adjudge demo`.
package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// often is how long a change may go unseen; a walk over the sources takes a
// few milliseconds, and a watcher of the system would be one more dependency.
const often = 400 * time.Millisecond

const program = "build/bin/adjudge-dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d := &dev{args: append([]string{"demo"}, os.Args[1:]...)}
	defer d.stop()
	seen := map[string]time.Time{}
	for {
		changed, err := look(seen)
		if err != nil {
			fmt.Fprintln(os.Stderr, "dev:", err)
		}
		if len(changed) > 0 {
			d.renew(ctx, changed)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(often):
		}
	}
}

// look returns the source files that are new or newer than at the last look.
// What a generator wrote is no source: its own source is.
func look(seen map[string]time.Time) ([]string, error) {
	var changed []string
	for _, root := range []string{"main.go", "go.mod", "app", "backend", "compare", "frontend", "labeling", "review"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() {
				if entry.Name() == "dist" || entry.Name() == "testdata" {
					return filepath.SkipDir
				}
				return nil
			}
			if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") || strings.HasSuffix(path, "_templ.txt") {
				return nil
			}
			info, err := entry.Info()
			if err != nil {
				return nil //nolint:nilerr // an editor just replaced it: the next look sees the new one
			}
			if !seen[path].Equal(info.ModTime()) {
				seen[path] = info.ModTime()
				changed = append(changed, path)
			}
			return nil
		})
		if err != nil {
			return changed, err
		}
	}
	return changed, nil
}

type dev struct {
	args   []string
	server *exec.Cmd
	ended  chan struct{}
}

// renew does what the changed files call for and replaces the server.
func (d *dev) renew(ctx context.Context, changed []string) {
	begin := time.Now()
	has := func(suffixes ...string) bool {
		return slices.ContainsFunc(changed, func(path string) bool { return slices.Contains(suffixes, filepath.Ext(path)) })
	}
	if has(".templ") && !step(ctx, "go", "tool", "-modfile=build/tools/go.mod", "templ", "generate", "-log-level=warn") {
		return
	}
	if has(".ts", ".css", ".svg", ".png") && !step(ctx, "go", "run", "./build/bundle", "-dev") {
		return
	}
	if !step(ctx, "go", "build", "-o", program, ".") {
		return
	}
	d.stop()
	d.server = exec.Command(program, d.args...)
	d.server.Stdout, d.server.Stderr = os.Stdout, os.Stderr
	if err := d.server.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		d.server = nil
		return
	}
	d.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // it writes its own last words
		close(ended)
	}(d.server, d.ended)
	fmt.Printf("dev: built in %.1f s after a change of %s\n", time.Since(begin).Seconds(), summary(changed))
}

func step(ctx context.Context, name string, args ...string) bool {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "dev: %s %s: %v\n", name, strings.Join(args, " "), err)
		return false
	}
	return true
}

// stop asks the server to end, so that it finishes what it is answering.
func (d *dev) stop() {
	if d.server == nil {
		return
	}
	_ = d.server.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-time.After(10 * time.Second):
		_ = d.server.Process.Kill()
		<-d.ended
	}
	d.server = nil
}

func summary(changed []string) string {
	if len(changed) == 1 {
		return changed[0]
	}
	return fmt.Sprintf("%d files", len(changed))
}
