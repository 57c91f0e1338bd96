package review_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/adjudge/adjudge/backend/checkpoint"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

const project ledger.ProjectID = "project-1"

// world is a desk on a real store, with people and models.
type world struct {
	*review.Service
	t     *testing.T
	path  string
	store *store.Store
	files *shelf
	key   *signer.Key
	keep  *checkpoint.Keeper
	later time.Duration // how far the clock is ahead

	meanwhile func() // happens once while a password is checked

	ana, ben, cleo, tom ledger.Actor // reviewer, approver, both, trainer
}

// shelf keeps files in memory.
type shelf struct {
	sync.Mutex
	content map[ledger.Digest][]byte
}

func (s *shelf) put(content []byte) ledger.Digest {
	s.Lock()
	defer s.Unlock()
	d := ledger.DigestOf(content)
	s.content[d] = content
	return d
}

type reader struct{ *bytes.Reader }

func (reader) Close() error { return nil }

func (s *shelf) Open(_ context.Context, d ledger.Digest) (io.ReadSeekCloser, error) {
	s.Lock()
	defer s.Unlock()
	content, found := s.content[d]
	if !found {
		return nil, fault.New(fault.NotFound, "no file %s", d.Short())
	}
	return reader{bytes.NewReader(content)}, nil
}

// passwords checks them; meanwhile, while it does, something may happen.
type passwords struct{ meanwhile *func() }

func (p passwords) Prove(_ context.Context, _ ledger.Actor, password, _ string) (string, error) {
	if do := *p.meanwhile; do != nil {
		*p.meanwhile = nil
		do()
	}
	if password != "correct horse" {
		return "", fault.New(fault.Unauthenticated, "This password is not right.")
	}
	return string(review.Password), nil
}

// proved holds rows against what a walk remembers, as the program does.
func proved(walk *store.Walk) func(review.Tx) ([]string, error) {
	return func(tx review.Tx) ([]string, error) { return walk.Faults(tx.(*store.Tx)) }
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, path: storetest.SQLite(t), files: &shelf{content: map[ledger.Digest][]byte{}}}
	w.store = storetest.Open(t, w.path)
	var err error
	if w.key, err = signer.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	w.keep = checkpoint.New(checkpoint.Config{
		Update: store.In[checkpoint.Tx](w.store), View: store.From[checkpoint.Tx](w.store), Now: w.store.Now, Signer: w.key, Key: signer.NewRing(w.key),
		EventHash: w.store.EventHash, Installation: "abc", Dir: t.TempDir(), Decisions: review.Decisions(),
	})
	walk := store.NewWalk(w.store, review.Rests()...)
	w.Service = review.New(review.Config{
		Update: store.In[review.Tx](w.store), View: store.From[review.Tx](w.store),
		Now:   func() time.Time { return w.store.Now().Add(w.later) },
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
		Files: w.files, Signer: signer.NewRing(w.key), Passwords: passwords{&w.meanwhile},
		Walked: walk.Passed, Proved: proved(walk), Covers: w.keep.Covers,
	})
	w.must(w.store.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.CreateProject(labeling.Project{ID: project, Slug: "intents", Name: "Intents", Overlap: 1, SchemaVersion: 1}); err != nil {
			return err
		}
		for _, s := range []labeling.Snapshot{
			{ID: "snapshot-1", Project: project, Purpose: labeling.PurposeEvaluation, State: labeling.SnapshotReady, Digest: ledger.DigestOf([]byte("rows")), CreatedBy: "tom"},
			{ID: "snapshot-2", Project: project, Purpose: labeling.PurposeTraining, State: labeling.SnapshotReady, Digest: ledger.DigestOf([]byte("training rows")), CreatedBy: "tom"},
		} {
			if _, err := tx.CreateSnapshot(s); err != nil {
				return err
			}
			if err := tx.UpdateSnapshot(s); err != nil {
				return err
			}
		}
		return nil
	}))
	w.ana = w.person("ana", "Ana Ruiz", ledger.RoleReviewer)
	w.ben = w.person("ben", "Ben Okafor", ledger.RoleApprover)
	w.cleo = w.person("cleo", "Cleo Hart", ledger.RoleReviewer, ledger.RoleApprover)
	w.tom = w.person("tom", "Tom Weiss", ledger.RoleDataScientist, ledger.RoleReviewer)
	return w
}

