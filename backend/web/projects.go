package web

import (
	"context"
	_ "embed"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// projectSchema is the JSON Schema of a project's schema.
//
//go:embed schemas/project.json
var projectSchema []byte

// projectRoutes are the pages about projects, their datasets and schema.
func (s *Server) projectRoutes() []route {
	return []route{
		{GET, "/projects", login, "", s.getProjects},
		{POST, "/projects", login, "", s.postProject},
		{GET, "/projects/new", login, "", s.getNewProject},
		{GET, "/projects/{project}", login, ledger.ActionRead, s.getProject},
		{GET, "/projects/{project}/datasets", login, ledger.ActionRead, s.getDatasets},
		{POST, "/projects/{project}/datasets/{dataset}/mark", login, ledger.ActionManage, s.postMark},
		{POST, "/projects/{project}/lock", login, ledger.ActionManage, s.postProjectLock},
		{GET, "/projects/{project}/schema", login, ledger.ActionRead, s.getSchema},
		{POST, "/projects/{project}/schema", login, ledger.ActionManage, s.postSchema},
		{GET, apiPrefix + "/schemas/project.json", none, "", getProjectSchema},
	}
}

func getProjectSchema(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/schema+json")
	_, err := w.Write(projectSchema)
	return ignoreGone(err)
}

func (s *Server) getProjects(w http.ResponseWriter, r *http.Request) error {
	actor := actorOf(r)
	projects, err := s.Labeling.Projects(r.Context(), actor)
	if err != nil {
		return err
	}
	v := page.ProjectsView{MayCreate: labeling.MayCreateProjects(actor)}
	for _, p := range projects {
		card, _, err := s.projectCard(r, actor, p)
		if err != nil {
			return err
		}
		v.Projects = append(v.Projects, card)
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(r.Context(), "projects.title"), Active: "projects"}, page.Projects(v))
}

func newProjectView(ctx context.Context) view {
	return view{Title: ui.T(ctx, "projects.new"), Active: "projects", Main: "narrow",
		Path: []ui.Crumb{{Text: ui.T(ctx, "projects.title"), Href: "/projects"}, {Text: ui.T(ctx, "projects.new")}}}
}

func (s *Server) getNewProject(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, newProjectView(r.Context()), page.NewProject(page.ProjectForm{Overlap: "1"}))
}

func (s *Server) postProject(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	form := page.ProjectForm{
		Name: strings.TrimSpace(r.PostFormValue("name")), Slug: strings.TrimSpace(r.PostFormValue("slug")),
		Question: strings.TrimSpace(r.PostFormValue("question")), Classes: r.PostFormValue("classes"), Overlap: r.PostFormValue("overlap"),
	}
	project, err := s.createProject(r.Context(), actorOf(r), labeling.CreateProjectRequest{
		Name: form.Name, Slug: form.Slug, Overlap: number(form.Overlap, 1),
		Schema: labeling.Schema{Question: form.Question, Classes: classLines(form.Classes)},
	})
	if isRefusal(err) {
		form.Errors, form.Error = page.Refusals(r.Context(), err), page.Refusal(r.Context(), err)
		return s.render(w, r, http.StatusUnprocessableEntity, newProjectView(r.Context()), page.NewProject(form))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, page.ProjectLink{Slug: project.Slug}.Href())
}

// createProject makes a project and, for somebody who is no admin of the
// installation, makes them its lead: else they could not see what they made.
func (s *Server) createProject(ctx context.Context, actor ledger.Actor, req labeling.CreateProjectRequest) (labeling.Project, error) {
	project, err := s.Labeling.CreateProject(ctx, actor, req)
	if err != nil || actor.Admin {
		return project, err
	}
	return project, s.Identity.Grant(ctx, ledger.System(), identity.Membership{Person: actor.Person, Project: project.ID, Role: ledger.RoleLead}, "")
}

// classLines reads classes written one per line; empty lines are left out.
func classLines(text string) []labeling.Class {
	var classes []labeling.Class
	for line := range strings.Lines(text) {
		if name := strings.TrimSpace(line); name != "" {
			classes = append(classes, labeling.Class{Name: name, Color: len(classes) % labeling.PaletteSteps})
		}
	}
	return classes
}

