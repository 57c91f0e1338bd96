// Package ui holds the primitives that every page is built from, the message
// catalogue and the icons. The gallery page shows each of them in all states;
// frontend/static/base.css gives them their look.
//
// Primitives take a small struct and their content as children. They write no
// style attribute and no script (the content security policy allows neither):
// colours are classes, widths are <progress> values or SVG attributes.
package ui

import (
	"hash/fnv"
	"strconv"
	"strings"
	"unicode"

	"github.com/a-h/templ"
)

// Tone says what something means; it decides colour and sign, never colour alone.
type Tone string

// The tones. Gain, Loss and Undecided are the verdicts of a comparison or a
// requirement; Accent points out, Danger warns of destruction or refusal.
const (
	Plain     Tone = ""
	Accent    Tone = "accent"
	Gain      Tone = "gain"
	Loss      Tone = "loss"
	Undecided Tone = "undecided"
	Danger    Tone = "danger"
)

// Icon returns the sign that goes with a tone, so that colour is never alone.
func (t Tone) Icon() string {
	switch t {
	case Gain:
		return "up"
	case Loss:
		return "down"
	case Undecided:
		return "tilde"
	case Danger:
		return "warning"
	case Accent:
		return "info"
	}
	return ""
}

// Attrs is a short name for attributes that a page adds to a primitive, such
// as hx-get or data-testid.
type Attrs = templ.Attributes

// classes joins class names and leaves out the empty ones.
func classes(names ...string) string {
	kept := names[:0:0]
	for _, n := range names {
		if n != "" {
			kept = append(kept, n)
		}
	}
	return strings.Join(kept, " ")
}

// Palette returns the class of a colour step; steps beyond nine start again.
func Palette(step int) string {
	return "palette-" + strconv.Itoa(((step%10)+10)%10)
}

// Letter returns the letter by which charts name the n-th class (0 is A), for
// places where the class colours would be mistaken for gain and loss.
func Letter(n int) string {
	if n < 26 {
		return string(rune('A' + n))
	}
	return Letter(n/26-1) + string(rune('A'+n%26))
}

// Initials returns at most two letters for a person's name.
func Initials(name string) string {
	var out []rune
	words := strings.Fields(name)
	for i, w := range words {
		if i > 0 && i < len(words)-1 {
			continue
		}
		for _, r := range w {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				out = append(out, unicode.ToUpper(r))
				break
			}
		}
	}
	if len(out) == 0 {
		return "?"
	}
	return string(out)
}

// stepOf gives a person the same avatar colour everywhere.
func stepOf(id string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // a hash never fails to write
	return int(h.Sum32() % 10)
}

func itoa(n int) string { return strconv.Itoa(n) }

// coord formats a position inside an SVG with a tenth of a unit.
func coord(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// describedBy joins the ids of the hint and the error of a field.
func describedBy(id, hint, err string) string {
	var ids []string
	if hint != "" {
		ids = append(ids, id+"-hint")
	}
	if err != "" {
		ids = append(ids, id+"-error")
	}
	return strings.Join(ids, " ")
}
