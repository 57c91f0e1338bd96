package page

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
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
		waiting = append(waiting, Waiting{Kind: WaitsDispute, Count: disputed, Project: p.Name, Href: link.Href("disputes")})
	}
	if queued > 0 && len(p.Schema.Open()) > 0 && actor.May(p.ID, ledger.ActionLabel) {
		waiting = append(waiting, Waiting{Kind: WaitsTask, Count: queued, Project: p.Name, Href: link.Href("label")})
	}
	return waiting
}

// WaitingRuns lists the runs of an actor that failed and that no later one of
// the same recipe made good; runs come latest first.
func WaitingRuns(ctx context.Context, p labeling.Project, actor ledger.Actor, runs []compare.Run) []Waiting {
	link := ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}
	var waiting []Waiting
	settled := map[string]bool{}
	for _, r := range runs {
		what := string(r.Kind) + " " + r.Recipe
		switch r.State {
		case compare.RunSucceeded:
			settled[what] = true
		case compare.RunFailed, compare.RunLost:
			if !settled[what] && r.By == actor.Person {
				waiting = append(waiting, Waiting{
					Kind: WaitsFailed, Project: p.Name, Href: link.Href("runs", strconv.Itoa(r.Number)),
					Subject: ui.T(ctx, "desk.run", "n", r.Number, "name", r.Name),
				})
			}
		}
	}
	return waiting
}

// candidateTones says how the state of a candidate looks on the desk.
var candidateTones = map[review.State]ui.Tone{
	review.StateDraft: ui.Plain, review.StateOpen: ui.Undecided, review.StateApproved: ui.Gain,
	review.StateRejected: ui.Loss, review.StateWithdrawn: ui.Loss,
}

func candidateHref(p ProjectLink, c review.Candidate) string {
	return p.Href("candidates", strconv.Itoa(c.Number))
}

// SetCandidates puts the last candidate of a project on its card; candidates
// come latest first.
func (c *ProjectCard) SetCandidates(ctx context.Context, candidates []review.Candidate) {
	if len(candidates) == 0 {
		return
	}
	last := candidates[0]
	c.Candidate = ui.T(ctx, "desk.candidate", "n", last.Number)
	c.State, c.Tone = ui.T(ctx, "desk.state."+string(last.State)), candidateTones[last.State]
	c.Href = candidateHref(c.Project, last)
}

// asked is how somebody with these roles is asked for a vote: whether the
// answers are right, whether it may ship, or both.
func asked(roles []ledger.Role) string {
	switch reviews, approves := slices.Contains(roles, ledger.RoleReviewer), slices.Contains(roles, ledger.RoleApprover); {
	case reviews && approves:
		return "both"
	case reviews:
		return "reviewer"
	case approves:
		return "approver"
	}
	return "vote"
}

// SetAgreement puts on a card how far people agree, where anything was judged
// twice.
func (c *ProjectCard) SetAgreement(ctx context.Context, a labeling.Agreement) {
	if !a.Known() {
		return
	}
	within := a.Interval()
	c.Agreement = ui.T(ctx, "desk.card.agreement.of", "share", ui.Percent(ctx, a.Share()), "low", ui.Percent(ctx, within.Low), "high", ui.Percent(ctx, within.High), "n", a.Items)
}

// WaitingCandidates lists the candidates that wait for an actor: their vote, or
// a draft that they may propose.
func WaitingCandidates(ctx context.Context, p labeling.Project, actor ledger.Actor, votes, all []review.Candidate) []Waiting {
	link := ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}
	var waiting []Waiting
	for _, c := range votes {
		waiting = append(waiting, Waiting{
			Kind: WaitsVote, Project: p.Name, Href: candidateHref(link, c),
			Subject: ui.T(ctx, "desk.ask."+asked(actor.Roles[p.ID]), "candidate", ui.T(ctx, "desk.candidate.named", "n", c.Number, "name", c.Name), "environment", c.Environment),
		})
	}
	for _, c := range all {
		if c.State == review.StateDraft && actor.May(p.ID, ledger.ActionPropose) {
			waiting = append(waiting, Waiting{
				Kind: WaitsDraft, Project: p.Name, Href: candidateHref(link, c),
				Subject: ui.T(ctx, "desk.candidate.named", "n", c.Number, "name", c.Name),
			})
		}
	}
	return waiting
}

func dayRows(ctx context.Context, days []int) [][]string {
	rows := make([][]string, len(days))
	for i, n := range days {
		day := ui.T(ctx, "chart.day.today")
		if ago := len(days) - 1 - i; ago > 0 {
			day = ui.T(ctx, "chart.day.ago", "n", ago)
		}
		rows[i] = []string{day, ui.Count(ctx, n)}
	}
	return rows
}
