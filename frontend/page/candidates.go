package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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

// Remark is one entry of the conversation about a candidate.
type Remark struct {
	At     time.Time
	Person ledger.PersonID
	Name   string
	Kind   string // opened, comment, vote, unvote, approved, withdrawn
	Role   ledger.Role
	Words  string
	Value  int
	Text   string
	Over   bool // a vote that no longer stands
	Via    ledger.Via
}

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
	Comment    FormView
	Params     []Change
	Metrics    []MetricChange
	Server     string // address for the gate line, empty for this machine
}

// Change is a named value before and after.
type Change struct{ Name, Before, After string }

// MetricChange is a metric of baseline and candidate.
type MetricChange struct {
	Name          string
	Before, After float64
	HasBefore     bool
}

// NewCandidateView arranges a case for the page.
func NewCandidateView(p ProjectLink, c review.Case, actor ledger.Actor, people Names, tab string, now time.Time) CandidateView {
	v := CandidateView{Project: p, Case: c, Ballot: c.Ballot(actor), People: people, Tab: tab, Now: now}
	if !slices.Contains([]string{TabData, TabParameters, TabMetrics, TabPredictions}, tab) {
		v.Tab = TabConversation
	}
	byLogin := actor.Via == ledger.ViaLogin
	state := c.Candidate.State
	v.MayVote = byLogin && len(v.Ballot.Roles) > 0 && state != review.StateDraft && state != review.StateWithdrawn
	v.MayPropose = actor.May(p.ID, ledger.ActionPropose)
	v.MayRevoke = byLogin && actor.May(p.ID, ledger.ActionWithdraw) && state == review.StateApproved
	v.MayComment = actor.May(p.ID, ledger.ActionComment)
	v.Remarks = remarksOf(c, people)
	v.Params = paramChanges(c.Baseline.Params, c.Model.Params)
	v.Metrics = metricChanges(c.Baseline.Metrics, c.Model.Metrics)
	return v
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

// differing leaves out what stayed the same.
func differing(all []Change) []Change {
	return slices.DeleteFunc(slices.Clone(all), func(c Change) bool { return c.Before == c.After })
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
func (v CandidateView) standing() (key string, args []any) {
	switch {
	case v.Expired(v.Now):
		signed, _ := v.SignOff()
		return "expired", []any{"date", dayOf(signed.ExpiresAt)}
	case v.Candidate.State == review.StateApproved:
		signed, _ := v.SignOff()
		return "approved", []any{"date", dayOf(signed.ExpiresAt)}
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

func dayOf(t time.Time) string { return t.UTC().Format("2 January 2006") }

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

// resultTone and resultIcon draw the state of a requirement.
func resultTone(s review.ResultState) ui.Tone {
	switch s {
	case review.Satisfied, review.Overridden:
		return ui.Gain
	case review.NotApplicable:
		return ui.Undecided
	case review.Error:
		return ui.Danger
	case review.Unsatisfied:
	}
	return ui.Loss
}

func resultIcon(s review.ResultState) string {
	switch s {
	case review.Satisfied, review.Overridden:
		return "check"
	case review.NotApplicable:
		return "minus"
	case review.Error:
		return "warning"
	case review.Unsatisfied:
	}
	return "clock"
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

// compareHref opens the comparison behind a piece of evidence.
func (v CandidateView) compareHref() string {
	return v.Project.Href("compare") + "?" + query("baseline", string(v.Candidate.Baseline.Model)) + "&" + query("candidate", string(v.Candidate.Model))
}

func evidenceTone(e review.Evidence) ui.Tone {
	switch e.Difference.Verdict() {
	case compare.VerdictGain:
		return ui.Gain
	case compare.VerdictLoss:
		return ui.Loss
	case compare.VerdictUndecided:
	}
	return ui.Undecided
}

// interval draws the difference of accuracies in points.
func evidenceInterval(e review.Evidence, label string) ui.IntervalProps {
	low, mid, high := 100*float64(e.Difference.Low), 100*float64(e.Difference.Value), 100*float64(e.Difference.High)
	reach := max(-low, high, 1) * 1.15
	return ui.IntervalProps{Low: low, Mid: mid, High: high, Min: -reach, Max: reach, Zero: true, Tone: evidenceTone(e), Label: label}
}

func accuracyPoints(n compare.Number) string { return ui.Signed(100*float64(n), 1) }

// remarksOf arranges everything that was said and decided by time.
func remarksOf(c review.Case, people Names) []Remark {
	var all []Remark
	if !c.Candidate.OpenedAt.IsZero() {
		all = append(all, Remark{At: c.Candidate.OpenedAt, Person: c.Candidate.ProposedBy, Name: people.Name(c.Candidate.ProposedBy), Kind: "opened", Text: c.Candidate.Note})
	}
	for _, m := range c.Comments {
		all = append(all, Remark{At: m.At, Person: m.Person, Name: m.PrintedName, Kind: "comment", Text: m.Text, Via: m.Via})
	}
	for _, v := range c.AllVotes {
		kind := "vote"
		if v.Withdrawn {
			kind = "unvote"
		}
		over := !v.Withdrawn && !slices.ContainsFunc(c.Votes, func(w review.Vote) bool { return w.ID == v.ID })
		all = append(all, Remark{At: v.At, Person: v.Person, Name: v.PrintedName, Kind: kind, Role: v.Role, Words: v.Words, Value: v.Value, Text: v.Comment, Over: over})
	}
	for _, s := range c.SignOffs {
		all = append(all, Remark{At: s.At, Kind: "approved", Words: dayOf(s.ExpiresAt)})
	}
	for _, r := range c.Revocations {
		all = append(all, Remark{At: r.At, Person: r.Person, Name: r.PrintedName, Kind: "withdrawn", Text: r.Reason})
	}
	slices.SortStableFunc(all, func(a, b Remark) int { return a.At.Compare(b.At) })
	return all
}

// paramChanges lists the parameters of two JSON objects by name.
func paramChanges(before, after json.RawMessage) []Change {
	a, b := paramsOf(before), paramsOf(after)
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	var all []Change
	for name := range names {
		all = append(all, Change{Name: name, Before: a[name], After: b[name]})
	}
	slices.SortFunc(all, func(x, y Change) int { return strings.Compare(x.Name, y.Name) })
	return all
}

func paramsOf(raw json.RawMessage) map[string]string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return nil // shown as having none
	}
	out := map[string]string{}
	for name, value := range fields {
		var compact bytes.Buffer
		if json.Compact(&compact, value) == nil {
			out[name] = strings.Trim(compact.String(), `"`)
		}
	}
	return out
}

func metricChanges(before, after []compare.Metric) []MetricChange {
	var all []MetricChange
	for _, m := range after {
		change := MetricChange{Name: m.Name, After: m.Value}
		for _, b := range before {
			if b.Name == m.Name {
				change.Before, change.HasBefore = b.Value, true
			}
		}
		all = append(all, change)
	}
	return all
}

func metricValue(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }

// BallotView is the form of a vote.
type BallotView struct {
	Project ProjectLink
	review.Ballot
	By       ledger.Actor
	TimeZone string
	Form     FormView
	Withdraw bool // takes a vote back instead
}

func (v BallotView) href(rest ...string) string {
	return v.Project.Href(append([]string{"candidates", strconv.Itoa(v.Candidate.Number)}, rest...)...)
}

// Said is one sentence that could be signed.
type Said struct {
	Field string // of the hidden input, and the class that shows it
	Text  string
}

// SentenceField names the hidden field that carries the sentence of an answer.
func SentenceField(label string, role ledger.Role, value int) string {
	return fmt.Sprintf("says-%s-%s-%d", label, role, value)
}

// sentences are all sentences that this ballot could sign.
func (v BallotView) sentences(label review.Label) []Said {
	var all []Said
	for _, role := range v.Roles {
		for _, value := range label.Values {
			all = append(all, Said{Field: SentenceField(label.Name, role, value.Value), Text: v.Sentence(v.By, role, label, value)})
		}
	}
	return all
}

// saysClass is the class by which the style sheet shows the sentence of what is chosen.
func saysClass(role ledger.Role, value int) string { return fmt.Sprintf("says-%s-%d", role, value) }

func (v BallotView) options(label review.Label, note, maker string) []ui.Option {
	var all []ui.Option
	for _, value := range label.Values {
		o := ui.Option{Value: strconv.Itoa(value.Value), Text: value.Words}
		if value.NeedsNote {
			o.Hint = note
		}
		if v.Maker && value.Value > 0 {
			o.Disabled, o.Hint = true, maker
		}
		all = append(all, o)
	}
	return all
}

// RevokeView is the form that takes an approval back.
type RevokeView struct {
	Project   ProjectLink
	Candidate review.Candidate
	Actor     ledger.Actor
	TimeZone  string
	Form      FormView
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

// beforeTitle is the head of the baseline's column.
func (v CandidateView) beforeTitle(none string) string {
	if v.Candidate.Baseline.None() {
		return none
	}
	return v.Candidate.Baseline.Name
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

// voteAction says which of the two forms a ballot is.
func voteAction(v BallotView) string {
	if v.Withdraw {
		return "unvote"
	}
	return "vote"
}

func ballotRoles(v BallotView, label func(string) string) []ui.Option {
	var all []ui.Option
	for _, r := range v.Roles {
		all = append(all, ui.Option{Value: string(r), Text: label(string(r))})
	}
	return all
}

// live names the events after which parts of the page are fetched again.
func (v CandidateView) live() string {
	about := "@candidate/" + string(v.Candidate.ID)
	return "candidate.*" + about + " vote.*" + about + " approval.*" + about + " attestation.*" + about + " comparison.created"
}
