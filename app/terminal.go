package app

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// terminal is where a command says something to people. Names, reasons and logs that
// others wrote go out there, and to a terminal, or to whoever shows the log of a
// pipeline, an escape sequence in them is a command: it rewrites the lines above.
func terminal(cmd *cobra.Command) io.Writer { return harmless{cmd.OutOrStdout()} }

// harmless writes what a terminal would act on as \u and its number: control
// characters other than the ends of lines and tabs, and what turns the direction of
// text. In JSON that is the same text.
type harmless struct{ to io.Writer }

func (h harmless) Write(p []byte) (int, error) {
	if _, err := h.to.Write(printable(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func printable(p []byte) []byte {
	if bytes.IndexFunc(p, acts) < 0 {
		return p
	}
	out := make([]byte, 0, len(p)+16)
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		switch {
		case r == '\r': // a trainer's progress: one line after the other, not over it
			if i+1 < len(p) && p[i+1] != '\n' {
				out = append(out, '\n')
			}
		case r == utf8.RuneError && size == 1 && utf8.FullRune(p[i:]):
			out = fmt.Appendf(out, `\u%04x`, utf8.RuneError)
		case acts(r) && r != utf8.RuneError:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, p[i:i+size]...)
		}
		i += size
	}
	return out
}

// acts reports whether a terminal does something else than show a character. What
// is no UTF-8 it may read as one that it acts on.
func acts(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\t' ||
		r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
}
