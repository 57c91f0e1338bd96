package store

import (
	"errors"
	"hash/maphash"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// Keys of items stand in runs, each in order. Single items go to run 0, a chunk
// of an import makes a run of its own behind what is there, and MergeKeys moves
// them to run 0 afterwards. Only the writer adds keys, and it looks first.

// keyed completes a query from item_key k by the one key $2 of the dataset $1.
const keyed = ` k.dataset = $1 AND k.run IN (SELECT run FROM item_run WHERE dataset = $1) AND k.key = $2`

// fewKeys is how many keys are added to run 0 right away.
const fewKeys = 50

// addKeys adds the keys of the items of a dataset behind a Seq.
func (tx *Tx) addKeys(dataset labeling.DatasetID, behind int64, items int) error {
	run := int64(0)
	if items > fewKeys {
		run = behind + 1
	}
	if _, err := tx.exec(`INSERT INTO item_run (dataset, run) VALUES ($1, $2) ON CONFLICT (dataset, run) DO NOTHING`, string(dataset), run); err != nil {
		return fault.Wrap(err, "begin a run of keys")
	}
	// Written so that no index of another order is walked.
	_, err := tx.exec(`INSERT INTO item_key (dataset, run, key, item)
		SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), key, seq FROM item WHERE seq > $3 AND dataset || '' = $1 ORDER BY key`, string(dataset), run, behind)
	return fault.Wrap(err, "add keys")
}

// contentAt returns the content that stands under a key.
func (tx *Tx) contentAt(dataset labeling.DatasetID, key string) (content ledger.Digest, there bool, err error) {
	err = tx.one([]any{&content}, `SELECT i.content FROM item_key k JOIN item i ON i.seq = k.item WHERE`+keyed, string(dataset), key)
	if fault.Is(err, fault.NotFound) {
		return "", false, nil
	}
	return content, err == nil, err
}

// contentMerged is contentAt for run 0 alone.
func (tx *Tx) contentMerged(dataset labeling.DatasetID, key string) (content ledger.Digest, there bool, err error) {
	err = tx.one([]any{&content}, `SELECT i.content FROM item_key k JOIN item i ON i.seq = k.item WHERE k.dataset = $1 AND k.run = 0 AND k.key = $2`, string(dataset), key)
	if fault.Is(err, fault.NotFound) {
		return "", false, nil
	}
	return content, err == nil, err
}

// MergeKeys moves about limit keys of a dataset, or of any if it is empty, from
// their runs to run 0 and returns how many it moved.
func (tx *Tx) MergeKeys(dataset labeling.DatasetID, limit int) (int, error) {
	if dataset == "" {
		err := tx.one([]any{&dataset}, `SELECT dataset FROM item_run WHERE run > 0 LIMIT 1`)
		if fault.Is(err, fault.NotFound) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
	}
	type run struct {
		number int64
		head   string
	}
	var first run
	var heads []string
	err := tx.each(`SELECT r.run, (SELECT MIN(key) FROM item_key k WHERE k.dataset = r.dataset AND k.run = r.run) FROM item_run r
		WHERE r.dataset = $1 AND r.run > 0`, []any{string(dataset)}, func(scan func(...any) error) error {
		var r run
		err := scan(&r.number, &r.head)
		if len(heads) == 0 || r.head < first.head {
			first = r
		}
		heads = append(heads, r.head)
		return err
	})
	if err != nil || len(heads) == 0 {
		return 0, err
	}
	// What the run that begins first holds up to the bound, others hold about
	// as much of, if they begin before it at all.
	bound, share := "", limit
	for range 4 {
		if err := tx.one([]any{&bound}, `SELECT MAX(key) FROM (SELECT key FROM item_key WHERE dataset = $1 AND run = $2 ORDER BY key LIMIT $3) x`,
			string(dataset), first.number, share); err != nil {
			return 0, err
		}
		begun := 0
		for _, head := range heads {
			if head <= bound {
				begun++
			}
		}
		if share*begun <= limit {
			break
		}
		share = max(1, limit/begun)
	}
	const runs = ` dataset = $1 AND run IN (SELECT run FROM item_run WHERE dataset = $1 AND run > 0) AND key <= $2`
	moved, err := tx.exec(`INSERT INTO item_key (dataset, run, key, item) SELECT dataset, 0, key, item FROM item_key WHERE`+runs+` ORDER BY key`, string(dataset), bound)
	if err != nil {
		return 0, fault.Wrap(err, "merge keys")
	}
	if _, err := tx.exec(`DELETE FROM item_key WHERE`+runs, string(dataset), bound); err != nil {
		return 0, fault.Wrap(err, "empty runs of keys")
	}
	if _, err := tx.exec(`INSERT INTO item_run (dataset, run) VALUES ($1, 0) ON CONFLICT (dataset, run) DO NOTHING`, string(dataset)); err != nil {
		return 0, fault.Wrap(err, "merge keys")
	}
	_, err = tx.exec(`DELETE FROM item_run WHERE dataset = $1 AND run > 0
		AND NOT EXISTS (SELECT 1 FROM item_key k WHERE k.dataset = $1 AND k.run = item_run.run)`, string(dataset))
	if err == nil && len(heads) == 1 {
		tx.store.recent.forget(dataset)
	}
	return int(moved), fault.Wrap(err, "end runs of keys")
}

// recent is what the writer remembers about the keys that it added to runs, so
// that it looks only for those that may be there. It may know too many keys,
// those that were rolled back, but never too few: the newest item of the time
// is remembered by its id, and what others added since is read.
type recent struct {
	seed    maphash.Seed
	dataset map[labeling.DatasetID]*recentKeys
}

type recentKeys struct {
	bits  []uint64
	marks [2]mark // the last, and the one before it in case the last was rolled back
}

// mark is the newest item of a moment.
type mark struct {
	seq int64
	id  labeling.ItemID
}

// recentBits makes a false memory rare (one in 2,000) up to two million keys.
const recentBits = 1 << 25

// mostRecent is how many datasets are remembered at once.
const mostRecent = 8

func newRecent() *recent {
	return &recent{seed: maphash.MakeSeed(), dataset: map[labeling.DatasetID]*recentKeys{}}
}

func (r *recent) forget(dataset labeling.DatasetID) { delete(r.dataset, dataset) }

func (r *recent) add(k *recentKeys, key string) {
	h := maphash.String(r.seed, key)
	for range 4 {
		k.bits[h%recentBits/64] |= 1 << (h % 64)
		h = h>>17 | h<<47
	}
}

func (r *recent) has(k *recentKeys, key string) bool {
	h := maphash.String(r.seed, key)
	for range 4 {
		if k.bits[h%recentBits/64]&(1<<(h%64)) == 0 {
			return false
		}
		h = h>>17 | h<<47
	}
	return true
}

// newest returns the mark of this moment.
func (tx *Tx) newest() (m mark, err error) {
	err = tx.one([]any{&m.seq, &m.id}, `SELECT seq, id FROM item ORDER BY seq DESC LIMIT 1`)
	if fault.Is(err, fault.NotFound) {
		return mark{}, nil
	}
	return m, err
}

// recentOf returns what is remembered of the keys in the runs of a dataset, or
// nil where all must be looked for.
func (tx *Tx) recentOf(dataset labeling.DatasetID, now mark) (*recentKeys, error) {
	r := tx.store.recent
	if k := r.dataset[dataset]; k != nil {
		for _, m := range k.marks {
			if stands, err := tx.exists(`SELECT 1 FROM item WHERE seq = $1 AND id = $2`, m.seq, string(m.id)); err != nil {
				return nil, err
			} else if !stands && m != (mark{}) {
				continue
			}
			err := tx.each(`SELECT key FROM item WHERE seq > $1 AND dataset || '' = $2 ORDER BY seq`, []any{m.seq, string(dataset)}, func(scan func(...any) error) error {
				var key string
				err := scan(&key)
				r.add(k, key)
				return err
			})
			k.marks = [2]mark{now, m}
			return k, err
		}
		r.forget(dataset)
	}
	unmerged, err := tx.exists(`SELECT 1 FROM item_run WHERE dataset = $1 AND run > 0`, string(dataset))
	if err != nil || unmerged {
		return nil, err
	}
	if len(r.dataset) == mostRecent {
		clear(r.dataset)
	}
	k := &recentKeys{bits: make([]uint64, recentBits/64), marks: [2]mark{now, now}}
	r.dataset[dataset] = k
	return k, nil
}

// sift parts items of one dataset into those whose key is new and, for the
// others, the content that stands under it. An item may repeat one before it.
func (tx *Tx) sift(items []labeling.Item, now mark) (fresh []labeling.Item, standing map[string]ledger.Digest, err error) {
	dataset := items[0].Dataset
	known, err := tx.recentOf(dataset, now)
	if err != nil {
		return nil, nil, err
	}
	merged, err := tx.exists(`SELECT 1 FROM item_run WHERE dataset = $1 AND run = 0`, string(dataset))
	if err != nil {
		return nil, nil, err
	}
	fresh, standing = make([]labeling.Item, 0, len(items)), map[string]ledger.Digest{}
	coming := make(map[string]ledger.Digest, len(items))
	for _, i := range items {
		if i.Dataset != dataset {
			return nil, nil, errors.New("items of two datasets in one chunk")
		}
		content, there := coming[i.Key]
		switch {
		case there:
		case known == nil || tx.store.recent.has(known, i.Key):
			content, there, err = tx.contentAt(dataset, i.Key)
		case merged:
			content, there, err = tx.contentMerged(dataset, i.Key)
		}
		if err != nil {
			return nil, nil, err
		}
		if there {
			standing[i.Key] = content
			continue
		}
		coming[i.Key] = i.Content
		fresh = append(fresh, i)
	}
	return fresh, standing, nil
}

// remember keeps the keys of items that were just added behind a mark.
func (tx *Tx) remember(added []labeling.Item, before mark) error {
	known := tx.store.recent.dataset[added[0].Dataset]
	if known == nil {
		return nil
	}
	for _, i := range added {
		tx.store.recent.add(known, i.Key)
	}
	now, err := tx.newest()
	known.marks = [2]mark{now, before}
	return err
}
