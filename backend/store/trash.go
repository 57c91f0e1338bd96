package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// visible reads a table without what is in the trash. id is the column that the
// trash names, project that of its project.
func visible(table, project, id string) string {
	return fmt.Sprintf(`(SELECT * FROM %[1]s v WHERE NOT EXISTS (SELECT 1 FROM trash t WHERE t.kind = '%[1]s' AND t.project = v.%[2]s AND t.id = v.%[3]s))`, table, project, id)
}

// hiddenDatasets lists the datasets of a project that are in the trash.
const hiddenDatasets = `(SELECT t.id FROM trash t WHERE t.kind = 'dataset' AND t.project = $1)`

// Deletable finds something that is not in the trash yet.
func (tx *Tx) Deletable(kind string, project ledger.ProjectID, id string) (erasure.Trashed, error) {
	t := erasure.Trashed{Kind: kind, Project: project, ID: id}
	none := fault.New(fault.NotFound, "There is no such %s.", kind)
	switch kind {
	case erasure.TrashProject:
		p, err := tx.Project(project)
		if err != nil || id != string(project) {
			return t, none
		}
		t.Name = p.Name
	case erasure.TrashDataset:
		d, err := tx.Dataset(labeling.DatasetID(id))
		if err != nil || d.Project != project {
			return t, none
		}
		t.Name = d.Name
	case erasure.TrashSnapshot:
		s, err := tx.Snapshot(labeling.SnapshotID(id))
		if err != nil || s.Project != project {
			return t, none
		}
		t.Name = s.Title()
	case erasure.TrashModel:
		m, err := tx.GetModel(project, compare.ModelID(id))
		if err != nil {
			return t, none
		}
		t.Name = fmt.Sprintf("%s %d", m.Name, m.Version)
	case erasure.TrashComparison:
		found, err := tx.FindComparisons(compare.ComparisonFilter{Project: project, Digest: ledger.Digest(id), Limit: 1})
		if err != nil || len(found) == 0 {
			return t, none
		}
		base, err1 := tx.GetModel(project, found[0].Baseline)
		next, err2 := tx.GetModel(project, found[0].Candidate)
		if err1 != nil || err2 != nil {
			return t, none
		}
		t.Name = fmt.Sprintf("%s %d – %s %d", base.Name, base.Version, next.Name, next.Version)
	}
	return t, nil
}

