package store_test

import (
	"database/sql"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
)

func TestAWalkSeesWhatWasChangedBeforeAndAfterIt(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"the subject of an event": `UPDATE event SET subject = 'x' WHERE seq = 2`,
		"an event that is gone":   `DELETE FROM event_payload WHERE seq = 2; DELETE FROM event WHERE seq = 2`,
		"the end cut off":         `DELETE FROM event_payload WHERE seq = 3; DELETE FROM event WHERE seq = 3`,
		"the last event":          `UPDATE event SET hash = 'x' WHERE seq = 3`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := storetest.SQLite(t)
			s := storetest.Open(t, path)
			writer, late := store.NewWalk(s, "item"), store.NewWalk(s, "item")
			for _, id := range []string{"a", "b", "c"} {
				if err := s.Update(t.Context(), func(tx *store.Tx) error {
					return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: "item.seen", Subject: ledger.Subject{Kind: "item", ID: id}})
				}); err != nil {
					t.Fatal(err)
				}
			}
			events, length, err := writer.Passed(t.Context())
			if err != nil || length != 3 || len(events) != 3 || events[1].Subject.ID != "b" {
				t.Fatalf("%+v, %d, %v", events, length, err)
			}
			db, err := sql.Open("sqlite", "file:"+path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if _, _, err := late.Passed(t.Context()); !fault.Is(err, fault.Conflict) {
				t.Errorf("on its first way: %v", err)
			}
			events, _, err = writer.Passed(t.Context())
			if !fault.Is(err, fault.Conflict) && (err != nil || events[1].Subject.ID != "b") {
				t.Errorf("on its second way: %+v, %v", events, err)
			}
		})
	}
}
