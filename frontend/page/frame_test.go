package page

import (
	"bytes"
	"context"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// drawn renders a component.
func drawn(t *testing.T, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// framed renders a frame around a body of one paragraph.
func framed(t *testing.T, v FrameView) string {
	t.Helper()
	body := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "<p>the body</p>")
		return err
	})
	return drawn(t, templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return Frame(v).Render(templ.WithChildren(ctx, body), w)
	}))
}

// has fails the test for every text that the page lacks.
func has(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}

// lacks fails the test for every text that the page has.
func lacks(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			t.Errorf("the page has %q", text)
		}
	}
}

func sample(roles ...ledger.Role) FrameView {
	return FrameView{
		Title: "Items", Active: "items", Person: PersonLink{ID: "p1", Name: "Ana <Souza>"}, Roles: roles,
		Project: &ProjectLink{ID: "x", Slug: "support", Name: "Support"},
	}
}

func TestTheFrameAlwaysNamesThePersonAndTheirRole(t *testing.T) {
	t.Parallel()
	page := framed(t, sample(ledger.RoleReviewer, ledger.RoleAnnotator))
	has(t, page, "Ana &lt;Souza&gt;", "Reviewer", "Annotator", "<p>the body</p>", `<title>Items · Support · Adjudge</title>`,
		`href="#main"`, `<main id="main"`, `role="status" aria-live="polite"`, `aria-current="page"`, `data-dialog="palette"`, `action="/sign-out"`)
	lacks(t, page, "<Souza>", "style=", "onclick", "hx-on")
	if strings.Contains(page, "<script>") {
		t.Error("the frame has an inline script")
	}
}

func TestAnAuditorIsNotOfferedToLabel(t *testing.T) {
	t.Parallel()
	lacks(t, framed(t, sample(ledger.RoleAuditor)), `href="/projects/support/label"`)
	has(t, framed(t, sample(ledger.RoleAnnotator)), `href="/projects/support/label"`)
}

func TestTheBottomBarHasFivePlacesAtMost(t *testing.T) {
	t.Parallel()
	bar := regexp.MustCompile(`(?s)<nav class="bottombar".*?</nav>`)
	for _, role := range ledger.Roles() {
		found := bar.FindString(framed(t, sample(role)))
		if n := strings.Count(found, "<li>"); n < 3 || n > 5 {
			t.Errorf("%s has %d places", role, n)
		}
	}
}

func TestAFrameForNobodyHasNoRail(t *testing.T) {
	t.Parallel()
	page := framed(t, FrameView{Title: "Sign in"})
	lacks(t, page, `class="rail"`, `class="bottombar"`, "palette")
	has(t, page, "<p>the body</p>")
}

func TestThePaletteOffersOnlyWhatAPersonMayDo(t *testing.T) {
	t.Parallel()
	titles := func(v FrameView) string {
		var all []string
		for _, e := range Palette(t.Context(), v) {
			all = append(all, e.Title)
			if !strings.HasPrefix(e.Href, "/") {
				t.Errorf("%s leads to %s", e.Title, e.Href)
			}
		}
		return strings.Join(all, "\n")
	}
	has(t, titles(sample(ledger.RoleLead)), "Import data", "Train a model", "Edit the classes", "Items")
	lacks(t, titles(sample(ledger.RoleAnnotator)), "Import data", "Train a model", "Edit the classes")
	lacks(t, titles(sample(ledger.RoleLead)), "People\n")
}

func support() labeling.Project {
	return labeling.Project{ID: "x", Slug: "support", Name: "Support", SchemaVersion: 3, Overlap: 1, Schema: labeling.Schema{
		Question: "What is it about?",
		Classes: []labeling.Class{
			{ID: "a", Name: "Returns <b>", Color: 1}, {ID: "b", Name: "دفع", Color: 2, Key: "d"}, {ID: "c", Name: "Old", Retired: true, Into: "a"},
		},
	}}
}

func member(roles ...ledger.Role) ledger.Actor {
	return ledger.Actor{Person: "p1", Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"x": roles}}
}

