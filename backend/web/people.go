package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// peopleRoutes are the pages about people, roles and settings.
func (s *Server) peopleRoutes() []route {
	return []route{
		{GET, "/people", login, ledger.ActionAdminister, s.getPeople},
		{POST, "/people", login, ledger.ActionAdminister, s.postPerson},
		{POST, "/people/machine", login, ledger.ActionAdminister, s.postMachine},
		{GET, "/people/{person}", login, ledger.ActionAdminister, s.getPerson},
		{POST, "/people/{person}", login, ledger.ActionAdminister, s.postChangePerson},
		{POST, "/people/{person}/invite", login, ledger.ActionAdminister, s.postInvite},
		{GET, "/projects/{project}/people", login, ledger.ActionRead, s.getMembers},
		{POST, "/projects/{project}/people", login, ledger.ActionManage, s.postMember},
		{POST, "/projects/{project}/people/roles", login, ledger.ActionManage, s.postRoles},
		{POST, "/projects/{project}/people/confirm", login, ledger.ActionManage, s.postConfirmVoter},
		{POST, "/projects/{project}/people/groups", login, ledger.ActionManage, s.postGroupRoles},
		{GET, "/projects/{project}/settings", login, ledger.ActionRead, s.getSettings},
	}
}

func (s *Server) getPeople(w http.ResponseWriter, r *http.Request) error {
	return s.showPeople(w, r, http.StatusOK, page.PeopleView{})
}

func (s *Server) showPeople(w http.ResponseWriter, r *http.Request, status int, v page.PeopleView) (err error) {
	if v.People, err = s.Identity.People(r.Context(), actorOf(r)); err != nil {
		return err
	}
	v.Me = actorOf(r).Person
	v.Show(r.URL.Query())
	return s.render(w, r, status, view{Title: ui.T(r.Context(), "people.title"), Active: "people"}, page.People(v))
}

func (s *Server) postPerson(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	person, secret, err := s.Identity.CreatePerson(r.Context(), actorOf(r), identity.CreatePersonRequest{
		Username: r.PostForm.Get("username"), Name: r.PostForm.Get("name"), Admin: r.PostForm.Get("admin") != "",
	})
	if isRefusal(err) {
		return s.showPeople(w, r, http.StatusUnprocessableEntity, page.PeopleView{Form: s.refused(r.Context(), typed(r, "username", "name", "admin"), err)})
	}
	if err != nil {
		return err
	}
	// The link is shown in the answer itself, once: it must not stand in a URL.
	return s.showPeople(w, r, http.StatusOK, page.PeopleView{Link: s.welcomeLink(r.Context(), secret), For: person.Name})
}

// postMachine makes commands on the server's machine act as who asks.
func (s *Server) postMachine(w http.ResponseWriter, r *http.Request) error {
	if err := s.Identity.TakeOver(r.Context(), actorOf(r)); err != nil {
		return err
	}
	return s.seeOther(w, r, "/people")
}

func (s *Server) welcomeLink(ctx context.Context, secret string) string {
	if secret == "" {
		return ""
	}
	return s.absolute(ctx, "/welcome?token="+url.QueryEscape(secret))
}

func (s *Server) getPerson(w http.ResponseWriter, r *http.Request) error {
	return s.showPerson(w, r, http.StatusOK, page.PersonView{})
}

func (s *Server) showPerson(w http.ResponseWriter, r *http.Request, status int, v page.PersonView) error {
	person, memberships, err := s.Identity.Get(r.Context(), actorOf(r), ledger.PersonID(r.PathValue("person")))
	if err != nil {
		return err
	}
	v.Person = person
	if v.Provided, err = s.Identity.ProviderAccounts(r.Context(), actorOf(r), person.ID); err != nil {
		return err
	}
	if v.Form.Values == nil {
		v.Form.Values = map[string]string{"name": person.Name, "time_zone": person.TimeZone, "admin": yes(person.Admin), "disabled": yes(person.Disabled)}
	}
	if s.Erasure != nil {
		holds, err := s.Erasure.Holds(r.Context(), actorOf(r))
		if err != nil {
			return err
		}
		v.Hold = page.HoldView{Kind: "person", ID: string(person.ID), Held: erasure.Keeps(holds, erasure.Holdable{Kind: "person", ID: string(person.ID)}), May: true}
	}
	if v.Roles, err = s.rolesByProject(r, memberships); err != nil {
		return err
	}
	path := []ui.Crumb{{Text: ui.T(r.Context(), "people.title"), Href: "/people"}, {Text: person.Name, User: true}}
	return s.render(w, r, status, view{Title: person.Name, Active: "people", Path: path}, page.Person(v))
}

