package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/live"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// labelRoutes are the labeling loop, the items about which people differ, and
// the socket that keeps every page of a project up to date.
func (s *Server) labelRoutes() []route {
	return []route{
		{GET, "/projects/{project}/label", login, ledger.ActionLabel, s.getLabel},
		{GET, "/projects/{project}/label/peek", login, ledger.ActionLabel, s.getPeek},
		{POST, "/projects/{project}/label/order", login, ledger.ActionManage, s.postLabelOrder},
		{GET, "/projects/{project}/disputes", login, ledger.ActionRelabel, s.getDisputes},
		{POST, "/projects/{project}/disputes/{item}", login, ledger.ActionRelabel, s.postDispute},
		{GET, "/projects/{project}/live", login, ledger.ActionRead, s.getLive},
	}
}

func (s *Server) getLabel(w http.ResponseWriter, r *http.Request) error {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	v := page.LabelView{Slug: place.Slug, Person: actor.Person, Untimed: actor.Untimed, Dataset: r.URL.Query().Get("dataset"),
		MayOrder: actor.May(place.ID, ledger.ActionManage), MayJudge: actor.May(place.ID, ledger.ActionRelabel)}
	var err error
	if v.Project, err = s.Labeling.Project(ctx, actor, string(place.ID)); err != nil {
		return err
	}
	if v.Datasets, err = s.Labeling.Datasets(ctx, actor, place.ID); err != nil {
		return err
	}
	if v.Queue, err = s.Labeling.Queue(ctx, actor, place.ID); err != nil {
		return err
	}
	if v.Progress, err = s.Labeling.Progress(ctx, actor, place.ID, v.Dataset); err != nil {
		return err
	}
	if v.Keys, v.Assigned, err = s.Labeling.Keys(ctx, actor, place.ID); err != nil {
		return err
	}
	if v.MayJudge {
		counts, err := s.Labeling.Counts(ctx, actor, place.ID)
		if err != nil {
			return err
		}
		for _, c := range counts {
			if c.Status == labeling.StatusDisputed {
				v.Disputed += c.Items
			}
		}
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(ctx, "label.title"), Active: "label", Main: "wide", Islands: []string{"label"}}, page.Label(v))
}

func (s *Server) postLabelOrder(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	order, err := labeling.ParseQueueOrder(r.PostForm.Get("order"))
	if err != nil {
		return err
	}
	if _, err := s.Labeling.OrderQueue(r.Context(), actorOf(r), projectOf(r).ID, order); err != nil {
		return err
	}
	back := "/projects/" + url.PathEscape(projectOf(r).Slug) + "/label"
	if dataset := r.PostForm.Get("dataset"); dataset != "" {
		back += "?dataset=" + url.QueryEscape(dataset)
	}
	return s.seeOther(w, r, back)
}

// getPeek answers what the drawer of the labeling page shows, a fragment.
func (s *Server) getPeek(w http.ResponseWriter, r *http.Request) error {
	ctx, actor, place, q := r.Context(), actorOf(r), projectOf(r), r.URL.Query()
	peek, err := s.Labeling.Peek(ctx, actor, place.ID, labeling.PeekRequest{Class: labeling.ClassID(q.Get("class")), Item: labeling.ItemID(q.Get("item"))})
	if err != nil {
		return err
	}
	p, err := s.Labeling.Project(ctx, actor, string(place.ID))
	if err != nil {
		return err
	}
	people, err := s.names(ctx, actor, place.ID)
	if err != nil {
		return err
	}
	return s.send(w, r, http.StatusOK, page.Peek(page.PeekView{Slug: place.Slug, Peek: peek, Asked: peek.Class.ID != "", Schema: p.Schema,
		People: people, Somebody: ui.T(ctx, "disputes.somebody")}))
}

// disputesShown is how many differing items stand on one page.
const disputesShown = 20

func (s *Server) getDisputes(w http.ResponseWriter, r *http.Request) error {
	return s.showDisputes(w, r, http.StatusOK, page.DisputesView{})
}

