package compare

import (
	"math"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
)

// inWords says what the comparison found, in one sentence that stands on its own.
func (c Comparison) inWords() string {
	items := fault.Say("%s items", Thousands(c.Base.Items))
	if c.Base.Items == 1 {
		items = fault.Say("1 item")
	}
	switch c.Verdict {
	case VerdictGain:
		return fault.Say("A decisive gain on %s: %s is right %s points more often than %s (95 %% interval %s to %s).", items,
			c.Candidate.Title(), Points(c.Difference.Value), c.Baseline.Title(), SignedPoints(c.Difference.Low), SignedPoints(c.Difference.High))
	case VerdictLoss:
		return fault.Say("A decisive loss on %s: %s is right %s points less often than %s (95 %% interval %s to %s).", items,
			c.Candidate.Title(), Points(-c.Difference.Value), c.Baseline.Title(), SignedPoints(c.Difference.Low), SignedPoints(c.Difference.High))
	}
	if c.Visible >= 1 {
		return fault.Say("No decisive difference on %s; no gain would be visible on so few.", items)
	}
	return fault.Say("No decisive difference on %s; a gain of %s points would be visible.", items, Points(c.Visible))
}

// Title names a model for people: "name@3".
func (s Subject) Title() string { return s.Name + "@" + strconv.Itoa(s.Version) }

// Points writes a share as percentage points with one decimal; with two where
// one would show nothing.
func Points(n Number) string {
	points := math.Abs(float64(n) * 100)
	if points != 0 && points < 0.095 {
		return strconv.FormatFloat(float64(n)*100, 'f', 2, 64)
	}
	return strconv.FormatFloat(float64(n)*100, 'f', 1, 64)
}

// SignedPoints is Points with its sign, a real minus.
func SignedPoints(n Number) string {
	switch {
	case n > 0:
		return "+" + Points(n)
	case n < 0:
		return "−" + Points(-n)
	}
	return Points(n)
}

// Thousands writes a count with commas.
func Thousands(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "−", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// PValue writes a p-value as people read it.
func PValue(p Number) string {
	switch {
	case p < 0.0001:
		return "< 0.0001"
	case p < 0.01:
		return strconv.FormatFloat(float64(p), 'f', 4, 64)
	}
	return strconv.FormatFloat(float64(p), 'f', 3, 64)
}