func (s *Server) rolesByProject(r *http.Request, memberships []identity.Membership) ([]page.ProjectRoles, error) {
	if s.Projects == nil {
		return nil, nil
	}
	places, err := s.Projects(r.Context(), actorOf(r))
	if err != nil {
		return nil, err
	}
	var all []page.ProjectRoles
	for _, p := range places {
		held := page.ProjectRoles{Project: page.ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}}
		for _, m := range memberships {
			if m.Project == p.ID {
				held.Roles = append(held.Roles, m.Role)
			}
		}
		if len(held.Roles) > 0 {
			all = append(all, held)
		}
	}
	return all, nil
}

// yes is how a checkbox says it is checked.
func yes(checked bool) string {
	if checked {
		return "true"
	}
	return ""
}

func (s *Server) postChangePerson(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	name, zone := r.PostForm.Get("name"), r.PostForm.Get("time_zone")
	admin, disabled := r.PostForm.Get("admin") != "", r.PostForm.Get("disabled") != ""
	_, err := s.Identity.ChangePerson(r.Context(), actorOf(r), ledger.PersonID(r.PathValue("person")),
		identity.ChangePersonRequest{Name: &name, TimeZone: &zone, Admin: &admin, Disabled: &disabled, Reason: r.PostForm.Get("reason")})
	if isRefusal(err) {
		return s.showPerson(w, r, http.StatusUnprocessableEntity, page.PersonView{Form: s.refused(r.Context(), typed(r, "name", "time_zone", "admin", "disabled", "reason"), err)})
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/people")
}

func (s *Server) postInvite(w http.ResponseWriter, r *http.Request) error {
	secret, err := s.Identity.Invite(r.Context(), actorOf(r), ledger.PersonID(r.PathValue("person")))
	if err != nil {
		return err
	}
	return s.showPerson(w, r, http.StatusOK, page.PersonView{Link: s.welcomeLink(r.Context(), secret)})
}

func (s *Server) getMembers(w http.ResponseWriter, r *http.Request) error {
	return s.showMembers(w, r, http.StatusOK, page.MembersView{Saved: r.URL.Query().Get("saved") != ""})
}

func (s *Server) showMembers(w http.ResponseWriter, r *http.Request, status int, v page.MembersView) (err error) {
	actor, place := actorOf(r), projectOf(r)
	if v.Members, err = s.Identity.Members(r.Context(), actor, place.ID); err != nil {
		return err
	}
	v.Project = page.ProjectLink{ID: place.ID, Slug: place.Slug, Name: place.Name}
	v.May, v.MayAll = actor.May(place.ID, ledger.ActionManage), actor.May(place.ID, ledger.ActionAdminister)
	v.Reviews, v.Me = reviews(actor, place.ID), actor.Person
	v.Show(r.URL.Query())
	if v.May {
		if v.Groups, err = s.Identity.ProjectGroups(r.Context(), actor, place.ID); err != nil {
			return err
		}
	}
	path := []ui.Crumb{{Text: ui.T(r.Context(), "settings.title"), Href: v.Project.Href("settings")}, {Text: ui.T(r.Context(), "members.title")}}
	return s.render(w, r, status, view{Title: ui.T(r.Context(), "members.title"), Active: "settings", Path: path}, page.Members(v))
}

func (s *Server) postMember(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	person, secret, err := s.Identity.Join(r.Context(), actorOf(r), identity.CreatePersonRequest{
		Username: r.PostForm.Get("username"), Name: r.PostForm.Get("name"),
		Project: projectOf(r).ID, Roles: []ledger.Role{ledger.Role(r.PostForm.Get("role"))}, Reason: r.PostForm.Get("reason"),
	})
	if isRefusal(err) {
		return s.showMembers(w, r, http.StatusUnprocessableEntity, page.MembersView{Form: s.refused(r.Context(), typed(r, "username", "name", "role", "reason"), err)})
	}
	if err != nil {
		return err
	}
	if secret == "" {
		return s.seeOther(w, r, r.URL.Path+"?saved=true")
	}
	return s.showMembers(w, r, http.StatusOK, page.MembersView{Link: s.welcomeLink(r.Context(), secret), For: person.Name})
}

// postConfirmVoter notes that somebody may vote here, whoever let them in.
func (s *Server) postConfirmVoter(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	_, err := s.Review.ConfirmVoter(r.Context(), actorOf(r), review.ConfirmVoterRequest{
		Project: projectOf(r).ID, Person: ledger.PersonID(r.PostForm.Get("person")), Reason: r.PostForm.Get("reason"),
	})
	if isRefusal(err) {
		return s.showMembers(w, r, http.StatusUnprocessableEntity, page.MembersView{Confirm: s.refused(r.Context(), typed(r, "person", "reason"), err)})
	}
	return s.membersSaved(w, r, err)
}

func (s *Server) postRoles(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ticked := tickedRoles[ledger.PersonID](r, "person")
	err := s.Identity.SetRoles(r.Context(), actorOf(r), projectOf(r).ID, ticked, r.PostForm.Get("reason"))
	if isRefusal(err) {
		return s.showMembers(w, r, http.StatusUnprocessableEntity, page.MembersView{Matrix: s.refused(r.Context(), typed(r, "reason"), err), Typed: tickedRoles[string](r, "person")})
	}
	return s.membersSaved(w, r, err)
}

func (s *Server) postGroupRoles(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ticked := tickedRoles[identity.GroupID](r, "group")
	err := s.Identity.SetGroupRoles(r.Context(), actorOf(r), projectOf(r).ID, ticked, r.PostForm.Get("reason"))
	if isRefusal(err) {
		return s.showMembers(w, r, http.StatusUnprocessableEntity, page.MembersView{GroupForm: s.refused(r.Context(), typed(r, "reason"), err), Typed: tickedRoles[string](r, "group")})
	}
	return s.membersSaved(w, r, err)
}

func (s *Server) membersSaved(w http.ResponseWriter, r *http.Request, err error) error {
	if err != nil {
		return err
	}
	return s.seeOther(w, r, savedAt(page.ProjectLink{Slug: projectOf(r).Slug}.Href("people"), r, "true"))
}

// savedAt is the part of a list from which a form was sent, with what was saved.
func savedAt(list string, r *http.Request, what string) string {
	query := r.URL.Query()
	query.Set("saved", what)
	return list + "?" + query.Encode()
}

// tickedRoles reads a matrix: the roles ticked for each person or group that it
// names, none where no box of theirs is ticked.
func tickedRoles[ID ~string](r *http.Request, kind string) map[ID][]ledger.Role {
	ticked := map[ID][]ledger.Role{}
	for _, id := range r.PostForm[kind] {
		ticked[ID(id)] = nil
		for _, role := range r.PostForm["role:"+id] {
			ticked[ID(id)] = append(ticked[ID(id)], ledger.Role(role))
		}
	}
	return ticked
}

// getSettings leads to what is set up once; rooms add their places here.
func (s *Server) getSettings(w http.ResponseWriter, r *http.Request) error {
	return s.showSettings(w, r, http.StatusOK, page.FormView{}, r.URL.Query().Get("saved") == "lock")
}

// postProjectLock says after how many idle minutes the browsers of whoever may
// open the project lock.
func (s *Server) postProjectLock(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	_, err := s.Labeling.DemandLock(r.Context(), actorOf(r), projectOf(r).ID, number(r.PostForm.Get("lock_after"), 0), r.PostForm.Get("reason"))
	if isRefusal(err) {
		return s.showSettings(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), typed(r, "lock_after", "reason"), err), false)
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, linkOf(r).Href("settings")+"?saved=lock")
}

