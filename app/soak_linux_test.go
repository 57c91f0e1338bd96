package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
)

// soakVariable says how long TestSoak works; `make bench/soak` sets it.
const soakVariable = "ADJUDGE_SOAK"

// What may grow in an hour of load, once the server is warm. Go's heap breathes
// by some megabytes, so that a short soak sees slopes that a long one does not:
// what is allowed is the larger of slope and slack.
//
// Resident memory is printed and may grow: each reader maps the database file, so
// that it counts a file of 30 MB four times and more, and the file grows as people
// label. Those pages are the system's, which takes them back when it needs them.
// What the process has for itself is what may not grow.
var soakLimits = []struct {
	unit    string
	look    func(l *limited) float64
	perHour float64
	slack   float64
}{
	{"MB own", func(l *limited) float64 { return l.memory("Pss_Anon") }, 60, 24},
	{"MB heap", func(l *limited) float64 { return l.metric("go_memstats_heap_inuse_bytes") / (1 << 20) }, 40, 24},
	{"goroutines", func(l *limited) float64 { return l.metric("go_goroutines") }, 20, 24},
	{"files", func(l *limited) float64 { return l.metric("process_open_fds") }, 20, 16},
}

// TestSoak works on the real program as a team does, for as long as it is told:
// people read pages, label, upload and export, and open and leave live pages.
// It prints a line each minute and fails when memory, goroutines or files grow
// beyond soakLimits.
func TestSoak(t *testing.T) {
	duration, err := time.ParseDuration(os.Getenv(soakVariable))
	if err != nil {
		t.Skipf("set %s to a time such as 10m, or run make bench/soak", soakVariable)
	}
	l := startLimited(t, jobDir(t))
	_, text := l.call("GET", "/api/v1/projects/"+demoProject, "", nil)
	var project struct {
		Schema struct{ Classes []struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(text), &project); err != nil || len(project.Schema.Classes) == 0 {
		t.Fatalf("%s (%v)", text, err)
	}
	_, text = l.call("GET", "/api/v1/projects/"+demoProject+"/items?limit=200", "", nil)
	var items struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(text), &items); err != nil || len(items.Items) == 0 {
		t.Fatalf("%.300s (%v)", text, err)
	}

	ctx, stop := context.WithTimeout(t.Context(), duration)
	defer stop()
	var done, failed atomic.Int64
	var last atomic.Value
	last.Store("")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(method, path, media string, body io.Reader) {
		r, err := http.NewRequestWithContext(ctx, method, l.address+path, body)
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Cookie", l.cookie)
		r.Header.Set("Origin", l.address)
		if media != "" {
			r.Header.Set("Content-Type", media)
		}
		if strings.HasPrefix(path, "/api/") {
			r.Header.Set("Accept", "application/json")
		}
		answer, err := client.Do(r)
		if err != nil {
			if ctx.Err() == nil {
				failed.Add(1)
				last.Store(err.Error())
			}
			return
		}
		said, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if done.Add(1); answer.StatusCode >= 400 && ctx.Err() == nil {
			failed.Add(1)
			last.Store(fmt.Sprintf("%s %s: %s %.200s", method, path, answer.Status, said))
		}
	}
	in := "/projects/" + demoProject
	pages := []string{"/", in + "/items", in + "/items?q=parcel", in + "/label?dataset=questions", in + "/runs", in + "/models", in + "/candidates", in + "/history", in + "/settings", "/account", "/people"}
	tasks := []func(){
		func() { ask("GET", pages[rand.IntN(len(pages))], "", nil) },
		func() { ask("GET", pages[rand.IntN(len(pages))], "", nil) },
		func() {
			body, _ := json.Marshal(map[string]any{"item": items.Items[rand.IntN(len(items.Items))].ID, "kind": "answer", "class": project.Schema.Classes[rand.IntN(len(project.Schema.Classes))].ID, "seen_ms": 900})
			ask("PUT", "/api/v1"+in+"/annotations/"+uuid.NewString(), "application/json", bytes.NewReader(body))
		},
		func() {
			ask("POST", "/api/v1"+in+"/uploads?name=soak.txt", "application/octet-stream", strings.NewReader(strings.Repeat("a question\n", 1000)))
			pause(ctx, 500*time.Millisecond)
		},
		func() { ask("GET", "/api/v1"+in+"/items?limit=200", "", nil) },
		func() {
			at := "ws" + strings.TrimPrefix(l.address, "http") + in + "/live?page=items"
			c, answer, err := websocket.DefaultDialer.DialContext(ctx, at, http.Header{"Cookie": {l.cookie}, "Origin": {l.address}})
			if err != nil {
				if ctx.Err() == nil {
					failed.Add(1)
					last.Store(err.Error())
				}
				return
			}
			_ = answer.Body.Close()
			pause(ctx, time.Duration(rand.IntN(2000))*time.Millisecond)
			_ = c.Close()
			done.Add(1)
		},
	}
	var people sync.WaitGroup
	for _, task := range append(tasks, tasks...) {
		people.Go(func() {
			for ctx.Err() == nil {
				task()
				pause(ctx, 5*time.Millisecond)
			}
		})
	}

	every := min(time.Minute, duration/10)
	begin := time.Now()
	var rows [][]float64
	for tick := time.NewTicker(every); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
			tick.Stop()
			continue
		case <-tick.C:
		}
		row, words := []float64{time.Since(begin).Hours()}, ""
		for _, limit := range soakLimits {
			value := limit.look(l)
			row = append(row, value)
			words += fmt.Sprintf("%6.0f %s", value, limit.unit)
		}
		words += fmt.Sprintf("  (%.0f MB RSS, of files %.0f, each page once %.0f; database %.0f)", l.memory("Rss"), l.memory("Rss")-l.memory("Anonymous"), l.memory("Pss_File"), l.databaseSize())
		rows = append(rows, row)
		fmt.Printf("%6.1f min %s %9d requests\n", time.Since(begin).Minutes(), words, done.Load())
	}
	people.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed, the last: %s", failed.Load(), done.Load(), last.Load())
	}
	if len(rows) < 6 {
		t.Fatalf("%d looks are too few: soak for longer", len(rows))
	}
	rows = rows[len(rows)*3/10:] // the server has warmed up
	for i, limit := range soakLimits {
		slope := slopeOf(rows, i+1)
		grew := slope * (rows[len(rows)-1][0] - rows[0][0])
		fmt.Printf("%s: %+.1f in this time, %+.1f an hour (allowed: %.0f an hour, or %.0f in all)\n", limit.unit, grew, slope, limit.perHour, limit.slack)
		if slope > limit.perHour && grew > limit.slack {
			t.Errorf("%s grow by %.1f an hour", limit.unit, slope)
		}
	}
	if err := l.end(); err != nil {
		t.Errorf("the server ended with %v\n%s", err, l.log)
	}
}

