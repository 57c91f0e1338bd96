package review

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// Policy says what must hold before a candidate ships. The text is what people
// write and what digests name; the rest is read from it.
type Policy struct {
	Project   ledger.ProjectID
	Version   int // 0 for the default that ships with the product
	Digest    ledger.Digest
	Text      string
	CreatedBy ledger.PersonID
	CreatedAt time.Time
}

// Rules is a policy as it is evaluated.
type Rules struct {
	Title        string        `json:"title"`
	ValidDays    int           `json:"valid_days"`
	Labels       []Label       `json:"labels"`
	Requirements []Requirement `json:"requirements"`
}

// Label is a question that people vote on, with its answers in words.
type Label struct {
	Name     string  `json:"name"` // short, for commands and attestations
	Title    string  `json:"title"`
	Question string  `json:"question"`
	Values   []Value `json:"values"`
}

// Value is one answer of a label.
type Value struct {
	Value     int    `json:"value"`
	Words     string `json:"words"`
	NeedsNote bool   `json:"needs_note,omitempty"` // a comment must go with it
}

// Rule names how a requirement is checked.
type Rule string

// The rules.
const (
	RuleVote           Rule = "vote"             // votes of at least a value, from people of a role
	RuleNoVote         Rule = "no_vote"          // no vote of at most a value
	RuleNotByTrainer   Rule = "not_by_trainer"   // the maker's own vote does not count
	RuleNoDecisiveLoss Rule = "no_decisive_loss" // the interval of the accuracy difference does not lie below zero
)

// Requirement is one thing that must hold.
type Requirement struct {
	Name    string      `json:"name"`
	Rule    Rule        `json:"rule"`
	Label   string      `json:"label,omitempty"`
	AtLeast int         `json:"at_least,omitempty"`
	AtMost  int         `json:"at_most,omitempty"`
	Role    ledger.Role `json:"role,omitempty"`
	Count   int         `json:"count,omitempty"`
	// AlsoProposer keeps whoever proposed it from voting for it, too. With the
	// rule not_by_trainer only.
	AlsoProposer bool `json:"also_proposer,omitempty"`
	// Predictions asks for answers of one origin: "computed" for those that this
	// server computed. With the rule no_decisive_loss only.
	Predictions compare.Origin `json:"predictions,omitempty"`
}

// DefaultPolicyText is the policy of a project that never set one.
const DefaultPolicyText = `{
  "title": "Default policy",
  "valid_days": 180,
  "labels": [
    {
      "name": "release",
      "title": "Release",
      "question": "Is it safe to ship this?",
      "values": [
        {"value": 2, "words": "safe"},
        {"value": 1, "words": "safe with the note below", "needs_note": true},
        {"value": 0, "words": "I cannot tell"},
        {"value": -1, "words": "not safe", "needs_note": true}
      ]
    }
  ],
  "requirements": [
    {"name": "no decisive loss against what ships now", "rule": "no_decisive_loss"},
    {"name": "a subject-matter reviewer says it is safe", "rule": "vote", "label": "release", "at_least": 1, "role": "reviewer", "count": 1},
    {"name": "an approver says it is safe", "rule": "vote", "label": "release", "at_least": 1, "role": "approver", "count": 1},
    {"name": "no vote for it by the person who trained it", "rule": "not_by_trainer", "label": "release"},
    {"name": "nobody says it is not safe", "rule": "no_vote", "label": "release", "at_most": -1}
  ]
}
`

// DefaultPolicy returns the policy of a project that never set one.
func DefaultPolicy(project ledger.ProjectID) Policy {
	return Policy{Project: project, Text: DefaultPolicyText, Digest: ledger.DigestOf([]byte(DefaultPolicyText))}
}

// Rules reads the policy's text. It returns Invalid with what is wrong, also
// for a text that does not match the policy's digest.
func (p Policy) Rules() (Rules, error) {
	if ledger.DigestOf([]byte(p.Text)) != p.Digest {
		return Rules{}, fault.New(fault.Invalid, "The text of the policy %s was changed after it was saved.", p.Digest.Short())
	}
	return ParsePolicy(p.Text)
}

