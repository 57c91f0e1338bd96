package review_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// imported registers the bytes of a model once more: in a project, under a name,
// by a person, as `predict import --digest` does.
func (w *world) imported(in ledger.ProjectID, name string, digest ledger.Digest, by ledger.Actor) compare.Model {
	w.t.Helper()
	m := compare.Model{ID: compare.ModelID(uuid.Must(uuid.NewV7()).String()), Project: in, Name: name, Digest: digest, CreatedBy: by.Person}
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) (err error) {
		m, err = compare.Register(tx, by, m)
		return err
	}))
	return m
}

// uploaded brings answers of a model.
func (w *world) uploaded(m compare.Model, by ledger.Actor) {
	w.t.Helper()
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.CreatePredictionSet(compare.PredictionSet{ID: compare.PredictionSetID(uuid.Must(uuid.NewV7()).String()), Project: m.Project, Model: m.ID,
			Snapshot: "snapshot-1", State: compare.PredictionsWaiting, CreatedBy: by.Person, CreatedAt: tx.Now()})
		return err
	}))
}

// proposeBy proposes a model as somebody else than Tom.
func (w *world) proposeBy(by ledger.Actor, m compare.Model) review.Candidate {
	w.t.Helper()
	w.grant(ledger.System(), by.Person, ledger.RoleDataScientist)
	by.Roles = map[ledger.ProjectID][]ledger.Role{project: append(slices.Clone(by.Roles[project]), ledger.RoleDataScientist)}
	c, err := w.Propose(w.t.Context(), by, review.ProposeRequest{Project: project, Model: compare.ModelRef{ID: m.ID}, Environment: review.Production})
	w.must(err)
	return c
}

func (w *world) tries(actor ledger.Actor, c review.Candidate, value int) error {
	w.t.Helper()
	_, err := w.Vote(w.t.Context(), actor, review.VoteRequest{Project: project, Candidate: ref(c), Value: value, Role: ledger.RoleReviewer, Comment: "looked", Password: "correct horse"})
	w.sign()
	return err
}

func TestTheSameBytesUnderAnotherNameHaveTheSameMakers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	trained := w.model("weights") // by Tom
	again := w.imported(project, "innocent", trained.Digest, w.cleo)
	c := w.proposeBy(w.ana, again)
	wantFault(t, w.tries(w.tom, c, 1), fault.Denied, "You trained or proposed this")
	wantFault(t, w.tries(w.cleo, c, 1), fault.Denied, "You registered a model with this digest")
	found, err := w.Case(t.Context(), w.tom, project, ref(c))
	w.must(err)
	var who []string
	for _, m := range found.Makers {
		who = append(who, m.Name+" "+string(m.How))
	}
	if !slices.Contains(who, "Tom Weiss trained") || !slices.Contains(who, "Cleo Hart registered") {
		t.Errorf("the page names as makers %q", who)
	}
	for _, r := range found.Results {
		if slices.Contains(r.Who, w.tom.Person) || slices.Contains(r.Who, w.cleo.Person) {
			t.Errorf("%s waits for a maker: %+v", r.Requirement, r)
		}
	}
}

func TestWhoTrainedItInAnotherProjectIsAMakerHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.CreateProject(labeling.Project{ID: "project-2", Slug: "elsewhere", Name: "Elsewhere", Overlap: 1, SchemaVersion: 1})
	}))
	digest := ledger.DigestOf([]byte("trained elsewhere"))
	w.must(w.store.Update(t.Context(), func(tx *store.Tx) error {
		_, err := compare.Register(tx, ledger.System(), compare.Model{ID: "m-elsewhere", Project: "project-2", Name: "theirs", Digest: digest, TrainedBy: w.tom.Person, CreatedBy: w.tom.Person})
		return err
	}))
	c := w.proposeBy(w.cleo, w.imported(project, "ours", digest, w.cleo))
	wantFault(t, w.tries(w.tom, c, 1), fault.Denied, "You trained")
	found, err := w.Case(t.Context(), w.tom, project, ref(c))
	w.must(err)
	if i := slices.IndexFunc(found.Makers, func(m review.Maker) bool { return m.Person == w.tom.Person }); i < 0 || !found.Makers[i].Elsewhere {
		t.Errorf("makers = %+v", found.Makers)
	}
}

