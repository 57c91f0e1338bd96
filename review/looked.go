package review

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// LookKind is what kind of thing somebody opened.
type LookKind string

// The kinds, in the order in which they are told.
const (
	LookCandidate  LookKind = "candidate"  // its page
	LookComparison LookKind = "comparison" // its page, and items on it
	LookDocument   LookKind = "document"   // a comparison as the file that is signed for
	LookModel      LookKind = "model"      // its page
	LookSnapshot   LookKind = "snapshot"   // its page
)

var lookKinds = []LookKind{LookCandidate, LookComparison, LookDocument, LookModel, LookSnapshot}

// Thing names something that can be opened, and what it was made of then.
type Thing struct {
	Kind   LookKind
	ID     string // of a candidate, model or snapshot; the digest of a comparison
	Digest ledger.Digest
}

// Look is what one person had open of one thing up to some time. It says that a
// page was open in front of them, and nothing of what they made of it.
type Look struct {
	Thing
	First  time.Time
	Last   time.Time
	Millis int64 // in view: the page visible, the window in front, somebody there
	Items  []int // of a comparison that were in view, by their place among its sorted keys
}

// Looks keeps what people who vote opened.
type Looks interface {
	// NoteLook adds to what a person had open of a thing of a project.
	NoteLook(project ledger.ProjectID, person ledger.PersonID, thing Thing, at time.Time, millis int64) error
	// NoteItems adds items of a comparison; those that are known stay as they are.
	NoteItems(project ledger.ProjectID, person ledger.PersonID, comparison ledger.Digest, items []int, at time.Time) error
	// LastLook is when the last look of a person was noted, in whichever project;
	// zero for never.
	LastLook(ledger.PersonID) (time.Time, error)
	// FindLooks lists what a person had opened of a project at a time, by kind, id
	// and digest.
	FindLooks(project ledger.ProjectID, person ledger.PersonID, until time.Time) ([]Look, error)
}

// Bounds of what a page reports.
const (
	// longestReport is the most that one report adds: pages report twice as often.
	longestReport = 30 * time.Second
	// shortestReport is what is not worth a row of its own.
	shortestReport = time.Second
	// maxReported bounds the items of one report, and maxItems those that are kept
	// of one comparison: nobody looks at more of them one by one.
	maxReported = 500
	maxItems    = 5_000
)

// credited is how much of the time that a page claims counts: no more than passed
// since the person's last look, on whichever page, so that several pages, and
// whoever makes numbers up, never get past the clock on the wall.
func credited(claimed time.Duration, last, now time.Time) time.Duration {
	if last.IsZero() {
		return 0
	}
	return max(0, min(claimed, now.Sub(last), longestReport))
}

// Recorded reports whether what an actor opens in a project is kept: only of who
// may vote there, in a browser.
func Recorded(actor ledger.Actor, project ledger.ProjectID) bool {
	return actor.Via == ledger.ViaLogin && len(votingRoles(actor, project)) > 0
}

// LookRequest is what a page reports of itself.
type LookRequest struct {
	Project ledger.ProjectID
	Kind    LookKind
	ID      string
	Claimed time.Duration // in view since the report before
	Items   []int         // that were in view since
}

// Look notes what the actor has open. Only people in a browser look, and only of
// those who may vote in the project it is kept, for it is kept for their votes.
// Whoever does not want kept how long they look at things leaves that they opened
// it, and when first. It returns NotFound and Denied for what they may not read.
func (s *Service) Look(ctx context.Context, actor ledger.Actor, req LookRequest) error {
	if err := actor.Must(req.Project, ledger.ActionVote); err != nil {
		return err
	}
	if err := byLogin(actor); err != nil {
		return err
	}
	if !slices.Contains(lookKinds, req.Kind) {
		return fault.Field("kind", "There is no page of the kind %.40q.", string(req.Kind))
	}
	if len(req.Items) > maxReported || len(req.Items) > 0 && req.Kind != LookComparison {
		return fault.Field("item", "A report names at most %d items, of a comparison.", maxReported)
	}
	if !Recorded(actor, req.Project) {
		return nil // it would be kept for no vote
	}
	return s.Update(ctx, func(tx Tx) error {
		now := s.now() // once it is this one's turn, so that nothing is noted later for a time that was told
		thing, items, err := opened(tx, actor, req)
		if err != nil {
			return err
		}
		for _, i := range req.Items {
			if i < 0 || i >= items {
				return fault.Field("item", "The comparison has no item %d.", i)
			}
		}
		last, err := tx.LastLook(actor.Person)
		if err != nil {
			return err
		}
		before, err := tx.FindLooks(req.Project, actor.Person, now)
		if err != nil {
			return err
		}
		known := slices.IndexFunc(before, func(l Look) bool { return l.Thing == thing })
		spent := credited(req.Claimed, last, now)
		if actor.Untimed {
			spent = 0
		}
		if known < 0 || spent >= shortestReport {
			if err := tx.NoteLook(req.Project, actor.Person, thing, now, spent.Milliseconds()); err != nil {
				return err
			}
		}
		more := req.Items
		if known >= 0 {
			more = more[:min(len(more), max(0, maxItems-len(before[known].Items)))]
		}
		return tx.NoteItems(req.Project, actor.Person, thing.Digest, more, now)
	})
}