// number reads a whole number of a form; what is none becomes -1, which every
// domain refuses with a better message than a parser has.
func number(text string, empty int) int {
	if text == "" {
		return empty
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return -1
	}
	return n
}

func (s *Server) getProject(w http.ResponseWriter, r *http.Request) error {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	project, err := s.Labeling.Project(ctx, actor, string(place.ID))
	if err != nil {
		return err
	}
	datasets, err := s.Labeling.Datasets(ctx, actor, place.ID)
	if err != nil {
		return err
	}
	counts, err := s.Labeling.Counts(ctx, actor, place.ID)
	if err != nil {
		return err
	}
	reached, err := s.reached(ctx, actor, place.ID)
	if err != nil {
		return err
	}
	days, err := s.Labeling.AnswersByDay(ctx, actor, place.ID, page.Days)
	if err != nil {
		return err
	}
	v := page.NewProjectView(r.Context(), project, actor, datasets, counts, reached)
	v.SetDays(page.ByDay(s.Now(), days))
	return s.render(w, r, http.StatusOK, view{Title: project.Name, Path: []ui.Crumb{{Text: ui.T(ctx, "project.overview")}}, Active: "overview"}, page.Project(v))
}

// reached counts what a project has behind its labels.
func (s *Server) reached(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) (page.Reached, error) {
	snapshots, err := s.Labeling.Snapshots(ctx, actor, project)
	if err != nil {
		return page.Reached{}, err
	}
	reached := page.Reached{Snapshots: len(snapshots)}
	models, err := s.Compare.Models(ctx, actor, compare.ModelFilter{Project: project, Limit: 2})
	if err != nil {
		return reached, err
	}
	reached.Models = len(models)
	waiting, err := s.Review.WaitingFor(ctx, actor, project)
	reached.Votes = len(waiting)
	if err != nil {
		return reached, err
	}
	candidates, err := s.Review.Candidates(ctx, actor, review.CandidateFilter{Project: project, Limit: 20})
	for _, c := range candidates {
		if c.State == review.StateDraft {
			reached.Drafts++
		}
	}
	reached.Candidates = len(candidates)
	return reached, err
}

func (s *Server) getDatasets(w http.ResponseWriter, r *http.Request) error {
	return s.showDatasets(w, r, http.StatusOK, "", page.FormView{})
}

// postMark marks a dataset as sensitive, or takes the mark away.
func (s *Server) postMark(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := chi.URLParam(r, "dataset")
	_, err := s.Labeling.MarkDataset(r.Context(), actorOf(r), projectOf(r).ID, id, r.PostForm.Get("sensitive") != "", r.PostForm.Get("reason"))
	if isRefusal(err) {
		return s.showDatasets(w, r, http.StatusUnprocessableEntity, id, s.refused(r.Context(), typed(r, "reason"), err))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, linkOf(r).Href("datasets"))
}

func (s *Server) showDatasets(w http.ResponseWriter, r *http.Request, status int, failed string, form page.FormView) error {
	actor, place := actorOf(r), projectOf(r)
	datasets, err := s.Labeling.Datasets(r.Context(), actor, place.ID)
	if err != nil {
		return err
	}
	counts, err := s.Labeling.MediaCounts(r.Context(), actor, place.ID)
	if err != nil {
		return err
	}
	link := page.ProjectLink{ID: place.ID, Slug: place.Slug, Name: place.Name}
	v := page.DatasetsView{
		Media: counts, Project: link, Datasets: page.NewDatasetRows(link, datasets),
		MayImport: actor.May(place.ID, ledger.ActionImport), MayLabel: actor.May(place.ID, ledger.ActionLabel),
		MayManage: actor.May(place.ID, ledger.ActionManage), Failed: failed, Form: form,
	}
	var things []erasure.Holdable
	for _, d := range datasets {
		things = append(things, erasure.Holdable{Kind: erasure.TrashDataset, ID: string(d.ID)})
	}
	holds, err := s.holdsOf(r, things...)
	if err != nil {
		return err
	}
	v.Holds = map[string]page.HoldView{}
	for i, d := range datasets {
		holds[i].Name = d.Name
		v.Holds[string(d.ID)] = holds[i]
	}
	return s.render(w, r, status, view{Title: ui.T(r.Context(), "datasets.title"), Active: "datasets"}, page.Datasets(v))
}

