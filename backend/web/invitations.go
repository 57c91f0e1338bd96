package web

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// invitationRoutes invite a list of people at once.
func (s *Server) invitationRoutes() []route {
	return []route{
		{GET, "/people/invite", login, ledger.ActionAdminister, s.getInvitations},
		{POST, "/people/invite", login, ledger.ActionAdminister, s.postInvitations},
		{POST, "/people/invite/list", login, "", s.postInvitationList},
		{GET, "/projects/{project}/people/invite", login, ledger.ActionManage, s.getInvitations},
		{POST, "/projects/{project}/people/invite", login, ledger.ActionManage, s.postInvitations},
		{POST, "/projects/{project}/people/{person}/invite", login, ledger.ActionManage, s.postMemberInvite},
	}
}

func (s *Server) getInvitations(w http.ResponseWriter, r *http.Request) error {
	return s.showInvitations(w, r, http.StatusOK, page.InvitationsView{})
}

func (s *Server) showInvitations(w http.ResponseWriter, r *http.Request, status int, v page.InvitationsView) error {
	title := ui.T(r.Context(), "invite.title")
	v.Action = "/people/invite"
	frame := view{Title: title, Active: "people", Path: []ui.Crumb{{Text: ui.T(r.Context(), "people.title"), Href: "/people"}, {Text: title}}}
	if place := projectOf(r); place.ID != "" {
		project := page.ProjectLink{ID: place.ID, Slug: place.Slug, Name: place.Name}
		v.Action, v.Project = project.Href("people", "invite"), place.Slug
		frame.Active = "settings"
		frame.Path = []ui.Crumb{{Text: ui.T(r.Context(), "settings.title"), Href: project.Href("settings")}, {Text: ui.T(r.Context(), "members.title"), Href: project.Href("people")}, {Text: title}}
	}
	return s.render(w, r, status, frame, page.Invitations(v))
}

// postInvitations shows what a list would change, or carries it out where the
// person has seen that.
func (s *Server) postInvitations(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	text := r.PostForm.Get("csv")
	if file, _, err := r.FormFile("file"); err == nil {
		defer func() { _ = file.Close() }() // read only
		body, err := io.ReadAll(file)
		if err != nil {
			return fault.As(fault.Invalid, err, "The file could not be read. Choose it again.")
		}
		if len(body) > 0 {
			text = string(body)
		}
	}
	req, err := s.inviteAll(r.Context(), actorOf(r), text, projectOf(r).Slug)
	if err != nil {
		return err
	}
	v := page.InvitationsView{CSV: text}
	if r.PostForm.Get("go") != "" {
		req.Reason = r.PostForm.Get("reason")
		steps, err := s.Identity.InviteAll(r.Context(), actorOf(r), req)
		if err == nil {
			// The links stand in this answer alone; they are kept nowhere.
			v.Rows, v.Done = s.invitationRows(r.Context(), steps), true
			return s.showInvitations(w, r, http.StatusOK, v)
		}
		if !isRefusal(err) {
			return err
		}
		if fault.Fields(err)[ledger.KeyReason] != "" {
			v.Form = s.refused(r.Context(), typed(r, "reason"), err)
		}
		// Or something changed since the preview: it says what.
	}
	steps, wrong, err := s.Identity.PreviewInvitations(r.Context(), actorOf(r), req)
	if err != nil {
		return err
	}
	v.Rows, v.Wrong, v.Preview = s.invitationRows(r.Context(), steps), wrong, true
	status := http.StatusOK
	if len(wrong) > 0 || v.Form.Error(ledger.KeyReason) != "" {
		status = http.StatusUnprocessableEntity
	}
	return s.showInvitations(w, r, status, v)
}

func (s *Server) inviteAll(ctx context.Context, actor ledger.Actor, text, project string) (identity.InviteAllRequest, error) {
	req := identity.InviteAllRequest{CSV: []byte(text), Projects: map[string]ledger.ProjectID{}, Project: project}
	if s.Projects == nil {
		return req, nil
	}
	places, err := s.Projects(ctx, actor)
	for _, p := range places {
		req.Projects[p.Slug], req.Projects[string(p.ID)] = p.ID, p.ID
	}
	return req, err
}

func (s *Server) invitationRows(ctx context.Context, steps []identity.InvitationStep) []page.InvitationRow {
	rows := make([]page.InvitationRow, len(steps))
	for i, step := range steps {
		rows[i] = page.InvitationRow{Step: step, Link: s.welcomeLink(ctx, step.Secret)}
	}
	return rows
}

// postInvitationList gives the list on the page back as a file. The server does
// not know the links any more; the page holds them until it is left.
func (s *Server) postInvitationList(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	names, users, links := r.PostForm["name"], r.PostForm["username"], r.PostForm["link"]
	if len(names) != len(users) || len(users) != len(links) || len(links) == 0 {
		return fault.New(fault.Invalid, "The list is not whole. Go back to the page with the links and try again.")
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="invitations.csv"`)
	rows := [][]string{{"name", "username", "link"}}
	for i := range links {
		rows = append(rows, []string{names[i], users[i], links[i]})
	}
	return ignoreGone(ledger.NewSheet(w, ',').Rows(slices.Values(rows)))
}

// postMemberInvite makes a new link for somebody who forgot their password.
func (s *Server) postMemberInvite(w http.ResponseWriter, r *http.Request) error {
	id := ledger.PersonID(r.PathValue("person"))
	secret, err := s.Identity.Invite(r.Context(), actorOf(r), id)
	if err != nil {
		return err
	}
	names, err := s.names(r.Context(), actorOf(r), projectOf(r).ID)
	if err != nil {
		return err
	}
	return s.showMembers(w, r, http.StatusOK, page.MembersView{Link: s.welcomeLink(r.Context(), secret), For: names[id]})
}
