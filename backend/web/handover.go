package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// handOverPath is where a desktop window sends the browser for a sign-in. Its
// way back leads to 127.0.0.1 and one fixed path there, and nowhere else.
const handOverPath = "/window/sign-in"

// handOverRoutes bring a sign-in from a browser to the desktop window of the
// same computer: the browser shows who would be signed in there, its person
// says yes, and what it is given for the window is good once, for a minute, and
// only for the window that asked (app/team_handover.go).
func (s *Server) handOverRoutes() []route {
	return []route{
		{GET, handOverPath, none, "", s.getHandOver},
		{POST, handOverPath, login, "", s.postHandOver},
		{POST, handOverPath + "/fetch", none, "", s.postFetch},
	}
}

// handOver is what a window asks for.
type handOver struct {
	challenge string
	state     string // said again on the way back, so that the window knows its own question
	port      int    // of the window on 127.0.0.1
	confirm   bool   // a confirmation at the provider for one signature, instead of a login
	brief     bool   // the browser signed in for this alone: its login ends afterwards
	left      bool   // the provider must ask anew
}

func readHandOver(v url.Values) (h handOver, err error) {
	h = handOver{challenge: v.Get("challenge"), state: v.Get("state"), confirm: v.Get("confirm") != "", brief: v.Get("brief") != "", left: v.Get("left") != ""}
	if err := identity.ValidChallenge(h.challenge); err != nil {
		return h, err
	}
	if identity.ValidChallenge(h.state) != nil { // of the same form
		return h, fault.Field("state", "This is not how the Adjudge window asks for a sign-in. Press the button in the window again.")
	}
	if h.port, err = strconv.Atoi(v.Get("port")); err != nil || h.port < 1 || h.port > 65535 {
		return h, fault.Field("port", "This is not how the Adjudge window asks for a sign-in. Press the button in the window again.")
	}
	return h, nil
}

func (h handOver) values() url.Values {
	v := url.Values{"challenge": {h.challenge}, "state": {h.state}, "port": {strconv.Itoa(h.port)}}
	for name, set := range map[string]bool{"confirm": h.confirm, "brief": h.brief} {
		if set {
			v.Set(name, "yes")
		}
	}
	return v
}

func (h handOver) path() string { return handOverPath + "?" + h.values().Encode() }

// getHandOver asks whether the window shall be signed in, and as whom. Who is not
// signed in here does so first.
func (s *Server) getHandOver(w http.ResponseWriter, r *http.Request) error {
	h, err := readHandOver(r.URL.Query())
	if err != nil {
		return err
	}
	visit, err := s.byCookie(r.Context(), r)
	if _, locked := identity.IsLocked(err); locked {
		return s.seeOther(w, r, lockedAt(h.path()))
	}
	if fault.Is(err, fault.Unauthenticated) {
		h.brief = true
		to := url.Values{"next": {h.path()}}
		if h.left {
			to.Set("left", "yes")
		}
		return s.seeOther(w, r, "/sign-in?"+to.Encode())
	}
	if err != nil {
		return err
	}
	callIn(r.Context()).visit = visit // whose proof it is
	v := page.HandOverView{
		Name: visit.Person.Name, Username: visit.Person.Username, Digits: identity.Digits(h.challenge), Fields: map[string]string{},
		Provider: s.Identity.ProviderName(), Confirm: h.confirm,
	}
	for name, values := range h.values() {
		v.Fields[name] = values[0]
	}
	if h.confirm {
		v.Proof = s.proof(r)
		v.Proof.Next = h.path()
	}
	other := h
	other.brief = true
	v.Other = other.path()
	callIn(r.Context()).visit = identity.Visit{} // drawn as for somebody at the door: there is nothing else to do here
	return s.render(w, r, http.StatusOK, view{Title: ui.T(r.Context(), "handover.title")}, page.HandOver(v))
}

// postHandOver sends the code to the window on this computer.
func (s *Server) postHandOver(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	h, err := readHandOver(r.PostForm)
	if err != nil {
		return err
	}
	visit, proof := visitOf(r), ""
	if h.confirm {
		if proof = cookieNamed(r, s.proofCookie()); !s.Identity.HasProof(r.Context(), visit.Actor, proof) {
			return s.seeOther(w, r, h.path()) // it asks to confirm first
		}
	}
	code, err := s.Identity.HandOver(r.Context(), visit, h.challenge, proof)
	if err != nil {
		return err
	}
	if h.confirm {
		s.setNamed(w, s.proofCookie(), "", -1, http.SameSiteLaxMode)
	}
	if h.brief {
		if err := s.Identity.Leave(r.Context(), s.cookie(r)); err != nil {
			return err
		}
		s.signOut(w)
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	back := url.Values{"code": {code}, "state": {h.state}}
	return s.moveAway(w, r, fmt.Sprintf("http://127.0.0.1:%d/desktop/arrive?%s", h.port, back.Encode()), ui.T(r.Context(), "handover.window"))
}

// postFetch is the window's own call: the code and its verifier for a login.
func (s *Server) postFetch(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	before := s.cookie(r)
	got, err := s.Identity.Fetch(r.Context(), r.PostForm.Get("code"), r.PostForm.Get("verifier"), before, s.from(r))
	if err != nil {
		return err
	}
	if got.Proof != "" {
		s.setNamed(w, s.proofCookie(), got.Proof, int(identity.ProofLasts.Seconds()), http.SameSiteLaxMode)
		return renderJSON(w, http.StatusOK, map[string]any{"name": got.Name})
	}
	// Whoever sat at the window before has left the seat.
	if before != "" {
		if err := s.Identity.Leave(r.Context(), before); err != nil {
			return err
		}
	}
	s.signIn(w, got.In)
	return renderJSON(w, http.StatusOK, map[string]any{"name": got.Name, "person": got.In.Person})
}
