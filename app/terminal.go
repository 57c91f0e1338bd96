package app

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// terminal is where a command says something to people. Names, reasons and logs that
// others wrote go out there, and to a terminal, or to whoever shows the log of a
// pipeline, an escape sequence in them is a command: it rewrites the lines above.
func terminal(cmd *cobra.Command) io.Writer { return &escaping{to: cmd.OutOrStdout()} }

// escaping writes what a terminal would act on as \u and its number: control
// characters other than the ends of lines and tabs, and what turns the direction of
// text. In JSON that is the same text. Programs write in pieces that end anywhere.
type escaping struct {
	to io.Writer

	mu       sync.Mutex
	half     []byte // the beginning of a character
	returned bool   // the piece before ended with \r, which ended a line
}

func (e *escaping) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.to.Write(e.escape(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// printable is what escaping makes of a whole text.
func printable(text string) []byte { return new(escaping).escape([]byte(text)) }

func (e *escaping) escape(p []byte) []byte {
	if len(e.half) == 0 && !e.returned && bytes.IndexFunc(p, mustEscape) < 0 {
		return p
	}
	p = append(e.half, p...)
	e.half = nil
	out := make([]byte, 0, len(p)+16)
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		switch {
		case !utf8.FullRune(p[i:]):
			e.half = bytes.Clone(p[i:])
			return out
		case r == '\r': // a trainer's progress: one line after the other, not over it
			out = append(out, '\n')
		case r == '\n' && e.returned:
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\u%04x`, utf8.RuneError)
		case mustEscape(r) && r != utf8.RuneError:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, p[i:i+size]...)
		}
		e.returned = r == '\r'
		i += size
	}
	return out
}

// mustEscape reports whether a terminal does something else than show a character.
// What is no UTF-8 it may read as one that it acts on.
func mustEscape(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\t' ||
		r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
}
