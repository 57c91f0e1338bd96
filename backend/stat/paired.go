package stat

import (
	"math"
	"slices"
)

// Pairs counts the items on which two models were both right, only one was,
// or none was. It is all that a paired comparison of accuracies needs.
type Pairs struct {
	Both, OnlyA, OnlyB, Neither int
}

// N is the number of items.
func (p Pairs) N() int { return p.Both + p.OnlyA + p.OnlyB + p.Neither }

// Discordant is the number of items on which exactly one model was right.
func (p Pairs) Discordant() int { return p.OnlyA + p.OnlyB }

// Difference is the accuracy of B minus that of A.
func (p Pairs) Difference() float64 { return Share(p.OnlyB-p.OnlyA, p.N()) }

// Swap returns the counts with the two models exchanged.
func (p Pairs) Swap() Pairs {
	return Pairs{Both: p.Both, OnlyA: p.OnlyB, OnlyB: p.OnlyA, Neither: p.Neither}
}

// McNemar returns the exact two-sided p-value of a paired comparison with b and
// c discordant items: twice the smaller tail of Binomial(b+c, 1/2), at most 1
// (Q. McNemar, Psychometrika 12, 1947). mid counts the observed outcome by half
// (Fagerland, Lydersen, Laake, BMC Med Res Methodol 13:91, 2013), which is less
// conservative on few items. Values below 1e-300 come out as 0.
func McNemar(b, c int) (exact, mid float64) {
	n, k := b+c, min(b, c)
	if n == 0 {
		return 1, 1
	}
	point := halfBinomial(n, k)
	tail, term := point, point
	for j := k; j > 0; j-- {
		term = float64(float64(term*float64(j)) / float64(n-j+1))
		if term <= tail*1e-19 {
			break
		}
		tail += term
	}
	if b == c {
		// The two tails share the middle.
		return 1, 1 - point/2
	}
	exact = math.Min(1, 2*tail)
	return exact, math.Min(1, exact-point)
}

// halfBinomial returns C(n,k)/2^n for k up to n/2. Far from the middle, or of
// few, it is a running product that is kept near 1 by exact powers of two;
// factors are gathered in four lanes of numerators and denominators, so that a
// product of thousands stays quick.
func halfBinomial(n, k int) float64 {
	if k >= saddleFrom && n-2*k < n/10 {
		return saddle(float64(n), float64(k))
	}
	value, exponent := 1.0, -n
	const lanes, depth = 4, 8
	i := 1
	for i+lanes*depth <= k+1 {
		num, den := [lanes]float64{1, 1, 1, 1}, [lanes]float64{1, 1, 1, 1}
		for range depth {
			for l := range lanes {
				num[l] *= float64(n - k + i + l)
				den[l] *= float64(i + l)
			}
			i += lanes
		}
		for l := range lanes {
			value = renormal(value*(num[l]/den[l]), &exponent)
		}
	}
	for ; i <= k; i++ {
		value = renormal(value*(float64(n-k+i)/float64(i)), &exponent)
	}
	return math.Ldexp(value, exponent)
}

// saddleFrom is the count from which the saddle-point form is taken: the first
// term that its series leaves out is then below 1e-24.
const saddleFrom = 4096

// saddle returns C(n,k)/2^n near the middle in a fixed number of steps (C.
// Loader, Fast and accurate computation of binomial probabilities, 2000).
func saddle(n, k float64) float64 {
	half := n / 2
	exponent := stirling(n) - stirling(k) - stirling(n-k) - deviance(k, half) - deviance(n-k, half)
	return float64(exp(exponent) * math.Sqrt(float64(n/float64(k*(n-k)))/float64(2*math.Pi)))
}

// stirling returns log(n!) less Stirling's approximation of it.
func stirling(n float64) float64 {
	square := float64(n * n)
	return (1.0/12 - (1.0/360-1.0/1260/square)/square) / n
}

// deviance returns x·log(x/m) + m − x for x near m.
func deviance(x, m float64) float64 {
	v := (x - m) / (x + m)
	sum, term := float64((x-m)*v), float64(2*float64(x*v))
	v = float64(v * v)
	for odd := 3.0; ; odd += 2 {
		term = float64(term * v)
		next := sum + term/odd
		if next == sum {
			return sum
		}
		sum = next
	}
}

