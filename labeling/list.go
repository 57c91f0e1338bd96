package labeling

import (
	"context"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// ItemFilter says which items of a project one wants to see. Empty fields do
// not matter. The trash is shown only when asked for by its status.
type ItemFilter struct {
	Dataset   DatasetID
	Status    Status
	Label     ClassID         // the accepted answer
	Model     ClassID         // what the newest model says
	Person    ledger.PersonID // has an active answer there
	Disagrees bool            // model and accepted answer differ
	Search    string          // words of the text, the last may be the beginning of one
	Own       *OwnAnswers     // nil: whoever answered; see Sight.Filter
}

// OwnAnswers narrows a list down to the items that a person has answered and to
// the datasets that they may see anyway.
type OwnAnswers struct {
	Person ledger.PersonID
	Open   []DatasetID
}

// Empty reports whether the filter lets everything through.
func (f ItemFilter) Empty() bool { return f == ItemFilter{} }

// counted reports whether the counts kept with the items answer how many the
// filter lets through.
func (f ItemFilter) counted() bool {
	return f.Model == "" && f.Person == "" && !f.Disagrees && f.Search == "" && f.Own == nil
}

// sum adds up the counts that the filter lets through.
func (f ItemFilter) sum(counts []Count) (total int64) {
	for _, c := range counts {
		if f.lets(c) {
			total += c.Items
		}
	}
	return total
}

func (f ItemFilter) lets(c Count) bool {
	return (f.Dataset == "" || f.Dataset == c.Dataset) && (f.Label == "" || f.Label == c.Label) &&
		(f.Status == c.Status || f.Status == "" && c.Status != StatusTrashed)
}

// MostTotal is where counting ends: more is shown as "10,000+".
const MostTotal = 10_000

// ItemPage is one page of a list of items, in the order of their arrival.
type ItemPage struct {
	Items     []Item
	Total     int64 // of the whole list; if TotalOpen at least so many
	TotalOpen bool
	Next      int64   // pass as After for the page behind; 0 at the end
	Previous  int64   // pass as Before for the page ahead; 0 at the start
	Behind    int     // items that the search does not know yet, up to MostTotal
	Facets    []Count // the counts of the project, for the bars above the list
}

// PageRequest says which page of a list one wants: behind After, or ahead of
// Before, which are Seqs.
type PageRequest struct {
	After  int64
	Before int64
	Limit  int  // 50 if zero, 500 at most
	Short  bool // texts are cut to their beginnings, as a page shows them
}

// Slice is the part of a list that is read: behind After in ascending order or,
// where Before is not 0, ahead of it in descending.
type Slice struct {
	After  int64
	Before int64
	Rows   int  // at most; fewer where their texts are long, see ledger.MostRead
	Short  bool // texts are cut to ledger.MostExcerpt characters
}

// ListTx finds items.
type ListTx interface {
	// FindItems returns a slice of the items that a filter lets through, in the
	// order of their Seqs, and whether there are more in its direction.
	FindItems(project ProjectID, f ItemFilter, s Slice) (items []Item, more bool, err error)
	// CountItems counts them, up to a limit.
	CountItems(project ProjectID, f ItemFilter, limit int) (int64, error)
	// ItemsAfter returns items of a dataset, trash left out, by Seq, as many as a
	// page holds: only none says that the walk is over. Only Seq, key, text, status, label, content, and reference and digest of Media are set.
	ItemsAfter(dataset DatasetID, after int64, limit int) ([]Item, error)
}

// Items returns a page of the items of a project.
func (s *Service) Items(ctx context.Context, actor ledger.Actor, project ProjectID, f ItemFilter, req PageRequest) (ItemPage, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return ItemPage{}, err
	}
	limit := req.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 500)
	var page ItemPage
	err := s.View(ctx, func(tx Tx) error {
		page = ItemPage{}
		sight, err := SightOf(tx, actor, project)
		if err != nil {
			return err
		}
		f := sight.Filter(f)
		var more bool
		if page.Items, more, err = tx.FindItems(project, f, Slice{After: req.After, Before: req.Before, Rows: limit, Short: req.Short}); err != nil {
			return fault.Wrap(err, "find items")
		}
		if req.Before != 0 {
			reverse(page.Items)
		}
		if n := len(page.Items); n > 0 {
			if more || req.Before != 0 {
				page.Next = page.Items[n-1].Seq
			}
			if req.After != 0 || req.Before != 0 && more {
				page.Previous = page.Items[0].Seq
			}
		}
		if err := sight.Items(tx, pointers(page.Items)...); err != nil {
			return err
		}
		if page.Facets, err = tx.Counts(project); err != nil {
			return fault.Wrap(err, "count items")
		}
		page.Facets = sight.Counts(page.Facets)
		if f.counted() {
			page.Total = f.sum(page.Facets)
		} else {
			if page.Total, err = tx.CountItems(project, f, MostTotal+1); err != nil {
				return fault.Wrap(err, "count items")
			}
		}
		page.TotalOpen = page.Total > MostTotal
		page.Total = min(page.Total, MostTotal)
		if page.Behind, err = tx.Unindexed(MostTotal); err != nil {
			return fault.Wrap(err, "look at the search index")
		}
		return nil
	})
	if err == nil {
		err = s.Viewed(ctx, actor, project, datasetsOf(page.Items)...)
	}
	if err != nil {
		return ItemPage{}, err
	}
	return page, nil
}

