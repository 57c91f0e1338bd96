package checkpoint

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// CheckNow holds every checkpoint of the file beside the data against the
// history, and asks to push what a witness lacks. Only an admin of the
// installation may ask.
func (k *Keeper) CheckNow(ctx context.Context, actor ledger.Actor) (ledger.Checked, error) {
	var done ledger.Checked
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return done, err
	}
	list, err := k.own()
	if err == nil && len(list) == 0 {
		err = fault.New(fault.Invalid, "There is no file of checkpoints on this server yet.")
	}
	if err != nil {
		return done, err
	}
	for _, c := range list {
		hash, length, err := k.EventHash(ctx, c.Seq)
		if err != nil {
			return done, err
		}
		done.Events = length
		if wrong := Check(c, k.Key, length, hash); wrong != nil {
			done.Problems = append(done.Problems, fault.Message(wrong))
			continue
		}
		done.Held++
	}
	done.At = k.Now().UTC().Truncate(time.Second)
	return done, k.Update(ctx, k.enqueuePush)
}

// EventTaken is the kind of the event that says that somebody took the checkpoints.
const EventTaken = "checkpoint.exported"

// Take returns the file of checkpoints, as doctor reads it, for an admin to keep
// elsewhere; that they took it stands in the history.
func (k *Keeper) Take(ctx context.Context, actor ledger.Actor) ([]byte, error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(k.Dir, File))
	if err != nil {
		return nil, fault.As(fault.Unavailable, err, "There is no file of checkpoints on this server yet.")
	}
	raw = raw[:whole(raw)] // a line may be coming
	return raw, k.Update(ctx, func(tx Tx) error {
		return tx.Record(ledger.Entry{Actor: actor, Kind: EventTaken, Subject: ledger.Subject{Kind: "history"}})
	})
}

// MakeNow makes a checkpoint at once, for an admin of the installation.
func (k *Keeper) MakeNow(ctx context.Context, actor ledger.Actor) (ledger.Checkpoint, error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return ledger.Checkpoint{}, err
	}
	return k.Make(ctx, "by hand")
}
