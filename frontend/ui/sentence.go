package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Sentences that Go makes (what is refused and why, what a requirement says, why
// a training failed) are written in English where they are made, as a format of
// package fmt. Their translations stand in messages/<tag>/sentences, by room, and
// the key is the English format itself. A translation names the arguments by
// their place, and says how each is written:
//
//	%[1]s  as it is: what a person wrote, a name, an address
//	%[1]q  what English puts in quotation marks, in those of the language
//	%[1]d  a number that names something: candidate 12, line 3
//	%[1]n  a number that counts or measures, with the marks of the language
//	%[1]t  a time, as English writes it
//	%[1]w  a word or sentence of the product, which has a translation of its own
//	%[1]l  a list of such words, joined by commas, "or" or "and"
//	{1|Klasse|Klassen}  a plural form, chosen by the number at that place
//
// A key without verbs is a word as much as a sentence.

// said is the sentences of one language, made ready.
type said struct {
	byFormat map[string]*sentence
	patterns []*sentence // those with verbs, the most telling first
}

// sentence is one translation.
type sentence struct {
	format string
	verbs  []string // of the English format, in order
	text   []piece
	words  []string // what the format says itself, between the verbs
	weak   bool     // which is next to nothing
	// pattern matches what was made from the format.
	pattern func() *regexp.Regexp
}

// piece is a part of a translation: text, or the argument at a place from 0
// written as how says, or one of the forms chosen by it.
type piece struct {
	text  string
	place int // -1 for text
	how   rune
	forms [][]piece
}

var sentences = sync.OnceValue(func() map[string]said {
	all := map[string]said{}
	for _, l := range Languages() {
		if l == english {
			continue
		}
		texts, err := loadSentences(messageFiles, "messages/"+l.Tag+"/sentences")
		if err != nil {
			panic(err)
		}
		all[l.Tag] = newSaid(texts)
	}
	// The mirrored language mirrors the English format, and takes from German
	// which arguments are words.
	mirrors := map[string]string{}
	for format, s := range all[german.Tag].byFormat {
		mirrors[format] = mirrorFormat(format, s)
	}
	all[mirrored.Tag] = newSaid(mirrors)
	return all
})

func loadSentences(files fs.FS, dir string) (map[string]string, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var room map[string]string
		if err := json.Unmarshal(text, &room); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for format, translation := range room {
			if _, twice := all[format]; twice {
				return nil, fmt.Errorf("%s: %q stands in another file too", name, format)
			}
			all[format] = translation
		}
	}
	return all, nil
}

func newSaid(texts map[string]string) said {
	all := said{byFormat: map[string]*sentence{}}
	for format, text := range texts {
		s := newSentence(format, text)
		all.byFormat[format] = s
		if len(s.verbs) > 0 {
			all.patterns = append(all.patterns, s)
		}
	}
	slices.SortFunc(all.patterns, func(a, b *sentence) int {
		if by := letters(b.format) - letters(a.format); by != 0 {
			return by
		}
		return strings.Compare(a.format, b.format)
	})
	return all
}

// letters counts what a format says itself, which tells how sure a match is.
func letters(format string) int { return len(verb.ReplaceAllString(format, "")) }

var (
	verb = regexp.MustCompile(`%[-+# 0]*[0-9]*(?:\.[0-9]+)?[a-zA-Z%]`)
	// What a translation is filled with.
	filled = regexp.MustCompile(`%%|%\[([0-9]+)\]([a-z])|\{([0-9]+)\|([^{}]*)\}`)
)

func newSentence(format, text string) *sentence {
	s := &sentence{format: format, words: []string{""}}
	var pattern strings.Builder
	pattern.WriteString(`(?s)^`)
	say := func(words string) {
		s.words[len(s.words)-1] += words
		pattern.WriteString(regexp.QuoteMeta(words))
	}
	last := 0
	for _, at := range verb.FindAllStringIndex(format, -1) {
		say(format[last:at[0]])
		v := format[at[0]:at[1]]
		last = at[1]
		switch v[len(v)-1] {
		case '%':
			say("%")
			continue
		case 'd':
			pattern.WriteString(`([-+]?[0-9]+)`)
		case 'q':
			pattern.WriteString(`("(?:[^"\\]|\\.)*")`)
		case 'f':
			pattern.WriteString(`([-+]?[0-9.]+)`)
		default:
			pattern.WriteString(`(.*?)`)
		}
		s.verbs, s.words = append(s.verbs, v), append(s.words, "")
	}
	say(format[last:])
	pattern.WriteString("$")
	s.weak = strings.IndexFunc(strings.Join(s.words, ""), unicode.IsLetter) < 0
	s.pattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern.String()) })
	s.text = pieces(text)
	return s
}

