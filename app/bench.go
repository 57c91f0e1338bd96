package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

func benchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure this machine"}
	cmd.AddCommand(benchLabelCommand())
	return cmd
}

// labelBench is what `bench label` measures.
type labelBench struct {
	People  int     `json:"people"`
	Classes int     `json:"classes"`
	Seconds float64 `json:"seconds"`
	Answers int     `json:"answers"`
	Rate    float64 `json:"answers_per_second"`
	Median  float64 `json:"median_ms"`
	P99     float64 `json:"p99_ms"`
}

func benchLabelCommand() *cobra.Command {
	var people, classes int
	var duration time.Duration
	var database string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "label",
		Short: "Measure how many answers a second are stored durably",
		Long: "label starts a server on an empty data directory that it removes afterwards, and lets many people answer\n" +
			"over HTTP at once, each waiting until their last answer is flushed to disk. It prints the rate and how\n" +
			"long an acknowledgement takes.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if people < 1 || people > 2000 || classes < 2 || classes > labeling.MostClasses || duration < 100*time.Millisecond {
				return usage{errors.New("between 1 and 2000 people, 2 and 1000 classes, for at least 100ms")}
			}
			got, err := benchLabel(cmd.Context(), people, classes, duration, database)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, got)
			}
			_, err = fmt.Fprintf(terminal(cmd), "%d people, %d classes: %d answers in %.1f s, %.0f a second; acknowledged in %.1f ms (median), %.1f ms (99 %%)\n",
				got.People, got.Classes, got.Answers, got.Seconds, got.Rate, got.Median, got.P99)
			return err
		},
	}
	f := cmd.Flags()
	f.IntVar(&people, "people", 200, "people who answer at once")
	f.IntVar(&classes, "classes", 10, "classes of the project")
	f.DurationVar(&duration, "duration", 5*time.Second, "how long to measure")
	f.StringVar(&database, "database", "", "an empty database to use instead: postgres://…")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func benchLabel(ctx context.Context, people, classes int, duration time.Duration, database string) (_ labelBench, err error) {
	got := labelBench{People: people, Classes: classes}
	data, err := os.MkdirTemp("", "adjudge-bench-*")
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return got, err
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	h, err := openHouse(ctx, settings{Data: data, Database: database, Port: port, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return got, errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, h.close()) }()
	items, class, err := benchItems(ctx, h, people, classes, duration)
	if err != nil {
		return got, err
	}
	server := &http.Server{Handler: h.web, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with ErrServerClosed
	defer func() { _ = server.Close() }()
	host, token := listener.Addr().String(), h.identity.OpenLocal()

	running, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	took := make([][]time.Duration, people)
	failed := make([]error, people)
	var group sync.WaitGroup
	begin := time.Now()
	for person := range people {
		group.Go(func() {
			var c *benchClient
			if c, failed[person] = dialBench(ctx, host, token); failed[person] != nil {
				return
			}
			defer func() { _ = c.conn.Close() }()
			for n := person; n < len(items) && running.Err() == nil && failed[person] == nil; n += people {
				sent := time.Now()
				failed[person] = c.answer(items[n], class)
				took[person] = append(took[person], time.Since(sent))
			}
		})
	}
	group.Wait()
	got.Seconds = time.Since(begin).Seconds()
	all := slices.Concat(took...)
	slices.Sort(all)
	got.Answers, got.Rate = len(all), float64(len(all))/got.Seconds
	if len(all) > 0 {
		got.Median, got.P99 = milliseconds(all[len(all)/2]), milliseconds(all[len(all)*99/100])
	}
	return got, errors.Join(failed...)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// benchItems fills the project "bench" with more items than can be answered.
func benchItems(ctx context.Context, h *house, people, classes int, duration time.Duration) ([]labeling.ItemID, labeling.ClassID, error) {
	p := labeling.Project{ID: labeling.ProjectID(newID()), Slug: "bench", Name: "Bench", SchemaVersion: 1, Overlap: 1}
	for n := range classes {
		p.Schema.Classes = append(p.Schema.Classes, labeling.Class{ID: labeling.ClassID(newID()), Name: fmt.Sprint("class ", n+1), Color: n % labeling.PaletteSteps})
	}
	dataset := labeling.Dataset{ID: labeling.DatasetID(newID()), Project: p.ID, Name: "items", Purpose: labeling.PurposeTraining}
	items := make([]labeling.ItemID, people+int(duration.Seconds()*20_000))
	for from := 0; from < len(items); from += 1000 {
		if err := h.store.Update(ctx, func(tx *store.Tx) error {
			if from == 0 {
				if err := errors.Join(tx.CreateProject(p), tx.CreateDataset(dataset)); err != nil {
					return err
				}
			}
			for n := from; n < min(from+1000, len(items)); n++ {
				items[n] = labeling.ItemID(newID())
				text := fmt.Sprintf("Question %d of somebody whose card has not arrived yet.", n)
				if _, err := tx.CreateItem(labeling.Item{ID: items[n], Project: p.ID, Dataset: dataset.ID, Key: fmt.Sprint(n), Text: text,
					Content: ledger.DigestOf([]byte(text)), Status: labeling.StatusQueued, CreatedAt: tx.Now()}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return nil, "", err
		}
	}
	return items, p.Schema.Classes[0].ID, nil
}

// benchClient is one person's browser, reduced to a connection: it shares the
// processors with the server that it measures, and an http.Client takes nearly a
// tenth of them.
type benchClient struct {
	conn    net.Conn
	reader  *bufio.Reader
	head    string // of a request, after its first line
	request []byte
}

func dialBench(ctx context.Context, host, token string) (*benchClient, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &benchClient{conn: conn, reader: bufio.NewReader(conn),
		head: "Host: " + host + "\r\nAuthorization: Bearer " + token + "\r\nContent-Type: application/json\r\nContent-Length: "}, nil
}

// answer sends an answer to an item and waits until it is acknowledged.
func (c *benchClient) answer(item labeling.ItemID, class labeling.ClassID) error {
	body := `{"item":"` + string(item) + `","class":"` + string(class) + `","seen_ms":1500}`
	c.request = fmt.Appendf(c.request[:0], "PUT /api/v1/projects/bench/annotations/%s HTTP/1.1\r\n%s%d\r\n\r\n%s", newID(), c.head, len(body), body)
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("an answer got %d: %.300s", response.StatusCode, answer)
	}
	return nil
}
