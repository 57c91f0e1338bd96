package columns

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// sample writes rows in pieces of a given length.
func sample(t testing.TB, rows, piece int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, []Column{{"key", Text}, {"answer", Dictionary}, {"n", Integer}, {"score", Float}}, "digest", "d", "schema", "s")
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < rows; from += piece {
		var keys, answers []string
		var ns []int64
		var scores []float64
		for i := from; i < min(rows, from+piece); i++ {
			keys, answers, ns, scores = append(keys, fmt.Sprintf("key %07d", i)), append(answers, fmt.Sprintf("class %d", i%77)), append(ns, int64(i)), append(scores, float64(i)/3)
		}
		if err := w.Write(keys, answers, ns, scores); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTheSameRowsAreTheSameBytesHoweverTheyArrive(t *testing.T) {
	t.Parallel()
	want := ledger.DigestOf(sample(t, 150_000, 150_000))
	for _, piece := range []int{1, 1000, GroupRows, GroupRows + 1} {
		if got := ledger.DigestOf(sample(t, 150_000, piece)); got != want {
			t.Errorf("in pieces of %d: %s, want %s", piece, got, want)
		}
	}
	// Written down, so that another machine or release is caught.
	if got := ledger.DigestOf(sample(t, 1000, 10)); got != "sha256:4675b3966d746f4d621c179983d2f0222b906aedcec0957abf5f4049124f2074" {
		t.Errorf("golden = %s", got)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	f, err := Open(bytes.NewReader(sample(t, 70_000, 999)))
	if err != nil {
		t.Fatal(err)
	}
	if f.Rows() != 70_000 || f.Groups() != 2 || f.Meta("schema") != "s" || f.Meta("nothing") != "" {
		t.Errorf("rows %d, groups %d, meta %q", f.Rows(), f.Groups(), f.Meta("schema"))
	}
	keys, err1 := f.Texts(1, "key")
	answers, err2 := f.Texts(1, "answer")
	ns, err3 := f.Integers(1, "n")
	scores, err4 := f.Floats(1, "score")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	last := 70_000 - 1
	if i := last - GroupRows; len(keys) != 70_000-GroupRows || keys[i] != "key 0069999" || answers[i] != fmt.Sprintf("class %d", last%77) || ns[i] != int64(last) || scores[i] != float64(last)/3 {
		t.Errorf("last row = %s %s %d %v", keys[i], answers[i], ns[i], scores[i])
	}
	if _, err := f.Texts(0, "n"); err == nil {
		t.Error("integers are read as text")
	}
	if _, err := f.Floats(0, "missing"); err == nil {
		t.Error("a missing column is read")
	}
}

func TestARowIsWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	w, err := NewWriter(io.Discard, []Column{{"a", Text}, {"n", Integer}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]any{
		"a column is missing":    {[]string{"x"}},
		"columns differ in rows": {[]string{"x", "y"}, []int64{1}},
		"a column of other kind": {[]int64{1}, []int64{1}},
		"a column of no kind":    {[]string{"x"}, []int{1}},
	} {
		if w.Write(data...) == nil {
			t.Errorf("%s, and it is written", name)
		}
	}
}

func TestAnUploadedFileGivesRecords(t *testing.T) {
	t.Parallel()
	r, err := NewReader(bytes.NewReader(sample(t, 70_000, 70_000)))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Columns(), []string{"key", "answer", "n", "score"}) {
		t.Errorf("columns = %v", r.Columns())
	}
	var last labeling.Record
	rows := 0
	for {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows++
		last = rec
	}
	if rows != 70_000 || last.Line != 70_000 || last.Values[0].Text != "key 0069999" || last.Values[2].Text != "69999" || last.Values[3].Text != "23333" {
		t.Errorf("%d rows, last %+v", rows, last)
	}
}

// Whatever the bytes, the reader answers; it never panics. (It may ask for more
// memory than there is, which is why it runs in a child.)
func FuzzReader(f *testing.F) {
	f.Add(sample(f, 3, 1))
	f.Add([]byte("PAR1\x00\x00\x00\x00\x00\x00\x00\x00PAR1"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := NewReader(bytes.NewReader(in))
		for n := 0; err == nil && n < 10_000; n++ {
			_, err = r.Next()
			if _, ok := errors.AsType[*labeling.RecordError](err); ok {
				err = nil
			}
		}
		if err != nil && err != io.EOF && fault.KindOf(err) != fault.Invalid {
			t.Fatalf("%v is no reason for people", err)
		}
	})
}

func BenchmarkWrite1MRows(b *testing.B) {
	for b.Loop() {
		sample(b, 1_000_000, 1000)
	}
}
