package labeling

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Draft is what a person has begun to say about an item and not sent: it
// follows them to another computer, and ends with their answer. It is nobody
// else's business and no part of the history.
type Draft struct {
	Class  ClassID // chosen, not submitted
	Typed  string  // in the field that finds a class
	Reason string  // of a skip, as far as it is written
}

// Empty reports whether nothing has been begun.
func (d Draft) Empty() bool { return d == Draft{} }

// MostDrafts is how many drafts a person keeps in a project; the oldest go.
const MostDrafts = 100

// Validate returns what is wrong with a draft. A class that is no more is no
// matter: the page leaves it out.
func (d Draft) Validate() error {
	switch {
	case utf8.RuneCountInString(d.Reason) > maxReason:
		return fault.Field("reason", "The reason is longer than %d characters; shorten it", maxReason)
	case utf8.RuneCountInString(d.Typed) > mostClassName:
		return fault.Field("typed", "No class name has more than %d characters; shorten what you look for", mostClassName)
	case len(d.Class) > 100 || strings.ContainsRune(string(d.Class)+d.Typed+d.Reason, 0):
		return fault.Field("class", "The draft holds characters that cannot be kept; write it again")
	}
	return nil
}

// DraftKey says whose draft of which item one means.
type DraftKey struct {
	Person  ledger.PersonID
	Project ProjectID
	Item    ItemID
}

// DraftTx keeps drafts.
type DraftTx interface {
	// SaveDraft writes a draft and removes the oldest of its person in the
	// project beyond MostDrafts.
	SaveDraft(DraftKey, Draft, time.Time) error
	// DropDraft removes a draft, if there is one.
	DropDraft(DraftKey) error
	// Drafts returns the drafts of a person in a project, by item.
	Drafts(ledger.PersonID, ProjectID) (map[ItemID]Draft, error)
}

// SaveDraft keeps what the actor has begun to say about an item; an empty draft
// ends it. It returns Denied, Invalid, NotFound, or Unauthenticated where the
// draft is somebody else's than the actor's.
func (s *Service) SaveDraft(ctx context.Context, actor ledger.Actor, project ProjectID, item ItemID, by ledger.PersonID, d Draft) error {
	if err := actor.Must(project, ledger.ActionLabel); err != nil {
		return err
	}
	if err := mine(actor, by); err != nil {
		return err
	}
	if err := d.Validate(); err != nil {
		return err
	}
	return s.Update(ctx, func(tx Tx) error {
		if _, err := itemIn(tx, project, item); err != nil {
			return err
		}
		key := DraftKey{Person: actor.Person, Project: project, Item: item}
		active, err := tx.AnnotationsOf(item)
		if err != nil {
			return fault.Wrap(err, "find annotations")
		}
		// A draft that was on its way when its answer came is over.
		answered := slices.ContainsFunc(active, func(a Annotation) bool { return a.Person == actor.Person && a.Kind == KindAnswer })
		if answered || d.Empty() {
			return fault.Wrap(tx.DropDraft(key), "end the draft")
		}
		return fault.Wrap(tx.SaveDraft(key, d, tx.Now()), "save the draft")
	})
}
