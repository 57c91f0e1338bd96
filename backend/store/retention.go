package store

import (
	"time"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Retentions lists what was set.
func (tx *Tx) Retentions() (list []erasure.Retention, err error) {
	err = tx.each(`SELECT kind, days, person, at FROM retention ORDER BY kind`, nil, func(scan func(...any) error) error {
		var r erasure.Retention
		var at int64
		err := scan(&r.Kind, &r.Days, &r.Person, &at)
		r.At = fromMicros(at)
		list = append(list, r)
		return err
	})
	return list, err
}

// SetRetention sets for how many days a kind of record is kept.
func (tx *Tx) SetRetention(r erasure.Retention) error {
	_, err := tx.exec(`INSERT INTO retention (kind, days, person, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (kind) DO UPDATE SET days = excluded.days, person = excluded.person, at = excluded.at`, string(r.Kind), r.Days, string(r.Person), micros(r.At))
	return err
}

// Conditions under which a legal hold keeps a record of the table r.
const (
	personHeld  = ` AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.kind = 'person' AND h.subject = r.person)`
	projectHeld = ` AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.kind = 'project' AND h.subject = r.project)`
)

// expiring are the statements that remove a kind of record: $1 is the time before
// which it ended, $2 how many at most.
var expiring = map[erasure.Retained][]string{
	erasure.RetainDrafts: {`DELETE FROM draft WHERE (person, project, item) IN (SELECT r.person, r.project, r.item FROM draft r WHERE r.at < $1` + personHeld + projectHeld + `
		AND NOT EXISTS (SELECT 1 FROM item i JOIN legal_hold h ON h.kind = 'dataset' AND h.subject = i.dataset WHERE i.id = r.item) LIMIT $2)`},
	erasure.RetainPresence: {
		`DELETE FROM task_page WHERE page IN (SELECT r.page FROM task_page r WHERE r.beat < $1 LIMIT $2)`,
		`DELETE FROM dataset_view WHERE (person, dataset, hour) IN (SELECT r.person, r.dataset, r.hour FROM dataset_view r WHERE r.hour < $1 LIMIT $2)`,
	},
	erasure.RetainLooks: {
		`DELETE FROM look WHERE (person, project, kind, thing, digest, at) IN (SELECT r.person, r.project, r.kind, r.thing, r.digest, r.at FROM look r WHERE r.at < $1` + personHeld + projectHeld + ` LIMIT $2)`,
		`DELETE FROM look_item WHERE (person, project, comparison, item) IN (SELECT r.person, r.project, r.comparison, r.item FROM look_item r WHERE r.at < $1` + personHeld + projectHeld + ` LIMIT $2)`,
	},
	erasure.RetainLogins: {`DELETE FROM login WHERE id IN (SELECT r.id FROM login r WHERE r.expires_at < $1` + personHeld + ` LIMIT $2)`},
	erasure.RetainLinks:  {`DELETE FROM link WHERE hash IN (SELECT r.hash FROM link r WHERE r.expires_at < $1` + personHeld + ` LIMIT $2)`},
	erasure.RetainTokens: {`DELETE FROM token WHERE id IN (SELECT r.id FROM token r WHERE (r.expires_at > 0 AND r.expires_at < $1 OR r.revoked_at > 0 AND r.revoked_at < $1)` + personHeld + ` LIMIT $2)`},
	erasure.RetainLogs: {`DELETE FROM training_log WHERE (fence, start) IN (SELECT l.fence, l.start FROM training_log l JOIN training_attempt a ON a.fence = l.fence JOIN training_job r ON r.id = a.job
		WHERE a.ended_at > 0 AND a.ended_at < $1` + projectHeld + `
		AND NOT EXISTS (SELECT 1 FROM model m JOIN candidate c ON c.model = m.id JOIN attestation s ON s.candidate = c.id WHERE m.run = r.run) LIMIT $2)`},
}

// Expire removes records that were kept long enough.
func (tx *Tx) Expire(kind erasure.Retained, before time.Time, most int) (int64, []ledger.Digest, error) {
	if kind == erasure.RetainUploads {
		return tx.expireUploads(before, most)
	}
	var total int64
	for _, statement := range expiring[kind] {
		n, err := tx.exec(statement, micros(before), most)
		if err != nil {
			return 0, nil, err
		}
		total += n
	}
	if kind == erasure.RetainLogs && total > 0 {
		// A log without its pieces is no log: the page says that there is none.
		if _, err := tx.exec(`UPDATE training_attempt SET log_bytes = 0 WHERE ended_at > 0 AND ended_at < $1 AND log_bytes > 0
			AND NOT EXISTS (SELECT 1 FROM training_log l WHERE l.fence = training_attempt.fence)`, micros(before)); err != nil {
			return 0, nil, err
		}
	}
	return total, nil, nil
}

func (tx *Tx) expireUploads(before time.Time, most int) (int64, []ledger.Digest, error) {
	const due = ` FROM import r WHERE r.blob <> '' AND (r.finished_at > 0 AND r.finished_at < $1 OR r.state = 'uploaded' AND r.created_at < $1)` + projectHeld + `
		AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.kind = 'dataset' AND h.subject = r.dataset) ORDER BY r.id LIMIT $2`
	files, err := tx.texts(`SELECT r.blob`+due, micros(before), most)
	if err != nil || len(files) == 0 {
		return 0, nil, err
	}
	n, err := tx.exec(`UPDATE import SET blob = '' WHERE id IN (SELECT r.id`+due+`)`, micros(before), most)
	return n, digests(files), fault.Wrap(err, "forget uploads")
}
