package app

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/identity"
)

// Tests of signing in from outside use a real OpenID Connect provider, the
// server of github.com/zitadel/oidc as build/tools/provider starts it:
//
//	p := startProvider(t, guest{Subject: "u-1", Username: "nora", Name: "Nora N.", Groups: []string{"ward-3"}})
//	address, _, stop := startServerWith(t, t.TempDir(), p.env(), p.flags()...)
//	nora := newBrowser(t)
//	nora.signInAt(p, address, "nora", url.Values{})                       // makes Nora a person
//	bo.signInAt(p, address, "bo", url.Values{"token": {invitationSecret}}) // takes an invitation
//	p.set(guests...)                                                      // holds from the next sign-in on
//
// Every guest's password at the provider is their username.

// guest is somebody whom the provider knows.
type guest struct {
	Subject  string   `json:"subject"`
	Username string   `json:"username"`
	Password string   `json:"password"`
	Name     string   `json:"name"`
	Email    string   `json:"email,omitempty"`
	Groups   []string `json:"groups"`
}

// provider is a running OpenID Connect provider.
type provider struct {
	t      testing.TB
	issuer string
	people string // file
}

var (
	providerOnce sync.Once
	providerPath string
	errProvider  error
)

// startProvider builds the provider, once for all tests, and starts it.
func startProvider(t testing.TB, guests ...guest) *provider {
	t.Helper()
	providerOnce.Do(func() {
		providerPath = filepath.Join(binaryFolder, "provider")
		build := exec.Command("go", "build", "-C", filepath.Join("..", "build", "tools", "provider"), "-ldflags=-X main.ahead="+ahead, "-o", providerPath, ".")
		if out, err := build.CombinedOutput(); err != nil {
			errProvider = fmt.Errorf("build the provider: %w\n%s", err, out)
		}
	})
	if errProvider != nil {
		t.Fatal(errProvider)
	}
	p := &provider{t: t, people: filepath.Join(t.TempDir(), "people.json")}
	p.set(guests...)
	cmd := exec.Command(providerPath, "-people", p.people)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it keeps nothing
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	issuer, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		t.Fatalf("the provider said %q, %v", line, err)
	}
	p.issuer = issuer
	return p
}

// set says whom the provider knows from now on.
func (p *provider) set(guests ...guest) {
	p.t.Helper()
	for i := range guests {
		guests[i].Password = guests[i].Username
	}
	text, err := json.Marshal(guests)
	if err != nil {
		p.t.Fatal(err)
	}
	// Renamed into place: the provider may read at this moment.
	if err := os.WriteFile(p.people+".new", text, 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(p.people+".new", p.people); err != nil {
		p.t.Fatal(err)
	}
}

func (p *provider) env() []string { return []string{"ADJUDGE_OIDC_SECRET=secret"} }

func (p *provider) flags() []string {
	return []string{"--oidc-issuer", p.issuer, "--oidc-client-id", "adjudge", "--oidc-name", "St. Mary’s", "--oidc-scope", "groups"}
}

// browser is an HTTP client with cookies that follows pages as a browser does.
type browser struct {
	*http.Client
	t testing.TB
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{Client: &http.Client{Jar: jar}, t: t}
}

// answerRead is an answer that was read.
type answerRead struct {
	status  int
	address *url.URL
	text    string
}

func (b *browser) send(method, address string, form url.Values) answerRead {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answerRead{answer.StatusCode, answer.Request.URL, string(text)}
}

func (b *browser) get(address string) answerRead {
	b.t.Helper()
	return b.send(http.MethodGet, address, nil)
}

func (b *browser) post(address string, form url.Values) answerRead {
	b.t.Helper()
	return b.send(http.MethodPost, address, form)
}

var (
	refreshTo = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]+)"`)
	requestID = regexp.MustCompile(`name="id" value="([^"]+)"`)
)

