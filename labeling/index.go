package labeling

import (
	"context"
	"encoding/json"

	"github.com/adjudge/adjudge/backend/fault"
)

// IndexTx feeds the search index, which follows behind the items.
type IndexTx interface {
	// IndexItems takes up to limit items that came since the last time into the
	// index. It returns how many it took.
	IndexItems(limit int) (int, error)
	// Unindexed returns how many items of the installation are not in the index
	// yet, at most limit.
	Unindexed(limit int) (int, error)
}

// KeyTx keeps the keys of items, which imports add in pieces.
type KeyTx interface {
	// MergeKeys moves about limit keys of a dataset, of any if it is empty, to
	// their place among those of all pieces and returns how many it moved. Until
	// then finding an item by its key takes longer.
	MergeKeys(dataset DatasetID, limit int) (int, error)
}

// mergeChunk is how many keys move at once, each in two writes.
const mergeChunk = 2000

// mergeKeys puts the keys of a dataset in one order, of all if it is empty.
func (s *Service) mergeKeys(ctx context.Context, dataset DatasetID) error {
	for {
		var moved int
		err := s.Update(ctx, func(tx Tx) (err error) {
			moved, err = tx.MergeKeys(dataset, mergeChunk)
			return err
		})
		if err != nil || moved == 0 {
			return fault.Wrap(err, "merge keys")
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// WorkIndex is the kind of work that feeds the indexes behind imports; its
// handler is IndexItems.
const WorkIndex = "labeling.index"

// indexChunk keeps the writer free for others.
const indexChunk = 500

// IndexItems carries out WorkIndex: it merges keys and takes what is new into
// the search index, a chunk at a time.
func (s *Service) IndexItems(ctx context.Context, _ json.RawMessage) error {
	if err := s.mergeKeys(ctx, ""); err != nil {
		return err
	}
	for {
		var taken int
		err := s.Update(ctx, func(tx Tx) (err error) {
			taken, err = tx.IndexItems(indexChunk)
			return err
		})
		if err != nil {
			return fault.Wrap(err, "index items")
		}
		if taken < indexChunk {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
