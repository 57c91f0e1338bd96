package web

import (
	"errors"
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
)

// importRoutes are the pages on which files come in.
func (s *Server) importRoutes() []route {
	return []route{
		{GET, "/projects/{project}/import", login, ledger.ActionImport, s.getImport},
		{POST, "/projects/{project}/imports", login, ledger.ActionImport, s.postImport},
		{GET, "/projects/{project}/imports/{import}", login, ledger.ActionRead, s.getImportPage},
		{POST, "/projects/{project}/imports/{import}/start", login, ledger.ActionImport, s.postImportStart},
		{POST, "/projects/{project}/imports/{import}/cancel", login, ledger.ActionImport, s.postImportCancel},
	}
}

func (s *Server) getImport(w http.ResponseWriter, r *http.Request) error {
	return s.showImport(w, r, http.StatusOK, "")
}

func (s *Server) showImport(w http.ResponseWriter, r *http.Request, status int, message string) error {
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	imports, err := s.Labeling.Imports(ctx, actor, link.ID)
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	datasets, err := s.Labeling.Datasets(ctx, actor, link.ID)
	if err != nil {
		return err
	}
	titles := map[labeling.DatasetID]string{}
	for _, d := range datasets {
		titles[d.ID] = d.Name
	}
	v := page.ImportView{Project: link, Error: message}
	for _, i := range imports[:min(len(imports), 10)] {
		v.Recent = append(v.Recent, page.ImportRow{Import: i, Dataset: titles[i.Dataset], Href: link.Href("imports", string(i.ID)), By: names[i.CreatedBy]})
	}
	return s.render(w, r, status, view{Title: ui.T(ctx, "import.title"), Active: "datasets", Islands: []string{"upload"}}, page.Import(v))
}

// postImport takes a file of a form, as it comes in and whatever its size.
func (s *Server) postImport(w http.ResponseWriter, r *http.Request) error {
	r = Bounded(w, r, MaxUpload)
	form, err := r.MultipartReader()
	if err != nil {
		return fault.As(fault.Invalid, err, "The form could not be read. Reload the page and try again.")
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return s.showImport(w, r, http.StatusUnprocessableEntity, ui.T(r.Context(), "import.drop"))
		}
		if err != nil {
			return fault.As(fault.Invalid, uploadFault(err), "The upload was cut off. Nothing came in; try again.")
		}
		if part.FormName() != "file" {
			continue
		}
		i, err := s.Labeling.Upload(r.Context(), actorOf(r), projectOf(r).ID, part.FileName(), part)
		if isRefusal(err) {
			return s.showImport(w, r, http.StatusUnprocessableEntity, page.Refusal(r.Context(), err))
		}
		if err != nil {
			return uploadFault(err)
		}
		return s.seeOther(w, r, linkOf(r).Href("imports", string(i.ID)))
	}
}

func (s *Server) getImportPage(w http.ResponseWriter, r *http.Request) error {
	i, err := s.Labeling.Import(r.Context(), actorOf(r), projectOf(r).ID, labeling.ImportID(chi.URLParam(r, "import")))
	if err != nil {
		return err
	}
	if i.State != labeling.ImportUploaded {
		return s.showImportRun(w, r, i)
	}
	q := r.URL.Query()
	form := page.NewImportForm(i, q.Get("dataset"), q.Get("purpose"))
	return s.showPreview(w, r, http.StatusOK, i, previewRequest(q.Get), form)
}

// previewRequest reads the choices of the preview's form.
func previewRequest(get func(string) string) labeling.PreviewImportRequest {
	return labeling.PreviewImportRequest{
		Format: labeling.Format(get("format")), Header: labeling.Header(get("header")),
		Mapping: labeling.Mapping{Text: get("text"), Media: get("media"), Label: get("label"), Key: get("key")},
	}
}

func (s *Server) showPreview(w http.ResponseWriter, r *http.Request, status int, i labeling.Import, req labeling.PreviewImportRequest, form page.FormView) error {
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	preview, err := s.Labeling.PreviewImport(ctx, actor, link.ID, i.ID, req)
	if err != nil {
		return err
	}
	if preview.Mapping.Check(preview.Columns) != nil { // columns of another format
		preview.Mapping = labeling.GuessMapping(preview.Columns, preview.Records)
	}
	datasets, err := s.Labeling.Datasets(ctx, actor, link.ID)
	if err != nil {
		return err
	}
	v := page.ImportPreviewView{Project: link, Import: i, Preview: preview, Datasets: datasets, Form: form, Href: link.Href("imports", string(i.ID))}
	return s.render(w, r, status, view{Title: i.File, Active: "datasets",
		Path: []ui.Crumb{{Text: ui.T(ctx, "import.title"), Href: link.Href("import")}, {Text: i.File, User: true}}}, page.ImportPreview(v))
}

func (s *Server) showImportRun(w http.ResponseWriter, r *http.Request, i labeling.Import) error {
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	d, err := s.Labeling.Dataset(ctx, actor, link.ID, string(i.Dataset))
	if err != nil {
		return err
	}
	problems, err := s.Labeling.ImportProblems(ctx, actor, link.ID, i.ID, 200)
	if err != nil {
		return err
	}
	v := page.ImportRunView{Project: link, Import: i, Dataset: d, Problems: problems, Href: link.Href("imports", string(i.ID)),
		MayCancel: actor.May(link.ID, ledger.ActionImport), MayLabel: actor.May(link.ID, ledger.ActionLabel), MayFreeze: actor.May(link.ID, ledger.ActionSnapshot)}
	return s.render(w, r, http.StatusOK, view{Title: i.File, Active: "datasets",
		Path: []ui.Crumb{{Text: ui.T(ctx, "import.title"), Href: link.Href("import")}, {Text: i.File, User: true}}}, page.ImportRun(v))
}

func (s *Server) postImportStart(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := labeling.ImportID(chi.URLParam(r, "import"))
	f := r.PostForm
	req := previewRequest(f.Get)
	i, err := s.Labeling.StartImport(r.Context(), actorOf(r), projectOf(r).ID, id, labeling.StartImportRequest{
		Dataset: f.Get("dataset"), Purpose: labeling.Purpose(f.Get("purpose")), Format: req.Format, Header: req.Header, Mapping: req.Mapping,
		AddClasses: f.Get("add") == "true",
	})
	if isRefusal(err) {
		found, findErr := s.Labeling.Import(r.Context(), actorOf(r), projectOf(r).ID, id)
		if findErr != nil {
			return findErr
		}
		if found.State == labeling.ImportUploaded {
			return s.showPreview(w, r, http.StatusUnprocessableEntity, found, req, page.RefusedImport(r.Context(), typed(r, "dataset", "purpose", "add"), err))
		}
		i, err = found, nil
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, linkOf(r).Href("imports", string(i.ID)))
}

func (s *Server) postImportCancel(w http.ResponseWriter, r *http.Request) error {
	i, err := s.Labeling.CancelImport(r.Context(), actorOf(r), projectOf(r).ID, labeling.ImportID(chi.URLParam(r, "import")))
	if err != nil {
		return err
	}
	return s.seeOther(w, r, linkOf(r).Href("imports", string(i.ID)))
}
