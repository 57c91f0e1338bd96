package compare

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/labeling"
)

// The kinds of follow-up work of this desk.
const (
	WorkRead     = "compare.read"     // read an uploaded file of predictions; its handler is ReadUpload
	WorkSuggest  = "compare.suggest"  // copy answers to items; its handler is CopySuggestions
	WorkEvaluate = "compare.evaluate" // measure a model where it has answered everything; its handler is EvaluateSet
)

// setPayload names the prediction set of a piece of work.
type setPayload struct {
	Project ledger.ProjectID
	Set     PredictionSetID
}

// maxPredictions is how many rows one upload may have; they are held in memory
// while they are joined with their items.
const maxPredictions = 20_000_000

// UploadRequest brings predictions from elsewhere.
type UploadRequest struct {
	Project  ledger.ProjectID
	Model    string              // a model, or the name of a new one
	Digest   ledger.Digest       // of the directory of a new model, if known
	Snapshot labeling.SnapshotID // whose items were predicted
	File     string              // name, for messages and to guess the format
	Format   labeling.Format     // guessed if empty
	Body     io.Reader
}

// UploadPredictions keeps the bytes, makes the model if its name is new, and
// has the file read behind the caller's back; the set tells how it went. A
// digest that differs from that of the newest version of the name makes a new
// version.
func (s *Service) UploadPredictions(ctx context.Context, actor ledger.Actor, req UploadRequest) (PredictionSet, error) {
	if err := actor.Must(req.Project, ledger.ActionPredict); err != nil {
		return PredictionSet{}, err
	}
	ref, err := ParseModelRef(req.Model)
	if err != nil {
		return PredictionSet{}, err
	}
	if req.Digest != "" {
		if req.Digest, err = ledger.ParseDigest(string(req.Digest)); err != nil {
			return PredictionSet{}, err
		}
	}
	if ref.Name != "" {
		if err := validModelName(ref.Name); err != nil {
			return PredictionSet{}, err
		}
	}
	if req.Snapshot == "" {
		return PredictionSet{}, fault.Field("snapshot", "Say on which snapshot the model answered.")
	}
	body := bufio.NewReaderSize(req.Body, 4096)
	head, err := body.Peek(512)
	if len(head) == 0 {
		if err == nil || errors.Is(err, io.EOF) {
			return PredictionSet{}, fault.Field("file", "The file %s is empty.", req.File)
		}
		return PredictionSet{}, fault.Wrap(err, "read upload")
	}
	if req.Format == "" {
		req.Format = labeling.GuessFormat(req.File, head)
	}
	if req.Format == labeling.FormatText {
		return PredictionSet{}, fault.Field("format", "Predictions come as CSV, TSV, JSONL or Parquet; %s looks like plain text.", req.File)
	}
	source, _, err := s.Files.Put(ctx, body)
	if err != nil {
		return PredictionSet{}, fault.Wrap(err, "keep upload")
	}
	set := PredictionSet{
		ID: PredictionSetID(s.NewID()), Project: req.Project, Snapshot: req.Snapshot, State: PredictionsWaiting,
		Origin: OriginUploaded, CreatedBy: actor.Person, Report: PredictionReport{File: req.File, Format: string(req.Format), Source: source},
	}
	fresh := ModelID(s.NewID())
	err = s.Update(ctx, func(tx Tx) error {
		snapshot, err := snapshotOf(tx, req.Project, req.Snapshot)
		if err != nil {
			return err
		}
		model, err := s.modelFor(tx, actor, req, ref, fresh)
		if err != nil {
			return err
		}
		if err := room(tx, model, snapshot); err != nil {
			return err
		}
		set.Model, set.CreatedAt = model.ID, tx.Now()
		if set, err = tx.CreatePredictionSet(set); err != nil {
			return fault.Wrap(err, "create prediction set")
		}
		if err := tx.Enqueue(work.Order{Kind: WorkRead, Key: string(set.ID), Payload: setPayload{req.Project, set.ID}}); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: req.Project, Kind: "predictions.uploaded",
			Subject: ledger.Subject{Kind: "model", ID: string(model.ID)},
			Payload: map[string]any{"set": set.ID, "version": set.Version, "model_digest": model.Digest, "snapshot": set.Snapshot, "file": req.File, "source": source}})
	})
	return set, err
}

