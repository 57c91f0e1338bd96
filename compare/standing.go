package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

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
// last comes first, then every upload, newest first. What the server computed
// later supersedes what it computed before only where it answers every item, so
// that leaving items out takes nothing away. Partial ones answer some items only,
// so that nothing can be measured with them. Of several sets with the same answers
// one is chosen, the computed one if there is one. sets are newest first.
func standing(sets []PredictionSet, snapshot labeling.Snapshot, gaps []ledger.Digest) (whole, partial []Choice) {
	var computed, uploads []Choice
	byDataset := map[labeling.DatasetID][]PredictionSet{}
	for _, set := range sets {
		switch {
		case set.State != PredictionsReady || !set.Withdrawn.None():
		case set.Snapshot == snapshot.ID && set.Origin == OriginComputed:
			computed = append(computed, Choice{set})
		case set.Snapshot == snapshot.ID:
			uploads = append(uploads, Choice{set})
		case set.Dataset != "":
			byDataset[set.Dataset] = append(byDataset[set.Dataset], set)
		}
	}
	open := func(c Choice) bool { return slices.Contains(gaps, c.key()) }
	answers := func(c Choice) bool { return c.covers(snapshot) && !open(c) }
	if of := together(snapshot, byDataset, open); of != nil {
		computed = append(computed, of)
	}
	if i := slices.IndexFunc(computed, answers); i > 0 {
		computed = computed[i:]
	}
	seen := map[ledger.Digest]bool{}
	for _, c := range append(computed[:min(1, len(computed))], uploads...) {
		if seen[c.key()] {
			continue
		}
		seen[c.key()] = true
		if answers(c) {
			whole = append(whole, c)
		} else {
			partial = append(partial, c)
		}
	}
	return whole, partial
}

