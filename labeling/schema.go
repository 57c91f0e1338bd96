package labeling

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// ClassID is the id of a class, opaque and stable: renaming a class keeps it.
type ClassID string

// Schema is the question that a project asks and the answers it allows.
type Schema struct {
	Question  string  `json:"question"`            // shown above the classes; may be empty
	Guideline string  `json:"guideline,omitempty"` // how to judge, for whoever labels; shown beside the item on request
	Classes   []Class `json:"classes"`
}

// Class is one allowed answer of a single-choice question.
type Class struct {
	ID      ClassID `json:"id"`
	Name    string  `json:"name"`              // unique; what snapshots and exports say
	Color   int     `json:"color"`             // step of the palette, 0 to 9
	Key     string  `json:"key,omitempty"`     // one digit 1-9 or letter a-z; empty: the next free one
	Note    string  `json:"note,omitempty"`    // what belongs to it and what does not, for whoever labels
	Retired bool    `json:"retired,omitempty"` // kept for old annotations, offered no more
	Into    ClassID `json:"into,omitempty"`    // a retired class whose answers count as this one
}

// Limits of a schema.
const (
	MostClasses   = 1000
	PaletteSteps  = 10
	mostClassName = 200
	mostNote      = 1000
	mostGuideline = 20_000
)

// Validate returns the first thing that is wrong with a schema.
func (s Schema) Validate() error {
	if len(s.Classes) > MostClasses {
		return fault.Field("classes", "%d classes are too many; %d is the most.", len(s.Classes), MostClasses)
	}
	if utf8.RuneCountInString(s.Question) > 500 {
		return fault.Field("question", "The question is longer than 500 characters.")
	}
	if utf8.RuneCountInString(s.Guideline) > mostGuideline {
		return fault.Field("guideline", "The guideline is longer than %d characters; keep what is looked up while labeling.", mostGuideline)
	}
	ids, names, keys := map[ClassID]bool{}, map[string]bool{}, map[string]string{}
	for _, c := range s.Classes {
		if err := c.validate(); err != nil {
			return err
		}
		switch other, taken := keys[c.Key]; {
		case ids[c.ID]:
			return fault.Field("classes", "Two classes have the id %q.", c.ID)
		case names[c.Name]:
			return fault.Field("classes", "Two classes are named %q; rename one of them.", c.Name)
		case taken && !c.Retired:
			return fault.Field("classes", "%q and %q have the same key %q; change one of them.", other, c.Name, c.Key)
		}
		ids[c.ID], names[c.Name] = true, true
		if c.Key != "" && !c.Retired {
			keys[c.Key] = c.Name
		}
	}
	for _, c := range s.Classes {
		if into, known := s.Class(c.Into); c.Into != "" && (!known || !c.Retired || into.Into != "") {
			return fault.Field("classes", "%q is merged into a class that cannot take it.", c.Name)
		}
	}
	return nil
}

func (c Class) validate() error {
	switch {
	case c.ID == "":
		return fault.Field("classes", "The class %q has no id.", c.Name)
	case strings.TrimSpace(c.Name) != c.Name || c.Name == "":
		return fault.Field("classes", "A class needs a name without spaces around it; %q is none.", c.Name)
	case utf8.RuneCountInString(c.Name) > mostClassName:
		return fault.Field("classes", "The class name %.40q… is longer than %d characters.", c.Name, mostClassName)
	case strings.ContainsFunc(c.Name, unicode.IsControl):
		return fault.Field("classes", "The class name %q holds a line break or another control character.", c.Name)
	case ledger.Plain("classes", c.Name) != nil:
		return ledger.Plain("classes", c.Name)
	case utf8.RuneCountInString(c.Note) > mostNote:
		return fault.Field("classes", "What is noted about %q is longer than %d characters.", c.Name, mostNote)
	case c.Color < 0 || c.Color >= PaletteSteps:
		return fault.Field("classes", "The colour of %q is a step of the palette, 0 to %d, not %d.", c.Name, PaletteSteps-1, c.Color)
	case c.Key != "" && (len(c.Key) != 1 || !strings.Contains("123456789abcdefghijklmnopqrstuvwxyz", c.Key)):
		return fault.Field("classes", "The key of %q is one of 1-9 or a-z, not %q.", c.Name, c.Key)
	}
	return nil
}

// Class returns the class with an id.
func (s Schema) Class(id ClassID) (Class, bool) {
	i := slices.IndexFunc(s.Classes, func(c Class) bool { return c.ID == id })
	if i < 0 {
		return Class{}, false
	}
	return s.Classes[i], true
}

// ClassNamed returns the class with a name, merged ones resolved.
func (s Schema) ClassNamed(name string) (Class, bool) {
	i := slices.IndexFunc(s.Classes, func(c Class) bool { return c.Name == name })
	if i < 0 {
		return Class{}, false
	}
	return s.Class(s.Resolve(s.Classes[i].ID))
}

// Resolve returns the class that an answer counts as today: the class itself,
// or the one it was merged into.
func (s Schema) Resolve(id ClassID) ClassID {
	if c, known := s.Class(id); known && c.Into != "" {
		return c.Into
	}
	return id
}

// Name returns the name of the class that an answer counts as today, or "".
func (s Schema) Name(id ClassID) string {
	c, _ := s.Class(s.Resolve(id))
	return c.Name
}

