package web

import (
	"context"
	"net/http"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// groupRoutes are the page about groups.
func (s *Server) groupRoutes() []route {
	return []route{
		{GET, "/people/groups", login, ledger.ActionAdminister, s.getGroups},
		{POST, "/people/groups", login, ledger.ActionAdminister, s.postGroup},
		{POST, "/people/groups/{group}", login, ledger.ActionAdminister, s.postChangeGroup},
	}
}

func (s *Server) getGroups(w http.ResponseWriter, r *http.Request) error {
	return s.showGroups(w, r, http.StatusOK, page.GroupsView{})
}

func (s *Server) showGroups(w http.ResponseWriter, r *http.Request, status int, v page.GroupsView) error {
	ctx, actor := r.Context(), actorOf(r)
	groups, err := s.Identity.Groups(ctx, actor)
	if err != nil {
		return err
	}
	people, err := s.Identity.People(ctx, actor)
	if err != nil {
		return err
	}
	var projects []page.ProjectLink
	if s.Projects != nil {
		places, err := s.Projects(ctx, actor)
		if err != nil {
			return err
		}
		for _, p := range places {
			projects = append(projects, page.ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name})
		}
	}
	v.Groups, v.Projects, v.Provider = page.NewGroupRows(groups, people, projects), projects, s.Identity.ProviderName()
	title := ui.T(ctx, "groups.title")
	return s.render(w, r, status, view{Title: title, Active: "people", Path: []ui.Crumb{{Text: ui.T(ctx, "people.title"), Href: "/people"}, {Text: title}}}, page.Groups(v))
}

func (s *Server) postGroup(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	_, err := s.Identity.CreateGroup(r.Context(), actorOf(r), r.PostForm.Get("name"))
	return s.groupDone(w, r, "", err)
}

// postChangeGroup does the one thing whose button was pressed.
func (s *Server) postChangeGroup(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ctx, actor, group := r.Context(), actorOf(r), r.PathValue("group")
	role := identity.GroupRole{Project: ledger.ProjectID(r.PostForm.Get("project")), Role: ledger.Role(r.PostForm.Get("role"))}
	reason := r.PostForm.Get("reason")
	var err error
	switch r.PostForm.Get("do") {
	case "join":
		err = s.Identity.JoinGroup(ctx, actor, group, r.PostForm.Get("username"))
	case "leave":
		err = s.Identity.LeaveGroup(ctx, actor, group, r.PostForm.Get("person"), reason)
	case "grant":
		err = s.Identity.GrantGroup(ctx, actor, group, role, reason)
	case "revoke":
		err = s.Identity.RevokeGroup(ctx, actor, group, role, reason)
	case "map":
		err = s.Identity.MapGroup(ctx, actor, group, r.PostForm.Get("provider_name"), reason)
	case "unmap":
		err = s.Identity.UnmapGroup(ctx, actor, group, r.PostForm.Get("provider_name"), reason)
	case "delete":
		err = s.Identity.DeleteGroup(ctx, actor, group, reason)
	default:
		err = fault.New(fault.Invalid, "Nothing was chosen. Press one of the buttons of the group.")
	}
	return s.groupDone(w, r, group, err)
}

