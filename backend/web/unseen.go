package web

import (
	"bytes"
	"fmt"
	"html"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/ledger"
)

// markUnseen shows the characters of a page that nobody would see, wherever
// they stand in what people wrote: as a marked abbreviation in text, and as
// ⟦RLO⟧ in titles, options and attributes that are read. It looks at the whole
// page, so no template can forget it. What is edited or read by a program (the
// values of fields, settings of islands, addresses) stays as it is.
func markUnseen(page []byte) []byte {
	if !mayHideSomething(page) {
		return page
	}
	var out bytes.Buffer
	out.Grow(len(page) + 512)
	var (
		tag, attribute []byte // names of the tag and the attribute that p stands in
		inTag, quoted  bool
		raw            []byte // the element whose text is left alone or cannot hold another
		before         rune
	)
	for i := 0; i < len(page); {
		b := page[i]
		if b < utf8.RuneSelf {
			switch {
			case !inTag && b == '<':
				inTag, attribute = true, nil
				tag = nameAt(page[i+1:])
				if end, closing := bytes.CutPrefix(tag, []byte("/")); closing && bytes.Equal(end, raw) {
					raw = nil
				} else if raw == nil && (string(tag) == "textarea" || string(tag) == "title" || string(tag) == "option") {
					raw = tag
				}
			case inTag && b == '"':
				quoted = !quoted
				if quoted {
					attribute = attributeBefore(page[:i])
				}
			case inTag && !quoted && b == '>':
				inTag = false
			}
			out.WriteByte(b)
			before = rune(b)
			i++
			continue
		}
		r, size := utf8.DecodeRune(page[i:])
		after, _ := utf8.DecodeRune(page[i+size:])
		u, hidden := ledger.UnseenAt(before, r, after)
		switch {
		case !hidden, inTag && !spoken[string(attribute)], !inTag && string(raw) == "textarea":
			out.Write(page[i : i+size])
		case inTag || raw != nil:
			out.WriteString("⟦" + u.Mark + "⟧")
		default:
			_, _ = fmt.Fprintf(&out, `<span class="unseen" title="%s">%s</span>`, html.EscapeString(u.String()), u.Mark)
		}
		before = r
		i += size
	}
	return out.Bytes()
}

// spoken are the attributes that people read or hear.
var spoken = map[string]bool{"title": true, "aria-label": true, "alt": true, "placeholder": true}

// mayHideSomething finds, without decoding, the bytes that such characters
// begin with; most pages have none.
func mayHideSomething(page []byte) bool {
	for i := 0; i+2 < len(page); i++ {
		switch b, next := page[i], page[i+1]; b {
		case 0xE2: // general punctuation
			if third := page[i+2]; next == 0x80 && (third >= 0x8B && third <= 0x8F || third >= 0xAA && third <= 0xAE) || next == 0x81 && third >= 0xA0 && third <= 0xAF {
				return true
			}
		case 0xC2:
			if next == 0xAD {
				return true
			}
		case 0xCD, 0xD8, 0xE1, 0xE3, 0xEF, 0xF3: // rare enough to decode the page
			return true
		}
	}
	return false
}

func nameAt(rest []byte) []byte {
	if end := bytes.IndexAny(rest[:min(len(rest), 40)], " \t\n>"); end >= 0 {
		return rest[:end]
	}
	return nil
}

// attributeBefore returns the name of the attribute whose value begins here.
func attributeBefore(page []byte) []byte {
	name := bytes.TrimSuffix(page, []byte("="))
	return name[bytes.LastIndexAny(name, " \t\n")+1:]
}
