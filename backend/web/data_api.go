package web

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// MaxUpload is the largest file that is taken.
const MaxUpload = 64 << 30

// dataRoutes are the uploads and downloads of the API, which carry files.
func (s *Server) dataRoutes() []route {
	return []route{
		{POST, apiPrefix + "/projects/{project}/uploads", either, ledger.ActionImport, s.postUploadAPI},
		{GET, apiPrefix + "/projects/{project}/export", either, ledger.ActionExport, s.getExport},
		{GET, apiPrefix + "/projects/{project}/snapshots/{snapshot}/export", either, ledger.ActionExport, s.getSnapshotExport},
	}
}

// postUploadAPI keeps the request's body as a file to be imported.
func (s *Server) postUploadAPI(w http.ResponseWriter, r *http.Request) error {
	i, err := s.Labeling.Upload(r.Context(), actorOf(r), projectOf(r).ID, r.URL.Query().Get("name"), http.MaxBytesReader(w, r.Body, MaxUpload))
	if err != nil {
		return uploadFault(err)
	}
	return renderJSON(w, http.StatusCreated, importBody(i, labeling.Dataset{}))
}

// uploadFault says what a body that stopped early means.
func uploadFault(err error) error {
	if strings.Contains(err.Error(), "http: request body too large") {
		return fault.As(fault.TooLarge, err, "The file is larger than %d GB. Split it.", MaxUpload>>30)
	}
	return err
}

// getExport sends the items of a dataset.
func (s *Server) getExport(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f, err := exportFormat(q.Get("format"))
	if err != nil {
		return err
	}
	d, err := s.Labeling.Dataset(r.Context(), actorOf(r), projectOf(r).ID, q.Get("dataset"))
	if err != nil {
		return err
	}
	return attach(w, d.Name, f, func(out io.Writer) error {
		return s.Labeling.ExportDataset(r.Context(), actorOf(r), projectOf(r).ID, string(d.ID), f, out)
	})
}

// getSnapshotExport sends the rows of a snapshot.
func (s *Server) getSnapshotExport(w http.ResponseWriter, r *http.Request) error {
	f, err := exportFormat(r.URL.Query().Get("format"))
	if err != nil {
		return err
	}
	snap, _, err := s.Labeling.OpenSnapshot(r.Context(), actorOf(r), projectOf(r).ID, chi.URLParam(r, "snapshot"))
	if err != nil {
		return err
	}
	return attach(w, fmt.Sprintf("%s-snapshot-%d", projectOf(r).Slug, snap.Number), f, func(out io.Writer) error {
		return s.Labeling.ExportSnapshot(r.Context(), actorOf(r), projectOf(r).ID, string(snap.ID), f, out)
	})
}

func exportFormat(text string) (labeling.Format, error) {
	if text == "" {
		return labeling.FormatJSONL, nil
	}
	f, err := labeling.ParseFormat(text)
	if err != nil {
		return "", err
	}
	return f, labeling.CheckExport(f)
}

// attach sends a file as it is written. An error after the first byte cuts the
// connection, so that nobody takes half a file for a whole one.
func attach(w http.ResponseWriter, name string, f labeling.Format, write func(io.Writer) error) error {
	media := map[labeling.Format]string{
		labeling.FormatCSV: "text/csv; charset=utf-8", labeling.FormatTSV: "text/tab-separated-values; charset=utf-8",
		labeling.FormatJSONL: "application/jsonl; charset=utf-8", labeling.FormatParquet: "application/vnd.apache.parquet",
	}[f]
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": labeling.Slug(name) + "." + string(f)}))
	out := &begun{w: w}
	err := write(out)
	if err != nil && out.wrote {
		panic(http.ErrAbortHandler)
	}
	return err
}

// begun notices the first byte.
type begun struct {
	w     io.Writer
	wrote bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.wrote = b.wrote || len(p) > 0
	return b.w.Write(p)
}

// ImportBody is an import as the API shows it.
type ImportBody struct {
	ID         labeling.ImportID    `json:"id"`
	File       string               `json:"file"`
	Bytes      int64                `json:"bytes"`
	State      labeling.ImportState `json:"state" enum:"uploaded,queued,running,done,failed,cancelled"`
	Failure    string               `json:"failure,omitempty"`
	Dataset    string               `json:"dataset,omitempty"`
	DatasetID  labeling.DatasetID   `json:"dataset_id,omitempty"`
	Format     labeling.Format      `json:"format"`
	Mapping    labeling.Mapping     `json:"mapping"`
	Percent    int                  `json:"percent"`
	Records    int64                `json:"records" doc:"Records dealt with"`
	Added      int64                `json:"added" doc:"Items that are new"`
	Unchanged  int64                `json:"unchanged" doc:"Records whose key was there already"`
	Labeled    int64                `json:"labeled" doc:"New items that came with an answer"`
	Refused    int64                `json:"refused" doc:"Records that are wrong; see problems"`
	CreatedAt  time.Time            `json:"created_at"`
	FinishedAt *time.Time           `json:"finished_at,omitempty"`
}

