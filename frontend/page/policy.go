package page

import (
	"strconv"
	"time"

	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// PolicyView is a policy as text, in sentences, and on the last candidates.
type PolicyView struct {
	Project ProjectLink
	Policy  review.Policy
	Text    string // what stands in the editor
	Rules   review.Rules
	Would   []review.Would
	MayEdit bool
	Form    FormView
	Rows    int
}

// EnvironmentsView says what may run where.
type EnvironmentsView struct {
	Project ProjectLink
	List    []review.Shipped
	People  Names
	Now     time.Time
}

func (v EnvironmentsView) candidateHref(c review.Candidate) string {
	return v.Project.Href("candidates", strconv.Itoa(c.Number))
}

func wouldTone(w review.Would) ui.Tone {
	if w.Passes() {
		return ui.Gain
	}
	return ui.Loss
}

func wouldIcon(w review.Would) string {
	if w.Passes() {
		return "check"
	}
	return "clock"
}
