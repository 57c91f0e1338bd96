package labeling

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// Tx is a transaction as this desk needs it. Every noun has an interface of its
// own; a method that finds nothing returns NotFound, one that meets its like
// Conflict.
type Tx interface {
	ledger.Recorder
	work.Enqueuer
	ProjectTx
	DatasetTx
	ItemTx
	AnnotationTx
	TaskTx
	DraftTx
	QueueTx
	KeysTx
	ImportTx
	SnapshotTx
	IndexTx
	KeyTx
	ListTx
	BulkTx
	ViewTx
	ShownTx
	MediaTx

	// Now is the time of record of this transaction.
	Now() time.Time
}

// ProjectTx keeps projects.
type ProjectTx interface {
	CreateProject(Project) error
	// UpdateProject writes everything but LockAfter and the creation time.
	UpdateProject(Project) error
	// SetProjectLock writes LockAfter; 0 demands nothing.
	SetProjectLock(id ProjectID, minutes int) error
	Project(ProjectID) (Project, error)
	ProjectBySlug(slug string) (Project, error)
	// Projects lists all projects by name.
	Projects() ([]Project, error)
	// ClassUses counts the annotations that answer with each class, of whatever
	// state: what was once said must not lose its class.
	ClassUses(ProjectID) (map[ClassID]int64, error)
}

// DatasetTx keeps datasets.
type DatasetTx interface {
	CreateDataset(Dataset) error
	Dataset(DatasetID) (Dataset, error)
	DatasetNamed(project ProjectID, name string) (Dataset, error)
	// Datasets lists the datasets of a project by name, with their counts.
	Datasets(ProjectID) ([]Dataset, error)
	// Counts returns how many items of a project have each dataset, status and label.
	Counts(ProjectID) ([]Count, error)
}

// ItemTx keeps items and, in the same breath, the counts over them.
type ItemTx interface {
	// CreateItem adds an item and returns its Seq. It returns Conflict where the
	// dataset has the key already.
	CreateItem(Item) (int64, error)
	// UpdateItem writes status, label, answers and the model's answer of an item.
	UpdateItem(Item) error
	Item(ItemID) (Item, error)
	ItemKeyed(dataset DatasetID, key string) (Item, error)
	// ItemsLabeled returns items of a project with an accepted answer, after a
	// Seq, in the order of Seq.
	ItemsLabeled(project ProjectID, label ClassID, after int64, limit int) ([]Item, error)
}
