package app

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/adjudge/adjudge/backend/columns"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// The words that tell what others said: a class that nothing offers any more, so
// that no form names it, and the beginning of every reason.
const (
	secretClass  = "Zyxomma"
	secretReason = "qwyjibo"
)

// blind is a whole server with a project in which people judge blind, and
// somebody of every kind in it.
type blind struct {
	*house
	t       *testing.T
	project labeling.Project
	items   []labeling.ItemID
	people  map[string]ledger.Actor // by role; "ana" and "bo" only judge
	params  map[string]string       // what stands in addresses, once it is there
	cookies map[string]*http.Cookie
	routes  []blindRoute
}

// blindRoute is a line of the list of all routes.
type blindRoute struct {
	method, pattern string
	judges          bool // whoever only judges gets in
}

func newBlind(t *testing.T, purpose labeling.Purpose, overlap int) *blind {
	t.Helper()
	h, err := openHouse(t.Context(), settings{Data: t.TempDir(), Port: "0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.close() })
	b := &blind{house: h, t: t, people: map[string]ledger.Actor{}, cookies: map[string]*http.Cookie{}}
	b.params = map[string]string{"key": "k0"}
	b.project, err = h.labeling.CreateProject(t.Context(), ledger.System(), labeling.CreateProjectRequest{Name: "Blind", Slug: "p", Overlap: overlap,
		Schema: labeling.Schema{Classes: []labeling.Class{{Name: "Cat"}, {Name: "Dog"}, {Name: secretClass, Retired: true}}}})
	b.must(err)
	d, err := h.labeling.CreateDataset(t.Context(), ledger.System(), b.project.ID, "gold", purpose)
	b.must(err)
	b.must(h.store.Update(t.Context(), func(tx *store.Tx) error {
		b.items = nil
		for i := range 6 {
			id, text := labeling.ItemID(newID()), fmt.Sprintf("text number %d", i)
			b.items = append(b.items, id)
			if _, err := tx.CreateItem(labeling.Item{ID: id, Project: b.project.ID, Dataset: d.ID, Key: fmt.Sprintf("k%d", i), Text: text,
				Content: ledger.DigestOf([]byte(text)), Status: labeling.StatusQueued, CreatedAt: tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	}))
	b.set(map[string]string{"project": "p", "dataset": string(d.ID), "item": string(b.items[0]), "class": string(b.secret()), "name": secretClass, "recipe": "text-linear",
		"fence": "1", "number": "1", "file": "0-sign-off.dsse.json", "page": newID(), "annotation": newID(), "login": "none", "token": "none", "id": "none", "group": "none", "role": "annotator", "kind": "drafts"})
	for _, who := range []string{"ana", "bo", "lead", "reviewer", "approver", "data_scientist", "auditor", "admin", "boss"} {
		role := ledger.Role(who)
		if who == "ana" || who == "bo" {
			role = ledger.RoleAnnotator
		}
		req := identity.CreatePersonRequest{Username: who, Project: b.project.ID, Roles: []ledger.Role{role}}
		if who == "boss" { // of the installation, and in no project
			req = identity.CreatePersonRequest{Username: who, Admin: true}
		}
		p, _, err := h.identity.CreatePerson(t.Context(), ledger.System(), req)
		b.must(err)
		b.people[who] = ledger.Actor{Person: p.ID, Name: who, Admin: who == "boss", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{b.project.ID: {role}}}
	}
	b.set(map[string]string{"bo": string(b.people["bo"].Person), "person": string(b.people["bo"].Person)})
	list, err := os.ReadFile("../backend/web/testdata/routes.golden")
	b.must(err)
	for line := range strings.Lines(string(list)) {
		f := strings.Fields(line)
		if len(f) > 4 && f[0] != "#" {
			b.routes = append(b.routes, blindRoute{method: f[len(f)-2], pattern: f[len(f)-1], judges: f[2] == "in"})
		}
	}
	if len(b.routes) < 200 {
		t.Fatalf("%d routes were read", len(b.routes))
	}
	if purpose == labeling.PurposeEvaluation && overlap == 1 {
		b.addOpen()
	}
	return b
}

// addOpen adds a dataset that nobody judges blind, with an answer: lists over all
// datasets are asked for otherwise where some are open.
func (b *blind) addOpen() {
	b.t.Helper()
	d, err := b.labeling.CreateDataset(b.t.Context(), ledger.System(), b.project.ID, "open", labeling.PurposeTraining)
	b.must(err)
	id, text := labeling.ItemID(newID()), "open words"
	b.must(b.store.Update(b.t.Context(), func(tx *store.Tx) error {
		_, err := tx.CreateItem(labeling.Item{ID: id, Project: b.project.ID, Dataset: d.ID, Key: "open", Text: text,
			Content: ledger.DigestOf([]byte(text)), Status: labeling.StatusQueued, CreatedAt: tx.Now()})
		return err
	}))
	_, err = b.labeling.Submit(b.t.Context(), b.people["bo"], b.project.ID, labeling.SubmitRequest{Annotation: labeling.Annotation{
		ID: labeling.AnnotationID(newID()), Item: id, Kind: labeling.KindAnswer, Class: b.project.Schema.Classes[1].ID}})
	b.must(err)
}

func (b *blind) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *blind) set(params map[string]string) {
	for name, value := range params {
		b.params[name] = value
	}
}

func (b *blind) secret() labeling.ClassID {
	c, _ := b.project.Schema.ClassNamed(secretClass)
	return c.ID
}

func (b *blind) says(who string, item int, kind labeling.AnnotationKind, class labeling.ClassID, reason string) {
	b.t.Helper()
	_, err := b.labeling.Submit(b.t.Context(), b.people[who], b.project.ID, labeling.SubmitRequest{Annotation: labeling.Annotation{
		ID: labeling.AnnotationID(newID()), Item: b.items[item], Kind: kind, Class: class, Reason: reason}})
	b.must(err)
}

// asked are the questions that are put to a route beside the plain one; what
// stands in braces is filled in.
var asked = map[string][]string{
	"/projects/{project}/items": {"?label={class}", "?status=accepted", "?status=disputed", "?status=queued", "?status=skipped", "?status=trashed", "?person={bo}", "?disagrees=true", "?predicted={class}",
		"?q=number", "?q={name}", "?dataset={dataset}&label={class}", "?label={class}&person={bo}", "?done={bulk}"},
	"/api/v1/projects/{project}/items": {"?label={name}", "?status=accepted", "?status=disputed", "?person={bo}", "?disagrees=true", "?predicted={name}", "?q=number", "?q={name}",
		"?dataset=gold&status=accepted", "?label={name}&person={bo}", "?limit=2"},
	"/projects/{project}/label":                              {"?dataset=gold"},
	"/projects/{project}/label/peek":                         {"?item={item}", "?class={class}&item={item}", "?class={class}"},
	"/api/v1/projects/{project}/peek":                        {"?item={item}", "?class={class}&item={item}", "?class={class}"},
	"/api/v1/projects/{project}/progress":                    {"?dataset=gold"},
	"/api/v1/projects/{project}/export":                      {"?dataset=gold&format=csv", "?dataset=gold&format=tsv", "?dataset=gold&format=jsonl", "?dataset=gold&format=parquet"},
	"/api/v1/projects/{project}/snapshots/{snapshot}/export": {"?format=csv", "?format=tsv", "?format=jsonl", "?format=parquet"},
	"/projects/{project}/snapshots/{snapshot}/diff":          {"?against={earlier}", "?against={earlier}&tab=balance"},
	"/api/v1/projects/{project}/snapshots/{snapshot}/diff":   {"?against={earlier}", "?against={earlier}&kind=relabelled"},
	"/projects/{project}/history":                            {"?record=item:{item}", "?kind=annotation.submitted", "?actor={bo}"},
	"/api/v1/projects/{project}/history":                     {"?record=item:{item}", "?kind=annotation.decided", "?limit=1000", "?actor={bo}&from=2020-01-01&until=2100-01-01"},
	"/projects/{project}/history/export":                     {"?format=csv", "?format=json", "?format=json&record=item:{item}"},
	"/api/v1/projects/{project}/history/export":              {"?format=csv", "?format=json"},
	"/history":                             {"?record=item:{item}"},
	"/api/v1/history":                      {"?limit=1000", "?record=item:{item}", "?kind=annotation.decided", "?actor={bo}&from=2020-01-01&until=2100-01-01"},
	"/history/export":                      {"?format=csv", "?format=json"},
	"/api/v1/history/export":               {"?format=csv", "?format=json"},
	"/projects/{project}/compare/{digest}": {"?class={name}", "?answer={name}", "?classes=all&slices=all"},
	"/api/v1/projects/{project}/comparisons/{digest}/items": {"?class={name}", "?outcome=lost", "?baseline={name}", "?candidate={name}", "?answer={name}"},
	"/projects/{project}/candidates/{candidate}":            {"?tab=data", "?tab=parameters", "?tab=metrics", "?tab=predictions"},
	"/palette":                             {"?project=p"},
	"/api/v1/gate":                         {"?candidate={candidate}&project=p", "?subject={subject}&environment=production&project=p"},
	"/projects/{project}/imports/{import}": {"?label=label&text=text"},
	"/api/v1/projects/{project}/imports/{import}/preview": {"?label=label&text=text", "?format=csv&header=yes&text=text&label=label&key=text&media="},
	"/api/v1/tokens":                                    {"?all=true"},
	"/api/v1/projects/{project}/models":                 {"?name=new"},
	"/api/v1/projects/{project}/candidates":             {"?state=open", "?environment=production"},
	"/projects/{project}/candidates":                    {"?state=open"},
	"/projects/{project}/items/{item}/erase":            {"?confirm=k0"},
	"/projects/{project}/runs/{number}/log/find":        {"?text={name}"},
	"/api/v1/projects/{project}/runs/{number}/log/find": {"?text={name}"},
	"/projects/{project}/predictions/new":               {"?snapshot={snapshot}"},
}

// writes are what whoever only judges sends to the routes that change something:
// a form, or JSON to the API. A route that lets them in and is missing here is
// one about which nobody has thought what its answer tells.
var writes = map[string]string{
	"POST /account": "name=Ana", "POST /account/keys": "do=reset", "POST /account/logins/end-others": "", "POST /account/logins/{login}/end": "", "POST /account/oidc": "",
	"POST /account/oidc/end": "", "POST /account/password": "old=a&new=b", "POST /account/preferences": "language=en", "POST /account/sending": "unseen=on",
	"PATCH /api/v1/me/preferences": `{"text_size":"l"}`, "POST /api/v1/people": `{"username":"zoe"}`, "POST /api/v1/people/invitations": `{"csv":"username\nzoe\n"}`,
	"POST /api/v1/projects": `{"name":"Mine"}`, "POST /api/v1/tokens": `{"name":"mine","scope":"read"}`, "POST /api/v1/tokens/{id}/revoke": `{}`, "POST /api/v1/trash/restore": `{"kind":"dataset","id":"{dataset}"}`,
	"DELETE /api/v1/projects/{project}/annotations/{annotation}":      "",
	"PUT /api/v1/projects/{project}/annotations/{annotation}":         `{"item":"{other}","kind":"skip"}`,
	"POST /api/v1/projects/{project}/candidates/{candidate}/comments": `{"text":"hello"}`,
	"PUT /api/v1/projects/{project}/drafts/{item}":                    `{"typed":"ca"}`,
	"PUT /api/v1/projects/{project}/label-keys":                       `{"off":false,"classes":{}}`,
	"POST /api/v1/projects/{project}/tasks/heartbeat":                 `{"page":"{page}"}`,
	"POST /api/v1/projects/{project}/tasks/lease":                     `{"page":"{page}","skipped":true}`,
	"POST /api/v1/projects/{project}/tasks/release":                   `{"page":"{page}"}`,
	"POST /confirm": "password=a", "POST /desktop/notify": "", "POST /desktop/open": "", "POST /desktop/save": "", "POST /desktop/zoom": "", "POST /first-start": "", "POST /forgot": "username=bo",
	"POST /language": "language=en", "POST /lock": "", "POST /people/invite/list": "csv=username", "POST /projects": "name=Mine", "POST /projects/{project}/candidates/{candidate}/comments": "text=hello",
	"POST /sign-in": "username=ana", "POST /sign-in/oidc": "", "POST /sign-out": "", "POST /tokens": "name=mine", "POST /tokens/{token}/revoke": "", "POST /trash/restore": "kind=dataset&id={dataset}",
	"POST /unlock": "password=a", "POST /welcome": "", "POST /window/sign-in": "", "POST /window/sign-in/fetch": "",
}

var braces = regexp.MustCompile(`\{([a-z]+)\}`)

// fill puts what there is into an address. What is not there yet is asked for by
// a name that nothing has; what nobody knows how to name fails the test.
func (b *blind) fill(text string) string {
	b.t.Helper()
	return strings.ReplaceAll(braces.ReplaceAllStringFunc(text, func(name string) string {
		name = strings.Trim(name, "{}")
		value, known := b.params[name]
		if !known && !slices.Contains([]string{"snapshot", "earlier", "bulk", "digest", "candidate", "subject", "import", "model", "set", "other"}, name) {
			b.t.Errorf("%s: nobody knows what to ask for as %q; add it here", text, name)
		}
		if !known {
			return "none"
		}
		return value
	}), "*", "x")
}

// asker asks as somebody: by their browser, or by a token.
type asker struct {
	who   string
	token string
}

func (v asker) String() string {
	if v.token != "" {
		return v.who + " by token"
	}
	return v.who
}

func (b *blind) login(who string) *http.Cookie {
	b.t.Helper()
	link, err := b.identity.Launch(b.t.Context(), b.people[who].Person)
	b.must(err)
	w := httptest.NewRecorder()
	b.web.ServeHTTP(w, b.request("GET", "/launch?token="+link, ""))
	for _, c := range w.Result().Cookies() {
		return c
	}
	b.t.Fatalf("%s is not signed in: %d %s", who, w.Code, w.Body)
	return nil
}

func (b *blind) request(method, address, body string) *http.Request {
	r := httptest.NewRequestWithContext(b.t.Context(), method, "http://127.0.0.1:0"+address, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(address, "/api/") {
		r.Header.Set("Content-Type", "application/json")
	} else {
		r.Header.Set("Accept", "text/html")
	}
	return r
}

func (b *blind) send(v asker, r *http.Request) (int, string) {
	b.t.Helper()
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	} else {
		if b.cookies[v.who] == nil || r.Method != http.MethodGet { // a write may end the login
			b.cookies[v.who] = b.login(v.who)
		}
		r.AddCookie(b.cookies[v.who])
	}
	w := httptest.NewRecorder()
	b.web.ServeHTTP(w, r)
	return w.Code, b.plain(w.Body.Bytes()) + fmt.Sprint(w.Header())
}

var packed = regexp.MustCompile(`[A-Za-z0-9+/]{40,}={0,2}`)

// plain makes readable what an answer packs: archives, Parquet, Base64.
func (b *blind) plain(body []byte) string {
	b.t.Helper()
	var text strings.Builder
	text.Write(body)
	if archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body))); err == nil {
		for _, f := range archive.File {
			in, err := f.Open()
			b.must(err)
			content, err := io.ReadAll(in)
			b.must(err)
			text.WriteString(b.plain(content))
		}
	}
	if bytes.HasPrefix(body, []byte("PAR1")) {
		f, err := columns.Open(bytes.NewReader(body))
		b.must(err)
		for _, name := range []string{"key", "text", "label", "answer", "status"} {
			for group := range f.Groups() {
				if cells, err := f.Texts(group, name); err == nil {
					text.WriteString(strings.Join(cells, "\n"))
				}
			}
		}
	}
	for _, run := range packed.FindAll(body, -1) {
		if inside, err := base64.StdEncoding.DecodeString(string(run)); err == nil {
			text.WriteString(b.plain(inside))
		}
	}
	return text.String()
}

// tells counts what an answer tells of the secret.
func (b *blind) tells(text string) int {
	return strings.Count(text, secretClass) + strings.Count(text, string(b.secret())) + strings.Count(text, secretReason)
}

var echoes = regexp.MustCompile(`(href|value)="[^"]*"`)

// unasked takes out of the page that answers a question the links and fields
// that hand the question on.
func unasked(question, text string) string {
	if strings.Contains(question, "{class}") || strings.Contains(question, "{name}") {
		return echoes.ReplaceAllString(text, "")
	}
	return text
}

// ask puts every question to every route that only shows, and returns what each
// answer tells, by route and question.
func (b *blind) ask(v asker) map[string]int {
	b.t.Helper()
	told := map[string]int{}
	for _, rt := range b.routes {
		if rt.method != http.MethodGet || rt.pattern == "/projects/{project}/live" || v.token != "" && !strings.HasPrefix(rt.pattern, "/api/") {
			continue // the socket has a test of its own below
		}
		for _, question := range append([]string{""}, asked[rt.pattern]...) {
			code, text := b.send(v, b.request("GET", b.fill(rt.pattern+question), ""))
			if code >= http.StatusInternalServerError && code != http.StatusServiceUnavailable && code != http.StatusNotImplemented {
				b.t.Errorf("%s, GET %s: %d %s", v, b.fill(rt.pattern+question), code, text)
			}
			told[rt.pattern+question] = b.tells(unasked(question, text))
		}
	}
	for pattern := range asked {
		if !slices.ContainsFunc(b.routes, func(rt blindRoute) bool { return rt.pattern == pattern }) {
			b.t.Errorf("there is no route %s any more", pattern)
		}
	}
	return told
}

// tellingFilter is a filter of a list of items that tells by what it lets through
// what became of an item.
var tellingFilter = regexp.MustCompile(`/items\?.*(label|person|disagrees|predicted|status=(accepted|disputed|skipped))`)

// learnsNothing asks again and wants every answer to tell what it told before
// anybody had answered, and no filter to let through what others made of an item.
func (b *blind) learnsNothing(v asker, before map[string]int) {
	b.t.Helper()
	for _, rt := range b.routes {
		for _, question := range asked[rt.pattern] {
			if strings.Contains(question, "person") && v.who != "ana" {
				continue // that somebody answered is no secret among those who work with answers
			}
			if rt.method != http.MethodGet || !tellingFilter.MatchString(rt.pattern+question) || v.token != "" && !strings.HasPrefix(rt.pattern, "/api/") {
				continue
			}
			code, text := b.send(v, b.request("GET", b.fill(rt.pattern+question), ""))
			var list struct {
				Total *int64            `json:"total"`
				Items []json.RawMessage `json:"items"`
			}
			program := strings.HasPrefix(rt.pattern, "/api/")
			if program {
				_ = json.NewDecoder(strings.NewReader(text)).Decode(&list) // none fails below
			}
			if code != http.StatusOK || strings.Contains(text, "text number") || program && (list.Total == nil || *list.Total != int64(len(list.Items))) {
				b.t.Errorf("%s learns by what a filter lets through: GET %s: %d %.2000s", v, b.fill(rt.pattern+question), code, text)
			}
		}
	}
	for question, now := range b.ask(v) {
		if now > before[question] {
			_, text := b.send(v, b.request("GET", b.fill(question), ""))
			at := max(0, strings.Index(text, secretReason))
			if i := strings.LastIndex(text, secretClass); i >= 0 {
				at = max(0, i-150)
			}
			b.t.Errorf("%s learns what others said: GET %s tells of it %d times, %d times before:\n…%s…", v, b.fill(question), now, before[question], text[at:min(len(text), at+300)])
		}
	}
}

// answersAll wants somebody who sees everything to be answered every question:
// one that is misspelt tells nobody anything.
func (b *blind) answersAll(v asker) {
	b.t.Helper()
	for _, rt := range b.routes {
		for _, question := range asked[rt.pattern] {
			if rt.method != http.MethodGet || strings.Contains(rt.pattern, "/runs/{number}/") {
				continue // nobody trained anything here
			}
			if code, text := b.send(v, b.request("GET", b.fill(rt.pattern+question), "")); code != http.StatusOK {
				b.t.Errorf("%s asks for nothing that is there, GET %s: %d %.300s", v, b.fill(rt.pattern+question), code, text)
			}
		}
	}
	b.everyParameterIsAsked(v)
}

// everyParameterIsAsked wants a question for each parameter of the API, and no
// question by a parameter that there is not.
func (b *blind) everyParameterIsAsked(v asker) {
	b.t.Helper()
	var api struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, In string }
		}
	}
	_, text := b.send(v, b.request("GET", "/api/v1/openapi.json", ""))
	b.must(json.NewDecoder(strings.NewReader(text)).Decode(&api))
	if len(api.Paths) < 50 {
		b.t.Fatalf("%d paths were read", len(api.Paths))
	}
	for path, methods := range api.Paths {
		path = "/api/v1" + path
		declared := map[string]bool{"after": true, "limit": true, "before": true} // where a page begins and ends
		questions := strings.Join(asked[path], "&")
		for _, p := range methods["get"].Parameters {
			if p.In != "query" {
				continue
			}
			if !declared[p.Name] && !regexp.MustCompile("[?&]"+p.Name+"=").MatchString(questions) {
				b.t.Errorf("nobody asks GET %s by %s=; add it to asked", path, p.Name)
			}
			declared[p.Name] = true
		}
		for _, q := range regexp.MustCompile(`[?&]([a-z_]+)=`).FindAllStringSubmatch(questions, -1) {
			if !declared[q[1]] {
				b.t.Errorf("GET %s has no parameter %s", path, q[1])
			}
		}
	}
}

