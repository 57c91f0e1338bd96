package page

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/frontend/ui"
)

// eventCode is how the kind of an event is written.
var eventCode = regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)

// recorded reads every hand-written package of the product and returns the kinds
// of the events that it records, with where. What an Entry's Kind may be is
// followed through variables, parameters and fields named Kind of its package.
type recorded struct {
	files *token.FileSet
	kinds map[string]string
	open  []string // places whose kind was not found out
}

// pkg is the functions and constants of one package.
type pkg struct {
	funcs  []*ast.FuncDecl
	consts map[string]ast.Expr
}

func kindsOfTheTree(t *testing.T) *recorded {
	t.Helper()
	r := &recorded{files: token.NewFileSet(), kinds: map[string]string{}}
	packages := map[string]*pkg{}
	root := os.DirFS(filepath.Join("..", ".."))
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{"node_modules", ".git", "build", "testdata", "storetest", "frontend"}, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(r.files, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		p := packages[path.Dir(name)]
		if p == nil {
			p = &pkg{consts: map[string]ast.Expr{}}
			packages[path.Dir(name)] = p
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				p.funcs = append(p.funcs, decl)
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && len(v.Values) == len(v.Names) {
						for i, n := range v.Names {
							p.consts[n.Name] = v.Values[i]
						}
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		for _, f := range p.funcs {
			r.look(p, f)
		}
	}
	return r
}

// look finds the entries that a function makes.
func (r *recorded) look(p *pkg, f *ast.FuncDecl) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if s, ok := n.Type.(*ast.SelectorExpr); !ok || s.Sel.Name != "Entry" || fmt.Sprint(s.X) != "ledger" {
				return true
			}
			for _, e := range n.Elts {
				if pair, ok := e.(*ast.KeyValueExpr); ok && fmt.Sprint(pair.Key) == "Kind" {
					r.note(p, f, pair.Value)
				}
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				s, ok := to.(*ast.SelectorExpr)
				if ok && s.Sel.Name == "Kind" && len(n.Rhs) == len(n.Lhs) {
					if said, ok := literal(n.Rhs[i]); ok && eventCode.MatchString(said) {
						r.note(p, f, n.Rhs[i])
					}
				}
			}
		}
		return true
	})
}

func (r *recorded) note(p *pkg, f *ast.FuncDecl, e ast.Expr) {
	at := r.files.Position(e.Pos())
	if at.Filename == "review/check.go" {
		return // it encodes again what was recorded
	}
	where := at.String()
	found := r.follow(p, f, e, 0)
	known := slices.ContainsFunc(found, eventCode.MatchString)
	for _, kind := range found {
		if known && kind == "?" {
			continue // another variable of the same name in that function
		}
		prefix, suffix, cut := strings.Cut(kind, "?")
		switch {
		case cut && suffix == "" && len(withStates[prefix]) > 0:
			for _, state := range withStates[prefix] {
				r.kinds[prefix+state] = where
			}
		case cut && strings.HasPrefix(kind, "?.") && len(ofRecords[suffix]) > 0:
			for _, noun := range ofRecords[suffix] {
				r.kinds[noun+suffix] = where
			}
		case cut || !eventCode.MatchString(kind):
			r.open = append(r.open, where+" records "+strconv.Quote(kind))
		default:
			r.kinds[kind] = where
		}
	}
}

var trashable = []string{erasure.TrashProject, erasure.TrashDataset, erasure.TrashSnapshot, erasure.TrashModel, erasure.TrashComparison}

// ofRecords are the kinds that begin with the kind of a record.
var ofRecords = map[string][]string{
	".deleted": trashable, ".restored": trashable, ".purged": trashable,
	".exported": {"dataset", "snapshot"},
}

// withStates are the kinds that end with the state that something came to.
var withStates = map[string][]string{"job.": {
	string(training.Queued), string(training.Starting), string(training.Running), string(training.Stopping), string(training.Succeeded),
	string(training.Failed), string(training.Cancelled), string(training.Preempted), string(training.Lost),
}}

