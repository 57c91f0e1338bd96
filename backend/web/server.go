// Package web is the one HTTP handler of the product: pages for people, a JSON
// API for programs, and everything that stands before both.
//
// # Adding a room
//
// A room is one file with its route table and its handlers; add the table to
// (*Server).tables below. A handler parses, makes one call of a service, and
// renders; it returns errors and never answers them itself:
//
//	func (s *Server) snapshotRoutes() []route {
//		return []route{
//			{GET, "/projects/{project}/snapshots", login, ledger.ActionRead, s.getSnapshots},
//			{POST, "/projects/{project}/snapshots", login, ledger.ActionSnapshot, s.postSnapshot},
//		}
//	}
//
//	func (s *Server) getSnapshots(w http.ResponseWriter, r *http.Request) error {
//		list, err := s.Labeling.Snapshots(r.Context(), actorOf(r), projectOf(r).ID)
//		if err != nil {
//			return err
//		}
//		return s.render(w, r, http.StatusOK, view{Title: "Snapshots", Active: "snapshots"}, page.Snapshots(list))
//	}
//
// Before a handler runs, the person is known (actorOf), {project} is resolved
// (projectOf) and the action was checked there; the service checks it again.
// A handler that shows a form again after a fault answers
// http.StatusUnprocessableEntity with the fields of fault.Fields(err); one that
// succeeded returns s.seeOther. The JSON twin is an operation (see api.go):
//
//	func (s *Server) snapshotAPI() {
//		operation(s, api{GET, "/projects/{project}/snapshots", "list-snapshots", "List snapshots", either, ledger.ActionRead},
//			func(ctx context.Context, in *InProject) (*Snapshots, error) { … actorIn(ctx), projectIn(ctx).ID … })
//	}
//
// Uploads, downloads and WebSockets are plain routes; a route that takes more
// than a megabyte says so with large. Then run `go test ./backend/web -update`
// and read the difference of testdata/routes.golden: it says who gets in.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/live"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// Config is what the server must know about where it runs.
type Config struct {
	DataID  string         // id of the data directory; cookie names carry it
	URL     *url.URL       // public address, nil for this machine only
	Hosts   []string       // every Host that is answered; see Hosts
	Proxies []netip.Prefix // whose X-Forwarded-For is believed; none: this machine's, if there is a URL
	Desktop bool           // the desktop window: stricter cookies
	Version string
	Log     *slog.Logger
	Now     func() time.Time
	Ready   func(context.Context) error // whether the store answers; nil: always
	Meter   Meter                       // what /metrics shows; nil: nothing
	// Trace begins the span of a request; what it returns ends it with the pattern
	// of the route, the status and the kind of fault. Nil: nobody watches.
	Trace func(*http.Request) (context.Context, func(pattern string, status int, kind fault.Kind))
	// Patience is how long a client may send or take nothing; a minute if zero.
	Patience time.Duration
}

// Place is a project as far as the door must know it.
type Place struct {
	ID   ledger.ProjectID
	Slug string
	Name string
}

// Attempts knows the tokens of training attempts.
type Attempts interface {
	// AuthenticateAttempt returns the actor and the attempt that a token belongs
	// to, or Unauthenticated.
	AuthenticateAttempt(ctx context.Context, secret string) (actor ledger.Actor, attempt string, err error)
}

// Deps is what the server is made of. Every room adds the services it calls.
type Deps struct {
	Config
	Identity *identity.Service
	Labeling *labeling.Service
	Live     *live.Hub // the sockets of open pages
	Review   *review.Service
	Training *training.Service
	Compare  *compare.Service
	Erasure  *erasure.Service
	// Place finds a project by its slug or id, or returns NotFound.
	Place func(ctx context.Context, slug string) (Place, error)
	// Projects lists the projects of an actor, for the switcher; nil: none.
	Projects func(ctx context.Context, actor ledger.Actor) ([]Place, error)
	// Checkpoints returns the newest checkpoints and how far each witness is.
	Checkpoints func(ctx context.Context, actor ledger.Actor) ([]ledger.Checkpoint, []ledger.Witness, error)
	// Keeper makes, checks and hands out checkpoints.
	Keeper   Keeper
	Attempts Attempts         // nil: no attempt gets in
	Static   http.Handler     // serves /static/
	Native   Native           // what a desktop window does; nil on a server
	News     func() page.News // which version runs and which newer one is known; nil: the one that runs
}

// Server answers every request.
type Server struct {
	Deps
	mux    *chi.Mux
	api    huma.API
	routes []route
	door   http.Handler
}

// access is the identity that a route asks for.
type access string

// The kinds of identity. The golden test walks every route with every kind.
const (
	none      access = "none"      // anybody
	login     access = "login"     // a browser that is signed in
	token     access = "token"     // an API token or this machine's credential file
	either    access = "either"    // login or token
	there     access = "there"     // login or this machine's credential file: no API token
	attempt   access = "attempt"   // a training attempt
	signature access = "signature" // a signed request; checked by its handler
	metrics   access = "metrics"   // this machine, or a token that may read
)

