package web

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// town is a real identity over a real store, with one person of every kind and
// one project, "p1".
type town struct {
	identity *identity.Service
	clock    *clock
	store    *store.Store
	people   map[string]ledger.PersonID // "lead", "stranger", "owner" …
}

// clock is a time that tests move.
type clock struct{ at time.Time }

func (c *clock) Now() time.Time { return c.at }

const townProject = ledger.ProjectID("p1")

func newTown(t testing.TB) *town {
	t.Helper()
	c := &clock{at: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}
	s := storetest.Open(t, storetest.SQLite(t))
	n := 0
	town := &town{clock: c, store: s, people: map[string]ledger.PersonID{}, identity: identity.New(identity.Config{
		Update: store.In[identity.Tx](s), View: store.From[identity.Tx](s), Now: c.Now,
		NewID:   func() string { n++; return fmt.Sprintf("id-%04d", n) },
		Hashing: identity.Hashing{MemoryKiB: 8, Passes: 1, Threads: 1},
	})}
	if err := town.identity.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	owner, err := town.identity.Owner(t.Context(), "owner", "Olga Owner")
	if err != nil {
		t.Fatal(err)
	}
	town.people["owner"] = owner.ID
	for _, role := range append([]ledger.Role{"stranger"}, ledger.Roles()...) {
		req := identity.CreatePersonRequest{Username: string(role), Password: "correct horse " + string(role)}
		if role != "stranger" {
			req.Project, req.Roles = townProject, []ledger.Role{role}
		}
		person, _, err := town.identity.CreatePerson(t.Context(), ledger.System(), req)
		if err != nil {
			t.Fatal(err)
		}
		town.people[string(role)] = person.ID
	}
	return town
}

// cookie signs a person in and returns the secret of their login.
func (town *town) cookie(t testing.TB, who string) string {
	t.Helper()
	link, err := town.identity.Launch(t.Context(), town.people[who])
	if err != nil {
		t.Fatal(err)
	}
	in, err := town.identity.FollowLaunch(t.Context(), link, identity.From{Address: "192.0.2.7", Agent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return in.Secret
}

// token makes an API token for a person.
func (town *town) token(t *testing.T, who string, scope ledger.Scope) string {
	t.Helper()
	_, secret, err := town.identity.CreateToken(t.Context(), ledger.System(), identity.CreateTokenRequest{Person: town.people[who], Name: "test", Scope: scope})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// deps are those of a server of the town; rooms without a service never answer.
func (town *town) deps() Deps {
	return Deps{
		Config:   Config{DataID: "d1", Hosts: Hosts("8484", nil), Version: "test", Log: slog.New(slog.DiscardHandler), Now: town.clock.Now},
		Identity: town.identity,
		Place: func(_ context.Context, slug string) (Place, error) {
			if slug != "p1" {
				return Place{}, fault.New(fault.NotFound, "none")
			}
			return Place{ID: townProject, Slug: "p1", Name: "Project one"}, nil
		},
		Attempts: fakeAttempts{},
		Native:   fakeNative{},
	}
}

type fakeAttempts struct{}

func (fakeAttempts) AuthenticateAttempt(_ context.Context, secret string) (ledger.Actor, string, error) {
	if secret != "attempt-secret" {
		return ledger.Actor{}, "", errSignIn()
	}
	return ledger.Actor{Person: "system", Via: ledger.ViaAttempt, Scope: ledger.ScopeFull}, "a1", nil
}

type fakeNative struct{ Native }

// TestWhoGetsInWhere sends a request for every route as every kind of visitor
// through the real router and guard, and holds the answers against
// testdata/routes.golden. Handlers are replaced by one that answers "in", so
// that a request changes nothing; what they do is tested elsewhere.
func TestWhoGetsInWhere(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	type visitor struct {
		name string
		send func(*http.Request)
	}
	visitors := []visitor{{"anonymous", func(*http.Request) {}}}
	s := declare(town.deps())
	for _, who := range slices.Concat([]string{"stranger"}, roleNames(), []string{"owner"}) {
		secret := town.cookie(t, who)
		visitors = append(visitors, visitor{who, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: s.cookieName(), Value: secret}) }})
	}
	bearer := func(secret string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }
	}
	for _, scope := range ledger.Scopes() {
		visitors = append(visitors, visitor{"token-" + string(scope), bearer(town.token(t, "lead", scope))})
	}
	visitors = append(visitors,
		visitor{"owner-read", bearer(town.token(t, "owner", ledger.ScopeRead))},
		visitor{"owner-gate", bearer(town.token(t, "owner", ledger.ScopeGate))},
		visitor{"local", bearer(town.identity.OpenLocal())},
		visitor{"attempt", bearer("attempt-secret")})

	for i := range s.routes {
		s.routes[i].handler = func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
	}
	s.mount()

	routes := slices.Clone(s.routes)
	slices.SortFunc(routes, func(a, b route) int {
		return strings.Compare(a.pattern+" "+a.method, b.pattern+" "+b.method)
	})
	// Columns of fixed width, so that a new route changes no other line.
	var b strings.Builder
	b.WriteString("# Who gets in where: \"in\", or the status that turns a visitor away.\n# Written by go test ./backend/web -update; read the difference.\n# Columns:")
	for _, v := range visitors {
		b.WriteString(" " + v.name)
	}
	b.WriteString(", then what the route declares\n")
	for _, rt := range routes {
		for _, v := range visitors {
			answer := "in"
			if code := ask(s, rt.method, example(rt.pattern), v.send).Code; code != http.StatusNoContent {
				answer = strconv.Itoa(code)
			} else if wrong := mustNotBeIn(v.name, rt); wrong != "" {
				t.Errorf("%s gets into %s %s: %s", v.name, rt.method, rt.pattern, wrong)
			}
			fmt.Fprintf(&b, "%-4s", answer)
		}
		fmt.Fprintf(&b, "%-9s %-28s %-6s %s\n", rt.access, strings.ReplaceAll(cmp.Or(string(rt.action), "-"), " ", "_"), rt.method, rt.pattern)
	}
	golden(t, "testdata/routes.golden", b.String())
}

