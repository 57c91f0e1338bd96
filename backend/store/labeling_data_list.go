package store

import (
	"slices"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// listing is a query over items: what to read from, where the order is, and the
// conditions. Only the driving conditions may use an index: the others are
// written as expressions, so that neither database is tempted to walk another
// index and sort.
type listing struct {
	from  string // behind FROM
	seq   string // the column that orders
	where []string
	args  []any
}

func (l *listing) arg(v any) string {
	l.args = append(l.args, v)
	return "$" + strconv.Itoa(len(l.args))
}

func (l *listing) and(condition string) { l.where = append(l.where, condition) }

// smallShare is how many answers of a person are looked up one by one; of more,
// most items have one, and walking the items finds them quickly.
const smallShare = 5000

// list plans a query for a filter. ok is false where nothing can be found.
func (tx *Tx) list(project labeling.ProjectID, f labeling.ItemFilter) (l *listing, ok bool, err error) {
	l = &listing{from: "item i", seq: "i.seq"}
	var driven struct{ dataset, status, label bool }
	own, err := tx.ownAnswers(project, f)
	if err != nil || own.nothing {
		return nil, false, err
	}
	switch {
	case own.few && f.Search == "": // walking them is quicker than any index of items
		l.and("i.project || '' = " + l.arg(string(project)))
	case f.Search != "":
		query, err := tx.store.dialect.searchFor(tx, project, f.Search)
		if err != nil || query == "" {
			return nil, false, err
		}
		l.args = []any{query, string(project)}
		var matches string
		l.from, l.seq, matches = tx.store.dialect.searchItems()
		l.and(matches)
	case f.Disagrees:
		l.and("i.project = " + l.arg(string(project)) + " AND i.label <> '' AND i.model_label <> '' AND i.label <> i.model_label")
	case f.Label != "":
		l.and("i.project = " + l.arg(string(project)) + " AND i.label <> '' AND i.label = " + l.arg(string(f.Label)))
		driven.label = true
	case f.Dataset != "" && f.Status != "":
		l.and("i.dataset = " + l.arg(string(f.Dataset)) + " AND i.status = " + l.arg(string(f.Status)))
		driven.dataset, driven.status = true, true
	default:
		l.and("i.project || '' = " + l.arg(string(project)))
	}
	hidden, err := tx.texts(strings.Trim(hiddenDatasets, "()"), string(project))
	if err != nil || slices.Contains(hidden, string(f.Dataset)) {
		return nil, false, err
	}
	for _, dataset := range hidden {
		if f.Dataset == "" {
			l.and("i.dataset || '' <> " + l.arg(dataset))
		}
	}
	if f.Dataset != "" && !driven.dataset {
		l.and("i.dataset || '' = " + l.arg(string(f.Dataset)))
	}
	if f.Label != "" && !driven.label {
		l.and("i.label || '' = " + l.arg(string(f.Label)))
	}
	if f.Disagrees && f.Search != "" {
		l.and("i.label <> '' AND i.model_label <> '' AND i.label || '' <> i.model_label")
	}
	switch {
	case f.Status == "":
		l.and("i.status || '' <> 'trashed'")
	case !driven.status:
		l.and("i.status || '' = " + l.arg(string(f.Status)))
	}
	if own.asked {
		l.and(own.condition(l, project, *f.Own))
	}
	if f.Disagrees && own.few && f.Search == "" {
		l.and("i.label <> '' AND i.model_label <> '' AND i.label || '' <> i.model_label")
	}
	if f.Model != "" {
		l.and("i.model_label || '' = " + l.arg(string(f.Model)))
	}
	if f.Person != "" {
		answers, err := tx.AnswersBy(f.Person, project, "")
		if err != nil || answers == 0 {
			return nil, false, err
		}
		l.and(l.answeredBy(f.Person, project, answers <= smallShare))
	}
	return l, true, nil
}

// answeredBy is the condition under which an item has an answer of a person that
// counts; few says that they have not given many.
func (l *listing) answeredBy(who ledger.PersonID, project labeling.ProjectID, few bool) string {
	person := l.arg(string(who))
	if few {
		return "i.id IN (SELECT a.item FROM annotation a WHERE a.project = " + l.arg(string(project)) + " AND a.person = " + person + " AND a.state = 'active' AND a.kind IN ('answer', 'decision'))"
	}
	return "EXISTS (SELECT 1 FROM annotation a WHERE a.item = i.id AND a.person || '' = " + person + " AND a.state = 'active' AND a.kind IN ('answer', 'decision'))"
}

// ownAnswers is how a list keeps to what its reader has answered.
type ownAnswers struct {
	asked   bool // it does, in the datasets that it looks at
	nothing bool // and there is nothing
	few     bool // and every item that it can find is one of a few that they have answered
	some    bool // they have not answered many
	all     bool // no dataset is open to them that the list looks at
}

func (tx *Tx) ownAnswers(project labeling.ProjectID, f labeling.ItemFilter) (o ownAnswers, err error) {
	if f.Own == nil || f.Dataset != "" && slices.Contains(f.Own.Open, f.Dataset) {
		return o, nil
	}
	answers, err := tx.AnswersBy(f.Own.Person, project, f.Dataset)
	o.asked, o.all, o.some = true, f.Dataset != "" || len(f.Own.Open) == 0, answers <= smallShare
	o.few, o.nothing = o.all && o.some, o.all && answers == 0
	return o, err
}

// condition lets through what its reader has answered and, of a list over all
// datasets, those that are open to them.
func (o ownAnswers) condition(l *listing, project labeling.ProjectID, own labeling.OwnAnswers) string {
	mine := l.answeredBy(own.Person, project, o.some)
	if o.all {
		return mine
	}
	open := make([]string, len(own.Open))
	for i, d := range own.Open {
		open[i] = l.arg(string(d))
	}
	return "(i.dataset || '' IN (" + strings.Join(open, ", ") + ") OR " + mine + ")"
}

// page completes the query to one page of the columns.
func (l *listing) page(columns string, s labeling.Slice) (string, []any) {
	q := *l
	q.args = slices.Clone(l.args)
	q.where = slices.Clone(l.where)
	order := " ORDER BY " + l.seq
	switch {
	case s.Before != 0:
		q.and(l.seq + " < " + q.arg(s.Before))
		order += " DESC"
	case s.After != 0:
		q.and(l.seq + " > " + q.arg(s.After))
	}
	return "SELECT " + columns + " FROM " + q.from + " WHERE " + strings.Join(q.where, " AND ") + order + " LIMIT " + q.arg(s.Rows+1), q.args // one more than fits tells whether there are more
}

// FindItems returns the items that a filter lets through, on one side of a Seq.
func (tx *Tx) FindItems(project labeling.ProjectID, f labeling.ItemFilter, s labeling.Slice) (items []labeling.Item, more bool, err error) {
	p := newPurse()
	if f.Search == "" && !f.Disagrees && f.Label == "" && (f.Dataset == "" || f.Status == "") && (f.Status != "" || f.Person == "" && f.Model == "") && (f.Own == nil || len(f.Own.Open) > 0) {
		items, err = tx.merge(p, project, f, s)
	} else {
		l, ok, err := tx.list(project, f)
		if err != nil || !ok {
			return nil, false, err
		}
		l.from += " " + withMedia
		query, args := l.page(itemFields(s), s)
		if items, err = tx.itemsBy(p, query, args, s); err != nil {
			return nil, false, err
		}
	}
	if len(items) > s.Rows {
		items, p.cut = items[:s.Rows], true
	}
	return items, p.cut, err
}

// merge walks the datasets and statuses that have items side by side, since
// each of them alone is in order.
func (tx *Tx) merge(p *purse, project labeling.ProjectID, f labeling.ItemFilter, s labeling.Slice) ([]labeling.Item, error) {
	counts, err := tx.Counts(project)
	if err != nil {
		return nil, err
	}
	type place struct {
		dataset labeling.DatasetID
		status  labeling.Status
	}
	seen := map[place]bool{}
	var seqs []int64
	for _, c := range counts {
		here := place{c.Dataset, c.Status}
		if seen[here] || f.Dataset != "" && f.Dataset != c.Dataset || f.Status != "" && f.Status != c.Status || f.Status == "" && c.Status == labeling.StatusTrashed {
			continue
		}
		seen[here] = true
		one := f
		one.Dataset, one.Status = c.Dataset, c.Status
		l, ok, err := tx.list(project, one)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		query, args := l.page("i.seq", s)
		if err := tx.each(query, args, func(scan func(...any) error) error {
			var seq int64
			err := scan(&seq)
			seqs = append(seqs, seq)
			return err
		}); err != nil {
			return nil, err
		}
	}
	slices.Sort(seqs)
	order := ""
	if s.Before != 0 {
		slices.Reverse(seqs)
		order = " DESC"
	}
	seqs = seqs[:min(s.Rows+1, len(seqs))]
	found := make([]labeling.Item, 0, len(seqs))
	for part := range slices.Chunk(seqs, 50) {
		marks := make([]string, 50)
		args := make([]any, 50)
		for i := range marks { // always fifty, so that one statement is kept
			marks[i] = "$" + strconv.Itoa(i+1)
			args[i] = part[min(i, len(part)-1)]
		}
		items, err := tx.itemsBy(p, "SELECT "+itemFields(s)+" FROM item i "+withMedia+"WHERE i.seq IN ("+strings.Join(marks, ", ")+") ORDER BY i.seq"+order, args, s)
		if err != nil {
			return nil, err
		}
		if found = append(found, items...); p.cut {
			break
		}
	}
	return found, nil
}

// datasetsWith returns the datasets of a project that have items of a status.
func (tx *Tx) datasetsWith(project labeling.ProjectID, status labeling.Status) ([]labeling.DatasetID, error) {
	var found []labeling.DatasetID
	err := tx.each(`SELECT dataset FROM item_count WHERE project = $1 AND status = $2 AND items > 0 AND dataset NOT IN `+hiddenDatasets+` GROUP BY dataset ORDER BY dataset`,
		[]any{string(project), string(status)}, func(scan func(...any) error) error {
			var d labeling.DatasetID
			err := scan(&d)
			found = append(found, d)
			return err
		})
	return found, err
}

// itemFields are the columns that scanItem reads, with the texts cut where the
// list shows only their beginnings.
func itemFields(s labeling.Slice) string {
	fields := strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(strings.TrimSuffix(itemColumns, withMedia), "SELECT ")), "FROM item i")
	if s.Short {
		fields = strings.Replace(fields, "i.text", "substr(i.text, 1, "+strconv.Itoa(ledger.MostExcerpt+1)+")", 1)
	}
	return fields
}

