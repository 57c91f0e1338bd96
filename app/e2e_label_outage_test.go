//go:build e2e

package app

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

func TestAnOutageLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 30, nil)
	ana.forgive(`Failed to load resource|ERR_INTERNET_DISCONNECTED|WebSocket connection`)
	ana.label("")
	ana.network(0, true)
	ana.answer("1", "2", "3")
	ana.waitText(`[data-part="saving"]`, "No connection: 3 answers kept on this device")
	ana.looks("label-offline")
	ana.network(300*time.Millisecond, false)
	ana.answer("4", "5")
	ana.allSaved()
	// The server goes away in the middle and comes back.
	ana.network(0, false)
	s.end(syscall.SIGKILL)
	ana.answer("6", "7")
	ana.waitText(`[data-part="saving"]`, "2 answers kept on this device")
	ana.leave()
	s.restart()
	ana.label("")
	ana.allSaved()
	got := s.annotations(t)
	for n := range 7 {
		if want := labeling.ClassID(strings.ToLower(labelClasses[n])); got[fmt.Sprint(n+1)].Class != want {
			t.Errorf("item %d is %q, want %q", n+1, got[fmt.Sprint(n+1)].Class, want)
		}
	}
	if len(got) != 7 {
		t.Errorf("%d annotations, want 7", len(got))
	}
	if got := ana.shown(); got != "Item 8 of the morning paper" {
		t.Errorf("next comes %q", got)
	}
}

func TestAnAnswerIsKeptThoughThePageIsLoadedAnewInTheSameMoment(t *testing.T) {
	t.Parallel()
	s, ana := labelSite(t, 30, nil)
	ana.forgive(`Failed to load resource`)
	ana.label("")
	const answers = 12
	for n := 1; n <= answers; n++ {
		ana.ready()
		if got, want := ana.shown(), fmt.Sprintf("Item %d of the morning paper", n); got != want {
			t.Fatalf("after %d answers stands %q, not %q", n-1, got, want)
		}
		ask[bool](ana, `(document.documentElement.dataset.leaving = "1",
			document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "1", code: "Digit1", bubbles: true, cancelable: true })), location.reload(), true)`)
		ana.wait(`document.readyState === "complete" && !document.documentElement.dataset.leaving`)
	}
	ana.ready()
	ana.allSaved()
	if got, events := s.annotations(t), s.submitted(t); len(got) != answers || events != answers {
		t.Errorf("%d answers are stored by %d events, want %d", len(got), events, answers)
	}
}

func TestALapsedLoginKeepsAnswersForTheirPerson(t *testing.T) {
	t.Parallel()
	s, admin := labelSite(t, 120, nil)
	s.person("bo", "news", "annotator")
	s.person("cy", "news", "annotator")
	_ = admin
	bo := s.signIn("bo")
	bo.forgive(`status of 401|WebSocket connection`)
	bo.label("")
	bo.do("lose the login", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.ClearBrowserCookies, cdp.Empty{})
		return err
	}))
	bo.answer("1", "2")
	bo.waitText(`[data-part="saving"]`, "Signed out: 2 answers kept on this device")
	// Somebody else signs in in the same browser: bo's answers are not theirs.
	bo.open("/sign-in")
	bo.set("username", "cy")
	bo.set("password", password)
	bo.submit()
	bo.label("")
	bo.answer("3")
	bo.allSaved()
	if got := s.annotations(t); len(got) != 1 {
		t.Errorf("%d annotations with cy signed in: %+v", len(got), got)
	}
	bo.do("sign out", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.ClearBrowserCookies, cdp.Empty{})
		return err
	}))
	bo.open("/sign-in")
	bo.set("username", "bo")
	bo.set("password", password)
	bo.submit()
	bo.label("")
	bo.allSaved()
	people := map[ledger.PersonID]int{}
	for _, a := range s.annotations(t) {
		people[a.Person]++
	}
	if len(people) != 2 {
		t.Errorf("answers by person: %v", people)
	}
	total := 0
	for _, n := range people {
		total += n
	}
	if total < 2 {
		t.Errorf("%d answers arrived", total)
	}
}
