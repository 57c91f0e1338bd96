package ui

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Language is a language of the pages: its texts are the folder of its tag in
// messages, and the rest is how it writes numbers and dates. A test holds the
// marks against the tables of the Unicode consortium (CLDR).
type Language struct {
	Tag  string // BCP 47, for <html lang>
	Name string // in the language itself, for the menu
	Dir  string // "ltr" or "rtl"

	tag            language.Tag
	forms          []plural.Form // the categories that it has, in the order of CLDR
	group, decimal string
	months, short  [12]string
	day            string // "." where the day is an ordinal
	quotes         [2]string
}

// The languages. English is the one that every text is written in first.
var (
	english = &Language{
		Tag: "en", Name: "English", Dir: "ltr", tag: language.English, forms: []plural.Form{plural.One, plural.Other}, group: ",", decimal: ".",
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		short:  [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	}
	german = &Language{
		Tag: "de", Name: "Deutsch", Dir: "ltr", tag: language.German, forms: []plural.Form{plural.One, plural.Other}, group: ".", decimal: ",", day: ".", quotes: [2]string{"„", "“"},
		months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		short:  [12]string{"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."},
	}
	// mirrored is English as it would stand in a script from right to left, for
	// tests. Its tag is not that of CLDR's pseudo-language (ar-XB), so that the
	// islands write numbers as English does.
	mirrored = &Language{
		Tag: "en-XB", Name: "Mirrored", Dir: "rtl", tag: language.English, forms: english.forms, group: english.group, decimal: english.decimal,
		months: english.months, short: english.short, quotes: [2]string{"“", "”"},
	}
)

// Languages are the languages that people may choose from. The mirrored one is
// not among them; only a cookie that somebody wrote by hand asks for it.
func Languages() []*Language { return []*Language{english, german} }

var matcher = language.NewMatcher([]language.Tag{english.tag, german.tag})

// ChooseLanguage returns the language for a reader: the one they chose, else
// the best one for the header Accept-Language, else English. What is chosen and
// not known counts as not chosen.
func ChooseLanguage(chosen, accept string) *Language {
	for _, l := range []*Language{english, german, mirrored} {
		if l.Tag == chosen {
			return l
		}
	}
	_, at := language.MatchStrings(matcher, accept) // the first where none fits
	return Languages()[at]
}

type languageKey struct{}

// In returns a context in which T and the functions that write numbers and
// dates speak a language.
func In(ctx context.Context, l *Language) context.Context {
	return context.WithValue(ctx, languageKey{}, l)
}

// LanguageOf returns the language of a context, English where nothing is said.
func LanguageOf(ctx context.Context) *Language {
	if l, ok := ctx.Value(languageKey{}).(*Language); ok {
		return l
	}
	return english
}

// form returns which of the language's plural forms goes with a number as it is
// written, such as "1" or "1.5".
func (l *Language) form(written string) int {
	whole, fraction, _ := strings.Cut(strings.TrimLeft(written, "-"), ".")
	i, err := strconv.Atoi(whole)
	if err != nil {
		return len(l.forms) - 1
	}
	bare := strings.TrimRight(fraction, "0")
	f, _ := strconv.Atoi(fraction) // "" is 0
	t, _ := strconv.Atoi(bare)
	return max(0, slices.Index(l.forms, plural.Cardinal.MatchPlural(l.tag, i, len(fraction), len(bare), f, t)))
}

// number writes a number that strconv wrote with the marks of the language.
func (l *Language) number(written string) string {
	sign := ""
	if rest, minus := strings.CutPrefix(written, "-"); minus {
		sign, written = "−", rest // the typographic one, which lines up with the plus
	}
	whole, fraction, broken := strings.Cut(written, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(l.group)
		}
		b.WriteRune(d)
	}
	if broken {
		b.WriteString(l.decimal + fraction)
	}
	return b.String()
}

// Count writes a whole number with thousands separators: 10,003.
func Count[N int | int64](ctx context.Context, n N) string {
	return LanguageOf(ctx).number(strconv.FormatInt(int64(n), 10))
}

// Number writes a number with as many decimals as are given; -1 stands for as
// many as it has.
func Number(ctx context.Context, f float64, decimals int) string {
	return LanguageOf(ctx).number(strconv.FormatFloat(f, 'f', decimals, 64))
}

// Local turns the marks of a number that was written as in English, such as
// "+1,204.5" or "< 0.001", into those of the language.
func Local(ctx context.Context, written string) string {
	l := LanguageOf(ctx)
	return strings.NewReplacer(",", l.group, ".", l.decimal).Replace(written)
}

// Percent writes a share between 0 and 1 with one decimal: 88.4 %, joined by a
// narrow no-break space.
func Percent(ctx context.Context, share float64) string {
	return Number(ctx, share*100, 1) + "\u202f%"
}

// Signed writes a difference with its sign, as in +1.4 or −0.3; the minus is
// the typographic one, which lines up with the plus.
func Signed(ctx context.Context, f float64, decimals int) string {
	s := strconv.FormatFloat(f, 'f', decimals, 64)
	if bare := strings.TrimPrefix(s, "-"); strings.Trim(bare, "0.") == "" {
		return LanguageOf(ctx).number(bare)
	}
	if !strings.HasPrefix(s, "-") {
		return "+" + LanguageOf(ctx).number(s)
	}
	return LanguageOf(ctx).number(s)
}

// Bytes writes a size in the unit that leaves it short: 1.4 MB.
func Bytes(ctx context.Context, n int64) string {
	if n < 1000 {
		return Count(ctx, n) + "\u00a0B"
	}
	size, units := float64(n)/1000, []string{"kB", "MB", "GB", "TB"}
	for size >= 1000 && len(units) > 1 {
		size, units = size/1000, units[1:]
	}
	return Number(ctx, size, 1) + "\u00a0" + units[0]
}

// Day writes the day of a moment, in UTC: 2 January 2006.
func Day(ctx context.Context, at time.Time) string {
	l := LanguageOf(ctx)
	return at.UTC().Format("2"+l.day+" ") + l.months[at.UTC().Month()-1] + at.UTC().Format(" 2006")
}

// Minute writes a moment to the minute, in UTC: 2 Jan 2006, 15:04.
func Minute(ctx context.Context, at time.Time) string {
	l := LanguageOf(ctx)
	return at.UTC().Format("2"+l.day+" ") + l.short[at.UTC().Month()-1] + at.UTC().Format(" 2006, 15:04")
}
