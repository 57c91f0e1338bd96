package review_test

import (
	"slices"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

// looks reports, some time after the last, that a page was open all that time.
func (w *world) looks(actor ledger.Actor, after time.Duration, kind review.LookKind, id string, items ...int) {
	w.t.Helper()
	w.later += after
	w.must(w.Look(w.t.Context(), actor, review.LookRequest{Project: project, Kind: kind, ID: id, Claimed: after, Items: items}))
}

// looked is what a voter is shown of what they opened.
func (w *world) looked(actor ledger.Actor, c review.Candidate) map[review.LookKind]review.Part {
	w.t.Helper()
	found, err := w.Case(w.t.Context(), actor, project, ref(c))
	w.must(err)
	parts := map[review.LookKind]review.Part{}
	for _, p := range found.Ballot(actor).Looked.Parts {
		if _, known := parts[p.Kind]; !known {
			parts[p.Kind] = p
		}
	}
	return parts
}

func TestAVoterSeesWhatTheyOpenedAndNobodyElseDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	w.compared(c, 0.01, 0.02)
	if parts := w.looked(w.ana, c); parts[review.LookComparison].Opened() || !parts[review.LookComparison].Asked || !parts[review.LookModel].Asked || parts[review.LookComparison].Items != 3080 {
		t.Errorf("before anything was opened: %+v", parts)
	}
	comparison := string(w.looked(w.ana, c)[review.LookComparison].Digest)
	w.looks(w.ana, 0, review.LookComparison, comparison)
	w.looks(w.ana, 15*time.Second, review.LookComparison, comparison, 3, 7)
	w.looks(w.ana, 15*time.Second, review.LookComparison, comparison, 7, 9)
	w.looks(w.ana, time.Second/2, review.LookModel, string(c.Model))
	parts := w.looked(w.ana, c)
	if p := parts[review.LookComparison]; p.Look.Millis != 30_000 || !slices.Equal(p.Look.Items, []int{3, 7, 9}) {
		t.Errorf("the comparison: %+v", p.Look)
	}
	if p := parts[review.LookModel]; !p.Opened() || p.Look.Millis != 500 {
		t.Errorf("the model: %+v", p.Look)
	}
	if p := w.looked(w.ben, c)[review.LookComparison]; p.Opened() {
		t.Errorf("Ben is shown what Ana opened: %+v", p)
	}
}

func TestSeveralPagesDoNotAddUpBeyondTheClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	w.looks(w.ana, 0, review.LookModel, string(c.Model))
	w.later += 20 * time.Second
	for range 5 { // as many pages, and each says that it was in front all the time
		w.must(w.Look(t.Context(), w.ana, review.LookRequest{Project: project, Kind: review.LookModel, ID: string(c.Model), Claimed: 20 * time.Second}))
		w.must(w.Look(t.Context(), w.ana, review.LookRequest{Project: project, Kind: review.LookCandidate, ID: string(c.ID), Claimed: 20 * time.Second}))
	}
	parts := w.looked(w.ana, c)
	if sum := parts[review.LookModel].Look.Millis + parts[review.LookCandidate].Look.Millis; sum < 20_000 || sum > 21_000 {
		t.Errorf("20 seconds became %d ms", sum)
	}
}

func TestOnlyPeopleWhoVoteAreRecordedAndOnlyWhatTheyMayRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	w.compared(c, 0.01, 0.02)
	comparison := string(w.looked(w.ana, c)[review.LookComparison].Digest)
	report := func(actor ledger.Actor, req review.LookRequest) error {
		req.Project = project
		return w.Look(t.Context(), actor, req)
	}
	token := w.ana
	token.Via = ledger.ViaToken
	wantFault(t, report(token, review.LookRequest{Kind: review.LookModel, ID: string(c.Model)}), fault.Denied, "signed in")
	wantFault(t, report(w.person("liv", "Liv", ledger.RoleAuditor), review.LookRequest{Kind: review.LookModel, ID: string(c.Model)}), fault.Denied, "")
	wantFault(t, report(w.person("out", "Out"), review.LookRequest{Kind: review.LookModel, ID: string(c.Model)}), fault.NotFound, "")
	for name, req := range map[string]review.LookRequest{
		"another kind":        {Kind: "desk", ID: "x"},
		"items of a model":    {Kind: review.LookModel, ID: string(c.Model), Items: []int{1}},
		"an item too many":    {Kind: review.LookComparison, ID: comparison, Items: []int{3080}},
		"an item before all":  {Kind: review.LookComparison, ID: comparison, Items: []int{-1}},
		"more than fit a row": {Kind: review.LookComparison, ID: comparison, Items: make([]int, 501)},
	} {
		if err := report(w.ana, req); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, kind := range []review.LookKind{review.LookCandidate, review.LookComparison, review.LookDocument, review.LookModel, review.LookSnapshot} {
		wantFault(t, report(w.ana, review.LookRequest{Kind: kind, ID: "none"}), fault.NotFound, "")
	}
}

func TestWhoSendsNoTimesLeavesOnlyWhatTheyOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	w.ana.Untimed = true
	w.looks(w.ana, 0, review.LookModel, string(c.Model))
	first := w.looked(w.ana, c)[review.LookModel].Look
	w.looks(w.ana, 15*time.Second, review.LookModel, string(c.Model))
	if l := w.looked(w.ana, c)[review.LookModel].Look; l.Millis != 0 || !l.Last.Equal(first.First) || !l.First.Equal(first.First) {
		t.Errorf("%+v tells how long it was", l)
	}
}
