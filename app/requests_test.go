package app

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// A request that a function was given is not its own. Who replaces its body hides
// from net/http whether the body was read to its end, and what is left of it is
// taken for the next request of the connection; who replaces its address or its
// headers lies to whoever looks afterwards. It is changed on a copy that has a
// name of its own.
func TestNobodyChangesARequestInPlace(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		if strings.HasSuffix(file.path, "_test.go") {
			continue
		}
		for _, decl := range file.syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
				for _, name := range changedRequests(fn.Type, fn.Body) {
					t.Errorf("%s: %s changes %s, which it was given or which shares its headers with it; change a Clone that has a name of its own, or the body with withBody", file.path, fn.Name.Name, name)
				}
			}
		}
	}
}

// A limit on a body must reach the writer of the connection itself, through those
// around it: one place knows how.
func TestABodyIsBoundedInOnePlace(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		if strings.HasSuffix(file.path, "_test.go") || file.path == "backend/web/body.go" {
			continue
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && nameOf(call.Fun) == "http.MaxBytesReader" {
				t.Errorf("%s calls http.MaxBytesReader; use Bounded of backend/web", file.path)
			}
			return true
		})
	}
}

func TestTheRuleAboutRequestsSeesWhatItIsFor(t *testing.T) {
	t.Parallel()
	wrong := []string{
		"func f(r *http.Request) { r.Body = nil }",
		"func f(r *http.Request) { r.URL.Path = `/` }",
		"func f(r *http.Request) { r.Header.Set(`A`, `b`) }",
		"func f(r *http.Request) { *r = *r.Clone(nil) }",
		"func f(r *http.Request) { r = r.WithContext(nil); r.Host = `a` }",
		"func f(r *http.Request) { s := r.WithContext(nil); s.Header.Del(`A`) }",
		"func f(r *http.Request) { s := r.WithContext(nil); s.URL.RawQuery += `a` }",
		"func f() { g(func(w http.ResponseWriter, r *http.Request) { func() { r.Host = `a` }() }) }",
		"func f(r *http.Request) { s := r; s.Body = nil }",
	}
	right := []string{
		"func f(r *http.Request) { s := r.Clone(nil); s.URL.Path = `/`; s.Header.Set(`A`, `b`); s.Body = nil }",
		"func f(r *http.Request) { s := r.WithContext(nil); s.Body = nil }",
		"func f(r *http.Request) { r = r.WithContext(nil) }",
		"func f() { r, _ := http.NewRequest(`GET`, `/`, nil); r.Host = `a`; r.Header.Set(`A`, `b`) }",
	}
	for wanted, texts := range map[bool][]string{true: wrong, false: right} {
		for _, text := range texts {
			fn := parsed(t, "package p\n"+text).Decls[0].(*ast.FuncDecl)
			if got := changedRequests(fn.Type, fn.Body); (len(got) > 0) != wanted {
				t.Errorf("%s: the rule says %v", text, got)
			}
		}
	}
}

// changedRequests names the requests that a function or one inside it was given,
// and changes.
func changedRequests(kind *ast.FuncType, body *ast.BlockStmt) (changed []string) {
	given, shallow := requestsIn(kind), map[string]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			for name := range requestsIn(n.Type) {
				given[name] = true
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				switch left := left.(type) {
				case *ast.Ident:
					if n.Tok == token.DEFINE && i < len(n.Rhs) {
						if from, ok := n.Rhs[i].(*ast.Ident); ok && given[from.Name] {
							given[left.Name] = true // another name for the same
						}
						if call, ok := n.Rhs[i].(*ast.CallExpr); ok && path.Ext(nameOf(call.Fun)) == ".WithContext" {
							shallow[left.Name] = true // shares the address and the headers
						}
					}
				case *ast.StarExpr:
					if name, ok := left.X.(*ast.Ident); ok && given[name.Name] {
						changed = append(changed, "*"+name.Name)
					}
				case *ast.SelectorExpr, *ast.IndexExpr:
					parts := strings.Split(nameOf(left), ".")
					if len(parts) > 1 && (given[parts[0]] || len(parts) > 2 && shallow[parts[0]]) {
						changed = append(changed, strings.Join(parts, "."))
					}
				}
			}
		case *ast.CallExpr:
			parts := strings.Split(nameOf(n.Fun), ".")
			if len(parts) == 3 && slices.Contains([]string{"Header.Set", "Header.Add", "Header.Del"}, parts[1]+"."+parts[2]) && (given[parts[0]] || shallow[parts[0]]) {
				changed = append(changed, strings.Join(parts, "."))
			}
		}
		return true
	})
	return changed
}

// requestsIn are the parameters of a function that are requests.
func requestsIn(kind *ast.FuncType) map[string]bool {
	found := map[string]bool{}
	for _, field := range kind.Params.List {
		if star, ok := field.Type.(*ast.StarExpr); ok && nameOf(star.X) == "http.Request" {
			for _, name := range field.Names {
				found[name.Name] = true
			}
		}
	}
	return found
}

// nameOf writes a chain of names as it stands in the source, "" for anything else.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if inner := nameOf(e.X); inner != "" {
			return inner + "." + e.Sel.Name
		}
	case *ast.IndexExpr:
		return nameOf(e.X) + ".[]"
	}
	return ""
}

func parsed(t *testing.T, text string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