func TestTheDeskPutsTheUrgentFirst(t *testing.T) {
	t.Parallel()
	p, lead := support(), member(ledger.RoleLead)
	counts := []labeling.Count{{Status: labeling.StatusQueued, Items: 240}, {Status: labeling.StatusDisputed, Items: 1}, {Status: labeling.StatusTrashed, Items: 7}}
	v := DeskView{Name: "Ana", Projects: []ProjectCard{NewProjectCard(p, nil, counts)}, Waiting: WaitingItems(p, lead, counts)}
	v.Waiting = append(v.Waiting, WaitingCandidates(t.Context(), p, lead, []review.Candidate{{Number: 3, Name: "intents@3"}}, nil)...)
	v.Waiting = append(v.Waiting, WaitingRuns(t.Context(), p, lead, []compare.Run{
		{Number: 9, Name: "late", Kind: "training", State: compare.RunFailed, By: "p1"},
		{Number: 8, Name: "good", Kind: "training", State: compare.RunSucceeded, By: "p1"},
		{Number: 7, Name: "early", Kind: "training", State: compare.RunFailed, By: "p1"},
	})...)
	page := drawn(t, Desk(v))
	at := -1
	for _, text := range []string{"Candidate 3 (intents@3) needs your vote", "Run 9 (late) failed", "1 item has answers that differ", "240 items wait for an answer"} {
		i := strings.Index(page, text)
		if i < at {
			t.Errorf("%q is missing or stands too high", text)
		}
		at = i
	}
	lacks(t, page, "early", "Nothing waits for you")
	has(t, page, "0 of 241 accepted")
}

func TestAnEmptyDeskSaysHowToBegin(t *testing.T) {
	t.Parallel()
	has(t, drawn(t, Desk(DeskView{Name: "Ana", MayCreate: true})), "Nothing waits for you", `href="/projects/new"`, "adjudge demo", "adjudge import")
	page := drawn(t, Desk(DeskView{Name: "Ana"}))
	has(t, page, "Nothing waits for you", "Ask a lead or an admin")
	lacks(t, page, `href="/projects/new"`)
}

func TestTheNextStepFollowsTheLoop(t *testing.T) {
	t.Parallel()
	count := func(accepted, queued, disputed int64) []labeling.Count {
		return []labeling.Count{{Status: labeling.StatusAccepted, Label: "a", Items: accepted}, {Status: labeling.StatusQueued, Items: queued}, {Status: labeling.StatusDisputed, Items: disputed}}
	}
	lead := member(ledger.RoleLead)
	for _, c := range []struct {
		name    string
		actor   ledger.Actor
		counts  []labeling.Count
		reached Reached
		want    string
	}{
		{"nothing is there", lead, nil, Reached{}, "import"},
		{"items wait", lead, count(3, 200, 0), Reached{}, "label"},
		{"answers differ", lead, count(3, 200, 2), Reached{}, "dispute"},
		{"enough is labeled", lead, count(60, 200, 0), Reached{}, "snapshot"},
		{"a snapshot is there", lead, count(60, 200, 0), Reached{Snapshots: 1}, "train"},
		{"a draft is there", lead, count(60, 200, 0), Reached{Snapshots: 1, Models: 1, Candidates: 1, Drafts: 1}, "propose"},
		{"a vote is asked for", member(ledger.RoleReviewer), count(60, 200, 0), Reached{Snapshots: 1, Models: 1, Candidates: 1, Votes: 1}, "vote"},
		{"an annotator goes on", member(ledger.RoleAnnotator), count(60, 200, 0), Reached{}, "label"},
		{"an auditor has nothing to do", member(ledger.RoleAuditor), count(60, 200, 2), Reached{}, "done"},
	} {
		v := NewProjectView(t.Context(), support(), c.actor, nil, c.counts, c.reached)
		if v.Next.Name != c.want {
			t.Errorf("%s: the next step is %s, want %s", c.name, v.Next.Name, c.want)
		}
		has(t, drawn(t, Project(v)), `class="nextstep"`)
	}
}