// opened finds what a page is of, as far as the actor may read it, and how many
// items it has.
func opened(tx Tx, actor ledger.Actor, req LookRequest) (Thing, int, error) {
	thing := Thing{Kind: req.Kind, ID: req.ID}
	none := fault.New(fault.NotFound, "This project has no such page.")
	readable := func(snapshot labeling.Snapshot) error {
		sight, err := labeling.SightOf(tx, actor, req.Project)
		if err != nil {
			return err
		}
		return sight.Rows(snapshot)
	}
	switch req.Kind {
	case LookCandidate:
		c, err := candidateFor(tx, actor, req.Project, CandidateRef{ID: CandidateID(req.ID)})
		thing.Digest = c.Subject.Digest
		return thing, 0, err
	case LookModel:
		m, err := tx.GetModel(req.Project, compare.ModelID(req.ID))
		thing.Digest = m.Digest
		return thing, 0, err
	case LookSnapshot:
		snapshot, err := tx.Snapshot(labeling.SnapshotID(req.ID))
		if err != nil || snapshot.Project != req.Project {
			return thing, 0, none
		}
		thing.Digest = snapshot.Digest
		return thing, 0, readable(snapshot)
	case LookComparison, LookDocument:
	}
	found, err := tx.FindComparisons(compare.ComparisonFilter{Project: req.Project, Digest: ledger.Digest(req.ID), Limit: 1})
	if err != nil || len(found) == 0 {
		return thing, 0, cmp.Or(err, error(none))
	}
	snapshot, err := tx.Snapshot(found[0].Snapshot)
	if err != nil {
		return thing, 0, err
	}
	thing.Digest = found[0].Digest
	return thing, found[0].Items, readable(snapshot)
}

// Looked is what a voter had opened of a candidate at a time.
type Looked struct {
	Until time.Time
	Timed bool // how long is kept, too
	Parts []Part
}

// Part is something of a candidate that can be opened, and what was.
type Part struct {
	Thing
	Name  string // of what it is: "intents@3"; of a comparison, that of the model it is with
	On    string // of a comparison: the title of its snapshot
	Items int    // of a comparison
	Asked bool   // belongs to what a voter finds on the way to a vote
	Look  Look   // zero where it was not opened
}

// Opened reports whether it was opened.
func (p Part) Opened() bool { return !p.Look.First.IsZero() }

// Opened lists what was opened.
func (l Looked) Opened() []Part {
	return slices.DeleteFunc(slices.Clone(l.Parts), func(p Part) bool { return !p.Opened() })
}

// lookedAt reads what a voter had opened of a candidate at a time.
func lookedAt(tx Tx, actor ledger.Actor, c Candidate, until time.Time) (Looked, error) {
	found := Looked{Until: until, Timed: !actor.Untimed}
	parts, err := partsOf(tx, c)
	if err != nil {
		return found, err
	}
	looks, err := tx.FindLooks(c.Project, actor.Person, until)
	if err != nil {
		return found, err
	}
	for _, p := range parts {
		if i := slices.IndexFunc(looks, func(l Look) bool { return l.Thing == p.Thing }); i >= 0 {
			p.Look = looks[i]
		}
		if p.Asked || p.Opened() {
			found.Parts = append(found.Parts, p)
		}
	}
	return found, nil
}

// moment is until when a form shows what was opened: what it was sent with, and
// never what is still to come.
func moment(shown, now time.Time) time.Time {
	if shown.IsZero() || shown.After(now) {
		return now
	}
	return shown.UTC().Truncate(time.Microsecond)
}

