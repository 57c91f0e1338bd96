package review

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Document is a signed file whose signature was verified.
type Document struct {
	Name    string // of the file
	Payload []byte
	Digest  ledger.Digest // of the DSSE envelope, also where a bundle is around it
}

// Approved is what offline verification found.
type Approved struct {
	Name      string    `json:"name"`
	SignOff   SignOffID `json:"signOff"`
	At        time.Time `json:"at"`
	ExpiresAt time.Time `json:"expiresAt"`
	Policy    string    `json:"policy"`
	Levels    []string  `json:"levels"`
	Votes     []string  `json:"votes"`           // files of the votes that it rests on
	Notes     []string  `json:"notes,omitempty"` // what could not be checked
}

// clockSkew is how far in the future an approval may have been made.
const clockSkew = 5 * time.Minute

// Offline asks whether signed documents approve a subject.
type Offline struct {
	Documents   []Document
	Subject     ledger.Digest
	Environment Environment
	Now         time.Time
	Policy      ledger.Digest // the policy that it must have been given under; any if empty
	Policies    []string      // texts of policies that are at hand
	Looked      [][]byte      // documents of what voters had opened that are at hand
}

// Verify decides offline, from signed documents alone, whether a subject may
// ship to an environment now. It denies unless an approval is there that holds,
// with every vote it rests on and every requirement met, and returns Unmet with
// the reason: no document can turn a denial into an approval but a valid,
// unexpired, unrevoked approval.
func (o Offline) Verify() (Approved, error) {
	var approvals []summaryPredicate
	names := map[SignOffID]string{}
	revoked := map[SignOffID]revocationPredicate{}
	var latestRevocation time.Time
	reason := fault.New(fault.Unmet, "None of the files is an approval.")
	for _, d := range o.Documents {
		s, err := d.statement()
		if err != nil {
			return Approved{}, err
		}
		if s.Subject[0].Digest["sha256"] != o.Subject.Hex() {
			if s.PredicateType == PredicateVSA {
				reason = fault.New(fault.Unmet, "%s approves sha256:%s, which is not the subject.", d.Name, s.Subject[0].Digest["sha256"])
			}
			continue
		}
		switch s.PredicateType {
		case PredicateVSA:
			var p summaryPredicate
			if err := json.Unmarshal(s.Predicate, &p); err != nil {
				return Approved{}, fault.As(fault.Invalid, err, "%s holds no readable approval.", d.Name)
			}
			if err := p.check(o.Environment, o.Now); err != nil {
				reason = err
				continue
			}
			approvals = append(approvals, p)
			names[p.SignOff] = s.Subject[0].Name
		case PredicateRevocation:
			var p revocationPredicate
			at := time.Time{}
			err := json.Unmarshal(s.Predicate, &p)
			if err == nil {
				at, err = time.Parse(time.RFC3339, p.RevokedAt)
			}
			if err != nil {
				return Approved{}, fault.As(fault.Invalid, err, "%s holds no readable revocation.", d.Name)
			}
			if p.Environment == o.Environment {
				revoked[p.SignOff] = p
				if at.After(latestRevocation) {
					latestRevocation = at
				}
			}
		}
	}
	for _, p := range approvals {
		at, _ := time.Parse(time.RFC3339, p.TimeVerified)
		if r, found := revoked[p.SignOff]; found {
			reason = fault.New(fault.Unmet, "%s withdrew the approval on %s: %s", r.Revoker.Name, r.RevokedAt, r.Reason)
			continue
		}
		// A revocation that names another sign-off still closes what came before it.
		if at.Before(latestRevocation) {
			reason = fault.New(fault.Unmet, "An approval of this subject was withdrawn on %s, later than this one.", rfc3339(latestRevocation))
			continue
		}
		files, votes, err := o.votes(p)
		if err == nil {
			err = p.met()
		}
		var notes []string
		if err == nil {
			notes, err = o.underPolicy(p, votes)
		}
		if err == nil {
			var more []string
			more, err = o.looked(votes)
			notes = append(notes, more...)
		}
		if err != nil {
			reason = err
			continue
		}
		expires, _ := time.Parse(time.RFC3339, p.ExpiresAt)
		return Approved{Name: names[p.SignOff], SignOff: p.SignOff, At: at, ExpiresAt: expires, Policy: "sha256:" + p.Policy.Digest["sha256"],
			Levels: p.VerifiedLevels, Votes: files, Notes: notes}, nil
	}
	return Approved{}, reason
}

