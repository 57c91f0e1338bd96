package review

import (
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// MadeProposed is how somebody is a maker who proposed what nobody is known to
// have trained, or under a policy that says so.
const MadeProposed compare.Made = "proposed"

// Maker is a person whose vote for a candidate counts for nothing, and why. Who
// trained, registered or uploaded answers of a model is a maker of every model
// with that digest, under whichever name and in whichever project. While people
// vote, whoever becomes a maker counts no longer; an approval keeps to those who
// were makers when it was given.
type Maker struct {
	Person ledger.PersonID `json:"person"`
	How    compare.Made    `json:"how"`
	At     time.Time       `json:"at"`
	// Elsewhere says that it was in another project. Which one is not said: not
	// everybody here may know of it.
	Elsewhere bool   `json:"elsewhere,omitempty"`
	Name      string `json:"-"` // of the person, today
}

// makersOf reads who made the bytes of a candidate, each person once: with the
// first way in which they became a maker.
func makersOf(tx Tx, c Candidate) ([]Maker, error) {
	all, err := tx.MakersOf(c.Subject.Digest)
	if err != nil {
		return nil, err
	}
	var makers []Maker
	for _, m := range all {
		if i := slices.IndexFunc(makers, func(known Maker) bool { return known.Person == m.Person }); i >= 0 {
			if m.How == compare.MadeTrained && makers[i].How != compare.MadeTrained {
				makers[i].How = compare.MadeTrained // what most people mean by it
			}
		} else {
			makers = append(makers, Maker{Person: m.Person, How: m.How, At: m.At, Elsewhere: m.Project != c.Project, Name: m.Name})
		}
	}
	return makers, nil
}

// isMaker reports whether a person is among makers.
func isMaker(makers []Maker, person ledger.PersonID) bool {
	return slices.ContainsFunc(makers, func(m Maker) bool { return m.Person == person })
}

// atDecision splits makers into those who were makers when an approval was given
// and those who became it later. An approval that was given before makers were
// noted rests on who trained and who proposed it alone.
func atDecision(now []Maker, signed SignOff) (then, late []Maker) {
	then = slices.Clone(signed.Makers)
	for i := range then {
		for _, m := range now {
			if m.Person == then[i].Person {
				then[i].Name = m.Name
			}
		}
	}
	for _, m := range now {
		if !isMaker(then, m.Person) {
			late = append(late, m)
		}
	}
	return then, late
}

// Makers are the people whose word cannot count for a candidate under these
// rules: those who made its bytes, its trainer, its proposer where the trainer
// is unknown or the policy says so.
func (r Rules) Makers(f Facts) []Maker {
	makers := slices.Clone(f.Makers)
	add := func(person ledger.PersonID, how compare.Made, at time.Time) {
		if person != "" && !isMaker(makers, person) {
			makers = append(makers, Maker{Person: person, How: how, At: at, Name: f.nameOf(person)})
		}
	}
	c := f.Candidate
	add(c.TrainedBy, trainedHow(c), c.CreatedAt)
	if c.TrainedBy == "" || slices.ContainsFunc(r.Requirements, func(q Requirement) bool { return q.AlsoProposer }) {
		add(c.ProposedBy, MadeProposed, c.CreatedAt)
	}
	return makers
}

func trainedHow(c Candidate) compare.Made {
	if c.Subject.Kind == SubjectSnapshot {
		return compare.MadeTook
	}
	return compare.MadeTrained
}

// nameOf finds the name of a person among those who could vote.
func (f Facts) nameOf(person ledger.PersonID) string {
	for _, v := range f.Voters {
		if v.Person == person {
			return v.Name
		}
	}
	return ""
}

// may reports whether a person may vote for the candidate: nobody who is a
// maker by now, also where an approval stands that they were none for.
func (r Rules) may(f Facts, person ledger.PersonID) bool {
	return !isMaker(r.Makers(f), person) && !isMaker(f.Late, person)
}

// errMaker refuses the vote of a maker for what they made.
func errMaker(f Facts, person ledger.PersonID, role ledger.Role) error {
	for _, m := range slices.Concat(f.Makers, f.Late) {
		if m.Person == person && m.How == compare.MadeUploaded {
			return fault.New(fault.Denied, "You uploaded answers of a model with this digest, so you cannot vote for it. Comment, or ask another %s.", role)
		}
		if m.Person == person && m.How == compare.MadeRegistered {
			return fault.New(fault.Denied, "You registered a model with this digest, so you cannot vote for it. Comment, or ask another %s.", role)
		}
	}
	return fault.New(fault.Denied, "You trained or proposed this, so you cannot vote for it. Comment, or ask another %s.", role)
}

// namesOf lists the names of makers that are known today.
func namesOf(makers []Maker) string {
	var names []string
	for _, m := range makers {
		if m.Name != "" {
			names = append(names, m.Name)
		}
	}
	return strings.Join(names, ", ")
}
