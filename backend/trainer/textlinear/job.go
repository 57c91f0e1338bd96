package textlinear

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Exit codes of the job contract that this trainer uses.
const (
	ExitOK        = 0
	ExitFailed    = 1
	ExitBadData   = 65 // the rows are unusable; trying again cannot help
	ExitBadConfig = 78 // the parameters are unusable
	ExitStopped   = 143
)

// exitError carries the code with which the process should end.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func badData(format string, args ...any) error {
	return &exitError{ExitBadData, fmt.Errorf(format, args...)}
}

// Main runs the job in dir, the directory that ADJUDGE_JOB_DIR names, and
// returns the exit code. Progress goes to log as lines. When ctx ends, the job
// stops at the next batch.
func Main(ctx context.Context, dir string, log io.Writer) int {
	err := run(ctx, dir, log)
	if err == nil {
		return ExitOK
	}
	_, _ = fmt.Fprintf(log, "error: %v\n", err)
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	if ctx.Err() != nil {
		return ExitStopped
	}
	return ExitFailed
}

type job struct {
	Kind string `json:"kind"`
	Seed uint64 `json:"seed"`
}

func run(ctx context.Context, dir string, log io.Writer) error {
	var j job
	if err := readJSON(filepath.Join(dir, "job.json"), &j); err != nil {
		return &exitError{ExitBadConfig, err}
	}
	switch j.Kind {
	case "train":
		return train(ctx, dir, j.Seed, log)
	case "predict":
		return predict(ctx, dir, log)
	}
	return &exitError{ExitBadConfig, fmt.Errorf("job.json: kind %q is neither train nor predict", j.Kind)}
}

// row is one line of an input part.
type row struct {
	Key    string `json:"key"`
	Text   string `json:"text"`
	Answer string `json:"answer"` // name of the class; empty in what is to be predicted
}

// dataset is the part of dataset.json that a trainer of texts needs.
type dataset struct {
	Splits      map[string][]string `json:"splits"`
	LabelSchema struct {
		Classes []string `json:"classes"`
	} `json:"label_schema"`
}

// readRows reads the rows of an input's only split and its classes.
func readRows(dir, name, split string, each func(row) error) (dataset, error) {
	base := filepath.Join(dir, "input", name)
	var d dataset
	if err := readJSON(filepath.Join(base, "dataset.json"), &d); err != nil {
		return d, badData("%w", err)
	}
	for _, file := range d.Splits[split] {
		if filepath.Ext(file) != ".jsonl" {
			continue
		}
		f, err := os.Open(filepath.Join(base, filepath.Base(file)))
		if err != nil {
			return d, badData("%w", err)
		}
		dec := json.NewDecoder(bufio.NewReaderSize(f, 1<<16))
		for line := 1; ; line++ {
			var r row
			err := dec.Decode(&r)
			if err == nil {
				err = each(r)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				_ = f.Close()
				return d, badData("%s, row %d: %w", file, line, err)
			}
		}
		_ = f.Close()
	}
	return d, nil
}

