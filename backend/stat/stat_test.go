package stat

import (
	"math"
	"math/big"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance || math.IsNaN(got) {
		t.Errorf("%s = %.10g, want %.10g", what, got, want)
	}
}

func TestWilsonMatchesPublishedIntervals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		successes, n int
		low, high    float64
	}{
		{9, 10, .595850, .982124}, {90, 100, .825634, .944771}, {81, 263, .255289, .366210},
		{0, 10, 0, .277533}, {10, 10, .722467, 1}, {0, 0, 0, 1},
	} {
		got := Wilson(c.successes, c.n)
		near(t, "low", got.Low, c.low, 1e-6)
		near(t, "high", got.High, c.high, 1e-6)
		mirror := Wilson(c.n-c.successes, c.n)
		near(t, "mirrored low", 1-mirror.High, got.Low, 1e-15)
	}
}

// The first rows are statsmodels' own expectations, the last three hand-made.
func TestMcNemarMatchesPublishedValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		b, c             int
		exact, tolerance float64
		mid              float64 // 0: not given
	}{
		{121, 59, 4.434e-06, 5e-10, 0}, {70, 59, .378688, 1e-6, 0}, {80, 59, .089452, 1e-6, 0},
		{30, 60, .00206, 1e-5, 0}, {10, 30, .002221, 1e-6, 0}, {10, 10, 1, 0, 0}, {0, 0, 1, 0, 1},
		{12, 5, .143463, 1e-6, .096252}, {25, 10, .016674, 1e-6, .011331}, {0, 8, .0078125, 0, .00390625},
	} {
		exact, mid := McNemar(c.b, c.c)
		near(t, "exact", exact, c.exact, c.tolerance)
		if c.mid > 0 {
			near(t, "mid-p", mid, c.mid, 1e-6)
		}
		swapped, swappedMid := McNemar(c.c, c.b)
		if swapped != exact || swappedMid != mid {
			t.Errorf("McNemar(%d,%d) differs from McNemar(%d,%d)", c.b, c.c, c.c, c.b)
		}
	}
}

func TestMcNemarEqualsTheExactRationalSum(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]int{{3, 1}, {40, 25}, {0, 60}, {500, 450}, {990, 1100}, {3000, 2900}, {5000, 4800}, {9000, 9000 - 1}, {10300, 10000}, {9000, 8100}, {20000, 4200}} {
		n, k := c[0]+c[1], min(c[0], c[1])
		sum, term := big.NewInt(1), big.NewInt(1)
		for j := range k {
			term.Mul(term, big.NewInt(int64(n-j)))
			term.Quo(term, big.NewInt(int64(j+1)))
			sum.Add(sum, term)
		}
		want, _ := new(big.Rat).SetFrac(sum, new(big.Int).Lsh(big.NewInt(1), uint(n-1))).Float64()
		got, _ := McNemar(c[0], c[1])
		if math.Abs(got-want) > 1e-12*want {
			t.Errorf("McNemar(%d,%d) = %.15g, want %.15g", c[0], c[1], got, want)
		}
	}
	if p, _ := McNemar(5_000_000, 4_000_000); p != 0 {
		t.Errorf("p = %g far out in the tail", p)
	}
	if p, _ := McNemar(5_000_100, 4_999_900); math.Abs(p-0.94982) > 1e-5 {
		t.Errorf("p = %g on ten million discordant items", p)
	}
}

