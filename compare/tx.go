package compare

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// Tx is what this desk needs of a transaction.
type Tx interface {
	labeling.Tx // whose snapshots and items are compared
	Runs
	Models
	Makers
	Predictions
	Comparisons
	Texts
}

// Runs keeps runs and the points of their metrics.
type Runs interface {
	// CreateRun stores a run under its id and gives it the next number of its project.
	CreateRun(Run) (Run, error)
	// GetRun returns NotFound for an id that the project does not have.
	GetRun(ledger.ProjectID, RunID) (Run, error)
	// GetRunByNumber returns NotFound for a number that the project does not have.
	GetRunByNumber(ledger.ProjectID, int) (Run, error)
	// FindRuns lists runs, newest first.
	FindRuns(RunFilter) ([]Run, error)
	// UpdateRun replaces name, state, reason, primary metric and times of a run.
	UpdateRun(Run) error
	// AddPoints stores points of a run; a point of the same name, split and step replaces the older.
	AddPoints(RunID, []Point) error
	// FindPoints lists points of a run in the order of name, split and step.
	FindPoints(RunID) ([]Point, error)
}

// RunFilter selects runs of one project.
type RunFilter struct {
	Project ledger.ProjectID
	Kind    RunKind // any if empty
	Before  int     // only numbers below this; 0 for no limit
	Limit   int     // 50 if zero
}

// Models keeps model versions.
type Models interface {
	// CreateModel stores a model under its id and gives it the next version of its name.
	CreateModel(Model) (Model, error)
	// GetModel returns NotFound for an id that the project does not have.
	GetModel(ledger.ProjectID, ModelID) (Model, error)
	// FindModels lists models, newest first.
	FindModels(ModelFilter) ([]Model, error)
}

// ModelFilter selects models of one project.
type ModelFilter struct {
	Project ledger.ProjectID
	Name    string        // any if empty
	Version int           // any if 0
	Digest  ledger.Digest // any if empty
	Run     RunID         // any if empty
	Before  ModelID       // only models made before this one; none if empty
	Limit   int           // 50 if zero
}

// Predictions keeps prediction sets; their rows are blobs.
type Predictions interface {
	// CreatePredictionSet stores a set under its id and gives it the next version
	// of its model on the same snapshot or dataset.
	CreatePredictionSet(PredictionSet) (PredictionSet, error)
	// UpdatePredictionSet replaces state, digests, rows and report of a set.
	UpdatePredictionSet(PredictionSet) error
	// GetPredictionSet returns NotFound for an id that the project does not have.
	GetPredictionSet(ledger.ProjectID, PredictionSetID) (PredictionSet, error)
	// WithdrawPredictionSet notes who withdrew a set, when and why.
	WithdrawPredictionSet(ledger.ProjectID, PredictionSetID, Withdrawal) error
	Answered
	// SaveAnswerGap notes that some sets together do not answer every item of a
	// snapshot; the same again changes nothing.
	SaveAnswerGap(snapshot labeling.SnapshotID, sets ledger.Digest) error
	// SuggestAnswers copies answers of a model to the items of a dataset as their
	// newest suggestion and returns how many items took one. Keys that the dataset
	// does not have are passed over.
	SuggestAnswers(labeling.DatasetID, ModelID, []Suggestion) (int, error)
}

// Suggestion is a model's answer on its way to an item.
type Suggestion struct {
	Key         string
	Class       labeling.ClassID
	Score       float64 // NoScore if unknown
	Uncertainty float64 // NoScore if unknown
}

// Comparisons keeps what was compared; the documents are blobs.
type Comparisons interface {
	// SaveEvaluation stores an evaluation; the same one again changes nothing.
	SaveEvaluation(EvaluationRecord) error
	// FindEvaluations lists the evaluations of a model, newest first; of every
	// model of the project if it is empty.
	FindEvaluations(ledger.ProjectID, ModelID) ([]EvaluationRecord, error)
	// SaveComparison stores a comparison; the same one again changes nothing.
	SaveComparison(ComparisonRecord) error
	// FindComparisons lists comparisons, newest first.
	FindComparisons(ComparisonFilter) ([]ComparisonRecord, error)
}

// EvaluationRecord is the row that stands for an evaluation document.
type EvaluationRecord struct {
	Digest    ledger.Digest // of the document
	Inputs    ledger.Digest // of everything the document was computed from
	Project   ledger.ProjectID
	Model     ModelID
	Snapshot  labeling.SnapshotID
	Items     int
	Accuracy  Estimate
	MacroF1   Estimate
	CreatedAt time.Time
}

// ComparisonRecord is the row that stands for a comparison document.
type ComparisonRecord struct {
	Digest     ledger.Digest // of the document
	Inputs     ledger.Digest // of everything the document was computed from
	Project    ledger.ProjectID
	Baseline   ModelID
	Candidate  ModelID
	Snapshot   labeling.SnapshotID
	Items      int
	Verdict    Verdict
	Difference Estimate // of accuracy, candidate minus baseline
	P          Number   // McNemar's exact, two-sided
	CreatedBy  ledger.PersonID
	CreatedAt  time.Time
}

// ComparisonFilter selects comparisons of one project.
type ComparisonFilter struct {
	Project   ledger.ProjectID
	Baseline  ModelID             // any if empty
	Candidate ModelID             // any if empty
	Snapshot  labeling.SnapshotID // any if empty
	Digest    ledger.Digest       // any if empty
	Limit     int                 // 50 if zero
}

// Texts reads what the items of a comparison say.
type Texts interface {
	// ItemTexts returns items by key with the beginnings of their texts, of whichever
	// of the datasets has it; keys without an item are missing.
	ItemTexts([]labeling.DatasetID, []string) (map[string]ItemText, error)
}

// ItemText is an item as the comparison shows it.
type ItemText struct {
	ID   labeling.ItemID
	Text string
	Cut  bool // Text is only the beginning, see ledger.Excerpt
}
