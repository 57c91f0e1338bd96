package web

import (
	"context"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// signInRoutes let people in and out.
func (s *Server) signInRoutes() []route {
	return []route{
		{GET, "/sign-in", none, "", s.getSignIn},
		{POST, "/sign-in", none, "", s.postSignIn},
		{POST, "/sign-out", login, "", s.postSignOut},
		{GET, "/first-start", none, "", s.getFirstStart},
		{POST, "/first-start", none, "", s.postFirstStart},
		{GET, "/welcome", none, "", s.getWelcome},
		{POST, "/welcome", none, "", s.postWelcome},
		{GET, "/launch", none, "", s.getLaunch},
	}
}

func (s *Server) getSignIn(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.URL.Query().Get("next"))
	_, err := s.byCookie(r.Context(), r)
	if err == nil {
		return s.seeOther(w, r, next)
	}
	who, locked := identity.IsLocked(err)
	if locked && r.URL.Query().Get("switch") == "" {
		return s.seeOther(w, r, lockedAt(next))
	}
	v := page.SignInView{Next: next, Locked: who.Name}
	if r.URL.Query().Get("left") != "" && s.Identity.ProviderName() != "" {
		v.Left, v.Leave = true, s.Identity.LeaveProvider(r.Context(), s.absolute(r.Context(), "/sign-in"))
	}
	return s.showSignIn(w, r, http.StatusOK, v)
}

func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request, status int, v page.SignInView) error {
	v.Provider = s.Identity.ProviderName()
	return s.render(w, r, status, view{Title: ui.T(r.Context(), "signin.title")}, page.SignIn(v))
}

func (s *Server) postSignIn(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	next := localPath(r.PostForm.Get("next"))
	in, err := s.Identity.SignIn(r.Context(), r.PostForm.Get("username"), r.PostForm.Get("password"), s.from(r))
	if err != nil {
		status := http.StatusUnprocessableEntity
		if many, ok := errors.AsType[identity.TooMany](err); ok {
			status = http.StatusTooManyRequests
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(many.Wait.Seconds()))))
		} else if !fault.Is(err, fault.Invalid) {
			return err
		}
		// Operators look for guessing; the name that was tried may be a password.
		s.Log.LogAttrs(r.Context(), slog.LevelWarn, "sign-in refused", slog.String("id", callIn(r.Context()).id), slog.String("address", s.address(r)), slog.Int("status", status))
		if wantsJSON(r) {
			return err
		}
		return s.showSignIn(w, r, status, page.SignInView{Next: next, Form: s.refused(r.Context(), typed(r, "username"), err)})
	}
	// Whoever sat here before, and may have locked the screen, has left the seat.
	if before := s.cookie(r); before != "" {
		if err := s.Identity.Leave(r.Context(), before); err != nil {
			return err
		}
	}
	s.signIn(w, in)
	if wantsJSON(r) { // a page that stayed open while the login lapsed
		return renderJSON(w, http.StatusOK, map[string]any{"person": in.Person})
	}
	return s.seeOther(w, r, next)
}

func (s *Server) postSignOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.Identity.SignOut(r.Context(), visitOf(r)); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	s.signOut(w)
	if visitOf(r).Issuer != "" {
		return s.seeOther(w, r, "/sign-in?left=yes") // who sits there next must not come in as this person
	}
	return s.seeOther(w, r, "/sign-in")
}

// getFirstStart shows the form behind the link that a first start prints. It
// uses nothing up, so a preview of the link in a chat does no harm.
func (s *Server) getFirstStart(w http.ResponseWriter, r *http.Request) error {
	secret := r.URL.Query().Get("token")
	if _, err := s.Identity.PeekLink(r.Context(), identity.PurposeFirstAdmin, secret); err != nil {
		return err
	}
	return s.showArrival(w, r, http.StatusOK, page.ArrivalView{First: true, Token: secret})
}

