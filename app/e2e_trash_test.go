//go:build e2e

package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bring makes a project with a dataset of a number of items, with the text
// "ward 0 …", and imports them.
func (s *site) bring(project, dataset string, items int) {
	s.t.Helper()
	var file strings.Builder
	file.WriteString("id,text,label\n")
	for i := range items {
		fmt.Fprintf(&file, "%s-%d,%s %d asks where the card is,%s\n", dataset, i, dataset, i, []string{"arrival", "refund"}[i%2])
	}
	name := filepath.Join(s.t.TempDir(), dataset+".csv")
	if err := os.WriteFile(name, []byte(file.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.run("import", "--project", project, "--dataset", dataset, "--key", "id", "--text", "text", "--label", "label", name)
}

// keysOf lists the keys of the items that the API finds.
func (v *visitor) keysOf(query string) []string {
	v.t.Helper()
	keys := ask[[]string](v, fmt.Sprintf(`fetch("/api/v1/projects/bank/items?limit=100&%s").then((r) => r.json()).then((l) => l.items.map((i) => i.key))`, query))
	slices.Sort(keys)
	return keys
}

// What goes to the trash is offered back on the page where it was: by a button,
// by a key, and by a plain form.
func TestWhatIsTrashedComesBackWhereItWas(t *testing.T) {
	s := startSite(t)
	v := s.firstAdmin("Ana")
	s.bring("bank", "ward", 8)
	s.bring("bank", "spare", 4)
	script := checker(t)

	listed := func(name string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("#datasets-list tbody tr")].some((r) => r.innerText.includes(%q))`, name)
	}
	v.open("/projects/bank/datasets")
	v.click("button", "Delete spare")
	v.waitText(".banner", "spare is in the trash")
	v.accessible(script, "datasets with an undo")
	v.looks("trash-undo")
	if got := v.path(); !strings.HasPrefix(got, "/projects/bank/datasets?") || ask[bool](v, listed("spare")) {
		t.Errorf("one is at %s, and the dataset is still listed: %v", got, ask[bool](v, listed("spare")))
	}
	v.press("Control+z")
	v.waitText(".banner", "spare is back")
	if !ask[bool](v, listed("spare")) || !ask[bool](v, listed("ward")) {
		t.Error("undo by the key did not bring the dataset back")
	}

	// A form alone does it, too: its submit() asks no script.
	v.click("button", "Delete spare")
	v.waitText(".banner", "spare is in the trash")
	ask[bool](v, `(HTMLFormElement.prototype.submit.call(document.querySelector("form[data-undo]")), true)`)
	v.waitText(".banner", "spare is back")

	// Of items exactly those come back that went, and the filter stays.
	v.open("/projects/bank/items?dataset=spare")
	v.wait(`document.querySelectorAll("tr[data-item]").length === 4 && customElements.get("adjudge-items")`)
	before := v.keysOf("status=trashed")
	for n := range 3 {
		v.press("j", "x")
		v.wait(fmt.Sprintf(`document.querySelector(".actionbar.on") && document.querySelectorAll("input[name=item]:checked").length === %d`, n+1))
	}
	v.click("button", "Delete")
	v.waitText(".banner", "3 items are in the trash")
	if got := v.keysOf("status=trashed"); len(got) != len(before)+3 {
		t.Errorf("in the trash are %v, before %v", got, before)
	}
	v.press("Control+z")
	v.waitText(".banner", "Taken back")
	if got := v.keysOf("status=trashed"); !slices.Equal(got, before) {
		t.Errorf("in the trash are %v, before %v", got, before)
	}
	if !strings.Contains(v.path(), "dataset=") {
		t.Errorf("the filter is lost: %s", v.path())
	}

	// A project comes back from the list of projects.
	v.open("/projects/bank/settings")
	v.click("button", "Delete this project bank")
	v.waitText(".banner", "bank is in the trash")
	if got := v.path(); !strings.HasPrefix(got, "/projects?") {
		t.Errorf("after deleting a project one is at %s", got)
	}
	v.click("button", "Undo")
	v.waitText(".banner", "bank is back")
	v.open("/projects/bank/datasets")
	v.waitText("#datasets-list", "ward")
}

// What was not taken back at once is restored from the trash, or purged for good.
func TestTheTrashIsRestoredAndPurgedByPage(t *testing.T) {
	s := startSite(t)
	v := s.firstAdmin("Ana")
	s.bring("bank", "ward", 3)
	s.bring("bank", "spare", 3)
	s.run("snapshot", "create", "--project", "bank", "--dataset", "ward", "--name", "first")
	script := checker(t)

	// What needs the dataset is named, and it stays.
	v.forgive(`status of 422`)
	v.open("/projects/bank/datasets")
	v.click("button", "Delete ward")
	v.waitText(".banner", "holds items of it")
	v.open("/projects/bank/datasets")
	v.waitText("#datasets-list", "ward")

	v.click("button", "Delete spare")
	v.waitText(".banner", "spare is in the trash")
	v.open("/trash")
	v.accessible(script, "trash")
	v.looks("trash")
	v.click("button", "Restore spare")
	v.waitText(".banner", "spare is back")
	v.waitText("main", "The trash is empty")
	if got := v.keysOf("dataset=spare"); len(got) != 3 {
		t.Errorf("restored are the items %v", got)
	}

	v.open("/projects/bank/datasets")
	v.click("button", "Delete spare")
	v.waitText(".banner", "spare is in the trash")
	v.open("/trash")
	v.click("button", "Purge spare")
	v.waitText("main", "The trash is empty")
	if got := v.keysOf(""); len(got) != 3 || !strings.HasPrefix(got[0], "ward") {
		t.Errorf("after the purge are the items %v", got)
	}
	v.open("/history?kind=dataset.purged")
	v.wait(`document.querySelector("tbody details.payload")?.textContent.includes("spare")`) // it is folded away
}
