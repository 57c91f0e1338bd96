package review_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/review"
)

// computed stores answers of a model that this server computed.
func (w *world) computed(model compare.ModelID, content string) {
	w.t.Helper()
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.CreatePredictionSet(compare.PredictionSet{ID: compare.PredictionSetID(uuid.Must(uuid.NewV7()).String()), Project: project, Model: model, Snapshot: "snapshot-1",
			State: compare.PredictionsReady, Origin: compare.OriginComputed, Job: "job-1", Attempt: 1, Digest: ledger.DigestOf([]byte(content)), Rows: 3080, CreatedBy: "system", CreatedAt: tx.Now()})
		return err
	}))
}

func TestNoLaterUploadTurnsALossIntoNone(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(w *world, c review.Candidate){
		"for the candidate": func(w *world, c review.Candidate) { w.answered(c.Model, "snapshot-1", "flattering", true) },
		"for the baseline":  func(w *world, c review.Candidate) { w.answered(c.Baseline.Model, "snapshot-1", "poor", true) },
		"under another name with the digest of the candidate": func(w *world, c review.Candidate) {
			other := w.imported(project, "innocent", c.Subject.Digest, w.tom)
			w.answered(other.ID, "snapshot-1", "flattering", true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.second()
			w.compared(c, -0.25, -0.20)
			if r := w.result(c); r.State != review.Unsatisfied || !strings.Contains(r.Says, "decisively worse") {
				t.Fatalf("a loss is %+v", r)
			}
			again(w, c)
			w.comparedAll("snapshot-1", c, 0.10, 0.15)
			r := w.result(c)
			if r.State != review.Unsatisfied || !strings.Contains(r.Says, "decisively worse") || !strings.Contains(r.Says, "Of 2 comparisons that stand, this one decides") {
				t.Errorf("a second upload %s made of the loss: %+v", name, r)
			}
			w.vote(w.ana, c, 1)
			if v := w.vote(w.ben, c, 2); v.Candidate.State != review.StateOpen {
				t.Errorf("it is %s", v.Candidate.State)
			}
			if a := w.gate(c); a.OK {
				t.Errorf("the gate is open: %+v", a)
			}
			found, err := w.Case(t.Context(), w.ana, project, ref(c))
			w.must(err)
			if len(found.Evidence) != 2 {
				t.Errorf("%d comparisons are in sight", len(found.Evidence))
			}
		})
	}
}

func TestAFreshNameForTheSameBytesBringsItsBadResultAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.approved("weights")
	bad := w.model("better weights")
	w.computed(bad.ID, "computed, and bad")
	fresh := w.imported(project, "innocent", bad.Digest, w.tom)
	w.answered(fresh.ID, "snapshot-1", "flattering", true)
	c := w.propose(fresh)
	w.answered(c.Baseline.Model, "snapshot-1", "answers of the baseline", true)
	w.comparedAll("snapshot-1", c, 0.1, 0.2)
	found, err := w.Case(t.Context(), w.ana, project, ref(c))
	w.must(err)
	if len(found.Evidence) != 2 {
		t.Errorf("%d comparisons; the answers that the server computed under the other name are left out", len(found.Evidence))
	}
}

func TestWhatIsNotComparedYetHoldsAnApprovalBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	w.compared(c, 0.01, 0.02)
	w.vote(w.ana, c, 1)
	w.computed(c.Model, "other answers")
	if r := w.result(c); r.State != review.Unsatisfied || !r.Pending || !strings.Contains(r.Says, "Some answers are not compared yet") {
		t.Errorf("answers that nobody compared: %+v", r)
	}
	if v := w.vote(w.ben, c, 2); v.Candidate.State != review.StateOpen {
		t.Errorf("it is %s before they are compared", v.Candidate.State)
	}
}

