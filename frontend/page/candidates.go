package page

import (
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// Names names people by id. A person whose record was erased has no name.
type Names map[ledger.PersonID]string

// Name returns a person's name, or words for somebody who has none any more.
func (p Names) Name(id ledger.PersonID) string {
	if name := p[id]; name != "" {
		return name
	}
	if id == "system" {
		return "Adjudge"
	}
	if id == "" {
		return "–"
	}
	return "(" + string(id[:min(8, len(id))]) + ")"
}

// CandidateRow is a candidate in a list.
type CandidateRow struct {
	review.Candidate
	Href       string
	ProposedBy string
	Waiting    bool // for the vote of whoever looks
}

// CandidatesView lists candidates.
type CandidatesView struct {
	Project    ProjectLink
	Rows       []CandidateRow
	State      review.State // the filter
	Next       string
	MayPropose bool
}

// stateChips are the filters of the list.
func (v CandidatesView) stateChips() []review.State {
	return []review.State{"", review.StateOpen, review.StateApproved, review.StateRejected, review.StateWithdrawn, review.StateDraft}
}

// StateTone says with which tone a state is drawn.
func StateTone(s review.State) ui.Tone {
	switch s {
	case review.StateApproved:
		return ui.Gain
	case review.StateRejected, review.StateWithdrawn:
		return ui.Loss
	case review.StateOpen:
		return ui.Accent
	case review.StateDraft:
	}
	return ui.Undecided
}

func stateIcon(s review.State) string {
	switch s {
	case review.StateApproved:
		return "check"
	case review.StateRejected:
		return "stop"
	case review.StateWithdrawn:
		return "undo"
	case review.StateOpen:
		return "vote"
	case review.StateDraft:
	}
	return "edit"
}

// ProposeView is the form that proposes a model.
type ProposeView struct {
	Project ProjectLink
	Models  []compare.Model
	Form    FormView
}

func (v ProposeView) options() []ui.Option {
	all := []ui.Option{{Value: "", Text: "–"}}
	for _, m := range v.Models {
		o := ui.Option{Value: m.Title(), Text: m.Title() + " · " + m.Digest.Short()}
		if m.Digest == "" {
			o.Disabled = true
		}
		all = append(all, o)
	}
	return all
}

// chosen is the value of the model that the form asks for, which links name by
// its id and people by its name.
func (v ProposeView) chosen() string {
	asked := v.Form.Value("model")
	for _, m := range v.Models {
		if string(m.ID) == asked {
			return m.Title()
		}
	}
	return asked
}

func candidateChips(v CandidatesView, label func(string) string) []ui.Chip {
	var chips []ui.Chip
	for _, s := range v.stateChips() {
		name, href := string(s), v.Project.Href("candidates")
		if s == "" {
			name = "all"
		} else {
			href += "?" + query("state", name)
		}
		chips = append(chips, ui.Chip{Text: label(name), Href: href, On: s == v.State})
	}
	return chips
}
