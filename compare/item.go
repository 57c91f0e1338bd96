package compare

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// Outcome says who was right on an item. The order is that of a list: what the
// candidate lost first, what nobody needs to look at last.
type Outcome int

// The outcomes.
const (
	OnlyBaseline  Outcome = iota // the candidate lost it
	OnlyCandidate                // the candidate won it
	BothDiffer                   // both wrong, with different answers
	BothWrong                    // both wrong, with the same answer
	BothRight
)

// Outcomes lists all outcomes in the order of a list.
func Outcomes() []Outcome {
	return []Outcome{OnlyBaseline, OnlyCandidate, BothDiffer, BothWrong, BothRight}
}

var outcomeNames = map[Outcome]string{
	OnlyBaseline: "lost", OnlyCandidate: "won", BothDiffer: "both-differ", BothWrong: "both-wrong", BothRight: "both-right",
}

// String returns the name of the outcome in addresses and in the API.
func (o Outcome) String() string { return outcomeNames[o] }

func outcome(truth, baseline, candidate int) Outcome {
	switch {
	case baseline == truth && candidate == truth:
		return BothRight
	case baseline == truth:
		return OnlyBaseline
	case candidate == truth:
		return OnlyCandidate
	case baseline == candidate:
		return BothWrong
	}
	return BothDiffer
}

// ItemFilter selects items of a comparison. Empty fields select everything.
type ItemFilter struct {
	Outcomes  []string // names of outcomes; "wrong" stands for both kinds of both wrong
	Class     string   // the accepted answer
	Answer    string   // what at least one of the models said
	Baseline  string   // what the baseline said
	Candidate string   // what the candidate said
	After     string   // cursor of the last row seen
	Limit     int      // 50 if zero, at most 500
}

// ItemRow is one item with both answers.
type ItemRow struct {
	Cursor    string
	Key       string
	Item      labeling.ItemID // empty if the item is gone
	Text      string
	Cut       bool   // Text is only the beginning
	Class     string // accepted
	Baseline  string
	Candidate string
	Outcome   Outcome
}

// Place is the place of the item among the sorted keys of the comparison.
func (r ItemRow) Place() int {
	c, _ := parseCursor(r.Cursor) // we wrote it
	return c.row
}

// ItemList is a page of items.
type ItemList struct {
	Rows   []ItemRow
	Total  int    // of all pages
	Next   string // cursor; empty at the end
	Facets Facets
}

// Facets say how the items spread under a filter. Each facet leaves out the part
// of the filter that it offers itself, so that one can change one's mind there.
type Facets struct {
	Outcomes  [5]int // by Outcome, under class and answers
	Classes   []ClassFacet
	Confusion []ConfusionShift // under the outcomes
}

// ClassFacet counts the items of one class under outcomes and answers.
type ClassFacet struct {
	Class string
	Items int
	Lost  int
	Won   int
}

// pick returns the rows of a sheet that a filter selects, in the order of
// outcome and key, after the cursor, and the facets. It holds one number per
// row only.
func pick(sheet *Sheet, filter ItemFilter) (rows []int, next bool, list ItemList, err error) {
	f, err := newSieve(sheet, filter)
	if err != nil {
		return nil, false, list, err
	}
	after, err := parseCursor(filter.After)
	if err != nil {
		return nil, false, list, err
	}
	limit := filter.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 500)
	size := len(sheet.Classes)
	classes := make([]ClassFacet, size)
	base, cand := make([]int, size*size), make([]int, size*size)
	buckets := make([][]int, len(Outcomes()))
	for i := range sheet.Keys {
		truth, a, b := sheet.Truth.At(i), sheet.Answers[0].At(i), sheet.Answers[1].At(i)
		o := outcome(truth, a, b)
		okOutcome, okClass, okAnswer := f.outcome(o), f.class == anyClass || f.class == truth, f.answers(a, b)
		if okOutcome {
			base[truth*size+a]++
			cand[truth*size+b]++
		}
		if okOutcome && okAnswer {
			class := &classes[truth]
			class.Items++
			switch o {
			case OnlyBaseline:
				class.Lost++
			case OnlyCandidate:
				class.Won++
			}
		}
		if !okClass || !okAnswer {
			continue
		}
		list.Facets.Outcomes[o]++
		if !okOutcome {
			continue
		}
		list.Total++
		if (cursor{o, i}).follows(after) && len(buckets[o]) <= limit {
			buckets[o] = append(buckets[o], i)
		}
	}
	for c := range classes {
		if classes[c].Class = sheet.Classes[c]; classes[c].Items > 0 {
			list.Facets.Classes = append(list.Facets.Classes, classes[c])
		}
	}
	list.Facets.Confusion = shifts(sheet.Classes, Counts{Baseline: base, Candidate: cand})
	for _, bucket := range buckets {
		rows = append(rows, bucket...)
	}
	if len(rows) > limit {
		return rows[:limit], true, list, nil
	}
	return rows, false, list, nil
}

// anyClass stands for a class that a filter leaves open.
const anyClass = -1

// sieve is a filter with its names as numbers.
type sieve struct {
	wanted              [5]bool
	every               bool // every outcome is wanted
	class, answer       int
	baseline, candidate int
}

