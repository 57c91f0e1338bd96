package training_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/backend/training/recipe"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// files keeps bytes in memory.
type files struct {
	mu  sync.Mutex
	all map[ledger.Digest][]byte
}

func (f *files) Put(_ context.Context, in io.Reader) (ledger.Digest, int64, error) {
	raw, err := io.ReadAll(in)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all[ledger.DigestOf(raw)] = raw
	return ledger.DigestOf(raw), int64(len(raw)), err
}

func (f *files) Open(_ context.Context, d ledger.Digest) (io.ReadSeekCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, ok := f.all[d]
	if !ok {
		return nil, fault.New(fault.NotFound, "no such file")
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader(raw), io.NopCloser(nil)}, nil
}

// engine places nothing and says what it is told to say.
type engine struct {
	mu     sync.Mutex
	placed chan training.Placement
	vital  map[int64]training.Vital
	stops  []int64
	clears []int64
	refuse error
}

func (e *engine) Name() string { return "local" }
func (e *engine) Slots() int   { return 8 }
func (e *engine) Place(_ context.Context, p training.Placement) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse != nil {
		return "", e.refuse
	}
	if e.vital[p.Fence] != training.VitalEnded {
		e.vital[p.Fence] = training.VitalAlive
	}
	e.placed <- p
	return fmt.Sprint("ext-", p.Fence), nil
}
func (e *engine) Describe(_ context.Context, handles []training.Handle) (vitals []training.Vital, _ error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range handles {
		vitals = append(vitals, e.vital[h.Fence])
	}
	return vitals, nil
}
func (e *engine) Stop(_ context.Context, h training.Handle, _ training.Stop) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stops = append(e.stops, h.Fence)
	return nil
}
func (e *engine) Clear(_ context.Context, h training.Handle) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clears = append(e.clears, h.Fence)
	return nil
}
func (e *engine) Known(context.Context) ([]int64, error) { return nil, nil }
func (e *engine) Remains(_ context.Context, _ training.Handle, offset int64) ([]byte, error) {
	return []byte("what was left\n")[min(offset, 14):], nil
}
func (e *engine) Render(training.Placement) string { return "placed" }
func (e *engine) say(fence int64, v training.Vital) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.vital[fence] = v
}

