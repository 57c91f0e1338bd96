package review

import (
	"context"
	"io"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Files opens content by its digest.
type Files interface {
	Open(context.Context, ledger.Digest) (io.ReadSeekCloser, error)
}

// Passwords asks a person to prove once more who they are.
type Passwords interface {
	// Prove returns how they did, an Assurance, or Unauthenticated for a wrong
	// password, which a provider's confirmation may stand in for; address is
	// where the request came from, for the rate limit.
	Prove(ctx context.Context, actor ledger.Actor, password, address string) (assurance string, err error)
}

// Config is what the service is made of.
type Config struct {
	Update    func(context.Context, func(Tx) error) error
	View      func(context.Context, func(Tx) error) error
	Now       func() time.Time
	NewID     func() string
	Files     Files
	Signer    Signer
	Passwords Passwords
	Comparer  Comparer
	// Walked walks the history on by its hashes and returns those of its first length
	// events about the kinds of things that Rests lists, oldest first.
	// It returns Conflict where the history does not verify, or is not the one that
	// this process has seen.
	Walked func(context.Context) (events []ledger.Event, length int64, err error)
	// Proved holds every row that an answer of the gate rests on against the history,
	// as a View sees both, and returns a sentence for each that does not agree. It
	// returns Unavailable where the history went on meanwhile, and Conflict where it
	// does not verify.
	Proved func(Tx) ([]string, error)
	// Covers reports whether a signed checkpoint stands at an event or behind it. It
	// returns Conflict where the history does not hold a checkpoint that was made.
	Covers func(ctx context.Context, seq int64) (bool, error)
	// Walk checks the whole history and returns how many events it holds.
	Walk func(context.Context) (int64, error)
}

// Service decides about candidates.
type Service struct {
	Config
	chain chain
}

// New returns the service of this desk.
func New(c Config) *Service { return &Service{Config: c} }

// now is the time of record, as precise as it is kept.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// about names a candidate in the history.
func about(c Candidate) ledger.Subject { return ledger.Subject{Kind: "candidate", ID: string(c.ID)} }

// The events of this desk.
const (
	eventCreated   = "candidate.created"
	eventOpened    = "candidate.opened"
	eventRebased   = "candidate.rebased"
	eventMeasured  = "candidate.measured"
	eventCommented = "candidate.commented"
	eventAsked     = "candidate.asked"
	eventRecused   = "candidate.recused"
	eventApproved  = "candidate.approved"
	eventRejected  = "candidate.rejected"
	eventReopened  = "candidate.reopened"
	eventRevoked   = "approval.withdrawn"
	eventVoted     = "vote.cast"
	eventUnvoted   = "vote.withdrawn"
	eventSigned    = "attestation.signed"
	eventPolicy    = "policy.saved"
	eventTaken     = "evidence.exported"

	eventHistoryTaken = "history.exported"
)

// policyOf returns the policy that a candidate is judged by: the one it was
// opened under, for a draft the current one.
func policyOf(tx Tx, c Candidate) (Policy, error) {
	fallback := DefaultPolicy(c.Project)
	if c.Policy == "" {
		return currentPolicy(tx, c.Project)
	}
	if c.Policy == fallback.Digest {
		return fallback, nil
	}
	return tx.GetPolicy(c.Project, c.Policy)
}

func currentPolicy(tx Tx, project ledger.ProjectID) (Policy, error) {
	policy, err := tx.CurrentPolicy(project)
	if fault.Is(err, fault.NotFound) {
		return DefaultPolicy(project), nil
	}
	return policy, err
}

// lastApproved returns what a candidate is measured against: what was approved
// last for its environment, and of that what is approved now where there is such.
// What was withdrawn or opened again since is still the last that people approved;
// without it a measured loss would vanish with one vote that is taken back. The
// candidate's own subject is left out, for nothing loses against itself.
func lastApproved(tx Tx, c Candidate) (Baseline, error) {
	approved, err := tx.FindApproved(c.Project, c.Environment)
	if err != nil {
		return Baseline{}, err
	}
	var last Candidate
	for _, a := range approved {
		switch {
		case a.Subject == c.Subject || a.Subject.Kind != c.Subject.Kind:
		case a.State == StateApproved:
			return a.AsBaseline(), nil
		case last.ID == "":
			last = a
		}
	}
	if last.ID == "" {
		return Baseline{}, nil
	}
	return last.AsBaseline(), nil
}