// setOut presses the button that leads to the provider, and returns what the
// provider shows: its form, or what the server says where it let them through.
func (b *browser) setOut(button string, form url.Values) answerRead {
	b.t.Helper()
	away := b.post(button, form)
	to := refreshTo.FindStringSubmatch(away.text)
	if to == nil {
		b.t.Fatalf("%s does not lead to the provider: %d %.600s", button, away.status, away.text)
	}
	return b.get(strings.ReplaceAll(to[1], "&amp;", "&"))
}

// identify fills in the provider's form and returns what the server says at the end.
func (b *browser) identify(p *provider, at answerRead, username string) answerRead {
	b.t.Helper()
	id := requestID.FindStringSubmatch(at.text)
	if id == nil {
		b.t.Fatalf("the provider shows no form: %d %s %.600s", at.status, at.address, at.text)
	}
	return b.post(p.issuer+"/login", url.Values{"id": {id[1]}, "username": {username}, "password": {username}})
}

// signInAt signs in at a server by the provider; form holds the secret of an
// invitation ("token") or where to go on ("next").
func (b *browser) signInAt(p *provider, server, username string, form url.Values) answerRead {
	b.t.Helper()
	end := b.identify(p, b.setOut(server+"/sign-in/oidc", form), username)
	if end.status != http.StatusOK {
		b.t.Fatalf("%s could not sign in: %d %.800s", username, end.status, end.text)
	}
	return end
}

// call asks the API in the name of the credential file's owner.
func callAPI(t testing.TB, method, address, token string, body, into any) int {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err == nil && into != nil && answer.StatusCode < 300 {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatalf("%s %s: %d %v %.400s", method, address, answer.StatusCode, err, raw)
	}
	return answer.StatusCode
}

// whoami returns who a browser is signed in as, "" for nobody.
func (b *browser) whoami(server string) (username string, roles map[string][]string) {
	b.t.Helper()
	got := b.get(server + "/api/v1/me")
	if got.status != http.StatusOK {
		return "", nil
	}
	var me struct {
		Username string              `json:"username"`
		Roles    map[string][]string `json:"roles"`
	}
	if err := json.Unmarshal([]byte(got.text), &me); err != nil {
		b.t.Fatalf("%v: %s", err, got.text)
	}
	return me.Username, me.Roles
}

func TestPeopleSignInAtARealProvider(t *testing.T) {
	t.Parallel()
	nora := guest{Subject: "u-1", Username: "nora", Name: "Nora N.", Email: "nora@example.org", Groups: []string{"/ward-3", "unknown"}}
	p := startProvider(t, nora)
	address, token, stop := startServerWith(t, t.TempDir(), p.env(), p.flags()...)
	defer stop()
	api := address + "/api/v1"
	if status := callAPI(t, http.MethodPost, api+"/projects", token, map[string]any{"name": "Triage", "slug": "triage"}, nil); status >= 300 {
		t.Fatalf("the project was not made: %d", status)
	}
	callAPI(t, http.MethodPost, api+"/groups", token, map[string]any{"name": "Ward 3"}, nil)
	if status := callAPI(t, http.MethodPut, api+"/groups/Ward%203/provider-names?name=%2Fward-3", token, map[string]any{}, nil); status != http.StatusNoContent {
		t.Fatalf("a group could not be mapped: %d", status)
	}
	if status := callAPI(t, http.MethodPut, api+"/projects/triage/groups/Ward%203/roles/annotator", token, map[string]any{"reason": "they triage"}, nil); status != http.StatusNoContent {
		t.Fatalf("a group was given no role: %d", status)
	}

	// The first sign-in makes the person, with the roles of the groups that are known here.
	b := newBrowser(t)
	b.signInAt(p, address, "nora", url.Values{"next": {"/account"}})
	username, roles := b.whoami(address)
	if username != "nora" || len(roles) != 1 {
		t.Fatalf("nora is %q with %v", username, roles)
	}

	// Who is known there is let through; the second sign-in is the same person.
	again := b.setOut(address+"/sign-in/oidc", url.Values{"next": {"/account"}})
	if again.status != http.StatusOK || again.address.Path != "/account" {
		t.Errorf("a second sign-in ended at %s with %d", again.address, again.status)
	}
	var people struct{ Items []struct{ Username string } }
	callAPI(t, http.MethodGet, api+"/people", token, nil, &people)
	if len(people.Items) != 2 {
		t.Errorf("there are %d people, and should be the owner and nora", len(people.Items))
	}

	// Whoever is taken out of the group there loses it here at the next sign-in.
	nora.Groups = []string{"unknown"}
	p.set(nora)
	b.signInAt(p, address, "nora", url.Values{"fresh": {"yes"}})
	if _, roles := b.whoami(address); len(roles) != 0 {
		t.Errorf("nora kept %v after she left the group at the provider", roles)
	}

	// Signing out here leads to a page that offers to sign out there, and the
	// provider must ask whoever comes next.
	left := b.post(address+"/sign-out", url.Values{})
	if left.address.Query().Get("left") == "" || !strings.Contains(left.text, p.issuer+"/end_session") || !strings.Contains(left.text, `name="fresh"`) {
		t.Errorf("after signing out the page at %s does not lead on to the provider", left.address)
	}
	if username, _ := b.whoami(address); username != "" {
		t.Errorf("%s is still signed in", username)
	}
	if at := b.setOut(address+"/sign-in/oidc", url.Values{"fresh": {"yes"}}); requestID.FindStringSubmatch(at.text) == nil {
		t.Errorf("the provider let in whoever was there last: %s", at.address)
	}
}

