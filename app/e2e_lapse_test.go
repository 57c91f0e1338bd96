//go:build e2e

package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"
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

	// What htmx asks for is asked again, though live news have replaced what was
	// pressed.
	v.open("/projects/news/items")
	v.forget()
	v.press("j", "Enter")
	v.wait(`document.querySelector("#sign-in-again").open`)
	ask[bool](v, `(() => {
		const old = document.getElementById("items-form");
		const news = document.adoptNode(new DOMParser().parseFromString(old.outerHTML, "text/html").getElementById("items-form"));
		old.replaceWith(news);
		htmx.process(news);
		return true;
	})()`)
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

// opened waits for a tab that the page has opened, and drives it.
func (v *visitor) opened(prefix string) *visitor {
	v.t.Helper()
	var id target.ID
	v.s.until("a tab at "+prefix, func() bool {
		all, err := chromedp.Targets(v.ctx)
		for _, info := range all {
			if err == nil && info.Type == "page" && strings.HasPrefix(info.URL, prefix) {
				id = info.TargetID
			}
		}
		return id != ""
	})
	ctx, cancel := chromedp.NewContext(v.ctx, chromedp.WithTargetID(id))
	return v.s.watch(ctx, cancel)
}

// Who has no password here signs in again at the provider, in a tab of its own:
// the page stays, and goes on when the same person is back.
func TestALapsedSignInOfAProviderReopensInPlace(t *testing.T) {
	t.Parallel()
	p := startProvider(t, guest{Subject: "u-1", Username: "nora", Name: "Nora N."})
	s := startSiteIn(t, p.env(), "127.0.0.1:0", nil, p.flags()...)
	nora := s.visit()
	nora.forgive(`status of 4(01|22)`)
	nora.open("/sign-in?next=/account")
	nora.click("button", "Sign in with St. Mary’s")
	nora.atProvider(p, "nora")
	nora.fill("Name", "Nora Noether")
	nora.forget() // here and at the provider
	nora.click("button", "Save")
	nora.wait(`document.querySelector("#sign-in-again").open`)
	if ask[bool](nora, `!!document.querySelector("#sign-in-again input[type=password]")`) {
		t.Error("who has no password is asked for one")
	}
	nora.looks("sign-in-again-provider")
	nora.press("Enter") // the focus is on the one button
	tab := nora.opened(p.issuer)
	nora.wait(`!document.querySelector("#sign-in-again [data-sign-in-wait]").hidden`)
	tab.wait(`document.querySelector('input[name="username"]')`)
	tab.set("username", "nora")
	tab.set("password", "nora")
	ask[bool](tab, `(document.querySelector("form").requestSubmit(), true)`)

	// The page itself was never left, and what was pressed is done.
	nora.wait(`location.pathname === "/account" && new URLSearchParams(location.search).get("saved") === "profile"`)
	nora.wait(`document.querySelector("[name=name]")?.value === "Nora Noether"`)
}
