package review

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// WorkMeasure is the kind of the follow-up work that compares a candidate with
// what ships now; its handler is MeasureWork.
const WorkMeasure = "review.measure"

// Comparer compares two models on a snapshot, and returns Unmet where one of
// them has no answers there yet.
type Comparer interface {
	Compare(context.Context, ledger.Actor, compare.CompareRequest) (compare.Compared, error)
}

// MeasureState says how far a comparison with the baseline is.
type MeasureState string

// The states of a measurement.
const (
	MeasureQueued  MeasureState = "queued"  // it begins in a moment
	MeasureWaiting MeasureState = "waiting" // for a snapshot, or for a model's answers
	MeasureDone    MeasureState = "done"    // Digest names the comparison
	MeasureFailed  MeasureState = "failed"
)

// Measurement says how far the comparison of a candidate with its baseline is
// on one evaluation snapshot, or as a whole where Snapshot is empty.
type Measurement struct {
	Candidate CandidateID         `json:"candidate"`
	Baseline  ledger.Digest       `json:"baseline"`
	Snapshot  labeling.SnapshotID `json:"snapshot,omitempty"`
	State     MeasureState        `json:"state"`
	Reason    string              `json:"reason,omitempty"` // what it waits for, or why it failed
	Digest    ledger.Digest       `json:"digest,omitempty"`
	At        time.Time           `json:"-"`
	Title     string              `json:"-"` // of the snapshot, where it was read
}

// Measurements keeps how far comparisons with the baseline are.
type Measurements interface {
	// SaveMeasurement replaces the one of the same candidate, baseline and snapshot.
	SaveMeasurement(Measurement) error
	// FindMeasurements lists those of a candidate with a baseline, in the order
	// of their snapshots; the one of the whole comes first.
	FindMeasurements(CandidateID, ledger.Digest) ([]Measurement, error)
}

// measureOrder names a candidate, or everything that people vote on in a
// project, or in the project of a snapshot.
type measureOrder struct {
	Project   ledger.ProjectID    `json:"project"`
	Candidate CandidateID         `json:"candidate"`
	Snapshot  labeling.SnapshotID `json:"snapshot"`
}

// measurable reports whether there is something to compare a candidate with.
func (c Candidate) measurable() bool {
	return c.Subject.Kind == SubjectModel && c.Model != "" && c.Baseline.Model != "" && c.Baseline.Model != c.Model
}

// startMeasuring asks for the comparison of a candidate with its baseline.
func startMeasuring(tx Tx, c Candidate, now time.Time) error {
	if !c.measurable() {
		return nil
	}
	if err := tx.SaveMeasurement(Measurement{Candidate: c.ID, Baseline: c.Baseline.Digest, State: MeasureQueued, At: now}); err != nil {
		return err
	}
	return tx.Enqueue(work.Order{Kind: WorkMeasure, Key: string(c.ID), Payload: measureOrder{Project: c.Project, Candidate: c.ID}})
}

// Measure compares a candidate with its baseline once more, where that failed
// or waits for something.
func (s *Service) Measure(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref CandidateRef) error {
	if err := actor.Must(project, ledger.ActionCompare); err != nil {
		return err
	}
	now := s.now()
	return s.Update(ctx, func(tx Tx) error {
		c, err := tx.GetCandidate(project, ref)
		if err != nil {
			return err
		}
		if !c.measurable() || c.State != StateOpen && c.State != StateRejected {
			return fault.New(fault.Conflict, "Candidate %d has nothing to be compared with.", c.Number)
		}
		return startMeasuring(tx, c, now)
	})
}

