package trace

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/adjudge/adjudge/backend/fault"
)

// watch returns a tracer and what it told, which is complete once it is closed.
func watch(t *testing.T) (*Tracer, func() map[string]tracetest.SpanStub) {
	t.Helper()
	kept := tracetest.NewInMemoryExporter()
	tracer, err := open(t.Context(), "v1", "here", keeps{kept})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tracer.Close)
	return tracer, func() map[string]tracetest.SpanStub {
		t.Helper()
		if err := tracer.provider.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
		spans := map[string]tracetest.SpanStub{}
		for _, s := range kept.GetSpans() {
			spans[s.Name] = s
		}
		return spans
	}
}

// keeps holds what was told after the end.
type keeps struct{ *tracetest.InMemoryExporter }

func (keeps) Shutdown(context.Context) error { return nil }

func said(s tracetest.SpanStub) map[string]string {
	all := map[string]string{}
	for _, a := range s.Attributes {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

func TestThereIsATracerOnlyWhereACollectorIsNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": false,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318":                                 true,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318/v1/traces":                true,
		"OTEL_EXPORTER_OTLP_ENDPOINT= ":                                             false,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318 OTEL_SDK_DISABLED=true":          false,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318 OTEL_TRACES_EXPORTER=none":       false,
		"OTEL_SERVICE_NAME=adjudge":                                                 false,
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://c:4318/v1/metrics":              false,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318 OTEL_TRACES_EXPORTER=otlp":       true,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318 OTEL_SDK_DISABLED=certainly-not": true,
	} {
		env := map[string]string{}
		for pair := range strings.FieldsSeq(text) {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		if got := Wanted(func(name string) string { return env[name] }); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	var nobody *Tracer
	nobody.Close() // is fine
}

func TestASpanOfARequestSaysRouteStatusAndKindOfFaultAndNothingElse(t *testing.T) {
	t.Parallel()
	tracer, told := watch(t)
	ask := func(method, path, pattern string, status int, kind fault.Kind) {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		r.Header.Set("User-Agent", "Zwiebel")
		_, end := tracer.Request(r)
		end(pattern, status, kind)
	}
	ask("GET", "/projects/zwiebel?q=zwiebel", "/projects/{project}", 200, "")
	ask("POST", "/projects/zwiebel/runs", "/projects/{project}/runs", 422, fault.Invalid)
	ask("PUT", "/zwiebel", "/annotations", 503, fault.Unavailable)
	ask("ZWIEBEL", "/zwiebel", "", 405, fault.Invalid)
	for _, quiet := range []string{"/healthz", "/readyz", "/metrics", "/static/app.css"} {
		ask("GET", quiet, quiet, 200, "")
	}
	spans := told()
	if len(spans) != 4 {
		t.Errorf("%d spans", len(spans))
	}
	page := spans["GET /projects/{project}"]
	if page.SpanKind != trace.SpanKindServer || page.SpanContext.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || page.Parent.SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("the trace of the caller does not go on: %+v", page.SpanContext)
	}
	if got := said(page); len(got) != 3 || got["http.route"] != "/projects/{project}" || got["http.response.status_code"] != "200" || got["http.request.method"] != "GET" {
		t.Errorf("a page says %v", got)
	}
	if s := spans["POST /projects/{project}/runs"]; said(s)["error.type"] != "invalid" || s.Status.Code != codes.Unset {
		t.Errorf("a request that is not right says %v, %v", said(s), s.Status)
	}
	if s := spans["PUT /annotations"]; said(s)["error.type"] != "unavailable" || s.Status.Code != codes.Error {
		t.Errorf("a request that we failed says %v, %v", said(s), s.Status)
	}
	if _, there := spans["_OTHER"]; !there {
		t.Error("a word that is no method has no span")
	}
	for _, s := range spans {
		for name, value := range said(s) {
			if strings.Contains(strings.ToLower(name+value+s.Name), "zwiebel") {
				t.Errorf("%s says %s=%s", s.Name, name, value)
			}
		}
	}
}

func TestTransactionsAreShownAsPartsOfWhatAsksForThem(t *testing.T) {
	t.Parallel()
	tracer, told := watch(t)
	ctx, end := tracer.Store(t.Context(), "view", "idle", "sqlite")
	end(0, nil)
	if ctx != t.Context() || len(told()) != 0 {
		t.Error("what a server asks while it idles is in a trace")
	}
	work, done := tracer.Work(t.Context(), "training.follow", 2)
	_, end = tracer.Store(work, "update", "labeling", "postgres")
	end(1500*time.Millisecond, fault.New(fault.Conflict, "zwiebel"))
	_, end = tracer.Store(work, "view", "compare", "postgres")
	end(0, errors.New("zwiebel"))
	done(nil)
	spans := told()
	parent, update, view := spans["work training.follow"], spans["update labeling"], spans["view compare"]
	if update.Parent.SpanID() != parent.SpanContext.SpanID() || parent.Parent.IsValid() || said(parent)["adjudge.work.tries"] != "2" {
		t.Errorf("%+v is no part of %+v", update, parent)
	}
	if got := said(update); got["adjudge.store.waited_s"] != "1.5" || got["db.system.name"] != "postgresql" || got["error.type"] != "conflict" || update.Status.Code == codes.Error {
		t.Errorf("an update says %v, %v", got, update.Status)
	}
	if got := said(view); got["error.type"] != "internal" || view.Status.Code != codes.Error || view.Status.Description != "internal" {
		t.Errorf("a view that failed says %v, %v", got, view.Status)
	}
}

func TestACallTellsItsTraceOnlyToHostsThatAnOperatorNamed(t *testing.T) {
	t.Parallel()
	tracer, told := watch(t)
	ctx, done := tracer.Work(t.Context(), "any", 1)
	call := func(named bool) string {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://sso.example.org/zwiebel?zwiebel", nil)
		if err != nil {
			t.Fatal(err)
		}
		sent, ended := tracer.Call(r, named)
		ended(&http.Response{StatusCode: http.StatusOK}, nil)
		if r.Header.Get("Traceparent") != "" {
			t.Error("the caller's request was changed")
		}
		return sent.Header.Get("Traceparent")
	}
	header := call(true)
	if got := said(told()["GET"]); got["server.address"] != "sso.example.org" || len(got) != 3 {
		t.Errorf("a call says %v", got)
	}
	if header == "" || !strings.Contains(header, told()["GET"].SpanContext.SpanID().String()) {
		t.Errorf("a host that was named hears %q", header)
	}
	if header := call(false); header != "" {
		t.Errorf("a host that nobody named hears %q", header)
	}
	done(nil)
}

func job(id string) Job {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return Job{ID: id, Kind: "train", Recipe: "text-linear", State: "running", CreatedAt: at}
}

func TestAnAttemptHasOneNameOnEveryServerAndIsLinkedToWhatAskedForIt(t *testing.T) {
	t.Parallel()
	one, told := watch(t)
	other, toldToo := watch(t)
	ctx, end := one.Request(httptest.NewRequestWithContext(t.Context(), "POST", "/runs", nil))
	j := job("0199")
	j.Cause = one.Cause(ctx)
	end("/runs", 200, "")
	a := Attempt{Fence: 7, Number: 1, Engine: "local", Placed: j.CreatedAt.Add(time.Second)}
	parent := one.Parent(j, a)
	if parent == "" || parent != other.Parent(j, a) || parent == one.Parent(j, Attempt{Fence: 8}) {
		t.Fatalf("the servers call it %q and %q", parent, other.Parent(j, a))
	}
	a.State, a.Reason, a.Failed = "lost", "lost", true
	a.Started, a.Ended = a.Placed.Add(time.Second), a.Placed.Add(time.Minute)
	one.Ended(j, a) // it is queued again
	if _, there := told()["train job"]; there {
		t.Error("a job that goes on was told of as over")
	}
	again := Attempt{Fence: 9, Number: 2, Engine: "local", State: "succeeded", Placed: a.Ended, Ended: a.Ended.Add(time.Minute)}
	j.State, j.EndedAt = "succeeded", again.Ended
	other.Ended(j, again)

	first, second, whole := told()["train attempt"], toldToo()["train attempt"], toldToo()["train job"]
	if got := "00-" + first.SpanContext.TraceID().String() + "-" + first.SpanContext.SpanID().String() + "-01"; got != parent {
		t.Errorf("the trainer was told %s, the collector %s", parent, got)
	}
	if first.Parent.SpanID() != whole.SpanContext.SpanID() || second.Parent.SpanID() != whole.SpanContext.SpanID() || first.SpanContext.SpanID() == second.SpanContext.SpanID() {
		t.Error("the attempts are no parts of their job")
	}
	if !whole.StartTime.Equal(j.CreatedAt) || !whole.EndTime.Equal(j.EndedAt) || !first.StartTime.Equal(a.Placed) || len(first.Events) != 1 || !first.Events[0].Time.Equal(a.Started) {
		t.Errorf("the times are wrong: %v to %v", whole.StartTime, whole.EndTime)
	}
	if first.Status.Code != codes.Error || whole.Status.Code != codes.Unset {
		t.Errorf("the attempt is %v, the job %v", first.Status, whole.Status)
	}
	asked := told()["POST /runs"].SpanContext
	if len(whole.Links) != 1 || whole.Links[0].SpanContext.SpanID() != asked.SpanID() || whole.Links[0].SpanContext.TraceID() != asked.TraceID() {
		t.Errorf("the job is linked to %+v", whole.Links)
	}
}

// Samplers take bits of a trace's id for dice, and those of a UUIDv7 are loaded.
func TestASamplerTakesJobsInProportion(t *testing.T) {
	t.Parallel()
	tracer := &Tracer{provider: sdk.NewTracerProvider(sdk.WithIDGenerator(ids{}), sdk.WithSampler(sdk.TraceIDRatioBased(0.2)))}
	tracer.tracer = tracer.provider.Tracer("test")
	sampled := 0
	for range 1000 {
		if strings.HasSuffix(tracer.Parent(job(uuid.Must(uuid.NewV7()).String()), Attempt{Fence: 1}), "-01") {
			sampled++
		}
	}
	if sampled < 120 || sampled > 280 {
		t.Errorf("%d of 1000 jobs are sampled, of which 200 should be", sampled)
	}
}

func TestALineOfTheLogSaysItsTrace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(Logs(slog.NewTextHandler(&out, nil))).With("a", 1)
	tracer, _ := watch(t)
	log.InfoContext(t.Context(), "outside")
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("a line about nothing names a trace: %s", &out)
	}
	ctx, end := tracer.Work(t.Context(), "any", 1)
	log.InfoContext(ctx, "inside")
	end(nil)
	at := trace.SpanContextFromContext(ctx)
	if !strings.Contains(out.String(), "a=1 trace_id="+at.TraceID().String()+" span_id="+at.SpanID().String()) {
		t.Errorf("%s", &out)
	}
}