// desk is a service over a real store with a project that can be trained.
type desk struct {
	*training.Service
	t         *testing.T
	store     *store.Store
	engine    *engine
	files     *files
	clock     *clock
	predicted []compare.Prediction
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var ann = ledger.Actor{Person: "ann", Name: "Ann", Via: ledger.ViaLogin, Scope: ledger.ScopeFull,
	Roles: map[ledger.ProjectID][]ledger.Role{"p": {ledger.RoleDataScientist}}}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, engine: &engine{placed: make(chan training.Placement, 100), vital: map[int64]training.Vital{}}, files: &files{all: map[ledger.Digest][]byte{}},
		clock: &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}}
	s, err := store.Open(t.Context(), storetest.SQLite(t), store.Options{Rehearse: true, Now: d.clock.read})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	book, err := recipe.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	n := 0
	next := func() string { mu.Lock(); defer mu.Unlock(); n++; return fmt.Sprintf("id-%06d", n) }
	d.store = s
	d.Service = training.New(training.Config{
		Update: store.In[training.Tx](s), View: store.From[training.Tx](s), NewID: next, Now: d.clock.read, Secret: func() string { return "secret " + next() },
		Files: d.files, Recipes: book, Engines: []training.Engine{d.engine}, Server: "a",
		Predicted: func(_ context.Context, _ training.Job, answers iter.Seq2[compare.Prediction, error]) error {
			for p, err := range answers {
				if err != nil {
					return err
				}
				d.predicted = append(d.predicted, p)
			}
			return nil
		},
	})
	rows, _, _ := d.files.Put(t.Context(), strings.NewReader(`{"answer":"a","content":"sha256:1","key":"1","text":"one"}`+"\n"))
	counts := []labeling.ClassCount{{Class: "a", Items: 2}, {Class: "b", Items: 1}, {Class: "never", Items: 0}}
	err = s.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.CreateProject(labeling.Project{ID: "p", Slug: "p", Name: "P", Overlap: 1}); err != nil {
			return err
		}
		for _, snap := range []labeling.Snapshot{
			{ID: "good", Purpose: labeling.PurposeTraining, State: labeling.SnapshotReady, Classes: counts, Items: 3, Rows: rows, Digest: "sha256:s"},
			{ID: "evaluation", Purpose: labeling.PurposeEvaluation, State: labeling.SnapshotReady, Classes: counts, Items: 3},
			{ID: "building", Purpose: labeling.PurposeTraining, State: labeling.SnapshotBuilding, Classes: counts},
			{ID: "single", Purpose: labeling.PurposeTraining, State: labeling.SnapshotReady, Classes: counts[1:], Items: 1},
		} {
			snap.Project = "p"
			if _, err := tx.CreateSnapshot(snap); err != nil {
				return err
			}
		}
		for name, purpose := range map[string]labeling.Purpose{"open": labeling.PurposeTraining, "done": labeling.PurposeTraining, "test": labeling.PurposeEvaluation, "empty": labeling.PurposeEvaluation} {
			if err := tx.CreateDataset(labeling.Dataset{ID: labeling.DatasetID(name), Project: "p", Name: name, Purpose: purpose}); err != nil {
				return err
			}
			for i := range 3 {
				item := labeling.Item{ID: labeling.ItemID(fmt.Sprint(name, i)), Project: "p", Dataset: labeling.DatasetID(name), Key: fmt.Sprint(i), Text: fmt.Sprint("text ", i), Status: labeling.StatusQueued}
				if name == "done" || i == 0 {
					item.Status, item.Label = labeling.StatusAccepted, "class"
				}
				if name == "empty" {
					continue
				}
				if _, err := tx.CreateItem(item); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// dispatch keeps the queue moving until the test ends.
func (d *desk) dispatch() {
	ctx, stop := context.WithCancel(d.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Dispatch(ctx) }()
	d.t.Cleanup(func() { stop(); <-done })
}

func (d *desk) submit(change func(*training.SubmitRequest)) (training.Submitted, error) {
	req := training.SubmitRequest{Project: "p", Recipe: "text-linear", Snapshot: "good"}
	if change != nil {
		change(&req)
	}
	return d.Submit(d.t.Context(), ann, req)
}

// train submits a job and returns it with its placement.
func (d *desk) train() (training.Submitted, training.Placement) {
	d.t.Helper()
	made, err := d.submit(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return made, d.placement()
}

func (d *desk) placement() training.Placement {
	d.t.Helper()
	select {
	case p := <-d.engine.placed:
		return p
	case <-time.After(20 * time.Second):
		d.t.Fatal("nothing is placed")
		return training.Placement{}
	}
}

func (d *desk) page(number int) training.RunPage {
	d.t.Helper()
	page, err := d.Run(d.t.Context(), ann, "p", number)
	if err != nil {
		d.t.Fatal(err)
	}
	return page
}

// until wakes the queue until a run is as wanted.
func (d *desk) until(number int, what string, is func(training.RunPage) bool) training.RunPage {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		d.Wake()
		page := d.page(number)
		if is(page) {
			return page
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("run %d is %s (%s), not %s", number, page.Run.State, page.Run.Reason, what)
		}
	}
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// finish plays a runner whose trainer ended well.
func (d *desk) finish(fence int64) {
	d.t.Helper()
	ctx := d.t.Context()
	_, err := d.Heartbeat(ctx, fence, training.Beat{Phase: training.PhaseRunning, Host: &training.Host{Name: "here"}})
	d.must(err)
	_, err = d.Append(ctx, fence, training.StreamLog, 0, []byte("hello\n::progress 0.5 half\n"))
	d.must(err)
	_, err = d.Append(ctx, fence, training.StreamMetrics, 0, []byte("no json\n"+`{"step":1,"split":"validation","metrics":{"accuracy":0.5}}`+"\n"+`{"step":2,"split":"validation","metrics":{"accuracy":0.75}}`+"\n"))
	d.must(err)
	for _, name := range []string{"model/model.json", "model/weights.bin", "metrics.jsonl"} {
		_, err = d.SaveOutput(ctx, fence, name, strings.NewReader("bytes of "+name))
		d.must(err)
	}
	d.must(d.Finish(ctx, fence, training.Finish{LogBytes: 26, Result: json.RawMessage(`{"primary_metric":{"name":"accuracy","value":0.75}}`), Environment: json.RawMessage(`{"go":"x"}`)}))
}

func TestATrainingThatCannotBeIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, tc := range map[string]struct {
		change func(*training.SubmitRequest)
		kind   fault.Kind
		field  string
		says   string
	}{
		"evaluation items":  {func(r *training.SubmitRequest) { r.Snapshot = "evaluation" }, fault.Unmet, "snapshot", "evaluation items"},
		"not ready":         {func(r *training.SubmitRequest) { r.Snapshot = "building" }, fault.Unmet, "snapshot", "still being made"},
		"a single class":    {func(r *training.SubmitRequest) { r.Snapshot = "single" }, fault.Unmet, "snapshot", "fewer than two classes"},
		"no such snapshot":  {func(r *training.SubmitRequest) { r.Snapshot = "nowhere" }, fault.Invalid, "snapshot", "no such snapshot"},
		"no such recipe":    {func(r *training.SubmitRequest) { r.Recipe = "magic" }, fault.Invalid, "recipe", "There is: text-linear"},
		"no such engine":    {func(r *training.SubmitRequest) { r.Engine = "moon" }, fault.Invalid, "engine", "no engine moon"},
		"a wrong parameter": {func(r *training.SubmitRequest) { r.Params = map[string]json.RawMessage{"epochs": []byte("0")} }, fault.Invalid, "params.epochs", "between 1 and 200"},
		"another's project": {func(r *training.SubmitRequest) { r.Project = "q" }, fault.NotFound, "", "No such project"},
	} {
		_, err := d.submit(tc.change)
		if !fault.Is(err, tc.kind) || !strings.Contains(fault.Message(err), tc.says) || tc.field != "" && fault.Fields(err)[tc.field] == "" {
			t.Errorf("%s: %v (fields %v)", name, err, fault.Fields(err))
		}
	}
	annotator := ledger.Actor{Person: "bob", Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"p": {ledger.RoleAnnotator}}}
	if _, err := d.Submit(t.Context(), annotator, training.SubmitRequest{Project: "p", Recipe: "text-linear", Snapshot: "good"}); !fault.Is(err, fault.Denied) {
		t.Errorf("an annotator trains: %v", err)
	}
}

func TestTheSameTrainingIsNotStartedTwice(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, err := d.submit(nil)
	d.must(err)
	if again, err := d.submit(nil); err != nil || !again.Known || again.Run.ID != first.Run.ID {
		t.Errorf("the same while it waits: %+v, %v", again, err)
	}
	other, err := d.submit(func(r *training.SubmitRequest) { r.Seed = 2; r.Key = "k" })
	if err != nil || other.Known || other.Run.Number != 2 {
		t.Errorf("another seed: %+v, %v", other, err)
	}
	_, err = d.Stop(t.Context(), ann, "p", other.Job.ID)
	d.must(err)
	if again, err := d.submit(func(r *training.SubmitRequest) { r.Seed = 2; r.Key = "k" }); err != nil || !again.Known || again.Run.ID != other.Run.ID {
		t.Errorf("the same key after it ended: %+v, %v", again, err)
	}
	if _, err := d.submit(func(r *training.SubmitRequest) { r.Seed = 3; r.Key = "k" }); !fault.Is(err, fault.Conflict) {
		t.Errorf("a key for something else: %v", err)
	}
	if again, err := d.submit(func(r *training.SubmitRequest) { r.Seed = 2 }); err != nil || again.Known {
		t.Errorf("the same after it was stopped: %+v, %v", again, err)
	}
}

func TestSuccessLeavesRunModelCandidateAndPredictions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	made, place := d.train()
	actor, fence, err := d.AuthenticateAttempt(t.Context(), place.Token)
	if err != nil || fence != fmt.Sprint(place.Fence) || actor.May("p", ledger.ActionRead) {
		t.Errorf("the token is of attempt %s, actor %+v, %v", fence, actor, err)
	}
	if _, _, err := d.AuthenticateAttempt(t.Context(), "another"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("another token: %v", err)
	}
	spec, err := d.StartAttempt(t.Context(), place.Fence)
	d.must(err)
	if spec.Job.Kind != training.KindTrain || spec.Job.Fence != place.Fence || !strings.Contains(string(spec.Inputs[0].Dataset), `"classes":["a","b"]`) || spec.Command[0] != "{adjudge}" {
		t.Errorf("spec %+v", spec)
	}
	in, err := d.OpenInput(t.Context(), place.Fence, "train", "part-0.jsonl")
	d.must(err)
	if raw, _ := io.ReadAll(in); !strings.Contains(string(raw), `"text":"one"`) {
		t.Errorf("input %s", raw)
	}
	d.finish(place.Fence)
	page := d.page(made.Run.Number)
	tree, err := ledger.TreeRoot([]ledger.TreeFile{
		{Path: "model.json", Digest: ledger.DigestOf([]byte("bytes of model/model.json"))}, {Path: "weights.bin", Digest: ledger.DigestOf([]byte("bytes of model/weights.bin"))}})
	d.must(err)
	switch {
	case page.Run.State != compare.RunSucceeded, page.Run.Primary.Value != 0.75, page.Job.State != training.Succeeded:
		t.Errorf("run %+v", page.Run)
	case page.Model.Digest != tree, page.Model.TrainedBy != "ann", page.Model.Snapshot != "good", len(page.Model.Files) != 2, len(page.Model.Metrics) != 1:
		t.Errorf("model %+v", page.Model)
	case page.Candidate.State != review.StateDraft, page.Candidate.Subject.Digest != tree, page.Candidate.TrainedBy != "ann":
		t.Errorf("candidate %+v", page.Candidate)
	case page.Attempt.Progress != 0.5, len(page.Points) != 2, !strings.Contains(page.Attempt.Submitted, "params.json"),
		!strings.Contains(page.Attempt.Submitted, "\nADJUDGE_PARAMS=DIR/params.json\n"), !strings.Contains(page.Attempt.Submitted, "\nADJUDGE_TOKEN=…\n"):
		t.Errorf("attempt %+v, points %v", page.Attempt, page.Points)
	}
	if part, err := d.ReadLog(t.Context(), ann, "p", 1, 0, 6, 100); err != nil || string(part.Body) != "::progress 0.5 half\n" || !part.Over || part.Total != 26 {
		t.Errorf("log %+v, %v", part, err)
	}

	for _, tt := range []struct {
		want         training.LogSearch
		line, offset int64
	}{
		{training.LogSearch{Line: 2}, 2, 6},
		{training.LogSearch{Line: 99}, 2, 6},
		{training.LogSearch{Offset: 1}, 2, 6},
		{training.LogSearch{}, 1, 0},
		{training.LogSearch{Text: "PROGRESS"}, 2, 6},
		{training.LogSearch{Text: "progress", From: 2}, 2, 6}, // once around
		{training.LogSearch{Text: "progress", From: 1, Back: true}, 2, 6},
		{training.LogSearch{Errors: true}, 0, 0},
	} {
		if at, err := d.FindInLog(t.Context(), ann, "p", 1, 0, tt.want); err != nil || at.Line != tt.line || at.Offset != tt.offset || at.Lines != 2 {
			t.Errorf("%+v is at %+v, %v", tt.want, at, err)
		}
	}

	order, _ := json.Marshal(map[string]any{"job": made.Job.ID})
	for range 2 { // the second time changes nothing
		d.must(d.Follow(t.Context(), order))
	}
	page = d.page(1)
	var datasets []string
	for _, p := range page.Predicts {
		datasets = append(datasets, fmt.Sprint(p.Dataset.Name, " ", p.Job.Unlabeled))
	}
	slices.Sort(datasets)
	if got := strings.Join(datasets, ", "); got != "open true, test false" {
		t.Errorf("predicted are %s", got)
	}
	for range 2 {
		d.answer(d.placement())
	}
	if len(d.predicted) != 2+3 || d.predicted[0].Runner != 0.25 {
		t.Errorf("predictions %+v", d.predicted)
	}
	if n, err := d.store.CheckHistory(t.Context()); err != nil || n == 0 {
		t.Errorf("%d events, %v", n, err)
	}
}

