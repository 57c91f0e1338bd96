package app

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// progress shows how far long work is: as a bar that redraws itself on a
// terminal, as JSON lines where the output goes elsewhere, and not at all where
// --json asks for one document.
type progress struct {
	bar   io.Writer // nil: no bar
	lines *json.Encoder
	last  time.Time
	drawn bool
}

func newProgress(cmd *cobra.Command, asJSON bool) *progress {
	p := &progress{}
	switch {
	case isTerminal(unescaped(cmd.ErrOrStderr())):
		p.bar = unescaped(cmd.ErrOrStderr())
	case !asJSON:
		p.lines = json.NewEncoder(terminal(cmd))
		p.lines.SetEscapeHTML(false)
	}
	return p
}

// unescaped returns what stands behind it, for a bar that moves the cursor itself.
func unescaped(w io.Writer) io.Writer {
	if h, ok := w.(*escaping); ok {
		return h.to
	}
	return w
}

// isTerminal reports whether somebody looks at what is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// show says how far the work is, at most five times a second.
func (p *progress) show(what string, done, of int64) {
	if time.Since(p.last) < 200*time.Millisecond {
		return
	}
	p.last = time.Now()
	switch {
	case p.bar != nil:
		const width = 30
		filled := 0
		if of > 0 {
			filled = int(min(width, done*width/of))
		}
		_, _ = fmt.Fprintf(p.bar, "\r\x1b[K%s [%s%s] %3d %%", printable(what), strings.Repeat("#", filled), strings.Repeat(".", width-filled), done*100/max(of, 1))
		p.drawn = true
	case p.lines != nil:
		_ = p.lines.Encode(map[string]any{"progress": what, "done": done, "of": of})
	}
}

// end clears the bar.
func (p *progress) end() {
	if p.drawn {
		_, _ = fmt.Fprint(p.bar, "\r\x1b[K")
		p.drawn = false
	}
}

// finish says what came out: the document where --json asks for it or the
// output is no terminal, else the words.
func (p *progress) finish(cmd *cobra.Command, asJSON bool, document any, words string) error {
	p.end()
	if asJSON {
		return printJSON(cmd, document)
	}
	if p.lines != nil {
		return p.lines.Encode(document)
	}
	_, err := fmt.Fprintln(terminal(cmd), words)
	return err
}