func (s *Server) showDisputes(w http.ResponseWriter, r *http.Request, status int, v page.DisputesView) error {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64) // anything else is the beginning
	p, err := s.Labeling.Project(ctx, actor, string(place.ID))
	if err != nil {
		return err
	}
	disputes, more, err := s.Labeling.Disputes(ctx, actor, place.ID, after, disputesShown)
	if err != nil {
		return err
	}
	people, err := s.names(ctx, actor, place.ID)
	if err != nil {
		return err
	}
	v.Slug, v.Classes = place.Slug, p.Schema.Open()
	for _, d := range disputes {
		shown := page.DisputeView{Item: d.Item}
		for _, a := range d.Annotations {
			if !a.Answers() {
				continue
			}
			class, _ := p.Schema.Class(p.Schema.Resolve(a.Class))
			name := people[a.Person]
			if name == "" {
				name = ui.T(ctx, "disputes.somebody")
			}
			shown.Said = append(shown.Said, page.SaidView{Person: a, Name: name, Class: class.Name, Color: class.Color})
		}
		v.List = append(v.List, shown)
	}
	if more {
		v.Next = disputes[len(disputes)-1].Item.Seq
	}
	return s.render(w, r, status, view{Title: ui.T(ctx, "disputes.title"), Active: "label"}, page.Disputes(v))
}

// names maps the people of a project to their names.
func (s *Server) names(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) (map[ledger.PersonID]string, error) {
	members, err := s.Identity.Members(ctx, actor, project)
	names := make(map[ledger.PersonID]string, len(members)+1)
	for _, m := range members {
		names[m.Person.ID] = m.Person.Name
	}
	if _, known := names[actor.Person]; !known {
		names[actor.Person] = actor.Name
	}
	return names, err
}

func (s *Server) postDispute(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	item := chi.URLParam(r, "item")
	_, err := s.Labeling.Adjudicate(r.Context(), actorOf(r), projectOf(r).ID, labeling.ItemID(item),
		labeling.ClassID(r.PostForm.Get("class")), r.PostForm.Get("reason"))
	if isRefusal(err) {
		return s.showDisputes(w, r, http.StatusUnprocessableEntity, page.DisputesView{Failed: item, Error: page.Refusal(r.Context(), err), Reason: r.PostForm.Get("reason")})
	}
	if err != nil {
		return err
	}
	if isHTMX(r) {
		return s.showDisputes(w, r, http.StatusOK, page.DisputesView{})
	}
	return s.seeOther(w, r, "/projects/"+url.PathEscape(projectOf(r).Slug)+"/disputes")
}

// getLive turns the request into the page's one socket.
func (s *Server) getLive(w http.ResponseWriter, r *http.Request) error {
	actor, place := actorOf(r), projectOf(r)
	if r.Header.Get("Upgrade") == "" {
		return fault.New(fault.Invalid, "This address is for the sockets of open pages.")
	}
	cookies := r.Clone(context.WithoutCancel(r.Context()))
	s.Live.Serve(w, r, live.Viewer{
		Person: actor.Person, Name: actor.Name, Project: place.ID, Place: clipped(r.URL.Query().Get("page")),
		Unseen: visitOf(r).Person.Unseen,
		Still: func() bool {
			visit, err := s.presentByCookie(cookies.Context(), cookies)
			return err == nil && visit.Actor.Person == actor.Person && visit.Actor.May(place.ID, ledger.ActionRead)
		},
	})
	return nil
}

// TaskBody is a task as the API gives it.
type TaskBody struct {
	Item       labeling.ItemID    `json:"item"`
	Dataset    labeling.DatasetID `json:"dataset"`
	Text       string             `json:"text"`
	Media      *MediaBody         `json:"media,omitempty" doc:"The picture, recording or video to judge; absent for a text alone"`
	Suggestion labeling.ClassID   `json:"suggestion,omitempty" doc:"What the newest model says; absent where people judge blind"`
	Score      *float64           `json:"score,omitempty" doc:"Absent where the model did not say"`
	Draft      *DraftBody         `json:"draft,omitempty" doc:"What this person has begun to say, on whichever computer"`
}

// DraftBody is what somebody has begun to say about an item.
type DraftBody struct {
	Class  labeling.ClassID `json:"class,omitempty" doc:"Chosen, not submitted"`
	Typed  string           `json:"typed,omitempty" doc:"In the field that finds a class"`
	Reason string           `json:"reason,omitempty" doc:"Of a skip, as far as it is written"`
}

