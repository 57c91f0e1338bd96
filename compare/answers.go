package compare

import (
	"cmp"
	"hash/fnv"
	"iter"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// maxClasses bounds the names that occur as truth or answer; a confusion of
// more would be unreadable and quadratic.
const maxClasses = 1000

// Truth is one item of a snapshot with its accepted answer.
type Truth struct {
	Key   string
	Class string
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

// NewSheet lays out a snapshot and the predictions of some models. Predictions
// for items outside the snapshot are passed over; an item twice in the snapshot
// or without a prediction is an error that names the model by its title.
func NewSheet(truth iter.Seq2[Truth, error], titles []string, predictions []iter.Seq2[Prediction, error]) (*Sheet, error) {
	rows := []Truth{}
	for row, err := range truth {
		if err != nil {
			return nil, fault.Wrap(err, "read the snapshot")
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fault.Field("snapshot", "The snapshot holds no items to compare on.")
	}
	slices.SortFunc(rows, func(a, b Truth) int { return cmp.Compare(a.Key, b.Key) })
	places := make(map[string]int, len(rows))
	for i, row := range rows {
		if _, twice := places[row.Key]; twice {
			return nil, fault.New(fault.Conflict, "The key %q stands for two items of this snapshot, so predictions cannot be told apart. Compare on a snapshot of one dataset.", row.Key)
		}
		places[row.Key] = i
	}
	names := dictionary{index: map[string]int{}}
	sheet := &Sheet{Keys: make([]string, len(rows))}
	draft := make([]int, len(rows))
	for i, row := range rows {
		sheet.Keys[i] = row.Key
		draft[i] = names.put(row.Class)
	}
	columns := [][]int{draft}
	for m, stream := range predictions {
		column := make([]int, len(rows))
		for i := range column {
			column[i] = -1
		}
		for p, err := range stream {
			if err != nil {
				return nil, fault.Wrap(err, "read the predictions of "+titles[m])
			}
			if at, known := places[p.Key]; known {
				column[at] = names.put(p.Class)
			}
		}
		missing := 0
		for _, c := range column {
			if c < 0 {
				missing++
			}
		}
		if missing > 0 {
			return nil, fault.New(fault.Unmet, "%s has no prediction for %s of the %s items of this snapshot. Import or compute them, then compare again.", titles[m], Thousands(missing), Thousands(len(rows)))
		}
		columns = append(columns, column)
	}
	if len(names.list) > maxClasses {
		return nil, fault.New(fault.TooLarge, "%s different classes occur; at most %s can be compared.", Thousands(len(names.list)), Thousands(maxClasses))
	}
	var sortedAs []int
	sheet.Classes, sortedAs = names.sorted()
	for i, column := range columns {
		for j, c := range column {
			column[j] = sortedAs[c]
		}
		out := NewColumn(column, len(sheet.Classes))
		if i == 0 {
			sheet.Truth = out
		} else {
			sheet.Answers = append(sheet.Answers, out)
		}
	}
	return sheet, nil
}

// Items is the number of items.
func (s *Sheet) Items() int { return len(s.Keys) }

// clusters returns the number under which the bootstrap draws each item: the
// hash of its key, so an item has the same weight in whichever snapshot it is.
func (s *Sheet) clusters() []uint64 {
	numbers := make([]uint64, len(s.Keys))
	for i, key := range s.Keys {
		h := fnv.New64a()
		_, _ = h.Write([]byte(key)) // a hash never fails to write
		numbers[i] = h.Sum64()
	}
	return numbers
}

// KeysDigest names the items of the sheet.
func (s *Sheet) KeysDigest() ledger.Digest { return KeysDigest(s.Keys) }

// dictionary numbers names as they come.
type dictionary struct {
	index map[string]int
	list  []string
}

func (d *dictionary) put(name string) int {
	if n, known := d.index[name]; known {
		return n
	}
	d.index[name] = len(d.list)
	d.list = append(d.list, name)
	return len(d.list) - 1
}

// sorted returns the names in order and, per old number, the new one.
func (d *dictionary) sorted() ([]string, []int) {
	names := slices.Sorted(slices.Values(d.list))
	places := make([]int, len(names))
	for i, name := range names {
		places[d.index[name]] = i
	}
	return names, places
}
