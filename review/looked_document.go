package review

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// Clause is what the sentence of a vote says of what its voter opened: what this
// server recorded, and no more than that.
func (l Looked) Clause() string {
	opened := l.Opened()
	if len(opened) == 0 {
		return " This server recorded nothing of it that I opened before."
	}
	said := make([]string, len(opened))
	for i, p := range opened {
		said[i] = p.said(l.Timed)
	}
	return " Before that, as this server recorded, I opened: " + strings.Join(said, "; ") + "."
}

func (p Part) said(timed bool) string {
	on := ""
	if p.On != "" {
		on = " on " + p.On
	}
	var what string
	switch p.Kind {
	case LookCandidate:
		what = "this candidate's page"
	case LookComparison:
		what = "the comparison with " + p.Name + on
	case LookDocument:
		what = "the document of the comparison with " + p.Name + on
	case LookModel:
		what = "the page of " + p.Name
	case LookSnapshot:
		what = "the page of " + p.Name
		if !strings.HasPrefix(p.Name, "Snapshot ") { // as one without a name is called
			what = "the page of the snapshot " + p.Name
		}
	}
	if timed {
		what += " (" + Lasting(p.Look.Millis) + ")"
	}
	if p.Kind == LookComparison {
		what += fmt.Sprintf(", %d of its %d items", len(p.Look.Items), p.Items)
	}
	return what
}

// Lasting writes how long something was in view, as signed texts say it.
func Lasting(millis int64) string {
	s := (millis + 500) / 1000
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600 && s%60 == 0:
		return fmt.Sprintf("%d min", s/60)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}

// LookedFormat names the document of what a voter opened.
const LookedFormat = "adjudge.looked/1"

// LookedDocument is what a voter had opened when they voted, as their vote names
// it by digest. It names things by what they were made of, and the voter by id.
type LookedDocument struct {
	Format    string          `json:"format"`
	Vote      VoteID          `json:"vote"`
	Person    ledger.PersonID `json:"person"`
	Candidate CandidateID     `json:"candidate"`
	Subject   ledger.Digest   `json:"subject"`
	Until     string          `json:"until"`
	Timed     bool            `json:"timed"` // false: how long is not kept of this person
	Opened    []LookedThing   `json:"opened"`
}

// LookedThing is one thing that was opened.
type LookedThing struct {
	Kind   LookKind      `json:"kind"`
	ID     string        `json:"id"`
	Digest ledger.Digest `json:"digest,omitempty"`
	First  string        `json:"first"`
	Last   string        `json:"last,omitempty"`
	Millis *int64        `json:"millis,omitempty"` // in view
	Items  *LookedItems  `json:"items,omitempty"`
}

// LookedItems are the items of a comparison that were in view, by their place
// among its keys, sorted, from 0.
type LookedItems struct {
	Of   int   `json:"of"`
	Seen []int `json:"seen"`
}

// document is what a vote keeps of what its voter opened.
func (l Looked) document(v Vote) ([]byte, error) {
	moment := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
	doc := LookedDocument{Format: LookedFormat, Vote: v.ID, Person: v.Person, Candidate: v.Candidate, Subject: v.Subject.Digest,
		Until: moment(l.Until), Timed: l.Timed, Opened: []LookedThing{}}
	for _, p := range l.Opened() {
		thing := LookedThing{Kind: p.Kind, ID: p.ID, Digest: p.Digest, First: moment(p.Look.First)}
		if l.Timed {
			thing.Last, thing.Millis = moment(p.Look.Last), &p.Look.Millis
		}
		if p.Kind == LookComparison {
			thing.Items = &LookedItems{Of: p.Items, Seen: append([]int{}, p.Look.Items...)}
			slices.Sort(thing.Items.Seen)
		}
		doc.Opened = append(doc.Opened, thing)
	}
	return labeling.Canonical(doc)
}

// DecodeLooked reads the document of a vote.
func DecodeLooked(content []byte) (LookedDocument, error) {
	var doc LookedDocument
	if err := json.Unmarshal(content, &doc); err != nil || doc.Format != LookedFormat {
		return doc, fault.As(fault.Invalid, err, "This is no document of what a voter opened.")
	}
	return doc, nil
}

// LookedSum is a document in figures.
type LookedSum struct {
	Comparisons int
	Items, Of   int // of those comparisons
	Others      int // pages and documents that are no comparison
	Millis      int64
	Timed       bool
}

// Sum counts what was opened.
func (d LookedDocument) Sum() LookedSum {
	sum := LookedSum{Timed: d.Timed}
	for _, t := range d.Opened {
		if t.Millis != nil {
			sum.Millis += *t.Millis
		}
		if t.Kind != LookComparison || t.Items == nil {
			sum.Others++
			continue
		}
		sum.Comparisons++
		sum.Items += len(t.Items.Seen)
		sum.Of += t.Items.Of
	}
	return sum
}