func TestOnlyTheServerSupersedesWhatItComputed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	w.answered(c.Baseline.Model, "snapshot-1", "answers of the baseline", true)
	w.computed(c.Model, "first")
	w.comparedAll("snapshot-1", c, -0.25, -0.2)
	w.answered(c.Model, "snapshot-1", "flattering", true)
	w.comparedAll("snapshot-1", c, 0.1, 0.2)
	if r := w.result(c); r.State != review.Unsatisfied {
		t.Errorf("an upload superseded what the server computed: %+v", r)
	}
	w.computed(c.Model, "second")
	w.comparedAll("snapshot-1", c, 0.1, 0.2)
	if r := w.result(c); r.State != review.Satisfied || !strings.Contains(r.Says, "the worst of 2") {
		t.Errorf("the server computed anew: %+v", r)
	}
	found, err := w.Case(t.Context(), w.ana, project, ref(c))
	w.must(err)
	if found.Unread.Others != 1 {
		t.Errorf("the page counts %d sets that do not stand", found.Unread.Others)
	}
}

func TestAPolicyCanAskForComputedAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lead := w.person("lea", "Lea Grant", ledger.RoleLead)
	text := strings.Replace(review.DefaultPolicyText, `"rule": "no_decisive_loss"`, `"rule": "no_decisive_loss", "predictions": "computed"`, 1)
	policy, err := review.ParsePolicy(text)
	w.must(err)
	if says := policy.Says(policy.Requirements[0]); !strings.Contains(says, "this server computed") {
		t.Errorf("it says %q", says)
	}
	_, err = w.SavePolicy(t.Context(), lead, review.SavePolicyRequest{Project: project, Text: text, Reason: "agreed in the team"})
	w.must(err)
	c := w.second()
	w.compared(c, 0.01, 0.02)
	if r := w.result(c); r.State != review.Unsatisfied || !strings.Contains(r.Says, "Train the candidate here") {
		t.Errorf("uploads alone: %+v", r)
	}
	w.computed(c.Baseline.Model, "computed of the baseline")
	w.computed(c.Model, "computed of the candidate")
	w.comparedAll("snapshot-1", c, 0.01, 0.02)
	if r := w.result(c); r.State != review.Satisfied {
		t.Errorf("computed answers of both: %+v", r)
	}
	for _, bad := range []string{`"rule": "no_vote", "predictions": "computed"`, `"rule": "no_decisive_loss", "predictions": "uploaded"`} {
		rule, _, _ := strings.Cut(bad, ",")
		if _, err := review.ParsePolicy(strings.Replace(review.DefaultPolicyText, rule, bad, 1)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestTheSentenceSaysWhoseAnswersWereCompared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	w.computed(c.Model, "first")
	w.computed(c.Model, "second")
	w.answered(c.Baseline.Model, "snapshot-1", "answers of the baseline", true)
	w.comparedAll("snapshot-1", c, 0.01, 0.02)
	said := w.vote(w.ana, c, 1).Vote.Sentence
	for _, want := range []string{"of the answers of intents@2: set 2 (", "computed here from " + c.Subject.Digest.Short() + " on ",
		"of the answers of intents@1: set 1 (", "uploaded by \"Tom Weiss\" on ", "while 1 other set of answers is not read"} {
		if !strings.Contains(said, want) {
			t.Errorf("the sentence does not say %q: %s", want, said)
		}
	}
}

func TestWhoUploadedStandsInWhatOthersSignUnderTheNameOfThatDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	w.compared(c, 0.01, 0.02)
	taken := `Ben Okafor", as approver, "on my word`
	side := func(name string) map[string]any { return map[string]any{"name": name} }
	w.do(w.tom, "person.changed", w.tom.Person, map[string]any{"was": side("Tom Weiss"), "is": side(taken)}, func(tx *store.Tx) error {
		p, err := tx.Person(w.tom.Person)
		p.Name = taken
		return orErr(err, func() error { return tx.UpdatePerson(p) })
	})
	said := w.vote(w.ana, c, 1).Vote.Sentence
	if want := `uploaded by "Ben Okafor\", as approver, \"on my word (until ` + w.store.Now().UTC().Format("2 January 2006") + `: Tom Weiss)" on `; !strings.Contains(said, want) {
		t.Errorf("the sentence does not say %s: %s", want, said)
	}
}