// The quartic whose roots are Tango's limits (Z. Yang, X. Sun, J. W. Hardin,
// Statist. Med. 32, 2013) shares no step with the halving that is tested.
func TestTangoSolvesTheQuartic(t *testing.T) {
	t.Parallel()
	for _, p := range []Pairs{
		{1, 1, 7, 12}, {60, 40, 20, 40}, {794, 150, 86, 570}, {2700, 90, 121, 169}, {43, 0, 1, 0}, {5, 0, 0, 5},
	} {
		got := Tango(p)
		for _, limit := range []float64{got.Low, got.High} {
			if math.Abs(limit) == 1 {
				continue
			}
			n, g, b, c := float64(p.N()), Z95*Z95, float64(p.OnlyB), float64(p.OnlyA)
			d := b - c
			m0 := n * n * (n/g + 1) * (n/g + 1)
			m1 := -n * d * (n/g + 1) * (4*n/g + 1)
			m2 := 2*n*d*d*(3*n/g+2)/g - n*n*((b+c)/g+1)
			m3 := n*d*(2*(b+c)/g+1) - d*d*d*(4*n/g+1)/g
			m4 := d * d * (d*d/g - (b + c)) / g
			residual := limit*limit*limit*limit + m1/m0*limit*limit*limit + m2/m0*limit*limit + m3/m0*limit + m4/m0
			near(t, "quartic at the limit", residual, 0, 1e-12)
		}
		if !got.Holds(p.Difference()) {
			t.Errorf("%+v: interval %+v misses the difference %g", p, got, p.Difference())
		}
	}
}

// Bentur 2009 as worked through by Fagerland, Lydersen and Laake, Statist. Med. 33, 2014.
func TestTangoMatchesAPublishedExample(t *testing.T) {
	t.Parallel()
	got := Tango(Pairs{Both: 1, OnlyA: 1, OnlyB: 7, Neither: 12})
	near(t, "low", got.Low, .026, 6e-4)
	near(t, "high", got.High, .517, 6e-4)
}

func TestTangoMirrorsWhenTheModelsAreExchanged(t *testing.T) {
	t.Parallel()
	for _, p := range []Pairs{{}, {0, 5, 0, 0}, {3, 4, 9, 2}, {1000, 33, 21, 90}, {0, 0, 7, 0}, {9, 0, 0, 0}} {
		a, b := Tango(p), Tango(p.Swap())
		if a.Low != -b.High || a.High != -b.Low {
			t.Errorf("%+v: %+v against %+v", p, a, b)
		}
	}
}

func TestConnorMatchesItsVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p10, p01 float64
		want     int
	}{{.05, .03, 1568}, {.06, .04, 1960}, {.02, .01, 2353}, {.10, .05, 469}} {
		if got := PairsNeeded(c.p10+c.p01, c.p10-c.p01); got != c.want {
			t.Errorf("PairsNeeded(%v,%v) = %d, want %d", c.p10, c.p01, got, c.want)
		}
	}
	if PairsNeeded(.1, 0) != 0 || PairsNeeded(.1, .2) != 0 {
		t.Error("an impossible question has an answer")
	}
}

func TestVisibleDifferenceInvertsTheSampleSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ discordant, n int }{{211, 3080}, {40, 469}, {1, 100}, {900, 1000}} {
		d := VisibleDifference(c.discordant, c.n)
		needed := PairsNeeded(max(d, float64(c.discordant+1)/float64(c.n+1)), d)
		if needed < c.n-1 || needed > c.n+1 {
			t.Errorf("%d of %d: %g is visible on %d pairs", c.discordant, c.n, d, needed)
		}
	}
	if d := VisibleDifference(0, 3080); d <= 0 {
		t.Errorf("two equal models promise to see %g", d)
	}
	if d := VisibleDifference(0, 0); d != 1 {
		t.Errorf("nothing promises to see %g", d)
	}
}

// The example of Benjamini and Hochberg's own paper.
func TestAdjustMatchesThePaper(t *testing.T) {
	t.Parallel()
	p := []float64{.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1}
	want := []float64{.0015, .003, .0095, .035625, .0603, .063857, .063857, .0645, .0765}
	got := Adjust(p)
	for i, w := range want {
		near(t, "adjusted", got[i], w, 1e-6)
	}
	back := Adjust([]float64{.0459, .0001, 1})
	near(t, "in the order of the input", back[1], .0003, 1e-12)
	if len(Adjust(nil)) != 0 {
		t.Error("nothing adjusts to something")
	}
}

