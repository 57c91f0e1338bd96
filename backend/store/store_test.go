package store_test

import (
	"database/sql"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
)

func TestTransactions(t *testing.T)   { t.Parallel(); storetest.Transactions(t) }
func TestHistory(t *testing.T)        { t.Parallel(); storetest.History(t) }
func TestLabeling(t *testing.T)       { t.Parallel(); storetest.Labeling(t) }
func TestLabelingData(t *testing.T)   { t.Parallel(); storetest.LabelingData(t) }
func TestLabelingLoop(t *testing.T)   { t.Parallel(); storetest.LabelingLoop(t) }
func TestLabelingBeside(t *testing.T) { t.Parallel(); storetest.LabelingBeside(t) }
func TestLabelingSight(t *testing.T)  { t.Parallel(); storetest.LabelingSight(t) }
func TestWork(t *testing.T)           { t.Parallel(); storetest.Work(t) }
func TestCompare(t *testing.T)        { t.Parallel(); storetest.Compare(t) }
func TestTraining(t *testing.T)       { t.Parallel(); storetest.Training(t) }
func TestIdentity(t *testing.T)       { t.Parallel(); storetest.Identity(t) }
func TestMedia(t *testing.T)          { t.Parallel(); storetest.Media(t) }
func TestErasure(t *testing.T)        { t.Parallel(); storetest.Erasure(t) }

func TestReview(t *testing.T) { t.Parallel(); storetest.Review(t) }

func TestAByteChangedBehindTheStoreIsFound(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"an event's actor": `UPDATE event SET actor = 'mallory' WHERE seq = 2`,
		"an event's time":  `UPDATE event SET at = at + 1 WHERE seq = 3`,
		"a payload":        `UPDATE event_payload SET payload = '{"n":9}' WHERE seq = 2`,
		"a missing event":  `DELETE FROM event WHERE seq = 2`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := storetest.SQLite(t)
			s := storetest.Open(t, path)
			for n := range 3 {
				err := s.Update(t.Context(), func(tx *store.Tx) error {
					return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: "counted", Payload: map[string]int{"n": n}})
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if n, err := s.CheckHistory(t.Context()); n != 3 || err != nil {
				t.Fatalf("before: %d, %v", n, err)
			}
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if _, err := db.ExecContext(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if _, err := s.CheckHistory(t.Context()); !fault.Is(err, fault.Conflict) {
				t.Errorf("after: %v", err)
			}
		})
	}
}

func TestOpenRefusesAnAddressItDoesNotKnow(t *testing.T) {
	t.Parallel()
	if _, err := store.Open(t.Context(), "mysql://x/y", store.Options{}); fault.Message(err) == "" || err == nil {
		t.Errorf("got %v", err)
	}
}
