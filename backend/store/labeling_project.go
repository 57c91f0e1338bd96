package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

var _ labeling.Tx = (*Tx)(nil)

var projectColumns = `SELECT id, slug, name, schema, schema_version, overlap, lock_after, created_at FROM ` + visible("project", "id", "id") + ` project `

// CreateProject adds a project.
func (tx *Tx) CreateProject(p labeling.Project) error {
	schema, err := json.Marshal(p.Schema)
	if err != nil {
		return fmt.Errorf("encode schema: %w", err)
	}
	_, err = tx.exec(`INSERT INTO project (id, slug, name, schema, schema_version, overlap, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		string(p.ID), p.Slug, p.Name, string(schema), p.SchemaVersion, p.Overlap, micros(p.CreatedAt))
	return err
}

// UpdateProject writes name, schema and overlap of a project.
func (tx *Tx) UpdateProject(p labeling.Project) error {
	schema, err := json.Marshal(p.Schema)
	if err != nil {
		return fmt.Errorf("encode schema: %w", err)
	}
	return tx.mustExec(`UPDATE project SET name = $2, schema = $3, schema_version = $4, overlap = $5 WHERE id = $1`,
		string(p.ID), p.Name, string(schema), p.SchemaVersion, p.Overlap)
}

// SetProjectLock says after how many idle minutes a project wants browsers locked.
func (tx *Tx) SetProjectLock(id labeling.ProjectID, minutes int) error {
	return tx.mustExec(`UPDATE project SET lock_after = $2 WHERE id = $1`, string(id), minutes)
}

// mustExec runs a statement that must change a row; it returns NotFound if it
// changed none.
func (tx *Tx) mustExec(query string, args ...any) error {
	n, err := tx.exec(query, args...)
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "There is no such thing.")
	}
	return err
}

// Project returns a project by id.
func (tx *Tx) Project(id labeling.ProjectID) (labeling.Project, error) {
	return tx.oneProject(`WHERE id = $1`, string(id))
}

// ProjectBySlug returns a project by its slug.
func (tx *Tx) ProjectBySlug(slug string) (labeling.Project, error) {
	return tx.oneProject(`WHERE slug = $1`, slug)
}

func (tx *Tx) oneProject(where string, args ...any) (labeling.Project, error) {
	found, err := tx.projects(where, args...)
	if err == nil && len(found) == 0 {
		return labeling.Project{}, fault.New(fault.NotFound, "There is no such project.")
	}
	if err != nil {
		return labeling.Project{}, err
	}
	return found[0], nil
}

// Projects lists all projects by name.
func (tx *Tx) Projects() ([]labeling.Project, error) { return tx.projects(`ORDER BY name, id`) }

func (tx *Tx) projects(where string, args ...any) ([]labeling.Project, error) {
	var found []labeling.Project
	err := tx.each(projectColumns+where, args, func(scan func(...any) error) error {
		var p labeling.Project
		var schema string
		var created int64
		if err := scan(&p.ID, &p.Slug, &p.Name, &schema, &p.SchemaVersion, &p.Overlap, &p.LockAfter, &created); err != nil {
			return err
		}
		p.CreatedAt = fromMicros(created)
		var err error
		p.Schema, err = tx.store.schemas.decode(schema)
		found = append(found, p)
		return err
	})
	return found, err
}

// schemas keeps schemas that were decoded before, by their text: every answer
// needs its project's, and decoding one of 77 classes takes longer than the
// rest of the answer.
type schemas struct {
	mu      sync.Mutex
	decoded map[string]labeling.Schema
}

func (c *schemas) decode(text string) (labeling.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	schema, known := c.decoded[text]
	if !known {
		if err := json.Unmarshal([]byte(text), &schema); err != nil {
			return schema, fmt.Errorf("decode schema: %w", err)
		}
		if c.decoded == nil || len(c.decoded) >= 100 {
			c.decoded = map[string]labeling.Schema{}
		}
		c.decoded[text] = schema
	}
	schema.Classes = slices.Clone(schema.Classes) // the caller's own
	return schema, nil
}

// CreateDataset adds a dataset.
func (tx *Tx) CreateDataset(d labeling.Dataset) error {
	_, err := tx.exec(`INSERT INTO dataset (id, project, name, purpose, created_at) VALUES ($1, $2, $3, $4, $5)`,
		string(d.ID), string(d.Project), d.Name, string(d.Purpose), micros(d.CreatedAt))
	return err
}

// Dataset returns a dataset by id.
func (tx *Tx) Dataset(id labeling.DatasetID) (labeling.Dataset, error) {
	return tx.oneDataset(`WHERE d.id = $1`, string(id))
}

// DatasetNamed returns a dataset of a project by name.
func (tx *Tx) DatasetNamed(project labeling.ProjectID, name string) (labeling.Dataset, error) {
	return tx.oneDataset(`WHERE d.project = $1 AND d.name = $2`, string(project), name)
}

func (tx *Tx) oneDataset(where string, args ...any) (labeling.Dataset, error) {
	found, err := tx.datasets(where, args...)
	if err == nil && len(found) == 0 {
		return labeling.Dataset{}, fault.New(fault.NotFound, "There is no such dataset.")
	}
	if err != nil {
		return labeling.Dataset{}, err
	}
	return found[0], nil
}

// Datasets lists the datasets of a project by name.
func (tx *Tx) Datasets(project labeling.ProjectID) ([]labeling.Dataset, error) {
	return tx.datasets(`WHERE d.project = $1`, string(project))
}

func (tx *Tx) datasets(where string, args ...any) ([]labeling.Dataset, error) {
	var found []labeling.Dataset
	err := tx.each(`SELECT d.id, d.project, d.name, d.purpose, d.created_at,
			CAST(COALESCE(SUM(CASE WHEN c.status <> 'trashed' THEN c.items ELSE 0 END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE WHEN c.status = 'accepted' THEN c.items ELSE 0 END), 0) AS BIGINT), d.sensitive
		FROM `+visible("dataset", "project", "id")+` d LEFT JOIN item_count c ON c.project = d.project AND c.dataset = d.id `+where+`
		GROUP BY d.id, d.project, d.name, d.purpose, d.created_at, d.sensitive ORDER BY d.name`, args,
		func(scan func(...any) error) error {
			var d labeling.Dataset
			var created int64
			if err := scan(&d.ID, &d.Project, &d.Name, &d.Purpose, &created, &d.Items, &d.Accepted, &d.Sensitive); err != nil {
				return err
			}
			d.CreatedAt = fromMicros(created)
			found = append(found, d)
			return nil
		})
	return found, err
}