// answer plays the runner of a predict job.
func (d *desk) answer(p training.Placement) {
	d.t.Helper()
	ctx := d.t.Context()
	spec, err := d.StartAttempt(ctx, p.Fence)
	d.must(err)
	model, err := d.OpenInput(ctx, p.Fence, "model", "weights.bin")
	d.must(err)
	if raw, _ := io.ReadAll(model); string(raw) != "bytes of model/weights.bin" {
		d.t.Errorf("the model's file is %q", raw)
	}
	in, err := d.OpenInput(ctx, p.Fence, "data", "part-0.jsonl")
	d.must(err)
	raw, err := io.ReadAll(in)
	d.must(err)
	var out bytes.Buffer
	for line := range bytes.Lines(raw) {
		var item struct{ Key string }
		d.must(json.Unmarshal(line, &item))
		fmt.Fprintf(&out, `{"item":%q,"label":"a","score":0.75,"proba":{"a":0.75,"b":0.25}}`+"\n", item.Key)
	}
	_, err = d.SaveOutput(ctx, p.Fence, "predictions.jsonl", &out)
	d.must(err)
	d.must(d.Finish(ctx, p.Fence, training.Finish{}))
	order, _ := json.Marshal(map[string]any{"job": spec.Job.JobID, "fence": p.Fence})
	d.must(d.TakePredictions(ctx, order))
}

func TestAStaleFenceIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	_, place := d.train()
	d.engine.say(place.Fence, training.VitalGone)
	page := d.until(1, "waiting for another attempt", func(p training.RunPage) bool { return p.Job.State == training.Queued })
	if page.Attempt.State != training.Lost || !page.Job.NotBefore.Equal(d.clock.read().Add(10*time.Second)) || !slices.Contains(d.engine.clears, place.Fence) {
		t.Errorf("the attempt is %s, the job waits until %s", page.Attempt.State, page.Job.NotBefore)
	}
	ctx := t.Context()
	for name, write := range map[string]func() error{
		"start":     func() error { _, err := d.StartAttempt(ctx, place.Fence); return err },
		"heartbeat": func() error { _, err := d.Heartbeat(ctx, place.Fence, training.Beat{}); return err },
		"log":       func() error { _, err := d.Append(ctx, place.Fence, training.StreamLog, 0, []byte("x")); return err },
		"output":    func() error { _, err := d.SaveOutput(ctx, place.Fence, "x", strings.NewReader("")); return err },
		"input":     func() error { _, err := d.OpenInput(ctx, place.Fence, "train", "part-0.jsonl"); return err },
		"finish":    func() error { return d.Finish(ctx, place.Fence, training.Finish{}) },
		"never was": func() error { return d.Finish(ctx, 4711, training.Finish{}) },
	} {
		if err := write(); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What the dead runner had not shipped is kept all the same.
	if part, err := d.ReadLog(ctx, ann, "p", 1, place.Fence, 0, 100); err != nil || string(part.Body) != "what was left\n" {
		t.Errorf("log %q, %v", part.Body, err)
	}
	d.clock.move(11 * time.Second)
	d.Wake()
	second := d.placement()
	if second.Fence <= place.Fence || second.Attempt != 2 || second.Previous != place.Fence {
		t.Errorf("the second placement is %+v", second)
	}
}

