//go:build e2e

package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// drop drags a file from the desktop over the middle of an element and lets it go.
func (v *visitor) drop(selector, file string, over func()) {
	v.t.Helper()
	box := ask[[]float64](v, fmt.Sprintf(`(() => { const b = document.querySelector(%q).getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()`, selector))
	drag := func(kind input.DispatchDragEventType) {
		v.t.Helper()
		if _, err := chromedp.Call(v.ctx, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: box[0], Y: box[1],
			Data: &input.DragData{Items: []*input.DragDataItem{}, Files: []string{file}, DragOperationsMask: 1}}); err != nil {
			v.t.Fatalf("drag %s: %v", kind, err)
		}
	}
	drag("dragEnter")
	drag("dragOver")
	if over != nil {
		over()
	}
	drag("drop")
}

// A file is dropped on the page, the bar shows how much of it is sent, the
// progress goes on over a reload, and what was refused is told by line.
func TestAFileIsDroppedAndWatched(t *testing.T) {
	t.Parallel()
	const lines, bad = 60_000, 3
	s := startSite(t)
	v := s.firstAdmin("Ana")
	s.run("project", "create", "Bank")
	var text strings.Builder
	text.WriteString("text,label\n")
	for i := range lines {
		switch i {
		case 10, 20_000, 59_990:
			text.WriteString("one field and nothing else\n")
		default:
			fmt.Fprintf(&text, "Where is card number %d of the long and tedious list of cards,%s\n", i, []string{"arrival", "refund", "pin"}[i%3])
		}
	}
	file := filepath.Join(t.TempDir(), "cards.csv")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}

	v.open("/projects/bank/import")
	v.drop(".dropzone", notes(t), func() {
		v.wait(`document.querySelector(".dropzone.over")`)
		v.looks("import-over")
	})
	v.wait(`location.pathname.includes("/imports/") && document.querySelector("#import-form")`)
	if got := v.text("h1"); got != "notes.txt" {
		t.Errorf("the dropped file is called %q", got)
	}

	// The upload takes its time: the bar moves and says so.
	v.open("/projects/bank/import")
	if _, err := chromedp.Call(v.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: 5, DownloadThroughput: -1, UploadThroughput: 2_000_000}}}); err != nil {
		t.Fatal(err)
	}
	// What the page showed is kept beyond it: the next comes when all is sent.
	ask[bool](v, `(() => {
		const sending = document.querySelector(".sending"), seen = [];
		const note = () => {
			seen.push([sending.querySelector("progress").value, sending.offsetParent !== null, sending.querySelector("[role=status]").innerText]);
			sessionStorage.setItem("seen", JSON.stringify(seen));
		};
		new MutationObserver(note).observe(sending, { subtree: true, childList: true, characterData: true });
		return true; })()`)
	v.drop(".dropzone", file, nil)
	v.wait(`location.pathname.includes("/imports/") && document.querySelector("#import-form")`)
	if !ask[bool](v, `JSON.parse(sessionStorage.getItem("seen") ?? "[]").some(([percent, shown, words]) => percent > 0 && percent < 100 && shown && /\d+ % sent/.test(words))`) {
		t.Errorf("while it was sent the page said %s", ask[string](v, `sessionStorage.getItem("seen") ?? ""`))
	}
	v.network(0, false)

	// What comes in is counted while it does, and a reload in the middle loses nothing.
	v.click("button", "Import")
	// A fast machine may have done it all before anybody looks.
	v.wait(`(run => run && (!run.hasAttribute("hx-get") || run.querySelector("progress")?.value > 0))(document.querySelector("#import-run"))`)
	v.looks("import-running")
	first := ask[int](v, `document.querySelector("#import-run progress")?.value ?? 100`)
	v.open(v.path())
	v.wait(fmt.Sprintf(`(document.querySelector("#import-run progress")?.value ?? 100) >= %d`, first))
	v.wait(`document.querySelector("#import-run") && !document.querySelector("#import-run").hasAttribute("hx-get")`)
	v.looks("import-report")
	report := v.text("main")
	for _, want := range []string{"Done", fmt.Sprintf("%d records were refused", bad), group(lines - bad), "cards.csv", "1 field, but the file has 2 columns"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report does not say %q:\n%s", want, report)
		}
	}
	for _, line := range []string{"12", "20,002", "59,992"} {
		if !ask[bool](v, fmt.Sprintf(`[...document.querySelectorAll("main tbody tr td:first-child")].some((c) => c.innerText.trim() === %q)`, line)) {
			t.Errorf("line %s is not named", line)
		}
	}
	var datasets struct {
		Items []struct {
			Name  string
			Items int64
		}
	}
	s.api("GET", "/projects/bank/datasets", nil, &datasets)
	if len(datasets.Items) == 0 || datasets.Items[len(datasets.Items)-1].Items != lines-bad {
		t.Errorf("the datasets hold %+v", datasets.Items)
	}
}

// notes is a small file of plain text.
func notes(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(name, []byte("one\ntwo\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
