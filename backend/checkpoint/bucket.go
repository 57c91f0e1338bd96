package checkpoint

import (
	"context"
	"fmt"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// Vault keeps objects that nobody can change or delete for a time.
type Vault interface {
	Name() string
	// Keep puts an object there. The same again changes nothing.
	Keep(ctx context.Context, name string, content []byte, now time.Time) error
}

// Bucket is a bucket with object lock: each checkpoint is an object of its own,
// and a file that doctor reads as it is.
type Bucket struct {
	Vault
	Installation string
}

// Push implements Pusher.
func (b *Bucket) Push(ctx context.Context, list []ledger.Checkpoint) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, c := range list {
		name := fmt.Sprintf("%s/%s-%d.jsonl", b.Installation, c.At.UTC().Format("20060102T150405.000000Z"), c.Seq)
		if err := b.Keep(ctx, name, append(append([]byte{}, c.Envelope...), '\n'), time.Now()); err != nil {
			return err
		}
	}
	return nil
}
