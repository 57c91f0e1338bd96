package stat

import (
	"math"
	"math/bits"
	"slices"
)

// Bootstrap weighs clusters of items by Poisson(1) numbers that depend on
// nothing but seed, replicate and cluster. One pass over the items serves any
// number of replicates, workers may share them out as they like, and anyone who
// has the seed gets the same interval again.
type Bootstrap struct {
	Seed       uint64
	Replicates int
}

// Weight returns how often a cluster is drawn in a replicate.
func (b Bootstrap) Weight(replicate int, cluster uint64) int {
	return poisson(mix(mix(b.Seed^0x9e3779b97f4a7c15*uint64(replicate+1)) ^ cluster))
}

// Sum adds the weight of every cluster in a replicate to the sum of its cell:
// sums[cells[i]] += Weight(replicate, clusters[i]). It is what many replicates
// spend their time on, so it decides most weights without a branch.
func (b Bootstrap) Sum(replicate int, clusters []uint64, cells []uint32, sums []uint32) {
	state := mix(b.Seed ^ 0x9e3779b97f4a7c15*uint64(replicate+1))
	cells = cells[:len(clusters)]
	for i, cluster := range clusters {
		u := mix(state ^ cluster)
		_, below0 := bits.Sub64(u, poissonSteps[0], 0)
		_, below1 := bits.Sub64(u, poissonSteps[1], 0)
		_, below2 := bits.Sub64(u, poissonSteps[2], 0)
		_, below3 := bits.Sub64(u, poissonSteps[3], 0)
		weight := uint32(4 - below0 - below1 - below2 - below3) //nolint:gosec // at most 4
		if weight == 4 {                                        // or more: two in a hundred
			weight = uint32(poisson(u)) //nolint:gosec // at most 20
		}
		sums[cells[i]] += weight
	}
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// poissonSteps holds the distribution function of Poisson(1) in units of 2^-64.
// Beyond the last step the chance is below 2^-64.
var poissonSteps = [...]uint64{
	0x5e2d58d8b3bcdf1a, 0xbc5ab1b16779be35, 0xeb715e1dc1582dc2, 0xfb23979734a252f1,
	0xff1025f59174dc3d, 0xffd90f3ba4055e19, 0xfffa8b71fc72c913, 0xffff540c0914b3c9,
	0xffffed1f4aa8f120, 0xfffffe216e641462, 0xffffffd4d85d3183, 0xfffffffc6da262b4,
	0xffffffffba12d178, 0xfffffffffb07c64c, 0xffffffffffab8ea5, 0xfffffffffffabe22,
	0xffffffffffffb11a, 0xfffffffffffffba1, 0xffffffffffffffc5, 0xfffffffffffffffd,
}

func poisson(u uint64) int {
	for k, step := range poissonSteps {
		if u < step {
			return k
		}
	}
	return len(poissonSteps)
}

// Percentile returns the 95 % percentile interval of bootstrap values. It sorts
// them.
func Percentile(values []float64) Interval {
	if len(values) == 0 {
		return Interval{math.Inf(-1), math.Inf(1)}
	}
	slices.Sort(values)
	n := len(values)
	low := (n - 1) * 25 / 1000
	return Interval{values[low], values[n-1-low]}
}

// MacroF1 returns the unweighted mean of the F1 of every class that occurs as
// truth or as answer. confusion holds size × size counts, rows by truth. A class
// beyond the answerable ones (an answer that the schema does not know) occupies
// its own row and column.
func MacroF1(confusion []int, size int) float64 {
	right := make([]int, size)
	truth := make([]int, size)
	answered := make([]int, size)
	for t := range size {
		for p, n := range confusion[t*size : (t+1)*size] {
			truth[t] += n
			answered[p] += n
			if t == p {
				right[t] = n
			}
		}
	}
	return MacroF1Of(right, truth, answered)
}

// MacroF1Of is MacroF1 from the margins: per class how many were right, how many
// there are, how many were answered.
func MacroF1Of(right, truth, answered []int) float64 {
	sum, classes := 0.0, 0
	for c := range right {
		if truth[c]+answered[c] == 0 {
			continue
		}
		classes++
		sum += float64(2*right[c]) / float64(truth[c]+answered[c])
	}
	if classes == 0 {
		return 0
	}
	return sum / float64(classes)
}
