package review_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// names stores a vote that names documents, past the desk.
func (w *world) names(c review.Candidate, evidence ...ledger.Digest) {
	w.t.Helper()
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		return tx.CreateVote(review.Vote{ID: review.VoteID(uuid.NewString()), Candidate: c.ID, Subject: c.Subject, Environment: c.Environment, Policy: c.Policy,
			Person: w.ana.Person, Role: ledger.RoleReviewer, Label: "release", Value: 1, Words: "Yes", Evidence: evidence, At: tx.Now()})
	}))
}

func TestACandidateThatIsASnapshotIsNotForThoseWhoJudgeItBlind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zoe := w.person("zoe", "Zoe Berg", ledger.RoleAnnotator)
	digest := ledger.DigestOf([]byte("rows"))
	c, err := w.Propose(t.Context(), w.tom, review.ProposeRequest{Project: project, Subject: review.Subject{Kind: review.SubjectSnapshot, Digest: digest}, Environment: review.Production})
	w.must(err)
	for name, kind := range map[string]struct {
		ref  review.CandidateRef
		kind fault.Kind
	}{"by its number": {ref(c), fault.Denied}, "by its digest": {review.CandidateRef{Digest: digest}, fault.NotFound}} {
		_, err := w.Case(t.Context(), zoe, project, kind.ref)
		wantFault(t, err, kind.kind, "")
		_, err = w.Recompute(t.Context(), zoe, project, kind.ref)
		wantFault(t, err, kind.kind, "")
		_, _, err = w.EvidenceFiles(t.Context(), zoe, project, kind.ref)
		wantFault(t, err, kind.kind, "")
		_, err = w.EvidenceFile(t.Context(), zoe, project, kind.ref, "adjudge.pub")
		wantFault(t, err, kind.kind, "")
		_, err = w.Comment(t.Context(), zoe, review.CommentRequest{Project: project, Candidate: kind.ref, Text: "hello"})
		wantFault(t, err, kind.kind, "")
		if _, err := w.Case(t.Context(), w.ana, project, kind.ref); err != nil {
			t.Errorf("a reviewer, %s: %v", name, err)
		}
	}
	list, err := w.Candidates(t.Context(), zoe, review.CandidateFilter{Project: project})
	w.must(err)
	if len(list) != 1 || list[0].Subject.Digest != "" {
		t.Errorf("the list shows %+v", list)
	}
	if list, err := w.Candidates(t.Context(), zoe, review.CandidateFilter{Project: project, Digest: digest}); err != nil || len(list) != 0 {
		t.Errorf("asked for by its digest: %+v, %v", list, err)
	}
	_, err = w.Locate(t.Context(), zoe, review.CandidateRef{Digest: digest})
	wantFault(t, err, fault.NotFound, "")
	shipped, err := w.Environments(t.Context(), zoe, project)
	if err != nil || len(shipped[0].Open) != 1 || shipped[0].Open[0].Subject.Digest != "" {
		t.Errorf("the environments show %+v, %v", shipped, err)
	}
	if list, err := w.Candidates(t.Context(), w.ana, review.CandidateFilter{Project: project, Digest: digest}); err != nil || len(list) != 1 || list[0].Subject.Digest != digest {
		t.Errorf("a reviewer sees %+v, %v", list, err)
	}
}

func TestEvidenceHoldsWhatVotesNameAndTheSnapshotsBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rows := []byte(`{"key":"a","answer":"cat"}` + "\n" + `{"key":"b","answer":"dog"}` + "\n")
	var manifest bytes.Buffer
	digest, err := labeling.WriteManifest(&manifest, "", bytes.NewReader(rows))
	w.must(err)
	s := labeling.Snapshot{ID: "frozen", Project: project, Purpose: labeling.PurposeEvaluation, State: labeling.SnapshotReady, Digest: digest, Rows: w.files.put(rows), CreatedBy: "tom"}
	w.must(w.store.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.CreateSnapshot(s); err != nil {
			return err
		}
		return tx.UpdateSnapshot(s)
	}))
	c := w.second()
	w.comparedOn("frozen", c, 0.01, 0.02)
	vote := w.vote(w.ana, c, 1).Vote
	compared, looked := vote.Evidence[0], "looked-"+vote.Looked.Hex()[:12]+".json"
	large := w.files.put(bytes.Repeat([]byte("x"), 65<<20))
	gone := ledger.DigestOf([]byte("nobody has it"))
	w.names(c, compared, large, gone)

	document := func(d ledger.Digest) string { return "comparison-" + d.Hex()[:12] + ".json" }
	frozen := "snapshot-" + digest.Hex()[:12] + ".manifest.jsonl"
	zoe := w.person("zoe", "Zoe Berg", ledger.RoleAnnotator)
	alma := w.person("alma", "Alma Roth", ledger.RoleAuditor)
	both := w.person("both", "Bo Thorn", ledger.RoleAnnotator, ledger.RoleAuditor)
	for name, tt := range map[string]struct {
		actor ledger.Actor
		gets  []string
		left  []string
		never []string // not told of at all
	}{
		"a reviewer":                 {w.ana, []string{document(compared), looked}, []string{document(large), document(gone)}, []string{frozen}},
		"an auditor":                 {alma, []string{document(compared), looked, frozen}, []string{document(large), document(gone)}, nil},
		"who judges blind":           {zoe, nil, []string{document(compared), looked, document(large), document(gone)}, []string{frozen}},
		"who judges blind and reads": {both, nil, []string{document(compared), looked, document(large), document(gone), frozen}, nil},
	} {
		files, left, err := w.EvidenceFiles(t.Context(), tt.actor, project, ref(c))
		w.must(err)
		got := map[string]string{}
		for _, f := range files {
			got[f.Name] = string(f.Content)
		}
		var leftOut []string
		for _, f := range left {
			leftOut = append(leftOut, f.Name)
			if f.Reason == "" {
				t.Errorf("%s is not told why %s is left out", name, f.Name)
			}
		}
		slices.Sort(leftOut)
		slices.Sort(tt.left)
		if !slices.Equal(leftOut, tt.left) {
			t.Errorf("%s misses %v, want %v", name, leftOut, tt.left)
		}
		for _, file := range tt.gets {
			f, err := w.EvidenceFile(t.Context(), tt.actor, project, ref(c), file)
			if err != nil || got[file] == "" || string(f.Content) != got[file] {
				t.Errorf("%s, %s: %q together, %q by its name, %v", name, file, got[file], f.Content, err)
			}
		}
		for _, file := range tt.never {
			if _, err := w.EvidenceFile(t.Context(), tt.actor, project, ref(c), file); !fault.Is(err, fault.NotFound) || got[file] != "" {
				t.Errorf("%s is told of %s: %v", name, file, err)
			}
		}
		if manifested, wants := got[frozen], slices.Contains(tt.gets, frozen); wants && manifested != manifest.String() {
			t.Errorf("%s gets the manifest %q", name, manifested)
		}
		alone, err := w.EvidenceFile(t.Context(), tt.actor, project, ref(c), document(large))
		if tt.gets == nil {
			wantFault(t, err, fault.Denied, "judge")
		} else if err != nil || len(alone.Content) != 65<<20 {
			t.Errorf("%s asks for a large one by its name: %d bytes, %v", name, len(alone.Content), err)
		}
	}
	_, err = w.EvidenceFile(t.Context(), w.ana, project, ref(c), document(gone))
	wantFault(t, err, fault.NotFound, "")
	if _, err := w.EvidenceFile(t.Context(), w.ana, project, ref(c), "../adjudge.pub"); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "signed file") {
		t.Errorf("a name of nothing: %v", err)
	}
}