// learns wants answers to tell more than before anybody had answered.
func (b *blind) learns(v asker, before map[string]int, questions ...string) {
	b.t.Helper()
	for _, question := range questions {
		code, text := b.send(v, b.request("GET", b.fill(question), ""))
		if b.tells(unasked(question, text)) <= before[question] {
			b.t.Errorf("%s is told nothing by GET %s: %d %.300s", v, b.fill(question), code, text)
		}
	}
}

// writesNothing sends what changes something, and wants no answer to tell.
func (b *blind) writesNothing(v asker) {
	b.t.Helper()
	known := map[string]bool{}
	for _, rt := range b.routes {
		if rt.method == http.MethodGet {
			continue
		}
		route := rt.method + " " + rt.pattern
		body, listed := writes[route]
		known[route] = listed
		if rt.judges && !listed {
			b.t.Errorf("%s lets in who only judges, and nobody knows how to ask it; add it to writes", route)
			continue
		}
		if strings.HasSuffix(rt.pattern, "/items/{item}/show") && v.who != "ana" {
			continue // whoever may shall be shown it, and is not asked any more
		}
		if !listed && strings.HasPrefix(rt.pattern, "/api/") && rt.method != http.MethodDelete {
			body = "{}" // refused or not, it has an answer
		}
		code, text := b.send(v, b.request(rt.method, b.fill(rt.pattern), b.fill(body)))
		if strings.HasSuffix(route, "/schema") {
			text = strings.NewReplacer(secretClass, "", string(b.secret()), "").Replace(text) // it says which classes there are
		}
		if b.tells(text) > 0 || code == http.StatusInternalServerError {
			b.t.Errorf("%s learns what others said by %s: %d %s", v, route, code, text)
		}
	}
	for route := range writes {
		if !known[route] {
			b.t.Errorf("there is no route %s any more", route)
		}
	}
}

