package store

import (
	"context"

	"github.com/adjudge/adjudge/backend/fault"
)

// Fact returns what is known about this installation under a name, "" if nothing.
func (s *Store) Fact(ctx context.Context, name string) (value string, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		err := tx.one([]any{&value}, `SELECT value FROM meta WHERE key = $1`, name)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		return err
	})
	return value, fault.Wrap(err, "read a fact about the installation")
}

// SettleFact writes down a fact unless one stands there already, and returns the
// one that holds: of several servers that start at once the first decides.
func (s *Store) SettleFact(ctx context.Context, name, value string) (string, error) {
	held, err := s.Fact(ctx, name)
	if err != nil || held != "" {
		return held, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		if _, err := tx.exec(`INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING`, name, value); err != nil {
			return err
		}
		return tx.one([]any{&held}, `SELECT value FROM meta WHERE key = $1`, name)
	})
	return held, fault.Wrap(err, "write down a fact about the installation")
}

// ForgetFact removes a fact, so that the next that is settled holds.
func (s *Store) ForgetFact(ctx context.Context, name string) error {
	return fault.Wrap(s.Update(ctx, func(tx *Tx) error {
		_, err := tx.exec(`DELETE FROM meta WHERE key = $1`, name)
		return err
	}), "forget a fact about the installation")
}

// Shared reports whether other servers may work on the same database.
func (s *Store) Shared() bool { return s.peers != nil }