// room refuses one more upload where as many stand as can be compared with each
// other. What is there stays: nothing replaces it. The same answers again take no
// room, so that nobody keeps others out by copies.
func room(tx Tx, model Model, snapshot labeling.Snapshot) error {
	sets, err := setsOf(tx, model)
	if err != nil {
		return err
	}
	n := 0
	known := map[ledger.Digest]bool{} // of files that came, and of what was read of them
	for _, set := range sets {
		if set.Snapshot != snapshot.ID || set.Origin != OriginUploaded || set.State == PredictionsFailed || !set.Withdrawn.None() {
			continue
		}
		if !known[set.Report.Source] && !known[set.Digest] {
			n++
		}
		known[set.Report.Source], known[set.Digest] = true, true
		delete(known, "")
	}
	if n >= maxStanding {
		return fault.New(fault.Conflict, "%d uploaded sets of answers of %s stand on %s, and none replaces another. A lead who is no maker of the model can withdraw one that is wrong.", n, model.Title(), snapshot.Title())
	}
	return nil
}

// modelFor returns the model that predictions belong to, a new one where the
// name is new or the digest is.
func (s *Service) modelFor(tx Tx, actor ledger.Actor, req UploadRequest, ref ModelRef, fresh ModelID) (Model, error) {
	model, err := modelOf(tx, req.Project, ref)
	plain := ref.Name != "" && ref.Version == 0
	switch {
	case err == nil && (req.Digest == "" || req.Digest == model.Digest):
		return model, nil
	case err == nil && !plain:
		return Model{}, fault.Field("digest", "%s has the digest %s; predictions of other bytes belong to another version. Give only the name to make one.", model.Title(), model.Digest)
	case err != nil && (!fault.Is(err, fault.NotFound) || !plain):
		return Model{}, err
	}
	return Register(tx, actor, Model{ID: fresh, Project: req.Project, Name: ref.Name, Digest: req.Digest, CreatedBy: actor.Person})
}

// AddRequest brings predictions of our own making.
type AddRequest struct {
	Project  ledger.ProjectID
	Model    ModelID
	Job      string              // that computed them; taken from the server alone
	Attempt  int64               // of the job
	Snapshot labeling.SnapshotID // exactly one of Snapshot and Dataset
	Dataset  labeling.DatasetID
	Rows     iter.Seq2[Prediction, error]
}

// AddPredictions keeps the answers of a model and has them copied to the items,
// unless those are for evaluation. The same rows again change nothing and
// return the set that holds them.
func (s *Service) AddPredictions(ctx context.Context, actor ledger.Actor, req AddRequest) (PredictionSet, error) {
	if err := actor.Must(req.Project, ledger.ActionPredict); err != nil {
		return PredictionSet{}, err
	}
	if (req.Snapshot == "") == (req.Dataset == "") {
		return PredictionSet{}, fault.Field("snapshot", "Predictions belong to a snapshot or to a dataset, one of them.")
	}
	keys := []string{}
	set := PredictionSet{
		ID: PredictionSetID(s.NewID()), Project: req.Project, Model: req.Model, Snapshot: req.Snapshot, Dataset: req.Dataset,
		State: PredictionsReady, Origin: OriginUploaded, CreatedBy: actor.Person,
	}
	if actor.Via == ledger.ViaSystem && req.Job != "" {
		set.Origin, set.Job, set.Attempt = OriginComputed, req.Job, req.Attempt
	}
	digest, err := s.keep(ctx, func(yield func(Prediction, error) bool) {
		for p, err := range req.Rows {
			if err == nil {
				err = p.Validate()
			}
			keys = append(keys, p.Key)
			if !yield(p, err) || err != nil {
				return
			}
		}
	})
	if err != nil {
		return PredictionSet{}, err
	}
	set.Digest, set.Rows, set.KeysDigest, set.Report.Read = digest, len(keys), KeysDigest(keys), len(keys)
	err = s.Update(ctx, func(tx Tx) error {
		model, err := modelOf(tx, req.Project, ModelRef{ID: req.Model})
		if err != nil {
			return err
		}
		earlier, err := tx.FindPredictionSets(req.Project, model.ID)
		if err != nil {
			return fault.Wrap(err, "find prediction sets")
		}
		for _, other := range earlier {
			if other.Digest == set.Digest && other.Snapshot == set.Snapshot && other.Dataset == set.Dataset && other.State == PredictionsReady && other.Origin == set.Origin {
				set = other
				return nil
			}
		}
		set.CreatedAt = tx.Now()
		if set, err = tx.CreatePredictionSet(set); err != nil {
			return fault.Wrap(err, "create prediction set")
		}
		return s.follow(tx, actor, set)
	})
	return set, err
}