// statement reads what was signed.
func (d Document) statement() (Statement, error) {
	var s Statement
	if err := json.Unmarshal(d.Payload, &s); err != nil || s.Type != StatementType || len(s.Subject) == 0 {
		return s, fault.As(fault.Invalid, err, "%s is signed but holds no in-toto statement.", d.Name)
	}
	return s, nil
}

// check reports why a summary does not approve for an environment now.
func (p summaryPredicate) check(environment Environment, now time.Time) *fault.Error {
	at, errAt := time.Parse(time.RFC3339, p.TimeVerified)
	expires, errExpires := time.Parse(time.RFC3339, p.ExpiresAt)
	_, query, _ := strings.Cut(p.ResourceURI, "?")
	values, errQuery := url.ParseQuery(query)
	switch {
	case errAt != nil || errExpires != nil || errQuery != nil || p.SignOff == "":
		return fault.New(fault.Unmet, "The approval does not say when it was made, when it ends, or for what.")
	case p.Verifier.ID != VerifierID:
		return fault.New(fault.Unmet, "The approval was made by %.100q and not by %s.", p.Verifier.ID, VerifierID)
	case p.VerificationResult != "PASSED":
		return fault.New(fault.Unmet, "The result is %.40q and not PASSED.", p.VerificationResult)
	case len(values["environment"]) != 1 || values.Get("environment") != string(environment):
		return fault.New(fault.Unmet, "The approval is for %s, not for %s.", strings.Join(values["environment"], ", "), environment)
	case at.After(now.Add(clockSkew)):
		return fault.New(fault.Unmet, "The approval was made at %s, which is in the future. Check the clock of this machine.", p.TimeVerified)
	case !now.Before(expires):
		return fault.New(fault.Unmet, "The approval ended on %s. Propose the candidate again.", p.ExpiresAt)
	}
	return nil
}

// votes returns the votes that an approval rests on and their files. Each must be
// there: an approval alone shows that somebody with the key made it, not that
// people voted.
func (o Offline) votes(p summaryPredicate) (files []string, votes []votePredicate, failed *fault.Error) {
	if len(p.InputAttestations) == 0 {
		return nil, nil, fault.New(fault.Unmet, "The approval names no vote on which it rests.")
	}
	for _, input := range p.InputAttestations {
		at := slices.IndexFunc(o.Documents, func(d Document) bool {
			return d.Digest != "" && d.Digest.Hex() == input.Digest["sha256"]
		})
		if at < 0 {
			if slices.ContainsFunc(o.Documents, func(d Document) bool { return d.Name == input.URI }) {
				return nil, nil, fault.New(fault.Unmet, "%s is not the vote on which the approval rests.", input.URI)
			}
			return nil, nil, fault.New(fault.Unmet, "The vote %s, on which the approval rests, is not among the files. Give the whole directory that `adjudge evidence export` wrote.", input.URI)
		}
		d := o.Documents[at]
		var vote votePredicate
		s, err := d.statement()
		kinds := []string{PredicateApproval, PredicateRejection, PredicateAbstention}
		if err != nil || !slices.Contains(kinds, s.PredicateType) || s.Subject[0].Digest["sha256"] != o.Subject.Hex() ||
			json.Unmarshal(s.Predicate, &vote) != nil || vote.Environment != o.Environment {
			return nil, nil, fault.New(fault.Unmet, "%s is no vote on this subject for %s.", d.Name, o.Environment)
		}
		files, votes = append(files, d.Name), append(votes, vote)
	}
	return files, votes, nil
}

// results are the requirements as they were found when the approval was given.
func (p summaryPredicate) results() ([]Result, error) {
	var results []Result
	err := json.Unmarshal(p.Requirements, &results)
	return results, err
}

// met reports why the requirements inside an approval do not hold.
func (p summaryPredicate) met() *fault.Error {
	results, err := p.results()
	if err != nil || len(results) == 0 {
		return fault.New(fault.Unmet, "The approval does not say which requirements were met.")
	}
	for _, r := range results {
		if !r.State.Passes() {
			return fault.New(fault.Unmet, "Inside the approval the requirement “%s” is not met: %s.", r.Requirement, r.State)
		}
	}
	return nil
}