// listen opens the socket of a page and hands over what comes in, raw.
func (b *blind) listen(who string) <-chan string {
	b.t.Helper()
	server := httptest.NewServer(b.web)
	b.t.Cleanup(server.Close)
	cookie := b.login(who)
	conn, answer, err := websocket.DefaultDialer.DialContext(b.t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/projects/p/live?page=items",
		http.Header{"Host": {"127.0.0.1:0"}, "Origin": {"http://127.0.0.1:0"}, "Cookie": {cookie.Name + "=" + cookie.Value}})
	if err != nil {
		b.t.Fatalf("%v: %+v", err, answer)
	}
	_ = answer.Body.Close()
	b.t.Cleanup(func() { _ = conn.Close() })
	heard := make(chan string, 1000)
	go func() {
		defer close(heard)
		for {
			_, message, err := conn.ReadMessage()
			if err != nil {
				return
			}
			heard <- string(message)
		}
	}()
	return heard
}

// hears reads until a kind of event was told, and wants nothing told of the secret.
func (b *blind) hears(heard <-chan string, kinds ...string) {
	b.t.Helper()
	for len(kinds) > 0 {
		select {
		case message, open := <-heard:
			if !open {
				b.t.Fatalf("the socket ended before it told of %s", kinds)
			}
			if b.tells(message) > 0 {
				b.t.Errorf("the socket tells what others said: %s", message)
			}
			kinds = slices.DeleteFunc(kinds, func(kind string) bool { return strings.Contains(message, `"`+kind+`"`) })
		case <-time.After(time.Minute):
			b.t.Fatalf("the socket never told of %s", kinds)
		}
	}
}

