package app

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/adjudge/adjudge/backend/store/storetest"
)

// TestScripts plays testdata/script: each file is a story of commands against a
// real server with an empty data directory, on SQLite and, where one is given,
// on PostgreSQL. Beside testscript's own words a script may say:
//
//	serve [flag…]      start a server and wait until it answers
//	end, crash         end it in good order, or by SIGKILL
//	sql STATEMENT      change the database behind the server's back
//	flip FILE OFFSET   change one byte of a file
//	readenv NAME FILE  set a variable to what stands in a file, as $(…) would
//	until TEXT COMMAND…  run a command again until its output holds a text
//	firstAs USER NAME  follow the link of the first start
//
// Lines after [postgres] or [!postgres] are for one database alone.
//
// testscript's own "stop" leaves the rest of a script out; no script says it.
func TestScripts(t *testing.T) {
	t.Parallel()
	noneStops(t)
	databases := map[string]func(*testscript.Env, testing.TB) string{
		"sqlite": func(env *testscript.Env, _ testing.TB) string {
			return filepath.Join(env.WorkDir, "data", "adjudge.db")
		},
	}
	if os.Getenv(storetest.PostgresVariable) != "" {
		databases["postgres"] = func(_ *testscript.Env, t testing.TB) string { return storetest.Postgres(t) }
	}
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := binary(t)
			testscript.Run(t, testscript.Params{
				Dir: "../testdata/script",
				Setup: func(env *testscript.Env) error {
					env.Setenv("PATH", filepath.Dir(program)+string(os.PathListSeparator)+env.Getenv("PATH"))
					env.Setenv("HOME", env.WorkDir)
					env.Setenv("ADJUDGE_DATA", filepath.Join(env.WorkDir, "data"))
					env.Setenv("ADJUDGE_DATABASE", database(env, t))
					env.Values[scriptServer{}] = new(scriptServer)
					return nil
				},
				Condition: func(c string) (bool, error) {
					if c != "postgres" {
						return false, errors.New("no such condition")
					}
					return name == c, nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"serve": scriptServe, "end": scriptEnd(syscall.SIGTERM), "crash": scriptEnd(syscall.SIGKILL),
					"sql": scriptSQL, "flip": scriptFlip, "records": scriptRecords,
					"readenv": scriptReadEnv,
					"voteAs":  scriptSign("vote"), "unvoteAs": scriptSign("unvote"), "confirmAs": scriptSign("confirm"), "withdrawAs": scriptSign("withdraw"),
					"firstAs": scriptFirst, "until": scriptUntil,
				},
			})
		})
	}
}

// noneStops fails where the rest of a script would pass unread.
func noneStops(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob("../testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		story, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`(?m)^(\[[^\]]*\] *)*stop\b`).Match(txtar.Parse(story).Comment) {
			t.Errorf("%s says stop, which leaves out the rest of it; the server is ended with end", file)
		}
	}
}

// scriptServer is the server of one script.
type scriptServer struct{ cmd *exec.Cmd }

func scriptServe(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(scriptServer{}).(*scriptServer)
	data := ts.Getenv("ADJUDGE_DATA")
	_ = os.Remove(filepath.Join(data, "credential.json")) // a crash leaves it behind
	s.cmd = exec.Command("adjudge", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	s.cmd.Path = filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], "adjudge")
	s.cmd.Err = nil
	s.cmd.Dir = ts.Getenv("WORK")
	for _, name := range []string{"PATH", "HOME", "ADJUDGE_DATA", "ADJUDGE_DATABASE", "WORK", "TMPDIR"} {
		s.cmd.Env = append(s.cmd.Env, name+"="+ts.Getenv(name))
	}
	log, err := os.OpenFile(filepath.Join(s.cmd.Dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	ts.Check(s.cmd.Start())
	ts.Defer(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Signal(syscall.SIGTERM)
			_ = s.cmd.Wait()
		}
		_ = log.Close()
	})
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err := os.Stat(filepath.Join(data, "credential.json")); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("the server did not start:\n%s", ts.ReadFile("server.log"))
}

func scriptEnd(signal syscall.Signal) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		s := ts.Value(scriptServer{}).(*scriptServer)
		ts.Check(s.cmd.Process.Signal(signal))
		err := s.cmd.Wait()
		if failed, ok := errors.AsType[*exec.ExitError](err); ok && signal == syscall.SIGKILL && !failed.Success() {
			return
		}
		ts.Check(err)
	}
}

func scriptSQL(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: sql STATEMENT")
	}
	driver, address := "pgx", ts.Getenv("ADJUDGE_DATABASE")
	if !strings.HasPrefix(address, "postgres") {
		// The server may be writing: it is waited for, not failed on.
		driver, address = "sqlite", "file:"+address+"?_pragma=busy_timeout(30000)"
	}
	db, err := sql.Open(driver, address)
	ts.Check(err)
	defer func() { _ = db.Close() }()
	result, err := db.Exec(args[0])
	ts.Check(err)
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("the statement changed nothing: %v", err)
	}
}

func scriptFlip(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: flip FILE OFFSET")
	}
	path := ts.MkAbs(args[0])
	offset, err := strconv.Atoi(args[1])
	ts.Check(err)
	content, err := os.ReadFile(path)
	ts.Check(err)
	if offset < 0 {
		offset += len(content)
	}
	content[offset] ^= 1
	ts.Check(os.Chmod(path, 0o600))
	ts.Check(os.WriteFile(path, content, 0o600))
}

// scriptRecords writes records of so many bytes each, in which little is said.
func scriptRecords(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: records FILE COUNT BYTES")
	}
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	length, err := strconv.Atoi(args[2])
	ts.Check(err)
	var lines strings.Builder
	for n := range count {
		fmt.Fprintf(&lines, "{\"text\":\"%d %s\"}\n", n, strings.Repeat("z", length))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(lines.String()), 0o600))
}

// scriptUntil asks a command again and again, for what the server does behind
// the scenes shows in its answers alone.
func scriptUntil(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: until TEXT COMMAND…")
	}
	var last string
	for end := time.Now().Add(patience); time.Now().Before(end); {
		cmd := exec.Command(args[1], args[2:]...)
		if args[1] == "adjudge" { // not on this process's own path
			cmd.Path, cmd.Err = filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], args[1]), nil
		}
		cmd.Dir = ts.Getenv("WORK")
		cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "ADJUDGE_DATA=" + ts.Getenv("ADJUDGE_DATA"), "ADJUDGE_DATABASE=" + ts.Getenv("ADJUDGE_DATABASE")}
		out, _ := cmd.CombinedOutput() // a refusal is an answer, too
		if last = string(out); strings.Contains(last, args[0]) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("%v never said %q; in the end it said:\n%s", args[1:], args[0], last)
}

func scriptReadEnv(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: readenv NAME FILE")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}
