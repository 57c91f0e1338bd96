package review_test

import (
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/review"
)

// introduce takes a key into use, as a server does when it starts with it.
func (w *world) introduce(key *signer.Key, accepts ...string) {
	w.t.Helper()
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		k := ledger.SigningKey{Hint: key.Hint(), PEM: string(key.PEM()), Accepts: accepts}
		return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: ledger.EventKey, Subject: ledger.KeySubject(), Payload: k})
	}))
}

func (w *world) newKey() *signer.Key {
	w.t.Helper()
	key, err := signer.Open(w.t.TempDir())
	w.must(err)
	return key
}

// After a restore without keys the server signs with another key. What was signed
// before holds under the public half that was kept.
func TestWhatAnOlderKeySignedHoldsUnderItsPublicHalf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.introduce(w.key)
	c := w.approved("weights")
	next := w.newKey()
	w.introduce(next, w.key.Hint())
	w.Signer = signer.NewRing(next, w.key.Public)
	a := w.gate(c)
	if !a.OK || len(a.Notes) != 1 || !strings.Contains(a.Notes[0], w.key.Hint()[:12]+"…, which this server no longer holds") {
		t.Errorf("gate = %+v", a)
	}
	files, _, err := w.EvidenceFiles(t.Context(), w.ben, project, ref(c))
	w.must(err)
	if files[0].Name != "adjudge.pub" || string(files[0].Content) != string(w.key.PEM()) {
		t.Errorf("the evidence comes with %s, which does not verify it", files[0].Name)
	}
	// What is signed now is signed under the new key, and both keys go out with it.
	_, err = w.Withdraw(t.Context(), w.ben, review.WithdrawRequest{Project: project, Candidate: ref(c), Reason: "It mixes up refunds.", Password: "correct horse"})
	w.must(err)
	w.sign()
	files, _, err = w.EvidenceFiles(t.Context(), w.ben, project, ref(c))
	w.must(err)
	if string(files[0].Content) != string(next.PEM()) || string(files[1].Content) != string(w.key.PEM()) {
		t.Error("the keys are not those that verify the files")
	}
}

func TestAMissingKeyIsSaidToBeMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.introduce(w.key)
	c := w.approved("weights")
	next := w.newKey()
	w.introduce(next)
	w.Signer = signer.NewRing(next)
	a := w.gate(c)
	if a.OK || a.State != review.AnswerBroken || len(a.Problems) != 1 || strings.Contains(a.Reason, "changed") ||
		!strings.Contains(a.Reason, w.key.Hint()[:12]+"…, which this server no longer holds, nor its public half") {
		t.Errorf("gate = %+v", a)
	}
	_, _, err := w.EvidenceFiles(t.Context(), w.ben, project, ref(c))
	wantFault(t, err, "conflict", "no longer holds")
}

// A key that was replaced may have been stolen: it signs nothing any more.
func TestAKeySignsNothingAfterAnotherTookItsPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.introduce(w.key)
	next := w.newKey()
	w.introduce(next, w.key.Hint())
	c := w.approved("weights") // signed with the old one
	w.Signer = signer.NewRing(next, w.key.Public)
	if a := w.gate(c); a.OK || !strings.Contains(a.Reason, "had already taken its place") {
		t.Errorf("gate = %+v", a)
	}
}

func TestAKeyThatTheHistoryDoesNotKnowCountsForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	next := w.newKey()
	w.introduce(next)
	w.Signer = signer.NewRing(next, w.key.Public)
	if a := w.gate(c); a.OK || !strings.Contains(a.Reason, "The history does not know the key") {
		t.Errorf("gate = %+v", a)
	}
	// Nor does an event help that was changed.
	w.introduce(next, w.key.Hint())
	if a := w.gate(c); !a.OK {
		t.Fatalf("gate = %+v", a)
	}
	w.tamper(`UPDATE event_payload SET payload = payload || ' ' WHERE seq = (SELECT MAX(seq) FROM event WHERE kind = 'key.introduced')`)
	if a := w.gate(c); a.OK {
		t.Errorf("gate = %+v", a)
	}
}
