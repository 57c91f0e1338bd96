package trace

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Job is a training or prediction as far as a trace shows it.
type Job struct {
	ID        string // names the trace; it is not shown itself
	Kind      string
	Recipe    string // one that ships: no words of a person
	State     string
	Cause     string    // traceparent of the request that asked for it; may be empty
	CreatedAt time.Time // when it was asked for
	EndedAt   time.Time // zero: it goes on, with another attempt
}

// Attempt is one try at a job.
type Attempt struct {
	Fence   int64
	Number  int
	Engine  string
	State   string
	Reason  string
	Failed  bool
	Placed  time.Time
	Started time.Time // the trainer ran; zero if it never did
	Collect time.Time // the trainer ended; zero if nobody knows when
	Ended   time.Time
}

// Cause returns the traceparent of what the caller is doing, "" where no trace
// is taken of it.
func (t *Tracer) Cause(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	t.carrier.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}

// Parent returns the traceparent with which a trainer says that what it does is
// part of an attempt.
func (t *Tracer) Parent(j Job, a Attempt) string {
	ctx, _, _ := t.spans(j, a) // never ended, so never told
	return t.Cause(ctx)
}

// Ended tells about an attempt that is over, and about its job where that is.
// An attempt outlives servers and may end at another than the one where it began:
// nothing is remembered meanwhile, for who knows its numbers knows its trace.
func (t *Tracer) Ended(j Job, a Attempt) {
	_, job, attempt := t.spans(j, a)
	attempt.SetAttributes(attribute.String("adjudge.attempt.state", a.State), attribute.String("adjudge.attempt.reason", a.Reason))
	if !a.Started.IsZero() {
		attempt.AddEvent("trainer started", trace.WithTimestamp(a.Started))
	}
	if !a.Collect.IsZero() {
		attempt.AddEvent("trainer ended", trace.WithTimestamp(a.Collect))
	}
	if a.Failed {
		attempt.SetStatus(codes.Error, a.Reason)
	}
	attempt.End(trace.WithTimestamp(a.Ended))
	if j.EndedAt.IsZero() {
		return
	}
	job.SetAttributes(attribute.String("adjudge.job.state", j.State))
	if a.Failed {
		job.SetStatus(codes.Error, a.Reason)
	}
	job.End(trace.WithTimestamp(j.EndedAt))
}

// spans begins the spans of a job and of an attempt at it, in a trace of their own.
func (t *Tracer) spans(j Job, a Attempt) (context.Context, trace.Span, trace.Span) {
	digest := sha256.Sum256([]byte("adjudge job " + j.ID))
	ids := fixed{trace: trace.TraceID(digest[:16]), span: trace.SpanID(digest[16:24])}
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithTimestamp(j.CreatedAt), trace.WithAttributes(
		attribute.String("adjudge.job.kind", j.Kind), attribute.String("adjudge.job.recipe", j.Recipe))}
	cause := t.carrier.Extract(context.Background(), propagation.MapCarrier{"traceparent": j.Cause})
	if from := trace.SpanContextFromContext(cause); from.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: from}))
	}
	ctx, job := t.tracer.Start(context.WithValue(context.Background(), fixedKey{}, ids), j.Kind+" job", options...)
	digest = sha256.Sum256([]byte("adjudge attempt " + strconv.FormatInt(a.Fence, 10) + " of " + j.ID))
	ids.span = trace.SpanID(digest[:8])
	ctx, attempt := t.tracer.Start(context.WithValue(ctx, fixedKey{}, ids), j.Kind+" attempt", trace.WithTimestamp(a.Placed), trace.WithAttributes(
		attribute.Int("adjudge.attempt.number", a.Number), attribute.Int64("adjudge.attempt.fence", a.Fence), attribute.String("adjudge.engine", a.Engine)))
	return ctx, job, attempt
}

// fixed are the ids of a span that several servers must give the same name. They
// are digests, because samplers take the bits of a trace's id for dice.
type fixed struct {
	trace trace.TraceID
	span  trace.SpanID
}

type fixedKey struct{}

// ids makes the ids of spans: by chance, but where they are fixed.
type ids struct{}

// NewIDs implements the generator of the SDK.
func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if f, ok := ctx.Value(fixedKey{}).(fixed); ok {
		return f.trace, f.span
	}
	var t trace.TraceID
	_, _ = rand.Read(t[:]) // never fails since Go 1.24
	return t, ids{}.NewSpanID(ctx, t)
}

// NewSpanID implements the generator of the SDK.
func (ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if f, ok := ctx.Value(fixedKey{}).(fixed); ok {
		return f.span
	}
	var s trace.SpanID
	_, _ = rand.Read(s[:])
	return s
}
