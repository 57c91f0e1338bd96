package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// KeepHolder adds a labeling page or renews its heartbeat.
func (tx *Tx) KeepHolder(h labeling.Holder) error {
	_, err := tx.exec(`INSERT INTO task_page (page, project, person, beat) VALUES ($1, $2, $3, $4)
		ON CONFLICT (page) DO UPDATE SET beat = excluded.beat`, h.Page, string(h.Project), string(h.Person), micros(h.Beat))
	return err
}

// BeatHolder renews a heartbeat and reports whether the page was still known.
func (tx *Tx) BeatHolder(page string, person ledger.PersonID, now time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE task_page SET beat = $3 WHERE page = $1 AND person = $2`, page, string(person), micros(now))
	return n > 0, err
}

// DropHolder removes a page of a person with its leases.
func (tx *Tx) DropHolder(page string, person ledger.PersonID) error {
	_, err := tx.exec(`DELETE FROM task_page WHERE page = $1 AND person = $2`, page, string(person))
	return err
}

// DropHolders removes every page of a person with its leases.
func (tx *Tx) DropHolders(person ledger.PersonID) error {
	_, err := tx.exec(`DELETE FROM task_page WHERE person = $1`, string(person))
	return err
}

// DropSilent removes the pages whose last heartbeat is before a time.
func (tx *Tx) DropSilent(before time.Time) error {
	_, err := tx.exec(`DELETE FROM task_page WHERE beat < $1`, micros(before))
	return err
}

// CreateLease leases an item to a page; leasing it twice changes nothing.
func (tx *Tx) CreateLease(item int64, page string) error {
	return tx.later(`INSERT INTO task_lease (item, page) VALUES ($1, $2) ON CONFLICT (item, page) DO NOTHING`, item, page)
}

// DropLease ends the leases that a person holds on an item.
func (tx *Tx) DropLease(item int64, person ledger.PersonID) error {
	return tx.later(`DELETE FROM task_lease WHERE item = $1 AND page IN (SELECT page FROM task_page WHERE person = $2)`, item, string(person))
}

// free is the condition under which an item i may be offered to the person $2:
// the cheap tests first, for most items at the head of a queue are leased.
const free = `
	i.answers + (SELECT COUNT(*) FROM task_lease l WHERE l.item = i.seq) < $3
	AND NOT EXISTS (SELECT 1 FROM task_lease l JOIN task_page t ON t.page = l.page WHERE l.item = i.seq AND t.person = $2)
	AND NOT EXISTS (SELECT 1 FROM annotation a WHERE a.item = i.id AND a.person = $2 AND a.state = 'active' AND a.kind <> 'import' AND (a.kind <> 'skip' OR NOT CAST($4 AS BOOLEAN)))
	AND NOT EXISTS (SELECT 1 FROM item_shown s WHERE s.item = i.id AND s.person = $2)`

// Offers returns the items to offer next.
func (tx *Tx) Offers(q labeling.OfferQuery) ([]labeling.Item, error) {
	var found []labeling.Item
	taken := map[int64]bool{}
	add := func(items []labeling.Item) {
		for _, i := range items {
			if len(found) < q.Limit && !taken[i.Seq] {
				taken[i.Seq] = true
				found = append(found, i)
			}
		}
	}
	begun, err := tx.items(`JOIN draft d ON d.item = i.id AND d.person = $2 AND d.project = $1
		WHERE i.project = $1 AND i.status = 'queued' AND (CAST($5 AS TEXT) = '' OR i.dataset = $5) AND i.dataset NOT IN `+hiddenDatasets+` AND `+free+` ORDER BY d.at DESC, i.seq LIMIT $6`,
		string(q.Project), string(q.Person), q.Overlap, q.Skipped, string(q.Dataset), q.Limit)
	if err != nil {
		return nil, err
	}
	add(begun)
	if q.Generation > 0 {
		items, err := tx.items(`JOIN queue_row r ON r.item = i.seq
			WHERE r.generation = $5 AND i.project = $1 AND i.status = 'queued' AND (CAST($6 AS TEXT) = '' OR i.dataset = $6) AND i.dataset NOT IN `+hiddenDatasets+` AND `+free+`
			ORDER BY r.rank, r.item LIMIT $7`,
			string(q.Project), string(q.Person), q.Overlap, q.Skipped, q.Generation, string(q.Dataset), q.Limit)
		if err != nil {
			return nil, err
		}
		add(items)
		if len(items) > 0 {
			if err := tx.pruneQueue(q.Generation, items[0].Seq); err != nil {
				return nil, err
			}
		}
	}
	statuses := []labeling.Status{labeling.StatusQueued}
	if q.Skipped {
		statuses = append(statuses, labeling.StatusSkipped)
	}
	for _, status := range statuses {
		if len(found) == q.Limit {
			break
		}
		datasets := []labeling.DatasetID{q.Dataset}
		if q.Dataset == "" {
			var err error
			if datasets, err = tx.datasetsWith(q.Project, status); err != nil {
				return nil, err
			}
		}
		var waiting []labeling.Item
		for _, dataset := range datasets { // each of them alone is in order
			items, err := tx.items(`WHERE i.dataset = $1 AND i.status = $5 AND `+free+` ORDER BY i.seq LIMIT $6`,
				string(dataset), string(q.Person), q.Overlap, q.Skipped, string(status), q.Limit+len(found))
			if err != nil {
				return nil, err
			}
			waiting = append(waiting, items...)
			slices.SortFunc(waiting, func(a, b labeling.Item) int { return cmp.Compare(a.Seq, b.Seq) })
			waiting = onePage(waiting)
		}
		add(waiting)
	}
	return onePage(found), nil
}

// onePage returns the first of some items, as many as a page holds, counted as a
// purse counts them.
func onePage(items []labeling.Item) []labeling.Item {
	left := ledger.MostRead
	for n, i := range items {
		if left <= 0 {
			clear(items[n:])
			return items[:n]
		}
		left -= weight(i)
	}
	return items
}

// weight is how many bytes of texts an item holds.
func weight(i labeling.Item) int {
	n := len(i.ID) + len(i.Project) + len(i.Dataset) + len(i.Key) + len(i.Content) + len(i.Text) + len(i.Status) + len(i.Label) + len(i.Model) + len(i.ModelLabel)
	for name, value := range i.Meta {
		n += len(name) + len(value)
	}
	if i.Media != nil {
		n += len(i.Media.URI) + len(i.Media.Digest) + len(i.Media.Type) + len(i.Media.Fault.Found)
	}
	return n
}

// pruneQueue forgets the rows of a generation before the first that is offered
// whose items wait no more, so that they are not walked over again.
func (tx *Tx) pruneQueue(generation, first int64) error {
	var rank int64
	if err := tx.one([]any{&rank}, `SELECT rank FROM queue_row WHERE generation = $1 AND item = $2`, generation, first); err != nil {
		return fault.Wrap(err, "find the head of a queue")
	}
	_, err := tx.exec(`DELETE FROM queue_row WHERE generation = $1 AND rank < $2
		AND EXISTS (SELECT 1 FROM item i WHERE i.seq = queue_row.item AND i.status <> 'queued')`, generation, rank)
	return fault.Wrap(err, "forget the head of a queue")
}

// Queue returns the order of a project, as imported if none was chosen.
func (tx *Tx) Queue(project labeling.ProjectID) (labeling.Queue, error) {
	q := labeling.Queue{Project: project, Order: labeling.OrderImported}
	var switched int64
	err := tx.one([]any{&q.Order, &q.Generation, &q.Wanted, &q.Asked, &switched},
		`SELECT ordering, generation, wanted, asked, switched FROM queue WHERE project = $1`, string(project))
	if fault.Is(err, fault.NotFound) {
		return q, nil
	}
	q.Switched = fromMicros(switched)
	return q, err
}

// SaveQueue writes the order of a project.
func (tx *Tx) SaveQueue(q labeling.Queue) error {
	_, err := tx.exec(`INSERT INTO queue (project, ordering, generation, wanted, asked, switched) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (project) DO UPDATE SET ordering = excluded.ordering, generation = excluded.generation, wanted = excluded.wanted,
			asked = excluded.asked, switched = excluded.switched`,
		string(q.Project), string(q.Order), q.Generation, string(q.Wanted), q.Asked, micros(q.Switched))
	return err
}

// NewGeneration makes an empty generation of a queue.
func (tx *Tx) NewGeneration(project labeling.ProjectID) (int64, error) {
	var id int64
	err := tx.one([]any{&id}, `INSERT INTO queue_generation (project) VALUES ($1) RETURNING id`, string(project))
	return id, err
}

// QueueItems returns queued items of a project in the order of arrival.
func (tx *Tx) QueueItems(project labeling.ProjectID, after int64, limit int) ([]labeling.QueueItem, error) {
	datasets, err := tx.datasetsWith(project, labeling.StatusQueued)
	if err != nil {
		return nil, err
	}
	var found []labeling.QueueItem
	for _, dataset := range datasets { // each of them alone is in order
		err := tx.each(`SELECT seq, id, uncertainty FROM item WHERE dataset = $1 AND status = 'queued' AND seq > $2 ORDER BY seq LIMIT $3`,
			[]any{string(dataset), after, limit}, func(scan func(...any) error) error {
				var i labeling.QueueItem
				err := scan(&i.Seq, &i.ID, &i.Uncertainty)
				found = append(found, i)
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b labeling.QueueItem) int { return cmp.Compare(a.Seq, b.Seq) })
	return found[:min(limit, len(found))], nil
}

// AddQueueRows adds rows to a generation.
func (tx *Tx) AddQueueRows(generation int64, rows []labeling.QueueRow) error {
	for _, r := range rows {
		if _, err := tx.exec(`INSERT INTO queue_row (generation, item, rank) VALUES ($1, $2, $3) ON CONFLICT (generation, item) DO NOTHING`,
			generation, r.Item, r.Rank); err != nil {
			return err
		}
	}
	return nil
}

// DropGenerations removes rows of the generations of a project below one.
func (tx *Tx) DropGenerations(project labeling.ProjectID, below int64, limit int) (int64, error) {
	return tx.exec(`DELETE FROM queue_row WHERE (generation, item) IN (
		SELECT r.generation, r.item FROM queue_generation g JOIN queue_row r ON r.generation = g.id
		WHERE g.project = $1 AND g.id < $2 LIMIT $3)`, string(project), below, limit)
}

// Keys returns a person's keys in a project.
func (tx *Tx) Keys(person ledger.PersonID, project labeling.ProjectID) (labeling.Keys, error) {
	k := labeling.Keys{Person: person, Project: project}
	var text string
	err := tx.one([]any{&text}, `SELECT keys FROM label_keys WHERE person = $1 AND project = $2`, string(person), string(project))
	if fault.Is(err, fault.NotFound) {
		return k, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &k)
	}
	return k, err
}

// SaveKeys writes a person's keys in a project.
func (tx *Tx) SaveKeys(k labeling.Keys) error {
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("encode keys: %w", err)
	}
	_, err = tx.exec(`INSERT INTO label_keys (person, project, keys) VALUES ($1, $2, $3) ON CONFLICT (person, project) DO UPDATE SET keys = excluded.keys`,
		string(k.Person), string(k.Project), string(text))
	return err
}