// pieces takes a translation apart.
func pieces(text string) (all []piece) {
	literal := func(text string) {
		if text != "" {
			all = append(all, piece{text: text, place: -1})
		}
	}
	last := 0
	for _, m := range filled.FindAllStringSubmatchIndex(text, -1) {
		literal(text[last:m[0]])
		last = m[1]
		switch {
		case m[2] >= 0:
			place, _ := strconv.Atoi(text[m[2]:m[3]])
			all = append(all, piece{place: place - 1, how: rune(text[m[4]])})
		case m[6] >= 0:
			place, _ := strconv.Atoi(text[m[6]:m[7]])
			p := piece{place: place - 1}
			for form := range strings.SplitSeq(text[m[8]:m[9]], "|") {
				p.forms = append(p.forms, pieces(form))
			}
			all = append(all, p)
		default:
			literal("%")
		}
	}
	literal(text[last:])
	return all
}

// Sentence says a sentence that was made from an English format and arguments in
// the language of ctx; in English where the language lacks it.
func Sentence(ctx context.Context, format string, args ...any) string {
	l := LanguageOf(ctx)
	all, foreign := sentences()[l.Tag]
	if !foreign {
		return fmt.Sprintf(format, args...)
	}
	s, ok := all.byFormat[format]
	if !ok || len(args) != len(s.verbs) {
		return Said(ctx, fmt.Sprintf(format, args...))
	}
	written := make([]string, len(args))
	for i, arg := range args {
		written[i] = fmt.Sprintf(s.verbs[i], arg)
	}
	return l.say(all, s, written)
}

// Said says an English sentence of the product, or several with spaces between
// them, in the language of ctx. It is for sentences that were made earlier or
// elsewhere: kept in a record, sent by another process, computed for programs as
// well as for people. What is no sentence of the product stays as it is.
func Said(ctx context.Context, text string) string {
	l := LanguageOf(ctx)
	all, foreign := sentences()[l.Tag]
	if !foreign {
		return text
	}
	said, _ := l.said(all, text)
	return said
}

// mostSaid is the longest text that is looked at, and mostEnds in how many
// places it may be cut: what is longer is nobody's sentence.
const (
	mostSaid = 4000
	mostEnds = 40
)

func (l *Language) said(all said, text string) (string, bool) {
	if text == "" || len(text) > mostSaid {
		return text, false
	}
	var b strings.Builder
	known, some := true, false
	for rest := text; rest != ""; {
		first, after, ok := l.first(all, rest)
		known, some = known && ok, some || ok
		b.WriteString(first)
		rest = after
	}
	if !known {
		if said, ok := l.whole(all, text, !some); ok {
			return said, true
		}
	}
	return b.String(), known
}

// first says the shortest beginning of a text that is known, or else leaves its
// first sentence as it is, and returns the rest.
func (l *Language) first(all said, text string) (said, rest string, known bool) {
	ends := ends(text)
	for _, end := range ends {
		if said, ok := l.whole(all, text[:end], false); ok {
			next := min(len(text), end+1)
			return said + text[end:next], text[next:], true
		}
	}
	next := min(len(text), ends[0]+1)
	return text[:next], text[next:], false
}

// ends returns where sentences of a text end, the end of the text among them.
func ends(text string) (at []int) {
	for i, r := range text {
		if (r == '.' || r == '?' || r == '!') && i+1 < len(text) && text[i+1] == ' ' && len(at) < mostEnds {
			at = append(at, i+1)
		}
	}
	return append(at, len(text))
}

// whole says a text that is one sentence. A weak match is by a format that says
// next to nothing itself, such as "%s: %s".
func (l *Language) whole(all said, text string, weak bool) (string, bool) {
	if s, ok := all.byFormat[text]; ok && len(s.verbs) == 0 {
		return l.say(all, s, nil), true
	}
	for _, s := range all.patterns {
		if s.weak && !weak || !s.fits(text) {
			continue
		}
		if m := s.pattern().FindStringSubmatch(text); m != nil {
			return l.say(all, s, m[1:]), true
		}
	}
	return "", false
}

