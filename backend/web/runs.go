package web

import (
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// runRoutes are the pages about training, and the log of a run, which is bytes.
func (s *Server) runRoutes() []route {
	return []route{
		{GET, "/projects/{project}/runs/{number}/log", login, ledger.ActionRead, s.getRunLog},
		{GET, apiPrefix + "/projects/{project}/runs/{number}/log", either, ledger.ActionRead, s.getRunLog},
	}
}

// runNumber reads {number}.
func runNumber(r *http.Request) (int, error) {
	n, err := strconv.Atoi(chi.URLParam(r, "number"))
	if err != nil || n < 1 {
		return 0, fault.New(fault.NotFound, "There is no run %.20q in this project.", chi.URLParam(r, "number"))
	}
	return n, nil
}

// queryInt reads a number of the address; absent is 0.
func queryInt(r *http.Request, name string) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.Field(name, "%s is %.30q; it is a number, 0 or more.", name, text)
	}
	return n, nil
}

// getRunLog answers a piece of the log. X-Log-Total says how many bytes there
// are now, X-Log-Over whether more may come.
func (s *Server) getRunLog(w http.ResponseWriter, r *http.Request) error {
	number, err := runNumber(r)
	if err != nil {
		return err
	}
	var query [3]int64
	for i, name := range []string{"fence", "offset", "limit"} {
		if query[i], err = queryInt(r, name); err != nil {
			return err
		}
	}
	part, err := s.Training.ReadLog(r.Context(), actorOf(r), projectOf(r).ID, number, query[0], query[1], int(min(query[2], 1<<20)))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Log-Fence", strconv.FormatInt(part.Fence, 10))
	h.Set("X-Log-Total", strconv.FormatInt(part.Total, 10))
	h.Set("X-Log-Over", strconv.FormatBool(part.Over))
	_, err = w.Write(part.Body)
	return ignoreGone(err)
}
