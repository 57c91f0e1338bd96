//go:build e2e

package app

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// votes signs a person in as a browser does and casts their vote for a candidate
// of the project bank.
func (s *site) votes(username, candidate, role string) {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, form := range []struct {
		path   string
		fields url.Values
	}{
		{"/sign-in", url.Values{"username": {username}, "password": {password}}},
		{"/projects/bank/candidates/" + candidate + "/vote", url.Values{"role": {role}, "value": {"2"}, "label": {"release"}, "password": {password}, "time_zone": {"Europe/Madrid"}}},
	} {
		response, err := client.PostForm(s.url+form.path, form.fields)
		if err != nil {
			s.t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusSeeOther {
			s.t.Fatalf("%s of %s was answered with %d", form.path, username, response.StatusCode)
		}
	}
}

// An item is erased by its page, where a signed candidate rests on a snapshot
// that holds it: what the page says beforehand is what is gone afterwards, what
// it says stays is there, and signatures and history verify.
func TestAnItemIsErasedByItsPage(t *testing.T) {
	t.Parallel()
	const secret = "zyxomma"
	s := startSite(t)
	v := s.firstAdmin("Ana")
	s.bring("bank", secret, 12) // the dataset bears the word in its texts
	s.run("snapshot", "create", "--project", "bank", "--dataset", secret, "--name", "signed")
	s.run("snapshot", "create", "--project", "bank", "--dataset", secret, "--name", "spare")
	s.run("train", "--project", "bank", "--recipe", "text-linear", "--snapshot", "1", "--wait")
	s.person("rita", "bank", "reviewer")
	s.person("abel", "bank", "approver")
	s.run("candidate", "create", "--project", "bank", "--model", "text-linear")
	s.votes("rita", "1", "reviewer")
	s.votes("abel", "1", "approver")
	gate := func(when string) {
		t.Helper()
		if code, said := s.exitCode("gate", "1"); code != 0 {
			t.Errorf("%s the gate answers %d: %s", when, code, said)
		}
	}
	gate("before")
	text := secret + " 7 asks where the card is"
	var items struct {
		Items []struct{ ID, Key, Text string }
	}
	s.api("GET", "/projects/bank/items?limit=100&dataset="+secret, nil, &items)
	at := slices.IndexFunc(items.Items, func(i struct{ ID, Key, Text string }) bool { return i.Text == text })
	if at < 0 {
		t.Fatalf("no item says %q", text)
	}
	item := items.Items[at]
	holders := func() []string { return slices.DeleteFunc(traces(t, s.data, text), temporary) }
	before := holders()

	v.open("/projects/bank/items/" + item.ID)
	v.waitText("main", text)
	v.click("link", "Erase")
	v.waitText("main", "Becomes unreadable")
	announced := ask[map[string][]string](v, `Object.fromEntries([...document.querySelectorAll("main section, main .card")].map((c) => [c.querySelector("h2")?.innerText ?? "", [...c.querySelectorAll("dt")].map((d) => d.innerText + [...d.nextElementSibling.querySelectorAll(".chip")].map((n) => " " + n.innerText).join(""))]))`)
	for card, lines := range map[string][]string{
		"Becomes unreadable": {"Text", "Uploaded files (1)", "Snapshots (1) spare"},
		"Stays, and why":     {"Signed snapshots (1) signed (candidate 1)", "The chain"},
	} {
		for _, line := range lines {
			if !slices.ContainsFunc(announced[card], func(said string) bool { return strings.HasPrefix(said, line) }) {
				t.Errorf("under %q the page announces %q, not %q", card, announced[card], line)
			}
		}
	}
	checked := checker(t)
	v.accessible(checked, "erase an item")
	v.looks("erase-item")

	// Not without its key and a reason.
	v.forgive(`status of 422`)
	v.fill("Why", "it names a patient")
	v.fill("Type "+item.Key, "another")
	v.click("button", "Erase for good")
	v.waitText("main", "Type "+item.Key+" to confirm")
	v.fill("Type "+item.Key, item.Key)
	v.click("button", "Erase for good")
	v.wait(`document.querySelector(".banner")?.innerText.includes("Erased on")`)
	if got := v.text(".banner"); strings.Contains(got, "0 texts") {
		t.Errorf("the page says that nothing is gone: %s", got)
	}
	v.looks("erased-item")
	if !ask[bool](v, `(() => { const [who, when] = [document.querySelector(".banner .person"), document.querySelector(".banner time")].map((e) => e.getBoundingClientRect()); return when.left - who.right >= 4 || when.top >= who.bottom; })()`) {
		t.Error("who erased it and when run together")
	}

	// The text, the upload and the spare snapshot are gone; the signed one holds it still.
	var left []string
	s.until("the traces are overwritten", func() bool {
		left = holders()
		return len(left) == 1 && slices.Contains(before, left[0]) && !strings.HasPrefix(left[0], "adjudge.db") // the rows of the signed snapshot
	})
	v.open("/projects/bank/items/" + item.ID)
	v.waitText("main", item.Key)
	if strings.Contains(ask[string](v, `document.documentElement.outerHTML`), text) {
		t.Error("the item's page still shows its text")
	}
	if got := v.keysOf("q=" + secret + "&dataset=" + secret); slices.Contains(got, item.Key) {
		t.Errorf("the search still finds it among %v", got)
	}
	export := func(snapshot string) (int, []string) {
		folder := t.TempDir()
		code, _ := s.exitCode("snapshot", "export", snapshot, "--project", "bank", "-o", filepath.Join(folder, "out.jsonl"))
		return code, traces(t, folder, text)
	}
	if code, found := export("1"); code != 0 || len(found) != 1 {
		t.Errorf("the signed snapshot: %d, the text in %v", code, found)
	}
	if code, found := export("2"); code == 0 || len(found) != 0 {
		t.Errorf("the spare snapshot: %d, the text in %v", code, found)
	}
	v.open("/projects/bank/snapshots/2")
	v.waitText("main", "An item of it was erased")
	v.looks("erased-snapshot")

	// And everything that was signed or chained verifies.
	gate("after")
	s.until("doctor finds the erasure done and everything whole", func() bool {
		code, said := s.exitCode("doctor")
		return code == 0 && strings.Contains(said, "erased: item "+item.ID)
	})
	v.open("/projects/bank/history?kind=item.erased")
	v.waitText("table", "it names a patient")
	v.click("button", "Check the whole chain")
	v.waitText("main", "follow the one before")
	if t.Failed() {
		t.Logf("the text stood in %v, and stands in %v", before, left)
	}
}

// temporary tells the files that a server writes for a moment.
func temporary(name string) bool { return strings.HasSuffix(name, "-shm") }
