package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// itemRoutes are the list of items and what is done with them.
func (s *Server) itemRoutes() []route {
	return []route{
		{GET, "/projects/{project}/items", login, ledger.ActionRead, s.getItems},
		{GET, "/projects/{project}/items/{item}", login, ledger.ActionRead, s.getItem},
		{POST, "/projects/{project}/items/{item}/show", login, ledger.ActionRelabel, s.postItemShow},
		{POST, "/projects/{project}/items/changes", login, ledger.ActionRelabel, s.postItemChanges},
		{POST, "/projects/{project}/items/changes/{bulk}/undo", login, ledger.ActionRelabel, s.postItemUndo},
	}
}

func (s *Server) getItems(w http.ResponseWriter, r *http.Request) error {
	return s.showItems(w, r, http.StatusOK, r.URL.Query(), "", labeling.BulkRequest{})
}

func (s *Server) showItems(w http.ResponseWriter, r *http.Request, status int, q url.Values, message string, asked labeling.BulkRequest) error {
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	project, err := s.Labeling.Project(ctx, actor, string(link.ID))
	if err != nil {
		return err
	}
	v := page.ItemsView{Asked: asked, Project: link, Schema: project.Schema, Filter: page.ItemQuery(q), Error: message,
		MayChange: actor.May(link.ID, ledger.ActionRelabel), MayImport: actor.May(link.ID, ledger.ActionImport)}
	if v.Datasets, err = s.Labeling.Datasets(ctx, actor, link.ID); err != nil {
		return err
	}
	for _, d := range v.Datasets { // links may name a dataset or a class
		if string(v.Filter.Dataset) == d.Name {
			v.Filter.Dataset = d.ID
		}
	}
	if c, known := project.Schema.ClassNamed(string(v.Filter.Label)); known {
		v.Filter.Label = c.ID
	}
	req := labeling.PageRequest{After: place(q.Get("after")), Before: place(q.Get("before")), Short: true}
	if v.List, err = s.Labeling.Items(ctx, actor, link.ID, v.Filter, req); err != nil {
		return err
	}
	people, err := s.Labeling.Answerers(ctx, actor, link.ID)
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.Answers == 0 {
			continue
		}
		v.People = append(v.People, page.PersonLink{ID: p.Person, Name: names[p.Person]})
	}
	if id := q.Get("done"); id != "" && v.MayChange {
		bulk, err := s.Labeling.Bulk(ctx, actor, link.ID, labeling.BulkID(id))
		if err == nil {
			v.Undo = &bulk
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return s.render(w, r, status, view{Title: ui.T(ctx, "items.title"), Active: "items", Main: "wide", Islands: []string{"items"}}, page.Items(v))
}

// place reads a place in a list; what is none is the start.
func place(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (s *Server) getItem(w http.ResponseWriter, r *http.Request) error {
	return s.showItem(w, r, false)
}

// showItem shows an item; opened says that its answers were asked for just now.
func (s *Server) showItem(w http.ResponseWriter, r *http.Request, opened bool) error {
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	project, err := s.Labeling.Project(ctx, actor, string(link.ID))
	if err != nil {
		return err
	}
	history, err := s.Labeling.Item(ctx, actor, link.ID, labeling.ItemID(chi.URLParam(r, "item")))
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	v := page.ItemView{Project: link, Schema: project.Schema, History: history, Names: names, Opened: opened, MayErase: actor.May(link.ID, ledger.ActionManage)}
	if v.Hold, err = s.holdOf(r, erasure.Holdable{Kind: "item", ID: string(history.Item.ID), Dataset: string(history.Item.Dataset)}); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view{Title: history.Item.Key, Active: "items",
		Path: []ui.Crumb{{Text: ui.T(ctx, "items.title"), Href: link.Href("items")}, {Text: history.Item.Key, User: true}}}, page.Item(v))
}

// postItemShow has the answers of others to a waiting item shown.
func (s *Server) postItemShow(w http.ResponseWriter, r *http.Request) error {
	item := chi.URLParam(r, "item")
	if err := s.Labeling.ShowAnswers(r.Context(), actorOf(r), projectOf(r).ID, labeling.ItemID(item)); err != nil {
		return err
	}
	if wantsFragment(r) { // in the drawer, the list and the filters behind it stay
		return s.showItem(w, r, true)
	}
	return s.seeOther(w, r, linkOf(r).Href("items", item))
}

func (s *Server) postItemChanges(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	back, err := url.ParseQuery(r.PostForm.Get("back"))
	if err != nil {
		back = url.Values{}
	}
	req := labeling.BulkRequest{Action: labeling.BulkAction(r.PostForm.Get("action")), Class: labeling.ClassID(r.PostForm.Get("class")), Reason: r.PostForm.Get("reason")}
	for _, id := range r.PostForm["item"] {
		req.Items = append(req.Items, labeling.ItemID(id))
	}
	bulk, err := s.Labeling.ChangeItems(r.Context(), actorOf(r), projectOf(r).ID, req)
	if isRefusal(err) {
		return s.showItems(w, r, http.StatusUnprocessableEntity, back, page.Refusal(r.Context(), err), req)
	}
	if err != nil {
		return err
	}
	back.Set("done", string(bulk.ID))
	return s.seeOther(w, r, linkOf(r).Href("items")+"?"+back.Encode())
}

func (s *Server) postItemUndo(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	back, err := url.ParseQuery(r.PostForm.Get("back"))
	if err != nil {
		back = url.Values{}
	}
	bulk, err := s.Labeling.UndoBulk(r.Context(), actorOf(r), projectOf(r).ID, labeling.BulkID(chi.URLParam(r, "bulk")))
	if err != nil {
		return err
	}
	back.Set("done", string(bulk.ID))
	return s.seeOther(w, r, linkOf(r).Href("items")+"?"+back.Encode())
}
