//go:build e2e

package app

import (
	"strings"
	"testing"
)

// A person is erased by the page: it says beforehand what goes, then how far it
// is and when it was done; the name is gone from the pages that showed it, and
// the chain verifies.
func TestAPersonIsErasedByPage(t *testing.T) {
	s := startSite(t)
	v := s.firstAdmin("Ana")
	s.bring("bank", "ward", 4)
	s.person("xanthippe", "bank", "lead")
	x := s.signIn("xanthippe")
	x.open("/projects/bank/datasets")
	x.click("button", "Mark as sensitive")
	x.wait(`document.querySelector("main input[name=reason]")`)
	x.leave()
	v.open("/projects/bank/history")
	v.waitText("table", "Xanthippe")
	v.open("/people")
	v.click("link", "Xanthippe")
	v.click("link", "Erase")
	v.waitText("main", "Becomes unreadable")
	v.looks("erase-person")
	v.fill("Why", "she asked")
	v.fill("Type xanthippe", "xanthippe")
	v.click("button", "Erase for good")
	v.wait(`document.querySelector(".banner")?.innerText.includes("Erased on")`)
	v.looks("erased-person")
	for _, path := range []string{"/people", "/projects/bank/history", "/projects/bank/people", "/history"} {
		v.open(path)
		if strings.Contains(strings.ToLower(ask[string](v, `document.documentElement.outerHTML`)), "xanthippe") {
			t.Errorf("%s still shows the name", path)
		}
	}
	v.open("/history?kind=person.erased")
	v.waitText("table", "she asked")
	v.click("button", "Check the whole chain")
	v.waitText("main", "follow the one before")
}
