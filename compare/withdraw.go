package compare

import (
	"context"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// WithdrawPredictions takes a wrong upload out of what stands, with a reason. The
// set, and every comparison with it, stay in sight and are counted as not read. It
// is for a lead or an admin who is no maker of the model, nor of one that is held
// against it, and proposed neither: nobody takes away what speaks against their own. What the server computed is not withdrawn, for only
// the server supersedes it.
func (s *Service) WithdrawPredictions(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, id PredictionSetID, reason string) (PredictionSet, error) {
	if err := actor.Must(project, ledger.ActionManage); err != nil {
		return PredictionSet{}, err
	}
	if err := actor.MustBeThere(); err != nil {
		return PredictionSet{}, err
	}
	why, err := ledger.Reason(reason, fault.Format("these answers are withdrawn"), true)
	if err != nil {
		return PredictionSet{}, err
	}
	var set PredictionSet
	err = s.Update(ctx, func(tx Tx) error {
		var err error
		if set, err = tx.GetPredictionSet(project, id); err != nil {
			return err
		}
		model, err := tx.GetModel(project, set.Model)
		if err != nil {
			return err
		}
		makers, err := tx.MakersOf(model.Digest)
		if err != nil {
			return err
		}
		rivals, err := tx.RivalsOf(model)
		if err != nil {
			return err
		}
		switch {
		case set.Origin == OriginComputed:
			return fault.New(fault.Conflict, "This server computed these answers; only answers that it computes later supersede them.")
		case !set.Withdrawn.None():
			return fault.New(fault.Conflict, "These answers were withdrawn already.")
		case set.CreatedBy == actor.Person || model.TrainedBy == actor.Person || model.CreatedBy == actor.Person ||
			slices.ContainsFunc(makers, func(m Maker) bool { return m.Person == actor.Person }):
			return fault.New(fault.Denied, "You made this model or uploaded answers of it, so you cannot withdraw any. Ask another lead or an admin.")
		case slices.Contains(rivals, actor.Person):
			return fault.New(fault.Denied, "You made or proposed a model that is held against this one, so you cannot withdraw answers of it. Ask another lead or an admin.")
		}
		set.Withdrawn = Withdrawal{By: actor.Person, Name: actor.Name, At: tx.Now(), Reason: why}
		if err := tx.WithdrawPredictionSet(project, id, set.Withdrawn); err != nil {
			return err
		}
		// What people vote on is measured anew without them.
		if err := tx.Enqueue(work.Order{Kind: WorkEvaluate, Key: string(set.ID) + "/withdrawn", Payload: setPayload{project, set.ID}}); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "predictions.withdrawn", Subject: ledger.Subject{Kind: "model", ID: string(set.Model)},
			Payload: map[string]any{"set": set.ID, "version": set.Version, "digest": set.Digest, "reason": why}})
	})
	return set, err
}
