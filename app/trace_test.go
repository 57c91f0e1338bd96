package app

import (
	"log/slog"
	"testing"
)

// What is not there costs nothing: without a collector no request, transaction,
// work or attempt passes anything that watches.
func TestWithoutACollectorNobodyWatches(t *testing.T) {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		t.Setenv(name, "")
	}
	log := slog.New(slog.DiscardHandler)
	tracer, same := startTraces(t.Context(), "here", log)
	if tracer != nil || same != log {
		t.Fatal("there is a tracer, or a log that asks for one")
	}
	h, err := openHouse(t.Context(), settings{Data: t.TempDir(), Port: "0", Log: same, Trace: tracer})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.close() }()
	if h.storeOptions().Trace != nil || h.loop.Trace != nil || h.web.Trace != nil || h.training.Traces != nil {
		t.Error("somebody watches")
	}
}
