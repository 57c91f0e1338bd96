package compare

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// Evaluated is an evaluation with the row that stands for it.
type Evaluated struct {
	Record     EvaluationRecord
	Evaluation Evaluation
}

// Evaluate measures a model on a snapshot and keeps the document. The same
// question again returns the same document.
func (s *Service) Evaluate(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, model string, id labeling.SnapshotID) (Evaluated, error) {
	return s.evaluateBy(ctx, actor, project, model, id, "")
}

// evaluateBy measures a model by the choice of answers that holds a set; by the
// first that can be measured if it is empty.
func (s *Service) evaluateBy(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, model string, id labeling.SnapshotID, by PredictionSetID) (Evaluated, error) {
	if err := actor.Must(project, ledger.ActionCompare); err != nil {
		return Evaluated{}, err
	}
	ref, err := ParseModelRef(model)
	if err != nil {
		return Evaluated{}, err
	}
	var snapshot labeling.Snapshot
	var sides []contender
	var records []EvaluationRecord
	err = s.View(ctx, func(tx Tx) error {
		var err error
		if snapshot, err = snapshotOf(tx, project, id); err != nil {
			return err
		}
		if sides, err = contend(tx, project, ref, snapshot); err != nil {
			return err
		}
		records, err = tx.FindEvaluations(project, sides[0].model.ID)
		return fault.Wrap(err, "find evaluations")
	})
	if err != nil {
		return Evaluated{}, err
	}
	var first error
	for _, side := range sides {
		if by != "" && !slices.ContainsFunc(side.sets, func(set PredictionSet) bool { return set.ID == by }) {
			continue
		}
		evaluated, err := s.evaluate(ctx, actor, project, snapshot, side, records)
		if first == nil {
			first = err
		}
		if !fault.Is(err, fault.Unmet) {
			return evaluated, err
		}
	}
	if first == nil {
		first = fault.New(fault.Unmet, "These answers no longer stand on %s. Reload the page and choose again.", snapshot.Title())
	}
	return Evaluated{}, first
}

// evaluate measures a model by the sets that are chosen, and keeps the document.
func (s *Service) evaluate(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, snapshot labeling.Snapshot, side contender, records []EvaluationRecord) (Evaluated, error) {
	inputs, err := inputsDigest(EvaluationFormat, snapshot, side.subject())
	if err != nil {
		return Evaluated{}, err
	}
	for _, r := range records {
		if r.Inputs == inputs {
			content, err := s.readAll(ctx, r.Digest)
			if err != nil {
				return Evaluated{}, err
			}
			e, err := DecodeEvaluation(content, r.Digest)
			return Evaluated{r, e}, err
		}
	}
	sheet, err := s.sheet(ctx, inputs, snapshot, side)
	if err != nil {
		return Evaluated{}, err
	}
	e := Evaluate(sheet, snapshot.Digest, side.documented())
	digest, err := s.keepDocument(ctx, e)
	if err != nil {
		return Evaluated{}, err
	}
	record := EvaluationRecord{
		Digest: digest, Inputs: inputs, Project: project, Model: side.model.ID, Snapshot: snapshot.ID,
		Items: e.Base.Items, Accuracy: e.Accuracy, MacroF1: e.MacroF1,
	}
	err = s.Update(ctx, func(tx Tx) error {
		record.CreatedAt = tx.Now()
		if err := tx.SaveEvaluation(record); err != nil {
			return fault.Wrap(err, "save evaluation")
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "evaluation.created",
			Subject: ledger.Subject{Kind: "model", ID: string(side.model.ID)},
			Payload: map[string]any{"evaluation": digest, "snapshot": snapshot.ID, "accuracy": e.Accuracy, "macro_f1": e.MacroF1}})
	})
	return Evaluated{record, e}, err
}

// maxAutomatic is how many snapshots of a dataset a fresh prediction set is
// measured on without being asked: the newest.
const maxAutomatic = 3

// EvaluateSet carries out WorkEvaluate: it measures a model on the snapshot that
// its predictions were made for, or on the newest evaluation snapshots of the
// dataset. Snapshots that the predictions do not cover are passed over.
func (s *Service) EvaluateSet(ctx context.Context, payload json.RawMessage) error {
	set, err := s.setOf(ctx, payload)
	if err != nil || set.State != PredictionsReady {
		return err
	}
	var targets []labeling.SnapshotID
	err = s.View(ctx, func(tx Tx) error {
		targets = nil
		if set.Snapshot != "" {
			targets = append(targets, set.Snapshot)
			return nil
		}
		snapshots, err := tx.Snapshots(set.Project)
		if err != nil {
			return fault.Wrap(err, "list snapshots")
		}
		for _, snapshot := range snapshots {
			if snapshot.State != labeling.SnapshotReady || snapshot.Purpose != labeling.PurposeEvaluation || len(targets) == maxAutomatic {
				continue
			}
			for _, dataset := range snapshot.Datasets {
				if dataset.ID == set.Dataset {
					targets = append(targets, snapshot.ID)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, target := range targets {
		_, err := s.evaluateBy(ctx, ledger.System(), set.Project, string(set.Model), target, set.ID)
		switch fault.KindOf(err) {
		case "", fault.Unmet, fault.Conflict, fault.TooLarge, fault.Invalid:
		default:
			return err
		}
	}
	return nil
}

// Evaluations lists the evaluations of a model, newest first; of every model of
// the project if it is empty.
func (s *Service) Evaluations(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, model ModelID) ([]EvaluationRecord, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var records []EvaluationRecord
	err := s.View(ctx, func(tx Tx) (err error) {
		records, err = tx.FindEvaluations(project, model)
		return fault.Wrap(err, "find evaluations")
	})
	return records, err
}

// Evaluation returns an evaluation of the project by the digest of its document.
// It returns Denied where it would tell the actor what they judge blind.
func (s *Service) Evaluation(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, digest ledger.Digest) (Evaluation, error) {
	records, err := s.Evaluations(ctx, actor, project, "")
	if err != nil {
		return Evaluation{}, err
	}
	for _, r := range records {
		if r.Digest == digest {
			if err := s.View(ctx, func(tx Tx) error { return sightOn(tx, actor, project, r.Snapshot) }); err != nil {
				return Evaluation{}, err
			}
			content, err := s.readAll(ctx, digest)
			if err != nil {
				return Evaluation{}, err
			}
			return DecodeEvaluation(content, digest)
		}
	}
	return Evaluation{}, fault.New(fault.NotFound, "There is no such evaluation in this project.")
}
