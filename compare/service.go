package compare

import (
	"context"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// Config is what the service is made of.
type Config struct {
	Update  func(context.Context, func(Tx) error) error // one durable transaction
	View    func(context.Context, func(Tx) error) error // one consistent read
	NewID   func() string                               // UUIDv7
	Now     func() time.Time
	Files   Files           // uploads, prediction sets and documents
	Columns Columns         // how prediction sets are written
	Parser  labeling.Parser // reads uploads in a process of their own
	// Viewed notes who is about to see items of datasets; nil notes nobody.
	Viewed func(context.Context, ledger.Actor, ledger.ProjectID, ...labeling.DatasetID) error
}

// Files keeps bytes under their digest.
type Files interface {
	Put(context.Context, io.Reader) (ledger.Digest, int64, error)
	Open(context.Context, ledger.Digest) (io.ReadSeekCloser, error)
}

// Columns writes prediction sets as files of our own and reads such files back.
type Columns interface {
	// ReadAnswers reads two columns of text, of a prediction set or of a snapshot.
	ReadAnswers(r io.ReadSeeker, key, class string) iter.Seq2[Answers, error]
	WritePredictions(io.Writer, iter.Seq2[Prediction, error]) error
	ReadPredictions(io.ReadSeeker) iter.Seq2[Prediction, error]
}

// Service is what people and programs can do at this desk. Every method checks
// first what the actor may do.
type Service struct {
	Config
	sheets sheetCache
}

// New returns a service.
func New(config Config) *Service { return &Service{Config: config} }

// snapshotOf returns a snapshot of the project that can be compared on.
func snapshotOf(tx labeling.Tx, project ledger.ProjectID, id labeling.SnapshotID) (labeling.Snapshot, error) {
	snapshot, err := tx.Snapshot(id)
	if fault.Is(err, fault.NotFound) || err == nil && snapshot.Project != project {
		return labeling.Snapshot{}, fault.New(fault.NotFound, "There is no such snapshot in this project.")
	}
	if err != nil {
		return labeling.Snapshot{}, fault.Wrap(err, "find snapshot")
	}
	if snapshot.State != labeling.SnapshotReady {
		return labeling.Snapshot{}, fault.New(fault.Unmet, "%s is not ready yet. Wait until it is, then try again.", snapshot.Title())
	}
	return snapshot, nil
}

// modelOf returns the model that a reference names.
func modelOf(tx Models, project ledger.ProjectID, ref ModelRef) (Model, error) {
	if ref.ID != "" {
		m, err := tx.GetModel(project, ref.ID)
		if fault.Is(err, fault.NotFound) {
			return Model{}, fault.New(fault.NotFound, "There is no model with the id %s in this project.", ref.ID)
		}
		return m, fault.Wrap(err, "find model")
	}
	found, err := tx.FindModels(ModelFilter{Project: project, Name: ref.Name, Version: ref.Version, Digest: ref.Digest, Limit: 1})
	if err != nil {
		return Model{}, fault.Wrap(err, "find model")
	}
	if len(found) == 0 {
		return Model{}, fault.New(fault.NotFound, "There is no model %s in this project.", ref)
	}
	return found[0], nil
}

// readAll reads a file that is kept under a digest.
func (s *Service) readAll(ctx context.Context, digest ledger.Digest) ([]byte, error) {
	file, err := s.Files.Open(ctx, digest)
	if err != nil {
		return nil, fault.Wrap(err, "open "+string(digest))
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(file)
	return content, fault.Wrap(err, "read "+string(digest))
}

// sheetCache keeps the sheets that were looked at last, so that walking through
// the items of a comparison does not read its files again each time.
type sheetCache struct {
	mu    sync.Mutex
	order []ledger.Digest // newest last
	kept  map[ledger.Digest]*Sheet
}

// A cache holds few sheets, and fewer when they are long.
const (
	maxSheets     = 8
	maxSheetItems = 4_000_000
)

func (c *sheetCache) get(inputs ledger.Digest) (*Sheet, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sheet, found := c.kept[inputs]
	return sheet, found
}

func (c *sheetCache) put(inputs ledger.Digest, sheet *Sheet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[ledger.Digest]*Sheet{}
	}
	if _, found := c.kept[inputs]; !found {
		c.order = append(c.order, inputs)
	}
	c.kept[inputs] = sheet
	items := 0
	for _, kept := range c.kept {
		items += kept.Items()
	}
	for len(c.order) > 1 && (len(c.order) > maxSheets || items > maxSheetItems) {
		items -= c.kept[c.order[0]].Items()
		delete(c.kept, c.order[0])
		c.order = c.order[1:]
	}
}