func (b *blind) askers(who ...string) []asker {
	b.t.Helper()
	var all []asker
	for _, name := range who {
		all = append(all, asker{who: name})
	}
	return all
}

// token is somebody who reads by a token.
func (b *blind) token(who string) asker {
	b.t.Helper()
	_, secret, err := b.identity.CreateToken(b.t.Context(), b.people[who], identity.CreateTokenRequest{Name: "reads", Scope: ledger.ScopeRead})
	b.must(err)
	return asker{who: who, token: secret}
}

// TestNobodyLearnsOfEvaluationDataWhatOthersSaidBeforeTheirOwnAnswer asks every
// route of the server as everybody, before and after somebody has answered,
// decided and changed in bulk, and everything was made of it that can be made.
func TestNobodyLearnsOfEvaluationDataWhatOthersSaidBeforeTheirOwnAnswer(t *testing.T) {
	t.Parallel()
	b := newBlind(t, labeling.PurposeEvaluation, 1)
	judges := append(b.askers("ana"), b.token("ana"))
	others := b.askers("lead", "reviewer", "data_scientist", "admin", "approver", "auditor", "boss")
	before := map[asker]map[string]int{}
	for _, v := range slices.Concat(judges, others) {
		before[v] = b.ask(v)
	}
	heard := b.listen("ana")
	b.becomeKnown()
	b.hears(heard, "annotation.submitted", "annotation.skipped", "annotation.decided", "items.relabelled", "snapshot.created", "comparison.created")

	for _, v := range judges {
		b.learnsNothing(v, before[v])
	}
	b.writesNothing(judges[0])
	b.answersAll(others[6])
	const page, program = "/projects/{project}", "/api/v1/projects/{project}"
	for _, v := range others {
		b.learns(v, before[v], page+"/items", page+"/items?label={class}", page+"/items?person={bo}", page+"/items/{item}", program+"/items", program+"/items?status=accepted", program+"/items/{item}",
			page+"/snapshots/{snapshot}", program+"/snapshots/{snapshot}", program+"/snapshots", page+"/snapshots/{snapshot}/diff?against={earlier}", program+"/snapshots/{snapshot}/diff?against={earlier}",
			page+"/candidates/{candidate}/evidence/{file}", page+"/candidates/{candidate}/evidence.zip", program+"/candidates/{candidate}/evidence",
			page+"/compare/{digest}", page+"/compare/{digest}/document", program+"/comparisons/{digest}", program+"/comparisons/{digest}/items", page+"/models/{model}")
		switch v.who {
		case "lead", "data_scientist", "admin", "auditor", "boss":
			b.learns(v, before[v], program+"/history?limit=1000", page+"/history?record=item:{item}", page+"/history/export?format=json", program+"/history/export?format=csv")
			for _, format := range []string{"csv", "tsv", "jsonl", "parquet"} {
				b.learns(v, before[v], program+"/export?dataset=gold&format="+format, program+"/snapshots/{snapshot}/export?format="+format)
			}
		}
	}
	cat := b.project.Schema.Classes[0].ID
	b.says("ana", 0, labeling.KindAnswer, cat, "")
	for _, v := range judges {
		if v.token == "" {
			b.learns(v, before[v], page+"/items/{item}", page+"/label/peek?item={item}")
		}
		b.learns(v, before[v], program+"/items/{item}")
	}
	b.says("ana", 4, labeling.KindAnswer, b.secret(), "")
	for _, v := range judges {
		if v.token == "" {
			b.learns(v, before[v], page+"/items", page+"/items?label={class}")
		}
		b.learns(v, before[v], program+"/items", program+"/items?label={name}")
	}
}

