package ledger

import (
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
)

func TestWhatNobodySeesIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                      "",
		"Anna Müller – 東京, 5 %": "",
		"می\u200cخواهم":         "", // Persian needs its non-joiner
		"👩\u200d⚕\ufe0f":        "", // and this emoji its joiner
		"क्\u200dष":             "",
		"line\nbreak\ttab":      "", // others judge those
		"pay\u202egpj.exe":      "Character 4 is right-to-left override (U+202E)",
		"\u2066a\u2069":         "Character 1 is left-to-right isolate (U+2066)",
		"a\u200eb":              "Character 2 is left-to-right mark (U+200E)",
		"ab\u061c":              "Character 3 is Arabic letter mark (U+061C)",
		"pay\u200bpal":          "Character 4 is zero width space (U+200B)",
		"a\u200db":              "Character 2 is zero width joiner (U+200D)",
		"सा\u200d":              "Character 3 is zero width joiner (U+200D)",
		"x\U000E0041":           "Character 2 is tag character (U+E0041)",
		"x\U000E0101":           "Character 2 is variation selector (U+E0101)",
		"\ufeffname":            "Character 1 is zero width no-break space (U+FEFF)",
		"co\u00adoperate":       "Character 3 is soft hyphen (U+00AD)",
		"東\u3164京":              "Character 2 is Hangul filler (U+3164)",
	} {
		err := Plain("name", text)
		if want == "" {
			if err != nil {
				t.Errorf("%+q: %v", text, err)
			}
			continue
		}
		if got := fault.Fields(err)["name"]; !strings.HasPrefix(got, want) {
			t.Errorf("%+q: %q, want %q", text, got, want)
		}
	}
}

func TestANameIsWrittenInOneScript(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"anna": "", "анна": "", "άννα": "", "anna-2@ward.example": "", "田中tanaka": "", "김kim": "", "たなか太郎": "", "нина_2": "", "مها": "", "müller": "",
		"аnna":  "Character 2 (n, U+006E) is Latin, the letters before it are Cyrillic.",
		"annа":  "Character 4 (а, U+0430) is Cyrillic, the letters before it are Latin.",
		"οlga":  "Character 2 (l, U+006C) is Latin, the letters before it are Greek.",
		"田中ивa": "Character 3 (и, U+0438) is Cyrillic, the letters before it are East Asian.",
	} {
		err := OneScript("username", name)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if got := fault.Fields(err)["username"]; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestANameHoldsNoControlCharacter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Anna Müller – 東京, 5 %": "", "": "",
		"a\x1b[2Jb": "Character 2 is a control character (U+001B)", "a\r": "Character 2 is a control character (U+000D)", "\x07": "Character 1 is a control character (U+0007)",
		"line\nbreak": "Character 5 is a control character (U+000A)", "a\u009bb": "Character 2 is a control character (U+009B)", "a\u2028": "Character 2 is a control character (U+2028)",
		"pay\u202egpj.exe": "Character 4 is right-to-left override (U+202E)",
	} {
		err := Name("name", text)
		if got := fault.Fields(err)["name"]; want == "" && err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%+q: %v, want %q", text, err, want)
		}
	}
}
