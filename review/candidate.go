package review

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// CandidateID is the id of a candidate (UUIDv7).
type CandidateID string

// SubjectKind says what a candidate's digest names.
type SubjectKind string

// The kinds of subject.
const (
	SubjectModel    SubjectKind = "model"    // the root of a model directory
	SubjectSnapshot SubjectKind = "snapshot" // a snapshot
)

// Subject is what is decided about: bytes of a kind, by their digest.
type Subject struct {
	Kind   SubjectKind   `json:"kind"`
	Digest ledger.Digest `json:"digest"`
}

// Environment is where a candidate shall ship to: production, staging.
type Environment string

// Production is the environment that is meant where none is named.
const Production Environment = "production"

// ParseEnvironment reads the name of an environment; nothing means Production.
func ParseEnvironment(text string) (Environment, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Production, nil
	}
	bad := func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }
	if len(text) > 40 || strings.ContainsFunc(text, bad) || text[0] == '-' {
		return "", fault.Field("environment", "%.60q cannot name an environment; use up to 40 lower-case letters, digits and hyphens, as in production.", text)
	}
	return Environment(text), nil
}

// State is where a candidate stands. Expiry is no state: an approval ends by
// the clock, and whoever asks computes it.
type State string

// The states.
const (
	StateDraft     State = "draft"     // made by a training, not proposed yet
	StateOpen      State = "open"      // people vote
	StateApproved  State = "approved"  // every requirement holds
	StateRejected  State = "rejected"  // somebody says it must not ship
	StateWithdrawn State = "withdrawn" // an approval was taken back; final
)

// Decided reports whether there is nothing to wait for in this state.
func (s State) Decided() bool { return s == StateApproved || s == StateRejected || s == StateWithdrawn }

// Candidate is a subject proposed to ship to an environment. Its number counts
// within the project and is what people call it by.
type Candidate struct {
	ID          CandidateID
	Project     ledger.ProjectID
	Number      int
	Subject     Subject
	Name        string          // of the subject, as people read it: "intents@3"
	Model       compare.ModelID // empty unless the subject is a model
	Environment Environment
	Note        string // why it is proposed
	State       State
	Policy      ledger.Digest   // what it is judged by; empty while a draft
	Baseline    Baseline        // what was approved last when it was opened; zero for none
	ProposedBy  ledger.PersonID // who made it, or opened the draft
	TrainedBy   ledger.PersonID // empty if unknown
	CreatedAt   time.Time
	OpenedAt    time.Time // zero while a draft
	DecidedAt   time.Time // zero while undecided
}

// Baseline is the last approved candidate of an environment, also where its
// approval was taken back since; see lastApproved.
type Baseline struct {
	Candidate CandidateID     `json:"candidate"`
	Number    int             `json:"number"`
	Name      string          `json:"name"`
	Model     compare.ModelID `json:"model"`
	Digest    ledger.Digest   `json:"digest"`
}

// None reports that nothing else was approved for the environment before.
func (b Baseline) None() bool { return b.Candidate == "" }

// Stale reports whether a candidate has to be measured against another baseline
// than its own. From a baseline to none there is no way.
func (c Candidate) Stale(current Baseline) bool {
	return c.State != StateDraft && !current.None() && current != c.Baseline
}

// AsBaseline returns the candidate as what later ones are measured against.
func (c Candidate) AsBaseline() Baseline {
	return Baseline{Candidate: c.ID, Number: c.Number, Name: c.Name, Model: c.Model, Digest: c.Subject.Digest}
}

// Maker is the person whose word cannot count for the candidate: who trained
// it, or who proposed it where the trainer is unknown.
func (c Candidate) Maker() ledger.PersonID {
	if c.TrainedBy != "" {
		return c.TrainedBy
	}
	return c.ProposedBy
}

// maxNote bounds notes, comments and reasons, in characters.
const maxNote = 10_000