// follow records that a set is ready and orders what comes after.
func (s *Service) follow(tx Tx, actor ledger.Actor, set PredictionSet) error {
	payload := setPayload{set.Project, set.ID}
	for _, kind := range []string{WorkSuggest, WorkEvaluate} {
		if err := tx.Enqueue(work.Order{Kind: kind, Key: string(set.ID), Payload: payload}); err != nil {
			return err
		}
	}
	return tx.Record(ledger.Entry{Actor: actor, Project: set.Project, Kind: "predictions.created",
		Subject: ledger.Subject{Kind: "model", ID: string(set.Model)},
		Payload: map[string]any{"set": set.ID, "snapshot": set.Snapshot, "dataset": set.Dataset, "digest": set.Digest, "keys": set.KeysDigest, "rows": set.Rows,
			"version": set.Version, "origin": set.Origin, "job": set.Job, "attempt": set.Attempt}})
}

// keep writes predictions as a file of ours and keeps it as a blob.
func (s *Service) keep(ctx context.Context, rows iter.Seq2[Prediction, error]) (ledger.Digest, error) {
	reader, writer := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = writer.CloseWithError(s.Columns.WritePredictions(writer, rows)) // never fails
	}()
	digest, _, err := s.Files.Put(ctx, reader)
	_ = reader.CloseWithError(err) // lets the writer end when the files gave up first
	<-done
	return digest, fault.Wrap(err, "keep predictions")
}