// pointers points at each of some items.
func pointers(items []Item) []*Item {
	at := make([]*Item, len(items))
	for i := range items {
		at[i] = &items[i]
	}
	return at
}

func reverse(items []Item) {
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
}

// Answerers lists who has answered in a project, most answers first.
func (s *Service) Answerers(ctx context.Context, actor ledger.Actor, project ProjectID) ([]PersonCount, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var people []PersonCount
	err := s.View(ctx, func(tx Tx) error {
		datasets, err := tx.Datasets(project)
		if err != nil {
			return fault.Wrap(err, "list datasets")
		}
		ids := make([]DatasetID, len(datasets))
		for i, d := range datasets {
			ids[i] = d.ID
		}
		people, err = tx.Answerers(ids)
		return fault.Wrap(err, "count who answered")
	})
	return people, err
}

// ItemHistory is an item with all that was ever said about it, as far as the
// one who asks may see it.
type ItemHistory struct {
	Item        Item
	Dataset     Dataset
	Annotations []Annotation // in every state, newest first
	MayShow     bool         // something is withheld, and ShowAnswers shows it
}

// Item returns an item of a project, by id, with its history.
func (s *Service) Item(ctx context.Context, actor ledger.Actor, project ProjectID, id ItemID) (ItemHistory, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return ItemHistory{}, err
	}
	var h ItemHistory
	err := s.View(ctx, func(tx Tx) (err error) {
		if h.Item, err = itemIn(tx, project, id); err != nil {
			return err
		}
		if h.Dataset, err = tx.Dataset(h.Item.Dataset); err != nil {
			return fault.Wrap(err, "find dataset")
		}
		sight, err := SightOf(tx, actor, project)
		if err != nil {
			return err
		}
		if err := sight.Items(tx, &h.Item); err != nil {
			return err
		}
		h.MayShow = h.Item.Withheld && actor.May(project, ledger.ActionRelabel)
		all, err := tx.AllAnnotationsOf(id)
		if err != nil {
			return fault.Wrap(err, "find annotations")
		}
		all, h.Annotations = sight.annotations(h.Item, all), nil
		for i := len(all) - 1; i >= 0; i-- {
			h.Annotations = append(h.Annotations, all[i])
		}
		return nil
	})
	if err == nil {
		err = s.Viewed(ctx, actor, project, h.Item.Dataset)
	}
	if err != nil {
		return ItemHistory{}, err
	}
	return h, nil
}
