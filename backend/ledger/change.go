package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
)

// Change is one value that an event changed: what stood there, and what stands
// there now. Empty stands for nothing.
type Change struct {
	Field string `json:"field"` // path of the value, as in "schema.classes[Sports].name"; empty where the event is about one value
	Was   string `json:"was"`
	Is    string `json:"is"`
}

// The keys under which a payload holds what changed and why. A service that
// changes something writes what stood there under KeyWas, what stands there now
// under KeyIs, and the person's words under KeyReason.
const (
	KeyWas    = "was"
	KeyIs     = "is"
	KeyReason = "reason"
)

// MostReason is how many characters a reason may have.
const MostReason = 2000

// Reason returns a reason without the space around it, or Invalid naming the
// field "reason" where there is none though the change needs one, or where it
// is too long. what completes "Say in a few words why …",
// and is marked by fault.Format.
func Reason(text, what string, needed bool) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "" && needed:
		return "", fault.Field(KeyReason, "Say in a few words why %s; it stands in the history beside the change.", what)
	case utf8.RuneCountInString(text) > MostReason:
		return "", fault.Field(KeyReason, "The reason is longer than %d characters; shorten it.", MostReason)
	}
	return text, nil
}

// Changes reads from a payload what was changed, in the order of the fields'
// names, and the reason that was given. A payload that holds no two sides has
// no changes.
func Changes(payload []byte) (changes []Change, reason string) {
	var sides map[string]json.RawMessage
	if json.Unmarshal(payload, &sides) != nil {
		return nil, ""
	}
	_ = json.Unmarshal(sides[KeyReason], &reason) // none, or not a text
	if sides[KeyWas] == nil || sides[KeyIs] == nil {
		return nil, reason
	}
	was, is := flat(sides[KeyWas]), flat(sides[KeyIs])
	for field, before := range was {
		if after := is[field]; after != before {
			changes = append(changes, Change{field, before, after})
		}
	}
	for field, after := range is {
		if _, known := was[field]; !known && after != "" {
			changes = append(changes, Change{field, "", after})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Field, b.Field) })
	return changes, reason
}

// flat turns a document into its values by path.
func flat(raw []byte) map[string]string {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	values := map[string]string{}
	flatten("", v, values)
	return values
}

func flatten(path string, v any, into map[string]string) {
	switch v := v.(type) {
	case nil:
		into[path] = ""
	case map[string]any:
		for key, inner := range v {
			at := key
			if path != "" {
				at = path + "." + key
			}
			flatten(at, inner, into)
		}
	case []any:
		flattenList(path, v, into)
	default:
		into[path] = fmt.Sprint(v)
	}
}

// flattenList names the entries of a list by their id or name, so that one that
// was added in front does not change all others; plain values are one value.
func flattenList(path string, list []any, into map[string]string) {
	plain := make([]string, 0, len(list))
	for i, v := range list {
		entry, isObject := v.(map[string]any)
		if !isObject {
			plain = append(plain, fmt.Sprint(v))
			continue
		}
		name := fmt.Sprint(i + 1)
		for _, key := range []string{"id", "name"} {
			if text, ok := entry[key].(string); ok && text != "" {
				name = text
				break
			}
		}
		flatten(path+"["+name+"]", entry, into)
	}
	if len(plain) > 0 || len(list) == 0 {
		sort.Strings(plain)
		into[path] = strings.Join(plain, ", ")
	}
}
