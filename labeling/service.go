package labeling

import (
	"context"
	"encoding/json"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// Config is what the service is made of.
type Config struct {
	Update func(context.Context, func(Tx) error) error // one durable transaction
	View   func(context.Context, func(Tx) error) error // one consistent read
	NewID  func() string                               // UUIDv7
	Now    func() time.Time
	Files  Files       // uploaded files and the files of snapshots
	Parser Parser      // reads uploads in a process of its own
	Tables Tables      // writes Parquet
	Media  MediaSource // where objects may come from; nil: nowhere

	// Analyze has the database count what it holds after much came in at once, so
	// that it reads by the right index; nil where it needs no counts.
	Analyze func(context.Context)
}

// Service is what people and programs can do at this desk. Every method checks
// first what the actor may do.
type Service struct {
	Config
	views views
	left  leftChecks
}

// New returns a service.
func New(config Config) *Service {
	if config.Analyze == nil {
		config.Analyze = func(context.Context) {}
	}
	return &Service{Config: config}
}

// CreateProjectRequest asks for a project. Slug is made from the name if empty,
// classes without an id get one.
type CreateProjectRequest struct {
	Name    string
	Slug    string
	Schema  Schema
	Overlap int // 1 if zero
}

// CreateProject makes a project. Whoever makes it must grant themselves a role
// there through identity; installation admins need none. It returns Denied for
// all but admins and people who manage, import or train somewhere, Conflict
// when the address is taken.
func (s *Service) CreateProject(ctx context.Context, actor ledger.Actor, req CreateProjectRequest) (Project, error) {
	if !mayCreate(actor) {
		return Project{}, fault.New(fault.Denied, "To create a project you need one of these roles in another one, or an admin: lead, data scientist.")
	}
	p := Project{ID: ProjectID(s.NewID()), Slug: req.Slug, Name: req.Name, Schema: req.Schema, SchemaVersion: 1, Overlap: max(req.Overlap, 1)}
	if p.Slug == "" {
		p.Slug = Slug(p.Name)
	}
	if p.Slug == "" {
		p.Slug = "project-" + string(p.ID[len(p.ID)-6:])
	}
	p.Schema = s.identify(p.Schema)
	if err := p.Validate(); err != nil {
		return Project{}, err
	}
	err := s.Update(ctx, func(tx Tx) error {
		p.CreatedAt = tx.Now()
		if err := tx.CreateProject(p); fault.Is(err, fault.Conflict) {
			return fault.As(fault.Conflict, err, "There is a project with the address %q already, or one in the trash.", p.Slug).At("slug")
		} else if err != nil {
			return fault.Wrap(err, "create project")
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: p.ID, Kind: "project.created",
			Subject: ledger.Subject{Kind: "project", ID: string(p.ID)}, Payload: p})
	})
	return p, err
}

func mayCreate(actor ledger.Actor) bool {
	for project := range actor.Roles {
		if actor.May(project, ledger.ActionTrain) {
			return true
		}
	}
	return actor.May("", ledger.ActionManage)
}

// identify gives ids to classes that have none.
func (s *Service) identify(schema Schema) Schema {
	classes := make([]Class, len(schema.Classes))
	for i, c := range schema.Classes {
		if c.ID == "" {
			c.ID = ClassID(s.NewID())
		}
		classes[i] = c
	}
	schema.Classes = classes
	return schema
}

// Projects lists the projects that the actor may read, by name.
func (s *Service) Projects(ctx context.Context, actor ledger.Actor) ([]Project, error) {
	var mine []Project
	err := s.View(ctx, func(tx Tx) error {
		all, err := tx.Projects()
		mine = nil
		for _, p := range all {
			if actor.May(p.ID, ledger.ActionRead) {
				mine = append(mine, p)
			}
		}
		return fault.Wrap(err, "list projects")
	})
	return mine, err
}

// Project returns a project by its slug or id. It returns NotFound when there
// is none, or none that the actor may know of.
func (s *Service) Project(ctx context.Context, actor ledger.Actor, name string) (Project, error) {
	var p Project
	err := s.View(ctx, func(tx Tx) (err error) {
		p, err = projectBy(tx, name)
		if err == nil && !actor.Admin && len(actor.Roles[p.ID]) == 0 {
			err = fault.New(fault.NotFound, "No such project, or you are not a member of it. Ask a lead to add you.")
		}
		return err
	})
	return p, err
}

