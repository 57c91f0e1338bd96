package compare

import (
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

// Count compares two columns of answers with the truth in one pass, shared out
// among the processors. Answers at or above classes are not allowed.
func Count(truth, baseline, candidate []uint16, classes int, slices []Members) Counts {
	// Blocks of whole words, so that no two workers share a word of a slice.
	words := (len(truth) + 63) / 64
	workers := max(1, min(runtime.GOMAXPROCS(0), words/256))
	parts := make([]*tally, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			parts[w] = newTally(classes, len(slices))
			from, to := words*w/workers*64, min(words*(w+1)/workers*64, len(truth))
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

// tally is what one worker counts. Two tables take turns for each confusion,
// since two increments of one counter in a row wait for each other.
type tally struct {
	classes  int
	base     [2][]uint32
	cand     [2][]uint32
	quadrant [2][]uint32 // per class four: neither, only the baseline, only the candidate, both
	slices   [][4]int
}

func newTally(classes, slices int) *tally {
	t := &tally{classes: classes, slices: make([][4]int, slices)}
	for i := range 2 {
		t.base[i] = make([]uint32, classes*classes)
		t.cand[i] = make([]uint32, classes*classes)
		t.quadrant[i] = make([]uint32, 4*classes)
	}
	return t
}

// block is how many words of items are counted before the slices look at them:
// their bits and the columns stay in the nearest cache meanwhile.
const block = 64

func (t *tally) add(truth, baseline, candidate []uint16, slices []Members, from, to int) {
	var rightA, rightB [block]uint64
	for start := from; start < to; start += block * 64 {
		end := min(start+block*64, to)
		words := (end - start + 63) / 64
		for w := range words {
			lo := start + w*64
			hi := min(lo+64, end)
			rightA[w], rightB[w] = t.word(truth[lo:hi], baseline[lo:hi], candidate[lo:hi])
		}
		for s, members := range slices {
			count := &t.slices[s]
			chunk := members[start/64 : start/64+words]
			var both, onlyA, onlyB, all int
			for w, m := range chunk {
				a, b := rightA[w]&m, rightB[w]&m
				both += bits.OnesCount64(a & b)
				onlyA += bits.OnesCount64(a &^ b)
				onlyB += bits.OnesCount64(b &^ a)
				all += bits.OnesCount64(m)
			}
			count[3] += both
			count[1] += onlyA
			count[2] += onlyB
			count[0] += all - both - onlyA - onlyB
		}
	}
}

// word counts up to 64 items and returns which of them each model got right.
func (t *tally) word(truth, baseline, candidate []uint16) (rightA, rightB uint64) {
	n := len(truth)
	baseline, candidate = baseline[:n], candidate[:n]
	size := uint(t.classes)
	for i, class := range truth {
		row := uint(class) * size
		a, b := baseline[i], candidate[i]
		var okA, okB uint
		if a == class {
			okA = 1
		}
		if b == class {
			okB = 1
		}
		turn := i & 1
		t.base[turn][row+uint(a)]++
		t.cand[turn][row+uint(b)]++
		t.quadrant[turn][uint(class)*4+okA+2*okB]++
		rightA |= uint64(okA) << (uint(i) & 63)
		rightB |= uint64(okB) << (uint(i) & 63)
	}
	return rightA, rightB
}

func (t *tally) merge(other *tally) {
	for i := range 2 {
		for j, n := range other.base[i] {
			t.base[i][j] += n
		}
		for j, n := range other.cand[i] {
			t.cand[i][j] += n
		}
		for j, n := range other.quadrant[i] {
			t.quadrant[i][j] += n
		}
	}
	for s := range t.slices {
		for q := range 4 {
			t.slices[s][q] += other.slices[s][q]
		}
	}
}

func (t *tally) counts() Counts {
	counts := Counts{
		Baseline: make([]int, len(t.base[0])), Candidate: make([]int, len(t.cand[0])),
		ByClass: make([]stat.Pairs, t.classes), BySlice: make([]stat.Pairs, len(t.slices)),
	}
	for i := range counts.Baseline {
		counts.Baseline[i] = int(t.base[0][i]) + int(t.base[1][i])
		counts.Candidate[i] = int(t.cand[0][i]) + int(t.cand[1][i])
	}
	for c := range t.classes {
		q := func(k int) int { return int(t.quadrant[0][4*c+k]) + int(t.quadrant[1][4*c+k]) }
		p := stat.Pairs{Neither: q(0), OnlyA: q(1), OnlyB: q(2), Both: q(3)}
		counts.ByClass[c] = p
		counts.Pairs.Both += p.Both
		counts.Pairs.OnlyA += p.OnlyA
		counts.Pairs.OnlyB += p.OnlyB
		counts.Pairs.Neither += p.Neither
	}
	for s, q := range t.slices {
		counts.BySlice[s] = stat.Pairs{Neither: q[0], OnlyA: q[1], OnlyB: q[2], Both: q[3]}
	}
	return counts
}
