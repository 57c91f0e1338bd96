//go:build e2e

package app

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Two people share one browser on a ward: one locks, the other takes the seat,
// and what the first had begun waits for them.
func TestTwoPeopleShareOneBrowser(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(60, nil))
	s.person("bo", "news", "annotator")
	s.person("cy", "news", "annotator")
	v := s.signIn("bo")
	v.forgive(`status of 4(01|22)`)
	v.open("/projects/news/label")
	v.ready()
	v.answer("1")
	v.allSaved()
	item := v.shown()
	// Answers do not get through any more; all else does.
	ask[bool](v, `(() => { const send = window.fetch; window.fetch = (to, how) => String(to?.url ?? to).includes("/annotations/") ? Promise.reject(new TypeError("held back")) : send(to, how); return true; })()`)
	v.answer("2") // waits on the device
	begun := v.shown()
	if begun == item {
		t.Fatal("the loop stands still")
	}
	v.press("Alt+l")
	v.wait(`location.pathname === "/locked"`)
	v.waitText("main", "Bo locked this screen")
	v.looks("locked")
	for _, path := range []string{"/api/v1/me", "/projects/news/label", "/account/data.json"} {
		if code := ask[int](v, `fetch("`+path+`", {headers: {Accept: "application/json"}}).then((r) => r.status)`); code != http.StatusUnauthorized {
			t.Errorf("%s answers a locked screen with %d", path, code)
		}
	}
	v.open("/projects/news/items")
	v.wait(`location.pathname === "/locked"`)
	v.fill("Password", "not the password")
	v.press("Enter")
	v.waitText("main", "not your password")

	v.click("link", "Switch person")
	v.wait(`location.pathname === "/sign-in"`)
	v.fill("Sign-in name", "cy")
	v.fill("Password", password)
	v.press("Enter")
	v.waitText(".whoami", "Cy")
	v.open("/projects/news/label")
	v.ready()
	if n := s.submitted(t); n != 1 {
		t.Errorf("%d answers arrived: what waits on the device was sent while somebody else sits there", n)
	}
	v.press("Alt+l")
	v.wait(`location.pathname === "/locked"`)
	v.fill("Password", password)
	v.press("Enter")
	v.wait(`location.pathname === "/projects/news/label"`)
	v.waitText(".whoami", "Cy")

	v.press("Alt+l")
	v.wait(`location.pathname === "/locked"`)
	v.click("link", "Switch person")
	v.wait(`location.pathname === "/sign-in"`)
	v.fill("Sign-in name", "bo")
	v.fill("Password", password)
	v.press("Enter")
	v.waitText(".whoami", "Bo")
	v.open("/projects/news/label")
	v.ready()
	v.allSaved()
	s.until("both answers of the first arrive", func() bool { return s.submitted(t) == 2 })
}

// A screen on which nobody does anything locks itself, in every tab, and its
// socket ends.
func TestAScreenThatStandsIdleLocksItself(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(1, nil), "--lock-after", "10m")
	s.person("bo", "news", "annotator")
	v := s.signIn("bo")
	v.forgive(`status of 401|WebSocket`)
	if _, err := chromedp.Call(v.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `{ const real = Date.now.bind(Date); window.later = 0; Date.now = () => real() + window.later; }`}); err != nil {
		t.Fatal(err)
	}
	v.open("/projects/news/items")
	v.live()
	other := v.tab()
	other.forgive(`status of 401|WebSocket`)
	other.open("/account")
	ask[int](v, `(window.later = 9 * 60000)`)
	v.press("j") // somebody is there
	ask[int](v, `(window.later = 18 * 60000)`)
	ask[bool](v, `(window.dispatchEvent(new Event("focus")), true)`) // it looks at its clock
	if ask[bool](v, `"locked" in document.documentElement.dataset`) {
		t.Error("the screen is locked nine minutes after the last key, not ten")
	}
	ask[int](v, `(window.later = 20 * 60000)`)
	v.wait(`location.pathname === "/locked"`)
	other.wait(`location.pathname === "/locked"`)
	v.fill("Password", password)
	v.press("Enter")
	v.wait(`location.pathname === "/projects/news/items"`)
}

// Whoever is deactivated is out, sockets too: the server ends the socket by
// itself, without a request of the page on which it would hear of it.
func TestTheServerEndsTheSocketOfADeactivatedPerson(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(1, nil))
	s.person("bo", "news", "annotator")
	v := s.signIn("bo")
	v.forgive(`status of 401|WebSocket`)
	v.open("/projects/news/items")
	v.live()
	begun := time.Now()
	if code := s.api(http.MethodPatch, "/people/bo", map[string]any{"disabled": true}, nil); code != http.StatusOK {
		t.Fatalf("deactivate: %d", code)
	}
	v.wait(`!("live" in document.documentElement.dataset)`)
	t.Logf("the socket ended after %v", time.Since(begun)) // the server ends it: no page asks in vain
	v.open("/projects/news/items")
	v.wait(`location.pathname === "/sign-in"`)
}

