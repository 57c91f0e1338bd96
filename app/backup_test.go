package app

import (
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/adjudge/adjudge/backend/checkpoint"
)

// A checkpoint of the copy that names an event which the copy of the history lacks
// would shut every gate of what is restored from it. That the checkpoints are there
// when the rows cannot be read shows which comes first.
func TestABackupCopiesTheCheckpointsBeforeTheHistory(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	h, err := openHouse(t.Context(), settings{Data: data, Port: "0", Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		_, err = h.keeper.Make(t.Context(), "by hand")
		err = errors.Join(err, h.close())
	}
	if err != nil {
		t.Fatal(err)
	}
	d := &dataDir{path: data}
	db, err := sql.Open("sqlite", d.file("adjudge.db"))
	if err == nil {
		_, err = db.ExecContext(t.Context(), `CREATE TABLE spoiled (x TEXT PRIMARY KEY); INSERT INTO spoiled VALUES (CAST(x'ff' AS TEXT))`)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	part := t.TempDir()
	if _, err := fillBackup(t.Context(), d, d.file("adjudge.db"), part, false, &progress{}); err == nil {
		t.Fatal("a text that is none was copied")
	}
	if list, err := checkpoint.Read(filepath.Join(part, "checkpoints", checkpoint.File)); err != nil || len(list) == 0 {
		t.Errorf("%d checkpoints: %v", len(list), err)
	}
}
