// Package page holds the pages, each a templ file with its view model beside
// it. A view model is built from domain values by a function of this package
// and contains only what is shown; pages decide nothing.
//
// A page is a body: a component of its view model. The server puts it into
// Frame, with a FrameView that it fills once per request, and renders it alone
// where htmx swaps it into a page. What the frame offers to islands:
//
//	<html data-person="…" data-project="…" data-page="…">  ids of who and where; FrameView.Active
//	#presence        who is here: <span class="avatar palette-N">, filled by the live island
//	#saving          the state of saving in words, kept by the outbox island; data-state="saved", "waiting" or "trouble"
//	#status          the polite status line; setting its text announces it
//	data-dialog=id   on any control opens the <dialog> of that id
//	data-copy=text   on any button copies text and says so
//
// A handler that answers a fragment may announce something with the header
// HX-Trigger: {"adjudge:status": "Saved."}; islands dispatch the same event
// (detail {value: "…"}) on document.
package page

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
)

// FrameView is what the frame shows around every page.
type FrameView struct {
	// Title names the page in the window's title; the page draws its own h1.
	Title string
	// Path leads from the project to this page; the frame puts the project in
	// front. Empty: the title alone.
	Path []ui.Crumb
	// Project is the project this page belongs to, nil outside of one.
	Project *ProjectLink
	// Projects are the projects this person may open, for the switcher.
	Projects []ProjectLink
	// Person is who is signed in; an empty ID draws no rail and no menu
	// (signing in, first start).
	Person PersonLink
	// Roles are the person's roles in Project.
	Roles []ledger.Role
	// Anywhere are the roles that the person holds in some project; they are
	// named outside of one.
	Anywhere []ledger.Role
	// Admin says that the person administers the installation.
	Admin bool
	// Active names the place of the rail this page belongs to: see places.
	// It also chooses the keys of the help dialog.
	Active string
	// Main is "wide" for pages that use the whole width, "narrow" for forms.
	Main string
	// Status is said in the status line when the page has loaded, such as
	// what the last form did.
	Status string
	// Islands are the scripts this page needs beside those of the frame.
	Islands []string
	// Asset returns the URL of a bundled file by its plain name ("app.css",
	// "label.js"), empty when there is none. Nil stands for tests.
	Asset func(name string) string
	// Idle is how long the browser may stand idle before it is locked; 0: for ever.
	Idle time.Duration
	// TextSize is what the person chose on any browser, "" for the middle one.
	TextSize string
	// Undo says what was just put into the trash, nil where nothing was.
	Undo *UndoView
	// Provider is where the person may sign in, "" for nowhere; NoPassword says
	// that it is their only way.
	Provider   string
	NoPassword bool
	// Desktop says that the page is shown by the desktop window.
	Desktop bool
}

// ProjectLink is a project as the frame names it.
type ProjectLink struct {
	ID   ledger.ProjectID
	Slug string
	Name string
}

// Href returns the address of a page of the project: Href("items") is
// /projects/<slug>/items.
func (p ProjectLink) Href(rest ...string) string {
	href := "/projects/" + url.PathEscape(p.Slug)
	for _, r := range rest {
		href += "/" + r
	}
	return href
}

// PersonLink is a person as the frame names them.
type PersonLink struct {
	ID       ledger.PersonID
	Name     string
	Username string // only of the person who is signed in
}

// place is one entry of the rail.
type place struct {
	Name   string // FrameView.Active, the key frame.place.<name> and the icon
	Icon   string
	Path   string // below the project, or absolute
	Group  string // "data", "models": a heading key frame.group.<group>
	Action ledger.Action
}

// projectPlaces are the pages of a project in the order of the loop.
var projectPlaces = []place{
	{"label", "label", "label", "data", ledger.ActionLabel},
	{"items", "items", "items", "data", ledger.ActionRead},
	{"datasets", "dataset", "datasets", "data", ledger.ActionRead},
	{"snapshots", "snapshot", "snapshots", "data", ledger.ActionRead},
	{"runs", "run", "runs", "models", ledger.ActionRead},
	{"models", "model", "models", "models", ledger.ActionRead},
	{"compare", "compare", "compare", "models", ledger.ActionRead},
	{"candidates", "candidate", "candidates", "models", ledger.ActionRead},
	{"history", "history", "history", "models", ledger.ActionRead},
	{"settings", "settings", "settings", "models", ledger.ActionRead},
}

// bars says which places each role finds in the bottom bar of a phone, besides
// the desk and More; a person with several roles gets the first that matches.
var bars = []struct {
	role   ledger.Role
	places []string
}{
	{ledger.RoleLead, []string{"label", "items", "candidates"}},
	{ledger.RoleDataScientist, []string{"runs", "compare", "candidates"}},
	{ledger.RoleApprover, []string{"candidates", "compare", "history"}},
	{ledger.RoleReviewer, []string{"label", "candidates", "compare"}},
	{ledger.RoleAuditor, []string{"candidates", "snapshots", "history"}},
	{ledger.RoleAnnotator, []string{"label", "items"}},
}

