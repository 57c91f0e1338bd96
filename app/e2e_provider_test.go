//go:build e2e

package app

import (
	"testing"

	"github.com/adjudge/adjudge/backend/identity"
)

// atProvider fills in the provider's form, which must be asked for, and waits
// until the browser is back.
func (v *visitor) atProvider(p *provider, username string) {
	v.t.Helper()
	v.wait(`document.querySelector('input[name="username"]') && location.origin === "` + p.issuer + `"`)
	v.set("username", username)
	v.set("password", username)
	v.click("button", "Sign in at the provider")
	v.wait(`location.origin === "` + v.s.url + `" && document.readyState === "complete"`)
}

// Nora has an account at the hospital and none here: she signs in with it, her
// group there makes her a reviewer here, and what she signs she confirms there.
func TestE2EAPersonOfAProviderSignsInVotesAndIsReviewed(t *testing.T) {
	t.Parallel()
	p := startProvider(t, guest{Subject: "u-1", Username: "nora", Name: "Nora N.", Groups: []string{"/experts"}})
	s := startSiteIn(t, p.env(), "127.0.0.1:0", nil, p.flags()...)
	ada := s.firstAdmin("Ada")
	s.run("import", "--project", "bank", "--dataset", "train", moods(t, "train", 0, 60))
	s.run("snapshot", "create", "--project", "bank", "--dataset", "train")
	s.run("train", "--project", "bank", "--recipe", "text-linear", "--snapshot", "1", "--wait")
	s.run("candidate", "create", "--project", "bank", "--model", "text-linear@1")
	s.run("person", "group", "create", "Experts")
	s.run("person", "group", "grant", "Experts", "--project", "bank", "--role", "reviewer")
	s.run("person", "group", "map", "Experts", "/experts", "--reason", "the hospital names its experts")
	ada.open("/people/groups")
	ada.waitText("main", "/experts")
	ada.looks("provider-groups")

	nora := s.visit()
	nora.open("/sign-in?next=/projects/bank/candidates/1/vote")
	nora.looks("provider-sign-in")
	nora.click("button", "Sign in with St. Mary’s")
	nora.atProvider(p, "nora")
	nora.waitText(".whoami", "Nora N.")

	// The ballot asks first who she is; the provider asks for her password anew.
	nora.wait(`location.pathname === "/projects/bank/candidates/1/vote"`)
	nora.waitText(".banner", "Confirm that it is you")
	if ask[bool](nora, `!!document.querySelector("form.ballot")`) {
		t.Error("the ballot is there before she confirmed")
	}
	nora.looks("provider-confirm")
	nora.click("button", "Confirm with St. Mary’s")
	nora.atProvider(p, "nora")
	nora.waitText(".banner", "You confirmed with St. Mary’s that it is you")
	nora.looks("provider-vote")
	nora.click("radio", "safe")
	ask[bool](nora, `(document.querySelector('textarea[name="comment"]').value = "Looked at fifty.", true)`)
	nora.submit()
	nora.waitText(".votes", "safe")

	// A confirmation is good for one signature.
	nora.open("/projects/bank/candidates/1/vote")
	nora.waitText(".banner", "Confirm that it is you")
	nora.open("/account")
	nora.waitText("main", "You can sign in with St. Mary’s")
	nora.looks("provider-account")

	// A desktop window asks the browser for her sign-in.
	asked := identity.Challenge("the window's")
	nora.open("/window/sign-in?port=4242&state=" + asked + "&challenge=" + asked)
	nora.waitText("main", identity.Digits(asked))
	nora.waitText("main", "Sign in as Nora N.")
	nora.looks("hand-over")
	nora.open("/account")

	// Whoever sits down next is asked who they are, and the page says how to be
	// forgotten there.
	ask[bool](nora, `(document.querySelector('form[action="/sign-out"]').requestSubmit(), true)`)
	nora.waitText(".banner", "You are signed out here")
	nora.looks("provider-left")
	nora.click("button", "Sign in with St. Mary’s")
	nora.wait(`location.origin === "` + p.issuer + `" && document.querySelector('input[name="username"]')`)

	// The review knows where her role comes from and that she used it.
	ada.open("/projects/bank/people/review")
	ada.waitText("table", "Nora N.")
	ada.looks("access")
	ada.click("button", "Still needed: the role Reviewer of Experts")
	ada.waitText(".banner", "Confirmed")
	ada.open("/people/review")
	ada.waitText("table", "Experts")
	ada.looks("access-all")
}