// needs are the questions that are asked before something is deleted: each lists
// what needs it, $1 is the project and $2 the id, and says how.
var needs = map[string][]struct{ query, says string }{
	erasure.TrashComparison: {
		{`SELECT DISTINCT CAST(c.number AS TEXT) FROM candidate c, comparison o JOIN model m ON m.id = o.candidate WHERE c.project = $1 AND o.project = $1 AND o.digest = $2 AND (c.model = m.id OR m.digest <> '' AND c.subject = m.digest)`, fault.Format("Candidate %s rests on it.")},
	},
	erasure.TrashModel: {
		{`SELECT CAST(number AS TEXT) FROM candidate WHERE project = $1 AND (model = $2 OR baseline_model = $2)`, fault.Format("Candidate %s names it.")},
		{`SELECT DISTINCT CAST(c.number AS TEXT) FROM candidate c JOIN model m ON m.digest <> '' AND m.digest IN (c.subject, c.baseline_subject) WHERE c.project = $1 AND m.project = $1 AND m.id = $2 AND c.model <> $2 AND c.baseline_model <> $2`,
			fault.Format("Candidate %s is of the same bytes, so the answers of this model count for it.")},
		{`SELECT o.name || ' ' || CAST(o.version AS TEXT) FROM ` + visible("model", "project", "id") + ` o JOIN model m ON m.digest <> '' AND m.digest = o.digest WHERE o.project = $1 AND m.project = $1 AND m.id = $2 AND o.id <> $2
			AND EXISTS (SELECT 1 FROM prediction_set s WHERE s.model = $2)`, fault.Format("The model %s has the same bytes, so the answers of this one count for it.")},
		{`SELECT substr(digest, 8, 12) FROM ` + visible("comparison", "project", "digest") + ` c WHERE project = $1 AND (baseline = $2 OR candidate = $2)`, fault.Format("The comparison %s is of it; delete that first.")},
		{`SELECT run FROM training_job WHERE project = $1 AND model = $2 AND ended_at = 0`, fault.Format("A job predicts with it; stop that first.")},
	},
	erasure.TrashSnapshot: {
		{`SELECT CAST(c.number AS TEXT) FROM candidate c WHERE c.project = $1 AND c.subject IN (SELECT digest FROM snapshot WHERE id = $2)`, fault.Format("Candidate %s names it.")},
		{`SELECT name || ' ' || CAST(version AS TEXT) FROM ` + visible("model", "project", "id") + ` m WHERE project = $1 AND (snapshot = $2 OR id IN (SELECT e.model FROM evaluation e WHERE e.project = $1 AND e.snapshot = $2))`,
			fault.Format("The model %s was trained or judged on it; delete that first.")},
		{`SELECT substr(digest, 8, 12) FROM ` + visible("comparison", "project", "digest") + ` c WHERE project = $1 AND snapshot = $2`, fault.Format("The comparison %s was made on it; delete that first.")},
		{`SELECT run FROM training_job WHERE project = $1 AND snapshot = $2 AND ended_at = 0`, fault.Format("A training reads it; stop that first.")},
		{`SELECT id FROM snapshot WHERE project = $1 AND id = $2 AND state = 'building'`, fault.Format("It is still being made; wait until it is done.")},
	},
	erasure.TrashDataset: {
		{`SELECT CAST(number AS TEXT) FROM ` + visible("snapshot", "project", "id") + ` s WHERE project = $1 AND replace(datasets, $2, '') <> datasets`, fault.Format("The snapshot %s holds items of it; delete that first.")},
		{`SELECT file FROM import WHERE project = $1 AND dataset = $2 AND finished_at = 0`, fault.Format("The import of %s into it is still running; wait until it is done.")},
		{`SELECT run FROM training_job WHERE project = $1 AND dataset = $2 AND ended_at = 0`, fault.Format("A job reads it; stop that first.")},
	},
	erasure.TrashProject: {
		{`SELECT DISTINCT CAST(c.number AS TEXT) FROM candidate c JOIN attestation a ON a.candidate = c.id WHERE c.project = $1 AND $2 <> ''`, fault.Format("Candidate %s was signed.")},
		{`SELECT file FROM import WHERE project = $1 AND finished_at = 0 AND dataset <> $2 AND dataset <> ''`, fault.Format("The import of %s is still running; wait until it is done.")},
		{`SELECT run FROM training_job WHERE project = $1 AND ended_at = 0 AND $2 <> ''`, fault.Format("A job is running; stop it first.")},
		{`SELECT id FROM snapshot WHERE project = $1 AND state = 'building' AND $2 <> ''`, fault.Format("A snapshot is still being made; wait until it is done.")},
	},
}

// NeededBy lists in words what still needs a thing.
func (tx *Tx) NeededBy(t erasure.Trashed) ([]string, error) {
	var said []string
	for _, n := range needs[t.Kind] {
		var names []string
		if err := tx.each(n.query, []any{string(t.Project), t.ID}, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			names = append(names, name)
			return err
		}); err != nil {
			return nil, fault.Wrap(err, "look for what needs a "+t.Kind)
		}
		if len(names) == 0 {
			continue
		}
		slices.Sort(names)
		if !strings.Contains(n.says, "%s") {
			said = append(said, n.says)
			continue
		}
		said = append(said, fmt.Sprintf(n.says, strings.Join(names, ", ")))
	}
	return said, nil
}

// PutInTrash hides a thing.
func (tx *Tx) PutInTrash(t erasure.Trashed) error {
	_, err := tx.exec(`INSERT INTO trash (kind, project, id, name, reason, person, at, purged_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`,
		t.Kind, string(t.Project), t.ID, t.Name, t.Reason, string(t.Person), micros(t.At))
	return err
}

// TakeFromTrash shows it again.
func (tx *Tx) TakeFromTrash(t erasure.Trashed) error {
	return tx.mustExec(`DELETE FROM trash WHERE kind = $1 AND project = $2 AND id = $3 AND purged_at = 0`, t.Kind, string(t.Project), t.ID)
}

// InTrash lists what is in the trash and not purged.
func (tx *Tx) InTrash() (list []erasure.Trashed, err error) {
	err = tx.each(`SELECT kind, project, id, name, reason, person, at FROM trash WHERE purged_at = 0 ORDER BY at DESC, kind, id`, nil, func(scan func(...any) error) error {
		var t erasure.Trashed
		var at int64
		err := scan(&t.Kind, &t.Project, &t.ID, &t.Name, &t.Reason, &t.Person, &at)
		t.At = fromMicros(at)
		list = append(list, t)
		return err
	})
	return list, fault.Wrap(err, "list the trash")
}

