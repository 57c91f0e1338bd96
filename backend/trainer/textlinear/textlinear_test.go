package textlinear

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sample is a small problem whose classes differ by words and by endings.
func sample(n int) (rows []row, classes []string) {
	classes = []string{"card", "refund", "transfer"}
	texts := [][]string{
		{"my card is lost", "card not working", "where is my new card", "I can't find the card"},
		{"I want my money back", "refund please", "when is the refund coming", "the refund is missing"},
		{"transfer failed", "how long do transfers take", "transferring to a friend", "a transfer is pending"},
	}
	for i := range n {
		c := i % 3
		rows = append(rows, row{Key: fmt.Sprintf("k%03d", i), Text: fmt.Sprintf("%s %d", texts[c][i/3%4], i%7), Answer: classes[c]})
	}
	return rows, classes
}

// jobDir lays out a job directory as the runner does.
func jobDir(t testing.TB, kind string, params Params, rows []row, classes []string) string {
	t.Helper()
	dir := t.TempDir()
	input, split := "train", "train"
	if kind == "predict" {
		input, split = "data", "predict"
	}
	base := filepath.Join(dir, "input", input)
	if err := os.MkdirAll(base, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path string, v any) {
		if err := writeJSON(path, v); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "job.json"), map[string]any{"version": 1, "kind": kind, "seed": 7})
	write(filepath.Join(dir, "params.json"), params)
	write(filepath.Join(base, "dataset.json"), map[string]any{
		"rows": len(rows), "splits": map[string][]string{split: {"part-0.jsonl"}}, "label_schema": map[string]any{"classes": classes}})
	var lines bytes.Buffer
	for _, r := range rows {
		line, _ := json.Marshal(r)
		lines.Write(append(line, '\n'))
	}
	if err := os.WriteFile(filepath.Join(base, "part-0.jsonl"), lines.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustRun(t testing.TB, dir string) string {
	t.Helper()
	var log bytes.Buffer
	if code := Main(t.Context(), dir, &log); code != ExitOK {
		t.Fatalf("exit code %d:\n%s", code, &log)
	}
	return log.String()
}

func TestTrainLeavesModelMetricsPredictionsAndResult(t *testing.T) {
	t.Parallel()
	rows, classes := sample(90)
	dir := jobDir(t, "train", Defaults(), rows, classes)
	log := mustRun(t, dir)
	if !strings.Contains(log, "epoch 1/8") || !strings.Contains(log, "final epoch 8/8") {
		t.Errorf("the log lacks its epochs:\n%s", log)
	}
	splits := map[string]int{}
	eachLine(t, filepath.Join(dir, "output", "metrics.jsonl"), func(raw []byte) {
		var m struct {
			Step    int
			Split   string
			Metrics map[string]float64
		}
		if err := json.Unmarshal(raw, &m); err != nil || m.Step == 0 || len(m.Metrics) != 2 {
			t.Errorf("metrics line %s: %v", raw, err)
		}
		splits[m.Split]++
	})
	if want := map[string]int{"train": 8, "validation": 8, "final": 8}; !maps.Equal(splits, want) {
		t.Errorf("metrics by split: %v, want %v", splits, want)
	}
	held := 0
	eachLine(t, filepath.Join(dir, "output", "predictions.jsonl"), func(raw []byte) {
		held++
		checkPrediction(t, raw, classes)
	})
	if held == 0 || held > 30 {
		t.Errorf("%d predictions on held-out rows, want about nine", held)
	}
	var result struct {
		Status  string
		Primary struct{ Value float64 } `json:"primary_metric"`
	}
	if err := readJSON(filepath.Join(dir, "output", "result.json"), &result); err != nil || result.Status != "ok" || result.Primary.Value < 0.8 {
		t.Errorf("result %+v, %v", result, err)
	}
}

func TestPredictAnswersEveryRowInOrderWithProbabilities(t *testing.T) {
	t.Parallel()
	rows, classes := sample(60)
	trained := jobDir(t, "train", Defaults(), rows, classes)
	mustRun(t, trained)
	dir := jobDir(t, "predict", Defaults(), []row{{Key: "b", Text: "the card is lost"}, {Key: "a", Text: "a refund"}, {Key: "c", Text: ""}}, classes)
	if err := os.CopyFS(filepath.Join(dir, "input", "model"), os.DirFS(filepath.Join(trained, "output", "model"))); err != nil {
		t.Fatal(err)
	}
	mustRun(t, dir)
	var got []string
	eachLine(t, filepath.Join(dir, "output", "predictions.jsonl"), func(raw []byte) {
		p := checkPrediction(t, raw, classes)
		got = append(got, p.Item+"="+p.Label)
	})
	if len(got) != 3 || got[0] != "b=card" || got[1] != "a=refund" || !strings.HasPrefix(got[2], "c=") {
		t.Errorf("predictions %v", got)
	}
}

func checkPrediction(t testing.TB, raw []byte, classes []string) prediction {
	t.Helper()
	var p prediction
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatalf("prediction %s: %v", raw, err)
	}
	var sum float64
	for _, v := range p.Proba {
		sum += v
	}
	if !slices.Contains(classes, p.Label) || p.Proba[p.Label] != p.Score || math.Abs(sum-1) > 1e-3 {
		t.Errorf("prediction %s does not add up (sum %v)", raw, sum)
	}
	return p
}