// Open returns the classes that people may answer with, in order.
func (s Schema) Open() []Class {
	return slices.DeleteFunc(slices.Clone(s.Classes), func(c Class) bool { return c.Retired })
}

// Digest names the schema as snapshots carry it: the question and the sorted
// names of its classes. Ids, colours, keys, order, notes and the guideline do
// not change what was asked.
func (s Schema) Digest() ledger.Digest {
	names := []string{}
	for _, c := range s.Open() {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return ledger.DigestOf(canonical(map[string]any{"classes": names, "question": s.Question}))
}

// canonical encodes a value of maps, slices and strings as canonical JSON.
func canonical(value any) []byte {
	text, err := Canonical(value)
	if err != nil {
		panic("labeling: " + err.Error()) // strings always encode
	}
	return text
}

// Fate is what becomes of the annotations of a class that is taken away.
type Fate string

// The fates.
const (
	FateMerge   Fate = "merge"   // they count as another class from now on
	FateRequeue Fate = "requeue" // their items return to the queue
	FateRetire  Fate = "retire"  // they stay; the class is offered no more
)

// Decision says what becomes of the annotations of one class.
type Decision struct {
	Fate Fate    `json:"fate"`
	Into ClassID `json:"into,omitempty"` // for FateMerge
}

// Change is the outcome of editing a schema.
type Change struct {
	Schema  Schema              // what the schema becomes
	Moves   map[ClassID]ClassID // accepted answers to move to another class
	Requeue []ClassID           // classes whose items return to the queue
}

// Edit replaces a schema by another. Renaming keeps a class's id and needs no
// decision. A class that is missing from next goes for good where uses has no
// annotation of it; else decisions must say what becomes of them, or Edit
// returns Unmet and names the classes: nothing is ever dropped silently.
func (s Schema) Edit(next Schema, uses map[ClassID]int64, decisions map[ClassID]Decision) (Change, error) {
	change := Change{Schema: Schema{Question: next.Question, Guideline: next.Guideline, Classes: slices.Clone(next.Classes)}, Moves: map[ClassID]ClassID{}}
	var undecided []string
	for _, c := range s.Classes {
		if _, kept := next.Class(c.ID); kept {
			continue
		}
		if uses[c.ID] == 0 && !mergedInto(s, c.ID) && decisions[c.ID].Fate == "" && !c.Retired {
			continue
		}
		d := decisions[c.ID]
		if c.Retired && d.Fate == "" { // it was decided before and stays as it is
			change.Schema.Classes = append(change.Schema.Classes, c)
			continue
		}
		gone := c
		gone.Retired, gone.Into = true, ""
		switch d.Fate {
		case FateMerge:
			if into, known := next.Class(d.Into); !known || into.Retired {
				return Change{}, fault.Field("decisions", "%q cannot be merged into a class that is not in the new schema.", c.Name)
			}
			gone.Into = d.Into
			change.Moves[c.ID] = d.Into
			for i, other := range change.Schema.Classes { // what was merged into it before follows
				if other.Into == c.ID {
					change.Schema.Classes[i].Into = d.Into
				}
			}
		case FateRequeue:
			change.Requeue = append(change.Requeue, c.ID)
		case FateRetire:
		default:
			undecided = append(undecided, c.Name)
			continue
		}
		change.Schema.Classes = append(change.Schema.Classes, gone)
	}
	if len(undecided) > 0 {
		slices.Sort(undecided)
		return Change{}, fault.New(fault.Unmet, "There are annotations of %s. Say what becomes of them: merge them into another class, return their items to the queue, or keep the class as retired.",
			strings.Join(undecided, ", ")).At("classes")
	}
	for i, c := range change.Schema.Classes { // a class merged away earlier follows its target
		if to, moved := change.Moves[c.Into]; moved {
			change.Schema.Classes[i].Into = to
		}
	}
	return change, change.Schema.Validate()
}

// Adopt returns next, written by hand without ids, as an edit of s: a class that
// s has under the same name keeps its id, and its colour, key and note unless
// next says others; the guideline stays where next has none. Retired classes that
// next does not name stay as they are.
func (s Schema) Adopt(next Schema) Schema {
	out := Schema{Question: next.Question, Guideline: cmp.Or(next.Guideline, s.Guideline), Classes: slices.Clone(next.Classes)}
	for i, c := range out.Classes {
		at := slices.IndexFunc(s.Classes, func(was Class) bool { return was.Name == c.Name && (c.ID == "" || c.ID == was.ID) })
		if at < 0 {
			continue
		}
		was := s.Classes[at]
		out.Classes[i].ID, out.Classes[i].Color, out.Classes[i].Key, out.Classes[i].Note = was.ID, cmp.Or(c.Color, was.Color), cmp.Or(c.Key, was.Key), cmp.Or(c.Note, was.Note)
	}
	for _, c := range s.Classes {
		if _, named := out.Class(c.ID); c.Retired && !named {
			out.Classes = append(out.Classes, c)
		}
	}
	return out
}

// Same reports whether two schemas are equal in every field.
func (s Schema) Same(other Schema) bool {
	return s.Question == other.Question && s.Guideline == other.Guideline && slices.Equal(s.Classes, other.Classes)
}

func mergedInto(s Schema, id ClassID) bool {
	return slices.ContainsFunc(s.Classes, func(c Class) bool { return c.Into == id })
}
