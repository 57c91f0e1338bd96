// Package trace tells a collector of OpenTelemetry what the server is doing and
// how long each part of it takes, where an operator has named a collector; else
// there is no Tracer, and nobody pays for one.
//
// What a span says is of few values: patterns of routes, kinds of work, names of
// rooms, kinds of fault. No path, address, person or text is in any of them, and
// ids only where nothing but this installation can say what they name.
//
// Spans are handed over behind the callers' backs. A collector that is slow or
// gone costs spans, never time.
package trace

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/adjudge/adjudge/backend/fault"
)

// farewell is how long Close waits for a collector to take what is left.
const farewell = 3 * time.Second

// Tracer makes spans. It is safe for concurrent use.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	carrier  propagation.TraceContext
}

// Wanted reports whether the environment names a collector, as the standard
// variables of OpenTelemetry do: OTEL_EXPORTER_OTLP_ENDPOINT or
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, unless OTEL_SDK_DISABLED is true or
// OTEL_TRACES_EXPORTER is none.
func Wanted(env func(string) string) bool {
	named := env("OTEL_EXPORTER_OTLP_ENDPOINT") + env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	return strings.TrimSpace(named) != "" && !strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") && env("OTEL_TRACES_EXPORTER") != "none"
}

// Open returns a tracer that speaks for an instance of a version, or nil where the
// environment names no collector or asks for what this program cannot do, which
// the log then says: a server does not fail for the sake of those who watch it.
// The rest of the standard variables (headers, certificates, sampler, attributes,
// name of the service) mean what they mean elsewhere.
func Open(ctx context.Context, version, instance string, log *slog.Logger) *Tracer {
	if !Wanted(os.Getenv) {
		return nil
	}
	protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	if protocol != "http/protobuf" {
		log.Warn("no traces: this program speaks OTLP by http/protobuf alone; set OTEL_EXPORTER_OTLP_PROTOCOL to that, and the endpoint to the collector's port for it (4318)", "protocol", protocol)
		return nil
	}
	client, err := newUpload(os.Getenv, "Adjudge/"+version)
	if err == nil {
		otel.SetErrorHandler(&sparing{log: log})
		var t *Tracer
		if t, err = open(ctx, version, instance, otlptrace.NewUnstarted(client)); err == nil {
			return t
		}
	}
	log.Warn("no traces: what the variables of OpenTelemetry ask for does not work", "error", err)
	return nil
}

func open(ctx context.Context, version, instance string, exporter sdk.SpanExporter) (*Tracer, error) {
	what, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "adjudge"), attribute.String("service.version", version), attribute.String("service.instance.id", instance)),
		resource.WithTelemetrySDK(), resource.WithFromEnv()) // the later ones count more
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(what), sdk.WithIDGenerator(ids{}))
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/adjudge/adjudge", trace.WithInstrumentationVersion(version))}, nil
}

// Close hands over what is left, for a moment, and lets go of the rest.
func (t *Tracer) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	// Its own patience is not bounded by ours while an answer is awaited.
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = t.provider.Shutdown(ctx) // what it says went to the error handler before
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// end closes a span with what became of it. Only what went wrong on our side
// counts as an error: to be refused is an answer.
func end(span trace.Span, err error) {
	if err != nil {
		kind := fault.KindOf(err)
		span.SetAttributes(attribute.String("error.type", string(kind)))
		if kind == fault.Internal || kind == fault.Unavailable {
			span.SetStatus(codes.Error, string(kind)) // never the message: it may hold what people wrote
		}
	}
	span.End()
}

// Store begins the span of a transaction: how is "view" or "update", room the
// package that asked for it, system the database. It belongs to what the caller
// is doing and is nothing by itself: what a server asks of its database while it
// idles is in no trace. waited is how long an update stood in line for its turn.
func (t *Tracer) Store(ctx context.Context, how, room, system string) (context.Context, func(waited time.Duration, err error)) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, func(time.Duration, error) {}
	}
	if system == "postgres" {
		system = "postgresql" // as the conventions call it
	}
	ctx, span := t.tracer.Start(ctx, how+" "+room, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.system.name", system), attribute.String("db.operation.name", how), attribute.String("adjudge.room", room)))
	return ctx, func(waited time.Duration, err error) {
		if how == "update" {
			span.SetAttributes(attribute.Float64("adjudge.store.waited_s", waited.Seconds()))
		}
		end(span, err)
	}
}

// Work begins the span of a piece of follow-up work, which is a trace of its own.
func (t *Tracer) Work(ctx context.Context, kind string, tries int) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, "work "+kind, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.String("adjudge.work.kind", kind), attribute.Int("adjudge.work.tries", tries)))
	return ctx, func(err error) { end(span, err) }
}

// sparing writes to the log that the collector is in trouble, once in a while.
type sparing struct {
	log  *slog.Logger
	mu   sync.Mutex
	next time.Time
}

// Handle implements otel.ErrorHandler.
func (s *sparing) Handle(err error) {
	s.mu.Lock()
	quiet := time.Now().Before(s.next)
	if !quiet {
		s.next = time.Now().Add(5 * time.Minute)
	}
	s.mu.Unlock()
	if !quiet {
		s.log.Warn("traces are lost; nothing else is", "error", err)
	}
}
