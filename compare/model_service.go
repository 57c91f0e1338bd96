package compare

import (
	"cmp"
	"context"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Models lists models, newest first.
func (s *Service) Models(ctx context.Context, actor ledger.Actor, filter ModelFilter) ([]Model, error) {
	if err := actor.Must(filter.Project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var models []Model
	err := s.View(ctx, func(tx Tx) (err error) {
		models, err = tx.FindModels(filter)
		return fault.Wrap(err, "list models")
	})
	return models, err
}

// Model returns the model that a reference names: an id, "name", "name@version"
// or a digest.
func (s *Service) Model(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref string) (Model, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Model{}, err
	}
	parsed, err := ParseModelRef(ref)
	if err != nil {
		return Model{}, err
	}
	var model Model
	err = s.View(ctx, func(tx Tx) (err error) {
		model, err = modelOf(tx, project, parsed)
		return err
	})
	return model, err
}

// Runs lists runs, newest first.
func (s *Service) Runs(ctx context.Context, actor ledger.Actor, filter RunFilter) ([]Run, error) {
	if err := actor.Must(filter.Project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var runs []Run
	err := s.View(ctx, func(tx Tx) (err error) {
		runs, err = tx.FindRuns(filter)
		return fault.Wrap(err, "list runs")
	})
	return runs, err
}

// Register adds a model to those of a project within a transaction, with its
// event. Files are sorted, the version is the next of its name. Training calls
// it when an attempt succeeded.
func Register(tx Tx, actor ledger.Actor, m Model) (Model, error) {
	slices.SortFunc(m.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	if err := m.Validate(); err != nil {
		return Model{}, err
	}
	if m.CreatedAt.IsZero() {
		m.CreatedAt = tx.Now()
	}
	m, err := tx.CreateModel(m)
	if err != nil {
		return Model{}, fault.Wrap(err, "create model")
	}
	return m, tx.Record(ledger.Entry{Actor: actor, Project: m.Project, Kind: "model.created",
		Subject: ledger.Subject{Kind: "model", ID: string(m.ID)},
		Payload: map[string]any{"name": m.Name, "version": m.Version, "digest": m.Digest, "files": m.Files, "run": m.Run, "snapshot": m.Snapshot,
			"trained_by": m.TrainedBy, "created_by": m.CreatedBy}})
}

// ModelPage is all that the page of a model shows.
type ModelPage struct {
	Model       Model
	Run         Run // zero for a model made elsewhere
	Snapshot    string
	Sets        []PredictionSet
	Evaluations []EvaluationRecord
	Sources     map[ledger.Digest][]Source // of the answers that an evaluation measures, by its digest
	Comparisons []ComparisonRecord         // in which it is the candidate or the baseline
	Others      map[ModelID]Model          // the models of those comparisons
	Snapshots   map[string]string          // titles by id
}

// ModelPage returns a model with its lineage, predictions and results.
func (s *Service) ModelPage(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref string) (ModelPage, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return ModelPage{}, err
	}
	parsed, err := ParseModelRef(ref)
	if err != nil {
		return ModelPage{}, err
	}
	var page ModelPage
	err = s.View(ctx, func(tx Tx) error {
		page = ModelPage{Others: map[ModelID]Model{}, Sources: map[ledger.Digest][]Source{}, Snapshots: map[string]string{}}
		var err error
		if page.Model, err = modelOf(tx, project, parsed); err != nil {
			return err
		}
		if page.Model.Run != "" {
			if page.Run, err = tx.GetRun(project, page.Model.Run); err != nil && !fault.Is(err, fault.NotFound) {
				return fault.Wrap(err, "find run")
			}
		}
		if page.Sets, err = tx.FindPredictionSets(project, page.Model.ID); err != nil {
			return fault.Wrap(err, "find prediction sets")
		}
		if page.Evaluations, err = tx.FindEvaluations(project, page.Model.ID); err != nil {
			return fault.Wrap(err, "find evaluations")
		}
		if err := page.origins(tx); err != nil {
			return err
		}
		for _, filter := range []ComparisonFilter{{Project: project, Candidate: page.Model.ID}, {Project: project, Baseline: page.Model.ID}} {
			found, err := tx.FindComparisons(filter)
			if err != nil {
				return fault.Wrap(err, "find comparisons")
			}
			page.Comparisons = append(page.Comparisons, found...)
		}
		return page.titles(tx, project)
	})
	return page, err
}

// origins finds whose answers the evaluations measure: an evaluation is named by
// what it was computed from.
func (p *ModelPage) origins(tx Tx) error {
	sets, err := setsOf(tx, p.Model)
	if err != nil {
		return err
	}
	for _, e := range p.Evaluations {
		snapshot, err := tx.Snapshot(e.Snapshot)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return fault.Wrap(err, "find snapshot")
		}
		whole, partial := standing(sets, snapshot, nil)
		choices := append(whole, partial...)
		for _, set := range sets { // also what the server has superseded since
			if set.State == PredictionsReady && set.about(snapshot) {
				choices = append(choices, Choice{set})
			}
		}
		for _, choice := range choices {
			side := contender{p.Model, choice}
			inputs, err := inputsDigest(EvaluationFormat, snapshot, side.subject())
			if err != nil {
				return err
			}
			if inputs == e.Inputs {
				p.Sources[e.Digest] = side.sources()
				break
			}
		}
	}
	return nil
}

// titles finds the names of everything the page refers to.
func (p *ModelPage) titles(tx Tx, project ledger.ProjectID) error {
	if err := snapshotTitle(tx, p.Snapshots, string(p.Model.Snapshot)); err != nil {
		return err
	}
	p.Snapshot = p.Snapshots[string(p.Model.Snapshot)]
	for _, set := range p.Sets {
		if err := snapshotTitle(tx, p.Snapshots, string(set.Snapshot)); err != nil {
			return err
		}
		if err := datasetTitle(tx, p.Snapshots, string(set.Dataset)); err != nil {
			return err
		}
	}
	for _, e := range p.Evaluations {
		if err := snapshotTitle(tx, p.Snapshots, string(e.Snapshot)); err != nil {
			return err
		}
	}
	for _, c := range p.Comparisons {
		if err := snapshotTitle(tx, p.Snapshots, string(c.Snapshot)); err != nil {
			return err
		}
		for _, id := range []ModelID{c.Baseline, c.Candidate} {
			if _, known := p.Others[id]; known {
				continue
			}
			m, err := tx.GetModel(project, id)
			if err != nil {
				return fault.Wrap(err, "find model")
			}
			p.Others[id] = m
		}
	}
	return nil
}