// memory looks at what the process has in memory, in MB, as Linux counts it: Rss
// counts a page as often as it is mapped, Pss once, Pss_Anon what is not a file's.
func (l *limited) memory(name string) float64 {
	l.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", l.cmd.Process.Pid))
	if err != nil {
		l.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name+":" {
			kilobytes, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				l.Fatal(err)
			}
			return kilobytes / 1024
		}
	}
	l.Fatalf("Linux says nothing about %s", name)
	return 0
}

// databaseSize is how large the database and its log are, in MB.
func (l *limited) databaseSize() (megabytes float64) {
	files, _ := filepath.Glob(filepath.Join(l.data, "*.db*"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			megabytes += float64(info.Size()) / (1 << 20)
		}
	}
	return megabytes
}

// slopeOf fits a line through a column over the first one, by least squares.
func slopeOf(rows [][]float64, column int) float64 {
	var n, x, y, xx, xy float64
	for _, r := range rows {
		n, x, y, xx, xy = n+1, x+r[0], y+r[column], xx+r[0]*r[0], xy+r[0]*r[column]
	}
	if d := n*xx - x*x; d > 0 {
		return (n*xy - x*y) / d
	}
	return 0
}

func TestTheSlopeOfALineIsFound(t *testing.T) {
	t.Parallel()
	rows := [][]float64{{0, 3, 5}, {1, 5, 5}, {2, 7, 5}, {3, 9, 5}}
	if up, flat := slopeOf(rows, 1), slopeOf(rows, 2); up != 2 || flat != 0 {
		t.Errorf("slopes %v and %v, want 2 and 0", up, flat)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
