package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// erasureRoutes are the pages that erase a person or an item.
func (s *Server) erasureRoutes() []route {
	return []route{
		{GET, "/people/{person}/erase", login, ledger.ActionAdminister, s.getErasePerson},
		{POST, "/people/{person}/erase", login, ledger.ActionAdminister, s.postErasePerson},
		{GET, "/projects/{project}/items/{item}/erase", login, ledger.ActionManage, s.getEraseItem},
		{POST, "/projects/{project}/items/{item}/erase", login, ledger.ActionManage, s.postEraseItem},
		{GET, "/holds", login, ledger.ActionAdminister, s.getHolds},
		{POST, "/holds", login, ledger.ActionAdminister, s.postHold},
		{POST, "/holds/lift", login, ledger.ActionAdminister, s.postLiftHold},
	}
}

func (s *Server) getErasePerson(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.Erasure.PlanPerson(r.Context(), actorOf(r), r.PathValue("person"))
	if err != nil {
		return err
	}
	return s.showErasure(w, r, http.StatusOK, plan, page.FormView{})
}

func (s *Server) postErasePerson(w http.ResponseWriter, r *http.Request) error {
	return s.postErasure(w, r, func(req erasure.Request) (erasure.Plan, error) {
		return s.Erasure.ErasePerson(r.Context(), actorOf(r), r.PathValue("person"), req)
	})
}

func (s *Server) getEraseItem(w http.ResponseWriter, r *http.Request) error {
	plan, err := s.Erasure.PlanItem(r.Context(), actorOf(r), projectOf(r).ID, chi.URLParam(r, "item"))
	if err != nil {
		return err
	}
	return s.showErasure(w, r, http.StatusOK, plan, page.FormView{})
}

func (s *Server) postEraseItem(w http.ResponseWriter, r *http.Request) error {
	return s.postErasure(w, r, func(req erasure.Request) (erasure.Plan, error) {
		return s.Erasure.EraseItem(r.Context(), actorOf(r), projectOf(r).ID, chi.URLParam(r, "item"), req)
	})
}

func (s *Server) postErasure(w http.ResponseWriter, r *http.Request, erase func(erasure.Request) (erasure.Plan, error)) error {
	if err := parseForm(r); err != nil {
		return err
	}
	plan, err := erase(erasure.Request{Confirm: r.PostForm.Get("confirm"), Reason: r.PostForm.Get("reason")})
	if isRefusal(err) {
		return s.showErasure(w, r, http.StatusUnprocessableEntity, plan, s.refused(r.Context(), typed(r, "confirm", "reason"), err))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, r.URL.Path)
}

func (s *Server) showErasure(w http.ResponseWriter, r *http.Request, status int, plan erasure.Plan, form page.FormView) error {
	ctx := r.Context()
	v := page.ErasureView{Plan: plan, Form: form, Action: r.URL.Path}
	if plan.Erasing != nil {
		names, err := s.Identity.Names(ctx)
		if err != nil {
			return err
		}
		v.People = names
	}
	frame := view{Title: ui.T(ctx, "erase.title."+string(plan.Kind)), Active: "people",
		Path: []ui.Crumb{{Text: ui.T(ctx, "people.title"), Href: "/people"}, {Text: plan.Title, User: true}}}
	if plan.Kind == erasure.KindItem {
		frame.Active = "items"
		frame.Path = []ui.Crumb{{Text: ui.T(ctx, "items.title"), Href: linkOf(r).Href("items")}, {Text: plan.Title, User: true, Href: linkOf(r).Href("items", plan.ID)}}
	}
	return s.render(w, r, status, frame, page.Erasure(v))
}

// getHolds lists legal holds; with kind and id in the query it asks why that
// thing shall be held.
func (s *Server) getHolds(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	return s.showHolds(w, r, http.StatusOK, q.Get("kind"), q.Get("id"), page.FormView{})
}

func (s *Server) showHolds(w http.ResponseWriter, r *http.Request, status int, kind, id string, form page.FormView) error {
	ctx, actor := r.Context(), actorOf(r)
	holds, err := s.Erasure.Holds(ctx, actor)
	if err != nil {
		return err
	}
	v := page.HoldsView{Form: form}
	if v.People, err = s.Identity.Names(ctx); err != nil {
		return err
	}
	links := map[ledger.ProjectID]page.ProjectLink{}
	if s.Projects != nil {
		places, err := s.Projects(ctx, actor)
		if err != nil {
			return err
		}
		for _, p := range places {
			links[p.ID] = page.ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}
		}
	}
	for _, h := range holds {
		v.Rows = append(v.Rows, page.HoldRow{Held: h, Project: links[h.On.Project]})
	}
	if kind != "" && id != "" {
		on, err := s.Erasure.Holdable(ctx, actor, kind, id)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err == nil && erasure.Keeps(holds, on) == nil {
			v.Asked = &page.HoldRow{Held: erasure.Held{On: on}, Project: links[on.Project]}
		}
	}
	return s.render(w, r, status, view{Title: ui.T(ctx, "holds.title"), Active: "people"}, page.Holds(v))
}