func TestBootstrapWeightsAreReproducibleAndPoisson(t *testing.T) {
	t.Parallel()
	b := Bootstrap{Seed: 1, Replicates: 100}
	golden := []int{}
	for c := range uint64(12) {
		golden = append(golden, b.Weight(3, c))
	}
	want := []int{0, 0, 0, 1, 1, 1, 2, 2, 1, 0, 1, 1}
	for i := range want {
		if golden[i] != want[i] {
			t.Fatalf("weights = %v, want %v", golden, want)
		}
	}
	var sum, squares, zeros, n int
	for r := range 50 {
		for c := range uint64(4000) {
			w := b.Weight(r, c)
			sum, squares, n = sum+w, squares+w*w, n+1
			if w == 0 {
				zeros++
			}
		}
	}
	mean := float64(sum) / float64(n)
	near(t, "mean", mean, 1, .01)
	near(t, "variance", float64(squares)/float64(n)-mean*mean, 1, .02)
	near(t, "share of zeros", float64(zeros)/float64(n), math.Exp(-1), .005)
}

func TestPercentileTakesTheMiddle(t *testing.T) {
	t.Parallel()
	values := make([]float64, 1000)
	for i := range values {
		values[len(values)-1-i] = float64(i)
	}
	if got := Percentile(values); got != (Interval{24, 975}) {
		t.Errorf("interval = %+v", got)
	}
	if got := Percentile(nil); !got.Holds(42) {
		t.Errorf("nothing was seen, yet %+v", got)
	}
}

func TestMacroF1(t *testing.T) {
	t.Parallel()
	// Two classes: 8 right of 10, 5 right of 6, and a third that never occurs.
	got := MacroF1([]int{8, 2, 0, 1, 5, 0, 0, 0, 0}, 3)
	near(t, "macro F1", got, (16.0/19+10.0/13)/2, 1e-15)
	if MacroF1(nil, 0) != 0 {
		t.Error("nothing has an F1")
	}
}

func FuzzPairsStayHonest(f *testing.F) {
	f.Add(uint16(10), uint16(3), uint16(4), uint16(2))
	f.Fuzz(func(t *testing.T, both, a, b, neither uint16) {
		p := Pairs{int(both), int(a), int(b), int(neither)}
		if p.N() == 0 {
			return
		}
		ci := Tango(p)
		if !ci.Holds(p.Difference()) || ci.Low < -1 || ci.High > 1 {
			t.Errorf("%+v: %+v", p, ci)
		}
		exact, mid := McNemar(p.OnlyA, p.OnlyB)
		if exact < 0 || exact > 1 || mid > exact {
			t.Errorf("%+v: exact %g mid %g", p, exact, mid)
		}
		if w := Wilson(p.Both, p.N()); w.Low < 0 || w.High > 1 || w.Low > w.High {
			t.Errorf("%+v: %+v", p, w)
		}
	})
}

func TestExpIsTheExponentialFunction(t *testing.T) {
	t.Parallel()
	for x := -700.0; x < 10; x += .37 {
		if got, want := exp(x), math.Exp(x); math.Abs(got-want) > 4e-16*want {
			t.Errorf("exp(%g) = %g, want %g", x, got, want)
		}
	}
	if exp(-1000) != 0 || exp(0) != 1 {
		t.Error("the ends are wrong")
	}
}

func BenchmarkMcNemarOn1MDiscordant(b *testing.B) {
	for b.Loop() {
		McNemar(500_400, 499_600)
	}
}

func TestSumAddsTheWeightsOfClusters(t *testing.T) {
	t.Parallel()
	draw := Bootstrap{Seed: 5, Replicates: 7}
	const n, size = 20_000, 13
	clusters, cells := make([]uint64, n), make([]uint32, n)
	for i := range clusters {
		clusters[i], cells[i] = mix(uint64(i)), uint32(i%size)
	}
	for replicate := range draw.Replicates {
		got, want := make([]uint32, size), make([]uint32, size)
		draw.Sum(replicate, clusters, cells, got)
		for i, cluster := range clusters {
			want[cells[i]] += uint32(draw.Weight(replicate, cluster))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("replicate %d: sums %v, want %v", replicate, got, want)
		}
	}
}
