package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

const (
	desktopTags = "desktop,production,webkit2_41"
	// Generators and linters have a go.mod of their own: what they need is no
	// dependency of the product.
	tools = "-modfile=build/tools/go.mod"
	// The S3 server that tests keep files in needs more than all other tools
	// together, in versions of its own.
	toolsS3 = "-modfile=build/tools/s3/go.mod"
)

// stages lists what `make test` runs, in the order of the table.
func stages() []stage {
	return []stage{
		{name: "install", about: "install what the tests need (on Debian as root), else say what is missing", run: install},
		{name: "modules", about: "npm ci, unless node_modules is what the lock says", run: modules},
		{name: "tidy", about: "go mod tidy would change nothing, neither for the product nor for the tools", run: tidy},
		{name: "generated", about: "write generated code again: it must be what is committed; bundle the scripts", needs: []string{"modules"}, run: generated},
		{name: "vet", about: "go vet, with and without the tags of the browser tests", needs: []string{"generated"}, run: vet},
		{name: "types", about: "the TypeScript compiler's check of the islands", needs: []string{"modules"}, run: func(j *job) error {
			return j.command(nil, "node_modules/.bin/tsc", "--noEmit", "-p", "frontend/tsconfig.json")
		}},
		{name: "islands", about: "tests of the islands' own logic, in node", needs: []string{"modules"}, run: func(j *job) error {
			return j.command(nil, "go", "run", "./build/bundle", "-test")
		}},
		{name: "lint", about: "golangci-lint as .golangci.yml says", needs: []string{"generated"}, run: func(j *job) error {
			return j.command(nil, "go", "tool", tools, "golangci-lint", "run", "--allow-parallel-runners")
		}},
		{name: "s3", about: "build the S3 server that tests keep files in", run: buildS3},
		{name: "unit", about: "tests of every package but the store and the commands, with a bucket", needs: []string{"s3", "generated"}, run: unit},
		{name: "store", about: "tests of the store, on SQLite and on a private PostgreSQL", needs: []string{"install", "generated"}, run: func(j *job) error {
			return j.onBoth(sharedCluster, nil, "./backend/store/...")
		}},
		{name: "commands", about: "tests of the commands, each against a server of its own, on both databases", needs: []string{"install", "s3", "generated"}, run: func(j *job) error {
			return j.onBoth(sharedCluster, j.withS3(), "./app/...", ".")
		}},
		{name: "race", about: "the packages that run things at once, under the race detector", needs: []string{"install", "generated"}, run: race},
		{name: "e2e", about: "browser tests: the pages and the whole walk in Chromium", needs: []string{"install", "generated"}, alone: true, run: func(j *job) error {
			return j.tagged("e2e", "e2e")
		}},
		{name: "monday", about: "two servers on PostgreSQL behind nginx while servers and database restart", needs: []string{"install", "s3", "generated"}, alone: true, run: func(j *job) error {
			return j.tagged("monday", "e2e,monday")
		}},
		{name: "desktop", about: "the desktop window under a virtual screen, with real key events", needs: []string{"install", "generated"}, alone: true, run: func(j *job) error {
			return j.tagged("desktop", desktopTags)
		}},
		{name: "cross", about: "the program builds for the other systems", needs: []string{"generated"}, last: true, run: cross},
	}
}

// tidy says what `go mod tidy` would change, by its own diff.
func tidy(j *job) error {
	for _, module := range []string{".", "build/tools", "build/tools/s3", "build/tools/provider"} {
		if err := j.command(nil, "go", "-C", module, "mod", "tidy", "-diff"); err != nil {
			return fmt.Errorf("run `go mod tidy` in %s and commit what it wrote: %w", module, err)
		}
	}
	return nil
}

// generated writes the generated code again and compares: what is committed
// must be what the pinned generator makes of the committed sources.
func generated(j *job) error {
	before, err := generatedFiles()
	if err != nil {
		return err
	}
	if err := j.command(nil, "go", "tool", tools, "templ", "generate", "-log-level=warn"); err != nil {
		return err
	}
	after, err := generatedFiles()
	if err != nil {
		return err
	}
	var stale []string
	for path, sum := range after {
		if before[path] != sum {
			stale = append(stale, path)
		}
	}
	for path := range before {
		if _, err := os.Stat(strings.TrimSuffix(path, "_templ.go") + ".templ"); err != nil {
			stale = append(stale, path+" (its .templ is gone)")
		}
	}
	if len(stale) > 0 {
		return fmt.Errorf("generated code was stale and is written again, commit it: %s", strings.Join(stale, ", "))
	}
	return j.command(nil, "go", "run", "./build/bundle")
}

