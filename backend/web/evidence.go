package web

import (
	"archive/zip"
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/review"
)

func (s *Server) evidenceFiles(r *http.Request) ([]review.File, error) {
	ref, err := candidateRef(r)
	if err != nil {
		return nil, err
	}
	return s.Review.EvidenceFiles(r.Context(), actorOf(r), projectOf(r).ID, ref)
}

func (s *Server) getEvidence(w http.ResponseWriter, r *http.Request) error {
	files, err := s.evidenceFiles(r)
	if err != nil {
		return err
	}
	name := r.PathValue("file")
	i := slices.IndexFunc(files, func(f review.File) bool { return f.Name == name })
	if i < 0 {
		return fault.New(fault.NotFound, "This candidate has no such signed file.")
	}
	return sendFile(w, name, files[i].Content)
}

func (s *Server) getEvidenceZip(w http.ResponseWriter, r *http.Request) error {
	files, err := s.evidenceFiles(r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, f := range files {
		out, err := archive.Create(f.Name)
		if err != nil {
			return err
		}
		if _, err := out.Write(f.Content); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return sendFile(w, "evidence.zip", b.Bytes())
}

// sendFile answers a download. Names are ours: ids and fixed words.
func sendFile(w http.ResponseWriter, name string, content []byte) error {
	kind := "application/octet-stream"
	if strings.HasSuffix(name, ".json") {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, err := w.Write(content)
	return ignoreGone(err)
}
