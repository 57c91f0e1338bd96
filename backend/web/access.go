package web

import (
	"context"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// accessRoutes are the review of who may do what.
func (s *Server) accessRoutes() []route {
	return []route{
		{GET, "/people/review", login, ledger.ActionAdminister, s.getAccesses},
		{GET, "/projects/{project}/people/review", login, ledger.ActionRead, s.getAccesses},
		{POST, "/projects/{project}/people/review", login, ledger.ActionManage, s.postAccess},
	}
}

func (s *Server) getAccesses(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("format") == "csv" {
		return s.sendAccesses(w, r)
	}
	return s.showAccesses(w, r, http.StatusOK, projectOf(r), page.FormView{}, r.URL.Query().Get("saved"))
}

// accessView reads the review of a project, or of all for the zero Place.
func (s *Server) accessView(ctx context.Context, actor ledger.Actor, place Place) (v page.AccessView, err error) {
	review, err := s.Identity.ReviewAccess(ctx, actor, place.ID)
	if err != nil {
		return v, err
	}
	links := []page.ProjectLink{{ID: place.ID, Slug: place.Slug, Name: place.Name}}
	if place.ID == "" {
		links = nil
		if s.Projects != nil {
			places, err := s.Projects(ctx, actor)
			if err != nil {
				return v, err
			}
			for _, p := range places {
				links = append(links, page.ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name})
			}
		}
	}
	v = page.NewAccessView(review.Rows, links)
	if place.ID != "" {
		v.Project = &links[0]
	}
	v.May = place.ID == "" || actor.May(place.ID, ledger.ActionManage)
	v.Names, v.Admins = review.Names, review.Admins
	return v, nil
}

func (s *Server) showAccesses(w http.ResponseWriter, r *http.Request, status int, place Place, form page.FormView, saved string) error {
	ctx := r.Context()
	v, err := s.accessView(ctx, actorOf(r), place)
	if err != nil {
		return err
	}
	v.Form = form
	v.Show(r.URL.Query(), func(role ledger.Role) string { return ui.T(ctx, "role."+string(role)) })
	if saved == "confirmed" || saved == "removed" {
		v.Saved = saved
	}
	title := ui.T(ctx, "access.title")
	frame := view{Title: title, Active: "people", Path: []ui.Crumb{{Text: ui.T(ctx, "people.title"), Href: "/people"}, {Text: title}}}
	if v.Project != nil {
		frame.Active = "settings"
		frame.Path = []ui.Crumb{{Text: ui.T(ctx, "settings.title"), Href: v.Project.Href("settings")}, {Text: ui.T(ctx, "members.title"), Href: v.Project.Href("people")}, {Text: title}}
	}
	return s.render(w, r, status, frame, page.Accesses(v))
}

// postAccess confirms a row or takes it away.
func (s *Server) postAccess(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ctx, actor, place, f := r.Context(), actorOf(r), projectOf(r), r.PostForm
	holder, role := f.Get("holder"), ledger.Role(f.Get("role"))
	saved := "confirmed"
	var err error
	switch f.Get("do") {
	case "confirm":
		err = s.Identity.ConfirmAccess(ctx, actor, place.ID, holder, role)
	case "remove":
		saved, err = "removed", s.Identity.RemoveAccess(ctx, actor, place.ID, holder, role, f.Get("reason"))
	default:
		err = fault.New(fault.Invalid, "Nothing was chosen. Press one of the buttons of the row.")
	}
	target, shown := page.ProjectLink{Slug: place.Slug}.Href("people", "review"), place
	if f.Get("all") != "" && actor.Admin {
		target, shown = "/people/review", Place{}
	}
	if isRefusal(err) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) {
		sent := typed(r, "reason", "holder", "role")
		sent["project"] = string(place.ID)
		callIn(ctx).place = shown // the frame of the page that was sent from
		return s.showAccesses(w, r, http.StatusUnprocessableEntity, shown, s.refused(r.Context(), sent, err), "")
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, savedAt(target, r, saved))
}