func generatedFiles() (map[string][32]byte, error) {
	sums := map[string][32]byte{}
	err := filepath.WalkDir("frontend", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_templ.go") {
			return err
		}
		text, err := os.ReadFile(path)
		sums[path] = sha256.Sum256(place.ReplaceAll(text, nil))
		return err
	})
	return sums, err
}

// place is where generated code says it came from: relative to the folder in
// which the generator was started, which is no matter of freshness.
var place = regexp.MustCompile("FileName: `[^`]*`")

func vet(j *job) error {
	if err := j.command(nil, "go", "vet", "./..."); err != nil {
		return err
	}
	return j.command(nil, "go", "vet", "-tags=e2e,monday", "./app/...")
}

// cross builds for systems on which no test runs here. Each has files of its
// own (locks, process groups, limits), which a change elsewhere breaks unseen.
func cross(j *job) error {
	for _, target := range []string{"windows/amd64", "darwin/arm64", "linux/arm64"} {
		system, processor, _ := strings.Cut(target, "/")
		if system == runtime.GOOS && processor == runtime.GOARCH {
			continue
		}
		env := []string{"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + processor}
		out := filepath.Join(j.house.temp, "cross-"+system+"-"+processor)
		if err := j.command(env, "go", "build", "-o", out, "."); err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
	}
	return nil
}

func unit(j *job) error {
	packages, err := listPackages(j)
	if err != nil {
		return err
	}
	args := packages[:0]
	for _, p := range packages {
		if !under(p, "backend/store") && !under(p, "app") {
			args = append(args, p)
		}
	}
	return j.goTest(j.withS3(), args...)
}

// onBoth runs tests that use SQLite always and PostgreSQL where there is one, on
// the cluster of a name; env is what they are told besides.
func (j *job) onBoth(cluster string, env []string, args ...string) error {
	address, err := j.startPostgres(cluster)
	if err != nil {
		return err
	}
	return j.goTest(append(env, "ADJUDGE_TEST_POSTGRES="+address), args...)
}

// buildS3 builds the S3 server, or finds it in Go's own cache.
func buildS3(j *job) error {
	cmd := j.prepare(nil, "go", "tool", toolsS3, "-n", "versitygw")
	var path bytes.Buffer
	cmd.Stdout, cmd.Stderr = &path, j.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build versitygw of build/tools/s3: %w", err)
	}
	j.house.s3 = strings.TrimSpace(path.String())
	return nil
}

// withS3 tells tests where the S3 server is.
func (j *job) withS3() []string { return []string{"ADJUDGE_TEST_S3=" + j.house.s3} }

// race runs under the race detector what runs things at once. The other
// packages are left out because the detector makes them ten times slower
// without anything to find.
func race(j *job) error {
	packages, err := listPackages(j)
	if err != nil {
		return err
	}
	var args []string
	for _, p := range packages {
		for _, room := range []string{"backend/store", "backend/training", "backend/live", "backend/runner", "backend/engine"} {
			if under(p, room) {
				args = append(args, p)
			}
		}
	}
	if len(args) == 0 {
		return errors.New("none of the packages that run things at once was found")
	}
	// A cluster of its own: the store's tests may run beside on the other one.
	return j.onBoth("race", []string{"CGO_ENABLED=1"}, append([]string{"-race", "-timeout=15m"}, args...)...)
}

// tagged runs the tests of app that stand in files with a build tag, and only
// them: the others ran in a stage of their own.
func (j *job) tagged(tag, tags string) error {
	files, err := filepath.Glob("app/*_test.go")
	if err != nil {
		return err
	}
	constraint := regexp.MustCompile(`(?m)^//go:build .*\b` + tag + `\b`)
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if !constraint.Match(text) {
			continue
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test[A-Z]\w*)\(t `).FindAllSubmatch(text, -1) {
			if name := string(m[1]); name != "TestMain" {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("no test has the build tag %s", tag)
	}
	return j.onBoth(sharedCluster, j.withS3(), "-count=1", "-timeout=35m", "-tags="+tags, "-run=^("+strings.Join(names, "|")+")$", "./app")
}

func listPackages(j *job) ([]string, error) {
	cmd := exec.CommandContext(j.ctx, "go", "list", "./...")
	var words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &words, j.out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return strings.Fields(words.String()), nil
}

func under(pkg, room string) bool {
	room = "github.com/adjudge/adjudge/" + room
	return pkg == room || strings.HasPrefix(pkg, room+"/")
}
