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

//go:embed messages
var messageFiles embed.FS

// catalogue maps the keys of all rooms to their English texts. A key that
// stands in two files, or a file that is no JSON, stops the program at its
// first text: the test of this package finds both before.
var catalogue = sync.OnceValue(func() map[string]string {
	all, err := loadMessages(messageFiles, "messages/en")
	if err != nil {
		panic(err)
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

// T returns the text of a key with its placeholders filled. Arguments come in
// pairs of name and value: T(ctx, "items.count", "n", 3).
//
// "{n}" is replaced by the value; whole numbers get thousands separators.
// "{n|item|items}" chooses by number: the first form for one, else the second.
// A key that does not exist is returned as it is, and fails the catalogue test.
func T(_ context.Context, key string, args ...any) string {
	message, ok := catalogue()[key]
	if !ok {
		return key
	}
	return fill(message, args)
}

func fill(message string, args []any) string {
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
		name, forms, plural := strings.Cut(inside, "|")
		value, known := argument(args, name)
		switch {
		case !known:
			b.WriteString("{" + inside + "}")
		case plural:
			one, many, _ := strings.Cut(forms, "|")
			if formatValue(value) == "1" {
				b.WriteString(one)
			} else {
				b.WriteString(many)
			}
		default:
			b.WriteString(formatValue(value))
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

func formatValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return Count(int64(v))
	case int64:
		return Count(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// Count writes a whole number with thousands separators: 10,003.
func Count[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "−", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Percent writes a share between 0 and 1 with one decimal: 88.4 %, joined by a
// narrow no-break space.
func Percent(share float64) string {
	return strconv.FormatFloat(share*100, 'f', 1, 64) + "\u202f%"
}

// Signed writes a difference with its sign, as in +1.4 or −0.3; the minus is
// the typographic one, which lines up with the plus.
func Signed(f float64, decimals int) string {
	s := strconv.FormatFloat(f, 'f', decimals, 64)
	if rest, minus := strings.CutPrefix(s, "-"); minus {
		if strings.Trim(rest, "0.") == "" {
			return rest
		}
		return "−" + rest
	}
	if strings.Trim(s, "0.") == "" {
		return s
	}
	return "+" + s
}