// lookedBy is lookedAt in a transaction of its own.
func (s *Service) lookedBy(ctx context.Context, actor ledger.Actor, c Candidate, until time.Time) (found Looked, err error) {
	err = s.View(ctx, func(tx Tx) (err error) {
		found, err = lookedAt(tx, actor, c, until)
		return err
	})
	return found, err
}

// withLooked returns a vote with the document of what its voter had opened. Its
// sentence must say the same.
func withLooked(tx Tx, actor ledger.Actor, c Candidate, vote Vote, until time.Time) (Vote, error) {
	looked, err := lookedAt(tx, actor, c, until)
	if err != nil {
		return vote, err
	}
	if !vote.Withdrawn && !strings.HasSuffix(vote.Sentence, looked.Clause()) {
		return vote, fault.New(fault.Conflict, "What you would sign has changed since the page was shown. Read it again and vote again.")
	}
	vote.Opened, err = looked.document(vote)
	vote.Looked = ledger.DigestOf(vote.Opened)
	return vote, err
}

// partsOf lists what of a candidate can be opened: its page, its comparisons, the
// pages of the two models, and the snapshots behind them.
func partsOf(tx Tx, c Candidate) ([]Part, error) {
	parts := []Part{{Thing: Thing{LookCandidate, string(c.ID), c.Subject.Digest}, Name: c.Name}}
	var snapshots []labeling.Snapshot
	add := func(s labeling.Snapshot, err error) error {
		if err == nil && !slices.ContainsFunc(snapshots, func(o labeling.Snapshot) bool { return o.ID == s.ID }) {
			snapshots = append(snapshots, s)
		}
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		return err
	}
	if c.Subject.Kind == SubjectSnapshot {
		if err := add(tx.SnapshotDigested(c.Project, c.Subject.Digest)); err != nil {
			return nil, err
		}
	}
	if c.Model != "" {
		more, err := comparisonsOf(tx, c, add)
		if err != nil {
			return nil, err
		}
		parts = append(parts, more...)
		parts = append(parts, Part{Thing: Thing{LookModel, string(c.Model), c.Subject.Digest}, Name: c.Name, Asked: true})
		if c.Baseline.Model != "" && c.Baseline.Model != c.Model {
			parts = append(parts, Part{Thing: Thing{LookModel, string(c.Baseline.Model), c.Baseline.Digest}, Name: c.Baseline.Name, Asked: true})
		}
		model, err := tx.GetModel(c.Project, c.Model)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		if model.Snapshot != "" {
			if err := add(tx.Snapshot(model.Snapshot)); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range snapshots {
		parts = append(parts, Part{Thing: Thing{LookSnapshot, string(s.ID), s.Digest}, Name: s.Title(), Asked: true})
	}
	slices.SortStableFunc(parts, func(a, b Part) int {
		return cmp.Compare(slices.Index(lookKinds, a.Kind), slices.Index(lookKinds, b.Kind))
	})
	return parts, nil
}

// comparisonsOf lists the comparisons of a candidate's model with whichever other;
// those with its baseline are the ones that votes name.
func comparisonsOf(tx Tx, c Candidate, on func(labeling.Snapshot, error) error) ([]Part, error) {
	records, err := tx.FindComparisons(compare.ComparisonFilter{Project: c.Project, Candidate: c.Model, Limit: 1000})
	if err != nil {
		return nil, err
	}
	shown, _, err := exhibitsOf(tx, c)
	if err != nil {
		return nil, err
	}
	var parts []Part
	for _, r := range records {
		p := Part{Thing: Thing{LookComparison, string(r.Digest), r.Digest}, Name: c.Baseline.Name, Items: r.Items}
		p.Asked = slices.ContainsFunc(shown, func(e exhibit) bool { return e.digest == r.Digest })
		snapshot, err := tx.Snapshot(r.Snapshot)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		p.On = snapshot.Title()
		if p.Asked {
			if err := on(snapshot, err); err != nil {
				return nil, err
			}
		}
		if r.Baseline != c.Baseline.Model {
			other, err := tx.GetModel(c.Project, r.Baseline)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return nil, err
			}
			p.Name = other.Title()
		}
		document := p
		document.Kind, document.Asked = LookDocument, false
		parts = append(parts, p, document)
	}
	return parts, nil
}
