package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

const annotationColumns = `SELECT id, project, dataset, item, person, kind, class, reason, suggestion, score, untouched, extra,
	seen_ms, state, at FROM annotation `

func (tx *Tx) annotations(where string, args ...any) ([]labeling.Annotation, error) {
	var found []labeling.Annotation
	err := tx.each(annotationColumns+where, args, func(scan func(...any) error) error {
		var a labeling.Annotation
		var seen, at int64
		err := scan(&a.ID, &a.Project, &a.Dataset, &a.Item, &a.Person, &a.Kind, &a.Class, &a.Reason, &a.Suggestion, &a.Score,
			&a.Untouched, &a.Extra, &seen, &a.State, &at)
		a.Seen, a.At = time.Duration(seen)*time.Millisecond, fromMicros(at)
		found = append(found, a)
		return err
	})
	return found, err
}

// CreateAnnotation adds an annotation and counts it for its person.
func (tx *Tx) CreateAnnotation(a labeling.Annotation) error {
	if err := tx.later(`INSERT INTO annotation (id, project, dataset, item, person, kind, class, reason, suggestion, score, untouched, extra, seen_ms, state, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		string(a.ID), string(a.Project), string(a.Dataset), string(a.Item), string(a.Person), string(a.Kind), string(a.Class), a.Reason,
		string(a.Suggestion), a.Score, a.Untouched, a.Extra, a.Seen.Milliseconds(), string(a.State), micros(a.At)); err != nil {
		return err
	}
	return tx.countAnswer(a, a.State, 1)
}

// countAnswer keeps how much a person has answered; a skip is no answer.
func (tx *Tx) countAnswer(a labeling.Annotation, state labeling.AnnotationState, total int64) error {
	if !a.Answers() {
		return nil
	}
	active := int64(-1)
	if state == labeling.AnnotationActive {
		active = 1
	}
	return tx.countAnswers(a, active, total)
}

// countAnswers adds to the answers that are counted like one.
func (tx *Tx) countAnswers(like labeling.Annotation, active, total int64) error {
	imported := int64(0)
	if like.Kind == labeling.KindImport {
		imported = active
	}
	err := tx.later(`INSERT INTO answer_count (project, person, dataset, class, active, imported, total) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (project, person, dataset, class) DO UPDATE SET active = answer_count.active + excluded.active,
			imported = answer_count.imported + excluded.imported, total = answer_count.total + excluded.total`,
		string(like.Project), string(like.Person), string(like.Dataset), string(like.Class), active, imported, total)
	return fault.Wrap(err, "count answers")
}

// Annotation returns an annotation by id.
func (tx *Tx) Annotation(id labeling.AnnotationID) (labeling.Annotation, error) {
	found, err := tx.annotations(`WHERE id = $1`, string(id))
	if err == nil && len(found) == 0 {
		return labeling.Annotation{}, fault.New(fault.NotFound, "There is no such annotation.")
	}
	if err != nil {
		return labeling.Annotation{}, err
	}
	return found[0], nil
}

// AnnotationsOf returns the active annotations of an item, oldest first.
func (tx *Tx) AnnotationsOf(item labeling.ItemID) ([]labeling.Annotation, error) {
	return tx.annotations(`WHERE item = $1 AND state = 'active' ORDER BY at, id`, string(item))
}

// AllAnnotationsOf returns the annotations of an item in every state, oldest first.
func (tx *Tx) AllAnnotationsOf(item labeling.ItemID) ([]labeling.Annotation, error) {
	return tx.annotations(`WHERE item = $1 ORDER BY at, id`, string(item))
}

// SetAnnotationState changes whether an annotation counts.
func (tx *Tx) SetAnnotationState(id labeling.AnnotationID, state labeling.AnnotationState) error {
	a, err := tx.Annotation(id)
	if err != nil || a.State == state {
		return err
	}
	if err := tx.mustExec(`UPDATE annotation SET state = $2 WHERE id = $1`, string(id), string(state)); err != nil {
		return err
	}
	if a.State != labeling.AnnotationActive && state != labeling.AnnotationActive {
		return nil // counted as gone already
	}
	return tx.countAnswer(a, state, 0)
}

// AnswersBy counts the active answers of a person, without those they imported.
func (tx *Tx) AnswersBy(person ledger.PersonID, project labeling.ProjectID, dataset labeling.DatasetID) (int64, error) {
	var n int64
	err := tx.one([]any{&n}, `SELECT CAST(COALESCE(SUM(active - imported), 0) AS BIGINT) FROM answer_count
		WHERE project = $1 AND person = $2 AND (CAST($3 AS TEXT) = '' OR dataset = $3)`, string(project), string(person), string(dataset))
	return n, err
}

// SaidTwice returns the answers to items that more than one person judged.
func (tx *Tx) SaidTwice(project labeling.ProjectID, latest int) ([]labeling.Said, error) {
	var found []labeling.Said
	err := tx.each(`WITH latest AS (SELECT item FROM annotation WHERE project = $1 AND kind = 'answer' AND state = 'active' ORDER BY at DESC LIMIT $2),
		twice AS (SELECT a.item FROM annotation a WHERE a.item IN (SELECT item FROM latest) AND a.kind = 'answer' AND a.state = 'active'
			GROUP BY a.item HAVING COUNT(*) > 1)
		SELECT a.item, a.person, a.class FROM annotation a JOIN twice t ON t.item = a.item
		WHERE a.kind = 'answer' AND a.state = 'active' ORDER BY a.item, a.at, a.id`,
		[]any{string(project), latest}, func(scan func(...any) error) error {
			var s labeling.Said
			err := scan(&s.Item, &s.Person, &s.Class)
			found = append(found, s)
			return err
		})
	return found, err
}

// AnswersByDay counts the active answers of people since a time, by day.
func (tx *Tx) AnswersByDay(project labeling.ProjectID, since time.Time) (map[int64]int64, error) {
	days := map[int64]int64{}
	err := tx.each(`SELECT at / 86400000000, COUNT(*) FROM annotation
		WHERE project = $1 AND at >= $2 AND kind = 'answer' AND state = 'active' GROUP BY at / 86400000000`,
		[]any{string(project), micros(since)}, func(scan func(...any) error) error {
			var day, n int64
			err := scan(&day, &n)
			days[day] = n
			return err
		})
	return days, err
}
