package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

func speaking(l *Language) context.Context { return In(context.Background(), l) }

func TestNumbersAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	en, de := speaking(english), speaking(german)
	for _, c := range []struct{ got, want string }{
		{Count(en, 0), "0"}, {Count(en, 999), "999"}, {Count(en, 1000), "1,000"}, {Count(en, -1234567), "−1,234,567"},
		{Count(de, 1000), "1.000"}, {Count(de, -1234567), "−1.234.567"}, {Number(de, 1234.5, 2), "1.234,50"},
		{Signed(en, 1.44, 1), "+1.4"}, {Signed(en, -0.31, 1), "−0.3"}, {Signed(en, -0.01, 1), "0.0"}, {Signed(en, 0, 1), "0.0"},
		{Signed(de, 1.44, 1), "+1,4"}, {Signed(de, -0.31, 1), "−0,3"}, {Signed(de, -0.01, 1), "0,0"},
		{Percent(en, 0.8842), "88.4\u202f%"}, {Percent(de, 0.8842), "88,4\u202f%"},
		{Local(en, "+1,204.5"), "+1,204.5"}, {Local(de, "+1,204.5"), "+1.204,5"}, {Local(de, "< 0.001"), "< 0,001"},
		{Bytes(en, 999), "999\u00a0B"}, {Bytes(en, 1_400_000), "1.4\u00a0MB"}, {Bytes(de, 1_400_000), "1,4\u00a0MB"}, {Bytes(de, 3_000_000_000_000_000), "3.000,0\u00a0TB"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestDatesAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 2, 15, 4, 0, 0, time.FixedZone("", 3600))
	for _, c := range []struct{ got, want string }{
		{Day(speaking(english), at), "2 March 2026"}, {Day(speaking(german), at), "2. März 2026"},
		{Minute(speaking(english), at), "2 Mar 2026, 14:04"}, {Minute(speaking(german), at), "2. März 2026, 14:04"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestMarksAreThoseOfTheUnicodeConsortium(t *testing.T) {
	t.Parallel()
	for _, l := range Languages() {
		got, want := l.number("1234567.25"), message.NewPrinter(l.tag).Sprintf("%.2f", 1234567.25)
		if got != want {
			t.Errorf("%s: got %q, want %q", l.Name, got, want)
		}
	}
}

func TestANumberChoosesItsForm(t *testing.T) {
	t.Parallel()
	for _, l := range []*Language{english, german, mirrored} {
		for n, want := range map[any]string{0: "many", 1: "one", int64(1): "one", 2: "many", 1001: "many", 1.0: "one", 1.5: "many", "1": "one", "x": "many"} {
			if got := l.fill("{n|one|many}", []any{"n", n}); got != want {
				t.Errorf("%s: %v chooses %q, want %q", l.Name, n, got, want)
			}
		}
	}
}

func TestALanguageIsChosen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chosen, accept string
		want           *Language
	}{
		{"", "", english},
		{"", "de", german},
		{"", "de-AT,de;q=0.9,en;q=0.8", german},
		{"", "fr-FR,fr;q=0.9,de;q=0.5,en;q=0.3", german},
		{"", "fr", english},
		{"", "en-US,en;q=0.9,de;q=0.8", english},
		{"", "de;q=0, en", english},
		{"", ";;q=x," + strings.Repeat("a,", 1000), english},
		{"en", "de", english},
		{"de", "en", german},
		{"tlh", "de", german},
		{"", mirrored.Tag, english}, // nobody meets it by what a browser asks for
		{mirrored.Tag, "de", mirrored},
	} {
		if got := ChooseLanguage(c.chosen, c.accept); got != c.want {
			t.Errorf("ChooseLanguage(%q, %.40q) = %s, want %s", c.chosen, c.accept, got.Tag, c.want.Tag)
		}
	}
	if LanguageOf(context.Background()) != english {
		t.Error("without a language it is not English")
	}
	if german.tag != language.German {
		t.Error("German is not German")
	}
}
