package ledger

import (
	"unicode"

	"github.com/adjudge/adjudge/backend/fault"
)

// Unseen is a character that nobody sees and that changes how the characters
// around it look or compare: it turns their direction, joins them, or merely
// makes two texts differ that look alike.
type Unseen struct {
	Rune rune
	Mark string // a few capital letters to show in its place: RLO
	Name string // in words: right-to-left override
}

// String names the character for messages.
func (u Unseen) String() string { return fault.Say("%s (U+%04X)", u.Name, u.Rune) }

var unseen = func() map[rune]Unseen {
	all := map[rune]Unseen{}
	for _, u := range []Unseen{
		{0x00AD, "SHY", "soft hyphen"}, {0x034F, "CGJ", "combining grapheme joiner"}, {0x061C, "ALM", "Arabic letter mark"},
		{0x115F, "HCF", "Hangul filler"}, {0x1160, "HJF", "Hangul filler"}, {0x17B4, "KIV", "Khmer inherent vowel"}, {0x17B5, "KIV", "Khmer inherent vowel"},
		{0x180E, "MVS", "Mongolian vowel separator"}, {0x200B, "ZWSP", "zero width space"}, {0x200C, "ZWNJ", "zero width non-joiner"},
		{0x200D, "ZWJ", "zero width joiner"}, {0x200E, "LRM", "left-to-right mark"}, {0x200F, "RLM", "right-to-left mark"},
		{0x202A, "LRE", "left-to-right embedding"}, {0x202B, "RLE", "right-to-left embedding"}, {0x202C, "PDF", "pop directional formatting"},
		{0x202D, "LRO", "left-to-right override"}, {0x202E, "RLO", "right-to-left override"}, {0x2060, "WJ", "word joiner"},
		{0x2061, "FA", "invisible function application"}, {0x2062, "IT", "invisible times"}, {0x2063, "IS", "invisible separator"}, {0x2064, "IP", "invisible plus"},
		{0x2066, "LRI", "left-to-right isolate"}, {0x2067, "RLI", "right-to-left isolate"}, {0x2068, "FSI", "first strong isolate"}, {0x2069, "PDI", "pop directional isolate"},
		{0x3164, "HF", "Hangul filler"}, {0xFEFF, "BOM", "zero width no-break space"}, {0xFFA0, "HHF", "Hangul filler"},
		{0xFFF9, "IAA", "interlinear annotation anchor"}, {0xFFFA, "IAS", "interlinear annotation separator"}, {0xFFFB, "IAT", "interlinear annotation terminator"},
	} {
		all[u.Rune] = u
	}
	return all
}()

// UnseenAt reports whether r, between two others (0 at an end), is a character
// that nobody sees. Joiners count only where they do nothing: scripts that join
// their letters need them, and so do emoji.
func UnseenAt(before, r, after rune) (Unseen, bool) {
	switch {
	case r < 0xAD:
		return Unseen{}, false
	case r == 0x200C || r == 0x200D:
		if joins(before) && joins(after) {
			return Unseen{}, false
		}
	case r >= 0x206A && r <= 0x206F:
		return Unseen{r, "FMT", "deprecated formatting character"}, true
	case r >= 0xE0100 && r <= 0xE01EF:
		return Unseen{r, "VS", "variation selector"}, true
	case r >= 0xE0000 && r <= 0xE007F:
		return Unseen{r, "TAG", "tag character"}, true
	}
	u, found := unseen[r]
	return u, found
}

// joins reports whether a joiner beside the character means anything.
func joins(r rune) bool {
	switch {
	case r == 0xFE0F || r >= 0x2190 && unicode.In(r, unicode.So, unicode.Sk):
		return true
	case unicode.In(r, unicode.Latin, unicode.Cyrillic, unicode.Greek):
		return false
	}
	return unicode.In(r, unicode.L, unicode.M)
}

// Plain refuses a text that holds characters nobody sees. Whatever is signed or
// compared by eye is plain: a signature must cover what people read.
func Plain(field, text string) error {
	runes := []rune(text)
	for i, r := range runes {
		before, after := rune(0), rune(0)
		if i > 0 {
			before = runes[i-1]
		}
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		if u, found := UnseenAt(before, r, after); found {
			return fault.Field(field, "Character %d is %s, which nobody sees. Remove it: what is signed or compared must look as it is.", i+1, u)
		}
	}
	return nil
}

// Name refuses a name that holds control characters or characters nobody sees. Names
// are printed on terminals and into logs, where an escape sequence is a command.
func Name(field, text string) error {
	for i, r := range []rune(text) {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return fault.Field(field, "Character %d is a control character (U+%04X). Remove it: names are printed on terminals and into logs.", i+1, r)
		}
	}
	return Plain(field, text)
}

// scripts are those whose letters can be told apart by their script; all the
// others count as one.
var scripts = []struct {
	name  string
	table *unicode.RangeTable
}{
	{"Latin", unicode.Latin}, {"Cyrillic", unicode.Cyrillic}, {"Greek", unicode.Greek}, {"Armenian", unicode.Armenian}, {"Hebrew", unicode.Hebrew},
	{"Arabic", unicode.Arabic}, {"Cherokee", unicode.Cherokee}, {"Georgian", unicode.Georgian}, {"Coptic", unicode.Coptic}, {"Thai", unicode.Thai},
	{"East Asian", unicode.Han}, {"East Asian", unicode.Hiragana}, {"East Asian", unicode.Katakana}, {"East Asian", unicode.Hangul}, {"East Asian", unicode.Bopomofo},
}

func scriptOf(r rune) string {
	if !unicode.IsLetter(r) || unicode.In(r, unicode.Common, unicode.Inherited) {
		return ""
	}
	for _, s := range scripts {
		if unicode.Is(s.table, r) {
			return s.name
		}
	}
	return "another script"
}

// OneScript refuses a name whose letters come from several scripts: a Cyrillic
// а between Latin letters makes a name that looks like somebody else's. Chinese,
// Japanese and Korean writing goes with Latin letters, as it does in practice.
func OneScript(field, name string) error {
	first, at := "", 0
	for _, r := range name {
		at++
		script := scriptOf(r)
		switch {
		case script == "" || script == first:
		case first == "":
			first = script
		case (first == "Latin" || first == "East Asian") && (script == "Latin" || script == "East Asian"):
		default:
			return fault.Field(field, "Character %d (%c, U+%04X) is %s, the letters before it are %s. Write the name in one script, so that nobody takes it for another.", at, r, r, script, first)
		}
	}
	return nil
}
