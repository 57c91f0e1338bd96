package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// trashRoutes are the pages about what was deleted, and for how long things are kept.
func (s *Server) trashRoutes() []route {
	return []route{
		{GET, "/trash", login, "", s.getTrash},
		{POST, "/projects/{project}/trash", login, ledger.ActionManage, s.postTrash},
		{POST, "/trash/restore", login, "", s.postRestore},
		{POST, "/trash/purge", login, ledger.ActionAdminister, s.postPurge},
		{GET, "/retention", login, ledger.ActionAdminister, s.getRetention},
		{POST, "/retention", login, ledger.ActionAdminister, s.postRetention},
		{POST, "/retention/apply", login, ledger.ActionAdminister, s.postApply},
	}
}

func (s *Server) getTrash(w http.ResponseWriter, r *http.Request) error {
	return s.showTrash(w, r, http.StatusOK, "")
}

func (s *Server) showTrash(w http.ResponseWriter, r *http.Request, status int, refused string) error {
	ctx, actor := r.Context(), actorOf(r)
	list, err := s.Erasure.Deleted(ctx, actor)
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	v := page.TrashView{Refused: refused, People: names, MayPurge: actor.May("", ledger.ActionAdminister)}
	projects := map[ledger.ProjectID]page.ProjectLink{}
	if s.Projects != nil {
		places, err := s.Projects(ctx, actor)
		if err != nil {
			return err
		}
		for _, p := range places {
			projects[p.ID] = page.ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}
		}
	}
	for _, t := range list {
		v.Rows = append(v.Rows, page.TrashRow{Trashed: t, Project: projects[t.Project]})
	}
	return s.render(w, r, status, view{Title: ui.T(ctx, "trash.title"), Active: "projects"}, page.Trash(v))
}

// undoOf says what was put into the trash, or taken from it, by the form that led
// to this page: "trashed" and "restored" name it as kind:project:id. What somebody else
// has restored or purged since is not offered.
func (s *Server) undoOf(r *http.Request) (*page.UndoView, error) {
	ctx, q := r.Context(), r.URL.Query()
	look, named := s.Erasure.Lying, q.Get("trashed")
	put := named != ""
	if !put {
		look, named = s.Erasure.Standing, q.Get("restored")
	}
	parts := strings.SplitN(named, ":", 3)
	if len(parts) < 3 {
		return nil, nil
	}
	t, err := look(ctx, actorOf(r), parts[0], ledger.ProjectID(parts[1]), parts[2])
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !put {
		return &page.UndoView{Title: ui.T(ctx, "trash.restored", "name", t.Name), Icon: "check"}, nil
	}
	return &page.UndoView{Title: ui.T(ctx, "trash.put", "name", t.Name), Icon: "trash", Action: "/trash/restore", Fields: []ui.Option{
		{Value: "kind", Text: t.Kind}, {Value: "project", Text: string(t.Project)}, {Value: "id", Text: t.ID}, {Value: "back", Text: r.URL.Path}}}, nil
}

// trashName names something in the trash as undoOf reads it.
func trashName(t erasure.Trashed) string { return t.Kind + ":" + string(t.Project) + ":" + t.ID }

// whereWas is the page that lists what a thing in the trash was among.
func whereWas(link page.ProjectLink, kind string) string {
	switch kind {
	case erasure.TrashProject:
		return "/projects"
	case erasure.TrashComparison:
		return link.Href("compare")
	}
	return link.Href(kind + "s")
}

// postTrash puts something of a project into the trash and goes on to the page
// where it was, which offers Undo.
func (s *Server) postTrash(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	t, err := s.Erasure.Delete(r.Context(), actorOf(r), r.PostForm.Get("kind"), projectOf(r).ID, r.PostForm.Get("id"), r.PostForm.Get("reason"))
	if isRefusal(err) {
		return s.showTrash(w, r, http.StatusUnprocessableEntity, page.Refusal(r.Context(), err))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, whereWas(linkOf(r), t.Kind)+"?"+page.Query("trashed", trashName(t)))
}

