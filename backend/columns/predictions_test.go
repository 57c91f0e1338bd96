package columns

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/adjudge/adjudge/compare"
)

func TestPredictionsReadBackAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 4096, GroupRows + 3} {
		var want []compare.Prediction
		for i := range n {
			want = append(want, compare.Prediction{Key: fmt.Sprint(i), Class: fmt.Sprint("é", i%3), Score: float64(i) / float64(n), Runner: compare.NoScore})
		}
		write := func() *bytes.Reader {
			var b bytes.Buffer
			err := Predictions{}.WritePredictions(&b, func(yield func(compare.Prediction, error) bool) {
				for _, p := range want {
					if !yield(p, nil) {
						return
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			return bytes.NewReader(b.Bytes())
		}
		first, second := write(), write()
		a, _ := io.ReadAll(first)
		b, _ := io.ReadAll(second)
		if !bytes.Equal(a, b) {
			t.Errorf("%d rows give two different files", n)
		}
		var got []compare.Prediction
		for p, err := range (Predictions{}).ReadPredictions(first) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d rows read back as %d other rows", n, len(got))
		}
	}
}

func TestADamagedPredictionFileIsAnError(t *testing.T) {
	t.Parallel()
	for _, err := range (Predictions{}).ReadPredictions(bytes.NewReader([]byte("PAR1 no PAR1"))) {
		if err == nil {
			t.Error("a damaged file yields a row")
		}
	}
}
