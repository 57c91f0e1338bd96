package labeling

import (
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Keys is how one person answers by keyboard in one project.
type Keys struct {
	Person  ledger.PersonID    `json:"-"`
	Project ProjectID          `json:"-"`
	Off     bool               `json:"off"`     // single keys do nothing: for people whose tools send stray ones
	Classes map[ClassID]string `json:"classes"` // the keys that this person chose, by class
}

// Validate returns what is wrong with the keys of a person.
func (k Keys) Validate() error {
	taken := map[string]ClassID{}
	for class, key := range k.Classes {
		if !answerKey(key) {
			return fault.Field("classes", "%.20q cannot answer; choose a digit from 1 to 9 or a letter from a to z", key)
		}
		if other, twice := taken[key]; twice {
			return fault.Field("classes", "The key %s stands for two classes, %s and %s; give one of them another key", key, min(class, other), max(class, other))
		}
		taken[key] = class
	}
	return nil
}

const answerKeys = "123456789abcdefghijklmnopqrstuvwxyz"

// answerKey reports whether a key may stand for a class.
func answerKey(key string) bool { return len(key) == 1 && strings.Contains(answerKeys, key) }

// AssignKeys gives each class the key that answers with it: the one the person
// chose, else the one the schema names, else the first free one of 1 … 9 and
// a … z in the order of the schema. What is left has no key ("") and is found
// by typing its name after "/". Retired classes cannot be answered with.
func AssignKeys(classes []Class, chosen map[ClassID]string) map[ClassID]string {
	assigned, taken := map[ClassID]string{}, map[string]bool{}
	give := func(class Class, key string) {
		if _, has := assigned[class.ID]; !has && answerKey(key) && !taken[key] {
			assigned[class.ID], taken[key] = key, true
		}
	}
	open := slices.DeleteFunc(slices.Clone(classes), func(c Class) bool { return c.Retired })
	for _, c := range open {
		give(c, chosen[c.ID])
	}
	for _, c := range open {
		give(c, strings.ToLower(c.Key))
	}
	free := 0
	for _, c := range open {
		if _, has := assigned[c.ID]; has {
			continue
		}
		for free < len(answerKeys) && taken[answerKeys[free:free+1]] {
			free++
		}
		if free < len(answerKeys) {
			give(c, answerKeys[free:free+1])
		} else {
			assigned[c.ID] = ""
		}
	}
	return assigned
}

// KeysTx keeps the keys of people.
type KeysTx interface {
	// Keys returns a person's keys in a project, the zero Keys if none were saved.
	Keys(person ledger.PersonID, project ProjectID) (Keys, error)
	SaveKeys(Keys) error
}
