package page

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// BallotView is the form of a vote.
type BallotView struct {
	Project ProjectLink
	review.Ballot
	By       ledger.Actor
	TimeZone string
	Form     FormView
	Kind     string
	Proof    ProofView
}

// ProofView says how a person proves once more who they are: by their password
// where Provider is empty, else by signing in there first.
type ProofView struct {
	Provider string
	Have     bool   // they have just done so
	Next     string // local path of the page that asks
}

// Asks reports whether the person must go to the provider before anything else.
func (p ProofView) Asks() bool { return p.Provider != "" && !p.Have }

// What a ballot does.
const (
	BallotVote    = "vote"    // casts a vote
	BallotUnvote  = "unvote"  // takes one's own back
	BallotConfirm = "confirm" // repeats one's own now that more was compared
)

// on returns the actor's vote on a label that this form is about.
func (v BallotView) on(label review.Label) (review.Vote, bool) {
	mine := v.Mine
	if v.Kind == BallotConfirm {
		mine = v.Early
	}
	i := slices.IndexFunc(mine, func(w review.Vote) bool { return w.Label == label.Name })
	if i < 0 {
		return review.Vote{}, false
	}
	return mine[i], true
}

// labels are the questions that this form asks about.
func (v BallotView) labels() []review.Label {
	if v.Kind == BallotVote {
		return v.Rules.Labels
	}
	labels := slices.DeleteFunc(slices.Clone(v.Rules.Labels), func(l review.Label) bool {
		_, stands := v.on(l)
		return !stands
	})
	for _, mine := range v.Mine { // a vote on a label that the policy does not have any more can be taken back
		if _, known := v.Rules.Label(mine.Label); v.Kind == BallotUnvote && !known {
			labels = append(labels, review.Label{Name: mine.Label, Title: mine.Label})
		}
	}
	return labels
}

// taken is the sentence that taking one's vote back signs.
func (v BallotView) taken(label review.Label) string {
	vote, _ := v.on(label)
	return review.WithdrawalSentence(v.Name, v.Candidate, vote)
}

// signs is the sentence of a form that repeats a vote or takes one back.
func (v BallotView) signs(label review.Label) string {
	if v.Kind == BallotUnvote {
		return v.taken(label)
	}
	return v.again(label)
}

// asked are the questions that the page shows: none before somebody has proved
// who they are, for they would leave what they typed.
func (v BallotView) asked() []review.Label {
	if v.Proof.Asks() {
		return nil
	}
	return v.labels()
}

// again is the sentence that confirming a vote signs.
func (v BallotView) again(label review.Label) string {
	vote, _ := v.on(label)
	value, _ := label.Value(vote.Value)
	return v.Sentence(v.By, vote.Role, label, value)
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
	Name      string // with which the actor signs
	TimeZone  string
	Form      FormView
	Proof     ProofView
}

func ballotRoles(v BallotView, label func(string) string) []ui.Option {
	var all []ui.Option
	for _, r := range v.Roles {
		all = append(all, ui.Option{Value: string(r), Text: label(string(r))})
	}
	return all
}
