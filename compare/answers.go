package compare

import (
	"cmp"
	"iter"
	"slices"
	"sync"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// maxClasses bounds the names that occur as truth or answer; a confusion of
// more would be unreadable and quadratic.
const maxClasses = 1000

// Answers are some rows of a file, in columns: the key of an item each, and a
// class as a number into Names. They hold until the next rows are asked for,
// except for the strings, which stay.
type Answers struct {
	Keys  []string
	Codes []uint16
	Names []string
}

// Sheet holds the items of a snapshot as columns: their keys, the accepted class
// and what up to two models answered. Classes are numbered in the order of
// their names, so the numbers are the same wherever a sheet is made.
type Sheet struct {
	Classes []string
	Keys    []string // ascending
	Truth   Column
	Answers []Column // one per model
}

// NewSheet lays out a snapshot and the predictions of some models, which are
// read at the same time. Predictions for items outside the snapshot are passed
// over; an item twice in the snapshot or without a prediction is an error that
// names the model by its title.
func NewSheet(truth iter.Seq2[Answers, error], titles []string, predictions []iter.Seq2[Answers, error]) (*Sheet, error) {
	drafts := make([]draft, 1+len(predictions))
	keys, err := drafts[0].first(truth)
	if err != nil {
		return nil, err
	}
	places := &places{keys: keys}
	failed := make([]error, len(predictions))
	var group sync.WaitGroup
	for m, stream := range predictions {
		group.Go(func() { failed[m] = drafts[m+1].fill(places, titles[m], stream) })
	}
	group.Wait()
	for side, err := range failed {
		if fault.Is(err, fault.Unmet) {
			return nil, &gap{side, err}
		}
		if err != nil {
			return nil, err
		}
	}
	var names []string
	for _, d := range drafts {
		names = append(names, d.names.list...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > maxClasses {
		return nil, fault.New(fault.TooLarge, "%s different classes occur; at most %s can be compared.", Thousands(len(names)), Thousands(maxClasses))
	}
	sheet := &Sheet{Classes: names, Keys: keys}
	for i := range drafts {
		column := drafts[i].column(names)
		if i == 0 {
			sheet.Truth = column
		} else {
			sheet.Answers = append(sheet.Answers, column)
		}
	}
	return sheet, nil
}

// gap says whose answers leave items out.
type gap struct {
	side int // 0 for the first model
	error
}

// Unwrap returns what people read.
func (g *gap) Unwrap() error { return g.error }

// draft is a column whose classes are numbered as they came.
type draft struct {
	names dictionary
	codes []int32 // missing if negative
}

const missing = -1

// first fills the draft with the accepted classes of a snapshot and returns its
// keys, ascending.
func (d *draft) first(truth iter.Seq2[Answers, error]) ([]string, error) {
	keys := []string{}
	ascending := true
	for rows, err := range truth {
		if err != nil {
			return nil, fault.Wrap(err, "read the snapshot")
		}
		numbers := d.names.numbers(rows.Names)
		for i, key := range rows.Keys {
			ascending = ascending && (len(keys) == 0 || keys[len(keys)-1] < key)
			keys, d.codes = append(keys, key), append(d.codes, numbers[rows.Codes[i]])
		}
	}
	if len(keys) == 0 {
		return nil, fault.Field("snapshot", "The snapshot holds no items to compare on.")
	}
	if ascending {
		return keys, nil
	}
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(keys[i], keys[j]) })
	sorted, codes := make([]string, len(keys)), make([]int32, len(keys))
	for to, from := range order {
		if sorted[to], codes[to] = keys[from], d.codes[from]; to > 0 && sorted[to] == sorted[to-1] {
			return nil, fault.New(fault.Conflict, "The key %q stands for two items of this snapshot, so predictions cannot be told apart. Compare on a snapshot of one dataset.", sorted[to])
		}
	}
	d.codes = codes
	return sorted, nil
}

// fill fills the draft with what a model answered on the items of a snapshot.
func (d *draft) fill(places *places, title string, predictions iter.Seq2[Answers, error]) error {
	d.codes = slices.Repeat([]int32{missing}, len(places.keys))
	next := 0 // the place of the next key, if the file has the order of the snapshot
	for rows, err := range predictions {
		if err != nil {
			return fault.Wrap(err, "read the predictions of "+title)
		}
		numbers := d.names.numbers(rows.Names)
		for i, key := range rows.Keys {
			if next == len(places.keys) || places.keys[next] != key {
				at, known := places.find(key)
				if !known {
					continue
				}
				next = at
			}
			d.codes[next] = numbers[rows.Codes[i]]
			next++
		}
	}
	absent := 0
	for _, c := range d.codes {
		if c == missing {
			absent++
		}
	}
	if absent > 0 {
		return fault.New(fault.Unmet, "%s has no prediction for %s of the %s items of this snapshot. Import or compute them, then compare again.", title, Thousands(absent), Thousands(len(places.keys)))
	}
	return nil
}

// column numbers the classes by their place in names.
func (d *draft) column(names []string) Column {
	numbers := make([]int32, len(d.names.list))
	for i, name := range d.names.list {
		at, _ := slices.BinarySearch(names, name)
		numbers[i] = int32(at) //nolint:gosec // below maxClasses
	}
	for i, c := range d.codes {
		d.codes[i] = numbers[c]
	}
	return NewColumn(d.codes, len(names))
}

// places finds keys in a sorted list. Whoever reads them in its order never
// asks; for the others an index is made, once.
type places struct {
	keys  []string
	once  sync.Once
	index map[string]int32
}

func (p *places) find(key string) (int, bool) {
	p.once.Do(func() {
		p.index = make(map[string]int32, len(p.keys))
		for i, key := range p.keys {
			p.index[key] = int32(i) //nolint:gosec // a snapshot has fewer items
		}
	})
	at, known := p.index[key]
	return int(at), known
}

// Items is the number of items.
func (s *Sheet) Items() int { return len(s.Keys) }

// clusters returns the number under which the bootstrap draws each item: the
// hash of its key (FNV-1a), so an item has the same weight in whichever snapshot
// it is.
func (s *Sheet) clusters() []uint64 {
	numbers := make([]uint64, len(s.Keys))
	for i, key := range s.Keys {
		hash := uint64(14695981039346656037)
		for at := range len(key) {
			hash = (hash ^ uint64(key[at])) * 1099511628211
		}
		numbers[i] = hash
	}
	return numbers
}

// cells returns per item the number of its kind, and the kinds: accepted class
// and the answer of each model. There are far fewer kinds than items.
func (s *Sheet) cells() (cells []uint32, kinds [][3]uint16) {
	cells = make([]uint32, len(s.Keys))
	known := map[[3]uint16]uint32{}
	for i := range cells {
		kind := [3]uint16{uint16(s.Truth.At(i))} //nolint:gosec // below maxClasses
		for m, column := range s.Answers {
			kind[1+m] = uint16(column.At(i)) //nolint:gosec // below maxClasses
		}
		n, found := known[kind]
		if !found {
			n = uint32(len(kinds)) //nolint:gosec // at most one per item
			known[kind] = n
			kinds = append(kinds, kind)
		}
		cells[i] = n
	}
	return cells, kinds
}

// KeysDigest names the items of the sheet.
func (s *Sheet) KeysDigest() ledger.Digest { return KeysDigest(s.Keys) }

// dictionary numbers names as they come.
type dictionary struct {
	index map[string]int32
	list  []string
}

// numbers returns the number of each name.
func (d *dictionary) numbers(names []string) []int32 {
	if d.index == nil {
		d.index = map[string]int32{}
	}
	found := make([]int32, len(names))
	for i, name := range names {
		n, known := d.index[name]
		if !known {
			n = int32(len(d.list)) //nolint:gosec // a file has fewer names
			d.index[name] = n
			d.list = append(d.list, name)
		}
		found[i] = n
	}
	return found
}
