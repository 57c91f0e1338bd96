package labeling_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// unpacker hands over a value again and again, as a packed file does.
type unpacker struct {
	value   string
	records int
}

func (u unpacker) Parse(_ context.Context, _ labeling.ParseRequest, each func(labeling.Batch) error) error {
	for n := 0; n < u.records; n += 1000 {
		b := labeling.Batch{Columns: []string{"text"}, Passed: int64(n + 1000)}
		for range 1000 {
			b.Records = append(b.Records, labeling.Record{Values: []labeling.Value{{Text: u.value, Present: true}}})
		}
		if err := each(b); err != nil {
			return err
		}
	}
	return nil
}

func TestAFileBringsInNoMoreThanTheBound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file    int
		value   string
		records int
		bound   labeling.ImportBound
		want    string // of the refusal
		most    int64  // bytes that are handed over
	}{
		"within":           {file: 1000, value: "a text", records: 10_000, most: 1 << 20},
		"too many records": {file: 1 << 20, value: "x", records: 10_000, bound: labeling.ImportBound{Records: 5000}, want: "--import-records", most: 5000},
		"too many bytes":   {file: 1 << 20, value: strings.Repeat("x", 1000), records: 10_000, bound: labeling.ImportBound{Bytes: 3 << 20}, want: "--import-size", most: 3 << 20},
		"a bomb":           {file: 319 << 10, value: strings.Repeat("x", 10_000), records: 70_000, want: "200 times", most: 65 << 20},
		"a large file":     {file: 4 << 20, value: strings.Repeat("x", 10_000), records: 70_000, most: 700 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			taken := int64(0)
			err := labeling.Bounded{Parser: unpacker{c.value, c.records}, Bound: c.bound}.Parse(t.Context(),
				labeling.ParseRequest{File: bytes.NewReader(make([]byte, c.file))}, func(b labeling.Batch) error {
					for _, r := range b.Records {
						taken += int64(len(r.Values[0].Text))
					}
					return nil
				})
			if c.want == "" && err != nil || c.want != "" && (!fault.Is(err, fault.TooLarge) || !strings.Contains(fault.Message(err), c.want)) {
				t.Errorf("got %v", err)
			}
			if taken > c.most {
				t.Errorf("%d bytes came in", taken)
			}
		})
	}
}