func (tx *Tx) itemsBy(p *purse, query string, args []any, s labeling.Slice) ([]labeling.Item, error) {
	var found []labeling.Item
	err := tx.some(p, query, args, func(scan func(...any) error) error {
		item, err := scanItem(scan)
		if s.Short {
			item.Text, item.Cut = ledger.Excerpt(item.Text)
		}
		found = append(found, item)
		return err
	})
	return found, err
}

// countExactly is up to how many matches the trash is left out of a count.
const countExactly = 200

// CountItems counts the items that a filter lets through, up to a limit.
func (tx *Tx) CountItems(project labeling.ProjectID, f labeling.ItemFilter, limit int) (int64, error) {
	var n int64
	if f.Search == "" && !f.Disagrees && f.Label == "" && f.Dataset == "" && f.Status != "" {
		datasets, err := tx.datasetsWith(project, f.Status)
		for _, d := range datasets {
			f.Dataset = d
			more, err := tx.CountItems(project, f, limit-int(n))
			if n += more; err != nil || n >= int64(limit) {
				return n, err
			}
		}
		return n, err
	}
	l, ok, err := tx.list(project, f)
	if err != nil || !ok {
		return 0, err
	}
	if f.Search != "" && f == (labeling.ItemFilter{Search: f.Search}) {
		// Many matches are counted in the index alone; what lies in the trash
		// makes no difference then.
		err := tx.one([]any{&n}, "SELECT COUNT(*) FROM (SELECT 1 FROM "+tx.store.dialect.countWords()+" LIMIT $3) x", append(l.args[:2:2], limit)...)
		if err != nil || n > countExactly {
			return n, err
		}
	}
	err = tx.one([]any{&n}, "SELECT COUNT(*) FROM (SELECT 1 FROM "+l.from+" WHERE "+strings.Join(l.where, " AND ")+" LIMIT "+l.arg(limit)+") x", l.args...)
	return n, err
}

// ItemsAfter returns items of a dataset in the order of arrival, trash left out, as
// many as a page holds.
func (tx *Tx) ItemsAfter(dataset labeling.DatasetID, after int64, limit int) ([]labeling.Item, error) {
	found := make([]labeling.Item, 0, min(limit, 1000))
	err := tx.some(newPurse(), `SELECT i.seq, i.key, i.text, i.status, i.label, i.content, COALESCE(m.uri, ''), COALESCE(m.digest, '') FROM item i `+withMedia+`
		WHERE i.dataset || '' = $1 AND i.seq > $2 AND i.status || '' <> 'trashed' ORDER BY i.seq LIMIT $3`,
		[]any{string(dataset), after, limit}, func(scan func(...any) error) error {
			var i labeling.Item
			var m labeling.Media
			err := scan(&i.Seq, &i.Key, &i.Text, &i.Status, &i.Label, &i.Content, &m.URI, &m.Digest)
			if m.URI != "" {
				i.Media = &m
			}
			found = append(found, i)
			return err
		})
	return found, err
}