func eachLine(t testing.TB, path string, each func([]byte)) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		each(line)
	}
}

func TestSameSeedGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	rows, classes := sample(60)
	files := func(change func(*Params)) string {
		p := Defaults()
		change(&p)
		dir := jobDir(t, "train", p, rows, classes)
		mustRun(t, dir)
		raw, err := os.ReadFile(filepath.Join(dir, "output", "model", "weights.bin"))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if first := files(func(*Params) {}); first != files(func(*Params) {}) {
		t.Error("the same parameters and seed gave different weights")
	} else if first == files(func(p *Params) { p.Epochs = 3 }) {
		t.Error("fewer epochs gave the same weights")
	}
}

func TestModelSurvivesItsDirectory(t *testing.T) {
	t.Parallel()
	rows, classes := sample(60)
	dir := jobDir(t, "train", Defaults(), rows, classes)
	mustRun(t, dir)
	model := filepath.Join(dir, "output", "model")
	m, err := Load(model)
	if err != nil {
		t.Fatal(err)
	}
	again := t.TempDir()
	if err := m.Save(again); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"model.json", "weights.bin"} {
		a, _ := os.ReadFile(filepath.Join(model, name))
		b, _ := os.ReadFile(filepath.Join(again, name))
		if len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s changed on its way through memory", name)
		}
	}
	if err := os.Truncate(filepath.Join(again, "weights.bin"), 10); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(again); err == nil || !strings.Contains(err.Error(), "expected") {
		t.Errorf("a cut model loads: %v", err)
	}
}

func TestUnusableJobsEndWithTheContractsExitCodes(t *testing.T) {
	t.Parallel()
	rows, classes := sample(30)
	cut := func(f func(*Params)) Params { p := Defaults(); f(&p); return p }
	for name, tc := range map[string]struct {
		dir  func(t *testing.T) string
		code int
		says string
	}{
		"no job.json":  {func(t *testing.T) string { return t.TempDir() }, ExitBadConfig, "job.json"},
		"unknown kind": {func(t *testing.T) string { return jobDir(t, "dream", Defaults(), rows, classes) }, ExitBadConfig, "dream"},
		"a parameter out of range": {func(t *testing.T) string {
			return jobDir(t, "train", cut(func(p *Params) { p.Epochs = 0 }), rows, classes)
		}, ExitBadConfig, "epochs"},
		"nothing to learn from": {func(t *testing.T) string {
			return jobDir(t, "train", cut(func(p *Params) { p.WordNgrams, p.CharMax = 0, 0 }), rows, classes)
		}, ExitBadConfig, "nothing is left"},
		"no rows":          {func(t *testing.T) string { return jobDir(t, "train", Defaults(), nil, classes) }, ExitBadData, "label more items"},
		"a single class":   {func(t *testing.T) string { return jobDir(t, "train", Defaults(), rows[:1], classes[:1]) }, ExitBadData, "too few"},
		"an unknown label": {func(t *testing.T) string { return jobDir(t, "train", Defaults(), rows, classes[:2]) }, ExitBadData, "no class"},
		"broken rows": {func(t *testing.T) string {
			dir := jobDir(t, "train", Defaults(), rows, classes)
			if err := os.WriteFile(filepath.Join(dir, "input", "train", "part-0.jsonl"), []byte("{\"key\":\"a\"}\n{]"), 0o644); err != nil {
				t.Fatal(err)
			}
			return dir
		}, ExitBadData, "row 2"},
		"a prediction without a model": {func(t *testing.T) string { return jobDir(t, "predict", Defaults(), rows, classes) }, ExitBadData, "model"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			if code := Main(t.Context(), tc.dir(t), &log); code != tc.code || !strings.Contains(log.String(), tc.says) {
				t.Errorf("exit code %d, want %d; log %q should say %q", code, tc.code, log.String(), tc.says)
			}
		})
	}
}

func TestTypoInAParameterIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := ParseParams([]byte(`{"epocs": 3}`)); err == nil || !strings.Contains(err.Error(), "epocs") {
		t.Errorf("a typo passes: %v", err)
	}
	if p, err := ParseParams([]byte(`{}`)); err != nil || p != Defaults() {
		t.Errorf("no parameters are not the defaults: %+v, %v", p, err)
	}
}

func TestStopEndsTraining(t *testing.T) {
	t.Parallel()
	rows, classes := sample(60)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var log bytes.Buffer
	dir := jobDir(t, "train", Defaults(), rows, classes)
	if code := Main(ctx, dir, &log); code != ExitStopped {
		t.Errorf("exit code %d after a stop, want %d", code, ExitStopped)
	}
	if _, err := os.Stat(filepath.Join(dir, "output", "model")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a stopped training left a model: %v", err)
	}
}

func TestAnyScriptMakesFeatures(t *testing.T) {
	t.Parallel()
	x := newExtractor(Defaults())
	for _, text := range []string{"плохая карта", "カードを失くした", "بطاقتي ضاعت", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "a\xffb", strings.Repeat("x", 100_000)} {
		grams := x.grams(text)
		if len(grams) == 0 {
			t.Errorf("%.20q has no features", text)
		}
		if !slices.IsSortedFunc(grams, func(a, b feature) int { return int(a.slot) - int(b.slot) }) {
			t.Errorf("features of %.20q are not ordered", text)
		}
	}
	if n := len(x.grams(" \t…!")); n != 0 {
		t.Errorf("punctuation has %d features", n)
	}
}

// banking reads the real data, or skips.
func banking(t testing.TB) (learn, test []Example, classes []string) {
	t.Helper()
	root := os.Getenv("ADJUDGE_REALDATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	number := map[string]int{}
	read := func(name string) (examples []Example) {
		f, err := os.Open(filepath.Join(root, "banking77", name))
		if err != nil {
			t.Skipf("no real data: %v (set ADJUDGE_REALDATA)", err)
		}
		defer func() { _ = f.Close() }()
		records, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records[1:] {
			if _, known := number[r[1]]; !known {
				number[r[1]] = len(classes)
				classes = append(classes, r[1])
			}
			examples = append(examples, Example{r[0], number[r[1]]})
		}
		return examples
	}
	learn, test = read("train.csv"), read("test.csv")
	return learn, test, classes
}

func TestBanking77ReachesItsAccuracyAndWorseParametersAreWorse(t *testing.T) {
	learn, test, classes := banking(t)
	accuracy := func(p Params) float64 {
		start := time.Now()
		m, err := Fit(t.Context(), learn, classes, p, 1, func(*Model, Epoch) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		_, a := measure(m, test)
		t.Logf("%d rows, %d classes: accuracy %.4f on %d test rows after %.1f s; %d n-grams", len(learn), len(classes), a, len(test), time.Since(start).Seconds(), len(m.slots))
		return a
	}
	good := accuracy(Defaults())
	if good < 0.90 {
		t.Errorf("accuracy %.4f with the defaults, want 0.90 or more", good)
	}
	worse := Defaults()
	worse.WordNgrams, worse.CharMax, worse.Epochs, worse.HashBits = 1, 0, 1, 12
	if bad := accuracy(worse); bad > good-0.05 {
		t.Errorf("accuracy %.4f with visibly worse parameters, %.4f with the defaults", bad, good)
	}
}

func BenchmarkFitBanking77Of10003Rows(b *testing.B) {
	learn, _, classes := banking(b)
	for b.Loop() {
		if _, err := Fit(b.Context(), learn, classes, Defaults(), 1, func(*Model, Epoch) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPredictBanking77Of3080Rows(b *testing.B) {
	learn, test, classes := banking(b)
	p := Defaults()
	p.Epochs = 1
	m, err := Fit(b.Context(), learn, classes, p, 1, func(*Model, Epoch) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		measure(m, test)
	}
}
