package app

import (
	"testing"
	"time"
)

// The budget for this is 5,000 answers a second, 99 of 100 acknowledged within
// 50 ms, on two quiet cores that the people share with the server.
func BenchmarkSubmitOverHTTP200People10Classes(b *testing.B) {
	var got labelBench
	for b.Loop() {
		var err error
		if got, err = benchLabel(b.Context(), 200, 10, 5*time.Second, ""); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(got.Rate, "answers/s")
	b.ReportMetric(got.P99, "p99-ms")
	b.ReportMetric(0, "ns/op") // a run takes as long as it is told to
}
