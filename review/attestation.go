package review

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// Signer signs in the name of this installation and checks what was signed, also
// under keys that it had before. A key is named by its hint: the hex SHA-256 of
// its PEM text.
type Signer interface {
	// Sign returns a DSSE envelope around an in-toto statement.
	Sign(statement []byte) ([]byte, error)
	// Hint names the key that signs now.
	Hint() string
	// Verify returns the statement inside an envelope that a key signed. It returns
	// NotFound where the server no longer holds the key's public half.
	Verify(key string, envelope []byte) ([]byte, error)
	// Bundle wraps an envelope that a key signed into a sigstore bundle.
	Bundle(key string, envelope []byte) ([]byte, error)
	// PEM is the text of a public key.
	PEM(key string) ([]byte, error)
}

// The types of statements. A rejection has a type of its own, because common
// verifiers look at the type and never into the predicate.
const (
	StatementType       = "https://in-toto.io/Statement/v1"
	PredicateVSA        = "https://slsa.dev/verification_summary/v1"
	PredicateApproval   = "https://adjudge.dev/attestation/model-signoff/v1"
	PredicateRejection  = "https://adjudge.dev/attestation/model-rejection/v1"
	PredicateAbstention = "https://adjudge.dev/attestation/model-abstention/v1"
	PredicateWithdrawal = "https://adjudge.dev/attestation/model-vote-withdrawal/v1"
	PredicateRevocation = "https://adjudge.dev/attestation/model-revocation/v1"
)

// VerifierID names who decided. Whoever verifies pins it together with the key.
const VerifierID = "https://adjudge.dev/gate/v1"

// Levels that an approval carries.
const (
	levelApproved = "ADJUDGE_APPROVED"
	levelExpert   = "ADJUDGE_SME_APPROVED" // a subject-matter reviewer is among the votes
)

