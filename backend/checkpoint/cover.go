package checkpoint

import (
	"context"
	"errors"
	"slices"

	"github.com/adjudge/adjudge/backend/ledger"
)

// Covers reports whether a checkpoint that a key of this installation signed
// stands in the history at an event or behind it: from then on nobody can cut or
// rewrite that event by the database alone. It looks at the newest checkpoint of
// the file beside the data and at the newest of the database, for with several
// servers another may have made it; see Follow. It returns Conflict where the
// history does not hold one of them. That one could not be put into the file, as
// on a full disk, says nothing about the history; Follow tells of it.
func (k *Keeper) Covers(ctx context.Context, seq int64) (bool, error) {
	newest, kept, err := k.known(ctx)
	if err != nil {
		return false, err
	}
	covered := false
	for _, c := range append(newest, kept...) {
		hash, length, err := k.EventHash(ctx, c.Seq)
		if err != nil {
			return false, err
		}
		if err := c.Check(length, hash); err != nil {
			return false, err
		}
		// What a key signed that is none of ours shows nothing.
		covered = covered || c.Seq >= seq && Check(c, k.Key, length, hash) == nil
	}
	if err := k.follow(ctx, newest, kept); err != nil && !errors.Is(err, errNotKept) {
		return false, err
	}
	return covered, nil
}

// Follow puts the newest checkpoint of the database into the file beside the data,
// where another server on this database made it: whoever can write to the database
// could else take that checkpoint out together with what it covers, and a server
// that starts afterwards would miss nothing.
func (k *Keeper) Follow(ctx context.Context) error {
	newest, kept, err := k.known(ctx)
	if err != nil {
		return err
	}
	return k.follow(ctx, newest, kept)
}

func (k *Keeper) follow(ctx context.Context, newest, kept []ledger.Checkpoint) error {
	for _, c := range newest {
		if slices.ContainsFunc(kept, func(own ledger.Checkpoint) bool { return own.Seq >= c.Seq }) {
			continue
		}
		hash, length, err := k.EventHash(ctx, c.Seq)
		if err != nil {
			return err
		}
		if Check(c, k.Key, length, hash) != nil {
			continue // it is told where it is asked for
		}
		if err := k.keepNewer(c); err != nil {
			return err
		}
	}
	return nil
}

// known returns the newest checkpoint of the database and the newest of the file
// beside the data, each where there is one.
func (k *Keeper) known(ctx context.Context) (newest, kept []ledger.Checkpoint, err error) {
	var rows []ledger.Checkpoint
	if err := k.View(ctx, func(tx Tx) (err error) {
		rows, err = tx.LastCheckpoints(1)
		return err
	}); err != nil {
		return nil, nil, err
	}
	for _, row := range rows {
		// Only what was signed counts, whatever stands in the columns beside it.
		if c, err := ledger.ReadCheckpoint(row.Envelope); err == nil {
			newest = append(newest, c)
		}
	}
	kept, err = k.newestOwn()
	return newest, kept, err
}