func TestAnInvitationIsTakenAtTheProviderAndNamesAloneLinkNobody(t *testing.T) {
	t.Parallel()
	p := startProvider(t,
		guest{Subject: "u-1", Username: "bo", Name: "Bo B.", Email: "bo@example.org"},
		guest{Subject: "u-2", Username: "cleo", Name: "Cleo"})
	address, token, stop := startServerWith(t, t.TempDir(), p.env(), p.flags()...)
	defer stop()
	api := address + "/api/v1"
	if status := callAPI(t, http.MethodPost, api+"/projects", token, map[string]any{"name": "Triage", "slug": "triage"}, nil); status >= 300 {
		t.Fatalf("the project was not made: %d", status)
	}
	var list struct {
		Items []struct{ Username, Link string }
	}
	callAPI(t, http.MethodPost, api+"/people/invitations", token, map[string]any{"csv": "name,e-mail,project,roles\nBo,bo@example.org,triage,annotator\nCleo,cleo,triage,annotator\n"}, &list)
	secret := func(link string) string {
		at, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		return at.Query().Get("token")
	}

	// Cleo's name is taken by the invitation: the provider alone makes nobody of her.
	cleo := newBrowser(t)
	end := cleo.identify(p, cleo.setOut(address+"/sign-in/oidc", url.Values{}), "cleo")
	if end.status != http.StatusUnprocessableEntity || !strings.Contains(end.text, "Somebody signs in here as cleo already") {
		t.Errorf("a name alone made somebody cleo: %d %.400s", end.status, end.text)
	}

	// The invitation does, once.
	bo := newBrowser(t)
	bo.signInAt(p, address, "bo", url.Values{"token": {secret(list.Items[0].Link)}})
	if username, roles := bo.whoami(address); username != "bo@example.org" || len(roles) != 1 {
		t.Errorf("bo is %q with %v", username, roles)
	}
	thief := newBrowser(t)
	end = thief.identify(p, thief.setOut(address+"/sign-in/oidc", url.Values{"token": {secret(list.Items[0].Link)}}), "cleo")
	if end.status != http.StatusUnprocessableEntity || !strings.Contains(end.text, "used already") {
		t.Errorf("an invitation was taken twice: %d %.400s", end.status, end.text)
	}

	// Bo's account at the provider is bo@example.org here and nobody else.
	end = bo.setOut(address+"/sign-in/oidc", url.Values{"token": {secret(list.Items[1].Link)}})
	if end.status != http.StatusUnprocessableEntity || !strings.Contains(end.text, "choose another") {
		t.Errorf("one account at the provider became two people: %d %.400s", end.status, end.text)
	}
	// The refusal used up nothing: Cleo's own invitation still waits for her.
	cleo.signInAt(p, address, "cleo", url.Values{"token": {secret(list.Items[1].Link)}, "fresh": {"yes"}})
	if username, roles := cleo.whoami(address); username != "cleo" || len(roles) != 1 {
		t.Errorf("cleo is %q with %v", username, roles)
	}
}

