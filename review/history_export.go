package review

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// HistoryFormat is how the history is written for reading elsewhere.
type HistoryFormat string

// The formats.
const (
	HistoryCSV  HistoryFormat = "csv"  // for a spreadsheet: no cell of it is taken for a formula
	HistoryJSON HistoryFormat = "json" // one list with every byte that the hashes are over, as far as the reader may see it
)

// ParseHistoryFormat reads a format; csv where none is given. It returns Invalid
// for any other word.
func ParseHistoryFormat(text string) (HistoryFormat, error) {
	switch f := HistoryFormat(text); f {
	case "":
		return HistoryCSV, nil
	case HistoryCSV, HistoryJSON:
		return f, nil
	}
	return "", fault.Field("format", "%.40q is no format of the history; choose csv or json.", text)
}

// HistoryExport asks for events as a file. Names gives a person's name, empty
// for one who is not known any more.
type HistoryExport struct {
	Filter ledger.Filter
	Format HistoryFormat
	Names  func(ledger.PersonID) string
}

// exportPage is how many events are in memory at once.
const exportPage = 1000

// ExportHistory writes the events that the filter chooses, newest first, as
// they are read: its memory does not grow with the history. That somebody took
// it is an event of its own, recorded before the first byte. It needs
// ActionExport, for payloads hold names and contents.
func (s *Service) ExportHistory(ctx context.Context, actor ledger.Actor, req HistoryExport, out io.Writer) error {
	if err := actor.Must(req.Filter.Project, ledger.ActionExport); err != nil {
		return err
	}
	if req.Format != HistoryCSV && req.Format != HistoryJSON {
		return fault.Field("format", "Choose csv or json.")
	}
	err := s.Update(ctx, func(tx Tx) error {
		return tx.Record(ledger.Entry{Actor: actor, Project: req.Filter.Project, Kind: eventHistoryTaken,
			Subject: ledger.Subject{Kind: "history", ID: string(req.Filter.Project)}, Payload: filterPayload(req)})
	})
	if err != nil {
		return err
	}
	w := newHistoryWriter(req, out)
	if err := w.begin(); err != nil {
		return err
	}
	filter := req.Filter
	for filter.Limit = exportPage; ; {
		page, more, err := s.History(ctx, actor, filter)
		if err != nil {
			return err
		}
		for _, t := range page {
			if err := w.event(t); err != nil {
				return err
			}
		}
		if !more {
			return w.end()
		}
		filter.Before = page[len(page)-1].Seq
	}
}

func filterPayload(req HistoryExport) map[string]string {
	f, said := req.Filter, map[string]string{"format": string(req.Format)}
	note := func(name, value string) {
		if value != "" {
			said[name] = value
		}
	}
	note("kind", f.Kind)
	note("kinds", strings.Join(f.Kinds, " "))
	note("person", string(f.Actor))
	if f.Subject.ID != "" {
		note("record", f.Subject.Kind+":"+f.Subject.ID)
	}
	if !f.From.IsZero() {
		note("from", rfc3339(f.From))
	}
	if !f.Until.IsZero() {
		note("until", rfc3339(f.Until))
	}
	return said
}

// historyWriter writes events in one of the formats.
type historyWriter struct {
	req   HistoryExport
	out   *bufio.Writer
	csv   *ledger.Sheet // nil for JSON
	wrote bool
}

func newHistoryWriter(req HistoryExport, out io.Writer) *historyWriter {
	w := &historyWriter{req: req, out: bufio.NewWriterSize(out, 64<<10)}
	if req.Format == HistoryCSV {
		w.csv = ledger.NewSheet(w.out, ',')
	}
	return w
}

func (w *historyWriter) begin() error {
	if w.csv != nil {
		return w.csv.Row("number", "at", "person", "name", "via", "project", "kind", "record", "reason", "was", "is", "payload", "problem", "hash")
	}
	_, err := w.out.WriteString("[")
	return err
}

func (w *historyWriter) event(t Trace) error {
	if w.csv != nil {
		changes, reason := ledger.Changes(t.Payload)
		was, is := make([]string, 0, len(changes)), make([]string, 0, len(changes))
		for _, c := range changes {
			was, is = append(was, side(c.Field, c.Was)), append(is, side(c.Field, c.Is))
		}
		payload := string(t.Payload)
		if t.Erased() {
			payload = "(erased)"
		}
		if t.Withheld {
			payload = "(withheld)"
		}
		cells := []string{strconv.FormatInt(t.Seq, 10), t.At.Format(time.RFC3339Nano), string(t.Actor), w.name(t.Actor), string(t.Via), string(t.Project),
			t.Kind, t.Subject.Kind + ":" + t.Subject.ID, reason, strings.Join(was, "\n"), strings.Join(is, "\n"), payload, t.Problem, string(t.Hash)}
		return w.csv.Row(cells...)
	}
	row := struct {
		Seq        int64           `json:"seq"`
		At         time.Time       `json:"at"`
		Actor      ledger.PersonID `json:"actor"`
		Name       string          `json:"name,omitempty"`
		Via        ledger.Via      `json:"via"`
		Project    string          `json:"project,omitempty"`
		Kind       string          `json:"kind"`
		Record     string          `json:"record"`
		Payload    json.RawMessage `json:"payload,omitempty"`
		Salt       []byte          `json:"salt,omitempty"`
		Erased     bool            `json:"erased,omitempty"`
		Withheld   bool            `json:"withheld,omitempty"` // the reader may still be asked about the item
		Problem    string          `json:"problem,omitempty"`
		Commitment ledger.Digest   `json:"commitment"`
		Prev       ledger.Digest   `json:"prev"`
		Hash       ledger.Digest   `json:"hash"`
	}{t.Seq, t.At, t.Actor, w.name(t.Actor), t.Via, string(t.Project), t.Kind, t.Subject.Kind + ":" + t.Subject.ID,
		t.Payload, t.Salt, t.Erased(), t.Withheld, t.Problem, t.Commitment, t.Prev, t.Hash}
	separator := ",\n"
	if !w.wrote {
		separator = "\n"
	}
	w.wrote = true
	if _, err := w.out.WriteString(separator); err != nil {
		return err
	}
	raw, err := json.Marshal(row)
	if err != nil {
		return fault.Wrap(err, "encode an event")
	}
	_, err = w.out.Write(raw)
	return err
}

func (w *historyWriter) end() error {
	if w.csv != nil {
		if err := w.csv.Close(); err != nil {
			return err
		}
	} else if _, err := w.out.WriteString("\n]\n"); err != nil {
		return err
	}
	return w.out.Flush()
}

func (w *historyWriter) name(id ledger.PersonID) string {
	if w.req.Names == nil {
		return ""
	}
	return w.req.Names(id)
}

func side(field, value string) string {
	if field == "" {
		return value
	}
	return field + ": " + value
}