func importBody(i labeling.Import, d labeling.Dataset) ImportBody {
	b := ImportBody{ID: i.ID, File: i.File, Bytes: i.Size, State: i.State, Failure: i.Failure, Dataset: d.Name, DatasetID: i.Dataset, Format: i.Format,
		Mapping: i.Mapping, Percent: i.Percent(), Records: i.Passed, Added: i.Added, Unchanged: i.Unchanged, Labeled: i.Labeled, Refused: i.Bad, CreatedAt: i.CreatedAt}
	if !i.FinishedAt.IsZero() {
		b.FinishedAt = &i.FinishedAt
	}
	return b
}

// InImport names an import.
type InImport struct {
	InProject
	Import labeling.ImportID `path:"import" maxLength:"100"`
}

// PreviewInput asks how a file would come in.
type PreviewInput struct {
	InImport
	Format labeling.Format `query:"format" doc:"csv, tsv, jsonl, text or parquet; guessed if empty"`
	Header labeling.Header `query:"header" doc:"yes, no, or empty to guess"`
	Text   string          `query:"text" doc:"Column of the text"`
	Label  string          `query:"label" doc:"Column of the label"`
	Key    string          `query:"key" doc:"Column of the key"`
}

// PreviewBody is what a file looks like.
type PreviewBody struct {
	Columns []string         `json:"columns" nullable:"false"`
	Mapping labeling.Mapping `json:"mapping"`
	Format  labeling.Format  `json:"format"`
	Rows    [][]*string      `json:"rows" nullable:"false" doc:"The first records, null where a field is absent"`
	Errors  []ProblemBody    `json:"errors" nullable:"false"`
	Classes []string         `json:"classes" nullable:"false" doc:"Labels among the first records"`
	New     []string         `json:"new_classes" nullable:"false" doc:"Those that are no class of the schema yet"`
	Failure string           `json:"failure,omitempty" doc:"Why the file cannot be read"`
}

// ProblemBody is a record that was refused.
type ProblemBody struct {
	Line   int64  `json:"line"`
	Reason string `json:"reason"`
}

// StartImportInput lets a file come in.
type StartImportInput struct {
	InImport
	Body struct {
		Dataset    string           `json:"dataset" doc:"Name of the dataset; made if it is new"`
		Purpose    labeling.Purpose `json:"purpose,omitempty" doc:"training, evaluation or production, of a new dataset"`
		Format     labeling.Format  `json:"format,omitempty" doc:"Guessed if empty"`
		Header     labeling.Header  `json:"header,omitempty" doc:"yes, no, or empty to guess"`
		Mapping    labeling.Mapping `json:"mapping,omitempty" doc:"Guessed if empty"`
		AddClasses *bool            `json:"add_classes,omitempty" doc:"Labels that are no class become one; true if absent"`
	}
}

// InSnapshot names a snapshot.
type InSnapshot struct {
	InProject
	Snapshot string `path:"snapshot" doc:"Id, number, digest or name" maxLength:"200"`
}

// SnapshotBody is a snapshot as the API shows it.
type SnapshotBody struct {
	ID        labeling.SnapshotID        `json:"id"`
	Number    int                        `json:"number"`
	Name      string                     `json:"name,omitempty"`
	State     labeling.SnapshotState     `json:"state" enum:"building,ready,failed"`
	Failure   string                     `json:"failure,omitempty"`
	Purpose   labeling.Purpose           `json:"purpose"`
	Digest    ledger.Digest              `json:"digest,omitempty"`
	Schema    ledger.Digest              `json:"schema,omitempty"`
	Items     int64                      `json:"items"`
	Datasets  []labeling.SnapshotDataset `json:"datasets" nullable:"false"`
	Classes   []labeling.ClassCount      `json:"classes" nullable:"false"`
	Answerers []labeling.PersonCount     `json:"answerers" nullable:"false"`
	Merged    int64                      `json:"merged" doc:"Items that stood in several datasets and count once"`
	HeldOut   int64                      `json:"held_out" doc:"Items left out because an evaluation dataset holds the same content"`
	Files     map[string]ledger.Digest   `json:"files,omitempty" doc:"Digests of the stored files by format"`
	Progress  int64                      `json:"progress"`
	Of        int64                      `json:"of"`
	CreatedBy ledger.PersonID            `json:"created_by"`
	CreatedAt time.Time                  `json:"created_at"`
}