func TestAnAnswerThatIsNotForThisBrowserIsRefused(t *testing.T) {
	t.Parallel()
	p := startProvider(t, guest{Subject: "u-1", Username: "nora", Name: "Nora"}, guest{Subject: "u-2", Username: "mallory", Name: "Mallory"})
	address, _, stop := startServerWith(t, t.TempDir(), p.env(), p.flags()...)
	defer stop()

	// Mallory signs in at the provider and keeps the answer for somebody else.
	mallory := newBrowser(t)
	var answer string
	mallory.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/sign-in/oidc/callback" {
			answer = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	mallory.identify(p, mallory.setOut(address+"/sign-in/oidc", url.Values{}), "mallory")
	if answer == "" {
		t.Fatal("there is no answer to keep")
	}
	refused := func(why string, b *browser, address string) {
		t.Helper()
		got := b.get(address)
		if name, _ := b.whoami(got.address.Scheme + "://" + got.address.Host); name != "" || got.status < 400 {
			t.Errorf("%s: %d, signed in as %q", why, got.status, name)
		}
	}
	victim := newBrowser(t)
	refused("a browser that never set out", victim, answer)
	victim.setOut(address+"/sign-in/oidc", url.Values{})
	refused("a browser that set out itself", victim, answer)
	state := regexp.MustCompile(`state=[^&]+`)
	victim.setOut(address+"/sign-in/oidc", url.Values{})
	refused("an answer without its state", victim, state.ReplaceAllString(answer, "state="))
	refused("somebody turned back at the provider", victim, address+"/sign-in/oidc/callback?error=access_denied&state=x")

	// A look ahead uses nothing up; the answer is good once.
	mallory.CheckRedirect = nil
	for _, look := range []func(*http.Request){func(r *http.Request) { r.Method = http.MethodHead }, func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch") }} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, answer, nil)
		if err != nil {
			t.Fatal(err)
		}
		look(r)
		got, err := mallory.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = got.Body.Close()
		if len(got.Cookies()) > 0 {
			t.Errorf("a look ahead set %v", got.Cookies())
		}
	}
	if got := mallory.get(answer); got.status != http.StatusOK {
		t.Errorf("the answer in its own browser gave %d %.300s", got.status, got.text)
	}
	if name, _ := mallory.whoami(address); name != "mallory" {
		t.Errorf("mallory is %q", name)
	}
	if got := mallory.get(answer); got.address.Path != "/" {
		t.Errorf("a reload of the answer ended at %s", got.address)
	}
}

func TestTheLastAdminStaysWhateverTheProviderSays(t *testing.T) {
	t.Parallel()
	nora := guest{Subject: "u-1", Username: "nora", Name: "Nora", Groups: []string{"admins"}}
	p := startProvider(t, nora)
	address, token, stop := startServerWith(t, t.TempDir(), p.env(), p.flags()...)
	defer stop()
	api := address + "/api/v1"
	b := newBrowser(t)
	b.signInAt(p, address, "nora", nil)
	if status := callAPI(t, http.MethodPatch, api+"/people/nora", token, map[string]any{"admin": true, "reason": "runs this"}, nil); status != http.StatusOK {
		t.Fatalf("nora was not made an admin: %d", status)
	}
	isAdmin := func() bool { return b.get(address+"/people").status == http.StatusOK }

	// No group there makes or unmakes an admin of the installation here.
	nora.Groups = nil
	p.set(nora)
	b.signInAt(p, address, "nora", url.Values{"fresh": {"yes"}})
	if !isAdmin() {
		t.Error("the provider's groups took the admin away")
	}
	// She is the only one who can sign in: the owner of the machine has not arrived.
	for what, send := range map[string]func() int{
		"taking the role": func() int {
			return callAPI(t, http.MethodPatch, api+"/people/nora", token, map[string]any{"admin": false, "reason": "x"}, nil)
		},
		"deactivating": func() int {
			return callAPI(t, http.MethodPatch, api+"/people/nora", token, map[string]any{"disabled": true, "reason": "x"}, nil)
		},
		"erasing": func() int {
			return callAPI(t, http.MethodPost, api+"/people/nora/erasure", token, map[string]any{"confirm": "nora", "reason": "x"}, nil)
		},
	} {
		if status := send(); status < 400 || status >= 500 {
			t.Errorf("%s: %d", what, status)
		}
		if !isAdmin() {
			t.Fatalf("%s removed the last admin", what)
		}
	}
}

