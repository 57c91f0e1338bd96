package ui

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestFillReplacesNamesAndChoosesByNumber(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		message string
		args    []any
		want    string
	}{
		{"Nothing to fill", nil, "Nothing to fill"},
		{"{n} {n|item|items}", []any{"n", 1}, "1 item"},
		{"{n} {n|item|items}", []any{"n", 10003}, "10,003 items"},
		{"{n} {n|item|items}", []any{"n", int64(0)}, "0 items"},
		{"Hello {name}", []any{"name", "{n}"}, "Hello {n}"},
		{"An {unknown} name stays", nil, "An {unknown} name stays"},
		{"An open { brace", nil, "An open { brace"},
		{"{x} points", []any{"x", 1.5}, "1.5 points"},
	} {
		if got := english.fill(c.message, c.args); got != c.want {
			t.Errorf("fill(%q, %v) = %q, want %q", c.message, c.args, got, c.want)
		}
	}
}

func TestAKeyInTwoFilesIsRefused(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"en/a.json": {Data: []byte(`{"a.x": "1"}`)},
		"en/b.json": {Data: []byte(`{"a.x": "2"}`)},
	}
	if _, err := loadMessages(files, "en"); err == nil {
		t.Error("no error")
	}
}

var (
	// "key" as an argument of T, possibly followed by + for a family of keys.
	callOfT = regexp.MustCompile(`\bT\(\s*\w+(?:\.\w+\(\))?,\s*"([^"]+)"\s*(\+)?`)
	comment = regexp.MustCompile(`(?m)^\s*//.*$`)
)

// usedKeys reads every hand-written .go and .templ file of the product.
func usedKeys(t *testing.T) (keys, families map[string]string) {
	t.Helper()
	keys, families = map[string]string{}, map[string]string{}
	root := filepath.Join("..", "..")
	for _, room := range []string{"frontend", "backend", "app"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name := d.Name()
			if !strings.HasSuffix(name, ".templ") && !strings.HasSuffix(name, ".go") ||
				strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range callOfT.FindAllStringSubmatch(comment.ReplaceAllString(string(text), ""), -1) {
				if m[2] == "+" {
					families[m[1]] = path
				} else {
					keys[m[1]] = path
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return keys, families
}

func TestEveryTextThatIsUsedExistsAndNoneIsUnused(t *testing.T) {
	t.Parallel()
	all, err := loadMessages(messageFiles, "messages/en")
	if err != nil {
		t.Fatal(err)
	}
	keys, families := usedKeys(t)
	if len(keys) < 30 {
		t.Fatalf("found only %d uses of T: the pattern no longer matches", len(keys))
	}
	for key, path := range keys {
		if all[key] == "" {
			t.Errorf("%s uses the text %q, which is in no file of messages/en", path, key)
		}
	}
	for family, path := range families {
		found := false
		for key := range all {
			found = found || strings.HasPrefix(key, family)
		}
		if !found {
			t.Errorf("%s uses texts that begin with %q, and there is none", path, family)
		}
	}
	for key := range all {
		used := keys[key] != ""
		for family := range families {
			used = used || strings.HasPrefix(key, family)
		}
		if !used {
			t.Errorf("nothing uses the text %q", key)
		}
	}
}

func TestEveryTextClosesItsBraces(t *testing.T) {
	t.Parallel()
	for tag, texts := range catalogues() {
		for key, message := range texts {
			if strings.Count(message, "{") != strings.Count(message, "}") || strings.Count(message, "[") != strings.Count(message, "]") {
				t.Errorf("%s of %s: %q", key, tag, message)
			}
		}
	}
}

// What a text is filled with, such as {n}, [n] or {n|one|many}.
var placeholder = regexp.MustCompile(`\{([^{}|]+)(\|[^{}]*)?\}|\[([a-z]+)\]`)

// placeholders returns what a text asks for, plurals marked, each once and in
// the order of the alphabet; and the forms of its plurals.
func placeholders(text string) (names []string, forms [][]string) {
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		switch {
		case m[3] != "":
			names = append(names, "["+m[3]+"]")
		case m[2] != "":
			names = append(names, "{"+m[1]+"|}")
			forms = append(forms, strings.Split(m[2][1:], "|"))
		default:
			names = append(names, "{"+m[1]+"}")
		}
	}
	slices.Sort(names)
	return slices.Compact(names), forms
}

// A key that one adds in English is added in every language, in the file of the
// same name; see CONTRIBUTING.md and the glossary beside the German texts.
func TestEveryLanguageSaysEverythingThatEnglishSays(t *testing.T) {
	t.Parallel()
	rooms, err := fs.Glob(messageFiles, "messages/en/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range Languages() {
		for _, room := range rooms {
			if _, err := fs.Stat(messageFiles, "messages/"+l.Tag+"/"+filepath.Base(room)); err != nil {
				t.Errorf("%s has no %s", l.Name, filepath.Base(room))
			}
		}
		texts := catalogues()[l.Tag]
		for key, text := range catalogues()[english.Tag] {
			said, ok := texts[key]
			if !ok || said == "" {
				t.Errorf("%s: messages/%s lacks %q, which says in English: %s", l.Name, l.Tag, key, text)
				continue
			}
			want, _ := placeholders(text)
			got, forms := placeholders(said)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q is filled with %v, in English with %v", l.Name, key, got, want)
			}
			for _, f := range forms {
				if len(f) != len(l.forms) {
					t.Errorf("%s: %q has the forms %q for a number, and the language has %d", l.Name, key, f, len(l.forms))
				}
			}
		}
		for key := range texts {
			if _, ok := catalogues()[english.Tag][key]; !ok {
				t.Errorf("%s: %q is no text in English", l.Name, key)
			}
		}
	}
}

func TestTheMirroredLanguageKeepsWhatIsFilledIn(t *testing.T) {
	t.Parallel()
	for key, text := range catalogues()[english.Tag] {
		want, _ := placeholders(text)
		if got, _ := placeholders(catalogues()[mirrored.Tag][key]); !slices.Equal(got, want) {
			t.Errorf("%q is filled with %v, in English with %v", key, got, want)
		}
	}
	if got, want := mirror("{n} {n|item has|items have} [x] 95 %"), "\u200f{n} {n|\u202eitem\u202c \u202ehas\u202c|\u202eitems\u202c \u202ehave\u202c} [x] \u202e95\u202c \u202e%\u202c"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