// Statement is an in-toto statement. Subject[0] is what was decided about; the
// others are its large files, for verifiers that look at one file.
type Statement struct {
	Type          string          `json:"_type"`
	Subject       []Resource      `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

// Resource names bytes by digest.
type Resource struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

func resource(name string, digest ledger.Digest) Resource {
	return Resource{Name: name, Digest: map[string]string{"sha256": digest.Hex()}}
}

// votePredicate is what one person said.
type votePredicate struct {
	Candidate   Resource    `json:"candidate"`
	Baseline    *Resource   `json:"baseline,omitempty"`
	Vote        VoteID      `json:"voteId"`
	Label       string      `json:"label"`
	Value       int         `json:"vote"`
	Words       string      `json:"words"`
	Decision    string      `json:"decision"`
	Reviewer    reviewer    `json:"reviewer"`
	ReviewedAt  string      `json:"reviewedAt"`
	ExpiresAt   string      `json:"expiresAt"`
	Environment Environment `json:"environment"`
	Evidence    []Resource  `json:"evidence"`
	Comment     string      `json:"comment"`
	Sentence    string      `json:"sentence"`
	TimeZone    string      `json:"timeZone"`
	History     historyLink `json:"history"`
}

type reviewer struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Role      ledger.Role `json:"role"`
	Assurance Assurance   `json:"assurance"`
}

// historyLink ties a signed vote to its place in the history, so that neither
// can be replaced without the other.
type historyLink struct {
	Event      int64         `json:"event"`
	Hash       ledger.Digest `json:"hash"`
	Commitment ledger.Digest `json:"commitment"`
}

// revocationPredicate takes an approval back.
type revocationPredicate struct {
	Candidate   Resource    `json:"candidate"`
	Environment Environment `json:"environment"`
	SignOff     SignOffID   `json:"signOffId"`
	Revoker     reviewer    `json:"revoker"`
	Reason      string      `json:"reason"`
	Sentence    string      `json:"sentence"`
	RevokedAt   string      `json:"revokedAt"`
	TimeZone    string      `json:"timeZone"`
}

// summaryPredicate is a SLSA verification summary. What it cannot say stands in
// extension fields, which in-toto asks readers to pass over.
type summaryPredicate struct {
	Verifier struct {
		ID string `json:"id"`
	} `json:"verifier"`
	TimeVerified       string          `json:"timeVerified"`
	ResourceURI        string          `json:"resourceUri"`
	Policy             Resource        `json:"policy"`
	InputAttestations  []Resource      `json:"inputAttestations"`
	VerificationResult string          `json:"verificationResult"`
	VerifiedLevels     []string        `json:"verifiedLevels"`
	SLSAVersion        string          `json:"slsaVersion"`
	SignOff            SignOffID       `json:"https://adjudge.dev/signOffId"`
	ExpiresAt          string          `json:"https://adjudge.dev/expiresAt"`
	Requirements       json.RawMessage `json:"https://adjudge.dev/requirements"`
	Makers             []made          `json:"https://adjudge.dev/makers,omitempty"`
}

// made is a person whose vote counted for nothing, and why.
type made struct {
	ID  string       `json:"id"`
	How compare.Made `json:"how"`
	At  string       `json:"at"`
}

// ResourceURI names a subject together with the environment it may ship to, so
// that an approval for one environment cannot be taken for another.
func ResourceURI(c Candidate) string {
	name, version, _ := strings.Cut(c.Name, "@")
	uri := "pkg:ml" + string(c.Subject.Kind) + "/" + url.PathEscape(name)
	if version != "" {
		uri += "@" + url.PathEscape(version)
	}
	return uri + "?environment=" + url.QueryEscape(string(c.Environment))
}

// minLarge is from which size on a file of a model is a subject of its own.
const minLarge = 1 << 20

// maxFiles bounds how many files of a model are subjects of their own.
const maxFiles = 64

// statement encodes a statement about a candidate.
func statement(c Candidate, files []ledger.TreeFile, predicateType string, predicate any) ([]byte, error) {
	encoded, err := json.Marshal(predicate)
	if err != nil {
		return nil, fault.Wrap(err, "encode a predicate")
	}
	s := Statement{Type: StatementType, Subject: []Resource{resource(c.Name, c.Subject.Digest)}, PredicateType: predicateType, Predicate: encoded}
	for _, f := range files {
		if f.Size >= minLarge && len(s.Subject) <= maxFiles && f.Digest != c.Subject.Digest {
			s.Subject = append(s.Subject, resource(f.Path, f.Digest))
		}
	}
	out, err := json.Marshal(s)
	return out, fault.Wrap(err, "encode a statement")
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// VoteStatement returns the statement of one vote and its predicate type.
func VoteStatement(c Candidate, files []ledger.TreeFile, v Vote, event ledger.Event, expires time.Time) ([]byte, string, error) {
	kind, decision := PredicateAbstention, "ABSTAIN"
	switch {
	case v.Withdrawn:
		kind, decision = PredicateWithdrawal, "WITHDRAWN"
	case v.Value > 0:
		kind, decision = PredicateApproval, "APPROVE"
	case v.Value < 0:
		kind, decision = PredicateRejection, "REJECT"
	}
	subject := resource("", c.Subject.Digest)
	subject.URI = ResourceURI(c)
	p := votePredicate{
		Candidate: subject, Vote: v.ID, Label: v.Label, Value: v.Value, Words: v.Words, Decision: decision,
		Reviewer:   reviewer{ID: "urn:adjudge:person:" + string(v.Person), Name: v.PrintedName, Role: v.Role, Assurance: v.Assurance},
		ReviewedAt: rfc3339(v.At), ExpiresAt: rfc3339(expires), Environment: v.Environment, Evidence: []Resource{},
		Comment: v.Comment, Sentence: v.Sentence, TimeZone: v.TimeZone,
		History: historyLink{Event: event.Seq, Hash: event.Hash, Commitment: event.Commitment},
	}
	if !c.Baseline.None() && c.Baseline.Digest == v.Baseline {
		base := resource(c.Baseline.Name, c.Baseline.Digest)
		p.Baseline = &base
	}
	for _, digest := range v.Evidence {
		p.Evidence = append(p.Evidence, resource("comparison", digest))
	}
	out, err := statement(c, files, kind, p)
	return out, kind, err
}

// ApprovalStatement returns the verification summary of a sign-off. votes are
// the attestations of the votes that it rests on.
func ApprovalStatement(c Candidate, files []ledger.TreeFile, s SignOff, votes []Attestation) ([]byte, error) {
	p := summaryPredicate{
		TimeVerified: rfc3339(s.At), ResourceURI: ResourceURI(c), VerificationResult: "PASSED", SLSAVersion: "1.1",
		Policy:            Resource{URI: "urn:adjudge:policy:" + s.Policy.Hex(), Digest: map[string]string{"sha256": s.Policy.Hex()}},
		InputAttestations: []Resource{}, VerifiedLevels: []string{levelApproved}, SignOff: s.ID, ExpiresAt: rfc3339(s.ExpiresAt),
	}
	p.Verifier.ID = VerifierID
	for _, vote := range votes {
		p.InputAttestations = append(p.InputAttestations, Resource{URI: vote.File() + ".dsse.json", Digest: map[string]string{"sha256": vote.Digest.Hex()}})
	}
	for _, r := range s.Results {
		if r.Rule == RuleVote && r.State == Satisfied && r.Role == ledger.RoleReviewer {
			p.VerifiedLevels = append(p.VerifiedLevels, levelExpert)
			break
		}
	}
	for _, m := range s.Makers {
		p.Makers = append(p.Makers, made{ID: "urn:adjudge:person:" + string(m.Person), How: m.How, At: rfc3339(m.At)})
	}
	var err error
	if p.Requirements, err = json.Marshal(s.Results); err != nil {
		return nil, fault.Wrap(err, "encode the results")
	}
	return statement(c, files, PredicateVSA, p)
}

// RevocationStatement returns the statement that takes a sign-off back.
func RevocationStatement(c Candidate, files []ledger.TreeFile, r Revocation) ([]byte, error) {
	subject := resource("", c.Subject.Digest)
	subject.URI = ResourceURI(c)
	return statement(c, files, PredicateRevocation, revocationPredicate{
		Candidate: subject, Environment: r.Environment, SignOff: r.SignOff,
		Revoker: reviewer{ID: "urn:adjudge:person:" + string(r.Person), Name: r.PrintedName, Assurance: r.Assurance},
		Reason:  r.Reason, Sentence: r.Sentence, RevokedAt: rfc3339(r.At), TimeZone: r.TimeZone,
	})
}

// Document is a signed file whose signature was verified.
type Document struct {
	Name    string // of the file
	Payload []byte
	Digest  ledger.Digest // of the DSSE envelope; empty where the file is a bundle
}

// Approved is what offline verification found.
type Approved struct {
	Name      string    `json:"name"`
	SignOff   SignOffID `json:"signOff"`
	At        time.Time `json:"at"`
	ExpiresAt time.Time `json:"expiresAt"`
	Policy    string    `json:"policy"`
	Levels    []string  `json:"levels"`
	Votes     []string  `json:"votes"` // files of votes that were there and matched
}

// clockSkew is how far in the future an approval may have been made.
const clockSkew = 5 * time.Minute

// VerifyDocuments decides offline, from signed documents alone, whether a
// subject may ship to an environment now. It denies unless an approval is
// there that holds, and returns Unmet with the reason: no document can turn a
// denial into an approval but a valid, unexpired, unrevoked approval.
func VerifyDocuments(documents []Document, subject ledger.Digest, environment Environment, now time.Time) (Approved, error) {
	var approvals []summaryPredicate
	names := map[SignOffID]string{}
	revoked := map[SignOffID]revocationPredicate{}
	var latestRevocation time.Time
	reason := fault.New(fault.Unmet, "None of the files is an approval.")
	for _, d := range documents {
		var s Statement
		if err := json.Unmarshal(d.Payload, &s); err != nil || s.Type != StatementType || len(s.Subject) == 0 {
			return Approved{}, fault.As(fault.Invalid, err, "%s is signed but holds no in-toto statement.", d.Name)
		}
		if s.Subject[0].Digest["sha256"] != subject.Hex() {
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
			if err := p.check(environment, now); err != nil {
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
			if p.Environment == environment {
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
		votes, err := p.votes(documents)
		if err != nil {
			reason = err
			continue
		}
		expires, _ := time.Parse(time.RFC3339, p.ExpiresAt)
		return Approved{Name: names[p.SignOff], SignOff: p.SignOff, At: at, ExpiresAt: expires, Policy: "sha256:" + p.Policy.Digest["sha256"], Levels: p.VerifiedLevels, Votes: votes}, nil
	}
	return Approved{}, reason
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

// votes returns the files of the votes that an approval rests on, as far as
// they are there. One that is there must be the one that was meant.
func (p summaryPredicate) votes(documents []Document) ([]string, *fault.Error) {
	var found []string
	for _, input := range p.InputAttestations {
		for _, d := range documents {
			if d.Name != input.URI {
				continue
			}
			if d.Digest.Hex() != input.Digest["sha256"] {
				return nil, fault.New(fault.Unmet, "%s is not the vote on which the approval rests.", d.Name)
			}
			found = append(found, d.Name)
		}
	}
	return found, nil
}

// String says what was approved, in one line.
func (a Approved) String() string {
	return fmt.Sprintf("%s, approved %s, until %s", a.Name, rfc3339(a.At), rfc3339(a.ExpiresAt))
}