func TestWhoHasNoPasswordConfirmsAtTheProviderOnceForEachChange(t *testing.T) {
	t.Parallel()
	p := startProvider(t, guest{Subject: "u-1", Username: "nora", Name: "Nora"}, guest{Subject: "u-2", Username: "mallory", Name: "Mallory"})
	address, _, stop := startServerWith(t, t.TempDir(), p.env(), p.flags()...)
	defer stop()
	nora := newBrowser(t)
	nora.signInAt(p, address, "nora", nil)
	setPassword := func() answerRead {
		return nora.post(address+"/account/password", url.Values{"password": {"a password of her own"}})
	}
	if got := setPassword(); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text, "Confirm that it is you") {
		t.Errorf("an open browser alone set a password: %d", got.status)
	}
	// Somebody else's account there proves nothing here.
	if got := nora.identify(p, nora.setOut(address+"/confirm", url.Values{"next": {"/account"}}), "mallory"); got.status != http.StatusUnprocessableEntity && got.status != http.StatusBadRequest {
		t.Errorf("mallory confirmed for nora: %d %s", got.status, got.address)
	}
	if got := setPassword(); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a password was set after a refused confirmation: %d", got.status)
	}
	if got := nora.identify(p, nora.setOut(address+"/confirm", url.Values{"next": {"/account"}}), "nora"); got.address.Path != "/account" {
		t.Fatalf("nora's confirmation ended at %s with %d", got.address, got.status)
	}
	if got := setPassword(); got.status != http.StatusOK || got.address.Query().Get("saved") != "password" {
		t.Errorf("the password was not set: %d %s", got.status, got.address)
	}

	// A locked screen is opened by its person alone, who is asked anew there.
	nora.post(address+"/lock", url.Values{})
	if name, _ := nora.whoami(address); name != "" {
		t.Fatalf("the screen is not locked: %s", name)
	}
	at := nora.setOut(address+"/sign-in/oidc", url.Values{"next": {"/account"}})
	if requestID.FindStringSubmatch(at.text) == nil {
		t.Fatalf("the provider let in whoever was there last: %s", at.address)
	}
	nora.identify(p, at, "nora")
	if name, _ := nora.whoami(address); name != "nora" {
		t.Errorf("after the lock it is %q", name)
	}
}

func TestAProviderIsNamedByAnAddressThatCanBeTrusted(t *testing.T) {
	t.Parallel()
	for issuer, good := range map[string]bool{
		"https://login.example.org": true, "https://login.example.org/realms/ward": true, "http://127.0.0.1:9000": true,
		"http://login.example.org": false, "login.example.org": false, "https://login.example.org?x=1": false, "https://me@login.example.org": false, "": false,
	} {
		if err := (identity.Provider{Issuer: issuer, ClientID: "adjudge"}).Validate(); (err == nil) != good {
			t.Errorf("issuer %q: %v", issuer, err)
		}
	}
	if err := (identity.Provider{Issuer: "https://login.example.org"}).Validate(); err == nil {
		t.Error("a provider without a client was taken")
	}
}

