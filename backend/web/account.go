package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// accountRoutes are a person's own pages.
func (s *Server) accountRoutes() []route {
	return []route{
		{GET, "/account", login, "", s.getAccount},
		{POST, "/account", login, "", s.postAccount},
		{POST, "/account/password", login, "", s.postPassword},
		{POST, "/account/logins/{login}/end", login, "", s.postEndLogin},
		{GET, "/tokens", login, "", s.getTokens},
		{POST, "/tokens", login, "", s.postToken},
		{POST, "/tokens/{token}/revoke", login, "", s.postRevokeToken},
	}
}

func (s *Server) getAccount(w http.ResponseWriter, r *http.Request) error {
	return s.showAccount(w, r, http.StatusOK, page.AccountView{Saved: r.URL.Query().Get("saved")})
}

func (s *Server) showAccount(w http.ResponseWriter, r *http.Request, status int, v page.AccountView) (err error) {
	visit := visitOf(r)
	v.Person, v.Current = visit.Person, visit.Login
	if v.Profile.Values == nil {
		v.Profile.Values = map[string]string{"name": visit.Person.Name, "time_zone": visit.Person.TimeZone}
	}
	if p := visit.Person.Preferences; v.Preferences.Values == nil {
		v.Preferences.Values = map[string]string{"language": p.Language, "text_size": p.TextSize}
		if p.LockAfter > 0 {
			v.Preferences.Values["lock_after"] = strconv.Itoa(p.LockAfter)
		}
	}
	if v.Keys.Values == nil {
		v.Keys.Values = map[string]string{}
		for action, combo := range visit.Person.Keys.ByAction() {
			v.Keys.Values["key."+action] = combo
		}
	}
	v.Provider, v.Proof = s.Identity.ProviderName(), s.proof(r)
	v.LockAfter = s.Identity.IdleLimit(identity.Person{})
	if v.Person.Demanded > 0 && s.Labeling != nil {
		projects, err := s.Labeling.Projects(r.Context(), visit.Actor)
		if err != nil {
			return err
		}
		for _, p := range projects {
			if p.LockAfter == v.Person.Demanded {
				v.Demanding = append(v.Demanding, p.Name)
			}
		}
	}
	if v.Accounts, err = s.Identity.ProviderAccounts(r.Context(), visit.Actor, visit.Actor.Person); err != nil {
		return err
	}
	if v.Logins, err = s.Identity.Logins(r.Context(), visit.Actor); err != nil {
		return err
	}
	return s.render(w, r, status, view{Title: ui.T(r.Context(), "account.title"), Active: "account", Islands: []string{"timezone"}}, page.Account(v))
}

func (s *Server) postAccount(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	name, zone := r.PostForm.Get("name"), r.PostForm.Get("time_zone")
	actor := actorOf(r)
	_, err := s.Identity.ChangePerson(r.Context(), actor, actor.Person, identity.ChangePersonRequest{Name: &name, TimeZone: &zone})
	if isRefusal(err) {
		return s.showAccount(w, r, http.StatusUnprocessableEntity, page.AccountView{Profile: s.refused(r.Context(), typed(r, "name", "time_zone"), err)})
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/account?saved=profile")
}

func (s *Server) postPassword(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	err := s.Identity.ChangePassword(r.Context(), visitOf(r), s.passwordOf(r, "old_password"), r.PostForm.Get("password"), s.from(r))
	if isRefusal(err) || fault.Is(err, fault.Unavailable) {
		return s.showAccount(w, r, http.StatusUnprocessableEntity, page.AccountView{Password: s.refused(r.Context(), nil, err)})
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/account?saved=password")
}

func (s *Server) postEndLogin(w http.ResponseWriter, r *http.Request) error {
	id := identity.LoginID(r.PathValue("login"))
	if id == visitOf(r).Login {
		return s.postSignOut(w, r)
	}
	if err := s.Identity.EndLogin(r.Context(), actorOf(r), id); err != nil {
		return err
	}
	return s.seeOther(w, r, "/account")
}

func (s *Server) getTokens(w http.ResponseWriter, r *http.Request) error {
	return s.showTokens(w, r, http.StatusOK, page.TokensView{All: r.URL.Query().Get("all") != ""})
}

func (s *Server) showTokens(w http.ResponseWriter, r *http.Request, status int, v page.TokensView) error {
	actor := actorOf(r)
	tokens, err := s.Identity.Tokens(r.Context(), actor, v.All)
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(r.Context())
	if err != nil {
		return err
	}
	v.Tokens, v.Admin = page.NewTokenRows(tokens, names, s.Now()), actor.Admin
	if v.Form.Values == nil {
		v.Form.Values = map[string]string{"scope": string(ledger.ScopeGate), "expires": "90"}
	}
	return s.render(w, r, status, view{Title: ui.T(r.Context(), "tokens.title"), Active: "tokens"}, page.Tokens(v))
}

func (s *Server) postToken(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	req := identity.CreateTokenRequest{Name: r.PostForm.Get("name"), Scope: ledger.Scope(r.PostForm.Get("scope"))}
	expires, err := s.inDays(r.PostForm.Get("expires"))
	var secret string
	if req.ExpiresAt = expires; err == nil {
		_, secret, err = s.Identity.CreateToken(r.Context(), actorOf(r), req)
	}
	if isRefusal(err) {
		return s.showTokens(w, r, http.StatusUnprocessableEntity, page.TokensView{Form: s.refused(r.Context(), typed(r, "name", "scope", "expires"), err)})
	}
	if err != nil {
		return err
	}
	// The secret is shown in the answer itself, once, and kept nowhere.
	return s.showTokens(w, r, http.StatusOK, page.TokensView{Secret: secret})
}

// inDays returns the time that is a number of days ahead; 0 is never.
func (s *Server) inDays(text string) (time.Time, error) {
	days, err := strconv.Atoi(text)
	switch {
	case err != nil || days < 0 || days > 3650:
		return time.Time{}, fault.Field("expires", "Choose when the token expires: 0 for never, at most 3650 days.")
	case days == 0:
		return time.Time{}, nil
	}
	return s.Now().AddDate(0, 0, days), nil
}

func (s *Server) postRevokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := s.Identity.RevokeToken(r.Context(), actorOf(r), identity.TokenID(r.PathValue("token"))); err != nil {
		return err
	}
	return s.seeOther(w, r, "/tokens")
}