func TestASilentAttemptIsGivenUpOnlyLongAfterItsLease(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	_, place := d.train()
	d.engine.say(place.Fence, training.VitalUnknown)
	d.clock.move(59 * time.Second)
	d.Wake()
	time.Sleep(50 * time.Millisecond) // nothing is what should happen
	if page := d.page(1); page.Job.State != training.Starting {
		t.Errorf("after 59 seconds the job is %s", page.Job.State)
	}
	if _, err := d.Heartbeat(t.Context(), place.Fence, training.Beat{Phase: training.PhaseRunning}); err != nil {
		t.Errorf("a late heartbeat: %v", err)
	}
	d.clock.move(61 * time.Second)
	d.until(1, "given up", func(p training.RunPage) bool { return p.Job.State == training.Queued })
}

func TestAnAttemptBelongsToTheServerThatPlacedIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	_, place := d.train()
	// Another server on the same database knows no process of it.
	config := d.Service.Config
	elsewhere := &engine{placed: make(chan training.Placement, 100), vital: map[int64]training.Vital{place.Fence: training.VitalGone}}
	config.Server, config.Engines = "b", []training.Engine{elsewhere}
	other := training.New(config)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { other.Dispatch(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	d.engine.say(place.Fence, training.VitalAlive)
	d.clock.move(10 * time.Minute)
	other.Wake()
	time.Sleep(50 * time.Millisecond) // nothing is what should happen
	if page := d.page(1); page.Job.State != training.Starting {
		t.Fatalf("the other server made the job %s", page.Job.State)
	}
	// Only when its server has been gone for long is it begun anew.
	d.clock.move(2 * time.Minute)
	other.Wake()
	d.until(1, "begun anew", func(p training.RunPage) bool { return p.Job.Fence != place.Fence || p.Job.State == training.Queued })
}

func TestAnEngineThatRefusesIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.engine.refuse = errors.New("no room")
	d.dispatch()
	_, err := d.submit(nil)
	d.must(err)
	page := d.until(1, "waiting", func(p training.RunPage) bool { return p.Job.State == training.Queued && p.Job.Attempts == 1 })
	if page.Attempt.Reason != training.ReasonEngine || !strings.Contains(page.Run.Reason, "no room") {
		t.Errorf("attempt %s, run: %s", page.Attempt.Reason, page.Run.Reason)
	}
}

