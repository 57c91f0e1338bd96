//go:build e2e

package app

import (
	"fmt"
	"testing"
)

// A thing is held from its own page, by name; what is held says so where one
// would erase or delete it, and the list of holds leads back to it.
func TestAThingIsHeldFromItsPage(t *testing.T) {
	s := startSite(t)
	v := s.firstAdmin("Ana")
	s.bring("bank", "ward", 4)
	s.bring("bank", "spare", 2)
	s.person("bo", "bank", "annotator")
	s.run("snapshot", "create", "--project", "bank", "--dataset", "ward", "--name", "first")
	script := checker(t)
	hold := func(path, link, named string) {
		t.Helper()
		v.open(path)
		v.click("link", link)
		v.waitText("main", named)
		v.fill("Why", "a lawsuit about "+named)
		v.click("button", "Place the hold")
		v.wait(fmt.Sprintf(`location.pathname === "/holds" && [...document.querySelectorAll("tbody th")].some((r) => r.innerText.includes(%q))`, named))
	}
	var items struct{ Items []struct{ ID, Key string } }
	s.api("GET", "/projects/bank/items?q=&limit=1&dataset=spare", nil, &items)
	item := items.Items[0]
	var people struct {
		Items []struct{ ID, Username string }
	}
	s.api("GET", "/people", nil, &people)
	var bo string
	for _, p := range people.Items {
		if p.Username == "bo" {
			bo = p.ID
		}
	}

	hold("/people/"+bo, "Hold this", "Bo")
	v.accessible(script, "holds")
	v.looks("holds")
	v.open("/people/" + bo)
	v.waitText("main", "A legal hold keeps it: a lawsuit about Bo")
	v.looks("held-person")
	if ask[bool](v, `[...document.querySelectorAll("main a")].some((a) => a.pathname.endsWith("/erase"))`) {
		t.Error("a person who is held is still offered for erasing")
	}

	// An item keeps its dataset, too, and both say so before anybody tries.
	hold("/projects/bank/items/"+item.ID, "Hold this", item.Key)
	v.open("/projects/bank/datasets")
	v.waitText("main", "A legal hold on the Item "+item.Key)
	v.looks("held-dataset")
	if ask[bool](v, `[...document.querySelectorAll("main button")].some((b) => b.innerText.includes("Delete") && b.innerText.includes("spare"))`) {
		t.Error("a dataset with an item that is held is still offered for deletion")
	}
	v.find("button", "Delete ward")
	hold("/projects/bank/snapshots/1", "Hold this", "first")
	v.open("/projects/bank/snapshots/1")
	v.waitText("main", "A legal hold keeps it: a lawsuit about first")

	// A snapshot that is held keeps the items in it.
	s.api("GET", "/projects/bank/items?q=&limit=1&dataset=ward", nil, &items)
	v.open("/projects/bank/items/" + items.Items[0].ID + "/erase")
	v.waitText(".banner", "A legal hold keeps the snapshot first, which holds this item")

	// The list leads to what is held, and a hold is lifted with a reason.
	v.open("/holds")
	v.click("link", "Bo")
	v.wait(fmt.Sprintf(`location.pathname === "/people/%s"`, bo))
	v.open("/holds")
	v.fill("Why the hold on Bo is lifted", "settled")
	v.click("button", "Lift Bo")
	v.wait(`![...document.querySelectorAll("tbody th")].some((r) => r.innerText.includes("Bo"))`)
	v.open("/people/" + bo)
	v.find("link", "Hold this")
	v.find("link", "Erase")
}