// becomeKnown has people answer, and makes of it what can be made.
func (b *blind) becomeKnown() {
	b.t.Helper()
	t, cat := b.t, b.project.Schema.Classes[0].ID
	for _, item := range []int{0, 4} {
		b.says("bo", item, labeling.KindAnswer, b.secret(), "")
	}
	b.says("bo", 1, labeling.KindSkip, "", secretReason+" I cannot tell")
	_, err := b.labeling.Adjudicate(t.Context(), b.people["lead"], b.project.ID, b.items[2], cat, secretReason+" it is one")
	b.must(err)
	bulk, err := b.labeling.ChangeItems(t.Context(), b.people["lead"], b.project.ID, labeling.BulkRequest{Action: labeling.BulkRelabel, Class: cat, Reason: secretReason + " all of them", Items: b.items[3:4]})
	b.must(err)
	freeze := func(name string) labeling.Snapshot {
		snap, err := b.labeling.CreateSnapshot(t.Context(), b.people["lead"], b.project.ID, labeling.CreateSnapshotRequest{Name: name, Datasets: []string{"gold"}})
		b.must(err)
		settle(t, b.house)
		snap, err = b.labeling.Snapshot(t.Context(), b.people["lead"], b.project.ID, string(snap.ID))
		b.must(err)
		return snap
	}
	earlier := freeze("first")
	_, err = b.labeling.Adjudicate(t.Context(), b.people["lead"], b.project.ID, b.items[5], cat, secretReason+" this one too")
	b.must(err)
	snap := freeze("second")
	var models [2]compare.Model
	var sets [2]compare.PredictionSet
	for i, name := range []string{"old", "new"} {
		b.must(b.store.Update(t.Context(), func(tx *store.Tx) (err error) {
			models[i], err = tx.CreateModel(compare.Model{ID: compare.ModelID(newID()), Project: b.project.ID, Name: name, Digest: ledger.DigestOf([]byte(name)),
				Params: json.RawMessage("{}"), Environment: json.RawMessage("{}"), CreatedAt: tx.Now()})
			return err
		}))
		sets[i], err = b.compare.AddPredictions(t.Context(), b.people["data_scientist"], compare.AddRequest{Project: b.project.ID, Model: models[i].ID, Snapshot: snap.ID,
			Rows: func(yield func(compare.Prediction, error) bool) {
				for j, key := range []string{"k0", "k2", "k3", "k4", "k5"} {
					if !yield(compare.Prediction{Key: key, Class: []string{secretClass, "Cat"}[(i+j)%2], Score: compare.NoScore, Runner: compare.NoScore}, nil) {
						return
					}
				}
			}})
		b.must(err)
	}
	settle(t, b.house)
	b.must(b.store.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.SuggestAnswers(labeling.DatasetID(b.params["dataset"]), models[1].ID, []compare.Suggestion{{Key: "k0", Class: b.secret(), Score: compare.NoScore, Uncertainty: compare.NoScore}, {Key: "k2", Class: b.secret(), Score: compare.NoScore, Uncertainty: compare.NoScore}})
		return err
	}))
	compared, err := b.compare.Compare(t.Context(), b.people["data_scientist"], compare.CompareRequest{Project: b.project.ID, Baseline: "old", Candidate: "new", Snapshot: snap.ID})
	b.must(err)
	candidate, err := b.review.Propose(t.Context(), b.people["data_scientist"], review.ProposeRequest{Project: b.project.ID, Model: compare.ModelRef{Name: "new"}, Environment: review.Production})
	b.must(err)
	settle(t, b.house)
	file, err := b.labeling.Upload(t.Context(), b.people["lead"], b.project.ID, "gold.csv", strings.NewReader("text,label\nanother,"+secretClass+"\n"))
	b.must(err)
	// A vote names the comparison, so that it goes out with the evidence.
	b.must(b.store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.CreateVote(review.Vote{ID: review.VoteID(newID()), Candidate: candidate.ID, Subject: candidate.Subject, Environment: candidate.Environment, Policy: candidate.Policy,
			Person: b.people["reviewer"].Person, Role: ledger.RoleReviewer, Label: "release", Value: 1, Words: "Yes", Evidence: []ledger.Digest{compared.Record.Digest}, At: tx.Now()})
	}))
	b.set(map[string]string{"bulk": string(bulk.ID), "file": "comparison-" + compared.Record.Digest.Hex()[:12] + ".json", "earlier": string(earlier.ID), "snapshot": string(snap.ID), "model": string(models[1].ID), "set": string(sets[1].ID),
		"digest": compared.Record.Digest.Hex(), "candidate": fmt.Sprint(candidate.Number), "subject": string(models[1].Digest), "import": string(file.ID), "other": string(b.items[5])})
}