func (w *world) person(id ledger.PersonID, name string, roles ...ledger.Role) ledger.Actor {
	w.t.Helper()
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		if err := tx.CreatePerson(identity.Person{ID: id, Username: string(id), Name: name}); err != nil {
			return err
		}
		about := ledger.Subject{Kind: "person", ID: string(id)}
		if err := tx.Record(ledger.Entry{Actor: ledger.System(), Kind: "person.created", Subject: about, Payload: map[string]string{"name": name}}); err != nil {
			return err
		}
		for _, role := range roles {
			if err := tx.AddMembership(identity.Membership{Project: project, Person: id, Role: role}); err != nil {
				return err
			}
			if err := tx.Record(ledger.Entry{Actor: ledger.System(), Project: project, Kind: "role.granted", Subject: about, Payload: map[string]string{"role": string(role)}}); err != nil {
				return err
			}
		}
		return nil
	}))
	return ledger.Actor{Person: id, Name: name, Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{project: roles}}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// model registers a model whose one file has this content, trained by Tom.
func (w *world) model(content string) compare.Model {
	w.t.Helper()
	m := compare.Model{ID: compare.ModelID(uuid.Must(uuid.NewV7()).String()), Project: project, Name: "intents", TrainedBy: w.tom.Person, CreatedBy: w.tom.Person, CreatedAt: w.store.Now()}
	m.Files = []compare.File{{Path: "model.bin", Size: int64(len(content)), Digest: w.files.put([]byte(content))}}
	root, err := ledger.TreeRoot([]ledger.TreeFile{{Path: "model.bin", Digest: m.Files[0].Digest}})
	w.must(err)
	m.Digest = root
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		var err error
		m, err = compare.Register(tx, w.tom, m)
		return err
	}))
	return m
}

// propose puts a model to the vote for production.
func (w *world) propose(m compare.Model) review.Candidate {
	w.t.Helper()
	c, err := w.Propose(w.t.Context(), w.tom, review.ProposeRequest{Project: project, Model: compare.ModelRef{ID: m.ID}, Environment: review.Production, Note: "better on refunds"})
	w.must(err)
	return c
}

func ref(c review.Candidate) review.CandidateRef { return review.CandidateRef{ID: c.ID} }

// vote casts a vote and writes the signatures that follow.
func (w *world) vote(actor ledger.Actor, c review.Candidate, value int) review.Voted {
	w.t.Helper()
	voted, err := w.Vote(w.t.Context(), actor, review.VoteRequest{Project: project, Candidate: ref(c), Value: value, Comment: "looked at 50 items", Password: "correct horse", TimeZone: "Europe/Madrid"})
	w.must(err)
	w.sign()
	return voted
}

// sign carries out the follow-up work that is due.
func (w *world) sign() {
	w.t.Helper()
	for {
		now := w.store.Now()
		row, found, err := w.store.ClaimWork(w.t.Context(), now, now.Add(work.Lease))
		w.must(err)
		if !found {
			return
		}
		switch {
		case row.Kind == review.WorkSign:
			w.must(w.SignWork(w.t.Context(), row.Payload))
			w.must(w.keep.AfterDecision(w.t.Context(), row.Payload))
		case row.Kind == review.WorkMeasure && w.Comparer != nil:
			w.must(w.MeasureWork(w.t.Context(), row.Payload))
		}
		w.must(w.store.FinishWork(w.t.Context(), row.ID))
	}
}

func (w *world) gate(c review.Candidate) review.Answer {
	w.t.Helper()
	answer, err := w.Gate(w.t.Context(), w.ben, review.GateRequest{Candidate: review.CandidateRef{Digest: c.Subject.Digest}})
	w.must(err)
	return answer
}

// approved returns a candidate that a reviewer and an approver voted for.
func (w *world) approved(content string) review.Candidate {
	w.t.Helper()
	c := w.propose(w.model(content))
	w.vote(w.ana, c, 1)
	c = w.vote(w.ben, c, 2).Candidate
	if c.State != review.StateApproved {
		w.t.Fatalf("candidate %d is %s", c.Number, c.State)
	}
	return c
}

// compared stores a comparison of a candidate with its baseline.
func (w *world) compared(c review.Candidate, low, high float64) {
	w.comparedOn("snapshot-1", c, low, high)
}

func (w *world) comparedOn(snapshot labeling.SnapshotID, c review.Candidate, low, high float64) {
	w.t.Helper()
	w.answered(c.Baseline.Model, snapshot, string(c.Baseline.Model), false)
	w.answered(c.Model, snapshot, uuid.NewString(), true)
	w.comparedAll(snapshot, c, low, high)
}