// underPolicy holds the votes of an approval against the policy that it was given
// under: the roles of the voters, how many there are, and that nobody objects.
func (o Offline) underPolicy(p summaryPredicate, votes []votePredicate) (notes []string, failed *fault.Error) {
	digest := ledger.Digest("sha256:" + p.Policy.Digest["sha256"])
	if o.Policy != "" && o.Policy != digest {
		return nil, fault.New(fault.Unmet, "The approval was given under the policy %s, not under %s.", digest, o.Policy)
	}
	at := slices.IndexFunc(o.Policies, func(text string) bool { return ledger.DigestOf([]byte(text)) == digest })
	text := DefaultPolicyText
	switch {
	case at >= 0:
		text = o.Policies[at]
	case DefaultPolicy("").Digest != digest:
		return []string{fault.Say("The text of the policy is not among the files, so the roles of the voters were not held against it.")}, nil
	}
	rules, err := ParsePolicy(text)
	if err != nil {
		return nil, fault.As(fault.Unmet, err, "The policy of the approval cannot be read: %s", fault.Message(err))
	}
	results, _ := p.results() // met has read them
	for _, q := range rules.Requirements {
		if !slices.ContainsFunc(results, func(r Result) bool { return r.Requirement == q.Name && r.Rule == q.Rule }) {
			return nil, fault.New(fault.Unmet, "The approval says nothing of the requirement “%s” of its policy.", q.Name)
		}
		label, _ := rules.Label(q.Label)
		switch q.Rule {
		case RuleVote:
			people := map[string]bool{}
			for _, v := range votes {
				if slices.ContainsFunc(p.Makers, func(m made) bool { return m.ID == v.Reviewer.ID }) {
					continue // whoever made it has no vote for it
				}
				if v.Label == label.Name && v.Value >= q.AtLeast && v.Reviewer.Role == q.Role && v.Decision == "APPROVE" {
					people[v.Reviewer.ID] = true
				}
			}
			if len(people) < q.Count {
				return nil, fault.New(fault.Unmet, "The policy asks for the votes of %d people in the role %s (“%s”); among the votes of the approval there are %d.", q.Count, q.Role, q.Name, len(people))
			}
		case RuleNoVote:
			for _, v := range votes {
				_, asked := rules.Label(v.Label) // a label of an earlier policy objects, too
				if v.Label == label.Name && v.Value <= q.AtMost || !asked && v.Value < 0 {
					return nil, fault.New(fault.Unmet, "%s says “%s”, which the policy forbids (“%s”).", v.Reviewer.Name, v.Words, q.Name)
				}
			}
		default: // what it rests on is not among the votes; the approval says how it was found
		}
	}
	return nil, nil
}

// looked holds what voters had opened against the votes that name it: each
// document has the digest that its vote names, and is of that vote. One that is
// not among the files is noted: the vote stands without it.
func (o Offline) looked(votes []votePredicate) (notes []string, failed *fault.Error) {
	for _, v := range votes {
		at := slices.IndexFunc(v.Evidence, func(r Resource) bool { return r.Name == evidenceLooked })
		if at < 0 {
			continue // cast with a version that kept none
		}
		want, there := v.Evidence[at].Digest["sha256"], false
		for _, content := range o.Looked {
			doc, err := DecodeLooked(content)
			if err != nil {
				return nil, fault.As(fault.Unmet, err, "A document of what a voter had opened cannot be read.")
			}
			if same := ledger.DigestOf(content).Hex() == want; same != (doc.Vote == v.Vote) {
				return nil, fault.New(fault.Unmet, "The document of what %s had opened is not the one that the vote names: it was changed.", v.Reviewer.Name)
			} else if same {
				there = true
			}
		}
		if !there {
			notes = append(notes, fault.Say("The document of what %s had opened before the vote is not among the files.", v.Reviewer.Name))
		}
	}
	return notes, nil
}

// String says what was approved, in one line.
func (a Approved) String() string {
	return fmt.Sprintf("%s, approved %s, until %s", a.Name, rfc3339(a.At), rfc3339(a.ExpiresAt))
}