func train(ctx context.Context, dir string, seed uint64, log io.Writer) error {
	raw, err := os.ReadFile(filepath.Join(dir, "params.json"))
	if err != nil {
		return &exitError{ExitBadConfig, err}
	}
	p, err := ParseParams(raw)
	if err != nil {
		return &exitError{ExitBadConfig, err}
	}
	var rows []row
	d, err := readRows(dir, "train", "train", func(r row) error { rows = append(rows, r); return nil })
	if err != nil {
		return err
	}
	classes := d.LabelSchema.Classes
	number := make(map[string]int, len(classes))
	for i, name := range classes {
		number[name] = i
	}
	var learn, held []Example
	var keys []string // of the held-out rows
	for _, r := range rows {
		class, known := number[r.Answer]
		if !known {
			return badData("item %q has the answer %q, which is no class of the schema", r.Key, r.Answer)
		}
		if heldOut(r.Key, seed, p.Holdout) {
			held, keys = append(held, Example{r.Text, class}), append(keys, r.Key)
			continue
		}
		learn = append(learn, Example{r.Text, class})
	}
	if len(learn) == 0 || len(classes) < 2 {
		return badData("%d rows in %d classes are too few to learn from; label more items", len(learn), len(classes))
	}
	say(log, "%d rows in %d classes; %d held out to measure on", len(rows), len(classes), len(held))
	out := filepath.Join(dir, "output")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	metrics, err := os.OpenFile(filepath.Join(out, "metrics.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = metrics.Close() }()
	passes := p.Epochs
	refit := p.Refit && len(held) > 0
	if refit {
		passes *= 2
	}
	var best float64
	m, err := Fit(ctx, learn, classes, p, seed, func(m *Model, e Epoch) error {
		say(log, "::progress %.3f epoch %d/%d", float64(e.Number)/float64(passes), e.Number, p.Epochs)
		line := fmt.Sprintf("epoch %d/%d  loss %.4f  accuracy %.4f", e.Number, p.Epochs, e.Loss, e.Accuracy)
		measured := map[string]float64{"loss": e.Loss, "accuracy": e.Accuracy}
		if err := writeMetrics(metrics, e.Number, "train", measured); err != nil {
			return err
		}
		if len(held) > 0 {
			loss, accuracy := measure(m, held)
			best = accuracy
			line += fmt.Sprintf("  held out: loss %.4f  accuracy %.4f", loss, accuracy)
			if err := writeMetrics(metrics, e.Number, "validation", map[string]float64{"loss": loss, "accuracy": accuracy}); err != nil {
				return err
			}
		}
		say(log, "%s", line)
		return nil
	})
	if err != nil {
		return err
	}
	if len(held) > 0 {
		if err := writePredictions(filepath.Join(out, "predictions.jsonl"), m, "validation", func(yield func(key, text string) error) error {
			for i, e := range held {
				if err := yield(keys[i], e.Text); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	if refit {
		say(log, "measured; training once more on all %d rows", len(rows))
		m, err = Fit(ctx, append(learn, held...), classes, p, seed, func(_ *Model, e Epoch) error {
			say(log, "::progress %.3f final epoch %d/%d", float64(p.Epochs+e.Number)/float64(passes), e.Number, p.Epochs)
			say(log, "final epoch %d/%d  loss %.4f  accuracy %.4f", e.Number, p.Epochs, e.Loss, e.Accuracy)
			return writeMetrics(metrics, e.Number, "final", map[string]float64{"loss": e.Loss, "accuracy": e.Accuracy})
		})
		if err != nil {
			return err
		}
	}
	if err := m.Save(filepath.Join(out, "model")); err != nil {
		return err
	}
	say(log, "saved a model with %d n-grams", len(m.slots))
	result := map[string]any{"status": "ok"}
	if len(held) > 0 {
		result["primary_metric"] = map[string]any{"name": "accuracy", "split": "validation", "value": round(best)}
	}
	return writeJSON(filepath.Join(out, "result.json"), result)
}

func predict(ctx context.Context, dir string, log io.Writer) error {
	m, err := Load(filepath.Join(dir, "input", "model"))
	if err != nil {
		return badData("the model cannot be read: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "output"), 0o755); err != nil {
		return err
	}
	count := 0
	err = writePredictions(filepath.Join(dir, "output", "predictions.jsonl"), m, "", func(yield func(key, text string) error) error {
		_, err := readRows(dir, "data", "predict", func(r row) error {
			if count++; count%1000 == 0 {
				say(log, "%d rows answered", count)
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
			}
			return yield(r.Key, r.Text)
		})
		return err
	})
	if err == nil {
		say(log, "%d rows answered, all done", count)
	}
	return err
}

// heldOut decides by key and seed alone, so that a row stays on its side when
// other rows come and go.
func heldOut(key string, seed uint64, share float64) bool {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d/%s", seed, key)
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return float64(x>>11)/(1<<53) < share
}

// measure returns the mean cross-entropy and the accuracy on examples.
func measure(m *Model, examples []Example) (loss, accuracy float64) {
	p := NewPredictor(m)
	right := 0
	for _, e := range examples {
		proba, class := p.Predict(e.Text)
		loss -= math.Log(max(float64(proba[e.Class]), 1e-12))
		if class == e.Class {
			right++
		}
	}
	return loss / float64(len(examples)), float64(right) / float64(len(examples))
}

// prediction is one line of predictions.jsonl.
type prediction struct {
	Item  string             `json:"item"`
	Label string             `json:"label"`
	Score float64            `json:"score"`
	Proba map[string]float64 `json:"proba"`
	Split string             `json:"split,omitempty"`
}

// writePredictions answers each text. Probabilities that round to nothing are
// left out: with 77 classes they are most of the file.
func writePredictions(path string, m *Model, split string, texts func(yield func(key, text string) error) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<18)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	p := NewPredictor(m)
	err = texts(func(key, text string) error {
		proba, class := p.Predict(text)
		line := prediction{Item: key, Label: m.classes[class], Score: round(float64(proba[class])), Proba: make(map[string]float64, 8), Split: split}
		for c, v := range proba {
			if r := round(float64(v)); r > 0 || c == class {
				line.Proba[m.classes[c]] = r
			}
		}
		return enc.Encode(line)
	})
	return errors.Join(err, w.Flush(), f.Close())
}

func round(v float64) float64 { return math.Round(v*1e5) / 1e5 }

func writeMetrics(w io.Writer, step int, split string, values map[string]float64) error {
	for name, v := range values {
		values[name] = math.Round(v*1e6) / 1e6
	}
	line, err := json.Marshal(struct {
		Step    int                `json:"step"`
		Time    json.Number        `json:"time"`
		Split   string             `json:"split"`
		Metrics map[string]float64 `json:"metrics"`
	}{step, json.Number(strconv.FormatFloat(float64(time.Now().UnixMilli())/1000, 'f', 3, 64)), split, values})
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }

func readJSON(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}

func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}
