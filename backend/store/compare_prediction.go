package store

import (
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

const predictionColumns = `id, project, model, snapshot, dataset, state, keys_digest, digest, rows, report, version, origin, job, attempt, created_by, created_at`

// CreatePredictionSet stores a set under its id and gives it the next version of
// its model on the same snapshot or dataset.
func (tx *Tx) CreatePredictionSet(s compare.PredictionSet) (compare.PredictionSet, error) {
	if err := tx.one([]any{&s.Version}, `SELECT COALESCE(MAX(version), 0) + 1 FROM prediction_set WHERE project = $1 AND model = $2 AND snapshot = $3 AND dataset = $4`,
		string(s.Project), string(s.Model), string(s.Snapshot), string(s.Dataset)); err != nil {
		return s, err
	}
	_, err := tx.exec(`INSERT INTO prediction_set (`+predictionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		string(s.ID), string(s.Project), string(s.Model), string(s.Snapshot), string(s.Dataset), string(s.State), string(s.KeysDigest),
		string(s.Digest), s.Rows, encoded(s.Report), s.Version, string(s.Origin), s.Job, s.Attempt, string(s.CreatedBy), micros(s.CreatedAt))
	if err != nil {
		return s, err
	}
	var digest string
	if err := tx.one([]any{&digest}, `SELECT digest FROM model WHERE id = $1`, string(s.Model)); err != nil {
		return s, err
	}
	return s, tx.made(ledger.Digest(digest), s.CreatedBy, compare.MadeUploaded, s.Project, string(s.Model))
}

// UpdatePredictionSet replaces state, digests, rows and report of a set.
func (tx *Tx) UpdatePredictionSet(s compare.PredictionSet) error {
	return tx.mustExec(`UPDATE prediction_set SET state = $1, keys_digest = $2, digest = $3, rows = $4, report = $5 WHERE id = $6 AND project = $7`,
		string(s.State), string(s.KeysDigest), string(s.Digest), s.Rows, encoded(s.Report), string(s.ID), string(s.Project))
}

// GetPredictionSet returns NotFound for an id that the project does not have.
func (tx *Tx) GetPredictionSet(project ledger.ProjectID, id compare.PredictionSetID) (compare.PredictionSet, error) {
	return only(tx.findPredictionSets(`WHERE s.project = $1 AND s.id = $2`, string(project), string(id)))("prediction set")
}

// FindPredictionSets lists the sets of a model, newest first.
func (tx *Tx) FindPredictionSets(project ledger.ProjectID, model compare.ModelID) ([]compare.PredictionSet, error) {
	return tx.findPredictionSets(`WHERE s.project = $1 AND s.model = $2 ORDER BY s.id DESC`, string(project), string(model))
}

// WithdrawPredictionSet notes who withdrew a set, when and why.
func (tx *Tx) WithdrawPredictionSet(project ledger.ProjectID, id compare.PredictionSetID, w compare.Withdrawal) error {
	return tx.mustExec(`UPDATE prediction_set SET withdrawn_by = $1, withdrawn_at = $2, withdrawn_reason = $3 WHERE project = $4 AND id = $5`,
		string(w.By), micros(w.At), w.Reason, string(project), string(id))
}

// FindPredictionSetsOf lists the sets of every model of a project with a digest,
// newest first, also of those in the trash.
func (tx *Tx) FindPredictionSetsOf(project ledger.ProjectID, digest ledger.Digest) ([]compare.PredictionSet, error) {
	return tx.findPredictionSets(`WHERE s.project = $1 AND s.model IN (SELECT id FROM model WHERE project = $1 AND digest = $2 AND digest <> '') ORDER BY s.id DESC`,
		string(project), string(digest))
}

// SaveAnswerGap notes that some sets together do not answer every item of a
// snapshot; the same again changes nothing.
func (tx *Tx) SaveAnswerGap(snapshot labeling.SnapshotID, sets ledger.Digest) error {
	_, err := tx.exec(`INSERT INTO answer_gap (snapshot, sets) VALUES ($1, $2) ON CONFLICT DO NOTHING`, string(snapshot), string(sets))
	return fault.Wrap(err, "note a gap")
}

// FindAnswerGaps lists which sets together do not answer every item of a snapshot.
func (tx *Tx) FindAnswerGaps(snapshot labeling.SnapshotID) ([]ledger.Digest, error) {
	all, err := tx.texts(`SELECT sets FROM answer_gap WHERE snapshot = $1 ORDER BY sets`, string(snapshot))
	return digests(all), err
}

func (tx *Tx) findPredictionSets(where string, args ...any) ([]compare.PredictionSet, error) {
	var found []compare.PredictionSet
	err := tx.each(`SELECT s.id, s.project, s.model, s.snapshot, s.dataset, s.state, s.keys_digest, s.digest, s.rows, s.report, s.version, s.origin, s.job, s.attempt,
		s.created_by, COALESCE(p.name, ''), s.created_at, s.withdrawn_by, COALESCE(w.name, ''), s.withdrawn_at, s.withdrawn_reason
		FROM prediction_set s LEFT JOIN person p ON p.id = s.created_by LEFT JOIN person w ON w.id = s.withdrawn_by `+where, args, func(scan func(...any) error) error {
		var s compare.PredictionSet
		var report string
		var created, withdrawn int64
		if err := scan(&s.ID, &s.Project, &s.Model, &s.Snapshot, &s.Dataset, &s.State, &s.KeysDigest, &s.Digest, &s.Rows, &report,
			&s.Version, &s.Origin, &s.Job, &s.Attempt, &s.CreatedBy, &s.By, &created,
			&s.Withdrawn.By, &s.Withdrawn.Name, &withdrawn, &s.Withdrawn.Reason); err != nil {
			return err
		}
		s.CreatedAt, s.Withdrawn.At = fromMicros(created), fromMicros(withdrawn)
		if err := decoded(report, &s.Report); err != nil {
			return err
		}
		found = append(found, s)
		return nil
	})
	return found, err
}

// SuggestAnswers copies answers of a model to the items of a dataset as their
// newest suggestion and returns how many items took one.
func (tx *Tx) SuggestAnswers(dataset labeling.DatasetID, model compare.ModelID, answers []compare.Suggestion) (int, error) {
	taken := 0
	for _, a := range answers {
		n, err := tx.exec(`UPDATE item SET model = $3, model_label = $4, model_score = $5, uncertainty = $6 WHERE seq = (SELECT k.item FROM item_key k WHERE`+keyed+`)`,
			string(dataset), a.Key, string(model), string(a.Class), known(a.Score), known(a.Uncertainty))
		if err != nil {
			return taken, err
		}
		taken += int(n)
	}
	return taken, nil
}

// known stores what a model did not say as nothing rather than as a number.
func known(score float64) *float64 {
	if score < 0 {
		return nil
	}
	return &score
}

// ItemTexts returns items by key with the beginnings of their texts, of whichever
// of the datasets has it; keys without an item are missing.
func (tx *Tx) ItemTexts(datasets []labeling.DatasetID, keys []string) (map[string]compare.ItemText, error) {
	found := make(map[string]compare.ItemText, len(keys))
	for _, key := range keys {
		for _, dataset := range datasets {
			var item compare.ItemText
			err := tx.one([]any{&item.ID, &item.Text}, `SELECT i.id, substr(i.text, 1, $3) FROM item_key k JOIN item i ON i.seq = k.item WHERE`+keyed, string(dataset), key, ledger.MostExcerpt+1)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			item.Text, item.Cut = ledger.Excerpt(item.Text)
			found[key] = item
			break
		}
	}
	return found, nil
}