func projectBy(tx Tx, name string) (Project, error) {
	p, err := tx.ProjectBySlug(name)
	if fault.Is(err, fault.NotFound) {
		p, err = tx.Project(ProjectID(name))
	}
	if fault.Is(err, fault.NotFound) {
		return p, fault.As(fault.NotFound, err, "There is no project %q.", name)
	}
	return p, fault.Wrap(err, "find project")
}

// UpdateProjectRequest changes a project. Decisions are asked for where a class
// with annotations is taken away; see Schema.Edit. Version is the schema version
// that was edited, so that two editors do not overwrite each other.
type UpdateProjectRequest struct {
	Name      string
	Overlap   int
	Schema    Schema
	Version   int
	Decisions map[ClassID]Decision
	Reason    string // needed where the schema changes and there are answers
}

// schemaMove is the follow-up work of an edited schema: move or requeue the
// accepted answers of one class, a chunk at a time.
type schemaMove struct {
	Project ProjectID
	From    ClassID
	To      ClassID // empty: return to the queue
}

// WorkSchema is the kind of work that moves accepted answers after a schema was
// edited; its handler is MoveLabels.
const WorkSchema = "labeling.schema"

// UpdateProject changes name, overlap and schema. It returns Denied, Invalid
// (naming "reason" where a schema with answers changes without one), Conflict
// where somebody else edited the schema meanwhile, and Unmet where a decision
// about annotations is missing.
func (s *Service) UpdateProject(ctx context.Context, actor ledger.Actor, id ProjectID, req UpdateProjectRequest) (Project, error) {
	if err := actor.Must(id, ledger.ActionManage); err != nil {
		return Project{}, err
	}
	next := s.identify(req.Schema)
	var p Project
	err := s.Update(ctx, func(tx Tx) error {
		was, err := tx.Project(id)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		if req.Version != was.SchemaVersion {
			return fault.New(fault.Conflict, "Somebody changed the schema while you edited it (version %d, yours is %d). Load it again; your input is kept below.", was.SchemaVersion, req.Version)
		}
		uses, err := tx.ClassUses(id)
		if err != nil {
			return fault.Wrap(err, "count the uses of classes")
		}
		change, err := was.Schema.Edit(next, uses, req.Decisions)
		if err != nil {
			return err
		}
		reason, err := ledger.Reason(req.Reason, fault.Format("the schema changes"), answered(uses) && !was.Schema.Same(change.Schema))
		if err != nil {
			return err
		}
		p = was
		p.Name, p.Overlap, p.Schema, p.SchemaVersion = req.Name, max(req.Overlap, 1), change.Schema, was.SchemaVersion+1
		if err := p.Validate(); err != nil {
			return err
		}
		if err := tx.UpdateProject(p); err != nil {
			return fault.Wrap(err, "save project")
		}
		for from, to := range change.Moves {
			if err := tx.Enqueue(work.Order{Kind: WorkSchema, Payload: schemaMove{Project: id, From: from, To: to}}); err != nil {
				return err
			}
		}
		for _, from := range change.Requeue {
			if err := tx.Enqueue(work.Order{Kind: WorkSchema, Payload: schemaMove{Project: id, From: from}}); err != nil {
				return err
			}
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: id, Kind: "project.changed", Subject: ledger.Subject{Kind: "project", ID: string(id)},
			Payload: map[string]any{"was": was, "is": p, "decisions": req.Decisions, "reason": reason}})
	})
	return p, err
}

// answered reports whether anybody has answered with any class.
func answered(uses map[ClassID]int64) bool {
	for _, n := range uses {
		if n > 0 {
			return true
		}
	}
	return false
}

