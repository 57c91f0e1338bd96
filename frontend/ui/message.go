package ui

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed messages/*/*.json messages/*/sentences/*.json
var messageFiles embed.FS

// catalogues maps the tag of each language to the texts of all rooms by their
// keys. A key that stands in two files, or a file that is no JSON, stops the
// program at its first text: the test of this package finds both before.
var catalogues = sync.OnceValue(func() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, l := range Languages() {
		texts, err := loadMessages(messageFiles, "messages/"+l.Tag)
		if err != nil {
			panic(err)
		}
		all[l.Tag] = texts
	}
	all[mirrored.Tag] = map[string]string{}
	for key, text := range all[english.Tag] {
		all[mirrored.Tag][key] = mirror(text)
	}
	return all
})

func loadMessages(files fs.FS, dir string) (map[string]string, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var room map[string]string
		if err := json.Unmarshal(text, &room); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for key, message := range room {
			if _, twice := all[key]; twice {
				return nil, fmt.Errorf("%s: the key %q stands in another file too", name, key)
			}
			all[key] = message
		}
	}
	return all, nil
}

// T returns the text of a key, in the language of ctx, with its placeholders
// filled. Arguments come in pairs of name and value: T(ctx, "items.count", "n", 3).
//
// "{n}" is replaced by the value; numbers are written as the language writes
// them. "{n|item|items}" chooses by number: one form for each plural category
// that the language has (English and German: one, other). A key that does not
// exist is returned as it is, and fails the catalogue test.
func T(ctx context.Context, key string, args ...any) string {
	l := LanguageOf(ctx)
	message, ok := catalogues()[l.Tag][key]
	if !ok {
		return key
	}
	return l.fill(message, args)
}

func (l *Language) fill(message string, args []any) string {
	if len(args) == 0 && !strings.Contains(message, "{") {
		return message
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(message, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			return b.String()
		}
		name, forms, choose := strings.Cut(inside, "|")
		value, known := argument(args, name)
		switch {
		case !known:
			b.WriteString("{" + inside + "}")
		case choose:
			form := strings.Split(forms, "|")
			b.WriteString(form[min(l.form(fmt.Sprint(value)), len(form)-1)])
		default:
			b.WriteString(l.value(value))
		}
		message = after
	}
}

func argument(args []any, name string) (any, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1], true
		}
	}
	return nil, false
}

func (l *Language) value(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int, int64:
		return l.number(fmt.Sprint(v))
	case float64:
		return l.number(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return fmt.Sprint(v)
}

// mirror turns every word of an English text around, as if its script ran from
// right to left; placeholders stay. What a reader of the page sees is each word
// backwards, so a text that is not from the catalogue stands out.
func mirror(text string) string {
	var b, word strings.Builder
	b.WriteRune(0x200F) // so that dir="auto" takes it for what it pretends to be
	flush := func() {
		if word.Len() > 0 {
			b.WriteString("\u202e" + word.String() + "\u202c")
			word.Reset()
		}
	}
	name := "" // the bracket that a name stands in
	for _, r := range text {
		switch {
		case name == "" && (r == '{' || r == '['):
			flush()
			name = string(r)
			b.WriteRune(r)
		case name == "{" && r == '|': // the forms of a plural are text again
			name = "|"
			b.WriteRune(r)
		case r == '}' || r == ']':
			flush()
			name = ""
			b.WriteRune(r)
		case name == "{" || name == "[" || r == ' ' || r == '|' && name == "|":
			flush()
			b.WriteRune(r)
		default:
			word.WriteRune(r)
		}
	}
	flush()
	return b.String()
}
