package app

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/adjudge/adjudge/backend/web"
)

// watchman is a collector of traces, as OpenTelemetry describes it (OTLP by HTTP).
type watchman struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*spans.Span
	raw     bytes.Buffer // all that was told, for what must not be in it
	service map[string]string
	headers []http.Header
	broken  error
}

func newWatchman(t *testing.T) *watchman {
	t.Helper()
	c := &watchman{service: map[string]string{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// env is what a server is given so that it tells this collector.
func (c *watchman) env() []string {
	return []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_EXPORTER_OTLP_HEADERS=api-key=s%20ecret", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
		"OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=ward", "OTEL_BSP_SCHEDULE_DELAY=100",
	}
}

// ServeHTTP takes a batch.
func (c *watchman) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.take(r); err != nil {
		c.broken = err
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *watchman) take(r *http.Request) error {
	in := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		plain, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		in = plain
	}
	body, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var batch collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &batch); err != nil {
		return err
	}
	c.headers = append(c.headers, r.Header)
	c.raw.Write(body)
	for _, of := range batch.ResourceSpans {
		for _, a := range of.Resource.Attributes {
			c.service[a.Key] = a.Value.GetStringValue()
		}
		for _, scope := range of.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	return nil
}

// all returns the spans of a name.
func (c *watchman) all(name string) []*spans.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*spans.Span
	for _, s := range c.spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// await waits until a span of a name was told.
func (c *watchman) await(t *testing.T, name string) *spans.Span {
	t.Helper()
	waitUntil(t, fmt.Sprintf("a span %q is told", name), func() bool { return len(c.all(name)) > 0 }, func() string {
		c.mu.Lock()
		defer c.mu.Unlock()
		var names []string
		for _, s := range c.spans {
			names = append(names, s.Name)
		}
		return fmt.Sprintf("told are %s (%v)", strings.Join(names, ", "), c.broken)
	})
	return c.all(name)[0]
}

// value returns what a span says under a name, as text.
func value(s *spans.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return strings.Trim(strings.TrimPrefix(strings.TrimPrefix(a.Value.String(), "string_value:"), "int_value:"), `"`)
		}
	}
	return ""
}

