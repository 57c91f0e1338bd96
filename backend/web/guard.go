package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

// guard admits a request to a route, runs its handler and answers its error.
func (s *Server) guard(rt route) http.HandlerFunc {
	large := largeRoutes[rt.method+" "+rt.pattern]
	return s.answering(func(w http.ResponseWriter, r *http.Request) error {
		c := callIn(r.Context())
		c.pattern, c.access, c.address = rt.pattern, rt.access, s.address(r)
		if !large {
			r = Bounded(w, r, maxBody)
		}
		if err := s.identify(r, rt, c); err != nil {
			return err
		}
		r = r.WithContext(speakTo(r.Context(), c.visit))
		if err := s.allow(r, rt, c); err != nil {
			return err
		}
		c.asked = r
		return rt.handler(w, r)
	})
}

// asksByItself lists the routes that pages ask for while nobody may sit there:
// being asked for them keeps no login alive.
var asksByItself = map[string]bool{GET + " /notices": true, POST + " /projects/{project}/looks": true}

// identify finds out who sends the request, by the ways that the route takes.
func (s *Server) identify(r *http.Request, rt route, c *call) (err error) {
	ctx := r.Context()
	secret, hasBearer := bearer(r)
	switch rt.access {
	case none, signature:
		return nil
	case login:
		if asksByItself[rt.method+" "+rt.pattern] {
			c.visit, err = s.presentByCookie(ctx, r)
		} else {
			c.visit, err = s.byCookie(ctx, r)
		}
	case token:
		c.visit, err = s.byToken(ctx, secret)
	case either, there:
		if hasBearer {
			c.visit, err = s.byToken(ctx, secret)
		} else {
			c.visit, err = s.byCookie(ctx, r)
		}
		if err == nil && rt.access == there {
			err = c.visit.Actor.MustBeThere()
		}
	case metrics:
		if hasBearer {
			c.visit, err = s.byToken(ctx, secret)
		} else if !fromThisMachine(r) {
			err = fault.New(fault.Unauthenticated, "Metrics are for this machine; from elsewhere send an API token.")
		} else {
			c.visit.Actor = ledger.System()
		}
	case attempt:
		if s.Attempts == nil || !hasBearer {
			return errSignIn()
		}
		c.visit.Actor, c.attempt, err = s.Attempts.AuthenticateAttempt(ctx, secret)
	default:
		panic("web: unknown access " + string(rt.access))
	}
	return err
}

// allow resolves {project} and checks the route's action there.
func (s *Server) allow(r *http.Request, rt route, c *call) error {
	if slug := r.PathValue("project"); slug != "" && rt.access != none && rt.access != signature {
		place, err := s.Place(r.Context(), slug)
		if fault.Is(err, fault.NotFound) {
			// The same words as for a project that exists but is not theirs.
			return ledger.Actor{Scope: ledger.ScopeFull}.Must("", ledger.ActionRead)
		}
		if err != nil {
			return err
		}
		// Who may not see the project must not find its name in the frame around the refusal.
		if rt.access == attempt {
			c.place = place // the service holds the attempt against the project
			return nil
		}
		if err = c.visit.Actor.Must(place.ID, rt.action); err == nil || !fault.Is(err, fault.NotFound) {
			c.place = place
		}
		if err == nil {
			// Who looks at roles wants to know who uses them; a request does not fail for it.
			if err := s.Identity.Used(r.Context(), c.visit.Actor, place.ID); err != nil {
				s.Log.LogAttrs(r.Context(), slog.LevelWarn, "note the use of a project", slog.String("id", c.id), slog.String("error", err.Error()))
			}
		}
		return err
	}
	if rt.action == "" || rt.access == none {
		return nil
	}
	if rt.action == ledger.ActionAdminister && !c.visit.Actor.Admin {
		return fault.New(fault.Denied, "Only an admin of this installation may see this. Ask one.")
	}
	return ledger.Actor{Admin: true, Scope: c.visit.Actor.Scope}.Must("", scopeOf(rt.action))
}

// scopeOf maps an action that no admin of the installation has to one that
// stands in the same scope.
func scopeOf(action ledger.Action) ledger.Action {
	if ledger.RoleAdmin.May(action) {
		return action
	}
	return ledger.ActionManage
}

func errSignIn() error { return fault.New(fault.Unauthenticated, "Sign in first.") }

func (s *Server) byCookie(ctx context.Context, r *http.Request) (identity.Visit, error) {
	secret := s.cookie(r)
	if secret == "" {
		return identity.Visit{}, errSignIn()
	}
	return s.Identity.Authenticate(ctx, secret)
}

