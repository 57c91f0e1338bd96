package labeling

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
)

// QueueOrder says which items are offered first.
type QueueOrder string

// The orders of a queue.
const (
	OrderImported  QueueOrder = "imported"  // as they came in
	OrderRandom    QueueOrder = "random"    // shuffled once
	OrderUncertain QueueOrder = "uncertain" // what the newest model is least certain of first
)

// QueueOrders lists all orders.
func QueueOrders() []QueueOrder { return []QueueOrder{OrderImported, OrderRandom, OrderUncertain} }

// ParseQueueOrder reads an order. It returns Invalid for a word that is none.
func ParseQueueOrder(text string) (QueueOrder, error) {
	for _, o := range QueueOrders() {
		if text == string(o) {
			return o, nil
		}
	}
	return "", fault.Field("order", "%.40q is no order of a queue; choose imported, random or uncertain", text)
}

// Queue is the order in which a project offers its open items. The ranks of a
// shuffled or sorted order stand in rows of a generation: a new one is filled
// beside the old and switched to by this record, so that people go on labeling
// meanwhile. Items that no row of the generation names follow as imported.
type Queue struct {
	Project    ProjectID
	Order      QueueOrder
	Generation int64      // 0: as imported, no rows
	Wanted     QueueOrder // the order being filled, empty if none is
	Asked      int64      // counts the requests, so that only the newest is switched to
	Switched   time.Time
}

// Rank is an item's place in an order; smaller comes first.
func (o QueueOrder) Rank(generation int64, item QueueItem) int64 {
	switch o {
	case OrderRandom:
		var seed [8]byte
		binary.BigEndian.PutUint64(seed[:], uint64(generation))
		sum := sha256.Sum256(append(seed[:], item.ID...))
		return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
	case OrderUncertain:
		if item.Uncertainty == nil || math.IsNaN(*item.Uncertainty) {
			return math.MaxInt64 // nothing is known of it: after all that is known to be uncertain
		}
		return int64(math.Round((1 - min(max(*item.Uncertainty, 0), 1)) * 1e9))
	case OrderImported:
	}
	return item.Seq
}

// QueueItem is what an order looks at.
type QueueItem struct {
	Seq         int64
	ID          ItemID
	Uncertainty *float64 // of the newest prediction, 0 … 1; nil if there is none or it did not say
}

// QueueRow is the place of an item in a generation.
type QueueRow struct {
	Item int64 // its Seq
	Rank int64
}

// QueueTx keeps orders.
type QueueTx interface {
	// Queue returns the order of a project, as imported if none was chosen.
	Queue(ProjectID) (Queue, error)
	SaveQueue(Queue) error
	// NewGeneration makes an empty generation for a project.
	NewGeneration(ProjectID) (int64, error)
	// QueueItems returns queued items of a project after a Seq, in its order.
	QueueItems(project ProjectID, after int64, limit int) ([]QueueItem, error)
	AddQueueRows(generation int64, rows []QueueRow) error
	// DropGenerations removes up to limit rows of the generations of a project
	// below one, and returns how many it removed.
	DropGenerations(project ProjectID, below int64, limit int) (int64, error)
}