func TestTheSchemaEditorAsksAboutAnnotations(t *testing.T) {
	t.Parallel()
	v := NewSchemaView(support(), map[labeling.ClassID]int64{"a": 212}, true)
	page := drawn(t, Schema(v))
	has(t, page, "Returns &lt;b&gt;", "دفع", `value="d"`, "Retired classes", `aria-label="Remove Returns`)
	lacks(t, page, "fate.a", "<b>")
	if n := strings.Count(page, `name="class.name"`); n != 2+blank {
		t.Errorf("%d rows, want %d", n, 2+blank)
	}
	v.Classes[0].Remove, v.Classes[0].Asked = true, true
	page = drawn(t, Schema(v))
	has(t, page, `role="alert"`, "212 annotations", `name="fate.a" value="merge"`, `name="fate.a" value="requeue"`, `name="fate.a" value="retire"`,
		`<select class="input medium" name="into.a"`, `<option value="b">دفع</option>`)
	lacks(t, page, `<option value="a">`)
	lacks(t, drawn(t, Schema(NewSchemaView(support(), nil, false))), "Save schema")
}

func TestWhatIsCountedLeadsToTheItemsBehindIt(t *testing.T) {
	t.Parallel()
	v := NewProjectView(t.Context(), support(), member(ledger.RoleLead), []labeling.Dataset{{ID: "d1", Name: "train", Items: 3}},
		[]labeling.Count{{Status: labeling.StatusAccepted, Label: "a", Items: 3}, {Status: labeling.StatusDisputed, Items: 2}}, Reached{})
	has(t, drawn(t, Project(v)), `href="/projects/support/items?dataset=d1"`, `href="/projects/support/items?label=a"`, `href="/projects/support/disputes"`)
}

// A style attribute would be refused by the policy, and a text without
// direction would break in another script.
func TestPagesHoldNoStyleAndNoHandler(t *testing.T) {
	t.Parallel()
	v := NewProjectView(t.Context(), support(), member(ledger.RoleLead), []labeling.Dataset{{Name: "train", Purpose: labeling.PurposeTraining, Items: 3}},
		[]labeling.Count{{Status: labeling.StatusAccepted, Label: "a", Items: 3}}, Reached{})
	forbidden := regexp.MustCompile(`\s(?:style|on[a-z]+|hx-on[^=]*)=`)
	for name, page := range map[string]string{
		"project": drawn(t, Project(v)), "datasets": drawn(t, Datasets(DatasetsView{Datasets: v.Datasets})), "new": drawn(t, NewProject(ProjectForm{})),
		"frame": framed(t, sample(ledger.RoleLead)),
	} {
		if found := forbidden.FindString(page); found != "" {
			t.Errorf("%s has %s", name, found)
		}
	}
}

// What people may move is what the help names, with the same keys.
func TestKeysThatPeopleMayMoveAreThoseOfTheHelp(t *testing.T) {
	t.Parallel()
	for _, s := range identity.Shortcuts() {
		at := slices.IndexFunc(ui.KeyScopes(), func(scope ui.Scope) bool {
			return scope.Name == s.Scope && slices.Contains(scope.Keys, ui.Key{Combo: s.Combo, Does: s.Action})
		})
		if at < 0 {
			t.Errorf("the help does not name %s for %s on %s", s.Combo, s.Action, s.Scope)
		}
	}
	ctx := ui.WithKeys(t.Context(), map[string]string{"label.skip": "Alt+S", "palette": "F2"})
	if got := ui.Combo(ctx, "label.skip") + " " + ui.AriaCombo(ctx, "label.undo"); got != "Alt+S Control+Z" {
		t.Error(got)
	}
	if got, want := ui.MovedKeys(ctx, "items"), map[string]string{"F2": "Ctrl+K"}; !maps.Equal(got, want) {
		t.Errorf("on a page of items %v, want %v", got, want)
	}
}
