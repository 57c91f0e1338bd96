package app

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The tests of this file hold the house together: who may import whom, what
// stands where, what is documented. They read the sources, so they see the
// files of every system and build tag at once.

const module = "github.com/adjudge/adjudge/"

// A room is one row of the import table. A pattern ending in "/..." covers the
// packages below it; the most specific row of a package decides.
type room struct {
	pattern string
	may     []string // rooms of this house
	outside []string // modules of others, beside the standard library
	why     string
}

var (
	leaves = []string{"backend/fault", "backend/ledger", "backend/work", "backend/stat"}
	desks  = []string{"labeling", "compare", "review"}
)

func rooms() []room {
	and := func(lists ...[]string) []string { return slices.Concat(lists...) }
	return []room{
		{"backend/fault", nil, nil,
			"an error kind is the first word of every room: it can lean on nothing"},
		{"backend/ledger", []string{"backend/fault"}, nil,
			"actors, roles and digests; Actor.Must refuses with a fault"},
		{"backend/work", []string{"backend/fault", "backend/ledger"}, nil,
			"an order names who gave it"},
		{"backend/stat", nil, []string{"gonum.org/v1/gonum"},
			"numbers in, numbers out"},

		{"labeling", leaves, nil,
			"the first desk knows no other: what is labeled does not depend on who is compared"},
		{"compare", and(leaves, []string{"labeling"}), nil,
			"models are compared on snapshots"},
		{"review", and(leaves, []string{"labeling", "compare"}), nil,
			"a candidate is judged by snapshots and comparisons"},
		{"backend/training", and(leaves, desks), nil,
			"a finished attempt makes a run, a model and a draft candidate in one transaction"},
		{"backend/training/recipe", and(leaves, []string{"backend/training"}), nil,
			"a recipe describes itself in training's words"},
		{"backend/identity", leaves, []string{"golang.org/x/crypto", "github.com/coreos/go-oidc/v3", "golang.org/x/oauth2"},
			"who somebody is does not depend on what they do; passwords are hashed with argon2id, providers speak OpenID Connect"},
		{"backend/outbound", leaves, nil,
			"the only HTTP client by which a server calls others; what calls is handed it"},

		{"backend/erasure", leaves, nil,
			"what is erased and what stays is decided over opaque ids, kinds and payloads"},

		{"backend/store", and(leaves, desks, []string{"backend/training", "backend/identity", "backend/erasure"}),
			[]string{"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", "modernc.org/sqlite"},
			"all SQL, and nothing else knows any"},
		{"backend/store/storetest", and(leaves, desks, []string{"backend/store", "backend/store/pgtest", "backend/training", "backend/identity", "backend/erasure"}), []string{"github.com/google/uuid"},
			"the suite that both databases pass; only tests import it"},
		{"backend/store/pgtest", nil, nil,
			"a PostgreSQL for tests, the store's own too; only tests import it"},

		{"backend/columns", and(leaves, desks), []string{"github.com/apache/arrow/go/v17"},
			"the only user of Arrow"},
		{"backend/format/...", and(leaves, desks), nil,
			"an importer knows its format and the desk that takes its rows"},
		{"backend/blob", and(leaves, desks), []string{"github.com/minio/minio-go/v7"}, "files by digest, in a directory or a bucket"},
		{"backend/blob/blobtest", nil, []string{"github.com/minio/minio-go/v7"},
			"a bucket for tests; only tests import it"},
		{"backend/media", and(leaves, desks, []string{"backend/outbound"}), nil,
			"reads what items refer to, in directories and by the only client that calls others"},
		{"backend/signer", and(leaves, desks), nil, "keys and signatures over what review states"},
		{"backend/meter", leaves, []string{"github.com/prometheus/client_golang"},
			"counters for operators, the only user of Prometheus' library"},
		{"backend/trace", leaves, []string{"go.opentelemetry.io/otel", "go.opentelemetry.io/proto/otlp", "google.golang.org/protobuf"},
			"spans for operators, the only user of OpenTelemetry's library"},
		{"backend/checkpoint", leaves, nil, "heads of the history, kept where nobody can change them"},
		{"backend/live", and(leaves, desks), []string{"github.com/gorilla/websocket"},
			"the only user of WebSockets"},

		{"backend/engine/...", and(leaves, []string{"backend/training"}), nil,
			"an engine places attempts and knows no other engine"},
		{"backend/engine/enginetest", and(leaves, []string{"backend/training"}), nil,
			"the suite that every engine passes; only tests import it"},
		{"backend/runner", and(leaves, []string{"backend/training"}), nil,
			"supervises one attempt wherever it was placed"},
		{"backend/trainer/...", []string{"backend/columns", "backend/stat"}, nil,
			"a trainer is a program that reads files: it knows nothing of the house around it"},

		{"frontend/ui", leaves, []string{"github.com/a-h/templ", "golang.org/x/text"},
			"primitives show roles and faults and know no desk"},
		{"frontend/static", nil, nil, "embedded files"},
		{"frontend/page", and(leaves, desks, []string{"frontend/ui", "frontend/static", "backend/training", "backend/identity", "backend/erasure"}),
			[]string{"github.com/a-h/templ"},
			"a page shows values of the domain; it calls no service"},
		{"backend/web", and(leaves, desks, []string{"frontend/page", "frontend/ui", "frontend/static", "backend/training", "backend/identity", "backend/erasure", "backend/live"}),
			[]string{"github.com/a-h/templ", "github.com/go-chi/chi/v5", "github.com/go-chi/httprate", "github.com/danielgtaylor/huma/v2", "github.com/gorilla/websocket"},
			"everything else reaches it by constructor"},

		{"app", []string{"..."}, []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/google/uuid", "github.com/wailsapp/wails/v2", "github.com/godbus/dbus/v5"},
			"wires all rooms"},
		{".", []string{"app"}, nil, "three lines"},

		{"build/bundle", nil, []string{"github.com/evanw/esbuild"}, "a tool of this repository, not of the product"},
		{"build/...", nil, nil, "tools of this repository, not of the product"},
	}
}

