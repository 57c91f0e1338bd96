// Package labeling is the first desk: people judge items.
//
// A project is one decision problem. It has a schema (the question and its
// classes) and datasets; a dataset is a named, growing collection of items with
// a purpose. Items wait in a queue, people take them as tasks and answer with
// annotations, agreement makes one answer the accepted one, and a snapshot
// freezes items with their accepted answers under a digest for good.
//
// Types and pure rules stand in a file per noun, the transaction's interface in
// tx.go, and what people can do in service.go and its neighbours.
package labeling

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// ProjectID is the id of a project (UUIDv7).
type ProjectID = ledger.ProjectID

// Project is one decision problem: its schema, datasets, models, policy and members.
type Project struct {
	ID            ProjectID
	Slug          string // its name in addresses: lower-case letters, digits and hyphens
	Name          string
	Schema        Schema
	SchemaVersion int // 1, 2, 3 …
	Overlap       int // how many people judge each item; 1 unless the project asks for more
	LockAfter     int // minutes after which idle browsers of its people lock; 0: as they and the installation say
	CreatedAt     time.Time
}

// MostOverlap is the largest number of people a project may ask per item.
const MostOverlap = 9

// Validate returns the first thing that is wrong with a project.
func (p Project) Validate() error {
	switch n := utf8.RuneCountInString(p.Name); {
	case strings.TrimSpace(p.Name) == "":
		return fault.Field("name", "Give the project a name.")
	case n > 120:
		return fault.Field("name", "The name has %d characters; 120 is the most.", n)
	case Slug(p.Slug) != p.Slug || p.Slug == "":
		return fault.Field("slug", "The address %q may hold only lower-case letters, digits and single hyphens.", p.Slug)
	case p.Overlap < 1 || p.Overlap > MostOverlap:
		return fault.Field("overlap", "Between 1 and %d people can judge an item, not %d.", MostOverlap, p.Overlap)
	}
	if err := ledger.Name("name", p.Name); err != nil {
		return err
	}
	return p.Schema.Validate()
}

// Slug makes a name fit for an address: lower-case ASCII letters and digits,
// everything else one hyphen. It may be empty for a name in another script.
func Slug(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			gap = false
		} else {
			gap = true
		}
		if b.Len() >= 60 {
			break
		}
	}
	return b.String()
}
