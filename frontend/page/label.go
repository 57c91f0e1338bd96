package page

import (
	"context"
	"encoding/json"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// LabelView is the labeling page: everything that the island needs to begin,
// but for the tasks, which it leases itself.
type LabelView struct {
	Slug     string
	Project  labeling.Project
	Person   ledger.PersonID
	Datasets []labeling.Dataset
	Dataset  string // chosen by name, empty for all
	Queue    labeling.Queue
	Progress labeling.Progress
	Keys     labeling.Keys
	Assigned map[labeling.ClassID]string
	Disputed int64
	MayOrder bool // this person chooses the order of the queue
	MayJudge bool // this person decides where answers differ
	Untimed  bool // the browser does not say how long an item was seen
}

// labelSayings are the texts that the island says, below "label.say.".
var labelSayings = []string{
	"choose", "tooquick", "nothing", "nothingagain", "again", "skipped", "undo", "suggestion", "former", "nonetwork", "count",
	"status.saved", "status.skipped", "status.count", "status.undone", "status.unskipped",
	"find.none", "keys.saved", "keys.twice", "keys.wrong", "peek.trouble",
	"media.alt", "media.image", "media.audio", "media.video", "media.pass", "media.faulty", "media.reason",
}

// labelReasons are the reasons for which people skip, below "label.reason.".
var labelReasons = []string{"unclear", "several", "none", "language", "broken"}

// labelClass is a class as the island knows it.
type labelClass struct {
	ID    labeling.ClassID `json:"id"`
	Name  string           `json:"name"`
	Color int              `json:"color"`
	Key   string           `json:"key"`
}

// config is what the island reads, as JSON.
func (v LabelView) config(ctx context.Context) string {
	texts := map[string]string{}
	for _, name := range labelSayings {
		texts[name] = ui.T(ctx, "label.say."+name)
	}
	reasons := make([]string, len(labelReasons))
	for i, name := range labelReasons {
		reasons[i] = ui.T(ctx, "label.reason."+name)
	}
	classes := []labelClass{}
	for _, c := range v.Project.Schema.Open() {
		classes = append(classes, labelClass{c.ID, c.Name, c.Color, v.Assigned[c.ID]})
	}
	chosen := v.Keys.Classes
	if chosen == nil {
		chosen = map[labeling.ClassID]string{}
	}
	text, err := json.Marshal(map[string]any{
		"project": v.Slug, "person": v.Person, "api": "/api/v1/projects/" + v.Slug,
		"items": ProjectLink{Slug: v.Slug}.Href("items"), "peek": ProjectLink{Slug: v.Slug}.Href("label", "peek"), "dataset": v.Dataset, "classes": classes, "off": v.Keys.Off, "untimed": v.Untimed, "chosen": chosen, "texts": texts, "reasons": reasons,
	})
	if err != nil {
		return "{}" // strings and numbers always encode
	}
	return string(text)
}

// blind reports whether everything offered here is judged without a suggestion.
func (v LabelView) blind() bool {
	for _, d := range v.Datasets {
		if d.Name == v.Dataset {
			return d.Purpose.Blind()
		}
	}
	return false
}

// findable reports whether there are so many classes that typing is quicker.
func (v LabelView) findable() bool { return len(v.Project.Schema.Open()) > 9 }

// DisputeView is one item on the page of differing answers.
type DisputeView struct {
	Item    labeling.Item
	Dataset string
	Said    []SaidView
}

// SaidView is what one person said about an item.
type SaidView struct {
	Person labeling.Annotation
	Name   string // of the person
	Class  string // name of the class
	Color  int
}

// DisputesView lists the items whose answers differ.
type DisputesView struct {
	Slug    string
	Classes []labeling.Class
	List    []DisputeView
	Next    int64  // Seq after which the next page begins, 0 for none
	Failed  string // id of the item whose decision was refused
	Error   string
	Reason  string // as typed
}
