package labeling

import (
	"context"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Sight is what one person may see of what was said about the items of a
// project. Whatever hands out answers, by whichever way, asks it; nothing else
// in this program decides it.
//
// Items are judged blind in an evaluation dataset, on which models are judged,
// and where the project asks more than one person about each item. Who sees what
// others said about such an item:
//
//	who                                       while it waits   decided or disputed
//	never asked (approver, auditor)           all of it        all of it
//	only judges (annotator)                   nothing          nothing
//	labels and works with answers as well
//	(lead, reviewer, data scientist, admin)   nothing          all of it
//	has an answer there that counts           all of it        all of it
//	had the answers shown (ShowAnswers)       all of it        all of it
//
// The last two rows go before the others. What one said oneself is seen always.
// Nothing means, for whoever only judges: no answers, no accepted answer, no status,
// and of an evaluation dataset nothing that a model said; no filter, count, example,
// snapshot or comparison tells it in another way. For those who work with answers it
// means: no answers; that the item waits is no secret. They may be asked next, which
// is why they wait, too. Who may change labels of other people may have the answers
// of a waiting item shown: that is an event of the history, they are not asked for
// the item any more, and no answer of theirs is taken to it.
//
// What a token may do makes no difference: a token that only reads belongs to
// somebody who may be asked. Items that are not judged blind are seen by
// everybody who may read the project.
type Sight struct {
	person     ledger.PersonID
	everything bool // is never asked
	judges     bool // only judges
	overlap    bool // every item of the project is judged blind
	purposes   map[DatasetID]Purpose
}

// Glance is how an item stands, and how a person stands to it.
type Glance struct {
	Dataset  DatasetID
	Waits    bool // for answers: it has no accepted answer and nobody differs
	Answered bool // the person has an answer there that counts
	Shown    bool // the person had the answers of others shown
}

// SightTx tells what a Sight is made of.
type SightTx interface {
	Project(ProjectID) (Project, error)
	Datasets(ProjectID) ([]Dataset, error)
	// Glances returns how items stand, and a person to each. Items that are no
	// more are left out.
	Glances(person ledger.PersonID, items []ItemID) (map[ItemID]Glance, error)
}

// ShownTx keeps who had the answers of others shown.
type ShownTx interface {
	SightTx
	// NoteShown keeps that a person had the answers to an item shown. It reports
	// false where that was known.
	NoteShown(person ledger.PersonID, item ItemID) (bool, error)
	// Shown reports whether a person had the answers to an item shown.
	Shown(person ledger.PersonID, item ItemID) (bool, error)
}

// SightOf returns what an actor may see in a project.
func SightOf(tx SightTx, actor ledger.Actor, project ProjectID) (Sight, error) {
	s := Sight{person: actor.Person,
		everything: actor.Via == ledger.ViaSystem || actor.Via == ledger.ViaAttempt || !actor.Holds(project, ledger.ActionLabel),
		judges:     !actor.Holds(project, ledger.ActionCompare)}
	if s.everything {
		return s, nil
	}
	p, err := tx.Project(project)
	if err != nil {
		return s, fault.Wrap(err, "find project")
	}
	datasets, err := tx.Datasets(project)
	if err != nil {
		return s, fault.Wrap(err, "list datasets")
	}
	s.overlap, s.purposes = p.Overlap > 1, make(map[DatasetID]Purpose, len(datasets))
	for _, d := range datasets {
		s.purposes[d.ID] = d.Purpose
	}
	return s, nil
}

// JudgesBlind reports whether the person only judges and there is something in
// the project that they judge blind.
func (s Sight) JudgesBlind() bool {
	if s.everything || !s.judges {
		return false
	}
	for _, purpose := range s.purposes {
		if purpose.Blind() {
			return true
		}
	}
	return s.overlap
}

// blind reports whether items of a dataset are judged blind by this person. One
// that is not known, as in the trash, is.
func (s Sight) blind(dataset DatasetID) bool {
	if s.everything {
		return false
	}
	purpose, known := s.purposes[dataset]
	return s.overlap || !known || purpose.Blind()
}

// hides reports whether what others said about an item stays hidden.
func (s Sight) hides(g Glance) bool {
	return s.blind(g.Dataset) && !g.Answered && !g.Shown && (s.judges || g.Waits)
}

// waits reports whether an item waits for answers.
func (i Item) waits() bool { return i.Label == "" && i.Status != StatusDisputed }

// Items takes out of some items what stays hidden. It asks the database once
// for all of them, and not at all where nothing is judged blind.
func (s Sight) Items(tx SightTx, items ...*Item) error {
	var asked []ItemID
	for _, i := range items {
		if s.hides(Glance{Dataset: i.Dataset, Waits: i.waits()}) {
			asked = append(asked, i.ID)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	found, err := tx.Glances(s.person, asked)
	if err != nil {
		return fault.Wrap(err, "see who answered")
	}
	for _, i := range items {
		g := found[i.ID]
		g.Dataset, g.Waits = i.Dataset, i.waits()
		if s.hides(g) {
			s.veil(i)
		}
	}
	return nil
}

// veil takes out of an item what others said.
func (s Sight) veil(i *Item) {
	i.Withheld = true
	if purpose, known := s.purposes[i.Dataset]; !known || purpose.Blind() {
		i.Model, i.ModelLabel, i.ModelScore, i.Uncertainty = "", "", nil, nil
	}
	if !s.judges {
		return // that it waits is no secret, and it has no accepted answer
	}
	i.Label, i.Answers = "", 0
	if i.Status != StatusTrashed {
		i.Status = ""
	}
}

// Closed returns which of some items are such that what others said about them
// stays hidden. Items that are no more hide nothing: nobody is asked for them.
func (s Sight) Closed(tx SightTx, items []ItemID) (map[ItemID]bool, error) {
	if s.everything || len(items) == 0 {
		return nil, nil
	}
	found, err := tx.Glances(s.person, items)
	closed := map[ItemID]bool{}
	for id, g := range found {
		closed[id] = s.hides(g)
	}
	return closed, fault.Wrap(err, "see who answered")
}

// annotations returns what was said about an item as far as the person may see
// it: where the item is withheld, what they said themselves.
func (s Sight) annotations(item Item, all []Annotation) []Annotation {
	if !item.Withheld {
		return all
	}
	var mine []Annotation
	for _, a := range all {
		if a.Person == s.person && a.Kind != KindImport {
			mine = append(mine, a)
		}
	}
	return mine
}

// Counts takes out of counts what they tell somebody who only judges about
// items that are judged blind: which classes they have, and about how many
// people differ.
func (s Sight) Counts(counts []Count) []Count {
	if !s.JudgesBlind() {
		return counts
	}
	var told []Count
	at := map[Count]int{}
	for _, c := range counts {
		if s.blind(c.Dataset) {
			c.Label = ""
			if c.Status == StatusDisputed || c.Status == StatusSkipped {
				c.Status = StatusQueued
			}
		}
		key := c
		key.Items = 0
		if i, known := at[key]; known {
			told[i].Items += c.Items
			continue
		}
		at[key] = len(told)
		told = append(told, c)
	}
	return told
}

// Filter narrows a filter down so that which items it finds tells nothing that
// is hidden: what is judged blind is found by what became of it only by whoever
// has answered it.
func (s Sight) Filter(f ItemFilter) ItemFilter {
	telling := f.Label != "" || f.Model != "" || f.Disagrees || f.Status != "" && f.Status != StatusTrashed || f.Person != "" && f.Person != s.person
	if !telling || !s.JudgesBlind() {
		return f
	}
	f.Own = &OwnAnswers{Person: s.person}
	for dataset := range s.purposes {
		if !s.blind(dataset) {
			f.Own.Open = append(f.Own.Open, dataset)
		}
	}
	return f
}

// Snapshot takes out of a snapshot what tells somebody who only judges about
// items that are judged blind. The digests are among it: whoever knows the texts
// of a small dataset finds the answers by trying which give the digest.
func (s Sight) Snapshot(snap Snapshot) Snapshot {
	if s.Rows(snap) != nil {
		snap.Classes, snap.Digest, snap.Rows, snap.Parquet, snap.Withheld = nil, "", "", "", true
	}
	return snap
}

// Rows returns Denied where a snapshot, or what was measured on it, would tell
// the person answers to items that they judge blind.
func (s Sight) Rows(snap Snapshot) error {
	if s.everything || !s.judges || !s.overlap && !snap.Purpose.Blind() {
		return nil
	}
	return fault.New(fault.Denied, "This shows the accepted answers of items that you judge without knowing what others said. Ask a lead if you need it.")
}

// Sight returns what an actor may see in a project.
func (s *Service) Sight(ctx context.Context, actor ledger.Actor, project ProjectID) (Sight, error) {
	var sight Sight
	err := s.View(ctx, func(tx Tx) (err error) {
		sight, err = SightOf(tx, actor, project)
		return err
	})
	return sight, err
}

// EventShown is the kind of the event that says that somebody had the answers of
// others to a waiting item shown.
const EventShown = "answers.shown"

// ShowAnswers lets the actor see what others said about an item that waits for
// answers. From then on they are not asked for it, and no answer of theirs is
// taken to it. Where nothing is hidden from them nothing changes. It returns
// Denied and NotFound.
func (s *Service) ShowAnswers(ctx context.Context, actor ledger.Actor, project ProjectID, id ItemID) error {
	if err := actor.Must(project, ledger.ActionRelabel); err != nil {
		return err
	}
	return s.Update(ctx, func(tx Tx) error {
		item, err := itemIn(tx, project, id)
		if err != nil {
			return err
		}
		sight, err := SightOf(tx, actor, project)
		if err != nil {
			return err
		}
		seq, dataset := item.Seq, item.Dataset
		if err := sight.Items(tx, &item); err != nil || !item.Withheld {
			return err
		}
		if first, err := tx.NoteShown(actor.Person, id); err != nil || !first {
			return fault.Wrap(err, "note who sees answers")
		}
		if err := tx.DropLease(seq, actor.Person); err != nil {
			return fault.Wrap(err, "end the lease")
		}
		if err := tx.DropDraft(DraftKey{Person: actor.Person, Project: project, Item: id}); err != nil {
			return fault.Wrap(err, "end the draft")
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: EventShown, Subject: ledger.Subject{Kind: "item", ID: string(id)},
			Payload: map[string]DatasetID{"dataset": dataset}})
	})
}

// unseen returns Unmet where a person had the answers of others shown, and so
// cannot judge an item any more without knowing them.
func unseen(tx Tx, person ledger.PersonID, item ItemID) error {
	shown, err := tx.Shown(person, item)
	if err == nil && shown {
		return fault.New(fault.Unmet, "You had the answers of others to this item shown, so you are not asked for it any more. Relabel it on the page of items, or leave it to somebody else.")
	}
	return fault.Wrap(err, "see who answered")
}
