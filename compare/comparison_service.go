package compare

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

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

// contender is a model with the sets that hold its answers.
type contender struct {
	model Model
	sets  Choice
}

// subject names the contender by what is the same on every machine.
func (c contender) subject() Subject {
	return Subject{Name: c.model.Name, Version: c.model.Version, Digest: c.model.Digest, Predictions: c.sets.digests()}
}

// sources says where the answers come from, in the order of their digests.
func (c contender) sources() []Source {
	var all []Source
	for _, set := range c.sets {
		all = append(all, set.Source(c.model.Digest))
	}
	slices.SortFunc(all, func(a, b Source) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	return all
}

// documented is the subject as a document holds it: with its sources, by ids
// alone, for a name can be erased and a document cannot.
func (c contender) documented() Subject {
	s := c.subject()
	s.Sources = c.sources()
	for i := range s.Sources {
		s.Sources[i].Name = ""
	}
	return s
}

// contend lists the choices of answers of a model on a snapshot: those that
// stand, the one the server computed first, then those that are partial, of which
// the error tells what is missing.
func contend(tx Tx, project ledger.ProjectID, ref ModelRef, snapshot labeling.Snapshot) ([]contender, error) {
	model, err := modelOf(tx, project, ref)
	if err != nil {
		return nil, err
	}
	sets, err := setsOf(tx, model)
	if err != nil {
		return nil, err
	}
	gaps, err := tx.FindAnswerGaps(snapshot.ID)
	if err != nil {
		return nil, fault.Wrap(err, "find gaps")
	}
	whole, partial := standing(sets, snapshot, gaps)
	var all []contender
	for _, choice := range append(whole, partial...) {
		all = append(all, contender{model, choice})
	}
	if len(all) == 0 {
		return nil, fault.New(fault.Unmet, "%s has no predictions on %s. Import or compute them, then compare again.", model.Title(), snapshot.Title())
	}
	return all, nil
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
	if gap, found := errors.AsType[*gap](err); found && contenders[gap.side].sets[0].ID != "" {
		// Known from now on, so that nobody waits for what these sets cannot answer.
		if err := s.Update(ctx, func(tx Tx) error { return tx.SaveAnswerGap(snapshot.ID, contenders[gap.side].sets.key()) }); err != nil {
			return nil, fault.Wrap(err, "note a gap")
		}
	}
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
	Inputs    ledger.Digest // which of the pairings of their answers; the first that can be compared if empty
}

// Compared is a comparison with the row that stands for it, and where the
// answers of both models come from, as it is known today.
type Compared struct {
	Record     ComparisonRecord
	Comparison Comparison
	Sources    [2][]Source // of the baseline and of the candidate
	Others     int         // sets of answers on the snapshot that this one does not read
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
	var sides [2][]contender
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
		if sides[0][0].model.ID == sides[1][0].model.ID {
			return fault.Field("candidate", "Choose two different models; both sides are %s.", sides[0][0].model.Title())
		}
		records, err = tx.FindComparisons(ComparisonFilter{Project: req.Project, Baseline: sides[0][0].model.ID, Candidate: sides[1][0].model.ID, Snapshot: snapshot.ID, Limit: 1000})
		return fault.Wrap(err, "find comparisons")
	})
	if err != nil {
		return Compared{}, err
	}
	var first error
	for _, baseline := range sides[0] {
		for _, candidate := range sides[1] {
			inputs, err := inputsDigest(ComparisonFormat, snapshot, baseline.subject(), candidate.subject())
			if err != nil {
				return Compared{}, err
			}
			if req.Inputs != "" && req.Inputs != inputs {
				continue
			}
			compared, err := s.compare(ctx, actor, req.Project, snapshot, [2]contender{baseline, candidate}, inputs, records)
			if first == nil {
				first = err
			}
			if err == nil {
				return s.sourced(ctx, compared)
			}
			if !fault.Is(err, fault.Unmet) {
				return Compared{}, err
			}
		}
	}
	if first == nil {
		first = fault.New(fault.Unmet, "These answers no longer stand on %s. Reload the page and choose again.", snapshot.Title())
	}
	return Compared{}, first
}

