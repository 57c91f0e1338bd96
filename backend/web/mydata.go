package web

import (
	"context"
	"encoding/json"
	"maps"
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
		{POST, "/account/keys", login, "", s.postKeys},
		{POST, "/account/sending", login, "", s.postSending},
		{POST, "/account/logins/end-others", login, "", s.postEndOthers},
	}
}

func (s *Server) getMyData(w http.ResponseWriter, r *http.Request) error {
	d, err := s.Identity.MyData(r.Context(), actorOf(r))
	if err != nil {
		return err
	}
	v := page.MyDataView{Data: d, Saved: r.URL.Query().Get("saved") == "sending"}
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
		chosen := visitOf(r).Person.Preferences
		chosen.Language, chosen.TextSize, chosen.LockAfter = r.PostForm.Get("language"), r.PostForm.Get("text_size"), minutes
		err = s.Identity.ChangePreferences(r.Context(), actorOf(r), chosen)
	}
	if isRefusal(err) {
		return s.showAccount(w, r, http.StatusUnprocessableEntity, page.AccountView{Preferences: s.refused(r.Context(), typed(r, "language", "text_size", "lock_after"), err)})
	}
	if err != nil {
		return err
	}
	s.setLanguage(w, r.PostForm.Get("language"))
	return s.seeOther(w, r, "/account?saved=preferences")
}

// postKeys moves the product's own keys for a person, or all back.
func (s *Server) postKeys(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	wanted, fields := map[string]string{}, []string{}
	for _, k := range identity.Shortcuts() {
		fields = append(fields, "key."+k.Action)
		if r.PostForm.Get("do") != "reset" {
			wanted[k.Action] = r.PostForm.Get("key." + k.Action)
		}
	}
	chosen := visitOf(r).Person.Preferences
	chosen.Keys = identity.NewOwnKeys(wanted)
	err := s.Identity.ChangePreferences(r.Context(), actorOf(r), chosen)
	if isRefusal(err) {
		return s.showAccount(w, r, http.StatusUnprocessableEntity, page.AccountView{Keys: s.refused(r.Context(), typed(r, fields...), err)})
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/account?saved=keys")
}

// postSending says what a person does not want to have sent or shown.
func (s *Server) postSending(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	chosen := visitOf(r).Person.Preferences
	chosen.Unseen, chosen.Untimed, chosen.Unnotified = r.PostForm.Get("unseen") != "", r.PostForm.Get("untimed") != "", r.PostForm.Get("unnotified") != ""
	if err := s.Identity.ChangePreferences(r.Context(), actorOf(r), chosen); err != nil {
		return err
	}
	return s.seeOther(w, r, "/account/data?saved=sending")
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
	Provided    []ProviderBody  `json:"provider_accounts" nullable:"false" doc:"Who they are at the OpenID Connect provider"`
	Counts      CountsBody      `json:"counts"`
}

// PreferencesBody are what a person chose for themselves.
type PreferencesBody struct {
	Language   string `json:"language,omitempty"`
	TextSize   string `json:"text_size,omitempty"`
	LockAfter  int    `json:"lock_after" doc:"Minutes; 0: as the installation says"`
	Unseen     bool   `json:"unseen" doc:"Others are not told which page they have open"`
	Untimed    bool   `json:"untimed" doc:"How long they look at items is neither sent nor kept"`
	Unnotified bool   `json:"unnotified" doc:"They are told of nothing outside of the pages"`

	Keys map[string]string `json:"keys" doc:"The product's own keys that they moved, by action, such as label.skip"`
}

func preferencesBody(p identity.Preferences) PreferencesBody {
	return PreferencesBody{p.Language, p.TextSize, p.LockAfter, p.Unseen, p.Untimed, p.Unnotified, p.Keys.ByAction()}
}

// PreferInput changes what one chose for oneself; what is absent stays.
type PreferInput struct {
	Body struct {
		Language   *string `json:"language,omitempty" doc:"BCP 47; empty: as the browser asks" maxLength:"40"`
		TextSize   *string `json:"text_size,omitempty" enum:"s,,l,xl"`
		LockAfter  *int    `json:"lock_after,omitempty" doc:"Minutes; 0: as the installation says" minimum:"0" maximum:"480"`
		Unseen     *bool   `json:"unseen,omitempty" doc:"Do not tell others which page I have open"`
		Untimed    *bool   `json:"untimed,omitempty" doc:"Neither send nor keep how long I look at items"`
		Unnotified *bool   `json:"unnotified,omitempty" doc:"Tell me of nothing outside of the pages"`

		Keys map[string]string `json:"keys,omitempty" doc:"By action, such as label.skip: its key, such as Alt+S, or empty for the product's own; what is absent stays"`
	}
}

// prefer changes what the actor chose for themselves.
func (s *Server) prefer(ctx context.Context, in *PreferInput) (*Answer[PreferencesBody], error) {
	chosen, b := callIn(ctx).visit.Person.Preferences, in.Body
	take(&chosen.Language, b.Language)
	take(&chosen.TextSize, b.TextSize)
	take(&chosen.LockAfter, b.LockAfter)
	take(&chosen.Unseen, b.Unseen)
	take(&chosen.Untimed, b.Untimed)
	take(&chosen.Unnotified, b.Unnotified)
	keys := chosen.Keys.ByAction()
	maps.Copy(keys, b.Keys)
	chosen.Keys = identity.NewOwnKeys(keys)
	err := s.Identity.ChangePreferences(ctx, actorIn(ctx), chosen)
	return &Answer[PreferencesBody]{preferencesBody(chosen)}, err
}

// take sets what was sent.
func take[T any](to *T, sent *T) {
	if sent != nil {
		*to = *sent
	}
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
	Looks       int64 `json:"looks" doc:"Pages that they opened where they may vote, kept for their votes"`
	Events      int64 `json:"events" doc:"Events of the history in which they acted"`
	About       int64 `json:"events_about" doc:"Events about them, by whomever"`
}

func myDataBody(d identity.MyData) MyDataBody {
	body := MyDataBody{
		Person: personBody(d.Person), ChangedAt: d.Person.ChangedAt, Preferences: preferencesBody(d.Person.Preferences),
		Logins: []LoginBody{}, Tokens: []TokenBody{}, Roles: []GroupRoleBody{}, Groups: []string{}, Provided: providerBodies(d.Provided), Counts: CountsBody(d.Traces),
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
