package web

import (
	"context"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// mediaRoutes hand out the objects that items refer to, and what is wrong with them.
func (s *Server) mediaRoutes() []route {
	return []route{
		{GET, "/projects/{project}/items/{item}/media", login, ledger.ActionRead, s.getMedia},
		{GET, apiPrefix + "/projects/{project}/items/{item}/media", either, ledger.ActionRead, s.getMedia},
		{GET, "/projects/{project}/items/{item}/media/fault", login, ledger.ActionRead, s.getMediaFault},
		{GET, "/projects/{project}/datasets/{dataset}/media", login, ledger.ActionRead, s.getMediaReport},
		{POST, "/projects/{project}/datasets/{dataset}/media/check", login, ledger.ActionImport, s.postMediaCheck},
	}
}

// mediaPolicy lets an object do nothing, should a browser ever take it for a page.
const mediaPolicy = "default-src 'none'; sandbox; frame-ancestors 'none'"

// getMedia sends the object of an item. It was read and compared with its digest
// when the first byte goes out.
func (s *Server) getMedia(w http.ResponseWriter, r *http.Request) error {
	item, object, err := s.Labeling.OpenMedia(r.Context(), actorOf(r), projectOf(r).ID, labeling.ItemID(chi.URLParam(r, "item")))
	if err != nil {
		return err
	}
	defer func() { _ = object.Close() }() // what it kept is of no use any more
	h := w.Header()
	h.Set("Content-Type", item.Media.Type)
	h.Set("Content-Disposition", "inline")
	h.Set("Content-Security-Policy", mediaPolicy)
	h.Set("ETag", `"`+item.Media.Digest.Hex()+`"`)
	// A browser may keep it for itself, but asks each time whether it is still right.
	h.Set("Cache-Control", "private, no-cache")
	http.ServeContent(w, r, "", time.Time{}, object)
	return nil
}

// lookTime is how long a second look at an object may take; the page waits for its
// words a little longer. The source of what takes longer answers, if slowly.
const lookTime = 8 * time.Second

// getMediaFault says in words why an object was not shown, a fragment. It looks
// once more, so that a source that is away is told from an object that is wrong.
func (s *Server) getMediaFault(w http.ResponseWriter, r *http.Request) error {
	actor, project, id := actorOf(r), projectOf(r).ID, labeling.ItemID(chi.URLParam(r, "item"))
	ctx, cancel := context.WithTimeout(r.Context(), lookTime)
	defer cancel()
	_, object, err := s.Labeling.OpenMedia(ctx, actor, project, id)
	away := err != nil && ctx.Err() == nil
	if err == nil {
		_ = object.Close() // right after all: it is the browser that cannot show it, or could not just now
	}
	history, err := s.Labeling.Item(r.Context(), actor, project, id)
	if err != nil {
		return err
	}
	if history.Item.Media == nil {
		return fault.New(fault.NotFound, "This item is a text alone.")
	}
	return s.send(w, r, http.StatusOK, page.MediaNote(*history.Item.Media, away))
}

// MediaBody is an object that an item refers to.
type MediaBody struct {
	URI    string        `json:"uri"`
	Digest ledger.Digest `json:"digest" doc:"Of its bytes at the import; other bytes are not shown"`
	Bytes  int64         `json:"bytes"`
	Type   string        `json:"type" doc:"Media type"`
	Kind   string        `json:"kind" enum:"image,audio,video"`
	Fault  *FaultBody    `json:"fault,omitempty" doc:"What is wrong with it; absent while it is right"`
}

// FaultBody says what stands where an object was.
type FaultBody struct {
	State   labeling.MediaState `json:"state" enum:"changed,gone"`
	Found   ledger.Digest       `json:"found,omitempty" doc:"Digest of what stands there now"`
	At      time.Time           `json:"at" doc:"When it was found first"`
	Message string              `json:"message" doc:"For people"`
}

func mediaBody(m *labeling.Media) *MediaBody {
	if m == nil {
		return nil
	}
	b := &MediaBody{URI: m.URI, Digest: m.Digest, Bytes: m.Bytes, Type: m.Type, Kind: m.Kind()}
	if err := m.Err(); err != nil {
		b.Fault = &FaultBody{State: m.Fault.State, Found: m.Fault.Found, At: m.Fault.At, Message: err.Error()}
	}
	return b
}

// MediaReportBody is what is known about the objects of a dataset.
type MediaReportBody struct {
	Dataset string           `json:"dataset"`
	Items   int64            `json:"items" doc:"Items that refer to objects"`
	Faulty  int64            `json:"faulty" doc:"Of them those whose object changed or is gone"`
	Check   *MediaCheckBody  `json:"check,omitempty" doc:"The last check of all, or the one that runs; absent where there was none"`
	Faults  []MediaFaultBody `json:"faults" nullable:"false" doc:"The first 200"`
}

// MediaCheckBody is a check of all objects of a dataset.
type MediaCheckBody struct {
	Of         int64           `json:"of"`
	Done       int64           `json:"done"`
	Faults     int64           `json:"faults"`
	Missed     int64           `json:"unreachable" doc:"About these nothing is known"`
	By         ledger.PersonID `json:"by"`
	StartedAt  time.Time       `json:"started_at"`
	FinishedAt *time.Time      `json:"finished_at,omitempty" doc:"Absent while it runs"`
}

// MediaFaultBody is an item whose object is not right.
type MediaFaultBody struct {
	Item  labeling.ItemID `json:"item"`
	Key   string          `json:"key"`
	Media MediaBody       `json:"media"`
}

func mediaReportBody(r labeling.MediaReport) MediaReportBody {
	b := MediaReportBody{Dataset: r.Dataset.Name, Items: r.Items, Faulty: r.Faulty, Faults: []MediaFaultBody{}}
	if c := r.Check; !c.StartedAt.IsZero() {
		b.Check = &MediaCheckBody{Of: c.Of, Done: c.Done, Faults: c.Faults, Missed: c.Missed, By: c.By, StartedAt: c.StartedAt}
		if !c.FinishedAt.IsZero() {
			b.Check.FinishedAt = &c.FinishedAt
		}
	}
	for _, i := range r.Faults {
		b.Faults = append(b.Faults, MediaFaultBody{Item: i.ID, Key: i.Key, Media: *mediaBody(i.Media)})
	}
	return b
}

// InDataset names a dataset.
type InDataset struct {
	InProject
	Dataset string `path:"dataset" doc:"Name or id" maxLength:"200"`
}

// mediaAPI registers the operations about objects.
func (s *Server) mediaAPI() {
	const at = "/projects/{project}/datasets/{dataset}/media"
	operation(s, api{GET, at, "get-media-report", "Show which pictures, recordings and videos of a dataset changed or are gone", either, ledger.ActionRead},
		func(ctx context.Context, in *InDataset) (*Answer[MediaReportBody], error) {
			r, err := s.Labeling.MediaReport(ctx, actorIn(ctx), projectIn(ctx).ID, in.Dataset)
			return &Answer[MediaReportBody]{mediaReportBody(r)}, err
		})
	operation(s, api{POST, at + "/check", "check-media", "Look at all pictures, recordings and videos of a dataset now", either, ledger.ActionImport},
		func(ctx context.Context, in *InDataset) (*Answer[MediaReportBody], error) {
			r, err := s.Labeling.CheckMedia(ctx, actorIn(ctx), projectIn(ctx).ID, in.Dataset)
			return &Answer[MediaReportBody]{mediaReportBody(r)}, err
		})
}

func (s *Server) getMediaReport(w http.ResponseWriter, r *http.Request) error {
	ctx, link := r.Context(), linkOf(r)
	report, err := s.Labeling.MediaReport(ctx, actorOf(r), link.ID, chi.URLParam(r, "dataset"))
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	v := page.MediaView{Project: link, Report: report, By: names[report.Check.By], MayCheck: actorOf(r).May(link.ID, ledger.ActionImport)}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(ctx, "media.title", "name", report.Dataset.Name), Active: "datasets",
		Path: []ui.Crumb{{Text: ui.T(ctx, "datasets.title"), Href: link.Href("datasets")}, {Text: report.Dataset.Name, User: true}}}, page.MediaFaults(v))
}

func (s *Server) postMediaCheck(w http.ResponseWriter, r *http.Request) error {
	report, err := s.Labeling.CheckMedia(r.Context(), actorOf(r), projectOf(r).ID, chi.URLParam(r, "dataset"))
	if err != nil {
		return err
	}
	return s.seeOther(w, r, linkOf(r).Href("datasets", string(report.Dataset.ID), "media"))
}