// ParsePolicy reads and checks the text of a policy.
func ParsePolicy(text string) (Rules, error) {
	var rules Rules
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&rules); err != nil {
		return Rules{}, fault.As(fault.Invalid, err, "The policy is not readable: %s", jsonProblem(text, err)).At("text")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Rules{}, fault.Field("text", "Something follows the end of the policy; remove it.")
	}
	return rules, rules.Validate()
}

// plainPolicy refuses a policy with characters that nobody sees, also where
// JSON writes them as \u202e: what people sign is made of its words, and the gate
// prints them.
func plainPolicy(text string, r Rules) error {
	if err := ledger.Plain("text", text); err != nil {
		return err
	}
	texts := []string{r.Title}
	for _, label := range r.Labels {
		texts = append(texts, label.Title, label.Question)
		for _, value := range label.Values {
			texts = append(texts, value.Words)
		}
	}
	for _, q := range r.Requirements {
		texts = append(texts, q.Name)
	}
	for _, text := range texts {
		if err := ledger.Name("text", text); err != nil {
			return err
		}
	}
	return nil
}

func jsonProblem(text string, err error) string {
	offset := int64(-1)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	} else if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = kind.Offset
	}
	said := strings.TrimPrefix(err.Error(), "json: ")
	if offset < 0 || offset > int64(len(text)) {
		return said + "."
	}
	return fault.Say("line %d: %s.", 1+strings.Count(text[:offset], "\n"), said)
}

// Validate reports every problem of the rules.
func (r Rules) Validate() error {
	var errs []error
	bad := func(f *fault.Error) { errs = append(errs, f.At("text")) }
	if r.ValidDays < 1 || r.ValidDays > 3650 {
		bad(fault.New(fault.Invalid, "valid_days says for how many days an approval holds; give 1 to 3650."))
	}
	if len(r.Labels) == 0 || len(r.Labels) > 20 {
		bad(fault.New(fault.Invalid, "A policy needs 1 to 20 labels to vote on."))
	}
	for i, label := range r.Labels {
		if label.Name == "" || strings.ContainsFunc(label.Name, func(c rune) bool { return c < 'a' && c != '-' && (c < '0' || c > '9') || c > 'z' }) {
			bad(fault.New(fault.Invalid, "Label %d needs a name of lower-case letters, digits and hyphens.", i+1))
		}
		if slices.ContainsFunc(r.Labels[:i], func(other Label) bool { return other.Name == label.Name }) {
			bad(fault.New(fault.Invalid, "The label %q is defined twice.", label.Name))
		}
		if len(label.Values) < 2 {
			bad(fault.New(fault.Invalid, "The label %q needs at least two values.", label.Name))
		}
		for j, value := range label.Values {
			if strings.TrimSpace(value.Words) == "" {
				bad(fault.New(fault.Invalid, "The value %+d of the label %q needs words.", value.Value, label.Name))
			}
			if value.Value < -2 || value.Value > 2 {
				bad(fault.New(fault.Invalid, "The value %+d of the label %q is outside -2 to +2.", value.Value, label.Name))
			}
			if slices.ContainsFunc(label.Values[:j], func(other Value) bool { return other.Value == value.Value }) {
				bad(fault.New(fault.Invalid, "The value %+d of the label %q is defined twice.", value.Value, label.Name))
			}
		}
	}
	if len(r.Requirements) == 0 {
		bad(fault.New(fault.Invalid, "A policy without requirements would approve everything; add one."))
	}
	votes := false
	for i, q := range r.Requirements {
		if strings.TrimSpace(q.Name) == "" {
			bad(fault.New(fault.Invalid, "Requirement %d needs a name.", i+1))
		}
		if _, found := r.Label(q.Label); !found && q.Rule != RuleNoDecisiveLoss {
			bad(fault.New(fault.Invalid, "Requirement %q names no label of this policy.", q.Name))
		}
		if q.AlsoProposer && q.Rule != RuleNotByTrainer {
			bad(fault.New(fault.Invalid, "Requirement %q has also_proposer, which belongs to the rule not_by_trainer.", q.Name))
		}
		if q.Predictions != "" && q.Rule != RuleNoDecisiveLoss {
			bad(fault.New(fault.Invalid, "Requirement %q has predictions, which belongs to the rule no_decisive_loss.", q.Name))
		} else if q.Predictions != "" && q.Predictions != compare.OriginComputed {
			bad(fault.New(fault.Invalid, "Requirement %q asks for predictions that are %q; leave it out, or give computed.", q.Name, q.Predictions))
		}
		switch q.Rule {
		case RuleVote:
			votes = true
			if q.Role != ledger.RoleReviewer && q.Role != ledger.RoleApprover {
				bad(fault.New(fault.Invalid, "Requirement %q needs a role: reviewer or approver.", q.Name))
			}
			if q.Count < 1 || q.AtLeast < 1 {
				bad(fault.New(fault.Invalid, "Requirement %q needs a count and an at_least of 1 or more.", q.Name))
			}
		case RuleNoVote:
			if q.AtMost > -1 {
				bad(fault.New(fault.Invalid, "Requirement %q needs an at_most of -1 or less.", q.Name))
			}
		case RuleNotByTrainer, RuleNoDecisiveLoss:
		default:
			bad(fault.New(fault.Invalid, "Requirement %q has no rule; use vote, no_vote, not_by_trainer or no_decisive_loss.", q.Name))
		}
	}
	if len(r.Requirements) > 0 && !votes {
		bad(fault.New(fault.Invalid, "A policy needs at least one requirement with the rule vote; somebody has to look."))
	}
	return errors.Join(errs...)
}