// Validate reports what is wrong with a candidate before it is stored.
func (c Candidate) Validate() error {
	if c.Subject.Kind != SubjectModel && c.Subject.Kind != SubjectSnapshot {
		return fault.Field("subject", "A candidate is a model or a snapshot, not %.40q.", c.Subject.Kind)
	}
	if digest, err := ledger.ParseDigest(string(c.Subject.Digest)); err != nil || digest != c.Subject.Digest {
		return fault.Field("subject", "The %s has no digest, so a vote could not say what it is about. Register it with its files, or give the digest of its directory.", c.Subject.Kind)
	}
	if _, err := ParseEnvironment(string(c.Environment)); err != nil || c.Environment == "" {
		return fault.Field("environment", "Name the environment it shall ship to, for example production.")
	}
	if strings.TrimSpace(c.Name) == "" {
		return fault.Field("name", "A candidate needs the name of what it proposes.")
	}
	return validText("note", c.Note, false)
}

// validText checks a text that a person wrote.
func validText(field, text string, needed bool) error {
	switch {
	case needed && strings.TrimSpace(text) == "":
		return fault.Field(field, "Write a few words; this field cannot stay empty.")
	case utf8.RuneCountInString(text) > maxNote:
		return fault.Field(field, "Shorten the text to %d characters.", maxNote)
	case !utf8.ValidString(text):
		return fault.Field(field, "The text contains broken characters.")
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }):
		return fault.Field(field, "Leave out control characters.")
	}
	return nil
}

// signedText is validText for what is signed: it must look as it is, and so
// must the name that is printed with it.
func signedText(actor ledger.Actor, field, text string, needed bool) error {
	if err := validText(field, text, needed); err != nil {
		return err
	}
	if err := ledger.Plain(field, text); err != nil {
		return err
	}
	return ledger.Plain("name", actor.Name)
}

// Terms is what a candidate puts to the vote. The history commits to it when
// the candidate is opened, so that nothing of it can change behind the votes.
type Terms struct {
	Candidate   CandidateID     `json:"candidate"`
	Number      int             `json:"number"`
	Subject     Subject         `json:"subject"`
	Name        string          `json:"name"`
	Model       compare.ModelID `json:"model"`
	Environment Environment     `json:"environment"`
	Policy      ledger.Digest   `json:"policy"`
	Baseline    Baseline        `json:"baseline"`
	ProposedBy  ledger.PersonID `json:"proposedBy"`
	TrainedBy   ledger.PersonID `json:"trainedBy"`
}

// Terms returns what the candidate puts to the vote.
func (c Candidate) Terms() Terms {
	return Terms{Candidate: c.ID, Number: c.Number, Subject: c.Subject, Name: c.Name, Model: c.Model, Environment: c.Environment,
		Policy: c.Policy, Baseline: c.Baseline, ProposedBy: c.ProposedBy, TrainedBy: c.TrainedBy}
}

// Draft returns the draft candidate that a finished training leaves behind.
func Draft(id CandidateID, model compare.Model, environment Environment, now time.Time) Candidate {
	return Candidate{
		ID: id, Project: model.Project, Subject: Subject{Kind: SubjectModel, Digest: model.Digest},
		Name: model.Title(), Model: model.ID, Environment: environment, State: StateDraft,
		ProposedBy: model.CreatedBy, TrainedBy: model.TrainedBy, CreatedAt: now,
	}
}

// CandidateRef is how people name a candidate: its number, its id or the digest
// of its subject. Exactly one of the fields is set.
type CandidateRef struct {
	ID     CandidateID
	Number int
	Digest ledger.Digest
}

// ParseCandidateRef reads a reference to a candidate; "#12" and "12" are the same.
func ParseCandidateRef(text string) (CandidateRef, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "sha256:") {
		digest, err := ledger.ParseDigest(text)
		return CandidateRef{Digest: digest}, err
	}
	if number, err := strconv.Atoi(strings.TrimPrefix(text, "#")); err == nil && number > 0 {
		return CandidateRef{Number: number}, nil
	}
	if len(text) == 36 && strings.Count(text, "-") == 4 {
		return CandidateRef{ID: CandidateID(strings.ToLower(text))}, nil
	}
	return CandidateRef{}, fault.Field("candidate", "%.80q does not name a candidate; give its number, its id or the digest of its subject (sha256:…).", text)
}
