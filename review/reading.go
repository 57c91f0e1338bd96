package review

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// reading is a candidate with everything a decision about it rests on.
type reading struct {
	Candidate Candidate
	Policy    Policy
	Rules     Rules
	RulesErr  error
	Facts     Facts
	Names     map[ledger.PersonID]string // with which those whom it was read for would sign
}

// digests lists the documents of the evidence.
func (f Facts) digests() []ledger.Digest {
	found := make([]ledger.Digest, 0, len(f.Evidence))
	for _, e := range f.Evidence {
		found = append(found, e.Digest)
	}
	return found
}

// read loads a candidate, its policy, its votes and the documents that compare
// it with its baseline.
func (s *Service) read(ctx context.Context, project ledger.ProjectID, ref CandidateRef, signers ...ledger.Actor) (reading, error) {
	var r reading
	var shown []exhibit
	err := s.View(ctx, func(tx Tx) (err error) {
		if r.Candidate, err = tx.GetCandidate(project, ref); err != nil {
			return err
		}
		if r.Policy, err = policyOf(tx, r.Candidate); err != nil {
			r.RulesErr = fault.As(fault.Conflict, err, "The policy that candidate %d is judged by is gone.", r.Candidate.Number)
		} else {
			r.Rules, r.RulesErr = r.Policy.Rules()
		}
		past := pastIn(tx, witness{})
		if r.Facts, err = factsOf(past, r.Candidate); err != nil {
			return err
		}
		r.Names = map[ledger.PersonID]string{}
		for _, actor := range signers {
			now, err := asItStands(tx, actor, project)
			if err != nil {
				return err
			}
			r.Names[actor.Person], err = printedName(past, r.Candidate, actor.Person, now.Name)
			if err != nil && !fault.Is(err, fault.Conflict) { // the results say so, and nobody can vote
				return err
			}
		}
		if shown, r.Facts.Unread, err = exhibitsOf(tx, r.Candidate); err != nil {
			return err
		}
		shown = beside(r.Facts.Approval, shown)
		return nameUploaders(past, r.Candidate, shown)
	})
	if err != nil {
		return r, err
	}
	r.Facts.Evidence, r.Facts.EvidenceErr = s.evidence(ctx, r.Candidate, shown)
	return r, nil
}

// nameUploaders names whoever uploaded answers as they would sign: others sign
// that name, so that it must not be a new one alone.
func nameUploaders(tx *past, c Candidate, shown []exhibit) error {
	for _, e := range shown {
		for _, side := range [][]compare.Source{e.pairing.Baseline, e.pairing.Candidate} {
			for i, source := range side {
				if source.By == "" {
					continue
				}
				name, err := printedName(tx, c, source.By, source.Name)
				if err != nil && !fault.Is(err, fault.Conflict) {
					return err
				}
				side[i].Name = name
			}
		}
	}
	return nil
}

// exhibit is a comparison document, the title of its snapshot and the answers
// that it reads.
type exhibit struct {
	digest   ledger.Digest
	snapshot string
	pairing  compare.Pairing // whose answers it compares; empty where those no longer stand
}

// these are the exhibits with the given digests, in that order.
func these(digests []ledger.Digest, known []exhibit) []exhibit {
	shown := make([]exhibit, len(digests))
	for i, digest := range digests {
		shown[i].digest = digest
		for _, e := range known {
			if e.digest == digest {
				shown[i] = e
			}
		}
	}
	return shown
}

// beside are the exhibits that an approval rests on, and after them what was
// compared since.
func beside(approval []ledger.Digest, newest []exhibit) []exhibit {
	shown := these(approval, newest)
	for _, e := range newest {
		if !slices.Contains(approval, e.digest) {
			shown = append(shown, e)
		}
	}
	return shown
}