// What is kept of an account at the provider is shown to its person, and an admin
// can take it away, which ends what was signed in by it.
func TestAnAdminDisconnectsAProviderAccount(t *testing.T) {
	t.Parallel()
	p := startProvider(t,
		guest{Subject: "u-1", Username: "nora", Name: "Nora", Email: "nora@example.org", Groups: []string{"ward-3"}},
		guest{Subject: "u-2", Username: "ada", Name: "Ada"})
	address, token, stop := startServerWith(t, t.TempDir(), p.env(), p.flags()...)
	defer stop()
	api := address + "/api/v1"
	callAPI(t, http.MethodPost, api+"/groups", token, map[string]any{"name": "Ward 3"}, nil)
	callAPI(t, http.MethodPut, api+"/groups/Ward%203/provider-names?name=ward-3", token, map[string]any{}, nil)
	nora := newBrowser(t)
	nora.signInAt(p, address, "nora", nil)

	for _, path := range []string{"/account", "/account/data", "/account/data.json"} {
		if got := nora.get(address + path); !strings.Contains(got.text, p.issuer) || !strings.Contains(got.text, "u-1") || !strings.Contains(got.text, "nora@example.org") {
			t.Errorf("%s does not say who she is at the provider: %d", path, got.status)
		}
	}
	type account struct {
		Issuer, Subject, Email string
		UsedAt                 time.Time `json:"used_at"`
	}
	var accounts struct{ Items []account }
	callAPI(t, http.MethodGet, api+"/people/nora/provider-accounts", token, nil, &accounts)
	if len(accounts.Items) != 1 || accounts.Items[0].Issuer != p.issuer || accounts.Items[0].Subject != "u-1" || accounts.Items[0].Email != "nora@example.org" || accounts.Items[0].UsedAt.IsZero() {
		t.Errorf("the API says %+v", accounts.Items)
	}

	disconnect := func(who, reason string) int {
		return callAPI(t, http.MethodDelete, api+"/people/"+who+"/provider-accounts", token, map[string]any{"reason": reason}, nil)
	}
	if status := disconnect("nora", " "); status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", status)
	}
	if got := nora.send(http.MethodDelete, api+"/people/nora/provider-accounts", nil); got.status != http.StatusForbidden {
		t.Errorf("somebody who is no admin: %d", got.status)
	}
	if name, _ := nora.whoami(address); name != "nora" {
		t.Fatalf("a refusal signed out %q", name)
	}
	if status := disconnect("nora", "left the hospital"); status != http.StatusNoContent {
		t.Fatalf("an admin: %d", status)
	}
	if name, _ := nora.whoami(address); name != "" {
		t.Error("what was signed in by the provider goes on")
	}
	callAPI(t, http.MethodGet, api+"/people/nora/provider-accounts", token, nil, &accounts)
	var groups struct{ Items []struct{ Members []string } }
	callAPI(t, http.MethodGet, api+"/groups", token, nil, &groups)
	if len(accounts.Items) != 0 || len(groups.Items) != 1 || len(groups.Items[0].Members) != 0 {
		t.Errorf("left are %+v and the groups %+v", accounts.Items, groups.Items)
	}
	if status := disconnect("nora", "again"); status != http.StatusConflict {
		t.Errorf("the second time: %d", status)
	}
	// The account there makes nobody Nora again.
	if end := nora.setOut(address+"/sign-in/oidc", nil); end.status != http.StatusUnprocessableEntity || !strings.Contains(end.text, "signs in here as nora already") {
		t.Errorf("it signs in again: %d %s", end.status, end.address)
	}
	var history struct {
		Items []struct{ Kind, Reason string }
	}
	callAPI(t, http.MethodGet, api+"/history?kind=person.unlinked", token, nil, &history)
	if len(history.Items) != 1 || history.Items[0].Reason != "left the hospital" {
		t.Errorf("the history says %+v", history.Items)
	}

	// The only admin who can sign in keeps their only way.
	ada := newBrowser(t)
	ada.signInAt(p, address, "ada", nil)
	callAPI(t, http.MethodPatch, api+"/people/ada", token, map[string]any{"admin": true, "reason": "runs this"}, nil)
	if status := disconnect("ada", "by mistake"); status < 400 || status >= 500 {
		t.Errorf("the last admin's only way in was taken: %d", status)
	}
	if name, _ := ada.whoami(address); name != "ada" {
		t.Error("a refusal signed out the admin")
	}
}