// fits says soon of most texts that they were not made from a format: its words
// have to stand there, in their order.
func (s *sentence) fits(text string) bool {
	if !strings.HasPrefix(text, s.words[0]) || !strings.HasSuffix(text, s.words[len(s.words)-1]) {
		return false
	}
	for _, words := range s.words {
		at := strings.Index(text, words)
		if at < 0 {
			return false
		}
		text = text[at+len(words):]
	}
	return true
}

// say fills a translation with arguments as English writes them.
func (l *Language) say(all said, s *sentence, written []string) string {
	return l.fillIn(all, s.text, written)
}

func (l *Language) fillIn(all said, text []piece, written []string) string {
	var b strings.Builder
	for _, p := range text {
		switch {
		case p.place < 0:
			b.WriteString(p.text)
		case p.place >= len(written):
		case p.forms != nil:
			form := min(l.form(strings.ReplaceAll(written[p.place], ",", "")), len(p.forms)-1)
			b.WriteString(l.fillIn(all, p.forms[form], written))
		default:
			b.WriteString(l.written(all, written[p.place], p.how))
		}
	}
	return b.String()
}

// written writes one argument.
func (l *Language) written(all said, text string, how rune) string {
	switch how {
	case 'q':
		if inside, ok := strings.CutPrefix(text, `"`); ok {
			return l.quotes[0] + strings.TrimSuffix(inside, `"`) + l.quotes[1]
		}
	case 'n':
		return l.measured(text)
	case 't':
		return l.time(text)
	case 'w':
		return l.word(all, text)
	case 'l':
		return l.list(all, text)
	}
	return text
}

func (l *Language) word(all said, text string) string {
	said, _ := l.said(all, text)
	return said
}

var between = regexp.MustCompile(`, | or | and `)

func (l *Language) list(all said, text string) string {
	if said, ok := l.whole(all, text, false); ok {
		return said
	}
	var b strings.Builder
	last := 0
	for _, at := range between.FindAllStringIndex(text, -1) {
		b.WriteString(l.word(all, text[last:at[0]]))
		joint := text[at[0]:at[1]]
		if word := strings.TrimSpace(joint); word != "," {
			joint = " " + l.word(all, word) + " "
		}
		b.WriteString(joint)
		last = at[1]
	}
	b.WriteString(l.word(all, text[last:]))
	return b.String()
}

var figures = regexp.MustCompile(`[-+]?[0-9][0-9,]*(?:\.[0-9]+)?`)

// measured writes the numbers in a text, such as "+1.2 (-0.3 to +2.7)" or
// "10,003", with the marks of the language.
func (l *Language) measured(text string) string {
	return figures.ReplaceAllStringFunc(text, func(n string) string {
		sign := ""
		if rest, ok := strings.CutPrefix(n, "+"); ok {
			sign, n = "+", rest
		}
		return sign + l.number(strings.ReplaceAll(n, ",", ""))
	})
}

// time writes a time that was written for a program or in English.
func (l *Language) time(text string) string {
	ctx := In(context.Background(), l)
	if at, err := time.Parse("2 January 2006", text); err == nil {
		return Day(ctx, at)
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02 15:04", "2 January 2006 15:04 MST"} {
		if at, err := time.Parse(layout, text); err == nil {
			return Minute(ctx, at)
		}
	}
	return text
}

// mirrorFormat mirrors an English format for the tests' language, with its
// arguments written as another translation writes them.
func mirrorFormat(format string, like *sentence) string {
	how := map[int]rune{}
	for _, p := range like.text {
		if p.place >= 0 && p.forms == nil {
			how[p.place] = p.how
		}
	}
	var b strings.Builder
	last, place := 0, 0
	for _, at := range verb.FindAllStringIndex(format, -1) {
		b.WriteString(mirrorWords(format[last:at[0]]))
		last = at[1]
		if format[at[1]-1] == '%' {
			b.WriteString("%%")
			continue
		}
		as, ok := how[place]
		switch {
		case ok:
		case format[at[1]-1] == 'd':
			as = 'n'
		default:
			as = 's'
		}
		place++
		fmt.Fprintf(&b, "%%[%d]%c", place, as)
	}
	return "\u200f" + b.String() + mirrorWords(format[last:])
}

func mirrorWords(text string) string {
	var b strings.Builder
	for text != "" {
		end := strings.IndexFunc(text, unicode.IsSpace)
		if end < 0 {
			end = len(text)
		}
		if end > 0 {
			b.WriteString("\u202e" + text[:end] + "\u202c")
		}
		if end < len(text) {
			b.WriteString(text[end : end+1])
			end++
		}
		text = text[end:]
	}
	return b.String()
}