func (s *Server) showSettings(w http.ResponseWriter, r *http.Request, status int, form page.FormView, saved bool) error {
	here := page.ProjectLink{Slug: projectOf(r).Slug}
	v := page.SettingsView{Links: []page.SettingsLink{
		{Key: "schema", Icon: "label", Href: here.Href("schema")},
		{Key: "people", Icon: "people", Href: here.Href("people")},
		{Key: "policy", Icon: "sign", Href: here.Href("policy")},
		{Key: "environments", Icon: "gate", Href: here.Href("environments")},
		{Key: "history", Icon: "history", Href: here.Href("history")},
		{Key: "tokens", Icon: "token", Href: "/tokens"},
	}}
	if actorOf(r).Admin {
		v.Links = append(v.Links, page.SettingsLink{Key: "everybody", Icon: "person", Href: "/people"},
			page.SettingsLink{Key: "holds", Icon: "lock", Href: "/holds"},
			page.SettingsLink{Key: "whole", Icon: "history", Href: "/history"},
			page.SettingsLink{Key: "retention", Icon: "clock", Href: "/retention"},
			page.SettingsLink{Key: "checkpoints", Icon: "sign", Href: "/checkpoints"})
	}
	if actorOf(r).May(projectOf(r).ID, ledger.ActionManage) {
		v.Links = append(v.Links, page.SettingsLink{Key: "trash", Icon: "trash", Href: "/trash"})
		v.Delete = true
		hold, err := s.holdOf(r, erasure.Holdable{Kind: erasure.TrashProject, ID: string(projectOf(r).ID)})
		if err != nil {
			return err
		}
		v.Hold = hold
	}
	v.Project, v.Lock, v.Saved = linkOf(r), form, saved
	if s.Labeling != nil {
		project, err := s.Labeling.Project(r.Context(), actorOf(r), string(projectOf(r).ID))
		if err != nil {
			return err
		}
		v.LockAfter = project.LockAfter
		if v.Lock.Values == nil && project.LockAfter > 0 {
			v.Lock.Values = map[string]string{"lock_after": strconv.Itoa(project.LockAfter)}
		}
	}
	return s.render(w, r, status, view{Title: ui.T(r.Context(), "settings.title"), Active: "settings"}, page.Settings(v))
}
