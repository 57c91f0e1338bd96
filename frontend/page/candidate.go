package page

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// Tabs of a candidate.
const (
	TabConversation = "conversation"
	TabData         = "data"
	TabParameters   = "parameters"
	TabMetrics      = "metrics"
	TabPredictions  = "predictions"
)

// CandidateView is a candidate with all that people decide on.
type CandidateView struct {
	Project ProjectLink
	Hold    HoldView
	Looked  LookedView
	review.Case
	Ballot     review.Ballot
	People     Names
	Tab        string
	Now        time.Time
	Remarks    []Remark
	MayVote    bool
	MayPropose bool
	MayRevoke  bool
	MayComment bool
	MayRecuse  bool
	MayMeasure bool // compare it with its baseline once more
	Comment    FormView
	Params     []Change
	Metrics    []MetricChange
	Server     string // address for the gate line, empty for this machine
}

// NewCandidateView arranges a case for the page.
func NewCandidateView(p ProjectLink, c review.Case, actor ledger.Actor, people Names, tab string, now time.Time) CandidateView {
	v := CandidateView{Project: p, Case: c, Ballot: c.Ballot(actor), People: people, Tab: tab, Now: now}
	if !slices.Contains([]string{TabData, TabParameters, TabMetrics, TabPredictions}, tab) {
		v.Tab = TabConversation
	}
	byLogin := actor.Via == ledger.ViaLogin
	state := c.Candidate.State
	v.MayVote = byLogin && len(v.Ballot.Roles) > 0 && !v.Ballot.Recused && state != review.StateDraft && state != review.StateWithdrawn
	v.MayPropose = actor.May(p.ID, ledger.ActionPropose)
	v.MayRevoke = byLogin && actor.May(p.ID, ledger.ActionWithdraw) && state == review.StateApproved
	v.MayComment = actor.May(p.ID, ledger.ActionComment)
	v.MayRecuse = v.MayVote && len(v.Ballot.Mine) == 0 && (state == review.StateOpen || state == review.StateRejected)
	v.MayMeasure = actor.May(p.ID, ledger.ActionCompare) && (state == review.StateOpen || state == review.StateRejected)
	v.Remarks = remarksOf(c, people)
	v.Params = paramChanges(c.Baseline.Params, c.Model.Params)
	v.Metrics = metricChanges(c.Baseline.Metrics, c.Model.Metrics)
	return v
}

// made says what a maker did and when, and whether the approval came before it.
func (v CandidateView) made(ctx context.Context, m review.Maker, late bool) string {
	name := m.Name
	if name == "" {
		name = v.People.Name(m.Person)
	}
	day := ui.Day(ctx, m.At)
	var said string
	switch m.How {
	case compare.MadeTrained:
		said = ui.T(ctx, "candidate.made.trained", "name", name, "day", day)
	case compare.MadeRegistered:
		said = ui.T(ctx, "candidate.made.registered", "name", name, "day", day)
	case compare.MadeUploaded:
		said = ui.T(ctx, "candidate.made.uploaded", "name", name, "day", day)
	case compare.MadeTook:
		said = ui.T(ctx, "candidate.made.took", "name", name, "day", day)
	default:
		said = ui.T(ctx, "candidate.made.proposed", "name", name, "day", day)
	}
	if m.Elsewhere {
		said = ui.T(ctx, "candidate.made.elsewhere", "said", said)
	}
	if late {
		said = ui.T(ctx, "candidate.made.late", "said", said)
	}
	return said
}

// Href returns the address of the candidate's page, or of one below it.
func (v CandidateView) Href(rest ...string) string {
	return v.Project.Href(append([]string{"candidates", strconv.Itoa(v.Candidate.Number)}, rest...)...)
}

func (v CandidateView) tabs(label func(string) string) []ui.Tab {
	count := map[string]string{TabConversation: itoa(len(v.Remarks))}
	if len(v.Evidence) > 0 {
		count[TabPredictions] = itoa(len(v.Evidence))
	}
	if n := len(differing(v.Params)); n > 0 && v.Baseline.ID != "" {
		count[TabParameters] = itoa(n)
	}
	names := []string{TabConversation}
	if v.Candidate.Subject.Kind == review.SubjectModel {
		names = append(names, TabData, TabParameters, TabMetrics, TabPredictions)
	}
	var tabs []ui.Tab
	for _, name := range names {
		href := v.Href()
		if name != TabConversation {
			href += "?tab=" + name
		}
		tabs = append(tabs, ui.Tab{Text: label(name), Href: href, Count: count[name], Current: name == v.Tab})
	}
	return tabs
}

// missing counts the requirements that do not hold.
func (v CandidateView) missing() int {
	n := 0
	for _, r := range v.Results {
		if !r.State.Passes() {
			n++
		}
	}
	return n
}

// standing is the state in words: the last part of the key candidate.is.<…> and its arguments.
func (v CandidateView) standing(ctx context.Context) (key string, args []any) {
	switch {
	case v.Expired(v.Now):
		signed, _ := v.SignOff()
		return "expired", []any{"date", ui.Day(ctx, signed.ExpiresAt)}
	case v.Candidate.State == review.StateApproved:
		signed, _ := v.SignOff()
		return "approved", []any{"date", ui.Day(ctx, signed.ExpiresAt)}
	case v.Candidate.State == review.StateOpen:
		return "open", []any{"n", v.missing()}
	}
	return string(v.Candidate.State), nil
}