func snapshotBody(s labeling.Snapshot) SnapshotBody {
	b := SnapshotBody{ID: s.ID, Number: s.Number, Name: s.Name, State: s.State, Failure: s.Failure, Purpose: s.Purpose, Digest: s.Digest, Schema: s.Schema,
		Items: s.Items, Datasets: s.Datasets, Classes: listed(s.Classes), Answerers: listed(s.Answerers), Merged: s.Merged, HeldOut: s.HeldOut,
		Progress: s.Progress, Of: s.ProgressTotal, CreatedBy: s.CreatedBy, CreatedAt: s.CreatedAt}
	if s.State == labeling.SnapshotReady {
		b.Files = map[string]ledger.Digest{"jsonl": s.Rows, "parquet": s.Parquet}
	}
	return b
}

// listed makes a list that is never null.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// CreateSnapshotInput asks for a snapshot.
type CreateSnapshotInput struct {
	InProject
	Body struct {
		Name     string   `json:"name,omitempty"`
		Datasets []string `json:"datasets" doc:"Names or ids; training and evaluation are not mixed"`
	}
}

// DiffInput asks what changed between two snapshots.
type DiffInput struct {
	InSnapshot
	Against string            `query:"against" required:"true" doc:"The earlier snapshot"`
	Kind    labeling.DiffKind `query:"kind" doc:"relabelled, added, removed or reworded; all if empty"`
	Limit   int               `query:"limit" minimum:"0" maximum:"10000"`
}

// DiffBody is what changed.
type DiffBody struct {
	Before        SnapshotBody `json:"before"`
	After         SnapshotBody `json:"after"`
	Added         int64        `json:"added"`
	Removed       int64        `json:"removed"`
	Relabelled    int64        `json:"relabelled"`
	Reworded      int64        `json:"reworded"`
	Same          int64        `json:"same"`
	SchemaChanged bool         `json:"schema_changed"`
	Rows          []DiffRow    `json:"rows" nullable:"false"`
	More          bool         `json:"more" doc:"There are more rows than asked for"`
	Balance       []Balance    `json:"balance" nullable:"false"`
}

// DiffRow is an item that changed.
type DiffRow struct {
	Kind   labeling.DiffKind `json:"kind"`
	Key    string            `json:"key"`
	Text   string            `json:"text"`
	Before string            `json:"before,omitempty"`
	After  string            `json:"after,omitempty"`
	By     ledger.PersonID   `json:"by,omitempty"`
}