func draftBody(d labeling.Draft) *DraftBody {
	if d.Empty() {
		return nil
	}
	return &DraftBody{Class: d.Class, Typed: d.Typed, Reason: d.Reason}
}

// ProgressBody says how far the labeling is.
type ProgressBody struct {
	Items    int64 `json:"items"`
	Answered int64 `json:"answered" doc:"Items with an accepted answer"`
	Mine     int64 `json:"mine" doc:"Answers of this person"`
}

// AnnotationBody is an annotation as the API gives it.
type AnnotationBody struct {
	ID        labeling.AnnotationID    `json:"id"`
	Item      labeling.ItemID          `json:"item"`
	Kind      labeling.AnnotationKind  `json:"kind" enum:"answer,skip,import,decision"`
	Class     labeling.ClassID         `json:"class,omitempty"`
	Reason    string                   `json:"reason,omitempty"`
	Extra     bool                     `json:"extra" doc:"It came after the item had all the answers it asked for"`
	Untouched bool                     `json:"untouched" doc:"The suggestion was taken as it stood"`
	SeenMS    int64                    `json:"seen_ms"`
	State     labeling.AnnotationState `json:"state" enum:"active,undone,superseded"`
	At        time.Time                `json:"at"`
}

func annotationBody(a labeling.Annotation) AnnotationBody {
	return AnnotationBody{ID: a.ID, Item: a.Item, Kind: a.Kind, Class: a.Class, Reason: a.Reason, Extra: a.Extra, Untouched: a.Untouched,
		SeenMS: a.Seen.Milliseconds(), State: a.State, At: a.At}
}

func progressBody(p labeling.Progress) ProgressBody {
	return ProgressBody{Items: p.Items, Answered: p.Accepted, Mine: p.Mine}
}

type leaseInput struct {
	InProject
	Body struct {
		Page    string `json:"page" doc:"UUID of the asking page, made anew each time it is opened"`
		Former  string `json:"former,omitempty" doc:"The page that stood in the same tab before; its leases end"`
		Dataset string `json:"dataset,omitempty" doc:"Name; all datasets if absent"`
		Count   int    `json:"count,omitempty" minimum:"0" maximum:"50"`
		Skipped bool   `json:"skipped,omitempty" doc:"Offer what was passed on as well"`
	}
}

// LeaseBody is a batch of leased tasks.
type LeaseBody struct {
	Tasks    []TaskBody   `json:"tasks" nullable:"false"`
	Progress ProgressBody `json:"progress"`
}

type pageInput struct {
	InProject
	Body struct {
		Page    string `json:"page"`
		Dataset string `json:"dataset,omitempty"`
	}
}

type progressInput struct {
	InProject
	Dataset string `query:"dataset" doc:"Name; all datasets if absent"`
}

// HeartbeatBody answers a heartbeat.
type HeartbeatBody struct {
	Held     bool         `json:"held" doc:"False: the leases had lapsed, ask for new ones"`
	Progress ProgressBody `json:"progress"`
}

type submitInput struct {
	InProject
	ID   string `path:"annotation" maxLength:"36" doc:"UUID made by the sender; sending the same again changes nothing"`
	Body struct {
		Person     ledger.PersonID         `json:"person,omitempty" doc:"Who answered; refused unless it is who is signed in"`
		Page       string                  `json:"page,omitempty"`
		Item       labeling.ItemID         `json:"item"`
		Kind       labeling.AnnotationKind `json:"kind,omitempty" enum:"answer,skip" default:"answer"`
		Class      labeling.ClassID        `json:"class,omitempty"`
		Reason     string                  `json:"reason,omitempty"`
		Suggestion labeling.ClassID        `json:"suggestion,omitempty" doc:"The suggestion that stood on the screen"`
		Score      *float64                `json:"score,omitempty" doc:"Of the suggestion; absent where it had none"`
		Untouched  bool                    `json:"untouched,omitempty"`
		SeenMS     int64                   `json:"seen_ms,omitempty" doc:"For how long the item was seen"`
	}
}

type undoInput struct {
	InProject
	ID     string          `path:"annotation" maxLength:"36"`
	Person ledger.PersonID `query:"person"`
	Page   string          `query:"page" doc:"The page that shows the item again and so leases it"`
}

type draftInput struct {
	InProject
	Item string `path:"item" maxLength:"100"`
	Body struct {
		Person ledger.PersonID `json:"person,omitempty" doc:"Whose draft; refused unless it is who is signed in"`
		DraftBody
	}
}