// exp is the exponential function, the same on every CPU; that of math uses
// what the CPU has.
func exp(x float64) float64 {
	const ln2High, ln2Low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	if x < -745 {
		return 0
	}
	steps := math.Round(x / math.Ln2)
	rest := x - float64(steps*ln2High) - float64(steps*ln2Low)
	sum := 1.0
	for n := 20.0; n > 0; n-- { // Horner's scheme of the series
		sum = 1 + float64(rest*sum)/n
	}
	return math.Ldexp(sum, int(steps))
}

func renormal(value float64, exponent *int) float64 {
	fraction, shift := math.Frexp(value)
	*exponent += shift
	return fraction
}

// Tango returns the 95 % score interval of the difference of two paired
// proportions, B minus A (T. Tango, Equivalence test and confidence interval for
// the difference in proportions for the paired-sample design, Statist. Med. 17,
// 1998): all differences that a score test at 5 % would not refuse. At zero that
// test is McNemar's, so interval and test agree but for exactness. Exchanging
// the models mirrors it.
func Tango(p Pairs) Interval {
	n := p.N()
	if n == 0 {
		return Interval{-1, 1}
	}
	low, high := -1.0, 1.0
	if p.OnlyA < n {
		low = -tangoUpper(p.OnlyB, p.OnlyA, n)
	}
	if p.OnlyB < n {
		high = tangoUpper(p.OnlyA, p.OnlyB, n)
	}
	return Interval{low, high}
}

// tangoUpper finds by halving the largest difference (c-b)/n that the score
// test lets pass. It always halves the same number of times.
func tangoUpper(b, c, n int) float64 {
	fb, fc, fn := float64(b), float64(c), float64(n)
	low, high := (fc-fb)/fn, 1.0
	for range 60 {
		delta := low + (high-low)/2
		// The share of b under the constraint that the difference is delta.
		linear := float64((2*fn-fc+fb)*delta) - fb - fc
		constant := float64(float64(fb*delta) * (1 - delta))
		root := math.Sqrt(float64(linear*linear) + float64(float64(8*fn)*constant))
		share := (root - linear) / float64(4*fn)
		variance := float64(fn * (2*share + float64(delta*(1-delta))))
		miss := fc - fb - float64(fn*delta)
		if variance > 0 && miss*miss < float64(Z95*Z95)*variance || miss == 0 {
			low = delta
		} else {
			high = delta
		}
	}
	return low
}

// PairsNeeded returns how many pairs a paired comparison needs to see a
// difference with 80 % power at 5 % two-sided, when the models disagree on a
// share of the items (R. J. Connor, Biometrics 43, 1987). It returns 0 when no
// number would do: a difference of nothing, or one above the share.
func PairsNeeded(discordant, difference float64) int {
	d := math.Abs(difference)
	if d == 0 || discordant < d {
		return 0
	}
	sum := float64(Z95*math.Sqrt(discordant)) + float64(z80*math.Sqrt(math.Max(0, discordant-float64(d*d))))
	return int(math.Ceil(float64(sum*sum) / float64(d*d)))
}

// VisibleDifference returns the smallest difference that a comparison of n pairs
// would see with 80 % power, by the same formula. The share of discordant items
// is taken one item larger than it was seen, and never below the difference
// itself, so that two models that agreed everywhere do not promise to see the
// smallest gain. It is 1 where nothing is visible.
func VisibleDifference(discordant, n int) float64 {
	if n <= 0 {
		return 1
	}
	seen := math.Min(1, float64(discordant+1)/float64(n+1))
	low, high := 0.0, 1.0
	for range 60 {
		d := low + (high-low)/2
		share := math.Max(seen, d)
		sum := float64(Z95*math.Sqrt(share)) + float64(z80*math.Sqrt(math.Max(0, share-float64(d*d))))
		if float64(sum*sum) > float64(float64(d*d)*float64(n)) {
			low = d
		} else {
			high = d
		}
	}
	return high
}

// Adjust returns p-values corrected for looking at many slices: the share of
// false alarms among the alarms is kept (Y. Benjamini, Y. Hochberg, JRSS B 57,
// 1995). The order of the input is kept.
func Adjust(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	adjusted := make([]float64, len(p))
	least := 1.0
	for rank := len(order) - 1; rank >= 0; rank-- {
		i := order[rank]
		least = math.Min(least, p[i]*float64(len(p))/float64(rank+1))
		adjusted[i] = least
	}
	return adjusted
}
