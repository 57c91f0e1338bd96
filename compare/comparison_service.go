package compare

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// truth reads the items of a snapshot with their accepted answers.
func (s *Service) truth(ctx context.Context, snapshot labeling.Snapshot) iter.Seq2[Answers, error] {
	return s.answers(ctx, snapshot.Parquet, "key", "answer")
}

// answers reads two columns of a file of ours.
func (s *Service) answers(ctx context.Context, digest ledger.Digest, key, class string) iter.Seq2[Answers, error] {
	return func(yield func(Answers, error) bool) {
		file, err := s.Files.Open(ctx, digest)
		if err != nil {
			yield(Answers{}, fault.Wrap(err, "open "+string(digest)))
			return
		}
		defer func() { _ = file.Close() }()
		for rows, err := range s.Columns.ReadAnswers(file, key, class) {
			if !yield(rows, err) || err != nil {
				return
			}
		}
	}
}

// answersOf chooses the prediction sets from which a model's answers on a
// snapshot are read: the newest made for the snapshot itself, else the newest of
// each of its datasets.
func answersOf(sets []PredictionSet, snapshot labeling.Snapshot) []PredictionSet {
	byDataset := map[labeling.DatasetID]PredictionSet{}
	for _, set := range sets { // newest first
		if set.State != PredictionsReady {
			continue
		}
		if set.Snapshot == snapshot.ID {
			return []PredictionSet{set}
		}
		if _, newer := byDataset[set.Dataset]; set.Dataset != "" && !newer {
			byDataset[set.Dataset] = set
		}
	}
	var chosen []PredictionSet
	for _, dataset := range snapshot.Datasets {
		if set, found := byDataset[dataset.ID]; found {
			chosen = append(chosen, set)
		}
	}
	return chosen
}

// contender is a model with the sets that hold its answers.
type contender struct {
	model Model
	sets  []PredictionSet
}

func (c contender) subject() Subject {
	digests := []ledger.Digest{}
	for _, set := range c.sets {
		digests = append(digests, set.Digest)
	}
	slices.Sort(digests)
	return Subject{Name: c.model.Name, Version: c.model.Version, Digest: c.model.Digest, Predictions: digests}
}

func contend(tx Tx, project ledger.ProjectID, ref ModelRef, snapshot labeling.Snapshot) (contender, error) {
	model, err := modelOf(tx, project, ref)
	if err != nil {
		return contender{}, err
	}
	sets, err := tx.FindPredictionSets(project, model.ID)
	if err != nil {
		return contender{}, fault.Wrap(err, "find prediction sets")
	}
	c := contender{model: model, sets: answersOf(sets, snapshot)}
	if len(c.sets) == 0 {
		return contender{}, fault.New(fault.Unmet, "%s has no predictions on %s. Import or compute them, then compare again.", model.Title(), snapshot.Title())
	}
	return c, nil
}

// inputsDigest names everything that a document is computed from.
func inputsDigest(format string, snapshot labeling.Snapshot, subjects ...Subject) (ledger.Digest, error) {
	_, digest, err := Encode(map[string]any{
		"format": format, "snapshot": snapshot.Digest, "method": methodFor(int(snapshot.Items)), "models": subjects,
	})
	return digest, err
}

// sheet lays out a snapshot and the answers of some models.
func (s *Service) sheet(ctx context.Context, inputs ledger.Digest, snapshot labeling.Snapshot, contenders ...contender) (*Sheet, error) {
	if sheet, found := s.sheets.get(inputs); found {
		return sheet, nil
	}
	var titles []string
	var streams []iter.Seq2[Answers, error]
	for _, c := range contenders {
		titles = append(titles, c.model.Title())
		streams = append(streams, func(yield func(Answers, error) bool) {
			for _, set := range c.sets {
				for rows, err := range s.answers(ctx, set.Digest, "key", "class") {
					if !yield(rows, err) || err != nil {
						return
					}
				}
			}
		})
	}
	sheet, err := NewSheet(s.truth(ctx, snapshot), titles, streams)
	if err != nil {
		return nil, err
	}
	s.sheets.put(inputs, sheet)
	return sheet, nil
}