// TestNobodyWhoMayBeAskedNextLearnsWhatOthersSaid does the same where two people
// judge each item, and one of them has.
func TestNobodyWhoMayBeAskedNextLearnsWhatOthersSaid(t *testing.T) {
	t.Parallel()
	b := newBlind(t, labeling.PurposeTraining, 2)
	open := append(b.askers("ana", "lead", "reviewer", "data_scientist", "admin", "boss"), b.token("ana"), b.token("lead"), b.token("data_scientist"))
	never := b.askers("approver", "auditor")
	before := map[asker]map[string]int{}
	for _, v := range slices.Concat(open, never) {
		before[v] = b.ask(v)
	}
	heard := b.listen("lead")
	b.says("bo", 0, labeling.KindAnswer, b.secret(), "")
	b.says("bo", 1, labeling.KindSkip, "", secretReason+" I cannot tell")
	b.set(map[string]string{"other": string(b.items[5])})
	b.hears(heard, "annotation.submitted", "annotation.skipped")

	for _, v := range open {
		b.learnsNothing(v, before[v])
	}
	b.writesNothing(open[0])
	const page, program = "/projects/{project}", "/api/v1/projects/{project}"
	for _, v := range never {
		b.learns(v, before[v], page+"/items/{item}", program+"/items/{item}")
	}
	b.learns(never[1], before[never[1]], page+"/history?record=item:{item}", program+"/history?limit=1000", page+"/history/export?format=json", program+"/history/export?format=csv")

	lead := open[1]
	code, text := b.send(lead, b.request("POST", b.fill(page+"/items/{item}/show"), ""))
	if code != http.StatusSeeOther {
		t.Fatalf("to have answers shown: %d %s", code, text)
	}
	b.learns(lead, before[lead], page+"/items/{item}", program+"/items/{item}", page+"/label/peek?item={item}", page+"/history?record=item:{item}", program+"/history?limit=1000", program+"/history/export?format=json")
	b.learns(open[7], before[open[7]], program+"/items/{item}")
	b.says("ana", 0, labeling.KindAnswer, b.secret(), "")
	for _, v := range open {
		b.learns(v, before[v], program+"/items/{item}", program+"/items")
	}
}

// TestNoAnswerToAWriteTellsWhoMayBeAskedNext sends what changes something as each
// who labels and does more than that, each to a server of their own: a form that
// is refused is a page, too.
func TestNoAnswerToAWriteTellsWhoMayBeAskedNext(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"lead", "reviewer", "data_scientist", "admin", "boss"} {
		b := newBlind(t, labeling.PurposeTraining, 2)
		b.says("bo", 0, labeling.KindAnswer, b.secret(), "")
		b.says("bo", 1, labeling.KindSkip, "", secretReason+" I cannot tell")
		b.set(map[string]string{"other": string(b.items[5])})
		// What deletes comes last, so that there is something to be told of.
		slices.SortStableFunc(b.routes, func(x, y blindRoute) int {
			last := func(rt blindRoute) int { return len(ending.FindString(rt.method + " " + rt.pattern)) }
			return last(x) - last(y)
		})
		b.writesNothing(asker{who: who})
	}
}

var ending = regexp.MustCompile("^DELETE|/trash|/erase|/erasure|/end$")
