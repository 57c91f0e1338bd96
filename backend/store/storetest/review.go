package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// Review shows that what was decided comes back as it was, byte for byte: the
// gate holds it against commitments.
func Review(t *testing.T) {
	at := time.Date(2026, 5, 17, 10, 30, 0, 123456000, time.UTC)
	candidate := review.Candidate{
		ID: "c1", Project: "p1", Subject: review.Subject{Kind: review.SubjectModel, Digest: "sha256:01"}, Name: "intents@1", Model: "m1",
		Environment: review.Production, Note: "why\nnot", State: review.StateDraft, ProposedBy: "tom", TrainedBy: "tom", CreatedAt: at,
	}
	t.Run("candidates count within their project and come back whole", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			second, third := candidate, candidate
			second.ID, third.ID, third.Project = "c2", "c3", "p2"
			second.Environment = "staging"
			var made [3]review.Candidate
			change(t, s, func(tx *store.Tx) error {
				for i, c := range []review.Candidate{candidate, second, third} {
					var err error
					if made[i], err = tx.CreateCandidate(c); err != nil {
						return err
					}
				}
				return nil
			})
			if made[0].Number != 1 || made[1].Number != 2 || made[2].Number != 1 {
				t.Errorf("numbers = %d, %d, %d", made[0].Number, made[1].Number, made[2].Number)
			}
			changed := made[0]
			changed.State, changed.Policy, changed.OpenedAt, changed.Note = review.StateOpen, "sha256:02", at.Add(time.Second), "because"
			changed.Baseline = review.Baseline{Candidate: "c0", Number: 7, Name: "intents@0", Model: "m0", Digest: "sha256:00"}
			change(t, s, func(tx *store.Tx) error { return tx.UpdateCandidate(changed) })
			view(t, s, func(tx *store.Tx) error {
				for _, ref := range []review.CandidateRef{{ID: "c1"}, {Number: 1}} {
					got, err := tx.GetCandidate("p1", ref)
					if err != nil {
						return err
					}
					equal(t, got, changed)
				}
				got, err := tx.GetCandidate("p1", review.CandidateRef{Digest: "sha256:01"})
				equal(t, got.ID, review.CandidateID("c2")) // the newest of several
				if err != nil {
					return err
				}
				for name, f := range map[string]struct {
					filter review.CandidateFilter
					want   int
				}{
					"of a project":     {review.CandidateFilter{Project: "p1"}, 2},
					"of every project": {review.CandidateFilter{Digest: "sha256:01"}, 3},
					"by environment":   {review.CandidateFilter{Project: "p1", Environment: "staging"}, 1},
					"by state":         {review.CandidateFilter{Project: "p1", State: review.StateOpen}, 1},
					"the next page":    {review.CandidateFilter{Project: "p1", Before: 2}, 1},
				} {
					found, err := tx.FindCandidates(f.filter)
					if err != nil || len(found) != f.want {
						t.Errorf("%s: %d candidates, want %d (%v)", name, len(found), f.want, err)
					}
				}
				if _, err := tx.GetCandidate("p2", review.CandidateRef{ID: "c1"}); !fault.Is(err, fault.NotFound) {
					t.Errorf("another project's candidate: %v", err)
				}
				if _, err := tx.GetCandidate("p1", review.CandidateRef{}); !fault.Is(err, fault.NotFound) {
					t.Errorf("no reference: %v", err)
				}
				return nil
			})
			err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.UpdateCandidate(review.Candidate{ID: "none"}) })
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("update of nothing: %v", err)
			}
		})
	})
	t.Run("votes, sign-offs and attestations keep their order and every field", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			vote := review.Vote{
				ID: "v2", Candidate: "c1", Subject: candidate.Subject, Environment: review.Production, Policy: "sha256:02", Baseline: "sha256:00", Person: "ana",
				PrintedName: "Ana “Ñ” 👩‍🔬", Role: ledger.RoleReviewer, Label: "release", Value: -1, Words: "not safe", Comment: "\tno\r\n", Sentence: "I, Ana",
				Assurance: review.Password, TimeZone: "Europe/Madrid", Evidence: []ledger.Digest{"sha256:aa", "sha256:bb"}, At: at,
				Opened: []byte(`{"opened":[]}`), Looked: ledger.DigestOf([]byte(`{"opened":[]}`)),
			}
			back := vote
			back.ID, back.Withdrawn, back.Evidence, back.Opened, back.Looked = "v1", true, []ledger.Digest{}, nil, "" // as before there were any
			comment := review.Comment{ID: "k1", Candidate: "c1", Person: "ana", PrintedName: "Ana", Text: "see <b>", Via: ledger.ViaToken, At: at}
			signed := review.SignOff{
				ID: "s1", Candidate: "c1", Subject: candidate.Subject, Environment: review.Production, Policy: "sha256:02", At: at, ExpiresAt: at.AddDate(0, 0, 180),
				Results: []review.Result{{Requirement: "r", Rule: review.RuleVote, State: review.Satisfied, Says: "Met.", Role: ledger.RoleReviewer}},
				Votes:   []review.VoteID{"v2"}, Makers: []review.Maker{{Person: "tom", How: compare.MadeTrained, At: time.UnixMicro(7).UTC()}}, Evidence: []ledger.Digest{},
			}
			revocation := review.Revocation{ID: "r1", SignOff: "s1", Candidate: "c1", Subject: candidate.Subject, Environment: review.Production, Person: "ben",
				PrintedName: "Ben", Reason: "no", Sentence: "I, Ben", Assurance: review.Password, TimeZone: "UTC", At: at}
			attestation := review.Attestation{Candidate: "c1", Kind: review.AttestsVote, Ref: "v2", Predicate: review.PredicateRejection, Key: "00ff",
				Envelope: []byte{'{', 0, 0xff, '}'}, Digest: "sha256:ee", At: at}
			change(t, s, func(tx *store.Tx) error {
				if _, err := tx.CreateCandidate(candidate); err != nil {
					return err
				}
				for _, err := range []error{
					tx.CreateVote(vote), tx.CreateVote(back), tx.CreateComment(comment), tx.CreateSignOff(signed), tx.CreateRevocation(revocation), tx.CreateAttestation(attestation),
				} {
					if err != nil {
						return err
					}
				}
				return nil
			})
			view(t, s, func(tx *store.Tx) error {
				votes, err := tx.FindVotes("c1")
				equal(t, votes, []review.Vote{vote, back})
				if err != nil {
					return err
				}
				comments, err := tx.FindComments("c1")
				equal(t, comments, []review.Comment{comment})
				if err != nil {
					return err
				}
				signOffs, err := tx.FindSignOffs("c1")
				equal(t, signOffs, []review.SignOff{signed})
				if err != nil {
					return err
				}
				for environment, want := range map[review.Environment]int{candidate.Environment: 1, "elsewhere": 0} {
					approved, err := tx.FindApproved(candidate.Project, environment)
					if err != nil || len(approved) != want || want == 1 && approved[0].ID != "c1" {
						t.Errorf("approved for %s: %+v, %v", environment, approved, err)
					}
				}
				revocations, err := tx.FindRevocations("c1")
				equal(t, revocations, []review.Revocation{revocation})
				if err != nil {
					return err
				}
				attestations, err := tx.FindAttestations("c1")
				equal(t, attestations, []review.Attestation{attestation})
				return err
			})
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.CreateAttestation(attestation) }); !fault.Is(err, fault.Conflict) {
				t.Errorf("a second signature of one vote: %v", err)
			}
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.CreateVote(vote) }); !fault.Is(err, fault.Conflict) {
				t.Errorf("a second vote with the same id: %v", err)
			}
		})
	})
	t.Run("what voters opened is told as of a moment, of one person and project", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			comparison := review.Thing{Kind: review.LookComparison, ID: "sha256:cc", Digest: "sha256:cc"}
			model := review.Thing{Kind: review.LookModel, ID: "m1", Digest: "sha256:01"}
			minute := func(n int) time.Time { return at.Add(time.Duration(n) * time.Minute) }
			change(t, s, func(tx *store.Tx) error {
				return errors.Join(
					tx.NoteLook("p1", "ana", comparison, minute(1), 0), tx.NoteLook("p1", "ana", comparison, minute(2), 15_000), tx.NoteLook("p1", "ana", comparison, minute(4), 5_000),
					tx.NoteLook("p1", "ana", model, minute(3), 0), tx.NoteLook("p2", "ana", model, minute(5), 1), tx.NoteLook("p1", "ben", model, minute(1), 7),
					tx.NoteItems("p1", "ana", "sha256:cc", []int{9, 2}, minute(2)), tx.NoteItems("p1", "ana", "sha256:cc", []int{2, 30}, minute(4)),
					tx.NoteItems("p1", "ben", "sha256:cc", []int{1}, minute(2)))
			})
			view(t, s, func(tx *store.Tx) error {
				early, err1 := tx.FindLooks("p1", "ana", minute(3))
				late, err2 := tx.FindLooks("p1", "ana", minute(9))
				last, err3 := tx.LastLook("ana")
				never, err4 := tx.LastLook("cleo")
				equal(t, early, []review.Look{
					{Thing: comparison, First: minute(1), Last: minute(2), Millis: 15_000, Items: []int{2, 9}}, {Thing: model, First: minute(3), Last: minute(3)}})
				equal(t, late, []review.Look{
					{Thing: comparison, First: minute(1), Last: minute(4), Millis: 20_000, Items: []int{2, 9, 30}}, {Thing: model, First: minute(3), Last: minute(3)}})
				if !last.Equal(minute(5)) || !never.IsZero() {
					t.Errorf("last looks: %s, %s", last, never)
				}
				return errors.Join(err1, err2, err3, err4)
			})
			change(t, s, func(tx *store.Tx) error {
				_, _, err := tx.Expire(erasure.RetainLooks, minute(3), 100)
				return err
			})
			view(t, s, func(tx *store.Tx) error {
				kept, err := tx.FindLooks("p1", "ana", minute(9))
				equal(t, kept, []review.Look{
					{Thing: comparison, First: minute(4), Last: minute(4), Millis: 5_000, Items: []int{30}}, {Thing: model, First: minute(3), Last: minute(3)}})
				return err
			})
			change(t, s, func(tx *store.Tx) error {
				if err := tx.CreatePerson(identity.Person{ID: "ana", Username: "ana", CreatedAt: at, ChangedAt: at}); err != nil {
					return err
				}
				traces, err1 := tx.Traces("ana")
				records, err2 := tx.PersonRecords("ana")
				if traces.Looks != 3 || records[erasure.RecordAccess] != 4 {
					t.Errorf("%d things are counted for Ana, and %d records to erase", traces.Looks, records[erasure.RecordAccess])
				}
				return errors.Join(err1, err2, tx.ErasePerson("ana", "erased-1"))
			})
			view(t, s, func(tx *store.Tx) error {
				gone, err1 := tx.FindLooks("p1", "ana", minute(9))
				others, err2 := tx.FindLooks("p1", "ben", minute(9))
				if len(gone) != 0 || len(others) != 0 { // Ben's was kept long enough
					t.Errorf("kept: %+v, %+v", gone, others)
				}
				return errors.Join(err1, err2)
			})
		})
	})
	t.Run("keys that sign are listed, and counted by what they signed", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			older := ledger.SigningKey{Hint: "ff", PEM: "-----BEGIN PUBLIC KEY-----\n", At: at}
			newer := ledger.SigningKey{Hint: "aa", PEM: "pem", Statement: []byte(`{"payload":""}`), At: at.Add(time.Second)}
			change(t, s, func(tx *store.Tx) error { return tx.SaveSigningKey(newer) })
			change(t, s, func(tx *store.Tx) error { return tx.SaveSigningKey(older) })
			older.Statement = []byte("{}")
			change(t, s, func(tx *store.Tx) error {
				if _, err := tx.CreateCandidate(candidate); err != nil {
					return err
				}
				for i, key := range []string{"ff", "ff", "aa"} {
					a := review.Attestation{Candidate: "c1", Kind: review.AttestsVote, Ref: fmt.Sprint(i), Key: key, Envelope: []byte("{}"), Digest: "sha256:ee", At: at}
					if err := tx.CreateAttestation(a); err != nil {
						return err
					}
				}
				if err := tx.SaveCheckpoint(ledger.Checkpoint{Key: "aa", At: at, Envelope: []byte("{}")}); err != nil {
					return err
				}
				return tx.SaveSigningKey(older) // taken into use once more
			})
			view(t, s, func(tx *store.Tx) error {
				keys, err := tx.SigningKeys()
				equal(t, keys, []ledger.SigningKey{older, newer})
				if err != nil {
					return err
				}
				used, err := tx.KeysUsed()
				equal(t, used, []ledger.KeyUse{{Key: "aa", Attestations: 1, Checkpoints: 1}, {Key: "ff", Attestations: 2}})
				return err
			})
		})
	})
	t.Run("policies have versions, and the older stay", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			view(t, s, func(tx *store.Tx) error {
				if _, err := tx.CurrentPolicy("p1"); !fault.Is(err, fault.NotFound) {
					t.Errorf("no policy yet: %v", err)
				}
				return nil
			})
			first := review.Policy{Project: "p1", Version: 1, Digest: "sha256:01", Text: "{}", CreatedBy: "lea", CreatedAt: at}
			second := review.Policy{Project: "p1", Version: 2, Digest: "sha256:02", Text: "{ }", CreatedBy: "lea", CreatedAt: at}
			change(t, s, func(tx *store.Tx) error {
				for _, p := range []review.Policy{first, second} {
					if got, err := tx.CreatePolicy(p); err != nil || got.Version != p.Version {
						t.Errorf("version = %d, want %d (%v)", got.Version, p.Version, err)
					}
				}
				return nil
			})
			view(t, s, func(tx *store.Tx) error {
				current, err := tx.CurrentPolicy("p1")
				equal(t, current, second)
				if err != nil {
					return err
				}
				older, err := tx.GetPolicy("p1", "sha256:01")
				equal(t, older, first)
				return err
			})
		})
	})
	t.Run("voters are reviewers and approvers who can sign in", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			change(t, s, func(tx *store.Tx) error {
				for _, p := range []identity.Person{{ID: "b", Username: "b", Name: "Ben"}, {ID: "a", Username: "a", Name: "Ana"}, {ID: "x", Username: "x", Name: "Gone", Disabled: true}} {
					if err := tx.CreatePerson(p); err != nil {
						return err
					}
				}
				for _, m := range []identity.Membership{{Project: "p1", Person: "b", Role: ledger.RoleApprover}, {Project: "p1", Person: "a", Role: ledger.RoleReviewer},
					{Project: "p1", Person: "a", Role: ledger.RoleLead}, {Project: "p1", Person: "x", Role: ledger.RoleReviewer}, {Project: "p2", Person: "b", Role: ledger.RoleReviewer}} {
					if err := tx.AddMembership(m); err != nil {
						return err
					}
				}
				return nil
			})
			view(t, s, func(tx *store.Tx) error {
				voters, err := tx.FindVoters("p1")
				equal(t, voters, []review.Voter{{Person: "a", Name: "Ana", Role: ledger.RoleReviewer}, {Person: "b", Name: "Ben", Role: ledger.RoleApprover}})
				return err
			})
		})
	})
	t.Run("a gap in the history is seen", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			whole := func() (whole bool) {
				view(t, s, func(tx *store.Tx) (err error) {
					whole, err = tx.Whole()
					return err
				})
				return whole
			}
			if !whole() {
				t.Error("an empty history has a gap")
			}
			change(t, s, func(tx *store.Tx) error {
				for _, kind := range []string{"b.made", "a.made", "b.made"} {
					if err := tx.Record(ledger.Entry{Actor: ledger.System(), Project: "p1", Kind: kind, Subject: ledger.Subject{Kind: "candidate", ID: "c1"}}); err != nil {
						return err
					}
				}
				return nil
			})
			if !whole() {
				t.Error("a whole history has a gap")
			}
			view(t, s, func(tx *store.Tx) error {
				records, err := tx.RecordsAbout(ledger.Subject{Kind: "candidate", ID: "c1"})
				if err != nil || len(records) != 3 || records[0].Seq != 1 || records[2].Seq != 3 {
					t.Errorf("records = %v (%v)", records, err)
				}
				kinds, err := tx.EventKinds("p1")
				equal(t, kinds, []string{"a.made", "b.made"})
				return err
			})
		})
	})
	t.Run("subjects of events are called what they are called today", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			change(t, s, func(tx *store.Tx) error {
				if _, err := tx.CreateCandidate(candidate); err != nil {
					return err
				}
				if _, err := tx.CreateModel(Model("m1", "intent")); err != nil {
					return err
				}
				if err := tx.CreatePerson(identity.Person{ID: "tom", Username: "tom", Name: "Tom Ahn", Password: "x", CreatedAt: at, ChangedAt: at}); err != nil {
					return err
				}
				if err := tx.CreateProject(labeling.Project{ID: "p", Slug: "p", Name: "Ward 7", Overlap: 1, SchemaVersion: 1, CreatedAt: at}); err != nil {
					return err
				}
				return tx.CreateDataset(labeling.Dataset{ID: "d", Project: "p", Name: "May", Purpose: labeling.PurposeTraining, CreatedAt: at})
			})
			want := map[ledger.Subject]string{
				{Kind: "candidate", ID: "c1"}: "intents@1 #1", {Kind: "evidence", ID: "c1"}: "intents@1 #1", {Kind: "model", ID: "m1"}: "intent 1",
				{Kind: "person", ID: "tom"}: "Tom Ahn", {Kind: "project", ID: "p"}: "Ward 7", {Kind: "dataset", ID: "d"}: "May",
			}
			asked := slices.Collect(maps.Keys(want))
			asked = append(asked, asked...) // many events are about the same
			for _, kind := range []string{"candidate", "dataset", "evidence", "group", "import", "item", "login", "model", "person", "project", "snapshot", "token", "no such kind"} {
				asked = append(asked, ledger.Subject{Kind: kind, ID: "gone"})
			}
			view(t, s, func(tx *store.Tx) error {
				got, err := tx.SubjectNames(asked)
				equal(t, got, want)
				return err
			})
		})
	})
	t.Run("a measurement replaces the one before it", func(t *testing.T) {
		t.Parallel()
		Each(t, func(t *testing.T, s *store.Store) {
			whole := review.Measurement{Candidate: "c1", Baseline: "sha256:00", State: review.MeasureQueued, At: at}
			one := review.Measurement{Candidate: "c1", Baseline: "sha256:00", Snapshot: "s1", State: review.MeasureWaiting, Reason: "no answers", At: at}
			other := review.Measurement{Candidate: "c1", Baseline: "sha256:09", State: review.MeasureQueued, At: at}
			change(t, s, func(tx *store.Tx) error {
				if _, err := tx.CreateCandidate(candidate); err != nil {
					return err
				}
				for _, m := range []review.Measurement{one, whole, other} {
					if err := tx.SaveMeasurement(m); err != nil {
						return err
					}
				}
				one.State, one.Reason, one.Digest, one.At = review.MeasureDone, "", "sha256:0d", at.Add(time.Second)
				return tx.SaveMeasurement(one)
			})
			view(t, s, func(tx *store.Tx) error {
				found, err := tx.FindMeasurements("c1", "sha256:00")
				if err == nil && len(found) != 2 {
					t.Fatalf("found %+v", found)
				}
				if err == nil {
					equal(t, found[0], whole)
					equal(t, found[1], one)
				}
				return err
			})
		})
	})
}
