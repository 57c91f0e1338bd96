// Package meter counts what operators watch, under the names and in the units
// that Prometheus recommends. No label holds a path, a person or anything that
// people wrote: routes are patterns, and every other label has few values.
package meter

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Meter counts. Its methods are safe for concurrent use and never block.
type Meter struct {
	registry *prometheus.Registry
	handler  http.Handler

	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	commit   prometheus.Histogram
	group    prometheus.Histogram
	gate     *prometheus.CounterVec
	blob     prometheus.Counter
}

// Reading is what is looked at when somebody asks, rather than counted.
type Reading struct {
	Waiting, Running, Parked int64            // follow-up work
	Lag                      time.Duration    // of the work that waits longest
	Jobs                     map[string]int64 // training jobs by state
	Sockets                  int              // pages that listen
	FreeBytes                float64          // on the disk of the data directory; negative: unknown
}

// New returns a meter of a program of a version. read is called for every scrape
// and says false where the queues cannot be looked at; what it then returns of
// the rest is shown all the same.
func New(version string, read func(context.Context) (Reading, bool)) *Meter {
	m := &Meter{registry: prometheus.NewRegistry()}
	m.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "adjudge_http_requests_total", Help: "Requests answered, by route pattern.",
	}, []string{"method", "route", "status"})
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "adjudge_http_request_duration_seconds", Help: "Time to answer, by route pattern. The answers of people are the route of annotations.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"method", "route"})
	m.commit = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "adjudge_store_commit_duration_seconds", Help: "Time from the first update of a group to its commit.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
	})
	m.group = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "adjudge_store_commit_updates", Help: "Updates made durable by one commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 10),
	})
	m.gate = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "adjudge_gate_answers_total", Help: "Answers of the gate."}, []string{"answer"})
	m.blob = prometheus.NewCounter(prometheus.CounterOpts{Name: "adjudge_blob_stored_bytes_total", Help: "Bytes of files that were put into the store of files."})
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "adjudge_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version}})
	info.Set(1)
	for _, answer := range []string{"approved", "refused"} {
		m.gate.WithLabelValues(answer)
	}
	m.registry.MustRegister(m.requests, m.seconds, m.commit, m.group, m.gate, m.blob, info, &reader{read: read},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return m
}

// Request counts an answer. The route is a pattern; "" for what matched none.
func (m *Meter) Request(method, route string, status int, took time.Duration) {
	if route == "" {
		method, route = "any", "other" // a stranger may send any word as method
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(method, route).Observe(took.Seconds())
}

// Commit counts a group of updates that were committed together.
func (m *Meter) Commit(updates int, took time.Duration) {
	m.group.Observe(float64(updates))
	m.commit.Observe(took.Seconds())
}

// Gate counts an answer of the gate.
func (m *Meter) Gate(approved bool) {
	if approved {
		m.gate.WithLabelValues("approved").Inc()
	} else {
		m.gate.WithLabelValues("refused").Inc()
	}
}

// Stored counts bytes that were put among the files.
func (m *Meter) Stored(bytes int64) { m.blob.Add(float64(bytes)) }

// ServeHTTP answers a scrape.
func (m *Meter) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.handler.ServeHTTP(w, r) }

// reader collects what is looked at for each scrape.
type reader struct {
	read func(context.Context) (Reading, bool)
}

var (
	workItems = prometheus.NewDesc("adjudge_work_items", "Follow-up work, by state: waiting, running or parked (given up).", []string{"state"}, nil)
	workLag   = prometheus.NewDesc("adjudge_work_lag_seconds", "How long the oldest work has been due that nobody has begun.", nil, nil)
	jobs      = prometheus.NewDesc("adjudge_training_jobs", "Training jobs, by state.", []string{"state"}, nil)
	sockets   = prometheus.NewDesc("adjudge_live_sockets", "Pages that are open and listen.", nil, nil)
	free      = prometheus.NewDesc("adjudge_disk_free_bytes", "Room on the disk of the data directory.", nil, nil)
	up        = prometheus.NewDesc("adjudge_store_up", "1 where the database answered this scrape.", nil, nil)
)

// Describe implements prometheus.Collector.
func (*reader) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{workItems, workLag, jobs, sockets, free, up} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (r *reader) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	now, ok := r.read(ctx)
	set := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	set(sockets, float64(now.Sockets))
	if now.FreeBytes >= 0 {
		set(free, now.FreeBytes)
	}
	if !ok {
		set(up, 0)
		return
	}
	set(up, 1)
	set(workItems, float64(now.Waiting), "waiting")
	set(workItems, float64(now.Running), "running")
	set(workItems, float64(now.Parked), "parked")
	set(workLag, now.Lag.Seconds())
	for state, n := range now.Jobs {
		set(jobs, float64(n), state)
	}
}
