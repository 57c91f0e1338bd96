package labeling_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// million is a file of a million questions as JSON lines.
func million(b *testing.B, n int) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "million.jsonl")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	words := strings.Fields("where is my card refund cash machine transfer pending exchange rate wrong fee top up limit lost stolen blocked pin app phone order arrive week euro dollar account verify identity")
	var line strings.Builder
	for i := range n {
		line.Reset()
		fmt.Fprintf(&line, `{"text":"%d`, i)
		for j := range 12 {
			line.WriteByte(' ')
			line.WriteString(words[(i*7+j*j*13+i/31)%len(words)])
		}
		line.WriteString("\"}\n")
		if _, err := f.WriteString(line.String()); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return name
}

// peak returns the most memory that the heap and stacks took while f ran, in MB.
func peak(f func()) float64 {
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.Sys-m.HeapReleased)
			select {
			case <-stop:
				done <- most
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	f()
	close(stop)
	return float64(<-done) / (1 << 20)
}

// alongside makes small updates one after the other, as people who label do,
// until the function that it returns is called, which tells the 99th percentile
// of how long they took, in milliseconds.
func alongside(b *testing.B, s *store.Store) func() float64 {
	stop, done := make(chan struct{}), make(chan []time.Duration)
	go func() {
		var took []time.Duration
		for {
			begun := time.Now()
			err := s.Update(context.Background(), func(tx *store.Tx) error {
				return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: "annotation.submitted", Subject: ledger.Subject{Kind: "item", ID: "i"}, Payload: "x"})
			})
			if err != nil {
				b.Error(err)
			}
			took = append(took, time.Since(begun))
			select {
			case <-stop:
				done <- took
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() float64 {
		close(stop)
		took := <-done
		slices.Sort(took)
		return float64(took[len(took)*99/100].Microseconds()) / 1000
	}
}

// BenchmarkImport1MItems brings a million JSONL items in, indexes them, lists,
// filters and searches them, and writes them out again. The records are parsed
// in this process; the child adds its pipe.
func BenchmarkImport1MItems(b *testing.B) {
	n := 1_000_000
	if small := os.Getenv("ADJUDGE_BENCH_ITEMS"); small != "" {
		n, _ = strconv.Atoi(small)
	}
	name := million(b, n)
	b.ResetTimer()
	for b.Loop() {
		s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "adjudge.db"), store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		d := newDesk(b, s)
		file, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		i, err := d.Upload(b.Context(), d.actor, d.project, "million.jsonl", file)
		if err != nil {
			b.Fatal(err)
		}
		if _, err = d.StartImport(b.Context(), d.actor, d.project, i.ID, labeling.StartImportRequest{Dataset: "big"}); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		waited := alongside(b, s)
		memory := peak(func() {
			if err := d.RunImport(b.Context(), fmt.Appendf(nil, `{"Import":%q}`, i.ID)); err != nil {
				b.Fatal(err)
			}
		})
		b.ReportMetric(time.Since(begun).Seconds(), "s/import")
		b.ReportMetric(memory, "MB")
		b.ReportMetric(waited(), "ms/update-p99-beside-import")
		begun = time.Now()
		if err := d.IndexItems(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "s/index")
		begun = time.Now()
		if err := d.ExportDataset(b.Context(), d.actor, d.project, "big", labeling.FormatJSONL, io.Discard); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "s/export")
		list(b, d)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// list reports the 95th percentile of each way through a million items.
func list(b *testing.B, d *desk) {
	b.Helper()
	sets, err := d.Datasets(b.Context(), d.actor, d.project)
	if err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]labeling.ItemFilter{
		"list": {}, "filter": {Dataset: sets[0].ID, Status: labeling.StatusQueued}, "search-rare": {Search: "4711"},
		"search-common": {Search: "refund cash"}, "search-prefix": {Search: "exch"},
	} {
		var took []time.Duration
		after := int64(0)
		for range 60 {
			begun := time.Now()
			page, err := d.Items(context.Background(), d.actor, d.project, f, labeling.PageRequest{After: after})
			if err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(begun))
			after = page.Next
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "ms/"+name)
	}
}
