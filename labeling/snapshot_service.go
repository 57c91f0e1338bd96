package labeling

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// SnapshotTx keeps snapshots.
type SnapshotTx interface {
	// CreateSnapshot adds a snapshot and returns its number in the project.
	CreateSnapshot(Snapshot) (int, error)
	UpdateSnapshot(Snapshot) error
	Snapshot(SnapshotID) (Snapshot, error)
	SnapshotNumbered(project ProjectID, number int) (Snapshot, error)
	// SnapshotDigested returns the oldest ready snapshot with a digest.
	SnapshotDigested(project ProjectID, digest ledger.Digest) (Snapshot, error)
	// SnapshotNamed returns the newest snapshot with a name.
	SnapshotNamed(project ProjectID, name string) (Snapshot, error)
	// Snapshots lists the snapshots of a project, newest first.
	Snapshots(ProjectID) ([]Snapshot, error)
	// AcceptedItems returns items of a dataset with an accepted answer, in the
	// order of their keys, after a key. Only key, content, text, label, and reference
	// and digest of Media are set.
	AcceptedItems(dataset DatasetID, after string, limit int) ([]Item, error)
	// Contents returns the contents of the items of a dataset, trash included,
	// after a Seq, and the Seq of the last of them.
	Contents(dataset DatasetID, after int64, limit int) ([]ledger.Digest, int64, error)
	// Answerers counts the active answers in datasets by person.
	Answerers(datasets []DatasetID) ([]PersonCount, error)
}

// WorkSnapshot is the kind of work that makes a snapshot; its handler is
// BuildSnapshot.
const WorkSnapshot = "labeling.snapshot"

type snapshotWork struct{ Snapshot SnapshotID }

// CreateSnapshotRequest asks for a snapshot of datasets, by name or id. An item
// that stands in several of them, under one key, counts once; where its answers
// differ, that of the dataset named last counts.
type CreateSnapshotRequest struct {
	Name     string
	Datasets []string
}

// CreateSnapshot begins a snapshot, which is made by work behind the scenes. It
// returns Unmet, with the reason, for a mixture of training and evaluation.
func (s *Service) CreateSnapshot(ctx context.Context, actor ledger.Actor, project ProjectID, req CreateSnapshotRequest) (Snapshot, error) {
	if err := actor.Must(project, ledger.ActionSnapshot); err != nil {
		return Snapshot{}, err
	}
	name := strings.TrimSpace(req.Name)
	if err := checkSnapshotName(name); err != nil {
		return Snapshot{}, err
	}
	snap := Snapshot{ID: SnapshotID(s.NewID()), Project: project, Name: name, State: SnapshotBuilding, CreatedBy: actor.Person}
	err := s.Update(ctx, func(tx Tx) error {
		var datasets []Dataset
		snap.Datasets, snap.ProgressTotal = nil, 0
		for _, name := range req.Datasets {
			d, err := datasetBy(tx, project, name)
			if err != nil {
				return err
			}
			datasets = append(datasets, d)
			snap.Datasets = append(snap.Datasets, SnapshotDataset{ID: d.ID, Name: d.Name})
			snap.ProgressTotal += d.Accepted
		}
		var err error
		if snap.Purpose, err = checkSnapshotDatasets(datasets); err != nil {
			return err
		}
		if snap.ProgressTotal == 0 {
			return fault.New(fault.Unmet, "No item of %s has an accepted answer yet. Label some first.", req.Datasets[0])
		}
		snap.CreatedAt = tx.Now()
		if snap.Number, err = tx.CreateSnapshot(snap); err != nil {
			return fault.Wrap(err, "create snapshot")
		}
		return tx.Enqueue(work.Order{Kind: WorkSnapshot, Key: string(snap.ID), Payload: snapshotWork{snap.ID}})
	})
	return snap, err
}

