//go:build e2e

package app

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestTwoPeopleAndTwoTabsWorkBesideEachOther(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 60, nil)
	s.person("bo", "news", "annotator")
	ana.label("")
	bo := s.signIn("bo")
	bo.label("")
	second := ana.tab()
	second.label("")
	seen := map[string]string{}
	for name, v := range map[string]*visitor{"ana": ana, "bo": bo, "ana's second tab": second} {
		if other, taken := seen[v.shown()]; taken {
			t.Errorf("%s and %s are shown %q", other, name, v.shown())
		}
		seen[v.shown()] = name
	}
	ana.waitText("#presence", "B")
	bo.waitText("#presence", "A")
	ana.answer("1", "1")
	second.answer("2", "2")
	bo.answer("3", "3")
	for _, v := range []*visitor{ana, bo, second} {
		v.allSaved()
	}
	if got := s.annotations(t); len(got) != 6 {
		t.Errorf("%d annotations, want 6", len(got))
	}
	// Progress of others arrives without a reload.
	bo.wait(`Number(document.querySelector('[data-part="bar"]').value) >= 6`)
}

func TestWhatOthersDoIsSeenWithoutAReload(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 30, nil)
	ana.label("")
	ana.wait(`document.documentElement.dataset.live === ""`)
	ask[bool](ana, `(window.kept = true, new MutationObserver(() => { window.moved ??= performance.timeOrigin + performance.now() })
		.observe(document.querySelector('[data-part="count"]'), { childList: true, characterData: true, subtree: true }), true)`)
	s.person("bob", "news", "annotator")
	bob := s.signIn("bob")
	if code := ask[int](bob, `fetch("/api/v1/projects/news/annotations/0190dddd-0000-7000-8000-000000000030", {
		method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ item: "0190bbbb-0000-7000-8000-000000000030", class: "film" }) }).then((r) => r.status)`); code != http.StatusOK {
		t.Fatalf("a colleague answers: %d", code)
	}
	answered := float64(time.Now().UnixMicro()) / 1000
	ana.waitText(`[data-part="count"]`, "1 of 30 accepted, 0 by you")
	if !ask[bool](ana, `window.kept === true`) {
		t.Error("the page was loaded again")
	}
	t.Logf("from the answer to the other screen: %.0f ms", ask[float64](ana, `window.moved`)-answered)
}

func TestALateAnswerThatDiffersIsAdjudicated(t *testing.T) {
	t.Parallel()
	s, lead := labelSite(t, 5, nil)
	s.person("bo", "news", "annotator")
	bo := s.signIn("bo")
	bo.forgive(`Failed to load resource|ERR_INTERNET_DISCONNECTED|WebSocket connection`)
	bo.label("")
	bo.network(0, true) // the lid closes on item 1
	id := "0190dddd-0000-7000-8000-000000000001"
	if code := s.api(http.MethodPut, "/projects/news/annotations/"+id, map[string]any{"item": "0190bbbb-0000-7000-8000-000000000001", "class": "film"}, nil); code != http.StatusOK {
		t.Fatalf("a colleague answers: %d", code)
	}
	bo.answer("1")
	bo.network(0, false)
	bo.allSaved()
	lead.open("/projects/news/disputes")
	lead.waitText("#disputes", "came late")
	lead.looks("disputes")
	lead.waitText("#disputes", "Film")
	lead.waitText("#disputes", "Sports")
	lead.do("choose", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => { const s = document.querySelector(".dispute-form select"); s.value = "film"; s.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`))
		return err
	}))
	lead.fill("Because", "it is about a film")
	lead.click("button", "Decide")
	lead.waitText("#disputes", "Nobody disagrees")
}