// MeasureWork is the handler of WorkMeasure. It compares candidates with what
// ships now on their evaluation snapshots, as far as both models answered there, and decides anew what people voted on meanwhile. Done again it finds
// the same documents. It also follows work that brings new answers or a new
// snapshot: then it measures all that is open in that project.
func (s *Service) MeasureWork(ctx context.Context, payload json.RawMessage) error {
	var order measureOrder
	if err := json.Unmarshal(payload, &order); err != nil {
		return fault.As(fault.Invalid, err, "an unreadable order")
	}
	var open []Candidate
	err := s.View(ctx, func(tx Tx) error {
		open = nil
		if order.Project == "" {
			snapshot, err := tx.Snapshot(order.Snapshot)
			if err != nil {
				return err
			}
			order.Project = snapshot.Project
		}
		for _, state := range []State{StateOpen, StateRejected} {
			found, err := tx.FindCandidates(CandidateFilter{Project: order.Project, ID: order.Candidate, State: state})
			if err != nil {
				return err
			}
			open = append(open, found...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range open {
		if c.measurable() {
			if err := s.measure(ctx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// yardsticks are the evaluation snapshots on which a candidate is compared with
// its baseline: those on which models of the same digests were compared already,
// the newest comparison first, and those that are chosen of all there are. Nothing
// that somebody adds takes one away.
func yardsticks(tx Tx, c Candidate, sides compare.Sides, records []compare.ComparisonRecord) ([]labeling.Snapshot, error) {
	all, err := tx.Snapshots(c.Project) // newest first
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s labeling.Snapshot) bool {
		return s.State != labeling.SnapshotReady || s.Purpose != labeling.PurposeEvaluation
	})
	var found []labeling.Snapshot
	add := func(s labeling.Snapshot) {
		if !slices.ContainsFunc(found, func(f labeling.Snapshot) bool { return f.ID == s.ID }) {
			found = append(found, s)
		}
	}
	for _, r := range records {
		if i := slices.IndexFunc(all, func(s labeling.Snapshot) bool { return s.ID == r.Snapshot }); i >= 0 {
			add(all[i])
		}
	}
	chosen, err := sides.Yardsticks(tx, all)
	for _, s := range chosen {
		add(s)
	}
	return found, err
}

// measure compares one candidate with its baseline.
func (s *Service) measure(ctx context.Context, c Candidate) error {
	var targets []labeling.Snapshot
	if err := s.View(ctx, func(tx Tx) error {
		r, err := rivalsOf(tx, c)
		targets = r.on
		return err
	}); err != nil {
		return err
	}
	whole := Measurement{Candidate: c.ID, Baseline: c.Baseline.Digest, State: MeasureDone}
	if len(targets) == 0 {
		whole.State, whole.Reason = MeasureWaiting, fault.Say("There is no evaluation snapshot. Take one of a dataset whose purpose is evaluation.")
	}
	found := []Measurement{whole}
	for _, snapshot := range targets {
		m, err := s.measureOn(ctx, c, snapshot)
		if err != nil {
			return err // tried again later
		}
		found = append(found, m)
	}
	return s.measured(ctx, c, found)
}

// measureOn compares one candidate with its baseline on a snapshot: all standing
// answers of the one with all of the other. The worst comparison stands for it.
func (s *Service) measureOn(ctx context.Context, c Candidate, snapshot labeling.Snapshot) (Measurement, error) {
	m := Measurement{Candidate: c.ID, Baseline: c.Baseline.Digest, Snapshot: snapshot.ID, State: MeasureWaiting}
	var pairs []compare.Pairing
	err := s.View(ctx, func(tx Tx) error {
		baseline, candidate, err := rivals(tx, c)
		if err == nil {
			pairs, _, err = compare.Pairings(tx, baseline, candidate, snapshot)
		}
		return err
	})
	if err != nil {
		return m, err
	}
	if len(pairs) == 0 {
		pairs = []compare.Pairing{{}} // to learn what is missing
	}
	var worst compare.Estimate
	for _, pair := range pairs {
		compared, err := s.Comparer.Compare(ctx, ledger.System(), compare.CompareRequest{
			Project: c.Project, Baseline: string(c.Baseline.Model), Candidate: string(c.Model), Snapshot: snapshot.ID, Inputs: pair.Inputs,
		})
		switch fault.KindOf(err) {
		case "":
			if m.Digest == "" || compared.Record.Difference.Value < worst.Value {
				m.Digest, worst = compared.Record.Digest, compared.Record.Difference
			}
		case fault.Unmet: // these answers leave items out, which is known from now on
			m.Reason = fault.Message(err)
		case fault.Invalid, fault.Conflict, fault.NotFound, fault.TooLarge:
			m.State, m.Reason = MeasureFailed, fault.Message(err)
			return m, nil
		default:
			return m, err
		}
	}
	if m.Digest != "" {
		m.State, m.Reason = MeasureDone, ""
	}
	return m, nil
}

// measured writes how far the comparisons are, and decides the candidate anew
// where that changed something.
func (s *Service) measured(ctx context.Context, c Candidate, found []Measurement) error {
	read, err := s.read(ctx, c.Project, CandidateRef{ID: c.ID})
	if err != nil {
		return err
	}
	seen, walkErr := s.witnessed(ctx)
	if walkErr != nil && !fault.Is(walkErr, fault.Conflict) {
		return walkErr
	}
	wrong, err := s.wrongRows(ctx)
	if err != nil {
		return err
	}
	d := decision{signOff: SignOffID(s.NewID()), revocation: RevocationID(s.NewID()), vote: Vote{At: s.now()}, unproven: len(wrong) > 0}
	return s.Update(ctx, func(tx Tx) error {
		now, err := tx.GetCandidate(c.Project, CandidateRef{ID: c.ID})
		if err != nil || now.Terms() != c.Terms() {
			return err // measured anew under other terms
		}
		known, err := tx.FindMeasurements(c.ID, c.Baseline.Digest)
		if err != nil {
			return err
		}
		changed := false
		for _, m := range found {
			if !slices.ContainsFunc(known, func(k Measurement) bool {
				return k.Snapshot == m.Snapshot && k.State == m.State && k.Reason == m.Reason && k.Digest == m.Digest
			}) {
				changed = true
				m.At = d.vote.At
				if err := tx.SaveMeasurement(m); err != nil {
					return err
				}
			}
		}
		if changed {
			if err := tx.Record(ledger.Entry{Actor: ledger.System(), Project: c.Project, Kind: eventMeasured, Subject: about(c), Payload: found}); err != nil {
				return err
			}
		}
		if now.State != StateOpen || read.RulesErr != nil || walkErr != nil {
			return nil //nolint:nilerr // what the policy's text does not say is decided by nobody, nor what the history does not; the pages show the error
		}
		facts, err := factsOf(pastIn(tx, seen), now)
		if err != nil || facts.PeopleErr != nil {
			return err // as above
		}
		facts.Evidence, facts.EvidenceErr, facts.Unread = read.Facts.Evidence, read.Facts.EvidenceErr, read.Facts.Unread
		decided, err := decide(tx, ledger.System(), read.Rules, facts, d)
		if err != nil || decided.Candidate.State == now.State {
			return err
		}
		return tx.Enqueue(work.Order{Kind: WorkSign, Payload: SignOrder{Project: c.Project, Candidate: c.ID}})
	})
}

// notMeasured says why there is no comparison with the baseline yet, and
// whether one is on its way.
func notMeasured(baseline string, all []Measurement) (says string, pending bool) {
	for _, state := range []MeasureState{MeasureQueued, MeasureFailed, MeasureWaiting} {
		i := slices.IndexFunc(all, func(m Measurement) bool { return m.State == state })
		if i < 0 {
			continue
		}
		switch state {
		case MeasureQueued:
			return fault.Say("It is being compared with %s, its baseline.", baseline), true
		case MeasureFailed:
			return fault.Say("It could not be compared with %s, its baseline. %s", baseline, all[i].Reason), false
		default:
			return fault.Say("The comparison with %s, its baseline, waits. %s", baseline, all[i].Reason), true
		}
	}
	return fault.Say("Compare it with %s, its baseline, on an evaluation snapshot. Whoever may compare models can do this.", baseline), false
}
