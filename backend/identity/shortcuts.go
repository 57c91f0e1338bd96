package identity

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
)

// Shortcut is a key of the product's own that people may move, for every
// project: the name of what it does, where it holds ("global": on every page),
// the combination that it has until then, and what to call it in a sentence.
// The keys of classes are chosen in each project, and no others are here: an
// answer and an action never share a key.
type Shortcut struct {
	Action string
	Scope  string
	Combo  string // as printed, such as "Ctrl+Shift+Z"
	Does   string
}

// Shortcuts lists what people may move, in the order of the help.
func Shortcuts() []Shortcut {
	return []Shortcut{
		{"palette", "global", "Ctrl+K", "go anywhere"},
		{"help", "global", "?", "show the keys"},
		{"lock", "global", "Alt+L", "lock the screen"},
		{"tables", "global", "Alt+T", "show the tables behind charts"},
		{"label.skip", "label", "Shift+Space", "skip"},
		{"label.undo", "label", "Ctrl+Z", "undo"},
		{"label.redo", "label", "Ctrl+Shift+Z", "redo"},
		{"label.find", "label", "/", "find a class"},
		{"label.peek", "label", ".", "look up"},
		{"label.cover", "label", "0", "cover the screen"},
	}
}

// OwnKeys are the keys that a person moved: "action=combination", in order of
// the action, with spaces between. What is not named has the product's key.
type OwnKeys string

// NewOwnKeys writes the keys of a person; an empty combination and one that the
// action has anyway are left out.
func NewOwnKeys(byAction map[string]string) OwnKeys {
	var pairs []string
	for _, action := range slices.Sorted(maps.Keys(byAction)) {
		combo := foldCombo(byAction[action])
		if combo != "" && !slices.ContainsFunc(Shortcuts(), func(s Shortcut) bool { return s.Action == action && s.Combo == combo }) {
			pairs = append(pairs, action+"="+combo)
		}
	}
	return OwnKeys(strings.Join(pairs, " "))
}

// ByAction returns the combination of each action that the person moved.
func (k OwnKeys) ByAction() map[string]string {
	byAction := map[string]string{}
	for pair := range strings.FieldsSeq(string(k)) {
		action, combo, _ := strings.Cut(pair, "=")
		byAction[action] = combo
	}
	return byAction
}

// foldCombo brings a combination into the one form in which it is compared:
// Ctrl, Alt and Shift in this order, a letter as a capital. What is none comes
// back as it is.
func foldCombo(text string) string {
	parts := strings.Split(strings.Join(strings.Fields(text), ""), "+")
	key := parts[len(parts)-1]
	if len([]rune(key)) == 1 {
		key = strings.ToUpper(key)
	} else if key != "" {
		key = strings.ToUpper(key[:1]) + key[1:]
	}
	folded := ""
	for _, modifier := range []string{"Ctrl", "Alt", "Shift"} {
		if slices.ContainsFunc(parts[:len(parts)-1], func(p string) bool { return strings.EqualFold(p, modifier) }) {
			folded += modifier + "+"
		}
	}
	if strings.Count(folded, "+") != len(parts)-1 {
		return strings.Join(parts, "+")
	}
	return folded + key
}

// spoken are combinations that cannot be had, with whose they are.
var spoken = map[string]string{
	"Enter": "the buttons", "Escape": "the dialogs", "Space": "the page, which scrolls by it", "Tab": "the way around a page",
	"Ctrl+A": "the browser", "Ctrl+C": "the browser", "Ctrl+F": "the browser", "Ctrl+L": "the browser", "Ctrl+N": "the browser", "Ctrl+P": "the browser",
	"Ctrl+Q": "the browser", "Ctrl+R": "the browser", "Ctrl+T": "the browser", "Ctrl+V": "the browser", "Ctrl+W": "the browser", "Ctrl+X": "the browser",
	"F1": "the browser", "F3": "the browser", "F5": "the browser", "F6": "the browser", "F10": "the browser", "F11": "the browser", "F12": "the browser",
}

// marks are the printed signs that may stand for an action by themselves.
const marks = "./,;:?!-_'#*\\<>[](){}@&%$~^|`\""

// Validate returns an Invalid fault for each key that cannot be, named
// key.<action>: with what it collides, and what to do.
func (k OwnKeys) Validate() error {
	own, holds := k.ByAction(), map[string]string{}
	for _, s := range Shortcuts() {
		holds[s.Action] = s.Combo
		if combo := own[s.Action]; combo != "" {
			holds[s.Action] = combo
		}
	}
	var errs []error
	for _, action := range slices.Sorted(maps.Keys(own)) {
		if _, known := holds[action]; !known {
			errs = append(errs, fault.Field("key."+action, "There is no action %.40q with a key of its own.", action))
			continue
		}
		if wrong := wrongCombo(own[action]); wrong != "" {
			errs = append(errs, fault.Field("key."+action, "%s", wrong))
			continue
		}
		if other := collides(action, holds); other != "" {
			errs = append(errs, fault.Field("key."+action, "%s stands for %q already. Choose another key here, or give that one another first.", own[action], other))
		}
	}
	return errors.Join(errs...)
}

// wrongCombo says why a combination cannot stand for an action, "" where it can.
func wrongCombo(combo string) string {
	if whose := spoken[combo]; whose != "" {
		return fault.Say("%s belongs to %s. Choose another key, such as Alt+S.", combo, whose)
	}
	parts := strings.Split(combo, "+")
	key, held := parts[len(parts)-1], parts[:len(parts)-1]
	for _, modifier := range held {
		if modifier != "Ctrl" && modifier != "Alt" && modifier != "Shift" {
			return fault.Say("%.40q is no key. Press the key in the field, or write it like Alt+S, Ctrl+Shift+Z or F2.", combo)
		}
	}
	plain := len(held) == 0 || slices.Equal(held, []string{"Shift"})
	letter := len(key) == 1 && (key[0] >= 'A' && key[0] <= 'Z' || key[0] >= '0' && key[0] <= '9')
	switch {
	case letter && len(held) == 0 && key != "0":
		return fault.Say("%s answers with a class on the labeling page. Choose a sign, or a key with Alt, Ctrl or Shift, such as Alt+%s.", key, key)
	case letter && plain && len(held) == 1 && key[0] <= '9':
		return fault.Say("%s is another sign on each keyboard. Choose another key, such as Alt+%s.", combo, key)
	case letter, key == "Space" && len(held) > 0:
		return ""
	case len(key) == 1 && strings.Contains(marks, key) && len(held) == 0:
		return ""
	case len(key) >= 2 && key[0] == 'F' && strings.Trim(key[1:], "0123456789") == "" && len(key) <= 3:
		return ""
	}
	return fault.Say("%.40q is no key. Press the key in the field, or write it like Alt+S, Ctrl+Shift+Z or F2.", combo)
}

// collides returns what else a key stands for where the action holds.
func collides(action string, holds map[string]string) string {
	scope := func(name string) string {
		for _, s := range Shortcuts() {
			if s.Action == name {
				return s.Scope
			}
		}
		return ""
	}
	if other := map[string]string{"/": "search", "Ctrl+Z": "undo"}[holds[action]]; other != "" && scope(action) == "global" {
		return other // of the lists
	}
	for _, s := range Shortcuts() {
		together := s.Scope == scope(action) || s.Scope == "global" || scope(action) == "global"
		if s.Action != action && together && holds[s.Action] == holds[action] {
			return s.Does
		}
	}
	return ""
}