// MoveLabels carries out WorkSchema: accepted answers of a class that was taken
// away become another class's, or their items return to the queue. The
// annotations themselves stay as they were said.
func (s *Service) MoveLabels(ctx context.Context, payload json.RawMessage) error {
	var move schemaMove
	if err := json.Unmarshal(payload, &move); err != nil {
		return fault.As(fault.Invalid, err, "work of kind %s", WorkSchema)
	}
	for after, more := int64(0), true; more; {
		err := s.Update(ctx, func(tx Tx) error {
			items, err := tx.ItemsLabeled(move.Project, move.From, after, 500)
			if err != nil {
				return fault.Wrap(err, "find labeled items")
			}
			more = len(items) > 0
			for _, item := range items {
				item.Label = move.To
				if move.To == "" {
					item.Status, item.Answers = StatusQueued, 0
					if err := supersedeAll(tx, item.ID); err != nil {
						return err
					}
				}
				if err := tx.UpdateItem(item); err != nil {
					return fault.Wrap(err, "move label")
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// CreateDataset makes a dataset. It returns Conflict when the name is taken.
func (s *Service) CreateDataset(ctx context.Context, actor ledger.Actor, project ProjectID, name string, purpose Purpose) (Dataset, error) {
	if err := actor.Must(project, ledger.ActionImport); err != nil {
		return Dataset{}, err
	}
	d := Dataset{ID: DatasetID(s.NewID()), Project: project, Name: name, Purpose: purpose}
	if err := d.Validate(); err != nil {
		return Dataset{}, err
	}
	err := s.Update(ctx, func(tx Tx) error {
		d.CreatedAt = tx.Now()
		if err := tx.CreateDataset(d); fault.Is(err, fault.Conflict) {
			return fault.As(fault.Conflict, err, "This project has a dataset %q already, or one in the trash.", name).At("dataset")
		} else if err != nil {
			return fault.Wrap(err, "create dataset")
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "dataset.created",
			Subject: ledger.Subject{Kind: "dataset", ID: string(d.ID)}, Payload: d})
	})
	return d, err
}

// Datasets lists the datasets of a project by name, with their counts.
func (s *Service) Datasets(ctx context.Context, actor ledger.Actor, project ProjectID) ([]Dataset, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var datasets []Dataset
	err := s.View(ctx, func(tx Tx) (err error) {
		datasets, err = tx.Datasets(project)
		return fault.Wrap(err, "list datasets")
	})
	return datasets, err
}

// Dataset returns a dataset of a project by name or id.
func (s *Service) Dataset(ctx context.Context, actor ledger.Actor, project ProjectID, name string) (Dataset, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Dataset{}, err
	}
	var d Dataset
	err := s.View(ctx, func(tx Tx) (err error) {
		d, err = tx.DatasetNamed(project, name)
		if fault.Is(err, fault.NotFound) {
			d, err = tx.Dataset(DatasetID(name))
		}
		if err == nil && d.Project != project || fault.Is(err, fault.NotFound) {
			return fault.New(fault.NotFound, "There is no dataset %q in this project.", name)
		}
		return fault.Wrap(err, "find dataset")
	})
	return d, err
}

// Counts returns how many items of a project have each dataset, status and
// label, as far as the actor may know it.
func (s *Service) Counts(ctx context.Context, actor ledger.Actor, project ProjectID) ([]Count, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var counts []Count
	err := s.View(ctx, func(tx Tx) (err error) {
		if counts, err = tx.Counts(project); err != nil {
			return fault.Wrap(err, "count items")
		}
		sight, err := SightOf(tx, actor, project)
		counts = sight.Counts(counts)
		return err
	})
	return counts, err
}

// ClassUses counts the annotations of each class of a project, of whatever
// state, for the schema editor; whoever cannot edit the schema is told of none.
func (s *Service) ClassUses(ctx context.Context, actor ledger.Actor, project ProjectID) (map[ClassID]int64, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	if !actor.May(project, ledger.ActionManage) {
		return nil, nil
	}
	var uses map[ClassID]int64
	err := s.View(ctx, func(tx Tx) (err error) {
		uses, err = tx.ClassUses(project)
		return fault.Wrap(err, "count the uses of classes")
	})
	return uses, err
}

// MayCreateProjects reports whether CreateProject would take this actor.
func MayCreateProjects(actor ledger.Actor) bool { return mayCreate(actor) }

// AnswersByDay counts the answers of people in the last days, today among
// them, by days since 1970 in UTC.
func (s *Service) AnswersByDay(ctx context.Context, actor ledger.Actor, project ProjectID, days int) (map[int64]int64, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	since := s.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-days)
	var counts map[int64]int64
	err := s.View(ctx, func(tx Tx) (err error) {
		counts, err = tx.AnswersByDay(project, since)
		return fault.Wrap(err, "count answers by day")
	})
	return counts, err
}
