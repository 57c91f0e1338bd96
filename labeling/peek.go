package labeling

import (
	"context"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Peek is what somebody may look up while they judge an item, without being
// told what to say.
type Peek struct {
	Guideline string
	Class     Class  // asked about; zero if none was
	Examples  []Item // accepted items of that class, newest first, never of a dataset that is judged blind
	Item      Item   // asked about; zero if none was
	// Withheld says that the history of Item stays closed, because the actor
	// has not answered it yet; Annotations is empty then.
	Withheld    bool
	Annotations []Annotation // in every state, newest first
}

// PeekRequest asks for what to look up; both fields may be empty.
type PeekRequest struct {
	Class ClassID
	Item  ItemID
}

// mostExamples is how many items show what a class means.
const mostExamples = 5

// Peek returns the guideline of a project, a class with examples, and the
// history of an item once the actor has judged it. It returns Denied, and
// NotFound for an item of another project.
func (s *Service) Peek(ctx context.Context, actor ledger.Actor, project ProjectID, req PeekRequest) (Peek, error) {
	if err := actor.Must(project, ledger.ActionLabel); err != nil {
		return Peek{}, err
	}
	var peek Peek
	err := s.View(ctx, func(tx Tx) error {
		peek = Peek{}
		p, err := tx.Project(project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		peek.Guideline = p.Schema.Guideline
		sight, err := SightOf(tx, actor, project)
		if err != nil {
			return err
		}
		if class, known := p.Schema.Class(p.Schema.Resolve(req.Class)); known {
			peek.Class = class
			if peek.Examples, err = examples(tx, sight, project, class.ID, req.Item); err != nil {
				return err
			}
		}
		if req.Item == "" {
			return nil
		}
		if peek.Item, err = itemIn(tx, project, req.Item); err != nil {
			return err
		}
		all, err := tx.AllAnnotationsOf(req.Item)
		if err != nil {
			return fault.Wrap(err, "find annotations")
		}
		shown, err := tx.Shown(actor.Person, req.Item)
		if err != nil {
			return fault.Wrap(err, "see who answered")
		}
		peek.Annotations, peek.Withheld = openTo(actor.Person, shown, all)
		return fault.Wrap(sight.Items(tx, &peek.Item), "see who answered")
	})
	if err != nil {
		return Peek{}, err
	}
	return peek, s.Viewed(ctx, actor, project, datasetsOf(append(slices.Clone(peek.Examples), peek.Item))...)
}

// openTo returns the history of an item, newest first, for a person who has
// said something about it or had it shown; from anybody else it is withheld. The
// drawer stands beside an item that is being judged, so it is stricter than
// Sight: it shows nothing beforehand of items that are not judged blind either.
func openTo(person ledger.PersonID, shown bool, all []Annotation) (history []Annotation, withheld bool) {
	for i := len(all) - 1; i >= 0; i-- {
		history = append(history, all[i])
	}
	if shown {
		return history, false
	}
	for _, a := range all {
		if a.Person == person && a.State == AnnotationActive && a.Kind != KindImport && a.Answers() {
			return history, false
		}
	}
	return nil, true
}

// examples returns the newest accepted items of a class. Items on which models
// are judged stay unseen: whoever labels them must not know their answers.
func examples(tx Tx, sight Sight, project ProjectID, class ClassID, but ItemID) ([]Item, error) {
	datasets, err := tx.Datasets(project)
	if err != nil {
		return nil, fault.Wrap(err, "list datasets")
	}
	var found []Item
	for _, d := range datasets {
		if d.Purpose.Blind() || d.Accepted == 0 {
			continue
		}
		items, _, err := tx.FindItems(project, sight.Filter(ItemFilter{Dataset: d.ID, Status: StatusAccepted, Label: class}), Slice{Before: lastSeq, Rows: mostExamples + 1})
		if err != nil {
			return nil, fault.Wrap(err, "find examples")
		}
		for _, item := range items {
			if item.ID != but && len(found) < mostExamples {
				found = append(found, item)
			}
		}
	}
	return found, nil
}

// lastSeq is behind every item.
const lastSeq = 1 << 62
