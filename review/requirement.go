package review

import (
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// ResultState is what the evaluation of a requirement says. Only Satisfied,
// NotApplicable and Overridden let a candidate pass.
type ResultState string

// The states of a result.
const (
	NotApplicable ResultState = "NOT_APPLICABLE"
	Unsatisfied   ResultState = "UNSATISFIED"
	Satisfied     ResultState = "SATISFIED"
	Overridden    ResultState = "OVERRIDDEN" // carries who and why
	Error         ResultState = "ERROR"      // could not be evaluated; never a pass
)

// Passes reports whether a requirement in this state lets a candidate pass.
func (s ResultState) Passes() bool { return s == Satisfied || s == NotApplicable || s == Overridden }

// Result says whether one requirement holds, and who can make it hold.
type Result struct {
	Requirement string            `json:"requirement"`
	Rule        Rule              `json:"rule"`
	State       ResultState       `json:"state"`
	Says        string            `json:"says"`
	Pending     bool              `json:"pending,omitempty"` // the server is still finding out; nobody needs to do anything
	Role        ledger.Role       `json:"role,omitempty"`    // whose votes it asks for
	Who         []ledger.PersonID `json:"who,omitempty"`     // who could meet it, where people could
	Early       []ledger.PersonID `json:"early,omitempty"`   // who voted for it before the comparison was there, so that it does not count yet
	Lost        []ledger.PersonID `json:"lost,omitempty"`    // who voted for it and holds the role no more
	Asked       []ledger.PersonID `json:"asked,omitempty"`   // who can confirm that somebody who voted may
	Doubted     []ledger.PersonID `json:"doubted,omitempty"` // who voted, and has to be confirmed first
	Backing     []Backing         `json:"backing,omitempty"` // who gave those their say whose votes meet it
	Caveat      string            `json:"caveat,omitempty"`  // on whom alone it rests, where nobody else could confirm it
}

// Evidence is a comparison of the candidate with its baseline.
type Evidence struct {
	Digest     ledger.Digest    `json:"digest"` // of the comparison document
	Snapshot   string           `json:"snapshot"`
	Items      int              `json:"items"`
	Difference compare.Estimate `json:"difference"` // of accuracy, candidate minus baseline
	// Of whose answers it is, and whether this server computed them all.
	Baseline  []compare.Source `json:"baseline"`
	Candidate []compare.Source `json:"candidate"`
	Computed  bool             `json:"computed"`
}

// Facts is what a policy is evaluated on. An error beside a fact turns the
// requirements that rest on it into Error.
type Facts struct {
	Candidate   Candidate
	Proposed    time.Time // when it was put to the vote, as the history says
	Votes       []Vote    // that stand; see Live
	Evidence    []Evidence
	EvidenceErr error
	Unread      Unread        // answers that no comparison in sight reads
	Measured    []Measurement // how far the comparisons with the baseline are
	Current     Baseline      // the last approved candidate of the environment at this moment
	CurrentErr  error
	Voters      []Voter
	People      []Standing        // of whoever voted, could confirm, or let them in
	PeopleErr   error             // Conflict where the history of one of them was changed
	Recused     []ledger.PersonID // who stepped back from this candidate
	Approval    []ledger.Digest   // comparisons that the approval rests on, where one stands
	Makers      []Maker           // who made bytes with this digest; where an approval stands, who had when it was given
	Late        []Maker           // who became a maker after the approval that stands
}

// Unread counts answers that no comparison in sight reads.
type Unread struct {
	Awaited  int // comparisons that standing answers ask for and that are not there yet
	Computed int // of those, where this server computed the answers of both models
	Others   int // sets that do not stand: superseded by the server, partial, or the same again
}

// deciding are the comparisons that a requirement reads: those of all answers
// that stand, or of the computed ones where it asks for these; of an approval
// those it was given with.
func (f Facts) deciding(q Requirement) []Evidence {
	var found []Evidence
	for _, e := range f.Evidence {
		if q.Predictions == compare.OriginComputed && !e.Computed || len(f.Approval) > 0 && !slices.Contains(f.Approval, e.Digest) {
			continue
		}
		found = append(found, e)
	}
	return found
}

// awaits reports whether a comparison that a requirement would read is not there
// yet. An approval that stands awaits nothing.
func (f Facts) awaits(q Requirement) bool {
	if f.Candidate.State == StateApproved {
		return false
	}
	if q.Predictions == compare.OriginComputed {
		return f.Unread.Computed > 0
	}
	return f.Unread.Awaited > 0
}

// Evaluate checks every requirement. It is pure: the same facts give the same
// results, on the page, in the transaction of a vote and at the gate.
func (r Rules) Evaluate(f Facts) []Result {
	results := make([]Result, 0, len(r.Requirements))
	for _, q := range r.Requirements {
		result := Result{Requirement: q.Name, Rule: q.Rule}
		switch q.Rule {
		case RuleVote:
			r.evaluateVote(q, f, &result)
		case RuleNoVote:
			r.evaluateNoVote(q, f, &result)
		case RuleNotByTrainer:
			r.evaluateNotByTrainer(f, &result)
		case RuleNoDecisiveLoss:
			evaluateNoDecisiveLoss(q, f, &result)
		default:
			result.State, result.Says = Error, fault.Say("The rule %q is unknown to this version.", q.Rule)
		}
		results = append(results, result)
	}
	return results
}

// Pass reports whether every requirement lets the candidate pass. Nothing at
// all is not a pass.
func Pass(results []Result) bool {
	return len(results) > 0 && !slices.ContainsFunc(results, func(r Result) bool { return !r.State.Passes() })
}

// Unmet joins what is missing into one text.
func Unmet(results []Result) string {
	var said []string
	for _, r := range results {
		if !r.State.Passes() {
			said = append(said, r.Says)
		}
	}
	return strings.Join(said, " ")
}

// Vetoed reports whether a vote stands that a no_vote requirement forbids.
func (r Rules) Vetoed(c Candidate, votes []Vote) bool {
	return slices.ContainsFunc(r.Requirements, func(q Requirement) bool {
		return q.Rule == RuleNoVote && slices.ContainsFunc(votes, func(v Vote) bool { return r.objects(q, c, v) })
	})
}

// objects reports whether a vote is one that a no_vote requirement forbids. A vote
// against a candidate that was cast under another policy objects whatever its
// label is called now, and whatever value is low enough now: it was cast before
// anybody wrote that, and its person can take it back.
func (r Rules) objects(q Requirement, c Candidate, v Vote) bool {
	return r.on(q, v) && v.Value <= q.AtMost || v.Policy != c.Policy && v.Value < 0
}

// on reports whether a vote answers the label of a requirement.
func (r Rules) on(q Requirement, v Vote) bool {
	label, found := r.Label(q.Label)
	return found && label.Name == v.Label
}

// counts reports whether a vote for the candidate may count at all: not the
// maker's own, and cast on just what is put to the vote now.
func (r Rules) counts(f Facts, v Vote) bool {
	c := f.Candidate
	return !isMaker(r.Makers(f), v.Person) && v.Assurance != "" && v.Candidate == c.ID && v.Subject == c.Subject &&
		v.Environment == c.Environment && v.Policy == c.Policy && v.Baseline == c.Baseline.Digest
}

// compares reports whether these rules hold a candidate against its baseline by
// a comparison, so that a vote for it has to name that.
func (r Rules) compares(c Candidate) bool {
	return slices.ContainsFunc(r.Requirements, func(q Requirement) bool { return q.Rule == RuleNoDecisiveLoss }) &&
		c.Subject.Kind == SubjectModel && !c.Baseline.None() && c.Baseline.Digest != c.Subject.Digest
}

// early reports whether a vote for the candidate was cast before a comparison
// that decides about it was there. It does not count until its person confirms
// it: otherwise what arrives later would complete an approval that nobody gave
// with it there. A vote against it needs no comparison. An approval that
// stands rests on the comparisons it was given with.
func (r Rules) early(f Facts, v Vote) bool {
	if v.Value <= 0 || !r.compares(f.Candidate) || f.EvidenceErr != nil {
		return false
	}
	deciding := f.Approval
	if f.Candidate.State != StateApproved {
		deciding = f.digests()
	}
	return len(deciding) == 0 || slices.ContainsFunc(deciding, func(d ledger.Digest) bool { return !slices.Contains(v.Evidence, d) })
}

func (r Rules) evaluateVote(q Requirement, f Facts, result *Result) {
	result.Role = q.Role
	if f.PeopleErr != nil {
		result.State, result.Says = Error, fault.Message(f.PeopleErr)
		return
	}
	var people []ledger.PersonID
	var names, early, lost, doubts []string
	var asked []Standing
	var rests []ledger.PersonID
	for _, v := range f.Votes {
		if !r.on(q, v) || v.Value < q.AtLeast || v.Role != q.Role || !r.counts(f, v) || slices.Contains(people, v.Person) {
			continue
		}
		w := r.weigh(f, v)
		if w.lost {
			result.Lost, lost = append(result.Lost, v.Person), append(lost, v.PrintedName)
			continue
		}
		if r.early(f, v) {
			result.Early, early = append(result.Early, v.Person), append(early, v.PrintedName)
			continue
		}
		if !w.counts {
			result.Doubted = append(result.Doubted, v.Person)
			doubts = append(doubts, w.doubts...)
			for _, k := range w.asked {
				if !slices.Contains(result.Asked, k.Person) {
					result.Asked, asked = append(result.Asked, k.Person), append(asked, k)
				}
			}
			continue
		}
		people, names = append(people, v.Person), append(names, v.PrintedName)
		if w.backing != nil {
			result.Backing = append(result.Backing, *w.backing)
		}
		for _, p := range w.rests {
			if !slices.Contains(rests, p) {
				rests = append(rests, p)
			}
		}
	}
	if len(people) >= q.Count {
		result.State, result.Says, result.Caveat = Satisfied, fault.Say("Met by %s.", strings.Join(names, ", ")), f.caveat(rests)
		if result.Caveat != "" {
			result.Says += " " + result.Caveat
		}
		result.Lost, result.Early, result.Doubted, result.Asked = nil, nil, nil, nil
		return
	}
	result.State, result.Backing = Unsatisfied, nil
	for _, name := range lost {
		if q.Role == ledger.RoleReviewer {
			result.Says += fault.Say("%s was a reviewer then and is not now, so that vote does not count.", name) + " "
		} else {
			result.Says += fault.Say("%s was an approver then and is not now, so that vote does not count.", name) + " "
		}
	}
	if len(doubts) > 0 {
		result.Says += strings.Join(doubts, " ") + " "
		if len(asked) > 0 {
			result.Says += fault.Say("The vote counts once another admin or lead confirms that this is right: %s.", confirmers(asked)) + " "
		}
	}
	var can []string
	for _, v := range f.Voters {
		// A vote of the same label counts in one role only, so who already voted
		// for it in the other role cannot meet this one too.
		spent := slices.ContainsFunc(f.Votes, func(w Vote) bool {
			return r.on(q, w) && w.Person == v.Person && w.Role != q.Role && w.Value >= q.AtLeast
		})
		if v.Role == q.Role && !slices.Contains(f.Recused, v.Person) && r.may(f, v.Person) && !spent && !slices.Contains(people, v.Person) && !slices.Contains(result.Early, v.Person) && !slices.Contains(result.Doubted, v.Person) {
			result.Who, can = append(result.Who, v.Person), append(can, v.Name)
		}
	}
	missing := q.Count - len(people)
	if len(early) > 0 {
		before := result.Says
		result.Says = before + fault.Say("%s voted before the comparison with %s is there, and can confirm once it is.", strings.Join(early, " and "), f.Candidate.Baseline.Name)
		if len(f.Evidence) > 0 {
			result.Says = before + fault.Say("%s voted before the comparison with %s was there, and can confirm now: only a vote that names it counts.",
				strings.Join(early, " and "), f.Candidate.Baseline.Name)
			result.Who = append(slices.Clone(result.Early), result.Who...)
		}
		if len(can) == 0 {
			return
		}
		if missing -= len(early); missing <= 0 {
			result.Says += " " + fault.Say("Or another %s votes: %s.", q.Role, strings.Join(can[:min(4, len(can))], ", "))
			return
		}
		result.Says += " "
	}
	if missing -= len(result.Doubted); missing <= 0 && len(result.Asked) > 0 {
		if len(can) > 0 {
			result.Says += fault.Say("Or another %s votes: %s.", q.Role, strings.Join(can[:min(4, len(can))], ", "))
		}
		result.Says = strings.TrimSpace(result.Says)
		return
	}
	missing = max(1, missing)
	switch {
	case len(can) == 0:
		result.Says += fault.Say("Needs the vote of %s; nobody in this project can give it. Ask a lead to give somebody the role %s.", howMany(missing, q.Role), q.Role)
	case len(can) > 5:
		result.Says += fault.Say("Needs the vote of %s: %s or %d others.", howMany(missing, q.Role), strings.Join(can[:4], ", "), len(can)-4)
	default:
		result.Says += fault.Say("Needs the vote of %s: %s.", howMany(missing, q.Role), strings.Join(can, " or "))
	}
}

func (r Rules) evaluateNoVote(q Requirement, f Facts, result *Result) {
	for _, v := range f.Votes {
		if r.objects(q, f.Candidate, v) {
			result.State, result.Who = Unsatisfied, []ledger.PersonID{v.Person}
			result.Says = fault.Say("%s says “%s”. Only %s can change or withdraw that vote.", v.PrintedName, v.Words, v.PrintedName)
			return
		}
	}
	result.State, result.Says = Satisfied, fault.Say("Nobody objects.")
}

func (r Rules) evaluateNotByTrainer(f Facts, result *Result) {
	makers := r.Makers(f)
	result.State, result.Says = Satisfied, fault.Say("No vote of whoever made it counts for it.")
	if names := namesOf(makers); names != "" {
		result.Says = fault.Say("No vote of whoever made it counts for it: %s.", names)
	}
	if len(makers) == 0 {
		result.State, result.Says = Error, fault.Say("It is unknown who trained and who proposed it.")
	}
	for _, v := range f.Votes {
		if isMaker(makers, v.Person) && v.Value > 0 {
			result.State, result.Who = Unsatisfied, []ledger.PersonID{v.Person}
			result.Says = madeAndVoted(makers[slices.IndexFunc(makers, func(m Maker) bool { return m.Person == v.Person })], v)
		}
	}
}

// madeAndVoted says that a maker must take a vote back.
func madeAndVoted(m Maker, v Vote) string {
	switch m.How {
	case MadeProposed:
		return fault.Say("%s proposed it and voted for it; %s must withdraw that vote.", v.PrintedName, v.PrintedName)
	case compare.MadeUploaded:
		return fault.Say("%s uploaded answers of a model with this digest and voted for it; %s must withdraw that vote.", v.PrintedName, v.PrintedName)
	case compare.MadeRegistered:
		return fault.Say("%s registered a model with this digest and voted for it; %s must withdraw that vote.", v.PrintedName, v.PrintedName)
	}
	return fault.Say("%s trained it and voted for it; %s must withdraw that vote.", v.PrintedName, v.PrintedName)
}

func evaluateNoDecisiveLoss(q Requirement, f Facts, result *Result) {
	base, evidence := f.Candidate.Baseline, f.deciding(q)
	switch {
	case f.Candidate.Subject.Kind != SubjectModel:
		result.State, result.Says = NotApplicable, fault.Say("It is no model.")
		return
	case f.CurrentErr != nil:
		result.State, result.Says = Error, fault.Say("The baseline could not be read, so there is nothing to measure against.")
		return
	case f.Candidate.Stale(f.Current):
		result.State = Unsatisfied
		result.Says = fault.Say("The baseline for %s has changed since this was proposed. Whoever proposed it must measure it against %s.", f.Candidate.Environment, f.Current.Name)
		return
	case base.None():
		result.State, result.Says = NotApplicable, fault.Say("Nothing else was approved for %s before, so there is nothing to lose against.", f.Candidate.Environment)
		return
	case base.Digest == f.Candidate.Subject.Digest:
		result.State, result.Says = NotApplicable, fault.Say("It is the same model as its baseline.")
		return
	case f.EvidenceErr != nil:
		result.State, result.Says = Error, fault.Say("The comparison with %s could not be read or does not match its digest.", base.Name)
		return
	case len(evidence) == 0 && len(f.Evidence) > 0:
		result.State = Unsatisfied
		result.Says = fault.Say("The policy asks for answers that this server computed, and no comparison with %s rests on such answers of both models. Train the candidate here, so that the server computes its answers on the evaluation datasets; where %s was trained elsewhere, train it here, too.", base.Name, base.Name)
		return
	case len(evidence) == 0:
		result.State = Unsatisfied
		result.Says, result.Pending = notMeasured(base.Name, f.Measured)
		return
	}
	worst := evidence[0]
	for _, e := range evidence {
		if e.Items <= 0 || !(e.Difference.Low <= e.Difference.High) { // also catches what is not a number
			result.State, result.Says = Error, fault.Say("The comparison %s holds no usable interval.", e.Digest.Short())
			return
		}
		if e.Difference.High < 0 {
			result.State = Unsatisfied
			result.Says = fault.Say("It is decisively worse than %s on %d items of %s: %s points of accuracy.", base.Name, e.Items, e.Snapshot, Points(e.Difference))
			if n := len(evidence); n > 1 {
				result.Says += " " + fault.Say("Of %d comparisons that stand, this one decides; no later answers change that.", n)
			}
			return
		}
		if e.Difference.Value < worst.Difference.Value {
			worst = e
		}
	}
	if f.awaits(q) {
		result.State, result.Pending = Unsatisfied, true
		result.Says = fault.Say("Some answers are not compared yet. The comparison with %s is running.", base.Name)
		if i := slices.IndexFunc(f.Measured, func(m Measurement) bool { return m.State == MeasureFailed }); i >= 0 {
			result.Says, result.Pending = fault.Say("It could not be compared with %s, its baseline. %s", base.Name, f.Measured[i].Reason), false
		}
		return
	}
	result.State, result.Says = Satisfied, fault.Say("Against %s on %d items of %s: %s points of accuracy.", base.Name, worst.Items, worst.Snapshot, Points(worst.Difference))
	if n := len(evidence); n > 1 {
		result.Says += " " + fault.Say("That is the worst of %d comparisons that stand.", n)
	}
}

// Points writes a difference of accuracies in percentage points with its
// interval: "+1.2 (-0.3 to +2.7)".
func Points(e compare.Estimate) string {
	return fault.Say("%+.1f (%+.1f to %+.1f)", 100*float64(e.Value), 100*float64(e.Low), 100*float64(e.High))
}

// howMany says how many people of a role that votes, for sentences.
func howMany(n int, role ledger.Role) string {
	switch {
	case role == ledger.RoleReviewer && n == 1:
		return fault.Say("a reviewer")
	case role == ledger.RoleReviewer:
		return fault.Say("%d reviewers", n)
	case n == 1:
		return fault.Say("an approver")
	}
	return fault.Say("%d approvers", n)
}