// datasetBy finds a dataset of a project by name or id.
func datasetBy(tx Tx, project ProjectID, name string) (Dataset, error) {
	d, err := tx.DatasetNamed(project, name)
	if fault.Is(err, fault.NotFound) {
		d, err = tx.Dataset(DatasetID(name))
	}
	if err == nil && d.Project != project || fault.Is(err, fault.NotFound) {
		return Dataset{}, fault.New(fault.NotFound, "There is no dataset %q in this project.", name)
	}
	return d, fault.Wrap(err, "find dataset")
}

// Snapshots lists the snapshots of a project, newest first.
func (s *Service) Snapshots(ctx context.Context, actor ledger.Actor, project ProjectID) ([]Snapshot, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var found []Snapshot
	err := s.View(ctx, func(tx Tx) (err error) {
		if found, err = tx.Snapshots(project); err != nil {
			return fault.Wrap(err, "list snapshots")
		}
		sight, err := SightOf(tx, actor, project)
		for i := range found {
			found[i] = sight.Snapshot(found[i])
		}
		return err
	})
	return found, err
}

// Snapshot returns a snapshot of a project by its id, number, digest or name.
func (s *Service) Snapshot(ctx context.Context, actor ledger.Actor, project ProjectID, name string) (Snapshot, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Snapshot{}, err
	}
	var snap Snapshot
	err := s.View(ctx, func(tx Tx) (err error) {
		if snap, err = snapshotBy(tx, project, name); err != nil {
			return err
		}
		sight, err := SightOf(tx, actor, project)
		if snap = sight.Snapshot(snap); err == nil && snap.Withheld {
			if _, no := ledger.ParseDigest(name); no == nil {
				return noSnapshot(name)
			}
		}
		return err
	})
	return snap, err
}

func snapshotBy(tx Tx, project ProjectID, name string) (Snapshot, error) {
	snap, err := tx.Snapshot(SnapshotID(name))
	if err == nil && snap.Project != project {
		err = fault.New(fault.NotFound, "not in this project")
	}
	if number, notNumber := strconv.Atoi(strings.TrimPrefix(name, "#")); fault.Is(err, fault.NotFound) && notNumber == nil {
		snap, err = tx.SnapshotNumbered(project, number)
	}
	if digest, notDigest := ledger.ParseDigest(name); fault.Is(err, fault.NotFound) && notDigest == nil {
		snap, err = tx.SnapshotDigested(project, digest)
	}
	if fault.Is(err, fault.NotFound) {
		snap, err = tx.SnapshotNamed(project, name)
	}
	if fault.Is(err, fault.NotFound) {
		return Snapshot{}, noSnapshot(name)
	}
	return snap, fault.Wrap(err, "find snapshot")
}

func noSnapshot(name string) error {
	return fault.New(fault.NotFound, "There is no snapshot %q in this project.", name)
}

// OpenSnapshot returns the rows of a ready snapshot in the order of their keys.
// The sequence ends with its first error. It may be walked more than once. It
// returns Denied where the rows would tell the actor what they judge blind.
func (s *Service) OpenSnapshot(ctx context.Context, actor ledger.Actor, project ProjectID, name string) (Snapshot, iter.Seq2[SnapshotRow, error], error) {
	snap, err := s.Snapshot(ctx, actor, project, name)
	if err != nil {
		return Snapshot{}, nil, err
	}
	if err := snap.ready(); err != nil {
		return Snapshot{}, nil, err
	}
	sight, err := s.Sight(ctx, actor, project)
	if err != nil {
		return Snapshot{}, nil, err
	}
	if err := sight.Rows(snap); err != nil {
		return Snapshot{}, nil, err
	}
	if err := s.Viewed(ctx, actor, project, snap.Held()...); err != nil {
		return Snapshot{}, nil, err
	}
	return snap, s.rows(ctx, snap), nil
}

func (s Snapshot) ready() error {
	switch s.State {
	case SnapshotReady:
		return nil
	case SnapshotFailed:
		return fault.New(fault.Unmet, "%s could not be made: %s", s.Title(), s.Failure)
	case SnapshotBuilding:
	}
	return fault.New(fault.Unmet, "%s is still being made; try again in a moment.", s.Title())
}

