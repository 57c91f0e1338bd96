package web

import (
	"net/http"

	"github.com/adjudge/adjudge/backend/fault"
)

// signInRoutes let people in and out.
func (s *Server) signInRoutes() []route {
	return []route{
		{GET, "/launch", none, "", s.getLaunch},
		{POST, "/sign-out", login, "", s.postSignOut},
	}
}

// getLaunch follows a one-time launch link. It is a GET that changes something,
// which the desktop window cannot do otherwise; the token makes it safe, for
// nobody else has it and it works once.
func (s *Server) getLaunch(w http.ResponseWriter, r *http.Request) error {
	in, err := s.Identity.FollowLaunch(r.Context(), r.URL.Query().Get("token"), from(r))
	if fault.Is(err, fault.NotFound) {
		if _, err := s.byCookie(r.Context(), r); err == nil {
			return s.seeOther(w, r, localPath(r.URL.Query().Get("next")))
		}
	}
	if err != nil {
		return err
	}
	s.signIn(w, in)
	return s.seeOther(w, r, localPath(r.URL.Query().Get("next")))
}

func (s *Server) postSignOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.Identity.SignOut(r.Context(), visitOf(r)); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	s.signOut(w)
	return s.seeOther(w, r, "/sign-in")
}
