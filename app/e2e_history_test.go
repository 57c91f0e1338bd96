//go:build e2e

package app

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
)

// downloaded returns the file that the browser saves when something is done.
func (v *visitor) downloaded(start func()) (name string, content []byte) {
	v.t.Helper()
	folder := v.t.TempDir()
	if _, err := chromedp.CallBrowser(v.ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder, BrowserContextID: chromedp.FromContext(v.ctx).BrowserContextID}); err != nil {
		v.t.Fatal(err)
	}
	start()
	v.s.until("the browser has saved a file", func() bool {
		files, err := os.ReadDir(folder)
		if err != nil || len(files) != 1 || strings.HasSuffix(files[0].Name(), ".crdownload") || strings.HasPrefix(files[0].Name(), ".") {
			return false // under its own name only when it is whole
		}
		name = files[0].Name()
		content, err = os.ReadFile(filepath.Join(folder, name))
		return err == nil && len(content) > 0
	})
	return name, content
}

// A checkpoint is made by the page and saved, and the program finds the history
// in it, or says that it was tampered with.
func TestACheckpointFromThePageIsVerifiedByTheProgram(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	v := s.firstAdmin("Ana")
	s.bring("bank", "ward", 4)
	script := checker(t)
	v.open("/checkpoints")
	v.click("button", "Make one now")
	v.waitText("main tbody", "by hand")
	v.accessible(script, "checkpoints")
	v.looks("checkpoints")
	v.click("button", "Check now")
	v.waitText(".banner", "in the history of")
	v.looks("checkpoints-checked")

	name, content := v.downloaded(func() { v.click("link", "Download") })
	if name != "checkpoints.jsonl" {
		t.Errorf("it is saved as %s", name)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	made := strings.Count(strings.TrimSpace(string(content)), "\n") + 1
	if said, want := s.run("doctor", "--checkpoint", file), fmt.Sprintf("%d of %d in %s stand in the history", made, made, file); !strings.Contains(said, want) {
		t.Errorf("doctor says %q, not %q", said, want)
	}

	// The same signature over another number of events stands for nothing.
	var envelope map[string]any
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &envelope); err != nil {
		t.Fatal(err)
	}
	signed, err := base64.StdEncoding.DecodeString(envelope["payload"].(string))
	if err != nil {
		t.Fatal(err)
	}
	forged := regexp.MustCompile(`"events":\d+`).ReplaceAll(signed, []byte(`"events":2`))
	if string(forged) == string(signed) {
		t.Fatalf("nothing to forge in %s", signed)
	}
	envelope["payload"] = base64.StdEncoding.EncodeToString(forged)
	line, err := json.Marshal(envelope)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(line, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := s.exitCode("doctor", "--checkpoint", file); code == 0 {
		t.Errorf("a forged checkpoint stands: %s", said)
	}
}

// numbers lists the events that the page shows.
func (v *visitor) numbers() []string {
	v.t.Helper()
	return ask[[]string](v, `[...document.querySelectorAll("main tbody tr td:first-child")].map((e) => e.innerText.trim())`)
}

// day writes a day into the focused date field, part after part in the order of
// the browser's language.
func (h *hands) day(at time.Time) {
	h.t.Helper()
	parts := ask[[]string](h.visitor, `new Intl.DateTimeFormat(navigator.language).formatToParts(new Date()).map((p) => p.type).filter((t) => t !== "literal")`)
	for _, part := range parts {
		digits := at.Format(map[string]string{"year": "2006", "month": "01", "day": "02"}[part])
		for _, c := range digits {
			h.keys(string(c))
		}
	}
	if got, want := ask[string](h.visitor, `document.activeElement.value`), at.Format(time.DateOnly); got != want {
		h.t.Errorf("after typing the day the field holds %q instead of %q", got, want)
	}
}

// exported saves the events on the page in both formats, by keys, and fails the
// test unless each file holds exactly the rows that are shown.
func (h *hands) exported(file string) {
	h.t.Helper()
	shown := h.numbers()
	name, content := h.downloaded(func() {
		h.skip()
		h.reach("link", "CSV")
		h.keys("Enter")
	})
	rows, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
	if err != nil || len(rows) == 0 || name != file+".csv" {
		h.t.Fatalf("%s: %v\n%s", name, err, content)
	}
	var got []string
	for _, row := range rows[1:] {
		got = append(got, row[0])
	}
	if !slices.Equal(got, shown) {
		h.t.Errorf("%s holds the events %v, the page %v", name, got, shown)
	}
	name, content = h.downloaded(func() {
		h.reach("link", "JSON")
		h.keys("Enter")
	})
	var events []struct{ Seq int64 }
	if err := json.Unmarshal(content, &events); err != nil || name != file+".json" {
		h.t.Fatalf("%s: %v\n%s", name, err, content)
	}
	got = nil
	for _, e := range events {
		got = append(got, strconv.FormatInt(e.Seq, 10))
	}
	if !slices.Equal(got, shown) {
		h.t.Errorf("%s holds the events %v, the page %v", name, got, shown)
	}
}

// The history is narrowed down to a person, a record and a period without a
// mouse; old and new stand side by side, and the files hold what is shown.
func TestTheHistoryIsFilteredAndSavedByKeyboardAlone(t *testing.T) {
	t.Parallel()
	// Something happened two months ago.
	past := now().UTC().AddDate(0, -2, 0)
	s := &site{t: t, data: t.TempDir(), verb: "serve"}
	db, err := store.Open(t.Context(), filepath.Join(s.data, "adjudge.db"), store.Options{Now: func() time.Time { return past }})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx *store.Tx) error {
		return tx.Record(ledger.Entry{Actor: ledger.Actor{Via: ledger.ViaSystem}, Kind: "retention.changed", Subject: ledger.Subject{Kind: "retention", ID: "logs"},
			Payload: map[string]any{ledger.KeyWas: map[string]int{"days": 90}, ledger.KeyIs: map[string]int{"days": 45}, ledger.KeyReason: "long ago"}})
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s.start("127.0.0.1:0")
	t.Cleanup(func() {
		s.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the server said:\n%s", s.output)
		}
	})
	v := s.firstAdmin("Ana")
	s.bring("bank", "ward", 4)
	s.person("bo", "bank", "lead")
	var items struct {
		Items []struct{ ID, Key, Label string }
	}
	s.api("GET", "/projects/bank/items?q=&limit=4&dataset=ward", nil, &items)
	bo := s.signIn("bo")
	for n, reason := range []string{"clear at a second look", "a slip of the pen"} {
		other := map[string]string{"arrival": "refund", "refund": "arrival"}[items.Items[n].Label]
		body, err := json.Marshal(map[string]any{"action": "relabel", "class": other, "reason": reason, "items": []string{items.Items[n].ID}})
		if err != nil {
			t.Fatal(err)
		}
		if code := ask[int](bo, fmt.Sprintf(`fetch("/api/v1/projects/bank/items/changes", { method: "POST", headers: { "Content-Type": "application/json" }, body: %q }).then((r) => r.status)`, body)); code >= 300 {
			t.Fatalf("relabel %s: %d", items.Items[n].Key, code)
		}
	}
	bo.leave()

	ana := byKeys(v)
	ana.step("filter by person")
	ana.open("/projects/bank/history")
	// What an event is about has its name of today, and so have the items of a change.
	ana.waitText("td:has(.subjectname)", "ward")
	ana.wait(fmt.Sprintf(`[...document.querySelectorAll(".oldnew")].some((e) => e.innerText.includes(%q))`, items.Items[0].Key))
	v.looks("history-named")
	all := ana.numbers()
	ana.skip()
	ana.reach("combobox", "Who")
	ana.choose("Bo")
	ana.reach("button", "Filter")
	ana.follow("Enter")
	ana.waitText("main tbody", "a slip of the pen")
	if got := ana.numbers(); len(got) < 2 || len(got) >= len(all) {
		t.Errorf("of %v Bo's are %v", all, got)
	}
	if got := ask[[]string](v, `[...new Set([...document.querySelectorAll("main tbody tr td:nth-child(3) bdi")].map((e) => e.innerText))]`); !slices.Equal(got, []string{"Bo"}) {
		t.Errorf("the filter lets through the events of %v", got)
	}
	// Old and new of the first change stand beside each other on one line.
	was := items.Items[0].Label
	if !ask[bool](v, fmt.Sprintf(`[...document.querySelectorAll("main tbody tr")].some((row) => row.innerText.includes("clear at a second look") && [...row.querySelectorAll(".oldnew")].some((c) => {
		const [was, is] = [c.querySelector("del"), c.querySelector("ins")];
		return was && is && was.innerText.endsWith(%q) && is.innerText.length > 0 && was.innerText !== is.innerText && was.getBoundingClientRect().top === is.getBoundingClientRect().top;
	}))`, was)) {
		t.Errorf("old and new do not stand side by side: %s", v.text("main tbody"))
	}
	v.looks("history-person")
	ana.exported("bank-history")

	ana.step("filter by record")
	ana.skip()
	ana.reach("link", "Only bulk …")
	ana.follow("Enter")
	ana.wait(`new URLSearchParams(location.search).get("record")?.startsWith("bulk:")`)
	if got := ana.numbers(); len(got) != 1 {
		t.Errorf("one record has the events %v", got)
	}
	ana.exported("bank-history")

	ana.step("filter by period")
	ana.open("/history")
	ana.skip()
	ana.reach("Date", "From")
	ana.day(past.AddDate(0, 0, -3))
	ana.reach("Date", "Until")
	ana.day(past.AddDate(0, 0, 3))
	ana.reach("button", "Filter")
	ana.follow("Enter")
	ana.waitText("main tbody", "long ago")
	if got := ana.numbers(); !slices.Equal(got, []string{"1"}) {
		t.Errorf("two months ago were the events %v", got)
	}
	if got := v.text("main .oldnew"); !strings.Contains(got, "90") || !strings.Contains(got, "45") {
		t.Errorf("old and new are %q", got)
	}
	v.looks("history-period")
	ana.exported("adjudge-history")
	ana.told("ana")
}