// presentByCookie is byCookie for what asks on its own: it is no sign of life.
func (s *Server) presentByCookie(ctx context.Context, r *http.Request) (identity.Visit, error) {
	secret := s.cookie(r)
	if secret == "" {
		return identity.Visit{}, errSignIn()
	}
	return s.Identity.Present(ctx, secret)
}

// cookie returns the secret of the browser's login, "" where it has none.
func (s *Server) cookie(r *http.Request) string {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return cookie.Value
}

func (s *Server) byToken(ctx context.Context, secret string) (identity.Visit, error) {
	if secret == "" {
		return identity.Visit{}, fault.New(fault.Unauthenticated, "Send an API token: Authorization: Bearer adj_…")
	}
	return s.Identity.AuthenticateToken(ctx, secret)
}

// bearer returns the token of an Authorization header.
func bearer(r *http.Request) (string, bool) {
	header := r.Header.Get("Authorization")
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", header != ""
	}
	return strings.TrimSpace(secret), true
}

// fromThisMachine reports whether the connection itself is a loopback one that
// no proxy passed on.
func fromThisMachine(r *http.Request) bool {
	addr, err := netip.ParseAddr(peer(r))
	return err == nil && addr.Unmap().IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
}

// peer returns the IP address of the other end of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// address returns the IP address that a request comes from: the last entry of
// X-Forwarded-For that no proxy of ours wrote. From any other peer the header is
// what a stranger wrote, and counts for nothing.
func (s *Server) address(r *http.Request) string {
	direct := peer(r)
	addr, err := netip.ParseAddr(direct)
	if err != nil || !s.trusted(addr) {
		return direct
	}
	seen := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(seen) {
		before, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return direct
		}
		direct = before.Unmap().String()
		if !s.trusted(before) {
			break
		}
	}
	return direct
}

func (s *Server) from(r *http.Request) identity.From {
	return identity.From{Address: s.address(r), Agent: r.UserAgent(), Browser: cookieNamed(r, s.browserCookie())}
}

// cookieName carries the id of the data directory, because cookies ignore the
// port and two servers on one machine must not sign each other's people out.
func (s *Server) cookieName() string {
	switch {
	case s.secure() && s.prefix() != "":
		return "__Secure-adjudge_" + s.DataID // __Host- belongs to the whole host
	case s.secure():
		return "__Host-adjudge_" + s.DataID
	}
	return "adjudge_" + s.DataID
}

func (s *Server) secure() bool { return s.URL != nil && s.URL.Scheme == "https" }

// signIn hands the browser its login. The secret is always fresh, so a cookie
// that somebody planted before is worth nothing.
func (s *Server) signIn(w http.ResponseWriter, in identity.SignedIn) {
	s.setCookie(w, in.Secret, 30*24*60*60)
	// It opens nothing: it is what a browser is known by when somebody signs in here
	// again. Lax, because a provider leads back here from its own site: were it not
	// sent then, the fresh one would take its place, and a computer that several
	// people share would forget all the others.
	s.setNamed(w, s.browserCookie(), in.Browser, int(identity.KnownLasts.Seconds()), http.SameSiteLaxMode)
}

func (s *Server) browserCookie() string { return s.cookieName() + "_known" }

func (s *Server) signOut(w http.ResponseWriter) { s.setCookie(w, "", -1) }

func (s *Server) setCookie(w http.ResponseWriter, value string, maxAge int) {
	// Lax on a server: links from mail, CI and chat must arrive signed in. The
	// desktop window has no such links.
	sameSite := http.SameSiteLaxMode
	if s.Desktop {
		sameSite = http.SameSiteStrictMode
	}
	s.setNamed(w, s.cookieName(), value, maxAge, sameSite)
}

func (s *Server) setNamed(w http.ResponseWriter, name, value string, maxAge int, sameSite http.SameSite) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: s.prefix() + "/", MaxAge: maxAge, HttpOnly: true, Secure: s.secure(), SameSite: sameSite,
	})
}

// onlyLooks reports whether a request by GET must change nothing although its
// route does: a browser that fetches ahead, or a program that looks where a
// link leads, by HEAD.
func onlyLooks(r *http.Request) bool {
	purpose := r.Header.Get("Sec-Purpose") + r.Header.Get("Purpose") + r.Header.Get("X-Moz")
	return r.Method != GET || strings.Contains(purpose, "prefetch") || strings.Contains(purpose, "prerender") || strings.Contains(purpose, "preview")
}