// sendAccesses gives the review as a file, for whoever keeps the reviews.
func (s *Server) sendAccesses(w http.ResponseWriter, r *http.Request) error {
	v, err := s.accessView(r.Context(), actorOf(r), projectOf(r))
	if err != nil {
		return err
	}
	name := "adjudge"
	if v.Project != nil {
		name = v.Project.Slug
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + "-access.csv"}))
	rows := [][]string{{"project", "holder", "username", "group_members", "role", "granted_at", "granted_by", "used_at", "confirmed_at", "confirmed_by", "overdue"}}
	for _, row := range v.Rows {
		rows = append(rows, []string{
			row.In.Slug, row.Name, row.Username, strings.Join(row.Members, "; "), string(row.Role), moment(row.GrantedAt), v.Names[row.GrantedBy],
			moment(row.UsedAt), moment(row.ConfirmedAt), v.Names[row.ConfirmedBy], yes(row.Overdue),
		})
	}
	return ignoreGone(ledger.NewSheet(w, ',').Rows(slices.Values(rows)))
}

func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// optional is a time as the API says it, absent where it is none.
func optional(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// AccessBody is one row of the review as the API shows it.
type AccessBody struct {
	Project     string          `json:"project"`
	Person      ledger.PersonID `json:"person,omitempty"`
	Group       string          `json:"group,omitempty"`
	Name        string          `json:"name"`
	Username    string          `json:"username,omitempty"`
	Members     []string        `json:"members,omitempty" doc:"Names of a group's members"`
	Role        ledger.Role     `json:"role"`
	GrantedAt   *time.Time      `json:"granted_at,omitempty" doc:"Absent where the role was given before this was recorded"`
	GrantedBy   string          `json:"granted_by,omitempty"`
	UsedAt      *time.Time      `json:"used_at,omitempty" doc:"To the hour; absent for never"`
	ConfirmedAt *time.Time      `json:"confirmed_at,omitempty"`
	ConfirmedBy string          `json:"confirmed_by,omitempty"`
	Overdue     bool            `json:"overdue" doc:"Neither given nor confirmed within 90 days"`
}

// AccessList is the review.
type AccessList struct {
	Items  []AccessBody `json:"items" nullable:"false"`
	Next   *string      `json:"next"`
	Admins []string     `json:"admins" nullable:"false" doc:"Names of the admins of the installation, who may do everything everywhere"`
}

// from leaves the rows behind a place, as those of any list.
func (l *AccessList) from(after string) error {
	part := List[AccessBody]{Items: l.Items}
	err := part.from(after)
	if l.Items = part.Items; part.Next != "" {
		l.Next = &part.Next
	}
	return err
}

// ConfirmAccessInput names what is still needed.
type ConfirmAccessInput struct {
	InProject
	Body struct {
		Holder string `json:"holder" doc:"Id, username or name of a group" maxLength:"100"`
		Role   string `json:"role"`
	}
}

func (s *Server) accessAPI() {
	list := func(ctx context.Context, place Place) (*Answer[AccessList], error) {
		v, err := s.accessView(ctx, actorIn(ctx), place)
		body := AccessList{Items: []AccessBody{}, Admins: listed(v.Admins)}
		for _, row := range v.Rows {
			body.Items = append(body.Items, AccessBody{
				Project: row.In.Slug, Person: row.Person, Group: string(row.Group), Name: row.Name, Username: row.Username, Members: row.Members, Role: row.Role,
				GrantedAt: optional(row.GrantedAt), GrantedBy: v.Names[row.GrantedBy], UsedAt: optional(row.UsedAt),
				ConfirmedAt: optional(row.ConfirmedAt), ConfirmedBy: v.Names[row.ConfirmedBy], Overdue: row.Overdue,
			})
		}
		return &Answer[AccessList]{body}, err
	}
	operation(s, api{GET, "/access", "review-access", "Who may do what in every project", either, ledger.ActionAdminister}, func(ctx context.Context, _ *struct{}) (*Answer[AccessList], error) {
		return list(ctx, Place{})
	})
	operation(s, api{GET, "/projects/{project}/access", "review-project-access", "Who may do what in a project", either, ledger.ActionRead}, func(ctx context.Context, _ *InProject) (*Answer[AccessList], error) {
		return list(ctx, projectIn(ctx))
	})
	operation(s, api{POST, "/projects/{project}/access/confirmations", "confirm-access", "Confirm that a role is still needed", there, ledger.ActionManage}, func(ctx context.Context, in *ConfirmAccessInput) (*struct{}, error) {
		role, err := identity.ParseRole(in.Body.Role)
		if err == nil {
			err = s.Identity.ConfirmAccess(ctx, actorIn(ctx), projectIn(ctx).ID, in.Body.Holder, role)
		}
		return nil, err
	})
}

// reviews reports whether the actor sees the review of a project.
func reviews(actor ledger.Actor, project ledger.ProjectID) bool {
	return actor.May(project, ledger.ActionManage) || slices.Contains(actor.Roles[project], ledger.RoleAuditor)
}