// follow returns what an expression may be, "?" for what cannot be found out.
func (r *recorded) follow(p *pkg, f *ast.FuncDecl, e ast.Expr, deep int) []string {
	unknown := []string{"?"}
	if deep > 6 {
		return unknown
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		if said, ok := literal(e); ok {
			return []string{said}
		}
	case *ast.ParenExpr:
		return r.follow(p, f, e.X, deep+1)
	case *ast.BinaryExpr:
		var all []string
		for _, a := range r.follow(p, f, e.X, deep+1) {
			for _, b := range r.follow(p, f, e.Y, deep+1) {
				all = append(all, a+b)
			}
		}
		return all
	case *ast.IndexExpr: // of a map or list that is written out
		list, ok := e.X.(*ast.CompositeLit)
		if name, global := e.X.(*ast.Ident); global {
			list, ok = p.consts[name.Name].(*ast.CompositeLit)
		}
		if ok {
			return r.elements(p, f, list, deep)
		}
	case *ast.SelectorExpr: // a constant of the base package that declares events
		if fmt.Sprint(e.X) == "ledger" && e.Sel.Name == "EventKey" {
			return []string{ledger.EventKey}
		}
	case *ast.CallExpr:
		if len(e.Args) == 1 && fmt.Sprint(e.Fun) == "string" {
			return r.follow(p, f, e.Args[0], deep+1)
		}
	case *ast.Ident:
		var all []string
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					if name, ok := to.(*ast.Ident); ok && name.Name == e.Name && len(n.Lhs) == len(n.Rhs) {
						all = append(all, r.follow(p, f, n.Rhs[i], deep+1)...)
					}
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if name.Name == e.Name && len(n.Values) == len(n.Names) {
						all = append(all, r.follow(p, f, n.Values[i], deep+1)...)
					}
				}
			}
			return true
		})
		if at := parameter(f.Type, e.Name); at >= 0 {
			for _, other := range p.funcs {
				for _, arg := range arguments(other, f.Name.Name, f.Recv != nil, f.Type.Params.NumFields(), at) {
					all = append(all, r.follow(p, other, arg, deep+1)...)
				}
			}
		}
		for name, inner := range functionsIn(f) {
			if at := parameter(inner, e.Name); at >= 0 {
				for _, other := range p.funcs { // it may be handed on, under its name
					if other != f && parameter(other.Type, name) < 0 {
						continue
					}
					for _, arg := range arguments(other, name, false, inner.Params.NumFields(), at) {
						all = append(all, r.follow(p, other, arg, deep+1)...)
					}
				}
			}
		}
		if value, ok := p.consts[e.Name]; ok && len(all) == 0 {
			all = r.follow(p, f, value, deep+1)
		}
		if len(all) > 0 {
			return all
		}
	}
	return unknown
}

func (r *recorded) elements(p *pkg, f *ast.FuncDecl, list *ast.CompositeLit, deep int) []string {
	var all []string
	for _, e := range list.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			e = pair.Value
		}
		all = append(all, r.follow(p, f, e, deep+1)...)
	}
	return all
}

func literal(e ast.Expr) (string, bool) {
	if b, ok := e.(*ast.BasicLit); ok && b.Kind == token.STRING {
		said, err := strconv.Unquote(b.Value)
		return said, err == nil
	}
	return "", false
}

// parameter returns the place of a parameter, -1 for none of that name.
func parameter(f *ast.FuncType, name string) int {
	at := 0
	for _, field := range f.Params.List {
		for _, n := range field.Names {
			if n.Name == name {
				return at
			}
			at++
		}
	}
	return -1
}

// functionsIn returns the functions that a function names inside itself.
func functionsIn(f *ast.FuncDecl) map[string]*ast.FuncType {
	inside := map[string]*ast.FuncType{}
	ast.Inspect(f, func(n ast.Node) bool {
		if set, ok := n.(*ast.AssignStmt); ok && len(set.Lhs) == 1 && len(set.Rhs) == 1 {
			if made, ok := set.Rhs[0].(*ast.FuncLit); ok {
				inside[fmt.Sprint(set.Lhs[0])] = made.Type
			}
		}
		return true
	})
	return inside
}

// arguments returns what a function hands to another at a place.
func arguments(f *ast.FuncDecl, name string, method bool, n, at int) []ast.Expr {
	var all []ast.Expr
	ast.Inspect(f, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) != n {
			return true
		}
		switch to := call.Fun.(type) {
		case *ast.Ident:
			if !method && to.Name == name {
				all = append(all, call.Args[at])
			}
		case *ast.SelectorExpr:
			if method && to.Sel.Name == name {
				all = append(all, call.Args[at])
			}
		}
		return true
	})
	return all
}

func TestEveryEventThatIsRecordedHasANameInEveryLanguage(t *testing.T) {
	t.Parallel()
	r := kindsOfTheTree(t)
	if len(r.kinds) < 60 {
		t.Fatalf("only %d kinds were found: the code is no longer read as it is written", len(r.kinds))
	}
	for _, open := range r.open {
		t.Errorf("%s: which kinds these are is not found out, so that nobody sees whether they have names", open)
	}
	for _, l := range ui.Languages() {
		ctx := ui.In(t.Context(), l)
		for _, kind := range slices.Sorted(maps.Keys(r.kinds)) {
			if eventName(ctx, kind) == kind {
				t.Errorf("%s: the event %s has no name in %s (messages/%s/events.json)", r.kinds[kind], kind, l.Name, l.Tag)
			}
		}
	}
}

func TestAnEventThatHasNoNameIsShownByItsCode(t *testing.T) {
	t.Parallel()
	if got := eventName(t.Context(), "thing.happened"); got != "thing.happened" {
		t.Errorf("it is shown as %q", got)
	}
}
