package store

import (
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

// SaveMeasurement replaces the measurement of the same candidate, baseline and snapshot.
func (tx *Tx) SaveMeasurement(m review.Measurement) error {
	_, err := tx.exec(`INSERT INTO measurement (candidate, baseline, snapshot, state, reason, digest, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (candidate, baseline, snapshot) DO UPDATE SET state = excluded.state, reason = excluded.reason, digest = excluded.digest, changed_at = excluded.changed_at`,
		string(m.Candidate), string(m.Baseline), string(m.Snapshot), string(m.State), m.Reason, string(m.Digest), micros(m.At))
	return fault.Wrap(err, "store a measurement")
}

// FindMeasurements lists the measurements of a candidate with a baseline.
func (tx *Tx) FindMeasurements(candidate review.CandidateID, baseline ledger.Digest) ([]review.Measurement, error) {
	var found []review.Measurement
	err := tx.each(`SELECT candidate, baseline, snapshot, state, reason, digest, changed_at FROM measurement
		WHERE candidate = $1 AND baseline = $2 ORDER BY snapshot`,
		[]any{string(candidate), string(baseline)}, func(scan func(...any) error) error {
			var m review.Measurement
			var at int64
			err := scan(&m.Candidate, &m.Baseline, &m.Snapshot, &m.State, &m.Reason, &m.Digest, &at)
			m.At = fromMicros(at)
			found = append(found, m)
			return err
		})
	return found, fault.Wrap(err, "find measurements")
}
