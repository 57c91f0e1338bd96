package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Covers reports whether a checkpoint that a key of this installation signed
// stands in the history at an event or behind it: from then on nobody can cut or
// rewrite that event by the database alone. It looks at the newest checkpoint of
// the file beside the data and at the newest of the database, for with several
// servers each has a file of its own. It returns Conflict where the history does
// not hold one of them.
func (k *Keeper) Covers(ctx context.Context, seq int64) (bool, error) {
	var known []ledger.Checkpoint
	if err := k.View(ctx, func(tx Tx) (err error) {
		known, err = tx.LastCheckpoints(1)
		return err
	}); err != nil {
		return false, err
	}
	path := filepath.Join(k.Dir, File)
	if _, err := os.Stat(path); err == nil {
		list, err := Read(path)
		if err != nil {
			return false, err
		}
		// One that another server on this database made may have come between.
		known = append(known, slices.MaxFunc(list, func(a, b ledger.Checkpoint) int { return cmp.Compare(a.Seq, b.Seq) }))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false, fault.As(fault.Unavailable, err, "The file of checkpoints %s cannot be read.", path)
	}
	covered := false
	for _, c := range known {
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
	return covered, nil
}