// schemaView fills the schema editor from the project as it is.
func (s *Server) schemaView(r *http.Request) (page.SchemaView, labeling.Project, error) {
	actor, place := actorOf(r), projectOf(r)
	project, err := s.Labeling.Project(r.Context(), actor, string(place.ID))
	if err != nil {
		return page.SchemaView{}, project, err
	}
	uses, err := s.Labeling.ClassUses(r.Context(), actor, place.ID)
	return page.NewSchemaView(project, uses, actor.May(place.ID, ledger.ActionManage)), project, err
}

func (s *Server) showSchema(w http.ResponseWriter, r *http.Request, status int, v page.SchemaView) error {
	frame := view{Title: ui.T(r.Context(), "schema.title"), Active: "settings", Islands: []string{"classorder"}}
	if r.URL.Query().Has("saved") {
		frame.Status = ui.T(r.Context(), "schema.saved")
	}
	return s.render(w, r, status, frame, page.Schema(v))
}

func (s *Server) getSchema(w http.ResponseWriter, r *http.Request) error {
	v, _, err := s.schemaView(r)
	if err != nil {
		return err
	}
	return s.showSchema(w, r, http.StatusOK, v)
}

func (s *Server) postSchema(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, project, err := s.schemaView(r)
	if err != nil {
		return err
	}
	v, req := schemaForm(r, v, project.Schema)
	if r.PostForm.Get("move") != "" { // a browser without scripts: show the new order, to be saved
		v.Moved = true
		return s.showSchema(w, r, http.StatusOK, v)
	}
	if _, err := s.Labeling.UpdateProject(r.Context(), actorOf(r), project.ID, req); isRefusal(err) {
		v.Errors, v.Error = page.Refusals(r.Context(), err), page.Refusal(r.Context(), err)
		if fault.Is(err, fault.Unmet) {
			// The banner of the question says it; the list of names stands there too.
			v.Error, v.Errors = "", nil
		}
		for i, c := range v.Classes { // what was decided already stays decided
			v.Classes[i].Asked = c.Remove && c.Uses > 0 && (fault.Is(err, fault.Unmet) || c.Fate != "")
		}
		return s.showSchema(w, r, http.StatusUnprocessableEntity, v)
	} else if err != nil {
		return err
	}
	return s.seeOther(w, r, v.Project.Href("schema")+"?saved=1")
}

