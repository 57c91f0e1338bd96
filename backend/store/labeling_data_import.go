package store

import (
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

const importColumns = `SELECT id, project, file, blob, size, state, failure, dataset, format, header, map_text, map_media, map_label, map_key,
	add_classes, classes_in, passed, bytes_read, added, unchanged, labeled, bad, created_by, created_at, finished_at FROM import `

func (tx *Tx) imports(where string, args ...any) ([]labeling.Import, error) {
	var found []labeling.Import
	err := tx.each(importColumns+where, args, func(scan func(...any) error) error {
		var i labeling.Import
		var created, finished int64
		err := scan(&i.ID, &i.Project, &i.File, &i.Blob, &i.Size, &i.State, &i.Failure, &i.Dataset, &i.Format, &i.Header,
			&i.Mapping.Text, &i.Mapping.Media, &i.Mapping.Label, &i.Mapping.Key, &i.AddClasses, &i.ClassesIn, &i.Passed, &i.Read,
			&i.Added, &i.Unchanged, &i.Labeled, &i.Bad, &i.CreatedBy, &created, &finished)
		i.CreatedAt, i.FinishedAt = fromMicros(created), fromMicros(finished)
		found = append(found, i)
		return err
	})
	return found, err
}

// CreateImport adds an import.
func (tx *Tx) CreateImport(i labeling.Import) error {
	_, err := tx.exec(`INSERT INTO import (id, project, file, blob, size, state, failure, dataset, format, header, map_text, map_label, map_key,
			add_classes, classes_in, passed, bytes_read, added, unchanged, labeled, bad, created_by, created_at, finished_at, map_media)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`,
		string(i.ID), string(i.Project), i.File, string(i.Blob), i.Size, string(i.State), i.Failure, string(i.Dataset), string(i.Format), string(i.Header),
		i.Mapping.Text, i.Mapping.Label, i.Mapping.Key, i.AddClasses, i.ClassesIn, i.Passed, i.Read, i.Added, i.Unchanged, i.Labeled, i.Bad,
		string(i.CreatedBy), micros(i.CreatedAt), micros(i.FinishedAt), i.Mapping.Media)
	return err
}

// UpdateImport writes all of an import that changes.
func (tx *Tx) UpdateImport(i labeling.Import) error {
	return tx.mustExec(`UPDATE import SET state = $2, failure = $3, dataset = $4, format = $5, header = $6, map_text = $7, map_label = $8, map_key = $9,
			add_classes = $10, classes_in = $11, passed = $12, bytes_read = $13, added = $14, unchanged = $15, labeled = $16, bad = $17, finished_at = $18, map_media = $19
		WHERE id = $1`,
		string(i.ID), string(i.State), i.Failure, string(i.Dataset), string(i.Format), string(i.Header), i.Mapping.Text, i.Mapping.Label, i.Mapping.Key,
		i.AddClasses, i.ClassesIn, i.Passed, i.Read, i.Added, i.Unchanged, i.Labeled, i.Bad, micros(i.FinishedAt), i.Mapping.Media)
}

// Import returns an import by id.
func (tx *Tx) Import(id labeling.ImportID) (labeling.Import, error) {
	found, err := tx.imports(`WHERE id = $1`, string(id))
	if err == nil && len(found) == 0 {
		return labeling.Import{}, fault.New(fault.NotFound, "There is no such import.")
	}
	if err != nil {
		return labeling.Import{}, err
	}
	return found[0], nil
}

// Imports lists the newest imports of a project that were started.
func (tx *Tx) Imports(project labeling.ProjectID, limit int) ([]labeling.Import, error) {
	return tx.imports(`WHERE project = $1 AND state <> 'uploaded' ORDER BY created_at DESC, id DESC LIMIT $2`, string(project), limit)
}

// AddImportProblems keeps problems behind those there are, up to a limit.
func (tx *Tx) AddImportProblems(id labeling.ImportID, problems []labeling.ImportProblem) error {
	if len(problems) == 0 {
		return nil
	}
	var kept int
	if err := tx.one([]any{&kept}, `SELECT COUNT(*) FROM import_problem WHERE import = $1`, string(id)); err != nil {
		return err
	}
	for _, p := range problems[:max(0, min(len(problems), labeling.MostProblems-kept))] {
		kept++
		if _, err := tx.exec(`INSERT INTO import_problem (import, place, line, reason) VALUES ($1, $2, $3, $4)`, string(id), kept, p.Line, p.Reason); err != nil {
			return err
		}
	}
	return nil
}

// ImportProblems lists the first problems of an import by line.
func (tx *Tx) ImportProblems(id labeling.ImportID, limit int) ([]labeling.ImportProblem, error) {
	var found []labeling.ImportProblem
	err := tx.each(`SELECT line, reason FROM import_problem WHERE import = $1 ORDER BY line, place LIMIT $2`, []any{string(id), limit}, func(scan func(...any) error) error {
		var p labeling.ImportProblem
		err := scan(&p.Line, &p.Reason)
		found = append(found, p)
		return err
	})
	return found, err
}

// rowsList returns "(…), (…)" with parameters for rows of columns, numbered
// behind those that every row shares. each stands for a row: "%" is replaced by
// the next parameter.
func rowsList(shared, rows int, each string) string {
	var b strings.Builder
	next := shared
	for r := range rows {
		if r > 0 {
			b.WriteString(", ")
		}
		for _, c := range each {
			if c != '%' {
				b.WriteRune(c)
				continue
			}
			next++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(next))
		}
	}
	return b.String()
}

