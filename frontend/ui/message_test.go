package ui

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
		if got := fill(c.message, c.args); got != c.want {
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

func TestNumbersAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Count(0): "0", Count(999): "999", Count(1000): "1,000", Count(-1234567): "−1,234,567",
		Signed(1.44, 1): "+1.4", Signed(-0.31, 1): "−0.3", Signed(-0.01, 1): "0.0", Signed(0, 1): "0.0",
		Percent(0.8842): "88.4\u202f%",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
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
	for _, room := range []string{"frontend", "backend"} {
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
	for key, message := range catalogue() {
		if strings.Count(message, "{") != strings.Count(message, "}") {
			t.Errorf("%s: %q", key, message)
		}
	}
}
