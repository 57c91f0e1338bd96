package web

import (
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// fileRoutes are the uploads and downloads of the API, which carry files.
func (s *Server) fileRoutes() []route {
	return []route{
		{POST, apiPrefix + "/projects/{project}/uploads", either, ledger.ActionImport, s.postUploadAPI},
		{GET, apiPrefix + "/projects/{project}/export", either, ledger.ActionExport, s.getExport},
		{GET, apiPrefix + "/projects/{project}/snapshots/{snapshot}/export", either, ledger.ActionExport, s.getSnapshotExport},
	}
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
