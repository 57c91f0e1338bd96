//go:build e2e

package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A person brings a file in by the page, looks at the items, changes some and
// takes that back, freezes them, and sees what changed between two snapshots.
func TestAFileBecomesItemsAndSnapshotsInTheBrowser(t *testing.T) {
	s := startSite(t)
	v := s.firstAdmin("Ana")
	script := checker(t)
	var file strings.Builder
	file.WriteString("text,category,id\n")
	for i := range 120 {
		if i == 70 {
			file.WriteString("ragged\n")
			continue
		}
		text, class := "Where is my card?", "card_arrival"
		switch i % 4 {
		case 1:
			text, class = "<script>alert(1)</script> My refund has not come", "refund"
		case 2:
			text, class = "החזר כספי 😀 please", "😀 שלום"
		case 3:
			text, class = "The cash machine kept it", ""
		}
		fmt.Fprintf(&file, "%s (%d),%s,%d\n", text, i, class, i)
	}
	name := filepath.Join(t.TempDir(), "questions.csv")
	if err := os.WriteFile(name, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run("project", "create", "Bank")

	v.open("/projects/bank/import")
	v.accessible(script, "import")
	v.looks("data-import")
	v.upload("#file", name)
	v.wait(`location.pathname.includes("/imports/") && document.querySelector("#import-form")`)
	v.accessible(script, "preview")
	v.looks("data-preview")
	if got := v.text(".preview thead"); !strings.Contains(got, "category") || !strings.Contains(got, "Label") {
		t.Errorf("the preview maps %q", got)
	}
	v.click("button", "Import")
	v.wait(`document.querySelector("#import-run") && !document.querySelector("#import-run").hasAttribute("hx-get")`)
	v.accessible(script, "import that is done")
	v.looks("data-import-done")
	if got := v.text("main"); !strings.Contains(got, "1 field, but the file has 3 columns") || !strings.Contains(got, "119") {
		t.Errorf("the report says %q", got)
	}

	v.open("/projects/bank/items")
	v.wait(`document.querySelectorAll("tr[data-item]").length === 50 && customElements.get("adjudge-items")`)
	v.accessible(script, "items")
	v.looks("data-items")
	// The search follows behind the import and says so.
	v.wait(`(async () => { const r = await fetch("/api/v1/projects/bank/items?q=refund"); return (await r.json()).total > 0; })()`)
	v.press("/")
	v.wait(`document.activeElement.name === "q"`)
	v.fillSearch("refun")
	v.press("Enter")
	v.wait(`location.search.includes("refun") && document.querySelectorAll("tr[data-item]").length > 0`)
	if got := v.text("tbody"); !strings.Contains(got, "<script>alert(1)</script>") || strings.Contains(got, "Where is my card") {
		t.Errorf("found %q", got)
	}
	for n := range 2 {
		v.press("j", "x")
		v.wait(fmt.Sprintf(`document.querySelector(".actionbar.on") && document.querySelectorAll("input[name=item]:checked").length === %d`, n+1))
	}
	v.accessible(script, "items with an action bar")
	v.looks("data-items-chosen")
	v.click("button", "Delete")
	v.wait(`document.querySelector(".banner")?.innerText.includes("2 items are in the trash")`)
	v.looks("data-items-undo")
	v.click("button", "Undo")
	v.wait(`document.querySelector(".banner")?.innerText.includes("Taken back")`)

	v.open("/projects/bank/items")
	v.wait(`document.querySelector("tr[data-item] a")`)
	v.press("j", "Enter")
	v.wait(`document.querySelector("#item-drawer[open] .itemtext")`)
	v.accessible(script, "drawer")
	v.looks("data-drawer")

	v.open("/projects/bank/snapshots")
	v.accessible(script, "snapshots without any")
	v.looks("data-snapshots-empty")
	v.click("button", "Take the snapshot")
	v.wait(`document.querySelector(".digest .full")`)
	v.accessible(script, "snapshot")
	v.looks("data-snapshot")
	s.run("import", "--project", "bank", "--dataset", "questions", "--text", "text", "--label", "label", "--key", "id", more(t))
	s.run("snapshot", "create", "--project", "bank", "--dataset", "questions", "--name", "later")
	v.open("/projects/bank/snapshots/2")
	v.wait(`document.querySelector(".digest .full")`)
	v.click("button", "Show")
	v.wait(`location.pathname.endsWith("/diff")`)
	v.accessible(script, "difference")
	v.looks("data-diff")
	if got := v.text("main"); !strings.Contains(got, "0 relabelled, 2 added") || !strings.Contains(got, "A new one") {
		t.Errorf("the difference says %q", got)
	}
	v.open("/projects/bank/snapshots/2/diff?against=1&tab=balance")
	v.accessible(script, "balance")
	v.looks("data-balance")
	v.open("/projects/bank/snapshots")
	v.accessible(script, "snapshots")
	v.looks("data-snapshots")
}

func more(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "more.csv")
	if err := os.WriteFile(name, []byte("text,label,id\nA new one,refund,m1\nAnother,refund,m2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// fillSearch types into the field that has the focus.
func (v *visitor) fillSearch(text string) {
	v.t.Helper()
	for _, c := range text {
		v.press(string(c))
	}
}