func (s *Server) postRestore(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	t, err := s.Erasure.Restore(r.Context(), actorOf(r), r.PostForm.Get("kind"), ledger.ProjectID(r.PostForm.Get("project")), r.PostForm.Get("id"))
	if err != nil {
		return err
	}
	back := "/trash"
	if asked := r.PostForm.Get("back"); asked != "" {
		back = localPath(asked)
	}
	path, _, _ := strings.Cut(back, "?")
	return s.seeOther(w, r, path+"?"+page.Query("restored", trashName(t)))
}

func (s *Server) postPurge(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	_, err := s.Erasure.Purge(r.Context(), actorOf(r), r.PostForm.Get("kind"), ledger.ProjectID(r.PostForm.Get("project")), r.PostForm.Get("id"))
	if isRefusal(err) {
		return s.showTrash(w, r, http.StatusUnprocessableEntity, page.Refusal(r.Context(), err))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/trash")
}

func (s *Server) getRetention(w http.ResponseWriter, r *http.Request) error {
	return s.showRetention(w, r, http.StatusOK, page.RetentionView{})
}

func (s *Server) showRetention(w http.ResponseWriter, r *http.Request, status int, v page.RetentionView) (err error) {
	ctx := r.Context()
	if v.List, err = s.Erasure.Retentions(ctx, actorOf(r)); err != nil {
		return err
	}
	if v.People, err = s.Identity.Names(ctx); err != nil {
		return err
	}
	return s.render(w, r, status, view{Title: ui.T(ctx, "retention.title"), Active: "people"}, page.Retention(v))
}

func (s *Server) postRetention(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	kind := erasure.Retained(r.PostForm.Get("kind"))
	_, err := s.Erasure.SetRetention(r.Context(), actorOf(r), kind, number(r.PostForm.Get("days"), -1), r.PostForm.Get("reason"))
	if isRefusal(err) {
		return s.showRetention(w, r, http.StatusUnprocessableEntity, page.RetentionView{Failed: kind, Form: s.refused(r.Context(), typed(r, "days", "reason"), err)})
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/retention")
}

func (s *Server) postApply(w http.ResponseWriter, r *http.Request) error {
	done, err := s.Erasure.Apply(r.Context(), actorOf(r))
	if err != nil {
		return err
	}
	return s.showRetention(w, r, http.StatusOK, page.RetentionView{Applied: &done})
}

// TrashBody is something in the trash.
type TrashBody struct {
	Kind    string           `json:"kind" enum:"project,dataset,snapshot,model,comparison"`
	Project ledger.ProjectID `json:"project" doc:"Its id"`
	ID      string           `json:"id" doc:"A comparison's digest"`
	Name    string           `json:"name"`
	Reason  string           `json:"reason,omitempty"`
	Person  ledger.PersonID  `json:"person,omitempty"`
	At      *time.Time       `json:"at,omitempty"`
	Purge   *time.Time       `json:"purge,omitempty" doc:"When it is purged by itself; absent: never"`
	Kept    string           `json:"kept,omitempty" doc:"Why it cannot be purged now"`
}

func trashBody(t erasure.Trashed) TrashBody {
	return TrashBody{t.Kind, t.Project, t.ID, t.Name, t.Reason, t.Person, some(t.At), some(t.Purge), t.Kept}
}

// DeleteInput names what goes into the trash.
type DeleteInput struct {
	InProject
	Body struct {
		Kind   string `json:"kind" enum:"project,dataset,snapshot,model,comparison"`
		ID     string `json:"id" maxLength:"200" doc:"Its id; a comparison's digest"`
		Reason string `json:"reason,omitempty" maxLength:"4000"`
	}
}

// InTrashInput names something in the trash.
type InTrashInput struct {
	Body struct {
		Kind    string           `json:"kind" enum:"project,dataset,snapshot,model,comparison"`
		Project ledger.ProjectID `json:"project" maxLength:"100"`
		ID      string           `json:"id" maxLength:"200"`
	}
}

// RetentionBody says for how long a kind of record is kept.
type RetentionBody struct {
	Kind    erasure.Retained `json:"kind"`
	Days    int              `json:"days" doc:"0: for good"`
	Default int              `json:"default"`
	Person  ledger.PersonID  `json:"person,omitempty"`
	At      *time.Time       `json:"at,omitempty"`
}

func retentionBody(r erasure.Retention) RetentionBody {
	return RetentionBody{r.Kind, r.Days, r.Default, r.Person, some(r.At)}
}

// trashAPI registers the operations about the trash and retention.
func (s *Server) trashAPI() {
	operation(s, api{GET, "/trash", "list-trash", "List what is in the trash of the projects you manage", either, ledger.ActionRead},
		func(ctx context.Context, _ *struct{}) (*Answer[List[TrashBody]], error) {
			found, err := s.Erasure.Deleted(ctx, actorIn(ctx))
			list := List[TrashBody]{Items: []TrashBody{}}
			for _, t := range found {
				list.Items = append(list.Items, trashBody(t))
			}
			return &Answer[List[TrashBody]]{list}, err
		})
	operation(s, api{POST, "/projects/{project}/trash", "delete", "Put a project, dataset, snapshot, model or comparison into the trash", there, ledger.ActionManage},
		func(ctx context.Context, in *DeleteInput) (*Answer[TrashBody], error) {
			t, err := s.Erasure.Delete(ctx, actorIn(ctx), in.Body.Kind, projectIn(ctx).ID, in.Body.ID, in.Body.Reason)
			return &Answer[TrashBody]{trashBody(t)}, err
		})
	operation(s, api{POST, "/trash/restore", "restore", "Restore something from the trash", either, ledger.ActionManage},
		func(ctx context.Context, in *InTrashInput) (*Answer[TrashBody], error) {
			t, err := s.Erasure.Restore(ctx, actorIn(ctx), in.Body.Kind, in.Body.Project, in.Body.ID)
			return &Answer[TrashBody]{trashBody(t)}, err
		})
	operation(s, api{POST, "/trash/purge", "purge", "Purge something in the trash for good", there, ledger.ActionAdminister},
		func(ctx context.Context, in *InTrashInput) (*struct{}, error) {
			_, err := s.Erasure.Purge(ctx, actorIn(ctx), in.Body.Kind, in.Body.Project, in.Body.ID)
			return nil, err
		})
	operation(s, api{GET, "/retention", "list-retention", "For how long each kind of record is kept", either, ledger.ActionAdminister},
		func(ctx context.Context, _ *struct{}) (*Answer[List[RetentionBody]], error) {
			found, err := s.Erasure.Retentions(ctx, actorIn(ctx))
			list := List[RetentionBody]{Items: []RetentionBody{}}
			for _, r := range found {
				list.Items = append(list.Items, retentionBody(r))
			}
			return &Answer[List[RetentionBody]]{list}, err
		})
	operation(s, api{PUT, "/retention/{kind}", "set-retention", "Say for how long a kind of record is kept", either, ledger.ActionAdminister},
		func(ctx context.Context, in *struct {
			Kind string `path:"kind" maxLength:"40"`
			Body struct {
				Days   int    `json:"days" doc:"0: for good"`
				Reason string `json:"reason" maxLength:"4000"`
			}
		}) (*Answer[RetentionBody], error) {
			r, err := s.Erasure.SetRetention(ctx, actorIn(ctx), erasure.Retained(in.Kind), in.Body.Days, in.Body.Reason)
			return &Answer[RetentionBody]{retentionBody(r)}, err
		})
	operation(s, api{POST, "/retention/apply", "apply-retention", "Remove now what was kept long enough", either, ledger.ActionAdminister},
		func(ctx context.Context, _ *struct{}) (*Answer[erasure.Applied], error) {
			done, err := s.Erasure.Apply(ctx, actorIn(ctx))
			return &Answer[erasure.Applied]{done}, err
		})
}