// rows reads the file of rows of a snapshot.
func (s *Service) rows(ctx context.Context, snap Snapshot) iter.Seq2[SnapshotRow, error] {
	return func(yield func(SnapshotRow, error) bool) {
		file, err := s.Files.Open(ctx, snap.Rows)
		if err != nil {
			yield(SnapshotRow{}, fault.Wrap(err, "open the rows of a snapshot"))
			return
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(make([]byte, 64<<10), 8*MostText)
		for lines.Scan() {
			var row SnapshotRow
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				yield(SnapshotRow{}, fmt.Errorf("read the rows of %s: %w", snap.Title(), err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(SnapshotRow{}, fmt.Errorf("read the rows of %s: %w", snap.Title(), err))
		}
	}
}

// BuildSnapshot carries out WorkSnapshot: it freezes the accepted items in one
// consistent read, writes both files and names them.
func (s *Service) BuildSnapshot(ctx context.Context, payload json.RawMessage) error {
	var order snapshotWork
	if err := json.Unmarshal(payload, &order); err != nil {
		return fault.As(fault.Invalid, err, "work of kind %s", WorkSnapshot)
	}
	var snap Snapshot
	err := s.View(ctx, func(tx Tx) (err error) {
		snap, err = tx.Snapshot(order.Snapshot)
		return err
	})
	if err != nil {
		return fault.Wrap(err, "find snapshot")
	}
	if snap.State != SnapshotBuilding {
		return nil
	}
	err = s.freeze(ctx, &snap)
	switch kind := fault.KindOf(err); {
	case err == nil:
		snap.State = SnapshotReady
	case ctx.Err() == nil && (kind == fault.Unmet || kind == fault.Invalid || kind == fault.NotFound):
		snap.State, snap.Failure = SnapshotFailed, fault.Message(err)
	default:
		return err
	}
	return s.Update(ctx, func(tx Tx) error {
		was, err := tx.Snapshot(snap.ID)
		if err != nil || was.State != SnapshotBuilding {
			return fault.Wrap(err, "find snapshot")
		}
		if err := tx.UpdateSnapshot(snap); err != nil {
			return fault.Wrap(err, "finish snapshot")
		}
		kind := "snapshot.created"
		if snap.State == SnapshotFailed {
			kind = "snapshot.failed"
		}
		return tx.Record(ledger.Entry{Actor: ledger.Actor{Person: snap.CreatedBy, Via: ledger.ViaSystem}, Project: snap.Project, Kind: kind,
			Subject: ledger.Subject{Kind: "snapshot", ID: string(snap.ID)},
			Payload: map[string]any{"number": snap.Number, "name": snap.Name, "digest": snap.Digest, "items": snap.Items, "purpose": snap.Purpose, "failure": snap.Failure}})
	})
}

// freeze fills in what a snapshot knows once it is ready.
func (s *Service) freeze(ctx context.Context, snap *Snapshot) error {
	for _, d := range snap.Datasets { // rows come in the order of keys
		if err := s.mergeKeys(ctx, d.ID); err != nil {
			return err
		}
	}
	rowsIn, rowsOut := io.Pipe()
	tableIn, tableOut := io.Pipe()
	type stored struct {
		digest ledger.Digest
		size   int64
		err    error
	}
	keep := func(in *io.PipeReader) <-chan stored {
		done := make(chan stored, 1)
		go func() {
			digest, size, err := s.Files.Put(ctx, in)
			_ = in.CloseWithError(err) // whoever writes must not wait for nobody
			done <- stored{digest, size, err}
		}()
		return done
	}
	rows, table := keep(rowsIn), keep(tableIn)
	err := s.View(ctx, func(tx Tx) error { return s.freezeInto(ctx, tx, snap, rowsOut, tableOut) })
	_, _ = rowsOut.CloseWithError(err), tableOut.CloseWithError(err)
	rowsFile, tableFile := <-rows, <-table
	for _, e := range []error{err, rowsFile.err, tableFile.err} {
		if e != nil {
			return fault.Wrap(e, "write snapshot")
		}
	}
	snap.Rows, snap.RowsBytes = rowsFile.digest, rowsFile.size
	snap.Parquet, snap.ParquetBytes = tableFile.digest, tableFile.size
	return nil
}

const freezePage = 2000

func (s *Service) freezeInto(ctx context.Context, tx Tx, snap *Snapshot, rows, table io.Writer) error {
	project, err := tx.Project(snap.Project)
	if err != nil {
		return fault.Wrap(err, "find project")
	}
	schema := project.Schema
	snap.Schema = schema.Digest()
	if snap.SchemaJSON, err = Canonical(schema); err != nil {
		return err
	}
	held, err := heldOut(ctx, tx, *snap)
	if err != nil {
		return err
	}
	sources := make([]*source, len(snap.Datasets))
	for i, d := range snap.Datasets {
		snap.Datasets[i].Items = 0
		sources[i] = &source{tx: tx, dataset: d.ID}
	}
	out := &freezer{hash: NewSnapshotHash(snap.Schema), rows: bufio.NewWriterSize(rows, 256<<10), counts: map[string]int64{}}
	columns := []TableColumn{{Name: "key"}, {Name: "content"}, {Name: "text"}, {Name: "answer", Few: true}}
	if objects, err := hasMedia(tx, snap.Datasets); err != nil {
		return err
	} else if objects { // without any, the file is as it was before there were objects
		columns = append(columns, TableColumn{Name: "media"}, TableColumn{Name: "media_digest"})
	}
	out.cells = make([][]string, len(columns))
	out.table, err = s.Tables.Table(table, columns,
		"adjudge.schema", string(snap.Schema), "adjudge.kind", "snapshot.v1")
	if err != nil {
		return fault.Wrap(err, "begin parquet")
	}
	snap.Merged, snap.HeldOut = 0, 0
	for {
		best := -1
		for i, src := range sources {
			if err := src.fill(); err != nil {
				return fault.Wrap(err, "read items")
			}
			if !src.over() && (best < 0 || src.head().Key <= sources[best].head().Key) {
				best = i // of equal keys the dataset named last
			}
		}
		if best < 0 {
			break
		}
		item := sources[best].head()
		for i, src := range sources {
			if i == best || src.over() || src.head().Key != item.Key {
				continue
			}
			if src.head().Content != item.Content {
				return fault.New(fault.Unmet, "%s and %s both have an item with the key %q, but with different texts. Take a snapshot of each on its own.",
					snap.Datasets[i].Name, snap.Datasets[best].Name, item.Key)
			}
			src.next()
			snap.Merged++
		}
		sources[best].next()
		if held[short(item.Content)] {
			snap.HeldOut++
			continue
		}
		snap.Datasets[best].Items++
		row := SnapshotRow{Key: item.Key, Content: item.Content, Text: item.Text, Answer: schema.Name(item.Label)}
		if item.Media != nil {
			row.Media, row.MediaDigest = item.Media.URI, item.Media.Digest
		}
		if err := out.add(row); err != nil {
			return err
		}
		if out.hash.rows%20_000 == 0 {
			if err := s.tellProgress(ctx, snap.ID, out.hash.rows); err != nil {
				return err
			}
		}
	}
	if err := out.close(); err != nil {
		return err
	}
	if out.hash.rows == 0 {
		return fault.New(fault.Unmet, "No item is left: every one has the same content as an item of an evaluation dataset.")
	}
	snap.Digest, snap.Items, snap.Progress = out.hash.Sum(), out.hash.rows, out.hash.rows
	snap.Classes = nil
	for _, c := range schema.Classes {
		if n := out.counts[c.Name]; n > 0 || !c.Retired {
			snap.Classes = append(snap.Classes, ClassCount{Class: c.Name, Color: c.Color, Items: n})
		}
	}
	ids := make([]DatasetID, len(snap.Datasets))
	for i, d := range snap.Datasets {
		ids[i] = d.ID
	}
	snap.Answerers, err = tx.Answerers(ids)
	return fault.Wrap(err, "count who answered")
}

// hasMedia reports whether an item of some datasets refers to an object.
func hasMedia(tx Tx, datasets []SnapshotDataset) (bool, error) {
	for _, d := range datasets {
		items, err := tx.MediaItems(d.ID, "", 1, false)
		if err != nil || len(items) > 0 {
			return len(items) > 0, fault.Wrap(err, "look for objects")
		}
	}
	return false, nil
}

// tellProgress lets the page see how far a snapshot is.
func (s *Service) tellProgress(ctx context.Context, id SnapshotID, rows int64) error {
	return s.Update(ctx, func(tx Tx) error {
		snap, err := tx.Snapshot(id)
		if err != nil {
			return fault.Wrap(err, "find snapshot")
		}
		snap.Progress = rows
		return tx.UpdateSnapshot(snap)
	})
}

// source hands over the accepted items of a dataset in the order of keys.
type source struct {
	tx      Tx
	dataset DatasetID
	page    []Item
	at      int
	last    string
	begun   bool
	ended   bool
}

func (s *source) fill() error {
	if s.at < len(s.page) || s.ended {
		return nil
	}
	var err error
	s.page, err = s.tx.AcceptedItems(s.dataset, s.last, freezePage)
	s.at, s.begun = 0, true
	s.ended = len(s.page) == 0
	if !s.ended {
		s.last = s.page[len(s.page)-1].Key
	}
	return err
}

func (s *source) over() bool  { return s.at >= len(s.page) && s.ended }
func (s *source) head() *Item { return &s.page[s.at] }
func (s *source) next()       { s.at++ }

// freezer writes rows to both files and counts them.
type freezer struct {
	hash   *SnapshotHash
	rows   *bufio.Writer
	table  Table
	line   []byte
	cells  [][]string // by column
	counts map[string]int64
}

func (f *freezer) add(row SnapshotRow) error {
	if err := f.hash.Add(row); err != nil {
		return err
	}
	f.line = row.AppendJSON(f.line[:0])
	if _, err := f.rows.Write(f.line); err != nil {
		return fault.Wrap(err, "write rows")
	}
	f.counts[row.Answer]++
	for i, cell := range []string{row.Key, string(row.Content), row.Text, row.Answer, row.Media, string(row.MediaDigest)}[:len(f.cells)] {
		f.cells[i] = append(f.cells[i], cell)
	}
	if len(f.cells[0]) < freezePage {
		return nil
	}
	return f.flush()
}

func (f *freezer) flush() error {
	err := f.table.Append(f.cells...)
	for i := range f.cells {
		f.cells[i] = f.cells[i][:0]
	}
	return fault.Wrap(err, "write parquet")
}

func (f *freezer) close() error {
	if err := f.flush(); err != nil {
		return err
	}
	if err := f.table.Close(); err != nil {
		return fault.Wrap(err, "finish parquet")
	}
	return fault.Wrap(f.rows.Flush(), "write rows")
}

// heldOut returns the contents that a training snapshot leaves out: those of
// the project's evaluation items, under whatever key or dataset they came.
func heldOut(ctx context.Context, tx Tx, snap Snapshot) (map[[16]byte]bool, error) {
	held := map[[16]byte]bool{}
	if snap.Purpose == PurposeEvaluation {
		return held, nil
	}
	datasets, err := tx.Datasets(snap.Project)
	if err != nil {
		return nil, fault.Wrap(err, "list datasets")
	}
	for _, d := range datasets {
		if d.Purpose != PurposeEvaluation {
			continue
		}
		for after, more := int64(0), true; more; {
			var contents []ledger.Digest
			if contents, after, err = tx.Contents(d.ID, after, 10_000); err != nil {
				return nil, fault.Wrap(err, "read contents")
			}
			for _, c := range contents {
				held[short(c)] = true
			}
			if more = len(contents) > 0; ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	return held, nil
}

// short is enough of a digest to tell contents apart.
func short(d ledger.Digest) (s [16]byte) {
	copy(s[:], d.Hex()[:min(16, len(d.Hex()))])
	return s
}