// factsOf reads the facts that stand in the store.
func factsOf(tx *past, c Candidate) (Facts, error) {
	f := Facts{Candidate: c}
	votes, err := tx.FindVotes(c.ID)
	if err != nil {
		return f, err
	}
	f.Votes = Live(votes)
	if f.Voters, err = tx.FindVoters(c.Project); err != nil {
		return f, err
	}
	comments, err := tx.FindComments(c.ID)
	if err != nil {
		return f, err
	}
	f.Recused = recusedIn(comments)
	if f.Makers, err = makersOf(tx, c); err != nil {
		return f, err
	}
	if c.State == StateDraft {
		return f, nil
	}
	var signed SignOff
	if f.Proposed, err = tx.proposed(c); fault.Is(err, fault.Conflict) {
		f.PeopleErr = err
	} else if err != nil {
		return f, err
	}
	if c.State == StateApproved {
		all, err := tx.FindSignOffs(c.ID)
		if err != nil {
			return f, err
		}
		if len(all) > 0 {
			signed = all[len(all)-1]
			f.Approval = signed.Evidence
			f.Makers, f.Late = atDecision(f.Makers, signed)
		}
	}
	if f.People, err = standingsOf(tx, c, f.Votes, signed); fault.Is(err, fault.Conflict) {
		f.PeopleErr = err
	} else if err != nil {
		return f, err
	}
	if f.Measured, err = measurementsOf(tx, c); err != nil {
		return f, err
	}
	f.Current, f.CurrentErr = lastApproved(tx, c)
	if c.State == StateApproved || c.State == StateWithdrawn {
		f.Current, f.CurrentErr = c.Baseline, nil
	}
	return f, nil
}

// standingsOf reads what the votes that stand rest on. Those that an approval
// rests on keep the standings it was decided on, and so do the people beside
// them: what somebody lost since does not undo a decision.
func standingsOf(tx *past, c Candidate, votes []Vote, signed SignOff) ([]Standing, error) {
	var ask []ledger.PersonID
	var then []Standing
	for _, v := range votes {
		switch {
		case !slices.Contains(signed.Votes, v.ID):
			ask = append(ask, v.Person)
		case len(signed.People) == 0:
			then = append(then, Standing{Person: v.Person, Unasked: true})
		}
	}
	then = append(then, signed.People...)
	if signed.ID != "" && len(ask) == 0 {
		return named(tx, then)
	}
	now, err := peopleOf(tx, c, ask)
	if err != nil {
		return nil, err
	}
	for _, s := range now {
		if !slices.ContainsFunc(then, func(t Standing) bool { return t.Person == s.Person }) || slices.Contains(ask, s.Person) {
			then = slices.DeleteFunc(then, func(t Standing) bool { return t.Person == s.Person })
			then = append(then, s)
		}
	}
	return named(tx, then)
}

// measurementsOf reads how far the comparisons with the baseline are, with the
// titles of their snapshots.
func measurementsOf(tx Tx, c Candidate) ([]Measurement, error) {
	all, err := tx.FindMeasurements(c.ID, c.Baseline.Digest)
	if err != nil {
		return nil, err
	}
	for i, m := range all {
		if m.Snapshot == "" {
			continue
		}
		snapshot, err := tx.Snapshot(m.Snapshot)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		all[i].Title = snapshot.Title()
	}
	return all, nil
}

// exhibitsOf lists the comparisons with the baseline on evaluation snapshots that
// standing answers ask for: each set of answers of the candidate with each of the
// baseline. All of them are evidence, so that nobody can choose a snapshot, or
// answers, that flatter; what was measured on training data is none. It counts
// what is not compared yet.
func exhibitsOf(tx Tx, c Candidate) ([]exhibit, Unread, error) {
	var unread Unread
	if c.Baseline.Model == "" || c.Model == "" || c.Baseline.Model == c.Model {
		return nil, unread, nil
	}
	r, err := rivalsOf(tx, c)
	if err != nil {
		return nil, unread, err
	}
	var shown []exhibit
	for _, snapshot := range r.on {
		pairs, others, err := r.sides.Pairings(tx, snapshot)
		if err != nil {
			return nil, unread, err
		}
		unread.Others += others
		for _, p := range pairs {
			i := slices.IndexFunc(r.records, func(r compare.ComparisonRecord) bool { return r.Snapshot == snapshot.ID && r.Inputs == p.Inputs })
			if i >= 0 {
				shown = append(shown, exhibit{r.records[i].Digest, snapshot.Title(), p})
				continue
			}
			unread.Awaited++
			if p.Computed() {
				unread.Computed++
			}
		}
	}
	return shown, unread, nil
}

