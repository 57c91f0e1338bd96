package labeling

import (
	"context"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/stat"
)

// Agreement is how often two people who judged the same item said the same.
type Agreement struct {
	Pairs  int // of answers to one item by different people
	Agreed int // of them that say the same class
	Items  int // that two or more people judged
}

// Known reports whether any item was judged twice.
func (a Agreement) Known() bool { return a.Pairs > 0 }

// Share is the part of the pairs that agree.
func (a Agreement) Share() float64 { return stat.Share(a.Agreed, a.Pairs) }

// Interval is the 95 % interval of Share. It takes the items, not the pairs,
// for the number of observations: the pairs of one item hang together.
func (a Agreement) Interval() stat.Interval {
	if !a.Known() {
		return stat.Wilson(0, 0)
	}
	return stat.Wilson(int(a.Share()*float64(a.Items)+0.5), a.Items)
}

// Said is what one person answered to one item.
type Said struct {
	Item   ItemID
	Person ledger.PersonID
	Class  ClassID
}

// Agree counts the pairs of answers that agree; answers of one item stand
// together. Classes that were merged since count as one.
func Agree(schema Schema, answers []Said) Agreement {
	var a Agreement
	for from := 0; from < len(answers); {
		to := from + 1
		for to < len(answers) && answers[to].Item == answers[from].Item {
			to++
		}
		pairs := 0
		for i := from; i < to; i++ {
			for j := i + 1; j < to; j++ {
				if answers[i].Person == answers[j].Person {
					continue
				}
				pairs++
				if schema.Resolve(answers[i].Class) == schema.Resolve(answers[j].Class) {
					a.Agreed++
				}
			}
		}
		if pairs > 0 {
			a.Items++
		}
		a.Pairs += pairs
		from = to
	}
	return a
}

// said leaves answers to items out that somebody who only judges has not answered:
// whether others differ about them is not theirs to know yet.
func (s Sight) said(all []Said) []Said {
	if !s.JudgesBlind() {
		return all
	}
	mine := map[ItemID]bool{}
	for _, a := range all {
		if a.Person == s.person {
			mine[a.Item] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(a Said) bool { return !mine[a.Item] })
}

// agreementOver is how many of the latest answers of a project its agreement
// looks at, so that it says how things stand and costs the same at any size.
const agreementOver = 2000

// Agreement returns how far people agree in a project, by its latest answers.
func (s *Service) Agreement(ctx context.Context, actor ledger.Actor, project ProjectID) (Agreement, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Agreement{}, err
	}
	var a Agreement
	err := s.View(ctx, func(tx Tx) error {
		p, err := tx.Project(project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		said, err := tx.SaidTwice(project, agreementOver)
		if err != nil {
			return fault.Wrap(err, "find answers")
		}
		sight, err := SightOf(tx, actor, project)
		a = Agree(p.Schema, sight.said(said))
		return err
	})
	return a, err
}
