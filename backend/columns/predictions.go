package columns

import (
	"bytes"
	"fmt"
	"io"
	"iter"

	"github.com/apache/arrow/go/v17/parquet"

	"github.com/adjudge/adjudge/compare"
)

// Predictions writes and reads prediction sets; it implements compare.Columns.
type Predictions struct{}

var predictionColumns = []Column{{"key", Text}, {"class", Dictionary}, {"score", Float}, {"runner_up", Float}}

// WritePredictions writes rows as a Parquet file with the columns key, class,
// score and runner_up; an unknown score is negative.
func (Predictions) WritePredictions(w io.Writer, rows iter.Seq2[compare.Prediction, error]) error {
	out, err := NewWriter(w, predictionColumns, "adjudge", "predictions.v1")
	if err != nil {
		return err
	}
	const piece = 4096
	keys, classes := make([]string, 0, piece), make([]string, 0, piece)
	scores, runners := make([]float64, 0, piece), make([]float64, 0, piece)
	flush := func() error {
		err := out.Write(keys, classes, scores, runners)
		keys, classes, scores, runners = keys[:0], classes[:0], scores[:0], runners[:0]
		return err
	}
	for p, err := range rows {
		if err != nil {
			return err
		}
		keys, classes = append(keys, p.Key), append(classes, p.Class)
		scores, runners = append(scores, p.Score), append(runners, p.Runner)
		if len(keys) == piece {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return out.Close()
}

// ReadPredictions reads a file that WritePredictions wrote.
func (Predictions) ReadPredictions(r io.ReadSeeker) iter.Seq2[compare.Prediction, error] {
	return func(yield func(compare.Prediction, error) bool) {
		if err := readPredictions(r, func(p compare.Prediction) bool { return yield(p, nil) }); err != nil {
			yield(compare.Prediction{}, err)
		}
	}
}

// ReadAnswers reads two columns of text of a file of ours, such as key and class
// of a prediction set, a row group at a time. The next group is read meanwhile.
func (Predictions) ReadAnswers(r io.ReadSeeker, key, class string) iter.Seq2[compare.Answers, error] {
	type group struct {
		rows compare.Answers
		err  error
	}
	return func(yield func(compare.Answers, error) bool) {
		f, err := open(r)
		if err != nil {
			yield(compare.Answers{}, err)
			return
		}
		groups, enough, done := make(chan group), make(chan struct{}), make(chan struct{})
		defer func() { close(enough); <-done }() // r belongs to the caller again
		go func() {
			defer close(done)
			defer close(groups)
			for g := range f.Groups() {
				var next group
				if next.rows.Keys, next.err = f.Texts(g, key); next.err == nil {
					next.rows.Codes, next.rows.Names, next.err = f.Names(g, class)
				}
				if next.err == nil && len(next.rows.Keys) != len(next.rows.Codes) {
					next.err = fmt.Errorf("parquet columns %q and %q differ in length", key, class)
				}
				select {
				case groups <- next:
				case <-enough:
					return
				}
				if next.err != nil {
					return
				}
			}
		}()
		for next := range groups {
			if !yield(next.rows, next.err) {
				return
			}
		}
	}
}

func open(r io.ReadSeeker) (*File, error) {
	in, ok := r.(parquet.ReaderAtSeeker)
	if !ok {
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("read parquet: %w", err)
		}
		in = bytes.NewReader(content)
	}
	return Open(in)
}

func readPredictions(r io.ReadSeeker, yield func(compare.Prediction) bool) error {
	f, err := open(r)
	if err != nil {
		return err
	}
	for g := range f.Groups() {
		keys, err := f.Texts(g, "key")
		if err != nil {
			return err
		}
		classes, names, err := f.Names(g, "class")
		if err != nil {
			return err
		}
		scores, err := f.Floats(g, "score")
		if err != nil {
			return err
		}
		runners, err := f.Floats(g, "runner_up")
		if err != nil {
			return err
		}
		for i := range keys {
			if !yield(compare.Prediction{Key: keys[i], Class: names[classes[i]], Score: scores[i], Runner: runners[i]}) {
				return nil
			}
		}
	}
	return nil
}