// outsideFile narrows a module that its room may use to the one file that does.
var outsideFile = map[string]string{
	"github.com/wailsapp/wails/v2": "app/desktop.go",
}

func TestEveryImportIsInTheTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, file := range sources(t) {
		if strings.HasSuffix(file.path, "_test.go") {
			continue
		}
		pkg := path.Dir(file.path)
		row, ok := rowOf(pkg)
		if !ok {
			if !seen[pkg] {
				t.Errorf("package %s is missing from the import table in app/house_test.go: add it with the reason why it stands there", pkg)
			}
			seen[pkg] = true
			continue
		}
		for _, spec := range file.syntax.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if complaint := refuses(row, file.path, target); complaint != "" {
				t.Errorf("%s imports %s: %s", file.path, target, complaint)
			}
		}
	}
}

func refuses(row room, file, target string) string {
	if inner, ours := strings.CutPrefix(target, module); ours {
		pkg := path.Dir(file)
		if inner == pkg || slices.ContainsFunc(row.may, func(pattern string) bool { return covers(pattern, inner) }) {
			return ""
		}
		return "the table does not allow " + row.pattern + " to know it (" + row.why + ")"
	}
	first, _, _ := strings.Cut(target, "/")
	if !strings.Contains(first, ".") {
		if target == "database/sql" && !strings.HasPrefix(row.pattern, "backend/store") {
			return "SQL is spoken in backend/store alone"
		}
		return ""
	}
	for _, allowed := range row.outside {
		if target != allowed && !strings.HasPrefix(target, allowed+"/") {
			continue
		}
		if only := outsideFile[allowed]; only != "" && file != only {
			return "only " + only + " may"
		}
		return ""
	}
	return "one outside dependency, one room: " + row.pattern + " is not the room of this one"
}

// rowOf finds the most specific row of a package.
func rowOf(pkg string) (room, bool) {
	var best room
	for _, row := range rooms() {
		if covers(row.pattern, pkg) && len(row.pattern) > len(best.pattern) {
			best = row
		}
	}
	return best, best.pattern != ""
}

func covers(pattern, pkg string) bool {
	if pattern == "..." {
		return !strings.HasPrefix(pkg, "build/")
	}
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return strings.HasPrefix(pkg, base+"/")
	}
	return pattern == pkg
}