// For how long a kind of record is kept is changed with a reason, and not without.
func TestRetentionIsChangedWithAReasonByPage(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	v := s.firstAdmin("Ana")
	kept := func() int {
		var list struct {
			Items []struct {
				Kind string
				Days int
			}
		}
		s.api("GET", "/retention", nil, &list)
		for _, r := range list.Items {
			if r.Kind == "drafts" {
				return r.Days
			}
		}
		t.Fatal("no word on drafts")
		return 0
	}
	script := checker(t)
	ana := byKeys(v)
	v.open("/retention")
	v.accessible(script, "retention")
	v.looks("retention")
	ana.skip()
	ana.reach("spinbutton", "Days for: Drafts")
	ana.write("30")
	ana.reach("textbox", "Why, for: Drafts")
	ana.keys("Enter") // the browser itself asks for the reason
	ana.wait(`document.activeElement.name === "reason" && document.activeElement.matches(":invalid")`)

	v.forgive(`status of 422`)
	ana.write("  ")
	ana.follow("Enter")
	ana.waitText("main", "Say in a few words why")
	v.looks("retention-refused")
	if got := ask[string](v, `document.querySelector('input[name=kind][value=drafts]').form.elements.days.value`); got != "30" {
		t.Errorf("what was typed is lost: %q", got)
	}
	if got := kept(); got != 90 {
		t.Errorf("it was refused, and yet drafts are kept for %d days", got)
	}

	ana.skip()
	ana.reach("textbox", "Why, for: Drafts")
	ana.write("the works council asked")
	ana.follow("Enter")
	ana.wait(`document.querySelector('input[name=kind][value=drafts]').form.elements.days.getAttribute("value") === "30"`)
	v.wait(`[...document.querySelectorAll("main tbody tr")].some((r) => r.innerText.includes("Drafts") && r.innerText.includes("Ana"))`)
	v.looks("retention-set")
	if got := kept(); got != 30 {
		t.Errorf("drafts are kept for %d days", got)
	}
	v.open("/history?kind=retention.changed")
	v.waitText("main tbody", "the works council asked")
	if was, is := v.text("main .oldnew del"), v.text("main .oldnew ins"); !strings.HasSuffix(was, "90") || !strings.HasSuffix(is, "30") {
		t.Errorf("the history shows %q, then %q", was, is)
	}
	v.looks("retention-history")
}
