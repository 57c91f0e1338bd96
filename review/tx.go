package review

import (
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// Tx is what this desk needs of a transaction.
type Tx interface {
	ledger.Recorder
	Chain
	work.Enqueuer
	Candidates
	Measurements
	Votes
	Looks
	SignOffs
	Policies
	Models
	compare.Makers
	Snapshots
	Voters
	labeling.SightTx
}

// Chain reads the history.
type Chain interface {
	ledger.History
	// RecordsAbout returns all records about a subject, oldest first.
	RecordsAbout(ledger.Subject) ([]ledger.Record, error)
	// EventKinds lists the kinds of the latest events of a project, of all where it is empty.
	EventKinds(ledger.ProjectID) ([]string, error)
	// EventActors lists who made the latest events of a project, of all where it is empty.
	EventActors(ledger.ProjectID) ([]ledger.PersonID, error)
	// SubjectNames says what the subjects of events are called today. What is gone
	// for good or has no name is left out.
	SubjectNames([]ledger.Subject) (map[ledger.Subject]string, error)
	// Whole reports whether the history counts from 1 to its last event without
	// a gap.
	Whole() (bool, error)
}

// Candidates keeps candidates.
type Candidates interface {
	// CreateCandidate stores a candidate under its id and gives it the next
	// number of its project.
	CreateCandidate(Candidate) (Candidate, error)
	// UpdateCandidate replaces note, state, policy, baseline, proposer and times.
	UpdateCandidate(Candidate) error
	// GetCandidate returns NotFound for what the project does not have. Of
	// several candidates for one digest it returns the newest.
	GetCandidate(ledger.ProjectID, CandidateRef) (Candidate, error)
	// FindCandidates lists candidates, newest first.
	FindCandidates(CandidateFilter) ([]Candidate, error)
	// FindApproved lists the candidates that were ever approved for an environment,
	// whatever became of them since, the one with the newest approval first.
	FindApproved(ledger.ProjectID, Environment) ([]Candidate, error)
}

// CandidateFilter selects candidates.
type CandidateFilter struct {
	Project     ledger.ProjectID // of every project if empty
	ID          CandidateID      // any if empty
	Number      int              // any if 0
	Digest      ledger.Digest    // any if empty
	Environment Environment      // any if empty
	State       State            // any if empty
	Before      int              // only numbers below this; 0 for no limit
	Limit       int              // 50 if zero
}

// Votes keeps votes and comments.
type Votes interface {
	CreateVote(Vote) error
	// FindVotes lists all votes on a candidate in the order in which they were cast.
	FindVotes(CandidateID) ([]Vote, error)
	CreateComment(Comment) error
	// FindComments lists the comments on a candidate, oldest first.
	FindComments(CandidateID) ([]Comment, error)
}

// SignOffs keeps sign-offs, revocations and attestations.
type SignOffs interface {
	CreateSignOff(SignOff) error
	// FindSignOffs lists the sign-offs of a candidate, oldest first.
	FindSignOffs(CandidateID) ([]SignOff, error)
	CreateRevocation(Revocation) error
	// FindRevocations lists the revocations of a candidate, oldest first.
	FindRevocations(CandidateID) ([]Revocation, error)
	// CreateAttestation returns Conflict where the reference has one already.
	CreateAttestation(Attestation) error
	// FindAttestations lists the attestations of a candidate, oldest first.
	FindAttestations(CandidateID) ([]Attestation, error)
}

// Policies keeps the policies of a project; a newer one supersedes the older.
type Policies interface {
	// CreatePolicy stores a policy and gives it the next version of its project.
	CreatePolicy(Policy) (Policy, error)
	// CurrentPolicy returns NotFound where the project never set one.
	CurrentPolicy(ledger.ProjectID) (Policy, error)
	// GetPolicy returns NotFound for a digest that the project never had.
	GetPolicy(ledger.ProjectID, ledger.Digest) (Policy, error)
}

// Models is the little that this desk reads of desk two.
type Models interface {
	GetModel(ledger.ProjectID, compare.ModelID) (compare.Model, error)
	FindModels(compare.ModelFilter) ([]compare.Model, error)
	FindComparisons(compare.ComparisonFilter) ([]compare.ComparisonRecord, error)
	// FindComparisonsOf lists all comparisons of models of a project by their
	// digests, newest first.
	FindComparisonsOf(project ledger.ProjectID, baseline, candidate ledger.Digest) ([]compare.ComparisonRecord, error)
	compare.Answered
	GetRun(ledger.ProjectID, compare.RunID) (compare.Run, error)
}

// Snapshots is the little that this desk reads of desk one.
type Snapshots interface {
	// Snapshot returns NotFound for an id that there is not.
	Snapshot(labeling.SnapshotID) (labeling.Snapshot, error)
	// Snapshots lists the snapshots of a project, the newest first.
	Snapshots(labeling.ProjectID) ([]labeling.Snapshot, error)
	// SnapshotDigested returns NotFound for a digest that the project does not have.
	SnapshotDigested(labeling.ProjectID, ledger.Digest) (labeling.Snapshot, error)
}

// Voters says who could vote.
type Voters interface {
	// FindVoters lists the reviewers and approvers of a project by name.
	FindVoters(ledger.ProjectID) ([]Voter, error)
	// FindKeepers lists the admins of the installation and the leads of a project
	// who can come: who have a password, a provider or this machine.
	FindKeepers(ledger.ProjectID) ([]ledger.PersonID, error)
	// Who says what a person is in a project at this moment; NotFound where there
	// is no such person.
	Who(ledger.ProjectID, ledger.PersonID) (Who, error)
}

// Who is what a person is in a project at this moment.
type Who struct {
	Name     string
	Disabled bool
	Admin    bool
	Holds    []Hold
}

// Hold is one way in which a person holds a role: by themselves, or by a group.
type Hold struct {
	Role  ledger.Role
	Group string // id; empty for by themselves
}

// Voter is a person who may vote in a role.
type Voter struct {
	Person ledger.PersonID
	Name   string
	Role   ledger.Role
}