func TestTheDrawingOfTheHouseShowsEveryRoom(t *testing.T) {
	t.Parallel()
	drawing, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range sources(t) {
		names := strings.Split(path.Dir(file.path), "/")
		for _, name := range names[:min(2, len(names))] {
			if name != "." && names[0] != "build" && !regexp.MustCompile(`\b`+name+`\b`).Match(drawing) {
				t.Errorf("app/doc.go does not show %s", path.Dir(file.path))
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, file := range sources(t) {
		if strings.HasSuffix(file.path, "_test.go") {
			continue
		}
		pkg := path.Dir(file.path)
		documented[pkg] = documented[pkg] || len(strings.TrimSpace(file.syntax.Doc.Text())) > 40
	}
	for pkg, yes := range documented {
		if !yes {
			t.Errorf("package %s has no package comment that says what it is for", pkg)
		}
	}
}

func TestPackagesStandNoDeeperThanThreeAndAreNamedAfterWhatTheyHold(t *testing.T) {
	t.Parallel()
	empty := []string{"util", "utils", "common", "helper", "helpers", "model", "models", "types", "core", "manager", "base", "misc", "shared"}
	for _, file := range sources(t) {
		pkg := path.Dir(file.path)
		// A recipe is a folder of training, which design names with four elements.
		if strings.Count(pkg, "/") > 2 && !strings.HasPrefix(pkg, "backend/training/recipe/") {
			t.Errorf("package %s sits deeper than three path elements", pkg)
		}
		if slices.Contains(empty, path.Base(pkg)) {
			t.Errorf("package %s has a name that says nothing", pkg)
		}
	}
}

func TestNoPackageLevelVariableCanBeSetFromOutside(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		if strings.HasSuffix(file.path, "_test.go") || strings.HasSuffix(file.path, "_templ.go") {
			continue
		}
		for _, decl := range file.syntax.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					// A sentinel error is compared, not set; errors.New gives it no state.
					if name.IsExported() && !strings.HasPrefix(name.Name, "Err") {
						t.Errorf("%s: variable %s can be set by any package; make it a function or a constant", file.path, name.Name)
					}
				}
			}
		}
	}
}

func TestTheTopLevelHoldsNothingElse(t *testing.T) {
	t.Parallel()
	allowed := []string{
		"app", "frontend", "backend", "review", "labeling", "compare", "build", "testdata",
		"main.go", "go.mod", "go.sum", "wails.json", "Makefile", "README.md",
		// Files that tools look for at the top.
		"LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ".golangci.yml", ".gitignore", ".gitattributes",
		"package.json", "package-lock.json", ".github", ".ci",
	}
	for _, name := range tracked(t) {
		top, _, _ := strings.Cut(name, "/")
		if !slices.Contains(allowed, top) {
			t.Errorf("%s does not belong at the top level", top)
		}
	}
}

func TestGeneratedAndForeignFilesAreNotCommitted(t *testing.T) {
	t.Parallel()
	for _, name := range tracked(t) {
		switch {
		case strings.HasPrefix(name, "frontend/static/dist/") && name != "frontend/static/dist/.keep",
			strings.HasSuffix(name, "_templ.txt"), strings.HasPrefix(name, "node_modules"), strings.HasSuffix(name, ".min.js"):
			t.Errorf("%s is made or fetched, not committed", name)
		}
	}
}

// What goes into a spreadsheet goes through ledger.Sheet, which keeps it from
// running what somebody wrote into a cell.
func TestTheOnlyWriterOfSheetsIsTheOneThatMakesCells(t *testing.T) {
	t.Parallel()
	for _, name := range tracked(t) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "backend/ledger/sheet.go" {
			continue
		}
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "csv.NewWriter") {
			t.Errorf("%s writes a sheet by itself; use ledger.NewSheet", name)
		}
	}
}

// The pure-Go SQLite is C that was translated against one version of its C
// library: with another one it breaks in ways that no compiler sees.
func TestSQLiteGetsTheLibcItWasTranslatedFor(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	theirs := versionIn(t, strings.TrimSpace(string(out)), "modernc.org/libc")
	ours := versionIn(t, "../go.mod", "modernc.org/libc")
	if ours != theirs {
		t.Errorf("go.mod has modernc.org/libc %s, and modernc.org/sqlite demands exactly %s", ours, theirs)
	}
}

// The generator of the pages is a tool, what they import is the product's: code
// of one version compiles against the other, and may mean something else.
func TestPagesAreGeneratedByTheTemplThatTheyImport(t *testing.T) {
	t.Parallel()
	imported, generates := versionIn(t, "../go.mod", "github.com/a-h/templ"), versionIn(t, "../build/tools/go.mod", "github.com/a-h/templ")
	if imported != generates {
		t.Errorf("go.mod has templ %s, and build/tools/go.mod generates with %s", imported, generates)
	}
}

// versionIn returns the version of a module in a go.mod file.
func versionIn(t *testing.T, file, module string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(regexp.QuoteMeta(module) + ` (v[0-9.]+)`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s names no %s", file, module)
	}
	return string(found[1])
}

// source is one Go file of this repository, its path relative to the root.
type source struct {
	path   string
	syntax *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var files []source
	set := token.NewFileSet()
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch entry.Name() {
			case "node_modules", "testdata", ".git", "dist", "bin", "data", "tools":
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		syntax, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, source{strings.TrimPrefix(filepath.ToSlash(name), "../"), syntax})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// tracked lists what is or would be committed.
func tracked(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", "..", "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	return strings.Fields(string(out))
}
