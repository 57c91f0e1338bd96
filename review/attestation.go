package review

import (
	"encoding/json"
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

// evidenceLooked names, in the evidence of a vote, what its voter had opened.
const evidenceLooked = "looked"

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
	if v.Looked != "" {
		p.Evidence = append(p.Evidence, resource(evidenceLooked, v.Looked))
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