func TestTheVariablesOfTheExporterMeanWhatTheyMeanElsewhere(t *testing.T) {
	t.Parallel()
	read := func(text string) (*upload, error) {
		env := map[string]string{}
		for pair := range strings.FieldsSeq(text) {
			name, value, _ := strings.Cut(pair, "=")
			env["OTEL_EXPORTER_OTLP_"+name] = value
		}
		return newUpload(func(name string) string { return env[name] }, "test")
	}
	for text, want := range map[string]string{
		"ENDPOINT=http://c:4318":                                       "http://c:4318/v1/traces",
		"ENDPOINT=http://c:4318/":                                      "http://c:4318/v1/traces",
		"ENDPOINT=https://c/otlp/":                                     "https://c/otlp/v1/traces",
		"TRACES_ENDPOINT=http://c:4318":                                "http://c:4318/",
		"TRACES_ENDPOINT=http://c:4318/api/traces ENDPOINT=http://d:1": "http://c:4318/api/traces",
	} {
		if u, err := read(text); err != nil || u.to != want {
			t.Errorf("%s: %+v, %v", text, u, err)
		}
	}
	u, err := read("ENDPOINT=http://c:1 HEADERS=api-key=a%20b%2Cc,x-team=ward,authorization=Basic%20YQ== TIMEOUT=2500 COMPRESSION=none")
	if err != nil || u.headers.Get("api-key") != "a b,c" || u.headers.Get("X-Team") != "ward" || u.headers.Get("Authorization") != "Basic YQ==" || u.client.Timeout != 2500*time.Millisecond || u.zip {
		t.Errorf("%+v, %v", u, err)
	}
	if u, err := read("ENDPOINT=http://c:1 HEADERS=a=1 TRACES_HEADERS=b=2 TRACES_COMPRESSION=gzip TRACES_TIMEOUT=1"); err != nil || u.headers.Get("A") != "" || u.headers.Get("B") != "2" || !u.zip || u.client.Timeout != time.Millisecond {
		t.Errorf("%+v, %v", u, err)
	}
	for _, text := range []string{
		"ENDPOINT=collector:4318", "ENDPOINT=ftp://c", "ENDPOINT=http://c:1 HEADERS=nothing", "ENDPOINT=http://c:1 COMPRESSION=zstd",
		"ENDPOINT=http://c:1 TIMEOUT=soon", "ENDPOINT=http://c:1 CERTIFICATE=/nowhere", "ENDPOINT=http://c:1 CLIENT_KEY=/nowhere",
	} {
		if _, err := read(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestABusyCollectorIsAskedAgainAndOneThatRefusesIsNot(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	answers := []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusOK, http.StatusForbidden, http.StatusFound}
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := int(asked.Add(1))
		w.Header().Set("Location", "http://elsewhere.invalid/")
		w.WriteHeader(answers[min(n, len(answers))-1])
	}))
	defer collector.Close()
	u, err := newUpload(func(name string) string {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL}[name]
	}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.UploadTraces(t.Context(), nil); err != nil || asked.Load() != 3 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
	for want := int32(4); want <= 5; want++ { // a redirect is a refusal: the key belongs to this address
		if err := u.UploadTraces(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "refuses") || asked.Load() != want {
			t.Errorf("asked %d times: %v", asked.Load(), err)
		}
	}
}