// rows reads the predictions of a set.
func (s *Service) rows(ctx context.Context, set PredictionSet) iter.Seq2[Prediction, error] {
	return func(yield func(Prediction, error) bool) {
		file, err := s.Files.Open(ctx, set.Digest)
		if err != nil {
			yield(Prediction{}, fault.Wrap(err, "open predictions"))
			return
		}
		defer func() { _ = file.Close() }()
		for p, err := range s.Columns.ReadPredictions(file) {
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// ReadUpload carries out WorkRead: it reads an uploaded file in the child,
// rewrites its rows as a file of ours, and reports what it could not take.
func (s *Service) ReadUpload(ctx context.Context, payload json.RawMessage) error {
	set, err := s.setOf(ctx, payload)
	if err != nil || set.State != PredictionsWaiting {
		return err
	}
	set, err = s.readUpload(ctx, set)
	if err != nil {
		kind := fault.KindOf(err)
		if kind != fault.Invalid && kind != fault.TooLarge && kind != fault.Unmet {
			return err // ours to try again
		}
		set.State, set.Report.Failure = PredictionsFailed, fault.Message(err)
	}
	return s.Update(ctx, func(tx Tx) error {
		// Reading took a while: what somebody did with the set meanwhile stands.
		if now, err := tx.GetPredictionSet(set.Project, set.ID); err != nil || now.State != PredictionsWaiting {
			return fault.Wrap(err, "find prediction set")
		}
		if err := tx.UpdatePredictionSet(set); err != nil {
			return fault.Wrap(err, "update prediction set")
		}
		if set.State == PredictionsFailed {
			return tx.Record(ledger.Entry{Actor: ledger.System(), Project: set.Project, Kind: "predictions.failed",
				Subject: ledger.Subject{Kind: "model", ID: string(set.Model)}, Payload: map[string]any{"set": set.ID, "reason": set.Report.Failure}})
		}
		return s.follow(tx, ledger.System(), set)
	})
}

func (s *Service) setOf(ctx context.Context, payload json.RawMessage) (PredictionSet, error) {
	var p setPayload
	if err := json.Unmarshal(payload, &p); err != nil {
		return PredictionSet{}, fault.As(fault.Invalid, err, "work with a broken payload")
	}
	var set PredictionSet
	err := s.View(ctx, func(tx Tx) (err error) {
		set, err = tx.GetPredictionSet(p.Project, p.Set)
		return fault.Wrap(err, "find prediction set")
	})
	return set, err
}

// readUpload fills a waiting set from its source.
func (s *Service) readUpload(ctx context.Context, set PredictionSet) (PredictionSet, error) {
	var snapshot labeling.Snapshot
	var schema labeling.Schema
	err := s.View(ctx, func(tx Tx) error {
		var err error
		if snapshot, err = snapshotOf(tx, set.Project, set.Snapshot); err != nil {
			return err
		}
		project, err := tx.Project(set.Project)
		schema = project.Schema
		return fault.Wrap(err, "find project")
	})
	if err != nil {
		return set, err
	}
	open := make(map[string]bool, snapshot.Items) // keys of the snapshot that wait for their row
	for rows, err := range s.truth(ctx, snapshot) {
		if err != nil {
			return set, fault.Wrap(err, "read the snapshot")
		}
		for _, key := range rows.Keys {
			open[key] = true
		}
	}
	rows, err := s.parse(ctx, &set, open)
	if err != nil {
		return set, err
	}
	for _, waits := range open {
		if waits {
			set.Report.Missing++
		}
	}
	if len(rows) == 0 {
		return set, fault.Field("file", "No row of %s belongs to an item of this snapshot. %s", set.Report.File, firstReason(set.Report))
	}
	strangers := map[string]bool{}
	keys := make([]string, len(rows))
	for i, p := range rows {
		keys[i] = p.Key
		if _, known := schema.ClassNamed(p.Class); !known && len(strangers) < maxNotes {
			strangers[p.Class] = true
		}
	}
	for name := range strangers {
		set.Report.Classes = append(set.Report.Classes, name)
	}
	slices.Sort(set.Report.Classes)
	// In the order of the snapshot, so that comparing walks both files side by side.
	slices.SortFunc(rows, func(a, b Prediction) int { return cmp.Compare(a.Key, b.Key) })
	set.Digest, err = s.keep(ctx, func(yield func(Prediction, error) bool) {
		for _, p := range rows {
			if !yield(p, nil) {
				return
			}
		}
	})
	set.State, set.Rows, set.KeysDigest = PredictionsReady, len(rows), KeysDigest(keys)
	return set, err
}

func firstReason(r PredictionReport) string {
	if len(r.Notes) == 0 {
		return fault.Say("It holds no rows.")
	}
	return fault.Say("The first reason is: %s.", r.Notes[0].Reason)
}

// parse reads the rows of an uploaded file that belong to open keys.
func (s *Service) parse(ctx context.Context, set *PredictionSet, open map[string]bool) ([]Prediction, error) {
	file, err := s.Files.Open(ctx, set.Report.Source)
	if err != nil {
		return nil, fault.Wrap(err, "open upload")
	}
	defer func() { _ = file.Close() }()
	report := &set.Report
	report.Read, report.Unknown, report.Missing, report.Problems, report.Notes, report.Classes = 0, 0, 0, 0, nil, nil
	var rows []Prediction
	var columns layout
	known := -1 // columns that the layout was made for
	refuse := func(line int64, key, reason string) {
		report.Problems++
		report.note(line, key, reason)
	}
	err = s.Parser.Parse(ctx, labeling.ParseRequest{File: file, Name: report.File, Format: labeling.Format(report.Format)}, func(batch labeling.Batch) error {
		if len(batch.Columns) != known && len(batch.Records) > 0 {
			if columns, err = layoutOf(batch.Columns); err != nil {
				return err
			}
			known = len(batch.Columns)
		}
		report.Read += len(batch.Records) + len(batch.Errors)
		for _, bad := range batch.Errors {
			refuse(bad.Line, "", bad.Reason)
		}
		for _, record := range batch.Records {
			p, err := columns.read(record)
			if err != nil {
				refuse(record.Line, p.Key, err.Error())
				continue
			}
			waits, exists := open[p.Key]
			if plain := ledger.FromCell(p.Key); !exists && plain != p.Key { // copied from an exported sheet
				p.Key = plain
				waits, exists = open[plain]
			}
			switch {
			case !exists:
				report.Unknown++
				report.note(record.Line, p.Key, fault.Say("the snapshot has no item with this key"))
			case !waits:
				refuse(record.Line, p.Key, fault.Say("a second prediction for this item; the first one counts"))
			default:
				open[p.Key] = false
				rows = append(rows, p)
			}
		}
		if len(rows) > maxPredictions {
			return fault.New(fault.TooLarge, "%s has more than %s predictions.", report.File, Thousands(maxPredictions))
		}
		return nil
	})
	return rows, err
}

// suggestChunk is how many items take a suggestion in one transaction, so that
// the writer is never held for long.
const suggestChunk = 500

// CopySuggestions carries out WorkSuggest: it copies the answers of a set to the
// items as their newest suggestion. Evaluation items never get one. Done again
// it writes the same.
func (s *Service) CopySuggestions(ctx context.Context, payload json.RawMessage) error {
	set, err := s.setOf(ctx, payload)
	if err != nil || set.State != PredictionsReady {
		return err
	}
	datasets, schema, withheld, err := s.takers(ctx, set)
	if err != nil {
		return err
	}
	copied := 0
	classes := map[string]labeling.ClassID{}
	for _, c := range schema.Classes {
		if !c.Retired || c.Into != "" {
			classes[c.Name] = schema.Resolve(c.ID)
		}
	}
	chunk := make([]Suggestion, 0, suggestChunk)
	flush := func() error {
		for _, dataset := range datasets {
			n := 0
			err := s.Update(ctx, func(tx Tx) (err error) {
				n, err = tx.SuggestAnswers(dataset, set.Model, chunk)
				return fault.Wrap(err, "copy suggestions")
			})
			if err != nil {
				return err
			}
			copied += n
		}
		chunk = chunk[:0]
		return nil
	}
	if len(datasets) > 0 {
		for p, err := range s.rows(ctx, set) {
			if err != nil {
				return err
			}
			class, known := classes[p.Class]
			if !known {
				continue
			}
			chunk = append(chunk, Suggestion{Key: p.Key, Class: class, Score: p.Score, Uncertainty: p.Uncertainty()})
			if len(chunk) == suggestChunk {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		if err := flush(); err != nil {
			return err
		}
	}
	return s.Update(ctx, func(tx Tx) error {
		now, err := tx.GetPredictionSet(set.Project, set.ID)
		if err != nil {
			return fault.Wrap(err, "find prediction set")
		}
		now.Report.Copied, now.Report.Withheld = copied, withheld
		if err := tx.UpdatePredictionSet(now); err != nil {
			return fault.Wrap(err, "update prediction set")
		}
		if copied == 0 {
			return nil
		}
		if err := labeling.RefreshQueue(tx, set.Project); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: ledger.System(), Project: set.Project, Kind: "predictions.copied",
			Subject: ledger.Subject{Kind: "model", ID: string(set.Model)}, Payload: map[string]any{"set": set.ID, "items": copied}})
	})
}

// takers returns the datasets whose items take suggestions from a set, and
// whether others must not.
func (s *Service) takers(ctx context.Context, set PredictionSet) (takers []labeling.DatasetID, schema labeling.Schema, withheld bool, err error) {
	err = s.View(ctx, func(tx Tx) error {
		takers, withheld = nil, false
		project, err := tx.Project(set.Project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		schema = project.Schema
		ids := []labeling.DatasetID{set.Dataset}
		if set.Snapshot != "" {
			snapshot, err := snapshotOf(tx, set.Project, set.Snapshot)
			if err != nil {
				return err
			}
			ids = nil
			for _, d := range snapshot.Datasets {
				ids = append(ids, d.ID)
			}
		}
		for _, id := range ids {
			dataset, err := tx.Dataset(id)
			if err != nil {
				return fault.Wrap(err, "find dataset")
			}
			if dataset.Purpose.Blind() {
				withheld = true
			} else {
				takers = append(takers, id)
			}
		}
		return nil
	})
	return takers, schema, withheld, err
}

// PredictionSet returns a set with its report.
func (s *Service) PredictionSet(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, id PredictionSetID) (PredictionSet, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return PredictionSet{}, err
	}
	var set PredictionSet
	err := s.View(ctx, func(tx Tx) (err error) {
		set, err = tx.GetPredictionSet(project, id)
		return fault.Wrap(err, "find prediction set")
	})
	return set, err
}