// Purged keeps a thing hidden for good.
func (tx *Tx) Purged(t erasure.Trashed, at time.Time) error {
	return tx.mustExec(`UPDATE trash SET purged_at = $4, name = '', reason = '' WHERE kind = $1 AND project = $2 AND id = $3`, t.Kind, string(t.Project), t.ID, micros(at))
}

// texts reads one column.
func (tx *Tx) texts(query string, args ...any) (found []string, err error) {
	err = tx.each(query, args, func(scan func(...any) error) error {
		var text string
		err := scan(&text)
		found = append(found, text)
		return err
	})
	return found, err
}

// Purge takes the contents of a thing away.
func (tx *Tx) Purge(t erasure.Trashed, most int) ([]ledger.Digest, bool, error) {
	switch t.Kind {
	case erasure.TrashComparison:
		return []ledger.Digest{ledger.Digest(t.ID)}, false, tx.statements(t, `DELETE FROM comparison WHERE project = $1 AND digest = $2`,
			`DELETE FROM look WHERE project = $1 AND thing = $2`, `DELETE FROM look_item WHERE project = $1 AND comparison = $2`)
	case erasure.TrashModel:
		files, err := tx.purgeModel(t)
		return files, false, err
	case erasure.TrashSnapshot:
		files, err := tx.texts(`SELECT row_file FROM snapshot WHERE project = $1 AND id = $2 UNION ALL SELECT parquet_file FROM snapshot WHERE project = $1 AND id = $2`, string(t.Project), t.ID)
		if err != nil {
			return nil, false, err
		}
		if err := tx.statements(t, `DELETE FROM look WHERE project = $1 AND thing = $2`); err != nil {
			return nil, false, err
		}
		return digests(files), false, tx.EraseSnapshot(t.ID, fault.Say("It was deleted."))
	case erasure.TrashDataset:
		return tx.purgeDataset(t, most)
	case erasure.TrashProject:
		return tx.purgeProject(t, most)
	}
	return nil, false, fault.New(fault.Invalid, "A %s cannot be purged.", t.Kind)
}

func digests(texts []string) []ledger.Digest {
	list := make([]ledger.Digest, len(texts))
	for i, text := range texts {
		list[i] = ledger.Digest(text)
	}
	return list
}

// statements runs statements about a thing: $1 is its project, $2 its id.
func (tx *Tx) statements(t erasure.Trashed, list ...string) error {
	for _, statement := range list {
		if _, err := tx.exec(statement, string(t.Project), t.ID); err != nil {
			return fault.Wrap(err, "purge a "+t.Kind)
		}
	}
	return nil
}

// purgeModel empties a model. Its row stays, so that its version is not given
// away again.
func (tx *Tx) purgeModel(t erasure.Trashed) ([]ledger.Digest, error) {
	all, err := tx.texts(`SELECT digest FROM prediction_set WHERE project = $1 AND model = $2
		UNION ALL SELECT digest FROM evaluation WHERE project = $1 AND model = $2
		UNION ALL SELECT digest FROM comparison WHERE project = $1 AND (baseline = $2 OR candidate = $2)`, string(t.Project), t.ID)
	if err != nil {
		return nil, err
	}
	outputs, err := tx.texts(`SELECT o.digest FROM training_output o JOIN training_attempt a ON a.fence = o.fence JOIN training_job j ON j.id = a.job
		JOIN model m ON m.run = j.run AND m.run <> '' WHERE m.project = $1 AND m.id = $2`, string(t.Project), t.ID)
	if err != nil {
		return nil, err
	}
	return digests(append(all, outputs...)), tx.statements(t,
		`DELETE FROM training_output WHERE fence IN (SELECT a.fence FROM training_attempt a JOIN training_job j ON j.id = a.job JOIN model m ON m.run = j.run AND m.run <> ''
			WHERE m.project = $1 AND m.id = $2)`,
		`DELETE FROM look WHERE project = $1 AND (thing = $2 OR thing IN (SELECT digest FROM comparison WHERE project = $1 AND (baseline = $2 OR candidate = $2)))`,
		`DELETE FROM look_item WHERE project = $1 AND comparison IN (SELECT digest FROM comparison WHERE project = $1 AND (baseline = $2 OR candidate = $2))`,
		`DELETE FROM comparison WHERE project = $1 AND (baseline = $2 OR candidate = $2)`,
		`DELETE FROM evaluation WHERE project = $1 AND model = $2`,
		`DELETE FROM prediction_set WHERE project = $1 AND model = $2`,
		`UPDATE model SET digest = '', files = '[]', params = '{}', metrics = '{}', environment = '{}', run = '' WHERE project = $1 AND id = $2`)
}

