package web

import (
	"archive/zip"
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/review"
)

func (s *Server) getEvidence(w http.ResponseWriter, r *http.Request) error {
	ref, err := candidateRef(r)
	if err != nil {
		return err
	}
	f, err := s.Review.EvidenceFile(r.Context(), actorOf(r), projectOf(r).ID, ref, r.PathValue("file"))
	if err != nil {
		return err
	}
	return sendFile(w, f.Name, f.Content)
}

func (s *Server) getEvidenceZip(w http.ResponseWriter, r *http.Request) error {
	ref, err := candidateRef(r)
	if err != nil {
		return err
	}
	files, left, err := s.Review.EvidenceFiles(r.Context(), actorOf(r), projectOf(r).ID, ref)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		files = append(files, review.File{Name: "left-out.txt", Content: leftOut(left)})
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

// leftOut says which files are missing in an archive, and why.
func leftOut(left []review.LeftOut) []byte {
	var b bytes.Buffer
	for _, f := range left {
		b.WriteString(f.Name + "\t" + f.Reason + "\n")
	}
	return b.Bytes()
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
