package compare_test

import (
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/compare"
)

// compute brings answers as a predict job of this server does.
func (w *world) compute(t *testing.T, actor ledger.Actor, model compare.ModelID, answers string) compare.PredictionSet {
	t.Helper()
	set, err := w.AddPredictions(t.Context(), actor, compare.AddRequest{Project: "p1", Model: model, Job: "job-1", Attempt: 3, Dataset: "d2", Rows: func(yield func(compare.Prediction, error) bool) {
		for i, a := range answers {
			class := map[rune]string{'c': "Cat", 'd': "Dog"}[a]
			if !yield(compare.Prediction{Key: "k" + string(rune('0'+i)), Class: class, Score: .5, Runner: .25}, nil) {
				return
			}
		}
	}})
	must(t, err)
	w.work(t, nil)
	return set
}

func (w *world) pairs(t *testing.T, baseline, candidate compare.Model) (pairs []compare.Pairing, others int) {
	t.Helper()
	must(t, w.store.View(t.Context(), func(tx *store.Tx) (err error) {
		pairs, others, err = compare.Pairings(tx, baseline, candidate, w.evaluation)
		return err
	}))
	return pairs, others
}

func (w *world) modelOf(t *testing.T, ref string) compare.Model {
	t.Helper()
	m, err := w.Model(t.Context(), scientist, "p1", ref)
	must(t, err)
	return m
}

func TestASecondImportIsAVersionBesideTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload(t, "old", w.evaluation, "cdcdcdcd")
	first := w.upload(t, "new", w.evaluation, "dcdcdcdc")
	request := compare.CompareRequest{Project: "p1", Baseline: "old", Candidate: "new", Snapshot: w.evaluation.ID}
	bad, err := w.Compare(t.Context(), scientist, request)
	must(t, err)
	second := w.upload(t, "new", w.evaluation, "cdcdcdcd")
	if first.Version != 1 || second.Version != 2 || second.Origin != compare.OriginUploaded || second.CreatedBy != "ann" {
		t.Errorf("versions %d and %d, %+v", first.Version, second.Version, second)
	}
	good, err := w.Compare(t.Context(), scientist, request)
	must(t, err)
	if good.Record.Digest == bad.Record.Digest {
		t.Error("other answers made the same document")
	}
	old, err := w.Comparison(t.Context(), scientist, "p1", bad.Record.Digest)
	must(t, err)
	if old.Others != 1 || len(old.Sources[1]) != 1 || old.Sources[1][0].Version != 1 || old.Comparison.Candidate.Sources[0].By != "ann" {
		t.Errorf("the old comparison says %+v, of which %d others", old.Sources, old.Others)
	}
	pairs, others := w.pairs(t, w.modelOf(t, "old"), w.modelOf(t, "new"))
	if len(pairs) != 2 || others != 0 {
		t.Errorf("%d pairs stand, %d others", len(pairs), others)
	}
	for _, p := range pairs { // each can be asked for by its name
		c := request
		c.Inputs = p.Inputs
		got, err := w.Compare(t.Context(), scientist, c)
		if err != nil || got.Record.Inputs != p.Inputs {
			t.Errorf("asked for %s: %+v, %v", p.Inputs.Short(), got.Record, err)
		}
	}
}

func TestOnlyTheServerIsTheOriginOfComputedAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload(t, "m", w.training, "cdcdcdcd")
	m := w.modelOf(t, "m")
	if set := w.compute(t, scientist, m.ID, "cccccccc"); set.Origin != compare.OriginUploaded || set.Job != "" {
		t.Errorf("a person's answers pass for computed: %+v", set)
	}
	set := w.compute(t, ledger.System(), m.ID, "cccccccc")
	if set.Origin != compare.OriginComputed || set.Job != "job-1" || set.Attempt != 3 {
		t.Errorf("the server's answers are %+v", set)
	}
	// The same answers, uploaded, do not take their place.
	w.upload(t, "m", w.evaluation, "cccccccc")
	w.upload(t, "old", w.evaluation, "cdcdcdcd")
	pairs, _ := w.pairs(t, w.modelOf(t, "old"), m)
	computed := 0
	for _, p := range pairs {
		if compare.Computed(p.Candidate) {
			computed++
		}
	}
	if computed != 1 {
		t.Errorf("of %d pairs %d have computed answers of the candidate", len(pairs), computed)
	}
}

func TestAnswersWithGapsStandForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload(t, "old", w.evaluation, "cdcdcdcd")
	w.upload(t, "new", w.evaluation, "cdc") // of eight
	whole := w.upload(t, "new", w.evaluation, "ccccdddd")
	pairs, others := w.pairs(t, w.modelOf(t, "old"), w.modelOf(t, "new"))
	if len(pairs) != 1 || others != 1 || pairs[0].Candidate[0].Digest != whole.Digest {
		t.Errorf("%+v, %d others", pairs, others)
	}
	// What the server computed has as many rows, of other items.
	m := w.modelOf(t, "new")
	_, err := w.AddPredictions(t.Context(), ledger.System(), compare.AddRequest{Project: "p1", Model: m.ID, Job: "job-1", Dataset: "d2", Rows: func(yield func(compare.Prediction, error) bool) {
		for i := range 8 {
			if !yield(compare.Prediction{Key: "other" + string(rune('0'+i)), Class: "Cat", Score: .5, Runner: .25}, nil) {
				return
			}
		}
	}})
	must(t, err)
	w.work(t, nil)
	got, err := w.Compare(t.Context(), scientist, compare.CompareRequest{Project: "p1", Baseline: "old", Candidate: "new", Snapshot: w.evaluation.ID})
	must(t, err)
	if got.Sources[1][0].Digest != whole.Digest {
		t.Errorf("compared %+v", got.Sources)
	}
	if pairs, others := w.pairs(t, w.modelOf(t, "old"), m); len(pairs) != 1 || others != 2 {
		t.Errorf("%d pairs, %d others: a gap that was met is not known afterwards", len(pairs), others)
	}
}

