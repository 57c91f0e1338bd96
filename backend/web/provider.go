package web

import (
	"context"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// callbackPath is where the provider sends a browser back to.
const callbackPath = "/sign-in/oidc/callback"

// providerRoutes let people sign in at an OpenID Connect provider. A journey
// there begins with a form, so that no other site can begin one, and ends at
// the callback, which takes the answer from that browser alone.
func (s *Server) providerRoutes() []route {
	return []route{
		{POST, "/sign-in/oidc", none, "", s.postSetOut},
		{GET, callbackPath, none, "", s.getCallback},
		{GET, "/signed-in", login, "", s.getSignedIn},
		{POST, "/account/oidc", login, "", s.postLinkProvider},
		{POST, "/account/oidc/end", login, "", s.postUnlinkProvider},
		{POST, "/people/{person}/disconnect", login, ledger.ActionAdminister, s.postDisconnect},
		{POST, "/confirm", login, "", s.postConfirmIdentity},
	}
}

// postSetOut begins to sign in, or to take an invitation where the form has its
// secret. Where somebody locked the screen or has just signed out, the provider
// must ask anew: it would let in whoever was there last.
func (s *Server) postSetOut(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	j := identity.Journey{Errand: identity.ErrandSignIn, Next: localPath(r.PostForm.Get("next")), Fresh: r.PostForm.Get("fresh") != ""}
	if secret := r.PostForm.Get("token"); secret != "" {
		j.Errand, j.Link, j.Next = identity.ErrandWelcome, secret, "/"
	}
	if _, err := s.Identity.LockedPerson(r.Context(), s.cookie(r)); err == nil {
		j.Fresh = true
	}
	err := s.setOut(w, r, j)
	if fault.Is(err, fault.Unavailable) {
		return s.showSignIn(w, r, http.StatusServiceUnavailable, page.SignInView{Next: j.Next, Form: s.refused(r.Context(), nil, err)})
	}
	return err
}

func (s *Server) setOut(w http.ResponseWriter, r *http.Request, j identity.Journey) error {
	j.Back = s.absolute(r.Context(), callbackPath)
	cookie, address, err := s.Identity.SetOut(r.Context(), j)
	if err != nil {
		return err
	}
	// Lax in a desktop window too: the provider's answer comes from another site.
	s.setNamed(w, s.journeyCookie(), cookie, int(identity.JourneyLasts.Seconds()), http.SameSiteLaxMode)
	return s.moveAway(w, r, address, s.Identity.ProviderName())
}

// moveAway leads to another site. It is no redirect: browsers hold redirects
// after a form against form-action, which lets forms lead nowhere but here.
func (s *Server) moveAway(w http.ResponseWriter, r *http.Request, address, name string) error {
	if isHTMX(r) {
		w.Header().Set("HX-Redirect", address)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	to := html.EscapeString(address)
	_, err := fmt.Fprintf(w, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><meta http-equiv=\"refresh\" content=\"0;url=%s\"><link rel=\"icon\" href=\"data:,\"><title>Adjudge</title><p><a href=\"%s\">%s</a></p></html>",
		to, to, html.EscapeString(ui.T(r.Context(), "provider.leaving", "name", name)))
	return ignoreGone(err)
}

func (s *Server) journeyCookie() string { return s.cookieName() + "_journey" }
func (s *Server) proofCookie() string   { return s.cookieName() + "_proof" }

// cookieNamed returns a cookie's value, "" where the browser has none.
func cookieNamed(r *http.Request, name string) string {
	cookie, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

func (s *Server) getCallback(w http.ResponseWriter, r *http.Request) error {
	if onlyLooks(r) {
		return nil
	}
	ctx, query := r.Context(), r.URL.Query()
	visit, _ := s.byCookie(ctx, r) // most arrive signed out
	cookie := cookieNamed(r, s.journeyCookie())
	if cookie == "" && visit.Person.ID != "" {
		return s.seeOther(w, r, "/") // a reload, or a second press of the button
	}
	s.setNamed(w, s.journeyCookie(), "", -1, http.SameSiteLaxMode)
	answer := identity.Answer{Code: query.Get("code"), State: query.Get("state"), Issuer: query.Get("iss"), Error: query.Get("error")}
	a, err := s.Identity.Arrive(ctx, cookie, answer, visit, s.from(r))
	if err != nil {
		return s.refuseArrival(w, r, a.Journey, err)
	}
	switch a.Journey.Errand {
	case identity.ErrandLink:
		return s.seeOther(w, r, "/account?saved=linked")
	case identity.ErrandConfirm:
		s.setNamed(w, s.proofCookie(), a.Proof, int(identity.ProofLasts.Seconds()), http.SameSiteLaxMode)
		return s.seeOther(w, r, localPath(a.Journey.Next))
	case identity.ErrandSignIn, identity.ErrandWelcome:
	}
	// Whoever sat here before, and may have locked the screen, has left the seat.
	if before := s.cookie(r); before != "" {
		if err := s.Identity.Leave(ctx, before); err != nil {
			return err
		}
	}
	s.signIn(w, a.In)
	return s.seeOther(w, r, localPath(a.Journey.Next))
}

// refuseArrival says why a journey led nowhere, on the page on which it can be
// begun again.
func (s *Server) refuseArrival(w http.ResponseWriter, r *http.Request, j identity.Journey, err error) error {
	status, cause := http.StatusUnprocessableEntity, errors.Unwrap(err)
	switch fault.KindOf(err) {
	case fault.Unavailable:
		status = http.StatusServiceUnavailable
		if _, many := errors.AsType[identity.TooMany](err); many {
			status = http.StatusTooManyRequests
		}
	case fault.Denied:
		status = http.StatusForbidden
	case fault.Invalid, fault.Conflict, fault.Unmet, fault.NotFound:
	default:
		return err
	}
	attrs := []slog.Attr{slog.String("id", callIn(r.Context()).id), slog.String("address", s.address(r)), slog.Int("status", status)}
	if cause != nil { // says which check failed, and nothing about the person
		attrs = append(attrs, slog.String("cause", cause.Error()))
	}
	s.Log.LogAttrs(r.Context(), slog.LevelWarn, "sign-in by the provider refused", attrs...)
	if j.Errand == identity.ErrandLink || j.Errand == identity.ErrandConfirm {
		return err
	}
	return s.showSignIn(w, r, status, page.SignInView{Next: localPath(j.Next), Form: s.refused(r.Context(), nil, err), Left: true})
}

// getSignedIn ends a sign-in that was made in a tab of its own, because the page
// on which a login lapsed must not be left.
func (s *Server) getSignedIn(w http.ResponseWriter, r *http.Request) error {
	c := callIn(r.Context())
	name := c.visit.Person.Name
	c.visit = identity.Visit{} // drawn as at the door: nothing else is done here
	return s.render(w, r, http.StatusOK, view{Title: ui.T(r.Context(), "again.done")}, page.SignedIn(name))
}

// postLinkProvider adds the provider to the account that is signed in.
func (s *Server) postLinkProvider(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	err := s.Identity.MayLink(r.Context(), visitOf(r), r.PostForm.Get("password"), s.address(r))
	if isRetry(err) {
		return s.showAccount(w, r, http.StatusUnprocessableEntity, page.AccountView{Provided: s.refused(r.Context(), nil, err)})
	}
	if err != nil {
		return err
	}
	return s.setOut(w, r, identity.Journey{Errand: identity.ErrandLink, Next: "/account", Person: actorOf(r).Person, Fresh: true})
}

func (s *Server) postUnlinkProvider(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	err := s.Identity.Unlink(r.Context(), visitOf(r), r.PostForm.Get("password"), s.address(r))
	if isRetry(err) {
		return s.showAccount(w, r, http.StatusUnprocessableEntity, page.AccountView{Provided: s.refused(r.Context(), nil, err)})
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/account?saved=unlinked")
}

// postConfirmIdentity lets somebody without a password prove at the provider
// who they are, before they sign something.
func (s *Server) postConfirmIdentity(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	return s.setOut(w, r, identity.Journey{Errand: identity.ErrandConfirm, Next: localPath(r.PostForm.Get("next")), Person: actorOf(r).Person, Fresh: true})
}

// ProviderBody is who a person is at an OpenID Connect provider.
type ProviderBody struct {
	Issuer      string    `json:"issuer"`
	Subject     string    `json:"subject" doc:"By which the provider knows them; with the issuer it is all that they are known by"`
	Email       string    `json:"email,omitempty" doc:"That the provider claimed when they last signed in"`
	ConnectedAt time.Time `json:"connected_at"`
	UsedAt      time.Time `json:"used_at" doc:"When they last signed in by it"`
}

func providerBodies(all []identity.ProviderIdentity) []ProviderBody {
	bodies := []ProviderBody{}
	for _, i := range all {
		bodies = append(bodies, ProviderBody{i.Issuer, i.Subject, i.Email, i.CreatedAt, i.UsedAt})
	}
	return bodies
}

// DisconnectInput takes the provider from an account.
type DisconnectInput struct {
	PersonInput
	Because
}

// providerAPI registers the operations about who people are at the provider.
func (s *Server) providerAPI() {
	operation(s, api{GET, "/people/{person}/provider-accounts", "list-provider-accounts", "List who a person is at the provider", either, ledger.ActionAdminister}, func(ctx context.Context, in *PersonInput) (*Answer[List[ProviderBody]], error) {
		person, err := s.personNamed(ctx, in.Person)
		if err != nil {
			return nil, err
		}
		all, err := s.Identity.ProviderAccounts(ctx, actorIn(ctx), person.ID)
		return &Answer[List[ProviderBody]]{List[ProviderBody]{Items: providerBodies(all)}}, err
	})
	operation(s, api{DELETE, "/people/{person}/provider-accounts", "disconnect-provider", "Take the provider from somebody's account; what was signed in by it ends", there, ledger.ActionAdminister}, func(ctx context.Context, in *DisconnectInput) (*struct{}, error) {
		person, err := s.personNamed(ctx, in.Person)
		if err == nil {
			err = s.Identity.Disconnect(ctx, actorIn(ctx), person.ID, in.reason())
		}
		return nil, err
	})
}

// postDisconnect takes the provider from somebody's account.
func (s *Server) postDisconnect(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := ledger.PersonID(r.PathValue("person"))
	err := s.Identity.Disconnect(r.Context(), actorOf(r), id, r.PostForm.Get("reason"))
	if isRefusal(err) {
		return s.showPerson(w, r, http.StatusUnprocessableEntity, page.PersonView{Disconnect: s.refused(r.Context(), typed(r, "reason"), err)})
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/people/"+url.PathEscape(string(id)))
}

// passwordOf returns the password of a form that signs something, or what
// stands in for it in a browser whose person has none.
func (s *Server) passwordOf(r *http.Request, field string) string {
	if s.Identity.ConfirmsByProvider(visitOf(r).Person) {
		return cookieNamed(r, s.proofCookie())
	}
	return r.PostForm.Get(field)
}

// proof says how the person of a request proves who they are before they sign.
func (s *Server) proof(r *http.Request) page.ProofView {
	if !s.Identity.ConfirmsByProvider(visitOf(r).Person) {
		return page.ProofView{}
	}
	return page.ProofView{
		Provider: s.Identity.ProviderName(), Next: r.URL.RequestURI(),
		Have: s.Identity.HasProof(r.Context(), actorOf(r), cookieNamed(r, s.proofCookie())),
	}
}
