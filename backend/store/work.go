package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/work"
)

var _ work.Enqueuer = (*Tx)(nil)
var _ work.Queue = (*Store)(nil)

// Enqueue writes an order for follow-up work in this transaction.
func (tx *Tx) Enqueue(order work.Order) error {
	payload, err := json.Marshal(order.Payload)
	if err != nil {
		return fmt.Errorf("encode work of kind %s: %w", order.Kind, err)
	}
	due := order.NotBefore
	if due.IsZero() {
		due = tx.Now()
	}
	_, err = tx.exec(`INSERT INTO work (kind, key, payload, due, lease, tries, reason)
		VALUES ($1, $2, $3, $4, 0, 0, '') ON CONFLICT DO NOTHING`, order.Kind, order.Key, string(payload), micros(due))
	tx.work = true
	return fault.Wrap(err, "enqueue work")
}

// ClaimWork leases the oldest row that is due.
func (s *Store) ClaimWork(ctx context.Context, now, until time.Time) (work.Row, bool, error) {
	var row work.Row
	var found bool
	// An idle server asks often, so it asks without writing first.
	err := s.View(ctx, func(tx *Tx) (err error) {
		found, err = tx.exists(`SELECT id FROM work WHERE due > 0 AND due <= $1 AND lease <= $1 LIMIT 1`, micros(now))
		return err
	})
	if err != nil || !found {
		return row, false, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		row, found = work.Row{}, false
		var payload string
		err := tx.one([]any{&row.ID, &row.Kind, &payload, &row.Tries}, `UPDATE work SET lease = $2, tries = tries + 1
			WHERE id = (SELECT id FROM work WHERE due > 0 AND due <= $1 AND lease <= $1 ORDER BY due, id LIMIT 1)
			RETURNING id, kind, payload, tries`, micros(now), micros(until))
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		row.Payload, found = json.RawMessage(payload), err == nil
		return fault.Wrap(err, "claim work")
	})
	return row, found, err
}

// ExtendWork renews the lease of a row.
func (s *Store) ExtendWork(ctx context.Context, id int64, until time.Time) error {
	return s.Update(ctx, func(tx *Tx) error {
		_, err := tx.exec(`UPDATE work SET lease = $2 WHERE id = $1`, id, micros(until))
		return fault.Wrap(err, "renew work")
	})
}

// FinishWork removes a row that was carried out.
func (s *Store) FinishWork(ctx context.Context, id int64) error {
	return s.Update(ctx, func(tx *Tx) error {
		_, err := tx.exec(`DELETE FROM work WHERE id = $1`, id)
		return fault.Wrap(err, "finish work")
	})
}

// DeferWork gives a row back until a later time; a zero time parks it for good.
func (s *Store) DeferWork(ctx context.Context, id int64, until time.Time, reason string) error {
	return s.Update(ctx, func(tx *Tx) error {
		_, err := tx.exec(`UPDATE work SET due = $2, lease = 0, reason = $3 WHERE id = $1`, id, micros(until), reason)
		return fault.Wrap(err, "defer work")
	})
}