// together chooses one set of each dataset of a snapshot: the newest that has
// enough rows, a computed one if there is one. Where sets are known to leave items
// out together, an older one takes the place of one of them. What is there is
// chosen also where it cannot be enough.
func together(snapshot labeling.Snapshot, byDataset map[labeling.DatasetID][]PredictionSet, open func(Choice) bool) Choice {
	var lists [][]PredictionSet
	for _, dataset := range snapshot.Datasets {
		var sets, uploads, enough []PredictionSet
		for _, set := range byDataset[dataset.ID] {
			if set.Origin == OriginComputed {
				sets = append(sets, set)
			} else {
				uploads = append(uploads, set)
			}
		}
		sets = append(sets, uploads...)
		for _, set := range sets {
			if int64(set.Rows) >= dataset.Items {
				enough = append(enough, set)
			}
		}
		switch {
		case len(enough) > 0:
			lists = append(lists, enough)
		case len(sets) > 0:
			lists = append(lists, sets[:1])
		}
	}
	if len(lists) == 0 {
		return nil
	}
	choose := func(places []int) Choice {
		var c Choice
		for i, place := range places {
			c = append(c, lists[i][place])
		}
		return c
	}
	first := make([]int, len(lists))
	seen := map[string]bool{}
	for next := [][]int{first}; len(next) > 0; next = next[1:] {
		if c := choose(next[0]); !open(c) {
			return c
		}
		for i := range lists { // as many steps as there are known gaps, each of which was measured
			older := slices.Clone(next[0])
			if older[i]++; older[i] < len(lists[i]) && !seen[fmt.Sprint(older)] {
				seen[fmt.Sprint(older)] = true
				next = append(next, older)
			}
		}
	}
	return choose(first)
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

// Sides are the answers of two models, read once for many snapshots.
type Sides struct {
	models [2]Model
	sets   [2][]PredictionSet // newest first
}

// SidesOf reads the answers of two models.
func SidesOf(tx Answered, baseline, candidate Model) (s Sides, err error) {
	s.models = [2]Model{baseline, candidate}
	for i, model := range s.models {
		if s.sets[i], err = setsOf(tx, model); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Yardsticks chooses the snapshots to compare on, of evaluation snapshots that are
// newest first: of those of the same datasets the newest, and each older one with
// answers of both models that are of other hands than those that can be compared on
// a newer one. So what one person brings for a newer snapshot takes neither what
// the server computed nor what somebody else brought out of what is compared.
func (s Sides) Yardsticks(tx Answered, snapshots []labeling.Snapshot) ([]labeling.Snapshot, error) {
	var chosen []labeling.Snapshot
	seen := map[string]map[string]bool{} // by datasets, the hands
	for _, snapshot := range snapshots {
		of := datasetsOf(snapshot)
		known, later := seen[of]
		if !later {
			known = map[string]bool{}
			seen[of] = known
		} else if !s.mayAdd(snapshot, known) {
			continue
		}
		pairs, _, err := s.Pairings(tx, snapshot)
		if err != nil {
			return nil, err
		}
		adds := !later
		for _, p := range pairs {
			if hands := hands(p.Baseline) + "/" + hands(p.Candidate); !known[hands] {
				known[hands], adds = true, true
			}
		}
		if adds {
			chosen = append(chosen, snapshot)
		}
	}
	return chosen, nil
}

// mayAdd reports whether answers about a snapshot can be of hands that are not
// known yet. Answers of several hands together are always looked at.
func (s Sides) mayAdd(snapshot labeling.Snapshot, known map[string]bool) bool {
	var by [2]map[string]bool
	for i, sets := range s.sets {
		by[i] = map[string]bool{}
		for _, set := range sets {
			if set.State == PredictionsReady && set.Withdrawn.None() && set.about(snapshot) {
				by[i][hands([]Source{set.Source("")})] = true
				if set.Dataset != "" && set.Origin != OriginComputed {
					return true
				}
			}
		}
	}
	for b := range by[0] {
		for c := range by[1] {
			if !known[b+"/"+c] {
				return true
			}
		}
	}
	return false
}

// datasetsOf names the datasets of a snapshot, in any order the same.
func datasetsOf(snapshot labeling.Snapshot) string {
	var of []string
	for _, d := range snapshot.Datasets {
		of = append(of, strconv.Quote(string(d.ID)))
	}
	slices.Sort(of)
	return strings.Join(of, " ")
}

// hands says who brought some answers: people, and this server by an empty name.
func hands(sources []Source) string {
	var by []string
	for _, s := range sources {
		by = append(by, string(s.By))
	}
	slices.Sort(by)
	return strings.Join(slices.Compact(by), "+")
}

// Pairings lists the comparisons on a snapshot that the standing answers of both
// models ask for, each of one with each of the other, and how many more sets there
// are that do not stand: superseded by the server, partial, withdrawn, or the same.
func (s Sides) Pairings(tx Answered, snapshot labeling.Snapshot) (pairs []Pairing, others int, err error) {
	gaps, err := tx.FindAnswerGaps(snapshot.ID)
	if err != nil {
		return nil, 0, fault.Wrap(err, "find gaps")
	}
	var sides [2][]Choice
	for i, sets := range s.sets {
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
			left, right := contender{s.models[0], b}, contender{s.models[1], c}
			inputs, err := inputsDigest(ComparisonFormat, snapshot, left.subject(), right.subject())
			if err != nil {
				return nil, 0, err
			}
			pairs = append(pairs, Pairing{Inputs: inputs, Baseline: left.sources(), Candidate: right.sources()})
		}
	}
	return pairs, others, nil
}

// Pairings reads the answers of two models and lists their comparisons on a
// snapshot; see Sides.
func Pairings(tx Answered, baseline, candidate Model, snapshot labeling.Snapshot) ([]Pairing, int, error) {
	sides, err := SidesOf(tx, baseline, candidate)
	if err != nil {
		return nil, 0, err
	}
	return sides.Pairings(tx, snapshot)
}

// about reports whether a set answers items of a snapshot.
func (s PredictionSet) about(snapshot labeling.Snapshot) bool {
	return s.Snapshot == snapshot.ID || s.Dataset != "" &&
		slices.ContainsFunc(snapshot.Datasets, func(d labeling.SnapshotDataset) bool { return d.ID == s.Dataset })
}