// The methods, short as route tables want them.
const (
	GET    = http.MethodGet
	POST   = http.MethodPost
	PUT    = http.MethodPut
	PATCH  = http.MethodPatch
	DELETE = http.MethodDelete
)

// route declares who gets in and what answers.
type route struct {
	method  string
	pattern string // chi's; {project} is resolved before the handler
	access  access
	// action must be allowed in {project}. Without {project} only a token's scope
	// is held against it, save ActionAdminister, which needs an admin of the
	// installation. Empty: whoever has the identity.
	action  ledger.Action
	handler func(w http.ResponseWriter, r *http.Request) error
}

// largeRoutes lists the routes that take bodies over maxBody, by method and
// pattern; their handlers set their own limits.
var largeRoutes = map[string]bool{
	PUT + " " + apiPrefix + "/attempts/{fence}/output/*":       true,
	POST + " " + apiPrefix + "/projects/{project}/uploads":     true,
	POST + " /projects/{project}/imports":                      true,
	POST + " /projects/{project}/predictions":                  true,
	POST + " /desktop/save":                                    true,
	POST + " " + apiPrefix + "/projects/{project}/predictions": true,
}

// maxBody is the most a request may carry unless its route is large.
const maxBody = 1 << 20

// New builds the handler. A route that is declared twice, or a project's route
// without an action, is a mistake of ours and panics here, at start.
func New(d Deps) *Server {
	s := declare(d)
	s.mount()
	return s
}

// declare collects the routes of every room.
func declare(d Deps) *Server {
	s := &Server{Deps: d, mux: chi.NewRouter()}
	s.api = s.newAPI()
	for _, table := range s.tables() {
		for _, rt := range table {
			s.add(rt)
		}
	}
	s.operations()
	return s
}

// mount puts every route behind its guard, and the house before all of them.
func (s *Server) mount() {
	s.mux.Use(middleware.GetHead) // load balancers ask by HEAD
	for _, rt := range s.routes {
		s.mux.Method(rt.method, rt.pattern, s.guard(rt))
	}
	s.mux.NotFound(s.answering(s.notFound))
	s.mux.MethodNotAllowed(s.answering(s.notAllowed))
	s.door = s.below(s.outside(s.mux))
}

// tables lists the route table of every room.
func (s *Server) tables() [][]route {
	return [][]route{
		s.systemRoutes(),
		s.signInRoutes(),
		s.lockRoutes(),
		s.languageRoutes(),
		s.providerRoutes(),
		s.handOverRoutes(),
		s.deskRoutes(),
		s.attemptRoutes(),
		s.runRoutes(),
		s.projectRoutes(),
		s.labelRoutes(),
		s.fileRoutes(),
		s.importRoutes(),
		s.itemRoutes(),
		s.mediaRoutes(),
		s.snapshotRoutes(),
		s.nativeRoutes(),
		s.accountRoutes(),
		s.accessRoutes(),
		s.peopleRoutes(),
		s.invitationRoutes(),
		s.groupRoutes(),
		s.myDataRoutes(),
		s.compareRoutes(),
		s.reviewRoutes(),
		s.erasureRoutes(),
		s.trashRoutes(),
		s.checkpointRoutes(),
	}
}

// operations registers the JSON API of every room.
func (s *Server) operations() {
	s.identityAPI()
	s.accessAPI()
	s.checkpointAPI()
	s.groupAPI()
	s.providerAPI()
	s.projectAPI()
	s.labelAPI()
	s.reviewAPI()
	s.runsAPI()
	s.importAPI()
	s.itemAPI()
	s.mediaAPI()
	s.snapshotAPI()
	s.compareAPI()
	s.erasureAPI()
	s.trashAPI()
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.door.ServeHTTP(w, r) }

// add declares a route.
func (s *Server) add(rt route) {
	if strings.Contains(rt.pattern, "{project}") && rt.action == "" && rt.access != attempt && rt.access != signature {
		panic("web: " + rt.method + " " + rt.pattern + " declares no action")
	}
	if (rt.access == either || rt.access == there || rt.access == token) && rt.action == "" {
		panic("web: " + rt.method + " " + rt.pattern + " takes tokens and declares no action to hold their scope against")
	}
	for _, other := range s.routes {
		if other.method == rt.method && other.pattern == rt.pattern {
			panic("web: " + rt.method + " " + rt.pattern + " is declared twice")
		}
	}
	s.routes = append(s.routes, rt)
}

// Hosts lists the Host headers under which a server that listens on port
// answers: the machine's own names, and the public address where there is one.
func Hosts(port string, public *url.URL) []string {
	hosts := []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
	if port == "80" {
		hosts = append(hosts, "127.0.0.1", "localhost", "[::1]")
	}
	if public != nil {
		hosts = append(hosts, public.Host)
		switch {
		case public.Port() == "" && public.Scheme == "https":
			hosts = append(hosts, public.Host+":443")
		case public.Port() == "" && public.Scheme == "http":
			hosts = append(hosts, public.Host+":80")
		case public.Port() == "443" && public.Scheme == "https", public.Port() == "80" && public.Scheme == "http":
			hosts = append(hosts, public.Hostname())
		}
	}
	return hosts
}
