package compare

import (
	"encoding/binary"
	"math/bits"
	"runtime"
	"sync"

	"github.com/adjudge/adjudge/backend/stat"
)

// Members marks the items of a slice, one bit each in the order of the sheet.
type Members []uint64

// NewMembers marks nothing among n items.
func NewMembers(n int) Members { return make(Members, (n+63)/64) }

// Add marks item i.
func (m Members) Add(i int) { m[i/64] |= 1 << (i % 64) }

// Counts is all that the statistics of two models need: integers.
type Counts struct {
	Pairs     stat.Pairs
	Baseline  []int        // confusion: classes × classes, rows by truth
	Candidate []int        // the same of the candidate
	ByClass   []stat.Pairs // per true class
	BySlice   []stat.Pairs // per given slice
}

// Column holds one class number per item, in a byte each while there are no more
// than 256 classes.
type Column struct {
	narrow []uint8
	wide   []uint16
}

// NewColumn keeps numbers below classes.
func NewColumn[N uint16 | int32](numbers []N, classes int) Column {
	if classes > 256 {
		wide := make([]uint16, len(numbers))
		for i, n := range numbers {
			wide[i] = uint16(n) //nolint:gosec // below classes
		}
		return Column{wide: wide}
	}
	narrow := make([]uint8, len(numbers))
	for i, n := range numbers {
		narrow[i] = uint8(n) //nolint:gosec // below classes
	}
	return Column{narrow: narrow}
}

// Len is the number of items.
func (c Column) Len() int { return len(c.narrow) + len(c.wide) }

// At returns the class of item i.
func (c Column) At(i int) int {
	if c.narrow != nil {
		return int(c.narrow[i])
	}
	return int(c.wide[i])
}

// Count compares two columns of answers with the truth in one pass, shared out
// among the processors. The columns were made for the same number of classes.
func Count(truth, baseline, candidate Column, classes int, slices []Members) Counts {
	// Blocks of whole words, so that no two workers share a word of a slice.
	words := (truth.Len() + 63) / 64
	workers := max(1, min(runtime.GOMAXPROCS(0), words/256))
	parts := make([]*tally, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			parts[w] = newTally(classes, len(slices))
			from, to := words*w/workers*64, min(words*(w+1)/workers*64, truth.Len())
			parts[w].add(truth, baseline, candidate, slices, from, to)
		})
	}
	group.Wait()
	sum := parts[0]
	for _, part := range parts[1:] {
		sum.merge(part)
	}
	return sum.counts()
}

// tally is what one worker counts. Who was right is a bit per item; only wrong
// answers are counted one by one, and what was right follows from the number of
// items of the class.
type tally struct {
	classes   int
	truth     [lanes][]uint32 // items per class
	base      []uint32        // wrong answers: classes × classes, rows by truth
	cand      []uint32
	bothWrong []uint32 // per class
	slices    [][4]int // members, of them right: baseline, candidate, both
}

// lanes is how many counters of a class take turns, since two increments of one
// counter in a row wait for each other.
const lanes = 8

func newTally(classes, slices int) *tally {
	t := &tally{
		classes: classes, slices: make([][4]int, slices), bothWrong: make([]uint32, classes),
		base: make([]uint32, classes*classes), cand: make([]uint32, classes*classes),
	}
	for i := range t.truth {
		t.truth[i] = make([]uint32, max(classes, 256)) // any byte is an index
	}
	return t
}

// block is how many words of items are counted before the slices look at them:
// their bits and those of the slices stay in the nearest cache meanwhile.
const block = 64

// bitmap holds a bit per item of a block.
type bitmap [block]uint64

func (t *tally) add(truth, baseline, candidate Column, slices []Members, from, to int) {
	var rightA, rightB, both, rest bitmap
	for start := from; start < to; start += block * 64 {
		end := min(start+block*64, to)
		words := (end - start + 63) / 64
		if truth.narrow != nil {
			t.narrow(truth.narrow[start:end], baseline.narrow[start:end], candidate.narrow[start:end], &rightA, &rightB)
		} else {
			each(t, truth.wide[start:end], baseline.wide[start:end], candidate.wide[start:end], rightA[:], rightB[:])
		}
		for w := range both {
			both[w] = rightA[w] & rightB[w]
		}
		for s := range slices {
			members := &rest
			if chunk := slices[s][start/64 : start/64+words]; words == block {
				members = (*bitmap)(chunk)
			} else {
				clear(rest[copy(rest[:], chunk):])
			}
			count := &t.slices[s]
			count[0] += members.count(members)
			count[1] += members.count(&rightA)
			count[2] += members.count(&rightB)
			count[3] += members.count(&both)
		}
	}
}

// count returns how many bits two bitmaps share. Four at a time, because an
// amd64 of the first level asks before each whether the processor can count bits.
func (b *bitmap) count(other *bitmap) int {
	n := 0
	for i := 0; i < block; i += 4 {
		n += bits.OnesCount64(b[i]&other[i]) + bits.OnesCount64(b[i+1]&other[i+1]) +
			bits.OnesCount64(b[i+2]&other[i+2]) + bits.OnesCount64(b[i+3]&other[i+3])
	}
	return n
}