func TestWhoBecomesAMakerAfterTheVoteNoLongerCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("weights")
	c := w.propose(m)
	w.vote(w.ana, c, 1)
	w.uploaded(m, w.ana)
	if v := w.vote(w.ben, c, 2); v.Candidate.State != review.StateOpen {
		t.Fatalf("it is %s with the vote of somebody who brought its answers", v.Candidate.State)
	}
	if a := w.gate(c); a.OK || !strings.Contains(a.Reason, "Ana Ruiz uploaded answers of a model with this digest and voted for it") {
		t.Errorf("gate: %+v", a)
	}
}

func TestAnApprovalKeepsToWhoWasAMakerThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("weights")
	c := w.propose(m)
	w.vote(w.ana, c, 1)
	c = w.vote(w.ben, c, 2).Candidate
	w.uploaded(m, w.ana)
	if a := w.gate(c); !a.OK {
		t.Errorf("an upload after the decision closed the gate: %+v", a)
	}
	found, err := w.Case(t.Context(), w.ben, project, ref(c))
	w.must(err)
	if len(found.Late) != 1 || found.Late[0].Person != w.ana.Person || found.Late[0].Name != "Ana Ruiz" {
		t.Errorf("the page does not say who became a maker later: %+v", found.Late)
	}
	signed, stands := found.SignOff()
	if !stands || len(signed.Makers) != 1 || signed.Makers[0].Person != w.tom.Person {
		t.Errorf("the approval notes as makers %+v", signed.Makers)
	}
	wantFault(t, w.tries(w.ana, c, 1), fault.Denied, "You uploaded answers")
	// The makers of the approval are part of what the history commits to.
	w.tamper(`UPDATE sign_off_maker SET makers = 'null'`)
	if a := w.gate(c); a.OK || a.State != review.AnswerBroken {
		t.Errorf("the makers of an approval were rewritten: %+v", a)
	}
}

func TestThePageAndTheEvidenceNameTheMakers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	files, _, err := w.EvidenceFiles(t.Context(), w.ben, project, ref(c))
	w.must(err)
	for _, f := range files {
		if strings.HasPrefix(f.Name, "signoff-") && strings.HasSuffix(f.Name, ".dsse.json") {
			statement, err := w.key.Verify(f.Content)
			w.must(err)
			if !strings.Contains(string(statement), `"https://adjudge.dev/makers":[{"id":"urn:adjudge:person:tom","how":"trained"`) {
				t.Errorf("the approval says %s", statement)
			}
			return
		}
	}
	t.Error("no approval among the files")
}

func TestWhoProposedAModelIsARivalOfWhatItIsHeldAgainst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	base := w.approved("weights")
	dan, eva := w.person("dan", "Dan Lee", ledger.RoleDataScientist), w.person("eva", "Eva Lind", ledger.RoleDataScientist)
	c := w.proposeBy(dan, w.model("better weights"))
	w.imported("project-2", "elsewhere", c.Subject.Digest, eva) // makers belong to the digest
	rivals := func(id compare.ModelID) (found []ledger.PersonID) {
		w.must(w.store.View(t.Context(), func(tx *store.Tx) error {
			m, err := tx.GetModel(project, id)
			if err == nil {
				found, err = tx.RivalsOf(m)
			}
			return err
		}))
		return found
	}
	for _, id := range []compare.ModelID{base.Model, c.Model} {
		if got, want := rivals(id), []ledger.PersonID{"dan", "eva", "tom"}; !slices.Equal(got, want) {
			t.Errorf("rivals of %s are %v, want %v", id, got, want)
		}
	}
	if got := rivals(w.model("another").ID); len(got) != 0 {
		t.Errorf("a model that nothing is held against has rivals: %v", got)
	}
}

func TestAModelStaysWhoseAnswersCountForAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.second()
	other := w.imported(project, "innocent", c.Subject.Digest, w.tom)
	fresh := w.model("fresh")
	same := w.imported(project, "fresh again", fresh.Digest, w.tom)
	w.answered(other.ID, "snapshot-1", "a", true)
	w.answered(fresh.ID, "snapshot-1", "b", true)
	for name, tt := range map[string]struct {
		model compare.ModelID
		says  string
	}{
		"a candidate has its bytes":                      {other.ID, "Candidate 2 is of the same bytes"},
		"another model has its bytes":                    {fresh.ID, "The model fresh again 1 has the same bytes"},
		"another model has its bytes, it has no answers": {same.ID, ""},
	} {
		var says []string
		w.must(w.store.View(t.Context(), func(tx *store.Tx) (err error) {
			says, err = tx.NeededBy(erasure.Trashed{Kind: erasure.TrashModel, Project: project, ID: string(tt.model)})
			return err
		}))
		if got := strings.Join(says, " "); !strings.Contains(got, tt.says) || tt.says == "" && got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
