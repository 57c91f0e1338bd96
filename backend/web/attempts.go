package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/training"
)

// The attempt routes are the protocol between a runner and this server: plain
// routes, because bodies are streams. See training's protocol.go.

// maxOutput is the most that one output file of an attempt may hold.
const maxOutput = 64 << 30

func (s *Server) attemptRoutes() []route {
	return []route{
		{POST, apiPrefix + "/attempts/{fence}/start", attempt, "", s.postAttemptStart},
		{GET, apiPrefix + "/attempts/{fence}/input/{name}/*", attempt, "", s.getAttemptInput},
		{POST, apiPrefix + "/attempts/{fence}/heartbeat", attempt, "", s.postAttemptHeartbeat},
		{PATCH, apiPrefix + "/attempts/{fence}/log", attempt, "", s.patchAttempt(training.StreamLog)},
		{PATCH, apiPrefix + "/attempts/{fence}/metrics", attempt, "", s.patchAttempt(training.StreamMetrics)},
		{PUT, apiPrefix + "/attempts/{fence}/output/*", attempt, "", s.putAttemptOutput},
		{POST, apiPrefix + "/attempts/{fence}/finish", attempt, "", s.postAttemptFinish},
	}
}

// fenceOf returns the attempt of a request: the one whose token it carries, and
// no other.
func fenceOf(r *http.Request) (int64, error) {
	if chi.URLParam(r, "fence") != attemptOf(r) {
		return 0, fault.New(fault.Denied, "This token belongs to another attempt.")
	}
	return strconv.ParseInt(attemptOf(r), 10, 64)
}

func (s *Server) postAttemptStart(w http.ResponseWriter, r *http.Request) error {
	fence, err := fenceOf(r)
	if err != nil {
		return err
	}
	spec, err := s.Training.StartAttempt(r.Context(), fence)
	if err != nil {
		return err
	}
	return renderJSON(w, http.StatusOK, spec)
}

func (s *Server) getAttemptInput(w http.ResponseWriter, r *http.Request) error {
	fence, err := fenceOf(r)
	if err != nil {
		return err
	}
	body, err := s.Training.OpenInput(r.Context(), fence, chi.URLParam(r, "name"), chi.URLParam(r, "*"))
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	w.Header().Set("Content-Type", "application/octet-stream")
	_, err = io.Copy(w, body)
	return err
}

func (s *Server) postAttemptHeartbeat(w http.ResponseWriter, r *http.Request) error {
	fence, err := fenceOf(r)
	if err != nil {
		return err
	}
	var beat training.Beat
	if err := readJSON(r, &beat); err != nil {
		return err
	}
	answer, err := s.Training.Heartbeat(r.Context(), fence, beat)
	if err != nil {
		return err
	}
	return renderJSON(w, http.StatusOK, answer)
}

// patchAttempt takes a piece of a stream. A piece that does not follow what is
// stored is answered 416 with the range that is there, so that the runner goes
// on from its end.
func (s *Server) patchAttempt(stream training.Stream) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		fence, err := fenceOf(r)
		if err != nil {
			return err
		}
		first, last, err := contentRange(r.Header.Get("Content-Range"))
		if err != nil {
			return err
		}
		body, err := io.ReadAll(Bounded(w, r, training.MaxChunk).Body)
		if err != nil {
			return err
		}
		if int64(len(body)) != last-first+1 {
			return fault.Field("Content-Range", "The body holds %d bytes, its range names %d.", len(body), last-first+1)
		}
		answer, err := s.Training.Append(r.Context(), fence, stream, first, body)
		if gap, ok := errors.AsType[*training.RangeError](err); ok {
			w.Header().Set("Range", "0-"+strconv.FormatInt(gap.Next, 10))
			return renderJSON(w, http.StatusRequestedRangeNotSatisfiable, training.Answer{Next: gap.Next})
		}
		if err != nil {
			return err
		}
		w.Header().Set("Range", "0-"+strconv.FormatInt(answer.Next, 10))
		return renderJSON(w, http.StatusAccepted, answer)
	}
}

// contentRange reads "bytes 0-99/*".
func contentRange(header string) (first, last int64, err error) {
	spec, _, _ := strings.Cut(strings.TrimPrefix(header, "bytes "), "/")
	from, to, ok := strings.Cut(spec, "-")
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	if !ok || err1 != nil || err2 != nil || first < 0 || last < first {
		return 0, 0, fault.Field("Content-Range", "%.60q names no range; it looks like bytes 0-99/*.", header)
	}
	return first, last, nil
}

func (s *Server) putAttemptOutput(w http.ResponseWriter, r *http.Request) error {
	fence, err := fenceOf(r)
	if err != nil {
		return err
	}
	file, err := s.Training.SaveOutput(r.Context(), fence, chi.URLParam(r, "*"), Bounded(w, r, maxOutput).Body)
	if err != nil {
		return err
	}
	return renderJSON(w, http.StatusOK, file)
}

func (s *Server) postAttemptFinish(w http.ResponseWriter, r *http.Request) error {
	fence, err := fenceOf(r)
	if err != nil {
		return err
	}
	var finish training.Finish
	if err := readJSON(r, &finish); err != nil {
		return err
	}
	if err := s.Training.Finish(r.Context(), fence, finish); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func readJSON(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if err = mustBeUnicode(body); err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		return fault.As(fault.Invalid, err, "The body is not the JSON that belongs here.")
	}
	return nil
}
