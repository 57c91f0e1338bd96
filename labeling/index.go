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

// WorkIndex is the kind of work that feeds the search index; its handler is
// IndexItems.
const WorkIndex = "labeling.index"

// indexChunk keeps the writer free for others.
const indexChunk = 500

// IndexItems carries out WorkIndex: it takes what is new into the search index,
// a chunk at a time.
func (s *Service) IndexItems(ctx context.Context, _ json.RawMessage) error {
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
