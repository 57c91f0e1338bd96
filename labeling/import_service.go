package labeling

import (
	"context"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// ImportTx keeps imports.
type ImportTx interface {
	CreateImport(Import) error
	UpdateImport(Import) error
	Import(ImportID) (Import, error)
	// Imports lists the newest imports of a project.
	Imports(project ProjectID, limit int) ([]Import, error)
	// AddImportProblems keeps problems, up to MostProblems for one import.
	AddImportProblems(ImportID, []ImportProblem) error
	ImportProblems(id ImportID, limit int) ([]ImportProblem, error)
	// AddItems adds the items of a dataset whose key is new there and keeps the
	// counts. It returns the items that were added and for the others the content
	// that stands under their key.
	AddItems(items []Item) (added []Item, standing map[string]ledger.Digest, err error)
	// AddAnnotations adds active annotations of one person, dataset and time.
	AddAnnotations([]Annotation) error
}

// WorkImport is the kind of work that brings a file in; its handler is RunImport.
const WorkImport = "labeling.import"

type importWork struct{ Import ImportID }

// Upload keeps the bytes of a file that is to be imported, and says what they
// seem to be. Nothing comes in before StartImport.
func (s *Service) Upload(ctx context.Context, actor ledger.Actor, project ProjectID, name string, in io.Reader) (Import, error) {
	if err := actor.Must(project, ledger.ActionImport); err != nil {
		return Import{}, err
	}
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "_"), `\`, "/"))
	if name == "." || name == "/" || CheckText(name) != nil || ledger.Name("file", name) != nil {
		name = "upload"
	}
	digest, size, err := s.Files.Put(ctx, in)
	if err != nil {
		return Import{}, fault.Wrap(err, "keep upload")
	}
	if size == 0 {
		return Import{}, fault.Field("file", "The file %s is empty; choose another.", name)
	}
	head := make([]byte, 4096)
	file, err := s.Files.Open(ctx, digest)
	if err != nil {
		return Import{}, fault.Wrap(err, "open upload")
	}
	n, err := io.ReadFull(file, head)
	_ = file.Close()
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return Import{}, fault.Wrap(err, "read upload")
	}
	i := Import{ID: ImportID(s.NewID()), Project: project, File: name, Blob: digest, Size: size, State: ImportUploaded,
		Format: GuessFormat(name, head[:n]), CreatedBy: actor.Person}
	err = s.Update(ctx, func(tx Tx) error {
		i.CreatedAt = tx.Now()
		return tx.CreateImport(i)
	})
	return i, fault.Wrap(err, "create import")
}

// PreviewImportRequest asks how a file would come in. Empty fields are guessed.
type PreviewImportRequest struct {
	Format  Format
	Header  Header
	Mapping Mapping
}

// PreviewImport reads the first records of an uploaded file and guesses what
// its columns are. A file that cannot be read is a preview with a Failure.
func (s *Service) PreviewImport(ctx context.Context, actor ledger.Actor, project ProjectID, id ImportID, req PreviewImportRequest) (Preview, error) {
	if err := actor.Must(project, ledger.ActionImport); err != nil { // the file may hold answers
		return Preview{}, err
	}
	i, err := s.Import(ctx, actor, project, id)
	if err != nil {
		return Preview{}, err
	}
	p, err := s.Project(ctx, actor, string(project))
	if err != nil {
		return Preview{}, err
	}
	if req.Format != "" {
		i.Format = req.Format
	}
	i.Header = req.Header
	preview := Preview{Import: i}
	err = s.parse(ctx, i, 0, PreviewRecords, func(b Batch) error {
		preview.Columns = slices.Clone(b.Columns)
		for _, r := range b.Records {
			r.Values = slices.Clone(r.Values)
			preview.Records = append(preview.Records, r)
		}
		preview.Errors = append(preview.Errors, b.Errors...)
		return nil
	})
	switch fault.KindOf(err) {
	case "":
	case fault.Invalid, fault.TooLarge:
		preview.Failure = fault.Message(err)
		return preview, nil
	default:
		return Preview{}, err
	}
	if preview.Mapping = req.Mapping; preview.Mapping == (Mapping{}) {
		preview.Mapping = GuessMapping(preview.Columns, preview.Records)
	}
	if column := slices.Index(preview.Columns, preview.Mapping.Label); column >= 0 {
		for _, r := range preview.Records {
			label := strings.TrimSpace(r.Get(column).Text)
			if label == "" || slices.Contains(preview.Classes, label) {
				continue
			}
			preview.Classes = append(preview.Classes, label)
			if _, known := p.Schema.ClassNamed(label); !known {
				preview.New = append(preview.New, label)
			}
		}
	}
	return preview, nil
}

// parse opens the bytes of an import and reads their records.
func (s *Service) parse(ctx context.Context, i Import, skip, limit int64, each func(Batch) error) error {
	file, err := s.Files.Open(ctx, i.Blob)
	if err != nil {
		return fault.Wrap(err, "open upload")
	}
	defer file.Close()
	return s.Parser.Parse(ctx, ParseRequest{File: file, Name: i.File, Format: i.Format, Header: i.Header, Skip: skip, Limit: limit}, each)
}

// StartImportRequest says what an uploaded file is and where it goes. Empty
// Format and Mapping are guessed. The dataset is made if it is new; Purpose
// must be that of one that exists, or empty.
type StartImportRequest struct {
	Dataset    string
	Purpose    Purpose
	Format     Format
	Header     Header
	Mapping    Mapping
	AddClasses bool
}

// StartImport lets an uploaded file come in, as work behind the scenes.
func (s *Service) StartImport(ctx context.Context, actor ledger.Actor, project ProjectID, id ImportID, req StartImportRequest) (Import, error) {
	preview, err := s.PreviewImport(ctx, actor, project, id, PreviewImportRequest{Format: req.Format, Header: req.Header, Mapping: req.Mapping})
	if err != nil {
		return Import{}, err
	}
	i := preview.Import
	if err := actor.Must(project, ledger.ActionImport); err != nil {
		return Import{}, err
	}
	if preview.Failure != "" {
		return Import{}, fault.New(fault.Invalid, "%s: %s", i.File, preview.Failure)
	}
	if err := preview.Mapping.Check(preview.Columns); err != nil {
		return Import{}, err
	}
	dataset := Dataset{ID: DatasetID(s.NewID()), Project: project, Name: strings.TrimSpace(req.Dataset), Purpose: req.Purpose}
	if dataset.Purpose == "" {
		dataset.Purpose = PurposeTraining
	}
	if err := dataset.Validate(); err != nil {
		return Import{}, err
	}
	err = s.Update(ctx, func(tx Tx) error {
		var err error
		if i, err = tx.Import(id); err != nil {
			return fault.Wrap(err, "find import")
		}
		if i.State != ImportUploaded {
			return fault.New(fault.Conflict, "%s is being imported already.", i.File)
		}
		d, err := tx.DatasetNamed(project, dataset.Name)
		switch {
		case fault.Is(err, fault.NotFound):
			d = dataset
			d.CreatedAt = tx.Now()
			if err := tx.CreateDataset(d); err != nil {
				return fault.Wrap(err, "create dataset")
			}
			if err := tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "dataset.created",
				Subject: ledger.Subject{Kind: "dataset", ID: string(d.ID)}, Payload: d}); err != nil {
				return err
			}
		case err != nil:
			return fault.Wrap(err, "find dataset")
		case req.Purpose != "" && req.Purpose != d.Purpose:
			return fault.Field("purpose", "The dataset %s is for %s and stays so; import into another dataset for %s.", d.Name, d.Purpose, req.Purpose)
		}
		i.State, i.Dataset, i.AddClasses = ImportQueued, d.ID, req.AddClasses
		i.Format, i.Header, i.Mapping = preview.Import.Format, req.Header, preview.Mapping
		if err := tx.UpdateImport(i); err != nil {
			return fault.Wrap(err, "start import")
		}
		if err := tx.Enqueue(work.Order{Kind: WorkImport, Key: string(i.ID), Payload: importWork{i.ID}}); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "import.started",
			Subject: ledger.Subject{Kind: "import", ID: string(i.ID)}, Payload: i})
	})
	return i, err
}

// Import returns an import of a project, or NotFound.
func (s *Service) Import(ctx context.Context, actor ledger.Actor, project ProjectID, id ImportID) (Import, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Import{}, err
	}
	var i Import
	err := s.View(ctx, func(tx Tx) (err error) {
		i, err = tx.Import(id)
		if err == nil && i.Project != project || fault.Is(err, fault.NotFound) {
			return fault.New(fault.NotFound, "There is no import %q in this project.", id)
		}
		return fault.Wrap(err, "find import")
	})
	return i, err
}

// Imports lists the newest imports of a project.
func (s *Service) Imports(ctx context.Context, actor ledger.Actor, project ProjectID) ([]Import, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var imports []Import
	err := s.View(ctx, func(tx Tx) (err error) {
		imports, err = tx.Imports(project, 50)
		return fault.Wrap(err, "list imports")
	})
	return imports, err
}

// ImportProblems lists the first problems of an import; somebody who judges blind
// is told of none.
func (s *Service) ImportProblems(ctx context.Context, actor ledger.Actor, project ProjectID, id ImportID, limit int) ([]ImportProblem, error) {
	if _, err := s.Import(ctx, actor, project, id); err != nil {
		return nil, err
	}
	var problems []ImportProblem
	err := s.View(ctx, func(tx Tx) error {
		sight, err := SightOf(tx, actor, project)
		if err != nil || sight.JudgesBlind() { // a reason quotes labels of the file
			return err
		}
		problems, err = tx.ImportProblems(id, min(max(limit, 1), MostProblems))
		return fault.Wrap(err, "list problems of an import")
	})
	return problems, err
}

// CancelImport stops an import. What came in stays.
func (s *Service) CancelImport(ctx context.Context, actor ledger.Actor, project ProjectID, id ImportID) (Import, error) {
	if err := actor.Must(project, ledger.ActionImport); err != nil {
		return Import{}, err
	}
	var i Import
	err := s.Update(ctx, func(tx Tx) error {
		var err error
		if i, err = tx.Import(id); err == nil && i.Project != project || fault.Is(err, fault.NotFound) {
			return fault.New(fault.NotFound, "There is no import %q in this project.", id)
		} else if err != nil {
			return fault.Wrap(err, "find import")
		}
		if i.State.Over() {
			return nil
		}
		i.State, i.FinishedAt = ImportCancelled, tx.Now()
		if err := tx.UpdateImport(i); err != nil {
			return fault.Wrap(err, "cancel import")
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "import.cancelled",
			Subject: ledger.Subject{Kind: "import", ID: string(id)}, Payload: i})
	})
	return i, err
}