func (s *Server) postFirstStart(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	secret := r.PostForm.Get("token")
	in, err := s.Identity.CreateFirstAdmin(r.Context(), secret, accountRequest(r), s.from(r))
	return s.arrive(w, r, in, err, page.ArrivalView{First: true, Token: secret})
}

// getWelcome shows the form behind an invited person's link.
func (s *Server) getWelcome(w http.ResponseWriter, r *http.Request) error {
	secret := r.URL.Query().Get("token")
	person, err := s.Identity.PeekLink(r.Context(), identity.PurposeWelcome, secret)
	if err != nil {
		return err
	}
	values := map[string]string{"name": person.Name, "time_zone": person.TimeZone}
	return s.showArrival(w, r, http.StatusOK, page.ArrivalView{Token: secret, Username: person.Username, Form: page.FormView{Values: values}})
}

func (s *Server) postWelcome(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	secret := r.PostForm.Get("token")
	in, err := s.Identity.Welcome(r.Context(), secret, accountRequest(r), s.from(r))
	return s.arrive(w, r, in, err, page.ArrivalView{Token: secret, Username: r.PostForm.Get("username")})
}

func (s *Server) showArrival(w http.ResponseWriter, r *http.Request, status int, v page.ArrivalView) error {
	v.Action, v.Username = "/welcome", clipped(v.Username)
	if !v.First {
		v.Provider = s.Identity.ProviderName()
	}
	title := ui.T(r.Context(), "arrival.title")
	if v.First {
		v.Action, title = "/first-start", ui.T(r.Context(), "arrival.first.title")
	}
	return s.render(w, r, status, view{Title: title, Islands: []string{"timezone"}}, page.Arrival(v))
}

// arrive answers the form of an arrival: with the form again, or signed in.
func (s *Server) arrive(w http.ResponseWriter, r *http.Request, in identity.SignedIn, err error, v page.ArrivalView) error {
	if isRefusal(err) {
		v.Form = s.refused(r.Context(), typed(r, "name", "username", "time_zone"), err)
		return s.showArrival(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	s.signIn(w, in)
	return s.seeOther(w, r, "/")
}

func accountRequest(r *http.Request) identity.AccountRequest {
	return identity.AccountRequest{
		Username: r.PostForm.Get("username"), Name: r.PostForm.Get("name"),
		TimeZone: r.PostForm.Get("time_zone"), Password: r.PostForm.Get("password"),
	}
}

// getLaunch follows a one-time launch link. It is a GET that changes something,
// which the desktop window cannot do otherwise; the token makes it safe, for
// nobody else has it and it works once.
func (s *Server) getLaunch(w http.ResponseWriter, r *http.Request) error {
	if onlyLooks(r) {
		return nil
	}
	next := localPath(r.URL.Query().Get("next"))
	in, err := s.Identity.FollowLaunch(r.Context(), r.URL.Query().Get("token"), s.from(r))
	if fault.Is(err, fault.NotFound) {
		if _, err := s.byCookie(r.Context(), r); err == nil {
			return s.seeOther(w, r, next) // a reload of the first page
		}
	}
	if err != nil {
		return err
	}
	s.signIn(w, in)
	if s.Desktop {
		return s.moveOn(w, next)
	}
	return s.seeOther(w, r, next)
}

// moveOn is a redirect that this server itself begins. The window came from its
// own scheme, and a webview counts every redirect of such a navigation as one
// from another site, with which a Strict cookie does not travel.
func (s *Server) moveOn(w http.ResponseWriter, next string) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err := fmt.Fprintf(w, "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url=%s\"><title>Adjudge</title>", html.EscapeString(s.prefix()+next))
	return ignoreGone(err)
}

// absolute returns the address of a local path as other people type it.
func (s *Server) absolute(ctx context.Context, path string) string {
	if s.URL != nil {
		return s.URL.Scheme + "://" + s.URL.Host + s.prefix() + path
	}
	return "http://" + callIn(ctx).host + path
}