func (v CandidateView) tone() ui.Tone {
	if v.Expired(v.Now) {
		return ui.Undecided
	}
	return StateTone(v.Candidate.State)
}

// lastRevocation is what took the approval back.
func (v CandidateView) lastRevocation() review.Revocation {
	if len(v.Revocations) == 0 {
		return review.Revocation{}
	}
	return v.Revocations[len(v.Revocations)-1]
}

// votesOn returns the votes that stand on a label.
func (v CandidateView) votesOn(label string) []review.Vote {
	return slices.DeleteFunc(slices.Clone(v.Votes), func(w review.Vote) bool { return w.Label != label })
}

// early reports whether a vote does not count until its person confirms it.
func (v CandidateView) early(w review.Vote) bool { return slices.Contains(v.Case.Early, w.ID) }

// lost reports whether a vote was cast in a role that its person holds no more.
func (v CandidateView) lost(w review.Vote) bool { return slices.Contains(v.Lost, w.ID) }

// lostKey says what that means: while people vote, a vote for it does not count;
// a decision stands on the roles of its day, and a vote against it stands anyway.
func (v CandidateView) lostKey(w review.Vote) string {
	if w.Value > 0 && v.Candidate.State != review.StateApproved {
		return "open." + string(w.Role)
	}
	return string(w.Role)
}

// given says who gave the role of a vote, and when.
func (v CandidateView) given(w review.Vote) (review.Origin, bool) {
	for _, s := range v.Case.People {
		for _, way := range s.Ways {
			if s.Person == w.Person && way.Role == w.Role && len(way.Given) > 0 && way.Given[0].Known() && way.Given[0].Name != "" {
				return way.Given[0], true
			}
		}
	}
	return review.Origin{}, false
}

// mayConfirm reports whether whoever looks can confirm somebody who voted.
func (v CandidateView) mayConfirm(r review.Result) bool {
	return slices.Contains(r.Asked, v.Ballot.Actor)
}

// toConfirm reports whether the actor can confirm a vote now.
func (v CandidateView) toConfirm() bool { return v.MayVote && len(v.Ballot.Early) > 0 && !v.Awaits }

func voteTone(value int) ui.Tone {
	switch {
	case value > 0:
		return ui.Gain
	case value < 0:
		return ui.Loss
	}
	return ui.Undecided
}

func voteIcon(value int) string {
	switch {
	case value > 0:
		return "check"
	case value < 0:
		return "stop"
	}
	return "tilde"
}

// resultTone, resultIcon and resultKey draw the state of a requirement.
func resultTone(r review.Result) ui.Tone {
	switch r.State {
	case review.Satisfied, review.Overridden:
		return ui.Gain
	case review.NotApplicable:
		return ui.Undecided
	case review.Error:
		return ui.Danger
	case review.Unsatisfied:
	}
	if r.Pending {
		return ui.Undecided
	}
	return ui.Loss
}

func resultIcon(r review.Result) string {
	switch r.State {
	case review.Satisfied, review.Overridden:
		return "check"
	case review.NotApplicable:
		return "minus"
	case review.Error:
		return "warning"
	case review.Unsatisfied:
	}
	if r.Pending {
		return "refresh"
	}
	return "clock"
}

func resultKey(r review.Result) string {
	if r.Pending {
		return "PENDING"
	}
	return string(r.State)
}

func (v CandidateView) anyPending() bool {
	return slices.ContainsFunc(v.Results, func(r review.Result) bool { return r.Pending })
}

// approvals are the attestations that open the gate, newest first.
func (v CandidateView) newestAttestations() []review.Attestation {
	all := slices.Clone(v.Attestations)
	slices.Reverse(all)
	return all
}

// gateLine and verifyLine are the commands that CI runs.
func (v CandidateView) gateLine() string {
	return fmt.Sprintf("adjudge gate %s --environment %s", v.Candidate.Subject.Digest, v.Candidate.Environment)
}

func (v CandidateView) verifyLine() string {
	return fmt.Sprintf("adjudge verify --key evidence/adjudge.pub --environment %s --subject ./model evidence", v.Candidate.Environment)
}

func (v CandidateView) exportLine() string {
	return fmt.Sprintf("adjudge evidence export %s -o evidence", v.Candidate.ID)
}

// beforeTitle is the head of the baseline's column.
func (v CandidateView) beforeTitle(none string) string {
	if v.Candidate.Baseline.None() {
		return none
	}
	return v.Candidate.Baseline.Name
}

func gateTone(a review.Answer) ui.Tone {
	switch {
	case a.OK:
		return ui.Gain
	case a.State == review.AnswerBroken:
		return ui.Danger
	case a.Decided():
		return ui.Loss
	}
	return ui.Undecided
}

func gateIcon(a review.Answer) string {
	switch {
	case a.OK:
		return "check"
	case a.State == review.AnswerBroken:
		return "warning"
	case a.Decided():
		return "stop"
	}
	return "clock"
}

// live names the events after which parts of the page are fetched again.
func (v CandidateView) live() string {
	about := "@candidate/" + string(v.Candidate.ID)
	return "candidate.*" + about + " vote.*" + about + " approval.*" + about + " attestation.*" + about + " comparison.created"
}