// Balance is how many items have a class, before and after.
type Balance struct {
	Class  string `json:"class"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

// ItemBody is an item as the API shows it.
type ItemBody struct {
	ID          labeling.ItemID    `json:"id"`
	Key         string             `json:"key"`
	Dataset     labeling.DatasetID `json:"dataset"`
	Text        string             `json:"text"`
	Status      labeling.Status    `json:"status"`
	Label       string             `json:"label,omitempty" doc:"Name of the class that is the accepted answer"`
	Model       string             `json:"model,omitempty" doc:"Model that predicted last"`
	ModelLabel  string             `json:"model_label,omitempty"`
	ModelScore  *float64           `json:"model_score,omitempty" doc:"Absent where the model did not say"`
	Uncertainty *float64           `json:"uncertainty,omitempty"`
	CreatedAt   time.Time          `json:"created_at"`
}

func itemBody(schema labeling.Schema, i labeling.Item) ItemBody {
	return ItemBody{ID: i.ID, Key: i.Key, Dataset: i.Dataset, Text: i.Text, Status: i.Status, Label: schema.Name(i.Label), Model: i.Model,
		ModelLabel: schema.Name(i.ModelLabel), ModelScore: i.ModelScore, Uncertainty: i.Uncertainty, CreatedAt: i.CreatedAt}
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
	Next      string     `json:"next,omitempty" doc:"Pass it as after to get the next page; absent on the last"`
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
	Annotations []ItemAnnotation `json:"annotations" nullable:"false" doc:"Newest first, in every state"`
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

// dataAPI registers the operations about imports, items and snapshots.
func (s *Server) dataAPI() {
	const in = "/projects/{project}"
	operation(s, api{GET, in + "/imports", "list-imports", "List the newest imports", either, ledger.ActionRead}, s.listImports)
	operation(s, api{GET, in + "/imports/{import}", "get-import", "Get an import", either, ledger.ActionRead}, s.getImportAPI)
	operation(s, api{GET, in + "/imports/{import}/preview", "preview-import", "Look at the first records of an uploaded file", either, ledger.ActionImport}, s.previewImport)
	operation(s, api{GET, in + "/imports/{import}/problems", "list-import-problems", "List the records that were refused", either, ledger.ActionRead}, s.listImportProblems)
	operation(s, api{POST, in + "/imports/{import}/start", "start-import", "Let an uploaded file come in", either, ledger.ActionImport}, s.startImport)
	operation(s, api{POST, in + "/imports/{import}/cancel", "cancel-import", "Stop an import; what came in stays", either, ledger.ActionImport}, s.cancelImport)
	operation(s, api{GET, in + "/items", "list-items", "List, filter and search items", either, ledger.ActionRead}, s.listItems)
	operation(s, api{GET, in + "/items/{item}", "get-item", "Get an item with its history", either, ledger.ActionRead}, s.getItemAPI)
	operation(s, api{POST, in + "/items/changes", "change-items", "Relabel, requeue or delete items", either, ledger.ActionRelabel}, s.changeItems)
	operation(s, api{POST, in + "/items/changes/{bulk}/undo", "undo-items", "Take a change of items back", either, ledger.ActionRelabel}, s.undoItems)
	operation(s, api{GET, in + "/snapshots", "list-snapshots", "List snapshots, newest first", either, ledger.ActionRead}, s.listSnapshots)
	operation(s, api{POST, in + "/snapshots", "create-snapshot", "Begin a snapshot", either, ledger.ActionSnapshot}, s.createSnapshot)
	operation(s, api{GET, in + "/snapshots/{snapshot}", "get-snapshot", "Get a snapshot", either, ledger.ActionRead}, s.getSnapshotAPI)
	operation(s, api{GET, in + "/snapshots/{snapshot}/diff", "diff-snapshots", "What changed since another snapshot", either, ledger.ActionRead}, s.diffSnapshots)
}

// importWithDataset names the dataset of an import.
func (s *Server) importWithDataset(ctx context.Context, i labeling.Import) (ImportBody, error) {
	if i.Dataset == "" {
		return importBody(i, labeling.Dataset{}), nil
	}
	d, err := s.Labeling.Dataset(ctx, actorIn(ctx), i.Project, string(i.Dataset))
	return importBody(i, d), err
}

func (s *Server) listImports(ctx context.Context, _ *InProject) (*Answer[List[ImportBody]], error) {
	imports, err := s.Labeling.Imports(ctx, actorIn(ctx), projectIn(ctx).ID)
	if err != nil {
		return nil, err
	}
	body := List[ImportBody]{Items: []ImportBody{}}
	for _, i := range imports {
		b, err := s.importWithDataset(ctx, i)
		if err != nil {
			return nil, err
		}
		body.Items = append(body.Items, b)
	}
	return &Answer[List[ImportBody]]{body}, nil
}

func (s *Server) getImportAPI(ctx context.Context, in *InImport) (*Answer[ImportBody], error) {
	i, err := s.Labeling.Import(ctx, actorIn(ctx), projectIn(ctx).ID, in.Import)
	if err != nil {
		return nil, err
	}
	b, err := s.importWithDataset(ctx, i)
	return &Answer[ImportBody]{b}, err
}

func (s *Server) previewImport(ctx context.Context, in *PreviewInput) (*Answer[PreviewBody], error) {
	p, err := s.Labeling.PreviewImport(ctx, actorIn(ctx), projectIn(ctx).ID, in.Import, labeling.PreviewImportRequest{
		Format: in.Format, Header: in.Header, Mapping: labeling.Mapping{Text: in.Text, Label: in.Label, Key: in.Key}})
	if err != nil {
		return nil, err
	}
	b := PreviewBody{Columns: listed(p.Columns), Mapping: p.Mapping, Format: p.Import.Format, Rows: [][]*string{}, Errors: []ProblemBody{}, Classes: listed(p.Classes), New: listed(p.New), Failure: p.Failure}
	for _, rec := range p.Records {
		row := make([]*string, len(p.Columns))
		for c := range row {
			if v := rec.Get(c); v.Present {
				row[c] = &v.Text
			}
		}
		b.Rows = append(b.Rows, row)
	}
	for _, e := range p.Errors {
		b.Errors = append(b.Errors, ProblemBody(e))
	}
	return &Answer[PreviewBody]{b}, nil
}

func (s *Server) listImportProblems(ctx context.Context, in *InImport) (*Answer[List[ProblemBody]], error) {
	problems, err := s.Labeling.ImportProblems(ctx, actorIn(ctx), projectIn(ctx).ID, in.Import, labeling.MostProblems)
	body := List[ProblemBody]{Items: []ProblemBody{}}
	for _, p := range problems {
		body.Items = append(body.Items, ProblemBody(p))
	}
	return &Answer[List[ProblemBody]]{body}, err
}

func (s *Server) startImport(ctx context.Context, in *StartImportInput) (*Answer[ImportBody], error) {
	i, err := s.Labeling.StartImport(ctx, actorIn(ctx), projectIn(ctx).ID, in.Import, labeling.StartImportRequest{
		Dataset: in.Body.Dataset, Purpose: in.Body.Purpose, Format: in.Body.Format, Header: in.Body.Header, Mapping: in.Body.Mapping,
		AddClasses: in.Body.AddClasses == nil || *in.Body.AddClasses})
	if err != nil {
		return nil, err
	}
	b, err := s.importWithDataset(ctx, i)
	return &Answer[ImportBody]{b}, err
}

func (s *Server) cancelImport(ctx context.Context, in *InImport) (*Answer[ImportBody], error) {
	i, err := s.Labeling.CancelImport(ctx, actorIn(ctx), projectIn(ctx).ID, in.Import)
	if err != nil {
		return nil, err
	}
	b, err := s.importWithDataset(ctx, i)
	return &Answer[ImportBody]{b}, err
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
	b := ItemsBody{Items: []ItemBody{}, Total: list.Total, TotalOpen: list.TotalOpen, Behind: list.Behind}
	for _, i := range list.Items {
		b.Items = append(b.Items, itemBody(p.Schema, i))
	}
	if list.Next != 0 {
		b.Next = strconv.FormatInt(list.Next, 10)
	}
	return &Answer[ItemsBody]{b}, nil
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

func (s *Server) listSnapshots(ctx context.Context, _ *InProject) (*Answer[List[SnapshotBody]], error) {
	snapshots, err := s.Labeling.Snapshots(ctx, actorIn(ctx), projectIn(ctx).ID)
	body := List[SnapshotBody]{Items: []SnapshotBody{}}
	for _, snap := range snapshots {
		body.Items = append(body.Items, snapshotBody(snap))
	}
	return &Answer[List[SnapshotBody]]{body}, err
}

func (s *Server) createSnapshot(ctx context.Context, in *CreateSnapshotInput) (*Answer[SnapshotBody], error) {
	snap, err := s.Labeling.CreateSnapshot(ctx, actorIn(ctx), projectIn(ctx).ID, labeling.CreateSnapshotRequest{Name: in.Body.Name, Datasets: in.Body.Datasets})
	return &Answer[SnapshotBody]{snapshotBody(snap)}, err
}

func (s *Server) getSnapshotAPI(ctx context.Context, in *InSnapshot) (*Answer[SnapshotBody], error) {
	snap, err := s.Labeling.Snapshot(ctx, actorIn(ctx), projectIn(ctx).ID, in.Snapshot)
	return &Answer[SnapshotBody]{snapshotBody(snap)}, err
}

func (s *Server) diffSnapshots(ctx context.Context, in *DiffInput) (*Answer[DiffBody], error) {
	req := labeling.DiffRequest{Before: in.Against, After: in.Snapshot, Limit: in.Limit}
	if in.Kind != "" {
		req.Kinds = []labeling.DiffKind{in.Kind}
	}
	d, err := s.Labeling.DiffSnapshots(ctx, actorIn(ctx), projectIn(ctx).ID, req)
	if err != nil {
		return nil, err
	}
	b := DiffBody{Before: snapshotBody(d.Before), After: snapshotBody(d.After), Added: d.Added, Removed: d.Removed, Relabelled: d.Relabelled, Reworded: d.Reworded,
		Same: d.Same, SchemaChanged: d.SchemaChanged, Rows: []DiffRow{}, More: d.More, Balance: []Balance{}}
	for _, row := range d.Rows {
		b.Rows = append(b.Rows, DiffRow{Kind: row.Kind, Key: row.Key, Text: row.Text, Before: row.Before, After: row.After, By: row.By})
	}
	for _, c := range d.Balance {
		b.Balance = append(b.Balance, Balance{Class: c.Class, Before: c.Before, After: c.After})
	}
	return &Answer[DiffBody]{b}, nil
}