// compare compares two models by the sets that are chosen, and keeps the document.
func (s *Service) compare(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, snapshot labeling.Snapshot, sides [2]contender, inputs ledger.Digest, records []ComparisonRecord) (Compared, error) {
	for _, r := range records {
		if r.Inputs == inputs {
			c, err := s.openComparison(ctx, r.Digest)
			return Compared{Record: r, Comparison: c}, err
		}
	}
	sheet, err := s.sheet(ctx, inputs, snapshot, sides[0], sides[1])
	if err != nil {
		return Compared{}, err
	}
	c := Compare(sheet, snapshot.Digest, sides[0].documented(), sides[1].documented())
	digest, err := s.keepDocument(ctx, c)
	if err != nil {
		return Compared{}, err
	}
	record := ComparisonRecord{
		Digest: digest, Inputs: inputs, Project: project, Baseline: sides[0].model.ID, Candidate: sides[1].model.ID, Snapshot: snapshot.ID,
		Items: c.Base.Items, Verdict: c.Verdict, Difference: c.Difference, P: c.P, CreatedBy: actor.Person,
	}
	err = s.Update(ctx, func(tx Tx) error {
		record.CreatedAt = tx.Now()
		if err := tx.SaveComparison(record); err != nil {
			return fault.Wrap(err, "save comparison")
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "comparison.created",
			Subject: ledger.Subject{Kind: "comparison", ID: string(digest)}, Payload: record})
	})
	return Compared{Record: record, Comparison: c}, err
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

// sightOn returns Denied where what was measured on a snapshot would tell the
// actor answers to items that they judge blind.
func sightOn(tx labeling.Tx, actor ledger.Actor, project ledger.ProjectID, id labeling.SnapshotID) error {
	sight, err := labeling.SightOf(tx, actor, project)
	if err != nil {
		return err
	}
	snapshot, err := tx.Snapshot(id)
	if fault.Is(err, fault.NotFound) {
		snapshot.Purpose, err = labeling.PurposeEvaluation, nil // nobody knows any more
	}
	if err != nil {
		return fault.Wrap(err, "find snapshot")
	}
	return sight.Rows(snapshot)
}

// Comparison returns a comparison of the project by the digest of its document.
// It returns Denied where it would tell the actor what they judge blind.
func (s *Service) Comparison(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, digest ledger.Digest) (Compared, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Compared{}, err
	}
	var found []ComparisonRecord
	err := s.View(ctx, func(tx Tx) (err error) {
		found, err = tx.FindComparisons(ComparisonFilter{Project: project, Digest: digest, Limit: 1})
		if err != nil || len(found) == 0 {
			return fault.Wrap(err, "find comparison")
		}
		return sightOn(tx, actor, project, found[0].Snapshot)
	})
	if err != nil {
		return Compared{}, err
	}
	if len(found) == 0 {
		return Compared{}, fault.New(fault.NotFound, "There is no such comparison in this project.")
	}
	c, err := s.openComparison(ctx, digest)
	if err != nil {
		return Compared{}, err
	}
	return s.sourced(ctx, Compared{Record: found[0], Comparison: c})
}

// sourced says where the answers of a comparison come from: by the sets with
// those digests that there are today, else by what the document says.
func (s *Service) sourced(ctx context.Context, c Compared) (Compared, error) {
	err := s.View(ctx, func(tx Tx) error {
		snapshot, err := tx.Snapshot(c.Record.Snapshot)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fault.Wrap(err, "find snapshot")
		}
		c.Others = 0
		for i, side := range []struct {
			id      ModelID
			subject Subject
		}{{c.Record.Baseline, c.Comparison.Baseline}, {c.Record.Candidate, c.Comparison.Candidate}} {
			c.Sources[i] = side.subject.Sources
			model, err := tx.GetModel(c.Record.Project, side.id)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return fault.Wrap(err, "find model")
			}
			sets, err := setsOf(tx, model)
			if err != nil {
				return err
			}
			var others int
			if known := sourcesOf(sets, side.subject.Predictions, model.Digest); len(known) > 0 {
				c.Sources[i] = known
			}
			for _, set := range sets {
				if set.State == PredictionsReady && set.about(snapshot) && !slices.Contains(side.subject.Predictions, set.Digest) {
					others++
				}
			}
			c.Others += others
		}
		return nil
	})
	return c, err
}

// sourcesOf finds where the sets with some digests come from; of several with the
// same answers the one that the server computed, else the oldest.
func sourcesOf(sets []PredictionSet, digests []ledger.Digest, model ledger.Digest) []Source {
	var found []Source
	for _, digest := range digests {
		var best PredictionSet
		for _, set := range sets { // newest first
			if set.Digest == digest && set.State == PredictionsReady && (best.Origin != OriginComputed || set.Origin == OriginComputed) {
				best = set
			}
		}
		if best.ID != "" {
			found = append(found, best.Source(model))
		}
	}
	return found
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
