//go:build e2e

package app

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
)

// since starts a clock in the page that stops when an expression is true; the
// page may not be loaded anew meanwhile.
func (v *visitor) since(expression string) {
	v.t.Helper()
	ask[bool](v, fmt.Sprintf(`(() => {
		window.stays = true;
		window.seenAt = 0;
		const look = () => { if (%s) window.seenAt = Date.now(); else requestAnimationFrame(look); };
		look();
		return true; })()`, expression))
}

// sees waits for what since looks for, tells how long after a moment of the
// page's clock (milliseconds) it was seen, and fails on a reload.
func (v *visitor) sees(what string, from float64) {
	v.t.Helper()
	v.wait(`window.seenAt > 0`)
	if !ask[bool](v, `window.stays === true`) {
		v.t.Errorf("%s is seen after a reload only", what)
	}
	v.t.Logf("%s was seen %.0f ms after it was answered", what, ask[float64](v, `window.seenAt`)-from)
}

// now is the moment on the clock that all pages share.
func (v *visitor) now() float64 { v.t.Helper(); return ask[float64](v, `Date.now()`) }

// live waits until the page has its socket.
func (v *visitor) live() { v.t.Helper(); v.wait(`"live" in document.documentElement.dataset`) }

func TestWhatOthersDoIsSeenOnEveryPage(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(6, nil))
	ana := s.firstAdmin("Ana")
	s.person("bob", "news", "annotator")
	bob := s.signIn("bob")

	project, items, snapshots := ana, ana.tab(), ana.tab()
	project.open("/projects/news")
	items.open("/projects/news/items")
	snapshots.open("/projects/news/snapshots")
	for _, page := range []*visitor{project, items, snapshots} {
		page.live()
	}
	before := project.text("#project-standing .stats")

	// Bob comes, and is seen; he answers, and the answer is.
	project.since(`document.querySelector('#presence [aria-label="Bob"]')`)
	bob.label("")
	project.sees("Bob's presence", project.now())
	project.since(fmt.Sprintf(`document.querySelector("#project-standing .stats").innerText.trim() !== %q`, before))
	items.since(`document.querySelector("#items-form tbody").innerText.includes("Sports")`)
	bob.answer("1")
	bob.allSaved()
	at := bob.now()
	project.sees("progress of the project", at)
	items.sees("the label of an item", at)

	// Whoever walks the list by keys stands where they stood, and what they chose stays chosen.
	items.press("j", "j")
	second := items.text(":focus")
	items.since(`document.querySelector("#items-form tbody").innerText.includes("Politics")`)
	bob.answer("2")
	bob.allSaved()
	items.sees("a second label", bob.now())
	if got := items.text(":focus"); got != second {
		t.Errorf("news moves the focus from %q to %q", second, got)
	}
	items.press("x")
	project.since(fmt.Sprintf(`document.querySelector("#project-standing .stats").innerText.trim() !== %q`, project.text("#project-standing .stats")))
	bob.answer("3")
	bob.allSaved()
	project.sees("the third answer", bob.now())
	if n := ask[int](items, `document.querySelectorAll('input[name="item"]:checked').length`); n != 1 {
		t.Errorf("news leaves %d items chosen, not 1", n)
	}

	// A snapshot that somebody takes appears in the list; the form keeps what is written in it.
	snapshots.fill("Name (optional)", "half written")
	snapshots.since(`document.querySelector("#snapshots-list")?.innerText.includes("taken elsewhere")`)
	s.run("snapshot", "create", "--project", "news", "--dataset", "train", "--name", "taken elsewhere")
	snapshots.sees("a snapshot", snapshots.now())
	if got := ask[string](snapshots, `document.querySelector('#snapshots input[name="name"]').value`); got != "half written" {
		t.Errorf("news leaves %q in the form", got)
	}

	// Bob goes, and that is seen too.
	project.since(`!document.querySelector('#presence [aria-label="Bob"]')`)
	bob.leave()
	project.sees("that Bob has left", project.now())
}

func TestAVoteIsSeenOnACandidateThatSomebodyReads(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.firstAdmin("Ada")
	test := moods(t, "test", 0, 60)
	s.run("import", "--project", "bank", "--dataset", "test", "--purpose", "evaluation", test)
	s.run("snapshot", "create", "--project", "bank", "--dataset", "test", "--name", "exam")
	s.run("predict", "import", "--project", "bank", "--model", "keywords", "--snapshot", "exam", "--files", filepath.Dir(test), missing(t, test, 5))
	s.person("rita", "bank", "reviewer")
	s.person("abel", "bank", "approver")
	if code := s.api(http.MethodPost, "/projects/bank/candidates", map[string]string{"model": "keywords@1", "environment": "production"}, nil); code >= 300 {
		t.Fatalf("the candidate was not made: %d", code)
	}
	rita, abel := s.signIn("rita"), s.signIn("abel")
	ada.open("/projects/bank/candidates/1")
	abel.open("/projects/bank/candidates/1")
	ada.live()
	abel.live()
	abel.fill("Comment", "I am still looking at the refunds")

	rita.open("/projects/bank/candidates/1/vote")
	ada.since(`document.querySelector(".votes")?.innerText.includes("Rita")`)
	abel.since(`document.querySelector(".votes")?.innerText.includes("Rita")`)
	at := rita.now()
	rita.sign("safe", "Looked at fifty.", password)
	ada.sees("Rita's vote (from the press of the button)", at)
	abel.sees("Rita's vote beside a form (from the press of the button)", at)
	if got := ask[string](abel, `document.querySelector('textarea[name="text"]').value`); got != "I am still looking at the refunds" {
		t.Errorf("the vote leaves %q in Abel's comment", got)
	}
	if got := ask[string](abel, `document.activeElement.name ?? ""`); got != "text" {
		t.Errorf("the vote takes the focus from Abel's comment to %q", got)
	}
}