// Thirty people are invited by a list; the list is looked at first, its links
// are given once, and the same list again changes nothing.
func TestAListOfPeopleIsInvited(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(1, nil))
	anna := s.firstAdmin("Anna")
	anna.forgive(`status of 422`)
	anna.open("/people/groups")
	anna.fill("Name", "Night shift")
	anna.press("Enter")
	anna.waitText("main", "Night shift")
	anna.looks("groups")

	lines := []string{"name,e-mail,project,roles,groups"}
	for _, name := range []string{"Ada", "Ben", "Cleo", "Dov", "Eva"} {
		lines = append(lines, name+","+strings.ToLower(name)+"@example.org,news,annotator | reviewer,Night shift")
	}
	file := filepath.Join(t.TempDir(), "people.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Join(lines, "\n") + "\nFay,fay,nwes,annotator,\n")
	anna.open("/people/invite")
	anna.upload("#file", file)
	anna.submit()
	anna.waitText(".banner", "Line 7, project")
	anna.looks("invite-wrong")
	write(strings.Join(lines, "\n"))
	anna.upload("#file", file)
	anna.submit()
	anna.waitText("main", "This changes 5 lines")
	anna.looks("invite-preview")
	anna.submit()
	anna.waitText("main", "5 lines were carried out")
	anna.looks("invite-done")
	link := ask[string](anna, `document.querySelector('input[name="link"]').value`)
	anna.open("/people/invite")
	anna.upload("#file", file)
	anna.submit()
	anna.waitText(".banner", "Nothing changes")
	if out := s.run("person", "invite", "--csv", file); !strings.Contains(out, "Nothing changes") {
		t.Errorf("the command says %q", out)
	}

	ada := s.visit()
	ada.open(strings.TrimPrefix(link, s.url))
	ada.fill("Password", password)
	ada.press("Enter")
	ada.waitText(".whoami", "Ada")
	ada.open("/account/data")
	ada.waitText("main", "Night shift")
	ada.looks("my-data")
	if text := ask[string](ada, `fetch("/account/data.json").then((r) => r.text())`); !strings.Contains(text, `"username": "ada@example.org"`) || strings.Contains(text, "argon2") {
		t.Errorf("my data = %s", text)
	}
	other := s.visit()
	other.forgive(`status of 401`)
	other.open("/sign-in")
	other.fill("Sign-in name", "ada@example.org")
	other.fill("Password", password)
	other.press("Enter")
	other.waitText(".whoami", "Ada")
	ada.open("/account")
	ada.looks("account-choices")
	ada.click("button", "Sign out all others")
	ada.waitText(".banner", "Every other browser was signed out")
	other.open("/account")
	other.wait(`location.pathname === "/sign-in"`)
	anna.open("/projects/news/people")
	anna.waitText("table", "Ada")
	anna.looks("members-groups")
}

// A project wants idle screens locked sooner than the person does: its settings
// say so, the person's account names it, and the browser obeys on every page.
func TestAProjectLocksIdleScreensSooner(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(1, nil))
	anna := s.firstAdmin("Anna")
	anna.forgive(`status of 422`)
	s.person("bo", "news", "annotator")
	anna.open("/projects/news/settings")
	anna.waitText("main", "This project does not say when idle screens lock")
	ask[bool](anna, `(document.querySelector("#lock_after").focus(), true)`)
	anna.press("5", "Enter")
	anna.waitText("main", "lock after 5 idle minutes at the latest")
	anna.looks("settings-lock")
	ask[bool](anna, `(document.querySelector("#lock_after").select(), document.querySelector("#lock_after").focus(), true)`)
	anna.press("9", "Enter")
	anna.waitText(".error", "Say in a few words why screens of this project lock later")
	anna.wait(`document.activeElement.name === "reason"`)

	v := s.signIn("bo")
	v.forgive(`status of 401|WebSocket`)
	if _, err := chromedp.Call(v.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `{ const real = Date.now.bind(Date); window.later = 0; Date.now = () => real() + window.later; }`}); err != nil {
		t.Fatal(err)
	}
	v.open("/account")
	v.waitText("main", "Because you may open News, your browsers lock after 5 idle minutes")
	v.looks("account-lock")
	ask[int](v, `(window.later = 4 * 60000)`)
	ask[bool](v, `(window.dispatchEvent(new Event("focus")), true)`) // it looks at its clock
	if ask[bool](v, `"locked" in document.documentElement.dataset`) {
		t.Error("the screen is locked after four idle minutes, not five")
	}
	ask[int](v, `(window.later = 6 * 60000)`)
	v.wait(`location.pathname === "/locked"`)
}

// What a person keeps to themselves is not sent, and not kept.
func TestWhatAPersonDoesNotWantSentIsNotKept(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(20, nil))
	s.person("bo", "news", "annotator")
	v := s.signIn("bo")
	told := func() int {
		t.Helper()
		return ask[int](v, `fetch("/notices", {headers: {Accept: "application/json"}}).then((r) => r.json()).then((l) => l.items.length)`)
	}
	v.label("")
	v.answer("1")
	v.allSaved()
	if told() == 0 {
		t.Error("nobody is told that there are items to label")
	}
	v.open("/account/data")
	v.click("checkbox", "Do not send how long I look at items")
	v.click("checkbox", "Do not notify me")
	v.submit()
	v.waitText("main .banner", "Saved")
	v.looks("my-data-sending")
	if !ask[bool](v, `document.querySelector("#untimed").checked && document.querySelector("#unnotified").checked && !document.querySelector("#unseen").checked`) {
		t.Error("the page does not show what was chosen")
	}
	v.label("")
	ask[bool](v, `(() => { const send = window.fetch; window.bodies = []; window.fetch = (to, how) => { if (String(to?.url ?? to).includes("/annotations/")) window.bodies.push(String(how?.body)); return send(to, how); }; return true; })()`)
	v.answer("2")
	v.allSaved()
	if sent := ask[string](v, `window.bodies.join()`); sent == "" || strings.Contains(sent, "seen_ms") {
		t.Errorf("the browser sends %s", sent)
	}
	got := s.annotations(t)
	if got["1"].Seen <= 0 || got["2"].Class != "politics" || got["2"].Seen != 0 {
		t.Errorf("kept: %v, then %v", got["1"].Seen, got["2"].Seen)
	}
	if n := told(); n != 0 {
		t.Errorf("they are told of %d things", n)
	}
}
