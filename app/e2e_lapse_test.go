//go:build e2e

package app

import (
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// forget takes the browser's login away, as if it had lapsed.
func (v *visitor) forget() {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		v.t.Fatal(err)
	}
}

// A login that lapses while somebody fills in a form opens again in place, and
// the form goes through as it was.
func TestALapsedSignInReopensInPlace(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(3, nil))
	v := s.firstAdmin("Ana")
	v.forgive(`status of 4(01|22)`)
	v.open("/projects/news/schema")
	v.fill("Question (optional)", "What is it about?")
	v.forget()
	v.click("button", "Save schema")
	v.wait(`document.querySelector("#sign-in-again").open`)
	v.looks("sign-in-again")
	v.fill("Password of Ana", "not the password")
	v.press("Enter")
	v.waitText("#sign-in-again", "do not belong together")
	if got := ask[string](v, `document.querySelector("[name=question]").value`); got != "What is it about?" {
		t.Errorf("the form holds %q", got)
	}
	v.fill("Password of Ana", password)
	v.press("Enter")
	v.waitText("#status", "saved")
	v.wait(`document.querySelector("[name=question]").value === "What is it about?"`)

	// What htmx asks for is asked again.
	v.open("/projects/news/items")
	v.forget()
	v.press("j", "Enter")
	v.wait(`document.querySelector("#sign-in-again").open`)
	v.fill("Password of Ana", password)
	v.press("Enter")
	v.wait(`!document.querySelector("#sign-in-again").open && document.querySelector("#item-drawer").innerText.includes("History")`)
	if path := v.path(); path != "/projects/news/items" {
		t.Errorf("the page was left for %s", path)
	}
}

// Where somebody else has signed in meanwhile, nothing is sent in their name.
func TestNothingIsSentInTheNameOfWhoSignedInMeanwhile(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(3, nil))
	s.person("bo", "news", "lead")
	s.person("cy", "news", "lead")
	bo := s.signIn("bo")
	bo.forgive(`status of 4(01|22)`)
	bo.open("/projects/news/schema")
	bo.fill("Question (optional)", "Of Bo?")
	if code := ask[int](bo, `fetch("/sign-in", {method: "POST", headers: {Accept: "application/json"}, body: new URLSearchParams({username: "cy", password: "`+password+`"})}).then((r) => r.status)`); code != http.StatusOK {
		t.Fatalf("cy signs in: %d", code)
	}
	bo.wait(`document.querySelector("#sign-in-again").open`) // the page hears that its login ended
	bo.waitText("#sign-in-again", "Somebody else has signed in")
	bo.fill("Password of Bo", password)
	bo.press("Enter")
	bo.wait(`!document.querySelector("#sign-in-again")?.open`)
	bo.open("/projects/news/history")
	bo.waitText("main", "History")
	if got := bo.text(".whoami .name"); got != "Bo" {
		t.Errorf("%s sits here", got)
	}
}