func (s *Server) groupDone(w http.ResponseWriter, r *http.Request, group string, err error) error {
	if isRefusal(err) || fault.Is(err, fault.NotFound) {
		v := page.GroupsView{Failed: group, Form: s.refused(r.Context(), typed(r, "name", "username", "provider_name", "reason"), err)}
		if v.Form.Error(ledger.KeyReason) != "" {
			v.Asked = typed(r, "do", "person", "project", "role", "username", "provider_name") // the same again, with a reason
		}
		return s.showGroups(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/people/groups")
}

// GroupBody is a group as the API shows it.
type GroupBody struct {
	ID      identity.GroupID  `json:"id"`
	Name    string            `json:"name"`
	Members []ledger.PersonID `json:"members" nullable:"false"`
	Roles   []GroupRoleBody   `json:"roles" nullable:"false"`
	Names   []string          `json:"provider_names" nullable:"false" doc:"Groups at the OpenID Connect provider whose people are members"`
}

// GroupRoleBody is one role of a group in one project.
type GroupRoleBody struct {
	Project ledger.ProjectID `json:"project"`
	Role    ledger.Role      `json:"role"`
}

func groupBody(g identity.Group) GroupBody {
	body := GroupBody{ID: g.ID, Name: g.Name, Members: listed(g.Members), Roles: []GroupRoleBody{}, Names: listed(g.Names)}
	for _, r := range g.Roles {
		body.Roles = append(body.Roles, GroupRoleBody(r))
	}
	return body
}

// ProjectGroupBody is a group as a project's lead sees it.
type ProjectGroupBody struct {
	ID      identity.GroupID `json:"id"`
	Name    string           `json:"name"`
	Members int              `json:"members" doc:"How many people are in it"`
	Roles   []ledger.Role    `json:"roles" nullable:"false" doc:"What they hold in this project by it"`
}

// GroupInput names a group by id or name.
type GroupInput struct {
	Group string `path:"group" doc:"Id or name" maxLength:"100"`
}

// NewGroupInput names a group that is made or renamed.
type NewGroupInput struct {
	Body struct {
		Name string `json:"name"`
	}
}

// RenameGroupInput gives a group another name.
type RenameGroupInput struct {
	GroupInput
	NewGroupInput
}

// GroupMemberInput names a member of a group.
type GroupMemberInput struct {
	GroupInput
	PersonInput
	Because
}

// GroupRoleInput names a role of a group in a project.
type GroupRoleInput struct {
	InProject
	GroupInput
	Role string `path:"role" doc:"annotator, lead, reviewer, approver, data_scientist, auditor or admin" maxLength:"40"`
	Because
}

// ProviderNameInput names a group at the provider.
type ProviderNameInput struct {
	GroupInput
	Name string `query:"name" required:"true" doc:"As the provider's claim has it" maxLength:"255"`
	Because
}

// InviteAllInput is a list of people to invite.
type InviteAllInput struct {
	Body struct {
		CSV     string `json:"csv" doc:"One person on each line; the first line names the columns: name, username (or e-mail), project, roles, groups"`
		Project string `json:"project,omitempty" doc:"Slug or id of the project that is meant where a line names none"`
		Preview bool   `json:"preview,omitempty" doc:"Only say what would change"`
		Reason  string `json:"reason,omitempty" doc:"Why; needed where the roles of somebody who is a member already change" maxLength:"4000"`
	}
}

// InvitedBody says what the lines of a list changed, or would change.
type InvitedBody struct {
	Items   []InvitedRow `json:"items" nullable:"false"`
	Changed int          `json:"changed" doc:"Lines that change something; 0 for a list that was taken already"`
	Errors  []RowBody    `json:"errors,omitempty" doc:"In a preview: what is wrong; without a preview the request is refused"`
}

// InvitedRow is one line.
type InvitedRow struct {
	Line     int             `json:"line"`
	Username string          `json:"username"`
	Name     string          `json:"name"`
	Person   ledger.PersonID `json:"person,omitempty"`
	New      bool            `json:"new" doc:"The person is made by this line"`
	Project  string          `json:"project,omitempty"`
	Roles    []ledger.Role   `json:"roles" nullable:"false" doc:"Roles they get; not those they have"`
	Groups   []string        `json:"groups" nullable:"false" doc:"Groups they join"`
	Link     string          `json:"link,omitempty" doc:"One-time link; given once"`
}

// RowBody is what is wrong with a line.
type RowBody struct {
	Line    int    `json:"line"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// groupAPI registers the operations about groups, lists of people and one's own data.
func (s *Server) groupAPI() {
	operation(s, api{POST, "/people/invitations", "invite-people", "Invite a list of people", there, ledger.ActionManage}, s.invitePeople)
	operation(s, api{PATCH, "/me/preferences", "change-my-preferences", "Choose for myself: language, text size, when to lock, what is not sent", either, ledger.ActionComment}, s.prefer)
	operation(s, api{GET, "/me/data", "get-my-data", "All that is kept about me", either, ledger.ActionRead}, func(ctx context.Context, _ *struct{}) (*Answer[MyDataBody], error) {
		d, err := s.Identity.MyData(ctx, actorIn(ctx))
		return &Answer[MyDataBody]{myDataBody(d)}, err
	})
	operation(s, api{GET, "/groups", "list-groups", "List the groups", either, ledger.ActionAdminister}, func(ctx context.Context, _ *struct{}) (*Answer[List[GroupBody]], error) {
		groups, err := s.Identity.Groups(ctx, actorIn(ctx))
		body := List[GroupBody]{Items: []GroupBody{}}
		for _, g := range groups {
			body.Items = append(body.Items, groupBody(g))
		}
		return &Answer[List[GroupBody]]{body}, err
	})
	operation(s, api{POST, "/groups", "create-group", "Make a group", there, ledger.ActionAdminister}, func(ctx context.Context, in *NewGroupInput) (*Answer[GroupBody], error) {
		g, err := s.Identity.CreateGroup(ctx, actorIn(ctx), in.Body.Name)
		return &Answer[GroupBody]{groupBody(g)}, err
	})
	operation(s, api{PATCH, "/groups/{group}", "rename-group", "Rename a group", there, ledger.ActionAdminister}, func(ctx context.Context, in *RenameGroupInput) (*struct{}, error) {
		return nil, s.Identity.RenameGroup(ctx, actorIn(ctx), in.Group, in.Body.Name)
	})
	operation(s, api{DELETE, "/groups/{group}", "delete-group", "Remove a group", there, ledger.ActionAdminister}, func(ctx context.Context, in *struct {
		GroupInput
		Because
	}) (*struct{}, error) {
		return nil, s.Identity.DeleteGroup(ctx, actorIn(ctx), in.Group, in.reason())
	})
	operation(s, api{PUT, "/groups/{group}/members/{person}", "join-group", "Add somebody to a group", there, ledger.ActionAdminister}, func(ctx context.Context, in *GroupMemberInput) (*struct{}, error) {
		return nil, s.Identity.JoinGroup(ctx, actorIn(ctx), in.Group, in.Person)
	})
	operation(s, api{DELETE, "/groups/{group}/members/{person}", "leave-group", "Take somebody out of a group", there, ledger.ActionAdminister}, func(ctx context.Context, in *GroupMemberInput) (*struct{}, error) {
		return nil, s.Identity.LeaveGroup(ctx, actorIn(ctx), in.Group, in.Person, in.reason())
	})
	operation(s, api{GET, "/projects/{project}/groups", "list-project-groups", "List the groups with their roles in a project", either, ledger.ActionManage}, func(ctx context.Context, _ *InProject) (*Answer[List[ProjectGroupBody]], error) {
		groups, err := s.Identity.ProjectGroups(ctx, actorIn(ctx), projectIn(ctx).ID)
		body := List[ProjectGroupBody]{Items: []ProjectGroupBody{}}
		for _, g := range groups {
			body.Items = append(body.Items, ProjectGroupBody{ID: g.ID, Name: g.Name, Members: g.Members, Roles: listed(g.Roles)})
		}
		return &Answer[List[ProjectGroupBody]]{body}, err
	})
	operation(s, api{PUT, "/groups/{group}/provider-names", "map-group", "Let a group at the provider stand for one here", there, ledger.ActionAdminister}, func(ctx context.Context, in *ProviderNameInput) (*struct{}, error) {
		return nil, s.Identity.MapGroup(ctx, actorIn(ctx), in.Group, in.Name, in.reason())
	})
	operation(s, api{DELETE, "/groups/{group}/provider-names", "unmap-group", "End that a group at the provider stands for one here", there, ledger.ActionAdminister}, func(ctx context.Context, in *ProviderNameInput) (*struct{}, error) {
		return nil, s.Identity.UnmapGroup(ctx, actorIn(ctx), in.Group, in.Name, in.reason())
	})
	operation(s, api{PUT, "/projects/{project}/groups/{group}/roles/{role}", "grant-group", "Give a group a role", there, ledger.ActionManage}, func(ctx context.Context, in *GroupRoleInput) (*struct{}, error) {
		role, err := identity.ParseRole(in.Role)
		if err == nil {
			err = s.Identity.GrantGroup(ctx, actorIn(ctx), in.Group, identity.GroupRole{Project: projectIn(ctx).ID, Role: role}, in.reason())
		}
		return nil, err
	})
	operation(s, api{DELETE, "/projects/{project}/groups/{group}/roles/{role}", "revoke-group", "Take a role from a group", there, ledger.ActionManage}, func(ctx context.Context, in *GroupRoleInput) (*struct{}, error) {
		role, err := identity.ParseRole(in.Role)
		if err == nil {
			err = s.Identity.RevokeGroup(ctx, actorIn(ctx), in.Group, identity.GroupRole{Project: projectIn(ctx).ID, Role: role}, in.reason())
		}
		return nil, err
	})
}

func (s *Server) invitePeople(ctx context.Context, in *InviteAllInput) (*Answer[InvitedBody], error) {
	req, err := s.inviteAll(ctx, actorIn(ctx), in.Body.CSV, in.Body.Project)
	if err != nil {
		return nil, err
	}
	body := InvitedBody{Items: []InvitedRow{}}
	var steps []identity.InvitationStep
	if in.Body.Preview {
		var wrong []identity.RowError
		steps, wrong, err = s.Identity.PreviewInvitations(ctx, actorIn(ctx), req)
		for _, w := range wrong {
			body.Errors = append(body.Errors, RowBody(w))
		}
	} else {
		req.Reason = in.Body.Reason
		steps, err = s.Identity.InviteAll(ctx, actorIn(ctx), req)
	}
	if err != nil {
		return nil, err
	}
	for _, step := range steps {
		row := InvitedRow{Line: step.Line, Username: step.Username, Name: step.Name, Person: step.Person, New: step.New,
			Project: step.Project, Roles: listed(step.Add), Groups: []string{}, Link: s.welcomeLink(ctx, step.Secret)}
		for _, g := range step.Join {
			row.Groups = append(row.Groups, g.Name)
		}
		if step.Changes() {
			body.Changed++
		}
		body.Items = append(body.Items, row)
	}
	return &Answer[InvitedBody]{body}, nil
}
