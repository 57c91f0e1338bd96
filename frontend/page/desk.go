package page

import (
	"cmp"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// DeskView is a person's start page: what waits for them, then their projects.
type DeskView struct {
	Name      string
	Waiting   []Waiting
	Projects  []ProjectCard
	MayCreate bool
}

// WaitingKind says what waits, in the order of urgency.
type WaitingKind string

// The kinds of what waits, most urgent first; each has a text desk.waiting.<kind>
// with the placeholder {n} and an icon.
const (
	WaitsVote    WaitingKind = "vote"
	WaitsFailed  WaitingKind = "failed"
	WaitsDispute WaitingKind = "dispute"
	WaitsImport  WaitingKind = "import"
	WaitsDraft   WaitingKind = "draft"
	WaitsTask    WaitingKind = "task"
)

var waitingOrder = []WaitingKind{WaitsVote, WaitsFailed, WaitsDispute, WaitsImport, WaitsDraft, WaitsTask}

var waitingIcons = map[WaitingKind]string{
	WaitsVote: "vote", WaitsFailed: "warning", WaitsDispute: "merge",
	WaitsImport: "import", WaitsDraft: "candidate", WaitsTask: "label",
}

// Waiting is one thing that waits for this person.
type Waiting struct {
	Kind    WaitingKind
	Count   int64
	Subject string // what it is about, in the words of its owner: "Candidate 3", a file's name
	Project string
	Href    string
}

// ProjectCard is one project on the desk.
type ProjectCard struct {
	Project   ProjectLink
	Roles     []ledger.Role
	Accepted  int64
	Total     int64
	Classes   int
	Agreement string // with its unit, empty where nothing is known
	Candidate string // name of the last one, empty if there is none
	State     string // of that candidate, in words
	Tone      ui.Tone
	Href      string // of that candidate
	Days      []int  // answers per day, oldest first, today last
}

// NewProjectCard builds the card of a project from its counts.
func NewProjectCard(p labeling.Project, roles []ledger.Role, counts []labeling.Count) ProjectCard {
	card := ProjectCard{
		Project: ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name},
		Roles:   roles,
		Classes: len(p.Schema.Open()),
	}
	for _, c := range counts {
		if c.Status == labeling.StatusTrashed {
			continue
		}
		card.Total += c.Items
		if c.Status == labeling.StatusAccepted {
			card.Accepted += c.Items
		}
	}
	return card
}

// Days is how many days the sparkline of a project shows.
const Days = 14

// ByDay counts moments per day for the sparkline: today last.
func ByDay(now time.Time, counts map[int64]int64) []int {
	today := now.UTC().Unix() / 86400
	days := make([]int, Days)
	for i := range days {
		days[i] = int(counts[today-int64(Days-1-i)])
	}
	return days
}

// sorted puts what waits in the order of urgency, and the larger before the
// smaller.
func (v DeskView) sorted() []Waiting {
	list := slices.Clone(v.Waiting)
	slices.SortStableFunc(list, func(a, b Waiting) int {
		return cmp.Or(cmp.Compare(slices.Index(waitingOrder, a.Kind), slices.Index(waitingOrder, b.Kind)), cmp.Compare(b.Count, a.Count))
	})
	return list
}

// items counts the items of all projects.
func (v DeskView) items() int64 {
	var total int64
	for _, c := range v.Projects {
		total += c.Total
	}
	return total
}

func (c ProjectCard) week() int {
	total := 0
	for _, n := range c.Days {
		total += n
	}
	return total
}

// may reports whether the person may do something in this project; an admin of
// the installation has no role there.
func (c ProjectCard) may(action ledger.Action) bool {
	return len(c.Roles) == 0 && ledger.RoleAdmin.May(action) ||
		slices.ContainsFunc(c.Roles, func(r ledger.Role) bool { return r.May(action) })
}

// WaitingItems lists what waits for an actor among the items of a project.
func WaitingItems(p labeling.Project, actor ledger.Actor, counts []labeling.Count) []Waiting {
	var queued, disputed int64
	for _, c := range counts {
		switch c.Status {
		case labeling.StatusQueued:
			queued += c.Items
		case labeling.StatusDisputed:
			disputed += c.Items
		}
	}
	link := ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}
	var waiting []Waiting
	if disputed > 0 && actor.May(p.ID, ledger.ActionRelabel) {
		waiting = append(waiting, Waiting{Kind: WaitsDispute, Count: disputed, Project: p.Name, Href: link.Href("items") + "?status=disputed"})
	}
	if queued > 0 && len(p.Schema.Open()) > 0 && actor.May(p.ID, ledger.ActionLabel) {
		waiting = append(waiting, Waiting{Kind: WaitsTask, Count: queued, Project: p.Name, Href: link.Href("label")})
	}
	return waiting
}