func TestBytesOfAStreamFollowOneAnother(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	_, place := d.train()
	ctx := t.Context()
	_, err := d.Append(ctx, place.Fence, training.StreamLog, 0, []byte("0123"))
	d.must(err)
	for _, offset := range []int64{0, 3, 5} {
		gap, ok := errors.AsType[*training.RangeError](func() error {
			_, err := d.Append(ctx, place.Fence, training.StreamLog, offset, []byte("x"))
			return err
		}())
		if !ok || gap.Next != 4 {
			t.Errorf("at %d: %v", offset, gap)
		}
	}
	if a, err := d.Append(ctx, place.Fence, training.StreamLog, 4, []byte("45")); err != nil || a.Next != 6 {
		t.Errorf("the right bytes: %+v, %v", a, err)
	}
	if _, err := d.Append(ctx, place.Fence, training.StreamLog, 6, make([]byte, training.MaxChunk+1)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("too many bytes: %v", err)
	}
}

func TestAStopReachesTheRunnerByEngineAndByAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	made, place := d.train()
	ctx := t.Context()
	_, err := d.Heartbeat(ctx, place.Fence, training.Beat{Phase: training.PhaseRunning})
	d.must(err)
	for range 2 { // the second time changes nothing
		job, err := d.StopRun(ctx, ann, "p", made.Run.Number)
		if err != nil || job.State != training.Stopping {
			t.Errorf("stop: %s, %v", job.State, err)
		}
	}
	if !slices.Equal(d.engine.stops, []int64{place.Fence}) {
		t.Errorf("the engine was told of %v", d.engine.stops)
	}
	answer, err := d.Heartbeat(ctx, place.Fence, training.Beat{Phase: training.PhaseRunning})
	if err != nil || answer.Stop == nil || answer.Stop.Reason != training.StopCancel || answer.Stop.GraceS != 10 {
		t.Errorf("the heartbeat is answered %+v, %v", answer, err)
	}
	d.must(d.Finish(ctx, place.Fence, training.Finish{ExitCode: 143, Stopped: training.StopCancel}))
	if page := d.page(1); page.Run.State != compare.RunCancelled || page.Model.ID != "" {
		t.Errorf("the run is %s", page.Run.State)
	}
}

func TestOutputPathsStayInTheirFolder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dispatch()
	_, place := d.train()
	for _, name := range []string{"", ".", "..", "../x", "/etc/passwd", "a/../b", "a//b", `a\b`, strings.Repeat("x", 501)} {
		if _, err := d.SaveOutput(t.Context(), place.Fence, name, strings.NewReader("")); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