type peekInput struct {
	InProject
	Class string `query:"class" doc:"Id of the class to explain"`
	Item  string `query:"item" doc:"Item whose history one wants; open to whoever has answered it"`
}

// PeekBody is what may be looked up while judging an item.
type PeekBody struct {
	Guideline string           `json:"guideline"`
	Class     string           `json:"class,omitempty" doc:"Name"`
	Note      string           `json:"note,omitempty" doc:"What belongs to the class"`
	Examples  []string         `json:"examples" nullable:"false" doc:"Texts of accepted items of the class, newest first; none of a dataset that is judged blind"`
	Withheld  bool             `json:"withheld" doc:"The history stays closed until one has answered"`
	History   []AnnotationBody `json:"history" nullable:"false"`
}

func peekBody(p labeling.Peek) PeekBody {
	b := PeekBody{Guideline: p.Guideline, Class: p.Class.Name, Note: p.Class.Note, Examples: []string{}, Withheld: p.Withheld, History: []AnnotationBody{}}
	for _, item := range p.Examples {
		b.Examples = append(b.Examples, item.Text)
	}
	for _, a := range p.Annotations {
		b.History = append(b.History, annotationBody(a))
	}
	return b
}

type keysInput struct {
	InProject
	Body struct {
		Off     bool                        `json:"off"`
		Classes map[labeling.ClassID]string `json:"classes"`
	}
}

// KeysBody says which key answers with which class.
type KeysBody struct {
	Keys map[labeling.ClassID]string `json:"keys"`
}

type orderInput struct {
	InProject
	Body struct {
		Order string `json:"order" enum:"imported,random,uncertain"`
	}
}

// QueueBody is the order of a queue.
type QueueBody struct {
	Order  labeling.QueueOrder `json:"order"`
	Wanted labeling.QueueOrder `json:"wanted,omitempty" doc:"The order being made; until it is ready the other holds"`
}

