// Package stat holds the statistics of the product: intervals, paired tests,
// sample sizes and a seeded bootstrap.
//
// Everything here is the same to the last bit on every CPU: integer counts, the
// four operations and square roots, products rounded before they are added (an
// explicit float64 conversion keeps a compiler from fusing them), sums in a
// fixed order. Nothing calls a transcendental function, whose last digit
// differs between machines.
package stat

import "math"

// Quantiles of the normal distribution. They are written out because computing
// them would need a logarithm.
const (
	Z95 = 1.959963984540054  // two-sided 95 %, one-sided 97.5 %
	z80 = 0.8416212335729143 // one-sided 80 %: the power of a planned comparison
)

// Interval is a 95 % interval.
type Interval struct{ Low, High float64 }

// Holds reports whether x lies in the interval, its ends included.
func (i Interval) Holds(x float64) bool { return i.Low <= x && x <= i.High }

// Share returns successes/n, and 0 for nothing out of nothing.
func Share(successes, n int) float64 {
	if n <= 0 {
		return 0
	}
	return float64(successes) / float64(n)
}

// Wilson returns the score interval of a single proportion (E. B. Wilson,
// Probable inference, JASA 22, 1927). It is honest at 0 and at n; of nothing out
// of nothing it knows only that a proportion lies between 0 and 1.
func Wilson(successes, n int) Interval {
	if n <= 0 {
		return Interval{0, 1}
	}
	const zz = Z95 * Z95
	total := float64(n)
	p := float64(successes) / total
	scale := 1 + zz/total
	centre := (p + zz/(2*total)) / scale
	spread := float64(Z95 / scale * math.Sqrt(float64(p*(1-p))/total+zz/(4*float64(total*total))))
	result := Interval{math.Max(0, centre-spread), math.Min(1, centre+spread)}
	// The ends are exact there; rounding must not move them.
	if successes == 0 {
		result.Low = 0
	}
	if successes == n {
		result.High = 1
	}
	return result
}
