//go:build e2e

package app

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// fill writes a text into the field with an accessible name.
func (v *visitor) fill(name, text string) {
	v.t.Helper()
	node := v.find("textbox", name)
	v.do("fill "+name, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, dom.Focus, dom.FocusParams{BackendNodeID: node}); err != nil {
			return err
		}
		if err := chromedp.Do(ctx, press("Control+a"), press("Delete")); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// press presses and releases keys, one after the other: "1", "a", "Enter",
// "Space", "ArrowDown", "Control+z", "Shift+Space", on a US keyboard. What the
// page said before is no answer to them.
func (v *visitor) press(keys ...string) {
	v.t.Helper()
	v.loaded()
	v.hush()
	for _, key := range keys {
		v.do("press "+key, press(key))
	}
}

// typed presses a key as a certain keyboard sends it: what it prints and where it is.
func (v *visitor) typed(key, code string, modifiers int64) {
	v.t.Helper()
	v.do("type "+key, stroke(key, code, 0, modifiers))
}

func press(combo string) chromedp.Action[chromedp.Void] {
	var modifiers int64
	for {
		name, rest, found := strings.Cut(combo, "+")
		if !found || rest == "" {
			break
		}
		modifiers |= map[string]int64{"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}[name]
		combo = rest
	}
	named := map[string]struct {
		key  string
		code int64
	}{"Enter": {"Enter", 13}, "Space": {" ", 32}, "Tab": {"Tab", 9}, "Escape": {"Escape", 27}, "Delete": {"Delete", 46}, "Backspace": {"Backspace", 8},
		"ArrowLeft": {"ArrowLeft", 37}, "ArrowUp": {"ArrowUp", 38}, "ArrowRight": {"ArrowRight", 39}, "ArrowDown": {"ArrowDown", 40},
		"Home": {"Home", 36}, "End": {"End", 35}, "PageDown": {"PageDown", 34}, "F1": {"F1", 112}}
	if k, ok := named[combo]; ok {
		return stroke(k.key, combo, k.code, modifiers)
	}
	c := combo[0]
	switch {
	case c >= '0' && c <= '9':
		return stroke(combo, "Digit"+combo, int64(c), modifiers)
	case c >= 'a' && c <= 'z':
		return stroke(combo, "Key"+strings.ToUpper(combo), int64(c-32), modifiers)
	case c == '/':
		return stroke("/", "Slash", 191, modifiers)
	case c == '?':
		return stroke("?", "Slash", 191, modifiers|8)
	}
	return stroke(combo, "", 0, modifiers)
}

// stroke is one key down and up.
func stroke(key, code string, windows, modifiers int64) chromedp.Action[chromedp.Void] {
	down := input.DispatchKeyEventParams{Type: "rawKeyDown", Key: key, Code: code, Modifiers: modifiers, WindowsVirtualKeyCode: windows, NativeVirtualKeyCode: windows}
	if modifiers&^8 == 0 {
		switch {
		case key == "Enter":
			down.Type, down.Text = "keyDown", "\r"
		case len([]rune(key)) == 1:
			down.Type, down.Text = "keyDown", key
		}
	}
	if key == "a" && modifiers == 2 {
		down.Commands = []string{"selectAll"}
	}
	up := input.DispatchKeyEventParams{Type: "keyUp", Key: key, Code: code, Modifiers: modifiers, WindowsVirtualKeyCode: windows, NativeVirtualKeyCode: windows}
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, down); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, up)
		return err
	})
}
