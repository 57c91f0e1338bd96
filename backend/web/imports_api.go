package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// MaxUpload is the largest file that is taken.
const MaxUpload = 64 << 30

// postUploadAPI keeps the request's body as a file to be imported.
func (s *Server) postUploadAPI(w http.ResponseWriter, r *http.Request) error {
	i, err := s.Labeling.Upload(r.Context(), actorOf(r), projectOf(r).ID, r.URL.Query().Get("name"), Bounded(w, r, MaxUpload).Body)
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
	Media  string          `query:"media" doc:"Column of references to pictures, recordings or videos"`
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

// importAPI registers the operations about imports.
func (s *Server) importAPI() {
	const in = "/projects/{project}"
	operation(s, api{GET, in + "/imports", "list-imports", "List the newest imports", either, ledger.ActionRead}, s.listImports)
	operation(s, api{GET, in + "/imports/{import}", "get-import", "Get an import", either, ledger.ActionRead}, s.getImportAPI)
	operation(s, api{GET, in + "/imports/{import}/preview", "preview-import", "Look at the first records of an uploaded file", either, ledger.ActionImport}, s.previewImport)
	operation(s, api{GET, in + "/imports/{import}/problems", "list-import-problems", "List the records that were refused", either, ledger.ActionRead}, s.listImportProblems)
	operation(s, api{POST, in + "/imports/{import}/start", "start-import", "Let an uploaded file come in", either, ledger.ActionImport}, s.startImport)
	operation(s, api{POST, in + "/imports/{import}/cancel", "cancel-import", "Stop an import; what came in stays", either, ledger.ActionImport}, s.cancelImport)
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
		Format: in.Format, Header: in.Header, Mapping: labeling.Mapping{Text: in.Text, Media: in.Media, Label: in.Label, Key: in.Key}})
	if err != nil {
		return nil, err
	}
	b := PreviewBody{Columns: listed(p.Columns), Mapping: p.Mapping, Format: p.Import.Format, Rows: [][]*string{}, Errors: []ProblemBody{}, Classes: listed(p.Classes), New: listed(p.New), Failure: p.Failure}
	for _, rec := range p.Records {
		row := make([]*string, len(p.Columns))
		for c := range row {
			if v := rec.Get(c); v.Present {
				text, _ := ledger.Excerpt(v.Text)
				row[c] = &text
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
