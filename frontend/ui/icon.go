package ui

import (
	"context"
	_ "embed"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/a-h/templ"
)

// sprite is the one file that holds all icons, each a <symbol> of 16 by 16.
//
//go:embed icons.svg
var sprite string

// icons maps the name of a symbol to what is inside it.
var icons = sync.OnceValue(func() map[string]string {
	var file struct {
		Symbols []struct {
			ID    string `xml:"id,attr"`
			Inner string `xml:",innerxml"`
		} `xml:"symbol"`
	}
	if err := xml.Unmarshal([]byte(sprite), &file); err != nil {
		panic("icons.svg: " + err.Error())
	}
	found := map[string]string{}
	for _, s := range file.Symbols {
		found[s.ID] = strings.TrimSpace(s.Inner)
	}
	return found
})

// IconNames lists the icons there are, in alphabetical order.
func IconNames() []string {
	var names []string
	for name := range icons() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Icon draws an icon of the sprite inline, hidden from screen readers: words
// stand beside it or on the control. An unknown name draws nothing.
func Icon(name string) templ.Component { return icon(name, "icon") }

// LargeIcon draws an icon at 24 pixels.
func LargeIcon(name string) templ.Component { return icon(name, "icon large") }

// flips are the icons that point along the line of reading: in a script that
// runs from right to left they are drawn the other way round.
var flips = map[string]bool{"left": true, "right": true, "chevron": true, "undo": true, "skip": true, "exit": true, "log": true, "comment": true, "label": true}

func icon(name, class string) templ.Component {
	if flips[name] {
		class += " flips"
	}
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		inner, ok := icons()[name]
		if !ok {
			return nil
		}
		_, err := io.WriteString(w, `<svg class="`+class+`" viewBox="0 0 16 16" aria-hidden="true" focusable="false">`+inner+`</svg>`)
		return err
	})
}
