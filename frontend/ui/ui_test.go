package ui

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestInitialsTakeTheFirstAndTheLastName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Ana Souza": "AS", "Ana Maria de Souza": "AS", "ana": "A", "": "?", "Żaneta Łoś": "ŻŁ", "🙂": "?", "王 芳": "王芳",
	} {
		if got := Initials(name); got != want {
			t.Errorf("Initials(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestLettersGoOnAfterZ(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 76: "BY"} {
		if got := Letter(n); got != want {
			t.Errorf("Letter(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestNoKeyMeansTwoThingsOnOnePage(t *testing.T) {
	t.Parallel()
	global := map[string]string{}
	for _, k := range KeyScopes()[0].Keys {
		global[k.Combo] = k.Does
	}
	for _, s := range KeyScopes() {
		seen := map[string]string{}
		for _, k := range s.Keys {
			if other, twice := seen[k.Combo]; twice {
				t.Errorf("%s: %s is both %s and %s", s.Name, k.Combo, other, k.Does)
			}
			seen[k.Combo] = k.Does
			if other, taken := global[k.Combo]; taken && s.Name != "global" {
				t.Errorf("%s: %s is %s, and everywhere it is %s", s.Name, k.Combo, k.Does, other)
			}
		}
	}
}

func TestEveryIconThatIsNamedExists(t *testing.T) {
	t.Parallel()
	if len(IconNames()) < 40 {
		t.Fatalf("only %d icons were read", len(IconNames()))
	}
	for _, tone := range []Tone{Accent, Gain, Loss, Undecided, Danger} {
		if _, ok := icons()[tone.Icon()]; !ok {
			t.Errorf("tone %s has no sign", tone)
		}
	}
}

// Physical sides do not turn around with the direction of a script, so the
// style sheets may not name them.
func TestStyleSheetsNameLogicalSidesOnly(t *testing.T) {
	t.Parallel()
	physical := regexp.MustCompile(`(?m)[{;]\s*(?:(?:margin|padding|border)-(?:left|right|top|bottom)|left|right|top|bottom|width|height|(?:min|max)-(?:width|height)|text-align:\s*(?:left|right)|float:\s*(?:left|right))\b[^;}]*`)
	sheets := []string{"../static/base.css"}
	for _, dir := range []string{"../page/css", "css"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".css") {
				sheets = append(sheets, dir+"/"+e.Name())
			}
		}
	}
	for _, sheet := range sheets {
		text, err := os.ReadFile(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range physical.FindAllString(string(text), -1) {
			t.Errorf("%s: %s", sheet, strings.TrimSpace(found))
		}
	}
}
