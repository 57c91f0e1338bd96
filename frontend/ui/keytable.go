package ui

import "strings"

// Key is one key of a page: the combination and the message key (below
// "keys.") of what it does. Combinations name digits and letters as printed.
type Key struct {
	Combo string
	Does  string
}

// Scope is the keys of one kind of page. The scope "global" holds everywhere,
// so no other scope may use its keys.
type Scope struct {
	Name string
	Keys []Key
}

// KeyScopes is the one table of keys. The help dialog is made from it and a
// test finds collisions, so a page that reads a key has a row here.
func KeyScopes() []Scope {
	return []Scope{
		{"global", []Key{
			{"Ctrl+K", "palette"}, {"?", "help"}, {"Alt+L", "lock"}, {"Alt+T", "tables"}, {"Escape", "dismiss"},
		}},
		{"label", []Key{
			{"1…9", "label.choose"}, {"a…z", "label.chooseletter"}, {"/", "label.find"}, {"Enter", "label.submit"},
			{"Space", "label.scroll"}, {"Shift+Space", "label.skip"}, {"Ctrl+Z", "label.undo"}, {"Ctrl+Shift+Z", "label.redo"},
			{"↑", "label.up"}, {"↓", "label.down"}, {".", "label.peek"}, {"0", "label.cover"},
		}},
		{"items", []Key{
			{"/", "items.search"}, {"J", "items.next"}, {"K", "items.previous"}, {"Enter", "items.open"}, {"X", "items.select"}, {"Ctrl+Z", "undo"},
		}},
		{"compare", []Key{
			{"J", "compare.next"}, {"K", "compare.previous"}, {"Ctrl+Z", "undo"},
		}},
		{"datasets", []Key{{"Ctrl+Z", "undo"}}},
		{"snapshots", []Key{{"Ctrl+Z", "undo"}}},
		{"models", []Key{{"Ctrl+Z", "undo"}}},
		{"projects", []Key{{"Ctrl+Z", "undo"}}},
	}
}

// KeysFor returns the scopes that hold on a page: its own, then the global one.
func KeysFor(page string) []Scope {
	var found []Scope
	for _, s := range KeyScopes() {
		if s.Name == page || s.Name == "global" {
			found = append(found, s)
		}
	}
	if len(found) == 2 {
		found[0], found[1] = found[1], found[0]
	}
	return found
}

// keyCap shortens what is printed on a key.
func keyCap(key string) string {
	switch key {
	case "Escape":
		return "Esc"
	case "Enter":
		return "⏎"
	case "Shift":
		return "⇧"
	}
	return key
}

// ariaKeys writes a combination as aria-keyshortcuts wants it.
func ariaKeys(combo string) string { return strings.ReplaceAll(combo, "Ctrl", "Control") }
