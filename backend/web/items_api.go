package web

import (
	"context"
	"strconv"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// ItemBody is an item as the API shows it.
type ItemBody struct {
	ID          labeling.ItemID    `json:"id"`
	Key         string             `json:"key"`
	Dataset     labeling.DatasetID `json:"dataset"`
	Text        string             `json:"text"`
	Media       *MediaBody         `json:"media,omitempty" doc:"The picture, recording or video that it refers to; absent for a text alone"`
	Status      labeling.Status    `json:"status,omitempty" doc:"Absent where it is withheld"`
	Label       string             `json:"label,omitempty" doc:"Name of the class that is the accepted answer"`
	Model       string             `json:"model,omitempty" doc:"Model that predicted last"`
	ModelLabel  string             `json:"model_label,omitempty"`
	ModelScore  *float64           `json:"model_score,omitempty" doc:"Absent where the model did not say"`
	Uncertainty *float64           `json:"uncertainty,omitempty"`
	Withheld    bool               `json:"withheld,omitempty" doc:"You judge this item without knowing what others said: it is shown once your own answer counts"`
	CreatedAt   time.Time          `json:"created_at"`
}

func itemBody(schema labeling.Schema, i labeling.Item) ItemBody {
	return ItemBody{ID: i.ID, Key: i.Key, Dataset: i.Dataset, Text: i.Text, Media: mediaBody(i.Media), Status: i.Status, Label: schema.Name(i.Label), Model: i.Model,
		ModelLabel: schema.Name(i.ModelLabel), ModelScore: i.ModelScore, Uncertainty: i.Uncertainty, Withheld: i.Withheld, CreatedAt: i.CreatedAt}
}

// ItemsInput asks for a page of items.
type ItemsInput struct {
	InProject
	Dataset   string          `query:"dataset" doc:"Name or id"`
	Status    labeling.Status `query:"status"`
	Label     string          `query:"label" doc:"Name of the accepted class"`
	Predicted string          `query:"predicted" doc:"Name of the class that the newest model says"`
	Person    ledger.PersonID `query:"person" doc:"Has an answer of this person"`
	Disagrees bool            `query:"disagrees" doc:"Model and accepted answer differ"`
	Search    string          `query:"q" doc:"Words of the text" maxLength:"500"`
	After     string          `query:"after" doc:"The next of the page before"`
	Limit     int             `query:"limit" minimum:"0" maximum:"500"`
}

// ItemsBody is a page of items.
type ItemsBody struct {
	Items     []ItemBody `json:"items" nullable:"false"`
	Next      string     `json:"next,omitempty" doc:"Pass it as after to get the next page, which begins early where texts are long; absent on the last"`
	Total     int64      `json:"total" doc:"How many there are, at most 10000"`
	TotalOpen bool       `json:"total_open" doc:"There are more than total"`
	Behind    int        `json:"unindexed" doc:"Items that the search does not know yet"`
}

// InItem names an item.
type InItem struct {
	InProject
	Item labeling.ItemID `path:"item" maxLength:"100"`
}

// ItemHistoryBody is an item with all that was said about it.
type ItemHistoryBody struct {
	ItemBody
	Annotations []ItemAnnotation `json:"annotations" nullable:"false" doc:"Newest first, in every state; of a withheld item your own alone"`
}

// ItemAnnotation is one answer in the history of an item.
type ItemAnnotation struct {
	ID     labeling.AnnotationID    `json:"id"`
	Person ledger.PersonID          `json:"person"`
	Kind   labeling.AnnotationKind  `json:"kind"`
	Class  string                   `json:"class,omitempty"`
	Reason string                   `json:"reason,omitempty"`
	State  labeling.AnnotationState `json:"state"`
	At     time.Time                `json:"at"`
}

// ChangeItemsInput changes many items at once.
type ChangeItemsInput struct {
	InProject
	Body struct {
		Action labeling.BulkAction `json:"action" doc:"relabel, requeue or delete"`
		Class  string              `json:"class,omitempty" doc:"Name of the class, for relabel"`
		Reason string              `json:"reason,omitempty"`
		Items  []labeling.ItemID   `json:"items" doc:"Ids" maxItems:"5000"`
	}
}

// BulkBody is a change of many items.
type BulkBody struct {
	ID     labeling.BulkID     `json:"id"`
	Action labeling.BulkAction `json:"action"`
	Items  int64               `json:"items" doc:"How many changed"`
	Undone bool                `json:"undone"`
}

func bulkBody(b labeling.Bulk) BulkBody {
	return BulkBody{ID: b.ID, Action: b.Action, Items: b.Items, Undone: !b.UndoneAt.IsZero()}
}

// InBulk names a change of many items.
type InBulk struct {
	InProject
	Bulk labeling.BulkID `path:"bulk" maxLength:"100"`
}

// itemAPI registers the operations about items.
func (s *Server) itemAPI() {
	const in = "/projects/{project}"
	operation(s, api{GET, in + "/items", "list-items", "List, filter and search items", either, ledger.ActionRead}, s.listItems)
	operation(s, api{GET, in + "/items/{item}", "get-item", "Get an item with its history", either, ledger.ActionRead}, s.getItemAPI)
	operation(s, api{POST, in + "/items/{item}/show", "show-answers", "Have the answers of others to a waiting item shown; you are not asked for it any more", either, ledger.ActionRelabel}, s.showAnswers)
	operation(s, api{POST, in + "/items/changes", "change-items", "Relabel, requeue or delete items", either, ledger.ActionRelabel}, s.changeItems)
	operation(s, api{POST, in + "/items/changes/{bulk}/undo", "undo-items", "Take a change of items back", either, ledger.ActionRelabel}, s.undoItems)
}

// itemFilter reads the names of a filter.
func (s *Server) itemFilter(ctx context.Context, schema labeling.Schema, dataset, label, predicted string) (f labeling.ItemFilter, err error) {
	if dataset != "" {
		d, err := s.Labeling.Dataset(ctx, actorIn(ctx), projectIn(ctx).ID, dataset)
		if err != nil {
			return f, err
		}
		f.Dataset = d.ID
	}
	for name, to := range map[string]*labeling.ClassID{label: &f.Label, predicted: &f.Model} {
		if name == "" {
			continue
		}
		c, known := schema.ClassNamed(name)
		if !known {
			return f, fault.Field("label", "This project has no class %.80q.", name)
		}
		*to = c.ID
	}
	if label == predicted {
		f.Model = f.Label
	}
	return f, nil
}

func (s *Server) listItems(ctx context.Context, in *ItemsInput) (*Answer[ItemsBody], error) {
	p, err := s.Labeling.Project(ctx, actorIn(ctx), string(projectIn(ctx).ID))
	if err != nil {
		return nil, err
	}
	f, err := s.itemFilter(ctx, p.Schema, in.Dataset, in.Label, in.Predicted)
	if err != nil {
		return nil, err
	}
	f.Status, f.Person, f.Disagrees, f.Search = in.Status, in.Person, in.Disagrees, in.Search
	after, err := strconv.ParseInt("0"+in.After, 10, 64)
	if err != nil {
		return nil, fault.Field("after", "%.40q is no place in a list; pass the next of the page before.", in.After)
	}
	list, err := s.Labeling.Items(ctx, actorIn(ctx), p.ID, f, labeling.PageRequest{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	page := pageOf(list.Items, func(i labeling.Item) ItemBody { return itemBody(p.Schema, i) },
		func(i labeling.Item) string { return strconv.FormatInt(i.Seq, 10) }, list.Next != 0)
	return &Answer[ItemsBody]{ItemsBody{Items: page.Items, Next: page.Next, Total: list.Total, TotalOpen: list.TotalOpen, Behind: list.Behind}}, nil
}

func (s *Server) getItemAPI(ctx context.Context, in *InItem) (*Answer[ItemHistoryBody], error) {
	p, err := s.Labeling.Project(ctx, actorIn(ctx), string(projectIn(ctx).ID))
	if err != nil {
		return nil, err
	}
	h, err := s.Labeling.Item(ctx, actorIn(ctx), p.ID, in.Item)
	if err != nil {
		return nil, err
	}
	b := ItemHistoryBody{ItemBody: itemBody(p.Schema, h.Item), Annotations: []ItemAnnotation{}}
	for _, a := range h.Annotations {
		b.Annotations = append(b.Annotations, ItemAnnotation{ID: a.ID, Person: a.Person, Kind: a.Kind, Class: p.Schema.Name(a.Class), Reason: a.Reason, State: a.State, At: a.At})
	}
	return &Answer[ItemHistoryBody]{b}, nil
}

func (s *Server) showAnswers(ctx context.Context, in *InItem) (*Answer[ItemHistoryBody], error) {
	if err := s.Labeling.ShowAnswers(ctx, actorIn(ctx), projectIn(ctx).ID, in.Item); err != nil {
		return nil, err
	}
	return s.getItemAPI(ctx, in)
}

func (s *Server) changeItems(ctx context.Context, in *ChangeItemsInput) (*Answer[BulkBody], error) {
	p, err := s.Labeling.Project(ctx, actorIn(ctx), string(projectIn(ctx).ID))
	if err != nil {
		return nil, err
	}
	req := labeling.BulkRequest{Action: in.Body.Action, Reason: in.Body.Reason, Items: in.Body.Items}
	if c, known := p.Schema.ClassNamed(in.Body.Class); known {
		req.Class = c.ID
	}
	bulk, err := s.Labeling.ChangeItems(ctx, actorIn(ctx), p.ID, req)
	return &Answer[BulkBody]{bulkBody(bulk)}, err
}

func (s *Server) undoItems(ctx context.Context, in *InBulk) (*Answer[BulkBody], error) {
	bulk, err := s.Labeling.UndoBulk(ctx, actorIn(ctx), projectIn(ctx).ID, in.Bulk)
	return &Answer[BulkBody]{bulkBody(bulk)}, err
}
