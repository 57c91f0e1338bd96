package trace

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/adjudge/adjudge/backend/fault"
)

// methods are those of HTTP; a stranger may send any other word.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect}

func methodOf(r *http.Request) string {
	if slices.Contains(methods, r.Method) {
		return r.Method
	}
	return "_OTHER"
}

// watched reports whether a request is worth a span: what a watchdog, a scraper
// and a browser ask for all day long says nothing and would drown the rest.
func watched(path string) bool {
	return path != "/healthz" && path != "/readyz" && path != "/metrics" && !strings.HasPrefix(path, "/static/")
}

// Request begins the span of a request, which goes on with the trace that its
// caller names. What it returns ends it: with the pattern of the route ("" for
// what matched none), the status that was answered and the kind of fault, if any.
func (t *Tracer) Request(r *http.Request) (context.Context, func(pattern string, status int, kind fault.Kind)) {
	ctx := r.Context()
	if !watched(r.URL.Path) {
		return ctx, func(string, int, fault.Kind) {}
	}
	method := methodOf(r)
	ctx, span := t.tracer.Start(t.carrier.Extract(ctx, propagation.HeaderCarrier(r.Header)), method, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method)))
	return ctx, func(pattern string, status int, kind fault.Kind) {
		if pattern != "" {
			span.SetName(method + " " + pattern)
			span.SetAttributes(attribute.String("http.route", pattern))
		}
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if kind != "" {
			span.SetAttributes(attribute.String("error.type", string(kind)))
		}
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Call begins the span of a request to another server. Where named, because an
// operator configured that host, it is told which trace it is part of; nobody
// else learns anything. The returned request is to be sent instead.
func (t *Tracer) Call(r *http.Request, named bool) (*http.Request, func(*http.Response, error)) {
	method := methodOf(r)
	ctx, span := t.tracer.Start(r.Context(), method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("http.request.method", method)))
	sent := r.Clone(ctx)
	if named {
		span.SetAttributes(attribute.String("server.address", r.URL.Hostname()))
		t.carrier.Inject(ctx, propagation.HeaderCarrier(sent.Header))
	}
	return sent, func(answer *http.Response, err error) {
		switch {
		case err != nil:
			end(span, fault.As(fault.Unavailable, err, "no answer"))
			return
		case answer.StatusCode >= http.StatusBadRequest:
			span.SetStatus(codes.Error, "")
		}
		span.SetAttributes(attribute.Int("http.response.status_code", answer.StatusCode))
		span.End()
	}
}