// schemaForm reads the schema editor: v with what was typed, to be shown
// again, and the request that it makes. Retired classes are no part of the form
// and stay as they are.
func schemaForm(r *http.Request, v page.SchemaView, was labeling.Schema) (page.SchemaView, labeling.UpdateProjectRequest) {
	f := r.PostForm
	v.Name, v.Question, v.Overlap = strings.TrimSpace(f.Get("name")), strings.TrimSpace(f.Get("question")), f.Get("overlap")
	v.Version, v.Guideline = number(f.Get("version"), 0), strings.TrimSpace(strings.ReplaceAll(f.Get("guideline"), "\r\n", "\n"))
	v.Reason = f.Get("reason")
	uses := map[string]int64{}
	for _, c := range v.Classes {
		uses[c.ID] = c.Uses
	}
	req := labeling.UpdateProjectRequest{
		Name: v.Name, Overlap: number(v.Overlap, 1), Version: v.Version, Reason: strings.TrimSpace(f.Get("reason")),
		Schema: labeling.Schema{Question: v.Question, Guideline: v.Guideline}, Decisions: map[labeling.ClassID]labeling.Decision{},
	}
	v.Classes = nil
	removed := f["class.remove"]
	way, of, _ := strings.Cut(f.Get("move"), ":")
	moved := -1 // the row to move, among those that are not empty
	for i, name := range f["class.name"] {
		row := page.ClassRow{
			ID: at(f["class.id"], i), Name: strings.TrimSpace(name), Color: number(at(f["class.color"], i), 0), Key: strings.TrimSpace(at(f["class.key"], i)),
			Note: strings.TrimSpace(at(f["class.note"], i)),
		}
		if row.ID == "" && row.Name == "" {
			continue
		}
		row.Uses, row.Remove = uses[row.ID], row.ID != "" && slices.Contains(removed, row.ID)
		row.Fate, row.Into = f.Get("fate."+row.ID), f.Get("into."+row.ID)
		if of == strconv.Itoa(i) {
			moved = len(v.Classes)
		}
		v.Classes = append(v.Classes, row)
		if !row.Remove {
			req.Schema.Classes = append(req.Schema.Classes, labeling.Class{ID: labeling.ClassID(row.ID), Name: row.Name, Color: row.Color, Key: row.Key, Note: row.Note})
			continue
		}
		if row.Fate != "" {
			d := labeling.Decision{Fate: labeling.Fate(row.Fate)}
			if d.Fate == labeling.FateMerge {
				d.Into = labeling.ClassID(row.Into)
			}
			req.Decisions[labeling.ClassID(row.ID)] = d
		}
	}
	if to := moved + map[string]int{"up": -1, "down": 1}[way]; moved >= 0 && to >= 0 && to < len(v.Classes) {
		v.Classes[moved], v.Classes[to] = v.Classes[to], v.Classes[moved]
	}
	for _, c := range was.Classes {
		if c.Retired {
			req.Schema.Classes = append(req.Schema.Classes, c)
		}
	}
	return v, req
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// ClassBody is a class in the JSON API. Without an id it is a new one.
type ClassBody struct {
	ID      string `json:"id,omitempty" doc:"Opaque and stable; absent for a new class"`
	Name    string `json:"name" maxLength:"200"`
	Color   int    `json:"color,omitempty" minimum:"0" maximum:"9" doc:"Step of the palette"`
	Key     string `json:"key,omitempty" pattern:"^[1-9a-z]?$" doc:"The key that chooses it; absent: the next free one"`
	Note    string `json:"note,omitempty" maxLength:"1000" doc:"What belongs to it and what does not, for whoever labels"`
	Retired bool   `json:"retired,omitempty" doc:"Kept for old annotations, offered no more"`
	Into    string `json:"into,omitempty" doc:"Id of the class as which its answers count"`
}

// SchemaBody is a project's schema in the JSON API.
type SchemaBody struct {
	Question  string      `json:"question,omitempty" maxLength:"500"`
	Guideline string      `json:"guideline,omitempty" maxLength:"20000" doc:"How to judge, for whoever labels"`
	Classes   []ClassBody `json:"classes" maxItems:"1000" nullable:"false"`
}

// ProjectBody is a project in the JSON API.
type ProjectBody struct {
	ID        string        `json:"id"`
	Slug      string        `json:"slug"`
	Name      string        `json:"name"`
	Overlap   int           `json:"overlap" doc:"How many people judge each item"`
	LockAfter int           `json:"lock_after" doc:"Minutes after which idle browsers of its people lock; 0: as they and the installation say"`
	Version   int           `json:"version" doc:"Of the schema; send it back when you change it"`
	Schema    SchemaBody    `json:"schema"`
	Digest    ledger.Digest `json:"schema_digest"`
	CreatedAt time.Time     `json:"created_at"`
}

// DatasetBody is a dataset in the JSON API.
type DatasetBody struct {
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Purpose   labeling.Purpose `json:"purpose"`
	Items     int64            `json:"items"`
	Accepted  int64            `json:"accepted" doc:"Items with an accepted answer"`
	Sensitive bool             `json:"sensitive" doc:"The history says who looks at its items"`
	CreatedAt time.Time        `json:"created_at"`
}

func projectBody(p labeling.Project) ProjectBody {
	b := ProjectBody{ID: string(p.ID), Slug: p.Slug, Name: p.Name, Overlap: p.Overlap, LockAfter: p.LockAfter, Version: p.SchemaVersion, Digest: p.Schema.Digest(), CreatedAt: p.CreatedAt}
	b.Schema = SchemaBody{Question: p.Schema.Question, Guideline: p.Schema.Guideline, Classes: []ClassBody{}}
	for _, c := range p.Schema.Classes {
		b.Schema.Classes = append(b.Schema.Classes, ClassBody{ID: string(c.ID), Name: c.Name, Color: c.Color, Key: c.Key, Note: c.Note, Retired: c.Retired, Into: string(c.Into)})
	}
	return b
}

func (b SchemaBody) schema() labeling.Schema {
	schema := labeling.Schema{Question: b.Question, Guideline: b.Guideline}
	for _, c := range b.Classes {
		schema.Classes = append(schema.Classes, labeling.Class{ID: labeling.ClassID(c.ID), Name: c.Name, Color: c.Color, Key: c.Key, Note: c.Note, Retired: c.Retired, Into: labeling.ClassID(c.Into)})
	}
	return schema
}

func datasetBody(d labeling.Dataset) DatasetBody {
	return DatasetBody{ID: string(d.ID), Name: d.Name, Purpose: d.Purpose, Items: d.Items, Accepted: d.Accepted, Sensitive: d.Sensitive, CreatedAt: d.CreatedAt}
}

// CreateProjectIn is the input of create-project.
type CreateProjectIn struct {
	Body struct {
		Name    string     `json:"name" maxLength:"120"`
		Slug    string     `json:"slug,omitempty" maxLength:"60" doc:"Made from the name if absent"`
		Overlap int        `json:"overlap,omitempty" minimum:"0" maximum:"9" doc:"1 if absent"`
		Schema  SchemaBody `json:"schema,omitempty" required:"false"`
	}
}

// UpdateProjectIn is the input of update-project.
type UpdateProjectIn struct {
	InProject
	Body struct {
		Name      string                       `json:"name" maxLength:"120"`
		Overlap   int                          `json:"overlap,omitempty" minimum:"0" maximum:"9"`
		Version   int                          `json:"version" doc:"The schema version that was edited"`
		Schema    SchemaBody                   `json:"schema"`
		Decisions map[string]labeling.Decision `json:"decisions,omitempty" doc:"By class id: what becomes of the annotations of a class that is left out"`
		Reason    string                       `json:"reason,omitempty" doc:"Why; needed where a schema with answers changes" maxLength:"4000"`
	}
}

// DemandLockIn is the input of demand-lock.
type DemandLockIn struct {
	InProject
	Body struct {
		LockAfter int    `json:"lock_after" doc:"Minutes; 0 demands nothing" minimum:"0" maximum:"480"`
		Reason    string `json:"reason,omitempty" doc:"Why; needed where it becomes later" maxLength:"4000"`
	}
}

// CreateDatasetIn is the input of create-dataset.
type CreateDatasetIn struct {
	InProject
	Body struct {
		Name    string `json:"name" maxLength:"120"`
		Purpose string `json:"purpose,omitempty" enum:"training,evaluation,production" doc:"training if absent"`
	}
}

// MarkDatasetIn is the input of mark-dataset.
type MarkDatasetIn struct {
	InProject
	Dataset string `path:"dataset" doc:"Name or id" maxLength:"200"`
	Body    struct {
		Sensitive bool   `json:"sensitive" doc:"The history says who looks at its items"`
		Reason    string `json:"reason,omitempty" doc:"Why; needed to take the mark away" maxLength:"4000"`
	}
}

// projectAPI registers the operations about projects and datasets.
func (s *Server) projectAPI() {
	operation(s, api{GET, "/projects", "list-projects", "List projects", either, ledger.ActionRead},
		func(ctx context.Context, _ *struct{}) (*Answer[List[ProjectBody]], error) {
			projects, err := s.Labeling.Projects(ctx, actorIn(ctx))
			list := List[ProjectBody]{Items: []ProjectBody{}}
			for _, p := range projects {
				list.Items = append(list.Items, projectBody(p))
			}
			return &Answer[List[ProjectBody]]{list}, err
		})
	operation(s, api{POST, "/projects", "create-project", "Create a project", either, ledger.ActionManage},
		func(ctx context.Context, in *CreateProjectIn) (*Answer[ProjectBody], error) {
			p, err := s.createProject(ctx, actorIn(ctx), labeling.CreateProjectRequest{
				Name: in.Body.Name, Slug: in.Body.Slug, Overlap: in.Body.Overlap, Schema: in.Body.Schema.schema()})
			return &Answer[ProjectBody]{projectBody(p)}, err
		})
	operation(s, api{GET, "/projects/{project}", "get-project", "Get a project with its schema", either, ledger.ActionRead},
		func(ctx context.Context, _ *InProject) (*Answer[ProjectBody], error) {
			p, err := s.Labeling.Project(ctx, actorIn(ctx), string(projectIn(ctx).ID))
			return &Answer[ProjectBody]{projectBody(p)}, err
		})
	operation(s, api{PUT, "/projects/{project}", "update-project", "Change a project and its schema", either, ledger.ActionManage},
		func(ctx context.Context, in *UpdateProjectIn) (*Answer[ProjectBody], error) {
			req := labeling.UpdateProjectRequest{Name: in.Body.Name, Overlap: in.Body.Overlap, Version: in.Body.Version,
				Schema: in.Body.Schema.schema(), Reason: in.Body.Reason, Decisions: map[labeling.ClassID]labeling.Decision{}}
			for id, d := range in.Body.Decisions {
				req.Decisions[labeling.ClassID(id)] = d
			}
			p, err := s.Labeling.UpdateProject(ctx, actorIn(ctx), projectIn(ctx).ID, req)
			return &Answer[ProjectBody]{projectBody(p)}, err
		})
	operation(s, api{PUT, "/projects/{project}/lock", "demand-lock", "Say after how many idle minutes the browsers of its people lock", either, ledger.ActionManage},
		func(ctx context.Context, in *DemandLockIn) (*Answer[ProjectBody], error) {
			p, err := s.Labeling.DemandLock(ctx, actorIn(ctx), projectIn(ctx).ID, in.Body.LockAfter, in.Body.Reason)
			return &Answer[ProjectBody]{projectBody(p)}, err
		})
	operation(s, api{GET, "/projects/{project}/datasets", "list-datasets", "List datasets", either, ledger.ActionRead},
		func(ctx context.Context, _ *InProject) (*Answer[List[DatasetBody]], error) {
			datasets, err := s.Labeling.Datasets(ctx, actorIn(ctx), projectIn(ctx).ID)
			list := List[DatasetBody]{Items: []DatasetBody{}}
			for _, d := range datasets {
				list.Items = append(list.Items, datasetBody(d))
			}
			return &Answer[List[DatasetBody]]{list}, err
		})
	operation(s, api{POST, "/projects/{project}/datasets", "create-dataset", "Create a dataset", either, ledger.ActionImport},
		func(ctx context.Context, in *CreateDatasetIn) (*Answer[DatasetBody], error) {
			purpose, err := labeling.ParsePurpose(in.Body.Purpose)
			if err != nil {
				return nil, err
			}
			d, err := s.Labeling.CreateDataset(ctx, actorIn(ctx), projectIn(ctx).ID, in.Body.Name, purpose)
			return &Answer[DatasetBody]{datasetBody(d)}, err
		})
	operation(s, api{PATCH, "/projects/{project}/datasets/{dataset}", "mark-dataset", "Mark a dataset as sensitive, or take the mark away", either, ledger.ActionManage},
		func(ctx context.Context, in *MarkDatasetIn) (*Answer[DatasetBody], error) {
			d, err := s.Labeling.MarkDataset(ctx, actorIn(ctx), projectIn(ctx).ID, in.Dataset, in.Body.Sensitive, in.Body.Reason)
			return &Answer[DatasetBody]{datasetBody(d)}, err
		})
}
