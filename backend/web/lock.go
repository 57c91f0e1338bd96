package web

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// lockRoutes cover a screen and open it again. A locked login is answered by
// nothing but GET /locked, POST /unlock and the pages for people who are not
// signed in.
func (s *Server) lockRoutes() []route {
	return []route{
		{POST, "/lock", login, "", s.postLock},
		{GET, "/locked", none, "", s.getLocked},
		{POST, "/unlock", none, "", s.postUnlock},
		{GET, "/forgot", none, "", s.getForgot},
		{POST, "/forgot", none, "", s.postForgot},
	}
}

// lockedAt is the page on which a person unlocks, and where it leads afterwards.
func lockedAt(next string) string { return "/locked?next=" + url.QueryEscape(next) }

func (s *Server) postLock(w http.ResponseWriter, r *http.Request) error {
	if err := s.Identity.Lock(r.Context(), visitOf(r)); err != nil {
		return err
	}
	if wantsJSON(r) { // the page covered itself already
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	next := "/"
	if from, err := url.Parse(r.Referer()); err == nil {
		next = localPath(from.RequestURI())
	}
	return s.seeOther(w, r, lockedAt(next))
}

func (s *Server) getLocked(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.URL.Query().Get("next"))
	person, err := s.Identity.LockedPerson(r.Context(), s.cookie(r))
	if fault.Is(err, fault.NotFound) {
		return s.seeOther(w, r, next) // opened meanwhile, or nobody is signed in
	}
	if err != nil {
		return err
	}
	return s.showLocked(w, r, http.StatusOK, page.LockedView{Next: next, Name: person.Name, Username: person.Username, Linked: person.Linked, Alone: s.Identity.ConfirmsByProvider(person)})
}

func (s *Server) showLocked(w http.ResponseWriter, r *http.Request, status int, v page.LockedView) error {
	v.Provider = s.Identity.ProviderName()
	return s.render(w, r, status, view{Title: ui.T(r.Context(), "locked.title")}, page.Locked(v))
}

func (s *Server) postUnlock(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	next, secret := localPath(r.PostForm.Get("next")), s.cookie(r)
	person, err := s.Identity.LockedPerson(r.Context(), secret)
	if fault.Is(err, fault.NotFound) {
		return s.seeOther(w, r, next)
	}
	if err == nil {
		err = s.Identity.Unlock(r.Context(), secret, r.PostForm.Get("password"), s.from(r))
	}
	if err == nil {
		return s.seeOther(w, r, next)
	}
	status := http.StatusUnprocessableEntity
	if many, ok := errors.AsType[identity.TooMany](err); ok {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(many.Wait.Seconds()))))
	} else if !fault.Is(err, fault.Invalid) {
		return err
	}
	return s.showLocked(w, r, status, page.LockedView{Next: next, Name: person.Name, Username: person.Username, Linked: person.Linked, Alone: s.Identity.ConfirmsByProvider(person), Form: s.refused(r.Context(), nil, err)})
}

func (s *Server) getForgot(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, view{Title: ui.T(r.Context(), "forgot.title")}, page.Forgot(false))
}

// postForgot says the same whether or not somebody signs in with the name.
func (s *Server) postForgot(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if err := s.Identity.AskForLink(r.Context(), clipped(r.PostForm.Get("username")), s.from(r)); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(r.Context(), "forgot.title")}, page.Forgot(true))
}
