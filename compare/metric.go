package compare

import (
	"strconv"

	"github.com/adjudge/adjudge/backend/stat"
)

// Number is a float with 12 significant digits: a document is written the same
// wherever it was computed, and reads back as it was.
type Number float64

// round keeps 12 significant digits.
func round(x float64) Number {
	n, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 12, 64), 64)
	if err != nil {
		return Number(x)
	}
	if n == 0 {
		return 0 // no negative zero
	}
	return Number(n)
}

// MarshalJSON writes the number.
func (n Number) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(n), 'g', 12, 64), nil
}

// Estimate is a value with its 95 % interval.
type Estimate struct {
	Value Number `json:"value"`
	Low   Number `json:"low"`
	High  Number `json:"high"`
}

func estimate(value float64, interval stat.Interval) Estimate {
	return Estimate{Value: round(value), Low: round(interval.Low), High: round(interval.High)}
}

// proportion estimates a share with Wilson's interval.
func proportion(successes, n int) Estimate {
	return estimate(stat.Share(successes, n), stat.Wilson(successes, n))
}

// difference estimates a difference of paired accuracies with Tango's interval.
func difference(p stat.Pairs) Estimate { return estimate(p.Difference(), stat.Tango(p)) }

// Verdict is what a comparison says about the accuracy of two models.
type Verdict string

// The verdicts.
const (
	VerdictGain      Verdict = "gain"      // the interval of the difference lies above zero
	VerdictLoss      Verdict = "loss"      // it lies below zero
	VerdictUndecided Verdict = "undecided" // it holds zero
)

// Verdict reads the verdict off the interval of a difference.
func (e Estimate) Verdict() Verdict {
	switch {
	case e.Low > 0:
		return VerdictGain
	case e.High < 0:
		return VerdictLoss
	}
	return VerdictUndecided
}