// Label finds a label by name; an empty name means the only one.
func (r Rules) Label(name string) (Label, bool) {
	if name == "" && len(r.Labels) == 1 {
		return r.Labels[0], true
	}
	i := slices.IndexFunc(r.Labels, func(l Label) bool { return strings.EqualFold(l.Name, name) || strings.EqualFold(l.Title, name) })
	if i < 0 {
		return Label{}, false
	}
	return r.Labels[i], true
}

// Value finds the answer with a value.
func (l Label) Value(value int) (Value, bool) {
	i := slices.IndexFunc(l.Values, func(v Value) bool { return v.Value == value })
	if i < 0 {
		return Value{}, false
	}
	return l.Values[i], true
}

// Says returns a requirement as a sentence.
func (r Rules) Says(q Requirement) string {
	switch q.Rule {
	case RuleVote:
		label, _ := r.Label(q.Label)
		var words []string
		for _, v := range label.Values {
			if v.Value >= q.AtLeast {
				words = append(words, "“"+v.Words+"”")
			}
		}
		if q.Count > 1 {
			return fault.Say("At least %d %ss must answer “%s” with %s.", q.Count, q.Role, label.Question, strings.Join(words, " or "))
		}
		return fault.Say("At least one %s must answer “%s” with %s.", q.Role, label.Question, strings.Join(words, " or "))
	case RuleNoVote:
		label, _ := r.Label(q.Label)
		var words []string
		for _, v := range label.Values {
			if v.Value <= q.AtMost {
				words = append(words, "“"+v.Words+"”")
			}
		}
		return fault.Say("Nobody may answer “%s” with %s.", label.Question, strings.Join(words, " or "))
	case RuleNotByTrainer:
		if q.AlsoProposer {
			return fault.Say("A vote for it by whoever made it, or by the one who proposed it, does not count. Makers are who trained, registered or uploaded answers of a model with its digest, in any project.")
		}
		return fault.Say("A vote for it by whoever made it does not count: who trained, registered or uploaded answers of a model with its digest, in any project.")
	case RuleNoDecisiveLoss:
		if q.Predictions == compare.OriginComputed {
			return fault.Say("Compared with the last approved model of the environment by answers that this server computed from both, the 95 %% interval of the accuracy difference must not lie below zero. Without such a model this does not apply.")
		}
		return fault.Say("Compared with the last approved model of the environment, the 95 %% interval of the accuracy difference must not lie below zero. Without such a model this does not apply.")
	}
	return q.Name
}
