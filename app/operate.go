package app

import (
	"context"
	"io"
	"time"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/meter"
	"github.com/adjudge/adjudge/backend/store"
)

// leastFree is how much room the disk of the data directory must have for the
// server to call itself ready, in bytes.
const leastFree = 64 << 20

// ready reports whether the database, the files and the disk are as they must
// be. The schema is: a server that could not bring it up to date does not start.
func (h *house) ready(ctx context.Context) error {
	err := h.store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.Projects()
		return err
	})
	if err != nil {
		return fault.As(fault.Unavailable, err, "The database does not answer.")
	}
	if err := h.blobs.Ready(ctx); err != nil {
		return err
	}
	if free := freeBytes(h.data.path); free >= 0 && free < leastFree {
		return fault.New(fault.Unavailable, "The disk of the data directory is full: %.0f MB are left. Free some space.", free/(1<<20))
	}
	return nil
}

// readMeter looks at what operators watch.
func (h *house) readMeter(ctx context.Context) (meter.Reading, bool) {
	now := meter.Reading{Sockets: h.hub.Viewers(), FreeBytes: freeBytes(h.data.path)}
	pulse, err := h.store.Pulse(ctx)
	now.Waiting, now.Running, now.Parked, now.Lag, now.Jobs = pulse.Waiting, pulse.Running, pulse.Parked, pulse.Lag, pulse.Jobs
	return now, err == nil
}

// tidyUploads removes what interrupted uploads left, now and once an hour.
func (h *house) tidyUploads(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		removed, err := h.blobs.Tidy(time.Now().Add(-blob.Abandoned))
		if err != nil {
			h.Log.Warn("remove what interrupted uploads left", "error", err)
		}
		if len(removed) > 0 {
			h.Log.Info("removed what interrupted uploads left", "files", len(removed), "bytes", bytesOf(removed))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func bytesOf(left []blob.Leftover) (sum int64) {
	for _, one := range left {
		sum += one.Bytes
	}
	return sum
}

// meteredBlobs counts what is stored.
type meteredBlobs struct {
	blob.Store
	meter *meter.Meter
}

// Put implements blob.Store.
func (m meteredBlobs) Put(ctx context.Context, in io.Reader) (ledger.Digest, int64, error) {
	digest, size, err := m.Store.Put(ctx, in)
	if err == nil {
		m.meter.Stored(size)
	}
	return digest, size, err
}
