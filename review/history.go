package review

import (
	"context"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// Trace is one event as an auditor reads it.
type Trace struct {
	ledger.Record
	Problem string // what does not verify; empty if all does
	// Withheld says that the payload tells what others said about an item that
	// the reader may still be asked for; see labeling.Sight.
	Withheld bool
}

// Erased reports whether the event's payload was erased.
func (t Trace) Erased() bool { return t.Salt == nil && !t.Withheld }

// History reads the events of a project, newest first, and says whether there are
// more than the filter's limit or a page holds; or those of the whole
// installation for an admin who names none: sign-ins, people and tokens belong
// to no project. Each is held against its own hash and commitment and, where
// both are shown, against its neighbour.
// Payloads hold names and contents, so only whoever may export data gets them,
// and of what was said about an item only whoever may see it.
func (s *Service) History(ctx context.Context, actor ledger.Actor, filter ledger.Filter) (traces []Trace, more bool, err error) {
	if err := actor.Must(filter.Project, ledger.ActionRead); err != nil {
		return nil, false, err
	}
	var records []ledger.Record
	var hidden map[int64]bool
	if err := s.View(ctx, func(tx Tx) (err error) {
		if records, more, err = tx.EventPage(filter); err != nil {
			return err
		}
		hidden, err = hiddenFrom(tx, actor, records)
		return err
	}); err != nil {
		return nil, false, err
	}
	whole := actor.May(filter.Project, ledger.ActionExport)
	traces = make([]Trace, len(records))
	for i, r := range records {
		t := Trace{Record: r}
		switch {
		case r.Sum() != r.Hash:
			t.Problem = fault.Say("This event was changed after it was written.")
		case r.Salt != nil && ledger.Commit(r.Salt, r.Payload) != r.Commitment:
			t.Problem = fault.Say("The payload of this event was changed after it was written.")
		case i > 0 && records[i-1].Seq == r.Seq+1 && records[i-1].Prev != r.Hash:
			t.Problem = fault.Say("The next event does not follow this one.")
		}
		if !whole {
			t.Payload = nil
		} else if hidden[r.Seq] {
			t.Payload, t.Salt, t.Withheld = nil, nil, true // with its salt a short payload can be guessed
		}
		traces[i] = t
	}
	return traces, more, nil
}

// hiddenFrom returns which events say what the actor may not know yet. Whoever
// judges blind is told of no change of many items at once either.
func hiddenFrom(tx Tx, actor ledger.Actor, records []ledger.Record) (map[int64]bool, error) {
	about := map[ledger.ProjectID][]ledger.Record{}
	for _, r := range records {
		noun, _, _ := strings.Cut(r.Kind, ".")
		if r.Actor != actor.Person && (noun == "annotation" || noun == "items") && actor.May(r.Project, ledger.ActionExport) {
			about[r.Project] = append(about[r.Project], r)
		}
	}
	hidden := map[int64]bool{}
	for project, said := range about {
		sight, err := labeling.SightOf(tx, actor, project)
		if err != nil {
			return nil, err
		}
		var items []labeling.ItemID
		for _, r := range said {
			if r.Subject.Kind == "item" {
				items = append(items, labeling.ItemID(r.Subject.ID))
			}
		}
		closed, err := sight.Closed(tx, items)
		if err != nil {
			return nil, err
		}
		for _, r := range said {
			if closed[labeling.ItemID(r.Subject.ID)] || r.Subject.Kind != "item" && sight.JudgesBlind() {
				hidden[r.Seq] = true
			}
		}
	}
	return hidden, nil
}

// SubjectNames says what the subjects of events are called today, for who may
// read what the events hold. What is gone for good or has no name is left out.
func (s *Service) SubjectNames(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, subjects []ledger.Subject) (names map[ledger.Subject]string, err error) {
	if !actor.May(project, ledger.ActionExport) {
		return nil, nil
	}
	err = s.View(ctx, func(tx Tx) error {
		names, err = tx.SubjectNames(subjects)
		return err
	})
	return names, err
}

// Watch is a name for several kinds of events that are looked for together.
type Watch string

// The watches.
const (
	WatchSignIns Watch = "sign-ins" // who came in, and who was refused
	WatchExports Watch = "exports"  // what was taken out: exports and downloads
	WatchViews   Watch = "views"    // who looked at datasets that are marked as sensitive
)

// Watches lists all watches.
func Watches() []Watch { return []Watch{WatchSignIns, WatchExports, WatchViews} }

// Kinds returns the kinds of events that a watch is for; nil for a word that is none.
func (w Watch) Kinds() []string {
	switch w {
	case WatchSignIns:
		return []string{"login.created", "login.ended", "login.refused", "login.paused", "login.locked", "login.unlocked", "password.asked", "password.changed", "machine.taken"}
	case WatchExports:
		return []string{"dataset.exported", "snapshot.exported", "comparison.exported", eventTaken, eventHistoryTaken, "checkpoint.exported"}
	case WatchViews:
		return []string{"dataset.viewed"}
	}
	return nil
}

// Index lists the kinds of the latest events of a project, and who made them.
func (s *Service) Index(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) (kinds []string, actors []ledger.PersonID, err error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, nil, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		if kinds, err = tx.EventKinds(project); err != nil {
			return err
		}
		actors, err = tx.EventActors(project)
		return err
	})
	return kinds, actors, err
}

// Shipped is what may run in an environment, and by whose word.
type Shipped struct {
	Environment Environment
	Current     Candidate // the last approved; zero for none
	SignOff     SignOff   // of Current
	Votes       []Vote    // for Current
	Before      []Candidate
	Open        []Candidate
}

// Environments lists every environment that something was proposed for, with
// production first, and what was last approved there.
func (s *Service) Environments(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) ([]Shipped, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var list []Shipped
	err := s.View(ctx, func(tx Tx) error {
		list = []Shipped{{Environment: Production}}
		found, err := tx.FindCandidates(CandidateFilter{Project: project, Limit: 1000})
		if err != nil {
			return err
		}
		if found, err = veiled(tx, actor, found, false); err != nil {
			return err
		}
		for _, c := range found {
			at := -1
			for i := range list {
				if list[i].Environment == c.Environment {
					at = i
				}
			}
			if at < 0 {
				list, at = append(list, Shipped{Environment: c.Environment}), len(list)
			}
			list[at].add(c)
		}
		for i := range list {
			if list[i].Current.ID == "" || list[i].Current.Subject.Digest == "" {
				continue // nothing, or what the actor judges blind
			}
			votes, err := tx.FindVotes(list[i].Current.ID)
			if err != nil {
				return err
			}
			signed, err := tx.FindSignOffs(list[i].Current.ID)
			if err != nil {
				return err
			}
			list[i].Votes = Live(votes)
			if len(signed) > 0 {
				list[i].SignOff = signed[len(signed)-1]
			}
		}
		return nil
	})
	return list, err
}

func (s *Shipped) add(c Candidate) {
	switch c.State {
	case StateApproved:
		switch {
		case s.Current.ID == "":
			s.Current = c
		case c.DecidedAt.After(s.Current.DecidedAt):
			s.Before, s.Current = append(s.Before, s.Current), c
		default:
			s.Before = append(s.Before, c)
		}
	case StateOpen, StateRejected:
		s.Open = append(s.Open, c)
	case StateWithdrawn:
		s.Before = append(s.Before, c)
	case StateDraft:
	}
}