// CompareRequest names two models and the snapshot they are compared on.
type CompareRequest struct {
	Project   ledger.ProjectID
	Baseline  string // a model: id, name, name@version or digest
	Candidate string
	Snapshot  labeling.SnapshotID
}

// Compared is a comparison with the row that stands for it.
type Compared struct {
	Record     ComparisonRecord
	Comparison Comparison
}

// Compare compares two models on a snapshot and keeps the document. The same
// question again returns the same document.
func (s *Service) Compare(ctx context.Context, actor ledger.Actor, req CompareRequest) (Compared, error) {
	if err := actor.Must(req.Project, ledger.ActionCompare); err != nil {
		return Compared{}, err
	}
	refs, err := twoRefs(req)
	if err != nil {
		return Compared{}, err
	}
	var snapshot labeling.Snapshot
	var sides [2]contender
	var records []ComparisonRecord
	err = s.View(ctx, func(tx Tx) error {
		var err error
		if snapshot, err = snapshotOf(tx, req.Project, req.Snapshot); err != nil {
			return err
		}
		for i, ref := range refs {
			if sides[i], err = contend(tx, req.Project, ref, snapshot); err != nil {
				return err
			}
		}
		if sides[0].model.ID == sides[1].model.ID {
			return fault.Field("candidate", "Choose two different models; both sides are %s.", sides[0].model.Title())
		}
		records, err = tx.FindComparisons(ComparisonFilter{Project: req.Project, Baseline: sides[0].model.ID, Candidate: sides[1].model.ID, Snapshot: snapshot.ID})
		return fault.Wrap(err, "find comparisons")
	})
	if err != nil {
		return Compared{}, err
	}
	baseline, candidate := sides[0].subject(), sides[1].subject()
	inputs, err := inputsDigest(ComparisonFormat, snapshot, baseline, candidate)
	if err != nil {
		return Compared{}, err
	}
	for _, r := range records {
		if r.Inputs == inputs {
			c, err := s.openComparison(ctx, r.Digest)
			return Compared{r, c}, err
		}
	}
	sheet, err := s.sheet(ctx, inputs, snapshot, sides[0], sides[1])
	if err != nil {
		return Compared{}, err
	}
	c := Compare(sheet, snapshot.Digest, baseline, candidate)
	digest, err := s.keepDocument(ctx, c)
	if err != nil {
		return Compared{}, err
	}
	record := ComparisonRecord{
		Digest: digest, Inputs: inputs, Project: req.Project, Baseline: sides[0].model.ID, Candidate: sides[1].model.ID, Snapshot: snapshot.ID,
		Items: c.Base.Items, Verdict: c.Verdict, Difference: c.Difference, P: c.P, CreatedBy: actor.Person,
	}
	err = s.Update(ctx, func(tx Tx) error {
		record.CreatedAt = tx.Now()
		if err := tx.SaveComparison(record); err != nil {
			return fault.Wrap(err, "save comparison")
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: req.Project, Kind: "comparison.created",
			Subject: ledger.Subject{Kind: "comparison", ID: string(digest)}, Payload: record})
	})
	return Compared{record, c}, err
}

func twoRefs(req CompareRequest) ([2]ModelRef, error) {
	var refs [2]ModelRef
	for i, side := range []struct{ field, text string }{{"baseline", req.Baseline}, {"candidate", req.Candidate}} {
		if side.text == "" {
			return refs, fault.Field(side.field, "Choose a %s.", side.field)
		}
		ref, err := ParseModelRef(side.text)
		if err != nil {
			return refs, err
		}
		refs[i] = ref
	}
	if req.Snapshot == "" {
		return refs, fault.Field("snapshot", "Choose the snapshot to compare on.")
	}
	return refs, nil
}

