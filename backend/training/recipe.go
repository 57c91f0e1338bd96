package training

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
)

// Recipe says how to train: what a person may set, what is run, what must come
// out of it. Recipes are data; the server never runs them itself.
type Recipe struct {
	Name        string `json:"name"`    // text-linear
	Version     string `json:"version"` // changes whenever the same parameters could give another model
	Title       string `json:"title"`
	Description string `json:"description"`
	Params      Schema `json:"params"`
	Format      string `json:"format"` // of the input's parts: jsonl
	Train       Step   `json:"train"`
	Predict     Step   `json:"predict"` // no command: the model cannot answer for itself
	Grace       int    `json:"grace_s"` // seconds between a polite stop and the end
	MaxAttempts int    `json:"max_attempts"`
}

// Step is one thing that a recipe can do.
type Step struct {
	// Command is the program and its arguments. {adjudge} stands for the binary
	// of the runner itself.
	Command []string `json:"command"`
	// Outputs lists what must exist under output/ for a success.
	Outputs []string `json:"outputs"`
}

// Validate reports what is wrong with a recipe.
func (r Recipe) Validate() error {
	switch {
	case r.Name == "" || strings.ToLower(r.Name) != r.Name || strings.ContainsAny(r.Name, " /\\"):
		return fmt.Errorf("recipe name %q is not a lower-case word", r.Name)
	case r.Version == "":
		return fmt.Errorf("recipe %s has no version", r.Name)
	case len(r.Train.Command) == 0 || len(r.Train.Outputs) == 0:
		return fmt.Errorf("recipe %s names no command or no outputs for train", r.Name)
	case r.Format != "jsonl":
		return fmt.Errorf("recipe %s wants its input as %q; jsonl is what there is", r.Name, r.Format)
	case r.Grace < 0 || r.MaxAttempts < 0:
		return fmt.Errorf("recipe %s has a negative limit", r.Name)
	}
	return nil
}

// GraceTime is how long a trainer may take to stop politely; a minute unless
// the recipe says otherwise.
func (r Recipe) GraceTime() time.Duration { return time.Duration(cmp.Or(r.Grace, 60)) * time.Second }

// Attempts is how often a job may be tried when machines fail.
func (r Recipe) Attempts() int { return cmp.Or(r.MaxAttempts, 3) }

// Book is all recipes that an installation knows.
type Book []Recipe

// Get returns a recipe by name, or NotFound with the names that exist.
func (b Book) Get(name string) (Recipe, error) {
	if i := slices.IndexFunc(b, func(r Recipe) bool { return r.Name == name }); i >= 0 {
		return b[i], nil
	}
	names := make([]string, len(b))
	for i, r := range b {
		names[i] = r.Name
	}
	return Recipe{}, fault.New(fault.NotFound, "There is no recipe %q. There is: %s.", name, strings.Join(names, ", ")).At("recipe")
}