func newSieve(sheet *Sheet, f ItemFilter) (sieve, error) {
	number := func(name string) int {
		if name == "" {
			return anyClass
		}
		if i, found := slices.BinarySearch(sheet.Classes, name); found {
			return i
		}
		return len(sheet.Classes) // matches nothing
	}
	s := sieve{every: true, class: number(f.Class), answer: number(f.Answer), baseline: number(f.Baseline), candidate: number(f.Candidate)}
	for _, name := range f.Outcomes {
		if name == "" {
			continue
		}
		found := false
		for o, n := range outcomeNames {
			if n == name || name == "wrong" && (o == BothDiffer || o == BothWrong) {
				s.wanted[o], found = true, true
			}
		}
		if !found {
			return s, fault.Field("outcome", "%.40q is no outcome; choose lost, won, wrong, both-differ, both-wrong or both-right.", name)
		}
		s.every = false
	}
	return s, nil
}

func (s sieve) outcome(o Outcome) bool { return s.every || s.wanted[o] }

func (s sieve) answers(a, b int) bool {
	return (s.answer == anyClass || s.answer == a || s.answer == b) && (s.baseline == anyClass || s.baseline == a) && (s.candidate == anyClass || s.candidate == b)
}

// cursor is a place in the list.
type cursor struct {
	outcome Outcome
	row     int
}

func (c cursor) String() string { return strconv.Itoa(int(c.outcome)) + "." + strconv.Itoa(c.row) }

func (c cursor) follows(after cursor) bool {
	return c.outcome > after.outcome || c.outcome == after.outcome && c.row > after.row
}

func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{-1, -1}, nil
	}
	left, right, found := strings.Cut(text, ".")
	o, err1 := strconv.Atoi(left)
	row, err2 := strconv.Atoi(right)
	if !found || err1 != nil || err2 != nil {
		return cursor{}, fault.Field("after", "%.20q is no place in this list. Start at its beginning.", text)
	}
	return cursor{Outcome(o), row}, nil
}

// ComparedItems lists items of a comparison with the answers of both models,
// disagreements first.
func (s *Service) ComparedItems(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, digest ledger.Digest, filter ItemFilter) (ItemList, error) {
	compared, err := s.Comparison(ctx, actor, project, digest)
	if err != nil {
		return ItemList{}, err
	}
	sheet, snapshot, err := s.sheetOf(ctx, compared)
	if err != nil {
		return ItemList{}, err
	}
	rows, next, list, err := pick(sheet, filter)
	if err != nil {
		return ItemList{}, err
	}
	keys := make([]string, 0, len(rows))
	for _, i := range rows {
		o := outcome(sheet.Truth.At(i), sheet.Answers[0].At(i), sheet.Answers[1].At(i))
		keys = append(keys, sheet.Keys[i])
		list.Rows = append(list.Rows, ItemRow{
			Cursor: cursor{o, i}.String(), Key: sheet.Keys[i], Class: sheet.Classes[sheet.Truth.At(i)],
			Baseline: sheet.Classes[sheet.Answers[0].At(i)], Candidate: sheet.Classes[sheet.Answers[1].At(i)], Outcome: o,
		})
	}
	if next {
		list.Next = list.Rows[len(list.Rows)-1].Cursor
	}
	if s.Viewed != nil && len(list.Rows) > 0 {
		if err := s.Viewed(ctx, actor, project, snapshot.Held()...); err != nil {
			return ItemList{}, err
		}
	}
	return list, s.describe(ctx, snapshot, keys, list.Rows)
}

// sheetOf lays out a comparison's items once more from what it names: the very
// prediction sets by digest, so the rows are those that were compared.
func (s *Service) sheetOf(ctx context.Context, c Compared) (*Sheet, labeling.Snapshot, error) {
	var snapshot labeling.Snapshot
	var sides [2]contender
	err := s.View(ctx, func(tx Tx) error {
		var err error
		if snapshot, err = snapshotOf(tx, c.Record.Project, c.Record.Snapshot); err != nil {
			return err
		}
		for i, side := range []struct {
			id      ModelID
			subject Subject
		}{{c.Record.Baseline, c.Comparison.Baseline}, {c.Record.Candidate, c.Comparison.Candidate}} {
			if sides[i].model, err = tx.GetModel(c.Record.Project, side.id); err != nil {
				return fault.Wrap(err, "find model")
			}
			sides[i].sets = nil
			for _, digest := range side.subject.Predictions {
				sides[i].sets = append(sides[i].sets, PredictionSet{Digest: digest}) // without an id: no gap is noted for it
			}
		}
		return nil
	})
	if err != nil {
		return nil, snapshot, err
	}
	sheet, err := s.sheet(ctx, c.Record.Inputs, snapshot, sides[0], sides[1])
	return sheet, snapshot, err
}

// describe fills in the texts, as the snapshot froze them, and the ids of items.
func (s *Service) describe(ctx context.Context, snapshot labeling.Snapshot, keys []string, rows []ItemRow) error {
	if len(rows) == 0 {
		return nil
	}
	var datasets []labeling.DatasetID
	for _, d := range snapshot.Datasets {
		datasets = append(datasets, d.ID)
	}
	var items map[string]ItemText
	err := s.View(ctx, func(tx Tx) (err error) {
		items, err = tx.ItemTexts(datasets, keys)
		return fault.Wrap(err, "find items")
	})
	if err != nil {
		return err
	}
	for i := range rows {
		found := items[rows[i].Key]
		rows[i].Item, rows[i].Text, rows[i].Cut = found.ID, found.Text, found.Cut
	}
	return nil
}
