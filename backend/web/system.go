package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// systemRoutes are for operators and machines.
func (s *Server) systemRoutes() []route {
	return []route{
		{GET, "/healthz", none, "", s.getHealth},
		{GET, "/readyz", none, "", s.getReady},
		{GET, "/metrics", metrics, ledger.ActionRead, s.getMetrics},
		{GET, "/static/*", none, "", s.getStatic},
		{GET, apiPrefix + "/version", none, "", s.getVersion},
		{GET, apiPrefix + "/openapi.json", none, "", s.getOpenAPI()},
	}
}

func (s *Server) getStatic(w http.ResponseWriter, r *http.Request) error {
	if s.Static == nil {
		return s.notFound(w, r)
	}
	w.Header().Del("Cache-Control") // static files set their own
	s.Static.ServeHTTP(w, r)
	return nil
}

// getHealth says that the process answers at all.
func (s *Server) getHealth(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := w.Write([]byte("ok\n"))
	return ignoreGone(err)
}

// getVersion says what answers here. The desktop window asks before it shows a
// team's server.
func (s *Server) getVersion(w http.ResponseWriter, _ *http.Request) error {
	return renderJSON(w, http.StatusOK, map[string]string{"name": "adjudge", "version": s.Version})
}

// readyTime is how long the parts of a server may take to say that they work.
const readyTime = 5 * time.Second

// getReady says whether the parts of the server work, so that a load balancer
// may send people: database, files and disk.
func (s *Server) getReady(w http.ResponseWriter, r *http.Request) error {
	if s.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		if err := s.Ready(ctx); err != nil {
			s.Log.LogAttrs(r.Context(), slog.LevelWarn, "not ready", slog.String("error", err.Error()))
			if _, said := errors.AsType[*fault.Error](err); !said {
				err = fault.As(fault.Unavailable, err, "A part of the server does not answer.")
			}
			return fault.As(fault.Unavailable, err, "%s", fault.Message(err))
		}
	}
	return s.getHealth(w, r)
}

// Meter counts what operators watch and answers those who read it.
type Meter interface {
	http.Handler
	// Request counts an answer; the route is a pattern, "" for what matched none.
	Request(method, route string, status int, took time.Duration)
	// Gate counts an answer of the gate.
	Gate(approved bool)
}

// getMetrics answers in the text format that Prometheus scrapes.
func (s *Server) getMetrics(w http.ResponseWriter, r *http.Request) error {
	if s.Meter == nil {
		return s.notFound(w, r)
	}
	s.Meter.ServeHTTP(w, r)
	return nil
}
