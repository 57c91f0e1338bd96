package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Leftover is a file that an interrupted upload left on this machine.
type Leftover struct {
	Path  string
	Bytes int64
	Since time.Time // when it last grew
}

// Abandoned is how long a file that is on its way in may stand still before it is
// taken for a leftover. A client that sends nothing is given up much earlier.
const Abandoned = time.Hour

// Interrupted implements Store.
func (d *Dir) Interrupted(since time.Time) ([]Leftover, error) {
	entries, err := os.ReadDir(d.incoming())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	var left []Leftover
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || !info.ModTime().Before(since) {
			continue // it went or grows, or is none of ours
		}
		left = append(left, Leftover{filepath.Join(d.incoming(), entry.Name()), info.Size(), info.ModTime()})
	}
	return left, nil
}

// Tidy implements Store.
func (d *Dir) Tidy(since time.Time) ([]Leftover, error) {
	left, err := d.Interrupted(since)
	if err != nil {
		return nil, err
	}
	removed := left[:0]
	for _, one := range left {
		switch err := os.Remove(one.Path); {
		case err == nil:
			removed = append(removed, one)
		case !errors.Is(err, fs.ErrNotExist):
			return removed, unavailable(err)
		}
	}
	return removed, nil
}

// Interrupted implements Store: what goes to a bucket waits on this machine.
func (b *Bucket) Interrupted(since time.Time) ([]Leftover, error) { return b.cache.Interrupted(since) }

// Tidy implements Store. What a bucket itself keeps of an upload that broke off is
// for its life cycle rules.
func (b *Bucket) Tidy(since time.Time) ([]Leftover, error) { return b.cache.Tidy(since) }
