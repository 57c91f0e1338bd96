package labeling_test

import (
	"errors"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/labeling"
)

// brokenPipe is a download that ends after its first byte.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("the browser went away") }

func TestWhoTookDataOutIsInTheHistoryAlsoWhereTheDownloadBrokeOff(t *testing.T) {
	t.Parallel()
	d := newDesk(t, storetest.New(t))
	dataset, err := d.CreateDataset(t.Context(), d.actor, d.project, "train", labeling.PurposeTraining)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.ExportDataset(t.Context(), d.actor, d.project, "train", labeling.FormatCSV, brokenPipe{}); err == nil {
		t.Error("a download that broke off succeeded")
	}
	stranger := ledger.Actor{Person: "eve", Via: ledger.ViaLogin, Scope: ledger.ScopeFull}
	if err := d.ExportDataset(t.Context(), stranger, d.project, "train", labeling.FormatCSV, brokenPipe{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a stranger: %v", err)
	}
	var taken []ledger.Record
	if err := d.store.View(t.Context(), func(tx *store.Tx) (err error) {
		taken, err = tx.Events(ledger.Filter{Project: d.project, Kind: "dataset.exported"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(taken) != 1 || taken[0].Actor != "ana" || taken[0].Subject.ID != string(dataset.ID) || string(taken[0].Payload) != `{"format":"csv"}` {
		t.Errorf("history = %+v", taken)
	}
}
