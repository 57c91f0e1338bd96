//go:build e2e

package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/labeling"
)

// Whoever has answers shown on an item's page or in the drawer of a list stays
// there, with the keyboard at what was shown.
func TestAnswersAreShownWhereTheyWereAskedFor(t *testing.T) {
	t.Parallel()
	s, lead := labelSite(t, 3, func(p *labeling.Project, _ []labeling.Item) { p.Overlap = 2 })
	script := checker(t)
	s.person("bo", "news", "annotator")
	bo := s.signIn("bo")
	for _, n := range []string{"1", "2", "3"} {
		if code := ask[int](bo, `fetch("/api/v1/projects/news/annotations/0190dddd-0000-7000-8000-00000000000`+n+`", {
			method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ item: "0190bbbb-0000-7000-8000-00000000000`+n+`", class: "film" }) }).then((r) => r.status)`); code != http.StatusOK {
			t.Fatalf("a colleague answers: %d", code)
		}
	}
	lead.open("/projects/news/items/0190bbbb-0000-7000-8000-000000000003")
	lead.click("button", "Show answers")
	lead.waitText("main .history", "Film")
	lead.wait(`document.activeElement.matches("main h2")`)

	lead.open("/projects/news/items?status=queued")
	lead.wait(`document.querySelector("tr[data-item] a") && customElements.get("adjudge-items")`)
	lead.press("j", "Enter")
	lead.wait(`document.querySelector("#item-drawer[open] .itemtext")`)
	if said := lead.text("#item-body"); strings.Contains(said, "Film") {
		t.Fatalf("it is shown already: %s", said)
	}
	lead.click("button", "Show answers")
	lead.waitText("#item-drawer[open] #item-body .history", "Film")
	lead.wait(`document.activeElement.matches("#item-drawer h2")`)
	if at := ask[string](lead, `location.pathname + location.search`); at != "/projects/news/items?status=queued" {
		t.Errorf("the list is gone: %s", at)
	}
	lead.accessible(script, "answers that were shown")
}