// narrow counts a block of items in bytes and marks which of them each model got
// right.
func (t *tally) narrow(truth, baseline, candidate []uint8, rightA, rightB *bitmap) {
	var n [lanes]*[256]uint32
	for i := range n {
		n[i] = (*[256]uint32)(t.truth[i])
	}
	whole := len(truth) / 64
	for w := range whole {
		truth, baseline, candidate := (*[64]uint8)(truth[w*64:]), (*[64]uint8)(baseline[w*64:]), (*[64]uint8)(candidate[w*64:])
		var a, b uint64
		for i := 0; i < 64; i += lanes {
			eight := binary.LittleEndian.Uint64(truth[i:])
			a = a>>8 | equal(eight, binary.LittleEndian.Uint64(baseline[i:]))
			b = b>>8 | equal(eight, binary.LittleEndian.Uint64(candidate[i:]))
			n[0][uint8(eight)]++
			n[1][uint8(eight>>8)]++
			n[2][uint8(eight>>16)]++
			n[3][uint8(eight>>24)]++
			n[4][uint8(eight>>32)]++
			n[5][uint8(eight>>40)]++
			n[6][uint8(eight>>48)]++
			n[7][uint8(eight>>56)]++
		}
		rightA[w&(block-1)], rightB[w&(block-1)] = a, b
		wrong(t, truth[:], baseline[:], candidate[:], ^a, ^b)
	}
	if done := whole * 64; done < len(truth) {
		each(t, truth[done:], baseline[done:], candidate[done:], rightA[whole:], rightB[whole:])
	}
}

// equal compares two times eight bytes; where they agree, it sets a bit of the
// highest byte, the first byte's being the lowest.
func equal(x, y uint64) uint64 {
	const low = 0x7f7f7f7f7f7f7f7f
	differ := x ^ y
	same := ^((differ&low + low) | differ | low) >> 7 // the lowest bit of each byte
	return same * 0x0102040810204080 & (0xff << 56)
}

// each counts a block of items of any width one by one.
func each[N uint8 | uint16](t *tally, truth, baseline, candidate []N, rightA, rightB []uint64) {
	for w := 0; w*64 < len(truth); w++ {
		lo, hi := w*64, min(w*64+64, len(truth))
		truth, baseline, candidate := truth[lo:hi], baseline[lo:hi], candidate[lo:hi]
		var a, b uint64 // who was wrong
		for i, class := range truth {
			t.truth[i%lanes][class]++
			a |= differs(class, baseline[i]) << (i & 63)
			b |= differs(class, candidate[i]) << (i & 63)
		}
		mask := ^uint64(0) >> (64 - len(truth))
		rightA[w], rightB[w] = ^a&mask, ^b&mask
		wrong(t, truth, baseline, candidate, a, b)
	}
}

// differs is 1 where two numbers differ, without a branch.
func differs[N uint8 | uint16](x, y N) uint64 { return uint64(-int32(x^y)) >> 63 }

// wrong counts the wrong answers of up to 64 items, a bit of a and b each.
func wrong[N uint8 | uint16](t *tally, truth, baseline, candidate []N, a, b uint64) {
	size := uint(t.classes)
	for left := a; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		t.base[uint(truth[i])*size+uint(baseline[i])]++
	}
	for left := b; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		t.cand[uint(truth[i])*size+uint(candidate[i])]++
	}
	for left := a & b; left != 0; left &= left - 1 {
		t.bothWrong[truth[bits.TrailingZeros64(left)]]++
	}
}

func (t *tally) merge(other *tally) {
	plus := func(into, from []uint32) {
		for i, n := range from {
			into[i] += n
		}
	}
	for i := range lanes {
		plus(t.truth[i], other.truth[i])
	}
	plus(t.base, other.base)
	plus(t.cand, other.cand)
	plus(t.bothWrong, other.bothWrong)
	for s := range t.slices {
		for q := range 4 {
			t.slices[s][q] += other.slices[s][q]
		}
	}
}

func (t *tally) counts() Counts {
	size := t.classes
	counts := Counts{
		Baseline: make([]int, size*size), Candidate: make([]int, size*size),
		ByClass: make([]stat.Pairs, size), BySlice: make([]stat.Pairs, len(t.slices)),
	}
	for i := range counts.Baseline {
		counts.Baseline[i], counts.Candidate[i] = int(t.base[i]), int(t.cand[i])
	}
	for c := range size {
		items, wrongA, wrongB := 0, 0, 0
		for i := range lanes {
			items += int(t.truth[i][c])
		}
		for answer := c * size; answer < (c+1)*size; answer++ {
			wrongA, wrongB = wrongA+counts.Baseline[answer], wrongB+counts.Candidate[answer]
		}
		counts.Baseline[c*size+c], counts.Candidate[c*size+c] = items-wrongA, items-wrongB
		p := pairsOf(items, items-wrongA, items-wrongB, items-wrongA-wrongB+int(t.bothWrong[c]))
		counts.ByClass[c] = p
		counts.Pairs.Both += p.Both
		counts.Pairs.OnlyA += p.OnlyA
		counts.Pairs.OnlyB += p.OnlyB
		counts.Pairs.Neither += p.Neither
	}
	for s, n := range t.slices {
		counts.BySlice[s] = pairsOf(n[0], n[1], n[2], n[3])
	}
	return counts
}

// pairsOf makes quadrants of the items and how many each model and both of them
// got right.
func pairsOf(items, rightA, rightB, both int) stat.Pairs {
	return stat.Pairs{Both: both, OnlyA: rightA - both, OnlyB: rightB - both, Neither: items - rightA - rightB + both}
}
