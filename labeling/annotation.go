package labeling

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// AnnotationKind says how an annotation came about.
type AnnotationKind string

// The kinds of annotation.
const (
	KindAnswer   AnnotationKind = "answer"   // a person judged the item
	KindSkip     AnnotationKind = "skip"     // a person passed the item on, perhaps with a reason
	KindImport   AnnotationKind = "import"   // the answer came with the data
	KindDecision AnnotationKind = "decision" // a lead decided: an adjudication or a relabeling; it outweighs all answers
)

// AnnotationState says whether an annotation still counts. Annotations are
// never edited: they are undone by their person or superseded by a later one.
type AnnotationState string

// The states of an annotation.
const (
	AnnotationActive     AnnotationState = "active"
	AnnotationUndone     AnnotationState = "undone"
	AnnotationSuperseded AnnotationState = "superseded"
)

// Annotation is a person's answer to the question of an item.
type Annotation struct {
	ID         AnnotationID
	Project    ProjectID
	Dataset    DatasetID
	Item       ItemID
	Person     ledger.PersonID
	Kind       AnnotationKind
	Class      ClassID  // empty for a skip
	Reason     string   // of a skip or a decision
	Suggestion ClassID  // the suggestion that stood on the screen, if one did
	Score      *float64 // its score; nil if unknown
	Untouched  bool     // the person pressed Enter on the suggestion and nothing else
	Extra      bool     // it came after the item had all the answers it asked for
	Seen       time.Duration
	State      AnnotationState
	At         time.Time // the server's
}

// Answers reports whether the annotation says which class the item has.
func (a Annotation) Answers() bool { return a.Kind != KindSkip }

const maxReason = 500

// Validate returns what is wrong with an annotation as a person sends it,
// without looking at the schema.
func (a Annotation) Validate() error {
	switch {
	case !validID(string(a.ID)):
		return fault.Field("id", "The id of an annotation is a UUID in lower case, made by the sender")
	case a.Item == "":
		return fault.Field("item", "The annotation does not say which item it is about")
	case a.Kind == KindSkip && a.Class != "":
		return fault.Field("class", "A skip has no class; send an answer instead")
	case a.Kind != KindSkip && a.Class == "":
		return fault.Field("class", "The answer does not say which class; to pass the item on, skip it")
	case utf8.RuneCountInString(a.Reason) > maxReason:
		return fault.Field("reason", "The reason is longer than %d characters; shorten it", maxReason)
	case a.Seen < 0 || a.Seen > 24*time.Hour:
		return fault.Field("seen_ms", "An item is seen for no less than 0 and no more than 86400000 milliseconds")
	case a.Score != nil && !(*a.Score >= 0 && *a.Score <= 1):
		return fault.Field("score", "The score of a suggestion lies between 0 and 1")
	case a.Untouched && a.Suggestion == "":
		return fault.Field("untouched", "Only an answer to a suggestion can leave it untouched")
	case a.Untouched && a.Suggestion != a.Class:
		return fault.Field("untouched", "An untouched suggestion is answered with its own class")
	}
	return nil
}

// SameContent reports whether b, which has the same id, says the same as a. How
// long the item was seen does not matter: it is not what was said.
func (a Annotation) SameContent(b Annotation) bool {
	return a.Person == b.Person && a.Item == b.Item && a.Kind == b.Kind && a.Class == b.Class && a.Reason == b.Reason
}

// validID reports whether an id is a UUID as browsers make it here.
func validID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i, c := range id {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdef", c) {
			return false
		}
	}
	return true
}

// Outcome is what the annotations of an item amount to.
type Outcome struct {
	Status  Status
	Label   ClassID // the accepted answer; empty while there is none
	Answers int     // annotations that answer
}

// Settle decides what the active annotations of an item, oldest first, amount
// to in a project. The newest decision outweighs everything. Else the item is
// queued until as many people have answered as the project asks, then accepted
// if they agree and disputed if they do not; an answer too many counts as well,
// so a late one that differs disputes the item. An imported answer settles an
// item that nobody else has judged. An item that one person more than asked has
// passed on is skipped until somebody answers it after all.
func Settle(p Project, annotations []Annotation) Outcome {
	var decision, imported ClassID
	var answers []ClassID
	skips, asked := 0, max(p.Overlap, 1)
	for _, a := range annotations {
		if a.State != AnnotationActive {
			continue
		}
		switch class := p.Schema.Resolve(a.Class); a.Kind {
		case KindDecision:
			decision = class
		case KindImport:
			imported = class
		case KindAnswer:
			answers = append(answers, class)
		case KindSkip:
			skips++
		}
	}
	out := Outcome{Status: StatusQueued, Answers: len(answers)}
	if decision != "" {
		out.Status, out.Label = StatusAccepted, decision
		out.Answers++
		return out
	}
	if imported != "" {
		answers = append(answers, imported)
		out.Answers++
	} else if len(answers) < asked {
		if len(answers) == 0 && skips > asked {
			out.Status = StatusSkipped
		}
		return out
	}
	for _, class := range answers {
		if class != answers[0] {
			out.Status = StatusDisputed
			return out
		}
	}
	out.Status, out.Label = StatusAccepted, answers[0]
	return out
}

// TooMany reports whether another answer to an item with these active
// annotations by other people is one more than it asks for.
func TooMany(overlap int, others []Annotation) bool {
	answers := 0
	for _, a := range others {
		if a.State != AnnotationActive {
			continue
		}
		switch a.Kind {
		case KindDecision, KindImport:
			return true
		case KindAnswer:
			answers++
		case KindSkip:
		}
	}
	return answers >= max(overlap, 1)
}

// AnnotationTx keeps annotations.
type AnnotationTx interface {
	// CreateAnnotation adds an annotation. It returns Conflict where the id is taken.
	CreateAnnotation(Annotation) error
	Annotation(AnnotationID) (Annotation, error)
	// AnnotationsOf returns the active annotations of an item, oldest first.
	AnnotationsOf(ItemID) ([]Annotation, error)
	// AllAnnotationsOf returns the annotations of an item in every state, oldest first.
	AllAnnotationsOf(ItemID) ([]Annotation, error)
	SetAnnotationState(AnnotationID, AnnotationState) error
	// AnswersBy counts the active answers of a person in a project, or in one of
	// its datasets if that is not empty. Imported ones are nobody's work.
	AnswersBy(person ledger.PersonID, project ProjectID, dataset DatasetID) (int64, error)
	// AnswersByDay counts the active answers of people since a time, by day
	// (days since 1970 in UTC).
	AnswersByDay(ProjectID, time.Time) (map[int64]int64, error)
	// SaidTwice returns the active answers of people to the items that more than
	// one of them judged, of those items to which the latest answers of a project
	// belong; answers of one item stand together.
	SaidTwice(project ProjectID, latest int) ([]Said, error)
}