// holdsOf says for a page of a project what keeps some of its things, in their
// order. Only those who could delete or erase them are told.
func (s *Server) holdsOf(r *http.Request, things ...erasure.Holdable) ([]page.HoldView, error) {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	views := make([]page.HoldView, len(things))
	if s.Erasure == nil || !actor.May(place.ID, ledger.ActionManage) {
		return views, nil
	}
	holds, err := s.Erasure.HoldsIn(ctx, actor, place.ID)
	if err != nil {
		return nil, err
	}
	for i, on := range things {
		on.Project = place.ID
		views[i] = page.HoldView{Kind: on.Kind, ID: on.ID, Held: erasure.Keeps(holds, on),
			May: actor.May("", ledger.ActionAdminister) && slices.Contains(erasure.HoldKinds(), on.Kind)}
	}
	return views, nil
}

// holdOf is holdsOf for one thing.
func (s *Server) holdOf(r *http.Request, on erasure.Holdable) (page.HoldView, error) {
	views, err := s.holdsOf(r, on)
	if err != nil {
		return page.HoldView{}, err
	}
	return views[0], nil
}

func (s *Server) postHold(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	_, err := s.Erasure.PlaceHold(r.Context(), actorOf(r), erasure.Hold{Kind: r.PostForm.Get("kind"), ID: r.PostForm.Get("id"), Reason: r.PostForm.Get("reason")})
	return s.afterHold(w, r, err)
}

func (s *Server) postLiftHold(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	return s.afterHold(w, r, s.Erasure.LiftHold(r.Context(), actorOf(r), r.PostForm.Get("kind"), r.PostForm.Get("id"), r.PostForm.Get("reason")))
}