func TestACollectorIsToldOfEveryRoomAndOfNothingThatPeopleWrote(t *testing.T) {
	t.Parallel()
	const marker = "Zwiebelkuchen"
	c := newWatchman(t)
	l := startLimitedIn(t, c.env(), jobDir(t), "--log-level", "info", "--log-format", "json")
	writeEverywhere(t, l, marker)
	for _, path := range []string{"runs", "models", "candidates"} {
		if status, text := l.call("GET", "/api/v1/projects/"+demoProject+"/"+path, "", nil); status != 200 {
			t.Fatalf("%s: %d %s", path, status, text)
		}
	}
	socket, answered, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(l.address, "http")+"/projects/"+demoProject+"/live?page=items",
		http.Header{"Cookie": {l.cookie}, "Origin": {l.address}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answered.Body.Close()
	defer func() { _ = socket.Close() }()
	// It is told of when it is open, and not only when it ends.
	if opened := c.await(t, "GET /projects/{project}/live"); value(opened, "http.response.status_code") != "101" {
		t.Errorf("a socket says %v", opened.Attributes)
	}
	brought := c.await(t, "work labeling.import")
	if err := l.end(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	// What was left when it ended was told, too: all but nothing is missing now.
	page := c.await(t, "GET /projects/{project}/items")
	refused := c.await(t, "POST /api/v1/projects/{project}/candidates")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		t.Fatal(c.broken)
	}
	if value(page, "http.route") != "/projects/{project}/items" || value(page, "http.response.status_code") != "200" || page.Kind != spans.Span_SPAN_KIND_SERVER {
		t.Errorf("a page says %v", page.Attributes)
	}
	if value(refused, "error.type") == "" || refused.Status.GetCode() == spans.Status_STATUS_CODE_ERROR {
		t.Errorf("a refusal says %v %v", refused.Attributes, refused.Status)
	}
	if value(brought, "adjudge.work.kind") != "labeling.import" {
		t.Errorf("an import says %v", brought.Attributes)
	}
	rooms := map[string]bool{}
	for _, s := range c.spans {
		if room := value(s, "adjudge.room"); room != "" {
			rooms[room] = true
			if len(s.ParentSpanId) == 0 || value(s, "db.system.name") != "sqlite" {
				t.Errorf("%s belongs to nothing: %v", s.Name, s.Attributes)
			}
		}
		for _, a := range s.Attributes {
			known(t, s, a)
		}
		if s.Status.GetMessage() != "" && strings.ContainsAny(s.Status.GetMessage(), " ") {
			t.Errorf("%s has the message %q", s.Name, s.Status.GetMessage())
		}
	}
	for _, room := range []string{"labeling", "identity", "compare", "review", "training"} {
		if !rooms[room] {
			t.Errorf("no transaction of %s was told, only of %v", room, rooms)
		}
	}
	if c.service["service.name"] != "adjudge" || c.service["service.version"] == "" || c.service["deployment.environment.name"] != "ward" {
		t.Errorf("the service is %v", c.service)
	}
	if got := c.headers[0].Get("Api-Key"); got != "s ecret" {
		t.Errorf("the collector's key is %q", got)
	}
	told := bytes.ToLower(c.raw.Bytes())
	// What people wrote, their names, the texts of the demo, secrets and ids.
	for _, never := range []string{marker, demoProject, "Zoe", "launch?", "adj_", "User-Agent", "127.0.0.1", "select ", "insert "} {
		if bytes.Contains(told, bytes.ToLower([]byte(never))) {
			t.Errorf("the collector was told of %q", never)
		}
	}
	traced := 0
	for line := range bytes.Lines(l.log.Bytes()) {
		var entry map[string]any
		if json.Unmarshal(line, &entry) == nil && entry["msg"] == "request" && entry["route"] == "/projects/{project}/items" {
			if id, _ := entry["trace_id"].(string); len(id) == 32 {
				traced++
			}
		}
	}
	if traced == 0 {
		t.Error("no line of the log says its trace")
	}
}

// known holds what a span may say to the names that are meant.
func known(t *testing.T, s *spans.Span, a *common.KeyValue) {
	t.Helper()
	switch a.Key {
	case "http.request.method", "http.route", "http.response.status_code", "error.type", "db.system.name", "db.operation.name", "server.address",
		"adjudge.room", "adjudge.store.waited_s", "adjudge.work.kind", "adjudge.work.tries", "adjudge.job.kind", "adjudge.job.recipe", "adjudge.job.state",
		"adjudge.attempt.number", "adjudge.attempt.fence", "adjudge.attempt.state", "adjudge.attempt.reason", "adjudge.engine":
	default:
		t.Errorf("%s says %s, which nobody has decided may be told", s.Name, a.Key)
	}
}

func TestATrainingIsOneTraceFromItsTriggerToItsEndThoughItsServerStops(t *testing.T) {
	t.Parallel()
	c := newWatchman(t)
	rig := newTrainingRig(t, 60)
	rig.env = c.env()
	rig.serve()
	run := rig.train("--param", "epochs=2")
	asked := c.await(t, "POST /api/v1/projects/{project}/runs")
	_ = rig.server.Process.Signal(syscall.SIGTERM)
	if err := rig.server.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	rig.serve() // it comes back, and brings the training to its end
	rig.until(run.Number, "over", func(r web.RunBody) bool { return r.State == "succeeded" })
	job, attempt := c.await(t, "train job"), c.await(t, "train attempt")
	if !bytes.Equal(job.TraceId, attempt.TraceId) || !bytes.Equal(attempt.ParentSpanId, job.SpanId) || len(job.ParentSpanId) != 0 {
		t.Errorf("the attempt is no part of its job: %v, %v", attempt, job)
	}
	if len(job.Links) != 1 || !bytes.Equal(job.Links[0].TraceId, asked.TraceId) || !bytes.Equal(job.Links[0].SpanId, asked.SpanId) {
		t.Errorf("the job is linked to %v and not to the request", job.Links)
	}
	if job.StartTimeUnixNano < asked.StartTimeUnixNano || job.EndTimeUnixNano < attempt.EndTimeUnixNano || attempt.StartTimeUnixNano < job.StartTimeUnixNano {
		t.Error("the times are out of order")
	}
	if value(attempt, "adjudge.attempt.state") != "succeeded" || value(job, "adjudge.job.recipe") != "text-linear" {
		t.Errorf("the attempt says %v", attempt.Attributes)
	}
	// What follows is linked to the work that asked for it.
	if predict := c.await(t, "predict job"); len(predict.Links) != 1 {
		t.Errorf("what follows is linked to %v", predict.Links)
	}
}

// Two ways in which a collector can be of no use, on the real program.
func TestAServerDoesNotWaitForACollectorThatHangsOrIsGone(t *testing.T) {
	t.Parallel()
	let := make(chan struct{})
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-let
	}))
	defer stuck.Close()
	defer close(let)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, at := range map[string]string{"hangs": stuck.URL, "is gone": gone.URL} {
		address, _, stop := startServerWith(t, t.TempDir(), []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + at, "OTEL_BSP_SCHEDULE_DELAY=10"})
		t.Logf("300 requests and an end while the collector %s", name)
		for range 300 { // the collector that hangs does so until all is over
			fetch(t, http.DefaultClient, address+"/sign-in")
		}
		stop() // says so where it does not end in good order
	}
}