// keepDocument keeps a document under its digest.
func (s *Service) keepDocument(ctx context.Context, document any) (ledger.Digest, error) {
	content, digest, err := Encode(document)
	if err != nil {
		return "", err
	}
	kept, _, err := s.Files.Put(ctx, bytes.NewReader(content))
	if err != nil {
		return "", fault.Wrap(err, "keep document")
	}
	if kept != digest {
		return "", fault.New(fault.Internal, "the document %s was kept as %s", digest, kept)
	}
	return digest, nil
}

func (s *Service) openComparison(ctx context.Context, digest ledger.Digest) (Comparison, error) {
	content, err := s.readAll(ctx, digest)
	if err != nil {
		return Comparison{}, err
	}
	return DecodeComparison(content, digest)
}

// Comparison returns a comparison of the project by the digest of its document.
func (s *Service) Comparison(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, digest ledger.Digest) (Compared, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Compared{}, err
	}
	var found []ComparisonRecord
	err := s.View(ctx, func(tx Tx) (err error) {
		found, err = tx.FindComparisons(ComparisonFilter{Project: project, Digest: digest, Limit: 1})
		return fault.Wrap(err, "find comparison")
	})
	if err != nil {
		return Compared{}, err
	}
	if len(found) == 0 {
		return Compared{}, fault.New(fault.NotFound, "There is no such comparison in this project.")
	}
	c, err := s.openComparison(ctx, digest)
	return Compared{found[0], c}, err
}

// ComparisonDocument returns the bytes of a comparison as they are signed for.
func (s *Service) ComparisonDocument(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, digest ledger.Digest) ([]byte, error) {
	if _, err := s.Comparison(ctx, actor, project, digest); err != nil {
		return nil, err
	}
	if err := s.Update(ctx, func(tx Tx) error {
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "comparison.exported", Subject: ledger.Subject{Kind: "comparison", ID: string(digest)}})
	}); err != nil {
		return nil, err
	}
	return s.readAll(ctx, digest)
}

// ComparisonRow is a comparison in a list, with its models.
type ComparisonRow struct {
	Record              ComparisonRecord
	Baseline, Candidate Model
	Snapshot            string // title
}

// Comparisons lists comparisons of a project, newest first.
func (s *Service) Comparisons(ctx context.Context, actor ledger.Actor, filter ComparisonFilter) ([]ComparisonRow, error) {
	if err := actor.Must(filter.Project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var rows []ComparisonRow
	err := s.View(ctx, func(tx Tx) error {
		rows = nil
		found, err := tx.FindComparisons(filter)
		if err != nil {
			return fault.Wrap(err, "find comparisons")
		}
		models, titles := map[ModelID]Model{}, map[string]string{}
		for _, record := range found {
			for _, id := range []ModelID{record.Baseline, record.Candidate} {
				if _, known := models[id]; !known {
					if models[id], err = tx.GetModel(filter.Project, id); err != nil {
						return fault.Wrap(err, "find model")
					}
				}
			}
			if err := snapshotTitle(tx, titles, string(record.Snapshot)); err != nil {
				return err
			}
			rows = append(rows, ComparisonRow{Record: record, Baseline: models[record.Baseline], Candidate: models[record.Candidate], Snapshot: titles[string(record.Snapshot)]})
		}
		return nil
	})
	return rows, err
}

// snapshotTitle adds the title of a snapshot to a map, once.
func snapshotTitle(tx labeling.Tx, titles map[string]string, id string) error {
	if _, known := titles[id]; known || id == "" {
		return nil
	}
	snapshot, err := tx.Snapshot(labeling.SnapshotID(id))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return fault.Wrap(err, "find snapshot")
	}
	titles[id] = snapshot.Title()
	return nil
}

// datasetTitle adds the name of a dataset to a map, once.
func datasetTitle(tx labeling.Tx, titles map[string]string, id string) error {
	if _, known := titles[id]; known || id == "" {
		return nil
	}
	dataset, err := tx.Dataset(labeling.DatasetID(id))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return fault.Wrap(err, "find dataset")
	}
	titles[id] = dataset.Name
	return nil
}