// labelAPI is the JSON twin of the labeling page.
func (s *Server) labelAPI() {
	operation(s, api{POST, "/projects/{project}/tasks/lease", "lease-tasks", "Lease tasks to label", either, ledger.ActionLabel},
		func(ctx context.Context, in *leaseInput) (*Answer[LeaseBody], error) {
			batch, err := s.Labeling.LeaseTasks(ctx, actorIn(ctx), projectIn(ctx).ID, labeling.LeaseRequest{
				Page: in.Body.Page, Former: in.Body.Former, Dataset: in.Body.Dataset, Count: in.Body.Count, Skipped: in.Body.Skipped})
			if err != nil {
				return nil, err
			}
			body := LeaseBody{Tasks: make([]TaskBody, 0, len(batch.Tasks)), Progress: progressBody(batch.Progress)}
			for _, t := range batch.Tasks {
				body.Tasks = append(body.Tasks, TaskBody{Item: t.Item, Dataset: t.Dataset, Text: t.Text, Media: mediaBody(t.Media), Suggestion: t.Suggestion, Score: t.Score, Draft: draftBody(t.Draft)})
			}
			return &Answer[LeaseBody]{body}, nil
		})
	operation(s, api{POST, "/projects/{project}/tasks/heartbeat", "keep-tasks", "Keep the leases of a page", either, ledger.ActionLabel},
		func(ctx context.Context, in *pageInput) (*Answer[HeartbeatBody], error) {
			held, p, err := s.Labeling.KeepTasks(ctx, actorIn(ctx), projectIn(ctx).ID, in.Body.Page, in.Body.Dataset)
			if err != nil {
				return nil, err
			}
			return &Answer[HeartbeatBody]{HeartbeatBody{held, progressBody(p)}}, nil
		})
	operation(s, api{POST, "/projects/{project}/tasks/release", "release-tasks", "Give the leases of a page back", either, ledger.ActionLabel},
		func(ctx context.Context, in *pageInput) (*struct{}, error) {
			return &struct{}{}, s.Labeling.ReleaseTasks(ctx, actorIn(ctx), projectIn(ctx).ID, in.Body.Page)
		})
	operation(s, api{PUT, "/projects/{project}/annotations/{annotation}", "submit-annotation", "Answer or skip an item", either, ledger.ActionLabel},
		func(ctx context.Context, in *submitInput) (*Answer[AnnotationBody], error) {
			b := in.Body
			a, err := s.Labeling.Submit(ctx, actorIn(ctx), projectIn(ctx).ID, labeling.SubmitRequest{By: b.Person, Annotation: labeling.Annotation{
				ID: labeling.AnnotationID(in.ID), Item: b.Item, Kind: b.Kind, Class: b.Class, Reason: b.Reason,
				Suggestion: b.Suggestion, Score: b.Score, Untouched: b.Untouched, Seen: time.Duration(min(b.SeenMS, 1e11)) * time.Millisecond}})
			if err != nil {
				return nil, err
			}
			return &Answer[AnnotationBody]{annotationBody(a)}, nil
		})
	operation(s, api{DELETE, "/projects/{project}/annotations/{annotation}", "undo-annotation", "Take an answer or a skip back", either, ledger.ActionLabel},
		func(ctx context.Context, in *undoInput) (*Answer[AnnotationBody], error) {
			a, err := s.Labeling.Undo(ctx, actorIn(ctx), projectIn(ctx).ID, labeling.AnnotationID(in.ID), in.Person, in.Page)
			if err != nil {
				return nil, err
			}
			return &Answer[AnnotationBody]{annotationBody(a)}, nil
		})
	operation(s, api{PUT, "/projects/{project}/drafts/{item}", "save-draft", "Keep what one has begun to say; empty ends it", either, ledger.ActionLabel},
		func(ctx context.Context, in *draftInput) (*struct{}, error) {
			return &struct{}{}, s.Labeling.SaveDraft(ctx, actorIn(ctx), projectIn(ctx).ID, labeling.ItemID(in.Item), in.Body.Person,
				labeling.Draft{Class: in.Body.Class, Typed: in.Body.Typed, Reason: in.Body.Reason})
		})
	operation(s, api{GET, "/projects/{project}/peek", "peek", "Look up the guideline, a class and the history of an item", either, ledger.ActionLabel},
		func(ctx context.Context, in *peekInput) (*Answer[PeekBody], error) {
			peek, err := s.Labeling.Peek(ctx, actorIn(ctx), projectIn(ctx).ID, labeling.PeekRequest{Class: labeling.ClassID(in.Class), Item: labeling.ItemID(in.Item)})
			return &Answer[PeekBody]{peekBody(peek)}, err
		})
	operation(s, api{PUT, "/projects/{project}/label-keys", "save-keys", "Choose one's own keys", either, ledger.ActionLabel},
		func(ctx context.Context, in *keysInput) (*Answer[KeysBody], error) {
			keys, err := s.Labeling.SaveKeys(ctx, actorIn(ctx), projectIn(ctx).ID, labeling.Keys{Off: in.Body.Off, Classes: in.Body.Classes})
			if err != nil {
				return nil, err
			}
			return &Answer[KeysBody]{KeysBody{keys}}, nil
		})
	operation(s, api{GET, "/projects/{project}/progress", "get-progress", "Show how far the labeling is", either, ledger.ActionRead},
		func(ctx context.Context, in *progressInput) (*Answer[ProgressBody], error) {
			p, err := s.Labeling.Progress(ctx, actorIn(ctx), projectIn(ctx).ID, in.Dataset)
			return &Answer[ProgressBody]{progressBody(p)}, err
		})
	operation(s, api{GET, "/projects/{project}/queue", "get-queue", "Show the order of the queue", either, ledger.ActionRead},
		func(ctx context.Context, _ *InProject) (*Answer[QueueBody], error) {
			q, err := s.Labeling.Queue(ctx, actorIn(ctx), projectIn(ctx).ID)
			return &Answer[QueueBody]{QueueBody{q.Order, q.Wanted}}, err
		})
	operation(s, api{PUT, "/projects/{project}/queue", "order-queue", "Choose the order of the queue", either, ledger.ActionManage},
		func(ctx context.Context, in *orderInput) (*Answer[QueueBody], error) {
			q, err := s.Labeling.OrderQueue(ctx, actorIn(ctx), projectIn(ctx).ID, labeling.QueueOrder(in.Body.Order))
			return &Answer[QueueBody]{QueueBody{q.Order, q.Wanted}}, err
		})
}
