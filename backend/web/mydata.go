package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// myDataRoutes show people what is kept about them, and what they may choose.
func (s *Server) myDataRoutes() []route {
	return []route{
		{GET, "/account/data", login, "", s.getMyData},
		{GET, "/account/data.json", login, "", s.getMyDataFile},
		{POST, "/account/preferences", login, "", s.postPreferences},
		{POST, "/account/logins/end-others", login, "", s.postEndOthers},
	}
}

func (s *Server) getMyData(w http.ResponseWriter, r *http.Request) error {
	d, err := s.Identity.MyData(r.Context(), actorOf(r))
	if err != nil {
		return err
	}
	v := page.MyDataView{Data: d}
	if v.Roles, err = s.rolesByProject(r, d.Roles); err != nil {
		return err
	}
	title := ui.T(r.Context(), "mydata.title")
	return s.render(w, r, http.StatusOK, view{Title: title, Active: "account",
		Path: []ui.Crumb{{Text: ui.T(r.Context(), "account.title"), Href: "/account"}, {Text: title}}}, page.MyData(v))
}

func (s *Server) getMyDataFile(w http.ResponseWriter, r *http.Request) error {
	d, err := s.Identity.MyData(r.Context(), actorOf(r))
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(myDataBody(d), "", "  ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="my-data.json"`)
	_, err = w.Write(append(text, '\n'))
	return ignoreGone(err)
}

func (s *Server) postPreferences(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	minutes, err := 0, error(nil)
	if text := r.PostForm.Get("lock_after"); text != "" {
		if minutes, err = strconv.Atoi(text); err != nil {
			err = fault.Field("lock_after", "Give minutes as a number, or nothing for what this installation says.")
		}
	}
	if err == nil {
		err = s.Identity.ChangePreferences(r.Context(), actorOf(r), identity.Preferences{
			Language: r.PostForm.Get("language"), TextSize: r.PostForm.Get("text_size"), LockAfter: minutes, Unseen: r.PostForm.Get("unseen") != "",
		})
	}
	if isRefusal(err) {
		return s.showAccount(w, r, http.StatusUnprocessableEntity, page.AccountView{Preferences: page.Refused(typed(r, "language", "text_size", "lock_after", "unseen"), err)})
	}
	if err != nil {
		return err
	}
	s.setLanguage(w, r.PostForm.Get("language"))
	return s.seeOther(w, r, "/account?saved=preferences")
}

func (s *Server) postEndOthers(w http.ResponseWriter, r *http.Request) error {
	if err := s.Identity.EndOtherLogins(r.Context(), visitOf(r)); err != nil {
		return err
	}
	return s.seeOther(w, r, "/account?saved=logins")
}

// MyDataBody is all that is kept about a person.
type MyDataBody struct {
	Person      PersonBody      `json:"person"`
	ChangedAt   time.Time       `json:"changed_at"`
	Preferences PreferencesBody `json:"preferences"`
	Logins      []LoginBody     `json:"logins" nullable:"false" doc:"Browsers that are signed in"`
	Tokens      []TokenBody     `json:"tokens" nullable:"false"`
	Roles       []GroupRoleBody `json:"roles" nullable:"false"`
	Groups      []string        `json:"groups" nullable:"false"`
	Counts      CountsBody      `json:"counts"`
}

// PreferencesBody are what a person chose for themselves.
type PreferencesBody struct {
	Language  string `json:"language,omitempty"`
	TextSize  string `json:"text_size,omitempty"`
	LockAfter int    `json:"lock_after" doc:"Minutes; 0: as the installation says"`
	Unseen    bool   `json:"unseen" doc:"Others are not told which page they have open"`
}

// LoginBody is a browser that is signed in.
type LoginBody struct {
	ID        identity.LoginID `json:"id"`
	Agent     string           `json:"agent"`
	Address   string           `json:"address"`
	CreatedAt time.Time        `json:"created_at"`
	SeenAt    time.Time        `json:"seen_at"`
	ExpiresAt time.Time        `json:"expires_at"`
	Locked    bool             `json:"locked"`
}

// CountsBody counts what stands under a person's id.
type CountsBody struct {
	Annotations int64 `json:"annotations"`
	Drafts      int64 `json:"drafts"`
	Votes       int64 `json:"votes"`
	Comments    int64 `json:"comments"`
	Events      int64 `json:"events" doc:"Events of the history in which they acted"`
	About       int64 `json:"events_about" doc:"Events about them, by whomever"`
}

func myDataBody(d identity.MyData) MyDataBody {
	body := MyDataBody{
		Person: personBody(d.Person), ChangedAt: d.Person.ChangedAt, Preferences: PreferencesBody(d.Person.Preferences),
		Logins: []LoginBody{}, Tokens: []TokenBody{}, Roles: []GroupRoleBody{}, Groups: []string{}, Counts: CountsBody(d.Traces),
	}
	body.Person.Invited = false // the hash of the password is not read
	for _, l := range d.Logins {
		body.Logins = append(body.Logins, LoginBody{l.ID, l.Agent, l.Address, l.CreatedAt, l.SeenAt, l.ExpiresAt, !l.LockedAt.IsZero()})
	}
	for _, t := range d.Tokens {
		body.Tokens = append(body.Tokens, tokenBody(t))
	}
	for _, m := range d.Roles {
		body.Roles = append(body.Roles, GroupRoleBody{m.Project, m.Role})
	}
	for _, g := range d.Groups {
		body.Groups = append(body.Groups, g.Name)
	}
	return body
}
