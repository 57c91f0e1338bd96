package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
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

// getReady says whether the store answers, so that a load balancer may send people.
func (s *Server) getReady(w http.ResponseWriter, r *http.Request) error {
	if s.Ready != nil {
		if err := s.Ready(r.Context()); err != nil {
			return fault.As(fault.Unavailable, err, "The store does not answer.")
		}
	}
	return s.getHealth(w, r)
}

// gauges counts requests for /metrics, by route pattern and never by path.
type gauges struct {
	mu     sync.Mutex
	series map[[3]string]*gauge
}

type gauge struct {
	requests int64
	seconds  float64
}

func (g *gauges) count(method, pattern string, status int, took time.Duration) {
	if pattern == "" {
		pattern = "other"
	}
	key := [3]string{method, pattern, fmt.Sprint(status)}
	if pattern == "other" {
		key[0] = "any" // a stranger may send any word as method
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.series == nil {
		g.series = map[[3]string]*gauge{}
	}
	if g.series[key] == nil {
		g.series[key] = &gauge{}
	}
	g.series[key].requests++
	g.series[key].seconds += took.Seconds()
}

// getMetrics answers in the text format that Prometheus scrapes.
func (s *Server) getMetrics(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, err := w.Write([]byte(s.gauges.String()))
	return ignoreGone(err)
}

// String writes the counters in Prometheus' text format, in a fixed order.
func (g *gauges) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var keys [][3]string
	for key := range g.series {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b [3]string) int { return strings.Compare(strings.Join(a[:], " "), strings.Join(b[:], " ")) })
	var b strings.Builder
	b.WriteString("# HELP adjudge_http_request_duration_seconds Requests answered and the time they took.\n# TYPE adjudge_http_request_duration_seconds summary\n")
	for _, key := range keys {
		labels := fmt.Sprintf("{method=%q,route=%q,status=%q}", key[0], key[1], key[2])
		fmt.Fprintf(&b, "adjudge_http_request_duration_seconds_sum%s %g\nadjudge_http_request_duration_seconds_count%s %d\n",
			labels, g.series[key].seconds, labels, g.series[key].requests)
	}
	return b.String()
}
