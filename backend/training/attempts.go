package training

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// What a runner may do. Every method takes the fence that its token proved.

// AuthenticateAttempt returns the actor and the fence, as text, to which the
// token of an attempt belongs, or Unauthenticated. The actor may do nothing but
// speak for the attempt.
func (s *Service) AuthenticateAttempt(ctx context.Context, secret string) (ledger.Actor, string, error) {
	var job Job
	var attempt Attempt
	err := s.View(ctx, func(tx Tx) (err error) {
		if attempt, err = tx.GetAttemptByToken(ledger.DigestOf([]byte(secret))); err != nil {
			return err
		}
		job, err = tx.GetJob(attempt.Job)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return ledger.Actor{}, "", fault.New(fault.Unauthenticated, "No attempt has this token.")
	}
	return ledger.Actor{Person: job.CreatedBy, Via: ledger.ViaAttempt}, strconv.FormatInt(attempt.Fence, 10), err
}

// live returns an attempt that may still write, with its job, and renews its
// lease; anything else is stale.
func live(tx Tx, fence int64) (Attempt, Job, error) {
	a, err := tx.GetAttempt(fence)
	if fault.Is(err, fault.NotFound) {
		return a, Job{}, stale(fence)
	}
	if err != nil {
		return a, Job{}, err
	}
	j, err := tx.GetJob(a.Job)
	if err != nil {
		return a, j, err
	}
	if a.State.Over() || j.Fence != fence || j.State.Over() {
		return a, j, stale(fence)
	}
	a.BeatAt, a.LeaseUntil = tx.Now(), tx.Now().Add(leaseTime)
	return a, j, nil
}

// StartAttempt tells a runner that reports in what to do. It only reads: a flush
// to disk here would delay every training, and the lease is fresh from the claim.
func (s *Service) StartAttempt(ctx context.Context, fence int64) (Spec, error) {
	var spec Spec
	err := s.View(ctx, func(tx Tx) error {
		a, j, err := live(tx, fence)
		if err != nil {
			return err
		}
		spec, err = s.spec(tx, j, a)
		return err
	})
	return spec, err
}

// spec says what an attempt of a job has to do.
func (s *Service) spec(tx Tx, j Job, a Attempt) (Spec, error) {
	recipe, err := s.Recipes.Get(j.Recipe)
	if err != nil {
		return Spec{}, err
	}
	step := recipe.step(j.Kind)
	spec := Spec{
		Job: JobFile{Version: 1, JobID: j.ID, Attempt: a.Number, Fence: a.Fence, Kind: j.Kind, Project: j.Project, CreatedBy: j.CreatedBy,
			Recipe: j.Recipe, Seed: j.Seed, Resume: a.Number > 1},
		Params: j.Params, Command: step.Command, Outputs: step.Outputs, GraceS: int(recipe.GraceTime().Seconds()),
		BeatS: beatEvery.Seconds(), LogLimit: logLimit,
	}
	if s.Traces != nil {
		spec.Traceparent = s.Traces.Parent(j, a)
	}
	if !j.StopAt.IsZero() {
		stop := s.stopOf(j)
		spec.Stop = &stop
	}
	switch j.Kind {
	case KindTrain:
		snapshot, err := tx.Snapshot(j.Snapshot)
		if err != nil {
			return spec, err
		}
		var classes []string
		for _, c := range snapshot.Classes {
			if c.Items > 0 {
				classes = append(classes, c.Class)
			}
		}
		files := []string{"part-0.jsonl"}
		dataset, err := json.Marshal(datasetFile{
			Snapshot: string(snapshot.ID), Digest: snapshot.Digest, Rows: snapshot.Items, Schema: rowSchema(true),
			Files: map[string]ledger.Digest{"part-0.jsonl": snapshot.Rows}, Splits: map[string][]string{"train": files},
			Labels: labelSchema{Digest: snapshot.Schema, Classes: classes},
		})
		if err != nil {
			return spec, err
		}
		spec.Inputs = []Input{{Name: "train", Dataset: dataset, Files: files}}
	case KindPredict:
		model, err := tx.GetModel(j.Project, j.Model)
		if err != nil {
			return spec, err
		}
		var files []string
		for _, f := range model.Files {
			files = append(files, f.Path)
		}
		data := []string{"part-0.jsonl"}
		dataset, err := json.Marshal(datasetFile{Dataset: string(j.Dataset), Rows: -1, Schema: rowSchema(false), Splits: map[string][]string{"predict": data}})
		if err != nil {
			return spec, err
		}
		spec.Inputs = []Input{{Name: "model", Files: files}, {Name: "data", Dataset: dataset, Files: data}}
	}
	return spec, nil
}

// step returns what a recipe does for a kind of job.
func (r Recipe) step(kind Kind) Step {
	if kind == KindPredict {
		return r.Predict
	}
	return r.Train
}

// datasetFile is dataset.json of the job contract.
type datasetFile struct {
	Snapshot string                   `json:"snapshot_id,omitempty"`
	Dataset  string                   `json:"dataset_id,omitempty"`
	Digest   ledger.Digest            `json:"sha256,omitempty"`
	Rows     int64                    `json:"rows"` // -1: not counted beforehand
	Schema   map[string]string        `json:"schema"`
	Files    map[string]ledger.Digest `json:"files,omitempty"`
	Splits   map[string][]string      `json:"splits"`
	Labels   labelSchema              `json:"label_schema"`
}

type labelSchema struct {
	Digest  ledger.Digest `json:"sha256,omitempty"`
	Classes []string      `json:"classes"`
}

func rowSchema(labeled bool) map[string]string {
	schema := map[string]string{"key": "string", "content": "string", "text": "string"}
	if labeled {
		schema["answer"] = "string"
	}
	return schema
}

// OpenInput returns the bytes of one input file of an attempt.
func (s *Service) OpenInput(ctx context.Context, fence int64, name, file string) (io.ReadCloser, error) {
	var job Job
	var digest ledger.Digest
	err := s.View(ctx, func(tx Tx) error {
		a, err := tx.GetAttempt(fence)
		if err != nil {
			return err
		}
		if a.State.Over() {
			return stale(fence)
		}
		if job, err = tx.GetJob(a.Job); err != nil {
			return err
		}
		switch {
		case job.Kind == KindTrain && name == "train" && file == "part-0.jsonl":
			var snapshot labeling.Snapshot
			snapshot, err = tx.Snapshot(job.Snapshot)
			digest = snapshot.Rows
		case job.Kind == KindPredict && name == "model":
			var model compare.Model
			model, err = tx.GetModel(job.Project, job.Model)
			if i := slices.IndexFunc(model.Files, func(f compare.File) bool { return f.Path == file }); i >= 0 {
				digest = model.Files[i].Digest
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if job.Kind == KindPredict && name == "data" && file == "part-0.jsonl" {
		return s.texts(ctx, job), nil
	}
	if digest == "" {
		return nil, fault.New(fault.NotFound, "Attempt %d has no input %s/%s.", fence, name, file)
	}
	return s.Files.Open(ctx, digest)
}

// texts streams the items that a predict job answers, as JSON lines.
func (s *Service) texts(ctx context.Context, j Job) io.ReadCloser {
	read, write := io.Pipe()
	go func() {
		enc := json.NewEncoder(write)
		enc.SetEscapeHTML(false)
		for after := int64(0); ; {
			var page []Text
			err := s.View(ctx, func(tx Tx) (err error) {
				page, err = tx.DatasetTexts(j.Dataset, j.Unlabeled, after, 1000)
				return err
			})
			for _, t := range page {
				if err == nil {
					err = enc.Encode(t)
				}
				after = t.Seq
			}
			if err != nil || len(page) == 0 {
				_ = write.CloseWithError(err) // nil ends the stream well; it never fails
				return
			}
		}
	}()
	return read
}

// Heartbeat renews the lease of an attempt and notes how far it is.
func (s *Service) Heartbeat(ctx context.Context, fence int64, b Beat) (Answer, error) {
	var answer Answer
	err := s.Update(ctx, func(tx Tx) error {
		a, j, err := live(tx, fence)
		if err != nil {
			return err
		}
		if b.Host != nil {
			a.Host = *b.Host
		}
		began := b.Phase != PhaseStarting && a.StartedAt.IsZero()
		if began {
			a.StartedAt = a.BeatAt
		}
		if b.Phase == PhaseCollecting && a.CollectingAt.IsZero() {
			a.CollectingAt = a.BeatAt
		}
		a.Phase = b.Phase
		if began && a.State == Starting {
			a.State, j.State = Running, Running
			if err := saveJob(tx, j, func(r *compare.Run) { r.StartedAt = a.BeatAt }); err != nil {
				return err
			}
			if err := record(tx, ledger.System(), j, "running", map[string]any{"fence": fence, "attempt": a.Number}); err != nil {
				return err
			}
		}
		answer = s.answer(j, a.LogBytes)
		return tx.UpdateAttempt(a)
	})
	return answer, err
}

func (s *Service) answer(j Job, next int64) Answer {
	a := Answer{Next: next, BeatS: beatEvery.Seconds()}
	if !j.StopAt.IsZero() {
		stop := s.stopOf(j)
		a.Stop = &stop
	}
	return a
}

// RangeError says that bytes of a stream do not begin where the stored ones
// end; the runner goes back, or forward, to Next.
type RangeError struct{ Next int64 }

// Error tells what is wanted.
func (e *RangeError) Error() string { return fmt.Sprintf("the next byte wanted is %d", e.Next) }

// Append stores bytes of a stream that begin at an offset. It returns a
// RangeError when they do not follow what is stored.
func (s *Service) Append(ctx context.Context, fence int64, stream Stream, offset int64, body []byte) (Answer, error) {
	if len(body) > MaxChunk {
		return Answer{}, fault.New(fault.TooLarge, "A write to a stream carries at most %d bytes.", MaxChunk)
	}
	var answer Answer
	var job Job
	err := s.Update(ctx, func(tx Tx) error {
		a, j, err := live(tx, fence)
		if err != nil {
			return err
		}
		job = j
		at := &a.LogBytes
		if stream == StreamMetrics {
			at = &a.MetricsBytes
		}
		if offset != *at {
			return &RangeError{*at}
		}
		*at += int64(len(body))
		switch stream {
		case StreamLog:
			a.LogCRC32 = crc32.Update(a.LogCRC32, crc32.IEEETable, body)
			if p, ok := progressIn(body); ok {
				a.Progress = p
			}
			err = tx.AppendLog(fence, offset, body)
		case StreamMetrics:
			if j.Kind == KindTrain {
				err = tx.AddPoints(j.Run, pointsIn(body, a.BeatAt))
			}
		default:
			err = fault.New(fault.NotFound, "There is no stream %q.", stream)
		}
		if err != nil {
			return err
		}
		answer = s.answer(j, *at)
		return tx.UpdateAttempt(a)
	})
	if err == nil {
		s.grew(job)
	}
	return answer, err
}

// progressIn finds the last "::progress 0.42 …" line of a piece of log.
func progressIn(body []byte) (float64, bool) {
	found, ok := 0.0, false
	for line := range bytes.Lines(body) {
		if rest, is := strings.CutPrefix(string(line), "::progress "); is {
			word, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			if p, err := strconv.ParseFloat(word, 64); err == nil && p >= 0 && p <= 1 {
				found, ok = p, true
			}
		}
	}
	return found, ok
}

// pointsIn reads the lines of metrics.jsonl. What is no metric is passed over:
// a script's slip must not end its training.
func pointsIn(body []byte, now time.Time) []compare.Point {
	var points []compare.Point
	for line := range bytes.Lines(body) {
		var m struct {
			Step    int64              `json:"step"`
			Time    float64            `json:"time"`
			Split   string             `json:"split"`
			Metrics map[string]float64 `json:"metrics"`
		}
		if json.Unmarshal(line, &m) != nil {
			continue
		}
		at := now
		if m.Time > 0 && m.Time < 1e11 {
			whole, part := math.Modf(m.Time)
			at = time.Unix(int64(whole), int64(part*1e9)).UTC().Truncate(time.Microsecond)
		}
		for _, name := range sortedKeys(m.Metrics) {
			p := compare.Point{Step: m.Step, Split: m.Split, Name: name, Value: m.Metrics[name], At: at}
			if p.Validate() == nil {
				points = append(points, p)
			}
		}
	}
	return points
}

// SaveOutput keeps a file that an attempt made.
func (s *Service) SaveOutput(ctx context.Context, fence int64, name string, body io.Reader) (OutputFile, error) {
	if name == "" || len(name) > 500 || path.Clean("/" + name)[1:] != name || strings.ContainsAny(name, "\\\x00") {
		return OutputFile{}, fault.Field("path", "%.80q is not the path of an output file.", name)
	}
	if err := ledger.Name("path", name); err != nil {
		return OutputFile{}, err
	}
	alive := func(tx Tx) error { _, _, err := live(tx, fence); return err }
	if err := s.View(ctx, alive); err != nil { // before the bytes travel
		return OutputFile{}, err
	}
	digest, size, err := s.Files.Put(ctx, body)
	if err != nil {
		return OutputFile{}, err
	}
	file := OutputFile{Path: name, Size: size, Digest: digest}
	return file, s.Update(ctx, func(tx Tx) error {
		a, _, err := live(tx, fence)
		if err != nil {
			return err
		}
		if err := tx.SaveOutput(fence, file); err != nil {
			return err
		}
		return tx.UpdateAttempt(a)
	})
}