// purgeDataset takes items away, a number at once, with all that was said about
// them, and then the files that they came in. The row stays without its name.
func (tx *Tx) purgeDataset(t erasure.Trashed, most int) ([]ledger.Digest, bool, error) {
	type one struct {
		seq int64
		id  string
	}
	var items []one
	if err := tx.each(`SELECT seq, id FROM item WHERE dataset = $1 ORDER BY seq LIMIT $2`, []any{t.ID, most}, func(scan func(...any) error) error {
		var i one
		err := scan(&i.seq, &i.id)
		items = append(items, i)
		return err
	}); err != nil {
		return nil, false, fault.Wrap(err, "find items to purge")
	}
	for _, i := range items {
		for _, statement := range tx.store.dialect.unindexItem() {
			if _, err := tx.exec(statement, argsFor(statement, i.seq)...); err != nil {
				return nil, false, fault.Wrap(err, "take an item out of the search index")
			}
		}
		for _, statement := range []string{`DELETE FROM annotation WHERE item = $1`, `DELETE FROM draft WHERE item = $1`, `DELETE FROM item_shown WHERE item = $1`, `DELETE FROM item_bulk_row WHERE item = $1`, `DELETE FROM item_media WHERE item = $1`} {
			if _, err := tx.exec(statement, i.id); err != nil {
				return nil, false, fault.Wrap(err, "purge an item")
			}
		}
		for _, statement := range []string{`DELETE FROM task_lease WHERE item = $1`, `DELETE FROM queue_row WHERE item = $1`, `DELETE FROM item WHERE seq = $1`} {
			if _, err := tx.exec(statement, i.seq); err != nil {
				return nil, false, fault.Wrap(err, "purge an item")
			}
		}
	}
	if len(items) == most {
		return nil, true, nil
	}
	uploads, err := tx.texts(`SELECT blob FROM import WHERE project = $1 AND dataset = $2 AND blob <> ''`, string(t.Project), t.ID)
	if err != nil {
		return nil, false, err
	}
	return digests(uploads), false, tx.statements(t,
		`UPDATE import SET blob = '' WHERE project = $1 AND dataset = $2`,
		`DELETE FROM item_key WHERE dataset = $2 AND $1 <> ''`, `DELETE FROM item_run WHERE dataset = $2 AND $1 <> ''`,
		`DELETE FROM item_count WHERE project = $1 AND dataset = $2`, `DELETE FROM answer_count WHERE project = $1 AND dataset = $2`,
		`DELETE FROM dataset_view WHERE dataset = $2 AND $1 <> ''`, `DELETE FROM media_check WHERE dataset = $2 AND $1 <> ''`,
		`UPDATE dataset SET name = 'purged ' || id WHERE project = $1 AND id = $2`)
}

// purgeProject purges all that a project holds, one thing after the other, and
// then its name, schema and members.
func (tx *Tx) purgeProject(t erasure.Trashed, most int) ([]ledger.Digest, bool, error) {
	for _, within := range []struct{ kind, query string }{
		{erasure.TrashComparison, `SELECT digest FROM comparison WHERE project = $1 LIMIT 1`},
		{erasure.TrashModel, `SELECT id FROM model WHERE project = $1 AND (digest <> '' OR files <> '[]') LIMIT 1`},
		{erasure.TrashSnapshot, `SELECT id FROM snapshot WHERE project = $1 AND row_file <> '' LIMIT 1`},
		{erasure.TrashDataset, `SELECT id FROM dataset WHERE project = $1 AND name <> 'purged ' || id LIMIT 1`},
	} {
		found, err := tx.texts(within.query, string(t.Project))
		if err != nil {
			return nil, false, err
		}
		if len(found) > 0 {
			files, _, err := tx.Purge(erasure.Trashed{Kind: within.kind, Project: t.Project, ID: found[0]}, most)
			return files, true, err
		}
	}
	return nil, false, tx.statements(t,
		`DELETE FROM membership WHERE project = $1 AND $2 <> ''`, `DELETE FROM group_role WHERE project = $1 AND $2 <> ''`, `DELETE FROM draft WHERE project = $1 AND $2 <> ''`,
		`DELETE FROM look WHERE project = $1 AND $2 <> ''`, `DELETE FROM look_item WHERE project = $1 AND $2 <> ''`,
		`UPDATE trash SET purged_at = at, name = '', reason = '' WHERE project = $1 AND kind <> 'project' AND $2 <> ''`,
		`UPDATE project SET name = 'purged', slug = 'purged-' || id, schema = '{"question":"","classes":[]}' WHERE id = $1 AND id = $2`)
}