// The variables are the process's, so this test runs alone.
func TestACollectorThatHangsDelaysNobody(t *testing.T) {
	stuck, let := make(chan struct{}, 1000), make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		stuck <- struct{}{}
		<-let
	}))
	defer collector.Close()
	defer close(let)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	t.Setenv("OTEL_SERVICE_NAME", "labels")
	tracer := Open(t.Context(), "v1", "here", slog.New(slog.DiscardHandler))
	if tracer == nil {
		t.Fatal("there is no tracer")
	}
	make10k := func() {
		for range 10_000 {
			_, end := tracer.Request(httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
			end("/", 200, "")
		}
	}
	make10k()
	<-stuck // it holds a batch and does not answer
	// Five times what the queue holds: whoever waited for the collector would
	// have brought it twenty batches, one after the other.
	make10k()
	tracer.Close()
	if batches := len(stuck); batches > 6 {
		t.Errorf("10,000 requests and the end waited until %d batches were given up", batches)
	}
}

func TestWhatTheProgramCannotDoIsSaidAndHoldsNobodyUp(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	var out bytes.Buffer
	if tracer := Open(t.Context(), "v1", "here", slog.New(slog.NewTextHandler(&out, nil))); tracer != nil || !strings.Contains(out.String(), "http/protobuf") {
		t.Errorf("%v: %s", tracer, &out)
	}
}

func TestTheOperatorsWordsAboutTheServiceCountMoreThanOurs(t *testing.T) {
	t.Setenv("OTEL_SERVICE_NAME", "labels")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=ward,service.version=v7")
	tracer, told := watch(t)
	_, end := tracer.Work(t.Context(), "any", 1)
	end(nil)
	what := told()["work any"].Resource
	for name, want := range map[attribute.Key]string{
		"service.name": "labels", "service.version": "v7", "deployment.environment.name": "ward", "service.instance.id": "here", "telemetry.sdk.language": "go",
	} {
		if got, _ := what.Set().Value(name); got.String() != want {
			t.Errorf("%s is %q", name, got.String())
		}
	}
}
