package page

import (
	"context"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
)

// PaletteEntry is one thing that the command palette offers. Words are found
// and not shown.
type PaletteEntry struct {
	Title string `json:"title"`
	Where string `json:"where,omitempty"`
	Href  string `json:"href"`
	Words string `json:"words,omitempty"`
}

// paletteDo are the things to do that are no place of the rail; Name makes the
// key palette.do.<Name>.
var paletteDo = []place{
	{Name: "import", Path: "import", Action: ledger.ActionImport},
	{Name: "train", Path: "train", Action: ledger.ActionTrain},
	{Name: "snapshot", Path: "snapshots", Action: ledger.ActionSnapshot},
	{Name: "schema", Path: "schema", Action: ledger.ActionManage},
	{Name: "members", Path: "people", Action: ledger.ActionManage},
}

// Palette lists what a person can reach from where they are: the pages of the
// project and what can be done there, then the other projects, then the rest.
func Palette(ctx context.Context, v FrameView) []PaletteEntry {
	var found []PaletteEntry
	if v.Project != nil {
		for _, group := range []string{"data", "models"} {
			for _, p := range v.rail(group) {
				found = append(found, PaletteEntry{
					Title: ui.T(ctx, "frame.place."+p.Name), Where: v.Project.Name, Href: p.Path, Words: ui.T(ctx, "palette.words."+p.Name),
				})
			}
		}
		for _, p := range paletteDo {
			if v.may(p.Action) {
				found = append(found, PaletteEntry{Title: ui.T(ctx, "palette.do."+p.Name), Where: v.Project.Name, Href: v.Project.Href(p.Path)})
			}
		}
	}
	found = append(found, PaletteEntry{Title: ui.T(ctx, "frame.place.desk"), Href: "/", Words: ui.T(ctx, "palette.words.desk")})
	for _, p := range v.Projects {
		if v.Project == nil || v.Project.ID != p.ID {
			found = append(found, PaletteEntry{Title: p.Name, Where: ui.T(ctx, "palette.project"), Href: p.Href()})
		}
	}
	found = append(found,
		PaletteEntry{Title: ui.T(ctx, "frame.projects.all"), Href: "/projects"},
		PaletteEntry{Title: ui.T(ctx, "projects.new"), Href: "/projects/new", Words: ui.T(ctx, "palette.words.new")},
		PaletteEntry{Title: ui.T(ctx, "frame.account"), Href: "/account", Words: ui.T(ctx, "palette.words.account")},
	)
	for _, p := range v.outside() {
		found = append(found, PaletteEntry{Title: ui.T(ctx, "frame.place."+p.Name), Href: p.Path})
	}
	return append(found, PaletteEntry{Title: ui.T(ctx, "gallery.title"), Href: "/gallery", Words: ui.T(ctx, "palette.words.gallery")})
}