// answered stores an upload of Tom's of a model's answers on a snapshot: one more,
// or one where there is none yet.
func (w *world) answered(model compare.ModelID, snapshot labeling.SnapshotID, content string, more bool) compare.PredictionSet {
	w.t.Helper()
	var known []compare.PredictionSet
	w.must(w.store.View(w.t.Context(), func(tx *store.Tx) (err error) {
		known, err = tx.FindPredictionSets(project, model)
		return err
	}))
	if i := slices.IndexFunc(known, func(s compare.PredictionSet) bool { return s.Snapshot == snapshot }); i >= 0 && !more {
		return known[i]
	}
	return w.answeredBy(w.tom, model, snapshot, content)
}

// answeredBy stores an upload of somebody's of a model's answers on a snapshot.
func (w *world) answeredBy(who ledger.Actor, model compare.ModelID, snapshot labeling.SnapshotID, content string) compare.PredictionSet {
	w.t.Helper()
	set := compare.PredictionSet{ID: compare.PredictionSetID(uuid.Must(uuid.NewV7()).String()), Project: project, Model: model, Snapshot: snapshot,
		State: compare.PredictionsReady, Origin: compare.OriginUploaded, Digest: ledger.DigestOf([]byte(content)), Rows: 3080, CreatedBy: who.Person, CreatedAt: w.store.Now()}
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) (err error) {
		set, err = tx.CreatePredictionSet(set)
		return err
	}))
	return set
}

// comparedAll stores the comparisons of a candidate with its baseline that their
// answers ask for and that are not there yet, all with this interval.
func (w *world) comparedAll(snapshot labeling.SnapshotID, c review.Candidate, low, high float64) {
	w.t.Helper()
	difference := compare.Estimate{Value: compare.Number((low + high) / 2), Low: compare.Number(low), High: compare.Number(high)}
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		on, err1 := tx.Snapshot(snapshot)
		baseline, err2 := tx.GetModel(project, c.Baseline.Model)
		candidate, err3 := tx.GetModel(project, c.Model)
		records, err4 := tx.FindComparisons(compare.ComparisonFilter{Project: project, Baseline: c.Baseline.Model, Candidate: c.Model, Snapshot: snapshot})
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			return err
		}
		pairs, _, err := compare.Pairings(tx, baseline, candidate, on)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			if slices.ContainsFunc(records, func(r compare.ComparisonRecord) bool { return r.Inputs == p.Inputs }) {
				continue
			}
			doc, err := json.Marshal(compare.Comparison{
				Format: compare.ComparisonFormat, Base: compare.Base{Snapshot: ledger.DigestOf([]byte("snapshot")), Items: 3080}, Difference: difference,
				Baseline: compare.Subject{Digest: c.Baseline.Digest, Sources: p.Baseline}, Candidate: compare.Subject{Digest: c.Subject.Digest, Sources: p.Candidate},
			})
			if err != nil {
				return err
			}
			if err := tx.SaveComparison(compare.ComparisonRecord{
				Digest: w.files.put(doc), Inputs: p.Inputs, Project: project, Baseline: c.Baseline.Model, Candidate: c.Model, Snapshot: snapshot,
				Items: 3080, Verdict: difference.Verdict(), Difference: difference, CreatedBy: w.tom.Person, CreatedAt: w.store.Now(),
			}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// tamper runs SQL on the database file, past everything.
// unproven calls f while no row is held against the history: what else guards a
// gate holds where somebody changes a row in the moment after.
func (w *world) unproven(f func()) {
	proved := w.Proved
	w.Proved = func(review.Tx) ([]string, error) { return nil, nil }
	defer func() { w.Proved = proved }()
	f()
}

func (w *world) tamper(query string, args ...any) {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.path+"?_pragma=busy_timeout(30000)")
	w.must(err)
	defer func() { w.must(db.Close()) }()
	for statement := range strings.SplitSeq(query, ";") {
		result, err := db.ExecContext(w.t.Context(), statement, args...)
		w.must(err)
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			w.t.Fatalf("%s changed %d rows (%v)", statement, n, err)
		}
	}
}

func wantFault(t *testing.T, err error, kind fault.Kind, says string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(fmt.Sprint(err), says) {
		t.Errorf("error = %v (%s), want %s with %q", err, fault.KindOf(err), kind, says)
	}
}