func (s *Server) afterHold(w http.ResponseWriter, r *http.Request, err error) error {
	if isRefusal(err) {
		return s.showHolds(w, r, http.StatusUnprocessableEntity, r.PostForm.Get("kind"), r.PostForm.Get("id"), s.refused(r.Context(), typed(r, "kind", "id", "reason"), err))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/holds")
}

// ErasureBody says what an erasure would do, or did.
type ErasureBody struct {
	Kind    erasure.Kind  `json:"kind" enum:"person,item"`
	ID      string        `json:"id"`
	Confirm string        `json:"confirm" doc:"What to send as confirm"`
	Refused string        `json:"refused,omitempty" doc:"Why nothing can be erased now"`
	Erased  bool          `json:"erased" doc:"It is erased"`
	Records []ErasureLine `json:"records"`

	Percent  *int       `json:"percent,omitempty" doc:"How much of it is done, once it was asked for"`
	Words    int64      `json:"words,omitempty" doc:"How many texts were emptied"`
	Payloads int64      `json:"payloads,omitempty" doc:"How many payloads of the history were erased"`
	Finished *time.Time `json:"finished,omitempty" doc:"When it was done; absent: not yet"`
}

// ErasureLine is one kind of record of an erasure.
type ErasureLine struct {
	Record erasure.Record `json:"record"`
	Fate   erasure.Fate   `json:"fate" enum:"gone,stays"`
	Count  *int64         `json:"count,omitempty"`
	Names  []string       `json:"names,omitempty"`
}

func erasureBody(p erasure.Plan, done bool) ErasureBody {
	b := ErasureBody{Kind: p.Kind, ID: p.ID, Confirm: p.Name, Refused: p.Refused, Erased: p.Done || done, Records: []ErasureLine{}}
	if e := p.Erasing; e != nil {
		percent := e.Percent()
		b.Percent, b.Words, b.Payloads, b.Finished = &percent, e.Words, e.Payloads, some(e.Finished)
	}
	for _, l := range p.Lines {
		line := ErasureLine{Record: l.Record, Fate: l.Fate, Names: l.Names}
		if l.Count >= 0 {
			line.Count = &l.Count
		}
		b.Records = append(b.Records, line)
	}
	return b
}

// EraseRequest confirms an erasure.
type EraseRequest struct {
	Confirm string `json:"confirm" doc:"The username, or the item's key, as the plan says" maxLength:"2000"`
	Reason  string `json:"reason" doc:"Why; stands in the history" maxLength:"4000"`
}

// ItemErasureInput names an item of a project.
type ItemErasureInput struct {
	InProject
	Item string `path:"item" maxLength:"100"`
}

// HoldBody is a legal hold as the API shows it.
type HoldBody struct {
	Kind   string          `json:"kind" enum:"person,project,dataset,item,snapshot,candidate"`
	ID     string          `json:"id" maxLength:"100" doc:"A person also by username, a project also by its slug"`
	Name   string          `json:"name,omitempty" readOnly:"true" doc:"What it is called"`
	Reason string          `json:"reason" maxLength:"4000"`
	Person ledger.PersonID `json:"person,omitempty" readOnly:"true"`
	At     *time.Time      `json:"at,omitempty" readOnly:"true"`
}

// erasureAPI registers the operations about erasure and legal holds.
func (s *Server) erasureAPI() {
	operation(s, api{GET, "/people/{person}/erasure", "plan-person-erasure", "What erasing a person would do", either, ledger.ActionAdminister},
		func(ctx context.Context, in *PersonInput) (*Answer[ErasureBody], error) {
			p, err := s.Erasure.PlanPerson(ctx, actorIn(ctx), in.Person)
			return &Answer[ErasureBody]{erasureBody(p, false)}, err
		})
	operation(s, api{POST, "/people/{person}/erasure", "erase-person", "Erase a person", there, ledger.ActionAdminister},
		func(ctx context.Context, in *struct {
			PersonInput
			Body EraseRequest
		}) (*Answer[ErasureBody], error) {
			p, err := s.Erasure.ErasePerson(ctx, actorIn(ctx), in.Person, erasure.Request(in.Body))
			return &Answer[ErasureBody]{erasureBody(p, true)}, err
		})
	operation(s, api{GET, "/projects/{project}/items/{item}/erasure", "plan-item-erasure", "What erasing the content of an item would do", either, ledger.ActionManage},
		func(ctx context.Context, in *ItemErasureInput) (*Answer[ErasureBody], error) {
			p, err := s.Erasure.PlanItem(ctx, actorIn(ctx), projectIn(ctx).ID, in.Item)
			return &Answer[ErasureBody]{erasureBody(p, false)}, err
		})
	operation(s, api{POST, "/projects/{project}/items/{item}/erasure", "erase-item", "Erase the content of an item", either, ledger.ActionManage},
		func(ctx context.Context, in *struct {
			ItemErasureInput
			Body EraseRequest
		}) (*Answer[ErasureBody], error) {
			p, err := s.Erasure.EraseItem(ctx, actorIn(ctx), projectIn(ctx).ID, in.Item, erasure.Request(in.Body))
			return &Answer[ErasureBody]{erasureBody(p, true)}, err
		})
	operation(s, api{GET, "/holds", "list-holds", "List legal holds", either, ledger.ActionAdminister},
		func(ctx context.Context, _ *struct{}) (*Answer[List[HoldBody]], error) {
			holds, err := s.Erasure.Holds(ctx, actorIn(ctx))
			list := List[HoldBody]{Items: []HoldBody{}}
			for _, h := range holds {
				list.Items = append(list.Items, HoldBody{h.Kind, h.ID, h.On.Name, h.Reason, h.Person, some(h.At)})
			}
			return &Answer[List[HoldBody]]{list}, err
		})
	operation(s, api{POST, "/holds", "place-hold", "Keep something from erasure and from the trash", either, ledger.ActionAdminister},
		func(ctx context.Context, in *struct{ Body HoldBody }) (*Answer[HoldBody], error) {
			h, err := s.Erasure.PlaceHold(ctx, actorIn(ctx), erasure.Hold{Kind: in.Body.Kind, ID: in.Body.ID, Reason: in.Body.Reason})
			return &Answer[HoldBody]{HoldBody{h.Kind, h.ID, "", h.Reason, h.Person, some(h.At)}}, err
		})
	operation(s, api{POST, "/holds/lift", "lift-hold", "Lift a legal hold", either, ledger.ActionAdminister},
		func(ctx context.Context, in *struct{ Body HoldBody }) (*struct{}, error) {
			return nil, s.Erasure.LiftHold(ctx, actorIn(ctx), in.Body.Kind, in.Body.ID, in.Body.Reason)
		})
}
