package page

import (
	"context"
	"strconv"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// Notice is something of which a person is told outside of the page. The desktop
// window shows those whose ID was not there when it looked before.
type Notice struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text"`
	Href  string `json:"href"`
}

// NoticeOf tells of something that waits. The ID has no count in it: one more
// item to label is nothing to be told of, work where there was none is.
func NoticeOf(ctx context.Context, w Waiting) Notice {
	return Notice{
		ID: string(w.Kind) + " " + w.Href, Title: ui.T(ctx, "notice."+string(w.Kind)),
		Text: ui.T(ctx, "desk.waiting."+string(w.Kind), "n", w.Count, "subject", w.Subject) + " (" + w.Project + ")", Href: w.Href,
	}
}

// FinishedRuns tells of the runs that an actor started and that succeeded
// within a day.
func FinishedRuns(ctx context.Context, p labeling.Project, actor ledger.Actor, runs []compare.Run, now time.Time) []Notice {
	link := ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}
	var notices []Notice
	for _, r := range runs {
		if r.State != compare.RunSucceeded || r.By != actor.Person || now.Sub(r.EndedAt) > 24*time.Hour {
			continue
		}
		href := link.Href("runs", strconv.Itoa(r.Number))
		notices = append(notices, Notice{ID: "done " + href, Title: ui.T(ctx, "notice.done"),
			Text: ui.T(ctx, "desk.run", "n", r.Number, "name", r.Name) + " (" + p.Name + ")", Href: href})
	}
	return notices
}
