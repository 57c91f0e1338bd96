package ui

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// makers are the functions that make sentences for people, by package and name,
// with the place of the format among their arguments.
var makers = map[string]int{
	"fault.New": 1, "fault.Field": 1, "fault.As": 2, "fault.Say": 0, "fault.Format": 0, "ledger.Reason": 1,
}

// made is where a sentence is made.
type made struct {
	where    string
	internal bool // for the log only
}

// sentencesOfTheTree reads every hand-written file of the product and returns the
// formats of its sentences, and what it may not do: build a format, or a fault
// without one.
func sentencesOfTheTree(t *testing.T) (formats map[string]made, wrong []string) {
	t.Helper()
	formats = map[string]made{}
	root := os.DirFS(filepath.Join("..", ".."))
	files := token.NewFileSet()
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case "node_modules", ".git", "build", "testdata", "fault", "storetest", "enginetest":
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") {
			return nil
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if named(n.Type) == "fault.Error" && slices.ContainsFunc(n.Elts, func(e ast.Expr) bool {
					pair, ok := e.(*ast.KeyValueExpr)
					return ok && fmt.Sprint(pair.Key) == "Message"
				}) {
					wrong = append(wrong, fmt.Sprintf("%s makes a fault with a message of its own; use fault.New, and At for its field", files.Position(n.Pos())))
				}
			case *ast.CallExpr:
				name := named(n.Fun)
				at, makes := makers[name]
				if !makes || len(n.Args) <= at {
					return true
				}
				format, constant := literal(n.Args[at])
				if call, ok := n.Args[at].(*ast.CallExpr); ok && named(call.Fun) == "fault.Format" {
					return true // it is looked at by itself
				}
				where := files.Position(n.Pos()).String()
				if !constant {
					wrong = append(wrong, where+" gives "+name+" a format that is no constant, which has no translation")
					return true
				}
				internal := named(n.Args[0]) == "fault.Internal"
				if was, known := formats[format]; !known || was.internal {
					formats[format] = made{where, internal}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return formats, wrong
}

// named returns what a selector of a package says, such as "fault.New".
func named(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + s.Sel.Name
}

func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		a, first := literal(e.X)
		b, second := literal(e.Y)
		return a + b, first && second
	}
	return "", false
}

// Whoever adds a refusal or another sentence adds its German: the format is the
// key, in the file of its room under messages/de/sentences.
func TestEverySentenceThatGoMakesHasATranslation(t *testing.T) {
	t.Parallel()
	formats, wrong := sentencesOfTheTree(t)
	if len(formats) < 500 {
		t.Fatalf("found only %d sentences: they are made by other functions now", len(formats))
	}
	for _, w := range wrong {
		t.Error(w)
	}
	for _, l := range Languages() {
		if l == english {
			continue
		}
		all := sentences()[l.Tag]
		for format, made := range formats {
			if made.internal || format == "%s" { // which hands a sentence on
				continue
			}
			if all.byFormat[format] == nil {
				t.Errorf("%s: messages/%s/sentences lacks the key %q of %s", l.Name, l.Tag, format, made.where)
			}
		}
	}
}

// A translation that nothing asks for any more goes; words without verbs, which
// arguments and kept texts are made of, stay.
func TestNoSentenceIsTranslatedInVain(t *testing.T) {
	t.Parallel()
	formats, _ := sentencesOfTheTree(t)
	for _, l := range Languages() {
		if l == english {
			continue
		}
		words, err := loadSentences(wordFiles{messageFiles}, "messages/"+l.Tag+"/sentences")
		if err != nil {
			t.Fatal(err)
		}
		for format := range sentences()[l.Tag].byFormat {
			_, word := words[format]
			if _, used := formats[format]; !used && !word && format != "Something went wrong on our side." {
				t.Errorf("%s: nothing makes the sentence %q", l.Name, format)
			}
		}
	}
}

// wordFiles is the messages with the file of the words alone.
type wordFiles struct{ fs.FS }

func (f wordFiles) Glob(pattern string) ([]string, error) {
	names, err := fs.Glob(f.FS, pattern)
	return slices.DeleteFunc(names, func(name string) bool { return filepath.Base(name) != "words.json" }), err
}

func TestATranslationIsFilledWithWhatItsSentenceIs(t *testing.T) {
	t.Parallel()
	for tag, all := range sentences() {
		for format, s := range all.byFormat {
			told := map[int]bool{}
			var check func([]piece)
			check = func(text []piece) {
				for _, p := range text {
					if p.place < 0 {
						if tag != mirrored.Tag && strings.ContainsAny(strings.ReplaceAll(p.text, "-%-", ""), "%{}") && !strings.Contains(format, p.text) {
							t.Errorf("%s: %q holds something that is no verb: %q", tag, format, p.text)
						}
						continue
					}
					if p.place >= len(s.verbs) {
						t.Errorf("%s: %q has no argument %d", tag, format, p.place+1)
						continue
					}
					told[p.place] = true
					kind := s.verbs[p.place][len(s.verbs[p.place])-1]
					fits := map[byte]string{'q': "q", 'd': "dn", 'f': "n", 's': "snwlt", 'v': "snwl", 'c': "s", 'X': "s"}[kind]
					if p.forms != nil {
						fits = map[byte]string{'d': "\x00", 's': "\x00"}[kind]
						for _, form := range p.forms {
							check(form)
						}
						if len(p.forms) != len(german.forms) {
							t.Errorf("%s: %q has %d forms for a number", tag, format, len(p.forms))
						}
					}
					if !strings.ContainsRune(fits, p.how) {
						t.Errorf("%s: %q writes argument %d, a %%%c, as %%%c", tag, format, p.place+1, kind, p.how)
					}
				}
			}
			check(s.text)
			if len(told) != len(s.verbs) {
				t.Errorf("%s: %q is filled with %d arguments of %d", tag, format, len(told), len(s.verbs))
			}
		}
	}
}
