package textlinear

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// feature is one hashed n-gram of a text with its weight.
type feature struct {
	slot  uint32
	value float32
}

// extractor turns texts into hashed n-grams. It keeps its buffers between
// texts, so it belongs to one goroutine.
type extractor struct {
	params Params
	mask   uint32
	words  []string
	counts map[uint32]float32
}

func newExtractor(p Params) *extractor {
	return &extractor{params: p, mask: 1<<p.HashBits - 1, counts: map[uint32]float32{}}
}

// The two kinds of n-grams start their hash differently, so that the word "car"
// and the characters "car" are different features.
const (
	wordSeed uint64 = 0xcbf29ce484222325
	charSeed uint64 = 0x9ae16a3b2f90404f
	prime    uint64 = 0x100000001b3
)

func addBytes(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return h
}

// slotOf folds a hash into the table. The multiplication spreads FNV's weak low bits.
func (x *extractor) slotOf(h uint64) uint32 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return uint32(h) & x.mask
}

// grams returns the n-grams of a text with how often they occur, ordered by
// slot. The order matters: floating-point sums depend on it.
func (x *extractor) grams(text string) []feature {
	clear(x.counts)
	x.words = tokens(x.words[:0], text)
	for i := range x.words {
		h := wordSeed
		for n := range x.params.WordNgrams {
			if i+n >= len(x.words) {
				break
			}
			h = addBytes(addBytes(h, x.words[i+n]), " ")
			x.counts[x.slotOf(h)]++
		}
	}
	if x.params.CharMax > 0 {
		for _, w := range x.words {
			x.chars(" " + w + " ")
		}
	}
	found := make([]feature, 0, len(x.counts))
	for slot, n := range x.counts {
		found = append(found, feature{slot, n})
	}
	slices.SortFunc(found, func(a, b feature) int { return int(a.slot) - int(b.slot) })
	return found
}

// chars counts the character n-grams of one padded word.
func (x *extractor) chars(padded string) {
	for start := 0; start < len(padded); {
		h, length := charSeed, 0
		for _, r := range padded[start:] {
			h = addBytes(h, string(r))
			if length++; length > x.params.CharMax {
				break
			}
			if length >= x.params.CharMin {
				x.counts[x.slotOf(h)]++
			}
		}
		_, size := utf8.DecodeRuneInString(padded[start:])
		start += size
	}
}

// tokens appends the lower-case words of a text: runs of letters, marks and
// digits. Apostrophes inside a word are dropped, so "can't" is "cant"; scripts
// without spaces yield long words, whose character n-grams carry them.
func tokens(words []string, text string) []string {
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range text {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			word.WriteRune(unicode.ToLower(r))
		case r == '\'' || r == '’':
		default:
			flush()
		}
	}
	flush()
	return words
}

// weigh turns counts into values: damped counts times how rare the n-gram is,
// scaled to length one. Slots that the model does not know are dropped.
func weigh(grams []feature, rows map[uint32]uint32, idf []float32) []feature {
	weighed := make([]feature, 0, len(grams))
	var square float32
	for _, g := range grams {
		row, known := rows[g.slot]
		if !known {
			continue
		}
		v := float32(1+math.Log(float64(g.value))) * idf[row]
		square += float32(v * v)
		weighed = append(weighed, feature{row, v})
	}
	if square > 0 {
		scale := 1 / float32(math.Sqrt(float64(square)))
		for i := range weighed {
			weighed[i].value *= scale
		}
	}
	return weighed
}
