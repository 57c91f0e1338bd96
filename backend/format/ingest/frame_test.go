package ingest

import (
	"bytes"
	"testing"

	"github.com/adjudge/adjudge/labeling"
)

// Whatever a child says, the parent does not panic, and takes no more records
// and values than were said.
func FuzzDecodeBatch(f *testing.F) {
	var e encoder
	for _, n := range []int64{7, 2, 1, 3, 1} {
		e.number(n)
	}
	e.value(labeling.Value{Text: "a", Present: true})
	e.number(1)
	e.number(4)
	e.text("bad")
	f.Add(e.b)
	f.Add([]byte{0, 0, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, payload []byte) {
		batch := labeling.Batch{Columns: []string{"a", "b"}}
		if _, err := decodeBatch(payload, &batch, nil); err != nil {
			return
		}
		if len(batch.Records)+len(batch.Errors) > len(payload) {
			t.Fatalf("%d records of %d bytes", len(batch.Records), len(payload))
		}
		for _, r := range batch.Records {
			if len(r.Values) > len(batch.Columns) {
				t.Fatalf("%d values in %d columns", len(r.Values), len(batch.Columns))
			}
		}
	})
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{'D', 1, 0, 0, 0, 5})
	f.Add([]byte{'B', 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, in []byte) {
		_, payload, err := readFrame(bytes.NewReader(in), nil)
		if err == nil && len(payload) > len(in) {
			t.Fatalf("a frame of %d bytes in %d", len(payload), len(in))
		}
	})
}