// ownThings are the writes that an auditor gets to at all: what is their own, and
// what a service refuses them (TestAnAuditorIsRefusedByTheServicesToo).
var ownThings = map[string]string{
	"POST /account":                          "their own name",
	"POST /account/logins/end-others":        "their own browsers",
	"POST /account/logins/{login}/end":       "their own browsers",
	"POST /account/oidc":                     "their own way in",
	"POST /account/oidc/end":                 "their own way in",
	"POST /account/password":                 "their own password",
	"POST /account/preferences":              "their own preferences",
	"POST /account/keys":                     "their own keys",
	"POST /account/sending":                  "what is not sent of themselves",
	"PATCH /api/v1/me/preferences":           "their own preferences",
	"POST /confirm":                          "who they are",
	"POST /projects/{project}/history/check": "a look at the chain, which changes nothing",
	"POST /lock":                             "their own screen",
	"POST /sign-out":                         "their own login",
	"POST /tokens":                           "a token that may do no more than they",
	"POST /tokens/{token}/revoke":            "their own tokens",
	"POST /api/v1/tokens":                    "a token that may do no more than they",
	"POST /api/v1/tokens/{id}/revoke":        "their own tokens",
	"POST /desktop/notify":                   "their own window",
	"POST /desktop/open":                     "their own window",
	"POST /desktop/save":                     "their own window",
	"POST /desktop/zoom":                     "their own window",
	"POST /window/sign-in":                   "their own window",
	"POST /people/invite/list":               "nothing: it gives a page back as a file",
	"POST /projects":                         "a project of their own, of which they are the lead",
	"POST /trash/restore":                    "refused by the service, which alone knows the project of what is in the trash",
	"POST /api/v1/trash/restore":             "refused by the service, which alone knows the project of what is in the trash",
	"POST /api/v1/projects":                  "a project of their own, of which they are the lead",
	"POST /api/v1/people":                    "refused by the service",
	"POST /api/v1/people/invitations":        "refused by the service",
}

