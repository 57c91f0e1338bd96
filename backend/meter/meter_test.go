package meter_test

import (
	"context"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/meter"
)

func scrape(t *testing.T, m *meter.Meter) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func busy() *meter.Meter {
	m := meter.New("1.2", func(context.Context) (meter.Reading, bool) {
		return meter.Reading{Waiting: 3, Running: 1, Parked: 2, Lag: 90 * time.Second, Jobs: map[string]int64{"queued": 4}, Sockets: 5, FreeBytes: 1e9}, true
	})
	m.Request("PUT", "/annotations/{id}", 200, 20*time.Millisecond)
	m.Request("BREW", "", 404, time.Millisecond)
	m.Commit(7, 3*time.Millisecond)
	m.Gate(true)
	m.Stored(1000)
	return m
}

func TestAScrapeSaysWhatWasCountedAndWhatThereIs(t *testing.T) {
	t.Parallel()
	body := scrape(t, busy())
	for _, line := range []string{
		`adjudge_http_requests_total{method="PUT",route="/annotations/{id}",status="200"} 1`,
		`adjudge_http_requests_total{method="any",route="other",status="404"} 1`,
		`adjudge_http_request_duration_seconds_bucket{method="PUT",route="/annotations/{id}",le="0.025"} 1`,
		`adjudge_store_commit_updates_sum 7`, `adjudge_gate_answers_total{answer="approved"} 1`, `adjudge_gate_answers_total{answer="refused"} 0`,
		`adjudge_blob_stored_bytes_total 1000`, `adjudge_work_items{state="parked"} 2`, `adjudge_work_lag_seconds 90`,
		`adjudge_training_jobs{state="queued"} 4`, `adjudge_live_sockets 5`, `adjudge_disk_free_bytes 1e+09`, `adjudge_store_up 1`,
		`adjudge_build_info{version="1.2"} 1`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
}

func TestADatabaseThatDoesNotAnswerIsAMetricAndNoError(t *testing.T) {
	t.Parallel()
	body := scrape(t, meter.New("1", func(context.Context) (meter.Reading, bool) { return meter.Reading{Sockets: 2, FreeBytes: -1}, false }))
	if !strings.Contains(body, "adjudge_store_up 0\n") || !strings.Contains(body, "adjudge_live_sockets 2\n") || strings.Contains(body, "adjudge_work_lag") {
		t.Error(body)
	}
}

// The dashboard and the rules ask for metrics that exist.
func TestWhatOperatorsLoadAsksForMetricsThatAreThere(t *testing.T) {
	t.Parallel()
	body := scrape(t, busy())
	for _, file := range []string{"alerts.yml", "grafana.json"} {
		text, err := os.ReadFile("../../build/prometheus/" + file)
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`\badjudge_[a-z_]+`).FindAllString(string(text), -1)
		if len(names) < 5 {
			t.Errorf("%s asks for %v", file, names)
		}
		for _, name := range names {
			if !strings.Contains(body, "\n"+name+"{") && !strings.Contains(body, "\n"+name+" ") {
				t.Errorf("%s asks for %s, which is not there", file, name)
			}
		}
	}
}
