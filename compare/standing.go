package compare

import (
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// Which answers stand. Answers belong to bytes: those of every model with the
// same digest count for each other, so that a fresh name does not leave a bad
// result behind. What was uploaded stands beside what is there, and only the
// server supersedes what it computed itself.

// maxStanding is how many uploaded sets of one model may stand on one snapshot;
// each is compared with each of the other side.
const maxStanding = 10

// Answered reads which answers there are.
type Answered interface {
	// FindPredictionSets lists the sets of a model, newest first.
	FindPredictionSets(ledger.ProjectID, ModelID) ([]PredictionSet, error)
	// FindPredictionSetsOf lists the sets of every model of a project with a
	// digest, newest first, also of those in the trash.
	FindPredictionSetsOf(ledger.ProjectID, ledger.Digest) ([]PredictionSet, error)
	// FindAnswerGaps lists which sets together do not answer every item of a
	// snapshot.
	FindAnswerGaps(labeling.SnapshotID) ([]ledger.Digest, error)
}

// Choice is one or more sets that together answer a snapshot.
type Choice []PredictionSet

// Computed reports whether this server computed all of them.
func (c Choice) Computed() bool {
	return !slices.ContainsFunc(c, func(s PredictionSet) bool { return s.Origin != OriginComputed }) && len(c) > 0
}

func (c Choice) digests() []ledger.Digest {
	digests := make([]ledger.Digest, 0, len(c))
	for _, set := range c {
		digests = append(digests, set.Digest)
	}
	slices.Sort(digests)
	return digests
}

// key names a choice by what it answers.
func (c Choice) key() ledger.Digest {
	var text []byte
	for _, d := range c.digests() {
		text = append(append(text, d...), '\n')
	}
	return ledger.DigestOf(text)
}

// setsOf lists the answers that belong to a model.
func setsOf(tx Answered, model Model) ([]PredictionSet, error) {
	if model.Digest == "" {
		sets, err := tx.FindPredictionSets(model.Project, model.ID)
		return sets, fault.Wrap(err, "find prediction sets")
	}
	sets, err := tx.FindPredictionSetsOf(model.Project, model.Digest)
	return sets, fault.Wrap(err, "find prediction sets")
}

// standing chooses the answers that stand on a snapshot: what the server computed
// last comes first, then every upload, newest first. Partial ones answer some
// items only, so that nothing can be measured with them. Of several sets with the
// same answers one is chosen, the computed one if there is one. sets are newest
// first.
func standing(sets []PredictionSet, snapshot labeling.Snapshot, gaps []ledger.Digest) (whole, partial []Choice) {
	var computed Choice
	byDataset := map[labeling.DatasetID]PredictionSet{}
	var uploads []Choice
	for _, set := range sets {
		switch {
		case set.State != PredictionsReady || !set.Withdrawn.None():
		case set.Snapshot == snapshot.ID && set.Origin == OriginComputed:
			if computed == nil {
				computed = Choice{set}
			}
		case set.Snapshot == snapshot.ID:
			uploads = append(uploads, Choice{set})
		case set.Dataset != "":
			if kept, found := byDataset[set.Dataset]; !found || kept.Origin != OriginComputed && set.Origin == OriginComputed {
				byDataset[set.Dataset] = set
			}
		}
	}
	if computed == nil {
		for _, dataset := range snapshot.Datasets {
			if set, found := byDataset[dataset.ID]; found {
				computed = append(computed, set)
			}
		}
	}
	seen := map[ledger.Digest]bool{}
	for _, c := range append([]Choice{computed}, uploads...) {
		if len(c) == 0 || seen[c.key()] {
			continue
		}
		seen[c.key()] = true
		if c.covers(snapshot) && !slices.Contains(gaps, c.key()) {
			whole = append(whole, c)
		} else {
			partial = append(partial, c)
		}
	}
	return whole, partial
}

// covers reports whether a choice can answer every item of a snapshot, as far as
// its numbers say.
func (c Choice) covers(snapshot labeling.Snapshot) bool {
	rows := 0
	for _, set := range c {
		if set.Snapshot == snapshot.ID && set.Report.Missing > 0 {
			return false
		}
		rows += set.Rows
	}
	return int64(rows) >= snapshot.Items
}

// Pairing is a comparison that the standing answers of two models ask for.
type Pairing struct {
	Inputs              ledger.Digest // names it; see ComparisonRecord
	Baseline, Candidate []Source
}

// Computed reports whether this server computed the answers of both models.
func (p Pairing) Computed() bool { return Computed(p.Baseline) && Computed(p.Candidate) }

// Pairings lists the comparisons of two models on a snapshot that their standing
// answers ask for, each of one with each of the other, and how many more sets
// there are that do not stand: superseded by the server, partial, withdrawn, or the
// same.
func Pairings(tx Answered, baseline, candidate Model, snapshot labeling.Snapshot) (pairs []Pairing, others int, err error) {
	gaps, err := tx.FindAnswerGaps(snapshot.ID)
	if err != nil {
		return nil, 0, fault.Wrap(err, "find gaps")
	}
	var sides [2][]Choice
	for i, model := range []Model{baseline, candidate} {
		sets, err := setsOf(tx, model)
		if err != nil {
			return nil, 0, err
		}
		sides[i], _ = standing(sets, snapshot, gaps)
		stand := map[PredictionSetID]bool{}
		for _, choice := range sides[i] {
			for _, set := range choice {
				stand[set.ID] = true
			}
		}
		for _, set := range sets {
			if set.State == PredictionsReady && set.about(snapshot) && !stand[set.ID] {
				others++
			}
		}
	}
	for _, b := range sides[0] {
		for _, c := range sides[1] {
			left, right := contender{baseline, b}, contender{candidate, c}
			inputs, err := inputsDigest(ComparisonFormat, snapshot, left.subject(), right.subject())
			if err != nil {
				return nil, 0, err
			}
			pairs = append(pairs, Pairing{Inputs: inputs, Baseline: left.sources(), Candidate: right.sources()})
		}
	}
	return pairs, others, nil
}

// about reports whether a set answers items of a snapshot.
func (s PredictionSet) about(snapshot labeling.Snapshot) bool {
	return s.Snapshot == snapshot.ID || s.Dataset != "" &&
		slices.ContainsFunc(snapshot.Datasets, func(d labeling.SnapshotDataset) bool { return d.ID == s.Dataset })
}