func TestAnAuditorIsRefusedByTheServicesToo(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	auditor := town.cookie(t, "auditor")
	for target, body := range map[string]string{
		"/api/v1/people":             `{"username":"zoe","project":"p1","roles":["annotator"]}`,
		"/api/v1/people/invitations": `{"csv":"username,project,roles\nzoe,p1,annotator\n"}`,
	} {
		w := ask(s, POST, target, func(r *http.Request) {
			signedIn(s, auditor)(r)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Header.Set("Content-Type", "application/json")
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		})
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	people, err := town.identity.People(t.Context(), ledger.System())
	if err != nil || slices.ContainsFunc(people, func(p identity.Person) bool { return p.Username == "zoe" }) {
		t.Errorf("an auditor made somebody: %v, %v", people, err)
	}
}

// mustNotBeIn says why a visitor may never get into a route, whatever the golden
// file says.
func mustNotBeIn(visitor string, rt route) string {
	writes := rt.method != GET
	switch {
	case rt.access == none || rt.access == signature:
		return ""
	case visitor == "anonymous":
		return "nobody is there"
	case strings.HasSuffix(visitor, "-gate") && rt.action != ledger.ActionGate:
		return "a gate token does nothing else"
	case strings.HasSuffix(visitor, "-read") && writes && rt.action != ledger.ActionGate:
		return "a read token changes nothing"
	case visitor == "auditor" && writes && rt.action != ledger.ActionGate && ownThings[rt.method+" "+rt.pattern] == "":
		return "an auditor changes nothing but what is their own; say in ownThings what it is"
	case visitor == "stranger" && strings.Contains(rt.pattern, "{project}"):
		return "they are no member"
	case strings.HasPrefix(visitor, "token") && writes && aboutPeople(rt.pattern):
		return "an API token changes nothing about people"
	case visitor == "attempt" && rt.access != attempt:
		return "an attempt has its own routes"
	}
	return ""
}

func roleNames() []string {
	var names []string
	for _, r := range ledger.Roles() {
		names = append(names, string(r))
	}
	return names
}

// example fills a pattern's parameters.
func example(pattern string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimSuffix(pattern, "*"), "{") {
		name, rest, isParam := strings.Cut(part, "}")
		switch {
		case !isParam:
			b.WriteString(part)
		case name == "project":
			b.WriteString("p1" + rest)
		default:
			b.WriteString("x" + rest)
		}
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	squeeze := func(line string) string { return strings.Join(strings.Fields(line), " ") }
	for i := range wantLines {
		wantLines[i] = squeeze(wantLines[i])
	}
	for i := range gotLines {
		gotLines[i] = squeeze(gotLines[i])
		if !slices.Contains(wantLines, gotLines[i]) {
			t.Errorf("not in %s (write it with -update and read the difference):\n%s", path, gotLines[i])
		}
	}
	for _, line := range wantLines {
		if !slices.Contains(gotLines, line) {
			t.Errorf("in %s, but no longer so:\n%s", path, line)
		}
	}
}

func TestEveryRouteOfTheRouterIsDeclared(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	declared := map[string]bool{}
	for _, rt := range s.routes {
		declared[rt.method+" "+rt.pattern] = true
	}
	err := chi.Walk(s.mux, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !declared[method+" "+pattern] {
			t.Errorf("%s %s is mounted without a declaration", method, pattern)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAProjectThatIsNotTheirsLooksLikeNone(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	cookie := &http.Cookie{Name: s.cookieName(), Value: town.cookie(t, "stranger")}
	page := ask(s, GET, "/projects/p1/people", func(r *http.Request) { r.AddCookie(cookie) })
	if page.Code != 404 || strings.Contains(page.Body.String(), "Project one") || strings.Contains(page.Body.String(), `data-project="p1"`) {
		t.Errorf("the page gives the project away: %d %s", page.Code, page.Body)
	}
	there := ask(s, GET, "/api/v1/projects/p1/people", func(r *http.Request) { r.AddCookie(cookie) })
	nowhere := ask(s, GET, "/api/v1/projects/nowhere/people", func(r *http.Request) { r.AddCookie(cookie) })
	blank := func(body, id string) string { return strings.ReplaceAll(body, id, "") }
	if there.Code != 404 || nowhere.Code != 404 ||
		blank(there.Body.String(), there.Header().Get("X-Request-Id")) != blank(nowhere.Body.String(), nowhere.Header().Get("X-Request-Id")) {
		t.Errorf("%d %s\n%d %s", there.Code, there.Body, nowhere.Code, nowhere.Body)
	}
}
