package review_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
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

// lookedOf is the document that a vote names, held against its digest.
func lookedOf(t *testing.T, v *review.Vote) review.LookedDocument {
	t.Helper()
	doc, err := review.DecodeLooked(v.Opened)
	if err != nil || v.Looked != ledger.DigestOf(v.Opened) || doc.Vote != v.ID || doc.Person != v.Person || doc.Subject != v.Subject.Digest {
		t.Fatalf("%s (%v) is not what vote %s of %s names as %s", v.Opened, err, v.ID, v.Person, v.Looked)
	}
	return doc
}

func TestAVoteNamesWhatItsVoterHadOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	w.compared(c, 0.01, 0.02)
	comparison := string(w.looked(w.ana, c)[review.LookComparison].Digest)
	w.looks(w.ana, 0, review.LookComparison, comparison)
	w.looks(w.ana, 20*time.Second, review.LookComparison, comparison, 7, 3)
	vote := w.vote(w.ana, c, 1).Vote
	if want := " Before that, as this server recorded, I opened: the comparison with intents@1 on Snapshot 1 (20 s), 2 of its 3080 items."; !strings.HasSuffix(vote.Sentence, want) {
		t.Errorf("%q does not end with %q", vote.Sentence, want)
	}
	doc := lookedOf(t, vote)
	if len(doc.Opened) != 1 || doc.Opened[0].Digest != ledger.Digest(comparison) || *doc.Opened[0].Millis != 20_000 || !slices.Equal(doc.Opened[0].Items.Seen, []int{3, 7}) {
		t.Errorf("it names %s", vote.Opened)
	}
	if sum, known := vote.LookedSum(); !known || sum != (review.LookedSum{Comparisons: 1, Items: 2, Of: 3080, Millis: 20_000, Timed: true}) {
		t.Errorf("in figures: %+v", sum)
	}
	blank := w.vote(w.ben, c, 1).Vote
	if doc := lookedOf(t, blank); len(doc.Opened) != 0 || !strings.HasSuffix(blank.Sentence, " This server recorded nothing of it that I opened before.") {
		t.Errorf("who opened nothing: %s, %s", blank.Sentence, blank.Opened)
	}
	if a := w.gate(c); !a.OK {
		t.Errorf("gate: %+v", a)
	}
	back, err := w.WithdrawVote(t.Context(), w.ana, review.WithdrawVoteRequest{Project: project, Candidate: ref(c), Password: "correct horse"})
	w.must(err)
	lookedOf(t, back.Vote)
	w.sign()

	// Each signed vote, and what takes one back, names its document beside the comparisons.
	files, _, err := w.EvidenceFiles(t.Context(), w.ana, project, ref(c))
	w.must(err)
	for _, v := range []*review.Vote{vote, blank, back.Vote} {
		named, beside := 0, false
		for _, f := range files {
			if strings.HasSuffix(f.Name, ".dsse.json") {
				if payload, err := signer.NewRing(w.key).VerifyAny(f.Content); err == nil && strings.Contains(string(payload), `{"name":"looked","digest":{"sha256":"`+v.Looked.Hex()+`"}}`) {
					named++
				}
			}
			beside = beside || f.Name == "looked-"+v.Looked.Hex()[:12]+".json" && string(f.Content) == string(v.Opened)
		}
		if named != 1 || !beside {
			t.Errorf("%d signed files name the document of vote %s, and it lies beside them: %t", named, v.ID, beside)
		}
	}
}

func TestAVoteSaysWhatItsFormShowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.propose(w.model("weights"))
	w.looks(w.ana, 0, review.LookModel, string(c.Model))
	found, err := w.Case(t.Context(), w.ana, project, ref(c))
	w.must(err)
	ballot := found.Ballot(w.ana)
	label := ballot.Rules.Labels[0]
	value, _ := label.Value(1)
	shown := ballot.Sentence(w.ana, ledger.RoleReviewer, label, value)
	w.looks(w.ana, 20*time.Second, review.LookModel, string(c.Model)) // in another window
	request := review.VoteRequest{Project: project, Candidate: ref(c), Value: 1, Comment: "fine", Password: "correct horse", Sentence: shown}
	_, err = w.Vote(t.Context(), w.ana, request)
	wantFault(t, err, fault.Conflict, "has changed since the page was shown")
	request.Looked = ballot.Looked.Until
	voted, err := w.Vote(t.Context(), w.ana, request)
	w.must(err)
	if doc := lookedOf(t, voted.Vote); voted.Vote.Sentence != shown || *doc.Opened[0].Millis != 0 {
		t.Errorf("%s, %s", voted.Vote.Sentence, voted.Vote.Opened)
	}
}

func TestWhatAVoterHadOpenedIsNotRewritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	if a := w.gate(c); !a.OK {
		t.Fatalf("gate: %+v", a)
	}
	w.tamper(`UPDATE vote SET looked = replace(looked, '"opened":[]', '"opened":[{"kind":"model"}]') WHERE person = 'ana'`)
	if a := w.gate(c); a.OK || !strings.Contains(a.Reason, "Ana Ruiz") {
		t.Errorf("with another document beside the vote the gate says: %+v", a)
	}
}

// openedBefore are the documents of the votes on a candidate.
func (w *world) openedBefore(c review.Candidate) (documents [][]byte) {
	w.t.Helper()
	found, err := w.Case(w.t.Context(), w.ana, project, ref(c))
	w.must(err)
	for _, v := range found.AllVotes {
		documents = append(documents, v.Opened)
	}
	return documents
}

func TestWhatVotersHadOpenedIsHeldAgainstTheirVotesOffline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	opened := w.openedBefore(c)
	verify := func(looked ...[]byte) ([]string, error) {
		got, err := review.Offline{Documents: w.documents(c), Subject: c.Subject.Digest, Environment: review.Production, Now: w.Now(), Looked: looked}.Verify()
		return got.Notes, err
	}
	if notes, err := verify(opened...); err != nil || len(notes) != 0 {
		t.Errorf("with every document: %q, %v", notes, err)
	}
	if notes, err := verify(opened[1]); err != nil || len(notes) != 1 || !strings.Contains(notes[0], "Ana Ruiz") {
		t.Errorf("without the document of one vote: %q, %v", notes, err)
	}
	more := strings.Replace(string(opened[0]), `"opened":[]`, `"opened":[{"kind":"model"}]`, 1)
	if _, err := verify([]byte(more), opened[1]); !fault.Is(err, fault.Unmet) || !strings.Contains(fault.Message(err), "Ana Ruiz had opened is not the one that the vote names") {
		t.Errorf("with one that was changed: %v", err)
	}
	if _, err := verify([]byte("{}"), opened[1]); !fault.Is(err, fault.Unmet) {
		t.Errorf("with one that is none: %v", err)
	}
}