// insertItems and insertNotes hold the statements that insert so many rows, as
// many as the dialect likes, and one.
var (
	insertItems = rowsStatements(`INSERT INTO item (id, project, dataset, key, content, text, meta, status, label, answers, model, model_label, model_score, uncertainty, created_at) VALUES `,
		5, `(%, $1, $2, %, %, %, '{}', $4, %, $5, '', '', NULL, NULL, $3)`)
	insertNotes = rowsStatements(`INSERT INTO annotation (id, project, dataset, item, person, kind, class, reason, suggestion, score, untouched, extra, seen_ms, state, at) VALUES `,
		4, `(%, $1, $2, %, $3, %, %, %, '', NULL, FALSE, FALSE, 0, 'active', $4)`)
)

func rowsStatements(head string, shared int, each string) map[int]string {
	statements := map[int]string{1: head + rowsList(shared, 1, each)}
	for _, d := range []dialect{sqlite{}, postgres{}} {
		statements[d.bulkRows()] = head + rowsList(shared, d.bulkRows(), each)
	}
	return statements
}

// bulk calls f with pieces of n things, as long as statements have rows.
func (tx *Tx) bulk(n int, f func(from, to int) error) error {
	rows := tx.store.dialect.bulkRows()
	for from := 0; from < n; {
		to := from + 1
		if n-from >= rows {
			to = from + rows
		}
		if err := f(from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// AddItems adds the items whose key is new in their dataset and counts them.
// All items are of one dataset and time and have no further columns.
func (tx *Tx) AddItems(items []labeling.Item) (added []labeling.Item, standing map[string]ledger.Digest, err error) {
	if len(items) == 0 {
		return nil, nil, nil
	}
	before, err := tx.newest()
	if err != nil {
		return nil, nil, err
	}
	if added, standing, err = tx.sift(items, before); err != nil || len(added) == 0 {
		return nil, standing, err
	}
	for from := 0; from < len(added); {
		to := from + 1
		for to < len(added) && added[to].Status == added[from].Status && added[to].Answers == added[from].Answers {
			to++
		}
		if err := tx.addAlike(added[from:to]); err != nil {
			return nil, nil, err
		}
		from = to
	}
	for _, i := range added {
		if err := tx.addMedia(i); err != nil {
			return nil, nil, err
		}
	}
	if err := tx.addKeys(added[0].Dataset, before.seq, len(added)); err != nil {
		return nil, nil, err
	}
	if err := tx.remember(added, before); err != nil {
		return nil, nil, err
	}
	type place struct {
		status labeling.Status
		label  labeling.ClassID
	}
	counts := map[place]int64{}
	var order []place
	for _, i := range added {
		p := place{i.Status, i.Label}
		if counts[p]++; counts[p] == 1 {
			order = append(order, p)
		}
	}
	for _, p := range order {
		if err := tx.countItem(labeling.Item{Project: items[0].Project, Dataset: items[0].Dataset, Status: p.status, Label: p.label}, counts[p]); err != nil {
			return nil, nil, err
		}
	}
	return added, standing, nil
}

// addAlike adds items of one status and number of answers.
func (tx *Tx) addAlike(items []labeling.Item) error {
	return tx.bulk(len(items), func(from, to int) error {
		first := items[from]
		args := make([]any, 0, 5+5*(to-from))
		args = append(args, string(first.Project), string(first.Dataset), micros(first.CreatedAt), string(first.Status), first.Answers)
		for _, i := range items[from:to] {
			args = append(args, string(i.ID), i.Key, string(i.Content), i.Text, string(i.Label))
		}
		_, err := tx.exec(insertItems[to-from], args...)
		return err
	})
}

// AddAnnotations adds active annotations of one person, kind, dataset and time to
// items that nobody else has judged, and counts them.
func (tx *Tx) AddAnnotations(notes []labeling.Annotation) error {
	err := tx.bulk(len(notes), func(from, to int) error {
		first := notes[from]
		args := make([]any, 0, 4+5*(to-from))
		args = append(args, string(first.Project), string(first.Dataset), string(first.Person), micros(first.At))
		for _, a := range notes[from:to] {
			args = append(args, string(a.ID), string(a.Item), string(a.Kind), string(a.Class), a.Reason)
		}
		_, err := tx.exec(insertNotes[to-from], args...)
		return err
	})
	if err != nil {
		return err
	}
	counts := map[labeling.ClassID]int64{}
	var order []labeling.ClassID
	for _, a := range notes {
		if counts[a.Class]++; counts[a.Class] == 1 {
			order = append(order, a.Class)
		}
	}
	for _, class := range order {
		like := notes[0]
		like.Class = class
		if err := tx.countAnswers(like, counts[class], counts[class]); err != nil {
			return err
		}
	}
	return nil
}
