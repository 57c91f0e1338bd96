package training

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// Tx is what training needs of a transaction. Job, run, model and draft
// candidate commit together.
type Tx interface {
	compare.Tx
	Jobs
	Attempts
	Subjects
	Results

	// Now is the time of record of this transaction.
	Now() time.Time
}

// Jobs keeps jobs.
type Jobs interface {
	CreateJob(Job) error
	// GetJob returns NotFound for an id that does not exist.
	GetJob(JobID) (Job, error)
	// UpdateJob replaces all that can change of a job.
	UpdateJob(Job) error
	// FindJobs lists jobs, newest first.
	FindJobs(JobFilter) ([]Job, error)
	// NextJob returns the oldest queued job of an engine that is due, or NotFound.
	NextJob(engine string, now time.Time) (Job, error)
}

// JobFilter selects jobs.
type JobFilter struct {
	Project  ledger.ProjectID // any if empty
	Run      compare.RunID    // any if empty
	SpecHash ledger.Digest    // any if empty
	Key      string           // any if empty
	States   []State          // any if empty
	Limit    int              // 50 if zero
}

// Attempts keeps attempts, what they printed and what they left.
type Attempts interface {
	// CreateAttempt stores an attempt and returns it with its fence, which is
	// larger than every fence before.
	CreateAttempt(Attempt) (Attempt, error)
	// GetAttempt returns NotFound for a fence that was never given.
	GetAttempt(fence int64) (Attempt, error)
	// GetAttemptByToken returns NotFound for a token that was never given.
	GetAttemptByToken(ledger.Digest) (Attempt, error)
	// UpdateAttempt replaces all that can change of an attempt.
	UpdateAttempt(Attempt) error
	// FindAttempts lists the attempts of a job, first to last.
	FindAttempts(JobID) ([]Attempt, error)
	// FindActiveAttempts lists the attempts of an engine that are not over.
	FindActiveAttempts(engine string) ([]Attempt, error)
	// AppendLog stores the bytes of the log that begin at an offset.
	AppendLog(fence, offset int64, body []byte) error
	// ReadLog returns the bytes of the log from an offset on, at most limit.
	ReadLog(fence, offset int64, limit int) ([]byte, error)
	// SaveOutput notes a file that was brought in; the same path again replaces it.
	SaveOutput(fence int64, file OutputFile) error
	// FindOutputs lists the files that were brought in, by path.
	FindOutputs(fence int64) ([]OutputFile, error)
}

// Results is what a finished job leaves in desk three.
type Results interface {
	CreateCandidate(review.Candidate) (review.Candidate, error)
	FindCandidates(review.CandidateFilter) ([]review.Candidate, error)
}

// Subjects is what training reads of desk one.
type Subjects interface {
	Datasets(ledger.ProjectID) ([]labeling.Dataset, error)
	Snapshot(labeling.SnapshotID) (labeling.Snapshot, error)
	// DatasetTexts lists items of a dataset by Seq, after one; with unlabeled
	// only those that wait for an answer. Trashed items are left out.
	DatasetTexts(dataset labeling.DatasetID, unlabeled bool, after int64, limit int) ([]Text, error)
}

// Text is an item as a trainer sees it.
type Text struct {
	Seq     int64         `json:"-"`
	Key     string        `json:"key"`
	Content ledger.Digest `json:"content"`
	Text    string        `json:"text"`
}
