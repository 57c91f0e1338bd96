package store

import (
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// SaveEvaluation stores an evaluation; the same one again changes nothing.
func (tx *Tx) SaveEvaluation(e compare.EvaluationRecord) error {
	_, err := tx.exec(`INSERT INTO evaluation (digest, inputs, project, model, snapshot, items, accuracy, macro_f1, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		string(e.Digest), string(e.Inputs), string(e.Project), string(e.Model), string(e.Snapshot), e.Items,
		encoded(e.Accuracy), encoded(e.MacroF1), micros(e.CreatedAt))
	return err
}

// FindEvaluations lists the evaluations of a model, newest first; of every model
// of the project if it is empty.
func (tx *Tx) FindEvaluations(project ledger.ProjectID, model compare.ModelID) ([]compare.EvaluationRecord, error) {
	var found []compare.EvaluationRecord
	err := tx.each(`SELECT digest, inputs, project, model, snapshot, items, accuracy, macro_f1, created_at FROM evaluation
		WHERE project = $1 AND (CAST($2 AS TEXT) = '' OR model = $2) ORDER BY created_at DESC, digest LIMIT 500`,
		[]any{string(project), string(model)}, func(scan func(...any) error) error {
			var e compare.EvaluationRecord
			var accuracy, f1 string
			var created int64
			if err := scan(&e.Digest, &e.Inputs, &e.Project, &e.Model, &e.Snapshot, &e.Items, &accuracy, &f1, &created); err != nil {
				return err
			}
			e.CreatedAt = fromMicros(created)
			if err := decoded(accuracy, &e.Accuracy); err != nil {
				return err
			}
			if err := decoded(f1, &e.MacroF1); err != nil {
				return err
			}
			found = append(found, e)
			return nil
		})
	return found, err
}

// SaveComparison stores a comparison; the same one again changes nothing.
func (tx *Tx) SaveComparison(c compare.ComparisonRecord) error {
	_, err := tx.exec(`INSERT INTO comparison (digest, inputs, project, baseline, candidate, snapshot, items, verdict, difference, p, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
		string(c.Digest), string(c.Inputs), string(c.Project), string(c.Baseline), string(c.Candidate), string(c.Snapshot), c.Items,
		string(c.Verdict), encoded(c.Difference), float64(c.P), string(c.CreatedBy), micros(c.CreatedAt))
	return err
}

// FindComparisons lists comparisons, newest first.
func (tx *Tx) FindComparisons(f compare.ComparisonFilter) ([]compare.ComparisonRecord, error) {
	return tx.findComparisons(`(CAST($2 AS TEXT) = '' OR baseline = $2) AND (CAST($3 AS TEXT) = '' OR candidate = $3)
		AND (CAST($4 AS TEXT) = '' OR snapshot = $4) AND (CAST($5 AS TEXT) = '' OR digest = $5)
		ORDER BY created_at DESC, digest LIMIT $6`,
		string(f.Project), string(f.Baseline), string(f.Candidate), string(f.Snapshot), string(f.Digest), limit(f.Limit))
}

// FindComparisonsOf lists all comparisons of models of a project by their digests,
// newest first, also of models in the trash.
func (tx *Tx) FindComparisonsOf(project ledger.ProjectID, baseline, candidate ledger.Digest) ([]compare.ComparisonRecord, error) {
	const of = ` IN (SELECT id FROM model WHERE project = $1 AND digest <> '' AND digest = `
	return tx.findComparisons(`baseline`+of+`$2) AND candidate`+of+`$3) ORDER BY created_at DESC, digest`,
		string(project), string(baseline), string(candidate))
}

// findComparisons lists comparisons of the project that is the first argument.
func (tx *Tx) findComparisons(where string, args ...any) ([]compare.ComparisonRecord, error) {
	var found []compare.ComparisonRecord
	err := tx.each(`SELECT digest, inputs, project, baseline, candidate, snapshot, items, verdict, difference, p, created_by, created_at FROM `+visible("comparison", "project", "digest")+` comparison
		WHERE project = $1 AND `+where, args,
		func(scan func(...any) error) error {
			var c compare.ComparisonRecord
			var difference string
			var p float64
			var created int64
			if err := scan(&c.Digest, &c.Inputs, &c.Project, &c.Baseline, &c.Candidate, &c.Snapshot, &c.Items, &c.Verdict, &difference, &p,
				&c.CreatedBy, &created); err != nil {
				return err
			}
			c.CreatedAt, c.P = fromMicros(created), compare.Number(p)
			if err := decoded(difference, &c.Difference); err != nil {
				return err
			}
			found = append(found, c)
			return nil
		})
	return found, err
}