// rivals reads the candidate's model and that of its baseline; empty where one is
// in the trash.
func rivals(tx Tx, c Candidate) (baseline, candidate compare.Model, err error) {
	for id, into := range map[compare.ModelID]*compare.Model{c.Baseline.Model: &baseline, c.Model: &candidate} {
		if *into, err = tx.GetModel(c.Project, id); err != nil && !fault.Is(err, fault.NotFound) {
			return baseline, candidate, err
		}
	}
	return baseline, candidate, nil
}

// rivalry is everything there is to hold a candidate against its baseline by.
type rivalry struct {
	sides   compare.Sides
	records []compare.ComparisonRecord // of models with these digests, newest first
	on      []labeling.Snapshot        // on which they are compared
}

// rivalsOf reads the answers of a candidate and of its baseline, and what was
// compared of them, under whichever names.
func rivalsOf(tx Tx, c Candidate) (rivalry, error) {
	var r rivalry
	baseline, candidate, err := rivals(tx, c)
	if err != nil {
		return r, err
	}
	if r.sides, err = compare.SidesOf(tx, baseline, candidate); err != nil {
		return r, err
	}
	if r.records, err = tx.FindComparisonsOf(c.Project, c.Baseline.Digest, c.Subject.Digest); err != nil {
		return r, err
	}
	r.on, err = yardsticks(tx, c, r.sides, r.records)
	return r, err
}

// evidence reads comparison documents and holds each against its digest and
// against the two models that it must be about.
func (s *Service) evidence(ctx context.Context, c Candidate, shown []exhibit) ([]Evidence, error) {
	var found []Evidence
	for _, e := range shown {
		content, err := s.content(ctx, e.digest, maxAlone)
		if err != nil {
			return nil, err
		}
		doc, err := compare.DecodeComparison(content, e.digest)
		if err != nil {
			return nil, err
		}
		if doc.Candidate.Digest != c.Subject.Digest || doc.Baseline.Digest != c.Baseline.Digest {
			return nil, fmt.Errorf("comparison %s is about other models", e.digest)
		}
		if e.snapshot == "" {
			e.snapshot = "snapshot " + doc.Base.Snapshot.Short()
		}
		one := Evidence{Digest: e.digest, Snapshot: e.snapshot, Items: doc.Base.Items, Difference: doc.Difference, Baseline: doc.Baseline.Sources, Candidate: doc.Candidate.Sources}
		if e.pairing.Inputs != "" { // what is known today names people, and old documents say nothing
			one.Baseline, one.Candidate = e.pairing.Baseline, e.pairing.Candidate
		}
		one.Computed = compare.Computed(one.Baseline) && compare.Computed(one.Candidate)
		found = append(found, one)
	}
	return found, nil
}

// content reads a document of at most so many bytes and holds it against its digest.
func (s *Service) content(ctx context.Context, digest ledger.Digest, most int) (content []byte, err error) {
	file, err := s.Files.Open(ctx, digest)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	content, err = io.ReadAll(io.LimitReader(file, int64(most)+1))
	if err != nil {
		return nil, fault.Wrap(err, "read "+string(digest))
	}
	if len(content) > most {
		return nil, tooLarge(most)
	}
	if got := ledger.DigestOf(content); got != digest {
		return nil, fault.New(fault.Conflict, "The stored document %s was changed: its bytes have the digest %s.", digest.Short(), got.Short())
	}
	return content, nil
}
