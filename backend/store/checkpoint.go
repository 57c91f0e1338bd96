package store

import (
	"context"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// SaveCheckpoint adds a checkpoint; one of the same moment stays.
func (tx *Tx) SaveCheckpoint(c ledger.Checkpoint) error {
	_, err := tx.exec(`INSERT INTO checkpoint (made_at, seq, hash, installation, reason, key, envelope) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		micros(c.At), c.Seq, string(c.Hash), c.Installation, c.Reason, c.Key, string(c.Envelope))
	return fault.Wrap(err, "keep a checkpoint")
}

// Checkpoints returns those made after a moment, oldest first.
func (tx *Tx) Checkpoints(after time.Time) ([]ledger.Checkpoint, error) {
	return tx.checkpoints(`WHERE made_at > $1 ORDER BY made_at LIMIT 1000`, micros(after))
}

// LastCheckpoints returns the newest, newest first.
func (tx *Tx) LastCheckpoints(limit int) ([]ledger.Checkpoint, error) {
	return tx.checkpoints(`ORDER BY made_at DESC LIMIT $1`, limit)
}

func (tx *Tx) checkpoints(where string, args ...any) ([]ledger.Checkpoint, error) {
	var found []ledger.Checkpoint
	err := tx.each(`SELECT made_at, seq, hash, installation, reason, key, envelope FROM checkpoint `+where, args, func(scan func(...any) error) error {
		var c ledger.Checkpoint
		var at int64
		var envelope string
		if err := scan(&at, &c.Seq, &c.Hash, &c.Installation, &c.Reason, &c.Key, &envelope); err != nil {
			return err
		}
		c.At, c.Envelope = fromMicros(at), []byte(envelope)
		found = append(found, c)
		return nil
	})
	return found, fault.Wrap(err, "read the checkpoints")
}

// Witnesses returns what is known of every witness that was ever pushed to.
func (tx *Tx) Witnesses() ([]ledger.Witness, error) {
	var found []ledger.Witness
	err := tx.each(`SELECT name, last, pushed_at, failed_at, reason, holder, held_until FROM witness ORDER BY name`, nil, func(scan func(...any) error) error {
		var w ledger.Witness
		var last, pushed, failed, held int64
		if err := scan(&w.Name, &last, &pushed, &failed, &w.Reason, &w.Holder, &held); err != nil {
			return err
		}
		w.Last, w.Pushed, w.Failed, w.HeldUntil = fromMicros(last), fromMicros(pushed), fromMicros(failed), fromMicros(held)
		found = append(found, w)
		return nil
	})
	return found, fault.Wrap(err, "read the witnesses")
}

// SaveWitness writes what is known of a witness.
func (tx *Tx) SaveWitness(w ledger.Witness) error {
	_, err := tx.exec(`INSERT INTO witness (name, last, pushed_at, failed_at, reason, holder, held_until) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (name) DO UPDATE SET last = $2, pushed_at = $3, failed_at = $4, reason = $5, holder = $6, held_until = $7`,
		w.Name, micros(w.Last), micros(w.Pushed), micros(w.Failed), w.Reason, w.Holder, micros(w.HeldUntil))
	return fault.Wrap(err, "write down a witness")
}

// EventHash returns the hash of an event, and how many events there are. The
// hash is empty where there is no such event.
func (s *Store) EventHash(ctx context.Context, seq int64) (hash ledger.Digest, length int64, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		hash = ""
		if err := tx.one([]any{&length}, `SELECT COALESCE(MAX(seq), 0) FROM event`); err != nil {
			return err
		}
		if err := tx.one([]any{&hash}, `SELECT hash FROM event WHERE seq = $1`, seq); !fault.Is(err, fault.NotFound) {
			return err
		}
		return nil
	})
	return hash, length, fault.Wrap(err, "look for an event")
}