// rail returns the places of the project that this person may use.
func (v FrameView) rail(group string) []place {
	var shown []place
	if v.Project == nil {
		return nil
	}
	for _, p := range projectPlaces {
		if p.Group == group && (p.Action == ledger.ActionRead || v.may(p.Action)) {
			p.Path = v.Project.Href(p.Path)
			shown = append(shown, p)
		}
	}
	return shown
}

// bar returns at most three places between the desk and More.
func (v FrameView) bar() []place {
	if v.Project == nil {
		return []place{{Name: "projects", Icon: "dataset", Path: "/projects"}}
	}
	names := bars[0].places
	for _, b := range bars {
		if slices.Contains(v.Roles, b.role) {
			names = b.places
			break
		}
	}
	var shown []place
	for _, p := range projectPlaces {
		if slices.Contains(names, p.Name) {
			p.Path = v.Project.Href(p.Path)
			shown = append(shown, p)
		}
	}
	return shown
}

func (v FrameView) may(action ledger.Action) bool {
	return v.Admin && ledger.RoleAdmin.May(action) ||
		slices.ContainsFunc(v.Roles, func(r ledger.Role) bool { return r.May(action) })
}

// shownRoles are the roles that stand under the person's name.
func (v FrameView) shownRoles() []ledger.Role {
	if v.Project == nil && !v.Admin {
		return v.Anywhere
	}
	return v.Roles
}

func (v FrameView) crumbs() []ui.Crumb {
	var path []ui.Crumb
	if v.Project != nil {
		path = append(path, ui.Crumb{Text: v.Project.Name, Href: v.Project.Href(), User: true})
	}
	if len(v.Path) > 0 {
		return append(path, v.Path...)
	}
	return append(path, ui.Crumb{Text: v.Title})
}

// heading is the title of the window, most particular first.
func (v FrameView) heading() string {
	title := v.Title
	if v.Project != nil && v.Project.Name != title {
		title += " · " + v.Project.Name
	}
	return title + " · Adjudge"
}

func (v FrameView) asset(name string) string {
	if v.Asset == nil {
		return "/static/" + name
	}
	return v.Asset(name)
}

// scripts are the module scripts of the page: htmx, those of the frame, then
// its own. What the bundle does not have is left out.
func (v FrameView) scripts() []string {
	names := []string{"htmx", "shell", "dev"} // the last is in the bundle of make dev alone
	if v.Person.ID != "" {
		names = append(names, "palette", "live", "outbox")
	}
	var found []string
	for _, name := range append(names, v.Islands...) {
		if src := v.asset(name + ".js"); src != "" && !slices.Contains(found, src) {
			found = append(found, src)
		}
	}
	return found
}

// outboxSayings are the texts in which the outbox says how saving stands, below
// "frame.saving.".
var outboxSayings = []string{"all", "waiting", "waiting.first", "offline", "offline.first", "login", "parked", "unkept", "parked.retry", "parked.discard", "parked.none"}

func outboxTexts(ctx context.Context) string {
	texts := make(map[string]string, len(outboxSayings))
	for _, name := range outboxSayings {
		texts[name] = ui.T(ctx, "frame.saving."+name)
	}
	text, err := json.Marshal(texts)
	if err != nil {
		return "{}" // texts always encode
	}
	return string(text)
}

func (v FrameView) projectID() string {
	if v.Project == nil {
		return ""
	}
	return string(v.Project.ID)
}

// paletteURL is where the command palette finds what it offers.
func (v FrameView) paletteURL() string {
	if v.Project == nil {
		return "/palette"
	}
	return "/palette?project=" + url.QueryEscape(v.Project.Slug)
}

// paletteKeys says the keys of the palette as aria-keyshortcuts wants them: on a
// Mac the product's own goes by ⌘ as well.
func paletteKeys(ctx context.Context) string {
	if keys := ui.AriaCombo(ctx, "palette"); keys != "Control+K" {
		return keys
	}
	return "Control+K Meta+K"
}

// movedKeys are the keys that the reader moved, for the scripts of a page.
func movedKeys(ctx context.Context, active string) string {
	moved := ui.MovedKeys(ctx, active)
	if len(moved) == 0 {
		return ""
	}
	text, err := json.Marshal(moved)
	if err != nil {
		return "" // texts always encode
	}
	return string(text)
}

func againText(ctx context.Context, v FrameView) string {
	if v.NoPassword {
		return ui.T(ctx, "again.nobody.provider", "name", v.Provider)
	}
	return ui.T(ctx, "again.nobody")
}

// providerKind and passwordKind make one of the two buttons the primary one.
func providerKind(v FrameView) string {
	if v.NoPassword {
		return "primary"
	}
	return ""
}

func passwordKind(v FrameView) string {
	if v.NoPassword {
		return ""
	}
	return "primary"
}
