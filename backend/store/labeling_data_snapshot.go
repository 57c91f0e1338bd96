package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

var snapshotColumns = `SELECT id, project, number, name, purpose, datasets, state, failure, digest, schema_digest, schema_json,
	row_file, row_bytes, parquet_file, parquet_bytes, items, classes, answerers, merged, held_out, progress, progress_total, created_by, created_at FROM ` + visible("snapshot", "project", "id") + ` snapshot `

func (tx *Tx) snapshots(where string, args ...any) ([]labeling.Snapshot, error) {
	var found []labeling.Snapshot
	err := tx.each(snapshotColumns+where, args, func(scan func(...any) error) error {
		var s labeling.Snapshot
		var datasets, schema, classes, answerers string
		var created int64
		if err := scan(&s.ID, &s.Project, &s.Number, &s.Name, &s.Purpose, &datasets, &s.State, &s.Failure, &s.Digest, &s.Schema, &schema,
			&s.Rows, &s.RowsBytes, &s.Parquet, &s.ParquetBytes, &s.Items, &classes, &answerers, &s.Merged, &s.HeldOut, &s.Progress, &s.ProgressTotal,
			&s.CreatedBy, &created); err != nil {
			return err
		}
		s.CreatedAt = fromMicros(created)
		if schema != "" {
			s.SchemaJSON = []byte(schema)
		}
		for text, to := range map[string]any{datasets: &s.Datasets, classes: &s.Classes, answerers: &s.Answerers} {
			if text == "null" {
				continue
			}
			if err := json.Unmarshal([]byte(text), to); err != nil {
				return fmt.Errorf("read snapshot %s: %w", s.ID, err)
			}
		}
		found = append(found, s)
		return nil
	})
	return found, err
}

func (tx *Tx) oneSnapshot(where string, args ...any) (labeling.Snapshot, error) {
	found, err := tx.snapshots(where, args...)
	if err == nil && len(found) == 0 {
		return labeling.Snapshot{}, fault.New(fault.NotFound, "There is no such snapshot.")
	}
	if err != nil {
		return labeling.Snapshot{}, err
	}
	return found[0], nil
}

func snapshotParts(s labeling.Snapshot) (datasets, classes, answerers string, err error) {
	var out [3]string
	for i, part := range []any{s.Datasets, s.Classes, s.Answerers} {
		raw, err := json.Marshal(part)
		if err != nil {
			return "", "", "", fmt.Errorf("encode snapshot: %w", err)
		}
		out[i] = string(raw)
	}
	return out[0], out[1], out[2], nil
}

// CreateSnapshot adds a snapshot under the project's next number.
func (tx *Tx) CreateSnapshot(s labeling.Snapshot) (int, error) {
	datasets, classes, answerers, err := snapshotParts(s)
	if err != nil {
		return 0, err
	}
	var number int
	err = tx.one([]any{&number}, `INSERT INTO snapshot (id, project, number, name, purpose, datasets, state, failure, digest, schema_digest, schema_json,
			row_file, row_bytes, parquet_file, parquet_bytes, items, classes, answerers, merged, held_out, progress, progress_total, created_by, created_at)
		VALUES ($1, $2, (SELECT COALESCE(MAX(number), 0) + 1 FROM snapshot WHERE project = $2), $3, $4, $5, $6, $7, $8, $9, $10,
			$11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23) RETURNING number`,
		string(s.ID), string(s.Project), s.Name, string(s.Purpose), datasets, string(s.State), s.Failure, string(s.Digest), string(s.Schema), string(s.SchemaJSON),
		string(s.Rows), s.RowsBytes, string(s.Parquet), s.ParquetBytes, s.Items, classes, answerers, s.Merged, s.HeldOut, s.Progress, s.ProgressTotal,
		string(s.CreatedBy), micros(s.CreatedAt))
	return number, err
}

// UpdateSnapshot writes what becomes known while a snapshot is made.
func (tx *Tx) UpdateSnapshot(s labeling.Snapshot) error {
	datasets, classes, answerers, err := snapshotParts(s)
	if err != nil {
		return err
	}
	if s.State == labeling.SnapshotReady {
		if err := tx.made(s.Digest, s.CreatedBy, compare.MadeTook, s.Project, string(s.ID)); err != nil {
			return err
		}
	}
	return tx.mustExec(`UPDATE snapshot SET datasets = $2, state = $3, failure = $4, digest = $5, schema_digest = $6, schema_json = $7, row_file = $8, row_bytes = $9,
			parquet_file = $10, parquet_bytes = $11, items = $12, classes = $13, answerers = $14, merged = $15, held_out = $16, progress = $17 WHERE id = $1`,
		string(s.ID), datasets, string(s.State), s.Failure, string(s.Digest), string(s.Schema), string(s.SchemaJSON), string(s.Rows), s.RowsBytes,
		string(s.Parquet), s.ParquetBytes, s.Items, classes, answerers, s.Merged, s.HeldOut, s.Progress)
}

// Snapshot returns a snapshot by id.
func (tx *Tx) Snapshot(id labeling.SnapshotID) (labeling.Snapshot, error) {
	return tx.oneSnapshot(`WHERE id = $1`, string(id))
}

