package review_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/review"
)

func TestHistoryComesAsAFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// More than two pages of the export, so that turning a page loses and doubles nothing.
	const many = 2500
	w.must(w.store.Update(t.Context(), func(tx *store.Tx) error {
		for range many {
			if err := tx.Record(ledger.Entry{Actor: w.ana, Project: project, Kind: "note.made", Subject: ledger.Subject{Kind: "note", ID: "n1"},
				Payload: map[string]any{"was": map[string]string{"text": "old"}, "is": map[string]string{"text": "new"}, "reason": "=cmd|' /C calc'!A0"}}); err != nil {
				return err
			}
		}
		return nil
	}))
	auditor := w.person("audrey", "Audrey Kim", ledger.RoleAuditor)
	names := func(id ledger.PersonID) string { return strings.ToUpper(string(id)) }
	filter := ledger.Filter{Project: project, Kind: "note.made"}

	t.Run("as a table without formulas", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		if err := w.ExportHistory(t.Context(), auditor, review.HistoryExport{Filter: filter, Format: review.HistoryCSV, Names: names}, &out); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != many+1 {
			t.Fatalf("%d rows (%v), want %d", len(rows), err, many+1)
		}
		if row := strings.Join(rows[1], "|"); !strings.Contains(row, "|ANA|") || !strings.Contains(row, "|'=cmd") || !strings.Contains(row, "|text: old|text: new|") {
			t.Errorf("the row is %s", row)
		}
	})
	t.Run("as a list that verifies", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		if err := w.ExportHistory(t.Context(), auditor, review.HistoryExport{Filter: filter, Format: review.HistoryJSON, Names: names}, &out); err != nil {
			t.Fatal(err)
		}
		var rows []struct {
			Seq        int64           `json:"seq"`
			Payload    json.RawMessage `json:"payload"`
			Salt       []byte          `json:"salt"`
			Commitment ledger.Digest   `json:"commitment"`
		}
		if err := json.Unmarshal(out.Bytes(), &rows); err != nil || len(rows) != many {
			t.Fatalf("%d rows (%v), want %d", len(rows), err, many)
		}
		for i, r := range rows {
			if ledger.Commit(r.Salt, r.Payload) != r.Commitment || i > 0 && r.Seq != rows[i-1].Seq-1 {
				t.Fatalf("row %d of event %d does not verify", i, r.Seq)
			}
		}
	})
	t.Run("and taking it is an event", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		if err := w.ExportHistory(t.Context(), auditor, review.HistoryExport{Filter: ledger.Filter{Project: project, Kind: "history.none"}, Format: review.HistoryCSV}, &out); err != nil {
			t.Fatal(err)
		}
		traces, _, err := w.History(t.Context(), auditor, ledger.Filter{Project: project, Actor: auditor.Person, Kind: "history.exported", Limit: 3})
		if err != nil || len(traces) == 0 {
			t.Errorf("the history holds %v (%v)", traces, err)
		}
	})
	t.Run("refused to who may not export", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		err := w.ExportHistory(t.Context(), w.ana, review.HistoryExport{Filter: filter, Format: review.HistoryCSV}, &out)
		if !fault.Is(err, fault.Denied) || out.Len() > 0 {
			t.Errorf("got %v and %d bytes", err, out.Len())
		}
	})
}