func TestAsManyUploadsStandAsCanBeCompared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 9 {
		w.upload(t, "m", w.evaluation, strings.Repeat("c", 8)) // copies, which take no room
		w.upload(t, "m", w.evaluation, strings.Repeat("c", i%5)+strings.Repeat("d", 3+i/5))
	}
	_, err := w.UploadPredictions(t.Context(), scientist, compare.UploadRequest{Project: "p1", Model: "m", Snapshot: w.evaluation.ID, File: "a.csv", Body: strings.NewReader("key,class\nk0,Cat\n")})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Message(err), "10 uploaded sets of answers of m@1 stand") {
		t.Errorf("one more upload: %v", err)
	}
}

func TestAWrongUploadIsWithdrawnByWhoIsNoMaker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload(t, "old", w.evaluation, "cdcdcdcd")
	wrong := w.upload(t, "new", w.evaluation, "dcdcdcdc")
	w.upload(t, "new", w.evaluation, "cdcdcdcd")
	must(t, w.store.Update(t.Context(), func(tx *store.Tx) error { // Rita's model is held against it
		rival, err := tx.CreateModel(compare.Model{ID: "rival", Project: "p1", Name: "rival", Digest: ledger.DigestOf([]byte("rival")), CreatedBy: "rita", CreatedAt: tx.Now()})
		if err != nil {
			return err
		}
		return tx.SaveComparison(compare.ComparisonRecord{Digest: ledger.DigestOf([]byte("c")), Project: "p1", Baseline: wrong.Model, Candidate: rival.ID, Snapshot: w.evaluation.ID, CreatedBy: "ann", CreatedAt: tx.Now()})
	}))
	as := func(person ledger.PersonID, role ledger.Role) ledger.Actor {
		return ledger.Actor{Person: person, Name: "Lea", Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"p1": {role}}}
	}
	for name, c := range map[string]struct {
		actor  ledger.Actor
		reason string
		kind   fault.Kind
	}{
		"by whoever brought them, as a lead": {as("ann", ledger.RoleLead), "wrong", fault.Denied},
		"by a data scientist":                {as("dan", ledger.RoleDataScientist), "wrong", fault.Denied},
		"without a reason":                   {as("lea", ledger.RoleLead), " ", fault.Invalid},
		"by the maker of the rival":          {as("rita", ledger.RoleLead), "wrong", fault.Denied},
	} {
		if _, err := w.WithdrawPredictions(t.Context(), c.actor, "p1", wrong.ID, c.reason); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	set, err := w.WithdrawPredictions(t.Context(), as("lea", ledger.RoleLead), "p1", wrong.ID, "the file of another model")
	if err != nil || set.Withdrawn.By != "lea" {
		t.Errorf("withdrawn: %+v, %v", set.Withdrawn, err)
	}
	w.work(t, nil)
	pairs, others := w.pairs(t, w.modelOf(t, "old"), w.modelOf(t, "new"))
	if len(pairs) != 1 || others != 1 {
		t.Errorf("%d pairs stand, %d others exist", len(pairs), others)
	}
	if _, err := w.WithdrawPredictions(t.Context(), as("lea", ledger.RoleLead), "p1", wrong.ID, "again"); !fault.Is(err, fault.Conflict) {
		t.Errorf("twice: %v", err)
	}
	computed := w.compute(t, ledger.System(), w.modelOf(t, "new").ID, "cccccccc")
	if _, err := w.WithdrawPredictions(t.Context(), as("lea", ledger.RoleLead), "p1", computed.ID, "I like it not"); !fault.Is(err, fault.Conflict) {
		t.Errorf("what the server computed: %v", err)
	}
}

func TestWhatTheServerComputesLaterSupersedesOnlyWhereItAnswersEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload(t, "old", w.evaluation, "cdcdcdcd")
	w.upload(t, "new", w.training, "cdcdcdcd")
	m := w.modelOf(t, "new")
	computed := func() ledger.Digest {
		pairs, _ := w.pairs(t, w.modelOf(t, "old"), m)
		if len(pairs) != 1 || !compare.Computed(pairs[0].Candidate) {
			t.Fatalf("%+v stand", pairs)
		}
		return pairs[0].Candidate[0].Digest
	}
	whole := w.compute(t, ledger.System(), m.ID, "cccccccc")
	w.compute(t, ledger.System(), m.ID, "ddddddd") // leaves an item out
	if got := computed(); got != whole.Digest {
		t.Errorf("answers that leave an item out superseded all: %s", got)
	}
	if later := w.compute(t, ledger.System(), m.ID, "dddddddd"); computed() != later.Digest {
		t.Error("answers to every item superseded nothing")
	}
}
