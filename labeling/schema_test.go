package labeling_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/labeling"
)

func schema(names ...string) labeling.Schema {
	var s labeling.Schema
	for i, name := range names {
		s.Classes = append(s.Classes, labeling.Class{ID: labeling.ClassID("id-" + name), Name: name, Color: i % 10})
	}
	return s
}

func TestASchemaSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	class := func(change func(*labeling.Class)) labeling.Schema {
		s := schema("a", "b")
		change(&s.Classes[1])
		return s
	}
	for name, c := range map[string]struct {
		schema labeling.Schema
		says   string
	}{
		"two classes may not share a name":       {class(func(c *labeling.Class) { c.Name = "a" }), "Two classes are named"},
		"a name needs letters":                   {class(func(c *labeling.Class) { c.Name = "" }), "needs a name"},
		"a name has nothing that nobody sees":    {class(func(c *labeling.Class) { c.Name = "pay\u202egpj" }), "Character 4 is right-to-left override (U+202E)"},
		"a name has no line break":               {class(func(c *labeling.Class) { c.Name = "x\ny" }), "control character"},
		"a colour is a step of the palette":      {class(func(c *labeling.Class) { c.Color = 10 }), "palette"},
		"a key is one digit or letter":           {class(func(c *labeling.Class) { c.Key = "0" }), "The key of"},
		"emoji and right-to-left names are fine": {class(func(c *labeling.Class) { c.Name = "🦝 راكون" }), ""},
		"an empty schema is fine":                {labeling.Schema{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.schema.Validate()
			if (c.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func TestEditNeverDropsAnAnnotatedClassSilently(t *testing.T) {
	t.Parallel()
	was := schema("cat", "dog", "fox")
	uses := map[labeling.ClassID]int64{"id-cat": 3, "id-dog": 2}
	renamed := schema("cat", "dog", "fox")
	renamed.Classes[0].Name = "feline"
	for name, c := range map[string]struct {
		next      labeling.Schema
		decisions map[labeling.ClassID]labeling.Decision
		says      string
		classes   string
		moves     int
		requeued  int
	}{
		"a rename keeps the class and asks nothing":     {next: renamed, classes: "feline dog fox"},
		"an unused class goes at once":                  {next: schema("cat", "dog"), classes: "cat dog"},
		"a used class asks":                             {next: schema("cat", "fox"), says: "There are annotations of dog"},
		"a used class can be kept as retired":           {next: schema("cat", "fox"), decisions: map[labeling.ClassID]labeling.Decision{"id-dog": {Fate: labeling.FateRetire}}, classes: "cat fox (dog)"},
		"a used class can be merged":                    {next: schema("cat", "fox"), decisions: map[labeling.ClassID]labeling.Decision{"id-dog": {Fate: labeling.FateMerge, Into: "id-cat"}}, classes: "cat fox (dog=cat)", moves: 1},
		"a class merges only into one that stays":       {next: schema("fox"), decisions: map[labeling.ClassID]labeling.Decision{"id-dog": {Fate: labeling.FateMerge, Into: "id-cat"}, "id-cat": {Fate: labeling.FateRetire}}, says: "cannot be merged"},
		"items of a used class can return to the queue": {next: schema("cat", "fox"), decisions: map[labeling.ClassID]labeling.Decision{"id-dog": {Fate: labeling.FateRequeue}}, classes: "cat fox (dog)", requeued: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change, err := was.Edit(c.next, uses, c.decisions)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %v, want %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var words []string
			for _, class := range change.Schema.Classes {
				word := class.Name
				if class.Into != "" {
					word += "=" + change.Schema.Name(class.ID)
				}
				if class.Retired {
					word = "(" + word + ")"
				}
				words = append(words, word)
			}
			if got := strings.Join(words, " "); got != c.classes || len(change.Moves) != c.moves || len(change.Requeue) != c.requeued {
				t.Errorf("got %q, %d moves, %d requeued", got, len(change.Moves), len(change.Requeue))
			}
		})
	}
}

func TestAdoptKeepsWhatAClassIsByItsName(t *testing.T) {
	t.Parallel()
	was := labeling.Schema{Question: "Which?", Classes: []labeling.Class{{ID: "1", Name: "card", Color: 3, Key: "c"}, {ID: "2", Name: "cash", Color: 1}, {ID: "3", Name: "old", Retired: true, Into: "1"}}}
	got := was.Adopt(labeling.Schema{Question: "What?", Classes: []labeling.Class{{Name: "new"}, {Name: "cash", Color: 5}, {Name: "card"}}})
	want := labeling.Schema{Question: "What?", Classes: []labeling.Class{{Name: "new"}, {ID: "2", Name: "cash", Color: 5}, {ID: "1", Name: "card", Color: 3, Key: "c"}, {ID: "3", Name: "old", Retired: true, Into: "1"}}}
	if !got.Same(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if again := want.Adopt(want); !again.Same(want) {
		t.Errorf("adopted again it is %+v", again)
	}
}

func TestEditFollowsMerges(t *testing.T) {
	t.Parallel()
	uses := map[labeling.ClassID]int64{"id-a": 1, "id-b": 1, "id-c": 1}
	first, err := schema("a", "b", "c").Edit(schema("b", "c"), uses, map[labeling.ClassID]labeling.Decision{"id-a": {Fate: labeling.FateMerge, Into: "id-b"}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := first.Schema.Edit(schema("c"), uses, map[labeling.ClassID]labeling.Decision{"id-b": {Fate: labeling.FateMerge, Into: "id-c"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := second.Schema.Name("id-a"); got != "c" {
		t.Errorf("a counts as %q, want c", got)
	}
}

func TestTheDigestOfASchemaIsWhatWasAsked(t *testing.T) {
	t.Parallel()
	a, b := schema("x", "y"), schema("y", "x")
	b.Classes[0].ID, b.Classes[1].Key = "other", "q"
	if a.Digest() != b.Digest() {
		t.Error("order, ids and keys change the digest")
	}
	if c := schema("x", "z"); c.Digest() == a.Digest() {
		t.Error("other classes have the same digest")
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Bank Support (77)": "bank-support-77", "  --x ": "x", "راكون": "", "Ünïcode": "n-code"} {
		if got := labeling.Slug(name); got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
	}
}

// A schema that is taken has one meaning: every answer counts as a class that
// is there, and what was written and read again has the same digest.
func FuzzSchema(f *testing.F) {
	f.Add(`{"question":"?","classes":[{"id":"1","name":"a","color":0,"key":"1"},{"id":"2","name":"b","color":1,"retired":true,"into":"1"}]}`)
	f.Add(`{"classes":[{"id":"1","name":"\u202e🦝","color":9,"retired":true,"into":"1"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var s labeling.Schema
		if json.Unmarshal([]byte(text), &s) != nil || s.Validate() != nil {
			return
		}
		for _, c := range s.Classes {
			counts, known := s.Class(s.Resolve(c.ID))
			if !known || s.Resolve(counts.ID) != counts.ID {
				t.Fatalf("an answer %q counts as %q, which counts as another or is not there", c.ID, counts.ID)
			}
			if named, known := s.ClassNamed(c.Name); !known || named.ID != counts.ID {
				t.Fatalf("the name %q means %q, its id %q", c.Name, named.ID, counts.ID)
			}
		}
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var again labeling.Schema
		if err := json.Unmarshal(raw, &again); err != nil || again.Validate() != nil || again.Digest() != s.Digest() {
			t.Fatalf("%s became %+v, %v", raw, again, err)
		}
	})
}