// SnapshotNumbered returns a snapshot of a project by its number.
func (tx *Tx) SnapshotNumbered(project labeling.ProjectID, number int) (labeling.Snapshot, error) {
	return tx.oneSnapshot(`WHERE project = $1 AND number = $2`, string(project), number)
}

// SnapshotDigested returns the oldest ready snapshot of a project with a digest.
func (tx *Tx) SnapshotDigested(project labeling.ProjectID, digest ledger.Digest) (labeling.Snapshot, error) {
	return tx.oneSnapshot(`WHERE project = $1 AND digest = $2 AND state = 'ready' ORDER BY number LIMIT 1`, string(project), string(digest))
}

// SnapshotNamed returns the newest snapshot of a project with a name.
func (tx *Tx) SnapshotNamed(project labeling.ProjectID, name string) (labeling.Snapshot, error) {
	return tx.oneSnapshot(`WHERE project = $1 AND name = $2 AND name <> '' ORDER BY number DESC LIMIT 1`, string(project), name)
}

// Snapshots lists the snapshots of a project, newest first.
func (tx *Tx) Snapshots(project labeling.ProjectID) ([]labeling.Snapshot, error) {
	return tx.snapshots(`WHERE project = $1 ORDER BY number DESC`, string(project))
}

// AcceptedItems returns items of a dataset with an accepted answer, by key.
func (tx *Tx) AcceptedItems(dataset labeling.DatasetID, after string, limit int) ([]labeling.Item, error) {
	var runs []int64
	if err := tx.each(`SELECT run FROM item_run WHERE dataset = $1`, []any{string(dataset)}, func(scan func(...any) error) error {
		var run int64
		err := scan(&run)
		runs = append(runs, run)
		return err
	}); err != nil {
		return nil, err
	}
	found := make([]labeling.Item, 0, min(limit, 1000))
	most := "" // where a run was left before its end: what lies behind is not known to be next
	for _, run := range runs {
		p := newPurse()
		err := tx.some(p, `SELECT k.key, i.content, i.text, i.label, COALESCE(m.uri, ''), COALESCE(m.digest, '') FROM item_key k JOIN item i ON i.seq = k.item `+withMedia+`
			WHERE k.dataset = $1 AND k.run = $2 AND k.key > $3 AND i.status || '' = 'accepted' ORDER BY k.key LIMIT $4`,
			[]any{string(dataset), run, after, limit}, func(scan func(...any) error) error {
				var i labeling.Item
				var m labeling.Media
				err := scan(&i.Key, &i.Content, &i.Text, &i.Label, &m.URI, &m.Digest)
				if m.URI != "" {
					i.Media = &m
				}
				found = append(found, i)
				return err
			})
		if err != nil {
			return nil, err
		}
		if last := len(found) - 1; p.cut && (most == "" || found[last].Key < most) {
			most = found[last].Key
		}
		if len(runs) > 1 {
			slices.SortFunc(found, func(a, b labeling.Item) int { return strings.Compare(a.Key, b.Key) })
			end := len(found)
			for end > 0 && most != "" && found[end-1].Key > most {
				end--
			}
			found = found[:min(limit, end)]
		}
	}
	return found, nil
}

// Contents returns the contents of items of a dataset in the order of arrival.
func (tx *Tx) Contents(dataset labeling.DatasetID, after int64, limit int) ([]ledger.Digest, int64, error) {
	var found []ledger.Digest
	err := tx.each(`SELECT seq, content FROM item WHERE dataset = $1 AND seq > $2 ORDER BY seq LIMIT $3`, []any{string(dataset), after, limit},
		func(scan func(...any) error) error {
			var content ledger.Digest
			err := scan(&after, &content)
			found = append(found, content)
			return err
		})
	return found, after, err
}

// Answerers counts the active answers in datasets by person, most first.
func (tx *Tx) Answerers(datasets []labeling.DatasetID) ([]labeling.PersonCount, error) {
	byPerson := map[ledger.PersonID]labeling.PersonCount{}
	for _, d := range datasets {
		err := tx.each(`SELECT c.person, CAST(SUM(c.active - c.imported) AS BIGINT), CAST(SUM(c.imported) AS BIGINT)
			FROM answer_count c JOIN dataset d ON d.project = c.project AND d.id = c.dataset
			WHERE c.dataset = $1 GROUP BY c.person`, []any{string(d)}, func(scan func(...any) error) error {
			var c labeling.PersonCount
			err := scan(&c.Person, &c.Answers, &c.Imported)
			was := byPerson[c.Person]
			c.Answers, c.Imported = c.Answers+was.Answers, c.Imported+was.Imported
			byPerson[c.Person] = c
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var counts []labeling.PersonCount
	for _, c := range byPerson {
		if c.Answers > 0 || c.Imported > 0 {
			counts = append(counts, c)
		}
	}
	slices.SortFunc(counts, func(a, b labeling.PersonCount) int {
		return cmp.Or(cmp.Compare(b.Answers, a.Answers), cmp.Compare(b.Imported, a.Imported), cmp.Compare(a.Person, b.Person))
	})
	return counts, nil
}
